//! Claims that stay unbound, volumes that stay elsewhere, and volumes a process cannot use.

use serde_json::{Value as Json, json};

use super::near::nearest;
use super::template::Template;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::simulate::storage::{self, Misfit};
use crate::cluster::{Cluster, Presence};
use crate::decode::{Event, Origin, Ref, Resource};

mod attachment;
mod process;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "claim_binding", run: claim_binding },
    Detector { name: "claim_reference", run: claim_reference },
    Detector { name: "volume_attachment", run: attachment::volume_attachment },
    Detector { name: "claim_deletion", run: attachment::claim_deletion },
    Detector { name: "volume_use", run: process::volume_use },
];

/// The provisioner of classes whose volumes are made by hand.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Claims that cannot be bound, held against every class and every volume.
fn claim_binding(cluster: &Cluster, out: &mut Vec<Finding>) {
    let pending = cluster
        .kind("PersistentVolumeClaim")
        .filter(|c| c.origin != Origin::Manifest && c.at("status.phase").text() == "Pending")
        .filter(|c| !c.at("metadata.deletionTimestamp").exists());
    for claim in pending {
        let claim = Claim::new(cluster, claim);
        if claim.users.is_empty() && claim.complaint().is_none() {
            continue;
        }
        out.extend(claim.judged());
    }
}

/// A claim that waits, with the pods that wait for it.
struct Claim<'a> {
    cluster: &'a Cluster,
    claim: &'a Resource,
    users: Vec<&'a Resource>,
}

/// Names of the claims of a pod, those of its generic ephemeral volumes among them.
fn claims_of<'a>(pod: &'a Resource) -> impl Iterator<Item = String> + use<'a> {
    pod.at("spec.volumes").items().filter_map(|volume| {
        let named = volume.path("persistentVolumeClaim.claimName");
        if named.exists() {
            return Some(named.text().to_owned());
        }
        volume.get("ephemeral").exists().then(|| format!("{}-{}", pod.name(), volume.get("name").text()))
    })
}

/// Pods that have not ended and use the claim.
fn users<'a>(cluster: &'a Cluster, claim: &Ref) -> Vec<&'a Resource> {
    let pods = cluster.kind_in("Pod", claim.namespace.as_deref()).filter(|p| p.origin != Origin::Manifest);
    pods.filter(|p| !matches!(p.at("status.phase").text(), "Succeeded" | "Failed"))
        .filter(|p| claims_of(p).any(|name| name == claim.name))
        .collect()
}

impl<'a> Claim<'a> {
    fn new(cluster: &'a Cluster, claim: &'a Resource) -> Self {
        Self { cluster, claim, users: users(cluster, &claim.reference) }
    }

