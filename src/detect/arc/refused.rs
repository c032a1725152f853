//! From a refused runner template to "five runners and not one pod".

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::cluster::admission::Refusal;
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, EvidenceKind, Finding};

/// The chain from a refused runner template to "five runners and not one pod", with the counters that hide it.
pub(in crate::detect) fn refused_chain(cluster: &Cluster, set: &Resource, refusal: &Refusal, mut finding: Finding) -> Finding {
    let below = cluster.descendants(&set.reference);
    let failed: Vec<&Resource> =
        below.iter().copied().filter(|r| r.kind() == "EphemeralRunner" && r.at("status.phase").text() == "Failed").collect();
    let runner_set = below.iter().copied().find(|r| r.kind() == "EphemeralRunnerSet");
    let template = format!("its runner template sets {} to {}", refusal.path, shown(&refusal.value));
    finding = finding.step(set.reference.clone(), template, &[0]);
    if let Some(runner_set) = runner_set {
        finding = finding.step(runner_set.reference.clone(), "makes every runner from that template", &[]);
    }
    if let Some(first) = failed.first() {
        let says = "the runner's status holds the API server's answer; the controller does not try again";
        let field = if first.at("status.message").exists() { "status.message" } else { "status.phase" };
        finding = finding.evidence(Evidence::field(first, field, Strength::Proof, says));
        let at = finding.evidence.len() - 1;
        let what = match failed.len() {
            1 => "the API server refuses its pod; it is Failed (InvalidPod) and never tried again".to_owned(),
            n => format!("the API server refuses its pod; like this, all {n} are Failed (InvalidPod) and never tried again"),
        };
        finding = finding.step(first.reference.clone(), what, &[at]);
    }
    if let Some(counted) = runner_set.filter(|_| !failed.is_empty()) {
        let n = counted.at("status.currentReplicas");
        let says = "failed runners count as current ones, so the set believes that it has enough";
        finding = finding
            .evidence(Evidence::value(counted, n, "currentReplicas", Strength::Statement, says).of_kind(EvidenceKind::Status));
        let at = finding.evidence.len() - 1;
        let what = format!("counts {} current runners, failed ones among them, and makes no new ones: no pod exists", n.text());
        finding = finding.step(counted.reference.clone(), what, &[at]);
    }
    let names: Vec<&str> = failed.iter().map(|r| r.name()).collect();
    finding = finding.fact("n_failed", failed.len()).fact("failed_runners", names.join(" "));
    stale_counters(set, runner_set, finding)
}

/// The AutoscalingRunnerSet copies the counters of its EphemeralRunnerSet only when their total changes, so a runner that goes
/// from pending to failed leaves them as they were (autoscalingrunnerset_controller.go, up to 0.13).
fn stale_counters(set: &Resource, runner_set: Option<&Resource>, finding: Finding) -> Finding {
    let Some(runner_set) = runner_set else { return finding.fact("stale", "") };
    let counts = |r: &Resource| {
        ["pending", "running", "failed"].map(|c| r.at(&format!("status.{c}EphemeralRunners")).as_i64().unwrap_or(0))
    };
    let (shown, real) = (counts(set), counts(runner_set));
    if shown == real || set.kind() != "AutoscalingRunnerSet" {
        return finding.fact("stale", "");
    }
    let say = |[pending, running, failed]: [i64; 3]| format!("{pending} pending, {running} running, {failed} failed");
    let field = ["pendingEphemeralRunners", "failedEphemeralRunners", "currentRunners"].map(|f| set.at(&format!("status.{f}")));
    let says = format!("stale: the EphemeralRunnerSet counts {}", say(real));
    let at = field.into_iter().find(|f| f.exists()).unwrap_or(set.at("status"));
    let evidence = Evidence::value(set, at, "status", Strength::Statement, says).of_kind(EvidenceKind::Status).brief(&say(shown));
    let what = format!("shows {} and is stale: its counters are copied only when their total changes", say(shown));
    let finding = finding.evidence(evidence);
    let index = finding.evidence.len() - 1;
    let object: Ref = set.reference.clone();
    finding.step(object, what, &[index]).fact("stale", say(shown)).fact("counted", say(real))
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "a value it must not have" } else { value }
}
