//! Clusters for tests, written as JSON.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Cluster;
use crate::decode::{Document, Event, Origin, Patterns, Ref, Resource, Tape};
use crate::location::Location;

/// A cluster of these objects, as the API server would give them.
pub(crate) fn cluster(objects: &[Json]) -> Cluster {
    cluster_with(objects, Vec::new())
}

/// The same with events.
pub(crate) fn cluster_with(objects: &[Json], events: Vec<Event>) -> Cluster {
    let resources = objects.iter().enumerate().map(|(i, o)| Document::Resource(resource(o, Origin::Live, i as u32 + 1)));
    let documents = resources.chain(events.into_iter().map(Document::Event)).collect();
    Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).expect("no pattern is no bad pattern")))
}

/// One object read from line `line` of a file.
pub(crate) fn resource(object: &Json, origin: Origin, line: u32) -> Resource {
    Resource::from_tape(Tape::from_json(&Arc::from("objects.yaml"), object, line), origin).expect("an object with a name")
}

/// A warning about an object.
pub(crate) fn event(kind: &str, namespace: Option<&str>, name: &str, reason: &str, message: &str) -> Event {
    let location = Location::line(&Arc::from("events.yaml"), 1);
    Event {
        warning: true,
        reason: reason.to_owned(),
        message: message.to_owned(),
        ..Event::new(Ref::new(kind, namespace, name), location)
    }
}
