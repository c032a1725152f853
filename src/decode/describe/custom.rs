//! Objects kubectl has no describer for: every field, its name spread into words, nested by indentation
//! (kubectl `describe.printUnstructuredContent`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::outline::{Block, Entry};
use crate::decode::draft::{Draft, Node};

/// Levels of nesting that are read.
const DEPTH: u32 = 64;

/// Fields that are lists of maps. A list of one map looks like a map.
#[rustfmt::skip]
const MAP_LISTS: &[&str] = &[
    "additionalPrinterColumns", "addresses", "conditions", "containers", "containerStatuses", "env", "envFrom",
    "ephemeralContainers", "hostAliases", "imagePullSecrets", "initContainers", "initContainerStatuses", "items", "listeners", "parents", "certificateRefs", "matches",
    "matchConditions", "matchExpressions", "metrics", "nodeSelectorTerms", "ownerReferences", "parentRefs", "backendRefs",
    "ports", "preferredDuringSchedulingIgnoredDuringExecution", "rules", "scheduledOverrides", "scaleUpTriggers", "sources",
    "subjects", "subsets", "sysctls", "taints", "tolerations", "topologySpreadConstraints", "versions", "volumeClaimTemplates",
    "volumeDevices", "volumeMounts", "volumes", "webhooks",
];

/// Fields that are lists of strings, which may look like fields.
#[rustfmt::skip]
const TEXT_LISTS: &[&str] = &[
    "accessModes", "admissionReviewVersions", "apiGroups", "apiVersions", "args", "categories", "command", "drop", "add",
    "finalizers", "hosts", "hostnames", "ipFamilies", "clusterIPs", "nonResourceURLs", "operations", "policyTypes", "resourceNames",
    "shortNames", "values", "verbs", "repositoryNames", "mountOptions",
];

/// Fills the object from its fields. Name, namespace, labels and annotations are told at the top in the usual way.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let group = object.given("API Version").map_or("", |(v, _)| v.split_once('/').map_or("", |(group, _)| group));
    for entry in object.entries() {
        match entry.key() {
            "Name" | "Namespace" | "Labels" | "Annotations" | "API Version" | "Kind" | "Events" => {}
            "Metadata" => {
                let metadata = draft.map("metadata", entry.number());
                for told in entry.below.entries().filter(|e| e.key() != "Managed Fields") {
                    let (key, node) = member(told, group, 0);
                    metadata.push(key, told.number(), node);
                }
            }
            _ if entry.line.indent == 0 && entry.text().contains(':') => {
                let (key, node) = member(entry, group, 0);
                draft.push(key, entry.number(), node);
            }
            _ => {}
        }
    }
}

fn member<'t>(entry: Entry<'_, 't>, group: &str, depth: u32) -> (Cow<'t, str>, Node<'t>) {
    let key = field_name(entry.key(), group);
    let node = match (entry.value(), entry.below.entries().next()) {
        ("", None) => Node::Map(Draft::default()),
        ("", Some(_)) if depth >= DEPTH => Node::Map(Draft::default()),
        ("", Some(_)) => container(&key, entry.below, group, depth + 1),
        (value, _) if entry.below.0.iter().all(|l| l.text().is_empty()) => Node::plain(value),
        _ => Node::text(entry.long_value()),
    };
    (key, node)
}

/// What stands below a field: strings, maps one after the other, or one map.
fn container<'t>(key: &str, told: Block<'_, 't>, group: &str, depth: u32) -> Node<'t> {
    let is_text = |e: Entry<'_, '_>| e.key() == e.text() && !e.is_bare_key();
    if TEXT_LISTS.contains(&key) || told.entries().any(is_text) {
        return Node::Seq(told.entries().map(|e| (e.number(), Node::plain(e.text()))).collect());
    }
    let members: Vec<(u32, Cow<'t, str>, Node<'t>)> = told
        .entries()
        .map(|e| {
            let (key, node) = member(e, group, depth);
            (e.number(), key, node)
        })
        .collect();
    let mut seen = BTreeSet::new();
    let repeats = members.iter().any(|(_, key, _)| !seen.insert(key.clone()));
    let mut maps: Vec<(u32, Draft<'t>)> = Vec::new();
    let mut last: Option<Cow<'t, str>> = None;
    for (line, key, node) in members {
        // The fields of a map are sorted: one that does not come after the one before begins the next map.
        let begins = last.as_ref().is_none_or(|last| repeats && key <= *last);
        if begins {
            maps.push((line, Draft::default()));
        }
        if let Some((_, map)) = maps.last_mut() {
            map.push(key.clone(), line, node);
        }
        last = Some(key);
    }
    if repeats || MAP_LISTS.contains(&key) {
        return Node::Seq(maps.into_iter().map(|(line, map)| (line, Node::Map(map))).collect());
    }
    maps.pop().map_or_else(|| Node::Map(Draft::default()), |(_, map)| Node::Map(map))
}

/// `Current Runners` → `currentRunners`, `API Version` → `apiVersion`. kubectl spreads letters and hyphens only; any other
/// name is printed as it is.
fn field_name<'t>(label: &'t str, group: &str) -> Cow<'t, str> {
    let spread = label.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-'));
    if !spread || label.is_empty() {
        return Cow::Borrowed(label);
    }
    let mut name = String::with_capacity(label.len());
    for word in label.split(' ').filter(|w| !w.is_empty()) {
        if name.is_empty() || name.ends_with('-') {
            let acronym = word.len() > 1 && word.chars().all(char::is_uppercase);
            let known = matches!(word, "API" | "URL" | "UID" | "OSB" | "GUID");
            if acronym && !known {
                name.push_str(word);
            } else if acronym {
                name.push_str(&word.to_lowercase());
            } else {
                let mut letters = word.chars();
                name.extend(letters.next().into_iter().flat_map(char::to_lowercase));
                name.push_str(letters.as_str());
            }
        } else if word == "URL" && group == "actions.github.com" {
            // ARC writes `githubConfigUrl`; kubectl prints any spelling alike.
            name.push_str("Url");
        } else {
            name.push_str(word);
        }
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_field_names() {
        for (label, name) in [
            ("Current Runners", "currentRunners"),
            ("API Version", "apiVersion"),
            ("UID", "uid"),
            ("Runner JIT Config", "runnerJITConfig"),
            ("Repo URL", "repoURL"),
            ("Match - Labels", "match-labels"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("Replicas", "replicas"),
            ("FOO", "FOO"),
        ] {
            assert_eq!(field_name(label, ""), name);
        }
        assert_eq!(field_name("Github Config URL", "actions.github.com"), "githubConfigUrl");
    }
}
