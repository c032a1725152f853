//! Zip archives. The directory at the end is the authority; an archive without one (cut off, or too large to be held when it
//! cannot be sought in) is read by the headers in front of each member.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};

use zip::read::ZipFileEntry;
use zip::{CompressionMethod, ZipArchive};

use super::compressed::{self, BUFFER, Meter, Packed};
use super::name;
use super::sniff::Compression;
use super::walk::{Place, Walk};

mod local;

/// Bytes of zip archives that may be held in memory at one time, because they come as a stream.
pub(super) const MOST_HELD: u64 = 256 << 20;

/// Longest link target: the kernel's `PATH_MAX`.
const LONGEST_LINK: u64 = 4096;

/// What is read behind the end of an archive inside a member.
const LONGEST_TAIL: u64 = 1 << 20;

/// Bytes that can be sought in.
pub(super) trait Seekable: Read + Seek {}
impl<T: Read + Seek> Seekable for T {}

/// What an archive says about a member.
struct Member {
    name: String,
    /// `None` for a method that is not read.
    compression: Option<Compression>,
    /// The method, in words.
    method: String,
    /// Size of the content, where it is stated.
    size: u64,
    /// CRC-32 of the content, where it is stated.
    crc: Option<u32>,
    is_encrypted: bool,
    is_link: bool,
}

/// Reads the zip archive at `place` that comes as a stream.
pub(super) fn read_stream(walk: &mut Walk<'_>, place: &Place, reader: &mut dyn BufRead) {
    let room = MOST_HELD.saturating_sub(walk.held);
    let mut held = Vec::new();
    let is_whole = match reader.take(room).read_to_end(&mut held).and_then(|_| reader.fill_buf()) {
        Ok(rest) => rest.is_empty(),
        Err(error) => {
            walk.broken(&place.path, &error);
            true
        }
    };
    walk.held += held.len() as u64;
    if is_whole {
        read(walk, place, &mut Cursor::new(&held));
    } else {
        local::read(walk, place, &mut held.chain(reader), &Meter::default());
    }
    walk.held -= held.len() as u64;
}

/// Reads the zip archive at `place` by its directory.
pub(super) fn read(walk: &mut Walk<'_>, place: &Place, reader: &mut dyn Seekable) {
    let meter = Meter::default();
    let mut archive = match ZipArchive::new(&mut *reader) {
        Ok(archive) => archive,
        Err(error) => {
            let what = format!("the zip archive has no readable directory ({error}); its members were looked for one by one");
            walk.problem(&place.path, None, what);
            if reader.rewind().is_ok() {
                local::read(walk, place, &mut BufReader::with_capacity(BUFFER, reader), &meter);
            }
            return;
        }
    };
    for index in 0..archive.len() {
        if walk.is_over() || meter.is_over(walk.budget.limits) {
            return;
        }
        let stated = match archive.by_index_data(index) {
            Ok(entry) => Member::from(&entry),
            Err(error) => {
                walk.problem(&place.path, None, format!("member {index} cannot be read: {error}"));
                continue;
            }
        };
        match archive.by_index_raw(index) {
            Ok(bytes) => {
                member(walk, place, &stated, &mut BufReader::with_capacity(BUFFER, bytes), &meter);
            }
            Err(error) => walk.member_problem(place, &stated.name, format!("cannot be read: {error}")),
        }
    }
}

/// Reads one member from its packed bytes.
fn member(walk: &mut Walk<'_>, place: &Place, stated: &Member, bytes: &mut dyn BufRead, meter: &Meter) {
    if stated.name.ends_with('/') {
        return;
    }
    if stated.is_encrypted {
        return walk.member_problem(place, &stated.name, "encrypted; not read");
    }
    let Some(compression) = stated.compression else {
        return walk.member_problem(place, &stated.name, format!("compressed with {}; not read", stated.method));
    };
    let Some(at) = walk.locate(place, &stated.name) else { return };
    let packed = Packed { compression, path: at.path.clone(), crc: stated.crc, meter: meter.clone(), bytes };
    let mut content = match compressed::open(packed, walk.budget) {
        Ok(content) => content,
        Err(error) => return walk.broken(&at.path, &error),
    };
    if stated.is_link {
        let mut target = String::new();
        match content.take(LONGEST_LINK).read_to_string(&mut target) {
            Ok(_) => walk.link(place, &stated.name, name::parent(&stated.name), &target),
            Err(error) => walk.broken(&at.path, &error),
        }
        return;
    }
    walk.stream(&at, &mut content, Some(stated.size));
    // What an archive inside leaves unread behind its end: the checksum is told at the very end.
    if let Err(error) = io::copy(&mut content.take(LONGEST_TAIL), &mut io::sink()) {
        walk.broken(&at.path, &error);
    }
}

impl From<&ZipFileEntry<'_>> for Member {
    fn from(entry: &ZipFileEntry<'_>) -> Self {
        let name = entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), Cow::into_owned);
        Self {
            name: with_slashes(name),
            compression: compression(entry.compression()),
            method: entry.compression().to_string(),
            size: entry.size(),
            crc: Some(entry.crc32()),
            is_encrypted: entry.encrypted(),
            is_link: entry.is_symlink(),
        }
    }
}

/// Some Windows tools write `\` between the parts.
fn with_slashes(name: String) -> String {
    if name.contains('/') { name } else { name.replace('\\', "/") }
}

fn compression(method: CompressionMethod) -> Option<Compression> {
    Some(match method {
        CompressionMethod::STORE => Compression::Stored,
        CompressionMethod::DEFLATE => Compression::Deflate,
        CompressionMethod::BZIP2 => Compression::Bzip2,
        CompressionMethod::ZSTD | CompressionMethod::ZSTD_DEPRECATED => Compression::Zstd,
        CompressionMethod::XZ => Compression::Xz,
        _ => return None,
    })
}
