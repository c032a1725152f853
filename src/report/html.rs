//! The report as one self-contained page: it opens from a file, needs no network and no script, and refuses to run
//! anything but its own.

use minijinja::value::Serde;
use minijinja::{Value, context};
use sha2::{Digest, Sha256};

use super::affected::{Affected, affected};
use super::limits::{Limits, Totals, limited};
use super::model::Report;
use super::{env, json, svg, words};
use crate::language::Language;
use crate::visible::bytes;

/// The most bytes a page may have.
const PAGE_MAX: usize = 2_000_000;
/// The most bytes of data inside the page, for programs.
const DATA_MAX: usize = 500_000;

const CSS: &str = include_str!("../../templates/report.css");
const JS: &str = include_str!("../../templates/report.js");

/// What the templates show beside the report itself.
#[derive(Debug, serde::Serialize)]
struct Page<'a> {
    /// `bad`, `good` or `warn`.
    mood: &'static str,
    language: &'static str,
    verdict: &'static str,
    headline: &'a str,
    examined: String,
    facts: Vec<String>,
    about: Vec<(&'static str, String)>,
    sections: Vec<(&'static str, &'static str)>,
    unexplained: usize,
    /// Findings that are incidents of their own.
    incidents: Vec<usize>,
    /// Evidence the root cause's chain cites: it is shown open.
    cited: Vec<usize>,
    /// Of each finding, the evidence that says what an earlier piece says.
    repeated: Vec<Vec<usize>>,
    chain: Option<svg::Chain>,
    timeline: Option<svg::Timeline>,
    affected: &'a [Affected],
    alerts: Vec<&'a str>,
    /// All commands that collect what is missing.
    collect: String,
    totals: Totals,
    cut: bool,
    limit: usize,
}

/// The page, at most [`PAGE_MAX`] bytes long: parts that are least missed are cut until it fits.
///
/// `told` is what people read, `report` what programs read.
pub(super) fn render(told: &Report, report: &Report, language: Language) -> String {
    let rows = affected(told, language);
    let data = json::in_script(report);
    let data = (data.len() <= DATA_MAX).then_some(data);
    let mut limits = Limits::default();
    loop {
        let page = page(told, &rows, data.as_deref(), &limits, language);
        if page.len() <= PAGE_MAX {
            return page;
        }
        match limits.tighter() {
            Some(tighter) => limits = tighter,
            None => return page,
        }
    }
}

fn page(full: &Report, rows: &[Affected], data: Option<&str>, limits: &Limits, language: Language) -> String {
    let report = limited(full, limits);
    let cause = report.root_cause.as_ref();
    let chain = cause.filter(|c| !c.chain.is_empty()).map(|c| svg::chain(c, language));
    let shown = &rows[..rows.len().min(limits.rows)];
    let (mood, verdict) = match report.verdict.as_str() {
        "root-cause" => ("bad", "root-cause"),
        "healthy" => ("good", "healthy"),
        _ => ("warn", "inconclusive"),
    };
    let page = Page {
        mood,
        language: language.tag(),
        verdict: language.text(verdict),
        headline: words::headline(language, &report),
        examined: words::examined(language, full),
        facts: facts(&report, language),
        about: about(&report, language),
        sections: sections(&report, shown, language),
        unexplained: words::unexplained(full).count(),
        incidents: words::incidents(&report).map(|(index, _)| index).collect(),
        cited: cause.map(|c| c.chain.iter().flat_map(|link| link.evidence.iter().copied()).collect()).unwrap_or_default(),
        repeated: report.findings.iter().map(|finding| words::reading(&finding.evidence).repeated).collect(),
        chain,
        timeline: svg::timeline(&report, language),
        affected: shown,
        alerts: alerts(&report),
        collect: words::collect(&report),
        totals: Totals::of(full, rows.len()),
        cut: *limits != Limits::default(),
        limit: PAGE_MAX,
    };
    let data = match data {
        Some(data) => data.to_owned(),
        None => json::in_script(&Truncated { truncated: true, report: &report }),
    };
    env::render(
        "report.html",
        language,
        context! {
            report => Value::from(Serde(&report)),
            page => Value::from(Serde(&page)),
            css => CSS,
            js => JS,
            csp => policy(),
            data => Value::from_safe_string(data),
        },
    )
}

