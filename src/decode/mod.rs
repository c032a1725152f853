//! Entries → documents. A decoder never judges and never fails: what it cannot read is a [`Problem`], what it can is used.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::bundle::{Cut, Entry};
use crate::location::{Location, Problem};

mod actions;
mod alerts;
mod collected;
mod columns;
mod command;
mod connectivity;
mod dependencies;
mod describe;
mod draft;
mod event;
mod events;
mod json;
mod kind;
mod kubelet;
pub mod log;
mod metrics;
mod node_service;
mod objects;
mod resource;
mod sections;
mod sniff;
mod table;
mod tape;
mod text;
mod versions;
pub(crate) mod yaml;

pub use event::Event;
pub use log::{Hit, Level, Log, LogLine, LogSource, Pattern, PatternError, Patterns};
pub use resource::{Origin, Ref, Resource};
pub use tape::{Tag, Tape, TapeBuilder, Value};

use command::Command;
use kind::KindName;
use sniff::Shape;

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
    /// A connection that somebody tried.
    Connectivity(Connectivity),
    /// A program that calls another.
    Dependency(Dependency),
    /// The version of a component.
    Version(Version),
    /// All objects of a kind were asked for; those that are not among the resources are not there.
    Collected(Collected),
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
    /// It is meant to run: neither disabled nor masked.
    pub enabled: bool,
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

/// A connection that somebody tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connectivity {
    /// Where to: a name as it was given, such as `web.shop.svc`, `shop/web` or an address.
    pub target: String,
    /// The port.
    pub port: Option<u16>,
    /// The node or pod it was tried from.
    pub from: Option<String>,
    /// A connection was made.
    pub reached: bool,
    /// What the tool said.
    pub says: String,
    /// Where it stands.
    pub location: Location,
}

/// A program that calls another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Name of the service or workload that calls.
    pub caller: String,
    /// Name of what it calls.
    pub callee: String,
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

/// A kind of which all objects were asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Collected {
    /// `Secret`.
    pub kind: String,
    /// Where they were asked for.
    pub within: Within,
    /// The list, table or empty file that shows it.
    pub location: Location,
}

/// Where objects were asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// The whole cluster.
    Cluster,
    /// One namespace.
    Namespace(String),
    /// One namespace that is not told.
    Untold,
}

/// Whether objects of a built-in kind live in namespaces; `None` for kinds that are not built in.
pub fn is_namespaced(kind: &str) -> Option<bool> {
    KindName::of(kind).map(|k| k.namespaced)
}

/// The built-in kind of that name, singular or plural: `Pod` of `pods`.
pub fn kind_called(name: &str) -> Option<&'static str> {
    KindName::of(name).map(|k| k.kind)
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

/// A stretch of one file that is of one kind: the whole file, mostly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// The file.
    pub(crate) path: &'a Arc<str>,
    /// The text, without carriage returns and NUL bytes.
    pub(crate) text: &'a str,
    /// The 1-based line of the file the text starts at.
    pub(crate) line: u32,
    /// What stands above it: the command it is the output of, a heading; empty for a file.
    pub(crate) title: &'a str,
}

impl Part<'_> {
    /// The words it is called by: its title, else its file's path.
    pub(crate) fn name(&self) -> &str {
        if self.title.is_empty() { self.path } else { self.title }
    }

    /// The `n`-th line of the text, from 0, as a place in the file.
    pub(crate) fn location(&self, n: usize) -> Location {
        Location::line(self.path, self.line + n as u32)
    }
}

impl Decoded {
    fn append(&mut self, mut other: Decoded) {
        self.documents.append(&mut other.documents);
        self.problems.append(&mut other.problems);
    }
}

/// Bytes of a remark that are kept.
const REMARK_LENGTH: usize = 2000;

impl Decoder {
    /// Reads one entry, telling by its content what it is.
    pub fn decode(&self, entry: &Entry) -> Decoded {
        if u32::try_from(entry.bytes.len()).is_err() {
            let problem = Problem::new(Location::file(&entry.path), "a part of 4 GiB or more, not read");
            return Decoded { problems: vec![problem], ..Decoded::default() };
        }
        let Some(text) = text::read(&entry.bytes) else {
            let problem = Problem::new(Location::file(&entry.path), "binary content, not read");
            return Decoded { problems: vec![problem], ..Decoded::default() };
        };
        let whole = Part { path: &entry.path, text: &text, line: entry.first_line, title: "" };
        match (entry.chunk, &entry.cut) {
            (0, _) | (_, Cut::Whole) => {}
            (_, Cut::Lines) => return self.decode_log(&whole),
            (_, Cut::Before(_)) => return yaml::decode_items(&whole),
        }
        if let Some(bare) = actions::without_stamps(&text) {
            return self.decode_steps(&whole, &bare);
        }
        let mut out = Decoded::default();
        sections::of(&whole).iter().for_each(|part| self.decode_section(part, &mut out));
        out
    }

