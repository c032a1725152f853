//! Nodes that are not ready, and why: the kubelet, the runtime below it, the pod network, or the machine itself.

use jiff::{SignedDuration, Timestamp};

use super::unit::{evidence, is_down, is_stopped, latest, line_evidence, misses_runtime, reason, unit, words};
use crate::catalog::Strength;
use crate::cluster::{Cluster, is_network_plugin};
use crate::decode::{LogLine, NodeService, Origin, Resource, Value};
use crate::detect::symptom::pod_trouble;
use crate::detect::{Evidence, EvidenceKind, Finding};

/// The kubelet renews its Lease every ten seconds; one this much older than the newest is stale.
const STALE: SignedDuration = SignedDuration::from_secs(75);

/// Units of container runtimes, by the prefix of `status.nodeInfo.containerRuntimeVersion`.
const RUNTIMES: [(&str, &[&str]); 3] =
    [("containerd", &["containerd"]), ("cri-o", &["crio", "cri-o"]), ("docker", &["docker", "dockerd", "cri-docker"])];

pub(super) fn nodes(cluster: &Cluster, out: &mut Vec<Finding>) {
    for resource in cluster.kind("Node").filter(|n| n.origin != Origin::Manifest) {
        let node = Node { cluster, node: resource, ready: resource.condition("Ready") };
        out.extend(node.runtime_down().or_else(|| node.kubelet_down()).or_else(|| node.not_ready()));
    }
}

struct Node<'a> {
    cluster: &'a Cluster,
    node: &'a Resource,
    ready: Value<'a>,
}

impl<'a> Node<'a> {
    fn is_unknown(&self) -> bool {
        self.ready.get("status").text() == "Unknown"
    }

    fn is_unready(&self) -> bool {
        self.ready.get("status").as_bool() == Some(false)
    }

    fn is_ready(&self) -> bool {
        self.ready.get("status").is_true()
    }

    /// The kubelet's journal ends in complaints of the runtime.
    fn misses_runtime(&self) -> Option<(&'a NodeService, &'a LogLine)> {
        let kubelet = self.unit("kubelet")?;
        Some((kubelet, latest(kubelet, misses_runtime)?))
    }

