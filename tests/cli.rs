//! The program as a user types it.

#![expect(clippy::disallowed_methods, reason = "tests write the files they need")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a skipped test says so; tests may unwrap")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn coroner(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coroner"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Exit code 2 and one sentence that says this.
fn refuses(arguments: &[&str], directory: &Path, says: &str) {
    let output = coroner(directory, arguments);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    assert!(message.contains(says), "{arguments:?}: {message}");
}

#[test]
fn demo_names_the_cause_and_writes_the_page() {
    let directory = scratch();
    let output = coroner(directory.path(), &["demo"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let verdict: String = stdout(&output).lines().take(4).collect::<Vec<_>>().join(" ");
    for word in [
        "ROOT CAUSE",
        "arc-init-container-restartpolicy-invalid",
        "dind",
        "OnFailure",
        "AutoscalingRunnerSet ci-runners/build-set",
    ] {
        assert!(verdict.contains(word), "{word} is not in {verdict}");
    }
    let page = fs::read_to_string(directory.path().join("coroner-report.html")).expect("the page is written");
    assert!(page.contains("restartPolicy"));
}

#[test]
fn the_first_incident_is_told_whole() {
    let directory = scratch();
    fs::create_dir(directory.path().join("b")).expect("a directory");
    for entry in ["autoscalingrunnersets.yaml", "ephemeralrunnersets.yaml", "ephemeralrunners.yaml", "pods.yaml", "version.txt"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo").join(entry);
        fs::copy(from, directory.path().join("b").join(entry)).expect("a copy");
    }
    let analyze = |arguments: &[&str]| -> serde_json::Value {
        let output = coroner(directory.path(), &[&["analyze", "b", "-f", "json"], arguments].concat());
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let report = analyze(&[]);
    let root = &report["root_cause"];
    assert_eq!(root["resource"]["kind"], "AutoscalingRunnerSet");
    let kinds: Vec<&str> = root["chain"].as_array().unwrap().iter().map(|l| l["resource"]["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["AutoscalingRunnerSet", "EphemeralRunnerSet", "EphemeralRunner", "EphemeralRunnerSet", "AutoscalingRunnerSet"]
    );
    assert!(root["summary"].as_str().unwrap().contains("stale"));
    assert_eq!(root["fix"]["patches"][0]["verified"], "cleared");
    assert!(root["fix"]["patches"][0]["diff"].as_str().unwrap().contains("+        restartPolicy: Always"));
    assert!(root["fix"]["avoid"][0].as_str().unwrap().contains("never ends"));
    // Told that the cluster knows restart rules, the same template is not refused.
    let later = analyze(&["--kubernetes-version", "1.35.0"]);
    assert!(later["findings"].as_array().unwrap().iter().all(|f| f["id"] != root["id"]));
}

#[test]
fn bad_input_gets_one_sentence() {
    let directory = scratch();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).expect("a file");
    write("empty.yaml", b"");
    write("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    fs::create_dir(directory.path().join("nothing")).expect("a directory");
    refuses(&["analyze", "missing.tar.gz"], directory.path(), "missing.tar.gz");
    refuses(&["analyze", "empty.yaml"], directory.path(), "empty.yaml");
    refuses(&["analyze", "picture.png"], directory.path(), "picture.png");
    refuses(&["analyze", "nothing"], directory.path(), "nothing");
    refuses(&["rules", "show", "no-such-cause"], directory.path(), "no-such-cause");
    refuses(&["analyze", ".", "-o", "report.docx"], directory.path(), "report.docx");
}

#[test]
fn a_cut_off_archive_is_used_and_told() {
    let directory = scratch();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo");
    let status = Command::new("tar").arg("-czf").arg(directory.path().join("b.tar.gz")).arg("-C").arg(&demo).arg(".").status();
    if !status.is_ok_and(|s| s.success()) {
        println!("skipped: no tar on this machine");
        return;
    }
    let whole = fs::read(directory.path().join("b.tar.gz")).expect("the archive");
    fs::write(directory.path().join("cut.tar.gz"), &whole[..whole.len() - 200]).expect("a file");
    let output = coroner(directory.path(), &["analyze", "cut.tar.gz", "-f", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(!report["bundle"]["problems"].as_array().unwrap().is_empty());
}

#[test]
fn exit_codes_are_as_documented() {
    let directory = scratch();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo").to_string_lossy().into_owned();
    assert_eq!(coroner(directory.path(), &["analyze", &demo, "-q"]).status.code(), Some(0));
    assert_eq!(coroner(directory.path(), &["analyze", &demo, "-q", "--exit-code"]).status.code(), Some(1));
    assert_eq!(coroner(directory.path(), &["analyze"]).status.code(), Some(2));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let directory = scratch();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo").to_string_lossy().into_owned();
    for format in ["terminal", "html", "markdown", "json", "sarif", "junit", "github"] {
        let run = |jobs: &str| stdout(&coroner(directory.path(), &["analyze", &demo, "-f", format, "--jobs", jobs]));
        let first = run("1");
        assert!(!first.is_empty(), "{format} is empty");
        assert_eq!(first, run("1"), "{format}");
        assert_eq!(first, run("2"), "{format} with two threads");
    }
}

#[test]
fn a_bad_rules_file_is_shown_with_the_place() {
    let directory = scratch();
    fs::write(directory.path().join("r.toml"), "[[cause]]\nid = \"Not Kebab\"\ntitle = 3\n").expect("a file");
    let output = coroner(directory.path(), &["rules", "check", "r.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(message.contains("r.toml:3") && message.contains('^'), "{message}");
}

#[test]
fn speaks_chinese_when_asked() {
    let directory = scratch();
    let bundle =
        concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/causes/arc-init-container-restartpolicy-invalid/fires-dind-on-failure");
    let shown = stdout(&coroner(directory.path(), &["analyze", bundle, "--lang", "zh"]));
    assert!(shown.starts_with("根因  arc-init-container-restartpolicy-invalid"), "{shown}");
    assert!(shown.contains("需要修改：AutoscalingRunnerSet"), "{shown}");
    let page = stdout(&coroner(directory.path(), &["rules", "show", "arc-crd-outdated", "--lang", "zh"]));
    assert!(page.contains("控制器"), "{page}");
}
