//! Containers the kernel kills for memory.

use crate::catalog::Strength;
use crate::cluster::{Cluster, Container, Quantity};
use crate::decode::{Event, Resource, Value};
use crate::detect::template::Template;
use crate::detect::{Evidence, EvidenceKind, Finding};

const MI: i64 = 1 << 20;

/// runc's words when the memory limit is too low for the container's first process.
const INIT_KILLED: &str = "container init was OOM-killed";

/// Containers killed at their memory limit, or before their first process could begin.
pub(super) fn oom_killed(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod") {
        for container in cluster.containers(pod) {
            let killed = killed(cluster, &container).or_else(|| killed_at_birth(&container));
            out.extend(killed.and_then(|evidence| finding(cluster, &container, evidence)));
        }
        out.extend(killed_in_sandbox(cluster, pod));
    }
}

fn killed(cluster: &Cluster, container: &Container<'_>) -> Option<Evidence> {
    if !container.is_dying(cluster) {
        return None;
    }
    let ended = container.ended();
    let evidence = |key: &str, strength, says: &str| {
        Evidence::value(container.pod, ended.get(key), key, strength, says).of_kind(EvidenceKind::Status)
    };
    if container.end_reason() == "OOMKilled" {
        return Some(evidence("reason", Strength::Proof, "the kubelet records that the kernel killed it for memory"));
    }
    // 137 is SIGKILL. Where neither a probe nor a deletion sent it, and a limit is set, the kernel may have killed a child.
    let limited = container.spec.path("resources.limits.memory").exists();
    let unaccounted = container.exit_code() == Some(137)
        && limited
        && !container.pod.at("metadata.deletionTimestamp").exists()
        && !was_killed_by_the_kubelet(cluster, container);
    unaccounted.then(|| evidence("exitCode", Strength::Hint, "it was killed, and neither a probe nor a deletion did it"))
}

/// The kubelet says that it killed the container, or that its liveness probe failed.
pub(super) fn was_killed_by_the_kubelet(cluster: &Cluster, container: &Container<'_>) -> bool {
    cluster.events_of(&container.pod.reference).any(|e| {
        let about_it = e.container().is_none_or(|c| c == container.name);
        about_it && (e.reason == "Killing" || e.reason == "Unhealthy" && e.message.starts_with("Liveness"))
    })
}

fn killed_at_birth(container: &Container<'_>) -> Option<Evidence> {
    let states = ["state.waiting", "state.terminated", "lastState.terminated"];
    let message = states.iter().map(|s| container.status.path(s).get("message")).find(|m| m.text().contains(INIT_KILLED))?;
    let says = "the kernel killed its first process before the program began";
    Some(Evidence::value(container.pod, message, "message", Strength::Proof, says))
}

/// The pod's sandbox, which lives under the pod's memory limit, could not even begin.
fn killed_in_sandbox(cluster: &Cluster, pod: &Resource) -> Option<Finding> {
    let said = |e: &&Event| e.message.contains(INIT_KILLED) && cluster.is_current(e);
    let event = cluster.events_of(&pod.reference).filter(said).last()?;
    let containers = cluster.containers(pod);
    // The limits of all containers add up to the sandbox's: the lowest one is the most suspicious.
    let lowest = containers
        .iter()
        .filter(|c| !is_running_or_done(c))
        .min_by_key(|c| limit(c.spec).unwrap_or(Quantity::whole(i64::MAX)))?;
    let says = "the kernel killed the sandbox's first process: the memory limit is too low for it";
    finding(cluster, lowest, Evidence::event(event, Strength::Proof, says))
}

fn is_running_or_done(container: &Container<'_>) -> bool {
    container.is_running() || container.status.path("state.terminated").exists()
}

fn limit(spec: Value<'_>) -> Option<Quantity> {
    Quantity::of(spec.path("resources.limits.memory"))
}

