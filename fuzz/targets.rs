//! What is fuzzed: one function a decoder, and one for the whole pipeline. None may panic, hang or take memory beyond the
//! limits, whatever the bytes are. `tests/corpus.rs` replays the corpus through the same functions.

use std::sync::{Arc, LazyLock};

use coroner::Options;
use coroner::bundle::{self, Entry, Limits, Source};
use coroner::catalog::Catalog;
use coroner::decode::{Decoder, Pattern, Patterns};
use coroner::redact::Redactor;
use coroner::report::{self, Format, Style};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::built_in().expect("the built-in catalogue is sound"));

static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let patterns = CATALOG.patterns().into_iter().map(|(name, regex)| Pattern { name, regex }).collect();
    Decoder { patterns: Arc::new(Patterns::new(patterns).expect("the built-in patterns are sound")) }
});

/// Decodes `head`, which tells the decoder, and `bytes` behind it.
fn decode(path: &str, head: &str, bytes: &[u8]) {
    DECODER.decode(&Entry::whole(path, [head.as_bytes(), bytes].concat()));
}

pub fn yaml(bytes: &[u8]) {
    decode("a/pods.yaml", "kind: List\n", bytes);
}

pub fn json(bytes: &[u8]) {
    decode("a/pods.json", "{", bytes);
}

pub fn log(bytes: &[u8]) {
    decode("logs/shop/web-0/app.log", "", bytes);
}

pub fn kubelet(bytes: &[u8]) {
    decode("n1/kubelet.log", "Jan 02 15:04:05 n1 kubelet[1]: ", bytes);
}

pub fn describe(bytes: &[u8]) {
    decode("a/describe.txt", "Name:         web-0\nNamespace:    shop\n", bytes);
}

pub fn table(bytes: &[u8]) {
    decode("a/pods.txt", "NAMESPACE   NAME   ", bytes);
}

pub fn markdown(bytes: &[u8]) {
    decode("issue.md", "```\n", bytes);
}

/// Limits that a fuzzer comes by.
fn limits() -> Limits {
    Limits { unpacked: 4 << 20, file: 1 << 20, files: 1000, chunk: 64 << 10, document: 256 << 10, ..Limits::default() }
}

fn read(bytes: Vec<u8>) {
    let mut total = 0;
    let source = Source::Bytes { name: "input".to_owned(), bytes };
    let _ = bundle::read(&source, &limits(), &mut |entry: Entry| {
        assert!(!entry.path.starts_with('/') && entry.path.split('/').all(|part| part != ".."), "{}", entry.path);
        total += entry.bytes.len() as u64;
    });
    assert!(total <= limits().unpacked);
}

/// Headers get the checksums that let them pass for headers.
pub fn tar(bytes: &[u8]) {
    let mut archive = bytes.to_vec();
    for block in archive.chunks_exact_mut(512).filter(|block| block[0] != 0 && block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    read(archive);
}

pub fn zip(bytes: &[u8]) {
    read([b"PK\x03\x04", bytes].concat());
}

/// The first byte tells the kind of the outermost stream.
pub fn compressed(bytes: &[u8]) {
    const MAGIC: [&[u8]; 4] = [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9"];
    if let Some((first, rest)) = bytes.split_first() {
        read([MAGIC[usize::from(*first) % MAGIC.len()], rest].concat());
    }
}

pub fn redact(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let redactor = Redactor::new(false);
    let once = redactor.redact(&text);
    assert_eq!(redactor.redact(&once), once);
}

pub fn pipeline(bytes: &[u8]) {
    let source = Source::Bytes { name: "input".to_owned(), bytes: bytes.to_vec() };
    let options = Options { limits: limits(), max_memory: Some(64 << 20), jobs: Some(1), ..Options::default() };
    let Ok(found) = coroner::analyze(&[source], &CATALOG, &options) else { return };
    let formats = [Format::Terminal, Format::Html, Format::Markdown, Format::Json, Format::Sarif, Format::Junit, Format::Github];
    for format in formats {
        report::render(&found, format, &Style::default());
    }
}
