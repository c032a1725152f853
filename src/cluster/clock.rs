//! The bundle's "now", and ages told relative to it.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Cluster;
use crate::decode::{Document, Event, Origin, Ref, Resource, Value};
use crate::time;

impl Cluster {
    /// Turns the ages that are left into stamps.
    pub(super) fn settle_ages(&mut self) {
        let Some(now) = self.now else { return };
        for event in &mut self.events {
            settle_event(event, now);
        }
        for resource in self.resources.iter_mut().filter(|r| tells_ages(r)) {
            let tape = resource.tape.with_strings(&|text| settled(text, now));
            *resource = Arc::new(Resource { reference: resource.reference.clone(), origin: resource.origin, tape });
        }
    }

    /// The newest stamp in the bundle. Objects and events tell their zone; a log may not, and one that runs ahead of them was
    /// written in local time.
    pub(super) fn newest_stamp(&self, told: Told) -> Option<Timestamp> {
        let logs = self.logs.iter().filter_map(|l| l.last).filter(|at| !time::is_yearless(*at));
        logs.filter(|at| !told.is_local(*at)).chain(told.newest()).max()
    }

    /// The newest stamps of objects and events. `counted` is the latest moment that ages give. To be asked before stamps
    /// without a year are dated: an event that a log tells has the log's local time.
    pub(super) fn told_stamps(&self, counted: Option<Timestamp>) -> Told {
        let renewed = self.kind("Lease").filter_map(|l| stamp(l.at("spec.renewTime")));
        let posted = self.kind("Node").filter_map(|n| stamp(n.condition("Ready").get("lastHeartbeatTime")));
        let events = self.events.iter().filter_map(|e| e.last.or(e.first)).filter(|at| !time::is_yearless(*at));
        let pods = self.kind("Pod").flat_map(pod_stamps);
        Told {
            beat: renewed.chain(posted).max(),
            said: events.chain(counted).max(),
            state: pods.chain(self.resources().flat_map(changes)).max(),
        }
    }
}

/// The newest stamps of objects and events, by how closely they follow the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// A Lease was renewed, a node posted its status: this goes on every few minutes at most.
    beat: Option<Timestamp>,
    /// Something was said, or an age was told: events are kept for an hour, and ages are told when they are collected.
    said: Option<Timestamp>,
    /// Something began or changed, perhaps long ago.
    state: Option<Timestamp>,
}

impl Told {
    pub(super) fn newest(self) -> Option<Timestamp> {
        self.beat.max(self.said).max(self.state)
    }

    /// Is it near the moment of the collection?
    pub(super) fn is_close(self) -> bool {
        self.beat.is_some() || self.said.is_some()
    }

    /// Is `at` a local time read without its zone? It is ahead of what would have gone on until then, or by whole hours.
    fn is_local(self, at: Timestamp) -> bool {
        const MOST: i64 = 14 * 3600 + 15 * 60;
        const SLACK: i64 = 3 * 60;
        let ahead_of = |stamp: Option<Timestamp>, slack: i64| {
            stamp.is_some_and(|stamp| (slack..=MOST).contains(&at.duration_since(stamp).as_secs()))
        };
        let by_hours = self.newest().is_some_and(|newest| {
            let ahead = at.duration_since(newest).as_secs();
            let hours = (ahead + SLACK).div_euclid(3600);
            (1..=14).contains(&hours) && (ahead - hours * 3600).abs() <= SLACK
        });
        let quiet = if self.beat.is_some() { 10 * 60 } else { 65 * 60 };
        by_hours || self.is_close() && ahead_of(self.newest(), quiet)
    }
}

/// When an object was made and when its conditions changed.
fn changes(object: &Resource) -> impl Iterator<Item = Timestamp> {
    const FIELDS: [&str; 2] = ["lastTransitionTime", "lastUpdateTime"];
    let conditions = object.at("status.conditions").items().flat_map(|c| FIELDS.map(|field| c.get(field)));
    conditions.chain([object.at("metadata.creationTimestamp")]).filter_map(stamp)
}

fn stamp(value: Value<'_>) -> Option<Timestamp> {
    value.text().parse().ok()
}

