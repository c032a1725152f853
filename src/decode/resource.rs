//! Objects of the Kubernetes API, whatever text they were read from.

use std::fmt;
use std::sync::Arc;

use super::tape::{Tape, Value};
use crate::location::Location;

/// Names an object. The API version is informative: two references are the same object when kind, namespace and name agree.
#[derive(Debug, Clone)]
pub struct Ref {
    /// `apps/v1`; empty when it was not told (an event's object, a table row).
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl Ref {
    /// A reference without an API version.
    pub fn new(kind: impl Into<String>, namespace: Option<&str>, name: impl Into<String>) -> Self {
        Self { api_version: String::new(), kind: kind.into(), namespace: namespace.map(str::to_owned), name: name.into() }
    }

    fn identity(&self) -> (&str, Option<&str>, &str) {
        (&self.kind, self.namespace.as_deref(), &self.name)
    }
}

impl PartialEq for Ref {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}
impl Eq for Ref {}
impl PartialOrd for Ref {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ref {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.identity().cmp(&other.identity())
    }
}
impl std::hash::Hash for Ref {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// `Pod shop/web-0`, `Node worker-1`.
impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(ns) => write!(f, "{} {ns}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// What an object was read from, weakest first. Of two readings of one object the stronger wins, the weaker fills gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A manifest as it was applied: no uid, no status. It says what was wanted, not what is there.
    Manifest,
    /// Another object's text that speaks of it: a node's list of its pods, a service's endpoints.
    Mention,
    /// A row of a `kubectl get` table.
    Table,
    /// A `kubectl describe` text.
    Describe,
    /// The API server's own object, as YAML or JSON.
    Live,
}

/// One object of the API.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name; [`Ref::api_version`] is filled.
    pub reference: Ref,
    /// What it was read from.
    pub origin: Origin,
    /// Its content, in the shape of the API whatever text it came from.
    pub tape: Tape,
}

impl Resource {
    /// The object in `tape`, when that is one: a map with `kind` and `metadata.name` (or `generateName`).
    pub fn from_tape(tape: Tape, origin: Origin) -> Option<Self> {
        let root = tape.root();
        let kind = root.get("kind").as_str()?.to_owned();
        let name = root.path("metadata.name");
        let name = if name.exists() { name } else { root.path("metadata.generateName") }.text().to_owned();
        if kind.is_empty() || name.is_empty() {
            return None;
        }
        let namespace = root.path("metadata.namespace").as_str().filter(|n| !n.is_empty()).map(str::to_owned);
        let api_version = root.get("apiVersion").text().to_owned();
        Some(Self { reference: Ref { api_version, kind, namespace, name }, origin, tape })
    }

    /// `Deployment`.
    pub fn kind(&self) -> &str {
        &self.reference.kind
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        &self.reference.name
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> Option<&str> {
        self.reference.namespace.as_deref()
    }

    /// The group of the API version: `apps`, or empty for the core group.
    pub fn group(&self) -> &str {
        self.reference.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// The whole object.
    pub fn root(&self) -> Value<'_> {
        self.tape.root()
    }

    /// The value at a dotted path; see [`Value::path`].
    pub fn at(&self, path: &str) -> Value<'_> {
        self.root().path(path)
    }

    /// `metadata.uid`, or empty.
    pub fn uid(&self) -> &str {
        self.at("metadata.uid").text()
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("metadata.labels").get(key).as_str()
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("metadata.annotations").get(key).as_str()
    }

    /// Where the object starts.
    pub fn location(&self) -> Location {
        self.root().location().unwrap_or_else(|| Location::file(self.tape.path()))
    }

    /// The file the object was read from.
    pub fn file(&self) -> &Arc<str> {
        self.tape.path()
    }

    /// The status condition of type `kind`.
    pub fn condition(&self, kind: &str) -> Value<'_> {
        self.at("status.conditions").items().find(|c| c.get("type").text() == kind).unwrap_or(Value::ABSENT)
    }

    /// The pod spec inside: of a Pod itself, or of the pod template of whatever carries one (workloads, CronJobs, and
    /// custom resources that follow the convention, such as AutoscalingRunnerSet or EphemeralRunner). With its path.
    pub fn pod_spec(&self) -> Option<(&'static str, Value<'_>)> {
        if self.kind() == "Pod" {
            return Some(("spec", self.at("spec"))).filter(|(_, v)| v.exists());
        }
        POD_SPEC_PATHS.iter().map(|p| (*p, self.at(p))).find(|(_, spec)| spec.get("containers").exists())
    }
}

/// Where objects keep a pod spec, most specific first.
const POD_SPEC_PATHS: &[&str] = &[
    "spec.template.spec",
    "spec.jobTemplate.spec.template.spec",
    "spec.ephemeralRunnerSpec.spec",
    "spec.ephemeralRunnerSpec.template.spec",
    "spec.template.template.spec",
    "spec.spec",
    "spec.podTemplate.spec",
    "spec.podTemplateSpec.spec",
    "template.spec",
];
