//! Damaged and cut off inputs.

use coroner::bundle::{Limits, Source};
use libtest_mimic::{Failed, Trial};

use super::pack::{Member, bzip2, entry, gzip, header, padded, stored, tar, xz, zip, zip_of, zstd};
use super::{Case, bombs, outcome};

const AB: &[(&str, &[u8])] = &[("a", b"aaaa"), ("b", b"bbbb")];

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("nothing", Vec::new, &["input="], &["useless: an empty file"]),
        Case::new("png", || b"\x89PNG\r\n\x1a\n0000".to_vec(), &[], &["useless: a PNG image"]),
        Case::new("seven_zip", || b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), &[], &["useless: a 7-Zip archive"]),
        Case::new("empty_gzip", || gzip(b""), &["input="], &["useless: a gzip stream without files"]),
        Case::new("empty_tar", || gzip(&tar(&[])), &["input"], &[]),
        Case::new("empty_zip", || stored(&[]), &[], &["useless: a zip archive without files"]),
        Case::new("image_beside_a_log", || tar(&[("a.png", b"\x89PNG\r\n\x1a\n00"), ("b", b"b")]), &["b=b"], &[]),
        // gzip
        Case::new("gzip_wrong_checksum", || flipped(gzip(b"aaaa"), 5), &["input=aaaa"], &["input: the gzip stream is damaged ("]),
        Case::new("gzip_wrong_length", || flipped(gzip(b"aaaa"), 1), &["input=aaaa"], &["input: the gzip stream is damaged ("]),
        Case::new(
            "tar_gz_wrong_checksum",
            || flipped(gzip(&tar(AB)), 5),
            &["a=aaaa", "b=bbbb"],
            &["input: the gzip stream is damaged"],
        ),
        Case::new("gzip_of_many_members", || [gzip(b"aa"), gzip(b"bb"), gzip(b"")].concat(), &["input=aabb"], &[]),
        Case::new("tar_in_many_members", || tar(AB).chunks(100).flat_map(gzip).collect(), &["a=aaaa", "b=bbbb"], &[]),
        Case::new("gzip_with_zeros_behind", || [gzip(&tar(AB)), vec![0; 4096]].concat(), &["a=aaaa", "b=bbbb"], &[]),
        Case::new(
            "gzip_with_a_signature_behind",
            || [gzip(&tar(AB)), b"-----BEGIN".to_vec()].concat(),
            &["a=aaaa", "b=bbbb"],
            &[],
        ),
        Case::new(
            "gzip_header_alone",
            || gzip(b"aaaa")[..10].to_vec(),
            &["input="],
            &["useless: a gzip stream (the gzip stream is cut off"],
        ),
        // tar
        Case::new("tar_without_end", || entry("a", b'0', b"aaaa"), &["a=aaaa"], &["input: the tar archive has no end mark"]),
        Case::new("tar_with_garbage_behind", || [tar(AB), vec![b'x'; 5000]].concat(), &["a=aaaa", "b=bbbb"], &[]),
        Case::new("two_tars_in_one", || [tar(&AB[..1]), tar(&AB[1..])].concat(), &["a=aaaa", "b=bbbb"], &[]),
        Case::new(
            "tar_damaged_header",
            damaged_header,
            &["a=aaaa", "c=cccc"],
            &["input: the tar header at byte 1024 is damaged; reading went on at byte 2048"],
        ),
        Case::new(
            "tar_nothing_after_damage",
            || [entry("a", b'0', b"aaaa"), vec![b'x'; 2048]].concat(),
            &["a=aaaa"],
            &["input: the tar header at byte 1024 is damaged; nothing"],
        ),
        Case::new(
            "tar_size_too_large",
            || [header("a", b'0', 1 << 40, "").to_vec(), tar(AB)].concat(),
            &["a/a=aaaa", "a/b=bbbb"],
            &["a: cut off: 3 KiB of 1024 GiB", "input: the tar archive has no end"],
        ),
        Case::new(
            "tar_size_too_small",
            size_too_small,
            &["a=xxxx", "b=bbbb"],
            &["input: the tar header at byte 1024 is damaged"],
        ),
        Case::new("tar_size_not_a_number", size_garbage, &["a", "b=bbbb"], &["input: the tar header at byte 512 is damaged"]),
        Case::new(
            "tar_size_of_2_to_the_63",
            size_binary,
            &["a/a=aaaa", "a/b=bbbb"],
            &["a: cut off: 3 KiB of ", "input: the tar archive has no end"],
        ),
        Case::new(
            "tar_cut_in_content",
            || tar(AB)[..1024 + 514].to_vec(),
            &["a=aaaa", "b=bb"],
            &["b: cut off: 2 bytes of 4 bytes", "input: the tar archive has no"],
        ),
        Case::new(
            "tar_cut_in_header",
            || tar(AB)[..1024 + 200].to_vec(),
            &["a=aaaa"],
            &["input: the tar header at byte 1024 is damaged"],
        ),
        Case::new("tar_pax_sparse", bombs::pax_sparse_file, &["s=data", "b=b"], &[]),
        // zip
        Case::new(
            "zip_wrong_checksum",
            || zip_of(&[wrong_checksum(), Member::stored("b", b"bbbb")]),
            &["a=aaaa", "b=bbbb"],
            &["a: its checksum is wrong"],
        ),
        Case::new("zip_cut_off", || cut_zip(1), &["a=aaaa", "b=bbbb"], &["input: the zip archive has no readable directory"]),
        Case::new(
            "zip_cut_in_content",
            || stored(AB)[..33].to_vec(),
            &["a=aa"],
            &["a: its checksum is wrong", "input: the zip archive has no readable directory"],
        ),
        Case::new(
            "zip_directory_counts_wrong",
            directory_lies,
            &["a=aaaa", "b=bbbb"],
            &["input: the zip archive has no readable directory"],
        ),
        Case::new(
            "zip_streamed",
            || zip_of(&[Member::deflated("a", b"aaaa").streamed(), Member::stored("b", b"bbbb").streamed()]),
            &["a=aaaa", "b=bbbb"],
            &[],
        ),
        Case::new(
            "zip_streamed_and_cut_off",
            || [Member::deflated("a", b"aaaa").streamed().local(), Member::stored("b", b"bbbb").streamed().local()].concat(),
            &["a=aaaa"],
            &["b: of unknown size; not read", "input: the zip archive has no readable directory"],
        ),
        Case::new(
            "zip_encrypted",
            || zip_of(&[Member { flags: 1, ..Member::stored("a", b"aaaa") }, Member::stored("b", b"bbbb")]),
            &["b=bbbb"],
            &["a: encrypted; not read"],
        ),
        Case::new(
            "zip_unknown_method",
            || zip_of(&[Member { method: 98, ..Member::stored("a", b"aaaa") }, Member::stored("b", b"bbbb")]),
            &["b=bbbb"],
            &["a: compressed with "],
        ),
        Case::new("zip_garbage_in_front", || [b"MZ garbage".to_vec(), stored(AB)].concat(), &["input"], &[]),
        Case::new(
            "zip_with_zstd_members",
            || zip_of(&[Member { method: 93, packed: zstd(b"aaaa"), ..Member::stored("a", b"aaaa") }]),
            &["a=aaaa"],
            &[],
        ),
        // others
        Case::new("xz_wrong_checksum", || flipped(xz(b"aaaa"), 21), &["input=aaaa"], &["input: the xz stream is damaged"]),
        Case::new("bzip2_of_two_streams", || [bzip2(b"aa"), bzip2(b"bb")].concat(), &["input=aabb"], &[]),
        Case::new("zstd_of_two_frames", || [zstd(b"aa"), zstd(b"bb")].concat(), &["input=aabb"], &[]),
        Case::new(
            "zstd_skippable_frame",
            || [b"\x50\x2a\x4d\x18\x02\0\0\0xx".to_vec(), zstd(b"aa")].concat(),
            &["input=aa"],
            &[],
        ),
        Case::new("xz_of_two_streams", || [xz(b"aa"), xz(b"bb")].concat(), &["input=aabb"], &[]),
        Case::new(
            "inner_archive_damaged",
            || tar(&[("in.gz", &flipped(gzip(&tar(AB)), 5)), ("c", b"c")]),
            &["in.gz/a=aaaa", "in.gz/b=bbbb", "c=c"],
            &["in.gz: the gzip stream is damaged"],
        ),
        Case::new(
            "inner_archive_cut_off",
            || tar(&[("in.gz", &gzip(&tar(AB))[..20]), ("c", b"c")]),
            &["in.gz", "c=c"],
            &["in.gz: the gzip stream is cut off"],
        ),
    ]
}

