//! Refusals in the API server's own words, found again in the template they are about.

use super::{Maker, Strength, container_of, finding, in_template, is_versioned, template_metadata};
use crate::cluster::admission::{self, Refusal};
use crate::cluster::{Cluster, KubernetesVersion};
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, EvidenceKind, Finding};

/// Refusals passed on in statuses and events, for as long as the template still says what was refused.
pub(super) fn pod_refused(cluster: &Cluster, out: &mut Vec<Finding>) {
    for resource in cluster.resources() {
        for (evidence, refusal) in in_status(resource) {
            blame(cluster, resource, &refusal, evidence, out);
        }
    }
    for event in cluster.events().iter().filter(|e| e.warning && e.message.contains(" is invalid: ") && cluster.is_current(e)) {
        let Some(resource) = cluster.get(&event.regarding) else { continue };
        for refusal in admission::parse(&event.message) {
            let evidence = Evidence::event(event, Strength::Proof, "the API server's own refusal, passed on by the controller");
            blame(cluster, resource, &refusal, evidence, out);
        }
    }
}

fn in_status(resource: &Resource) -> Vec<(Evidence, Refusal)> {
    let mut found = Vec::new();
    let message = resource.at("status.message");
    let conditions = resource.at("status.conditions").items().map(|c| c.get("message"));
    for message in conditions.chain([message]).filter(|m| m.text().contains(" is invalid: ")) {
        let says = "the API server's own refusal, kept in the status";
        for refusal in admission::parse(message.text()) {
            let evidence = Evidence::value(resource, message, "message", Strength::Proof, says).of_kind(EvidenceKind::Status);
            found.push((evidence, refusal));
        }
    }
    found
}

/// Blames the object at the top of the owner chain whose template holds the refused field.
fn blame(cluster: &Cluster, sufferer: &Resource, refusal: &Refusal, evidence: Evidence, out: &mut Vec<Finding>) {
    let top = cluster.top_owner(sufferer);
    let carrier = [top, sufferer].into_iter().find(|r| r.pod_spec().is_some());
    let Some((carrier, (path, _))) = carrier.and_then(|c| c.pod_spec().map(|p| (c, p))) else { return };
    let value = in_template(carrier, path, &refusal.path);
    let labels_hold = refusal.field() == "labels" && value.fields().any(|(_, v)| v.text() == refusal.value);
    // A container that the template does not have was put in by a webhook.
    let is_injected = refusal.path.contains("ontainers[") && !container_of(carrier, path, &refusal.path).exists();
    if !refusal.value.is_empty() && !is_injected && !labels_hold && value.text() != refusal.value && !value.is_map_or_list() {
        // The template was changed since: the refusal is history.
        return;
    }
    let version = cluster.kubernetes_version();
    if is_versioned(refusal) && version.is_some() && !would_refuse(carrier, path, refusal, version) {
        // An older API server said so; the one that is there takes it.
        return;
    }
    let mut found = finding(cluster, carrier, path, refusal, version, evidence).fact("injected", is_injected);
    let says = "the field it is about, in the template a person changes";
    if value.exists() {
        let shown = if value.is_map_or_list() { refusal.value.as_str() } else { value.text() };
        let excerpt = format!("{}: {shown}", refusal.field());
        found = found.evidence(Evidence::value(carrier, value, refusal.field(), Strength::Proof, says).brief(&excerpt));
    }
    let suffering: Vec<Ref> = vec![sufferer.reference.clone()];
    out.push(found.affects(suffering));
}

/// Does the API server of this version refuse the same field of the template?
fn would_refuse(carrier: &Resource, spec_path: &str, refusal: &Refusal, version: Option<KubernetesVersion>) -> bool {
    let maker = Maker::of_kind(carrier.kind());
    let said = admission::refusals(template_metadata(carrier, spec_path), carrier.at(spec_path), maker, version);
    // A sidecar whose restartPolicy got lost on the way is refused for its probe, which the template does not show.
    let sidecar = refusal.field().ends_with("Probe");
    sidecar || said.iter().any(|r| r.path == refusal.path)
}
