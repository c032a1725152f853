//! Entries → documents. A decoder never judges and never fails: what it cannot read is a [`Problem`], what it can is used.

use std::sync::Arc;

use jiff::Timestamp;

use crate::bundle::Entry;
use crate::location::{Location, Problem};

mod event;
pub mod log;
mod resource;
mod tape;

pub use event::Event;
pub use log::{Hit, Level, Log, LogLine, LogSource, Pattern, PatternError, Patterns};
pub use resource::{Origin, Ref, Resource};
pub use tape::{Tag, Tape, TapeBuilder, Value};

/// One thing read from a bundle.
#[derive(Debug)]
pub enum Document {
    /// An object of the API, from YAML, JSON, a `describe` text or a table row.
    Resource(Resource),
    /// An event.
    Event(Event),
    /// A log file, or the part of one that belongs to one container.
    Log(Log),
    /// The state of a systemd unit of a node, and its journal's last lines.
    NodeService(NodeService),
    /// A monitoring alert, or an anomaly a monitoring tool reports.
    Alert(Alert),
    /// A time series.
    Metric(Metric),
    /// The version of a component.
    Version(Version),
    /// A remark about the collection: an API error where data was expected, the collector's own words.
    Note(Note),
}

/// A systemd unit of a node (`kubelet`, `containerd`, `kube-proxy` …), as `systemctl status` or a journal shows it.
#[derive(Debug, Clone)]
pub struct NodeService {
    /// The node, when path or content tell.
    pub node: Option<String>,
    /// `kubelet`, without `.service`.
    pub unit: String,
    /// `active`, `inactive`, `failed`, `activating`, `not-found`; empty when only journal lines are there.
    pub active: String,
    /// `running`, `dead`, `exited`, `auto-restart` …
    pub sub: String,
    /// Since when it is in that state.
    pub since: Option<Timestamp>,
    /// The line that states it.
    pub location: Location,
    /// Journal lines.
    pub lines: Vec<LogLine>,
}

/// A monitoring alert.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Its name, or its category.
    pub name: String,
    /// The kind of what it is about (`Service`, `Pod`, `Node` …), or empty.
    pub subject_kind: String,
    /// Namespace of what it is about.
    pub subject_namespace: Option<String>,
    /// The name of what it is about.
    pub subject: String,
    /// What it says.
    pub what: String,
    /// When it began.
    pub at: Option<Timestamp>,
    /// Where it stands.
    pub location: Location,
}

/// One time series.
#[derive(Debug, Clone)]
pub struct Metric {
    /// What was measured: a workload, pod, service or node by name.
    pub subject: String,
    /// The metric: `p90latency`, `cpu`, `success_rate` …
    pub name: String,
    /// Samples in order of time: (stamp, value). Missing samples are left out.
    pub samples: Vec<(Option<Timestamp>, f64)>,
    /// Where it stands.
    pub location: Location,
}

/// The version of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// `kubernetes`, or the component's own name.
    pub component: String,
    /// `1.30.6`, without a leading `v`.
    pub version: String,
    /// Where it stands.
    pub location: Location,
}

/// A remark about the collection.
#[derive(Debug, Clone)]
pub struct Note {
    /// The remark, cut at a stated length.
    pub text: String,
    /// Where it stands.
    pub location: Location,
}

/// What one entry gave.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The documents, in order of the file.
    pub documents: Vec<Document>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// What decoding needs to know beside the bytes.
#[derive(Debug)]
pub struct Decoder {
    /// What logs are searched for.
    pub patterns: Arc<Patterns>,
}

impl Decoder {
    /// Reads one entry, telling by its content what it is.
    pub fn decode(&self, entry: &Entry) -> Decoded {
        let _ = entry;
        Decoded::default()
    }
}
