//! Both ends speak, and not the same protocol: TCP against UDP, HTTP against HTTPS.

use super::complaint::Complaint;
use super::dependency::{Peer, named};
use super::service::is_called;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Origin, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "service_protocol", run: protocols }];

const CAUSE: &str = "service-protocol-mismatch";

fn protocols(cluster: &Cluster, out: &mut Vec<Finding>) {
    for service in cluster.kind("Service").filter(|s| s.origin != Origin::Manifest) {
        for (index, port) in service.at("spec.ports").items().enumerate() {
            out.extend(transport(cluster, service, index, port));
        }
    }
    for complaint in Complaint::all(cluster, "tls-mismatch") {
        out.extend(plain_text_at_a_tls_port(&complaint).or_else(|| tls_at_a_plain_port(&complaint)));
    }
}

fn of_port(port: Value<'_>) -> &str {
    Some(port.get("protocol").text()).filter(|p| !p.is_empty()).unwrap_or("TCP")
}

/// The container serves the port that is meant, by the other transport only.
fn transport(cluster: &Cluster, service: &Resource, index: usize, port: Value<'_>) -> Option<Finding> {
    let target = if port.get("targetPort").exists() { port.get("targetPort") } else { port.get("port") };
    let pod = cluster.pods_behind(service).next()?;
    let is_target =
        |p: &Value<'_>| [p.get("containerPort"), p.get("name")].iter().any(|v| v.exists() && v.text() == target.text());
    let declared: Vec<Value<'_>> =
        pod.at("spec.containers").items().flat_map(|c| c.get("ports").items()).filter(is_target).collect();
    let right = of_port(*declared.first()?);
    let wrong = of_port(port);
    if declared.iter().any(|p| of_port(*p) == wrong) || !(is_called(cluster, &service.reference) || cluster.is_refused(service)) {
        return None;
    }
    let says = format!("the container serves this port by {right} only");
    let at = if port.get("protocol").exists() { port.get("protocol") } else { port };
    Some(
        Finding::new(CAUSE, service.reference.clone(), Evidence::value(service, at, "protocol", Strength::Proof, says))
            .evidence(Evidence::value(pod, declared[0], "ports", Strength::Proof, "what the container declares"))
            .fact("wrong", wrong)
            .fact("right", right)
            .fact("port", port.get("port").text())
            .fact("index", index)
            .fact("server", pod.name()),
    )
}

/// A server complains of plain text at its TLS port; an Ingress that is not told of TLS sends it.
fn plain_text_at_a_tls_port(complaint: &Complaint<'_>) -> Option<Finding> {
    const AT_THE_SERVER: &[&str] =
        &["HTTP request to an HTTPS server", "sent to HTTPS port", "TLS handshake error from", ":http request"];
    let cluster = complaint.cluster;
    if !complaint.goes_on() || !AT_THE_SERVER.iter().any(|w| complaint.hit.line.text.contains(w)) {
        return None;
    }
    let services = cluster.kind("Service").filter(|s| cluster.pods_behind(s).any(|p| p.reference == complaint.pod.reference));
    let backed = |s: &Resource| {
        let suffering = cluster.graph().suffers_from(&s.reference).filter(|(o, _)| o.kind == "Ingress");
        let ingresses: Vec<&Resource> = suffering.filter_map(|(o, _)| cluster.get(o)).collect();
        ingresses.into_iter().find(|i| !speaks_tls(i, s)).map(|i| i.reference.clone())
    };
    let ingress = services.into_iter().find_map(backed)?;
    let holder = cluster.get(&ingress)?;
    let says = "nothing here tells the controller that the backend speaks TLS";
    let annotations = Evidence::field(holder, "metadata.annotations", Strength::Proof, says);
    Some(
        Finding::new(CAUSE, ingress, complaint.evidence(Strength::Proof, "the server gets plain text at its TLS port"))
            .evidence(annotations)
            .fact("wrong", "HTTP")
            .fact("right", "HTTPS")
            .fact("server", complaint.pod.name())
            .affects([complaint.pod.reference.clone()]),
    )
}

/// The controller is told, by an annotation of any controller or the Service's `appProtocol`, that the backend speaks TLS.
fn speaks_tls(ingress: &Resource, service: &Resource) -> bool {
    let tells =
        |text: &str| ["https", "grpcs", "h2", "fcgi", "passthrough"].iter().any(|w| text.to_ascii_lowercase().contains(w));
    let annotated = |r: &Resource| {
        r.at("metadata.annotations").fields().any(|(key, value)| {
            let speaks_of_it = ["protocol", "backend", "passthrough", "scheme"].iter().any(|w| key.contains(w));
            speaks_of_it && (tells(value.text()) || tells(key) && value.is_true())
        })
    };
    annotated(ingress) || annotated(service) || service.at("spec.ports").items().any(|p| tells(p.get("appProtocol").text()))
}

/// A client that was told to speak TLS to a port that does not.
fn tls_at_a_plain_port(complaint: &Complaint<'_>) -> Option<Finding> {
    const AT_THE_CLIENT: &[&str] =
        &["HTTP response to HTTPS client", "wrong version number", "does not look like a TLS handshake"];
    let cluster = complaint.cluster;
    let line = &complaint.hit.line.text;
    let is_client = AT_THE_CLIENT.iter().any(|w| line.contains(w)) && !line.contains("TLS handshake error from");
    if !is_client || !complaint.hurts() {
        return None;
    }
    let host = named(complaint.hit)?.host;
    let Peer::Service(service) = Peer::of(cluster, &host, complaint.pod.namespace()) else { return None };
    let settings = cluster.settings(complaint.holder());
    let setting = settings.iter().find(|s| s.text.contains("https://") && s.text.contains(service.name()))?;
    let says = "TLS is asked for here, and the service speaks plain text";
    Some(
        complaint
            .about_the_caller(CAUSE, Strength::Statement, "the answer is no TLS")
            .evidence(Evidence::value(setting.holder, setting.value, &setting.name, Strength::Statement, says))
            .fact("wrong", "HTTPS")
            .fact("right", "HTTP")
            .fact("server", service.name()),
    )
}
