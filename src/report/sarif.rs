//! SARIF 2.1.0, for viewers of code scanning: one result per finding, evidence as locations, the chain as a code flow.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::model::{Evidence, Finding, Location, Report};
use super::{diff, escape, json, words};
use crate::language::Language;
use crate::visible::visible;

/// Locations of one result; GitHub shows a hundred.
const LOCATIONS: usize = 100;

/// The report as a SARIF log of one run.
pub(super) fn render(report: &Report, language: Language) -> String {
    let mut rules: Vec<Value> = Vec::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        let known = rules.iter().position(|rule| rule["id"] == finding.id.as_str());
        let index = known.unwrap_or_else(|| {
            rules.push(rule(finding, language));
            rules.len() - 1
        });
        results.push(result(report, finding, index, language));
    }
    json::pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "rules": rules,
            }},
            "automationDetails": {"id": format!("coroner/{}", visible(&report.bundle.name))},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications(report, language)}],
            "results": results,
            "columnKind": "unicodeCodePoints",
            "properties": {"verdict": report.verdict, "bundle": report.bundle.name, "sha256": report.bundle.sha256},
        }],
    }))
}

/// The cause, described by its first finding.
fn rule(finding: &Finding, language: Language) -> Value {
    json!({
        "id": finding.id,
        "shortDescription": {"text": visible(&finding.title)},
        "fullDescription": {"text": or_dash(&finding.summary)},
        "help": {"text": or_dash(&help(finding, language))},
        "defaultConfiguration": {"level": level(finding)},
        "properties": {"tags": ["kubernetes", "incident"]},
    })
}

/// The fix in plain words.
fn help(finding: &Finding, language: Language) -> String {
    let fix = &finding.fix;
    let mut out = fix.summary.clone();
    for step in &fix.steps {
        let _ = write!(out, "\n- {step}");
    }
    for command in &fix.commands {
        let _ = write!(out, "\n$ {command}");
    }
    for patch in &fix.patches {
        let _ = write!(out, "\n{}", diff::text(&patch.diff));
    }
    for avoid in &fix.avoid {
        let _ = write!(out, "\n{}: {avoid}", language.text("avoid"));
    }
    for url in &fix.docs {
        let _ = write!(out, "\n{url}");
    }
    visible(out.trim()).into_owned()
}

fn result(report: &Report, finding: &Finding, rule: usize, language: Language) -> Value {
    let mut locations: Vec<Value> = finding.evidence.iter().take(LOCATIONS).map(evidence).collect();
    if locations.is_empty() {
        let whole = Location { path: report.bundle.name.clone(), line: None };
        locations.push(json!({"physicalLocation": physical(&whole)}));
    }
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": level(finding),
        "message": {"text": message(finding, language)},
        "locations": locations,
        "partialFingerprints": {"coroner/v1": fingerprint(finding)},
        "properties": {"confidence": finding.confidence, "role": finding.role, "severity": finding.severity},
    });
    if !finding.chain.is_empty() {
        result["codeFlows"] = json!([{"threadFlows": [{"locations": chain(finding)}]}]);
    }
    result
}

fn message(finding: &Finding, language: Language) -> String {
    let facts = [
        ("object", &*words::object(&finding.resource)),
        ("role", words::role(language, &finding.role)),
        ("confidence", &words::confidence(language, finding.confidence)),
    ];
    let change = language.say("change-role", &facts);
    let text = format!("{}. {} {change}", finding.title.trim_end_matches('.'), finding.summary);
    visible(&text).into_owned()
}

fn level(finding: &Finding) -> &'static str {
    match (finding.role.as_str(), finding.severity.as_str()) {
        ("root-cause", _) => "error",
        ("consequence", _) | (_, "info") => "note",
        (_, "warning") => "warning",
        _ => "error",
    }
}

fn evidence(evidence: &Evidence) -> Value {
    let mut physical = physical(&evidence.location);
    if evidence.location.line.is_some() && !evidence.excerpt.is_empty() {
        physical["region"]["snippet"] = json!({"text": visible(&evidence.excerpt)});
    }
    json!({"physicalLocation": physical, "message": {"text": or_dash(&evidence.says)}})
}

fn physical(location: &Location) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": escape::relative_uri(&location.path)}});
    if let Some(line) = location.line.filter(|line| *line > 0) {
        physical["region"] = json!({"startLine": line});
    }
    physical
}

fn chain(finding: &Finding) -> Vec<Value> {
    let step = |link: &super::model::Link| {
        let object = words::object(&link.resource);
        let mut location = json!({
            "message": {"text": visible(&format!("{object}: {}", link.what))},
            "logicalLocations": [{"fullyQualifiedName": visible(&object), "kind": "object"}],
        });
        if let Some(cited) = link.evidence.first().and_then(|i| finding.evidence.get(*i)) {
            location["physicalLocation"] = physical(&cited.location);
        }
        json!({"location": location})
    };
    finding.chain.iter().take(LOCATIONS).map(step).collect()
}

/// What could not be read, and what is not there.
fn notifications(report: &Report, language: Language) -> Vec<Value> {
    let problem = |p: &super::model::Problem| {
        let location = Location { path: p.path.clone(), line: p.line };
        json!({"level": "warning", "message": {"text": or_dash(&p.what)}, "locations": [{"physicalLocation": physical(&location)}]})
    };
    let blind = |b: &super::model::BlindSpot| {
        let why = b.why_it_matters.trim_end_matches(['.', '。']);
        let text = language.say("not-in-bundle-is", &[("what", &b.what), ("why", why), ("collect", &b.collect)]);
        json!({"level": "note", "message": {"text": visible(&text)}})
    };
    let problems = report.bundle.problems.iter().take(LOCATIONS).map(problem);
    problems.chain(report.bundle.blind_spots.iter().map(blind)).collect()
}

/// The same cause at the same object is the same result, whatever bundle showed it.
fn fingerprint(finding: &Finding) -> String {
    let mut digest = Sha256::new();
    digest.update(finding.id.as_bytes());
    digest.update([0]);
    digest.update(words::object(&finding.resource).as_bytes());
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SARIF wants texts of at least one character.
fn or_dash(text: &str) -> String {
    match text.trim() {
        "" => "-".to_owned(),
        _ => visible(text).into_owned(),
    }
}
