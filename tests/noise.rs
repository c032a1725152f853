//! Much that is well changes nothing: healthy objects and ordinary logs beside an incident leave verdict and confidence.
//!
//! The measure is 500 objects and 50 MB of log a bundle, on all development cases; that runs in the release profile
//! (`cargo test --release --test noise`). The debug profile takes a tenth of the log and our own fixtures.

#![allow(clippy::print_stdout, reason = "the table is for people")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use coroner::bundle::Source;
use coroner::catalog::Catalog;
use coroner::report::Report;

const CASES: &str = "../shared/cases";
const OBJECTS: usize = 500;
const LOG: usize = if cfg!(debug_assertions) { 2 << 20 } else { 50 << 20 };
/// How far confidence may move.
const MOVES: f64 = 0.05;

/// Deployments with their ReplicaSets and ready pods, in namespaces of their own.
fn objects() -> String {
    let mut text = String::from("apiVersion: v1\nkind: List\nitems:\n");
    for n in 0..OBJECTS / 5 {
        let (ns, app) = (format!("quiet-{}", n % 7), format!("calm{n}"));
        let meta = |name: &str, owner: Option<(&str, &str)>| {
            let mut meta = format!(
                "  metadata:\n    name: {name}\n    namespace: {ns}\n    uid: {name}-{ns}\n    creationTimestamp: \"2020-01-01T00:00:00Z\"\n    labels:\n      calm: {app}\n"
            );
            if let Some((kind, owner)) = owner {
                let _ = write!(
                    meta,
                    "    ownerReferences:\n    - apiVersion: apps/v1\n      kind: {kind}\n      name: {owner}\n      uid: {owner}-{ns}\n      controller: true\n"
                );
            }
            meta
        };
        let template = format!(
            "    selector:\n      matchLabels:\n        calm: {app}\n    template:\n      metadata:\n        labels:\n          calm: {app}\n      spec:\n        containers:\n        - name: main\n          image: registry.example/{app}:1\n"
        );
        let set = format!("{app}-6d4f9c7b58");
        for (kind, name, owner) in
            [("Deployment", app.as_str(), None), ("ReplicaSet", set.as_str(), Some(("Deployment", app.as_str())))]
        {
            let _ = write!(
                text,
                "- apiVersion: apps/v1\n  kind: {kind}\n{}  spec:\n    replicas: 3\n{template}  status:\n    replicas: 3\n    readyReplicas: 3\n    availableReplicas: 3\n    updatedReplicas: 3\n",
                meta(name, owner)
            );
        }
        for pod in ["aaaaa", "bbbbb", "ccccc"] {
            let _ = write!(
                text,
                "- apiVersion: v1\n  kind: Pod\n{}  spec:\n    containers:\n    - name: main\n      image: registry.example/{app}:1\n  status:\n    phase: Running\n    startTime: \"2020-01-01T00:00:00Z\"\n    conditions:\n    - type: Ready\n      status: \"True\"\n    containerStatuses:\n    - name: main\n      ready: true\n      restartCount: 0\n      state:\n        running:\n          startedAt: \"2020-01-01T00:00:00Z\"\n",
                meta(&format!("{set}-{pod}"), Some(("ReplicaSet", &set)))
            );
        }
    }
    text
}

/// What a service says all day, with the errors of a normal day: long before any incident, and got over.
fn log() -> String {
    let mut text = String::with_capacity(LOG + 200);
    let mut n = 0_u64;
    while text.len() < LOG {
        let stamp = format!("2020-01-02T{:02}:{:02}:{:02}.{:03}Z", n / 3600 % 24, n / 60 % 60, n % 60, n % 1000);
        let _ = match n % 5000 {
            17 => writeln!(text, "{stamp} WARN  slow query took {} ms, trying again", n % 900),
            4999 => writeln!(text, "{stamp} ERROR request {n} was cancelled by its client"),
            _ => writeln!(text, "{stamp} INFO  GET /items/{n} 200 in {} ms user={}", n % 90, n * 7919 % 10_007),
        };
        n += 1;
    }
    text
}

fn verdict(report: &Report) -> (String, f64) {
    match &report.root_cause {
        Some(root) => (format!("{} at {:?}", root.id, root.resource), root.confidence),
        None => (report.verdict.clone(), 0.0),
    }
}

fn directories(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
}

/// Our own incidents; in the release profile the development cases too.
fn bundles() -> Vec<PathBuf> {
    let mut all = vec![PathBuf::from("testdata/demo")];
    let fixtures = directories(Path::new("testdata/causes")).iter().flat_map(|cause| directories(cause)).collect::<Vec<_>>();
    let fires = fixtures.into_iter().filter(|f| f.file_name().is_some_and(|n| n.to_string_lossy().starts_with("fires-")));
    // Objects that were fetched prove that the API server answers: news, not noise.
    let fires = fires.filter(|f| !f.components().any(|part| part.as_os_str() == "apiserver-unavailable"));
    // One in ten is enough where everything is slow.
    all.extend(fires.step_by(if cfg!(debug_assertions) { 10 } else { 1 }));
    if !cfg!(debug_assertions) {
        let cases =
            directories(Path::new(CASES)).into_iter().flat_map(|suite| fs::read_dir(suite).into_iter().flatten().flatten());
        all.extend(cases.map(|e| e.path()).filter(|p| p.to_string_lossy().ends_with(".tar.gz")));
    }
    all.sort();
    all
}

#[test]
fn healthy_objects_and_ordinary_logs_change_nothing() {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let (objects, log) = (objects(), log());
    let analyze =
        |sources: &[Source]| coroner::analyze(sources, &catalog, &coroner::Options::default()).expect("a readable bundle");
    let mut moved = Vec::new();
    let bundles = bundles();
    for bundle in &bundles {
        let (before, sure) = verdict(&analyze(&[Source::Path(bundle.clone())]));
        let noise = |name: &str, text: &str| Source::Bytes { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
        let noisy = [
            Source::Path(bundle.clone()),
            noise("quiet.yaml", &objects),
            noise("pods/quiet-0/calm0-6d4f9c7b58-aaaaa/main.log", &log),
        ];
        let (after, still_sure) = verdict(&analyze(&noisy));
        if before != after || (sure - still_sure).abs() > MOVES {
            moved.push(format!("{}: {before} ({sure}) became {after} ({still_sure})", bundle.display()));
        }
    }
    println!("{} bundles, each with {OBJECTS} healthy objects and {} MiB of log", bundles.len(), LOG >> 20);
    assert!(moved.is_empty(), "{}", moved.join("\n"));
}
