//! Which nodes take a pod, and what keeps it off the others: the filters of kube-scheduler's default profile, computed.
//!
//! Unlike the scheduler, which stops at the first filter that fails, all obstacles of a node are found: only so can it be
//! said which one, taken away alone, would make the node fit.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::resources::{self, Amounts, Bound};
use crate::cluster::selector::Requirement;
use crate::cluster::{Cluster, Quantity};
use crate::decode::{Origin, Ref, Resource, Value};

mod affinity;
mod blame;
mod message;
mod ports;
mod spread;
mod taint;
mod volume;

#[cfg(test)]
mod tests;

pub use blame::{Blame, blame};
pub use message::{Clause, Refusal};
pub use taint::{Purpose, Taint};

use affinity::Affinity;
use spread::Spread;

/// A pod as the scheduler sees it: one that exists, or one that a template would make.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'a> {
    /// The pod, or the object that carries the template.
    pub resource: &'a Resource,
    /// The pod's spec.
    pub spec: Value<'a>,
    /// Where the spec stands in the object: `spec`, `spec.template.spec`.
    pub path: &'static str,
    /// The pod's labels.
    pub labels: Value<'a>,
    /// Its affinity.
    affinity: Value<'a>,
    /// Its topology spread constraints.
    spread: Value<'a>,
}

impl<'a> Pod<'a> {
    /// The pod in `resource`, or the one its template makes. `None` when it has neither.
    pub fn of(resource: &'a Resource) -> Option<Self> {
        let (path, spec) = resource.pod_spec()?;
        let template = path.strip_suffix("spec").unwrap_or_default();
        let labels = resource.at(&format!("{template}metadata.labels"));
        Some(Self { resource, spec, path, labels, affinity: spec.get("affinity"), spread: spec.get("topologySpreadConstraints") })
    }

    /// The same with what `describe` and tables do not print of a pod, from the template it was made from.
    #[must_use]
    pub fn completed_by(self, template: Value<'a>) -> Self {
        let fill = |own: Value<'a>, field: &str| if own.exists() { own } else { template.get(field) };
        if self.resource.origin == Origin::Live {
            return self;
        }
        Self { affinity: fill(self.affinity, "affinity"), spread: fill(self.spread, "topologySpreadConstraints"), ..self }
    }

    /// Terms of node affinity that must hold, any of which suffices.
    fn node_terms(&self) -> Value<'a> {
        self.affinity.path("nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms")
    }

    pub(super) fn namespace(&self) -> Option<&'a str> {
        self.resource.namespace()
    }
}

/// A node with what is taken of it.
#[derive(Debug)]
pub struct Node<'a> {
    /// The node.
    pub resource: &'a Resource,
    /// What pods may request of it in all.
    pub allocatable: Amounts,
    /// What the pods on it request.
    pub requested: Amounts,
    /// How many pods that have not ended it runs.
    pub n_pods: u32,
}

