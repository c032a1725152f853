//! Every format, on reports written by hand (`testdata/report/*.json`) and kept as they should look
//! (`testdata/report/golden/`). `UPDATE_GOLDEN=1 cargo test --test report` writes the kept files anew.

use std::path::{Path, PathBuf};

use coroner::report::{Format, Report, Style, render};

const SAMPLES: [&str; 5] = ["root-cause", "two-incidents", "inconclusive", "healthy", "hostile"];

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

fn text(report: &Report, format: Format, style: &Style) -> String {
    String::from_utf8(render(report, format, style)).expect("every format is UTF-8")
}

#[track_caller]
#[allow(clippy::disallowed_methods)] // the golden files are what UPDATE_GOLDEN asks to write
fn assert_golden(name: &str, actual: &str) {
    let path = testdata().join("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("can create");
        std::fs::write(&path, actual).expect("can write");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; UPDATE_GOLDEN=1 writes it", path.display()));
    if kept != actual {
        let diff = similar::TextDiff::from_lines(kept.as_str(), actual).unified_diff().header("kept", "now").to_string();
        panic!("{name} changed; look at it, and if it is right, UPDATE_GOLDEN=1\n{diff}");
    }
}

#[test]
fn terminal_looks_as_kept() {
    for name in SAMPLES {
        let report = sample(name);
        for (suffix, style) in [
            ("60", Style { width: 60, ..Style::default() }),
            ("80", Style::default()),
            ("120-verbose", Style { width: 120, verbosity: 1, ..Style::default() }),
            ("quiet", Style { verbosity: -1, ..Style::default() }),
        ] {
            assert_golden(&format!("{name}.{suffix}.txt"), &text(&report, Format::Terminal, &style));
        }
    }
}

#[test]
fn formats_look_as_kept() {
    let formats = [(Format::Markdown, "md"), (Format::Sarif, "sarif"), (Format::Junit, "xml"), (Format::Github, "github.txt")];
    for name in SAMPLES {
        for (format, suffix) in formats {
            assert_golden(&format!("{name}.{suffix}"), &text(&sample(name), format, &Style::default()));
        }
    }
}

/// Adds `additionalProperties: false` everywhere, so that a field the schema does not tell of is found.
fn closed(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(map) => {
            if map.contains_key("properties") {
                map.insert("additionalProperties".to_owned(), false.into());
            }
            map.values_mut().for_each(closed);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

#[track_caller]
fn assert_valid(schema: &serde_json::Value, json: &str, name: &str) {
    let validator = jsonschema::validator_for(schema).expect("the schema is one");
    let instance: serde_json::Value = serde_json::from_str(json).expect("is JSON");
    let errors: Vec<String> = validator.iter_errors(&instance).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

fn schema(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("the schema is there")).expect("the schema is JSON")
}

#[test]
fn json_keeps_to_its_schema() {
    let mut schema = schema(&testdata().join("../schema/coroner.report.v1.json"));
    closed(&mut schema);
    // The hostile report is no report of ours: its verdicts, strengths and ids are not words of the schema.
    for name in SAMPLES.iter().filter(|name| **name != "hostile") {
        assert_valid(&schema, &text(&sample(name), Format::Json, &Style::default()), name);
    }
}

#[test]
fn sarif_keeps_to_the_official_schema() {
    let Some(path) = std::env::var_os("SARIF_SCHEMA") else {
        eprintln!("skipped: SARIF_SCHEMA names no file; .ci/run fetches it");
        return;
    };
    let schema = schema(Path::new(&path));
    for name in SAMPLES {
        assert_valid(&schema, &text(&sample(name), Format::Sarif, &Style::default()), name);
    }
}
