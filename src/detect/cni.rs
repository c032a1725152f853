//! Names the network plugin cannot take.

use super::{Detector, Evidence, Finding, pod_trouble};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Resource;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "cilium_identity", run: identities_too_long }];

/// A label value has at most this many characters (apimachinery, `validation.LabelValueMaxLength`).
const LABEL_VALUE: usize = 63;

/// Cilium writes the name of a pod's service account into a label of its identity.
fn identities_too_long(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod").filter(|p| pod_trouble(cluster, p).is_some()) {
        let account = pod.at("spec.serviceAccountName");
        if account.text().len() <= LABEL_VALUE {
            continue;
        }
        let said = cluster.hits("cilium-identity-refused").find(|(_, hit)| hit.line.text.contains(account.text()));
        if said.is_none() && !is_without_network(cluster, pod) {
            continue;
        }
        let says = format!("{} characters, and Cilium makes a label value of it: at most {LABEL_VALUE}", account.text().len());
        let evidence = Evidence::value(pod, account, "serviceAccountName", Strength::Proof, says);
        let mut finding = Finding::new("service-account-name-too-long-for-cni", cluster.top_owner_ref(pod), evidence)
            .fact("account", account.text())
            .affects([pod.reference.clone()]);
        if let Some((log, hit)) = said {
            finding = finding.evidence(Evidence::hit(log, hit, Strength::Statement, "the agent cannot make the identity"));
        }
        out.push(finding);
    }
}

/// Cilium cannot give the pod its endpoint.
fn is_without_network(cluster: &Cluster, pod: &Resource) -> bool {
    let of_cilium = |text: &str| text.contains("cilium") && (text.contains("endpoint") || text.contains("timeout"));
    cluster
        .events_of(&pod.reference)
        .any(|e| e.reason == "FailedCreatePodSandBox" && of_cilium(&e.message) && cluster.is_current(e))
}
