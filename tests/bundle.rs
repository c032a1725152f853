//! Reading bundles: containers, nesting, damage. Archives are built in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;

use coroner::bundle::{Entry, Error, Limits, Source, Summary, read, read_all};

mod pack;
use pack::{Member, bzip2, gzip, tar, xz, zip, zstd};

/// Path and content of every file, chunks joined; and the summary.
fn unpack_within(bytes: Vec<u8>, limits: &Limits) -> (Vec<(String, String)>, Summary) {
    let source = Source::Bytes { name: "input".to_owned(), bytes };
    let mut files: Vec<(String, String)> = Vec::new();
    let summary = read(&source, limits, &mut |entry: Entry| {
        let text = String::from_utf8_lossy(&entry.bytes).into_owned();
        if entry.chunk == 0 {
            files.push((entry.path.to_string(), text));
        } else {
            files.last_mut().unwrap().1.push_str(&text);
        }
    })
    .unwrap();
    (files, summary)
}

fn unpack(bytes: Vec<u8>) -> (Vec<(String, String)>, Summary) {
    unpack_within(bytes, &Limits::default())
}

fn file(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

fn problems(summary: &Summary) -> Vec<String> {
    summary.problems.iter().map(|p| format!("{}: {}", p.location, p.what)).collect()
}

const TWO: &[(&str, &[u8])] = &[("b/pods.yaml", b"kind: Pod\n"), ("b/web.log", b"started\n")];

fn two() -> Vec<(String, String)> {
    vec![file("b/pods.yaml", "kind: Pod\n"), file("b/web.log", "started\n")]
}

#[test]
fn tar_in_every_compression() {
    let tar = tar(TWO);
    for packed in [tar.clone(), gzip(&tar), zstd(&tar), xz(&tar), bzip2(&tar)] {
        let packed_size = packed.len() as u64;
        let (files, summary) = unpack(packed);
        assert_eq!(files, two());
        assert_eq!((summary.files, summary.bytes_unpacked, summary.bytes_packed), (2, 18, packed_size));
        assert_eq!(problems(&summary), [""; 0]);
    }
}

#[test]
fn zip_stored_and_deflated() {
    for method in [::zip::CompressionMethod::STORE, ::zip::CompressionMethod::DEFLATE] {
        let packed = zip(TWO, method);
        let (files, summary) = unpack(packed.clone());
        assert_eq!(files, two());
        assert_eq!(problems(&summary), [""; 0]);

        let mut on_disk = tempfile::NamedTempFile::new().unwrap();
        on_disk.write_all(&packed).unwrap();
        let mut paths = Vec::new();
        let source = Source::Path(on_disk.path().to_owned());
        let of_file = read(&source, &Limits::default(), &mut |e| paths.push(e.path.to_string())).unwrap();
        assert_eq!(paths, ["b/pods.yaml", "b/web.log"]);
        assert_eq!((of_file.sha256, of_file.bytes_packed), (summary.sha256, summary.bytes_packed));
    }
}

#[test]
fn zip_without_its_directory() {
    let [a, b] = [b"started\n".repeat(50), b"kind: Pod\n".repeat(50)];
    let members = [
        Member::deflated("a.log", &a).local(),
        Member::deflated("streamed.log", &a).streamed().local(),
        Member { method: 93, packed: zstd(&b), ..Member::stored("b.yaml", &b) }.local(),
        Member::stored("c.yaml", &b).local(),
    ];
    let (files, summary) = unpack(members.concat());
    let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["a.log", "streamed.log", "b.yaml", "c.yaml"]);
    assert!(files[..2].iter().all(|(_, text)| text.as_bytes() == a));
    assert!(files[2..].iter().all(|(_, text)| text.as_bytes() == b));
    assert!(problems(&summary)[0].starts_with("input: the zip archive has no readable directory"));
}

#[test]
fn a_wrong_checksum_is_told_and_the_content_used() {
    let mut packed = zip(&[("a.log", b"started\n"), ("b.log", b"stopped\n")], ::zip::CompressionMethod::STORE);
    let at = packed.windows(7).position(|w| w == b"started").unwrap();
    packed[at] = b'S';
    let (files, summary) = unpack(packed);
    assert_eq!(files, [file("a.log", "Started\n"), file("b.log", "stopped\n")]);
    assert_eq!(problems(&summary), ["a.log: its checksum is wrong; it was read as it is"]);
}

