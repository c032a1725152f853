//! Services that route to nothing: selectors, ports, and workloads without replicas behind them.

use super::{Detector, Evidence, EvidenceKind, Finding, near, symptom};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Relation, selects};
use crate::decode::{Origin, Ref, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "service_selector", run: selectors },
    Detector { name: "service_port", run: ports },
    Detector { name: "scaled_to_zero", run: scaled_to_zero },
];

/// Services that are there and choose pods by labels.
fn selecting(cluster: &Cluster) -> impl Iterator<Item = &Resource> {
    cluster.kind("Service").filter(|s| chooses(s))
}

fn selecting_in<'a>(cluster: &'a Cluster, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Resource> {
    cluster.kind_in("Service", namespace).filter(|s| chooses(s))
}

fn chooses(service: &Resource) -> bool {
    service.origin != Origin::Manifest && !service.at("spec.selector").is_empty()
}

/// Workloads of a namespace that make pods, not owned by another one, with the labels of those pods.
fn workloads<'a>(cluster: &'a Cluster, namespace: Option<&'a str>) -> impl Iterator<Item = (&'a Resource, Value<'a>)> {
    cluster.templates(namespace).filter(|(r, _)| is_at_the_top(cluster, r))
}

fn is_at_the_top(cluster: &Cluster, workload: &Resource) -> bool {
    workload.origin != Origin::Manifest && cluster.owner(workload).is_none()
}

fn pods<'a>(cluster: &'a Cluster, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Resource> {
    cluster.kind_in("Pod", namespace).filter(|p| p.origin != Origin::Manifest)
}

/// Does anybody who runs send requests to this service? An Ingress, or a workload whose settings name it.
pub(super) fn is_called(cluster: &Cluster, service: &Ref) -> bool {
    cluster.graph().suffers_from(service).any(|(object, relation)| match relation {
        Relation::Backs => true,
        Relation::Called => cluster.get(object).is_some_and(|caller| symptom::replicas(caller).0 != 0 || caller.kind() == "Pod"),
        _ => false,
    })
}

/// A selector that no pod and no template satisfies.
fn selectors(cluster: &Cluster, out: &mut Vec<Finding>) {
    for service in selecting(cluster) {
        let (namespace, selector) = (service.namespace(), service.at("spec.selector"));
        let there = pods(cluster, namespace).next();
        if there.is_none()
            || !are_pods_complete(cluster, namespace)
            || cluster.pods_behind(service).next().is_some()
            || cluster.templates_selected(namespace, selector).any(|(r, _)| is_at_the_top(cluster, r))
            || cluster.has_untold_labels(namespace) && symptom::ready_endpoints(cluster, service) != Some(0)
        {
            continue;
        }
        if let Some(finding) = nearest_miss(cluster, service) {
            out.push(finding);
        }
    }
}

/// Were all pods of a namespace collected? So a list or a table says, or that no workload has ready replicas without a pod.
fn are_pods_complete(cluster: &Cluster, namespace: Option<&str>) -> bool {
    let mut known = workloads(cluster, namespace).filter(|(w, _)| w.at("status").exists()).peekable();
    let has_pods = |w: &Resource| cluster.descendants(&w.reference).iter().any(|d| d.kind() == "Pod");
    cluster.collected("Pod", namespace)
        || known.peek().is_some() && known.all(|(w, _)| w.at("status.readyReplicas").as_i64().unwrap_or(0) == 0 || has_pods(w))
}

