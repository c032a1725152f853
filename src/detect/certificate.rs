//! TLS certificates that processes do not accept.

use super::complaint::Complaint;
use super::dependency::{Peer, named};
use super::node::unit::{is_kubelet, latest, line_evidence, words};
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "certificates", run: certificates }];

const SIGNALS: [(&str, &str); 3] = [
    ("certificate-date", "certificate-expired"),
    ("certificate-unverified", "certificate-untrusted"),
    ("certificate-name", "certificate-untrusted"),
];

fn certificates(cluster: &Cluster, out: &mut Vec<Finding>) {
    journals(cluster, out);
    for (signal, cause) in SIGNALS {
        for complaint in Complaint::all(cluster, signal).into_iter().filter(|c| c.hurts() || c.goes_on()) {
            out.extend(refused(&complaint, signal, cause));
        }
    }
}

/// Kubelets that end in refusing the certificate of the API server.
fn journals(cluster: &Cluster, out: &mut Vec<Finding>) {
    for service in cluster.node_services.iter().filter(|s| is_kubelet(s)) {
        let node = service.node.as_deref().and_then(|n| cluster.find("Node", None, n));
        let Some(name) = service.node.as_deref().filter(|_| !node.is_some_and(|n| cluster.is_settled(n))) else { continue };
        let dated = |text: &str| {
            cluster.captures("certificate-date", text).is_some_and(|c| c.name("order").is_some_and(|o| o.as_str() == "after"))
        };
        let Some(line) = latest(service, |text| dated(text) && !text.contains("failed calling webhook")) else { continue };
        let limit = cluster.captures("certificate-date", &line.text).and_then(|c| Some(c.name("limit")?.as_str().to_owned()));
        let says = "the kubelet refuses the certificate of the API server";
        out.push(
            Finding::new(
                "certificate-expired",
                Ref::new("Node", None, name),
                line_evidence(service, line, Strength::Proof, says),
            )
            .fact("line", words(&line.text))
            .fact("limit", limit.unwrap_or_default()),
        );
    }
}

fn refused(complaint: &Complaint<'_>, signal: &str, cause: &str) -> Option<Finding> {
    let line = complaint.hit.line.text.as_str();
    // A webhook's certificate is the webhook's matter, the kubelet's is metrics-server's; one from the future is the clock's.
    if line.contains("failed calling webhook") || line.contains(":10250") {
        return None;
    }
    let captures = complaint.cluster.captures(signal, line)?;
    let taken = |name: &str| captures.name(name).map_or("", |m| m.as_str());
    if taken("order") == "before" {
        return None;
    }
    let strength = if complaint.hurts() { Strength::Statement } else { Strength::Hint };
    let says = if cause == "certificate-expired" { "the certificate has run out" } else { "the certificate is not accepted" };
    let peer = named(complaint.hit).map(|a| (Peer::of(complaint.cluster, &a.host, complaint.pod.namespace()), a.host));
    let peer_name = peer.as_ref().map(|(peer, host)| peer.reference().map_or_else(|| host.clone(), ToString::to_string));
    let mut finding = complaint
        .about_the_caller(cause, strength, says)
        .fact("limit", taken("limit"))
        .fact("peer", peer_name.unwrap_or_default());
    if let Some((holder, name)) = source(complaint) {
        let says = "a certificate the process is given";
        let mut evidence = Evidence::field(holder, "data", Strength::Hint, says);
        evidence.excerpt = format!("{name}: (a certificate)");
        finding = finding
            .fact("source", format!("{name} of {}", holder.reference))
            .evidence(evidence)
            .affects([holder.reference.clone()]);
    }
    Some(finding)
}

/// The ConfigMap or Secret that gives the process a certificate.
fn source<'a>(complaint: &Complaint<'a>) -> Option<(&'a Resource, String)> {
    let settings = complaint.cluster.settings(complaint.holder());
    let holds = |text: &str| text.contains("BEGIN CERTIFICATE") || text.contains("BEGIN TRUSTED CERTIFICATE");
    let injected = |name: &str| name == "kube-root-ca.crt";
    settings.iter().find(|s| holds(&s.text) && !injected(s.holder.name())).map(|s| (s.holder, s.name.to_string())).or_else(|| {
        // A TLS Secret that is mounted, its content not in the bundle.
        let volumes = complaint.pod.at("spec.volumes").items();
        let secrets = volumes.map(|v| v.path("secret.secretName").text()).filter(|n| !n.is_empty());
        let found = secrets.filter_map(|n| complaint.cluster.find("Secret", complaint.pod.namespace(), n));
        found.into_iter().find(|s| s.at("type").text() == "kubernetes.io/tls").map(|s| (s, "tls.crt".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};

    fn found(text: &str, status: &Json) -> Vec<Finding> {
        let config = json!({"name": "web-tls", "namespace": "shop"});
        let objects = [
            json!({"kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"}, "status": status,
                   "spec": {"containers": [{"name": "web", "envFrom": [{"configMapRef": {"name": "web-tls"}}]}]}}),
            json!({"kind": "ConfigMap", "metadata": config, "data": {"ca.pem": "-----BEGIN CERTIFICATE-----"}}),
        ];
        let mut out = Vec::new();
        certificates(
            &cluster_that_says(&objects, Vec::new(), &[Said { pod: "web-0", container: "web", previous: false, text }]),
            &mut out,
        );
        out
    }

    #[test]
    fn the_date_the_issuer_and_the_name_are_told_apart() {
        let crashes = json!({"phase": "Running", "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
        let cause = |text: &str| found(text, &crashes).first().map(|f| f.cause.clone()).unwrap_or_default();
        let dated = "x509: certificate has expired or is not yet valid: current time 2026-03-01T10:00:00Z is ";
        assert_eq!(cause(&format!("{dated}after 2026-02-01T00:00:00Z")), "certificate-expired");
        assert_eq!(cause(&format!("{dated}before 2026-04-01T00:00:00Z")), "");
        assert_eq!(cause("PKIX path building failed: unable to find valid certification path"), "certificate-untrusted");
        assert_eq!(cause("x509: certificate is valid for a, not b"), "certificate-untrusted");
        assert_eq!(cause("failed calling webhook \"w\": x509: certificate signed by unknown authority"), "");
        assert_eq!(found("Certificate expired on 2026-01-01", &crashes)[0].facts["source"], "ca.pem of ConfigMap shop/web-tls");
    }

    #[test]
    fn a_pod_that_works_has_got_over_it() {
        let well = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "web", "ready": true}]});
        assert!(found("certificate has expired", &well).is_empty());
    }
}
