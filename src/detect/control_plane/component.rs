//! Scheduler and controller manager: they are seen by what they leave undone, and by their unit, pod and Lease.

use jiff::{SignedDuration, Timestamp};

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{NodeService, Origin, Ref, Resource};
use crate::detect::node::unit::{evidence, is_down, reason, words};
use crate::detect::{Evidence, EvidenceKind, Finding};

/// Leader Leases are renewed every few seconds.
const STALE: SignedDuration = SignedDuration::from_secs(60);

/// A pod nobody looked at for this long was not looked at.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

pub(super) fn scheduler(cluster: &Cluster, out: &mut Vec<Finding>) {
    let waiting: Vec<&Resource> = cluster.kind("Pod").filter(|p| is_overlooked(cluster, p)).collect();
    let component = Component { cluster, name: "kube-scheduler" };
    let Some((culprit, proof, state)) = component.down() else {
        if let Some(finding) = silent_scheduler(cluster, &waiting) {
            out.push(finding);
        }
        return;
    };
    out.push(component.finding("kube-scheduler-down", culprit, proof, state, &waiting, "no scheduler has said a word about it"));
}

/// Pods wait, and nothing tells of the scheduler itself.
fn silent_scheduler(cluster: &Cluster, waiting: &[&Resource]) -> Option<Finding> {
    let first = waiting.first()?;
    let component = Component { cluster, name: "kube-scheduler" };
    let works = component.is_led()
        || cluster.events().iter().any(|e| e.source.contains("scheduler") && recent(cluster, e.last.or(e.first)));
    let node = cluster.kind("Node").find(|n| is_control_plane(n))?;
    if works {
        return None;
    }
    let says = "it has no node, no PodScheduled condition and no event of a scheduler";
    let evidence = Evidence::field(first, "status.phase", Strength::Hint, says);
    let state = "Nothing else in the bundle tells of the scheduler".to_owned();
    Some(component.finding("kube-scheduler-down", node.reference.clone(), evidence, state, waiting, says))
}

/// Pending, and neither scheduled nor refused by anybody, for long enough.
fn is_overlooked(cluster: &Cluster, pod: &Resource) -> bool {
    let scheduler = pod.at("spec.schedulerName").text();
    let said = cluster.events_of(&pod.reference).any(|e| matches!(e.reason.as_str(), "FailedScheduling" | "Scheduled"));
    let created: Option<Timestamp> = pod.at("metadata.creationTimestamp").text().parse().ok();
    let old = created.zip(cluster.now).is_none_or(|(at, now)| now.duration_since(at) > PATIENCE);
    pod.origin != Origin::Manifest
        && pod.at("status.phase").text() == "Pending"
        && pod.at("spec.nodeName").text().is_empty()
        && !pod.condition("PodScheduled").exists()
        && matches!(scheduler, "" | "default-scheduler")
        && pod.at("spec.schedulingGates").is_empty()
        && !pod.at("metadata.deletionTimestamp").exists()
        && !said
        && old
}

pub(super) fn controller_manager(cluster: &Cluster, out: &mut Vec<Finding>) {
    let component = Component { cluster, name: "kube-controller-manager" };
    let Some((culprit, proof, state)) = component.down() else { return };
    let is_unseen = |r: &&Resource| {
        let generation = r.at("metadata.generation").as_i64().unwrap_or(0);
        r.origin == Origin::Live && r.at("status.observedGeneration").as_i64().unwrap_or(0) < generation
    };
    let kinds = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"];
    let unseen: Vec<&Resource> = kinds.iter().flat_map(|k| cluster.kind(k)).filter(is_unseen).collect();
    let says = "no controller has seen its newest generation";
    out.push(component.finding("kube-controller-manager-down", culprit, proof, state, &unseen, says));
}

/// A component that elects a leader and runs as a unit or as a static pod.
struct Component<'a> {
    cluster: &'a Cluster,
    name: &'static str,
}

impl<'a> Component<'a> {
    /// Who is to blame, the proof, and its state in words, when the component does not work.
    fn down(&self) -> Option<(Ref, Evidence, String)> {
        if self.is_led() {
            return None;
        }
        self.by_unit().or_else(|| self.by_pod()).or_else(|| self.by_lease())
    }

