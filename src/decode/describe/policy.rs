//! Quotas, limit ranges, disruption budgets, autoscalers and priority classes.

use super::outline::{Block, Entry, Line, given};
use super::{conditions, metadata};
use crate::decode::columns::Columns;
use crate::decode::draft::{Draft, Node};

/// A ResourceQuota: a table `Resource  Used  Hard` at the margin of the text.
pub(super) fn fill_quota<'t>(draft: &mut Draft<'t>, lines: &[Line<'t>]) {
    for (columns, row) in table(lines, "Resource") {
        let line = row.number;
        let cells = columns.cells(row.raw);
        let cell = |name: &str| cells.iter().find(|(n, c)| *n == name && !c.is_empty()).map(|(_, c)| *c);
        let Some(resource) = cell("Resource") else { continue };
        if let Some(hard) = cell("Hard") {
            draft.map("spec.hard", line).push(resource, line, Node::text(hard));
            draft.map("status.hard", line).push(resource, line, Node::text(hard));
        }
        if let Some(used) = cell("Used") {
            draft.map("status.used", line).push(resource, line, Node::text(used));
        }
    }
    for line in lines.iter().filter(|l| l.key() == "Scopes") {
        let scopes = line.value().split(',').filter_map(|s| given(s.trim()));
        draft.list("spec.scopes", line.number).extend(scopes.map(|s| (line.number, Node::text(s))));
    }
}

/// The rows of the table whose header begins with `first`, with its columns.
fn table<'o, 't>(lines: &'o [Line<'t>], first: &str) -> impl Iterator<Item = (Columns<'t>, &'o Line<'t>)> {
    let header = lines.iter().position(|l| l.text().strip_prefix(first).is_some_and(|rest| rest.starts_with("  ")));
    let columns = header.map(|at| Columns::of(lines[at].raw));
    let rows = lines[header.map_or(lines.len(), |at| at + 1)..].iter();
    let rows = rows.take_while(|l| !l.text().is_empty() && !l.raw.starts_with("Events:"));
    rows.filter(|l| !l.text().starts_with("--")).filter_map(move |row| Some((columns.clone()?, row)))
}

/// A LimitRange: one row for every type and resource.
pub(super) fn fill_limits<'t>(draft: &mut Draft<'t>, lines: &[Line<'t>]) {
    let mut limits: Vec<(&str, u32, Draft<'t>)> = Vec::new();
    for (columns, row) in table(lines, "Type") {
        let line = row.number;
        let cells = columns.cells(row.raw);
        let cell = |name: &str| cells.iter().find(|(n, c)| *n == name && !matches!(*c, "" | "-")).map(|(_, c)| *c);
        let (Some(kind), Some(resource)) = (cell("Type"), cell("Resource")) else { continue };
        let at = limits.iter().position(|(k, ..)| *k == kind).unwrap_or_else(|| {
            let mut limit = Draft::default();
            limit.text("type", line, kind);
            limits.push((kind, line, limit));
            limits.len() - 1
        });
        for (column, field) in [
            ("Min", "min"),
            ("Max", "max"),
            ("Default Request", "defaultRequest"),
            ("Default Limit", "default"),
            ("Max Limit/Request Ratio", "maxLimitRequestRatio"),
        ] {
            if let Some(quantity) = cell(column) {
                limits[at].2.map(field, line).push(resource, line, Node::text(quantity));
            }
        }
    }
    let items = limits.into_iter().map(|(_, line, limit)| (line, Node::Map(limit)));
    draft.list("spec.limits", lines.first().map_or(0, |l| l.number)).extend(items);
}

/// A PodDisruptionBudget.
pub(super) fn fill_budget<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match (entry.key(), entry.given()) {
            ("Min available", Some(number)) => draft.number("spec.minAvailable", line, number),
            ("Max unavailable", Some(number)) => draft.number("spec.maxUnavailable", line, number),
            ("Selector", Some(selector)) => metadata::fill_selector(draft.map("spec.selector", line), selector, line),
            ("Status", _) => fill_budget_status(draft, entry),
            _ => {}
        }
    }
}