    fn unit(&self, name: &str) -> Option<&'a NodeService> {
        unit(self.cluster, self.node.name(), name)
    }

    /// The unit does not run, and is meant to: by its own setting, or because the node does not work without it.
    fn misses(&self, unit: &NodeService) -> bool {
        is_down(unit) || is_stopped(unit) && (self.is_unknown() || self.is_unready())
    }

    fn condition(&self, strength: Strength, says: &str) -> Evidence {
        let value = if self.ready.get("message").exists() { self.ready.get("message") } else { self.ready.get("status") };
        Evidence::value(self.node, value, "Ready", strength, says).of_kind(EvidenceKind::Condition)
    }

    /// The container runtime's unit is down, or the kubelet says that it is.
    fn runtime_down(&self) -> Option<Finding> {
        let version = self.node.at("status.nodeInfo.containerRuntimeVersion").text();
        let (name, units) = RUNTIMES.iter().find(|(name, _)| version.starts_with(name)).copied().unwrap_or(RUNTIMES[0]);
        let down = units.iter().find_map(|u| self.unit(u)).filter(|u| self.misses(u));
        let message = self.ready.get("message").text();
        // While the runtime is gone its network is not ready either; a check that is late says nothing of its own.
        let says_so = ["container runtime is down", "container runtime not ready"].iter().any(|w| message.contains(w));
        let late = message.contains("container runtime status check may not have completed");
        let told = self.is_unready() && (says_so || late && !message.contains("NetworkReady=false"));
        let runtime = if name == "cri-o" { "crio" } else { name };
        if let Some(unit) = down {
            let says = "systemd says that the container runtime does not run";
            let found = self.finding("containerd-down", evidence(unit, Strength::Proof, says), Some(unit));
            let found = found.fact("state", format!("its unit is {} ({})", unit.active, unit.sub)).fact("runtime", runtime);
            return Some(if told { found.evidence(self.condition(Strength::Statement, "the kubelet misses it")) } else { found });
        }
        if let Some((unit, line)) = self.misses_runtime().filter(|_| !told && !self.is_ready()) {
            let evidence = line_evidence(unit, line, Strength::Statement, "the kubelet finds no container runtime");
            let state = words(&line.text);
            return Some(self.finding("containerd-down", evidence, None).fact("state", state).fact("runtime", runtime));
        }
        if told {
            let says = "the kubelet cannot reach the container runtime";
            let found = self.finding("containerd-down", self.condition(Strength::Statement, says), None);
            return Some(self.with_socket_errors(found).fact("state", message).fact("runtime", runtime));
        }
        None
    }

    /// The kubelet's journal complains of the runtime's socket.
    fn with_socket_errors(&self, finding: Finding) -> Finding {
        let Some((kubelet, line)) = self.misses_runtime() else { return finding };
        finding.evidence(line_evidence(kubelet, line, Strength::Statement, "the kubelet finds no socket to talk to"))
    }

    /// The kubelet's unit is down, or it has stopped to report.
    fn kubelet_down(&self) -> Option<Finding> {
        if let Some(unit) = self.unit("kubelet").filter(|u| self.misses(u)) {
            let says = "systemd says that the kubelet does not run";
            let found = self.finding("kubelet-down", evidence(unit, Strength::Proof, says), Some(unit));
            let found = found.fact("state", format!("its unit is {} ({})", unit.active, unit.sub));
            let told = self.is_unknown() || self.is_unready();
            let says = "the control plane has given the node up";
            return Some(if told { found.evidence(self.condition(Strength::Statement, says)) } else { found });
        }
        if self.is_unknown() && self.ready.get("reason").text() != "NodeStatusNeverUpdated" {
            return Some(self.silent());
        }
        self.unconfirmed_deletion().or_else(|| self.stale_lease())
    }

    /// A table tells no more than that the node is not ready; pods that stay Terminating tell that its kubelet, which alone
    /// confirms that they have ended, does not act.
    fn unconfirmed_deletion(&self) -> Option<Finding> {
        let told = ["reason", "message"].iter().any(|field| self.ready.get(field).exists());
        if !self.is_unready() || told {
            return None;
        }
        let name = self.node.name();
        let overdue = |p: &&Resource| {
            let deleted = p.at("metadata.deletionTimestamp").exists();
            p.at("spec.nodeName").text() == name && deleted && pod_trouble(self.cluster, p).is_some()
        };
        let pod = self.cluster.kind("Pod").find(overdue)?;
        let says = "nobody on the node confirms that it has ended";
        let evidence = Evidence::field(pod, "metadata.deletionTimestamp", Strength::Statement, says);
        let state = format!("it is not ready, and pod {} stays Terminating on it", pod.name());
        Some(self.finding("kubelet-down", evidence, None).fact("state", state).affects([pod.reference.clone()]))
    }

    /// No word from the node: is the kubelet dead, or the machine?
    fn silent(&self) -> Finding {
        let taints = self.node.at("spec.taints");
        let shut_down = taints.items().find(|t| t.get("key").text() == "node.cloudprovider.kubernetes.io/shutdown");
        if let Some(taint) = shut_down {
            let says = "the cloud says that the machine is shut down";
            let evidence = Evidence::value(self.node, taint.get("key"), "taint", Strength::Proof, says);
            return self.finding("node-unreachable", evidence, None).fact("state", "the cloud says that it is shut down");
        }
        let condition = self.condition(Strength::Statement, "the control plane has heard nothing of it");
        let message = self.ready.get("message").text();
        if let Some(note) = self.unreachable() {
            return self.finding("node-unreachable", condition, None).evidence(note).fact("state", message);
        }
        if self.unit("kubelet").is_some_and(|u| u.active == "active") {
            let why = "Its kubelet runs, so what fails is the way between the node and the API server.";
            return self.finding("node-unreachable", condition, None).fact("state", message).fact("why", why);
        }
        self.finding("kubelet-down", condition, None).fact("state", message)
    }

    /// The collector could not reach the node's kubelet although it tried: no route, or no answer in time.
    fn unreachable(&self) -> Option<Evidence> {
        let address = self.node.at("status.addresses").items().find(|a| a.get("type").text() == "InternalIP")?;
        let kubelet = format!("{}:10250", address.get("address").text());
        let lost = |text: &str| ["no route to host", "i/o timeout", "deadline exceeded"].iter().any(|w| text.contains(w));
        let note = self.cluster.notes.iter().find(|n| n.text.contains(&kubelet) && lost(&n.text))?;
        let says = "the collector could not reach the node either";
        Some(Evidence::file(note.location.clone(), note.text.clone(), Strength::Statement, says))
    }

    /// The Lease is older than those of the other nodes, and nobody has noticed yet.
    fn stale_lease(&self) -> Option<Finding> {
        let renewed = |name: &str| -> Option<Timestamp> {
            self.cluster.find("Lease", Some("kube-node-lease"), name)?.at("spec.renewTime").text().parse().ok()
        };
        let own = renewed(self.node.name())?;
        let newest = self.cluster.kind("Node").filter_map(|n| renewed(n.name())).max()?;
        let others = self.cluster.kind("Node").filter(|n| renewed(n.name()).is_some()).count();
        if others < 2 || newest.duration_since(own) < STALE {
            return None;
        }
        let lease = self.cluster.find("Lease", Some("kube-node-lease"), self.node.name())?;
        let says = "its kubelet has not renewed the Lease while others have";
        let evidence = Evidence::field(lease, "spec.renewTime", Strength::Statement, says);
        let state = format!("its Lease was renewed {} seconds before the newest one", newest.duration_since(own).as_secs());
        Some(self.finding("kubelet-down", evidence, None).fact("state", state).affects([lease.reference.clone()]))
    }

    /// The kubelet reports, and says itself why the node is not ready.
    fn not_ready(&self) -> Option<Finding> {
        if !self.is_unready() {
            return None;
        }
        let message = self.ready.get("message").text();
        let has = |words: &[&str]| words.iter().any(|w| message.contains(w));
        let cause = if has(&["cni", "NetworkPluginNotReady", "network plugin", "NetworkReady=false"]) {
            "cni-not-initialized"
        } else if has(&["PLEG is not healthy", "DeadlineExceeded"]) {
            "container-runtime-unhealthy"
        } else {
            return self.network_plugin_fails().filter(|_| message.is_empty());
        };
        let condition = self.condition(Strength::Statement, "the kubelet says why the node is not ready");
        let mut finding = self.finding(cause, condition, None).fact("state", message);
        if cause == "cni-not-initialized" {
            let plugin = self.network_pods().map(|p| p.name().to_owned()).collect::<Vec<_>>();
            let why = match plugin.as_slice() {
                [] => String::new(),
                names => format!("Not ready on this node: {}.", names.join(", ")),
            };
            finding = finding.fact("why", why);
        }
        Some(finding)
    }

    /// A table tells no reason; the pod that sets up the node's network dies, which leaves the node without one.
    fn network_plugin_fails(&self) -> Option<Finding> {
        let (pod, container) = self.network_pods().find_map(|pod| {
            let dying = self.cluster.containers(pod).into_iter().find(|c| c.is_dying(self.cluster))?;
            Some((pod, dying))
        })?;
        let says = "the network plug-in's pod on the node does not stay up";
        let state = Evidence::value(pod, container.status.get("state"), "reason", Strength::Statement, says);
        let found = self.finding("cni-not-initialized", state.of_kind(EvidenceKind::Status), None);
        Some(found.fact("state", format!("pod {} does not stay up", pod.name())).affects([pod.reference.clone()]))
    }

    /// Pods of the node that look like a network plug-in's and are not ready.
    fn network_pods(&self) -> impl Iterator<Item = &'a Resource> {
        let name = self.node.name();
        self.cluster.pods_on(name).filter(move |p| is_network_plugin(p) && !self.cluster.is_settled(p))
    }

    fn finding(&self, cause: &str, evidence: Evidence, unit: Option<&NodeService>) -> Finding {
        let name = self.node.name();
        let on_it: Vec<_> = self.cluster.pods_on(name).map(|p| p.reference.clone()).collect();
        let ready_nodes = self.cluster.kind("Node").filter(|n| n.condition("Ready").get("status").is_true()).count();
        let since = unit.and_then(|u| u.since).map(|t| t.to_string());
        let since = since.unwrap_or_else(|| self.ready.get("lastTransitionTime").text().to_owned());
        let mut finding = Finding::new(cause, self.node.reference.clone(), evidence)
            .fact("pods", on_it.len())
            .fact("ready_nodes", ready_nodes)
            .fact("since", since);
        if let Some((line, evidence)) = unit.and_then(reason) {
            finding = finding.fact("why", words(&line.text)).evidence(evidence);
        }
        finding
    }
}
