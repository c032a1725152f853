//! Images that do not come to their node.

use jiff::SignedDuration;

use super::template::Template;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Container, Presence};
use crate::decode::{Event, Ref, Resource, Value};

mod nearby;
mod reference;
mod refusal;

use nearby::{Nearby, RunningTags};
use reference::Reference;
use refusal::Refusal;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "image_pull", run: image_pull }];

/// Waiting reasons of a container whose image is not there (`pkg/kubelet/images/types.go`, and CRI-O's).
const REASONS: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// A pull that takes longer than this is called slow.
const SLOW: SignedDuration = SignedDuration::from_mins(5);

fn image_pull(cluster: &Cluster, out: &mut Vec<Finding>) {
    let running = RunningTags::new(cluster);
    let mut failed = Vec::new();
    for pod in cluster.kind("Pod") {
        for container in cluster.containers(pod) {
            let waiting = container.waiting_reason();
            let pull = Pull::of(cluster, &running, container);
            if REASONS.contains(&waiting) {
                failed.extend(pull.failed());
            } else if matches!(waiting, "ContainerCreating" | "PodInitializing") {
                out.extend(pull.slow());
            }
        }
    }
    out.extend(told_by_one_for_all(failed));
    out.extend(of_uncollected_pods(cluster));
}

/// The registry answers all pods of a workload alike: where one of them quotes it, the others need not be guessed at.
fn told_by_one_for_all(failed: Vec<Finding>) -> Vec<Finding> {
    let (guessed, mut told): (Vec<_>, Vec<_>) = failed.into_iter().partition(|f| f.strength() == Strength::Hint);
    for guess in guessed {
        let same = |t: &&mut Finding| t.culprit == guess.culprit && t.facts.get("image") == guess.facts.get("image");
        match told.iter_mut().find(same) {
            Some(finding) => *finding = finding.clone().affects(guess.affected),
            None => told.push(guess),
        }
    }
    told
}

/// Failed pulls of pods that only events tell of.
fn of_uncollected_pods(cluster: &Cluster) -> Vec<Finding> {
    let failed = cluster.events().iter().filter(|e| e.reason == "Failed" && e.regarding.kind == "Pod");
    let orphaned = failed.filter(|e| cluster.get(&e.regarding).is_none() && cluster.presence(&e.regarding) != Presence::Absent);
    orphaned
        .filter_map(|event| {
            let image = quoted_image(event)?;
            let refusal = Refusal::of(&event.message)?;
            let culprit = cluster.presumed_owner(&event.regarding).map_or(&event.regarding, |o| &o.reference);
            let evidence = Evidence::event(event, Strength::Statement, "the kubelet quotes the runtime's error");
            let reference = Reference::of(image);
            Some(
                Finding::new(refusal.cause(), culprit.clone(), evidence)
                    .fact("image", image)
                    .fact("registry", reference.registry)
                    .fact("repository", reference.repository)
                    .fact("tag", reference.tag)
                    .fact("container", event.container().unwrap_or("its container"))
                    .fact("pod", event.regarding.name.as_str())
                    .fact("error", decisive(&event.message))
                    .affects([event.regarding.clone()]),
            )
        })
        .collect()
}

/// The image an event speaks of: `Failed to pull image "r.example.com/web:1": …`.
fn quoted_image(event: &Event) -> Option<&str> {
    Some(event.message.split_once("ull image \"")?.1.split_once('"')?.0)
}

/// A container that waits for its image.
struct Pull<'a> {
    cluster: &'a Cluster,
    running: &'a RunningTags<'a>,
    container: Container<'a>,
    image: &'a str,
}

impl<'a> Pull<'a> {
    /// A table does not tell the image; the events do.
    fn of(cluster: &'a Cluster, running: &'a RunningTags<'a>, container: Container<'a>) -> Self {
        let told = || cluster.events_of(&container.pod.reference).filter_map(quoted_image).last().unwrap_or("");
        let image = if container.image().is_empty() { told() } else { container.image() };
        Self { cluster, running, container, image }
    }

    /// Does an event of the pod speak of this container and its image?
    fn is_about(&self, event: &Event) -> bool {
        let named = event.container().is_none_or(|c| c == self.container.name || self.container.name.is_empty());
        named && self.cluster.is_current(event) && event.message.contains(self.image)
    }

