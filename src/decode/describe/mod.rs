//! `kubectl describe` texts → the objects and events that YAML would have given.
//!
//! A text is cut into objects (`Name:` at the left margin), each object into an outline (lines that own deeper lines), and
//! the outline is read by the object's kind, which its keys tell.

use std::sync::Arc;

use super::draft::Draft;
use super::resource::{Origin, Ref};
use super::{Decoded, Document, Part, table};

mod argocd;
mod conditions;
mod config;
mod container;
mod custom;
mod events;
pub(super) mod metadata;
mod network;
mod node;
mod outline;
mod pod;
pub(super) mod policy;
mod probe;
mod rbac;
pub(super) mod service;
mod sort;
pub(super) mod storage;
pub(super) mod volume;
mod workload;

use outline::Block;

/// The line may begin a describe text: `Name:`, and one word.
pub(super) fn begins(line: &str) -> bool {
    let rest = line.strip_prefix("Name:").filter(|rest| rest.starts_with([' ', '\t']));
    rest.is_some_and(|rest| rest.split_ascii_whitespace().count() == 1)
}

/// The objects of a describe text; `None` when there is none in `text`. What stands between the objects is read as
/// tables.
pub(super) fn decode(part: &Part<'_>) -> Option<Decoded> {
    let (path, text) = (part.path, part.text);
    let objects = split(text);
    if objects.is_empty() {
        return None;
    }
    let mut decoded = Decoded::default();
    let (mut from, mut line) = (0, part.line);
    for object in objects {
        let before = &text[from..object.start];
        table::read(path, part.name(), before, line, &mut decoded);
        line += count_lines(before);
        let told = &text[object.clone()];
        read(path, told, line, &mut decoded);
        line += count_lines(told);
        from = object.end;
    }
    Some(decoded)
}

fn count_lines(text: &str) -> u32 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u32
}

/// Keys one of which follows soon on the `Name:` of every object.
const SECOND_KEYS: &[&str] = &[
    "Namespace:",
    "Labels:",
    "Annotations:",
    "Roles:",
    "Priority:",
    "Selector:",
    "CreationTimestamp:",
    "Created on:",
    "IsDefaultClass:",
    "StorageClass:",
    "Status:",
    "API Version:",
    "Value:",
    "Controller:",
    "Resource ",
    "Image pull secrets:",
    "Project:",
];

/// The ranges of the objects.
fn split(text: &str) -> Vec<std::ops::Range<usize>> {
    let starts = memchr::memmem::find_iter(text.as_bytes(), "Name:").filter(|&at| begins_object(text, at));
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for start in starts {
        if let Some(last) = ranges.last_mut() {
            last.end = start;
        }
        ranges.push(start..text.len());
    }
    ranges
}

/// `Name:  x` at the left margin, followed within three lines by a key that objects have there.
fn begins_object(text: &str, at: usize) -> bool {
    // A value of a ConfigMap begins below a line of dashes and may look like anything.
    if at > 0 && !text[..at].ends_with('\n') || text[..at].ends_with("\n----\n") {
        return false;
    }
    let mut lines = text[at..].lines();
    lines.next().is_some_and(begins) && lines.take(3).any(|l| SECOND_KEYS.iter().any(|key| l.starts_with(key)))
}

/// One object.
fn read(path: &Arc<str>, text: &str, first: u32, decoded: &mut Decoded) {
    let lines = outline::read(text, first);
    let object = Block(&lines);
    let Some(sort::Sort { api_version, kind }) = sort::kind_of(path, object) else { return };
    let mut draft = Draft::of(api_version, kind, first);
    metadata::fill(&mut draft, config::head(object));
    if argocd::is_application(object) {
        argocd::fill(&mut draft, object);
    } else if object.has("API Version") {
        custom::fill(&mut draft, object);
    } else {
        fill(&mut draft, kind, object);
    }
    let Some(resource) = draft.into_resource(path, Origin::Describe, first) else { return };
    let regarding = resource.reference.clone();
    decoded.documents.push(Document::Resource(resource));
    fill_neighbours(path, kind, object, &regarding, decoded);
    decoded.documents.extend(events::read(path, object, &regarding).into_iter().map(Document::Event));
}

fn fill<'t>(draft: &mut Draft<'t>, kind: &str, object: Block<'_, 't>) {
    match kind {
        "Pod" => pod::fill(draft, object),
        "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" => workload::fill(draft, object),
        "Job" => workload::fill_job(draft, object),
        "CronJob" => workload::fill_cron_job(draft, object),
        "Node" => node::fill(draft, object),
        "Service" => service::fill(draft, object),
        "Endpoints" => service::fill_endpoints(draft, object),
        "EndpointSlice" => service::fill_slice(draft, object),
        "PersistentVolumeClaim" => storage::fill_claim(draft, object),
        "PersistentVolume" => storage::fill_volume(draft, object),
        "StorageClass" => storage::fill_class(draft, object),
        "ConfigMap" => config::fill_config_map(draft, object),
        "Secret" => config::fill_secret(draft, object),
        "ServiceAccount" => config::fill_account(draft, object),
        "Namespace" => config::fill_namespace(draft, object),
        "ResourceQuota" => policy::fill_quota(draft, object.0),
        "LimitRange" => policy::fill_limits(draft, object.0),
        "PodDisruptionBudget" => policy::fill_budget(draft, object),
        "HorizontalPodAutoscaler" => policy::fill_autoscaler(draft, object),
        "PriorityClass" => policy::fill_priority(draft, object),
        "Ingress" => network::fill_ingress(draft, object),
        "IngressClass" => network::fill_ingress_class(draft, object),
        "NetworkPolicy" => network::fill_policy(draft, object),
        "Role" | "ClusterRole" => rbac::fill_role(draft, object),
        "RoleBinding" | "ClusterRoleBinding" => rbac::fill_binding(draft, object),
        _ => {}
    }
}

/// Objects that another object's text tells of. Whatever is said of them elsewhere wins.
fn fill_neighbours(path: &Arc<str>, kind: &str, object: Block<'_, '_>, of: &Ref, decoded: &mut Decoded) {
    let mut drafts = Vec::new();
    match kind {
        "Node" => {
            drafts.extend(object.get("Lease").map(|told| (told.number(), node::lease(&of.name, told))));
            drafts.extend(object.get("Non-terminated Pods").into_iter().flat_map(|told| node::pods(&of.name, told)));
        }
        "Deployment" => drafts.extend(workload::replica_sets_of(of, object)),
        "Namespace" => {
            drafts.extend(config::quotas_of(&of.name, object));
            decoded.documents.extend(config::none_in(path, &of.name, object).map(Document::Collected));
        }
        "Service" => drafts.extend(service::endpoints_of(object).map(|e| (object.0[0].number, e))),
        _ => {}
    }
    let resources = drafts.into_iter().filter_map(|(line, draft)| draft.into_resource(path, Origin::Mention, line));
    decoded.documents.extend(resources.map(Document::Resource));
}
