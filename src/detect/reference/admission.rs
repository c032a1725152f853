//! What the API server looks up before it lets a pod in: its service account, priority class and runtime class.

use serde_json::json;

use super::{Evidence, Finding, Strength, nearest};
use crate::cluster::{Cluster, Presence};
use crate::decode::{Event, Origin, Ref, Resource};
use crate::detect::creation::{has_its_pods, makes_pods, short_workloads};
use crate::detect::template::Template;

/// An object of this kind, named at this field of the pod spec.
struct Lookup {
    cause: &'static str,
    kind: &'static str,
    field: &'static str,
    /// The refusal's words before the name.
    before: &'static str,
    /// And after it.
    after: &'static str,
    /// Names that are there without an object in any bundle.
    built_in: &'static [&'static str],
}

/// Kubernetes plugin/pkg/admission: serviceaccount, priority, runtimeclass.
const LOOKUPS: [Lookup; 3] = [
    Lookup {
        cause: "service-account-missing",
        kind: "ServiceAccount",
        field: "serviceAccountName",
        before: "serviceaccount \"",
        after: "\" not found",
        built_in: &["default"],
    },
    Lookup {
        cause: "priority-class-missing",
        kind: "PriorityClass",
        field: "priorityClassName",
        before: "no PriorityClass with name ",
        after: " was found",
        built_in: &["system-cluster-critical", "system-node-critical"],
    },
    Lookup {
        cause: "runtime-class-missing",
        kind: "RuntimeClass",
        field: "runtimeClassName",
        before: "RuntimeClass \"",
        after: "\" not found",
        built_in: &[],
    },
];

/// Workloads whose pods are refused because something they name does not exist.
pub(super) fn admission_reference(cluster: &Cluster, out: &mut Vec<Finding>) {
    for workload in short_workloads(cluster) {
        out.extend(LOOKUPS.iter().filter_map(|lookup| lookup.in_template(cluster, workload)));
    }
    for event in cluster.events().iter().filter(|e| e.warning && cluster.is_current(e)) {
        out.extend(LOOKUPS.iter().filter_map(|lookup| lookup.in_event(cluster, event)));
    }
}

impl Lookup {
    fn reference(&self, workload: &Ref, name: &str) -> Ref {
        Ref::new(self.kind, workload.namespace.as_deref().filter(|_| self.kind == "ServiceAccount"), name)
    }

    /// The name a template gives does not exist, and the workload's pods are missing.
    fn in_template(&self, cluster: &Cluster, workload: &Resource) -> Option<Finding> {
        let template = Template::of(cluster, workload)?;
        let name = template.at(self.field).text();
        if name.is_empty() || self.built_in.contains(&name) {
            return None;
        }
        let reference = self.reference(&workload.reference, name);
        (cluster.presence(&reference) == Presence::Absent).then(|| self.finding(cluster, workload, name, None))
    }

    /// The API server said so when a controller tried to make a pod, and it is still so.
    fn in_event(&self, cluster: &Cluster, event: &Event) -> Option<Finding> {
        let (_, rest) = event.message.split_once(self.before)?;
        let (name, _) = rest.split_once(self.after)?;
        let sufferer = cluster.get(&event.regarding).or_else(|| cluster.presumed_owner(&event.regarding))?;
        let workload = cluster.top_owner(sufferer);
        let reference = self.reference(&workload.reference, name);
        // Created meanwhile, or not what the template names any more: the order of start was wrong for a moment.
        let changed = Template::of(cluster, workload).is_some_and(|t| {
            let named = t.at(self.field).text();
            !named.is_empty() && named != name
        });
        let is_over = makes_pods(sufferer) && has_its_pods(cluster, sufferer);
        let works = cluster.is_settled(sufferer) || cluster.is_settled(workload);
        if cluster.presence(&reference) == Presence::Present || changed || works || is_over {
            return None;
        }
        Some(self.finding(cluster, workload, name, Some(event)))
    }

    fn finding(&self, cluster: &Cluster, workload: &Resource, name: &str, event: Option<&Event>) -> Finding {
        let reference = self.reference(&workload.reference, name);
        let template = Template::of(cluster, workload);
        let place = template.as_ref().map(|t| t.at(self.field)).filter(|v| v.text() == name);
        let near = nearest(name, self.names(cluster, workload)).map(str::to_owned);
        let strength = if cluster.presence(&reference) == Presence::Absent { Strength::Proof } else { Strength::Statement };
        let said =
            event.map(|e| Evidence::event(e, Strength::Proof, "the API server's own refusal, passed on by the controller"));
        let spec = place.map(|value| {
            let says = format!("no {reference} exists");
            Evidence::value(template.as_ref().map_or(workload, |t| t.holder), value, self.field, strength, says)
        });
        let mut evidence = spec.into_iter().chain(said);
        let first =
            evidence.next().unwrap_or_else(|| Evidence::value(workload, workload.root(), self.field, Strength::Hint, "names it"));
        let mut finding = Finding::new(self.cause, workload.reference.clone(), first)
            .fact("object", name)
            .fact("near", near.clone().unwrap_or_default())
            .affects(cluster.descendants(&workload.reference).into_iter().map(|r| r.reference.clone()))
            .affects([reference]);
        finding = evidence.fold(finding, Finding::evidence);
        if let (Some(near), Some(pointer), Some(_)) = (near, template.and_then(|t| t.pointer()), place) {
            let path = format!("{pointer}/{}", self.field);
            finding = finding.fact("ops", json!([{"op": "replace", "path": path, "value": near}]));
        }
        finding
    }

    fn names<'a>(&self, cluster: &'a Cluster, workload: &'a Resource) -> impl Iterator<Item = &'a str> + use<'a> {
        let namespaced = self.kind == "ServiceAccount";
        let there = cluster.kind(self.kind).filter(move |r| !namespaced || r.namespace() == workload.namespace());
        there.filter(|r| r.origin != Origin::Manifest && r.name() != "default").map(Resource::name)
    }
}
