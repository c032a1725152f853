//! The fix, rendered for the object at hand; its patch applied in memory and the detectors run again.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Fix, Patch, Verified, prose};
use crate::catalog::prose::command;
use crate::catalog::{Catalog, Cause, PatchTemplate, Strength};
use crate::cluster::Cluster;
use crate::decode::{self, Ref, Resource, Tape};
use crate::detect::{self, EvidenceKind, Finding};

mod patch;
mod yaml;

/// The fix of `cause` for `finding`. With `verify` its patch is tried.
pub(super) fn fix(cluster: &Cluster, catalog: &Catalog, cause: &Cause, finding: &Finding, verify: bool) -> Fix {
    let one = |template: &str| prose(template, &finding.facts);
    // A template that renders to nothing says that this item does not apply to this object.
    let all = |templates: &[String]| -> Vec<String> {
        templates.iter().map(|t| one(t)).filter(|text| !text.trim().is_empty()).collect()
    };
    let commands = |templates: &[String]| -> Vec<String> {
        let rendered = templates.iter().map(|t| command(t, &finding.facts).unwrap_or_else(|_| one(t)));
        rendered.filter(|text| !text.is_empty()).collect()
    };
    let patches = cause.fix.patch.iter().filter_map(|p| patched(cluster, catalog, p, finding, verify)).collect();
    Fix {
        summary: one(&cause.fix.summary),
        steps: all(&cause.fix.steps),
        commands: commands(&cause.fix.commands),
        patches,
        verify: commands(&cause.fix.verify),
        prevent: all(&cause.fix.prevent),
        alerts: all(&cause.fix.alerts),
        avoid: all(&cause.fix.avoid),
        docs: cause.docs.clone(),
    }
}

fn patched(cluster: &Cluster, catalog: &Catalog, template: &PatchTemplate, finding: &Finding, verify: bool) -> Option<Patch> {
    let yaml = prose(&template.yaml, &finding.facts);
    if yaml.trim().is_empty() {
        return None;
    }
    let target = match &template.target {
        Some(target) => reference(&prose(target, &finding.facts))?,
        None => finding.culprit.clone(),
    };
    let mut patch = Patch {
        target: target.clone(),
        kind: template.kind,
        yaml: yaml.clone(),
        diff: String::new(),
        verified: Verified::NotChecked,
    };
    let Some(resource) = cluster.get(&target) else { return Some(patch) };
    let before = resource.root().to_json();
    let after = patch::apply(&before, template.kind, &decode::yaml::value(&yaml)?)?;
    patch.diff = yaml::diff(&before, &after);
    patch.target = resource.reference.clone();
    if verify && is_computed(finding) {
        let changed = changed(cluster, resource, &after);
        let (still, _) = detect::findings(&changed, catalog);
        let is_same = |f: &Finding| f.cause == finding.cause && f.culprit == finding.culprit;
        let remains = still.iter().any(|f| is_same(f) && is_computed(f));
        patch.verified = if remains { Verified::NotCleared } else { Verified::Cleared };
    }
    Some(patch)
}

/// Proved by what is asked for. Status, events and logs speak of the time before a change: they cannot tell what it does.
fn is_computed(finding: &Finding) -> bool {
    finding.evidence.iter().any(|e| e.strength == Strength::Proof && e.kind == EvidenceKind::Spec)
}

/// `Kind/namespace/name`, `-` for no namespace.
fn reference(text: &str) -> Option<Ref> {
    let mut parts = text.trim().splitn(3, '/');
    let (kind, ns, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Ref::new(kind, Some(ns).filter(|n| *n != "-" && !n.is_empty()), name))
}

/// The cluster with `resource` as `after`, and with the change of its pod template in everything made from it.
fn changed(cluster: &Cluster, resource: &Resource, after: &Json) -> Cluster {
    let new = with_content(resource, after);
    let below: Vec<Ref> = cluster.descendants(&resource.reference).into_iter().map(|r| r.reference.clone()).collect();
    let templates = resource.pod_spec().zip(new.pod_spec()).map(|((_, old), (_, new))| (old.to_json(), new.to_json()));
    cluster.with_changes(|r| {
        if r.reference == resource.reference {
            return Some(Arc::new(new.clone()));
        }
        let Some((old, new)) = templates.as_ref().filter(|_| below.contains(&r.reference)) else { return Some(Arc::clone(r)) };
        let Some((path, _)) = r.pod_spec() else { return Some(Arc::clone(r)) };
        let mut content = r.root().to_json();
        if let Some(spec) = content.pointer_mut(&format!("/{}", path.replace('.', "/"))) {
            patch::transplant(old, new, spec);
        }
        Some(Arc::new(with_content(r, &content)))
    })
}

fn with_content(resource: &Resource, content: &Json) -> Resource {
    let line = resource.root().line().unwrap_or(0);
    Resource {
        reference: resource.reference.clone(),
        origin: resource.origin,
        tape: Tape::from_json(resource.file(), content, line),
    }
}