/// With one bit flipped, so many bytes before the end.
fn flipped(mut bytes: Vec<u8>, from_end: usize) -> Vec<u8> {
    let at = bytes.len() - from_end;
    bytes[at] ^= 1;
    bytes
}

fn damaged_header() -> Vec<u8> {
    let mut bytes = tar(&[("a", b"aaaa"), ("b", b"bbbb"), ("c", b"cccc")]);
    bytes[1024 + 3] ^= 1;
    bytes
}

/// The header says four bytes, three blocks follow.
fn size_too_small() -> Vec<u8> {
    [header("a", b'0', 4, "").to_vec(), vec![b'x'; 1536], tar(&AB[1..])].concat()
}

fn size_garbage() -> Vec<u8> {
    let mut header = tar::Header::from_byte_slice(&header("a", b'0', 4, "")).clone();
    header.as_mut_bytes()[124..136].copy_from_slice(b"not a number");
    header.set_cksum();
    [header.as_bytes().to_vec(), padded(b"aaaa"), tar(&AB[1..])].concat()
}

fn size_binary() -> Vec<u8> {
    let mut header = tar::Header::from_byte_slice(&header("a", b'0', 4, "")).clone();
    header.as_mut_bytes()[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    header.set_cksum();
    [header.as_bytes().to_vec(), tar(AB)].concat()
}

fn wrong_checksum() -> Member<'static> {
    Member { packed: b"aaaa".to_vec(), ..Member::stored("a", b"aaab") }
}

