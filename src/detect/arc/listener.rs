//! Why a listener does not stay.

use super::{REGISTERED, scale_sets, subject};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, Finding};

pub(super) fn listener(cluster: &Cluster, out: &mut Vec<Finding>) {
    session_conflicts(cluster, out);
    registration_lost(cluster, out);
    out.extend(scale_sets(cluster).filter_map(min_above_max));
}

/// GitHub allows one listener for a scale set; two AutoscalingRunnerSets of one name and runner group share one.
fn session_conflicts(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (log, hit) in cluster.hits("arc-session-conflict") {
        let Some(set) = subject(cluster, log, hit) else { continue };
        let evidence = Evidence::hit(log, hit, Strength::Statement, "GitHub refuses a second listener session");
        let Some(object) = cluster.get(&set) else {
            out.push(Finding::new("arc-duplicate-scale-set-session-conflict", set, evidence));
            continue;
        };
        let twin = scale_sets(cluster).find(|other| other.reference != set && is_twin(object, other));
        // Without a twin here it may be one in another cluster, or a crashed listener whose session ends in minutes.
        let Some(twin) = twin else {
            out.push(Finding::new("arc-duplicate-scale-set-session-conflict", set, evidence));
            continue;
        };
        let id = |r: &Resource, says: &str| {
            Evidence::value(r, r.at("metadata.annotations").get(REGISTERED), REGISTERED, Strength::Proof, says)
        };
        let finding =
            Finding::new("arc-duplicate-scale-set-session-conflict", set.clone(), id(object, "the scale set it holds at GitHub"))
                .evidence(id(twin, "another AutoscalingRunnerSet holds the same one"))
                .evidence(evidence)
                .fact("twin", twin.reference.to_string())
                .fact("id", object.annotation(REGISTERED).unwrap_or(""))
                .affects(listeners(cluster, &set));
        out.push(finding);
    }
}

fn is_twin(a: &Resource, b: &Resource) -> bool {
    let id = |r: &Resource| r.annotation(REGISTERED).map(str::to_owned);
    let place = |r: &Resource| {
        let name = r.at("spec.runnerScaleSetName").as_str().unwrap_or(r.name()).to_owned();
        (name, r.at("spec.runnerGroup").text().to_owned(), r.at("spec.githubConfigUrl").text().to_owned())
    };
    id(a).is_some() && id(a) == id(b) || place(a) == place(b)
}

fn listeners(cluster: &Cluster, set: &Ref) -> Vec<Ref> {
    let of_set = cluster.children(set).filter(|c| c.kind() == "AutoscalingListener");
    of_set.map(|l| l.reference.clone()).collect()
}

/// The scale set the annotation names is gone at GitHub; the controller registers a set only when it has no annotation.
fn registration_lost(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (log, hit) in cluster.hits("arc-scale-set-not-found") {
        let Some(set) = subject(cluster, log, hit).filter(|set| !has_another_id(cluster, set, &hit.line.text)) else { continue };
        let evidence = Evidence::hit(log, hit, Strength::Statement, "GitHub does not know this scale set any more");
        let mut finding = Finding::new("arc-scale-set-registration-lost", set.clone(), evidence);
        if let Some(object) = cluster.get(&set) {
            let id = object.at("metadata.annotations").get(REGISTERED);
            let says = "the number the set keeps, and because of which it is not registered anew";
            finding = finding.fact("id", id.text()).evidence(Evidence::value(object, id, REGISTERED, Strength::Statement, says));
        }
        out.push(finding.affects(listeners(cluster, &set)));
    }
}

/// The line speaks of a number that the set had before it was registered anew.
fn has_another_id(cluster: &Cluster, set: &Ref, line: &str) -> bool {
    let said =
        line.split_once("with identifier ").map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(""));
    let known = cluster.get(set).and_then(|object| object.annotation(REGISTERED));
    matches!((said, known), (Some(said), Some(known)) if !said.is_empty() && said != known)
}

/// The chart refuses it, the CRD does not.
fn min_above_max(set: &Resource) -> Option<Finding> {
    let (min, max) = (set.at("spec.minRunners"), set.at("spec.maxRunners"));
    if min.as_i64()? <= max.as_i64()? {
        return None;
    }
    let evidence =
        Evidence::value(set, min, "minRunners", Strength::Proof, "more than maxRunners: the listener refuses its configuration");
    let finding = Finding::new("arc-min-runners-greater-than-max", set.reference.clone(), evidence).evidence(Evidence::value(
        set,
        max,
        "maxRunners",
        Strength::Proof,
        "the most it may have",
    ));
    Some(finding.fact("min", min.text()).fact("max", max.text()))
}