    fn decode_section(&self, part: &Part<'_>, out: &mut Decoded) {
        let mut decoded = self.decode_part(part);
        let title = if part.title.is_empty() { command::in_file_name(part.path) } else { Cow::Borrowed(part.title) };
        if let Some(command) = Command::of(&title) {
            command.complete(&mut decoded);
        }
        out.append(decoded);
    }

    /// A log of GitHub Actions, and what its steps printed of a cluster. `bare` is its text without stamps.
    fn decode_steps(&self, whole: &Part<'_>, bare: &str) -> Decoded {
        let mut out = self.decode_log(whole);
        for output in actions::outputs(&Part { text: bare, ..*whole }) {
            let sections = sections::of(&output);
            sections
                .iter()
                .filter(|part| sections::is_structured(part.text))
                .for_each(|part| self.decode_section(part, &mut out));
        }
        out
    }

    /// Where a file that begins with `head` may be cut so that [`Decoder::decode`] can read its parts one by one: a List
    /// between its items, a log between its lines. What is more than one thing is read whole.
    pub fn cut(&self, path: &Arc<str>, head: &[u8]) -> Cut {
        const LOOK: usize = 64 << 10;
        let head = &head[..head.len().min(LOOK)];
        let head = &head[..memchr::memrchr(b'\n', head).map_or(0, |end| end + 1)];
        let Some(Cow::Borrowed(text)) = text::read(head) else { return Cut::Whole };
        let whole = Part { path, text, line: 1, title: "" };
        let [part] = &sections::of(&whole)[..] else { return Cut::Whole };
        if part.text.len() < text.len() {
            return Cut::Whole;
        }
        match sniff::shape(text) {
            Shape::Yaml => yaml::item_start(text).map_or(Cut::Whole, |item| Cut::Before(item.to_owned())),
            Shape::JsonLog | Shape::Text if self.is_one_log(part) => Cut::Lines,
            _ => Cut::Whole,
        }
    }

    fn is_one_log(&self, part: &Part<'_>) -> bool {
        let decoded = self.decode_part(part);
        matches!(&decoded.documents[..], [Document::Log(_)]) && decoded.problems.is_empty() && log::is_one(part.text)
    }

    fn decode_part(&self, part: &Part<'_>) -> Decoded {
        match sniff::shape(part.text) {
            Shape::Empty => Decoded { documents: collected::empty_file(part).into_iter().collect(), problems: Vec::new() },
            Shape::Json => self.or_text(self.decode_json(part), part),
            Shape::Yaml => self.or_text(yaml::decode(part), part),
            Shape::Remark => remarks(part),
            Shape::JsonLog => self.decode_log(part),
            Shape::Text => self.decode_text(part),
        }
    }

    /// Objects, or else log lines that a tool kept as JSON.
    fn decode_json(&self, part: &Part<'_>) -> Decoded {
        const LONGEST: usize = 16 << 20;
        let mut out = json::decode(part);
        if out.documents.is_empty() && part.text.len() > LONGEST {
            let what = "JSON of more than 16 MiB without an object of Kubernetes; not searched for log lines";
            out.problems.push(Problem::new(Location::file(part.path), what));
        } else if out.documents.is_empty() {
            let log = json::first(part).and_then(|tape| log::excerpts(tape.root(), part.path, &self.patterns));
            out.documents.extend(log.map(Document::Log));
        }
        out
    }

    /// What was read as objects, or the text it is after all: a program may print a value, or quote an object, and go on.
    fn or_text(&self, objects: Decoded, part: &Part<'_>) -> Decoded {
        let (is_empty, is_broken) = (objects.documents.is_empty(), !objects.problems.is_empty());
        let is_text = if log::is_named_log(part.path) { is_empty || is_broken } else { is_empty && is_broken };
        if is_text { self.decode_text(part) } else { objects }
    }

    fn decode_text(&self, part: &Part<'_>) -> Decoded {
        let is_log = log::is_named_log(part.path);
        let told = |read: fn(&Arc<str>, u32, &str) -> Vec<Document>| {
            let documents = if is_log { Vec::new() } else { read(part.path, part.line, part.text) };
            (!documents.is_empty()).then_some(Decoded { documents, problems: Vec::new() })
        };
        told(versions::read)
            .or_else(|| told(metrics::read))
            .or_else(|| tables_and_descriptions(part))
            .or_else(|| told(connectivity::read))
            .unwrap_or_else(|| self.decode_log(part))
    }

