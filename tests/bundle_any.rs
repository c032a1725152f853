//! Reading holds for any bytes: no panic, the counters agree with what was given, chunks join to the file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use coroner::bundle::{Entry, Error, Limits, Source, read};
use proptest::prelude::*;

mod pack;
use pack::{Member, bzip2, entry, gzip, link, pax, tar, xz, zip, zip_of, zstd};

/// Containers that together use every part of the reader.
fn containers() -> Vec<Vec<u8>> {
    let text: Vec<u8> = (0..200u32).flat_map(|i| format!("line {}\n", i.wrapping_mul(2_654_435_761)).into_bytes()).collect();
    let files: &[(&str, &[u8])] = &[("a/b.yaml", b"kind: Pod\n"), ("a/c.log", &text), ("a/d.gz", &gzip(&text))];
    let plain = tar(files);
    let mut odd = [entry("pax", b'x', &pax("path", "long/name")), entry("x", b'0', b"x"), link("l", b'2', "a/c.log")].concat();
    odd.extend(entry("././@LongLink", b'L', &[b'n'; 200]));
    odd.extend(&plain);
    let nested = zip(&[("in.tar.xz", &xz(&plain)), ("e", b"e")], ::zip::CompressionMethod::DEFLATE);
    let streamed = zip_of(&[Member::deflated("a", &text).streamed(), Member::stored("b", b"b")]);
    vec![gzip(&plain), zstd(&plain), xz(&plain), bzip2(&plain), plain, odd, nested, streamed, text]
}

/// One change: at a place (in thousandths), what kind, and a byte.
type Edit = (usize, u8, u8);

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for (place, kind, byte) in edits {
        let at = bytes.len() * place / 1000;
        match kind % 5 {
            0 => bytes[at] = *byte,
            1 => bytes[at] ^= 1 << (byte % 8),
            2 => bytes.truncate(at.max(1)),
            3 => drop(bytes.drain(at..(at + usize::from(*byte)).min(bytes.len() - 1).max(at))),
            _ => bytes.splice(at..at, std::iter::repeat_n(*byte, usize::from(*byte))).for_each(drop),
        }
    }
    bytes
}

/// Reads within small limits, and checks what holds for every input.
fn check(bytes: Vec<u8>) {
    let limits = Limits { unpacked: 1 << 20, file: 1 << 18, files: 500, depth: 3, chunk: 1 << 12, ..Limits::default() };
    let mut total = 0;
    let mut open: Option<(Entry, u32)> = None;
    let summary = read(&Source::Bytes { name: "input".to_owned(), bytes }, &limits, &mut |entry: Entry| {
        total += entry.bytes.len() as u64;
        let lines = entry.bytes.iter().filter(|b| **b == b'\n').count() as u32;
        match &open {
            Some((before, next_line)) => {
                assert_eq!((&entry.path, entry.chunk, entry.first_line), (&before.path, before.chunk + 1, *next_line));
            }
            None => assert_eq!((entry.chunk, entry.first_line), (0, 1)),
        }
        assert!(!entry.path.starts_with('/') && entry.path.split('/').all(|part| part != ".."));
        open = (!entry.is_last).then(|| (entry.clone(), entry.first_line + lines));
    });
    assert!(open.is_none(), "a file without its last part");
    match summary {
        Ok(summary) => {
            assert_eq!(summary.bytes_unpacked, total);
            assert!(total <= limits.unpacked);
            assert!(summary.paths.is_sorted());
        }
        Err(Error::Useless { .. }) => assert_eq!(total, 0),
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edited_containers(which in 0..9usize, edits in prop::collection::vec((0..1000usize, any::<u8>(), any::<u8>()), 0..6)) {
        check(edited(containers().swap_remove(which), &edits));
    }

    #[test]
    fn any_bytes(magic in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08\0", b"PK\x03\x04", b"PK\x05\x06", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY"]),
                 bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        check([magic, &bytes].concat());
    }
}
