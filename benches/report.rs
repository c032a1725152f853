//! Time to render a report: `cargo bench --bench report`. The first incident, and the same with 5,000 affected objects.

use coroner::report::{Format, Report, Style, render};
use divan::Bencher;

fn main() {
    divan::main();
}

const FORMATS: [Format; 7] =
    [Format::Terminal, Format::Html, Format::Markdown, Format::Json, Format::Sarif, Format::Junit, Format::Github];

/// The sample with `n` more objects, each affected and a symptom.
fn report(n: usize) -> Report {
    let mut report: Report =
        serde_json::from_str(include_str!("../testdata/report/root-cause.json")).expect("the tests read it too");
    for i in 0..n {
        let mut symptom = report.symptoms[2].clone();
        symptom.resource.name = format!("worker-{i}");
        report.findings[0].affected.push(symptom.resource.clone());
        report.symptoms.push(symptom);
    }
    report.root_cause = report.findings.first().cloned();
    report
}

#[divan::bench(args = FORMATS)]
fn small(bencher: Bencher, format: Format) {
    let (report, style) = (report(0), Style::default());
    bencher.bench(|| render(&report, format, &style));
}

#[divan::bench(args = FORMATS)]
fn objects_5000(bencher: Bencher, format: Format) {
    let (report, style) = (report(5_000), Style::default());
    bencher.bench(|| render(&report, format, &style));
}
