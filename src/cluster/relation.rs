//! The relations along which harm travels, from the object that is sick to the objects that suffer.

use rustc_hash::{FxHashMap, FxHashSet};

use super::address::addresses;
use super::{Cluster, owner_ref, secret};
use crate::decode::{Ref, Resource, Value};

mod api;
mod network;

pub(crate) use api::component;
pub(crate) use network::is_network_plugin;

/// Why the second object suffers from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// An owner's template makes the child.
    Owns,
    /// The owner counts on its child.
    PartOf,
    /// The pod runs on the node.
    Runs,
    /// The pod needs the object: a claim, Secret, ConfigMap, ServiceAccount, class.
    Needed,
    /// The service routes to the pod.
    Backs,
    /// The object sends requests to the service.
    Called,
    /// The namespace, quota or policy governs creation of the object.
    Governs,
}

/// Edges between objects, also to objects that are only named.
#[derive(Debug, Default)]
pub struct Graph {
    vertices: Vec<Ref>,
    ids: FxHashMap<Ref, u32>,
    edges: Vec<Vec<(u32, Relation)>>,
    /// All edges, while they are collected.
    known: FxHashSet<(u32, u32, Relation)>,
}

impl Graph {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut graph = Self::default();
        for resource in cluster.resources() {
            graph.relate(cluster, resource);
        }
        graph.told_calls(cluster);
        api::relate(&mut graph, cluster);
        network::relate(&mut graph, cluster);
        graph.known = FxHashSet::default();
        graph
    }

    fn vertex(&mut self, reference: &Ref) -> u32 {
        if let Some(&id) = self.ids.get(reference) {
            return id;
        }
        let id = self.vertices.len() as u32;
        self.vertices.push(reference.clone());
        self.ids.insert(reference.clone(), id);
        self.edges.push(Vec::new());
        id
    }

    /// Harm at `from` reaches `to`.
    pub(super) fn edge(&mut self, from: &Ref, relation: Relation, to: &Ref) {
        let (from, to) = (self.vertex(from), self.vertex(to));
        if from != to && self.known.insert((from, to, relation)) {
            self.edges[from as usize].push((to, relation));
        }
    }

    fn relate(&mut self, cluster: &Cluster, resource: &Resource) {
        let this = &resource.reference;
        let ns = resource.namespace();
        if let Some(owner) = cluster.owner(resource).map(|o| o.reference.clone()).or_else(|| owner_ref(resource)) {
            self.edge(&owner, Relation::Owns, this);
            self.edge(this, Relation::PartOf, &owner);
        }
        if let Some((_, spec)) = resource.pod_spec() {
            self.calls(cluster, resource);
            for (kind, name) in needs(spec) {
                self.edge(&Ref::new(kind, ns.filter(|_| !is_cluster_scoped(kind)), name), Relation::Needed, this);
            }
        }
        if let Some(secret) = secret::made_by(resource) {
            self.edge(this, Relation::Owns, &secret);
        }
        if let Some(store) = secret::store_of(resource) {
            self.edge(&store, Relation::Needed, this);
        }
        match resource.kind() {
            "Pod" => {
                let node = resource.at("spec.nodeName").text();
                if !node.is_empty() {
                    self.edge(&Ref::new("Node", None, node), Relation::Runs, this);
                }
            }
            "PersistentVolumeClaim" => {
                for (field, kind) in [("spec.volumeName", "PersistentVolume"), ("spec.storageClassName", "StorageClass")] {
                    let name = resource.at(field).text();
                    if !name.is_empty() {
                        self.edge(&Ref::new(kind, None, name), Relation::Needed, this);
                    }
                }
            }
            "Service" => {
                let mut backs: Vec<_> = cluster.pods_behind(resource).map(|p| p.reference.clone()).collect();
                let selector = resource.at("spec.selector");
                if backs.is_empty() && !selector.is_empty() {
                    let made = cluster.templates_selected(ns, selector);
                    backs.extend(made.map(|(r, _)| r.reference.clone()));
                }
                for back in backs {
                    self.edge(&back, Relation::Backs, this);
                }
            }
            "Ingress" => {
                for backend in backends(resource) {
                    self.edge(&Ref::new("Service", ns, backend), Relation::Backs, this);
                }
            }
            "HorizontalPodAutoscaler" => {
                let target = resource.at("spec.scaleTargetRef");
                let target = Ref::new(target.get("kind").text(), ns, target.get("name").text());
                self.edge(&target, Relation::Governs, this);
                self.edge(this, Relation::Governs, &target);
            }
            "Namespace" => {
                for workload in cluster.carriers(Some(resource.name())) {
                    self.edge(this, Relation::Governs, &workload.reference);
                }
            }
            _ => {}
        }
    }

    /// Services whose addresses the settings of a workload name: it calls them.
    fn calls(&mut self, cluster: &Cluster, caller: &Resource) {
        for setting in cluster.settings(caller) {
            for address in addresses(&setting.text) {
                if let Some(service) = cluster.service_called(&address.host, caller.namespace()) {
                    self.edge(&service.reference, Relation::Called, &caller.reference);
                }
            }
        }
    }

    /// Calls the bundle tells of: by name of service or workload, without a namespace.
    fn told_calls(&mut self, cluster: &Cluster) {
        const CALLERS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet"];
        let by_name = |kind: &str| -> FxHashMap<&str, &Resource> { cluster.kind(kind).map(|r| (r.name(), r)).collect() };
        let services = by_name("Service");
        let callers: Vec<_> = CALLERS.iter().map(|kind| by_name(kind)).collect();
        for call in &cluster.dependencies {
            let Some(service) = services.get(call.callee.as_str()) else { continue };
            for caller in callers.iter().filter_map(|of_kind| of_kind.get(call.caller.as_str())) {
                self.edge(&service.reference, Relation::Called, &caller.reference);
            }
        }
    }

    /// Objects that suffer from `source` directly, and why.
    pub fn suffers_from(&self, source: &Ref) -> impl Iterator<Item = (&Ref, Relation)> {
        let edges = self.ids.get(source).map_or(&[][..], |id| self.edges[*id as usize].as_slice());
        edges.iter().map(|(to, relation)| (&self.vertices[*to as usize], *relation))
    }

    /// Everything that suffers when `sources` are sick.
    ///
    /// Harm that went up to an owner because a child fails does not come down to its other children: they are not made
    /// worse by a sibling.
    pub fn reach(&self, sources: &[&Ref]) -> Reach<'_> {
        let mut from: FxHashMap<Visit, Option<(Visit, Relation)>> = FxHashMap::default();
        let mut order: Vec<Visit> = Vec::new();
        for id in sources.iter().filter_map(|source| self.ids.get(*source)) {
            if from.insert((*id, false), None).is_none() {
                order.push((*id, false));
            }
        }
        let mut next = 0;
        while let Some(&(id, went_up)) = order.get(next) {
            next += 1;
            for &(to, relation) in &self.edges[id as usize] {
                if went_up && relation == Relation::Owns {
                    continue;
                }
                let up = match relation {
                    Relation::PartOf => true,
                    Relation::Owns => false,
                    _ => went_up,
                };
                from.entry((to, up)).or_insert_with(|| {
                    order.push((to, up));
                    Some(((id, went_up), relation))
                });
            }
        }
        // A source that nothing else depends on still is where it starts.
        let alone = sources.iter().filter(|s| !self.ids.contains_key(**s)).map(|s| (*s).clone()).collect();
        Reach { graph: self, alone, from, order }
    }
}

