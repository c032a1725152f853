//! Runners that were made and failed, again and again.

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Hit, Ref, Resource};
use crate::detect::{Evidence, Finding};

pub(super) fn runners(cluster: &Cluster, out: &mut Vec<Finding>) {
    for runner in cluster.kind("EphemeralRunner").filter(|r| r.at("status.reason").text() == "TooManyPodFailures") {
        out.push(failure_limit(cluster, runner));
    }
    for autoscaler in cluster.kind("HorizontalRunnerAutoscaler") {
        out.extend(target_missing(cluster, autoscaler));
    }
}

/// The stack of the runner's own worker in a runner pod's log: it broke down, whatever the job's steps did. The pod stays
/// Running and Ready, and the job is lost.
pub(in crate::detect) fn runner_crash<'a>(cluster: &'a Cluster, pod: &Resource) -> Option<&'a Hit> {
    let pattern = cluster.patterns()?.index("arc-runner-worker-crash")?;
    cluster.logs_of(&pod.reference).filter_map(|log| log.hits.iter().find(|h| h.pattern == pattern)).next()
}

/// Up to 0.11 every failure of a pod counts for ever; the sixth makes the runner Failed, and it goes on counting as a replica.
fn failure_limit(cluster: &Cluster, runner: &Resource) -> Finding {
    let set = cluster.top_owner_ref(runner);
    let says = "failed for good after the sixth pod, and counted as a runner all the same";
    let mut finding = Finding::new(
        "arc-ephemeral-runner-failure-limit",
        set.clone(),
        Evidence::field(runner, "status.reason", Strength::Proof, says),
    );
    let failures = runner.at("status.failures");
    if failures.exists() {
        finding = finding.evidence(Evidence::value(
            runner,
            failures,
            "failures",
            Strength::Statement,
            "one entry for each pod that failed",
        ));
    }
    let failed: Vec<&str> = cluster
        .kind("EphemeralRunner")
        .filter(|r| r.at("status.reason").text() == "TooManyPodFailures" && cluster.top_owner_ref(r) == set)
        .map(Resource::name)
        .collect();
    let removal = removals(cluster, runner);
    if let Some(event) = removal {
        finding = finding.evidence(Evidence::event(event, Strength::Statement, "who took its pods away"));
    }
    finding
        .fact("failed_runners", failed.join(" "))
        .fact("n_failed", failed.len())
        .fact("removed_by", removal.map_or("", |e| e.source.as_str()))
        .fact("removal", removal.map_or("", |e| e.message.as_str()))
        .affects([runner.reference.clone()])
}

/// The last event that says somebody evicted or disrupted a pod of this runner (it has the runner's name) or of its set.
fn removals<'a>(cluster: &'a Cluster, runner: &Resource) -> Option<&'a crate::decode::Event> {
    const REASONS: &[&str] = &[
        "Evicted",
        "Evicting",
        "Disrupted",
        "DisruptionTerminating",
        "Killing",
        "Preempted",
        "TaintManagerEviction",
        "ScaleDown",
        "Unconsolidatable",
    ];
    let prefix = runner.name().rsplit_once("-runner-").map_or(runner.name(), |(set, _)| set);
    let words = ["evict", "disrupt", "consolidat", "underutilized", "preempt", "drain", "scale down", "scaledown"];
    cluster.events().iter().rev().find(|e| {
        let text = format!("{} {}", e.reason, e.message).to_lowercase();
        let of_runner = e.regarding.kind == "Pod"
            && e.regarding.namespace.as_deref() == runner.namespace()
            && e.regarding.name.starts_with(prefix);
        of_runner && REASONS.contains(&e.reason.as_str()) && words.iter().any(|w| text.contains(w))
    })
}

/// The autoscaler ignores a target that does not exist: its status stays empty and nobody says why.
fn target_missing(cluster: &Cluster, autoscaler: &Resource) -> Option<Finding> {
    let target = autoscaler.at("spec.scaleTargetRef");
    let kind = target.get("kind").as_str().unwrap_or("RunnerDeployment");
    let wanted = Ref::new(kind, autoscaler.namespace(), target.get("name").as_str()?);
    if cluster.get(&wanted).is_some() || cluster.kind(kind).next().is_none() {
        return None;
    }
    let says = "no such object in its namespace; the controller ignores that silently";
    let evidence = Evidence::value(autoscaler, target.get("name"), "scaleTargetRef.name", Strength::Proof, says);
    Some(Finding::new("arc-hra-scale-target-missing", autoscaler.reference.clone(), evidence).fact("target", wanted.to_string()))
}
