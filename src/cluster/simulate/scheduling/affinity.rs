//! Node selectors and affinity, pod affinity and anti-affinity (kubernetes plugins NodeAffinity and InterPodAffinity).

use super::{Obstacle, Pod, Scheduler, domain};
use crate::cluster::Cluster;
use crate::cluster::selector;
use crate::decode::{Ref, Resource, Value};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// What the pod's own placement demands of `node` in vain. A node without any label was not read whole and is not judged.
pub(super) fn of_node<'a>(pod: &Pod<'a>, node: &Resource) -> Vec<Obstacle<'a>> {
    let mut found = Vec::new();
    if node.at("metadata.labels").is_empty() {
        return found;
    }
    let unmet: Vec<_> =
        selector::equalities(pod.spec.get("nodeSelector")).filter(|r| !r.is_met_by(domain(node, r.key))).collect();
    if !unmet.is_empty() {
        found.push(Obstacle::NodeSelector(unmet));
    }
    let terms = pod.node_terms();
    if terms.exists() {
        let misses = terms.items().map(|term| selector::unmet_by_node(term, node.name(), |key| domain(node, key)).err());
        if let Some(misses) = misses.collect::<Option<Vec<_>>>() {
            found.push(Obstacle::NodeAffinity(misses.into_iter().min_by_key(Vec::len).unwrap_or_default()));
        }
    }
    found
}

/// A required term of pod affinity or anti-affinity.
#[derive(Debug, Clone, Copy)]
struct Term<'a> {
    term: Value<'a>,
    topology_key: &'a str,
    /// Of the pod that states it; a term without namespaces speaks of that one.
    namespace: Option<&'a str>,
}

fn terms<'a>(pod: &Pod<'a>, kind: &str) -> impl Iterator<Item = Term<'a>> + use<'a> {
    let namespace = pod.namespace();
    let terms = pod.affinity.get(kind).get(REQUIRED).items();
    terms.map(move |term| Term { term, topology_key: term.get("topologyKey").text(), namespace })
}

impl Term<'_> {
    fn selects(&self, cluster: &Cluster, pod: &Pod<'_>) -> bool {
        self.covers(cluster, pod.namespace()) && selector::selects(self.term.get("labelSelector"), pod.labels)
    }

    fn covers(&self, cluster: &Cluster, namespace: Option<&str>) -> bool {
        let listed = self.term.get("namespaces");
        let by_label = self.term.get("namespaceSelector");
        if listed.is_empty() && !by_label.exists() {
            return namespace == self.namespace;
        }
        listed.items().any(|n| n.as_str() == namespace)
            || by_label.exists()
                && namespace.is_some_and(|name| {
                    let labels = cluster.find("Namespace", None, name).map_or(Value::ABSENT, |n| n.at("metadata.labels"));
                    selector::selects(by_label, labels)
                })
    }
}

/// The pod's relations to the pods that are placed, worked out once for all nodes.
#[derive(Debug)]
pub(super) struct Affinity<'a> {
    /// Terms that want pods near: topology key, the domains that have such pods, whether none is anywhere.
    near: Vec<(&'a str, Vec<&'a str>, bool)>,
    /// Domains to keep away from: topology key, domain, the pod that is there.
    apart: Vec<(&'a str, &'a str, Ref)>,
}

impl<'a> Affinity<'a> {
    pub(super) fn new(scheduler: &Scheduler<'a>, pod: &Pod<'a>) -> Self {
        let cluster = scheduler.cluster;
        let is_self = |other: &Pod<'_>| other.resource.reference == pod.resource.reference;
        let mut near = Vec::new();
        for term in terms(pod, "podAffinity") {
            let matching = scheduler.placed_pods().filter(|(_, other)| term.selects(cluster, other));
            let domains: Vec<_> = matching.map(|(node, _)| domain(node, term.topology_key)).collect();
            // The first pod of a group that wants to be near its own kind goes anywhere.
            if domains.is_empty() && term.selects(cluster, pod) {
                continue;
            }
            near.push((term.topology_key, domains.iter().copied().flatten().collect(), domains.is_empty()));
        }
        let mut apart = Vec::new();
        let own: Vec<_> = terms(pod, "podAntiAffinity").collect();
        for (node, other) in scheduler.placed_pods().filter(|(_, other)| !is_self(other)) {
            let theirs = terms(other, "podAntiAffinity").filter(|term| term.selects(cluster, pod));
            let ours = own.iter().copied().filter(|term| term.selects(cluster, other));
            for term in ours.chain(theirs) {
                if let Some(domain) = domain(node, term.topology_key) {
                    apart.push((term.topology_key, domain, other.resource.reference.clone()));
                }
            }
        }
        Self { near, apart }
    }

    pub(super) fn obstacles(&self, node: &Resource) -> impl Iterator<Item = Obstacle<'a>> {
        let near = self.near.iter().filter_map(|(topology_key, domains, nowhere)| {
            let near = domain(node, topology_key).is_some_and(|d| domains.contains(&d));
            (!near).then_some(Obstacle::PodAffinity { topology_key, nowhere: *nowhere })
        });
        let here = self.apart.iter().find(|(key, value, _)| domain(node, key) == Some(value));
        let apart = here.map(|(topology_key, _, with)| Obstacle::PodAntiAffinity { topology_key, with: with.clone() });
        near.chain(apart)
    }
}
