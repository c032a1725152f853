//! Webhooks that convert custom resources between versions, and fail.

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, EvidenceKind, Finding};

const SIGNAL: &str = "conversion-webhook-failed";

/// Somebody quotes the API server.
struct Quoted {
    text: String,
    evidence: Evidence,
    sufferer: Ref,
}

pub(super) fn webhooks(cluster: &Cluster, out: &mut Vec<Finding>) {
    for quoted in quotes(cluster) {
        let Some(captures) = cluster.captures(SIGNAL, &quoted.text) else { continue };
        let taken = |name: &str| captures.name(name).map_or("", |m| m.as_str());
        let (version, kind) = (taken("version"), taken("kind"));
        let definition = definition(cluster, version, kind);
        let culprit = definition.map_or_else(|| quoted.sufferer.clone(), |d| d.reference.clone());
        let service = definition.map_or(crate::decode::Value::ABSENT, |d| d.at("spec.conversion.webhook.clientConfig.service"));
        out.push(
            Finding::new("crd-conversion-webhook-failed", culprit, quoted.evidence)
                .fact("what", format!("{kind} ({version})"))
                .fact("error", taken("error").trim_end_matches(['"', '}', ' ']))
                .fact("service", service.get("name").text())
                .fact("service_ns", service.get("namespace").text())
                .affects([quoted.sufferer]),
        );
    }
}

/// In logs, in events, and in conditions of objects that wait for the conversion.
fn quotes(cluster: &Cluster) -> Vec<Quoted> {
    const SAYS: &str = "the API server says which conversion fails";
    let in_logs = cluster.hits(SIGNAL).map(|(log, hit)| {
        let told = || Ref::new("Pod", log.source.namespace.as_deref(), log.source.pod.as_deref().unwrap_or("unknown"));
        Quoted {
            text: hit.line.text.clone(),
            evidence: Evidence::hit(log, hit, Strength::Statement, SAYS),
            sufferer: cluster.pod_of(log).map_or_else(told, |pod| pod.reference.clone()),
        }
    });
    let about = |text: &str| text.contains("conversion webhook for ");
    let events = cluster.events().iter().filter(|e| about(&e.message) && cluster.is_current(e));
    let in_events = events.map(|e| Quoted {
        text: e.message.clone(),
        evidence: Evidence::event(e, Strength::Statement, SAYS),
        sufferer: e.regarding.clone(),
    });
    let in_conditions = cluster.resources().flat_map(move |r| {
        let told = r.at("status.conditions").items().map(|c| c.get("message")).filter(move |m| about(m.text()));
        told.map(move |message| Quoted {
            text: message.text().to_owned(),
            evidence: Evidence::value(r, message, "message", Strength::Proof, SAYS).of_kind(EvidenceKind::Condition),
            sufferer: r.reference.clone(),
        })
    });
    in_logs.chain(in_events).chain(in_conditions).collect()
}

/// The definition of a kind that is named by group and version.
fn definition<'a>(cluster: &'a Cluster, version: &str, kind: &str) -> Option<&'a Resource> {
    let (group, _) = version.rsplit_once('/')?;
    let is_it = |d: &&Resource| {
        let named = d.at("spec.names.kind").text();
        d.at("spec.group").text() == group
            && (named == kind || named.is_empty() && d.name().starts_with(&kind.to_ascii_lowercase()))
    };
    cluster.kind("CustomResourceDefinition").find(is_it)
}