    /// The newest event in which a controller says why the claim is not bound.
    fn complaint(&self) -> Option<&'a Event> {
        let events = self.cluster.events_of(&self.claim.reference).filter(|e| self.cluster.is_current(e));
        events.filter(|e| matches!(e.reason.as_str(), "ProvisioningFailed" | "FailedBinding" | "VolumeMismatch")).last()
    }

    fn judged(&self) -> Option<Finding> {
        let named = storage::class_of(self.claim).filter(|name| !name.is_empty());
        let default = storage::default_class(self.cluster);
        let Some(name) = named.or(default.map(Resource::name).filter(|_| storage::class_of(self.claim).is_none())) else {
            return self.compared().or_else(|| self.without_class());
        };
        match self.cluster.find("StorageClass", None, name) {
            Some(class) if class.at("provisioner").text() == NO_PROVISIONER => self.compared(),
            Some(class) if class.at("volumeBindingMode").text() == "WaitForFirstConsumer" => self.passed_by(class),
            Some(class) => self.without_driver(class),
            None => {
                let is_static = self.cluster.kind("PersistentVolume").any(|pv| storage::class_of(pv) == Some(name));
                if is_static { self.compared() } else { self.class_missing(name) }
            }
        }
    }

    fn class_missing(&self, name: &str) -> Option<Finding> {
        let said = self.complaint().filter(|e| e.message.contains("storageclass") && e.message.contains("not found"));
        if said.is_none() && storage::class_presence(self.cluster, name) != Presence::Absent {
            return None;
        }
        let classes: Vec<_> = self.cluster.kind("StorageClass").map(Resource::name).collect();
        let default = storage::default_class(self.cluster).map(Resource::name);
        let meant = nearest(name, classes.iter().copied()).or(default).or_else(|| Some(*classes.first()?));
        let says = match classes.len() {
            0 => format!("no StorageClass {name} exists"),
            _ => format!("no StorageClass {name} exists; there is {}", classes.join(", ")),
        };
        let evidence = self.field("spec.storageClassName", Strength::Proof, says);
        let replace = |class: &str| json!([{"op": "replace", "path": "/spec/storageClassName", "value": class}]);
        let finding = self.finding("storage-class-missing", evidence);
        Some(
            finding
                .fact("class", name)
                .fact("classes", classes.join(", "))
                .fact("meant", meant.unwrap_or_default())
                .fact("ops", meant.filter(|_| self.is_culprit()).map(replace).unwrap_or_default()),
        )
    }

    /// Neither a class nor a volume for a claim that names no class.
    fn without_class(&self) -> Option<Finding> {
        let complaint = self.complaint().filter(|e| e.message.contains("no storage class is set"))?;
        let classes: Vec<_> = self.cluster.kind("StorageClass").map(Resource::name).collect();
        let evidence = Evidence::event(complaint, Strength::Statement, "neither a volume nor a class is there for the claim");
        let meant = classes.first().copied().unwrap_or_default();
        let finding = Finding::new("storage-class-missing", self.culprit(), evidence);
        Some(self.described(finding).fact("class", "").fact("classes", classes.join(", ")).fact("meant", meant))
    }

    /// A claim that is bound when the scheduler places its pod, and a pod that goes past the scheduler: each waits for ever.
    fn passed_by(&self, class: &'a Resource) -> Option<Finding> {
        let selected = self.claim.annotation("volume.kubernetes.io/selected-node").is_some();
        let placed = self.users.iter().find(|p| !p.at("spec.nodeName").text().is_empty() && !selected);
        let Some(pod) = placed else { return self.without_driver(class) };
        let template = Template::of(self.cluster, pod)?;
        let by_hand = template.at("nodeName");
        let (holder, value) = if by_hand.exists() { (template.holder, by_hand) } else { (*pod, pod.at("spec.nodeName")) };
        let says = "the pod is placed without the scheduler, which alone tells the claim where its volume is to be";
        let evidence = Evidence::value(holder, value, "nodeName", Strength::Proof, says);
        let mode = Evidence::field(class, "volumeBindingMode", Strength::Proof, "the claim waits for the scheduler");
        let ops =
            template.pointer().filter(|_| by_hand.exists()).map(|p| json!([{"op": "remove", "path": format!("{p}/nodeName")}]));
        let finding = self.described(Finding::new("pvc-waiting-for-consumer", template.carrier.clone(), evidence).evidence(mode));
        Some(finding.fact("node", value.text()).fact("class", class.name()).fact("ops", ops.unwrap_or_default()))
    }

    /// The class is there; whether somebody makes volumes for it is another matter.
    fn without_driver(&self, class: &'a Resource) -> Option<Finding> {
        let waits = self.cluster.events_of(&self.claim.reference).filter(|e| e.reason == "ExternalProvisioning").last()?;
        let said = waits.message.split(['"', '\'']).nth(1);
        let driver = said.unwrap_or_else(|| class.at("provisioner").text());
        if self.cluster.presence(&Ref::new("CSIDriver", None, driver)) == Presence::Present || self.is_driven(driver) {
            return None;
        }
        let says = format!("no CSIDriver {driver} is registered and no pod of the bundle is its controller");
        let evidence = Evidence::field(class, "provisioner", Strength::Statement, says);
        let waiting = Evidence::event(waits, Strength::Statement, "the claim waits for the driver to make a volume");
        let finding = Finding::new("csi-driver-missing", class.reference.clone(), evidence).evidence(waiting);
        Some(self.described(finding).fact("driver", driver).fact("class", class.name()).affects([self.claim.reference.clone()]))
    }

    /// Does any pod look like the driver's? Its name stands in images, arguments or variables; the pods of the system
    /// must have been collected for the answer to mean anything.
    fn is_driven(&self, driver: &str) -> bool {
        let word = match driver.rsplit_once('/') {
            Some((_, word)) => word,
            None => driver.split('.').next().unwrap_or(driver),
        };
        let mut pods = self.cluster.kind("Pod").filter(|p| p.namespace() != self.claim.namespace()).peekable();
        pods.peek().is_none()
            || pods.any(|p| {
                let containers = p.at("spec.containers").items();
                p.name().contains(word)
                    || containers.clone().any(|c| {
                        let values = c.get("env").items().map(|e| e.get("value"));
                        values.chain(c.get("args").items()).any(|v| v.text().contains(driver))
                            || c.get("image").text().contains(word)
                    })
            })
    }

    /// Holds the claim against the volumes that are there.
    fn compared(&self) -> Option<Finding> {
        let (volume, misfits) = storage::nearest(self.cluster, self.claim)?;
        let named = self.claim.at("spec.volumeName").text() == volume.name();
        let is_taken = misfits.iter().any(|m| matches!(m, Misfit::Claimed { .. } | Misfit::Unusable(_)));
        let is_manual = volume.annotation("pv.kubernetes.io/provisioned-by").is_none();
        // A volume that is somebody else's, and unlike what is asked for besides, was not meant.
        if is_taken && !named && (misfits.len() > 1 || !is_manual) {
            return None;
        }
        let misfit = misfits.first()?;
        let pv =
            |path: &str, says: &str| Evidence::field(volume, path, Strength::Proof, format!("volume {} {says}", volume.name()));
        let finding = match misfit {
            Misfit::Class { wanted, offered } => {
                let says = format!("volume {} is of class {:?}", volume.name(), offered);
                let finding = self.finding("pvc-selector-mismatch", self.field("spec.storageClassName", Strength::Proof, says));
                finding
                    .evidence(pv("spec.storageClassName", "comes nearest"))
                    .fact("what", "storageClassName")
                    .fact("wanted", *wanted)
                    .fact("offered", *offered)
            }
            Misfit::Selector(unmet) => {
                let listed = unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let says = format!("volume {} lacks {listed}", volume.name());
                let finding = self.finding("pvc-selector-mismatch", self.field("spec.selector", Strength::Proof, says));
                finding
                    .evidence(pv("metadata.labels", "has these labels"))
                    .fact("what", "selector")
                    .fact("wanted", listed)
                    .fact("offered", volume.at("metadata.labels").to_json().to_string())
            }
            Misfit::VolumeMode { wanted, offered } => {
                let says = format!("volume {} is of mode {offered}", volume.name());
                let finding = self.finding("pvc-selector-mismatch", self.field("spec.volumeMode", Strength::Proof, says));
                finding.fact("what", "volumeMode").fact("wanted", *wanted).fact("offered", *offered)
            }
            Misfit::AccessModes { wanted, offered } => {
                let says = format!("volume {} offers {} only", volume.name(), offered.join(", "));
                let finding = self.finding("pvc-access-mode-mismatch", self.field("spec.accessModes", Strength::Proof, says));
                finding
                    .evidence(pv("spec.accessModes", "offers these"))
                    .fact("wanted", wanted.join(", "))
                    .fact("offered", offered.join(", "))
            }
            Misfit::Capacity { wanted, offered } => {
                let says = format!("volume {} holds {offered}", volume.name());
                let finding =
                    self.finding("pvc-capacity-mismatch", self.field("spec.resources.requests.storage", Strength::Proof, says));
                finding
                    .evidence(pv("spec.capacity.storage", "holds this much"))
                    .fact("wanted", wanted.to_string())
                    .fact("offered", offered.to_string())
            }
            Misfit::Claimed { by, phase } => {
                let says = format!("belongs to claim {by}");
                let evidence =
                    Evidence::field(volume, "spec.claimRef", Strength::Proof, format!("volume {} {says}", volume.name()));
                let culprit = if *phase == "Released" { volume.reference.clone() } else { self.culprit() };
                let finding =
                    self.described(Finding::new("pv-already-bound", culprit, evidence)).affects([self.claim.reference.clone()]);
                finding.fact("by", by.as_str()).fact("phase", *phase)
            }
            Misfit::Unusable(phase) => {
                let evidence = pv("status.phase", "cannot be used any more");
                self.described(Finding::new("pv-already-bound", volume.reference.clone(), evidence))
                    .fact("by", "")
                    .fact("phase", *phase)
            }
        };
        Some(finding.fact("volume", volume.name()).fact("ops", self.fitted(volume, misfit)))
    }

    /// The patch that makes the claim fit the volume. A pending claim cannot be changed in place; it is its manifest that
    /// changes.
    fn fitted(&self, volume: &Resource, misfit: &Misfit<'_>) -> Json {
        let exists = |path: &str| self.claim.at(path).exists();
        let set = |path: &str, value: Json| {
            let op = if exists(path) { "replace" } else { "add" };
            json!([{"op": op, "path": format!("/{}", path.replace('.', "/")), "value": value}])
        };
        match misfit {
            Misfit::Claimed { phase, .. } if *phase == "Released" => json!([{"op": "remove", "path": "/spec/claimRef"}]),
            _ if !self.is_culprit() => Json::Null,
            Misfit::Class { offered, .. } => set("spec.storageClassName", json!(offered)),
            Misfit::Selector(_) => json!([{"op": "remove", "path": "/spec/selector"}]),
            Misfit::AccessModes { offered, .. } => set("spec.accessModes", json!(offered)),
            Misfit::Capacity { .. } => set("spec.resources.requests.storage", volume.at("spec.capacity.storage").to_json()),
            Misfit::VolumeMode { offered, .. } => set("spec.volumeMode", json!(offered)),
            Misfit::Claimed { .. } | Misfit::Unusable(_) => Json::Null,
        }
    }

    fn culprit(&self) -> Ref {
        self.cluster.top_owner_ref(self.claim)
    }

    fn is_culprit(&self) -> bool {
        self.culprit() == self.claim.reference
    }

    fn field(&self, path: &str, strength: Strength, says: String) -> Evidence {
        Evidence::field(self.claim, path, strength, says)
    }

    fn finding(&self, cause: &str, evidence: Evidence) -> Finding {
        self.described(Finding::new(cause, self.culprit(), evidence))
    }

    /// The facts all causes of a claim share, its controller's words, and the pods that wait.
    fn described(&self, finding: Finding) -> Finding {
        let mut finding = finding.fact("claim", self.claim.name()).fact("claim_ns", self.claim.namespace().unwrap_or_default());
        if let Some(event) = self.complaint() {
            finding =
                finding.evidence(Evidence::event(event, Strength::Statement, "the controller says why the claim is not bound"));
        }
        if let Some(user) = self.users.first() {
            finding = finding.fact("pod", user.name());
        }
        let pods = self.users.iter().map(|p| p.reference.clone());
        let owners = self.users.iter().map(|p| self.cluster.top_owner_ref(p));
        let claim = Some(self.claim.reference.clone());
        finding.affects(owners.chain(claim).chain(pods))
    }
}