    fn decode_log(&self, part: &Part<'_>) -> Decoded {
        let is_said = Command::of(part.title).is_some_and(|c| c.runs_in_a_pod());
        let mut documents = log::decode(part, is_said, &self.patterns);
        documents.extend(kubelet::events(part.path, part.line, part.text));
        Decoded { documents, problems: Vec::new() }
    }
}

/// Objects as kubectl prints them for people, when they begin soon: a log may quote them further down.
fn tables_and_descriptions(part: &Part<'_>) -> Option<Decoded> {
    const LINES: usize = 60;
    let begins = |line: &str| table::begins(line) || describe::begins(line);
    if !part.text.lines().take(LINES).any(begins) {
        return None;
    }
    describe::decode(part).or_else(|| table::decode(part))
}

/// What a command said instead of an answer, a note a line.
fn remarks(part: &Part<'_>) -> Decoded {
    let lines = part.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let notes = lines.map(|(n, line)| note(line, part.location(n)));
    let documents = notes.chain(collected::none_found(part)).collect();
    Decoded { documents, problems: Vec::new() }
}

fn note(text: &str, location: Location) -> Document {
    let text = text.trim();
    Document::Note(Note { text: text[..text.floor_char_boundary(REMARK_LENGTH)].to_owned(), location })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Decoded {
        let decoder = Decoder { patterns: Arc::new(Patterns::new(Vec::new()).unwrap()) };
        decoder.decode(&Entry::whole("dir/file", bytes.to_vec()))
    }

    fn resources(decoded: &Decoded) -> Vec<(&str, u32)> {
        let mut found = Vec::new();
        for document in &decoded.documents {
            if let Document::Resource(r) = document {
                found.push((r.name(), r.location().line.unwrap()));
            }
        }
        found
    }

    fn pod(name: &str) -> String {
        format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  uid: u\nspec:\n  containers: []\n")
    }

    fn list(names: &[&str]) -> String {
        let item = |name: &&str| format!("- {}", pod(name).trim_end().replace('\n', "\n  ")) + "\n";
        format!("apiVersion: v1\nitems:\n{}kind: List\n", names.iter().map(item).collect::<String>())
    }

    #[test]
    fn reads_yaml_in_every_arrangement() {
        assert_eq!(resources(&decode(pod("a").as_bytes())), [("a", 1)]);
        assert_eq!(resources(&decode(list(&["a", "b"]).as_bytes())), [("a", 3), ("b", 10)]);
        assert_eq!(resources(&decode([pod("a"), pod("b")].join("---\n").as_bytes())), [("a", 1), ("b", 9)]);
        assert_eq!(resources(&decode([pod("a"), pod("b")].join("").as_bytes())), [("a", 1), ("b", 8)]);
        assert_eq!(resources(&decode(pod("a").replace('\n', "\r\n").as_bytes())), [("a", 1)]);
        assert_eq!(resources(&decode(format!("\u{feff}{}", pod("a")).as_bytes())), [("a", 1)]);
    }

    #[test]
    fn reads_before_and_after_a_broken_item() {
        for broken in ["\tuid: x", "  - : [", "  name: \"b", "garbage", "  uid: @x"] {
            let text = list(&["a", "b", "c"]).replacen("name: b\n    uid: u", &format!("name: b\n  {broken}"), 1);
            let out = decode(text.as_bytes());
            let found = resources(&out);
            assert_eq!((found.first(), found.last()), (Some(&("a", 3)), Some(&("c", 17))), "{broken}");
            let [problem] = &out.problems[..] else { panic!("{broken}: {:?}", out.problems) };
            assert!((10..=17).contains(&problem.location.line.unwrap()), "{broken}: {problem:?}");
        }
    }

    #[test]
    fn reads_up_to_the_end_of_a_cut_file() {
        let whole = list(&["a", "b"]);
        for end in whole.find("spec").unwrap()..whole.len() {
            let out = decode(&whole.as_bytes()[..end]);
            assert_eq!(resources(&out).first(), Some(&("a", 3)), "{}", &whole[..end]);
        }
    }

    #[test]
    fn answers_that_are_no_objects_become_notes() {
        for text in ["No resources found in shop namespace.\n", "Error from server (Forbidden): pods is forbidden\n"] {
            let out = decode(text.as_bytes());
            let [Document::Note(note)] = &out.documents[..] else { panic!("{out:?}") };
            assert_eq!((note.text.as_str(), note.location.line), (text.trim(), Some(1)));
        }
        assert!(decode(b"").documents.is_empty());
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x01\x02\x03\x04\xff\xfe\xfc").problems.len(), 1);
        assert!(matches!(decode(b"2026-01-02T15:04:05Z starting\n").documents[..], [Document::Log(_)]));
    }
}
