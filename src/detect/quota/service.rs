//! Services that were wanted and are not there, in a namespace whose quota of Services is used up.

use serde_json::json;

use super::{Evidence, Finding, Strength};
use crate::cluster::address::{addresses, service_name};
use crate::cluster::simulate::quota;
use crate::cluster::simulate::resources;
use crate::cluster::{Cluster, Presence, Quantity};
use crate::decode::{Origin, Ref, Resource};
use crate::detect::template::pointer_part;

/// The refused Service was never stored, and whoever applied it kept the answer: what is left is a quota without room and
/// somebody who wants the Service.
pub(super) fn quota_services(cluster: &Cluster, out: &mut Vec<Finding>) {
    for quota in cluster.kind("ResourceQuota").filter(|q| q.origin != Origin::Manifest) {
        let used = resources::amounts(quota.at("status.used"));
        let full = |(name, hard): &(String, Quantity)| {
            matches!(name.as_str(), "services" | "count/services" | "services.nodeports" | "services.loadbalancers")
                && used.get(name).is_some_and(|used| used >= hard)
        };
        let Some((resource, hard)) = quota::hard(quota).into_iter().find(full) else { continue };
        let Some((service, wanted)) = missing_service(cluster, quota.namespace()) else { continue };
        let says = format!("all {hard} are used, so no further Service is admitted");
        let path = if quota.at("spec.hard").exists() { "spec.hard" } else { "status.hard" };
        let finding = Finding::new(
            "quota-services-exceeded",
            quota.reference.clone(),
            Evidence::field(quota, &format!("{path}[{resource}]"), Strength::Proof, says),
        );
        let more = hard + Quantity::whole(1);
        let ops =
            json!([{"op": "replace", "path": format!("/spec/hard/{}", pointer_part(&resource)), "value": more.to_string()}]);
        out.push(
            finding
                .evidence(Evidence::field(quota, &format!("status.used[{resource}]"), Strength::Proof, "this many are there"))
                .evidence(wanted)
                .fact("quota", quota.name())
                .fact("resource_name", resource)
                .fact("requested", "1")
                .fact("used", hard.to_string())
                .fact("hard", hard.to_string())
                .fact("workload", service.to_string())
                .fact("service", service.name.as_str())
                .fact("ops", if path == "spec.hard" { ops } else { json!(null) })
                .affects(sufferers(cluster, &service))
                .affects([service]),
        );
    }
}

/// A Service of the namespace that a manifest or a setting of a workload expects and that does not exist.
fn missing_service(cluster: &Cluster, namespace: Option<&str>) -> Option<(Ref, Evidence)> {
    let absent = |service: &Ref| cluster.presence(service) == Presence::Absent;
    let manifest =
        cluster.kind("Service").find(|s| s.namespace() == namespace && s.origin == Origin::Manifest && absent(&s.reference));
    if let Some(manifest) = manifest {
        let says = "this Service was applied and does not exist";
        return Some((manifest.reference.clone(), Evidence::field(manifest, "metadata.name", Strength::Proof, says)));
    }
    let workloads = cluster.resources().filter(|r| r.namespace() == namespace && r.kind() != "Pod" && r.pod_spec().is_some());
    workloads.filter(|w| cluster.owner(w).is_none()).find_map(|workload| {
        cluster.settings(workload).into_iter().find_map(|setting| {
            let named = addresses(&setting.text).into_iter().filter(|a| a.port.is_some());
            let missing = named.map(|a| a.host).find_map(|host| {
                let (name, of) = service_name(&host, namespace).filter(|(_, of)| *of == namespace)?;
                let service = Ref::new("Service", of, name);
                absent(&service).then_some(service)
            })?;
            let says = format!("it expects a Service {}, which does not exist", missing.name);
            Some((missing, Evidence::value(setting.holder, setting.value, &setting.name, Strength::Statement, says)))
        })
    })
}

/// Workloads whose settings name the Service.
fn sufferers(cluster: &Cluster, service: &Ref) -> Vec<Ref> {
    let workloads = cluster.resources().filter(|r| r.kind() != "Pod" && r.pod_spec().is_some() && r.origin != Origin::Manifest);
    let calls = |workload: &&Resource| {
        cluster.settings(workload).iter().any(|setting| {
            addresses(&setting.text).iter().any(|a| {
                service_name(&a.host, workload.namespace())
                    .is_some_and(|(name, of)| name == service.name && of == service.namespace.as_deref())
            })
        })
    };
    workloads.filter(|w| cluster.owner(w).is_none()).filter(calls).map(|w| w.reference.clone()).collect()
}
