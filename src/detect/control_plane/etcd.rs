//! etcd, by what it says of itself and what its clients quote of it.

use jiff::SignedDuration;

use crate::catalog::Strength;
use crate::cluster::{Cluster, component};
use crate::decode::{Ref, Resource};
use crate::detect::node::unit::line_evidence;
use crate::detect::symptom::within;
use crate::detect::{Evidence, Finding};

/// Signal and cause.
const SIGNALS: [(&str, &str); 4] = [
    ("etcd-disk-slow", "etcd-slow-disk"),
    ("etcd-space-exceeded", "etcd-db-space-exceeded"),
    ("etcd-peers-lost", "etcd-quorum-lost"),
    ("etcd-data-damaged", "etcd-corrupt"),
];

/// What was said longer ago is history.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// Fewer slow writes than this come with any restart or backup.
const OFTEN: usize = 3;

/// Something that was said about etcd.
struct Word {
    evidence: Evidence,
    line: String,
    /// The pod or node that said it.
    speaker: Option<Ref>,
    /// etcd itself said it.
    own: bool,
    times: usize,
}

pub(super) fn etcd(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (signal, cause) in SIGNALS {
        let words = words(cluster, signal);
        let Some(strength) = strength(cluster, cause, &words) else { continue };
        let Some(first) = words.iter().find(|w| w.own).or_else(|| words.first()) else { continue };
        let Some(culprit) = culprit(cluster, first) else { continue };
        let evidence = Evidence { strength, ..first.evidence.clone() };
        let mut finding = Finding::new(cause, culprit, evidence)
            .fact("line", first.line.as_str())
            .affects(words.iter().filter_map(|w| w.speaker.clone()))
            .affects(leaderless(cluster));
        for word in words.iter().filter(|w| w.evidence.location != first.evidence.location).take(4) {
            finding = finding.evidence(word.evidence.clone());
        }
        out.push(finding);
    }
}

/// How sure the words are; `None` where they are ordinary or over.
fn strength(cluster: &Cluster, cause: &str, words: &[Word]) -> Option<Strength> {
    if words.is_empty() {
        return None;
    }
    let members: Vec<&Resource> = component(cluster, "etcd").collect();
    let all_well = !members.is_empty() && members.iter().all(|p| cluster.is_settled(p));
    match cause {
        "etcd-slow-disk" => {
            let often = words.iter().filter(|w| w.own).map(|w| w.times).sum::<usize>() >= OFTEN;
            Some(if often && !leaderless(cluster).is_empty() { Strength::Statement } else { Strength::Hint })
        }
        "etcd-quorum-lost" | "etcd-corrupt" if all_well => None,
        "etcd-quorum-lost" => Some(Strength::Statement),
        _ => Some(Strength::Proof),
    }
}

fn words(cluster: &Cluster, signal: &str) -> Vec<Word> {
    const SAYS: &str = "what is said of etcd";
    let mut found: Vec<Word> = Vec::new();
    let line_of = |text: &str| {
        let captures = cluster.captures(signal, text)?;
        let line = captures.name("line").or_else(|| captures.get(0))?.as_str();
        Some(line.trim_end_matches(['"', '}', ' ']).to_owned())
    };
    for (log, hit) in cluster.hits(signal).filter(|(_, hit)| within(cluster, hit.line.at, RECENT)) {
        let Some(line) = line_of(&hit.line.text) else { continue };
        let pod = log.source.pod.as_deref().unwrap_or("");
        let own = pod == "etcd" || pod.starts_with("etcd-") || log.source.container.as_deref() == Some("etcd");
        let told = || Ref::new("Pod", log.source.namespace.as_deref(), pod);
        let speaker = match (cluster.pod_of(log), &log.source.node) {
            (Some(pod), _) => Some(pod.reference.clone()),
            (None, _) if !pod.is_empty() => Some(told()),
            (None, node) => node.as_ref().map(|n| Ref::new("Node", None, n)),
        };
        let own = own || log.source.unit.as_deref() == Some("etcd");
        match found.iter_mut().find(|w| w.evidence.location.path == log.path) {
            Some(known) => {
                known.times += 1;
                known.evidence = Evidence::hit(log, hit, Strength::Statement, SAYS);
                known.line = line;
            }
            None => {
                let evidence = Evidence::hit(log, hit, Strength::Statement, SAYS);
                found.push(Word { evidence, line, speaker, own, times: 1 });
            }
        }
    }
    for service in cluster.node_services.iter().filter(|s| s.unit != "etcd") {
        let last = service.lines.iter().rev().find_map(|l| Some((l, line_of(&l.text)?)));
        let Some((line, text)) = last.filter(|(l, _)| within(cluster, l.at, RECENT)) else { continue };
        if found.iter().any(|w| w.evidence.location.path == service.location.path) {
            continue;
        }
        let evidence = line_evidence(service, line, Strength::Statement, SAYS);
        let speaker = service.node.as_ref().map(|n| Ref::new("Node", None, n));
        // k3s and RKE2 servers run etcd within.
        let own = matches!(service.unit.as_str(), "k3s" | "rke2-server");
        found.push(Word { evidence, line: text, speaker, own, times: 1 });
    }
    for event in cluster.events().iter().filter(|e| e.message.contains("etcdserver") && within(cluster, e.last, RECENT)) {
        let Some(line) = line_of(&event.message) else { continue };
        let evidence = Evidence::event(event, Strength::Statement, "a request was refused by etcd");
        found.push(Word { evidence, line, speaker: Some(event.regarding.clone()), own: false, times: event.count as usize });
    }
    found
}

/// The member: the one that says so, else one that is not well, else the node etcd must be on.
fn culprit(cluster: &Cluster, word: &Word) -> Option<Ref> {
    let own = word.speaker.clone().filter(|_| word.own);
    let ill = || component(cluster, "etcd").find(|p| !cluster.is_settled(p)).map(|p| p.reference.clone());
    let any = || component(cluster, "etcd").next().map(|p| p.reference.clone());
    let node = || {
        let of_role = |n: &&Resource| ["control-plane", "master", "etcd"].iter().any(|r| has_role(n, r));
        cluster.kind("Node").find(of_role).map(|n| n.reference.clone())
    };
    own.or_else(ill).or_else(any).or_else(node).or_else(|| word.speaker.clone())
}

fn has_role(node: &Resource, role: &str) -> bool {
    node.at("metadata.labels").get(&format!("node-role.kubernetes.io/{role}")).tag().is_some()
}

/// Pods that lost their leader's Lease lately.
fn leaderless(cluster: &Cluster) -> Vec<Ref> {
    let lost = cluster.hits("lease-lost").filter(|(_, hit)| within(cluster, hit.line.at, RECENT));
    lost.filter_map(|(log, _)| cluster.pod_of(log)).map(|pod| pod.reference.clone()).collect()
}
