//! `coroner redact` as a user types it.

#![expect(clippy::disallowed_methods, reason = "tests write the files they need")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

mod pack;
use pack::{gzip, tar, zip};

const POD: &[u8] =
    b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  uid: u\nspec:\n  containers:\n  - name: app\n    env:\n    - name: DB_PASSWORD\n      value: hunter2-hunter2\n";
const LOG: &[u8] = b"2026-01-02T15:04:05Z login with password=hunter2-hunter2 as app\n";
const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n00000000";

fn redact(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coroner"))
        .arg("redact")
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn bundle() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let bytes = gzip(&tar(&[("b/pod.yaml", POD), ("b/logs/web.log", LOG), ("b/logo.png", IMAGE)]));
    fs::write(directory.path().join("b.tar.gz"), &bytes).unwrap();
    (directory, bytes)
}

#[test]
fn the_copy_has_no_secret_and_the_list_says_what_was_masked() {
    let (directory, _) = bundle();
    let output = redact(directory.path(), &["b.tar.gz", "-o", "copy.tgz", "--list", "masked.txt"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    assert!(stderr(&output).starts_with("copy.tgz: 2 files, 2 values masked\n       2  password\n"), "{}", stderr(&output));
    assert!(stderr(&output).contains("b/logo.png: a PNG image"), "{}", stderr(&output));
    let copy = fs::read(directory.path().join("copy.tgz")).unwrap();
    assert!(copy.starts_with(b"\x1f\x8b"));
    let text = String::from_utf8(files(&copy)).unwrap();
    assert!(text.contains("[redacted:") && !text.contains("hunter2"), "{text}");
    let masked = fs::read_to_string(directory.path().join("masked.txt")).unwrap();
    let places: Vec<&str> = masked.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(places, ["b/pod.yaml:11", "b/logs/web.log:1"]);
}

/// All files of an archive, one after the other.
fn files(bytes: &[u8]) -> Vec<u8> {
    let source = coroner::bundle::Source::Bytes { name: "copy".to_owned(), bytes: bytes.to_vec() };
    let mut all = Vec::new();
    coroner::bundle::read(&source, &coroner::bundle::Limits::default(), &mut |entry| all.extend(entry.bytes)).unwrap();
    all
}

#[test]
fn nothing_is_overwritten() {
    let (directory, bytes) = bundle();
    std::os::unix::fs::symlink("b.tar.gz", directory.path().join("link")).unwrap();
    for output in ["b.tar.gz", "./b.tar.gz", "link"] {
        let run = redact(directory.path(), &["b.tar.gz", "-o", output]);
        assert_eq!(run.status.code(), Some(2));
        assert!(stderr(&run).contains("nothing is overwritten"), "{}", stderr(&run));
    }
    assert_eq!(fs::read(directory.path().join("b.tar.gz")).unwrap(), bytes);
    // Its own output would be read as a part of the directory.
    let run = redact(directory.path(), &[".", "-o", "copy.tar.gz"]);
    assert!(run.status.code() == Some(2) && stderr(&run).contains("inside the bundle"), "{}", stderr(&run));
}

#[test]
fn a_failure_leaves_no_half_copy() {
    let (directory, _) = bundle();
    let run = redact(directory.path(), &["missing.zip", "-o", "copy.zip", "--list", "masked.txt"]);
    assert!(run.status.code() == Some(2) && stderr(&run).contains("missing.zip"), "{}", stderr(&run));
    assert!(!directory.path().join("copy.zip").exists() && !directory.path().join("masked.txt").exists());
}

#[test]
fn standard_input_and_other_containers() {
    let (directory, _) = bundle();
    let packed = zip(&[("pod.yaml", POD)], ::zip::CompressionMethod::DEFLATE);
    fs::write(directory.path().join("b.zip"), packed).unwrap();
    assert!(redact(directory.path(), &["b.zip", "-o", "copy"]).status.success());
    assert!(fs::read(directory.path().join("copy")).unwrap().starts_with(b"PK"));
    let run = Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(["redact", "-", "-o", "from-stdin"])
        .current_dir(directory.path())
        .stdin(fs::File::open(directory.path().join("b.zip")).unwrap())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", stderr(&run));
    let text = String::from_utf8(files(&fs::read(directory.path().join("from-stdin")).unwrap())).unwrap();
    assert!(text.contains("[redacted:") && !text.contains("hunter2"), "{text}");
}
