//! Documents → one cluster: every object once, indexes over them, relations between them, versions, and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::decode::{
    Alert, Connectivity, Dependency, Document, Event, Hit, Log, Metric, NodeService, Note, Origin, Patterns, Ref, Resource,
    Version, Within,
};

pub mod address;
pub mod admission;
mod clock;
mod container;
mod currency;
mod dates;
mod lookup;
mod mention;
mod owner;
mod presence;
mod quantity;
mod relation;
mod secret;
pub mod selector;
mod service;
pub mod simulate;
#[cfg(test)]
pub(crate) mod testing;
mod unify;
mod version;
mod workload;

use address::Unanswered;
use lookup::Lookup;

pub use container::Container;
pub use currency::Currency;
pub use presence::Presence;
pub use quantity::Quantity;
pub use relation::{Graph, Reach, Relation};
pub(crate) use relation::{component, is_network_plugin};
pub(crate) use service::selects;
pub use version::KubernetesVersion;

/// All that a bundle tells of a cluster. Read-only after it is built.
#[derive(Debug, Default)]
pub struct Cluster {
    resources: Vec<Arc<Resource>>,
    by_ref: FxHashMap<Ref, u32>,
    by_kind: BTreeMap<String, Vec<u32>>,
    children: FxHashMap<Ref, Vec<u32>>,
    events: Vec<Event>,
    events_by_ref: FxHashMap<Ref, Vec<u32>>,
    logs: Vec<Log>,
    logs_by_pod: FxHashMap<Ref, Vec<u32>>,
    patterns: Option<Arc<Patterns>>,
    /// Systemd units of nodes.
    pub node_services: Vec<NodeService>,
    /// Monitoring alerts.
    pub alerts: Vec<Alert>,
    /// Time series.
    pub metrics: Vec<Metric>,
    /// Connections that somebody tried.
    pub connectivity: Vec<Connectivity>,
    /// Who calls whom.
    pub dependencies: Vec<Dependency>,
    /// Versions of components, `kubernetes` among them.
    pub versions: Vec<Version>,
    /// Remarks about the collection.
    pub notes: Vec<Note>,
    /// Kubernetes version as the user gave it; it wins over what the bundle says.
    pub told_version: Option<String>,
    /// What was asked for, by kind.
    collected: BTreeSet<(String, Within)>,
    /// When the bundle was collected, as far as its stamps and ages tell.
    pub now: Option<Timestamp>,
    lookup: Lookup,
    unanswered: OnceLock<Unanswered>,
    graph: Graph,
}

impl Cluster {
    /// Builds the index. Documents may come in any order; the result does not depend on it.
    pub fn new(mut documents: Vec<Document>, patterns: Arc<Patterns>) -> Self {
        unify::unify(&mut documents);
        let counted = clock::settle_by_file(&mut documents);
        let mut cluster = Self { patterns: Some(patterns), ..Self::default() };
        let mut resources = Vec::new();
        for document in documents {
            match document {
                Document::Resource(r) => resources.push(Arc::new(r)),
                Document::Event(e) => cluster.events.push(e),
                Document::Log(l) => cluster.logs.push(l),
                Document::NodeService(s) => cluster.node_services.push(s),
                Document::Alert(a) => cluster.alerts.push(a),
                Document::Metric(m) => cluster.metrics.push(m),
                Document::Connectivity(c) => cluster.connectivity.push(c),
                Document::Dependency(d) => cluster.dependencies.push(d),
                Document::Version(v) => cluster.versions.push(v),
                Document::Collected(c) => drop(cluster.collected.insert((c.kind, c.within))),
                Document::Note(n) => cluster.notes.push(n),
            }
        }
        cluster.index(resources);
        cluster.attribute_logs();
        cluster.date(counted);
        cluster.settle_ages();
        cluster.index_the_rest();
        cluster
    }

    /// The same cluster with some objects replaced or left out: the world in which a fix was applied.
    /// Events and logs stay as they are.
    #[must_use]
    pub fn with_changes(&self, mut change: impl FnMut(&Arc<Resource>) -> Option<Arc<Resource>>) -> Self {
        let mut changed = Self {
            events: self.events.clone(),
            logs: self.logs.clone(),
            logs_by_pod: self.logs_by_pod.clone(),
            now: self.now,
            patterns: self.patterns.clone(),
            node_services: self.node_services.clone(),
            alerts: self.alerts.clone(),
            metrics: self.metrics.clone(),
            connectivity: self.connectivity.clone(),
            dependencies: self.dependencies.clone(),
            versions: self.versions.clone(),
            notes: self.notes.clone(),
            told_version: self.told_version.clone(),
            collected: self.collected.clone(),
            ..Self::default()
        };
        changed.index(self.resources.iter().filter_map(&mut change).collect());
        changed.index_the_rest();
        changed
    }