/// Pods that name a claim that does not exist.
fn claim_reference(cluster: &Cluster, out: &mut Vec<Finding>) {
    let waiting = cluster.kind("Pod").filter(|p| {
        p.origin != Origin::Manifest
            && p.at("spec.nodeName").text().is_empty()
            && matches!(p.at("status.phase").text(), "Pending" | "")
    });
    for pod in waiting {
        let Some(template) = Template::of(cluster, pod) else { continue };
        let said = cluster.events_of(&pod.reference).filter(|e| e.reason == "FailedScheduling" && cluster.is_current(e)).last();
        let condition = pod.condition("PodScheduled").get("message").text();
        for (i, volume) in pod.at("spec.volumes").items().enumerate() {
            let field = volume.path("persistentVolumeClaim.claimName");
            let name = field.text();
            if name.is_empty() {
                continue;
            }
            let denied = format!("persistentvolumeclaim \"{name}\" not found");
            let event = said.filter(|e| e.message.contains(&denied));
            let reference = Ref::new("PersistentVolumeClaim", pod.namespace(), name);
            let presence = cluster.presence(&reference);
            let is_told = event.is_some() || condition.contains(&denied);
            if presence == Presence::Present || presence == Presence::Unknown && !is_told {
                continue;
            }
            let claims = cluster.kind_in("PersistentVolumeClaim", pod.namespace()).filter(|c| c.origin != Origin::Manifest);
            let near = nearest(name, claims.map(Resource::name)).map(str::to_owned);
            let path = format!("volumes[{i}].persistentVolumeClaim.claimName");
            let in_template = template.at(&path);
            let (holder, value) = if in_template.text() == name { (template.holder, in_template) } else { (pod, field) };
            let strength = if presence == Presence::Absent { Strength::Proof } else { Strength::Statement };
            let says = format!("no PersistentVolumeClaim {name} exists in namespace {}", pod.namespace().unwrap_or_default());
            let evidence = Evidence::value(holder, value, "claimName", strength, says);
            let mut finding = Finding::new("pvc-missing", template.carrier.clone(), evidence)
                .fact("claim", name)
                .fact("pod", pod.name())
                .fact("near", near.clone().unwrap_or_default())
                .affects([pod.reference.clone(), reference]);
            if let Some(event) = event {
                finding = finding.evidence(Evidence::event(event, Strength::Statement, "the scheduler looked for the claim"));
            }
            if let (Some(near), Some(pointer)) = (near, template.pointer().filter(|_| in_template.text() == name)) {
                let path = format!("{pointer}/volumes/{i}/persistentVolumeClaim/claimName");
                finding = finding.fact("ops", json!([{"op": "replace", "path": path, "value": near}]));
            }
            out.push(finding);
        }
    }
}
