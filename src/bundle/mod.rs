//! A path or standard input → a stream of entries. Nothing is ever written to disk; limits are enforced here.

use std::path::PathBuf;
use std::sync::Arc;

use crate::location::Problem;

/// One file of a bundle.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Path inside the bundle, `/` between the parts, never absolute, never with `..`.
    pub path: Arc<str>,
    /// Its content, decompressed.
    pub bytes: Vec<u8>,
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

/// What a bundle may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes unpacked in all.
    pub unpacked: u64,
    /// Bytes unpacked of one file.
    pub file: u64,
    /// Files in all.
    pub files: u64,
    /// Archives inside archives.
    pub depth: u32,
}

/// What is known of a bundle after it was read.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Name of the input as given: the file or directory name.
    pub name: String,
    /// SHA-256 of the input's bytes, in hex; of a directory, of its files' names and contents.
    pub sha256: String,
    /// Bytes read.
    pub bytes_packed: u64,
    /// Bytes after unpacking.
    pub bytes_unpacked: u64,
    /// Files.
    pub files: u64,
    /// Paths of all files, sorted: the layout is recognised from them.
    pub paths: Vec<Arc<str>>,
    /// What could not be read.
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
    /// It holds nothing a diagnosis could use.
    #[error("{path} holds no Kubernetes evidence: expected an archive, a directory, YAML, JSON or logs, found {found}")]
    Useless {
        /// As the user gave it.
        path: String,
        /// What it is.
        found: String,
    },
}
