//! Pods, claims and services that a ResourceQuota or a LimitRange has no room for.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::creation::{Refused, refusals, short_workloads};
use super::template::{Template, pointer_part};
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::simulate::quota::{self, Excess, Shortage};
use crate::cluster::simulate::resources::Amounts;
use crate::cluster::{Cluster, Quantity};
use crate::decode::{Origin, Ref, Resource};

mod message;
mod service;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "quota", run: quotas },
    Detector { name: "quota_services", run: service::quota_services },
    Detector { name: "limit_range", run: limit_ranges },
];

/// Quotas that have no room for pods that are wanted: computed, and in the words of the API server.
fn quotas(cluster: &Cluster, out: &mut Vec<Finding>) {
    for workload in short_workloads(cluster) {
        for quota in of_namespace(cluster, "ResourceQuota", workload) {
            out.extend(computed(cluster, quota, workload));
        }
    }
    for refused in refusals(cluster, "exceeded quota: ") {
        if let Some(told) = message::exceeded(refused.text) {
            out.push(exceeded(cluster, &refused, &told));
        }
    }
    for refused in refusals(cluster, "must specify ") {
        if let Some((name, missing)) = message::must_specify(refused.text).and_then(|told| still_missing(refused.workload, told))
        {
            let quota = cluster.find("ResourceQuota", refused.workload.namespace(), name);
            let mut finding = must_specify(cluster, quota, name, refused.workload, &missing);
            finding.evidence.push(refused.evidence);
            out.push(finding.affects([refused.sufferer.reference.clone()]));
        }
    }
}

fn of_namespace<'a>(cluster: &'a Cluster, kind: &str, workload: &Resource) -> Vec<&'a Resource> {
    let there = cluster.kind_in(kind, workload.namespace()).filter(|q| q.origin != Origin::Manifest);
    there.collect()
}

fn computed(cluster: &Cluster, quota: &Resource, workload: &Resource) -> Vec<Finding> {
    let Some((_, spec)) = workload.pod_spec().filter(|(_, spec)| quota::covers(quota, *spec)) else { return Vec::new() };
    let ranges = of_namespace(cluster, "LimitRange", workload);
    let missing = quota::unstated(quota, &ranges, spec);
    if !missing.is_empty() {
        let missing =
            missing.into_iter().map(|(resource, containers)| (resource, containers.into_iter().map(str::to_owned).collect()));
        return vec![must_specify(cluster, Some(quota), quota.name(), workload, &missing.collect())];
    }
    let shortages = quota::shortages(quota, &quota::of_pod(spec));
    let Some(first) = shortages.first() else { return Vec::new() };
    vec![over(cluster, quota, workload, first, &shortages)]
}

/// The finding for a quota that has too little left, with proof from its own numbers.
fn over(cluster: &Cluster, quota: &Resource, workload: &Resource, first: &Shortage, all: &[Shortage]) -> Finding {
    let says = format!("{} of {} is used, and one more pod asks for {}", first.used, first.hard, first.requested);
    let path = format!("spec.hard[{}]", first.resource);
    let path = if quota.at(&path).exists() { path } else { format!("status.hard[{}]", first.resource) };
    let evidence = Evidence::field(quota, &path, Strength::Proof, says);
    let used = Evidence::field(quota, &format!("status.used[{}]", first.resource), Strength::Proof, "this much is used");
    let amounts =
        |of: fn(&Shortage) -> Quantity| all.iter().map(|s| format!("{}={}", s.resource, of(s))).collect::<Vec<_>>().join(", ");
    let room = |s: &Shortage| (pointer_part(&s.resource), s.hard + s.requested);
    let ops: Vec<Json> = all
        .iter()
        .map(room)
        .map(|(key, hard)| json!({"op": "replace", "path": format!("/spec/hard/{key}"), "value": hard.to_string()}))
        .collect();
    let has_spec = quota.at("spec.hard").exists();
    Finding::new(cause_of(&first.resource), quota.reference.clone(), evidence)
        .evidence(used)
        .fact("quota", quota.name())
        .fact("resource_name", first.resource.as_str())
        .fact("requested", amounts(|s| s.requested))
        .fact("used", amounts(|s| s.used))
        .fact("hard", amounts(|s| s.hard))
        .fact("workload", workload.reference.to_string())
        .fact("ops", if has_spec { Json::Array(ops) } else { Json::Null })
        .affects([workload.reference.clone()])
        .affects(cluster.descendants(&workload.reference).into_iter().map(|r| r.reference.clone()))
}

