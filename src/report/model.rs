//! `coroner.report/v1`: the public JSON, in structs of its own, frozen. Internal types may change, these may not.

use serde::{Deserialize, Serialize};

/// The whole report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// `coroner.report/v1`
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// What it was made of.
    pub bundle: Bundle,
    /// `root-cause`, `healthy` or `inconclusive`.
    pub verdict: String,
    /// The first finding, when the verdict is `root-cause`.
    pub root_cause: Option<Finding>,
    /// Ranked, the root cause first; contributing and independent ones after.
    pub findings: Vec<Finding>,
    /// Where it hurts.
    pub symptoms: Vec<Symptom>,
    /// What happened when.
    pub timeline: Vec<Moment>,
    /// Frequent and novel log lines.
    pub log_patterns: Vec<LogPattern>,
    /// What the bundle holds.
    pub inventory: Vec<Stock>,
}

/// The program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// `coroner`
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bundle {
    /// File or directory name.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// The recognised layout.
    pub layout: String,
    /// Bytes read.
    pub bytes_packed: u64,
    /// Bytes after unpacking.
    pub bytes_unpacked: u64,
    /// Files.
    pub files: u64,
    /// When it was collected, RFC 3339.
    pub collected_at: Option<String>,
    /// `1.27.16`
    pub kubernetes_version: Option<String>,
    /// Versions of other components.
    pub components: Vec<Component>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What is not there.
    pub blind_spots: Vec<BlindSpot>,
    /// Values masked in this report; 0 with `--show-secrets`.
    pub redacted: u64,
}

/// A component's version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Something unreadable, truncated or refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// 1-based.
    pub line: Option<u32>,
    /// What is wrong.
    pub what: String,
}

/// Something the bundle does not show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BlindSpot {
    /// What is not there.
    pub what: String,
    /// What it would decide.
    pub why_it_matters: String,
    /// A command.
    pub collect: String,
}

/// A cause found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// The cause id of the catalogue.
    pub id: String,
    /// One line.
    pub title: String,
    /// Two or three sentences.
    pub summary: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// `root-cause`, `contributing`, `consequence` or `independent`.
    pub role: String,
    /// 0 to 1.
    pub confidence: f64,
    /// One line per signal.
    pub confidence_why: Vec<String>,
    /// What has to be changed.
    pub resource: Ref,
    /// What suffers.
    pub affected: Vec<Ref>,
    /// Cause first, symptom last.
    pub chain: Vec<Link>,
    /// Why it is believed.
    pub evidence: Vec<Evidence>,
    /// How it is mended.
    pub fix: Fix,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ref {
    /// `apps/v1`, or empty when unknown.
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Null for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// A step from cause to symptom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// The object.
    pub resource: Ref,
    /// What happens to it.
    pub what: String,
    /// Indexes into `evidence`.
    pub evidence: Vec<usize>,
}

/// A place that speaks for the finding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    /// Where.
    pub location: Location,
    /// `spec`, `status`, `condition`, `event`, `log` or `file`.
    pub kind: String,
    /// `proof`, `statement` or `hint`.
    pub strength: String,
    /// The text there. When `context` is given, as it stands in the file, indentation included.
    pub excerpt: String,
    /// What it proves.
    pub says: String,
    /// The lines around it, when they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Surroundings>,
}

/// Lines of a file next to an excerpt, as they stand there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// The lines before it.
    pub before: Vec<String>,
    /// The lines after it.
    pub after: Vec<String>,
}

/// A place in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Path in the bundle.
    pub path: String,
    /// 1-based.
    pub line: Option<u32>,
}

/// How it is mended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Fix {
    /// One or two sentences.
    pub summary: String,
    /// In order.
    pub steps: Vec<String>,
    /// `kubectl …`
    pub commands: Vec<String>,
    /// Changes of objects.
    pub patches: Vec<Patch>,
    /// Commands that show whether it worked.
    pub verify: Vec<String>,
    /// How not to get there again.
    pub prevent: Vec<String>,
    /// PrometheusRule YAML.
    pub alerts: Vec<String>,
    /// Known-wrong advice and why.
    pub avoid: Vec<String>,
    /// `https://…`
    pub docs: Vec<String>,
}

/// A change of one object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Patch {
    /// The object.
    pub resource: Ref,
    /// `merge`, `json` or `strategic`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The patch.
    pub yaml: String,
    /// Unified diff of the object.
    pub diff: String,
    /// `cleared`, `not-cleared` or `not-checked`.
    pub verified: String,
}

/// Something that hurts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Symptom {
    /// `s1`
    pub id: String,
    /// The object.
    pub resource: Ref,
    /// `0 of 5 runners have a pod`
    pub what: String,
    /// RFC 3339.
    pub since: Option<String>,
    /// Indexes into `findings`; empty = not explained.
    pub explained_by: Vec<usize>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339.
    pub at: String,
    /// To what.
    pub resource: Option<Ref>,
    /// What.
    pub what: String,
    /// Where it stands.
    pub source: Location,
    /// Index into `findings`.
    pub finding: Option<usize>,
}

/// Log lines that differ in their variable parts only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogPattern {
    /// The line, masked.
    pub template: String,
    /// How often.
    pub count: u64,
    /// `error` …, or null.
    pub level: Option<String>,
    /// RFC 3339.
    pub first: Option<String>,
    /// RFC 3339.
    pub last: Option<String>,
    /// Some places.
    pub sources: Vec<Location>,
    /// It began around the incident.
    pub novel: bool,
}

/// Objects of one kind in one namespace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stock {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: Option<String>,
    /// How many.
    pub count: usize,
    /// How many of them hurt.
    pub unhealthy: usize,
}
