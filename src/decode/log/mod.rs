//! Log files, kept as what matters of them: first and last lines, lines that match a pattern with their neighbours, and
//! counters. The text itself passes by and is gone, so a gigabyte of log costs what its hits cost.

use std::sync::Arc;

use jiff::Timestamp;

use crate::location::Location;

mod excerpt;
mod file;
mod hits;
mod join;
mod json;
mod level;
mod patterns;
mod scan;
mod search;
mod source;
mod split;
mod template;
mod wrap;

pub use patterns::{Pattern, PatternError, Patterns};
pub use scan::scan;
pub use template::Template;

pub(in crate::decode) use excerpt::excerpts;
pub(in crate::decode) use file::{decode, is_named_log, is_one};
pub(in crate::decode) use json::fields as json_fields;
pub(in crate::decode) use level::of_line as level_of;
pub(in crate::decode) use wrap::unescaped;

/// How bad a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Trace and debug.
    Debug,
    /// Info, notice.
    Info,
    /// Warning.
    Warning,
    /// Error.
    Error,
    /// Fatal, panic, critical.
    Fatal,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// 1-based.
    pub line: u32,
    /// The stamp the line carries.
    pub at: Option<Timestamp>,
    /// The level the line carries.
    pub level: Option<Level>,
    /// The line without its end, cut at a stated length.
    pub text: String,
}

/// A line that matches a pattern.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Index of the pattern in the [`Patterns`] the log was scanned with.
    pub pattern: u32,
    /// The line.
    pub line: LogLine,
    /// Lines before and after, for the report.
    pub before: Vec<String>,
    /// See `before`.
    pub after: Vec<String>,
}

/// Where a log comes from, as far as path or content tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LogSource {
    /// Namespace of the pod.
    pub namespace: Option<String>,
    /// The pod, or the best name there was: a workload's name when the file is named after it.
    pub pod: Option<String>,
    /// The container.
    pub container: Option<String>,
    /// The log of the container's previous run.
    pub previous: bool,
    /// The node, when the log is not a container's but a systemd unit's or the kernel's.
    pub node: Option<String>,
    /// That unit: `kubelet`, `containerd`, `kernel` …
    pub unit: Option<String>,
}

/// What is kept of one log.
#[derive(Debug, Clone)]
pub struct Log {
    /// The file.
    pub path: Arc<str>,
    /// Whose log it is.
    pub source: LogSource,
    /// The first lines.
    pub head: Vec<LogLine>,
    /// The last lines; together with `head` the whole of a short log.
    pub tail: Vec<LogLine>,
    /// Lines that match a pattern, in order; per pattern the first and the last ones.
    pub hits: Vec<Hit>,
    /// How often each pattern matched: (pattern, count), by pattern.
    pub counts: Vec<(u32, u32)>,
    /// What lines at warning or above say, in order of their first.
    pub templates: Vec<Template>,
    /// Lines in all.
    pub n_lines: u32,
    /// Lines at error or above.
    pub n_errors: u32,
    /// The first stamp in the log.
    pub first: Option<Timestamp>,
    /// The last stamp in the log.
    pub last: Option<Timestamp>,
}

impl Log {
    /// A log of which nothing was read yet.
    fn empty(path: &Arc<str>, source: LogSource) -> Self {
        Self {
            path: Arc::clone(path),
            source,
            head: Vec::new(),
            tail: Vec::new(),
            hits: Vec::new(),
            counts: Vec::new(),
            templates: Vec::new(),
            n_lines: 0,
            n_errors: 0,
            first: None,
            last: None,
        }
    }

    /// Takes the first and the last stamp from the lines that are kept.
    fn date(&mut self) {
        let lines = || self.head.iter().chain(self.hits.iter().map(|h| &h.line)).chain(&self.tail);
        self.first = lines().find_map(|l| l.at);
        self.last = lines().rev().find_map(|l| l.at);
    }

    /// How often `pattern` matched.
    pub fn count(&self, pattern: u32) -> u32 {
        self.counts.iter().find(|(p, _)| *p == pattern).map_or(0, |(_, n)| *n)
    }

    /// The place of a line of this log.
    pub fn location(&self, line: &LogLine) -> Location {
        Location::line(&self.path, line.line)
    }
}
