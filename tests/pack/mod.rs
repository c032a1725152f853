//! Archives built in memory: sound ones by the usual crates, unsound ones byte by byte.
#![allow(dead_code, reason = "each test uses some of these")]
#![allow(clippy::unwrap_used, reason = "writing to memory does not fail")]

use std::io::{self, Cursor, Read, Write};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new(bytes, 1).read_to_end(&mut packed).unwrap();
    packed
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut packed).unwrap();
    packed
}

/// `length` zero bytes, never held unpacked.
pub(crate) fn zeros(length: u64) -> impl Read {
    io::repeat(0).take(length)
}

pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes: Vec<u8> = files.iter().flat_map(|(name, content)| entry(name, b'0', content)).collect();
    bytes.extend([0; 1024]);
    bytes
}

/// A tar entry: header, content, padding.
pub(crate) fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, kind, content.len() as u64, "").to_vec();
    bytes.extend(padded(content));
    bytes
}

/// A tar entry that is a link: `1` hard, `2` symbolic.
pub(crate) fn link(name: &str, kind: u8, target: &str) -> Vec<u8> {
    header(name, kind, 0, target).to_vec()
}

pub(crate) fn header(name: &str, kind: u8, size: u64, target: &str) -> [u8; 512] {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
    header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    *header.as_bytes()
}

pub(crate) fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().next_multiple_of(512), 0);
    bytes
}

/// One record of a pax extended header.
pub(crate) fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    format!("{length}{rest}").into_bytes()
}

pub(crate) fn zip(files: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip(files, zip::CompressionMethod::STORE)
}

/// A member of a zip archive, as its two headers describe it.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) content: &'a [u8],
    pub(crate) packed: Vec<u8>,
}

impl<'a> Member<'a> {
    pub(crate) fn stored(name: &'a str, content: &'a [u8]) -> Self {
        Self { name, method: 0, flags: 0, content, packed: content.to_vec() }
    }

    pub(crate) fn deflated(name: &'a str, content: &'a [u8]) -> Self {
        Self { name, method: 8, flags: 0, content, packed: deflate(content) }
    }

    /// With crc and sizes behind the content, as streams are written.
    pub(crate) fn streamed(self) -> Self {
        Self { flags: self.flags | 8, ..self }
    }

    fn fields(&self, is_stated: bool) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(self.content);
        let fields = [crc.sum(), self.packed.len() as u32, self.content.len() as u32];
        fields.iter().flat_map(|field| if is_stated { *field } else { 0 }.to_le_bytes()).collect()
    }

    /// Local header, content, and the descriptor of a stream.
    pub(crate) fn local(&self) -> Vec<u8> {
        let is_stated = self.flags & 8 == 0;
        let mut bytes = b"PK\x03\x04\x2d\0".to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.fields(is_stated));
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(self.name.as_bytes());
        bytes.extend(&self.packed);
        if !is_stated {
            bytes.extend(b"PK\x07\x08");
            bytes.extend(self.fields(true));
        }
        bytes
    }

    /// The entry of the directory for a local header at `offset`.
    pub(crate) fn central(&self, offset: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02\x2d\x03\x2d\0".to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.fields(true));
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend([0; 12]);
        bytes.extend(offset.to_le_bytes());
        bytes.extend(self.name.as_bytes());
        bytes
    }
}

/// The end of a zip archive whose directory of `count` entries stands at `offset`.
pub(crate) fn directory(entries: &[u8], count: u16, offset: u32) -> Vec<u8> {
    let mut bytes = entries.to_vec();
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend((entries.len() as u32).to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// A whole zip archive of members described by hand.
pub(crate) fn zip_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut central = Vec::new();
    for member in members {
        central.extend(member.central(bytes.len() as u32));
        bytes.extend(member.local());
    }
    let offset = bytes.len() as u32;
    bytes.extend(directory(&central, members.len() as u16, offset));
    bytes
}
