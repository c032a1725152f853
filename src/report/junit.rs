//! JUnit XML, for dashboards of test results: each symptom is a failed case, the verdict is a case of its own, and what
//! the bundle does not show is skipped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::html;
use super::model::{Report, Symptom};
use super::{Style, terminal, words};
use crate::language::Language;
use crate::visible::visible_line;

/// One `<testcase>`.
struct Case {
    class: String,
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed { kind: String, message: String, body: String },
    Skipped(String),
}

/// The report as JUnit XML.
pub(super) fn render(report: &Report, language: Language) -> String {
    let mut suites: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for symptom in &report.symptoms {
        suites
            .entry(symptom.resource.namespace.as_deref().unwrap_or(language.text("suite-cluster")))
            .or_default()
            .push(hurt(report, symptom, language));
    }
    let mut all = vec![(language.text("suite-verdict"), vec![verdict(report, language)])];
    all.extend(suites);
    if !report.bundle.blind_spots.is_empty() {
        all.push((language.text("suite-missing"), blind_spots(report)));
    }

    let mut body = String::new();
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for (name, cases) in &all {
        let failed = cases.iter().filter(|c| matches!(c.outcome, Outcome::Failed { .. })).count();
        let left_out = cases.iter().filter(|c| matches!(c.outcome, Outcome::Skipped(_))).count();
        let _ = writeln!(
            body,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{left_out}\">",
            attribute(name),
            cases.len()
        );
        cases.iter().for_each(|case| write_case(&mut body, case));
        body.push_str("  </testsuite>\n");
        (tests, failures, skipped) = (tests + cases.len(), failures + failed, skipped + left_out);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"coroner\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"0\" skipped=\"{skipped}\">\n{body}</testsuites>\n"
    )
}

/// The verdict, told as the terminal tells it.
fn verdict(report: &Report, language: Language) -> Case {
    let kind = match &report.root_cause {
        Some(cause) => cause.id.clone(),
        None => report.verdict.clone(),
    };
    let outcome = match report.verdict.as_str() {
        "healthy" => Outcome::Passed,
        _ => Outcome::Failed {
            kind,
            message: words::headline(language, report).to_owned(),
            body: terminal::render(report, &Style { width: 100, language, ..Style::default() }),
        },
    };
    Case { class: "coroner".to_owned(), name: language.text("case-verdict").to_owned(), outcome }
}

fn hurt(report: &Report, symptom: &Symptom, language: Language) -> Case {
    let causes: Vec<_> = symptom.explained_by.iter().filter_map(|i| report.findings.get(*i)).collect();
    let mut body = String::new();
    if let Some(since) = &symptom.since {
        let _ = writeln!(body, "{}", language.say("since-sentence", &[("at", &words::time(since))]));
    }
    for cause in &causes {
        let confidence = words::confidence(language, cause.confidence);
        let sure = language.say("with-confidence", &[("confidence", &confidence)]);
        let change = language.say("change", &[("object", &words::object(&cause.resource))]);
        let _ = writeln!(body, "{} ({}, {sure})\n{}", cause.title, cause.id, cause.summary);
        let _ = writeln!(body, "{change} {}", cause.fix.summary);
    }
    if causes.is_empty() {
        let _ = writeln!(body, "{}", language.text("no-finding-explains"));
    }
    Case {
        class: symptom.resource.kind.clone(),
        name: words::object(&symptom.resource),
        outcome: Outcome::Failed {
            kind: causes.first().map_or_else(|| "unexplained".to_owned(), |cause| cause.id.clone()),
            message: symptom.what.clone(),
            body,
        },
    }
}

fn blind_spots(report: &Report) -> Vec<Case> {
    let case = |spot: &super::model::BlindSpot| Case {
        class: "coroner".to_owned(),
        name: spot.what.clone(),
        outcome: Outcome::Skipped(format!("{}: {}", spot.why_it_matters, spot.collect)),
    };
    report.bundle.blind_spots.iter().map(case).collect()
}

fn write_case(out: &mut String, case: &Case) {
    let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", attribute(&case.class), attribute(&case.name));
    let _ = match &case.outcome {
        Outcome::Passed => writeln!(out, "/>"),
        Outcome::Skipped(why) => writeln!(out, "><skipped message=\"{}\"/></testcase>", attribute(why)),
        Outcome::Failed { kind, message, body } => writeln!(
            out,
            ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
            attribute(kind),
            attribute(message),
            html(body)
        ),
    };
}

fn attribute(text: &str) -> String {
    html(&visible_line(text))
}
