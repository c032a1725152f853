//! Helm releases that are locked by an operation which never ended (helm `pkg/action`, `errPending`).

use jiff::SignedDuration;

use super::symptom::{stamp, within};
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "helm_release", run: locked_releases }];

/// Helm waits for five minutes by default; an operation that is pending for longer than this has been broken off.
const LONGEST_OPERATION: SignedDuration = SignedDuration::from_hours(1);

/// Helm's answer while a revision is pending.
const REFUSED: &str = "another operation (install/upgrade/rollback) is in progress";

fn locked_releases(cluster: &Cluster, out: &mut Vec<Finding>) {
    let refusals = refusals(cluster);
    let pending: Vec<&Resource> = cluster.kind("Secret").filter(|s| is_pending(s)).collect();
    if pending.is_empty() {
        out.extend(refusals.into_iter().map(|(who, refusal)| Finding::new("helm-release-locked", who, refusal)));
        return;
    }
    for secret in pending {
        let begun = stamp(secret.at("metadata.creationTimestamp"));
        if refusals.is_empty() && (begun.is_none() || within(cluster, begun, LONGEST_OPERATION)) {
            continue;
        }
        let says = "the revision Helm stores here was never finished";
        let mut finding = Finding::new(
            "helm-release-locked",
            secret.reference.clone(),
            Evidence::field(secret, "metadata.labels.status", Strength::Proof, says),
        );
        if let Some((_, refusal)) = refusals.first() {
            finding = finding.evidence(refusal.clone());
        }
        out.push(finding.fact("release", release_of(secret)).fact("status", secret.label("status").unwrap_or("pending")));
    }
}

/// Helm keeps each revision in a Secret with these labels (helm `pkg/storage/driver/secrets.go`).
fn is_pending(secret: &Resource) -> bool {
    secret.label("owner") == Some("helm") && secret.label("status").is_some_and(|s| s.starts_with("pending-"))
}

/// The release of `sh.helm.release.v1.web.v3`: `web`.
fn release_of(secret: &Resource) -> &str {
    let bare = secret.name().strip_prefix("sh.helm.release.v1.").unwrap_or(secret.name());
    secret.label("name").unwrap_or_else(|| bare.rsplit_once(".v").map_or(bare, |(release, _)| release))
}

/// Who was told that a release is locked, and where that stands.
fn refusals(cluster: &Cluster) -> Vec<(Ref, Evidence)> {
    let says = "Helm refuses";
    let logged = cluster.hits("helm-locked").filter_map(|(log, hit)| {
        let writer = || Some(Ref::new("Pod", log.source.namespace.as_deref(), log.source.pod.as_deref()?));
        let who = cluster.pod_of(log).map(|pod| cluster.top_owner_ref(pod)).or_else(writer)?;
        Some((who, Evidence::hit(log, hit, Strength::Proof, says)))
    });
    let events = cluster.events().iter().filter(|e| e.message.contains(REFUSED) && cluster.is_current(e));
    logged.chain(events.map(|e| (e.regarding.clone(), Evidence::event(e, Strength::Proof, says)))).collect()
}
