//! Every format of the report, on reports written by hand (`testdata/report/*.json`).

use std::path::{Path, PathBuf};

use coroner::report::{Format, Report, Style, render};

mod contrast;
mod golden;
mod hostile;
mod markdown;
mod page;
mod schema;

const SAMPLES: [&str; 5] = ["root-cause", "two-incidents", "inconclusive", "healthy", "hostile"];
const FORMATS: [Format; 7] =
    [Format::Terminal, Format::Html, Format::Markdown, Format::Json, Format::Sarif, Format::Junit, Format::Github];

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/report")
}

/// A sample; `root_cause` is left out of the files and is the first finding when the verdict says so.
fn sample(name: &str) -> Report {
    let path = testdata().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut report: Report = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if report.verdict == "root-cause" {
        report.root_cause = report.findings.first().cloned();
    }
    report
}

/// The first incident with `count` affected objects, each a symptom of its own.
fn sample_of(count: usize) -> Report {
    let mut report = sample("root-cause");
    let object = report.findings[0].affected[1].clone();
    let symptom = report.symptoms[0].clone();
    for i in 0..count {
        let mut object = object.clone();
        object.name = format!("worker-{i}");
        let mut symptom = symptom.clone();
        symptom.id = format!("s{}", i + 10);
        symptom.resource = object.clone();
        report.findings[0].affected.push(object);
        report.symptoms.push(symptom);
    }
    report.root_cause = report.findings.first().cloned();
    report
}

fn text(report: &Report, format: Format) -> String {
    String::from_utf8(render(report, format, &Style::default())).expect("every format is UTF-8")
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for name in SAMPLES {
        for format in FORMATS {
            assert_eq!(text(&sample(name), format), text(&sample(name), format), "{name} {format:?}");
        }
    }
}
