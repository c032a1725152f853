//! Kubelets without a serving certificate: their requests wait for approval, and whoever calls them is cut off.

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, EvidenceKind, Finding};

const SIGNER: &str = "kubernetes.io/kubelet-serving";

pub(super) fn requests(cluster: &Cluster, out: &mut Vec<Finding>) {
    let complaints: Vec<(Evidence, Option<Ref>)> = complaints(cluster).collect();
    let autoscalers = || {
        let blind = |h: &&Resource| h.condition("ScalingActive").get("reason").text().starts_with("FailedGetResourceMetric");
        cluster.kind("HorizontalPodAutoscaler").filter(blind).map(|h| h.reference.clone())
    };
    for request in cluster.kind("CertificateSigningRequest").filter(|r| is_waiting(r)) {
        let strength = if complaints.is_empty() { Strength::Statement } else { Strength::Proof };
        let says = "the request has neither condition nor certificate";
        let mut finding = Finding::new(
            "kubelet-serving-csr-pending",
            request.reference.clone(),
            Evidence::field(request, "spec.signerName", strength, says),
        )
        .fact("node", request.at("spec.username").text().trim_start_matches("system:node:"));
        if !complaints.is_empty() {
            finding = finding.affects(autoscalers()).affects(complaints.iter().filter_map(|(_, caller)| caller.clone()));
            for (evidence, _) in complaints.iter().take(3) {
                finding = finding.evidence(evidence.clone());
            }
        }
        out.push(finding);
    }
}

fn is_waiting(request: &Resource) -> bool {
    request.at("spec.signerName").text() == SIGNER
        && request.at("status.conditions").is_empty()
        && !request.at("status.certificate").exists()
}

/// Calls to kubelets that have no certificate to show, with their caller.
fn complaints(cluster: &Cluster) -> impl Iterator<Item = (Evidence, Option<Ref>)> {
    let says = "the kubelet has no certificate to show";
    let told = |text: &str| text.contains(":10250") && text.contains("remote error: tls: internal error");
    let notes = cluster.notes.iter().filter(move |n| told(&n.text));
    let notes = notes.map(move |n| (Evidence::file(n.location.clone(), n.text.clone(), Strength::Statement, says), None));
    let hits = cluster.hits("kubelet-without-certificate");
    let hits = hits.map(move |(log, hit)| {
        let evidence = Evidence::hit(log, hit, Strength::Statement, says).of_kind(EvidenceKind::Log);
        (evidence, cluster.pod_of(log).map(|pod| pod.reference.clone()))
    });
    notes.chain(hits)
}
