//! The outermost bytes: files, directories and streams, hashed as they pass.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::compressed::BUFFER;
use super::name;
use super::sniff::{Format, HEAD, sniff};
use super::walk::{Place, Walk};
use super::zip;

/// What passed of the outermost bytes.
pub(super) struct Passed {
    pub(super) sha256: Sha256,
    pub(super) bytes: u64,
    pub(super) format: Option<Format>,
}

/// Hashes and counts what is read through it.
struct Hashing<R> {
    inner: R,
    sha256: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.sha256.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Reads a stream to its end, unless a limit ends the reading.
pub(super) fn stream(walk: &mut Walk<'_>, place: &Place, reader: impl Read, stated: Option<u64>) -> Passed {
    let hashing = Hashing { inner: reader, sha256: Sha256::new(), bytes: 0 };
    let mut reader = BufReader::with_capacity(BUFFER, hashing);
    let format = walk.stream(place, &mut reader, stated);
    if !walk.is_over() {
        // What stands behind the end of an archive belongs to the hash. An error here was met before, or matters to nothing.
        let _ = io::copy(&mut reader, &mut io::sink());
    }
    let hashing = reader.into_inner();
    Passed { sha256: hashing.sha256, bytes: hashing.bytes, format: Some(format) }
}

/// Reads an opened file. A zip archive is sought in, and read a second time for its hash.
pub(super) fn file(walk: &mut Walk<'_>, place: &Place, mut file: File) -> Passed {
    let length = file.metadata().ok().filter(fs::Metadata::is_file).map(|m| m.len());
    if length.is_none() || !starts_as_zip(&mut file) {
        return stream(walk, place, file, length);
    }
    let mut hashing = Hashing { inner: file, sha256: Sha256::new(), bytes: 0 };
    let hashed = io::copy(&mut BufReader::with_capacity(BUFFER, &mut hashing), &mut io::sink());
    if let Err(error) = hashed.and_then(|_| hashing.inner.rewind()) {
        walk.broken(&place.path, &error);
    }
    let mut reader = BufReader::with_capacity(BUFFER, hashing.inner);
    walk.inside(place, Format::Zip, |walk| zip::read(walk, place, &mut reader));
    Passed { sha256: hashing.sha256, bytes: hashing.bytes, format: Some(Format::Zip) }
}

/// Looks at a file's first bytes and goes back to its start.
fn starts_as_zip(file: &mut File) -> bool {
    let mut head = Vec::new();
    let read = file.take(HEAD as u64).read_to_end(&mut head);
    read.and_then(|_| file.rewind()).is_ok() && sniff(&head) == Format::Zip
}

/// Reads all files below a directory, in order of their names.
pub(super) fn directory(walk: &mut Walk<'_>, place: &Place, root: &Path) -> io::Result<Passed> {
    let mut passed = Passed { sha256: Sha256::new(), bytes: 0, format: None };
    let mut open = vec![sorted(root)?.into_iter()];
    while let Some(entries) = open.last_mut() {
        let Some(path) = entries.next() else {
            open.pop();
            continue;
        };
        if walk.is_over() {
            break;
        }
        let name = slashed(path.strip_prefix(root).unwrap_or(&path));
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => match sorted(&path) {
                Ok(entries) => open.push(entries.into_iter()),
                Err(error) => walk.member_problem(place, &name, format!("cannot be read: {error}")),
            },
            Ok(meta) if meta.is_symlink() => link(walk, place, root, &path, &name),
            Ok(meta) if meta.is_file() => match File::open(&path) {
                Ok(opened) => {
                    let one = file(walk, &place.beside(&name), opened);
                    passed.sha256.update(name.as_bytes());
                    passed.sha256.update([0]);
                    passed.sha256.update(one.sha256.finalize());
                    passed.bytes += one.bytes;
                }
                Err(error) => walk.member_problem(place, &name, format!("cannot be read: {error}")),
            },
            Ok(_) => walk.special(place, &name),
            Err(error) => walk.member_problem(place, &name, format!("cannot be read: {error}")),
        }
    }
    Ok(passed)
}

/// A link is never followed; one to somewhere inside is an alias of what is read there.
fn link(walk: &mut Walk<'_>, place: &Place, root: &Path, path: &Path, name: &str) {
    match fs::read_link(path) {
        Ok(target) if target.is_absolute() => {
            let inside = target.strip_prefix(root).map(slashed).unwrap_or_else(|_| format!("../{}", slashed(&target)));
            walk.link(place, name, "", &inside);
        }
        Ok(target) => walk.link(place, name, name::parent(name), &slashed(&target)),
        Err(error) => walk.member_problem(place, name, format!("cannot be read: {error}")),
    }
}

fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    Ok(paths)
}

/// The path with `/` between its parts, whatever the system writes.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
