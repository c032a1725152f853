//! Paths, bytes or standard input → a stream of entries. What a container is, is told from its content, never from its name;
//! containers inside containers are opened in passing. Nothing is ever written to disk, and [`Limits`] are enforced here.
//!
//! An input that is broken, hostile or too large never ends the reading of the rest: it becomes a [`Problem`] of the
//! [`Summary`], and what was readable of it becomes entries.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::location::Problem;

mod codec;
mod compressed;
mod copy;
mod cut;
mod layout;
mod limits;
mod name;
mod sniff;
mod source;
mod tar;
mod walk;
mod zip;

pub use copy::{Copied, CopyError, MaskedAt, redact_copy};
pub use cut::Cut;
pub use limits::Limits;

use limits::Budget;
use sniff::Format;
use source::Passed;
use walk::{Place, Visit, Walk};

/// One file of a bundle, or a part of a large one.
///
/// A file of up to [`Limits::chunk`] bytes is one entry, and so is a document (YAML, JSON, a table, a `describe` text) of up to
/// [`Limits::document`]. A larger log arrives as several, one directly after the other, cut at line ends (at any byte where a
/// line exceeds 64 MiB): joined in order they are the file. So does one of more than 1 MiB of which [`Entry::cut`] tells
/// where it may be cut. Each is understood without the others; [`Entry::first_line`] gives its lines their numbers.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Path inside the bundle, `/` between the parts, never absolute, never with `..`. A file inside a nested archive is
    /// `outer.zip/inner.log`; a compressed file keeps its suffix: `kubelet.log.gz`, see [`Entry::name`].
    pub path: Arc<str>,
    /// Its content, decompressed.
    pub bytes: Vec<u8>,
    /// 0-based number of this part of the file.
    pub chunk: u32,
    /// 1-based number of the line that `bytes` starts with.
    pub first_line: u32,
    /// No part of the file follows.
    pub is_last: bool,
    /// Where the file was cut.
    pub cut: Cut,
    /// An earlier entry had this path. As with tar, the last one counts: what was read from the earlier one is void.
    pub replaces: bool,
}

impl Entry {
    /// A file that is one entry.
    pub fn whole(path: impl Into<Arc<str>>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), bytes, chunk: 0, first_line: 1, is_last: true, cut: Cut::Whole, replaces: false }
    }

    /// The path without the suffix of a compression that was undone: `kubelet.log` for `kubelet.log.gz`.
    pub fn name(&self) -> &str {
        const SUFFIXES: [&str; 5] = [".gz", ".zst", ".xz", ".bz2", ".lz4"];
        SUFFIXES.iter().find_map(|suffix| self.path.strip_suffix(suffix)).unwrap_or(&self.path)
    }
}

/// Where a bundle is read from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file (archive, compressed or plain) or a directory.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// Bytes in memory, with a name to call them by.
    Bytes {
        /// The name.
        name: String,
        /// The content.
        bytes: Vec<u8>,
    },
}

impl Source {
    /// Name of the input: the file or directory name, or `stdin`.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => {
                let full = if path.file_name().is_some() { None } else { fs::canonicalize(path).ok() };
                let name = full.as_deref().unwrap_or(path).file_name();
                name.map_or_else(|| "bundle".to_owned(), |name| name.to_string_lossy().into_owned())
            }
            Self::Stdin => "stdin".to_owned(),
            Self::Bytes { name, .. } => name.clone(),
        }
    }
}

/// What is known of a bundle after it was read.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Name of the input; of several, joined by ` + `.
    pub name: String,
    /// SHA-256 of the input's bytes, in hex; of a directory, of its files' names and contents; of several inputs, of theirs.
    pub sha256: String,
    /// Bytes read.
    pub bytes_packed: u64,
    /// Bytes after unpacking.
    pub bytes_unpacked: u64,
    /// Files, those of no use (images and the like) included.
    pub files: u64,
    /// Which tool made it: `must-gather`, `prow + sonobuoy`; `kubectl` for loose files, else `generic`.
    pub layout: String,
    /// Paths of all files, sorted.
    pub paths: Vec<Arc<str>>,
    /// What could not be read, sorted. An empty path means the bundle as a whole.
    pub problems: Vec<Problem>,
}

/// Why an input cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there or may not be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// As the user gave it.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// It holds nothing a diagnosis could use. Here this is told of inputs without a single file; whether the files hold
    /// evidence is known after decoding, and said with the same variant.
    #[error("{path} holds no Kubernetes evidence: expected an archive, a directory, YAML, JSON or logs, found {found}")]
    Useless {
        /// As the user gave it.
        path: String,
        /// What it is.
        found: String,
    },
}

/// Reads one input to its end and gives every file to `sink`: in the order of the archive, of a directory in order of names.
///
/// # Errors
/// When the input is not there, may not be opened, or holds no file at all. A broken input is no error as long as anything
/// of it was readable.
pub fn read(source: &Source, limits: &Limits, sink: &mut dyn FnMut(Entry)) -> Result<Summary, Error> {
    read_all(std::slice::from_ref(source), limits, sink)
}

