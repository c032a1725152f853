//! Tar archives, read front to back in one pass.
//!
//! Own loop over the headers of the crate `tar`, whose iterator ends at the first damaged header and holds long names of any
//! size in memory. Here a damaged header costs its own entry: reading goes on at the next block that is one.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use tar::{EntryType, Header, PaxExtensions};

use super::limits::size;
use super::name;
use super::sniff::{HEAD, is_tar};
use super::walk::{Place, Walk};

const BLOCK: u64 = HEAD as u64;

/// Longest extended header that is read. A path has 4 KiB at most; a pax header holds a few of them and attributes.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// What extension entries say about the entry that follows them.
#[derive(Debug, Default)]
struct Extension {
    name: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    /// `GNU.sparse.major` is 1: the content starts with the map of the file's holes.
    has_sparse_map: bool,
}

/// Reads the tar archive at `place`.
pub(super) fn read(walk: &mut Walk<'_>, place: &Place, reader: &mut dyn BufRead) {
    let mut extension = Extension::default();
    let mut damaged_at = None;
    let mut has_end = false;
    let mut at = 0;
    while !walk.is_over() {
        let mut block = [0; HEAD];
        let got = match fill(reader, &mut block) {
            Ok(got) => got,
            Err(error) => return walk.broken(&place.path, &error),
        };
        let start = at;
        at += got as u64;
        if got == 0 {
            break;
        }
        if block[..got].iter().all(|b| *b == 0) {
            has_end = true;
            continue;
        }
        if got < HEAD || !is_tar(&block) {
            // After the end mark anything may follow: padding, or a signature.
            if !has_end {
                damaged_at.get_or_insert(start);
            }
            continue;
        }
        if let Some(from) = damaged_at.take() {
            let what = format!("the tar header at byte {from} is damaged; reading went on at byte {start}");
            walk.problem(&place.path, None, what);
        }
        let header = Header::from_byte_slice(&block);
        match entry(walk, place, header, &mut extension, reader) {
            Ok(length) => at += length,
            Err(error) => return walk.broken(&place.path, &error),
        }
    }
    if let Some(from) = damaged_at {
        walk.problem(&place.path, None, format!("the tar header at byte {from} is damaged; nothing readable follows"));
    } else if !has_end && !walk.is_over() {
        walk.problem(&place.path, None, "the tar archive has no end mark; what followed may be missing");
    }
}

