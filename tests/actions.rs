//! The GitHub action and the workflow of the documentation: their shell runs here, with the files and the programs of a
//! runner put in their place.

#![expect(clippy::disallowed_methods, reason = "tests write the files they need")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a skipped test says so; tests may unwrap")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FIXTURE: &str = "testdata/causes/arc-init-container-restartpolicy-invalid/fires-dind-on-failure";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The `run` block of the step `id` in a workflow file.
fn script(file: &str, id: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let step = text.split_once(&format!("id: {id}\n")).unwrap_or_else(|| panic!("{file} has a step {id}")).1;
    let block = step.split_once("run: |\n").expect("the step has a script").1;
    let indent = block.len() - block.trim_start_matches(' ').len();
    let inside = |line: &&str| line.trim().is_empty() || line.len() - line.trim_start_matches(' ').len() >= indent;
    block.lines().take_while(inside).map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect()
}

/// A runner's directory: its files, a `bin` that comes first in the path, and a log of what the programs there were told.
struct Runner {
    directory: tempfile::TempDir,
}

impl Runner {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Puts a program in place.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["--noprofile", "--norc", "-c", script])
            .current_dir(self.directory.path())
            .env("PATH", path)
            .env("RUNNER_TEMP", self.directory.path())
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary.md"))
            .env("GITHUB_REPOSITORY", "someone/something")
            .env("GITHUB_ACTION_PATH", root())
            .env("LOG", self.path("log"))
            .envs(environment.iter().copied())
            .output()
            .expect("bash is there")
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_binary_is_built_once() {
    let runner = Runner::new();
    runner.program("cargo", r#"echo "$@" >> "$LOG"; mkdir -p "$RUNNER_TEMP/coroner/bin"; touch "$RUNNER_TEMP/coroner/bin/coroner"; chmod +x "$RUNNER_TEMP/coroner/bin/coroner""#);
    for _ in 0..2 {
        let output = runner.run(&script("action.yml", "install"), &[("BINARY", "")]);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(runner.read("log").lines().count(), 1, "{}", runner.read("log"));
    assert!(runner.read("log").starts_with("install --locked"));
    assert!(runner.read("output").ends_with("/coroner/bin/coroner\n"));
}

#[test]
fn artifacts_become_a_summary_outputs_and_reports() {
    let runner = Runner::new();
    let artifacts = runner.path("artifacts/some test; $(touch owned)");
    fs::create_dir_all(&artifacts).unwrap();
    for file in fs::read_dir(root().join(FIXTURE)).unwrap().flatten() {
        fs::copy(file.path(), artifacts.join(file.file_name())).unwrap();
    }
    let environment = [
        ("BINARY", env!("CARGO_BIN_EXE_coroner")),
        ("PATTERNS", "nothing/here\nartifacts/**/*.yaml\n"),
        ("REPORT_LANG", "en"),
        ("FAIL", "false"),
    ];
    let output = runner.run(&script("action.yml", "analyze"), &environment);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).starts_with("::error title=Root cause%3A arc-init-container-restartpolicy-invalid::"));
    assert!(!runner.path("owned").exists());
    let outputs = runner.read("output");
    for line in ["verdict=root-cause", "cause=arc-init-container-restartpolicy-invalid", "object=AutoscalingRunnerSet "] {
        assert!(outputs.lines().any(|l| l.starts_with(line)), "{line}\n{outputs}");
    }
    let confidence = outputs.lines().find_map(|line| line.strip_prefix("confidence=")).expect("is told");
    assert!((0.5..=1.0).contains(&confidence.parse::<f64>().unwrap()));
    assert!(runner.read("summary.md").starts_with("## Root cause: "));
    let report = outputs.lines().find_map(|line| line.strip_prefix("report=")).expect("is told");
    assert!(fs::read_to_string(report).unwrap().starts_with("<!doctype html>"));

    let failing = environment.map(|(name, value)| if name == "FAIL" { (name, "true") } else { (name, value) });
    assert_eq!(runner.run(&script("action.yml", "analyze"), &failing).status.code(), Some(1));
}

#[test]
fn no_artifact_is_an_error_that_says_so() {
    let environment = [("BINARY", "false"), ("PATTERNS", "artifacts/*.tar.gz"), ("REPORT_LANG", "en"), ("FAIL", "false")];
    let output = Runner::new().run(&script("action.yml", "analyze"), &environment);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no file matches"), "{}", said(&output));
}

#[test]
fn a_later_comment_replaces_the_former() {
    for (former, told) in [
        ("", "--method POST repos/someone/something/issues/7/comments"),
        ("41\n42", "--method PATCH repos/someone/something/issues/comments/42"),
    ] {
        let runner = Runner::new();
        runner.program("gh", r#"echo "$@" >> "$LOG"; case "$*" in *--paginate*) printf '%s' "$FORMER";; esac"#);
        fs::create_dir(runner.path("coroner-report")).unwrap();
        fs::write(runner.path("coroner-report/report.md"), "## Root cause\n").unwrap();
        let output = runner.run(&script("action.yml", "comment"), &[("NUMBER", "7"), ("GH_TOKEN", "x"), ("FORMER", former)]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(runner.read("log").contains(told), "{}", runner.read("log"));
        assert_eq!(runner.read("coroner-report/comment.md"), "<!-- coroner -->\n## Root cause\n");
    }
}

#[test]
fn attachments_of_an_issue_are_downloaded_within_limits() {
    let runner = Runner::new();
    // Writes what it was told; the second file is too large.
    runner.program("curl", r#"echo "$@" >> "$LOG"; case "$*" in */2/*) exit 63;; esac; while [ "$1" != --output ]; do shift; done; echo bundle > "$2""#);
    let body = "See [a](https://github.com/user-attachments/files/1/bundle.tar.gz), https://github.com/someone/something/files/2/big.zip \
                and $(touch owned) `https://example.org/files/3/evil.zip` https://github.com/user-attachments/files/1/bundle.tar.gz";
    let environment = [("BODY", body), ("MAX_FILES", "5"), ("MAX_BYTES", "1000")];
    let output = runner.run(&script("docs/diagnose-issue.yml", "download"), &environment);
    assert!(output.status.success(), "{}", said(&output));
    let log = runner.read("log");
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.lines().all(|line| line.contains("--max-filesize 1000") && line.contains("--proto =https")), "{log}");
    assert!(!log.contains("example.org") && !runner.path("owned").exists());
    assert!(said(&output).contains("::warning::attachment"));
    let kept = fs::read_dir(runner.path("attachments")).unwrap().count();
    assert_eq!(kept, 1);

    let nothing = Runner::new()
        .run(&script("docs/diagnose-issue.yml", "download"), &[("BODY", "help"), ("MAX_FILES", "5"), ("MAX_BYTES", "1")]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(said(&nothing).contains("no attachment"), "{}", said(&nothing));
}

#[test]
fn what_a_stranger_writes_reaches_no_script_as_code() {
    for file in ["action.yml", "docs/diagnose-issue.yml"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for block in text.split("run: |\n").skip(1) {
            let script: String = block.lines().take_while(|line| line.is_empty() || line.starts_with("        ")).collect();
            assert!(!script.contains("${{"), "{file}: an expression inside a script is code; pass it through env");
        }
    }
}
