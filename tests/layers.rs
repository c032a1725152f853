//! The architecture as a test: imports run one way, files stay small.

use std::fs;
use std::path::{Path, PathBuf};

/// What each layer may import, beside itself and the leaves.
const LAYERS: &[(&str, &[&str])] = &[
    ("language", &[]),
    ("literal", &[]),
    ("location", &[]),
    ("redact", &[]),
    ("regexp", &[]),
    ("time", &[]),
    ("visible", &[]),
    ("catalog", &[]),
    ("bundle", &[]),
    ("decode", &["bundle"]),
    ("cluster", &["bundle", "catalog", "decode"]),
    ("detect", &["catalog", "cluster", "decode"]),
    ("diagnose", &["catalog", "cluster", "decode", "detect"]),
    ("report", &["catalog", "bundle", "cluster", "decode", "detect", "diagnose"]),
];

const LEAVES: &[&str] = &["language", "literal", "location", "redact", "regexp", "time", "visible"];

/// Lines after which a file usually hides two things.
const LONGEST: usize = 600;

fn sources(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("src is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(Path::new("src"), &mut found);
    found.sort();
    found
}

/// The layer of a file: its first folder, or its own name.
fn layer(path: &Path) -> String {
    let inside = path.strip_prefix("src").expect("below src");
    let first = inside.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for path in all_sources() {
        let here = layer(&path);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == here) else { continue };
        let text = fs::read_to_string(&path).expect("a source file");
        for there in text.split("crate::").skip(1) {
            let there: String = there.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let known = LAYERS.iter().any(|(name, _)| *name == there);
            if known && there != here && !LEAVES.contains(&there.as_str()) && !allowed.contains(&there.as_str()) {
                wrong.push(format!("{} imports {there}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "against the stream:\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_has_its_layer() {
    for path in all_sources() {
        let here = layer(&path);
        let known = LAYERS.iter().any(|(name, _)| *name == here)
            || ["lib", "main", "cli", "demo", "gather", "progress", "workflow"].contains(&here.as_str());
        assert!(known, "{} is in no layer of tests/layers.rs", path.display());
    }
}

#[test]
fn files_stay_small() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).expect("a source file").lines().count();
            (lines > LONGEST).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{}", long.join("\n"));
}