fn fill_budget_status<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    for entry in told.below.entries() {
        let path = match entry.key() {
            "Allowed disruptions" => "status.disruptionsAllowed",
            "Current" => "status.currentHealthy",
            "Desired" => "status.desiredHealthy",
            "Total" => "status.expectedPods",
            _ => continue,
        };
        draft.number(path, entry.number(), entry.value());
    }
}

/// A HorizontalPodAutoscaler.
pub(super) fn fill_autoscaler<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match (entry.key(), entry.given()) {
            ("Reference", Some(target)) => fill_target(draft, target, line),
            ("Min replicas", Some(number)) => draft.number("spec.minReplicas", line, number),
            ("Max replicas", Some(number)) => draft.number("spec.maxReplicas", line, number),
            ("Metrics", _) => fill_metrics(draft, entry),
            ("Conditions", _) => conditions::fill(draft, entry),
            (key, Some(value)) if key.ends_with(" pods") => fill_current(draft, value, line),
            _ => {}
        }
    }
}

/// `Deployment/web`.
pub(in crate::decode) fn fill_target<'t>(draft: &mut Draft<'t>, target: &'t str, line: u32) {
    if let Some((kind, name)) = target.split_once('/') {
        draft.text("spec.scaleTargetRef.kind", line, kind);
        draft.text("spec.scaleTargetRef.name", line, name);
    }
}

/// `1 current / 2 desired`.
fn fill_current<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    for part in value.split('/') {
        match part.trim().split_once(' ') {
            Some((number, "current")) => draft.number("status.currentReplicas", line, number),
            Some((number, "desired")) => draft.number("status.desiredReplicas", line, number),
            _ => {}
        }
    }
}

/// `resource cpu on pods  (as a percentage of request):  <unknown> / 80%`. Other kinds of metrics are left out.
fn fill_metrics<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    for entry in told.below.entries() {
        let line = entry.number();
        let Some(resource) = entry.key().strip_prefix("resource ").and_then(|k| k.split(' ').next()) else { continue };
        let (current, target) = entry.value().split_once(" / ").unwrap_or(("", entry.value()));
        let mut metric = Draft::default();
        metric.text("type", line, "Resource");
        metric.text("resource.name", line, resource);
        fill_quantity(&mut metric, "resource.target.averageUtilization", "resource.target.averageValue", target, line);
        draft.list("spec.metrics", told.number()).push((line, Node::Map(metric)));
        if let Some(current) = given(current.trim()) {
            let mut metric = Draft::default();
            metric.text("type", line, "Resource");
            metric.text("resource.name", line, resource);
            fill_quantity(&mut metric, "resource.current.averageUtilization", "resource.current.averageValue", current, line);
            draft.list("status.currentMetrics", told.number()).push((line, Node::Map(metric)));
        }
    }
}

/// `80%`, `3% (6m)`, `200Mi`.
fn fill_quantity<'t>(metric: &mut Draft<'t>, share: &'static str, value: &'static str, text: &'t str, line: u32) {
    let text = text.trim();
    let text = text.split_once(' ').map_or(text, |(first, _)| first);
    match text.strip_suffix('%') {
        Some(percent) => metric.number(share, line, percent),
        None => metric.text(value, line, text),
    }
}

/// A PriorityClass.
pub(super) fn fill_priority<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match (entry.key(), entry.given()) {
            ("Value", Some(value)) => draft.number("value", line, value),
            ("GlobalDefault", Some(value)) => draft.flag("globalDefault", line, value == "true"),
            ("PreemptionPolicy", Some(value)) => draft.text("preemptionPolicy", line, value),
            ("Description", Some(value)) => draft.text("description", line, value),
            _ => {}
        }
    }
}
