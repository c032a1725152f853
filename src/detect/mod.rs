//! `&Cluster` → symptoms (where it hurts) and findings (what may be why).
//!
//! A detector never reads a file, never ranks and never writes prose: it gives facts, the catalogue's templates speak.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::catalog::{Catalog, Strength};
use crate::cluster::Cluster;
use crate::decode::{Event, Hit, Log, LogLine, Ref, Resource, Tag, Value};
use crate::location::{Location, Problem};

mod address;
mod admission;
mod arc;
mod certificate;
mod client;
mod cni;
mod complaint;
mod container;
mod control_plane;
mod controller;
mod creation;
mod custom;
mod delivery;
mod dependency;
mod disruption;
mod dns;
mod facts;
mod image;
mod ingress;
mod latency;
mod load_balancer;
mod mesh;
mod namespace;
mod near;
mod node;
mod path;
mod policy;
mod probe;
mod process;
mod protocol;
mod proxy;
mod quota;
mod rbac;
mod reference;
mod rotation;
mod scheduling;
mod service;
mod signs;
mod storage;
mod symptom;
mod template;
mod webhook;

use symptom::pod_trouble;

/// Something that hurts.
#[derive(Debug, Clone)]
pub struct Symptom {
    /// The object that hurts.
    pub resource: Ref,
    /// Kebab-case kind of hurt: `pod-not-running`, `workload-short`, `claim-pending` …
    pub kind: &'static str,
    /// `0 of 5 runners have a pod`
    pub what: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How much it hurts, 0 to 1: a whole workload down is 1, a warning that may be noise 0.1.
    pub weight: f64,
    /// Where it is seen.
    pub evidence: Evidence,
}

/// What may be why.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Id of the cause in the catalogue.
    pub cause: String,
    /// The object a person must change.
    pub culprit: Ref,
    /// What the catalogue's templates speak of. `ns`, `name` and `kind` of the culprit are always there.
    pub facts: Facts,
    /// Why it is believed; never empty.
    pub evidence: Vec<Evidence>,
    /// Objects it hurts directly, beside what the relations tell.
    pub affected: Vec<Ref>,
    /// What happens step by step from the culprit on, where the detector knows it better than the relations do.
    pub chain: Vec<Link>,
}

/// Facts by name.
pub type Facts = BTreeMap<String, serde_json::Value>;

/// One step from cause to symptom.
#[derive(Debug, Clone)]
pub struct Link {
    /// The object.
    pub resource: Ref,
    /// What happens to it.
    pub what: String,
    /// Indexes into the finding's evidence.
    pub evidence: Vec<usize>,
}

/// A place in the bundle that speaks for a finding.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Where.
    pub location: Location,
    /// What kind of place.
    pub kind: EvidenceKind,
    /// What it is worth.
    pub strength: Strength,
    /// The text there.
    pub excerpt: String,
    /// What it proves.
    pub says: String,
    /// Lines before the excerpt in its file, when they are known.
    pub before: Vec<String>,
    /// Lines after it.
    pub after: Vec<String>,
}

/// Kinds of evidence, as the JSON report names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// What was asked for.
    Spec,
    /// What is.
    Status,
    /// A status condition.
    Condition,
    /// An event.
    Event,
    /// A log line.
    Log,
    /// Anything else in a file.
    File,
}

impl Evidence {
    /// A field of an object: `path` as in [`Value::path`]. The kind follows from the path.
    pub fn field(resource: &Resource, path: &str, strength: Strength, says: impl Into<String>) -> Self {
        let value = resource.at(path);
        let key = last_key(path);
        Self::value(resource, value, key, strength, says).of_kind(kind_of_path(path))
    }

    /// A value inside an object, called `key` in the excerpt.
    pub fn value(resource: &Resource, value: Value<'_>, key: &str, strength: Strength, says: impl Into<String>) -> Self {
        let excerpt = match value.tag() {
            None => format!("{key} is not set"),
            Some(Tag::Map | Tag::Seq) => format!("{key}: {}", value.to_json()),
            Some(_) => format!("{key}: {}", value.text()),
        };
        let location = value.location().unwrap_or_else(|| resource.location());
        Self::new(location, EvidenceKind::Spec, strength, excerpt, says)
    }