/// What keeps a pod off a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle<'a> {
    /// The node is cordoned.
    Cordon,
    /// The pod does not tolerate a taint.
    Taint(Taint<'a>),
    /// The pod's `nodeSelector` demands labels the node does not have: these.
    NodeSelector(Vec<Requirement<'a>>),
    /// No term of the pod's required node affinity fits; what the nearest term misses.
    NodeAffinity(Vec<Requirement<'a>>),
    /// A host port is taken, by a pod of the bundle when that is known.
    HostPort {
        /// The port.
        port: i64,
        /// Who has it.
        holder: Ref,
    },
    /// Not enough of a resource is left.
    Resource {
        /// `cpu`, `memory`, `nvidia.com/gpu`
        name: String,
        /// What the pod requests.
        requested: Quantity,
        /// What the node has left.
        free: Quantity,
        /// What the node has in all.
        allocatable: Quantity,
    },
    /// The node runs as many pods as its kubelet admits.
    PodCount {
        /// That many.
        limit: Quantity,
    },
    /// A volume of the pod can only be used elsewhere.
    Volume {
        /// The PersistentVolume.
        volume: Ref,
        /// What its node affinity, or its zone label, misses at this node.
        unmet: Vec<Requirement<'a>>,
    },
    /// A spread constraint that must hold would be broken.
    TopologySpread {
        /// The label that tells domains apart.
        topology_key: &'a str,
        /// The node does not even have that label.
        unlabelled: bool,
    },
    /// No pod the pod wants to be near to is in this node's domain.
    PodAffinity {
        /// The label that tells domains apart.
        topology_key: &'a str,
        /// No pod anywhere is what the term selects.
        nowhere: bool,
    },
    /// A pod the pod (or which) must be apart from is in this node's domain.
    PodAntiAffinity {
        /// The label that tells domains apart.
        topology_key: &'a str,
        /// The other pod.
        with: Ref,
    },
    /// Only the scheduler's message tells: what is left of the node is not in the bundle.
    Told(Constraint),
}

/// Kinds of obstacles, in the order in which kube-scheduler checks them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// Cordon.
    Cordon,
    /// Taints that someone chose.
    Taint,
    /// Taints of the control plane.
    ControlPlaneTaint,
    /// Taints that mark a fault of the node.
    NodeFault,
    /// `nodeSelector`.
    NodeSelector,
    /// Required node affinity.
    NodeAffinity,
    /// Either of the two: the scheduler's message does not tell them apart.
    Placement,
    /// Host ports.
    HostPort,
    /// A resource by name.
    Resource(String),
    /// The number of pods.
    PodCount,
    /// Node affinity or zone of a bound volume.
    Volume,
    /// The number of volumes a node can attach.
    VolumeLimit,
    /// A claim that only one pod may use.
    ClaimInUse,
    /// A claim that is not bound, or volumes that cannot be found for one.
    UnboundClaim,
    /// A claim that does not exist.
    ClaimMissing,
    /// Topology spread.
    TopologySpread,
    /// Nearness to pods.
    PodAffinity,
    /// Apartness from pods.
    PodAntiAffinity,
    /// Anything else.
    Other,
}

impl Obstacle<'_> {
    /// Its kind.
    pub fn constraint(&self) -> Constraint {
        match self {
            Self::Cordon => Constraint::Cordon,
            Self::Taint(taint) => match taint.purpose() {
                Purpose::ControlPlane => Constraint::ControlPlaneTaint,
                Purpose::NodeFault => Constraint::NodeFault,
                Purpose::Cordon => Constraint::Cordon,
                Purpose::Chosen => Constraint::Taint,
            },
            Self::NodeSelector(_) => Constraint::NodeSelector,
            Self::NodeAffinity(_) => Constraint::NodeAffinity,
            Self::HostPort { .. } => Constraint::HostPort,
            Self::Resource { name, .. } => Constraint::Resource(name.clone()),
            Self::PodCount { .. } => Constraint::PodCount,
            Self::Volume { .. } => Constraint::Volume,
            Self::TopologySpread { .. } => Constraint::TopologySpread,
            Self::PodAffinity { .. } => Constraint::PodAffinity,
            Self::PodAntiAffinity { .. } => Constraint::PodAntiAffinity,
            Self::Told(constraint) => constraint.clone(),
        }
    }
}

/// A cluster as the scheduler sees it.
#[derive(Debug)]
pub struct Scheduler<'a> {
    cluster: &'a Cluster,
    nodes: Vec<Node<'a>>,
    /// Pods that have not ended, by node.
    placed: FxHashMap<&'a str, Vec<Pod<'a>>>,
}

impl<'a> Scheduler<'a> {
    /// The nodes of `cluster` with the pods on them.
    pub fn new(cluster: &'a Cluster) -> Self {
        Self::with_pods(cluster, |_| true)
    }

    /// The nodes of `cluster` as if only those pods ran that are to be kept.
    pub fn with_pods(cluster: &'a Cluster, keep: impl Fn(&Resource) -> bool) -> Self {
        let mut placed: FxHashMap<&str, Vec<Pod<'_>>> = FxHashMap::default();
        for pod in cluster.kind("Pod").filter(|p| p.origin != Origin::Manifest && !has_ended(p) && keep(p)) {
            let node = pod.at("spec.nodeName").text();
            if !node.is_empty()
                && let Some(pod) = Pod::of(pod)
            {
                placed.entry(node).or_default().push(pod);
            }
        }
        let nodes = cluster.kind("Node").map(|node| Node::new(node, placed.get(node.name()).map_or(&[], Vec::as_slice)));
        let nodes = nodes.collect();
        Self { cluster, nodes, placed }
    }

