//! Objects by namespace, node and label: what would else be a look at every object for every object.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::Cluster;
use super::service::{selects, template_labels};
use crate::decode::{Resource, Value};

/// Where objects stand by namespace and label, and by node.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// Pods by the hash of namespace, label and value; within one hash in order.
    pods: FxHashMap<u64, Vec<u32>>,
    /// The same of workloads, by the labels of the pods they make.
    templates: FxHashMap<u64, Vec<u32>>,
    /// Workloads by namespace.
    workloads: FxHashMap<Option<String>, Vec<u32>>,
    /// Pods by node.
    on_node: FxHashMap<String, Vec<u32>>,
    /// Services by their address in the cluster.
    service_at: FxHashMap<String, u32>,
}

impl Lookup {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut lookup = Self::default();
        for (i, pod) in cluster.by_kind.get("Pod").into_iter().flatten().map(|i| (*i, &cluster.resources[*i as usize])) {
            if let Some(labels) = cluster.pod_labels(pod) {
                add_labels(&mut lookup.pods, i, pod.namespace(), labels);
            }
            let node = pod.at("spec.nodeName").text();
            if !node.is_empty() {
                lookup.on_node.entry(node.to_owned()).or_default().push(i);
            }
        }
        for i in cluster.by_kind.get("Service").into_iter().flatten() {
            let address = cluster.resources[*i as usize].at("spec.clusterIP").text();
            lookup.service_at.entry(address.to_owned()).or_insert(*i);
        }
        for (i, workload) in (0..).zip(cluster.resources()).filter(|(_, r)| r.kind() != "Pod") {
            if workload.pod_spec().is_some() {
                lookup.workloads.entry(workload.namespace().map(str::to_owned)).or_default().push(i);
            }
            if let Some(labels) = template_labels(workload) {
                add_labels(&mut lookup.templates, i, workload.namespace(), labels);
            }
        }
        lookup
    }
}

fn add_labels(by_label: &mut FxHashMap<u64, Vec<u32>>, i: u32, namespace: Option<&str>, labels: Value<'_>) {
    for (key, value) in labels.fields() {
        let labelled = by_label.entry(hash(namespace, key, value.text())).or_default();
        if labelled.last() != Some(&i) {
            labelled.push(i);
        }
    }
}

fn hash(namespace: Option<&str>, key: &str, value: &str) -> u64 {
    FxBuildHasher.hash_one((namespace, key, value))
}

impl Cluster {
    /// The objects of a kind in a namespace (`None`: outside of namespaces), sorted by name.
    pub fn kind_in(&self, kind: &str, namespace: Option<&str>) -> impl Iterator<Item = &Resource> + Clone {
        let of_kind = self.by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        let namespace_of = |i: &u32| self.resources[*i as usize].namespace();
        let from = of_kind.partition_point(|i| namespace_of(i) < namespace);
        let len = of_kind[from..].partition_point(|i| namespace_of(i) == namespace);
        self.all_of(&of_kind[from..from + len])
    }

    /// The pods on a node, sorted, whatever became of them.
    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = &Resource> + Clone {
        self.all_of(self.lookup.on_node.get(node).map_or(&[][..], Vec::as_slice))
    }

    /// The Service with that address in the cluster.
    pub(super) fn service_at(&self, address: &str) -> Option<&Resource> {
        self.lookup.service_at.get(address).map(|i| self.resources[*i as usize].as_ref())
    }

    /// Workloads of a namespace with the labels of the pods they would make.
    pub(crate) fn templates<'a>(&'a self, namespace: Option<&str>) -> impl Iterator<Item = (&'a Resource, Value<'a>)> {
        self.workloads(namespace).filter_map(|r| Some((r, template_labels(r)?)))
    }

    fn workloads(&self, namespace: Option<&str>) -> impl Iterator<Item = &Resource> + Clone {
        self.all_of(self.lookup.workloads.get(&namespace.map(str::to_owned)).map_or(&[][..], Vec::as_slice))
    }

    /// Everything of a namespace that is or makes a pod, sorted.
    pub(super) fn carriers<'a>(&'a self, namespace: Option<&'a str>) -> Vec<&'a Resource> {
        let pods = self.kind_in("Pod", namespace).filter(|p| p.pod_spec().is_some());
        let mut carriers: Vec<&Resource> = self.workloads(namespace).chain(pods).collect();
        carriers.sort_by(|a, b| a.reference.cmp(&b.reference));
        carriers
    }

    /// Pods of a namespace that a selector that is not empty selects.
    pub(super) fn pods_selected<'a>(
        &'a self,
        namespace: Option<&'a str>,
        selector: Value<'a>,
    ) -> impl Iterator<Item = &'a Resource> {
        let candidates = self.all_of(fewest(&self.lookup.pods, namespace, selector));
        candidates
            .filter(move |p| p.namespace() == namespace && self.pod_labels(p).is_some_and(|labels| selects(selector, labels)))
    }

    /// [`Cluster::templates`] that a selector that is not empty selects.
    pub(crate) fn templates_selected<'a>(
        &'a self,
        namespace: Option<&'a str>,
        selector: Value<'a>,
    ) -> impl Iterator<Item = (&'a Resource, Value<'a>)> {
        let candidates = self.all_of(fewest(&self.lookup.templates, namespace, selector));
        let labelled = candidates.filter(move |r| r.namespace() == namespace).filter_map(|r| Some((r, template_labels(r)?)));
        labelled.filter(move |(_, labels)| selects(selector, *labels))
    }

    fn all_of<'a>(&'a self, numbers: &'a [u32]) -> impl Iterator<Item = &'a Resource> + Clone {
        numbers.iter().map(|i| self.resources[*i as usize].as_ref())
    }
}

/// The objects with the rarest label of a selector.
fn fewest<'l>(by_label: &'l FxHashMap<u64, Vec<u32>>, namespace: Option<&str>, selector: Value<'_>) -> &'l [u32] {
    let with = |(key, value): (&str, Value<'_>)| by_label.get(&hash(namespace, key, value.text())).map_or(&[][..], Vec::as_slice);
    selector.fields().map(with).min_by_key(|objects| objects.len()).unwrap_or_default()
}
