//! What must not change a verdict, and what must: every firing fixture and the demo bundle, told in other ways.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coroner::bundle::{Entry, Source};
use coroner::catalog::Catalog;
use coroner::decode::{Decoder, Document, Patterns};
use coroner::report::Report;
use serde_json::{Value as Json, json};

type Files = Vec<(String, Vec<u8>)>;

fn read(directory: &Path, prefix: &str, out: &mut Files) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).expect("a fixture").flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), out);
        } else {
            out.push((name, fs::read(&path).expect("a fixture's file")));
        }
    }
}

fn files(directory: &Path) -> Files {
    let mut files = Files::new();
    read(directory, "", &mut files);
    files
}

/// The demo bundle and all `fires-*` fixtures.
fn bundles() -> Vec<(String, Files)> {
    let mut all = vec![("demo".to_owned(), files(Path::new("testdata/demo")))];
    for cause in fs::read_dir("testdata/causes").expect("fixtures").flatten().filter(|e| e.path().is_dir()) {
        for fixture in fs::read_dir(cause.path()).expect("fixtures").flatten() {
            let name = fixture.file_name().to_string_lossy().into_owned();
            if name.starts_with("fires-") {
                all.push((format!("{}/{name}", cause.file_name().to_string_lossy()), files(&fixture.path())));
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// The files as a tarball, in their order; `None` when nothing in them can be used.
fn analyze(catalog: &Catalog, files: &Files) -> Option<Report> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("b/{path}"), bytes.as_slice()).expect("written to memory");
    }
    let bytes = archive.into_inner().expect("written to memory");
    coroner::analyze(&[Source::Bytes { name: "b".to_owned(), bytes }], catalog, &coroner::Options::default()).ok()
}

/// Cause and culprit, or the verdict.
fn verdict(report: Option<&Report>) -> String {
    let Some(report) = report else { return "unusable".to_owned() };
    match &report.root_cause {
        Some(root) => {
            format!(
                "{} at {} {}/{}",
                root.id,
                root.resource.kind,
                root.resource.namespace.as_deref().unwrap_or("-"),
                root.resource.name
            )
        }
        None => report.verdict.clone(),
    }
}

fn confidence(report: Option<&Report>) -> f64 {
    report.and_then(|r| r.root_cause.as_ref()).map_or(0.0, |root| root.confidence)
}

/// Fails with every bundle whose verdict `change` changes.
fn same_verdict(what: &str, change: impl Fn(&Files) -> Files) {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let changed: Vec<String> = bundles()
        .into_iter()
        .filter_map(|(name, files)| {
            let before = verdict(analyze(&catalog, &files).as_ref());
            let after = verdict(analyze(&catalog, &change(&files)).as_ref());
            (before != after).then(|| format!("{name}: {before} became {after}"))
        })
        .collect();
    assert!(changed.is_empty(), "{what}:\n{}", changed.join("\n"));
}

fn each_text(files: &Files, change: impl Fn(&str) -> String) -> Files {
    let text = |bytes: &[u8]| change(&String::from_utf8_lossy(bytes)).into_bytes();
    files.iter().map(|(path, bytes)| (path.clone(), text(bytes))).collect()
}

#[test]
fn the_order_of_files_does_not_matter() {
    same_verdict("files in reverse", |files| files.iter().rev().cloned().collect());
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    same_verdict("CRLF", |files| each_text(files, |t| t.replace("\r\n", "\n").replace('\n', "\r\n")));
    same_verdict("BOM", |files| each_text(files, |t| format!("\u{feff}{t}")));
}

#[test]
fn yaml_and_json_say_the_same_in_any_order() {
    let patterns = Arc::new(Patterns::new(Vec::new()).expect("no pattern is no bad pattern"));
    same_verdict("objects as one JSON list, in reverse", |files| {
        let decoder = Decoder { patterns: Arc::clone(&patterns) };
        let mut changed = Files::new();
        for (path, bytes) in files {
            let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
            let decoded = decoder.decode(&Entry::whole(path.as_str(), bytes.clone()));
            let objects: Option<Vec<Json>> = decoded
                .documents
                .iter()
                .map(|d| match d {
                    Document::Resource(r) => Some(r.root().to_json()),
                    _ => None,
                })
                .collect();
            match objects.filter(|o| is_yaml && !o.is_empty()) {
                Some(mut objects) => {
                    objects.reverse();
                    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
                    changed.push((path.replace(".yaml", ".json").replace(".yml", ".json"), list.to_string().into_bytes()));
                }
                None => changed.push((path.clone(), bytes.clone())),
            }
        }
        changed
    });
}

/// Objects and log lines of a cluster in which all is well.
fn noise() -> Files {
    let pod = |i: usize| {
        let at = "2024-01-01T00:00:00Z";
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("calm-{i}"), "namespace": format!("quarter-{}", i % 7), "uid": format!("calm-{i}"),
                         "creationTimestamp": at, "labels": {"app": format!("calm-{i}")}},
            "spec": {"nodeName": "island-1", "containers": [{"name": "c", "image": "example.org/calm:1"}]},
            "status": {"phase": "Running", "startTime": at, "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at}],
                       "containerStatuses": [{"name": "c", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": at}}}]}
        })
    };
    let pods: Vec<Json> = (0..500).map(pod).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": pods});
    let mut log = String::new();
    for i in 0..20_000 {
        log.push_str(&format!("level=info msg=\"request served\" path=/items/{i} status=200 took={}ms\n", i % 90));
    }
    vec![
        ("zz-noise/pods.json".to_owned(), list.to_string().into_bytes()),
        ("zz-noise/logs/calm-1.log".to_owned(), log.into_bytes()),
    ]
}

#[test]
fn healthy_noise_changes_neither_verdict_nor_confidence() {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let noise = noise();
    let mut changed = Vec::new();
    // Objects that were fetched prove that the API server answers: news, not noise.
    for (name, files) in bundles().into_iter().filter(|(name, _)| !name.starts_with("apiserver-unavailable/")) {
        let before = analyze(&catalog, &files);
        let after = analyze(&catalog, &files.iter().chain(&noise).cloned().collect());
        let (a, b) = (verdict(before.as_ref()), verdict(after.as_ref()));
        let moved = (confidence(before.as_ref()) - confidence(after.as_ref())).abs();
        if a != b || moved > 0.05 {
            changed.push(format!("{name}: {a} became {b}, confidence moved by {moved:.2}"));
        }
    }
    assert!(changed.is_empty(), "noise:\n{}", changed.join("\n"));
}

#[test]
fn without_the_decisive_files_it_is_not_the_same_verdict_as_surely() {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let mut unmoved = Vec::new();
    for (name, files) in bundles() {
        let Some(before) = analyze(&catalog, &files) else { continue };
        let Some(root) = &before.root_cause else { continue };
        let decisive = |path: &str| root.evidence.iter().any(|e| e.location.path == format!("b/{path}"));
        let rest: Files = files.iter().filter(|(path, _)| !decisive(path)).cloned().collect();
        let after = analyze(&catalog, &rest);
        if verdict(Some(&before)) == verdict(after.as_ref()) && confidence(after.as_ref()) >= root.confidence {
            unmoved.push(format!("{name}: still {}", verdict(after.as_ref())));
        }
    }
    assert!(unmoved.is_empty(), "evidence removed:\n{}", unmoved.join("\n"));
}

#[test]
fn names_do_not_matter() {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let demo = files(Path::new("testdata/demo"));
    let rename = |text: &str| text.replace("ci-runners", "team-blue").replace("build-set", "omega").replace("dind", "engine");
    let renamed: Files = each_text(&demo, rename).into_iter().map(|(path, bytes)| (rename(&path), bytes)).collect();
    let before = verdict(analyze(&catalog, &demo).as_ref());
    assert_eq!(verdict(analyze(&catalog, &renamed).as_ref()), rename(&before));
}
