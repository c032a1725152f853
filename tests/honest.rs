//! Rules state mechanisms: nothing of the development cases' own names and images stands in a rule or in the code.
//!
//! The names are read from the cases beside the checkout, where they are. Words of Kubernetes and of public components are
//! named below, each because the field itself uses it.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value as Json;

const CASES: &str = "../shared/cases";

/// Names that cases share with Kubernetes, its distributions, ARC or plain examples of documentation.
const PUBLIC: &[&str] = &[
    "app-config",
    "aws-node",
    "controller-manager",
    "default-scheduler",
    "ephemeralrunners.actions.github.com",
    "kube-proxy",
    "kube-scheduler",
    "kube-system",
    "standard-v2",
];

/// Public images that rules know by name, because of what these programs do.
const PUBLIC_IMAGES: &[&str] = &["actions/actions-runner", "calico/node", "library/nginx", "prom/prometheus"];

fn suites() -> impl Iterator<Item = PathBuf> {
    ["arc", "cob", "k8s"].into_iter().map(|suite| Path::new(CASES).join(suite)).filter(|path| path.is_dir())
}

fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path());
    entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// Names and namespaces of culprits, as far as somebody chose them: with a hyphen or a digit.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for truth in suites().flat_map(|suite| files(&suite.join("truth"), ".json")) {
        let truth: Json = serde_json::from_str(&fs::read_to_string(&truth).expect("a truth")).expect("JSON");
        for list in ["objects", "objects_also"] {
            let objects = truth.get(list).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
            let parts =
                objects.flat_map(|o| o.splitn(3, '/').skip(1).map(|p| p.trim_matches(['*', '-']).to_owned()).collect::<Vec<_>>());
            names.extend(parts.filter(|n| n.len() >= 4 && n.contains(|c: char| c == '-' || c.is_ascii_digit())));
        }
    }
    names
}

/// Repositories of images, without registry and tag, where they have an owner.
fn images() -> BTreeSet<String> {
    let image = Regex::new(r"(?i)\bimage:\s*([a-z0-9][a-z0-9./_:-]+)").expect("a regex");
    let mut images = BTreeSet::new();
    for case in suites().filter(|s| !s.ends_with("cob")).flat_map(|suite| files(&suite, ".tar.gz")) {
        let mut text = Vec::new();
        let file = fs::File::open(&case).expect("a case");
        flate2::read::MultiGzDecoder::new(file).take(64 << 20).read_to_end(&mut text).expect("gzip");
        for found in image.captures_iter(&String::from_utf8_lossy(&text)) {
            let path = found[1].split(['@', ':']).next().unwrap_or_default();
            let parts: Vec<&str> = path.split('/').collect();
            if let [.., owner, name] = parts[..]
                && !owner.contains('.')
            {
                images.insert(format!("{owner}/{name}"));
            }
        }
    }
    images
}

fn sources(directory: &Path, out: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).expect("sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else {
            out.push((path.clone(), fs::read_to_string(&path).unwrap_or_default()));
        }
    }
}

/// Does the text hold the word, not as a part of a longer name?
fn holds(text: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_name) && !text[at + word.len()..].chars().next().is_some_and(is_name)
    })
}

#[test]
fn no_rule_knows_a_case_by_its_names() {
    let (names, images) = (names(), images());
    if names.is_empty() {
        println!("skipped: no cases in {CASES}");
        return;
    }
    let mut texts = vec![(PathBuf::from("rules.toml"), fs::read_to_string("rules.toml").expect("the catalogue"))];
    sources(Path::new("src"), &mut texts);
    let known = |word: &str| PUBLIC.contains(&word) || PUBLIC_IMAGES.contains(&word);
    let told: Vec<String> = names
        .iter()
        .chain(&images)
        .filter(|word| !known(word))
        .flat_map(|word| {
            let holders = texts.iter().filter(|(_, text)| holds(text, word));
            holders.map(|(path, _)| format!("{word} in {}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    println!("{} names and {} images looked for", names.len(), images.len());
    assert!(told.is_empty(), "names of cases in rules or code:\n{}", told.join("\n"));
}