    fn index(&mut self, mut resources: Vec<Arc<Resource>>) {
        resources.sort_by(|a, b| {
            (&a.reference, b.origin, a.file(), a.root().line()).cmp(&(&b.reference, a.origin, b.file(), b.root().line()))
        });
        for resource in resources {
            self.add(resource);
        }
        for (i, resource) in self.resources.iter().enumerate() {
            let i = i as u32;
            self.by_kind.entry(kind_key(resource).into_owned()).or_default().push(i);
        }
        let owners: Vec<_> = self.resources.iter().map(|r| self.owner(r).map(|o| o.reference.clone())).collect();
        for (i, owner) in owners.into_iter().enumerate() {
            if let Some(owner) = owner {
                self.children.entry(owner).or_default().push(i as u32);
            }
        }
    }

    /// What needs the objects, and stamps instead of ages.
    fn index_the_rest(&mut self) {
        self.events.sort_by(|a, b| (a.last, a.first, &a.location).cmp(&(b.last, b.first, &b.location)));
        self.forget_repeated_events();
        for (i, event) in self.events.iter().enumerate() {
            self.events_by_ref.entry(event.regarding.clone()).or_default().push(i as u32);
        }
        self.node_services.sort_by(|a, b| a.location.cmp(&b.location));
        self.alerts.sort_by(|a, b| a.location.cmp(&b.location).then_with(|| a.subject.cmp(&b.subject)));
        self.metrics.sort_by(|a, b| (&a.subject, &a.name, &a.location).cmp(&(&b.subject, &b.name, &b.location)));
        self.connectivity.sort_by(|a, b| a.location.cmp(&b.location));
        self.dependencies.sort_by(|a, b| (&a.caller, &a.callee, &a.location).cmp(&(&b.caller, &b.callee, &b.location)));
        self.versions.sort_by(|a, b| (&a.component, &a.location).cmp(&(&b.component, &b.location)));
        self.notes.sort_by(|a, b| a.location.cmp(&b.location));
        self.lookup = Lookup::new(self);
        self.graph = Graph::new(self);
    }

    /// An object known already is merged: the stronger reading wins, the weaker fills its gaps.
    fn add(&mut self, resource: Arc<Resource>) {
        match self.by_ref.get(&resource.reference) {
            None => {
                self.by_ref.insert(resource.reference.clone(), self.resources.len() as u32);
                self.resources.push(resource);
            }
            Some(&known) => {
                let known = &mut self.resources[known as usize];
                if known.origin == Origin::Live && resource.origin == Origin::Live {
                    // Two dumps of one object: the later one tells the state at the end.
                    let version = |r: &Resource| r.at("metadata.resourceVersion").as_i64().unwrap_or(0);
                    if version(&resource) > version(known) {
                        *known = resource;
                    }
                    return;
                }
                let tape = known.tape.filled_from(&resource.tape);
                let mut reference = known.reference.clone();
                if reference.api_version.is_empty() {
                    reference.api_version.clone_from(&resource.reference.api_version);
                }
                *known = Arc::new(Resource { reference, origin: known.origin, tape });
            }
        }
    }

    /// The same event often comes twice: as core/v1 and events.k8s.io/v1, in a table and in a `describe` text.
    fn forget_repeated_events(&mut self) {
        let mut seen: FxHashMap<(Ref, String, String), usize> = FxHashMap::default();
        let mut kept: Vec<Event> = Vec::with_capacity(self.events.len());
        for event in std::mem::take(&mut self.events) {
            let key = (event.regarding.clone(), event.reason.clone(), event.message.clone());
            match seen.get(&key) {
                Some(&at) => {
                    let known = &mut kept[at];
                    known.count = known.count.max(event.count);
                    known.first = [known.first, event.first].into_iter().flatten().min();
                    known.last = known.last.max(event.last);
                    if known.uid.is_empty() {
                        known.uid = event.uid;
                    }
                    if known.field_path.is_empty() {
                        known.field_path = event.field_path;
                    }
                }
                None => {
                    seen.insert(key, kept.len());
                    kept.push(event);
                }
            }
        }
        self.events = kept;
    }

