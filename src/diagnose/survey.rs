//! What happened when, what the bundle holds, and what it does not show.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{BlindSpot, Judged, LogPattern, Moment, Stock};
use crate::cluster::Cluster;
use crate::decode::Ref;
use crate::detect::Symptom;
use crate::location::Location;

/// Moments that concern the incident, oldest first.
pub(super) fn timeline(cluster: &Cluster, findings: &[Judged], symptoms: &[(Symptom, Vec<usize>)]) -> Vec<Moment> {
    const MOST: usize = 200;
    let mut objects: BTreeMap<Ref, Option<usize>> = BTreeMap::new();
    for (i, finding) in findings.iter().enumerate().take(8) {
        for object in std::iter::once(&finding.culprit)
            .chain(finding.affected.iter().take(40))
            .chain(finding.chain.iter().map(|l| &l.resource))
        {
            objects.entry(object.clone()).or_insert(Some(i));
        }
    }
    for (symptom, _) in symptoms.iter().take(40) {
        objects.entry(symptom.resource.clone()).or_insert(None);
    }
    let mut moments = Vec::new();
    for (object, finding) in &objects {
        if let Some(resource) = cluster.get(object) {
            let created = resource.at("metadata.creationTimestamp");
            if let (Ok(at), Some(source)) = (created.text().parse(), created.location()) {
                moments.push(Moment {
                    at,
                    resource: Some(object.clone()),
                    what: "created".to_owned(),
                    source,
                    finding: *finding,
                });
            }
            for condition in resource.at("status.conditions").items() {
                let changed = condition.get("lastTransitionTime");
                if let (Ok(at), Some(source)) = (changed.text().parse(), condition.location()) {
                    let (kind, status) = (condition.get("type").text(), condition.get("status").text());
                    let what = match condition.get("reason").text() {
                        "" => format!("{kind} became {status}"),
                        reason => format!("{kind} became {status} ({reason})"),
                    };
                    moments.push(Moment { at, resource: Some(object.clone()), what, source, finding: *finding });
                }
            }
        }
        for event in cluster.events_of(object).filter(|e| e.warning) {
            let Some(at) = event.first.or(event.last) else { continue };
            let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
            let what = format!("{}: {}{times}", event.reason, event.message);
            moments.push(Moment { at, resource: Some(object.clone()), what, source: event.location.clone(), finding: *finding });
        }
    }
    moments.sort_by(|a, b| (a.at, &a.resource, &a.what).cmp(&(b.at, &b.resource, &b.what)));
    moments.dedup_by(|a, b| a.at == b.at && a.resource == b.resource && a.what == b.what);
    let surplus = moments.len().saturating_sub(MOST);
    moments.drain(..surplus);
    moments
}

/// Lines of warnings and errors that differ in their variable parts only, over all logs: the worst and most frequent first.
pub(super) fn log_patterns(cluster: &Cluster) -> Vec<LogPattern> {
    const MOST: usize = 50;
    const PLACES: usize = 3;
    // What began in the last part of the bundle's time is new.
    const NEW: SignedDuration = SignedDuration::from_mins(15);
    let mut by_text: BTreeMap<&str, LogPattern> = BTreeMap::new();
    for log in cluster.logs().iter().filter(|l| !l.source.previous) {
        for template in &log.templates {
            let pattern = by_text.entry(&template.text).or_insert_with(|| LogPattern {
                template: template.text.clone(),
                count: 0,
                level: Some(template.level),
                first: None,
                last: None,
                sources: Vec::new(),
                novel: false,
            });
            pattern.count += u64::from(template.count);
            pattern.level = pattern.level.max(Some(template.level));
            pattern.first = [pattern.first, template.first].into_iter().flatten().min();
            pattern.last = pattern.last.max(template.last);
            if pattern.sources.len() < PLACES {
                pattern.sources.push(Location::line(&log.path, template.line));
            }
        }
    }
    let mut all: Vec<LogPattern> = by_text.into_values().collect();
    let began = cluster.logs().iter().filter_map(|l| l.first).min();
    for pattern in &mut all {
        let since = cluster.now.zip(pattern.first).map(|(now, first)| now.duration_since(first));
        let covered = cluster.now.zip(began).map(|(now, began)| now.duration_since(began));
        pattern.novel = since.is_some_and(|s| s <= NEW) && covered.is_some_and(|c| c > NEW * 2);
    }
    all.sort_by(|a, b| (b.level, b.count).cmp(&(a.level, a.count)).then_with(|| a.template.cmp(&b.template)));
    all.truncate(MOST);
    all
}

