//! Lines of logs that complain of something: whose they are, and whether they still matter.

use jiff::SignedDuration;

use super::symptom::{pod_trouble, was_an_incident, within};
use super::template::Template;
use super::{Evidence, Finding, facts};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Hit, Log, Ref, Resource};

/// A complaint older than this is history.
pub(super) const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// The newest line of a log that matches a signal.
#[derive(Clone, Copy)]
pub(super) struct Complaint<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) log: &'a Log,
    pub(super) hit: &'a Hit,
    pub(super) pod: &'a Resource,
    /// The newest line of its kind in this log; there are this many.
    pub(super) count: u32,
}

impl<'a> Complaint<'a> {
    /// The newest line of each log that matches `signal` and is not history, or tells of what was an incident.
    pub(super) fn all(cluster: &'a Cluster, signal: &str) -> Vec<Self> {
        let Some(pattern) = cluster.patterns().and_then(|p| p.index(signal)) else { return Vec::new() };
        let newest = |log: &'a Log| {
            let hit = log.hits.iter().rev().find(|h| h.pattern == pattern)?;
            let pod = cluster.pod_of(log)?;
            let complaint = Self { cluster, log, hit, pod, count: log.count(pattern) };
            let counts = within(cluster, hit.line.at.or(log.last), RECENT) || was_an_incident(signal, complaint.count);
            counts.then_some(complaint)
        };
        cluster.logs().iter().filter_map(newest).collect()
    }

    /// The pod does not work. A pod that works has got over what it complains of, or does not mind.
    pub(super) fn hurts(&self) -> bool {
        pod_trouble(self.cluster, self.pod).is_some()
            || self.cluster.containers(self.pod).iter().any(|c| c.is_dying(self.cluster))
    }

    /// It goes on to the end of the log: many lines, and the last ones among them.
    pub(super) fn goes_on(&self) -> bool {
        let to_the_end = self.hit.line.line + 200 > self.log.n_lines;
        self.count >= 3 && to_the_end && !self.log.source.previous
    }

    pub(super) fn container(&self) -> &'a str {
        self.log.source.container.as_deref().unwrap_or_else(|| self.pod.at("spec.containers[0].name").text())
    }

    pub(super) fn line(&self) -> String {
        const LONGEST: usize = 240;
        let line = facts::in_one_line(&self.hit.line.text);
        line[..line.floor_char_boundary(LONGEST)].to_owned()
    }

    pub(super) fn evidence(&self, strength: Strength, says: &str) -> Evidence {
        Evidence::hit(self.log, self.hit, strength, says)
    }

    /// The object that carries the caller's settings.
    pub(super) fn carrier(&self) -> Ref {
        self.cluster.top_owner_ref(self.pod)
    }

    /// The object whose settings are looked at: the template where it is in the bundle, else the pod.
    pub(super) fn holder(&self) -> &'a Resource {
        Template::of(self.cluster, self.pod).map_or(self.pod, |t| t.holder)
    }

    /// A finding about the caller.
    pub(super) fn about_the_caller(&self, cause: &str, strength: Strength, says: &str) -> Finding {
        Finding::new(cause, self.carrier(), self.evidence(strength, says))
            .fact("pod", self.pod.name())
            .fact("container", Some(self.container()).filter(|name| !name.is_empty()).unwrap_or("main"))
            .fact("line", self.line())
            .affects([self.pod.reference.clone()])
    }
}