fn cause_of(resource: &str) -> &'static str {
    let name = resource.rsplit_once('/').map_or(resource, |(_, name)| name);
    let bare = name.split_once('.').filter(|(bound, _)| matches!(*bound, "requests" | "limits")).map_or(name, |(_, rest)| rest);
    match bare {
        "cpu" => "quota-cpu-exceeded",
        "memory" => "quota-memory-exceeded",
        "pods" => "quota-pods-exceeded",
        _ if bare.starts_with("services") => "quota-services-exceeded",
        _ if bare.contains("storage") || bare.starts_with("persistentvolumeclaims") => "quota-storage-exceeded",
        _ => "quota-resource-exceeded",
    }
}

/// The finding for a refusal that names the quota and its numbers.
fn exceeded(cluster: &Cluster, refused: &Refused<'_>, told: &message::Exceeded<'_>) -> Finding {
    let quota = cluster.find("ResourceQuota", refused.workload.namespace(), told.quota);
    let resource = told.requested.keys().next().map_or("", String::as_str);
    let culprit = quota.map_or_else(|| refused.workload.reference.clone(), |q| q.reference.clone());
    let list = |amounts: &Amounts| amounts.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ");
    let mut finding = Finding::new(cause_of(resource), culprit, refused.evidence.clone())
        .fact("quota", told.quota)
        .fact("resource_name", resource)
        .fact("requested", list(&told.requested))
        .fact("used", list(&told.used))
        .fact("hard", list(&told.limited))
        .fact("workload", refused.workload.reference.to_string())
        .fact("ephemeral_runner", if refused.sufferer.kind() == "EphemeralRunner" { refused.sufferer.name() } else { "" })
        .affects([refused.workload.reference.clone(), refused.sufferer.reference.clone()]);
    if let Some(quota) = quota {
        let path = if quota.at("spec.hard").exists() { "spec.hard" } else { "status.hard" };
        let says = "what the quota allows in all";
        finding = finding.evidence(Evidence::field(quota, &format!("{path}[{resource}]"), Strength::Statement, says));
        let ops = told.requested.iter().filter(|(name, _)| quota.at("spec.hard").get(name).exists()).map(|(name, asked)| {
            let hard = told.limited.get(name).copied().unwrap_or_default() + *asked;
            json!({"op": "replace", "path": format!("/spec/hard/{}", pointer_part(name)), "value": hard.to_string()})
        });
        finding = finding.fact("ops", ops.collect::<Vec<_>>());
    }
    finding
}

/// What of a refusal the template still does not state; `None` when it has been corrected since.
fn still_missing<'m>(
    workload: &Resource,
    (quota, told): (&'m str, BTreeMap<String, Vec<String>>),
) -> Option<(&'m str, BTreeMap<String, Vec<String>>)> {
    let Some((_, spec)) = workload.pod_spec() else { return Some((quota, told)) };
    let left: BTreeMap<_, _> = told.into_iter().filter(|(resource, _)| !quota::states(spec, resource)).collect();
    (!left.is_empty()).then_some((quota, left))
}

/// The finding for containers that do not state what the quota counts; `missing` are containers by resource.
fn must_specify(
    cluster: &Cluster,
    quota: Option<&Resource>,
    name: &str,
    workload: &Resource,
    missing: &BTreeMap<String, Vec<String>>,
) -> Finding {
    let resource = missing.keys().next().map_or("", String::as_str);
    let container = missing.values().flatten().next().map_or("", String::as_str);
    let template = Template::of(cluster, workload);
    let index = |wanted: &str| {
        let containers = template.as_ref().map(|t| t.at("containers"))?;
        containers.items().position(|c| c.get("name").text() == wanted)
    };
    let at = index(container).map(|i| format!("containers[{i}].resources"));
    let says = format!("the quota {name} counts {resource}, and container {container} does not state it");
    let evidence = match (&template, &at) {
        (Some(template), Some(at)) => Evidence::value(template.holder, template.at(at), "resources", Strength::Proof, says),
        _ => Evidence::value(workload, workload.root(), "resources", Strength::Statement, says),
    };
    let mut finding = Finding::new("quota-requires-limits", workload.reference.clone(), evidence)
        .fact("quota", name)
        .fact("missing", missing.keys().cloned().collect::<Vec<_>>().join(", "))
        .fact("container", container)
        .affects(cluster.descendants(&workload.reference).into_iter().map(|r| r.reference.clone()));
    if let Some(quota) = quota {
        let path = if quota.at("spec.hard").exists() { "spec.hard" } else { "status.hard" };
        let says = "what is counted must be stated";
        finding = finding
            .evidence(Evidence::field(quota, &format!("{path}[{resource}]"), Strength::Proof, says))
            .affects([quota.reference.clone()]);
    }
    if let Some(template) = template.as_ref().filter(|t| t.pointer().is_some()) {
        let ops: Vec<Json> = missing
            .iter()
            .flat_map(|(resource, containers)| containers.iter().map(move |c| (resource, c)))
            .filter_map(|(resource, container)| Some((resource, index(container)?)))
            .fold(BTreeMap::<usize, Json>::new(), |mut by_container, (resource, i)| {
                let stated = by_container.entry(i).or_insert_with(|| stated(template, i));
                state(stated, resource);
                by_container
            })
            .into_iter()
            .map(|(i, resources)| {
                let path = format!("{}/containers/{i}/resources", template.pointer().unwrap_or_default());
                json!({"op": "add", "path": path, "value": resources})
            })
            .collect();
        finding = finding.fact("ops", ops);
    }
    finding
}

