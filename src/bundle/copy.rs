//! A copy of a bundle without its secrets: the same files under the same names, archives inside archives included, in the
//! same kinds of container. Names of users, times and comments of the archives are not taken over.

use std::io::{self, Cursor, Write};
use std::sync::Arc;

use flate2::write::GzEncoder;
use liblzma::write::XzEncoder;

use super::sniff::{Compression, Format};
use super::walk::{Place, Visit};
use super::{Entry, Error, Limits, Source, Summary, visit_all};
use crate::location::{Location, Problem};
use crate::redact::Redactor;

/// What became of a bundle that was copied.
#[derive(Debug)]
pub struct Copied {
    /// What was read.
    pub summary: Summary,
    /// What was masked, in order of the bundle.
    pub masked: Vec<MaskedAt>,
    /// Files that were not copied, since nobody can tell what is in them: images, binaries, archives of other kinds.
    pub left_out: Vec<Problem>,
}

/// A value that was masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedAt {
    /// Where it stood.
    pub location: Location,
    /// What it was: `GitHub token`, `password`.
    pub kind: &'static str,
    /// What stands there now: `[redacted:a1b2]`.
    pub token: String,
}

/// Why a bundle was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// The copy cannot be written.
    #[error("cannot write the copy: {0}")]
    Write(#[from] io::Error),
}

/// Copies a bundle to `out`, every text without its secrets. A directory becomes a `.tar.gz`. One file at a time is held in
/// memory, and archives inside archives in their packed form.
///
/// # Errors
/// When the bundle cannot be read at all, or the copy cannot be written.
pub fn redact_copy(source: &Source, limits: &Limits, redactor: &Redactor, out: &mut dyn Write) -> Result<Copied, CopyError> {
    let limits = Limits { chunk: usize::MAX, document: usize::MAX, ..limits.clone() };
    let mut copy = Copy { redactor, open: Vec::new(), out, masked: Vec::new(), left_out: Vec::new(), result: Ok(()) };
    let is_directory = matches!(source, Source::Path(path) if path.is_dir());
    let root = Place::outermost("", "");
    if is_directory {
        copy.enter(&root, Format::Compressed(Compression::Gzip));
        copy.enter(&root, Format::Tar);
    }
    let summary = visit_all(std::slice::from_ref(source), &limits, &mut copy)?;
    if is_directory {
        copy.leave();
        copy.leave();
    }
    copy.result?;
    Ok(Copied { summary, masked: copy.masked, left_out: copy.left_out })
}

/// The copy being written: one container inside the other.
struct Copy<'a> {
    redactor: &'a Redactor,
    open: Vec<Container>,
    out: &'a mut dyn Write,
    masked: Vec<MaskedAt>,
    left_out: Vec<Problem>,
    /// The first failure; nothing is written after it.
    result: io::Result<()>,
}

impl Visit for Copy<'_> {
    fn entry(&mut self, entry: Entry) {
        if entry.replaces && self.open.last().is_some_and(|container| matches!(container.writer, Writer::Zip(_))) {
            return self.pass(&entry.path, "a second file of this name");
        }
        let content = self.redact(&entry);
        self.attempt(|copy| copy.add(&entry.path, &content));
    }

    fn enter(&mut self, place: &Place, format: Format) {
        self.attempt(|copy| {
            let writer = Writer::new(format)?;
            copy.open.push(Container {
                path: place.path.clone(),
                inside: place.inside.clone(),
                writer,
                member: Vec::new(),
                is_empty: true,
            });
            Ok(())
        });
    }

    fn leave(&mut self) {
        self.attempt(Self::close);
    }

    fn pass(&mut self, path: &Arc<str>, what: &str) {
        self.left_out.push(Problem::new(Location::file(path), what));
    }
}

