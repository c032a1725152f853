//! The development cases beside the checkout, when they are there: shares right by suite, with a floor that only rises, and
//! calibration. Real incidents of other people, so nothing of them is kept here.

#![allow(clippy::print_stdout, reason = "the table is for people")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use coroner::bundle::Source;
use coroner::catalog::Catalog;
use coroner::report::Report;
use coroner::report::model::Ref;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::Value as Json;

const CASES: &str = "../shared/cases";

/// Shares right that were reached; raise them with every gain.
const FLOORS: &[(&str, f64)] = &[("arc", 0.95), ("cob", 0.98), ("k8s", 0.98)];

struct Case {
    suite: String,
    name: String,
    bundle: PathBuf,
    truth: Json,
}

struct Outcome {
    suite: String,
    name: String,
    sick: bool,
    right: bool,
    confidence: Option<f64>,
    got: String,
}

fn cases() -> Vec<Case> {
    let mut found = Vec::new();
    for (suite, _) in FLOORS {
        let directory = Path::new(CASES).join(suite);
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for bundle in entries.flatten().map(|e| e.path()) {
            let file = bundle.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let Some(name) = file.strip_suffix(".tar.gz") else { continue };
            let id = name.strip_suffix(".yaml").unwrap_or(name);
            let truth = fs::read_to_string(directory.join("truth").join(format!("{id}.json")));
            let Some(truth) = truth.ok().and_then(|t| serde_json::from_str(&t).ok()) else { continue };
            found.push(Case { suite: (*suite).to_owned(), name: name.to_owned(), bundle, truth });
        }
    }
    found.sort_by(|a, b| (&a.suite, &a.name).cmp(&(&b.suite, &b.name)));
    found
}

fn texts<'t>(truth: &'t Json, key: &str) -> Vec<&'t str> {
    truth.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

/// `Kind/namespace/name` with `*`, `-` for no namespace.
fn matches(object: &Ref, glob: &str) -> bool {
    let mut parts = glob.splitn(3, '/');
    let mut part = || parts.next().unwrap_or_default().to_lowercase();
    let (kind, namespace, name) = (part(), part(), part());
    let ours = |text: &str| text.to_lowercase();
    like(&ours(&object.kind), &kind)
        && like(&ours(object.namespace.as_deref().unwrap_or("-")), &namespace)
        && like(&ours(&object.name), &name)
}

fn like(text: &str, glob: &str) -> bool {
    match glob.split_once('*') {
        None => text == glob,
        Some((start, rest)) => text
            .strip_prefix(start)
            .is_some_and(|left| (0..=left.len()).any(|i| left.is_char_boundary(i) && like(&left[i..], rest))),
    }
}

fn judge(case: &Case, report: &Report) -> Outcome {
    let causes = texts(&case.truth, "cause");
    let objects: Vec<&str> = [texts(&case.truth, "objects"), texts(&case.truth, "objects_also")].concat();
    let root = report.root_cause.as_ref();
    let right = match root {
        None => causes.is_empty(),
        Some(root) => causes.contains(&root.id.as_str()) && objects.iter().any(|o| matches(&root.resource, o)),
    };
    Outcome {
        suite: case.suite.clone(),
        name: case.name.clone(),
        sick: !causes.is_empty(),
        right,
        confidence: root.map(|r| r.confidence),
        got: root.map_or_else(|| report.verdict.clone(), |r| format!("{} at {} {}", r.id, r.resource.kind, r.resource.name)),
    }
}

#[test]
fn the_development_cases_stay_right() {
    let cases = cases();
    if cases.is_empty() {
        println!("skipped: no cases in {CASES}");
        return;
    }
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let options = coroner::Options { jobs: Some(1), ..coroner::Options::default() };
    let analyze = |case: &Case| {
        let report = coroner::analyze(&[Source::Path(case.bundle.clone())], &catalog, &options).expect("a readable case");
        judge(case, &report)
    };
    let outcomes: Vec<Outcome> = cases.into_par_iter().map(|case| analyze(&case)).collect();
    let mut below = Vec::new();
    for (suite, floor) in FLOORS {
        let of_suite: Vec<&Outcome> = outcomes.iter().filter(|o| o.suite == *suite).collect();
        let right = of_suite.iter().filter(|o| o.right).count();
        let share = right as f64 / of_suite.len().max(1) as f64;
        println!("{suite}: {right} of {} right ({:.1} %, floor {:.1} %)", of_suite.len(), share * 100.0, floor * 100.0);
        if !of_suite.is_empty() && share < *floor {
            below.push(*suite);
        }
    }
    let off = calibration(&outcomes);
    for outcome in outcomes.iter().filter(|o| !o.right) {
        println!("  wrong: {}/{}: {}", outcome.suite, outcome.name, outcome.got);
    }
    assert!(below.is_empty(), "below the floor: {below:?}");
    assert!(off.is_empty(), "confidence that is not kept: {off:?}");
    let false_alarms: Vec<&str> = outcomes.iter().filter(|o| !o.sick && !o.right).map(|o| o.name.as_str()).collect();
    assert!(false_alarms.is_empty(), "a cause found in healthy bundles: {false_alarms:?}");
}

/// How far stated confidence may be from the share right, in buckets of this many cases or more.
const OFF_BY: f64 = 0.15;
const TELLING: usize = 10;

/// Stated confidence against share right; buckets that are off.
fn calibration(outcomes: &[Outcome]) -> Vec<String> {
    let mut buckets: BTreeMap<u32, Vec<(f64, bool)>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|o| o.sick) {
        let Some(confidence) = outcome.confidence else { continue };
        buckets.entry((confidence * 10.0).floor().min(9.0) as u32).or_default().push((confidence, outcome.right));
    }
    let mut off = Vec::new();
    for (bucket, cases) in buckets {
        let n = cases.len() as f64;
        let stated = cases.iter().map(|(confidence, _)| confidence).sum::<f64>() / n;
        let right = cases.iter().filter(|(_, right)| *right).count() as f64 / n;
        let low = f64::from(bucket) / 10.0;
        let line = format!("stated {low:.1}-{:.1}: {stated:.2} on average, {right:.2} right of {}", low + 0.1, cases.len());
        println!("{line}");
        if cases.len() >= TELLING && (stated - right).abs() > OFF_BY {
            off.push(line);
        }
    }
    off
}