/// A vertex, and whether harm went up to an owner on the way to it.
type Visit = (u32, bool);

/// What harm reaches, and how.
#[derive(Debug)]
pub struct Reach<'g> {
    graph: &'g Graph,
    /// Sources that no relation names.
    alone: Vec<Ref>,
    /// Where harm came from at each visit.
    from: FxHashMap<Visit, Option<(Visit, Relation)>>,
    /// The visits, nearest first.
    order: Vec<Visit>,
}

impl<'g> Reach<'g> {
    /// Does harm reach `object`?
    pub fn has(&self, object: &Ref) -> bool {
        let visited = |id: u32| self.from.contains_key(&(id, false)) || self.from.contains_key(&(id, true));
        self.graph.ids.get(object).map_or_else(|| self.alone.contains(object), |id| visited(*id))
    }

    /// The way to `object`, from the source on, each object with the relation by which the harm came.
    pub fn way<'r>(&'r self, object: &Ref) -> Option<Vec<(&'r Ref, Option<Relation>)>> {
        if let Some(alone) = self.alone.iter().find(|source| *source == object) {
            return Some(vec![(alone, None)]);
        }
        let id = self.graph.ids.get(object)?;
        let mut at = Some(self.order.iter().find(|visit| visit.0 == *id).copied()?);
        let mut way = Vec::new();
        while let Some(visit) = at {
            let step = self.from.get(&visit).copied().flatten();
            way.push((&self.graph.vertices[visit.0 as usize], step.map(|(_, relation)| relation)));
            at = step.map(|(before, _)| before);
        }
        way.reverse();
        Some(way)
    }

    /// All objects reached, nearest first; some twice.
    pub fn objects(&self) -> impl Iterator<Item = &Ref> {
        self.alone.iter().chain(self.order.iter().map(|(id, _)| &self.graph.vertices[*id as usize]))
    }
}

