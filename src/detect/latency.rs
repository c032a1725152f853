//! Services that became slow without an error: who of them delays the others.
//!
//! A slow callee makes its callers slow, so the one to look at is slow itself while what it calls is not. A pod whose own
//! packets are delayed makes all its callees look slow as well, for they wait for it; and where several are slow on their
//! own and share one node, it is the node.

use std::collections::{BTreeMap, BTreeSet};

use super::symptom::{alert_subject, pod_trouble};
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Quantity, Relation};
use crate::decode::{Alert, Ref, Resource};

mod slow;

use slow::{Slow, Times, times, workload};

pub(super) const DETECTORS: &[Detector] =
    &[Detector { name: "latency", run: latency }, Detector { name: "cpu_overload", run: cpu_overload }];

/// Usage above this share of the limit is called full.
const FULL: f64 = 0.9;

fn latency(cluster: &Cluster, out: &mut Vec<Finding>) {
    let times = times(cluster);
    let network = Network { cluster, callees: callees(cluster), times };
    let told = cluster.alerts.iter().filter_map(|a| Some((a, node_with_bad_network(cluster, a)?)));
    let mut nodes: BTreeMap<&Ref, Vec<&Alert>> = BTreeMap::new();
    for (alert, node) in told {
        nodes.entry(&node.reference).or_default().push(alert);
    }
    if let ([node], false) = (&nodes.keys().copied().collect::<Vec<_>>()[..], network.times.slow.is_empty()) {
        out.extend(network.node(node, &nodes[node]));
        return;
    }
    out.extend(network.culprit());
}

/// The node a monitoring alert says has a bad network.
fn node_with_bad_network<'a>(cluster: &'a Cluster, alert: &Alert) -> Option<&'a Resource> {
    let node = cluster.find("Node", None, &alert.subject)?;
    let words = format!("{} {}", alert.name, alert.what).to_ascii_lowercase();
    let bad = ["retrans", "packet", "network", "latency", "round trip", "rtt", "link "].iter().any(|w| words.contains(w));
    let healed = words.contains("unavailable") || words.contains("bandwidth");
    (bad && !healed).then_some(node)
}

/// Who calls whom, by workload.
fn callees(cluster: &Cluster) -> BTreeMap<Ref, BTreeSet<Ref>> {
    let mut found: BTreeMap<Ref, BTreeSet<Ref>> = BTreeMap::new();
    for service in cluster.kind("Service") {
        let callee = workload(cluster, &service.reference);
        for (caller, relation) in cluster.graph().suffers_from(&service.reference) {
            let caller = workload(cluster, caller);
            if relation == Relation::Called && caller != callee {
                found.entry(caller).or_default().insert(callee.clone());
            }
        }
    }
    for call in &cluster.dependencies {
        let named = |name: &str| alert_subject(cluster, "", None, name).map(|r| workload(cluster, &r));
        if let (Some(caller), Some(callee)) = (named(&call.caller), named(&call.callee))
            && caller != callee
        {
            found.entry(caller).or_default().insert(callee);
        }
    }
    found
}

struct Network<'a> {
    cluster: &'a Cluster,
    callees: BTreeMap<Ref, BTreeSet<Ref>>,
    times: Times,
}

impl<'a> Network<'a> {
    fn is_slow(&self, workload: &Ref) -> bool {
        self.times.slow.contains_key(workload)
    }

    /// Callees whose response times are known.
    fn measured(&self, caller: &Ref) -> impl Iterator<Item = &Ref> {
        self.callees.get(caller).into_iter().flatten().filter(|c| self.times.known.contains(c))
    }

    fn culprit(&self) -> Option<Finding> {
        let slow = &self.times.slow;
        if slow.keys().any(|w| self.is_in_trouble(w)) {
            return None;
        }
        // Slow on their own: nothing they call is slow.
        let roots: Vec<&Ref> = slow.keys().filter(|w| !self.measured(w).any(|c| self.is_slow(c))).collect();
        if let [only] = roots[..] {
            return Some(self.workload(only, "What it calls answers as fast as ever, so the time is lost at its own pods."));
        }
        let covering = slow.keys().filter(|w| self.covers(w, &roots)).max_by(|a, b| slow[*a].now.total_cmp(&slow[*b].now));
        if let Some(caller) = covering {
            let why = "Everything it calls looks slow at the same time, since its packets are late in both directions.";
            return Some(self.workload(caller, why));
        }
        let node = self.shared_node(&roots)?;
        self.node(&node, &[])
    }

