//! Webhooks that stand in the way: nobody answers, the certificate is not accepted, or a policy says no.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::client::{self, Answer};
use super::creation::{Refused, refusals, short_workloads};
use super::symptom::{ready_endpoints, within};
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence, selects};
use crate::decode::{Ref, Resource, Value};

mod call;

use call::{Call, Failure, denial};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "webhook", run: webhook }];

/// A refusal logged longer ago than this is history.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// A failed call, who was refused for it, and where it is told.
type Told<'a> = (Call<'a>, Ref, Evidence);

fn webhook(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut calls: BTreeMap<(&str, &'static str), Vec<Told<'_>>> = BTreeMap::new();
    let refused = refusals(cluster, "failed calling");
    let told = refused.iter().filter_map(|r| Some((Call::of(r.text)?, r.workload.reference.clone(), r.evidence.clone())));
    let logged = cluster.hits("webhook-call-failed").filter_map(|(log, hit)| {
        let pod = cluster.pod_of(log).filter(|_| within(cluster, hit.line.at.or(log.last), RECENT))?;
        let says = "the API server's answer to this controller";
        let refused = cluster.mentioned(&hit.line.text, super::arc::KINDS).unwrap_or_else(|| cluster.top_owner_ref(pod));
        Some((Call::of(&hit.line.text)?, refused, Evidence::hit(log, hit, Strength::Statement, says)))
    });
    let answers = client::answers(cluster);
    let answered = answers.iter().filter_map(|answer| {
        let call = Call::of(answer.text)?;
        let (namespace, name) = call.service;
        // The request names the object in a file of the client's at most: nobody else is known to suffer.
        let service = || Ref::new("Service", Some(namespace).filter(|n| !n.is_empty()), name);
        let sufferer = client::object(cluster, answer.text).unwrap_or_else(service);
        Some((call, sufferer, answer.evidence.clone()))
    });
    for (call, sufferer, evidence) in told.chain(logged).chain(answered) {
        let cause = cause(cluster, &call);
        calls.entry((call.webhook, cause)).or_default().push((call, sufferer, evidence));
    }
    for ((_, cause), calls) in calls {
        out.extend(finding(cluster, cause, &calls));
    }
    for word in ["denied the request", "denied request"] {
        out.extend(refusals(cluster, word).iter().filter_map(denied));
    }
    out.extend(answers.iter().filter_map(|answer| denied_to_client(cluster, answer)));
}

/// A call that timed out at a Service nobody stands behind is no matter of time.
fn cause(cluster: &Cluster, call: &Call<'_>) -> &'static str {
    let (namespace, name) = call.service;
    let service = cluster.find("Service", Some(namespace), name);
    let deserted = service.is_some_and(|s| ready_endpoints(cluster, s) == Some(0));
    match call.failure {
        Failure::Absent => "webhook-no-endpoints",
        Failure::TimedOut if deserted => "webhook-no-endpoints",
        Failure::TimedOut => "webhook-timeout",
        Failure::Expired => "webhook-certificate-expired",
        Failure::Untrusted => "webhook-ca-mismatch",
        Failure::Invalid => "webhook-certificate-invalid",
    }
}

/// The webhook of that name, with the configuration that holds it.
fn configuration<'a>(cluster: &'a Cluster, webhook: &str) -> Option<(&'a Resource, Value<'a>)> {
    let kinds = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
    kinds.iter().flat_map(|k| cluster.kind(k)).find_map(|config| {
        let entry = config.at("webhooks").items().find(|w| w.get("name").text() == webhook)?;
        Some((config, entry))
    })
}

fn finding(cluster: &Cluster, cause: &str, calls: &[Told<'_>]) -> Option<Finding> {
    let (call, first, evidence) = calls.first()?;
    let (namespace, name) = call.service;
    let config = configuration(cluster, call.webhook);
    let service = cluster.find("Service", Some(namespace), name);
    let backend = service.and_then(|s| backend(cluster, s));
    let service_ref = Ref::new("Service", Some(namespace).filter(|n| !n.is_empty()), name);
    // Without the configuration, the nearest object that is there: the Service, what stands behind it, or who is refused.
    let culprit = match (config, service, backend) {
        (Some((config, _)), ..) => config.reference.clone(),
        (None, Some(service), _) => service.reference.clone(),
        (None, None, Some(backend)) => backend.reference.clone(),
        (None, None, None) => first.clone(),
    };
    let refused: Vec<String> = calls.iter().map(|(_, sufferer, _)| sufferer.to_string()).collect();
    let deadlock = backend.is_some_and(|b| calls.iter().any(|(_, sufferer, _)| *sufferer == b.reference));
    let product_gone = cluster.presence(&service_ref) == Presence::Absent && backend.is_none();
    let mut finding = Finding::new(cause, culprit, evidence.clone())
        .fact("webhook", call.webhook)
        .fact("service", if name.is_empty() { "its URL".to_owned() } else { format!("{namespace}/{name}") })
        .fact("service_ns", namespace)
        .fact("refused", listed(refused))
        .fact("why", call.why)
        .fact("deadlock", deadlock)
        .fact("backend", backend.map_or_else(String::new, |b| b.reference.to_string()))
        .fact("absent", product_gone)
        .fact("port", service.map_or("", |s| s.at("spec.ports[0].targetPort").text()))
        .affects(calls.iter().map(|(_, sufferer, _)| sufferer.clone()));
    if calls.iter().all(|(_, sufferer, _)| cluster.get(sufferer).is_some_and(|s| cluster.is_settled(s))) {
        // Who tells of it works itself: the API server, a controller. Whoever gets no pods may suffer from it.
        finding = finding.affects(short_workloads(cluster).map(|w| w.reference.clone()));
    }
    for (_, _, more) in calls.iter().skip(1).take(3) {
        finding = finding.evidence(more.clone());
    }
    if let Some((config, entry)) = config {
        let policy = entry.get("failurePolicy");
        let says = "what happens when the webhook cannot be asked";
        finding = finding.evidence(Evidence::value(config, policy, "failurePolicy", Strength::Statement, says));
    }
    if let Some(service) = service {
        let n = ready_endpoints(cluster, service);
        let says = match n {
            Some(0) => "no ready pod stands behind the Service",
            Some(_) => "ready pods stand behind the Service",
            None => "the Service the API server calls",
        };
        let strength = if n == Some(0) { Strength::Proof } else { Strength::Hint };
        let strength = if cause == "webhook-no-endpoints" { strength } else { Strength::Hint };
        finding = finding.evidence(Evidence::field(service, "spec.selector", strength, says));
    } else if product_gone {
        finding = finding.fact("why", format!("there is no Service {namespace}/{name}"));
    }
    Some(finding)
}

/// The workload whose pods the Service selects, by its pods or, where there are none, by its template.
fn backend<'a>(cluster: &'a Cluster, service: &'a Resource) -> Option<&'a Resource> {
    let selector = service.at("spec.selector");
    if selector.is_empty() {
        return None;
    }
    let same = |r: &&Resource| r.namespace() == service.namespace();
    cluster.pods_behind(service).next().map(|p| cluster.top_owner(p)).or_else(|| {
        let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
        kinds.iter().flat_map(|k| cluster.kind(k)).filter(same).find(|w| selects(selector, w.at("spec.template.metadata.labels")))
    })
}

fn denied(refused: &Refused<'_>) -> Option<Finding> {
    let (policy, message) = denial(refused.text)?;
    let mut evidence = refused.evidence.clone();
    evidence.strength = Strength::Proof;
    Some(
        Finding::new("admission-policy-denied", refused.workload.reference.clone(), evidence)
            .fact("policy", policy)
            .fact("message", message)
            .fact("refused", format!("the pods of {}", refused.workload.reference))
            .affects([refused.sufferer.reference.clone()]),
    )
}

fn denied_to_client(cluster: &Cluster, answer: &Answer<'_>) -> Option<Finding> {
    let (policy, message) = denial(answer.text)?;
    let object = client::object(cluster, answer.text)?;
    let finding = Finding::new("admission-policy-denied", object.clone(), answer.evidence.clone());
    Some(finding.fact("policy", policy).fact("message", message).fact("refused", object.to_string()))
}

/// The first few of a list, in words.
fn listed(mut names: Vec<String>) -> String {
    const SHOWN: usize = 4;
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{cluster_with, event};

    fn objects(endpoints: &Json) -> Vec<Json> {
        let labels = json!({"app": "hook"});
        let service = json!({"name": "hook", "namespace": "sys"});
        vec![
            json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "guard"},
                   "webhooks": [{"name": "w.example.com", "failurePolicy": "Fail", "clientConfig": {"service": service}}]}),
            json!({"kind": "Service", "metadata": service, "spec": {"selector": labels}}),
            json!({"kind": "Endpoints", "metadata": service, "subsets": endpoints}),
            json!({"kind": "Deployment", "metadata": service, "spec": {"replicas": 1, "template": {"metadata": {"labels": labels}}},
                   "status": {"replicas": 0}}),
            json!({"kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "shop"}, "spec": {"replicas": 2}, "status": {"replicas": 0}}),
        ]
    }

    fn found(objects: &[Json], why: &str) -> Vec<Finding> {
        let message = format!(
            "Error creating: Internal error occurred: failed calling webhook \"w.example.com\": failed to call webhook: Post \"https://hook.sys.svc:443/v?timeout=10s\": {why}"
        );
        let said = event("ReplicaSet", Some("shop"), "web-1", "FailedCreate", &message);
        let mut out = Vec::new();
        webhook(&cluster_with(objects, vec![said]), &mut out);
        out
    }

    #[test]
    fn the_configuration_is_to_blame_and_the_refused_suffer() {
        let finding = &found(&objects(&json!([])), "no endpoints available for service \"hook\"")[0];
        assert_eq!(
            (finding.cause.as_str(), finding.culprit.to_string().as_str()),
            ("webhook-no-endpoints", "ValidatingWebhookConfiguration guard")
        );
        assert_eq!(finding.affected, [Ref::new("ReplicaSet", Some("shop"), "web-1")]);
        assert_eq!((finding.facts["backend"].as_str(), finding.strength()), (Some("Deployment sys/hook"), Strength::Proof));
    }

    #[test]
    fn a_time_out_before_an_empty_service_is_no_matter_of_time() {
        let cause = |endpoints: &Json| found(&objects(endpoints), "context deadline exceeded")[0].cause.clone();
        assert_eq!(cause(&json!([])), "webhook-no-endpoints");
        assert_eq!(cause(&json!([{"addresses": [{"ip": "10.0.0.9"}]}])), "webhook-timeout");
    }

    #[test]
    fn a_policy_that_says_no_blames_the_workload() {
        let message = "admission webhook \"validate.kyverno.svc-fail\" denied the request: policy p: no latest tag";
        let said = event("ReplicaSet", Some("shop"), "web-1", "FailedCreate", message);
        let mut out = Vec::new();
        webhook(&cluster_with(&objects(&json!([])), vec![said]), &mut out);
        assert_eq!(
            (out[0].cause.as_str(), out[0].culprit.to_string().as_str()),
            ("admission-policy-denied", "ReplicaSet shop/web-1")
        );
    }
}