    fn lease(&self) -> Option<&'a Resource> {
        self.cluster.find("Lease", Some("kube-system"), self.name)
    }

    fn renewed(&self) -> Option<Timestamp> {
        self.lease()?.at("spec.renewTime").text().parse().ok()
    }

    /// Its Lease was renewed just now: another instance has taken over.
    fn is_led(&self) -> bool {
        matches!((self.renewed(), self.cluster.now), (Some(at), Some(now)) if now.duration_since(at) < STALE)
    }

    fn by_unit(&self) -> Option<(Ref, Evidence, String)> {
        let units = || self.cluster.node_services.iter().filter(|s| s.unit == self.name);
        let down = units().find(|s| is_down(s))?;
        // One of several that elect a leader may rest.
        if units().any(|s| s.active == "active") {
            return None;
        }
        let node = self.node_of(down)?;
        let says = format!("systemd says that {} does not run", self.name);
        let state = format!("Its unit is {} ({}) on {}", down.active, down.sub, node.name());
        Some((node.reference.clone(), evidence(down, Strength::Proof, &says), state))
    }

    fn node_of(&self, unit: &NodeService) -> Option<&'a Resource> {
        let named = unit.node.as_deref().and_then(|n| self.cluster.find("Node", None, n));
        named.or_else(|| self.cluster.kind("Node").find(|n| is_control_plane(n)))
    }

    fn by_pod(&self) -> Option<(Ref, Evidence, String)> {
        let pods = || {
            let ours =
                |p: &&Resource| p.label("component") == Some(self.name) || p.name().starts_with(&format!("{}-", self.name));
            self.cluster.kind("Pod").filter(|p| p.namespace() == Some("kube-system")).filter(ours)
        };
        if pods().any(|p| self.cluster.is_settled(p)) {
            return None;
        }
        let (pod, container) = pods().find_map(|p| {
            let dying = self.cluster.containers(p).into_iter().find(|c| c.is_dying(self.cluster))?;
            Some((p, dying))
        })?;
        let state = container.status.get("state");
        let says = format!("the container of {} does not stay up", self.name);
        let proof = Evidence::value(pod, state, "state", Strength::Statement, says).of_kind(EvidenceKind::Status);
        Some((pod.reference.clone(), proof, format!("Pod {} is restarted again and again", pod.name())))
    }

    fn by_lease(&self) -> Option<(Ref, Evidence, String)> {
        let (lease, renewed, now) = (self.lease()?, self.renewed()?, self.cluster.now?);
        let held_by = lease.at("spec.holderIdentity").text();
        let node = held_by.split('_').next().and_then(|host| self.cluster.find("Node", None, host));
        let node = node.or_else(|| self.cluster.kind("Node").find(|n| is_control_plane(n)))?;
        let says = "nobody has renewed its Lease";
        let age = now.duration_since(renewed).as_secs();
        let proof = Evidence::field(lease, "spec.renewTime", Strength::Statement, says);
        Some((node.reference.clone(), proof, format!("Its Lease was last renewed {age} seconds before the end of the bundle")))
    }

    fn finding(&self, cause: &str, culprit: Ref, proof: Evidence, state: String, undone: &[&Resource], says: &str) -> Finding {
        let mut finding = Finding::new(cause, culprit, proof)
            .fact("state", state)
            .fact("waiting", undone.len())
            .affects(undone.iter().map(|r| r.reference.clone()));
        if let Some(first) = undone.first() {
            let path = if first.kind() == "Pod" { "status.phase" } else { "metadata.generation" };
            finding = finding.evidence(Evidence::field(first, path, Strength::Hint, says));
        }
        let unit = self.cluster.node_services.iter().find(|s| s.unit == self.name && is_down(s));
        if let Some((line, evidence)) = unit.and_then(reason) {
            finding = finding.fact("why", words(&line.text)).evidence(evidence);
        }
        finding
    }
}

fn is_control_plane(node: &Resource) -> bool {
    let labels = node.at("metadata.labels");
    ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"].iter().any(|l| labels.get(l).tag().is_some())
        || labels.get("kubernetes.io/role").text() == "master"
}

fn recent(cluster: &Cluster, at: Option<Timestamp>) -> bool {
    matches!((at, cluster.now), (Some(at), Some(now)) if now.duration_since(at) < STALE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{cluster, resource};
    use crate::decode::{Document, Patterns};
    use crate::location::Location;

    fn lease(name: &str, at: &str) -> Json {
        json!({"kind": "Lease", "metadata": {"name": name, "namespace": "kube-system"},
               "spec": {"renewTime": at, "holderIdentity": "cp_0b1c"}})
    }

    fn world(scheduler_renewed: &str) -> Vec<Json> {
        let control_plane = json!({"node-role.kubernetes.io/control-plane": ""});
        vec![
            json!({"kind": "Node", "metadata": {"name": "cp", "labels": control_plane}}),
            json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop", "creationTimestamp": "2026-03-01T09:50:00Z"},
                   "status": {"phase": "Pending"}}),
            lease("kube-scheduler", scheduler_renewed),
            lease("kube-controller-manager", "2026-03-01T10:00:00Z"),
        ]
    }

    fn found(cluster: &Cluster) -> Vec<Finding> {
        let mut out = Vec::new();
        scheduler(cluster, &mut out);
        controller_manager(cluster, &mut out);
        out
    }

    #[test]
    fn a_stale_lease_tells_a_dead_scheduler() {
        let found_in = found(&cluster(&world("2026-03-01T09:48:00Z")));
        assert_eq!((found_in[0].cause.as_str(), found_in[0].culprit.to_string().as_str()), ("kube-scheduler-down", "Node cp"));
        assert_eq!(found_in.len(), 1);
        assert!(found(&cluster(&world("2026-03-01T09:59:58Z"))).is_empty());
    }

    #[test]
    fn the_dead_unit_is_a_proof_and_a_resting_one_is_not() {
        let unit = |node: &str, active: &str| {
            Document::NodeService(NodeService {
                node: Some(node.to_owned()),
                unit: "kube-scheduler".to_owned(),
                active: active.to_owned(),
                sub: String::new(),
                enabled: true,
                since: None,
                location: Location::line(&Arc::from("units.txt"), 1),
                lines: Vec::new(),
            })
        };
        let with = |units: Vec<Document>| {
            let objects = &world("")[..2];
            let resources = objects.iter().map(|o| Document::Resource(resource(o, Origin::Live, 1)));
            found(&Cluster::new(resources.chain(units).collect(), Arc::new(Patterns::new(Vec::new()).unwrap())))
        };
        assert_eq!(with(vec![unit("cp", "inactive")])[0].strength(), Strength::Proof);
        let resting = with(vec![unit("cp", "inactive"), unit("cp2", "active")]);
        assert!(resting.iter().all(|f| f.strength() == Strength::Hint));
    }

    #[test]
    fn a_pod_the_scheduler_spoke_of_was_not_overlooked() {
        let mut objects = world("2026-03-01T10:00:00Z");
        objects.truncate(2);
        objects[1]["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
        assert!(found(&cluster(&objects)).is_empty());
    }
}
