//! Where in a bundle something stands: a path and a line.

use std::fmt;
use std::sync::Arc;

/// A place in a bundle. Prints as `path:line`, or `path` when the line is unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Path inside the bundle, with `/` between its parts; an archive inside an archive is `outer.zip/inner.log`.
    pub path: Arc<str>,
    /// 1-based line; `None` when the whole file is meant.
    pub line: Option<u32>,
}

impl Location {
    /// The line `line` (1-based) of the file `path`.
    pub fn line(path: &Arc<str>, line: u32) -> Self {
        Self { path: Arc::clone(path), line: Some(line) }
    }

    /// The file `path` as a whole.
    pub fn file(path: &Arc<str>) -> Self {
        Self { path: Arc::clone(path), line: None }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path),
            None => f.write_str(&self.path),
        }
    }
}

/// Something of the input that could not be read, or not wholly; what was readable around it is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, and the line where the reading broke, if it is known.
    pub location: Location,
    /// One sentence without a full stop: what is wrong and what was done.
    pub what: String,
}

impl Problem {
    /// A problem at `location`.
    pub fn new(location: Location, what: impl Into<String>) -> Self {
        Self { location, what: what.into() }
    }
}
