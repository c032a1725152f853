//! The words all formats share, so that none says a thing differently from another.

use std::collections::BTreeSet;

use super::model::{Evidence, Finding, Location, Ref, Report, Symptom};
use crate::language::Language;
use crate::visible::bytes;

/// `Pod shop/web-0`, `Node worker-1`.
pub(super) fn object(r: &Ref) -> String {
    format!("{} {}", r.kind, name(r))
}

/// `shop/web-0`, `worker-1`.
pub(super) fn name(r: &Ref) -> String {
    match &r.namespace {
        Some(ns) => format!("{ns}/{}", r.name),
        None => r.name.clone(),
    }
}

/// `path:line`, or `path`.
pub(super) fn place(location: &Location) -> String {
    match location.line {
        Some(line) => format!("{}:{line}", location.path),
        None => location.path.clone(),
    }
}

/// `high`, `medium` or `low`.
pub(super) fn level(language: Language, confidence: f64) -> &'static str {
    language.text(match confidence {
        c if c >= 0.8 => "high",
        c if c >= 0.5 => "medium",
        _ => "low",
    })
}

/// `high (0.97)`.
pub(super) fn confidence(language: Language, confidence: f64) -> String {
    format!("{} ({confidence:.2})", level(language, confidence))
}

/// `2024-11-18 09:12:13 UTC` from RFC 3339; what is no time stays as it is.
pub(super) fn time(rfc3339: &str) -> String {
    format_time(rfc3339, "%Y-%m-%d %H:%M:%S UTC")
}

/// `2024-11-18 09:12:13`, for columns that say UTC in their head.
pub(super) fn clock(rfc3339: &str) -> String {
    format_time(rfc3339, "%Y-%m-%d %H:%M:%S")
}

fn format_time(rfc3339: &str, format: &str) -> String {
    match rfc3339.parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime(format).to_string(),
        Err(_) => rfc3339.to_owned(),
    }
}

/// `1 file`, `2 files`: the message `key` with the number `n`.
pub(super) fn count(language: Language, n: u64, key: &'static str) -> String {
    language.say(key, &[("n", &thousands(n))])
}

/// `12,345`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What trying a patch in memory showed, as a sentence.
pub(super) fn verified(language: Language, state: &str) -> &'static str {
    language.text(match state {
        "cleared" => "verified-cleared",
        "not-cleared" => "verified-not-cleared",
        _ => "verified-not-checked",
    })
}

/// The one line that answers: the cause's title, or what is there instead of one.
pub(super) fn headline(language: Language, report: &Report) -> &str {
    match &report.root_cause {
        Some(finding) => &finding.title,
        None if report.verdict == "healthy" => language.text("headline-healthy"),
        None => language.text("headline-inconclusive"),
    }
}

/// `214 objects of 23 kinds in 31 files (812 kB)`.
pub(super) fn examined(language: Language, report: &Report) -> String {
    let objects: usize = report.inventory.iter().map(|stock| stock.count).sum();
    let kinds = report.inventory.iter().map(|stock| &stock.kind).collect::<BTreeSet<_>>().len();
    let facts = [
        ("objects", &*count(language, objects as u64, "objects")),
        ("kinds", &count(language, kinds as u64, "kinds")),
        ("files", &count(language, report.bundle.files, "files")),
        ("size", &bytes(report.bundle.bytes_unpacked)),
    ];
    language.say("examined", &facts)
}

/// Findings beside the root cause, with their indexes.
pub(super) fn others(report: &Report) -> impl Iterator<Item = (usize, &Finding)> {
    report.findings.iter().enumerate().skip(usize::from(report.root_cause.is_some()))
}

/// Findings beside the root cause that hurt on their own, with their indexes.
pub(super) fn incidents(report: &Report) -> impl Iterator<Item = (usize, &Finding)> {
    let hurts = |index: usize| report.symptoms.iter().any(|symptom| symptom.explained_by.contains(&index));
    let severe = |finding: &Finding| matches!(finding.severity.as_str(), "critical" | "error");
    others(report).filter(move |(index, finding)| finding.role == "independent" && severe(finding) && hurts(*index))
}

/// Symptoms no finding explains.
pub(super) fn unexplained(report: &Report) -> impl Iterator<Item = &Symptom> {
    report.symptoms.iter().filter(|symptom| symptom.explained_by.is_empty())
}

/// A finding's evidence in the order of reading.
pub(super) struct Reading {
    /// Indexes of what says something new: as it was given, but hints after what proves or states.
    pub(super) fresh: Vec<usize>,
    /// Indexes of what says the same as an earlier piece.
    pub(super) repeated: Vec<usize>,
}

/// Orders `evidence` for reading.
pub(super) fn reading(evidence: &[Evidence]) -> Reading {
    let mut order: Vec<usize> = (0..evidence.len()).collect();
    order.sort_by_key(|i| evidence[*i].strength == "hint");
    let mut said = BTreeSet::new();
    let (fresh, repeated) = order.into_iter().partition(|i| said.insert(evidence[*i].says.as_str()));
    Reading { fresh, repeated }
}

/// `text` as one word of a shell.
pub(super) fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// All commands that collect what is missing, one a line.
pub(super) fn collect(report: &Report) -> String {
    let commands: Vec<&str> =
        report.bundle.blind_spots.iter().map(|spot| spot.collect.as_str()).filter(|c| !c.is_empty()).collect();
    commands.join("\n")
}

/// How a role is said.
pub(super) fn role(language: Language, role: &str) -> &str {
    match role {
        "root-cause" => language.text("role-root-cause"),
        "contributing" => language.text("role-contributing"),
        "consequence" => language.text("role-consequence"),
        "independent" => language.text("role-independent"),
        other => other,
    }
}

/// How the worth of a piece of evidence is said.
pub(super) fn strength(language: Language, strength: &str) -> &str {
    match strength {
        "proof" => language.text("proof"),
        "statement" => language.text("statement"),
        "hint" => language.text("hint"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands).join(" "), "0 999 1,000 1,234,567");
        assert_eq!([1, 0, 2_000].map(|n| count(Language::English, n, "files")), ["1 file", "0 files", "2,000 files"]);
        assert_eq!(time("2024-11-18T09:12:13+01:00"), "2024-11-18 08:12:13 UTC");
        assert_eq!(time("yesterday"), "yesterday");
        let sure = [0.97, 0.5, 0.2].map(|c| confidence(Language::English, c));
        assert_eq!(sure, ["high (0.97)", "medium (0.50)", "low (0.20)"]);
    }
}