    fn failed(&self) -> Option<Finding> {
        let Self { cluster, running, container, image } = self;
        let pod = container.pod;
        let template = Template::of(cluster, pod)?;
        if self.is_of_a_former_template(&template) || self.may_pull_by_now(&template) {
            return None;
        }
        let waiting = container.status.path("state.waiting");
        let reason = container.waiting_reason();
        let said = self.words();
        let refusal = match &said {
            Some((refusal, _)) => Some(*refusal),
            None => Refusal::of(reason),
        };
        let near = Nearby::of(cluster, running, &template, container);
        let secrets = PullSecrets::of(cluster, pod);
        let (cause, alternative) = judge(refusal, image, &secrets, near.is_some());
        let evidence = match &said {
            Some((_, evidence)) => evidence.clone(),
            None => {
                let strength = if refusal.is_some() { Strength::Statement } else { Strength::Hint };
                Evidence::value(pod, waiting.get("reason"), "reason", strength, "the kubelet waits for the image")
            }
        };
        let mut finding = self.finding(cause, &template, evidence).fact("alternative", alternative);
        finding = finding.fact("error", said.as_ref().map_or_else(|| reason.to_owned(), |(_, e)| decisive(&e.excerpt)));
        if let Some(Refusal::Unresolved(temporary)) = refusal {
            let resolver = resolver(&finding);
            finding = finding.fact("temporary", temporary).fact("resolver", resolver);
        }
        if let Some(near) = near {
            finding = finding.fact("near", near.image).fact("near_why", near.why);
        }
        if let Some(evidence) = secrets.evidence(pod) {
            finding = finding.evidence(evidence);
        }
        finding = finding.fact("secrets", secrets.named.join(", ")).fact("missing_secret", secrets.missing.unwrap_or(""));
        if container.spec.get("image").exists() {
            let says = "the image the container asks for";
            finding = finding.evidence(Evidence::value(pod, container.spec.get("image"), "image", Strength::Hint, says));
        }
        Some(finding)
    }

    /// The kubelet began to pull long ago and has not finished.
    fn slow(&self) -> Option<Finding> {
        let Self { cluster, container, .. } = self;
        let pod = container.pod;
        let said = |reason: &str| cluster.events_of(&pod.reference).filter(|e| e.reason == reason && self.is_about(e)).last();
        let began = said("Pulling")?;
        let last = began.last.or(began.first)?;
        let ended = [said("Pulled"), said("Failed")].into_iter().flatten().any(|e| e.last.or(e.first) >= Some(last));
        let took = cluster.now?.duration_since(last);
        if ended || took < SLOW {
            return None;
        }
        let template = Template::of(cluster, pod)?;
        let says = "the pull began and nothing says that it ended";
        let finding = self.finding("image-pull-slow", &template, Evidence::event(began, Strength::Statement, says));
        Some(finding.fact("minutes", took.as_mins()))
    }

    fn finding(&self, cause: &str, template: &Template<'_>, evidence: Evidence) -> Finding {
        let container = &self.container;
        let reference = Reference::of(self.image);
        // A table's row does not name it; the template does, where it has one.
        let only = template
            .at("containers")
            .items()
            .map(|c| c.get("name").text())
            .next()
            .filter(|_| template.at("containers").len() == 1);
        let name = if container.name.is_empty() { only.unwrap_or_default() } else { container.name };
        let node = container.pod.at("spec.nodeName").text();
        let arch = self.cluster.find("Node", None, node).map_or("", |n| n.at("status.nodeInfo.architecture").text());
        let pointer = |field: &str| template.pointer_of(container, field).unwrap_or_default();
        let full_node = self.cluster.find("Node", None, node).filter(|_| cause == "image-pull-no-space");
        let culprit = full_node.map_or(&template.carrier, |n| &n.reference);
        Finding::new(cause, culprit.clone(), evidence)
            .fact("image", self.image)
            .fact("registry", reference.registry)
            .fact("repository", reference.repository)
            .fact("tag", reference.tag)
            .fact("container", name)
            .fact("pod", container.pod.name())
            .fact("node", node)
            .fact("arch", arch)
            .fact("pointer", pointer("image"))
            .fact("policy_pointer", pointer("imagePullPolicy"))
            .affects([container.pod.reference.clone()])
    }

    /// The newest words on this container's image that give a reason, with the place where they stand.
    fn words(&self) -> Option<(Refusal, Evidence)> {
        let Self { cluster, container, .. } = self;
        let message = container.status.path("state.waiting.message");
        if let Some(refusal) = Refusal::of(message.text()) {
            let says = "the kubelet quotes the runtime's error";
            return Some((refusal, Evidence::value(container.pod, message, "message", Strength::Proof, says)));
        }
        let about_it = |e: &&Event| {
            matches!(e.reason.as_str(), "Failed" | "InspectFailed" | "ErrImageNeverPull" | "FailedToInspectImage")
                && self.is_about(e)
        };
        let newest =
            cluster.events_of(&container.pod.reference).filter(about_it).filter_map(|e| Some((Refusal::of(&e.message)?, e)));
        let (refusal, event) = newest.last()?;
        Some((refusal, Evidence::event(event, Strength::Proof, "the kubelet quotes the runtime's error")))
    }

