//! One incident in every layout that people attach: the same verdict as from loose files, whatever the container.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use coroner::Options;
use coroner::bundle::Source;
use coroner::catalog::Catalog;
use coroner::report::Report;

mod pack;
use pack::{gzip, tar, zip};

const DEPLOYMENT: &str = "Deployment shop/web";
/// Where the bundle has nothing above the pod, the pod is to be changed.
const POD: &str = "Pod shop/web-6d5f9c7b8d-x2x7k";

/// Folder below `testdata/layouts`, the layout's name in the report, and the object to change.
const LAYOUTS: &[(&str, &str, &str)] = &[
    ("kubectl", "kubectl", DEPLOYMENT),
    ("kubectl-all", "kubectl", DEPLOYMENT),
    ("kubectl-json", "generic", DEPLOYMENT),
    ("kubectl-describe", "kubectl", DEPLOYMENT),
    ("kubectl-tables", "kubectl", DEPLOYMENT),
    ("powershell", "kubectl", DEPLOYMENT),
    ("markdown", "issue-text", DEPLOYMENT),
    ("troubleshoot", "troubleshoot", DEPLOYMENT),
    ("must-gather", "must-gather", DEPLOYMENT),
    ("inspect", "must-gather", DEPLOYMENT),
    ("cluster-info-dump", "cluster-info-dump", DEPLOYMENT),
    ("cluster-info-dump-stdout", "cluster-info-dump", DEPLOYMENT),
    ("kind", "kind-logs", POD),
    ("sonobuoy", "sonobuoy", DEPLOYMENT),
    ("support-bundle-kit", "support-bundle-kit", DEPLOYMENT),
    ("rancher-logs-collector", "rancher-logs-collector", DEPLOYMENT),
    ("istio-bug-report", "istio-bug-report", DEPLOYMENT),
    ("cilium-sysdump", "cilium-sysdump", POD),
    ("insights", "insights-operator", POD),
    ("velero-debug", "velero-debug", DEPLOYMENT),
    ("capi-artifacts", "capi-artifacts", DEPLOYMENT),
    ("knative-dump", "knative-dump", DEPLOYMENT),
    ("prow", "prow", DEPLOYMENT),
    ("github-actions-logs", "github-actions-logs", POD),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layouts").join(name)
}

/// Paths and contents of all files below a directory, in order.
fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect()
}

fn analysed(source: Source, catalog: &Catalog) -> Report {
    coroner::analyze(&[source], catalog, &Options { jobs: Some(1), ..Options::default() }).unwrap()
}

/// What the report says: cause, object to change, layout.
fn verdict(report: &Report) -> (String, String, String) {
    let json = serde_json::to_value(report).unwrap();
    let root = &json["root_cause"];
    let word = |key: &str| root["resource"][key].as_str().unwrap_or_default().to_owned();
    let id = root["id"].as_str().unwrap_or("no root cause").to_owned();
    (id, format!("{} {}/{}", word("kind"), word("namespace"), word("name")), report.bundle.layout.clone())
}

#[test]
fn every_layout_gives_the_verdict_of_the_loose_files() {
    let catalog = Catalog::built_in().unwrap();
    let mut wrong = Vec::new();
    for (name, layout, culprit) in LAYOUTS {
        let files = files(&folder(name));
        let bytes = |bytes| Source::Bytes { name: (*name).to_owned(), bytes };
        let tar = gzip(&tar(&borrowed(&files)));
        let forms = [
            ("directory", Source::Path(folder(name))),
            ("tar.gz", bytes(tar.clone())),
            ("zip", bytes(zip(&borrowed(&files), ::zip::CompressionMethod::DEFLATE))),
            // As a CI system keeps it.
            ("tar.gz in zip", bytes(zip(&[("bundle.tar.gz", &tar)], ::zip::CompressionMethod::STORE))),
        ];
        for (form, source) in forms {
            let report = analysed(source, &catalog);
            let found = verdict(&report);
            let is_named = found.2 == *layout || form == "tar.gz in zip";
            if (found.0.as_str(), found.1.as_str()) != ("image-not-found", *culprit) || !is_named {
                wrong.push(format!("{name} as {form}: {found:?}"));
            }
            if !report.bundle.problems.is_empty() {
                wrong.push(format!("{name} as {form}: {:?}", report.bundle.problems));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_is_tried() {
    let mut folders: Vec<String> =
        fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut tried: Vec<&str> = LAYOUTS.iter().map(|(name, ..)| *name).collect();
    tried.sort_unstable();
    assert_eq!(folders, tried);
}

#[test]
fn what_a_node_archive_holds_is_read() {
    // support-bundle-kit packs each node for itself.
    let mut all = files(&folder("support-bundle-kit"));
    let (nodes, rest): (Vec<_>, Vec<_>) = all.drain(..).partition(|(name, _)| name.contains("/nodes/n1/"));
    let inside: Vec<(&str, &[u8])> =
        nodes.iter().map(|(name, content)| (name.split_once("/nodes/").unwrap().1, content.as_slice())).collect();
    let node = zip(&inside, ::zip::CompressionMethod::DEFLATE);
    let top = rest[0].0.split_once('/').unwrap().0.to_owned();
    let name = format!("{top}/nodes/n1.zip");
    let mut outer = borrowed(&rest);
    outer.push((&name, &node));
    let bytes = zip(&outer, ::zip::CompressionMethod::DEFLATE);
    let report = analysed(Source::Bytes { name: "x.zip".to_owned(), bytes }, &Catalog::built_in().unwrap());
    assert_eq!(verdict(&report).0, "image-not-found");
    assert_eq!(report.bundle.files as usize, rest.len() + nodes.len());
}