    /// An event.
    pub fn event(event: &Event, strength: Strength, says: impl Into<String>) -> Self {
        let excerpt = format!("{} {}", event.reason, event.message);
        Self::new(event.location.clone(), EvidenceKind::Event, strength, excerpt, says)
    }

    /// A log line.
    pub fn log(log: &Log, line: &LogLine, strength: Strength, says: impl Into<String>) -> Self {
        Self::new(log.location(line), EvidenceKind::Log, strength, line.text.clone(), says)
    }

    /// A log line that matched a pattern, with its neighbours.
    pub fn hit(log: &Log, hit: &Hit, strength: Strength, says: impl Into<String>) -> Self {
        Self { before: hit.before.clone(), after: hit.after.clone(), ..Self::log(log, &hit.line, strength, says) }
    }

    /// A place in a file that is none of the above.
    pub fn file(location: Location, excerpt: impl Into<String>, strength: Strength, says: impl Into<String>) -> Self {
        Self::new(location, EvidenceKind::File, strength, excerpt, says)
    }

    fn new(
        location: Location,
        kind: EvidenceKind,
        strength: Strength,
        excerpt: impl Into<String>,
        says: impl Into<String>,
    ) -> Self {
        Self { location, kind, strength, excerpt: excerpt.into(), says: says.into(), before: Vec::new(), after: Vec::new() }
    }

    /// The same with a shorter excerpt.
    #[must_use]
    pub fn brief(mut self, excerpt: &str) -> Self {
        excerpt.clone_into(&mut self.excerpt);
        self
    }

    /// The same as another kind of place.
    #[must_use]
    pub fn of_kind(mut self, kind: EvidenceKind) -> Self {
        self.kind = kind;
        self
    }
}

/// The last key of a path: `limits.cpu` of `spec.hard[limits.cpu]`, `image` of `spec.containers[0].image`.
fn last_key(path: &str) -> &str {
    let bracketed = path.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map(|(_, key)| key);
    let by_dot = |path: &'_ str| path.rfind('.').map_or(0, |dot| dot + 1);
    match bracketed {
        Some(key) if key.parse::<usize>().is_err() => key,
        _ => &path[by_dot(path)..],
    }
}

fn kind_of_path(path: &str) -> EvidenceKind {
    if path.starts_with("status.conditions") {
        EvidenceKind::Condition
    } else if path.starts_with("status") {
        EvidenceKind::Status
    } else {
        EvidenceKind::Spec
    }
}

impl Finding {
    /// `cause` at `culprit`, believed because of `evidence`.
    pub fn new(cause: impl Into<String>, culprit: Ref, evidence: Evidence) -> Self {
        Self {
            cause: cause.into(),
            culprit,
            facts: Facts::new(),
            evidence: vec![evidence],
            affected: Vec::new(),
            chain: Vec::new(),
        }
    }

    /// With a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// With more evidence.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// With objects it hurts directly.
    #[must_use]
    pub fn affects(mut self, objects: impl IntoIterator<Item = Ref>) -> Self {
        for object in objects {
            if object != self.culprit && !self.affected.contains(&object) {
                self.affected.push(object);
            }
        }
        self
    }

    /// With a step of the chain; `evidence` are indexes into the evidence given so far.
    #[must_use]
    pub fn step(mut self, resource: Ref, what: impl Into<String>, evidence: &[usize]) -> Self {
        self.chain.push(Link { resource, what: what.into(), evidence: evidence.to_vec() });
        self
    }

    /// Takes over what another finding of the same cause at the same culprit knows.
    fn absorb(&mut self, other: Finding) {
        const MOST_EVIDENCE: usize = 12;
        if other.strength() > self.strength() && self.chain.is_empty() {
            // The better proof speaks first.
            let old = std::mem::replace(&mut self.evidence, other.evidence);
            self.evidence.extend(old);
            let old = std::mem::replace(&mut self.facts, other.facts);
            self.learn(old);
            self.chain = other.chain;
        } else {
            for evidence in other.evidence {
                if !self.evidence.iter().any(|e| e.location == evidence.location && e.excerpt == evidence.excerpt) {
                    self.evidence.push(evidence);
                }
            }
            self.learn(other.facts);
        }
        self.evidence.truncate(MOST_EVIDENCE.max(self.chain.iter().flat_map(|l| &l.evidence).max().map_or(0, |m| m + 1)));
        for object in other.affected {
            if object != self.culprit && !self.affected.contains(&object) {
                self.affected.push(object);
            }
        }
    }