/// Without the last bytes of its directory.
fn cut_zip(length: usize) -> Vec<u8> {
    let mut bytes = stored(AB);
    bytes.truncate(bytes.len() - length);
    bytes
}

fn directory_lies() -> Vec<u8> {
    let mut bytes = stored(AB);
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[200, 0, 200, 0]);
    bytes
}

/// Every kind of container, cut at many places and damaged at many places: nothing panics, what is read is a beginning of
/// what was packed, and a cut is always told.
pub(super) fn sweeps() -> Vec<Trial> {
    vec![Trial::test("cut_anywhere", cut_anywhere), Trial::test("damaged_anywhere", damaged_anywhere)]
}

/// Text that does not compress away.
fn noise() -> Vec<u8> {
    (0..6000u32).flat_map(|i| format!("{:x}\n", i.wrapping_mul(2_654_435_761)).into_bytes()).collect()
}

fn containers() -> Vec<(&'static str, Vec<u8>)> {
    let noise = noise();
    let files: &[(&str, &[u8])] = &[("a", b"aaaa"), ("noise", &noise), ("b", b"bbbb")];
    let tar = tar(files);
    vec![
        ("tar.gz", gzip(&tar)),
        ("tar.zst", zstd(&tar)),
        ("tar.xz", xz(&tar)),
        ("tar.bz2", bzip2(&tar)),
        ("zip", zip(files, ::zip::CompressionMethod::DEFLATE)),
        ("tar", tar),
    ]
}

fn cut_anywhere() -> Result<(), Failed> {
    let noise = noise();
    for (name, packed) in containers() {
        for part in 1..100 {
            let cut = packed.len() * part / 100;
            let source = Source::Bytes { name: "input".to_owned(), bytes: packed[..cut].to_vec() };
            let outcome = outcome(&source, &Limits::default());
            // Of a plain tar only the end mark may be missing.
            let is_told = !outcome.problems.is_empty() || outcome.files.len() == 3;
            let is_beginning = outcome.files.iter().all(|(path, content)| match path.as_str() {
                "a" => content == b"aaaa",
                "b" => content == b"bbbb",
                _ => noise.starts_with(content),
            });
            let has_first =
                outcome.files.iter().any(|(path, _)| path == "a") || part < 30 || !["tar", "tar.gz", "zip"].contains(&name);
            if !(is_told && is_beginning && has_first) {
                return Err(format!("{name} cut at {cut} of {}: {outcome:?}", packed.len()).into());
            }
        }
    }
    Ok(())
}

fn damaged_anywhere() -> Result<(), Failed> {
    for (name, packed) in containers() {
        for part in 0..200 {
            let at = packed.len() * part / 200;
            let mut bytes = packed.clone();
            bytes[at] ^= 1 << (part % 8);
            let source = Source::Bytes { name: "input".to_owned(), bytes };
            let outcome = outcome(&source, &Limits::default());
            let is_whole = outcome.files.len() == 3 && outcome.problems.is_empty();
            // A tar has no checksum over contents, and every format has bytes that mean nothing.
            if outcome.files.is_empty() && outcome.problems.is_empty() {
                return Err(format!("{name} damaged at {at}: nothing read, nothing told (whole: {is_whole})").into());
            }
        }
    }
    Ok(())
}
