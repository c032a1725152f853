//! Every format, on reports written by hand (`testdata/report/*.json`) and kept as they should look
//! (`testdata/report/golden/`). `UPDATE_GOLDEN=1 cargo test --test report` writes the kept files anew.

use std::path::{Path, PathBuf};

use coroner::report::{Format, Report, Style, render};

const SAMPLES: [&str; 1] = ["root-cause"];

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
fn markdown_looks_as_kept() {
    for name in SAMPLES {
        assert_golden(&format!("{name}.md"), &text(&sample(name), Format::Markdown, &Style::default()));
    }
}
