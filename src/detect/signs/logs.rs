//! Signs on log lines.

use rustc_hash::FxHashMap;

use super::field::{Field, Place};
use super::objects::node_of;
use super::{Found, Seen, Sighting, Wanted, wanted};
use crate::catalog::{Catalog, Culprit, Sign, Strength, sign_pattern};
use crate::cluster::Cluster;
use crate::decode::{Hit, Log, Ref, Resource};
use crate::detect::Evidence;
use crate::detect::complaint::RECENT;
use crate::detect::symptom::within;

/// Kinds whose name may stand where a log's pod is asked for.
const WORKLOADS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet"];

pub(super) fn look<'a>(cluster: &'a Cluster, catalog: &'a Catalog, found: &mut Found<'a>) {
    let Some(patterns) = cluster.patterns() else { return };
    let by_pattern: FxHashMap<u32, Wanted<'_>> = wanted(catalog)
        .filter(|w| w.sign.on == "log")
        .filter_map(|w| Some((patterns.index(&sign_pattern(w.cause, w.number))?, w)))
        .collect();
    if by_pattern.is_empty() {
        return;
    }
    for log in cluster.logs() {
        let object = writer(cluster, log);
        for hit in &log.hits {
            let Some(wanted) = by_pattern.get(&hit.pattern) else { continue };
            if is_past(cluster, log, hit, object, wanted.sign) {
                continue;
            }
            if let Some(seen) = see(cluster, log, hit, object, *wanted) {
                found.add(*wanted, seen);
            }
        }
    }
}

/// A complaint that was made once or twice, of a pod that went on from there and works: it has got over it.
fn is_past(cluster: &Cluster, log: &Log, hit: &Hit, object: Option<&Resource>, sign: &Sign) -> bool {
    const SELDOM: u32 = 2;
    matches!(sign.culprit, Culprit::TopOwner | Culprit::Itself)
        && hit.line.line < log.n_lines
        && !says_goodbye(log)
        && log.count(hit.pattern) <= SELDOM
        && object.is_some_and(|o| cluster.is_settled(o))
}

/// The log's last line announces the end of the program: it did not go on.
fn says_goodbye(log: &Log) -> bool {
    let last = log.tail.iter().rev().find(|line| !line.text.trim().is_empty());
    last.is_some_and(|line| {
        ["Exiting", "exiting", "Shutting down", "shutting down", "Terminating"].iter().any(|w| line.text.contains(w))
    })
}

/// The pod that wrote a log, or the workload when the log is named after it.
fn writer<'a>(cluster: &'a Cluster, log: &Log) -> Option<&'a Resource> {
    cluster.pod_of(log).or_else(|| {
        let (namespace, name) = (log.source.namespace.as_deref(), log.source.pod.as_deref()?);
        WORKLOADS.iter().find_map(|kind| cluster.find(kind, namespace, name))
    })
}

fn see<'a>(cluster: &Cluster, log: &'a Log, hit: &'a Hit, object: Option<&'a Resource>, wanted: Wanted<'a>) -> Option<Seen<'a>> {
    let sighting = Sighting::of(wanted.sign, "line", |path| places(log, hit, path))?;
    let blames_another = matches!(wanted.sign.culprit, Culprit::Object(_));
    let about = cluster.mentioned(&hit.line.text, &[]).filter(|_| blames_another);
    let node = log.source.node.as_deref().filter(|_| wanted.sign.culprit == Culprit::Node);
    let subject = match (object, &log.source.pod) {
        _ if about.is_some() => about?,
        (Some(object), _) => object.reference.clone(),
        (None, Some(pod)) => Ref::new("Pod", log.source.namespace.as_deref(), pod),
        (None, None) if node.is_some() => Ref::new("Node", None, node?),
        // Nobody is known to have written it: only a sign that names its culprit itself can use the line.
        (None, None) if matches!(wanted.sign.culprit, Culprit::Object(_)) => Ref::new("File", None, log.path.as_ref()),
        (None, None) => return None,
    };
    // What a pod complains about that works by now is no longer so, or does not matter. A controller works on while it says
    // what is wrong with another object.
    let is_settled = object.is_some_and(|o| cluster.is_settled(o));
    if is_settled && wanted.denies_start() {
        return None;
    }
    let goes_on = blames_another && within(cluster, hit.line.at.or(log.last), RECENT);
    let at_most = if is_settled && !goes_on { Strength::Hint } else { Strength::Proof };
    Some(Seen {
        subject,
        object,
        container: log.source.container.as_deref().unwrap_or(""),
        node: object.map_or(node.unwrap_or(""), node_of),
        sighting,
        evidence: Evidence::log(log, &hit.line, wanted.sign.strength, ""),
        at_most,
    })
}

/// Fields of a log line, as signs name them.
fn places<'a>(log: &'a Log, hit: &'a Hit, path: &str) -> Vec<Place<'a>> {
    let text = |t: &'a Option<String>| Field::Text(t.as_deref().unwrap_or(""));
    let field = match path {
        "line" => Field::Text(&hit.line.text),
        "container" => text(&log.source.container),
        "pod" => text(&log.source.pod),
        "namespace" => text(&log.source.namespace),
        "path" => Field::Text(&log.path),
        _ => return Vec::new(),
    };
    vec![Place { field, item: None }]
}
