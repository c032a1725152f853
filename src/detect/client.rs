//! Requests the API server refused, as the output of a client tells it: kubectl, Helm, a pipeline.

use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, kind_called};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "client_refused", run: client_refused }];

/// The signal of a refused request, and the one that reads which object it was about.
const REFUSED: &str = "request-refused";
const OBJECT: &str = "refused-object";

/// Signals of refusals that blame the object itself, with the cause each one is.
const REASONS: [(&str, &str); 3] = [
    ("pod-security-refusal", "pod-security-violation"),
    ("immutable-field", "immutable-field-update"),
    ("template-refusal", "pod-spec-invalid"),
];

/// Facts those signals read.
const FACTS: [&str; 6] = ["level", "violations", "field", "template_field", "refusal", "value"];

/// What the API server answered to a client.
pub(super) struct Answer<'a> {
    pub(super) text: &'a str,
    pub(super) evidence: Evidence,
}

/// Answers among the bundle's remarks, and in logs that no pod wrote.
pub(super) fn answers(cluster: &Cluster) -> Vec<Answer<'_>> {
    let says = "the API server's answer to a client";
    let remarks = cluster.notes.iter().filter(|n| cluster.captures(REFUSED, &n.text).is_some()).map(|note| Answer {
        text: &note.text,
        evidence: Evidence::file(note.location.clone(), note.text.as_str(), Strength::Proof, says),
    });
    let logged = cluster
        .hits(REFUSED)
        .filter(|(log, _)| cluster.pod_of(log).is_none())
        .map(|(log, hit)| Answer { text: &hit.line.text, evidence: Evidence::hit(log, hit, Strength::Proof, says) });
    remarks.chain(logged).collect()
}

/// The object an answer is about: `The Deployment "web" is invalid`, `pods "x" is forbidden`. Its namespace is known where one
/// of that name is in the bundle only.
pub(super) fn object(cluster: &Cluster, text: &str) -> Option<Ref> {
    let captures = cluster.captures(OBJECT, text)?;
    let kind = kind_called(captures.name("kind")?.as_str())?;
    let name = captures.name("name")?.as_str();
    let mut known = cluster.kind(kind).filter(|r| r.name() == name);
    let known = known.next().filter(|_| known.next().is_none());
    Some(known.map_or_else(|| Ref::new(kind, None, name), |r| r.reference.clone()))
}

fn client_refused(cluster: &Cluster, out: &mut Vec<Finding>) {
    for answer in answers(cluster) {
        for (signal, cause) in REASONS {
            let Some(captures) = cluster.captures(signal, answer.text) else { continue };
            let Some(object) = object(cluster, answer.text) else { continue };
            let fact = |name: &str| captures.name(name).map_or("", |m| m.as_str());
            let finding = Finding::new(cause, object, answer.evidence.clone());
            out.push(FACTS.iter().fold(finding, |f, name| f.fact(name, fact(name))));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};

    #[test]
    fn an_answer_names_its_object() {
        let web = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
        let cluster = cluster_that_says(&[web], Vec::new(), &[Said { pod: "p", container: "c", previous: false, text: "" }]);
        let named = |text: &str| object(&cluster, text).map(|o| o.to_string());
        assert_eq!(named("The Deployment \"web\" is invalid: spec.selector").as_deref(), Some("Deployment shop/web"));
        assert_eq!(named("pods \"x\" is forbidden: violates").as_deref(), Some("Pod x"));
        assert_eq!(named("deployments.apps \"web\" is forbidden").as_deref(), Some("Deployment shop/web"));
        assert_eq!(named("something is wrong"), None);
    }
}
