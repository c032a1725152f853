//! A large file gives the same documents in parts as it gives whole.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::sync::Arc;

use coroner::bundle::{Cut, Entry, Limits, Source, read_cut};
use coroner::decode::{Decoder, Document, Pattern, Patterns};

#[path = "../benches/large/mod.rs"]
mod large;

use large::Size;

const SIZE: Size = Size { objects: 3_000, events: 3_000, logs: 20 << 20 };

fn decoder() -> Decoder {
    let pattern = |text: &str| Pattern { name: text.to_owned(), regex: text.to_owned() };
    Decoder { patterns: Arc::new(Patterns::new(vec![pattern("connection refused"), pattern("deadline exceeded")]).unwrap()) }
}

/// The file whose path ends in `name`, as bytes.
fn file(name: &str) -> (String, Vec<u8>) {
    let (path, text) = SIZE.files().find(|(path, _)| path.ends_with(name)).unwrap();
    (path, text.into_bytes())
}

/// The entries the file comes in.
fn parts(path: &str, bytes: Vec<u8>) -> Vec<Entry> {
    let mut parts = Vec::new();
    let source = Source::Bytes { name: path.to_owned(), bytes };
    let decoder = decoder();
    let cut = |path: &Arc<str>, head: &[u8]| decoder.cut(path, head);
    read_cut(&[source], &Limits::default(), &cut, &mut |entry| parts.push(entry)).unwrap();
    parts
}

/// Objects and events, each as it stands and where.
fn documents<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<String> {
    let decoder = decoder();
    let decoded = entries.into_iter().flat_map(|entry| {
        let decoded = decoder.decode(entry);
        assert!(decoded.problems.is_empty(), "{:?}", decoded.problems);
        decoded.documents
    });
    decoded
        .filter_map(|document| match document {
            Document::Resource(r) => Some(format!("{} {:?} {}", r.location(), r.origin, r.root().to_json())),
            Document::Event(e) => Some(format!("{e:?}")),
            _ => None,
        })
        .collect()
}

#[test]
fn lists_are_cut_between_their_items() {
    for name in ["pods.yaml", "events.yaml"] {
        let (path, bytes) = file(name);
        let parts = parts(&path, bytes.clone());
        assert!(parts.len() > 1 && parts.iter().all(|part| part.cut == Cut::Before("- ".to_owned())), "{name}");
        assert_eq!(parts.iter().flat_map(|part| part.bytes.clone()).collect::<Vec<u8>>(), bytes);
        let whole = documents([&Entry::whole(path.as_str(), bytes)]);
        assert!(whole.len() > 1_000);
        assert!(documents(&parts) == whole, "{name}");
    }
}

#[test]
fn what_follows_a_list_is_read_as_well() {
    let (path, bytes) = file("pods.yaml");
    let bytes = [bytes.as_slice(), b"---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: last\n"].concat();
    let parts = parts(&path, bytes);
    assert!(parts.len() > 1);
    assert!(documents(&parts).last().unwrap().contains("last"));
}

#[test]
fn logs_are_cut_between_their_lines() {
    let (path, bytes) = file("app-0.log");
    let parts = parts(&path, bytes);
    assert!(parts.len() > 10 && parts.iter().all(|part| part.cut == Cut::Lines && part.bytes.ends_with(b"\n")));
    assert!(parts.iter().all(|part| part.bytes.len() <= 1 << 20));
    let lines = |part: &Entry| part.bytes.iter().filter(|b| **b == b'\n').count() as u32;
    assert!(parts.windows(2).all(|pair| pair[1].first_line == pair[0].first_line + lines(&pair[0])));
}

#[test]
fn what_cannot_be_told_from_a_part_stays_whole() {
    let section = "==> kubelet <==\nI0102 15:04:05.000000 1 a.go:1] one\n==> coredns <==\n[INFO] two\n";
    let list = "apiVersion: v1\nitems:\n- metadata:\n    name: a\n- metadata:\n    name: b\n";
    for text in [section, list, "{\"kind\": \"List\", \"items\": [\n", "NAME   READY   STATUS\nweb-0  1/1     Running\n"] {
        assert_eq!(decoder().cut(&Arc::from("dir/file"), text.as_bytes()), Cut::Whole, "{text}");
    }
}
