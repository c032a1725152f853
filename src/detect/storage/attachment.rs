//! Volumes that are attached elsewhere, and claims whose deletion waits for their users.

use serde_json::json;

use super::{Evidence, Finding, users};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Event, Origin, Ref, Resource};
use crate::detect::symptom::{stamp, within};
use crate::detect::template::Template;

/// Volumes for one node that a pod on another node waits for: the attachment nobody uses, or the pod that holds it.
pub(super) fn volume_attachment(cluster: &Cluster, out: &mut Vec<Finding>) {
    let refused = |e: &&Event| e.reason == "FailedAttachVolume" && e.message.contains("Multi-Attach error");
    for event in cluster.events().iter().filter(refused).filter(|e| cluster.is_current(e)) {
        let Some(volume) = event.message.split('"').nth(1) else { continue };
        let pod = cluster.get(&event.regarding);
        out.push(held_elsewhere(cluster, event, volume, pod));
    }
}

fn held_elsewhere(cluster: &Cluster, event: &Event, volume: &str, pod: Option<&Resource>) -> Finding {
    let wanted_on = pod.map_or("", |p| p.at("spec.nodeName").text());
    let pv = cluster.find("PersistentVolume", None, volume);
    let claim = pv
        .map(|pv| pv.at("spec.claimRef"))
        .filter(|c| c.get("name").exists())
        .map(|c| Ref::new("PersistentVolumeClaim", Some(c.get("namespace").text()), c.get("name").text()));
    let holders = claim.as_ref().map(|c| users(cluster, c)).unwrap_or_default();
    let holder = holders.into_iter().find(|p| {
        let node = p.at("spec.nodeName").text();
        Some(p.name()) != pod.map(Resource::name) && !node.is_empty() && node != wanted_on
    });
    let attachment = cluster
        .kind("VolumeAttachment")
        .find(|a| a.at("spec.source.persistentVolumeName").text() == volume && a.at("spec.nodeName").text() != wanted_on);
    let said = Evidence::event(event, Strength::Statement, "the attach/detach controller refuses a second node");
    let carrier = pod.map_or_else(|| event.regarding.clone(), |p| cluster.top_owner_ref(p));
    let finding = match (attachment, holder) {
        (Some(attachment), None) => {
            let says = format!("the volume is still attached there, where no pod uses it; the pod waits on {wanted_on}");
            let evidence = Evidence::field(attachment, "spec.nodeName", Strength::Proof, says);
            Finding::new("volume-multi-attach", attachment.reference.clone(), evidence)
                .fact("attachment", attachment.name())
                .fact("held_on", attachment.at("spec.nodeName").text())
        }
        (_, Some(holder)) => {
            let held_on = holder.at("spec.nodeName").text();
            let says = format!("{} uses the volume there; the new pod waits on {wanted_on}", holder.name());
            let evidence = Evidence::field(holder, "spec.nodeName", Strength::Proof, says);
            let own = cluster.top_owner_ref(holder) == carrier;
            Finding::new("volume-multi-attach", carrier.clone(), evidence)
                .fact("holder", holder.name())
                .fact("held_on", held_on)
                .fact("own", own)
                .affects([holder.reference.clone()])
        }
        (None, None) => {
            let culprit = pv.map_or_else(|| carrier.clone(), |pv| pv.reference.clone());
            let says = "no attachment and no other user of the volume is in the bundle";
            Finding::new("volume-multi-attach", culprit, said.clone().brief(&event.message)).evidence(Evidence::event(
                event,
                Strength::Hint,
                says,
            ))
        }
    };
    let node = cluster.find("Node", None, finding.facts.get("held_on").and_then(|n| n.as_str()).unwrap_or_default());
    let down = node.is_some_and(|n| n.condition("Ready").get("status").text() != "True" && n.condition("Ready").exists());
    finding
        .fact("volume", volume)
        .fact("wanted_on", wanted_on)
        .fact("node_down", down)
        .fact("claim", claim.as_ref().map(|c| c.name.clone()).unwrap_or_default())
        .evidence(said)
        .affects([event.regarding.clone(), carrier])
        .affects(claim)
}

/// Claims that are to go and wait for the pods that use them.
pub(super) fn claim_deletion(cluster: &Cluster, out: &mut Vec<Finding>) {
    const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(2);
    let deleted = cluster.kind("PersistentVolumeClaim").filter(|c| {
        let at = c.at("metadata.deletionTimestamp");
        c.origin != Origin::Manifest && at.exists() && !within(cluster, stamp(at), PATIENCE)
    });
    for claim in deleted {
        let protected = claim.at("metadata.finalizers").items().any(|f| f.text() == "kubernetes.io/pvc-protection");
        let users = users(cluster, &claim.reference);
        let Some(user) = users.first().filter(|_| protected) else { continue };
        let says = format!("{} still uses the claim, and its protection holds until the pod is gone", user.name());
        let evidence = Evidence::field(claim, "metadata.finalizers", Strength::Proof, says);
        let deletion = "deletion was asked for and has not happened";
        let finding = Finding::new("pvc-stuck-terminating", claim.reference.clone(), evidence)
            .evidence(Evidence::field(claim, "metadata.deletionTimestamp", Strength::Proof, deletion))
            .fact("pod", user.name())
            .fact("carrier", Template::of(cluster, user).map_or_else(|| json!(""), |t| json!(t.carrier.to_string())));
        out.push(finding.affects(users.iter().map(|p| p.reference.clone())));
    }
}
