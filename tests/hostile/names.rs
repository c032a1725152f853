//! Names that lead out of the bundle, or are no names.

use super::Case;
use super::pack::{Member, entry, gzip, header, padded, pax, stored, tar, zip_of};

const A: &[u8] = b"a";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "tar_climbing_out",
            || tar(&[("../../etc/cron.d/x", A)]),
            &["etc/cron.d/x=a"],
            &["etc/cron.d/x: its name in the archive, ../../etc/cron.d/x, leads out of the bundle"],
        ),
        Case::new(
            "zip_climbing_out",
            || stored(&[("../../etc/cron.d/x", A)]),
            &["etc/cron.d/x=a"],
            &["etc/cron.d/x: its name in the archive, ../../etc/cron.d/x, leads out of the bundle"],
        ),
        Case::new(
            "zip_climbing_out_with_backslashes",
            || zip_of(&[Member::stored("..\\..\\x", A)]),
            &["x=a"],
            &["x: its name in the archive, ../../x, leads out of the bundle"],
        ),
        Case::new("tar_climbing_inside", || tar(&[("a/b/../c", A)]), &["a/c=a"], &[]),
        Case::new("tar_absolute", || tar(&[("/etc/passwd", A)]), &["etc/passwd=a"], &[]),
        Case::new("zip_absolute", || stored(&[("/etc/passwd", A)]), &["etc/passwd=a"], &[]),
        Case::new("zip_drive_letter", || stored(&[("C:/Windows/x", A)]), &["C:/Windows/x=a"], &[]),
        Case::new("tar_dots_and_slashes", || tar(&[("./a//./b///c", A)]), &["a/b/c=a"], &[]),
        Case::new(
            "tar_empty_name",
            || [entry("a", b'0', A), entry("", b'0', A), tar(&[("b", A)])].concat(),
            &["a=a", "b=a"],
            &["input: the tar header at byte 1024 is damaged"],
        ),
        Case::new("tar_name_of_dots", || tar(&[("..", A), ("b", A)]), &["b=a"], &[]),
        Case::new("tar_escape_sequence", || tar(&[("a\u{1b}[2Jb", A)]), &["a\u{1b}[2Jb=a"], &[]),
        Case::new("tar_newline_in_name", || tar(&[("a\n::error::b", A)]), &["a\n::error::b=a"], &[]),
        Case::new("tar_not_utf8", not_utf8, &["a\u{fffd}b=a"], &[]),
        Case::new("tar_long_name", || gnu_name(120), &[LONG_NAME, "b=a"], &[]),
        Case::new("tar_endless_name", || gnu_name(8 << 10), &["b=a"], &["input: a name of 8 KiB is too long; not read"]),
        Case::new("tar_name_of_a_gibibyte", gibibyte_name, &["b=a"], &["input: a name of 1 MiB is too long; not read"]),
        Case::new(
            "tar_pax_path_climbing_out",
            || pax_path("../../x"),
            &["x=a"],
            &["x: its name in the archive, ../../x, leads out"],
        ),
        Case::new("tar_pax_size_garbage", || pax_field("size", "-1"), &["a=a"], &[]),
        Case::new(
            "tar_pax_size_endless",
            || pax_field("size", "99999999999999999"),
            &["a"],
            &["a: cut off: 1.5 KiB of ", "input: the tar archive has no end"],
        ),
        Case::new(
            "zip_endless_name",
            || zip_of(&[Member::stored(&"a/".repeat(5000), A)]),
            &[],
            &["useless: a zip archive without files"],
        ),
        Case::new("same_path_twice", || tar(&[("a", b"old"), ("b", A), ("a", b"new")]), &["b=a", "a=new"], &[]),
        Case::new("same_path_by_another_name", || tar(&[("a", b"old"), ("./x/../a", b"new")]), &["a=new"], &[]),
        Case::new("file_that_is_a_directory", || tar(&[("a", A), ("a/b", A)]), &["a=a", "a/b=a"], &[]),
        Case::new("archive_and_directory_of_one_name", archive_and_directory, &["a/b=new"], &[]),
    ]
}

fn not_utf8() -> Vec<u8> {
    let mut tar = tar(&[("a?b", A)]);
    tar[1] = 0xff;
    let sum: u32 = tar[..512].iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar
}

/// The next entry has a name of `length` bytes, by GNU's extension.
fn gnu_name(length: usize) -> Vec<u8> {
    let name = "n".repeat(length);
    [entry("././@LongLink", b'L', name.as_bytes()), entry("short", b'0', A), tar(&[("b", A)])].concat()
}

/// 120 times the letter n; a header has room for 100.
const LONG_NAME: &str = concat!(
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
);

fn gibibyte_name() -> Vec<u8> {
    const LENGTH: u64 = 1 << 30;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &header("././@LongLink", b'L', LENGTH, "")).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'n'), LENGTH), &mut encoder).unwrap();
    std::io::Write::write_all(&mut encoder, &[entry("short", b'0', A), tar(&[("b", A)])].concat()).unwrap();
    encoder.finish().unwrap()
}

fn pax_path(path: &str) -> Vec<u8> {
    [entry("pax", b'x', &pax("path", path)), tar(&[("short", A)])].concat()
}

fn pax_field(key: &str, value: &str) -> Vec<u8> {
    [entry("pax", b'x', &pax(key, value)), tar(&[("a", A)])].concat()
}

fn archive_and_directory() -> Vec<u8> {
    let inner = gzip(&tar(&[("b", b"old")]));
    let mut bytes = header("a", b'0', inner.len() as u64, "").to_vec();
    bytes.extend(padded(&inner));
    bytes.extend(tar(&[("a/b", b"new")]));
    bytes
}
