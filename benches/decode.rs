//! Decoding, in bytes a second on one core.
//!
//! `cargo bench --bench decode`. A dump of one's own: `CORONER_BENCH_DUMP=pods.yaml cargo bench --bench decode`.

use std::hint::black_box;
use std::sync::Arc;

use coroner::bundle::Entry;
use coroner::decode::{Decoder, Patterns};
use divan::Bencher;
use divan::counter::BytesCount;

#[path = "large/mod.rs"]
mod large;

use large::Size;

fn main() {
    divan::main();
}

/// Objects of all kinds; two thirds of them are pods.
const OBJECTS: usize = 3000;

/// Pods as `kubectl get -o yaml` prints them, with the fields of who manages what.
fn yaml() -> Vec<u8> {
    if let Ok(path) = std::env::var("CORONER_BENCH_DUMP") {
        return std::fs::read(path).expect("the dump can be read");
    }
    let size = Size { objects: OBJECTS, events: 0, logs: 0 };
    size.files().find(|(path, _)| path.ends_with("/pods.yaml")).expect("a cluster with pods").1.into_bytes()
}

/// The same objects as `-o json` prints them.
fn json() -> Vec<u8> {
    let decoder = decoder();
    let decoded = decoder.decode(&Entry::whole("pods.yaml", yaml()));
    let items: Vec<_> = decoded
        .documents
        .iter()
        .filter_map(|d| if let coroner::decode::Document::Resource(r) = d { Some(r.root().to_json()) } else { None })
        .collect();
    let list = serde_json::json!({"apiVersion": "v1", "items": items, "kind": "List"});
    serde_json::to_vec_pretty(&list).expect("a tree of values is JSON")
}

fn decoder() -> Decoder {
    Decoder { patterns: Arc::new(Patterns::new(Vec::new()).expect("no pattern is wrong")) }
}

fn decode(bencher: Bencher<'_, '_>, bytes: Vec<u8>) {
    let decoder = decoder();
    let size = BytesCount::new(bytes.len());
    let entry = Entry::whole("dump", bytes);
    bencher.counter(size).bench_local(|| black_box(decoder.decode(&entry)));
}

#[divan::bench]
fn yaml_list(bencher: Bencher<'_, '_>) {
    decode(bencher, yaml());
}

/// What the fast reader leaves to the full parser: an anchor in every item.
#[divan::bench]
fn yaml_list_by_the_full_parser(bencher: Bencher<'_, '_>) {
    let text = String::from_utf8(yaml()).expect("the dump is text");
    decode(bencher, text.replace("  kind: Pod\n", "  kind: &kind Pod\n").into_bytes());
}

#[divan::bench]
fn json_list(bencher: Bencher<'_, '_>) {
    decode(bencher, json());
}
