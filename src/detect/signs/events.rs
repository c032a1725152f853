//! Signs on events.
//!
//! A hundred thousand events meet hundreds of signs: most signs name a reason and are tried on events of that reason
//! only; the others are tried where the literal text of their expression occurs.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rustc_hash::FxHashMap;

use super::field::{Field, Place};
use super::objects::node_of;
use super::{Found, Seen, Sighting, Wanted, wanted};
use crate::catalog::{Catalog, Condition, Sign, Strength};
use crate::cluster::{Cluster, Currency};
use crate::decode::{Event, Ref, Resource};
use crate::detect::Evidence;
use crate::literal;

pub(super) fn look<'a>(cluster: &'a Cluster, catalog: &'a Catalog, found: &mut Found<'a>) {
    if cluster.events().is_empty() {
        return;
    }
    let signs: Vec<Wanted<'_>> = wanted(catalog).filter(|w| w.sign.on == "event").collect();
    let index = Index::new(&signs);
    let mut absent = FxHashMap::default();
    let mut candidates = Vec::new();
    for event in cluster.events() {
        index.candidates(event, &mut candidates);
        for wanted in candidates.iter().map(|i| signs[*i]) {
            let Some(sighting) = Sighting::of(wanted.sign, "message", |path| places(event, path)) else { continue };
            if let Some(standing) = standing(cluster, event, &mut absent) {
                found.add(wanted, seen(event, wanted, sighting, standing));
            }
        }
    }
}

/// What an event is worth, and whom it blames.
#[derive(Clone, Copy)]
struct Standing<'a> {
    /// The object it is about; of a pod that is not in the bundle, what must have made it.
    object: Option<&'a Resource>,
    at_most: Strength,
}

/// `None` when what the event says is no longer so. `absent` keeps the answer for objects that are not there: a workload
/// that fails for hours leaves thousands of them.
fn standing<'a>(
    cluster: &'a Cluster,
    event: &'a Event,
    absent: &mut FxHashMap<&'a Ref, Option<Standing<'a>>>,
) -> Option<Standing<'a>> {
    if let Some(object) = cluster.get(&event.regarding) {
        return cluster.is_current(event).then_some(Standing { object: Some(object), at_most: Strength::Proof });
    }
    *absent.entry(&event.regarding).or_insert_with(|| {
        let object = cluster.presumed_owner(&event.regarding);
        match cluster.currency(event) {
            Currency::Current => Some(Standing { object, at_most: Strength::Proof }),
            // The pod is gone; what made it still tries.
            Currency::Gone if object.is_some_and(|o| !cluster.is_settled(o)) => {
                Some(Standing { object, at_most: Strength::Hint })
            }
            Currency::Gone | Currency::Past => None,
        }
    })
}

fn seen<'a>(event: &'a Event, wanted: Wanted<'a>, sighting: Sighting<'a>, standing: Standing<'a>) -> Seen<'a> {
    let Standing { object, at_most } = standing;
    let itself = object.filter(|o| o.reference == event.regarding);
    let node = if event.regarding.kind == "Node" { event.regarding.name.as_str() } else { object.map_or("", node_of) };
    Seen {
        subject: itself.map_or_else(|| event.regarding.clone(), |o| o.reference.clone()),
        object,
        container: event.container().unwrap_or(""),
        node,
        sighting,
        evidence: Evidence::event(event, wanted.sign.strength, ""),
        at_most,
    }
}

/// Fields of an event, as signs name them.
fn places<'a>(event: &'a Event, path: &str) -> Vec<Place<'a>> {
    let field = match path {
        "reason" => Field::Text(&event.reason),
        "message" => Field::Text(&event.message),
        "type" => Field::Text(if event.warning { "Warning" } else { "Normal" }),
        "source" => Field::Text(&event.source),
        "count" => Field::Number(event.count),
        "container" => Field::Text(event.container().unwrap_or("")),
        "regarding.kind" => Field::Text(&event.regarding.kind),
        "regarding.name" => Field::Text(&event.regarding.name),
        "regarding.namespace" => Field::Text(event.regarding.namespace.as_deref().unwrap_or("")),
        "regarding.fieldPath" => Field::Text(&event.field_path),
        _ => return Vec::new(),
    };
    vec![Place { field, item: None }]
}

/// Which signs are worth trying on an event.
struct Index<'c> {
    by_reason: FxHashMap<&'c str, Vec<usize>>,
    /// Signs that name neither a reason nor a literal.
    always: Vec<usize>,
    literals: Option<AhoCorasick>,
    /// Literal → sign.
    owners: Vec<usize>,
}

impl<'c> Index<'c> {
    fn new(signs: &[Wanted<'c>]) -> Self {
        let mut index = Self { by_reason: FxHashMap::default(), always: Vec::new(), literals: None, owners: Vec::new() };
        let mut literals = Vec::new();
        for (i, wanted) in signs.iter().enumerate() {
            if let Some(reasons) = reasons(wanted.sign) {
                reasons.into_iter().for_each(|reason| index.by_reason.entry(reason).or_default().push(i));
            } else if let Some(set) = message_literals(wanted.sign) {
                index.owners.extend(set.iter().map(|_| i));
                literals.extend(set);
            } else {
                index.always.push(i);
            }
        }
        index.literals =
            AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::ContiguousNFA)).build(&literals).ok();
        if index.literals.is_none() {
            // Too many literals for one search: try these signs on every event.
            index.always.append(&mut index.owners);
        }
        index
    }

    /// Signs to try on `event`, in the order of the catalogue.
    fn candidates(&self, event: &Event, into: &mut Vec<usize>) {
        into.clear();
        into.extend(&self.always);
        into.extend(self.by_reason.get(event.reason.as_str()).into_iter().flatten());
        if let Some(literals) = &self.literals {
            into.extend(literals.find_overlapping_iter(&event.message).map(|m| self.owners[m.pattern().as_usize()]));
        }
        into.sort_unstable();
        into.dedup();
    }
}

/// The reasons a sign names; `None` when it takes any.
fn reasons(sign: &Sign) -> Option<Vec<&str>> {
    match sign.conditions.get("reason")? {
        Condition::Equals(reason) => Some(vec![reason.as_str()?]),
        Condition::Test(test) => test.one_of.as_ref()?.iter().map(toml::Value::as_str).collect(),
    }
}

/// Literals of which the message must hold one.
fn message_literals(sign: &Sign) -> Option<Vec<Vec<u8>>> {
    if let Some(take) = sign.take.as_ref().filter(|_| sign.field.as_deref().is_none_or(|f| f == "message")) {
        return literal::required(take.as_str()).ok()?;
    }
    let Condition::Test(test) = sign.conditions.get("message")? else { return None };
    match (&test.contains, &test.matches) {
        (Some(part), _) => Some(vec![part.to_ascii_lowercase().into_bytes()]),
        (None, Some(expression)) => literal::required(expression.as_str()).ok()?,
        (None, None) => None,
    }
}
