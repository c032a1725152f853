//! The engine of declarative signs: conditions of the catalogue on objects, events, log lines, node services and alerts.

use indexmap::map::Entry;
use indexmap::{IndexMap, IndexSet};

use super::{Evidence, Facts, Finding, facts};
use crate::catalog::{Catalog, Cause, Culprit, Layer, Sign, Strength, prose};
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource, Value};

mod containers;
mod events;
mod field;
mod logs;
mod objects;
mod sighting;
mod units;

use sighting::Sighting;

/// Pieces of evidence kept of one finding: enough to convince, few enough to read.
const MOST_EVIDENCE: usize = 8;

/// Findings of all signs of `catalog`, one per cause and culprit.
pub(super) fn run(cluster: &Cluster, catalog: &Catalog, out: &mut Vec<Finding>) {
    let mut found = Found::new(cluster);
    objects::look(cluster, catalog, &mut found);
    containers::look(cluster, catalog, &mut found);
    events::look(cluster, catalog, &mut found);
    logs::look(cluster, catalog, &mut found);
    units::look(cluster, catalog, &mut found);
    out.extend(found.into_findings());
}

/// A sign of a cause, by the text of its `on`.
#[derive(Clone, Copy)]
struct Wanted<'c> {
    cause: &'c Cause,
    /// Position among the cause's signs.
    number: usize,
    sign: &'c Sign,
}

/// All signs of `catalog` in its order.
fn wanted(catalog: &Catalog) -> impl Iterator<Item = Wanted<'_>> {
    catalog.causes().iter().flat_map(|cause| {
        let signs = cause.signs.iter().enumerate();
        signs.map(move |(number, sign)| Wanted { cause, number, sign })
    })
}

/// A sign that is there.
struct Seen<'a> {
    /// The object it is seen on, also when that is not in the bundle.
    subject: Ref,
    /// The object itself, when it is; else what is known to have made it.
    object: Option<&'a Resource>,
    /// What the sign took.
    sighting: Sighting<'a>,
    /// The container it is about, or empty.
    container: &'a str,
    /// The node it is about, or empty.
    node: &'a str,
    /// Where it is seen; what it says is filled in from the sign.
    evidence: Evidence,
    /// It is worth this at most.
    at_most: Strength,
}

/// Findings so far.
struct Found<'a> {
    cluster: &'a Cluster,
    findings: IndexMap<(&'a str, Ref), Known>,
}

/// A finding with the objects it was seen on: they may be many thousands.
struct Known {
    finding: Finding,
    subjects: IndexSet<Ref>,
}

impl Wanted<'_> {
    /// It says that the container it is seen on does not come up: not so where that one works.
    fn denies_start(&self) -> bool {
        matches!(self.cause.layer, Layer::Image | Layer::Container) && !matches!(self.sign.culprit, Culprit::Object(_))
    }
}

impl<'a> Found<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, findings: IndexMap::new() }
    }

    fn add(&mut self, wanted: Wanted<'a>, seen: Seen<'a>) {
        let Wanted { cause, sign, .. } = wanted;
        let strength = sign.strength.min(seen.at_most);
        let mut facts = seen.sighting.facts;
        let (container, image) = container_of(self.cluster, seen.object, seen.container);
        let own = [
            ("subject", seen.subject.to_string()),
            ("subject_name", seen.subject.name.clone()),
            ("container", container.to_owned()),
            ("image", image.to_owned()),
            ("node", seen.node.to_owned()),
            ("text", facts::in_one_line(seen.sighting.text)),
        ];
        fill(&mut facts, own.map(|(name, value)| (name.to_owned(), value.into())));
        // An expression may leave some of its captures open.
        fill(&mut facts, sign.facts().map(|name| (name.to_owned(), "".into())));
        let culprit = culprit(self.cluster, &sign.culprit, &seen.subject, seen.object, &facts);
        let key = (cause.id.as_str(), culprit);
        if let Some(known) = self.findings.get_mut(&key).filter(|known| !known.wants(strength)) {
            known.subjects.insert(seen.subject);
            return;
        }
        let culprit = key.1.clone();
        facts.extend(facts::standard(self.cluster, &culprit));
        let says = prose::render(&sign.says, &facts).unwrap_or_else(|_| prose::plain(&sign.says));
        let evidence = Evidence { strength, says, ..seen.evidence };
        match self.findings.entry(key) {
            Entry::Vacant(free) => {
                let mut finding = Finding::new(&cause.id, culprit, evidence);
                finding.facts = facts;
                free.insert(Known { finding, subjects: IndexSet::from([seen.subject]) });
            }
            Entry::Occupied(mut known) => known.get_mut().join(facts, evidence, seen.subject),
        }
    }

    fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.findings.into_values().map(|Known { mut finding, subjects }| {
            finding.affected = subjects.into_iter().filter(|s| *s != finding.culprit).collect();
            finding
        })
    }
}

