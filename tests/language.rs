//! The message files: complete, in use, and over the same facts.

#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use coroner::Options;
use coroner::bundle::Source;
use coroner::catalog::Catalog;
use coroner::language::{Language, Piece, pieces};
use coroner::report::{Format, Report, Style, render};

fn messages(name: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name);
    toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn facts(message: &str) -> BTreeSet<&str> {
    let names = pieces(message).filter_map(|piece| match piece {
        Piece::Fact(name) => Some(name),
        Piece::Text(_) => None,
    });
    names.collect()
}

#[test]
fn every_message_is_in_every_language_with_the_same_facts() {
    let (english, chinese) = (messages("messages.en.toml"), messages("messages.zh.toml"));
    let missing: Vec<&String> = english.keys().filter(|key| !chinese.contains_key(*key)).collect();
    assert!(missing.is_empty(), "these lack a translation: {missing:?}");
    for (key, own) in &chinese {
        let source = english.get(key).unwrap_or_else(|| panic!("{key} is no message"));
        let most = source.split('|').map(facts).max_by_key(BTreeSet::len).unwrap();
        let allowed = facts(own).into_iter().all(|fact| most.contains(fact) || fact == "n");
        // A language that does not count may leave out what only counts.
        let left_out: Vec<_> = most.iter().filter(|fact| !facts(own).contains(**fact) && **fact != "n").collect();
        assert!(allowed && left_out.is_empty(), "{key}: {source} / {own}");
    }
}

#[test]
fn every_phrase_has_the_same_facts_in_both_languages() {
    for (english, own) in messages("phrases.zh.toml") {
        assert_eq!(facts(&english), facts(&own), "{english}");
        assert!(pieces(&english).any(|piece| matches!(piece, Piece::Text(text) if text.trim().len() > 2)), "{english} fits all");
        assert!(!english.contains("}{"), "{english}: where does one fact end?");
    }
}

/// Texts of all files below `directory`.
fn sources(directory: &Path, out: &mut String) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_none_or(|e| e != "toml") {
            out.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn messages_are_used_and_used_messages_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    sources(&root.join("src/report"), &mut text);
    sources(&root.join("src/catalog"), &mut text);
    sources(&root.join("templates"), &mut text);
    let english = messages("messages.en.toml");
    let unused: Vec<&String> = english.keys().filter(|key| !text.contains(&format!("\"{key}\""))).collect();
    assert!(unused.is_empty(), "nobody says these: {unused:?}");
    for call in ["{{ t(\"", "t_html(\"", ".text(\"", ".say(\""] {
        for rest in text.split(call).skip(1) {
            let key = rest.split('"').next().unwrap();
            assert!(english.contains_key(key), "{call}{key} is no message");
        }
    }
}

fn sample(name: &str) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/report").join(name);
    let mut report: Report = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    if report.verdict == "root-cause" {
        report.root_cause = report.findings.first().cloned();
    }
    report
}

#[test]
fn no_english_of_ours_is_left_in_a_chinese_report() {
    let style = Style { language: Language::Chinese, verbosity: 1, ..Style::default() };
    let english = messages("messages.en.toml");
    for name in ["root-cause.json", "two-incidents.json", "inconclusive.json", "healthy.json"] {
        let of_the_bundle = serde_json::to_string(&sample(name)).unwrap();
        for format in [Format::Terminal, Format::Html, Format::Markdown] {
            let shown = String::from_utf8(render(&sample(name), format, &style)).unwrap();
            for (key, message) in &english {
                // Short ones are words of Kubernetes or of the bundle as well.
                let own = Language::Chinese.message(key) != Some(message);
                let sentence = message.len() > 14 && facts(message).is_empty() && own && !of_the_bundle.contains(message);
                assert!(!sentence || !shown.contains(message.as_str()), "{name} {format:?}: {message}");
            }
        }
        let page = String::from_utf8(render(&sample(name), Format::Html, &style)).unwrap();
        assert!(page.contains("<html lang=\"zh-Hans\">"));
    }
}

/// Prose of ours in a report on an incident of the runner controller: what the catalogue and the phrases must cover.
fn prose(report: &Report) -> Vec<&str> {
    let cause = report.root_cause.as_ref().expect("a fixture has a cause");
    let mut prose = vec![cause.title.as_str(), &cause.summary, &cause.fix.summary];
    prose.extend(cause.confidence_why.iter().map(String::as_str));
    prose.extend(cause.evidence.iter().map(|evidence| evidence.says.as_str()));
    prose.extend(report.symptoms.iter().map(|symptom| symptom.what.as_str()));
    for list in [&cause.fix.steps, &cause.fix.avoid, &cause.fix.prevent] {
        prose.extend(list.iter().map(String::as_str));
    }
    prose.extend(report.bundle.blind_spots.iter().flat_map(|spot| [spot.what.as_str(), &spot.why_it_matters]));
    prose
}

#[test]
fn incidents_of_the_runner_controller_are_told_in_chinese() {
    let catalog = Catalog::built_in().unwrap().in_language(Language::Chinese).unwrap();
    let causes = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/causes");
    let mut missing = BTreeSet::new();
    for cause in fs::read_dir(causes).unwrap().flatten().filter(|d| d.file_name().to_string_lossy().starts_with("arc-")) {
        let fixtures = fs::read_dir(cause.path()).unwrap().flatten();
        for fixture in fixtures.filter(|d| d.file_name().to_string_lossy().starts_with("fires-")) {
            let report = coroner::analyze(&[Source::Path(fixture.path())], &catalog, &Options::default()).unwrap();
            let style = Style { language: Language::Chinese, ..Style::default() };
            let json = String::from_utf8(render(&report, Format::Json, &style)).unwrap();
            let report: Report = serde_json::from_str(&json).unwrap();
            let english = prose(&report).into_iter().filter(|text| text.is_ascii() && !text.is_empty());
            missing.extend(english.map(str::to_owned));
        }
    }
    assert!(missing.is_empty(), "these lack a translation: {missing:#?}");
}

#[test]
fn times_and_numbers_are_the_same_in_both_languages() {
    let shown = |language| {
        let style = Style { language, ..Style::default() };
        String::from_utf8(render(&sample("root-cause.json"), Format::Markdown, &style)).unwrap()
    };
    let (english, chinese) = (shown(Language::English), shown(Language::Chinese));
    for same in ["2024-11-05 09:14:00 UTC", "(0.97)", "restartPolicy: Always"] {
        assert!(english.contains(same) && chinese.contains(same), "{same}");
    }
    assert!(chinese.contains("## 根因："));
}