/// The workload the selector was meant for: the one that satisfies most of it, or has the service's name.
fn nearest_miss(cluster: &Cluster, service: &Resource) -> Option<Finding> {
    let selector = service.at("spec.selector");
    let met = |labels: Value<'_>| selector.fields().filter(|(k, v)| labels.get(k).text() == v.text()).count();
    let score = |workload: &Resource, labels: Value<'_>| {
        let named = usize::from(workload.name() == service.name()) * 2;
        let almost = selector.fields().filter(|(k, v)| near::nearest(v.text(), [labels.get(k).text()]).is_some()).count();
        met(labels) * 2 + named + almost
    };
    let best = workloads(cluster, service.namespace())
        .map(|(w, l)| (score(w, l), w, l))
        .max_by_key(|(s, w, _)| (*s, std::cmp::Reverse(&w.reference)));
    let (score, workload, labels) = best?;
    // A selector that resembles nothing may be left over from what was removed.
    let strength = if score > 0 { Strength::Proof } else { Strength::Hint };
    let wrong: Vec<(&str, Value<'_>)> = selector.fields().filter(|(k, v)| labels.get(k).text() != v.text()).collect();
    let (key, value) = *wrong.first()?;
    let has = labels.get(key);
    let says = "no pod and no template in the namespace has this label";
    let mut finding = Finding::new(
        "service-selector-mismatch",
        service.reference.clone(),
        Evidence::value(service, value, key, strength, says),
    );
    if score == 0 {
        return Some(
            finding.fact("wanted", format!("{key}={}", value.text())).fact("workload", "").fact("has", "").fact("selector", ""),
        );
    }
    let says = "the labels of the workload it is probably meant for";
    let at = if has.exists() { has } else { labels };
    finding = finding.evidence(Evidence::value(workload, at, key, strength, says));
    if cluster.find("Endpoints", service.namespace(), service.name()).is_some()
        && symptom::ready_endpoints(cluster, service) == Some(0)
    {
        let endpoints = cluster.find("Endpoints", service.namespace(), service.name())?;
        finding = finding.evidence(
            Evidence::field(endpoints, "subsets", Strength::Proof, "so it has no endpoints").of_kind(EvidenceKind::Status),
        );
    }
    let selector_of_pods: Vec<String> = wrong
        .iter()
        .filter(|(k, _)| labels.get(k).exists())
        .map(|(k, _)| format!("{}: {}", serde_json::Value::from(*k), serde_json::Value::from(labels.get(k).text())))
        .collect();
    let finding = finding
        .fact("wanted", format!("{key}={}", value.text()))
        .fact("has", if has.exists() { format!("{key}={}", has.text()) } else { format!("no label {key}") })
        .fact("workload", workload.reference.to_string())
        .fact("selector", if selector_of_pods.len() == wrong.len() { selector_of_pods.join(", ") } else { String::new() });
    Some(finding)
}

/// A target port that no container has.
fn ports(cluster: &Cluster, out: &mut Vec<Finding>) {
    for service in selecting(cluster) {
        let selected: Vec<&Resource> = cluster.pods_behind(service).collect();
        let Some(pod) = selected.first() else { continue };
        for port in service.at("spec.ports").items() {
            out.extend(port_mismatch(cluster, service, port, pod, &selected));
        }
    }
}

fn port_mismatch(
    cluster: &Cluster,
    service: &Resource,
    port: Value<'_>,
    pod: &Resource,
    selected: &[&Resource],
) -> Option<Finding> {
    let target = port.get("targetPort");
    let target = if target.exists() { target } else { port.get("port") };
    let declared = declared_ports(cluster, pod);
    if declared.is_empty() || target.text().is_empty() {
        return None;
    }
    let number = target.as_i64();
    let found = match number {
        Some(number) => declared.iter().any(|d| d.get("containerPort").as_i64() == Some(number)),
        None => declared.iter().any(|d| d.get("name").text() == target.text()),
    };
    // A name can only be looked up among names that were collected; `describe` does not print them.
    let names_known = declared.iter().any(|d| d.get("name").exists());
    if found || number.is_none() && !names_known {
        return None;
    }
    let listening = listening_ports(cluster, selected);
    if number.is_some_and(|n| listening.contains(&n)) {
        return None;
    }
    // A number need not be declared: it is wrong for certain only where something else is known to be served or refused.
    let probed = probed_ports(pod);
    let other_known =
        declared.iter().filter_map(|d| d.get("containerPort").as_i64()).any(|d| listening.contains(&d) || probed.contains(&d));
    let unreachable = cluster.is_refused(service);
    let strength = match number {
        None => Strength::Proof,
        Some(_) if other_known || unreachable => Strength::Proof,
        Some(_) => Strength::Statement,
    };
    let best = best_port(port, &declared, &listening);
    let says = "no container of the pods behind it has this port";
    let evidence = Evidence::value(service, target, "targetPort", strength, says);
    let at = best.map_or_else(|| declared[0].get("containerPort"), |b| b.get("containerPort"));
    let finding = Finding::new("service-port-mismatch", service.reference.clone(), evidence)
        .evidence(Evidence::value(pod, at, "containerPort", strength, "what the container declares"))
        .fact("port", port.get("port").text())
        .fact("target", target.text())
        .fact("declared", shown(&declared))
        .fact("right", best.map_or("", |b| b.get("containerPort").text()))
        .fact(
            "index",
            service.at("spec.ports").items().position(|p| p.get("port").text() == port.get("port").text()).unwrap_or(0),
        );
    Some(finding)
}