    /// The nodes, by name.
    pub fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    /// What keeps `pod` off each node: one list per node, empty where it fits.
    pub fn obstacles(&self, pod: &Pod<'a>) -> Vec<Vec<Obstacle<'a>>> {
        let requested = resources::of_pod(pod.spec, Bound::Requests);
        let affinity = Affinity::new(self, pod);
        let spread = Spread::new(self, pod);
        let volumes = volume::bound(self.cluster, pod);
        let tolerates_cordon = taint::tolerates_cordon(pod);
        let of_node = |node: &Node<'a>| {
            let mut found = Vec::new();
            if node.is_cordoned() && !tolerates_cordon {
                found.push(Obstacle::Cordon);
            }
            let taints = taint::untolerated(pod, node.resource).filter(|t| t.purpose() != Purpose::Cordon);
            found.extend(taints.map(Obstacle::Taint));
            found.extend(affinity::of_node(pod, node.resource));
            found.extend(ports::taken(pod, self.pods_on(node)));
            found.extend(node.shortages(&requested));
            found.extend(volumes.iter().filter_map(|v| volume::obstacle(v, node.resource)));
            found.extend(spread.obstacle(node.resource));
            found.extend(affinity.obstacles(node.resource));
            found
        };
        self.nodes.iter().map(of_node).collect()
    }

    fn pods_on(&self, node: &Node<'_>) -> &[Pod<'a>] {
        self.placed.get(node.resource.name()).map_or(&[], Vec::as_slice)
    }

    /// Pods on nodes, each with its node, in order of nodes.
    fn placed_pods(&self) -> impl Iterator<Item = (&'a Resource, &Pod<'a>)> {
        self.nodes.iter().flat_map(|node| self.pods_on(node).iter().map(|pod| (node.resource, pod)))
    }
}

impl<'a> Node<'a> {
    fn new(resource: &'a Resource, pods: &[Pod<'_>]) -> Self {
        let mut requested = Amounts::new();
        for pod in pods {
            resources::add(&mut requested, &resources::of_pod(pod.spec, Bound::Requests));
        }
        let allocatable = [resource.at("status.allocatable"), resource.at("status.capacity")];
        let allocatable = allocatable.into_iter().find(|a| !a.is_empty()).map(resources::amounts).unwrap_or_default();
        Self { resource, allocatable, requested, n_pods: pods.len() as u32 }
    }

    /// Resources of which less is left than requested. A node whose allocatable is not in the bundle is not judged.
    fn shortages(&self, requested: &Amounts) -> Vec<Obstacle<'a>> {
        if self.allocatable.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        if let Some(&limit) = self.allocatable.get("pods")
            && Quantity::whole(i64::from(self.n_pods)) >= limit
        {
            found.push(Obstacle::PodCount { limit });
        }
        for (name, &wanted) in requested.iter().filter(|(_, wanted)| !wanted.is_zero()) {
            let allocatable = self.allocatable.get(name).copied().unwrap_or_default();
            let taken = self.requested.get(name).copied().unwrap_or_default();
            let free = (allocatable - taken).at_least_zero();
            if wanted > free {
                found.push(Obstacle::Resource { name: name.clone(), requested: wanted, free, allocatable });
            }
        }
        found
    }

    /// Is it cordoned? The taint of a cordon counts unless the node says outright that it is open: then it is about to go.
    pub fn is_cordoned(&self) -> bool {
        let mut taints = self.resource.at("spec.taints").items();
        let stated = self.resource.at("spec.unschedulable").as_bool();
        stated.unwrap_or_else(|| taints.any(|t| Taint::of(t).purpose() == Purpose::Cordon))
    }

    /// Does it belong to the control plane?
    pub fn is_control_plane(&self) -> bool {
        const ROLES: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
        ROLES.iter().any(|role| self.resource.label(role).is_some())
            || matches!(self.resource.label("kubernetes.io/role"), Some("master" | "control-plane"))
            || self.resource.at("spec.taints").items().any(|t| Taint::of(t).purpose() == Purpose::ControlPlane)
    }
}

/// Pods that have ended hold nothing any more.
fn has_ended(pod: &Resource) -> bool {
    matches!(pod.at("status.phase").text(), "Succeeded" | "Failed")
}

/// The value of the node's label `key`: its domain. The label with the node's own name is the kubelet's, which sets it
/// again where somebody took it away.
fn domain<'n>(node: &'n Resource, key: &str) -> Option<&'n str> {
    node.label(key).or_else(|| (key == "kubernetes.io/hostname").then(|| node.name()))
}

/// Numbers by domain.
type Domains<'a> = BTreeMap<&'a str, u32>;
