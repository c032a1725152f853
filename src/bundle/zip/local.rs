//! Zip members by the headers in front of them, for archives whose directory is missing.
//! APPNOTE.TXT 4.3.7 (local file header), 4.5.3 (zip64 sizes).

use std::io::{self, BufRead, Read};

use super::{Member, member, with_slashes};
use crate::bundle::compressed::Meter;
use crate::bundle::sniff::Compression;
use crate::bundle::walk::{Place, Walk};

const SIGNATURE: &[u8; 4] = b"PK\x03\x04";

/// A size that stands in the zip64 field instead.
const IN_ZIP64: u64 = u32::MAX as u64;

/// A local header: the member, and the size of its packed bytes where that is stated.
struct Local {
    member: Member,
    packed: Option<u64>,
}

/// Reads member after member until the stream ends, passing over what is none.
pub(super) fn read(walk: &mut Walk<'_>, place: &Place, reader: &mut dyn BufRead, meter: &Meter) {
    while !walk.is_over() && !meter.is_over(walk.budget.limits) {
        let local = match find_signature(reader).and_then(|found| if found { header(reader) } else { Ok(None) }) {
            Ok(Some(local)) => local,
            Ok(None) => return,
            Err(error) => return walk.broken(&place.path, &error),
        };
        match (local.packed, local.member.compression) {
            (Some(packed), _) => {
                let mut bytes = (&mut *reader).take(packed);
                member(walk, place, &local.member, &mut bytes, meter);
                if let Err(error) = io::copy(&mut bytes, &mut io::sink()) {
                    return walk.broken(&place.path, &error);
                }
            }
            // A deflate stream knows its end.
            (None, Some(Compression::Deflate)) => member(walk, place, &local.member, reader, meter),
            (None, _) => walk.member_problem(place, &local.member.name, "of unknown size; not read"),
        }
    }
}

/// Passes over everything up to the next signature and the signature itself; `false` at the end of the stream.
fn find_signature(reader: &mut dyn BufRead) -> io::Result<bool> {
    let mut matched = 0;
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let mut passed = 0;
        while passed < bytes.len() && matched < SIGNATURE.len() {
            if bytes[passed] == SIGNATURE[matched] {
                matched += 1;
            } else {
                matched = usize::from(bytes[passed] == SIGNATURE[0]);
            }
            passed += 1;
        }
        reader.consume(passed);
        if matched == SIGNATURE.len() {
            return Ok(true);
        }
    }
}

/// The header behind a signature; `None` when the stream ends in it.
fn header(reader: &mut dyn BufRead) -> io::Result<Option<Local>> {
    let mut fields = [0; 26];
    let mut rest = Vec::new();
    let is_whole = reader.take(26).read_to_end(&mut rest)? == 26;
    if !is_whole {
        return Ok(None);
    }
    fields.copy_from_slice(&rest);
    let short = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
    let long = |at: usize| u64::from(short(at)) | u64::from(short(at + 2)) << 16;
    let (flags, method) = (short(2), short(4));
    let mut sizes = [long(18), long(14)];
    let mut name = Vec::new();
    reader.take(u64::from(short(22))).read_to_end(&mut name)?;
    let mut extra = Vec::new();
    reader.take(u64::from(short(24))).read_to_end(&mut extra)?;
    for (size, wide) in sizes.iter_mut().filter(|size| **size == IN_ZIP64).zip(zip64_sizes(&extra)) {
        *size = wide;
    }
    let [unpacked, packed] = sizes;
    // Bit 3: crc and sizes follow behind the content.
    let is_stated = flags & 0b1000 == 0;
    let member = Member {
        name: with_slashes(String::from_utf8_lossy(&name).into_owned()),
        compression: compression(method),
        method: zip::CompressionMethod::name_from_u16(method).to_owned(),
        size: unpacked,
        crc: is_stated.then_some(long(10) as u32),
        is_encrypted: flags & 1 != 0,
        is_link: false,
    };
    Ok(Some(Local { member, packed: (is_stated || packed > 0).then_some(packed) }))
}

/// The sizes in the zip64 field: of the content, then packed, each only where the header has none.
fn zip64_sizes(extra: &[u8]) -> Vec<u64> {
    let mut rest = extra;
    while let [id0, id1, len0, len1, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*len0, *len1])).min(tail.len());
        let (field, next) = tail.split_at(length);
        if [*id0, *id1] == [1, 0] {
            let (sizes, _) = field.as_chunks::<8>();
            return sizes.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        }
        rest = next;
    }
    Vec::new()
}

fn compression(method: u16) -> Option<Compression> {
    Some(match method {
        0 => Compression::Stored,
        8 => Compression::Deflate,
        12 => Compression::Bzip2,
        20 | 93 => Compression::Zstd,
        95 => Compression::Xz,
        _ => return None,
    })
}
