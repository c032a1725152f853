//! Files beyond the size at which they arrive in parts: nothing is lost without a word.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;

use coroner::bundle::{Entry, Limits, Source, read};
use coroner::catalog::Catalog;
use coroner::report::Report;
use coroner::{Options, analyze};

/// Small limits stand for large files.
const CHUNK: usize = 4 << 10;
const DOCUMENT: usize = 64 << 10;

fn limits() -> Limits {
    Limits { chunk: CHUNK, document: DOCUMENT, ..Limits::default() }
}

fn analysed(bytes: Vec<u8>) -> Report {
    let source = Source::Bytes { name: "input".to_owned(), bytes };
    let options = Options { limits: limits(), ..Options::default() };
    analyze(&[source], &Catalog::built_in().unwrap(), &options).unwrap()
}

fn pods(report: &Report) -> usize {
    report.inventory.iter().filter(|stock| stock.kind == "Pod").map(|stock| stock.count).sum()
}

fn yaml(n: usize) -> String {
    let items = (0..n).fold(String::new(), |mut out, i| {
        let _ =
            write!(out, "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web-{i}\n    namespace: shop\n    uid: u{i}\n");
        out
    });
    format!("apiVersion: v1\nitems:\n{items}kind: List\n")
}

fn json(n: usize) -> String {
    let item = |i| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"web-{i}\",\"namespace\":\"shop\",\"uid\":\"u{i}\"}}}}"
        )
    };
    format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{}]}}", (0..n).map(item).collect::<Vec<_>>().join(","))
}

fn table(n: usize) -> String {
    (0..n).fold("NAMESPACE   NAME      READY   STATUS    RESTARTS   AGE\n".to_owned(), |mut out, i| {
        let _ = writeln!(out, "shop        web-{i:<5} 1/1     Running   0          9m");
        out
    })
}

#[test]
fn a_document_of_many_parts_is_read_whole() {
    for text in [yaml(500), json(500), table(500)] {
        assert!(text.len() > 4 * CHUNK && text.len() < DOCUMENT, "{}", text.len());
        let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let report = analysed(text.into_bytes());
        assert_eq!((pods(&report), report.bundle.problems.len()), (500, 0), "{:?}", report.bundle.problems);
        if wide.len() < DOCUMENT {
            assert_eq!(pods(&analysed(wide)), 500);
        }
    }
}

#[test]
fn what_is_beyond_the_limit_is_told() {
    for text in [yaml(3000), json(3000), table(3000)] {
        assert!(text.len() > DOCUMENT);
        let report = analysed(text.into_bytes());
        assert!((300..3000).contains(&pods(&report)), "{}", pods(&report));
        let told = &report.bundle.problems[0].what;
        assert!(report.bundle.problems.iter().any(|p| p.what.contains("larger than 64 KiB; the rest was not read")), "{told}");
    }
}

#[test]
fn a_long_log_arrives_in_parts_and_keeps_its_lines() {
    let text = (1..=2000).fold(String::new(), |mut out, i| {
        let _ = writeln!(out, "2026-01-02T15:04:05Z INFO line {i}");
        out
    });
    let mut parts: Vec<Entry> = Vec::new();
    let source = Source::Bytes { name: "web.log".to_owned(), bytes: text.clone().into_bytes() };
    read(&source, &limits(), &mut |entry| parts.push(entry)).unwrap();
    assert!(parts.len() > 10 && parts.iter().all(|part| part.bytes.ends_with(b"\n")));
    assert_eq!(parts.iter().flat_map(|part| part.bytes.clone()).collect::<Vec<u8>>(), text.as_bytes());
    let last = parts.last().unwrap();
    assert!(last.bytes.starts_with(format!("2026-01-02T15:04:05Z INFO line {}\n", last.first_line).as_bytes()));
}
