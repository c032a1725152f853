//! Containers that keep others from going on: init containers that do not succeed, sidecars that do not end.

use jiff::SignedDuration;

use super::symptom::{stamp, within};
use super::template::Template;
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Container};

pub(super) const DETECTORS: &[Detector] =
    &[Detector { name: "init_container", run: init_container }, Detector { name: "sidecar_blocks_job", run: sidecar_blocks_job }];

/// An init container that runs for longer than this waits for something that does not come.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn init_container(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod") {
        let containers = cluster.containers(pod);
        let init = containers.iter().filter(|c| c.list == "initContainers" && !is_sidecar(c));
        let Some((container, state)) = init.filter_map(|c| Some((c, stuck(cluster, c)?))).next() else { continue };
        let Some(template) = Template::of(cluster, pod) else { continue };
        let evidence = state_of(container, Strength::Statement, "the state of the init container");
        out.push(
            Finding::new("init-container-failing", template.carrier, evidence)
                .fact("container", if container.name.is_empty() { "(unnamed)" } else { container.name })
                .fact("pod", pod.name())
                .fact("state", state)
                .affects([pod.reference.clone()]),
        );
    }
}

/// The line that tells a container's state best.
fn state_of(container: &Container<'_>, strength: Strength, says: &str) -> Evidence {
    const REASONS: [&str; 2] = ["state.waiting.reason", "state.terminated.reason"];
    let reason = REASONS.iter().map(|path| container.status.path(path)).find(|r| r.exists());
    let evidence = match reason {
        Some(reason) => Evidence::value(container.pod, reason, "reason", strength, says),
        None => {
            let since = container.status.path("state.running.startedAt").text();
            let excerpt = if container.is_running() { format!("Running since {since}") } else { "state".to_owned() };
            Evidence::value(container.pod, container.status.get("state"), "state", strength, says).brief(excerpt.trim())
        }
    };
    evidence.of_kind(EvidenceKind::Status)
}

/// What is wrong with an init container, as the end of a sentence.
fn stuck(cluster: &Cluster, container: &Container<'_>) -> Option<String> {
    if container.is_dying(cluster) {
        return Some(match container.exit_code() {
            Some(code) => format!("fails with exit code {code}"),
            None => "fails".to_owned(),
        });
    }
    let since = container.running_since()?;
    let waits = cluster.now.is_some_and(|now| now.duration_since(since) > PATIENCE);
    waits.then(|| "has been running for minutes and does not end".to_owned())
}

/// Meant to run beside the main containers (Kubernetes 1.29 and later).
fn is_sidecar(container: &Container<'_>) -> bool {
    container.spec.get("restartPolicy").text() == "Always"
}

fn sidecar_blocks_job(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod") {
        let Some(job) = cluster.owner(pod).filter(|o| o.kind() == "Job") else { continue };
        let containers: Vec<_> = cluster.containers(pod).into_iter().filter(|c| c.list == "containers").collect();
        let done = containers.iter().find(|c| {
            let ended = c.status.path("state.terminated");
            ended.get("exitCode").as_i64() == Some(0) && !within(cluster, stamp(ended.get("finishedAt")), PATIENCE)
        });
        let (Some(done), Some(sidecar)) = (done, containers.iter().find(|c| c.is_running())) else { continue };
        let done_at = state_of(done, Strength::Proof, "its work is done");
        out.push(
            Finding::new("sidecar-blocks-job-completion", cluster.top_owner(job).reference.clone(), done_at)
                .evidence(state_of(sidecar, Strength::Proof, "it still runs"))
                .fact("container", done.name)
                .fact("sidecar", sidecar.name)
                .fact("pod", pod.name())
                .affects([job.reference.clone(), pod.reference.clone()]),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::cluster;

    /// The causes found in a bundle whose clock says 10:00, for a Job's pod with these statuses.
    fn causes(init: &Json, main: &Json) -> Vec<String> {
        let clock = json!({"kind": "Lease", "metadata": {"name": "n", "namespace": "kube-node-lease"},
                           "spec": {"renewTime": "2026-03-01T10:00:00Z"}});
        let job = json!({"kind": "Job", "metadata": {"name": "j", "namespace": "shop"}, "spec": {"template": {"spec": {}}}});
        let pod = json!({"kind": "Pod",
            "metadata": {"name": "p", "namespace": "shop", "ownerReferences": [{"kind": "Job", "name": "j"}]},
            "spec": {"initContainers": [{"name": "wait"}], "containers": [{"name": "work"}, {"name": "proxy"}]},
            "status": {"initContainerStatuses": init, "containerStatuses": main}});
        let cluster = cluster(&[clock, job, pod]);
        let mut out = Vec::new();
        init_container(&cluster, &mut out);
        sidecar_blocks_job(&cluster, &mut out);
        out.into_iter().map(|f| f.cause).collect()
    }

    fn state(name: &str, state: &Json) -> Json {
        json!({"name": name, "state": state})
    }

    #[test]
    fn an_init_container_that_fails_or_waits_for_ever_is_told() {
        let waits = |since: &str| json!([state("wait", &json!({"running": {"startedAt": since}}))]);
        assert_eq!(causes(&waits("2026-03-01T09:30:00Z"), &json!([])), ["init-container-failing"]);
        assert!(causes(&waits("2026-03-01T09:59:00Z"), &json!([])).is_empty());
        let crashes = json!([state("wait", &json!({"waiting": {"reason": "CrashLoopBackOff"}}))]);
        assert_eq!(causes(&crashes, &json!([])), ["init-container-failing"]);
    }

    #[test]
    fn a_sidecar_that_outlives_the_work_blocks_the_job() {
        let main = |finished: &str| {
            json!([
                state("work", &json!({"terminated": {"exitCode": 0, "finishedAt": finished}})),
                state("proxy", &json!({"running": {}}))
            ])
        };
        assert_eq!(causes(&json!([]), &main("2026-03-01T09:30:00Z")), ["sidecar-blocks-job-completion"]);
        assert!(causes(&json!([]), &main("2026-03-01T09:59:30Z")).is_empty());
    }
}
