//! The report as GitHub reads it: a comment, a step summary, or a file. Verdict, fix and chain stand open, the rest folds.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::model::{Finding, Report};
use super::{env, escape, words};
use crate::language::Language;
use crate::visible::{bytes, visible_line};

/// Rows of the timeline before anything has to be cut.
const MOMENTS: usize = 20;
/// Links from which on a chain is also drawn.
const DRAWN: usize = 5;
/// More than any list is long, and small enough for a template's slice.
const ALL: usize = u32::MAX as usize;
/// Vertices of a drawing.
const VERTICES: usize = 12;

/// What is kept; each step of [`Keep::steps`] gives up what is missed least of what is left.
#[derive(Debug, Clone, serde::Serialize)]
struct Keep {
    diagram: bool,
    logs: bool,
    inventory: bool,
    others: bool,
    moments: usize,
    /// Lines around each excerpt.
    around: usize,
    /// Pieces of evidence of one finding.
    evidence: usize,
    /// Evidence of the root cause that its chain does not cite.
    uncited: bool,
    symptoms: usize,
    problems: usize,
    patches: usize,
    /// What is to be done after the fix.
    after: bool,
}

/// Gives something up.
type Cut = fn(&mut Keep);

impl Keep {
    fn steps() -> impl Iterator<Item = (Self, Vec<&'static str>)> {
        let all = Keep {
            diagram: true,
            logs: true,
            inventory: true,
            others: true,
            moments: ALL,
            around: 3,
            evidence: ALL,
            uncited: true,
            symptoms: 10,
            problems: 20,
            patches: ALL,
            after: true,
        };
        let cuts: [(&'static str, Cut); 13] = [
            ("part-diagram", |keep| keep.diagram = false),
            ("part-logs", |keep| keep.logs = false),
            ("part-inventory", |keep| keep.inventory = false),
            ("part-others", |keep| keep.others = false),
            ("part-moments", |keep| keep.moments = MOMENTS),
            ("part-around", |keep| keep.around = 0),
            ("part-uncited", |keep| keep.uncited = false),
            ("part-timeline", |keep| keep.moments = 0),
            ("part-symptoms", |keep| keep.symptoms = 3),
            ("part-problems", |keep| keep.problems = 0),
            ("part-patches", |keep| keep.patches = 1),
            ("part-after", |keep| keep.after = false),
            ("part-evidence", |keep| keep.evidence = 0),
        ];
        let mut keep = all.clone();
        let mut left_out = Vec::new();
        std::iter::once((all, Vec::new())).chain(cuts.into_iter().map(move |(name, cut)| {
            cut(&mut keep);
            left_out.push(name);
            (keep.clone(), left_out.clone())
        }))
    }
}

/// What the template shows beside the report.
#[derive(Debug, serde::Serialize)]
struct Page<'a> {
    facts: String,
    examined: String,
    mermaid: String,
    evidence: Vec<usize>,
    others: Vec<&'a Finding>,
    /// Findings that are incidents of their own.
    incidents: Vec<&'a Finding>,
    collect: String,
    left_out: Vec<&'static str>,
}

/// At most `max_bytes` of valid Markdown.
pub(super) fn render(report: &Report, language: Language, max_bytes: usize) -> String {
    Keep::steps()
        .map(|(keep, left_out)| squeezed(&page(report, language, &keep, &left_out)))
        .find(|page| page.len() <= max_bytes)
        .unwrap_or_else(|| brief(report, language, max_bytes))
}

fn page(report: &Report, language: Language, keep: &Keep, left_out: &[&'static str]) -> String {
    let page = Page {
        facts: facts(report, language),
        examined: words::examined(language, report),
        mermaid: report.root_cause.as_ref().filter(|_| keep.diagram).map(mermaid).unwrap_or_default(),
        evidence: evidence(report, keep),
        others: words::others(report).map(|(_, finding)| finding).collect(),
        incidents: words::incidents(report).map(|(_, finding)| finding).collect(),
        collect: words::collect(report),
        left_out: left_out.iter().map(|part| language.text(part)).collect(),
    };
    env::render(
        "report.md",
        language,
        context! { report => Value::from(Serde(report)), page => Value::from(Serde(&page)), keep => Value::from(Serde(keep)) },
    )
}

fn facts(report: &Report, language: Language) -> String {
    let bundle = &report.bundle;
    let mut facts = vec![language.say("bundle-named", &[("name", &bundle.name)])];
    facts.extend(bundle.collected_at.as_deref().map(|at| language.say("collected", &[("at", &words::time(at))])));
    facts.extend(bundle.kubernetes_version.as_deref().map(|version| format!("Kubernetes {version}")));
    facts.join(", ")
}

/// Indexes of the root cause's evidence that is shown.
fn evidence(report: &Report, keep: &Keep) -> Vec<usize> {
    let Some(cause) = &report.root_cause else { return Vec::new() };
    let cited = |i: &usize| cause.chain.iter().any(|link| link.evidence.contains(i));
    let words::Reading { fresh, .. } = words::reading(&cause.evidence);
    let mut shown: Vec<usize> = fresh.into_iter().filter(|i| keep.uncited || cited(i) || *i == 0).take(keep.evidence).collect();
    shown.sort_unstable();
    shown
}

/// A long chain as a Mermaid flowchart; empty for a short one, which the list says as well.
fn mermaid(cause: &Finding) -> String {
    if cause.chain.len() < DRAWN {
        return String::new();
    }
    let mut out = String::from("flowchart TD\n");
    for (i, link) in cause.chain.iter().take(VERTICES).enumerate() {
        let label = format!("{}: {}", words::object(&link.resource), link.what);
        out.push_str(&format!("  v{i}[\"{}\"]\n", mermaid_label(&label)));
        if i > 0 {
            out.push_str(&format!("  v{} --> v{i}\n", i - 1));
        }
    }
    out
}

/// Letters, digits and a few signs as they are, everything else as a character code, at most 120 characters.
fn mermaid_label(text: &str) -> String {
    let text = visible_line(text);
    let mut out = String::new();
    for c in text.chars().take(120) {
        match c {
            _ if c.is_alphanumeric() || " -./:,".contains(c) => out.push(c),
            _ => out.push_str(&format!("#{};", u32::from(c))),
        }
    }
    if text.chars().nth(120).is_some() {
        out.push('…');
    }
    out
}

/// Runs of empty lines, which the template's branches leave behind, become one; fenced blocks stay as they are.
fn squeezed(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut fence = String::new();
    let mut empty = true;
    for line in markdown.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        if fence.is_empty() && ticks.len() >= 3 {
            fence = ticks.to_owned();
        } else if !fence.is_empty() && line == fence {
            fence.clear();
        }
        let is_empty = line.trim().is_empty();
        if !(is_empty && empty && fence.is_empty()) {
            out.push_str(line);
            out.push('\n');
        }
        empty = is_empty;
    }
    out
}

/// What is said when not even the shortest page fits: the verdict, the object and the fix in plain words, cut at the limit.
fn brief(report: &Report, language: Language, max_bytes: usize) -> String {
    let mut lines = vec![format!("## {}", escape::markdown(words::headline(language, report)))];
    if let Some(cause) = &report.root_cause {
        lines.push(language.say("change", &[("object", &escape::code(&words::object(&cause.resource)))]));
        lines.push(escape::markdown(&cause.fix.summary));
    }
    lines.push(language.say("does-not-fit", &[("size", &bytes(max_bytes as u64))]));
    let mut out = String::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let paragraph = format!("{line}\n\n");
        if out.len() + paragraph.len() <= max_bytes {
            out.push_str(&paragraph);
        }
    }
    out
}