fn pod_stamps(pod: &Resource) -> impl Iterator<Item = Timestamp> {
    const PATHS: [&str; 3] = ["state.running.startedAt", "state.terminated.finishedAt", "lastState.terminated.finishedAt"];
    let status = pod.at("status");
    let containers = status.get("containerStatuses").items().chain(status.get("initContainerStatuses").items());
    let states = containers.flat_map(|c| PATHS.map(|path| c.path(path)));
    states.chain([status.get("startTime")]).filter_map(|stamp| stamp.text().parse().ok())
}

/// Files tell ages relative to the moment they were made. Where a file tells an age of something whose beginning another
/// reading states, that moment is known: its ages become stamps, and the latest such moment is given.
pub(super) fn settle_by_file(documents: &mut [Document]) -> Option<Timestamp> {
    let moments = moments(documents);
    for document in documents {
        match document {
            Document::Event(event) => {
                if let Some(moment) = moments.get(&event.location.path) {
                    settle_event(event, *moment);
                }
            }
            Document::Resource(resource) => {
                if let Some(moment) = moments.get(resource.file()).filter(|_| tells_ages(resource)) {
                    resource.tape = resource.tape.with_strings(&|text| settled(text, *moment));
                }
            }
            _ => {}
        }
    }
    moments.into_values().max()
}

/// When files were made. Ages are cut, never rounded up: a beginning and the age of it give a moment at or before that one,
/// and the youngest thing tells it best.
fn moments(documents: &[Document]) -> FxHashMap<Arc<str>, Timestamp> {
    let mut begun: FxHashMap<&Ref, Timestamp> = FxHashMap::default();
    let mut started: FxHashMap<&Ref, Timestamp> = FxHashMap::default();
    for document in documents {
        let Document::Resource(r) = document else { continue };
        if let Ok(stamp) = r.at("metadata.creationTimestamp").text().parse() {
            begun.insert(&r.reference, stamp);
        }
        if let Ok(stamp) = r.at("status.startTime").text().parse() {
            started.insert(&r.reference, stamp);
        }
    }
    let mut youngest: FxHashMap<Arc<str>, (SignedDuration, Timestamp)> = FxHashMap::default();
    let mut tell = |path: &Arc<str>, age: SignedDuration, since: Timestamp| {
        let Ok(moment) = since.checked_add(age) else { return };
        let known = youngest.entry(Arc::clone(path)).or_insert((age, moment));
        if (age, known.1) < (known.0, moment) {
            *known = (age, moment);
        }
    };
    for document in documents {
        match document {
            Document::Resource(r) => {
                if let (Some(age), Some(since)) = (age(r.at("metadata.creationTimestamp").text()), begun.get(&r.reference)) {
                    tell(r.file(), age, *since);
                }
            }
            // A pod starts when it was scheduled.
            Document::Event(e) if e.reason == "Scheduled" => {
                if let (Some(age), Some(since)) = (e.last_age, started.get(&e.regarding)) {
                    tell(&e.location.path, age, *since);
                }
            }
            _ => {}
        }
    }
    let mut moments: FxHashMap<_, _> = youngest.into_iter().map(|(path, (_, moment))| (path, moment)).collect();
    for (path, earliest) in earliest_moments(documents, &started) {
        moments.entry(path).or_insert(earliest);
    }
    moments
}

/// The earliest moments that files can have been made, by the events in the descriptions of pods: the kubelet says nothing
/// of a pod before it starts, and a description shows no events of its namesakes.
fn earliest_moments(documents: &[Document], started: &FxHashMap<&Ref, Timestamp>) -> FxHashMap<Arc<str>, Timestamp> {
    let described = documents.iter().filter_map(|d| match d {
        Document::Resource(r) if r.origin == Origin::Describe => Some((r.file(), &r.reference)),
        _ => None,
    });
    let described: FxHashSet<(&Arc<str>, &Ref)> = described.collect();
    let mut earliest: FxHashMap<Arc<str>, Timestamp> = FxHashMap::default();
    for document in documents {
        let Document::Event(e) = document else { continue };
        if !e.source.starts_with("kubelet") || !described.contains(&(&e.location.path, &e.regarding)) {
            continue;
        }
        let moment = started.get(&e.regarding).zip(e.first_age.or(e.last_age)).and_then(|(at, age)| at.checked_add(age).ok());
        if let Some(moment) = moment {
            let known = earliest.entry(Arc::clone(&e.location.path)).or_insert(moment);
            *known = moment.max(*known);
        }
    }
    earliest
}

