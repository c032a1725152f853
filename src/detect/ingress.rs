//! Ingresses that name what is not there: a class, a backend, a certificate.

use super::{Detector, Evidence, Finding, near};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence};
use crate::decode::{Hit, Log, Origin, Ref, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "ingress", run: ingresses }];

fn ingresses(cluster: &Cluster, out: &mut Vec<Finding>) {
    for ingress in cluster.kind("Ingress").filter(|i| i.origin != Origin::Manifest) {
        out.extend(class_missing(cluster, ingress));
        out.extend(backends_missing(cluster, ingress));
        out.extend(certificates_missing(cluster, ingress));
    }
}

/// The class an Ingress asks for, in its spec or in the annotation that came before.
fn class(ingress: &Resource) -> Value<'_> {
    let spec = ingress.at("spec.ingressClassName");
    if spec.exists() { spec } else { ingress.at("metadata.annotations[kubernetes.io/ingress.class]") }
}

fn class_missing(cluster: &Cluster, ingress: &Resource) -> Option<Finding> {
    let class = class(ingress);
    let wanted = Ref::new("IngressClass", None, class.as_str().filter(|c| !c.is_empty())?);
    let served = !ingress.at("status.loadBalancer.ingress").is_empty();
    // The annotation may name a class that a controller serves without an IngressClass object; an address shows that.
    if served || cluster.presence(&wanted) != Presence::Absent {
        return None;
    }
    let classes: Vec<&str> = cluster.kind("IngressClass").map(Resource::name).collect();
    let right = near::nearest(&wanted.name, classes.iter().copied()).or(match classes.as_slice() {
        [only] => Some(*only),
        _ => None,
    });
    let evidence = Evidence::value(ingress, class, "ingressClassName", Strength::Proof, "no IngressClass of this name exists");
    let mut finding = Finding::new("ingress-class-missing", ingress.reference.clone(), evidence)
        .fact("class", wanted.name)
        .fact("classes", classes.join(", "))
        .fact("right", right.unwrap_or("").to_owned());
    if let Some(known) = right.and_then(|name| cluster.find("IngressClass", None, name)) {
        finding = finding.evidence(Evidence::field(known, "metadata.name", Strength::Statement, "a class that exists"));
    }
    Some(finding)
}

fn backends_missing(cluster: &Cluster, ingress: &Resource) -> Vec<Finding> {
    let paths = ingress.at("spec.rules").items().flat_map(|r| r.path("http.paths").items()).map(|p| p.get("backend"));
    let all = paths.chain([ingress.at("spec.defaultBackend"), ingress.at("spec.backend")]);
    all.filter_map(|backend| backend_missing(cluster, ingress, backend)).collect()
}

fn backend_missing(cluster: &Cluster, ingress: &Resource, backend: Value<'_>) -> Option<Finding> {
    let name = [backend.path("service.name"), backend.get("serviceName")].into_iter().find(|v| v.exists())?;
    let wanted = Ref::new("Service", ingress.namespace(), name.text());
    let found = |evidence: Evidence, what: String, near: &str| {
        Finding::new("ingress-backend-missing", ingress.reference.clone(), evidence).fact("backend", what).fact("near", near)
    };
    match cluster.presence(&wanted) {
        Presence::Absent => {
            let services = cluster.kind_in("Service", ingress.namespace()).map(Resource::name);
            let near = near::nearest(name.text(), services).unwrap_or("");
            let evidence =
                Evidence::value(ingress, name, "service.name", Strength::Proof, "no Service of this name is in the namespace");
            Some(found(evidence, wanted.to_string(), near))
        }
        Presence::Present => {
            let service = cluster.get(&wanted)?;
            let ports = service.at("spec.ports");
            let (number, named, old) =
                (backend.path("service.port.number"), backend.path("service.port.name"), backend.get("servicePort"));
            let port = [number, named, old].into_iter().find(|v| v.exists())?;
            let has = ports.items().any(|p| p.get("port").text() == port.text() || p.get("name").text() == port.text());
            if has || ports.is_empty() {
                return None;
            }
            let evidence = Evidence::value(ingress, port, "service.port", Strength::Proof, "the Service has no such port");
            Some(found(evidence, format!("port {} of {wanted}", port.text()), ""))
        }
        Presence::Unknown => None,
    }
}

fn certificates_missing(cluster: &Cluster, ingress: &Resource) -> Vec<Finding> {
    let names = ingress.at("spec.tls").items().map(|t| t.get("secretName")).filter(|n| n.exists() && !n.text().is_empty());
    names
        .filter_map(|name| {
            let presence = cluster.presence(&Ref::new("Secret", ingress.namespace(), name.text()));
            let said = not_found(cluster, ingress.namespace()?, name.text());
            if presence == Presence::Present || presence == Presence::Unknown && said.is_none() {
                return None;
            }
            let says = "no Secret of this name is in the namespace";
            let evidence = Evidence::value(ingress, name, "secretName", Strength::Proof, says);
            let mut finding =
                Finding::new("ingress-tls-secret-missing", ingress.reference.clone(), evidence).fact("secret", name.text());
            if let Some((log, hit)) = said {
                finding = finding.evidence(Evidence::hit(log, hit, Strength::Statement, "the controller looks for it in vain"));
            }
            Some(finding)
        })
        .collect()
}

/// The newest line of an ingress controller that says it finds no such certificate.
fn not_found<'a>(cluster: &'a Cluster, namespace: &str, secret: &str) -> Option<(&'a Log, &'a Hit)> {
    let wanted = format!("{namespace}/{secret}");
    let is_it = |line: &str| line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\\')).any(|word| word == wanted);
    cluster.hits("ingress-certificate-missing").filter(|(_, hit)| is_it(&hit.line.text)).last()
}
