//! Clusters for tests, written as JSON.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Cluster;
use crate::decode::log::scan;
use crate::decode::{Document, Event, LogSource, Origin, Pattern, Patterns, Ref, Resource, Tape};
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

/// A log of a container of pod `pod` in namespace `shop`, searched for the built-in catalogue's patterns.
pub(crate) struct Said<'a> {
    /// The pod.
    pub(crate) pod: &'a str,
    /// The container.
    pub(crate) container: &'a str,
    /// Of the run before.
    pub(crate) previous: bool,
    /// The lines.
    pub(crate) text: &'a str,
}

/// A cluster of objects, events and logs.
pub(crate) fn cluster_that_says(objects: &[Json], events: Vec<Event>, logs: &[Said<'_>]) -> Cluster {
    let catalog = crate::catalog::Catalog::built_in().expect("the built-in catalogue is sound");
    let patterns = catalog.patterns().into_iter().map(|(name, regex)| Pattern { name, regex }).collect();
    let patterns = Arc::new(Patterns::new(patterns).expect("the built-in patterns are sound"));
    let scanned = logs.iter().map(|log| {
        let path = format!("logs/{}/{}{}.log", log.pod, log.container, if log.previous { ".previous" } else { "" });
        let source = LogSource {
            namespace: Some("shop".to_owned()),
            pod: Some(log.pod.to_owned()),
            container: Some(log.container.to_owned()),
            previous: log.previous,
            ..LogSource::default()
        };
        Document::Log(scan(&Arc::from(path), source, 1, log.text.as_bytes(), &patterns))
    });
    let resources = objects.iter().enumerate().map(|(i, o)| Document::Resource(resource(o, Origin::Live, i as u32 + 1)));
    let documents = resources.chain(events.into_iter().map(Document::Event)).chain(scanned).collect();
    Cluster::new(documents, Arc::clone(&patterns))
}
