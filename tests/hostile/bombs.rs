//! Inputs that are small and want to be large.

use std::io::{self, Read, Write};

use coroner::bundle::Limits;

use super::Case;
use super::pack::{Member, bzip2, directory, gzip, header, link, padded, stored, tar, xz, zeros, zip_of, zstd};

/// More than the 64 MiB after which ratios are judged.
const LARGE: u64 = 256 << 20;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("gzip_bomb", || gzip_zeros(LARGE), &["input"], &["input: unpacks to more than 250 times its size"]),
        Case::new("zstd_bomb", || zstd_zeros(LARGE), &["input"], &["input: unpacks to more than 250 times its size"]),
        Case::new("bzip2_bomb", || bzip2_zeros(LARGE), &["input"], &["input: unpacks to more than 250 times its size"]),
        Case::new("xz_bomb", || xz_zeros(LARGE), &["input"], &["input: unpacks to more than 250 times its size"]),
        Case::new(
            "gzip_bomb_in_tar",
            || tar(&[("a", b"a"), ("bomb.gz", &gzip_zeros(LARGE)), ("b", b"b")]),
            &["a=a", "bomb.gz", "b=b"],
            &["bomb.gz: unpacks to more than 250 times its size"],
        ),
        Case::new("bomb_in_bomb_in_bomb", || gzip(&gzip(&gzip_zeros(LARGE))), &["input"], &["input: unpacks to more than 250"]),
        Case::new("tar_gz_of_a_huge_file", huge_file, &["a=a", "huge"], &["input: unpacks to more than 250 times its size"]),
        Case::new("zip_bomb", || zip_of(&[zeros_member("a"), zeros_member("b")]), &["a"], &["a: unpacks to more than 250 times"]),
        Case::new("zip_whose_members_share_their_bytes", shared_members, &["m000", "…"], &["m"]),
        Case::new(
            "six_times_compressed",
            || gzip(&xz(&zstd(&bzip2(&gzip(&gzip(b"a")))))),
            &[],
            &["useless: a gzip stream (compressed more often than the depth limit allows; not opened)"],
        ),
        Case::new("four_times_compressed", || gzip(&xz(&zstd(&bzip2(b"a")))), &["input=a"], &[]),
        Case::new("archives_four_deep", || nested(4), &["0/0/0/a=a"], &[]),
        Case::new(
            "archives_five_deep",
            || tar(&[("x", b"x"), ("n", &nested(4))]),
            &["x=x"],
            &["n/0/0/0: inside more archives than the depth limit allows; not opened"],
        ),
        Case::new(
            "archives_five_hundred_deep",
            || tar(&[("x", b"x"), ("n", &nested(500))]),
            &["x=x"],
            &["n/0/0/0: inside more archives"],
        ),
        Case::new(
            "very_many_files",
            || many_files(100_001),
            &["f0000000", "…"],
            &["useless: a zstd stream (the bundle holds more than 100000 files"],
        )
        .within(Limits { files: 100_000, ..Limits::default() }),
        Case::new("very_many_links", || many_links(100_001), &[], &["useless: a zstd stream (the bundle holds more than"])
            .within(Limits { files: 100_000, ..Limits::default() }),
        Case::new("sixty_thousand_members", || many_members(60_000), &["m0", "…"], &[]),
        Case::new(
            "file_over_its_limit",
            || tar(&[("a", &[b'a'; 5000]), ("b", b"b")]),
            &["a", "b=b"],
            &["a: larger than 3.9 KiB"],
        )
        .within(Limits { file: 4000, ..Limits::default() }),
        Case::new(
            "bundle_over_its_limit",
            || tar(&[("a", &[b'a'; 5000]), ("b", b"b")]),
            &["a"],
            &[": the bundle unpacks to more than 3.9 KiB"],
        )
        .within(Limits { unpacked: 4000, ..Limits::default() }),
        Case::new(
            "files_over_their_limit",
            || tar(&[("a", b"a"), ("b", b"b"), ("c", b"c")]),
            &["a=a", "b=b"],
            &[": the bundle holds more than 2 files"],
        )
        .within(Limits { files: 2, ..Limits::default() }),
        Case::new("line_of_200_mib", || gzip_line(200 << 20), &["input"], &[])
            .within(Limits { ratio: u64::MAX, ..Limits::default() }),
        Case::new("xz_wanting_4_gib", xz_dictionary, &["input="], &["useless: a xz stream (the xz stream is damaged"]),
        Case::new("zstd_wanting_2_gib", zstd_window, &["input="], &["useless: a zstd stream (the zstd stream is damaged"]),
        Case::new("sparse_file_of_a_tebibyte", sparse, &["holes=data", "b=b"], &[]),
        Case::new("sparse_map_without_end", || pax_sparse(&format!("{}\n", u64::MAX)), &["s", "b=b"], &[]),
    ]
}

