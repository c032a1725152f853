//! What a stream is, told from its first bytes.

/// How many bytes [`sniff`] wants to see: one tar block.
pub(super) const HEAD: usize = 512;

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A tar archive of any dialect.
    Tar,
    /// A zip archive.
    Zip,
    /// A compressed stream.
    Compressed(Compression),
    /// Something no evidence can be in, and what it is in words.
    Foreign(&'static str),
    /// Anything else: text, as far as this stage is concerned.
    Plain,
}

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The .xz format of XZ Utils.
    Xz,
    /// bzip2.
    Bzip2,
    /// RFC 1951, without a frame: a member of a zip archive.
    Deflate,
    /// Not at all: a member of a zip archive.
    Stored,
}

impl Compression {
    /// Its name, as in "a gzip stream".
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Deflate => "deflate",
            Self::Stored => "stored",
        }
    }
}

impl Format {
    /// What it is, as in "found a tar archive".
    pub(super) fn describe(self) -> String {
        match self {
            Self::Tar => "a tar archive".to_owned(),
            Self::Zip => "a zip archive".to_owned(),
            Self::Compressed(compression) => format!("a {} stream", compression.name()),
            Self::Foreign(what) => what.to_owned(),
            Self::Plain => "text".to_owned(),
        }
    }
}

/// Magic numbers of what is common beside logs and is neither text nor a supported container.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "an ELF binary"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 stream"),
    (b"age-encryption.org/", "a file encrypted with age"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\0asm", "a WebAssembly module"),
];

/// Tells what a stream is from its first [`HEAD`] bytes (fewer when it is shorter).
pub(super) fn sniff(head: &[u8]) -> Format {
    if head.starts_with(b"\x1f\x8b\x08") {
        return Format::Compressed(Compression::Gzip);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || head.starts_with(b"PK\x07\x08PK\x03\x04") {
        return Format::Zip;
    }
    if head.starts_with(b"\xfd7zXZ\0") {
        return Format::Compressed(Compression::Xz);
    }
    if head.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable_frame(head) {
        return Format::Compressed(Compression::Zstd);
    }
    if is_bzip2(head) {
        return Format::Compressed(Compression::Bzip2);
    }
    if is_tar(head) {
        return Format::Tar;
    }
    FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)).map_or(Format::Plain, |(_, what)| Format::Foreign(what))
}

/// A zstd skippable frame (RFC 8878 3.1.2), which pzstd writes first.
fn is_skippable_frame(head: &[u8]) -> bool {
    head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18]
}

/// `BZh`, a level, and the mark of a block or of the end of the stream.
fn is_bzip2(head: &[u8]) -> bool {
    head.len() >= 10
        && head.starts_with(b"BZh")
        && head[3].is_ascii_digit()
        && (head[4..10] == [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] || head[4..10] == [0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
}

/// A block whose checksum is right: older dialects of tar have no magic number.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..HEAD) else { return false };
    let header = tar::Header::from_byte_slice(block);
    let sum: u32 = block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    block[0] != 0 && header.cksum().is_ok_and(|stated| stated == sum)
}

/// Lines of the head that are looked at: comments, warnings and a command may stand before a document.
const LINES: usize = 60;

/// Whether a text makes sense as a whole only, as far as its first lines tell: YAML, JSON over several lines, a table, a
/// `describe` text, a session of commands, UTF-16. A line of a log, JSON or not, makes sense alone.
pub(super) fn begins_document(text: &[u8]) -> bool {
    const MARKS: &[&[u8]] = &[
        b"apiVersion:",
        b"kind:",
        b"items:",
        b"metadata:",
        b"- apiVersion:",
        b"- kind:",
        b"- metadata:",
        b"Name: ",
        b"NAME ",
        b"NAMESPACE ",
        b"LAST SEEN ",
        b">>> ",
        b"$ kubectl ",
        b"```",
    ];
    let is_wide = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || text.iter().take(HEAD).any(|b| *b == 0);
    let opens_json = |line: &[u8]| match line.first() {
        Some(b'{') => !line.ends_with(b"}"),
        Some(b'[') => line.len() == 1 || matches!(line[1], b'{' | b'[' | b'"') && !line.ends_with(b"]"),
        _ => false,
    };
    let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()).take(LINES);
    let first_opens = lines.clone().next().is_some_and(opens_json);
    is_wide || first_opens || lines.any(|line| matches!(line, b"{" | b"[") || MARKS.iter().any(|mark| line.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_plain() {
        assert_eq!(sniff(b"apiVersion: v1\n"), Format::Plain);
        assert_eq!(sniff(b""), Format::Plain);
        assert_eq!(sniff(b"BZh9 is how bzip2 starts"), Format::Plain);
        assert_eq!(sniff(&[b' '; 512]), Format::Plain);
    }

    #[test]
    fn documents_are_told_from_logs() {
        for text in ["# x\nkind: Pod\n", "{\n \"kind\"", "[{\"a\":\n", "{\"items\":[{", "Name:   web\n", "NAME   READY\n"] {
            assert!(begins_document(text.as_bytes()), "{text}");
        }
        for text in ["2026-01-02 kind: x\n", "{\"msg\":\"x\"}\n{\"msg\"", "[INFO] x\n", ""] {
            assert!(!begins_document(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn containers_are_told_from_content() {
        assert_eq!(sniff(b"\x1f\x8b\x08\0"), Format::Compressed(Compression::Gzip));
        assert_eq!(sniff(b"PK\x03\x04\x14\0"), Format::Zip);
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n\0"), Format::Foreign("a PNG image"));
        let mut header = tar::Header::new_old();
        header.set_path("a").unwrap();
        header.set_size(0);
        header.set_cksum();
        assert_eq!(sniff(header.as_bytes()), Format::Tar);
    }
}