/// The resources of a container of the template as they are.
fn stated(template: &Template<'_>, container: usize) -> Json {
    let resources = template.at(&format!("containers[{container}].resources"));
    if resources.exists() { resources.to_json() } else { json!({}) }
}

/// States `resource` in `resources`: a limit as the request has it and the other way round, else a modest start.
fn state(resources: &mut Json, resource: &str) {
    let (bound, other, name) = match resource.split_once('.') {
        Some(("limits", name)) => ("limits", "requests", name),
        Some(("requests", name)) => ("requests", "limits", name),
        _ => ("requests", "limits", resource),
    };
    let modest = if name == "cpu" { "100m" } else { "128Mi" };
    let value = resources[other].get(name).cloned().unwrap_or_else(|| json!(modest));
    if !resources[bound].is_object() {
        resources[bound] = json!({});
    }
    resources[bound][name] = value;
}

/// Templates that break a LimitRange, of workloads whose pods are missing; and refusals that say so.
fn limit_ranges(cluster: &Cluster, out: &mut Vec<Finding>) {
    for workload in short_workloads(cluster) {
        let Some((_, spec)) = workload.pod_spec() else { continue };
        for range in of_namespace(cluster, "LimitRange", workload) {
            if let Some(excess) = quota::excesses(range, spec).first() {
                out.extend(beyond(cluster, range, workload, excess));
            }
        }
    }
    for word in ["usage per ", "max limit to request ratio per "] {
        for refused in refusals(cluster, word) {
            let Some(told) = message::out_of_range(refused.text) else { continue };
            let finding = Finding::new("limitrange-exceeded", refused.workload.reference.clone(), refused.evidence)
                .fact("rule", told.rule)
                .fact("resource_name", told.resource)
                .fact("per", told.per)
                .fact("bound", told.bound)
                .fact("stated", told.stated);
            let ranges = of_namespace(cluster, "LimitRange", refused.workload).into_iter().map(|r| r.reference.clone());
            out.push(finding.affects(ranges).affects([refused.sufferer.reference.clone()]));
        }
    }
}

/// The patch that brings the amounts of a container to the bound they break.
fn fitted(template: &Template<'_>, pointer: &str, excess: &Excess) -> Json {
    let Some((container, _)) = excess.path.split_once(".resources") else { return Json::Null };
    let breaks = |amount: Quantity| match excess.rule {
        "max" => amount > excess.bound,
        "min" => amount < excess.bound,
        _ => false,
    };
    let broken = ["limits", "requests"].into_iter().filter(|bound| {
        let stated = template.at(&format!("{container}.resources.{bound}[{}]", excess.resource));
        Quantity::of(stated).is_some_and(breaks)
    });
    let at = container.replace('[', "/").replace(']', "");
    let replace = |bound: &str| {
        let path = format!("{pointer}/{at}/resources/{bound}/{}", pointer_part(&excess.resource));
        json!({"op": "replace", "path": path, "value": excess.bound.to_string()})
    };
    broken.map(replace).collect()
}

fn beyond(cluster: &Cluster, range: &Resource, workload: &Resource, excess: &Excess) -> Option<Finding> {
    let template = Template::of(cluster, workload)?;
    let says = format!("LimitRange {} sets a {} of {} per {}", range.name(), excess.rule, excess.bound, excess.per);
    let evidence = Evidence::value(template.holder, template.at(&excess.path), &excess.resource, Strength::Proof, says);
    let limits = Evidence::field(range, "spec.limits", Strength::Proof, "the rule");
    let ops = template.pointer().filter(|_| excess.per == "Container").map(|pointer| fitted(&template, &pointer, excess));
    let finding = Finding::new("limitrange-exceeded", workload.reference.clone(), evidence)
        .evidence(limits)
        .fact("range", range.name())
        .fact("rule", excess.rule)
        .fact("resource_name", excess.resource.as_str())
        .fact("per", excess.per)
        .fact("bound", excess.bound.to_string())
        .fact("stated", excess.stated.to_string())
        .fact("container", excess.container.as_str())
        .fact("ops", ops.unwrap_or_default());
    let below: Vec<Ref> = cluster.descendants(&workload.reference).into_iter().map(|r| r.reference.clone()).collect();
    Some(finding.affects(below).affects([range.reference.clone()]))
}
