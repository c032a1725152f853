//! coroner names what killed a Kubernetes workload from the evidence left behind.
//!
//! ```text
//! bytes ──► bundle ──► decode ──► cluster ──► detect ──► diagnose ──► report
//!           Entry      Document   Cluster     Finding    Diagnosis    bytes
//! ```
//!
//! Imports run along that line only; [`catalog`] and the leaves ([`location`], [`time`],
//! [`visible`], [`redact`]) stand at the ground. What is deliberately
//! absent:
//!
//! - **No input or output between the two ends.** [`bundle`] reads, the binary writes; all between is pure.
//! - **No failure inside.** Decoders and detectors give what they can and a list of problems; one bad file or one
//!   panicking detector never ends a run.
//! - **No clock and no randomness.** The same input gives the same bytes; "now" is the newest stamp in the bundle.
//! - **No prose in detectors.** They give facts; the catalogue's templates speak.
//! - **No case knowledge.** A rule states a mechanism of Kubernetes, of Actions Runner Controller or of another public
//!   component.

use std::sync::Arc;

pub mod bundle;
pub mod catalog;
pub mod cluster;
pub mod decode;
mod demo;
pub mod detect;
pub mod diagnose;
mod gather;
pub mod language;
pub mod literal;
pub mod location;
pub mod redact;
pub mod regexp;
pub mod report;
pub mod time;
pub mod visible;

use bundle::{Entry, Limits, Source, Summary};
use catalog::Catalog;
use cluster::Cluster;
use decode::{Decoder, Document, Pattern, Patterns};
use report::Report;

/// Settings of an analysis.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the bundle may cost.
    pub limits: Limits,
    /// Bytes kept of the bundle; what does not fit is listed as a problem.
    pub max_memory: Option<u64>,
    /// Threads; all processors when not given.
    pub jobs: Option<usize>,
    /// Look for causes in these namespaces only; empty = everywhere.
    pub namespaces: Vec<String>,
    /// Kubernetes version, when the bundle does not tell.
    pub kubernetes_version: Option<String>,
    /// Do not redact.
    pub show_secrets: bool,
}

impl Options {
    /// The limits of reading. A document is held three times for a moment: as text, as a List and as its items.
    fn limits(&self) -> Limits {
        let most = self.max_memory.map_or(usize::MAX, |bytes| usize::try_from(bytes / 4).unwrap_or(usize::MAX));
        Limits { document: self.limits.document.min(most), ..self.limits.clone() }
    }
}

/// Why an analysis gave no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input cannot be read.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// The rules cannot be used.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
}

/// Diagnoses one incident from one or several inputs.
pub fn analyze(sources: &[Source], catalog: &Catalog, options: &Options) -> Result<Report, Error> {
    analyze_watched(sources, catalog, options, &mut |_| {})
}

/// [`analyze`], telling `tick` of every entry that was unpacked.
pub fn analyze_watched(
    sources: &[Source],
    catalog: &Catalog,
    options: &Options,
    tick: &mut dyn FnMut(&Entry),
) -> Result<Report, Error> {
    let patterns = Arc::new(patterns(catalog)?);
    let decoder = Decoder { patterns: Arc::clone(&patterns) };
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let limits = options.limits();
    let gathered = gather::gather(sources, &limits, &decoder, jobs, options.max_memory, tick)?;
    if !gathered.documents.iter().any(is_evidence) {
        return Err(useless(&gathered.summary).into());
    }
    let mut cluster = Cluster::new(gathered.documents, patterns);
    cluster.told_version.clone_from(&options.kubernetes_version);
    let scope = diagnose::Scope { namespaces: options.namespaces.clone() };
    let diagnosis = diagnose::run(&cluster, catalog, &scope);
    let redactor = redact::Redactor::new(options.show_secrets);
    Ok(Report::new(&gathered.summary, &cluster, gathered.problems, diagnosis, &redactor))
}

/// Diagnoses the bundle built into the binary: the first incident.
pub fn demo(catalog: &Catalog) -> Result<Report, Error> {
    let bytes = demo::bundle().map_err(|e| bundle::Error::Unreadable { path: "demo".to_owned(), reason: e.to_string() })?;
    analyze(&[Source::Bytes { name: "demo".to_owned(), bytes }], catalog, &Options::default())
}

/// Checks a user's rules file against the built-in catalogue; gives the number of causes in it.
pub fn check_rules(path: &str, text: &str) -> Result<usize, Error> {
    Ok(Catalog::built_in()?.extend(path, text, &detect::detector_names())?)
}

/// What logs are searched for: the catalogue's signals and log signs.
fn patterns(catalog: &Catalog) -> Result<Patterns, catalog::Error> {
    let patterns = catalog.patterns().into_iter().map(|(name, regex)| Pattern { name, regex }).collect();
    Patterns::new(patterns).map_err(|e| catalog::Error { message: e.to_string() })
}

fn is_evidence(document: &Document) -> bool {
    !matches!(document, Document::Note(_) | Document::Collected(_))
}

fn useless(summary: &Summary) -> bundle::Error {
    let found = match summary.files {
        0 => "nothing".to_owned(),
        1 => "one file that is none of these".to_owned(),
        n => format!("{n} files that are none of these"),
    };
    bundle::Error::Useless { path: summary.name.clone(), found }
}
