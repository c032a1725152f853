//! What the documentation tells people to type, typed.

#![expect(clippy::disallowed_methods, reason = "tests write the files they need")]
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks fenced as `language` in a file of the documentation.
fn blocks(file: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A directory with a bundle in it, and in its `bin` the binary and a cargo that only knows how to run it.
fn workplace() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let bin = directory.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_coroner"), bin.join("coroner")).unwrap();
    let cargo = "#!/bin/sh\ncase \"$1\" in run) shift 3; exec coroner \"$@\";; test) ;; *) exit 1;; esac\n";
    fs::write(bin.join("cargo"), cargo).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    let bundle = fs::File::create(directory.path().join("bundle.tar.gz")).unwrap();
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(bundle, flate2::Compression::fast()));
    let fixture = "testdata/causes/arc-init-container-restartpolicy-invalid/fires-dind-on-failure";
    archive.append_dir_all("bundle", root().join(fixture)).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    directory
}

#[test]
fn commands_of_the_readme_run() {
    let directory = workplace();
    let path = format!("{}:{}", directory.path().join("bin").display(), std::env::var("PATH").unwrap());
    let commands: Vec<String> = blocks("README.md", "sh").concat().lines().map(str::to_owned).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let output = Command::new("sh").args(["-c", &command]).current_dir(directory.path()).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for made in [
        "coroner-report.html",
        "report.html",
        "report.md",
        "report.json",
        "report.sarif",
        "report.xml",
        "coroner.bash",
        "coroner.1",
    ] {
        assert!(fs::metadata(directory.path().join(made)).is_ok_and(|file| file.len() > 0), "{made}");
    }
}

#[test]
fn what_it_says_is_what_the_demo_says() {
    let directory = workplace();
    let output = Command::new(env!("CARGO_BIN_EXE_coroner")).arg("demo").current_dir(directory.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for line in blocks("README.md", "text").concat().lines().filter(|line| !line.trim().is_empty()) {
        assert!(said.contains(line), "the demo does not say: {line}\n{said}");
    }
}

#[test]
fn the_rules_of_the_documentation_are_right() {
    let directory = workplace();
    let entry = blocks("docs/rules.md", "toml").concat();
    let file = directory.path().join("mine.toml");
    fs::write(&file, entry).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_coroner")).args(["rules", "check"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let docs = fs::read_dir(root().join("docs")).unwrap().flatten().map(|entry| entry.path());
    let files = docs.filter(|path| path.extension().is_some_and(|e| e == "md"));
    for file in files.chain([root().join("README.md"), root().join("CONTRIBUTING.md")]) {
        let text = fs::read_to_string(&file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let there = link.starts_with("https://") || file.parent().unwrap().join(link).exists();
            assert!(there, "{}: {link}", file.display());
        }
    }
}
