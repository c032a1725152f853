//! Pods that no node takes: the obstacle to blame, and the object to change.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::template::Template;
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::simulate::scheduling::{Blame, Constraint, Obstacle, Pod, Refusal, Scheduler, blame};
use crate::cluster::{Cluster, owner_ref};
use crate::decode::{Event, Origin, Ref, Resource};

mod finding;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "scheduling", run: scheduling }];

/// Pods of one owner are alike; this many of them are looked at one by one.
const MOST_PODS_OF_AN_OWNER: usize = 5;

/// A pod this young that nobody complained about may simply not have been looked at yet.
const YOUNG: SignedDuration = SignedDuration::from_secs(30);

fn scheduling(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut waiting: BTreeMap<Ref, Vec<&Resource>> = BTreeMap::new();
    for pod in cluster.kind("Pod").filter(|p| is_waiting_for_a_node(p)) {
        waiting.entry(cluster.top_owner_ref(pod)).or_default().push(pod);
    }
    if waiting.is_empty() {
        return;
    }
    let scheduler = Scheduler::new(cluster);
    for pods in waiting.values() {
        for pod in pods.iter().take(MOST_PODS_OF_AN_OWNER) {
            let Some(waiting) = Waiting::new(cluster, pod, pods) else { continue };
            out.extend(waiting.gated().or_else(|| waiting.unknown_scheduler()).or_else(|| waiting.blamed(&scheduler)));
        }
    }
}

fn is_waiting_for_a_node(pod: &Resource) -> bool {
    pod.origin != Origin::Manifest
        && matches!(pod.at("status.phase").text(), "Pending" | "")
        && pod.at("spec.nodeName").text().is_empty()
        && !pod.at("metadata.deletionTimestamp").exists()
}

/// A pod that waits for a node, with what the scheduler says of it.
struct Waiting<'a> {
    cluster: &'a Cluster,
    pod: Pod<'a>,
    template: Template<'a>,
    /// All pods of the owner that wait.
    siblings: &'a [&'a Resource],
    /// The newest FailedScheduling event.
    event: Option<&'a Event>,
    /// The scheduler's words, from the event or the condition; empty when it said nothing.
    message: &'a str,
}