/// Reads several inputs as one incident, under one set of limits. With more than one, each input's paths start with its
/// name (made distinct by a number where names repeat), so that no path occurs in two of them.
///
/// # Errors
/// As [`read`]. Of several inputs each has to be there; one that holds nothing is a problem as long as another holds something.
pub fn read_all(sources: &[Source], limits: &Limits, mut sink: &mut dyn FnMut(Entry)) -> Result<Summary, Error> {
    visit_all(sources, limits, &mut sink)
}

/// [`read_all`], asking `cut` of every file of more than 1 MiB where it may be cut, by its path and its first MiB.
///
/// # Errors
/// As [`read_all`].
pub fn read_cut(
    sources: &[Source],
    limits: &Limits,
    cut: &dyn Fn(&Arc<str>, &[u8]) -> Cut,
    sink: &mut dyn FnMut(Entry),
) -> Result<Summary, Error> {
    visit_all(sources, limits, &mut Cutting { cut, sink })
}

/// Gives files to a sink, in parts as somebody else says.
struct Cutting<'a> {
    cut: &'a dyn Fn(&Arc<str>, &[u8]) -> Cut,
    sink: &'a mut dyn FnMut(Entry),
}

impl Visit for Cutting<'_> {
    fn entry(&mut self, entry: Entry) {
        (self.sink)(entry);
    }

    fn cut(&mut self, path: &Arc<str>, head: &[u8]) -> Cut {
        (self.cut)(path, head)
    }
}

fn visit_all(sources: &[Source], limits: &Limits, visit: &mut dyn Visit) -> Result<Summary, Error> {
    let budget = Budget::new(limits);
    let mut walk = Walk::new(&budget, visit);
    let mut names: Vec<String> = Vec::new();
    let mut digests = Vec::new();
    let mut bytes_packed = 0;
    let mut useless = None;
    for source in sources {
        let name = distinct(source.name(), &names);
        let inside = if sources.len() > 1 { format!("{name}/") } else { String::new() };
        let place = Place::outermost(&name, &inside);
        let before = budget.unpacked.get();
        let passed = open(&mut walk, &place, source)?;
        if budget.unpacked.get() == before {
            let found = found(&passed, walk.first_problem());
            walk.problem(&name, None, format!("nothing in it can be used: it is {found}"));
            useless.get_or_insert_with(|| Error::Useless { path: given(source), found });
        }
        names.push(name);
        digests.push(passed.sha256.finalize());
        bytes_packed += passed.bytes;
    }
    if let Some(error) = useless.filter(|_| budget.unpacked.get() == 0) {
        return Err(error);
    }
    let found = walk.finish();
    let sha256 = match digests.as_slice() {
        [one] => hex(one),
        several => hex(&several.iter().fold(Sha256::new(), |hash, digest| hash.chain_update(digest)).finalize()),
    };
    Ok(Summary {
        name: names.join(" + "),
        sha256,
        bytes_packed,
        bytes_unpacked: budget.unpacked.get(),
        files: found.paths.len() as u64,
        layout: layout::layout(&found.paths, &found.layouts),
        paths: found.paths,
        problems: found.problems,
    })
}

fn open(walk: &mut Walk<'_>, place: &Place, source: &Source) -> Result<Passed, Error> {
    let unreadable = |error: io::Error| Error::Unreadable { path: given(source), reason: reason(&error) };
    match source {
        Source::Path(path) if path.is_dir() => source::directory(walk, place, path).map_err(unreadable),
        Source::Path(path) => Ok(source::file(walk, place, File::open(path).map_err(unreadable)?)),
        Source::Stdin => Ok(source::stream(walk, place, io::stdin().lock(), None)),
        Source::Bytes { bytes, .. } => Ok(source::stream(walk, place, bytes.as_slice(), Some(bytes.len() as u64))),
    }
}

/// The input as the user gave it.
fn given(source: &Source) -> String {
    match source {
        Source::Path(path) => path.display().to_string(),
        Source::Stdin => "standard input".to_owned(),
        Source::Bytes { name, .. } => name.clone(),
    }
}

/// The system's words, without the number Rust appends.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// What an input without a single entry is.
fn found(passed: &Passed, problem: Option<&Problem>) -> String {
    match (passed.format, problem) {
        (None, _) => "a directory without files".to_owned(),
        (Some(_), _) if passed.bytes == 0 => "an empty file".to_owned(),
        (Some(Format::Foreign(what)), None) => what.to_owned(),
        (Some(format), None) => format!("{} without files", format.describe()),
        (Some(format), Some(problem)) => format!("{} ({})", format.describe(), problem.what),
    }
}

/// `name`, with a number when it is taken.
fn distinct(name: String, taken: &[String]) -> String {
    if !taken.contains(&name) {
        return name;
    }
    (2..).map(|n| format!("{name}-{n}")).find(|name| !taken.contains(name)).expect("the numbers do not end")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