impl Known {
    /// Would a piece of evidence of this strength be kept?
    fn wants(&self, strength: Strength) -> bool {
        self.finding.evidence.len() < MOST_EVIDENCE || strength > self.finding.strength()
    }

    /// One more sight: the strongest evidence stands first and gives the facts.
    fn join(&mut self, facts: Facts, evidence: Evidence, subject: Ref) {
        let finding = &mut self.finding;
        let repeated = |e: &Evidence| e.location == evidence.location && e.says == evidence.says;
        if evidence.strength > finding.strength() {
            let weaker = std::mem::replace(&mut finding.facts, facts);
            fill(&mut finding.facts, weaker);
            finding.evidence.insert(0, evidence);
            finding.evidence.truncate(MOST_EVIDENCE);
        } else {
            fill(&mut finding.facts, facts);
            if !finding.evidence.iter().any(repeated) {
                finding.evidence.push(evidence);
            }
        }
        self.subjects.insert(subject);
    }
}

/// Adds what `facts` do not tell yet.
fn fill(facts: &mut Facts, more: impl IntoIterator<Item = (String, serde_json::Value)>) {
    for (name, value) in more {
        facts.entry(name).or_insert(value);
    }
}

/// Name and image of the container called `name` of a pod or a template; of its only one when `name` is empty.
fn container_of<'a>(cluster: &'a Cluster, object: Option<&'a Resource>, name: &'a str) -> (&'a str, &'a str) {
    let named: Vec<(&str, &str)> = match object {
        Some(pod) if pod.kind() == "Pod" => cluster.containers(pod).iter().map(|c| (c.name, c.image())).collect(),
        Some(object) => {
            let spec = object.pod_spec().map_or(Value::ABSENT, |(_, spec)| spec);
            let all = ["initContainers", "containers"].into_iter().flat_map(|list| spec.get(list).items());
            all.map(|c| (c.get("name").text(), c.get("image").text())).collect()
        }
        None => Vec::new(),
    };
    match named.as_slice() {
        [only] if name.is_empty() => *only,
        all => all.iter().find(|(n, _)| *n == name && !n.is_empty()).copied().unwrap_or((name, "")),
    }
}

/// The object to blame.
fn culprit(cluster: &Cluster, whom: &Culprit, subject: &Ref, object: Option<&Resource>, facts: &Facts) -> Ref {
    let node = facts.get("node").and_then(serde_json::Value::as_str).unwrap_or("");
    let known = |reference: Ref| cluster.get(&reference).map_or(reference, |r| r.reference.clone());
    match whom {
        Culprit::TopOwner => top_owner(cluster, subject, object),
        Culprit::Itself => subject.clone(),
        Culprit::Node if subject.kind == "Node" || node.is_empty() => subject.clone(),
        Culprit::Node => known(Ref::new("Node", None, node)),
        Culprit::Namespace => match &subject.namespace {
            Some(namespace) => known(Ref::new("Namespace", None, namespace)),
            None => subject.clone(),
        },
        Culprit::Object(template) => {
            // What the sign took wins here over the subject's own `name`: that is how it names the other object.
            let mut all = facts::standard(cluster, subject);
            all.extend(facts.iter().map(|(name, value)| (name.clone(), value.clone())));
            let named = prose::render(template, &all).ok().and_then(|text| parse(&text));
            named.map_or_else(|| top_owner(cluster, subject, object), known)
        }
    }
}

/// The object a person changes. The kubelet's mirror of a static pod is owned by its Node, which is not what one changes.
fn top_owner(cluster: &Cluster, subject: &Ref, object: Option<&Resource>) -> Ref {
    let top = match object {
        Some(object) => Some(cluster.top_owner(object)).filter(|top| top.kind() != "Node"),
        None => cluster.presumed_owner(subject),
    };
    top.map_or_else(|| subject.clone(), |top| top.reference.clone())
}

/// `Kind/namespace/name`, with `-` for no namespace.
fn parse(text: &str) -> Option<Ref> {
    let mut parts = text.trim().splitn(3, '/');
    let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
    let named = !kind.is_empty() && !name.is_empty();
    named.then(|| Ref::new(kind, Some(namespace).filter(|n| *n != "-" && !n.is_empty()), name))
}

#[cfg(test)]
mod tests;
