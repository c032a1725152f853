//! Signs on objects.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::field::{Field, places};
use super::{Found, Seen, Sighting, Wanted, wanted};
use crate::catalog::{Catalog, Expression, Object, Strength};
use crate::cluster::Cluster;
use crate::decode::Resource;
use crate::detect::{Evidence, kind_of_path};

pub(super) fn look<'a>(cluster: &'a Cluster, catalog: &'a Catalog, found: &mut Found<'a>) {
    let mut by_kind: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
    for wanted in wanted(catalog).filter(|w| w.sign.on.starts_with(char::is_uppercase)) {
        by_kind.entry(&wanted.sign.on).or_default().push(wanted);
    }
    for (kind, signs) in by_kind {
        for object in cluster.kind(kind).filter(|o| !was_made_good(cluster, o)) {
            // CEL's view of the object, made for the first expression that asks for it.
            let view = OnceCell::new();
            for wanted in &signs {
                let expressed =
                    |expression: &Expression| expression.holds(view.get_or_init(|| Object::new(&object.root().to_json())));
                if let Some(seen) = see(object, *wanted)
                    && wanted.sign.when.as_ref().is_none_or(expressed)
                {
                    found.add(*wanted, seen);
                }
            }
        }
    }
}

/// A failed pod whose maker has what it wants by now.
fn was_made_good(cluster: &Cluster, object: &Resource) -> bool {
    object.kind() == "Pod" && object.at("status.phase").text() == "Failed" && cluster.is_settled(object)
}

fn see<'a>(object: &'a Resource, wanted: Wanted<'a>) -> Option<Seen<'a>> {
    let sign = wanted.sign;
    let sighting = Sighting::of(sign, "status.message", |path| places(object.root(), path, &sign.conditions))?;
    let witness = sighting.witness.as_ref();
    let path = witness.map_or("", |w| w.path.as_str());
    let evidence = match witness.map(|w| w.field) {
        Some(Field::Value(value)) => {
            let key = path.rsplit('.').next().unwrap_or(path);
            Evidence::value(object, value, key, sign.strength, "").of_kind(kind_of_path(path))
        }
        _ => Evidence::value(object, object.at("metadata.name"), "name", sign.strength, ""),
    };
    let container = witness.and_then(|w| w.item).filter(|_| path.contains("ontainer")).map_or("", |i| i.get("name").text());
    Some(Seen {
        subject: object.reference.clone(),
        object: Some(object),
        container,
        node: node_of(object),
        sighting,
        evidence,
        at_most: Strength::Proof,
    })
}

/// The node an object is, or runs on; empty when there is none.
pub(super) fn node_of(object: &Resource) -> &str {
    if object.kind() == "Node" { object.name() } else { object.at("spec.nodeName").text() }
}