/// Objects a pod spec names and cannot do without.
pub(crate) fn needs(spec: Value<'_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut need = |kind: &'static str, name: Value<'_>, optional: Value<'_>| {
        if name.exists() && !name.text().is_empty() && !optional.is_true() {
            found.push((kind, name.text().to_owned()));
        }
    };
    for volume in spec.get("volumes").items() {
        let v = |path: &str| volume.path(path);
        need("ConfigMap", v("configMap.name"), v("configMap.optional"));
        need("Secret", v("secret.secretName"), v("secret.optional"));
        need("PersistentVolumeClaim", v("persistentVolumeClaim.claimName"), Value::ABSENT);
        for source in v("projected.sources").items() {
            need("ConfigMap", source.path("configMap.name"), source.path("configMap.optional"));
            need("Secret", source.path("secret.name"), source.path("secret.optional"));
        }
    }
    for container in spec.get("initContainers").items().chain(spec.get("containers").items()) {
        for env in container.get("env").items() {
            let e = |path: &str| env.path(path);
            need("ConfigMap", e("valueFrom.configMapKeyRef.name"), e("valueFrom.configMapKeyRef.optional"));
            need("Secret", e("valueFrom.secretKeyRef.name"), e("valueFrom.secretKeyRef.optional"));
        }
        for from in container.get("envFrom").items() {
            need("ConfigMap", from.path("configMapRef.name"), from.path("configMapRef.optional"));
            need("Secret", from.path("secretRef.name"), from.path("secretRef.optional"));
        }
    }
    for secret in spec.get("imagePullSecrets").items() {
        need("Secret", secret.get("name"), Value::ABSENT);
    }
    need("ServiceAccount", spec.get("serviceAccountName"), Value::ABSENT);
    need("PriorityClass", spec.get("priorityClassName"), Value::ABSENT);
    need("RuntimeClass", spec.get("runtimeClassName"), Value::ABSENT);
    found
}

fn is_cluster_scoped(kind: &str) -> bool {
    matches!(kind, "PriorityClass" | "RuntimeClass" | "StorageClass" | "PersistentVolume" | "Node" | "Namespace")
}

/// Names of the services an Ingress routes to.
pub(crate) fn backends(ingress: &Resource) -> Vec<String> {
    let name = |backend: Value<'_>| {
        let v1 = backend.path("service.name");
        (if v1.exists() { v1 } else { backend.get("serviceName") }).text().to_owned()
    };
    let rules = ingress.at("spec.rules").items().flat_map(|r| r.path("http.paths").items()).map(|p| name(p.get("backend")));
    let default = [ingress.at("spec.defaultBackend"), ingress.at("spec.backend")].into_iter().map(name);
    rules.chain(default).filter(|n| !n.is_empty()).collect()
}