#[test]
fn single_files() {
    assert_eq!(unpack(b"kind: Pod\n".to_vec()).0, [file("input", "kind: Pod\n")]);
    assert_eq!(unpack(gzip(b"kind: Pod\n")).0, [file("input", "kind: Pod\n")]);
}

#[test]
fn archives_inside_archives() {
    let inner = zip(&[("in.tar", &gzip(&tar(TWO)))], ::zip::CompressionMethod::DEFLATE);
    let (files, summary) = unpack(tar(&[("a/inner.txt", &inner), ("a/old.log.gz", &gzip(b"old\n"))]));
    let expected = [
        file("a/inner.txt/in.tar/b/pods.yaml", "kind: Pod\n"),
        file("a/inner.txt/in.tar/b/web.log", "started\n"),
        file("a/old.log.gz", "old\n"),
    ];
    assert_eq!(files, expected);
    assert_eq!(problems(&summary), [""; 0]);
}

#[test]
fn the_hash_is_of_the_packed_bytes() {
    let (_, summary) = unpack(b"abc".to_vec());
    assert_eq!(summary.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_directory_reads_like_its_archive() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("b")).unwrap();
    for (name, content) in TWO {
        std::fs::File::create(dir.path().join(name)).unwrap().write_all(content).unwrap();
    }
    let mut files = Vec::new();
    let source = Source::Path(dir.path().to_owned());
    let summary = read(&source, &Limits::default(), &mut |e| {
        files.push((e.path.to_string(), String::from_utf8(e.bytes).unwrap()));
    });
    assert_eq!(files, two());
    assert_eq!(summary.unwrap().files, 2);
}

#[test]
fn several_inputs_do_not_collide() {
    let source = |text: &str| Source::Bytes { name: "n".to_owned(), bytes: text.as_bytes().to_vec() };
    let mut paths = Vec::new();
    let sources = [source("a\n"), Source::Bytes { name: "n".to_owned(), bytes: tar(TWO) }];
    let summary = read_all(&sources, &Limits::default(), &mut |e| paths.push(e.path.to_string())).unwrap();
    assert_eq!(paths, ["n", "n-2/b/pods.yaml", "n-2/b/web.log"]);
    assert_eq!(summary.name, "n + n-2");
}

#[test]
fn inputs_without_files_say_what_they_are() {
    let found = |bytes: &[u8]| {
        let source = Source::Bytes { name: "x".to_owned(), bytes: bytes.to_vec() };
        match read(&source, &Limits::default(), &mut |_| {}) {
            Err(Error::Useless { found, .. }) => found,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(found(b""), "an empty file");
    assert_eq!(found(b"\x89PNG\r\n\x1a\n0000"), "a PNG image");
}

#[test]
fn everything_before_a_cut_is_used() {
    let noise: String = (0..20_000u32).map(|i| format!("{}\n", i.wrapping_mul(2_654_435_761))).collect();
    let mut packed = gzip(&tar(&[("a.log", b"first\n"), ("b.log", noise.as_bytes())]));
    packed.truncate(packed.len() / 2);
    let (files, summary) = unpack(packed);
    assert_eq!(files[0], file("a.log", "first\n"));
    assert!(files[1].1.len() > 10_000 && noise.starts_with(&files[1].1));
    let problems = problems(&summary);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("input: the gzip stream is cut off; the "), "{problems:?}");
}

#[test]
fn a_large_file_arrives_in_parts_cut_at_line_ends() {
    let text: String = (1..=100).map(|i| format!("line {i}\n")).collect();
    let limits = Limits { chunk: 64, ..Limits::default() };
    let source = Source::Bytes { name: "x".to_owned(), bytes: text.clone().into_bytes() };
    let mut joined = String::new();
    let mut last = Vec::new();
    read(&source, &limits, &mut |e| {
        let part = String::from_utf8(e.bytes).unwrap();
        assert!(part.starts_with(&format!("line {}\n", e.first_line)) && part.ends_with('\n') && part.len() <= 64);
        joined.push_str(&part);
        last.push(e.is_last);
    })
    .unwrap();
    assert_eq!(joined, text);
    assert_eq!(last.iter().filter(|l| **l).count(), 1);
    assert_eq!(last.last(), Some(&true));
}