    /// The kubelet did not pull because it might not, and that was changed since.
    fn may_pull_by_now(&self, template: &Template<'_>) -> bool {
        let allows = |container: Value<'_>| {
            let policy = container.get("imagePullPolicy");
            policy.exists() && policy.text() != "Never"
        };
        let forbidden = self.container.waiting_reason() == "ErrImageNeverPull";
        forbidden && (allows(self.container.spec) || template.container(&self.container).is_some_and(allows))
    }

    /// The object a person changes has another image by now: this pod is on its way out.
    fn is_of_a_former_template(&self, template: &Template<'_>) -> bool {
        let image = self.image;
        let Some(wanted) = template.container(&self.container).map(|c| c.get("image")).filter(|i| i.exists()) else {
            return false;
        };
        // An admission webhook may have put another registry in front of the image.
        let (wanted, asked) = (Reference::of(wanted.text()), Reference::of(image));
        (wanted.base(), wanted.tag) != (asked.base(), asked.tag)
    }
}

/// The secrets a pod may pull with: its own, and its ServiceAccount's.
struct PullSecrets<'a> {
    named: Vec<&'a str>,
    missing: Option<&'a str>,
}

impl<'a> PullSecrets<'a> {
    fn of(cluster: &'a Cluster, pod: &'a Resource) -> Self {
        let account = match pod.at("spec.serviceAccountName").text() {
            "" => "default",
            name => name,
        };
        let account = cluster.find("ServiceAccount", pod.namespace(), account);
        let of_account = account.map(|a| a.at("imagePullSecrets").items()).into_iter().flatten();
        let named: Vec<&str> = pod
            .at("spec.imagePullSecrets")
            .items()
            .chain(of_account)
            .map(|s| s.get("name").text())
            .filter(|n| !n.is_empty())
            .collect();
        let is_missing = |name: &str| {
            let secret = Ref::new("Secret", pod.namespace(), name);
            let told = cluster
                .events_of(&pod.reference)
                .any(|e| e.reason == "FailedToRetrieveImagePullSecret" && e.message.contains(name) && cluster.is_current(e));
            told || cluster.presence(&secret) == Presence::Absent
        };
        let missing = named.iter().copied().find(|n| is_missing(n));
        Self { named, missing }
    }

    fn evidence(&self, pod: &Resource) -> Option<Evidence> {
        let field = pod.at("spec.imagePullSecrets");
        let says = match self.missing {
            Some(name) => format!("the pull secret {name} it names does not exist in its namespace"),
            None => "the pull secrets it names".to_owned(),
        };
        field.exists().then(|| Evidence::value(pod, field, "imagePullSecrets", Strength::Hint, says))
    }
}

/// The cause, and what else the same words could mean. Registries that hide private repositories answer alike for a name
/// that does not exist.
fn judge(
    refusal: Option<Refusal>,
    image: &str,
    secrets: &PullSecrets<'_>,
    is_near_another: bool,
) -> (&'static str, &'static str) {
    let wants_login = secrets.missing.is_some() || !secrets.named.is_empty();
    let is_hub = Reference::of(image).registry == "docker.io";
    match refusal {
        Some(Refusal::MissingOrPrivate) if secrets.missing.is_some() || !is_near_another && (wants_login || !is_hub) => {
            ("image-pull-auth", "The registry does not say whether the repository is private or missing: check the name as well.")
        }
        Some(Refusal::MissingOrPrivate) => (
            "image-not-found",
            "The registry gives the same answer for a private repository: if it exists, a pull secret is missing.",
        ),
        Some(Refusal::Unauthorized) if !wants_login => {
            ("image-pull-auth", "Some registries answer like this for a repository that does not exist: check the name as well.")
        }
        Some(refusal) => (refusal.cause(), ""),
        None if secrets.missing.is_some() => ("image-pull-auth", "What the registry answered is not in the bundle."),
        None => (
            "image-not-found",
            "What the registry answered is not in the bundle: credentials, network or limits are possible too.",
        ),
    }
}

/// The end of the error, where the reason stands: the frames before it repeat the image.
fn decisive(text: &str) -> String {
    const LONGEST: usize = 220;
    let text = text.rsplit_once("failed to resolve reference ").map_or(text, |(_, rest)| rest);
    let text = text.rsplit_once("\": ").filter(|(_, rest)| rest.len() > 20).map_or(text, |(_, rest)| rest);
    let text = text.rsplit_once("desc = ").map_or(text, |(_, rest)| rest);
    text[..text.floor_char_boundary(LONGEST)].trim().to_owned()
}

/// `lookup HOST on 10.0.0.2:53` → `10.0.0.2:53`
fn resolver(finding: &Finding) -> String {
    let error = finding.facts.get("error").and_then(serde_json::Value::as_str).unwrap_or("");
    let Some((_, after)) = error.split_once(" on ") else { return String::new() };
    after.split(": ").next().filter(|r| r.contains(":53")).unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests;