impl Copy<'_> {
    fn attempt(&mut self, step: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.result.is_ok() {
            self.result = step(self);
        }
    }

    /// Adds a file to the innermost container.
    fn add(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        match self.open.last_mut() {
            Some(container) => {
                let name = path.strip_prefix(container.inside.as_str()).unwrap_or(path);
                container.writer.add(name, content)?;
                container.is_empty = false;
                self.pass_on()
            }
            None => self.out.write_all(content),
        }
    }

    /// Passes on what the innermost container has written so far: through compressors outwards, up to an archive, which has
    /// to know a member's size before it writes it.
    fn pass_on(&mut self) -> io::Result<()> {
        for at in (0..self.open.len()).rev() {
            let bytes = self.open[at].writer.written();
            self.give(at, &bytes)?;
            if at > 0 && !self.open[at - 1].writer.is_compressor() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives what the container number `at` has written to the one around it.
    fn give(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        match at.checked_sub(1).map(|outer| &mut self.open[outer]) {
            None => self.out.write_all(bytes),
            Some(outer) if outer.writer.is_compressor() => {
                outer.is_empty &= bytes.is_empty();
                outer.writer.add("", bytes)
            }
            Some(outer) => {
                outer.member.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Closes the innermost container; inside an archive it is a member now.
    fn close(&mut self) -> io::Result<()> {
        let Some(container) = self.open.pop() else { return Ok(()) };
        let is_void = container.is_empty && container.writer.is_compressor();
        let rest = container.writer.finish()?;
        self.give(self.open.len(), &rest)?;
        if self.open.last().is_some_and(|outer| !outer.writer.is_compressor()) {
            let member = self.open.last_mut().map(|outer| std::mem::take(&mut outer.member)).unwrap_or_default();
            // Of a compressed image, say, nothing is left.
            return if is_void { Ok(()) } else { self.add(&container.path, &member) };
        }
        self.pass_on()
    }

    /// The content of a file without its secrets. Bytes that are no text stay as they are.
    fn redact(&mut self, entry: &Entry) -> Vec<u8> {
        if let Some(wide) = Wide::of(&entry.bytes) {
            let text = wide.decode(&entry.bytes);
            return wide.encode(&self.redact_text(&entry.path, 1, &text));
        }
        let mut out = Vec::with_capacity(entry.bytes.len());
        let mut line = 1;
        for chunk in entry.bytes.utf8_chunks() {
            out.extend(self.redact_text(&entry.path, line, chunk.valid()).bytes());
            out.extend(chunk.invalid());
            line += memchr::memchr_iter(b'\n', chunk.valid().as_bytes()).count();
        }
        out
    }

    fn redact_text<'t>(&mut self, path: &Arc<str>, first_line: usize, text: &'t str) -> std::borrow::Cow<'t, str> {
        self.redactor.redact_with(text, &mut |masked| {
            let line = u32::try_from(first_line + masked.line - 1).unwrap_or(u32::MAX);
            let location = Location::line(path, line);
            self.masked.push(MaskedAt { location, kind: masked.kind, token: masked.token.to_owned() });
        })
    }
}

/// A container being written.
struct Container {
    path: Arc<str>,
    /// What the paths of its members start with.
    inside: String,
    writer: Writer,
    /// Of an archive: the member that a container inside it is writing.
    member: Vec<u8>,
    /// Nothing was added.
    is_empty: bool,
}

enum Writer {
    Tar(Box<tar::Builder<Vec<u8>>>),
    Zip(Box<zip::ZipWriter<Cursor<Vec<u8>>>>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Xz(XzEncoder<Vec<u8>>),
    Bzip2(bzip2::write::BzEncoder<Vec<u8>>),
}

/// The default of `xz`.
const XZ_LEVEL: u32 = 6;

impl Writer {
    fn new(format: Format) -> io::Result<Self> {
        Ok(match format {
            Format::Zip => Self::Zip(Box::new(zip::ZipWriter::new(Cursor::new(Vec::new())))),
            Format::Compressed(Compression::Gzip) => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::default())),
            Format::Compressed(Compression::Zstd) => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 0)?),
            Format::Compressed(Compression::Xz) => Self::Xz(XzEncoder::new(Vec::new(), XZ_LEVEL)),
            Format::Compressed(Compression::Bzip2) => {
                Self::Bzip2(bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best()))
            }
            _ => Self::Tar(Box::new(tar::Builder::new(Vec::new()))),
        })
    }

    /// Whether it takes bytes as they come, and not whole members.
    fn is_compressor(&self) -> bool {
        !matches!(self, Self::Tar(_) | Self::Zip(_))
    }

    /// Adds a member, or, to a compressor, more bytes.
    fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        match self {
            Self::Tar(builder) => {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, name, content)
            }
            Self::Zip(writer) => {
                writer.start_file(name, zip::write::SimpleFileOptions::default())?;
                writer.write_all(content)
            }
            Self::Gzip(encoder) => encoder.write_all(content),
            Self::Zstd(encoder) => encoder.write_all(content),
            Self::Xz(encoder) => encoder.write_all(content),
            Self::Bzip2(encoder) => encoder.write_all(content),
        }
    }

    /// Takes what was written so far. A zip archive is written at its end.
    fn written(&mut self) -> Vec<u8> {
        match self {
            Self::Tar(builder) => std::mem::take(builder.get_mut()),
            Self::Zip(_) => Vec::new(),
            Self::Gzip(encoder) => std::mem::take(encoder.get_mut()),
            Self::Zstd(encoder) => std::mem::take(encoder.get_mut()),
            Self::Xz(encoder) => std::mem::take(encoder.get_mut()),
            Self::Bzip2(encoder) => std::mem::take(encoder.get_mut()),
        }
    }

    /// Ends the container; gives what was not taken yet.
    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Tar(builder) => builder.into_inner(),
            Self::Zip(writer) => Ok(writer.finish()?.into_inner()),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
        }
    }
}

/// Two bytes a character, as PowerShell's `>` writes.
#[derive(Debug, Clone, Copy)]
enum Wide {
    LittleEndian,
    BigEndian,
}

impl Wide {
    /// Told by the byte order mark, or by the zeros beside the first letters.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xfe, ..] => Some(Self::LittleEndian),
            [0xfe, 0xff, ..] => Some(Self::BigEndian),
            [1..=255, 0, 1..=255, 0, ..] => Some(Self::LittleEndian),
            [0, 1..=255, 0, 1..=255, ..] => Some(Self::BigEndian),
            _ => None,
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| match self {
            Self::LittleEndian => u16::from_le_bytes(*pair),
            Self::BigEndian => u16::from_be_bytes(*pair),
        });
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let bytes = text.encode_utf16().map(|unit| match self {
            Self::LittleEndian => unit.to_le_bytes(),
            Self::BigEndian => unit.to_be_bytes(),
        });
        bytes.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_two_bytes_a_character() {
        for wide in [Wide::LittleEndian, Wide::BigEndian] {
            let bytes = wide.encode("\u{feff}password: hunter2");
            assert!(matches!(
                (Wide::of(&bytes), wide),
                (Some(Wide::LittleEndian), Wide::LittleEndian) | (Some(Wide::BigEndian), Wide::BigEndian)
            ));
            assert_eq!(wide.decode(&bytes), "\u{feff}password: hunter2");
            assert!(Wide::of(&bytes[2..]).is_some());
        }
        assert!(Wide::of(b"password").is_none());
    }
}