fn tells_ages(resource: &Resource) -> bool {
    resource.tape.contains_text(" ago")
}

/// When an object began, in seconds: comparable among stamps, and among ages that have no stamp yet.
pub(super) fn birth(resource: &Resource) -> i64 {
    let created = resource.at("metadata.creationTimestamp").text();
    match (created.parse::<Timestamp>(), age(created)) {
        (Ok(stamp), _) => stamp.as_second(),
        (_, Some(age)) => i64::MAX - age.as_secs(),
        _ => i64::MIN,
    }
}

fn settle_event(event: &mut Event, now: Timestamp) {
    event.first = event.first.or_else(|| time::ago(now, event.first_age?));
    event.last = event.last.or_else(|| time::ago(now, event.last_age?));
}

/// The age in `73s ago`.
fn age(text: &str) -> Option<SignedDuration> {
    text.strip_suffix(" ago").filter(|age| !age.contains(' ')).and_then(time::age)
}

fn settled(text: &str, now: Timestamp) -> Cow<'_, str> {
    match age(text).and_then(|age| time::ago(now, age)) {
        Some(stamp) => Cow::Owned(stamp.to_string()),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::event;
    use crate::decode::{Patterns, Tape};

    fn document(object: &serde_json::Value, origin: Origin) -> Document {
        Document::Resource(Resource::from_tape(Tape::from_json(&Arc::from("f"), object, 1), origin).unwrap())
    }

    fn cluster(documents: Vec<Document>) -> Cluster {
        Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).unwrap()))
    }

    #[test]
    fn ages_become_stamps_by_what_is_known_of_both() {
        let described = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "ns", "creationTimestamp": "2026-03-01T10:00:00Z"}});
        let listed = |name: &str, age: &str| json!({"kind": "Deployment", "metadata": {"name": name, "namespace": "ns", "creationTimestamp": format!("{age} ago")}});
        let mut said = event("Deployment", Some("ns"), "web", "ScalingReplicaSet", "m");
        said.set_age("60s (x3 over 4m)");
        let cluster = cluster(vec![
            document(&described, Origin::Describe),
            document(&listed("web", "5m"), Origin::Table),
            document(&listed("db", "2m"), Origin::Table),
            Document::Event(said),
        ]);
        assert_eq!(cluster.now, Some("2026-03-01T10:05:00Z".parse().unwrap()));
        let created = |name| cluster.find("Deployment", Some("ns"), name).unwrap().at("metadata.creationTimestamp").text();
        assert_eq!((created("web"), created("db")), ("2026-03-01T10:00:00Z", "2026-03-01T10:03:00Z"));
        let said = &cluster.events()[0];
        assert_eq!(said.first, Some("2026-03-01T10:01:00Z".parse().unwrap()));
        assert_eq!((said.last, said.count), (Some("2026-03-01T10:04:00Z".parse().unwrap()), 3));
    }

    #[test]
    fn a_pod_tells_the_time_by_its_start() {
        let pod =
            json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "ns"}, "status": {"startTime": "2026-03-01T10:00:00Z"}});
        let mut scheduled = event("Pod", Some("ns"), "a", "Scheduled", "m");
        scheduled.set_age("12m");
        let cluster = cluster(vec![document(&pod, Origin::Describe), Document::Event(scheduled)]);
        assert_eq!(cluster.now, Some("2026-03-01T10:12:00Z".parse().unwrap()));
    }

    #[test]
    fn a_local_time_does_not_move_the_clock() {
        let now = |beat: Option<&str>, log: &str| {
            let mut documents = Vec::new();
            let pod = json!({"kind": "Pod", "metadata": {"name": "a"}, "status": {"startTime": "2026-03-01T07:00:00Z"}});
            documents.push(document(&pod, Origin::Live));
            if let Some(beat) = beat {
                let lease = json!({"kind": "Lease", "metadata": {"name": "n1", "namespace": "kube-node-lease"}, "spec": {"renewTime": beat}});
                documents.push(document(&lease, Origin::Live));
            }
            let patterns = Patterns::new(Vec::new()).unwrap();
            let log = format!("{log} INFO up\n");
            let source = crate::decode::LogSource::default();
            documents.push(Document::Log(crate::decode::log::scan(&Arc::from("a.log"), source, 1, log.as_bytes(), &patterns)));
            cluster(documents).now.unwrap().to_string()
        };
        assert_eq!(now(Some("2026-03-01T10:00:00Z"), "2026-03-01 12:07:00"), "2026-03-01T10:00:00Z");
        assert_eq!(now(Some("2026-03-01T10:00:00Z"), "2026-03-01 10:07:00"), "2026-03-01T10:07:00Z");
        assert_eq!(now(None, "2026-03-01 12:07:00"), "2026-03-01T12:07:00Z");
        assert_eq!(now(None, "2026-03-01 12:01:00"), "2026-03-01T07:00:00Z");
    }

    #[test]
    fn an_event_that_a_log_tells_has_the_logs_local_time() {
        let mut documents = vec![document(
            &json!({"kind": "Lease", "metadata": {"name": "n1", "namespace": "kube-node-lease"}, "spec": {"renewTime": "2026-03-01T10:00:00Z"}}),
            Origin::Live,
        )];
        let mut said = event("Pod", Some("ns"), "a", "Failed", "m");
        said.last = time::parse("Mar  1 18:03:00");
        documents.push(Document::Event(said));
        assert_eq!(cluster(documents).now, Some("2026-03-01T10:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_described_pod_is_older_than_what_the_kubelet_said_of_it() {
        let pod =
            json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "ns"}, "status": {"startTime": "2026-03-01T10:00:00Z"}});
        let said = |path: &str, source: &str, age: &str| {
            let mut said = event("Pod", Some("ns"), "a", "Unhealthy", age);
            said.location.path = Arc::from(path);
            source.clone_into(&mut said.source);
            said.set_age(age);
            Document::Event(said)
        };
        let now = |said: Document| cluster(vec![document(&pod, Origin::Describe), said]).now.unwrap().to_string();
        assert_eq!(now(said("f", "kubelet", "8s (x1201 over 3h20m)")), "2026-03-01T13:20:00Z");
        // It may have waited to be scheduled, and a table shows the events of former pods of that name.
        assert_eq!(now(said("f", "default-scheduler", "3h")), "2026-03-01T10:00:00Z");
        assert_eq!(now(said("events.txt", "kubelet", "3h")), "2026-03-01T10:00:00Z");
    }

    #[test]
    fn without_any_stamp_ages_stay() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "ns", "creationTimestamp": "5m ago"}});
        let cluster = cluster(vec![document(&pod, Origin::Table)]);
        assert_eq!(cluster.now, None);
        assert_eq!(cluster.find("Pod", Some("ns"), "a").unwrap().at("metadata.creationTimestamp").text(), "5m ago");
    }

    #[test]
    fn every_file_has_its_own_moment() {
        let started = |name: &str, at: &str| {
            let pod = json!({"kind": "Pod", "metadata": {"name": name, "namespace": "ns"}, "status": {"startTime": at}});
            document(&pod, Origin::Describe)
        };
        let said = |path: &str, pod: &str, reason: &str, age: &str| {
            let mut said = event("Pod", Some("ns"), pod, reason, age);
            said.location.path = Arc::from(path);
            said.set_age(age);
            Document::Event(said)
        };
        let cluster = cluster(vec![
            started("old", "2026-03-01T07:00:00Z"),
            started("young", "2026-03-01T10:00:00Z"),
            // Ages of hours are cut to minutes: the young pod tells better.
            said("early.txt", "old", "Scheduled", "3h1m"),
            said("early.txt", "young", "Scheduled", "2m10s"),
            said("early.txt", "young", "Started", "10s"),
            said("late.txt", "young", "Scheduled", "5m"),
            said("late.txt", "young", "BackOff", "60s"),
        ]);
        assert_eq!(cluster.now, Some("2026-03-01T10:05:00Z".parse().unwrap()));
        let last = |reason: &str| cluster.events().iter().find(|e| e.reason == reason).and_then(|e| e.last).unwrap().to_string();
        assert_eq!((last("Started"), last("BackOff")), ("2026-03-01T10:02:00Z".to_owned(), "2026-03-01T10:04:00Z".to_owned()));
    }
}