/// Objects by kind and namespace.
pub(super) fn inventory(cluster: &Cluster, symptoms: &[(Symptom, Vec<usize>)]) -> Vec<Stock> {
    let hurt: BTreeSet<&Ref> = symptoms.iter().map(|(s, _)| &s.resource).collect();
    let mut stock: BTreeMap<(&str, Option<&str>), (usize, usize)> = BTreeMap::new();
    for resource in cluster.resources() {
        let entry = stock.entry((resource.kind(), resource.namespace())).or_default();
        entry.0 += 1;
        entry.1 += usize::from(hurt.contains(&resource.reference));
    }
    stock
        .into_iter()
        .map(|((kind, ns), (count, unhealthy))| Stock {
            kind: kind.to_owned(),
            namespace: ns.map(str::to_owned),
            count,
            unhealthy,
        })
        .collect()
}

/// What is missing that could have decided more.
pub(super) fn blind_spots(cluster: &Cluster, symptoms: &[(Symptom, Vec<usize>)]) -> Vec<BlindSpot> {
    let mut spots = Vec::new();
    let mut spot = |what: String, why: &str, collect: String| {
        spots.push(BlindSpot { what, why_it_matters: why.to_owned(), collect });
    };
    if cluster.events().is_empty() {
        spot(
            "no events".to_owned(),
            "Events say what the scheduler, the kubelet and the controllers tried and why it failed; they live for an hour.",
            "kubectl get events -A -o yaml".to_owned(),
        );
    }
    let pods_hurt: Vec<&Ref> = symptoms.iter().map(|(s, _)| &s.resource).filter(|r| r.kind == "Pod").collect();
    if cluster.kind("Pod").next().is_none() {
        spot("no pods".to_owned(), "Their status says what runs and what does not.", "kubectl get pods -A -o yaml".to_owned());
    }
    for pod in pods_hurt.iter().filter(|p| started(cluster, p)).take(5) {
        let ns = pod.namespace.as_deref().unwrap_or("default");
        let logs: Vec<_> = cluster.logs_of(pod).collect();
        if logs.is_empty() {
            spot(
                format!("no log of {pod}"),
                "Its last lines usually say why the process ended or is not ready.",
                format!("kubectl logs -n {ns} {} --all-containers", pod.name),
            );
        } else if restarted(cluster, pod) && !logs.iter().any(|l| l.source.previous) {
            spot(
                format!("no previous log of {pod}"),
                "The container was restarted: the reason stands at the end of the log of the run before.",
                format!("kubectl logs -n {ns} {} --all-containers --previous", pod.name),
            );
        }
    }
    let pending = symptoms.iter().any(|(s, _)| s.resource.kind == "Pod" && s.what.contains("Unschedulable"));
    if pending && cluster.kind("Node").next().is_none() {
        spot(
            "no nodes".to_owned(),
            "Whether a pod would fit a node without one of its constraints can only be computed from the nodes.",
            "kubectl get nodes -o yaml".to_owned(),
        );
    }
    spots.extend(refusals(cluster));
    spots
}

/// What the collector was refused. That is not the same as there being none.
fn refusals(cluster: &Cluster) -> Vec<BlindSpot> {
    const MOST: usize = 5;
    const WORDS: &[&str] = &[
        "is forbidden: User",
        "Error from server (Forbidden)",
        "(Unauthorized)",
        "Unable to connect to the server",
        "The connection to the server",
        "unable to retrieve the complete list of server APIs",
        "the server is currently unable to handle the request",
    ];
    const LENGTH: usize = 200;
    let lines = cluster.notes.iter().flat_map(|note| note.text.lines()).map(str::trim);
    let said: BTreeSet<&str> = lines.filter(|line| WORDS.iter().any(|words| line.contains(words))).collect();
    let spot = |line: &str| {
        let resource =
            line.split_once("cannot list resource \"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
        BlindSpot {
            what: format!("not collected: {}", &line[..line.floor_char_boundary(LENGTH)]),
            why_it_matters: "The request failed, so what it asked for is unknown; that is not the same as there being none."
                .to_owned(),
            collect: match resource {
                Some(name) => format!("kubectl get {name} -A -o yaml"),
                None => "kubectl auth can-i --list".to_owned(),
            },
        }
    };
    said.into_iter().take(MOST).map(spot).collect()
}

fn started(cluster: &Cluster, pod: &Ref) -> bool {
    cluster.get(pod).is_some_and(|p| {
        p.at("status.containerStatuses").items().any(|c| {
            c.path("state.running").exists() || c.path("lastState.terminated").exists() || c.path("state.terminated").exists()
        })
    })
}

fn restarted(cluster: &Cluster, pod: &Ref) -> bool {
    cluster
        .get(pod)
        .is_some_and(|p| p.at("status.containerStatuses").items().any(|c| c.get("restartCount").as_i64().unwrap_or(0) > 0))
}