/// Reads into `buf` until it is full or the stream ends; gives the bytes read.
fn fill(reader: &mut dyn BufRead, buf: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match reader.read(&mut buf[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Reads the entry behind `header`, its padding included; gives the bytes passed.
fn entry(
    walk: &mut Walk<'_>,
    place: &Place,
    header: &Header,
    extension: &mut Extension,
    reader: &mut dyn BufRead,
) -> io::Result<u64> {
    let kind = header.entry_type();
    let stated = header.entry_size().unwrap_or(0);
    if is_extension(kind) {
        let mut content = Vec::new();
        let got = reader.take(stated.min(LONGEST_EXTENSION)).read_to_end(&mut content)? as u64;
        extension.take(kind, &content);
        return Ok(got + skip(reader, padded(stated) - got)?);
    }
    let extension = std::mem::take(extension);
    let name = extension.name.unwrap_or_else(|| text(&header.path_bytes()));
    let length = extension.size.unwrap_or(stated);
    match kind {
        EntryType::Symlink | EntryType::Link => {
            let target = extension.link.or_else(|| header.link_name_bytes().map(|b| text(&b))).unwrap_or_default();
            let base = if kind == EntryType::Symlink { name::parent(&name) } else { "" };
            walk.link(place, &name, base, &target);
            Ok(0)
        }
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            walk.special(place, &name);
            Ok(0)
        }
        EntryType::Directory => skip(reader, padded(length)),
        // GNU's volume labels and directory dumps are no files. Other unknown types are, says POSIX.
        _ if name.ends_with('/') || matches!(kind.as_byte(), b'V' | b'D') => skip(reader, padded(length)),
        _ => {
            let maps = if kind == EntryType::GNUSparse { skip_sparse_headers(header, reader)? } else { 0 };
            Ok(maps + content(walk, place, &name, length, extension.has_sparse_map, reader)?)
        }
    }
}

fn is_extension(kind: EntryType) -> bool {
    use EntryType::{GNULongLink, GNULongName, XGlobalHeader, XHeader};
    matches!(kind, GNULongName | GNULongLink | XHeader | XGlobalHeader)
}

/// Reads a regular file; gives the bytes passed.
fn content(
    walk: &mut Walk<'_>,
    place: &Place,
    name: &str,
    length: u64,
    has_sparse_map: bool,
    reader: &mut dyn BufRead,
) -> io::Result<u64> {
    let mut content = (&mut *reader).take(length);
    if has_sparse_map {
        skip_sparse_map(&mut content)?;
    }
    let left = content.limit();
    let member = walk.locate(place, name);
    if let Some(member) = &member {
        walk.stream(member, &mut content, Some(left));
    }
    let unread = content.limit();
    let missing = unread - skip(&mut content, unread)?;
    if missing > 0 {
        let path = member.map_or_else(|| Arc::clone(&place.path), |member| member.path);
        walk.problem(&path, None, format!("cut off: {} of {} are there", size(length - missing), size(length)));
        return Ok(length - missing);
    }
    Ok(length + skip(reader, padded(length) - length)?)
}

impl Extension {
    /// Takes what an extension entry says. A value that cannot be read is left out: the header's own stands then.
    fn take(&mut self, kind: EntryType, content: &[u8]) {
        match kind {
            EntryType::GNULongName => self.name = Some(text(until_nul(content))),
            EntryType::GNULongLink => self.link = Some(text(until_nul(content))),
            EntryType::XHeader => {
                for (key, value) in PaxExtensions::new(content).flatten().map(|e| (e.key_bytes(), e.value_bytes())) {
                    match key {
                        b"path" if self.name.is_none() => self.name = Some(text(value)),
                        b"GNU.sparse.name" => self.name = Some(text(value)),
                        b"linkpath" => self.link = Some(text(value)),
                        b"size" => self.size = text(value).parse().ok(),
                        b"GNU.sparse.major" => self.has_sparse_map = value == b"1",
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Skips the further maps of an old GNU sparse entry. The holes themselves are left out of the content: they are NULs and
/// hold no line.
fn skip_sparse_headers(header: &Header, reader: &mut dyn BufRead) -> io::Result<u64> {
    let mut passed = 0;
    let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while more {
        let mut block = [0; HEAD];
        let got = fill(reader, &mut block)?;
        passed += got as u64;
        // `isextended` stands after 21 entries of 24 bytes.
        more = got == HEAD && block[504] == 1;
    }
    Ok(passed)
}

/// Skips the map of a pax sparse file 1.0: decimal numbers, one a line, the first tells how many pairs follow; padded to a
/// block.
fn skip_sparse_map(content: &mut dyn BufRead) -> io::Result<()> {
    let mut passed = 0;
    let mut lines_left = 1;
    let mut line = Vec::new();
    while lines_left > 0 {
        line.clear();
        let got = content.take(32).read_until(b'\n', &mut line)?;
        if got == 0 {
            return Ok(());
        }
        if passed == 0 {
            let pairs: u64 = text(&line).trim().parse().unwrap_or(0);
            lines_left = pairs.saturating_mul(2).saturating_add(1);
        }
        passed += got as u64;
        lines_left -= 1;
    }
    skip(content, padded(passed) - passed)?;
    Ok(())
}

fn padded(length: u64) -> u64 {
    length.checked_next_multiple_of(BLOCK).unwrap_or(length)
}

/// Skips `length` bytes, or what there is of them; gives the bytes passed.
fn skip(reader: &mut dyn BufRead, length: u64) -> io::Result<u64> {
    io::copy(&mut reader.take(length), &mut io::sink())
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