impl<'a> Waiting<'a> {
    fn new(cluster: &'a Cluster, pod: &'a Resource, siblings: &'a [&'a Resource]) -> Option<Self> {
        let event = cluster.events_of(&pod.reference).filter(|e| e.reason == "FailedScheduling" && cluster.is_current(e)).last();
        let condition = pod.condition("PodScheduled").get("message").text();
        let message = if condition.starts_with("0/") { condition } else { event.map_or(condition, |e| e.message.as_str()) };
        let template = Template::of(cluster, pod)?;
        let pod = Pod::of(pod)?.completed_by(template.at(""));
        Some(Self { cluster, pod, template, siblings, event, message })
    }

    /// The scheduler has looked at the pod, or had the time to.
    fn was_considered(&self) -> bool {
        let pod = self.pod.resource;
        let condition = pod.condition("PodScheduled");
        let age = self
            .cluster
            .now
            .zip(pod.at("metadata.creationTimestamp").text().parse().ok())
            .map(|(now, at)| now.duration_since(at));
        !self.message.is_empty() || condition.get("status").as_bool() == Some(false) || age.is_some_and(|age| age > YOUNG)
    }

    fn gated(&self) -> Option<Finding> {
        let gates = self.pod.spec.get("schedulingGates");
        if gates.is_empty() {
            return None;
        }
        let names: Vec<_> = gates.items().map(|g| g.get("name").text()).collect();
        let says = "the scheduler does not look at the pod while a gate is left";
        let evidence = Evidence::field(self.pod.resource, "spec.schedulingGates", Strength::Proof, says);
        Some(self.finding("scheduling-gated", self.template.carrier.clone(), evidence).fact("gates", names.join(", ")))
    }

    /// No scheduler goes by the name the pod gives. Running schedulers are told by their names in pods' names, labels,
    /// arguments and configuration.
    fn unknown_scheduler(&self) -> Option<Finding> {
        let pod = self.pod.resource;
        let field = self.pod.spec.get("schedulerName");
        let name = field.text();
        if matches!(name, "" | "default-scheduler") || !self.message.is_empty() || pod.condition("PodScheduled").exists() {
            return None;
        }
        let others = || self.cluster.kind("Pod").filter(|p| p.reference != pod.reference && !self.is_sibling(p));
        let is_running = others().any(|p| {
            let arguments = p.at("spec.containers").items().flat_map(|c| c.get("args").items().chain(c.get("command").items()));
            p.name().contains(name)
                || p.at("metadata.labels").fields().any(|(_, v)| v.text() == name)
                || arguments.clone().any(|a| a.text().contains(name))
        });
        if is_running || !self.was_considered() {
            return None;
        }
        let says = "no pod of the bundle is a scheduler of that name, and none has said a word about this pod";
        let evidence = Evidence::value(pod, field, "schedulerName", Strength::Statement, says);
        let ops = self
            .template
            .pointer()
            .map(|p| serde_json::json!([{"op": "replace", "path": format!("{p}/schedulerName"), "value": "default-scheduler"}]));
        let finding = self.finding("scheduler-name-unknown", self.template.carrier.clone(), evidence);
        Some(finding.fact("scheduler", name).fact("ops", ops.unwrap_or_default()))
    }

    fn is_sibling(&self, pod: &Resource) -> bool {
        self.siblings.iter().any(|s| s.reference == pod.reference)
    }

    fn blamed(&self, scheduler: &Scheduler<'a>) -> Option<Finding> {
        if !self.was_considered() {
            return None;
        }
        let refusal = Refusal::parse(self.message);
        if self.message.is_empty() && self.claims_are_unbound() {
            return None;
        }
        // Recreate takes the old pods away before it makes new ones: they are in nobody's way.
        let emptied = (self.template.holder.at("spec.strategy.type").text() == "Recreate").then(|| {
            let is_older = |p: &Resource| self.cluster.top_owner_ref(p) == self.template.carrier && !self.has_same_owner(p);
            Scheduler::with_pods(self.cluster, |p| !is_older(p))
        });
        let blame = blame(emptied.as_ref().unwrap_or(scheduler), &self.pod, refusal.as_ref())?;
        finding::of(self, &blame, refusal.as_ref())
    }

    fn has_same_owner(&self, pod: &Resource) -> bool {
        owner_ref(pod) == owner_ref(self.pod.resource)
    }

    /// The scheduler puts a pod aside before it looks at any node when a claim of the pod is missing or unbound.
    fn claims_are_unbound(&self) -> bool {
        let mut claims = self.pod.spec.get("volumes").items().map(|v| v.path("persistentVolumeClaim.claimName").text());
        claims.any(|name| {
            let claim = self.cluster.find("PersistentVolumeClaim", self.pod.resource.namespace(), name);
            !name.is_empty() && claim.is_none_or(|c| c.at("spec.volumeName").text().is_empty())
        })
    }

    /// A finding with the facts all causes of this area share.
    fn finding(&self, cause: &str, culprit: Ref, evidence: Evidence) -> Finding {
        let mut finding = Finding::new(cause, culprit, evidence)
            .fact("pod", self.pod.resource.name())
            .fact("pod_ns", self.pod.resource.namespace().unwrap_or_default())
            .fact("n_pods", self.siblings.len())
            .fact("workload", self.template.carrier.to_string())
            .fact("message", self.message);
        if let Some(pointer) = self.template.pointer() {
            finding = finding.fact("pointer", pointer);
        }
        if let Some(event) = self.event {
            finding = finding.evidence(Evidence::event(
                event,
                Strength::Statement,
                "the scheduler counts every node once, under the first filter that refused it",
            ));
        } else if !self.message.is_empty() {
            let condition = self.pod.resource.condition("PodScheduled").get("message");
            let says = "the scheduler counts every node once, under the first filter that refused it";
            let evidence = Evidence::value(self.pod.resource, condition, "message", Strength::Statement, says);
            finding = finding.evidence(evidence.of_kind(EvidenceKind::Condition));
        }
        let workload = Some(self.template.carrier.clone());
        finding.affects(workload.into_iter().chain(self.siblings.iter().map(|p| p.reference.clone())))
    }
}
