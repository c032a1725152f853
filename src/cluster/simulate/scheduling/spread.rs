//! Topology spread constraints that must hold (kubernetes docs: topology-spread-constraints; plugin PodTopologySpread).

use super::{Domains, Obstacle, Pod, Scheduler, affinity, domain, taint};
use crate::cluster::selector;
use crate::decode::{Resource, Value};

/// One constraint with the number of matching pods in each domain.
#[derive(Debug)]
struct Constraint<'a> {
    topology_key: &'a str,
    max_skew: u32,
    /// Pods by domain, of the nodes that count.
    domains: Domains<'a>,
    /// The fewest pods in a domain; none when there are fewer domains than demanded.
    fewest: u32,
    /// The pod itself is counted by the constraint.
    counts_pod: bool,
}

/// The spread constraints of a pod, worked out once for all nodes.
#[derive(Debug)]
pub(super) struct Spread<'a> {
    constraints: Vec<Constraint<'a>>,
}

impl<'a> Spread<'a> {
    pub(super) fn new(scheduler: &Scheduler<'a>, pod: &Pod<'a>) -> Self {
        let binding = pod.spread.items();
        let binding: Vec<_> = binding.filter(|c| c.get("whenUnsatisfiable").text() == "DoNotSchedule").collect();
        let keys: Vec<_> = binding.iter().map(|c| c.get("topologyKey").text()).collect();
        let constraints = binding.iter().map(|c| Constraint::new(scheduler, pod, *c, &keys)).collect();
        Self { constraints }
    }

    pub(super) fn obstacle(&self, node: &Resource) -> Option<Obstacle<'a>> {
        self.constraints.iter().find_map(|constraint| {
            let topology_key = constraint.topology_key;
            let Some(domain) = domain(node, topology_key) else {
                return Some(Obstacle::TopologySpread { topology_key, unlabelled: true });
            };
            let there = constraint.domains.get(domain).copied().unwrap_or(0);
            let skew = (there + u32::from(constraint.counts_pod)).saturating_sub(constraint.fewest);
            (skew > constraint.max_skew).then_some(Obstacle::TopologySpread { topology_key, unlabelled: false })
        })
    }
}

impl<'a> Constraint<'a> {
    fn new(scheduler: &Scheduler<'a>, pod: &Pod<'a>, constraint: Value<'a>, keys: &[&str]) -> Self {
        let topology_key = constraint.get("topologyKey").text();
        let label_selector = constraint.get("labelSelector");
        let same = |labels: Value<'_>| {
            let mut keys = constraint.get("matchLabelKeys").items().map(Value::text);
            keys.all(|key| labels.get(key).as_str() == pod.labels.get(key).as_str())
        };
        let counts = |labels: Value<'_>| selector::selects(label_selector, labels) && same(labels);
        let honours_affinity = constraint.get("nodeAffinityPolicy").text() != "Ignore";
        let honours_taints = constraint.get("nodeTaintsPolicy").text() == "Honor";
        let is_counted = |node: &Resource| {
            keys.iter().all(|key| domain(node, key).is_some())
                && (!honours_affinity || affinity::of_node(pod, node).is_empty())
                && (!honours_taints || taint::untolerated(pod, node).next().is_none())
        };
        let mut domains = Domains::new();
        for node in scheduler.nodes.iter().filter(|n| is_counted(n.resource)) {
            let Some(domain) = domain(node.resource, topology_key) else { continue };
            let here = scheduler.pods_on(node).iter().filter(|other| {
                other.namespace() == pod.namespace()
                    && !other.resource.at("metadata.deletionTimestamp").exists()
                    && counts(other.labels)
            });
            *domains.entry(domain).or_default() += here.count() as u32;
        }
        let min_domains = constraint.get("minDomains").as_i64().unwrap_or(1);
        let enough = domains.len() as i64 >= min_domains;
        let fewest = domains.values().copied().min().filter(|_| enough).unwrap_or(0);
        let max_skew = constraint.get("maxSkew").as_i64().and_then(|skew| u32::try_from(skew).ok()).unwrap_or(1);
        Self { topology_key, max_skew, domains, fewest, counts_pod: counts(pod.labels) }
    }
}
