//! The fuzzers' corpus, replayed: none of it makes a decoder panic or hang.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on has failed; shared with the fuzzers"
)]

use std::fs;
use std::path::Path;

#[path = "../fuzz/targets.rs"]
mod targets;

type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("yaml", targets::yaml),
    ("json", targets::json),
    ("log", targets::log),
    ("kubelet", targets::kubelet),
    ("describe", targets::describe),
    ("table", targets::table),
    ("markdown", targets::markdown),
    ("tar", targets::tar),
    ("zip", targets::zip),
    ("compressed", targets::compressed),
    ("redact", targets::redact),
    ("pipeline", targets::pipeline),
];

#[test]
fn the_corpus_is_read() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            target(&bytes);
            // What a cut or a flipped bit leaves of it.
            target(&bytes[..bytes.len() / 2]);
            target(&bytes.iter().enumerate().map(|(i, b)| if i % 97 == 13 { b ^ 4 } else { *b }).collect::<Vec<u8>>());
        }
    }
}

#[test]
fn every_corpus_has_a_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut names: Vec<_> = fs::read_dir(corpus).unwrap().map(|d| d.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut targets: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort_unstable();
    assert_eq!(names, targets);
}
