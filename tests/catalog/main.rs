//! The built-in catalogue: its checks, its language, its commands, its ids.

mod kubectl;
mod metrics;

use std::collections::BTreeSet;
use std::fmt::Write;

use coroner::catalog::{BUILT_IN, Catalog, Cause, prose};
use coroner::detect::detector_names;
use regex::Regex;

/// What a cluster has one of, so that its plain name names an object.
const SINGLETONS: &[&str] = &["etcd", "API server", "cluster DNS", "CoreDNS", "metrics-server", "Service address range"];

fn catalog() -> Catalog {
    Catalog::built_in().expect("the built-in catalogue loads")
}

/// Fails with all complaints at once.
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}

/// The template with the first branches of its conditions, and with the last ones.
fn variants(template: &str) -> [String; 2] {
    let branches = Regex::new(r"(?s)\{%-? *if [^%]*%\}(.*?)(?:\{%-? *(?:elif [^%]*|else) *-?%\}(.*?))?\{%-? *endif *-?%\}")
        .expect("it compiles");
    [branches.replace_all(template, "$1").into_owned(), branches.replace_all(template, "$2").into_owned()]
}

/// Every sentence of an entry a reader sees, with its field.
fn sentences(cause: &Cause) -> Vec<(&'static str, &str)> {
    let fix = &cause.fix;
    let mut all = vec![("because", cause.because.as_str()), ("fix.summary", &fix.summary)];
    all.extend(cause.false_positives.iter().map(|t| ("false_positives", t.as_str())));
    for (field, texts) in [("fix.steps", &fix.steps), ("fix.prevent", &fix.prevent), ("fix.avoid", &fix.avoid)] {
        all.extend(texts.iter().map(|t| (field, t.as_str())));
    }
    all.extend(cause.signs.iter().map(|s| ("sign.says", s.says.as_str())));
    all
}

#[test]
fn passes_every_check_a_users_file_must_pass() {
    if let Err(e) = Catalog::default().extend("rules.toml", BUILT_IN, &detector_names()) {
        panic!("{e}");
    }
}

#[test]
fn titles_name_object_and_fault_in_one_line() {
    let mut complaints = Vec::new();
    for cause in catalog().causes() {
        let title = cause.title.trim();
        let mut complain = |what: &str| complaints.push(format!("{}: the title {what}: {title}", cause.id));
        if title.ends_with('.') {
            complain("ends with a full stop");
        }
        if !title.contains("{{") && !SINGLETONS.iter().any(|s| title.contains(s)) {
            complain("names no object");
        }
        if title.contains('\n') || variants(title).iter().any(|v| prose::plain(v).len() > 110) {
            complain("is longer than a line");
        }
    }
    none(&complaints);
}

#[test]
fn sentences_are_plain() {
    let mut complaints = Vec::new();
    for cause in catalog().causes() {
        let title = ("title", cause.title.as_str());
        for (field, text) in sentences(cause).into_iter().chain([title]) {
            let words = prose::plain(text).to_lowercase();
            let mut complain = |what: &str| complaints.push(format!("{}: {field} {what}: {text}", cause.id));
            if words.ends_with('!') || words.contains("! ") {
                complain("exclaims");
            }
            if words.split(|c: char| !c.is_alphabetic()).any(|w| matches!(w, "please" | "simply" | "obviously")) {
                complain("uses a word that says nothing");
            }
            if text.contains("<your") || text.contains("TODO") || text.contains("FIXME") {
                complain("is unfinished");
            }
        }
        if !cause.because.trim().ends_with(['.', '}', ')']) {
            complaints.push(format!("{}: because is not a sentence: {}", cause.id, cause.because));
        }
    }
    none(&complaints);
}

#[test]
fn commands_are_commands() {
    let mut complaints = Vec::new();
    for cause in catalog().causes() {
        for command in cause.fix.commands.iter().chain(&cause.fix.verify) {
            let found: BTreeSet<String> = variants(command).iter().flat_map(|v| kubectl::complaints(v)).collect();
            complaints.extend(found.into_iter().map(|c| format!("{}: {c}: {command}", cause.id)));
        }
    }
    none(&complaints);
}

#[test]
fn alerts_are_over_metrics_that_exist() {
    let mut complaints = Vec::new();
    for cause in catalog().causes() {
        for alert in &cause.fix.alerts {
            complaints.extend(metrics::complaints(alert).into_iter().map(|c| format!("{}: {c}", cause.id)));
        }
    }
    none(&complaints);
}

#[test]
fn every_cause_is_mended_and_documented_in_words() {
    for cause in catalog().causes() {
        let page = coroner::catalog::describe::show(cause);
        for heading in ["\nAt a glance\n", "\nSeen when\n", "\nBecause\n", "\nFix\n"] {
            assert!(page.contains(heading), "{}: no {heading:?}", cause.id);
        }
        assert!(!page.contains("{{") && !page.contains("{%"), "{}: markup on its page\n{page}", cause.id);
    }
}

/// Ids are public: a change of this list is a change for everyone who reads reports.
#[test]
fn ids_are_the_published_ones() {
    let mut ids = String::new();
    let catalog = catalog();
    let mut causes: Vec<&Cause> = catalog.causes().iter().collect();
    causes.sort_by_key(|c| &c.id);
    for cause in causes {
        let former = if cause.aliases.is_empty() { String::new() } else { format!(" (formerly {})", cause.aliases.join(", ")) };
        let _ = writeln!(ids, "{}{former}", cause.id);
    }
    insta::assert_snapshot!("ids", ids);
}