fn finding(cluster: &Cluster, container: &Container<'_>, evidence: Evidence) -> Option<Finding> {
    let pod = container.pod;
    let template = Template::of(cluster, pod)?;
    let limit_now = limit(container.spec);
    let wanted = template.container(container).and_then(limit);
    // The template has been given more since: this pod is of the past.
    if wanted > limit_now && limit_now.is_some() && pod.annotation("vpaUpdates").is_none_or(str::is_empty) {
        return None;
    }
    let resources = container.spec.get("resources");
    let how = evidence.says.clone();
    let limit_text = resources.path("limits.memory").text();
    let pointer = if limit_text.is_empty() { None } else { template.pointer_of(container, "resources/limits/memory") };
    let mut finding = Finding::new("oom-killed", template.carrier.clone(), evidence)
        .fact("container", container.name)
        .fact("pod", pod.name())
        .fact("node", pod.at("spec.nodeName").text())
        .fact("limit", limit_text)
        .fact("request", resources.path("requests.memory").text())
        .fact("restarts", container.restarts())
        .fact("pointer", pointer.unwrap_or_default())
        .fact("raised", raised(limit_now))
        .fact("how", how)
        .affects([pod.reference.clone()]);
    if !limit_text.is_empty() {
        let says = "this much it may use";
        finding = finding.evidence(Evidence::value(pod, resources.path("limits.memory"), "limits.memory", Strength::Hint, says));
    }
    Some(finding)
}

/// Twice the limit, and never less than a small program needs; a first step until the need is measured.
fn raised(limit: Option<Quantity>) -> String {
    let twice = limit.map_or(512, |l| (l.as_f64() * 2.0 / MI as f64).ceil() as i64);
    format!("{}Mi", twice.max(64))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{cluster, cluster_with, event};

    fn pod(limit: &str, status: &Json) -> Json {
        json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"},
               "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": limit}}}]},
               "status": {"phase": "Running", "containerStatuses": [status]}})
    }

    fn found(cluster: &Cluster) -> Vec<Finding> {
        let mut out = Vec::new();
        oom_killed(cluster, &mut out);
        out
    }

    fn ended(reason: &str, code: i64) -> Json {
        json!({"name": "c", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
               "lastState": {"terminated": {"reason": reason, "exitCode": code}}})
    }

    #[test]
    fn the_kubelet_tells_a_kill_for_memory() {
        let killed = &found(&cluster(&[pod("50Mi", &ended("OOMKilled", 137))]))[0];
        assert_eq!((killed.facts["raised"].as_str(), killed.strength()), (Some("100Mi"), Strength::Proof));
        assert_eq!(killed.facts["pointer"], "/spec/containers/0/resources/limits/memory");
    }

    #[test]
    fn exit_code_137_alone_is_a_hint_and_none_after_a_probe() {
        let objects = [pod("50Mi", &ended("Error", 137))];
        assert_eq!(found(&cluster(&objects))[0].strength(), Strength::Hint);
        let killing = event("Pod", Some("shop"), "p", "Killing", "Container c failed liveness probe, will be restarted");
        assert!(found(&cluster_with(&objects, vec![killing])).is_empty());
        assert!(found(&cluster(&[pod("50Mi", &ended("Error", 1))])).is_empty());
    }

    #[test]
    fn a_limit_too_low_for_the_sandbox_is_told_by_an_event() {
        let waiting = pod("4Mi", &json!({"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}));
        let message =
            "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?)";
        let said = event("Pod", Some("shop"), "p", "FailedCreatePodSandBox", message);
        let killed = &found(&cluster_with(&[waiting], vec![said]))[0];
        assert_eq!((killed.facts["raised"].as_str(), killed.facts["limit"].as_str()), (Some("64Mi"), Some("4Mi")));
    }

    #[test]
    fn a_template_with_more_memory_is_the_cure() {
        let owned = |kind: &str, limit: &str| {
            let mut object = pod(limit, &ended("OOMKilled", 137));
            object["metadata"]["ownerReferences"] = json!([{"kind": kind, "name": "web"}]);
            object
        };
        let deployment = |limit: &str| {
            json!({"kind": "StatefulSet", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": {"spec":
                   {"containers": [{"name": "c", "resources": {"limits": {"memory": limit}}}]}}}})
        };
        assert_eq!(found(&cluster(&[owned("StatefulSet", "50Mi"), deployment("50Mi")])).len(), 1);
        assert!(found(&cluster(&[owned("StatefulSet", "50Mi"), deployment("100Mi")])).is_empty());
    }
}
