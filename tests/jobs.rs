//! The report does not depend on how many threads made it.

#![expect(clippy::disallowed_methods, reason = "tests write the files they need")]
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../benches/large/mod.rs"]
mod large;

use large::Size;

fn report(bundles: &[PathBuf], jobs: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(["analyze", "-f", "json", "--jobs", jobs])
        .args(bundles)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn assert_jobs_do_not_matter(bundles: &[PathBuf]) {
    let alone = report(bundles, "1");
    for jobs in ["2", "5"] {
        assert!(report(bundles, jobs) == alone, "--jobs 1 and --jobs {jobs} differ on {bundles:?}");
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(of).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

/// All incidents of the fixtures at once: files of every format, and findings of every detector.
#[test]
fn of_many_small_files() {
    let causes = folders(Path::new("testdata/causes"));
    let fixtures: Vec<PathBuf> = causes.iter().flat_map(|cause| folders(cause)).collect();
    assert!(fixtures.len() > 100);
    assert_jobs_do_not_matter(&fixtures);
}

/// Lists that are cut between their items and logs that come in several parts.
#[test]
fn of_large_files() {
    let scratch = tempfile::tempdir().unwrap();
    for (path, text) in (Size { objects: 400, events: 2_000, logs: 20 << 20 }).files() {
        let path = scratch.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert_jobs_do_not_matter(&[scratch.path().to_path_buf()]);
}