/// A report of which rows were cut.
#[derive(serde::Serialize)]
struct Truncated<'a> {
    truncated: bool,
    #[serde(flatten)]
    report: &'a Report,
}

/// The Content Security Policy. Its hashes are computed from the very style and script of the page, so they cannot drift.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(CSS)),
        base64(&Sha256::digest(JS)),
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * i)) as usize & 63];
            out.push(if i > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// When and where, for the foot of the verdict.
fn facts(report: &Report, language: Language) -> Vec<String> {
    let bundle = &report.bundle;
    let mut facts = Vec::new();
    if let Some(at) = &bundle.collected_at {
        facts.push(language.say("collected", &[("at", &words::time(at))]));
    }
    if let Some(version) = &bundle.kubernetes_version {
        facts.push(format!("Kubernetes {version}"));
    }
    facts.extend(bundle.components.iter().take(4).map(|c| format!("{} {}", c.name, c.version)));
    facts.push(format!("{}, {}", words::count(language, bundle.files, "files"), bytes(bundle.bytes_unpacked)));
    facts
}

/// What was read, for the last section.
fn about(report: &Report, language: Language) -> Vec<(&'static str, String)> {
    let bundle = &report.bundle;
    let size = [
        ("packed", &*bytes(bundle.bytes_packed)),
        ("unpacked", &bytes(bundle.bytes_unpacked)),
        ("files", &words::count(language, bundle.files, "files")),
    ];
    let redacted = match bundle.redacted {
        0 => language.text("masked-none").to_owned(),
        n => language.say("masked", &[("values", &words::count(language, n, "values"))]),
    };
    let mut about = vec![
        ("about-name", bundle.name.clone()),
        ("about-sha256", bundle.sha256.clone()),
        ("about-layout", bundle.layout.clone()),
        ("about-size", language.say("size", &size)),
    ];
    about.extend(bundle.collected_at.as_deref().map(|at| ("about-collected", words::time(at))));
    about.extend(bundle.kubernetes_version.clone().map(|version| ("about-kubernetes", version)));
    about.extend(bundle.components.iter().map(|c| ("about-component", format!("{} {}", c.name, c.version))));
    about.push(("about-secrets", redacted));
    about.push(("about-terminal", format!("coroner analyze {} -v", words::shell(&bundle.name))));
    about.into_iter().map(|(key, value)| (language.text(key), value)).collect()
}

/// The sections that are there, for the bar.
fn sections(report: &Report, rows: &[Affected], language: Language) -> Vec<(&'static str, &'static str)> {
    let cause = report.root_cause.as_ref();
    let inconclusive = cause.is_none() && report.verdict != "healthy";
    let first = usize::from(cause.is_some());
    let missing = !(report.bundle.blind_spots.is_empty() && report.bundle.problems.is_empty());
    let all = [
        (cause.is_some(), ("fix", "fix")),
        (inconclusive && !report.findings.is_empty(), ("candidates", "nav-candidates")),
        (!report.symptoms.is_empty(), ("impact", "impact")),
        (cause.is_some_and(|c| !c.chain.is_empty()), ("chain", "nav-chain")),
        (!report.timeline.is_empty(), ("timeline", "timeline")),
        (cause.is_some(), ("f0", "evidence")),
        (!rows.is_empty(), ("affected", "nav-affected")),
        (report.findings.len() > first, ("others", if first == 0 { "nav-details" } else { "nav-others" })),
        (!report.log_patterns.is_empty(), ("logs", "nav-logs")),
        (missing, ("missing", "nav-missing")),
        (true, ("bundle", "bundle")),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, (id, key))| (id, language.text(key))).collect()
}

fn alerts(report: &Report) -> Vec<&str> {
    let mut alerts: Vec<&str> = Vec::new();
    for alert in report.findings.iter().flat_map(|finding| &finding.fix.alerts) {
        if !alerts.contains(&alert.as_str()) {
            alerts.push(alert);
        }
    }
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        assert_eq!(["", "f", "fo", "foo", "foob"].map(|s| base64(s.as_bytes())), ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