    /// All objects, sorted by kind, namespace and name.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> + Clone {
        self.resources.iter().map(Arc::as_ref)
    }

    /// The objects of a kind, sorted. A kind outside Kubernetes' own groups that shares a name with one of them (Knative's
    /// Service) is asked for with its group: `Service.serving.knative.dev`.
    pub fn kind(&self, kind: &str) -> impl Iterator<Item = &Resource> + Clone {
        self.by_kind.get(kind).into_iter().flatten().map(|i| self.resources[*i as usize].as_ref())
    }

    /// Kinds that are there, with the number of objects.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, usize)> {
        self.by_kind.iter().map(|(k, v)| (k.as_str(), v.len()))
    }

    /// The object, when it is in the bundle.
    pub fn get(&self, reference: &Ref) -> Option<&Resource> {
        self.by_ref.get(reference).map(|i| self.resources[*i as usize].as_ref())
    }

    /// The object of that name, when it is in the bundle.
    pub fn find(&self, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Resource> {
        self.get(&Ref::new(kind, namespace, name))
    }

    /// Objects an object owns directly.
    pub fn children(&self, reference: &Ref) -> impl Iterator<Item = &Resource> + Clone {
        self.children.get(reference).into_iter().flatten().map(|i| self.resources[*i as usize].as_ref())
    }

    /// All objects below an object, at any depth.
    pub fn descendants(&self, reference: &Ref) -> Vec<&Resource> {
        let mut found: Vec<&Resource> = self.children(reference).collect();
        // Owner loops exist in hostile input only.
        let mut seen: FxHashSet<&Ref> = found.iter().map(|r| &r.reference).collect();
        let mut next = 0;
        while next < found.len() {
            found.extend(self.children(&found[next].reference).filter(|c| seen.insert(&c.reference)));
            next += 1;
        }
        found
    }

    /// All events, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Events about an object, oldest first.
    pub fn events_of(&self, reference: &Ref) -> impl Iterator<Item = &Event> + Clone {
        self.events_by_ref.get(reference).into_iter().flatten().map(|i| &self.events[*i as usize])
    }

    /// All logs, by path.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Logs of a pod's containers.
    pub fn logs_of(&self, pod: &Ref) -> impl Iterator<Item = &Log> + Clone {
        self.logs_by_pod.get(pod).into_iter().flatten().map(|i| &self.logs[*i as usize])
    }

    /// The pod a log belongs to, when that is known.
    pub fn pod_of(&self, log: &Log) -> Option<&Resource> {
        self.find("Pod", log.source.namespace.as_deref(), log.source.pod.as_deref()?)
    }

    /// Lines that match the signal (or sign) called `pattern`, in all logs, with their log.
    pub fn hits<'a>(&'a self, pattern: &str) -> impl Iterator<Item = (&'a Log, &'a Hit)> {
        let index = self.patterns.as_ref().and_then(|p| p.index(pattern));
        self.logs.iter().flat_map(move |l| l.hits.iter().filter(move |h| Some(h.pattern) == index).map(move |h| (l, h)))
    }

    /// What the captures of the pattern called `pattern` hold in `line`.
    pub fn captures<'t>(&self, pattern: &str, line: &'t str) -> Option<regex::Captures<'t>> {
        let patterns = self.patterns.as_ref()?;
        patterns.regex(patterns.index(pattern)?)?.captures(line)
    }

    /// The patterns logs were scanned with.
    pub fn patterns(&self) -> Option<&Patterns> {
        self.patterns.as_deref()
    }

    /// Relations along which harm travels.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// The owner an object names: its controller, else its only owner.
pub fn owner_ref(resource: &Resource) -> Option<Ref> {
    if resource.kind() == "AutoscalingListener" {
        // It lives in the controller's namespace, where an owner reference to its set cannot reach; its spec names the set.
        let set = |field: &str| resource.at(&format!("spec.autoscalingRunnerSet{field}")).text();
        return Some(Ref::new("AutoscalingRunnerSet", Some(set("Namespace")), set("Name")));
    }
    let owners = resource.at("metadata.ownerReferences");
    let owner = owners.items().find(|o| o.get("controller").is_true()).or_else(|| owners.items().next())?;
    let kind = owner.get("kind").text();
    let cluster_scoped = matches!(kind, "Node" | "Namespace" | "CustomResourceDefinition" | "ClusterRole" | "ClusterPolicy");
    Some(Ref {
        api_version: owner.get("apiVersion").text().to_owned(),
        kind: kind.to_owned(),
        namespace: resource.namespace().filter(|_| !cluster_scoped).map(str::to_owned),
        name: owner.get("name").text().to_owned(),
    })
}

/// `Service` for Kubernetes' own, `Service.serving.knative.dev` for a namesake in a foreign group.
fn kind_key(resource: &Resource) -> std::borrow::Cow<'_, str> {
    const NAMESAKES: &[&str] = &[
        "Pod",
        "Service",
        "Node",
        "Namespace",
        "Secret",
        "ConfigMap",
        "Deployment",
        "Job",
        "CronJob",
        "Ingress",
        "Event",
        "Role",
        "Volume",
        "NetworkPolicy",
        "ServiceAccount",
        "PersistentVolume",
        "Endpoints",
    ];
    let group = resource.group();
    let own = group.is_empty() || group.ends_with(".k8s.io") || !group.contains('.');
    if !own && NAMESAKES.contains(&resource.kind()) {
        std::borrow::Cow::Owned(format!("{}.{group}", resource.kind()))
    } else {
        std::borrow::Cow::Borrowed(resource.kind())
    }
}
