//! Requests the API server forbids, checked against the roles that are bound.

use std::collections::BTreeMap;

use super::complaint::Complaint;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};

mod grant;

use grant::{Grants, Request};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "rbac", run: rbac }];

const SIGNAL: &str = "api-forbidden";

fn rbac(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (request, told) in refusals(cluster) {
        // What is granted by now is history.
        let grants = Grants::of(cluster, &request);
        if !grants.allow(&request) {
            out.push(finding(cluster, &request, &grants, told));
        }
    }
}

/// Who tells of a refusal, and how sure it is that it matters.
struct Told {
    evidence: Evidence,
    line: String,
    sufferer: Ref,
    pod: Option<Ref>,
}

/// Distinct refusals, in logs that still complain and in events.
fn refusals(cluster: &Cluster) -> BTreeMap<Request, Told> {
    let mut found = BTreeMap::new();
    for complaint in Complaint::all(cluster, SIGNAL) {
        let pattern = complaint.hit.pattern;
        let matters = complaint.hurts() || complaint.goes_on();
        for hit in complaint.log.hits.iter().rev().filter(|h| h.pattern == pattern) {
            let Some(request) = Request::of(cluster, SIGNAL, &hit.line.text) else { continue };
            let strength = if matters { Strength::Statement } else { Strength::Hint };
            let evidence = Evidence::hit(complaint.log, hit, strength, "the API server refuses the request");
            let line = shortened(&hit.line.text);
            let pod = Some(complaint.pod.reference.clone());
            found.entry(request).or_insert(Told { evidence, line, sufferer: complaint.carrier(), pod });
        }
    }
    for event in cluster.events().iter().filter(|e| e.message.contains("is forbidden: User ") && cluster.is_current(e)) {
        let Some(request) = Request::of(cluster, SIGNAL, &event.message) else { continue };
        let sufferer = cluster.get(&event.regarding).map_or_else(|| event.regarding.clone(), |r| cluster.top_owner_ref(r));
        let evidence = Evidence::event(event, Strength::Statement, "the API server refuses the request");
        found.entry(request).or_insert(Told { evidence, line: shortened(&event.message), sufferer, pod: None });
    }
    found
}

/// The refusal itself, without what stands before it.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 260;
    let start = text.find(" is forbidden: ").and_then(|at| text[..at].rfind([' ', ':']).map(|s| s + 1)).unwrap_or(0);
    let text = text[start..].trim();
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

fn finding(cluster: &Cluster, request: &Request, grants: &Grants<'_>, told: Told) -> Finding {
    let account = request.account();
    let account_object = account.and_then(|(ns, name)| cluster.find("ServiceAccount", Some(ns), name));
    if let Some((binding, missing)) = grants.dangling.first() {
        let says = "it binds what is not there";
        return Finding::new("rbac-binding-dangling", binding.reference.clone(), told.evidence)
            .evidence(Evidence::field(binding, "roleRef", Strength::Proof, says))
            .fact("missing", missing.as_str())
            .fact("account", request.user.as_str())
            .fact("line", told.line)
            .affects([told.sufferer].into_iter().chain(told.pod));
    }
    // The role a person extends: one that speaks of this resource already, else any that is bound.
    let role = grants.nearest(request);
    let culprit = role.or(account_object).map_or_else(|| told.sufferer.clone(), |r| r.reference.clone());
    let bound = match (role, grants.collected) {
        (Some(role), _) => format!("{} is bound to it and does not grant this.", role.reference),
        (None, true) => "No role is bound to it.".to_owned(),
        (None, false) => String::new(),
    };
    let mut finding = Finding::new("rbac-forbidden", culprit, told.evidence)
        .fact("user", request.user.as_str())
        .fact("verb", request.verb.as_str())
        .fact("resource_name", request.resource.as_str())
        .fact("group", request.group.as_str())
        .fact("scope", request.scope())
        .fact("role", role.map_or_else(String::new, |r| format!("{} {}", r.kind(), r.name())))
        .fact("bound", bound)
        .fact("account", account.map_or(request.user.as_str(), |(_, name)| name))
        .fact("subject_ns", account.map_or("", |(ns, _)| ns))
        .fact("line", told.line)
        .affects([told.sufferer].into_iter().chain(told.pod));
    if let Some(role) = role {
        let says = "its rules do not grant it";
        finding = finding
            .evidence(Evidence::field(role, "rules", Strength::Proof, says).brief(&grant::summary(role)))
            .fact("patch", grant::patch(role, request));
    }
    if let Some(account) = account_object {
        finding = finding.affects([account.reference.clone()]);
    }
    finding
}

/// A role or a ClusterRole, by reference from a binding.
fn role_of<'a>(cluster: &'a Cluster, binding: &Resource) -> Option<&'a Resource> {
    let kind = binding.at("roleRef.kind").text();
    let namespace = binding.namespace().filter(|_| kind == "Role");
    cluster.find(kind, namespace, binding.at("roleRef.name").text())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};

    fn world(verbs: &Json) -> Vec<Json> {
        let named = |name: &str| json!({"name": name, "namespace": "shop"});
        vec![
            json!({"kind": "Pod", "metadata": named("agent-0"), "spec": {"containers": [{"name": "c"}]},
                   "status": {"phase": "Running", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}),
            json!({"kind": "ServiceAccount", "metadata": named("agent")}),
            json!({"kind": "Role", "metadata": named("reader"), "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]}),
            json!({"kind": "RoleBinding", "metadata": named("readers"), "roleRef": {"kind": "Role", "name": "reader"},
                   "subjects": [{"kind": "ServiceAccount", "name": "agent", "namespace": "shop"}]}),
        ]
    }

    fn found(objects: &[Json]) -> Vec<Finding> {
        let text = "pods is forbidden: User \"system:serviceaccount:shop:agent\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\"";
        let mut out = Vec::new();
        rbac(
            &cluster_that_says(objects, Vec::new(), &[Said { pod: "agent-0", container: "c", previous: false, text }]),
            &mut out,
        );
        out
    }

    #[test]
    fn the_bound_role_lacks_the_verb() {
        let finding = &found(&world(&json!(["get"])))[0];
        assert_eq!((finding.cause.as_str(), finding.culprit.to_string().as_str()), ("rbac-forbidden", "Role shop/reader"));
        let patch: Json = serde_json::from_str(finding.facts["patch"].as_str().unwrap()).unwrap();
        assert_eq!(patch, json!([{"op": "add", "path": "/rules/0/verbs/-", "value": "list"}]));
    }

    #[test]
    fn what_is_granted_by_now_is_history() {
        assert!(found(&world(&json!(["get", "list"]))).is_empty());
        assert!(found(&world(&json!(["*"]))).is_empty());
    }

    #[test]
    fn a_binding_without_its_role_or_with_a_stranger_is_dangling() {
        let mut objects = world(&json!(["list"]));
        objects[3]["roleRef"]["name"] = "writer".into();
        let finding = &found(&objects)[0];
        assert_eq!((finding.cause.as_str(), finding.culprit.name.as_str()), ("rbac-binding-dangling", "readers"));
        let mut objects = world(&json!(["list"]));
        objects[3]["subjects"][0]["namespace"] = "shopp".into();
        assert_eq!(found(&objects)[0].facts["missing"], "ServiceAccount shopp/agent");
    }
}