fn gzip_zeros(length: u64) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut zeros(length), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn zstd_zeros(length: u64) -> Vec<u8> {
    zstd::encode_all(zeros(length), 1).unwrap()
}

fn bzip2_zeros(length: u64) -> Vec<u8> {
    let mut packed = Vec::new();
    bzip2::read::BzEncoder::new(zeros(length), bzip2::Compression::best()).read_to_end(&mut packed).unwrap();
    packed
}

fn xz_zeros(length: u64) -> Vec<u8> {
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new(zeros(length), 0).read_to_end(&mut packed).unwrap();
    packed
}

fn gzip_line(length: u64) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut io::repeat(b'a').take(length), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn huge_file() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&header("a", b'0', 1, "")).unwrap();
    encoder.write_all(&padded(b"a")).unwrap();
    encoder.write_all(&header("huge", b'0', LARGE, "")).unwrap();
    io::copy(&mut zeros(LARGE), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn zeros_member(name: &str) -> Member<'_> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut zeros(LARGE), &mut encoder).unwrap();
    Member { name, method: 8, flags: 8, content: b"", packed: encoder.finish().unwrap() }
}

/// 250 entries of the directory stand for one member of 4 MiB of zeros.
fn shared_members() -> Vec<u8> {
    let content = vec![0; 4 << 20];
    let names: Vec<String> = (0..250).map(|i| format!("m{i:03}")).collect();
    let members: Vec<Member<'_>> = names.iter().map(|name| Member::deflated(name, &content)).collect();
    let mut bytes = members[0].local();
    let central: Vec<u8> = members.iter().flat_map(|member| member.central(0)).collect();
    let offset = bytes.len() as u32;
    bytes.extend(directory(&central, 250, offset));
    bytes
}

/// A file `a` inside that many tar archives.
fn nested(depth: usize) -> Vec<u8> {
    (1..depth).fold(tar(&[("a", b"a")]), |inner, _| tar(&[("0", &inner)]))
}

/// A tar archive of empty files with seven-digit names, compressed.
fn many_entries(count: u32, letter: u8, model: [u8; 512]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let mut header = model;
    header[0] = letter;
    for number in 0..count {
        header[1..8].copy_from_slice(format!("{number:07}").as_bytes());
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        encoder.write_all(&header).unwrap();
    }
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

fn many_files(count: u32) -> Vec<u8> {
    many_entries(count, b'f', header("f0000000", b'0', 0, ""))
}

fn many_links(count: u32) -> Vec<u8> {
    many_entries(count, b'l', link("l0000000", b'2', "/x").try_into().unwrap())
}

fn many_members(count: usize) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|i| format!("m{i}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    stored(&files)
}

/// The header of a block that asks for a dictionary of 4 GiB.
fn xz_dictionary() -> Vec<u8> {
    let mut packed = xz(b"a");
    // Stream header 12 bytes; block header: size, flags, filter id, size of properties, dictionary size, padding, crc.
    assert_eq!(packed[14..16], [0x21, 1]);
    packed[16] = 40;
    let length = (usize::from(packed[12]) + 1) * 4;
    let mut crc = flate2::Crc::new();
    crc.update(&packed[12..12 + length - 4]);
    packed[12 + length - 4..12 + length].copy_from_slice(&crc.sum().to_le_bytes());
    packed
}

/// A frame header with a window of 2 GiB (RFC 8878 3.1.1.1.2).
fn zstd_window() -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]
}

/// An old GNU sparse entry: four bytes of data in a file of a tebibyte.
fn sparse() -> Vec<u8> {
    let mut header = tar::Header::from_byte_slice(&header("holes", b'S', 4, "")).clone();
    let gnu = header.as_gnu_mut().unwrap();
    gnu.sparse[0].offset.copy_from_slice(b"17777777777\0");
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000004\0");
    gnu.set_real_size(1 << 40);
    header.set_cksum();
    [header.as_bytes().to_vec(), padded(b"data"), tar(&[("b", b"b")])].concat()
}

/// A pax sparse file, version 1.0, with this map.
fn pax_sparse(map: &str) -> Vec<u8> {
    use super::pack::{entry, pax};
    let records = [pax("GNU.sparse.major", "1"), pax("GNU.sparse.minor", "0"), pax("GNU.sparse.name", "s")].concat();
    let content = [padded(map.as_bytes()), b"data".to_vec()].concat();
    [entry("pax", b'x', &records), entry("GNUSparseFile.0/s", b'0', &content), tar(&[("b", b"b")])].concat()
}

/// The same with an honest map.
pub(super) fn pax_sparse_file() -> Vec<u8> {
    pax_sparse("1\n1048576\n4\n")
}