/// Ports the containers declare; those of the template where the pod was read from a text that leaves their names out.
fn declared_ports<'a>(cluster: &'a Cluster, pod: &'a Resource) -> Vec<Value<'a>> {
    let of = |spec: Value<'a>| spec.get("containers").items().flat_map(|c| c.get("ports").items()).collect::<Vec<_>>();
    let own = of(pod.at("spec"));
    let templated = || cluster.top_owner(pod).pod_spec().map(|(_, spec)| of(spec)).unwrap_or_default();
    if own.iter().any(|p| p.get("name").exists()) { own } else { Some(templated()).filter(|t| !t.is_empty()).unwrap_or(own) }
}

fn shown(declared: &[Value<'_>]) -> String {
    let one = |d: &Value<'_>| match d.get("name").text() {
        "" => d.get("containerPort").text().to_owned(),
        name => format!("{} ({name})", d.get("containerPort").text()),
    };
    declared.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The declared port that was probably meant: the only one, the one of the service port's number or name, the one that is served.
fn best_port<'a>(port: Value<'_>, declared: &[Value<'a>], listening: &[i64]) -> Option<Value<'a>> {
    let by = |fits: &dyn Fn(&Value<'a>) -> bool| declared.iter().copied().find(fits);
    if let [only] = declared {
        return Some(*only);
    }
    by(&|d| d.get("name").exists() && d.get("name").text() == port.get("name").text())
        .or_else(|| by(&|d| d.get("containerPort").text() == port.get("port").text()))
        .or_else(|| by(&|d| d.get("containerPort").as_i64().is_some_and(|p| listening.contains(&p))))
}

/// Ports the logs of these pods say they listen on.
pub(super) fn listening_ports(cluster: &Cluster, pods: &[&Resource]) -> Vec<i64> {
    let mut found = Vec::new();
    for pod in pods {
        for log in cluster.logs_of(&pod.reference) {
            for signal in ["listening-on", "listening-address"] {
                let Some(index) = cluster.patterns().and_then(|p| p.index(signal)) else { continue };
                let lines = log.hits.iter().filter(|h| h.pattern == index).map(|h| h.line.text.as_str());
                let ports = lines.filter_map(|l| cluster.captures(signal, l)?.name("port")?.as_str().parse::<i64>().ok());
                found.extend(ports);
            }
        }
    }
    found
}

/// Ports that probes of a ready pod reach.
fn probed_ports(pod: &Resource) -> Vec<i64> {
    if !pod.condition("Ready").get("status").is_true() {
        return Vec::new();
    }
    let probes = ["readinessProbe", "livenessProbe", "startupProbe"];
    let ports = pod.at("spec.containers").items().flat_map(move |c| probes.map(|p| c.get(p)));
    ports.flat_map(|p| ["httpGet", "tcpSocket", "grpc"].map(|h| p.get(h).get("port").as_i64())).flatten().collect()
}

/// Workloads that are wanted by somebody and have no replicas.
fn scaled_to_zero(cluster: &Cluster, out: &mut Vec<Finding>) {
    let zero = cluster.resources().filter(|r| matches!(r.kind(), "Deployment" | "StatefulSet") && r.origin != Origin::Manifest);
    for workload in zero.filter(|r| r.at("spec.replicas").as_i64() == Some(0)) {
        let Some(labels) =
            workloads(cluster, workload.namespace()).find(|(w, _)| w.reference == workload.reference).map(|(_, l)| l)
        else {
            continue;
        };
        let services: Vec<&Resource> = selecting_in(cluster, workload.namespace())
            .filter(|s| selects(s.at("spec.selector"), labels))
            .filter(|s| cluster.pods_behind(s).next().is_none())
            .collect();
        let Some(service) = services.first() else { continue };
        let called = services.iter().any(|s| is_called(cluster, &s.reference) || cluster.is_refused(s));
        let lately = cluster
            .events_of(&workload.reference)
            .filter(|e| e.reason == "ScalingReplicaSet" && e.message.contains(" to 0"))
            .last();
        let strength = if called || lately.is_some() { Strength::Proof } else { Strength::Hint };
        let evidence = Evidence::field(workload, "spec.replicas", strength, "no pod is asked for");
        let mut finding = Finding::new("scaled-to-zero", workload.reference.clone(), evidence)
            .evidence(Evidence::field(service, "spec.selector", strength, "selects the pods that are not there"))
            .fact("service", service.name())
            .affects(services.iter().map(|s| s.reference.clone()));
        if let Some(event) = lately {
            finding = finding.evidence(Evidence::event(event, Strength::Statement, "it was scaled down only lately"));
        }
        out.push(finding);
    }
}
