//! What processes say of the programs they depend on, with the other end looked up: a caller's error explains nothing about
//! the caller when the callee is sick.

use jiff::SignedDuration;

use super::symptom::{pod_trouble, within};
use super::template::Template;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Hit, Log, Ref, Resource};

mod credentials;
mod database;
mod peer;
mod server;
mod unreachable;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "dependency", run: dependency }];

/// A complaint older than this is history.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

fn dependency(cluster: &Cluster, out: &mut Vec<Finding>) {
    credentials::rejected(cluster, out);
    database::refusals(cluster, out);
    unreachable::unreachable(cluster, out);
}

/// A line of a container that speaks of something it depends on.
#[derive(Clone, Copy)]
struct Complaint<'a> {
    cluster: &'a Cluster,
    log: &'a Log,
    hit: &'a Hit,
    pod: &'a Resource,
    /// The newest line of its kind in this log; there are this many.
    count: u32,
}

impl<'a> Complaint<'a> {
    /// The newest line of each log that matches `signal` and is not history.
    fn all(cluster: &'a Cluster, signal: &str) -> Vec<Self> {
        let Some(pattern) = cluster.patterns().and_then(|p| p.index(signal)) else { return Vec::new() };
        let newest = |log: &'a Log| {
            let hit = log.hits.iter().rev().find(|h| h.pattern == pattern)?;
            let pod = cluster.pod_of(log)?;
            let complaint = Self { cluster, log, hit, pod, count: log.count(pattern) };
            within(cluster, hit.line.at.or(log.last), RECENT).then_some(complaint)
        };
        cluster.logs().iter().filter_map(newest).collect()
    }

    /// The pod does not work. A pod that works has got over what it complains of, or does not mind.
    fn hurts(&self) -> bool {
        pod_trouble(self.cluster, self.pod).is_some()
            || self.cluster.containers(self.pod).iter().any(|c| c.is_dying(self.cluster))
    }

    /// It goes on to the end of the log: many lines, and the last ones among them.
    fn goes_on(&self) -> bool {
        let to_the_end = self.hit.line.line + 200 > self.log.n_lines;
        self.count >= 3 && to_the_end && !self.log.source.previous
    }

    fn container(&self) -> &'a str {
        self.log.source.container.as_deref().unwrap_or_else(|| self.pod.at("spec.containers[0].name").text())
    }

    fn line(&self) -> String {
        const LONGEST: usize = 240;
        let line = self.hit.line.text.trim();
        line[..line.floor_char_boundary(LONGEST)].to_owned()
    }

    fn evidence(&self, strength: Strength, says: &str) -> Evidence {
        Evidence::hit(self.log, self.hit, strength, says)
    }

    /// The object that carries the caller's settings.
    fn carrier(&self) -> Ref {
        self.cluster.top_owner_ref(self.pod)
    }

    /// The object whose settings are looked at: the template where it is in the bundle, else the pod.
    fn holder(&self) -> &'a Resource {
        Template::of(self.cluster, self.pod).map_or(self.pod, |t| t.holder)
    }

    /// A finding about the caller.
    fn about_the_caller(&self, cause: &str, strength: Strength, says: &str) -> Finding {
        Finding::new(cause, self.carrier(), self.evidence(strength, says))
            .fact("pod", self.pod.name())
            .fact("container", self.container())
            .fact("line", self.line())
            .affects([self.pod.reference.clone()])
    }
}

#[cfg(test)]
mod tests;