    /// All that this caller calls is slow, less than itself, and there is no other slowness.
    fn covers(&self, caller: &Ref, roots: &[&Ref]) -> bool {
        let called: Vec<&Ref> = self.measured(caller).collect();
        let own = &self.times.slow[caller];
        called.len() >= 2
            && called.iter().all(|c| self.times.slow.get(*c).is_some_and(|s| s.now < own.now))
            && roots.iter().all(|r| called.contains(r))
    }

    /// The one node that all of these share, when others run elsewhere.
    fn shared_node(&self, roots: &[&Ref]) -> Option<Ref> {
        if roots.len() < 2 {
            return None;
        }
        let mut shared = self.nodes(roots[0]);
        for root in &roots[1..] {
            let theirs = self.nodes(root);
            shared.retain(|n| theirs.contains(n));
        }
        let node = (shared.len() == 1).then(|| shared.first().copied()).flatten()?;
        let elsewhere = self.times.known.iter().any(|w| !self.is_slow(w) && !self.nodes(w).contains(node));
        elsewhere
            .then(|| self.cluster.find("Node", None, node).map_or_else(|| Ref::new("Node", None, node), |n| n.reference.clone()))
    }

    fn pods(&self, workload: &Ref) -> Vec<&'a Resource> {
        let below = self.cluster.descendants(workload).into_iter().filter(|r| r.kind() == "Pod");
        let pods: Vec<_> = below.collect();
        if pods.is_empty() {
            self.cluster.kind("Pod").filter(|p| self.cluster.top_owner_ref(p) == *workload).collect()
        } else {
            pods
        }
    }

    fn nodes(&self, workload: &Ref) -> BTreeSet<&'a str> {
        self.pods(workload).iter().map(|p| p.at("spec.nodeName").text()).filter(|n| !n.is_empty()).collect()
    }

    fn is_in_trouble(&self, workload: &Ref) -> bool {
        self.pods(workload).iter().any(|p| pod_trouble(self.cluster, p).is_some())
    }

    fn evidence(slow: &Slow, says: &str) -> Evidence {
        Evidence::file(slow.location.clone(), slow.told.clone(), Strength::Statement, says).of_kind(EvidenceKind::Status)
    }

    /// Everybody who is slow, and those whose traffic fell because they wait for the slow ones.
    fn affected(&self) -> impl Iterator<Item = Ref> {
        let alerted = self.cluster.alerts.iter().filter_map(|a| {
            let subject = alert_subject(self.cluster, &a.subject_kind, a.subject_namespace.as_deref(), &a.subject)?;
            (subject.kind != "Node").then_some(subject)
        });
        self.times.slow.keys().cloned().chain(alerted)
    }

    fn workload(&self, culprit: &Ref, why: &str) -> Finding {
        let slow = &self.times.slow[culprit];
        let full = load(self.cluster, culprit).filter(|l| l.share >= FULL);
        if let Some(full) = full {
            return full
                .finding(self.cluster, culprit)
                .evidence(Self::evidence(slow, "it answers late"))
                .affects(self.affected());
        }
        let callers = self.callees.iter().filter(|(_, callees)| callees.contains(culprit)).count();
        let cause = if self.is_lossy(culprit) { "network-packet-loss" } else { "network-delay" };
        let mut finding = Finding::new(cause, culprit.clone(), Self::evidence(slow, "it became slow"))
            .fact("before", format!("{:.1}", slow.before))
            .fact("now", format!("{:.0}", slow.now))
            .fact("times", format!("{:.0}", slow.times()))
            .fact("why", why)
            .fact("callers", callers)
            .fact("nodes", self.nodes(culprit).into_iter().collect::<Vec<_>>().join(", "))
            .affects(self.affected());
        for (other, slow) in self.times.slow.iter().filter(|(w, _)| *w != culprit).take(4) {
            let says = format!("{other} is slow as well");
            finding = finding.evidence(Evidence { strength: Strength::Hint, ..Self::evidence(slow, &says) });
        }
        finding
    }

    /// Monitoring speaks of lost or repeated packets there.
    fn is_lossy(&self, workload: &Ref) -> bool {
        self.cluster.alerts.iter().any(|a| {
            let words = format!("{} {}", a.name, a.what).to_ascii_lowercase();
            let lost = words.contains("packet loss") || words.contains("packets lost") || words.contains("retrans");
            lost && alert_subject(self.cluster, &a.subject_kind, a.subject_namespace.as_deref(), &a.subject)
                .is_some_and(|r| slow::workload(self.cluster, &r) == *workload)
        })
    }

    fn node(&self, node: &Ref, alerts: &[&Alert]) -> Option<Finding> {
        let on_it: Vec<&Ref> = self.times.slow.keys().filter(|w| self.nodes(w).contains(node.name.as_str())).collect();
        let words = alerts.iter().map(|a| format!("{} {}", a.name, a.what).to_ascii_lowercase()).collect::<String>();
        let cause = if words.contains("packet loss") || words.contains("packets lost") {
            "node-network-packet-loss"
        } else {
            "node-network-delay"
        };
        let names = on_it.iter().map(|w| w.name.as_str()).collect::<Vec<_>>().join(", ");
        let first = alerts.first().map(|a| {
            let text = format!("{}: {}", a.name, a.what);
            Evidence::file(a.location.clone(), text, Strength::Statement, "monitoring says that its network is bad")
        });
        let mut slow = on_it.iter().map(|w| Self::evidence(&self.times.slow[*w], "it became slow, and runs on this node"));
        let first = first.or_else(|| slow.next())?;
        let mut finding = Finding::new(cause, node.clone(), first)
            .fact("services", names)
            .fact("slow", self.times.slow.len())
            .affects(self.affected());
        for evidence in slow.take(5) {
            finding = finding.evidence(evidence);
        }
        Some(finding)
    }
}

