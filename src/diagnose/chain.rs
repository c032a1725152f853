//! From the culprit to the symptom, step by step.

use super::explain::Case;
use crate::cluster::{Cluster, Relation};
use crate::decode::Ref;
use crate::detect::{Link, Symptom};

/// The way from the cause to the heaviest symptom it explains. A detector's own chain comes first; relations continue it.
pub(super) fn chain(cluster: &Cluster, case: &Case<'_>, title: &str, symptoms: &[Symptom]) -> Vec<Link> {
    let finding = case.finding;
    let mut links = finding.chain.clone();
    if links.is_empty() {
        links.push(Link { resource: finding.culprit.clone(), what: title.to_owned(), evidence: vec![0] });
    }
    let told: Vec<Ref> = links.iter().map(|l| l.resource.clone()).collect();
    let heaviest = case.symptoms.iter().map(|i| &symptoms[*i]).max_by(|a, b| a.weight.total_cmp(&b.weight));
    let Some(heaviest) = heaviest else { return links };
    let said = |object: &Ref| case.symptoms.iter().map(|i| &symptoms[*i]).find(|s| s.resource == *object).map(|s| s.what.clone());
    for (object, relation) in case.reach.way(&heaviest.resource).unwrap_or_default() {
        if told.contains(object) {
            continue;
        }
        let what = said(object).unwrap_or_else(|| suffers(cluster, object, relation));
        links.push(Link { resource: object.clone(), what, evidence: Vec::new() });
    }
    if !links.iter().any(|l| l.resource == heaviest.resource) {
        links.push(Link { resource: heaviest.resource.clone(), what: heaviest.what.clone(), evidence: Vec::new() });
    }
    links
}

fn suffers(cluster: &Cluster, object: &Ref, relation: Option<Relation>) -> String {
    let there = if cluster.get(object).is_some() { "" } else { " (not in the bundle)" };
    let what = match relation {
        None => "where it starts",
        Some(Relation::Owns) => "made from the template above",
        Some(Relation::PartOf) => "counts on the object above",
        Some(Relation::Runs) => "runs on this node",
        Some(Relation::Needed) => "needs the object above",
        Some(Relation::Backs) => "routes to the object above",
        Some(Relation::Called) => "calls the service above",
        Some(Relation::Governs) => "is governed by the object above",
    };
    format!("{what}{there}")
}