    /// Facts not known yet.
    fn learn(&mut self, facts: Facts) {
        for (name, value) in facts {
            self.facts.entry(name).or_insert(value);
        }
    }

    /// The strongest evidence's strength.
    pub fn strength(&self) -> Strength {
        self.evidence.iter().map(|e| e.strength).max().unwrap_or_default()
    }
}

/// A function that computes findings.
#[derive(Clone, Copy)]
pub struct Detector {
    /// The name entries of `rules.toml` give.
    pub name: &'static str,
    /// The function.
    pub run: fn(&Cluster, &mut Vec<Finding>),
}

/// Every detector, by area.
const AREAS: &[&[Detector]] = &[
    address::DETECTORS,
    admission::DETECTORS,
    arc::DETECTORS,
    certificate::DETECTORS,
    client::DETECTORS,
    cni::DETECTORS,
    container::DETECTORS,
    control_plane::DETECTORS,
    controller::DETECTORS,
    custom::DETECTORS,
    delivery::DETECTORS,
    dependency::DETECTORS,
    disruption::DETECTORS,
    dns::DETECTORS,
    image::DETECTORS,
    ingress::DETECTORS,
    latency::DETECTORS,
    load_balancer::DETECTORS,
    mesh::DETECTORS,
    namespace::DETECTORS,
    node::DETECTORS,
    path::DETECTORS,
    probe::DETECTORS,
    process::DETECTORS,
    protocol::DETECTORS,
    proxy::DETECTORS,
    rbac::DETECTORS,
    quota::DETECTORS,
    reference::DETECTORS,
    rotation::DETECTORS,
    policy::DETECTORS,
    scheduling::DETECTORS,
    service::DETECTORS,
    storage::DETECTORS,
    webhook::DETECTORS,
];

/// All detectors.
fn detectors() -> impl Iterator<Item = &'static Detector> {
    AREAS.iter().copied().flatten()
}

/// Names of all detectors, for the checks of the catalogue.
pub fn detector_names() -> Vec<&'static str> {
    detectors().map(|d| d.name).collect()
}

/// What detection gave.
#[derive(Debug, Default)]
pub struct Detected {
    /// Where it hurts, heaviest first.
    pub symptoms: Vec<Symptom>,
    /// What may be why; one entry per cause and culprit, sorted.
    pub findings: Vec<Finding>,
    /// Detectors that failed.
    pub problems: Vec<Problem>,
}

/// Looks for all symptoms, and runs all detectors and all signs.
pub fn run(cluster: &Cluster, catalog: &Catalog) -> Detected {
    let (findings, problems) = findings(cluster, catalog);
    Detected { symptoms: symptom::all(cluster), findings, problems }
}

/// Runs all detectors and all signs. A detector that panics costs its own findings only.
pub fn findings(cluster: &Cluster, catalog: &Catalog) -> (Vec<Finding>, Vec<Problem>) {
    let runs: Vec<_> = detectors()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|detector| {
            let mut found = Vec::new();
            let run = catch_unwind(AssertUnwindSafe(|| (detector.run)(cluster, &mut found)));
            let failed = run.is_err().then(|| {
                let at = Location::file(&Arc::from("rules.toml"));
                Problem::new(at, format!("the detector {} failed; what it would have found is missing", detector.name))
            });
            (found, failed)
        })
        .collect();
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (findings, failed) in runs {
        found.extend(findings);
        problems.extend(failed);
    }
    signs::run(cluster, catalog, &mut found);
    let mut found = merged(found);
    found.iter_mut().for_each(|f| facts::complete(cluster, catalog, f));
    (found, problems)
}

/// One finding per cause and culprit.
fn merged(found: Vec<Finding>) -> Vec<Finding> {
    let mut merged: BTreeMap<(String, Ref), Finding> = BTreeMap::new();
    for finding in found {
        match merged.entry((finding.cause.clone(), finding.culprit.clone())) {
            Entry::Vacant(free) => {
                free.insert(finding);
            }
            Entry::Occupied(mut known) => known.get_mut().absorb(finding),
        }
    }
    merged.into_values().collect()
}
