//! The script of `coroner collect-script`, run against a stand-in for kubectl, and what it collects, analysed.

#![expect(clippy::disallowed_methods, reason = "tests write the files they need")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a skipped test says so; tests may unwrap")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Answers as kubectl does, from the loose files of the layouts; refuses what `FORBIDDEN` names.
const KUBECTL: &str = r#"#!/bin/sh
for word in $FORBIDDEN; do
    case " $* " in *" $word "*)
        echo "Error from server (Forbidden): $2 is forbidden: User \"dev\" cannot list resource \"$2\" at the cluster scope" >&2
        exit 1 ;;
    esac
done
case "$*" in
api-resources*=true*) printf '%s\n' pods events secrets services deployments.apps replicasets.apps widgets.example.org ;;
api-resources*) printf '%s\n' nodes namespaces ;;
"get pods "*jsonpath*) printf '%s\n' 'shop cache-0 redis ' 'shop web-6d5f9c7b8d-x2x7k app ' ;;
"get secrets "*) printf 'NAMESPACE   NAME      TYPE     DATA   AGE\nshop        web-tls   Opaque   2      32d\n' ;;
"get widgets.example.org "*) printf 'apiVersion: v1\nitems: []\nkind: List\n' ;;
get\ *\ yaml*) cat "$FILES/${2%%.*}.yaml" ;;
"config view"*) printf shop ;;
version*) cat "$FILES/version.yaml" ;;
logs*--previous*) echo 'Error from server (BadRequest): previous terminated container "redis" in pod "cache-0" not found' >&2; exit 1 ;;
logs*cache-0*) cat "$FILES/logs/shop/cache-0/redis.log" ;;
logs*) echo 'Error from server (BadRequest): container "app" in pod "web-6d5f9c7b8d-x2x7k" is waiting to start' >&2; exit 1 ;;
top*) echo 'error: Metrics API not available' >&2; exit 1 ;;
esac
"#;

/// A directory with the script and the stand-in.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let kubectl = directory.path().join("kubectl");
        fs::write(&kubectl, KUBECTL).unwrap();
        fs::set_permissions(kubectl, fs::Permissions::from_mode(0o755)).unwrap();
        Self { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs the script that coroner prints for `arguments`.
    fn collect(&self, arguments: &[&str], forbidden: &str) -> Output {
        fs::write(self.path().join("collect.sh"), script(arguments)).unwrap();
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layouts/kubectl");
        let path = format!("{}:{}", self.path().display(), std::env::var("PATH").unwrap_or_default());
        Command::new("sh")
            .arg("collect.sh")
            .current_dir(self.path())
            .env("PATH", path)
            .env("FILES", files)
            .env("FORBIDDEN", forbidden)
            .output()
            .unwrap()
    }

    fn bundle(&self) -> PathBuf {
        let files = fs::read_dir(self.path()).unwrap().map(|file| file.unwrap().path());
        files.into_iter().find(|path| path.extension().is_some_and(|e| e == "gz")).expect("a bundle was written")
    }
}

fn script(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_coroner")).arg("collect-script").args(arguments).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn analysed(bundle: &Path) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_coroner")).args(["analyze", "-f", "json"]).arg(bundle).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(bundle: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let source = coroner::bundle::Source::Path(bundle.to_owned());
    let keep = &mut |entry: coroner::bundle::Entry| paths.push(entry.path.split_once('/').unwrap().1.to_owned());
    coroner::bundle::read(&source, &coroner::bundle::Limits::default(), keep).unwrap();
    paths.sort();
    paths
}

#[test]
fn collects_everything_and_names_the_cause() {
    for arguments in [&[][..], &["--arc"], &["--namespace", "shop"]] {
        let bench = Bench::new();
        let run = bench.collect(arguments, "");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let collected = files(&bench.bundle());
        let directory = if arguments.contains(&"shop") { "resources/shop" } else { "resources" };
        for file in ["pods.yaml", "events.yaml", "deployments.apps.yaml", "widgets.example.org.yaml", "secrets.txt"] {
            assert!(collected.contains(&format!("{directory}/{file}")), "{file} is not in {collected:?}");
        }
        for file in ["resources/nodes.yaml", "logs/shop/cache-0/redis.log", "version.yaml", "collection-errors.txt"] {
            assert!(collected.iter().any(|path| path == file), "{file} is not in {collected:?}");
        }
        let report = analysed(&bench.bundle());
        assert_eq!(report["root_cause"]["id"], "image-not-found");
        assert_eq!(report["root_cause"]["resource"]["name"], "web");
        assert_eq!(report["bundle"]["kubernetes_version"], "1.30.6");
    }
}

#[test]
fn missing_rights_are_noted_and_the_rest_is_collected() {
    let bench = Bench::new();
    let run = bench.collect(&[], "--all-namespaces nodes");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8_lossy(&run.stderr).contains("only shop is"));
    let collected = files(&bench.bundle());
    assert!(collected.contains(&"resources/shop/pods.yaml".to_owned()), "{collected:?}");
    assert!(!collected.contains(&"resources/nodes.yaml".to_owned()));
    let report = analysed(&bench.bundle());
    assert_eq!(report["root_cause"]["id"], "image-not-found");
    let told = report["bundle"]["blind_spots"].to_string() + &report["bundle"]["problems"].to_string();
    assert!(told.contains("forbidden"), "{told}");
}

#[test]
fn a_cluster_that_does_not_answer_is_an_error() {
    let bench = Bench::new();
    let run = bench.collect(&[], "get api-resources version logs top");
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stderr).contains("nothing could be read"));
    assert!(fs::read_dir(bench.path()).unwrap().all(|file| file.unwrap().path().extension().is_none_or(|e| e != "gz")));
}

#[test]
fn the_script_is_clean() {
    let bench = Bench::new();
    fs::write(bench.path().join("collect.sh"), script(&["--arc", "-n", "shop", "-n", "ci-runners"])).unwrap();
    match Command::new("shellcheck").args(["--shell=sh", "collect.sh"]).current_dir(bench.path()).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => println!("skipped: shellcheck is not installed"),
    }
    let refused = Command::new(env!("CARGO_BIN_EXE_coroner")).args(["collect-script", "-n", "a'; rm -rf /"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
