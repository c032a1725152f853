//! Facts every finding has, so that any template may speak of them.

use serde_json::Value;

use super::{Facts, Finding};
use crate::catalog::{Catalog, Cause, prose};
use crate::cluster::Cluster;
use crate::decode::Ref;

/// Gives a finding the standard facts of its culprit, and an empty text for every fact its cause declares and nobody gave,
/// so that a template can ask `{% if limit %}`.
pub(super) fn complete(cluster: &Cluster, catalog: &Catalog, finding: &mut Finding) {
    finding.facts.extend(standard(cluster, &finding.culprit));
    for name in QUOTED {
        if let Some(Value::String(text)) = finding.facts.get_mut(*name) {
            *text = quotable(text);
        }
    }
    let Some(cause) = catalog.cause(&finding.cause) else { return };
    for fact in declared(cause) {
        finding.facts.entry(fact.to_owned()).or_insert_with(|| "".into());
    }
}

/// Facts that hold what somebody said, and that sentences quote.
const QUOTED: &[&str] = &["text", "line", "error", "message", "why", "state"];

/// A line or message as a sentence can quote it: without klog's header, on one line, without a full stop of its own.
fn quotable(text: &str) -> String {
    let own = text.split_once("] ").filter(|(header, _)| header.contains(".go:") && !header.contains('"'));
    let words: Vec<&str> = own.map_or(text, |(_, words)| words).split_whitespace().collect();
    let plain = words.join(" ");
    // A sentence that a detector wrote ends as it should.
    if own.is_some() { plain.trim_end_matches('.').to_owned() } else { plain }
}

/// What [`prose::STANDARD_FACTS`] names, of `culprit`.
pub(super) fn standard(cluster: &Cluster, culprit: &Ref) -> Facts {
    let ns = culprit.namespace.as_deref().unwrap_or("");
    let values = [
        ns.to_owned(),
        culprit.name.clone(),
        culprit.kind.clone(),
        culprit.to_string(),
        kubectl_resource(culprit),
        if ns.is_empty() { String::new() } else { format!("-n {ns}") },
        cluster.kubernetes_version().map_or_else(String::new, |v| v.to_string()),
    ];
    prose::STANDARD_FACTS.iter().map(|name| (*name).to_owned()).zip(values.map(Into::into)).collect()
}

/// A text with its blanks and line ends as single blanks: what is quoted in a sentence.
pub(super) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `deployment/web`, as kubectl takes it: the kind in lower case, with its group where the kind alone could mean another.
fn kubectl_resource(object: &Ref) -> String {
    let kind = object.kind.to_ascii_lowercase();
    let group = object.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let foreign = group.contains('.') && !group.ends_with(".k8s.io");
    let ambiguous =
        matches!(kind.as_str(), "service" | "ingress" | "event" | "job" | "certificate" | "cluster" | "gateway" | "backup");
    if foreign && ambiguous { format!("{kind}.{group}/{}", object.name) } else { format!("{kind}/{}", object.name) }
}

/// Facts the cause's templates may count on: declared ones, and what any of its signs captures.
fn declared(cause: &Cause) -> impl Iterator<Item = &str> {
    let taken = cause.signs.iter().flat_map(|s| s.facts());
    let of_signs = prose::SIGN_FACTS.iter().copied().filter(|_| !cause.signs.is_empty());
    cause.facts.iter().map(String::as_str).chain(taken).chain(of_signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_fit_into_a_sentence() {
        let klog = "E0210 08:10:04.300001    2201 run.go:74] \"command failed\"  err=\"x\".";
        assert_eq!(quotable(klog), "\"command failed\" err=\"x\"");
        assert_eq!(quotable("It was\n  so."), "It was so.");
    }

    #[test]
    fn kubectl_is_given_what_it_takes() {
        let mut object = Ref::new("Service", Some("shop"), "web");
        assert_eq!(kubectl_resource(&object), "service/web");
        object.api_version = "serving.knative.dev/v1".to_owned();
        assert_eq!(kubectl_resource(&object), "service.serving.knative.dev/web");
    }
}