/// CPU used against the limit.
struct Load {
    subject: String,
    used: f64,
    limit: f64,
    share: f64,
    location: crate::location::Location,
}

/// The newest CPU usage of a workload against the sum of its containers' limits.
fn load(cluster: &Cluster, workload: &Ref) -> Option<Load> {
    let metric = cluster.metrics.iter().find(|m| {
        matches!(m.name.as_str(), "cpu" | "cpu_usage" | "cpu_cores")
            && alert_subject(cluster, "", None, &m.subject).is_some_and(|r| slow::workload(cluster, &r) == *workload)
    })?;
    let newest = &metric.samples[metric.samples.len().saturating_sub(6)..];
    let used = newest.iter().map(|(_, v)| *v).sum::<f64>() / newest.len().max(1) as f64;
    let (_, spec) = cluster.get(workload)?.pod_spec()?;
    let limits: Option<Vec<Quantity>> =
        spec.get("containers").items().map(|c| Quantity::of(c.path("resources.limits.cpu"))).collect();
    let limit: f64 = limits?.into_iter().map(Quantity::as_f64).sum();
    (limit > 0.0).then(|| Load {
        subject: metric.subject.clone(),
        used,
        limit,
        share: used / limit,
        location: metric.location.clone(),
    })
}

impl Load {
    fn finding(&self, cluster: &Cluster, workload: &Ref) -> Finding {
        let usage = format!("{:.2} of {:.2} cores", self.used, self.limit);
        let text = format!("{}: cpu {usage}", self.subject);
        let evidence = Evidence::file(self.location.clone(), text, Strength::Statement, "it uses all the CPU it may");
        let limit = cluster.get(workload).and_then(|w| Some(w.pod_spec()?.1.path("containers[0].resources.limits.cpu").text()));
        Finding::new("cpu-overload", workload.clone(), evidence).fact("usage", usage).fact("limit", limit.unwrap_or(""))
    }
}

/// Workloads at their CPU limit whose probes run into time-outs. (Those that are slow are told with what they delay.)
fn cpu_overload(cluster: &Cluster, out: &mut Vec<Finding>) {
    if cluster.metrics.is_empty() {
        return;
    }
    let late = cluster.events().iter().filter(|e| {
        let timed_out = ["deadline exceeded", "timeout", "timed out"].iter().any(|w| e.message.contains(w));
        e.reason == "Unhealthy" && timed_out && cluster.is_current(e)
    });
    // A table may not tell how often a probe failed: then the pod's state tells whether that matters.
    let again = late.filter(|e| e.count > 1 || cluster.get(&e.regarding).is_some_and(|pod| is_unready(cluster, pod)));
    let pods: BTreeSet<&Ref> = again.map(|e| &e.regarding).collect();
    for pod in pods.into_iter().filter_map(|p| cluster.get(p)) {
        let workload = cluster.top_owner_ref(pod);
        if let Some(full) = load(cluster, &workload).filter(|l| l.share >= FULL) {
            out.push(full.finding(cluster, &workload).affects([pod.reference.clone()]));
        }
    }
}

fn is_unready(cluster: &Cluster, pod: &Resource) -> bool {
    cluster.containers(pod).iter().any(|c| c.is_unready(cluster))
}

#[cfg(test)]
mod tests;
