//! How each format looks, kept in `testdata/report/golden/`. `UPDATE_GOLDEN=1 cargo test --test report` writes it anew.

use coroner::language::Language;
use coroner::report::{Format, Style, render};

use super::{SAMPLES, sample, testdata, text};

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
fn terminal() {
    for name in SAMPLES {
        let report = sample(name);
        for (suffix, style) in [
            ("60", Style { width: 60, ..Style::default() }),
            ("80", Style::default()),
            ("120-verbose", Style { width: 120, verbosity: 1, ..Style::default() }),
            ("quiet", Style { verbosity: -1, ..Style::default() }),
        ] {
            let shown = String::from_utf8(render(&report, Format::Terminal, &style)).expect("is UTF-8");
            assert_golden(&format!("{name}.{suffix}.txt"), &shown);
        }
    }
    let colored = render(&sample("root-cause"), Format::Terminal, &Style { color: true, ..Style::default() });
    assert_golden("root-cause.color.txt", &String::from_utf8(colored).expect("is UTF-8").replace('\u{1b}', "␛"));
}

#[test]
fn text_formats() {
    let formats = [(Format::Markdown, "md"), (Format::Sarif, "sarif"), (Format::Junit, "xml"), (Format::Github, "github.txt")];
    for name in SAMPLES {
        for (format, suffix) in formats {
            assert_golden(&format!("{name}.{suffix}"), &text(&sample(name), format));
        }
    }
}

/// The body of the page; style, script and data have tests of their own.
#[test]
fn html() {
    for name in SAMPLES {
        let page = text(&sample(name), Format::Html);
        let body = page.split_once("<body>").and_then(|(_, rest)| rest.split_once("<script type=")).expect("has a body").0;
        assert_golden(&format!("{name}.html"), body);
    }
}

#[test]
fn evidence_links_to_its_file_where_there_is_one() {
    let mut report = sample("root-cause");
    report.findings[0].evidence[0].location.path = "a b/<x>.yaml".to_owned();
    report.root_cause = report.findings.first().cloned();
    let shown = |style: &Style| String::from_utf8(render(&report, Format::Terminal, style)).expect("is UTF-8");
    let style = Style { hyperlinks: true, directory: Some("/tmp/bundle".into()), ..Style::default() };
    assert!(shown(&style).contains("\u{1b}]8;;file:///tmp/bundle/a%20b/%3Cx%3E.yaml\u{1b}\\a b/<x>.yaml:48\u{1b}]8;;\u{1b}\\"));
    assert!(!shown(&Style { hyperlinks: false, ..style }).contains('\u{1b}'));
}

#[test]
fn chinese() {
    let report = sample("root-cause");
    for (format, suffix) in [(Format::Terminal, "zh.txt"), (Format::Markdown, "zh.md"), (Format::Github, "zh.github.txt")] {
        let style = Style { language: Language::Chinese, ..Style::default() };
        assert_golden(&format!("root-cause.{suffix}"), &String::from_utf8(render(&report, format, &style)).expect("is UTF-8"));
    }
}
