//! The objects an incident touches, joined from findings and symptoms into rows of one table.

use indexmap::IndexMap;

use super::model::{Ref, Report};
use crate::language::Language;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Affected {
    pub(super) kind: String,
    /// Empty for cluster-scoped objects.
    pub(super) namespace: String,
    pub(super) name: String,
    /// What hurts, or what it is to the incident; empty when nothing is told.
    pub(super) state: String,
    /// Findings it belongs to.
    pub(super) findings: Vec<usize>,
}

/// All rows: objects that must change, then those that hurt, then those that are affected without a symptom of their own.
pub(super) fn affected(report: &Report, language: Language) -> Vec<Affected> {
    let mut rows: IndexMap<(&str, Option<&str>, &str), Affected> = IndexMap::new();
    for (index, finding) in report.findings.iter().enumerate() {
        let state = if finding.role == "consequence" { "" } else { language.text("to-change") };
        row(&mut rows, &finding.resource, index, state);
    }
    for symptom in &report.symptoms {
        let row = rows.entry(key(&symptom.resource)).or_insert_with(|| blank(&symptom.resource));
        join(&mut row.state, &symptom.what);
        for index in &symptom.explained_by {
            if !row.findings.contains(index) {
                row.findings.push(*index);
            }
        }
    }
    for (index, finding) in report.findings.iter().enumerate() {
        for object in &finding.affected {
            row(&mut rows, object, index, "");
        }
    }
    rows.into_values().collect()
}

fn key(object: &Ref) -> (&str, Option<&str>, &str) {
    (&object.kind, object.namespace.as_deref(), &object.name)
}

fn blank(object: &Ref) -> Affected {
    Affected {
        kind: object.kind.clone(),
        namespace: object.namespace.clone().unwrap_or_default(),
        name: object.name.clone(),
        state: String::new(),
        findings: Vec::new(),
    }
}

fn row<'a>(rows: &mut IndexMap<(&'a str, Option<&'a str>, &'a str), Affected>, object: &'a Ref, finding: usize, state: &str) {
    let row = rows.entry(key(object)).or_insert_with(|| blank(object));
    if !state.is_empty() && !row.state.contains(state) {
        join(&mut row.state, state);
    }
    if !row.findings.contains(&finding) {
        row.findings.push(finding);
    }
}

fn join(state: &mut String, more: &str) {
    if !state.is_empty() {
        state.push_str("; ");
    }
    state.push_str(more);
}
