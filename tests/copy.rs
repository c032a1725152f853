//! Copies without secrets: the same files in the same containers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;

use coroner::bundle::{Copied, Limits, Source, read, redact_copy};
use coroner::redact::Redactor;

mod pack;
use pack::{bzip2, gzip, tar, xz, zip, zstd};

fn copy(source: &Source) -> (Vec<u8>, Copied) {
    let mut out = Vec::new();
    let copied = redact_copy(source, &Limits::default(), &Redactor::new(false), &mut out).unwrap();
    (out, copied)
}

fn source(bytes: &[u8]) -> Source {
    Source::Bytes { name: "input".to_owned(), bytes: bytes.to_vec() }
}

fn files(bytes: &[u8]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let summary = read(&source(bytes), &Limits::default(), &mut |entry| {
        files.push((entry.path.to_string(), String::from_utf8_lossy(&entry.bytes).into_owned()));
    })
    .unwrap();
    assert_eq!(summary.problems, []);
    files
}

/// The first bytes tell the container.
fn family(bytes: &[u8]) -> &[u8] {
    &bytes[..3]
}

const POD: &[u8] = b"kind: Pod\nspec:\n  env:\n  - name: DB_PASSWORD\n    value: hunter2\n";
const LOG: &[u8] = b"started\nlogin with password=hunter2 as app\nstopped\n";

#[test]
fn every_kind_of_container() {
    let inner = zip(&[("web.log", LOG)], ::zip::CompressionMethod::DEFLATE);
    let packed = gzip(LOG);
    let tar = tar(&[
        ("pod.yaml", POD),
        ("logs/old.log.gz", &packed),
        ("nodes/n1.zip", &inner),
        ("nodes/n2.tgz", &gzip(&tar(&[("a.log", LOG)]))),
    ]);
    for bundle in [gzip(&tar), zstd(&tar), xz(&tar), bzip2(&tar), tar.clone(), inner.clone(), packed.clone(), LOG.to_vec()] {
        let (out, copied) = copy(&source(&bundle));
        assert_eq!(family(&out), family(&bundle));
        let (before, after) = (files(&bundle), files(&out));
        assert_eq!(before.len(), after.len());
        for ((path, text), (copied_path, copied_text)) in before.iter().zip(&after) {
            assert_eq!(path, copied_path);
            assert_eq!(text.lines().count(), copied_text.lines().count());
            assert!(!copied_text.contains("hunter2") && copied_text.contains("[redacted:"), "{path}: {copied_text}");
        }
        assert_eq!(copied.masked.len(), before.len());
        assert!(copied.masked.iter().all(|masked| masked.token == copied.masked[0].token));
    }
}

#[test]
fn what_was_masked_is_listed() {
    let (_, copied) = copy(&source(&tar(&[("pod.yaml", POD), ("web.log", LOG)])));
    let masked: Vec<String> = copied.masked.iter().map(|m| format!("{} {}", m.location, m.kind)).collect();
    assert_eq!(masked, ["pod.yaml:5 password", "web.log:2 password"]);
}

#[test]
fn a_copy_of_a_copy_is_the_same() {
    let (once, _) = copy(&source(&gzip(&tar(&[("pod.yaml", POD), ("web.log", LOG)]))));
    let (twice, copied) = copy(&source(&once));
    assert_eq!(files(&once), files(&twice));
    assert_eq!(copied.masked, []);
}

#[test]
fn a_directory_becomes_an_archive() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("logs")).unwrap();
    std::fs::File::create(dir.path().join("logs/web.log")).unwrap().write_all(LOG).unwrap();
    let (out, _) = copy(&Source::Path(dir.path().to_owned()));
    assert_eq!(family(&out), b"\x1f\x8b\x08");
    let files = files(&out);
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].0, "logs/web.log");
}

#[test]
fn what_cannot_be_looked_into_is_left_out() {
    let image = b"\x89PNG\r\n\x1a\n00000000";
    let (out, copied) = copy(&source(&tar(&[("a.png", image), ("b.png.gz", &gzip(image)), ("web.log", LOG)])));
    assert_eq!(files(&out).len(), 1);
    let left_out: Vec<String> = copied.left_out.iter().map(|p| format!("{} {}", p.location, p.what)).collect();
    assert_eq!(left_out, ["a.png a PNG image", "b.png.gz a PNG image"]);
}

#[test]
fn bytes_that_are_no_text_stay() {
    let (out, copied) = copy(&source(b"a\xff\xfeb\npassword: hunter2\n\x80"));
    assert!(out.starts_with(b"a\xff\xfeb\npassword: \"[redacted:") && out.ends_with(b"\n\x80"), "{out:?}");
    assert_eq!(copied.masked[0].location.line, Some(2));

    let wide: Vec<u8> = "\u{feff}password: hunter2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (out, _) = copy(&source(&wide));
    let text = String::from_utf16_lossy(&out.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect::<Vec<_>>());
    assert!(text.starts_with("\u{feff}password: \"[redacted:") && text.ends_with("\r\n"), "{text}");
}
