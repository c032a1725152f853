//! The shape of a rules file.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Expression;
use crate::regexp::Regexp;

/// A whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) cause: Vec<Cause>,
    #[serde(default)]
    pub(super) signal: Vec<Signal>,
}

/// A named pattern over log lines that detectors ask for (`cluster.hits("listening-on")`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Kebab-case name.
    pub id: String,
    /// Regular expression with named captures. It must require a literal text of at least three characters.
    pub regex: Regexp,
}

/// One cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Kebab-case, stable; the vocabulary of the JSON report.
    pub id: String,
    /// Former names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The version that brought it.
    #[serde(default)]
    pub since: Option<String>,
    /// One line, minijinja over the finding's facts: names the object and the fault.
    pub title: String,
    /// How bad it is where it is true.
    pub severity: Severity,
    /// Where in the order of explanation it stands: of two causes that explain each other's symptoms the lower layer wins.
    pub layer: Layer,
    /// The function of `src/detect/` that computes it, when signs do not suffice.
    #[serde(default)]
    pub detector: Option<String>,
    /// Other causes this one leads to: when both are found and related, they are its consequences.
    #[serde(default)]
    pub explains: Vec<String>,
    /// Whether it may be named as the root cause.
    #[serde(default)]
    pub standing: Standing,
    /// Two or three sentences, minijinja: what happened and why it hurts.
    pub because: String,
    /// When this fires wrongly.
    #[serde(default)]
    pub false_positives: Option<String>,
    /// `https://` links to the documentation of the mechanism.
    #[serde(default)]
    pub docs: Vec<String>,
    /// Facts its templates may use beside the standard ones; a detector promises them, signs' captures give them.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Ways to see it.
    #[serde(default, rename = "sign")]
    pub signs: Vec<Sign>,
    /// How it is mended.
    pub fix: Fix,
}

/// One way to see a cause: a condition on one object, one event, one log line or one node service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// A kind (`Pod`, `EphemeralRunner`), or `container`, `event`, `log`, `node-service`, `alert`.
    pub on: String,
    /// Conditions on fields by dotted path, all of which must hold; paths as for `field`. Of containers: fields of their
    /// status, `spec.…` of their spec, and `reason`, `message` and `exitCode` of their present or last state; of events: `reason`, `message`,
    /// `type`, `source`, `count`, `container`, `regarding.kind`, `regarding.name`, `regarding.namespace`,
    /// `regarding.fieldPath`; of logs: `container`, `pod`, `namespace`, `path`, `line`; of node services: `unit`, `active`,
    /// `sub`, `node`, `lines` (any line); of alerts: `name`, `what`, `subject`, `subject.kind`, `subject.namespace`.
    #[serde(default, rename = "where")]
    pub conditions: IndexMap<String, Condition>,
    /// CEL over `object`, only where field conditions cannot say it.
    #[serde(default)]
    pub when: Option<Expression>,
    /// Regular expression with named captures, which become facts: over the event's message, the log line, or `field`.
    /// When it does not match, the sign is not there.
    #[serde(default)]
    pub take: Option<Regexp>,
    /// The field that `take` reads, when it is another: of objects `status.message` when not given. `[*]` is any item of a
    /// sequence (of those that satisfy the `any` condition on it, when there is one), `[Ready]` the one of that type or name.
    #[serde(default)]
    pub field: Option<String>,
    /// More facts: name → field.
    #[serde(default)]
    pub get: IndexMap<String, String>,
    /// Which object is to blame.
    #[serde(default)]
    pub culprit: Culprit,
    /// What the sign is worth.
    #[serde(default)]
    pub strength: Strength,
    /// What it proves, minijinja.
    pub says: String,
}

impl Sign {
    /// Names of the facts it gives: its captures and what it gets.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        let captures = self.take.iter().flat_map(Regexp::captures);
        captures.chain(self.get.keys().map(String::as_str))
    }
}

/// A condition on a field: a plain value it must equal, or tests that must all hold.
#[derive(Debug, Clone)]
pub enum Condition {
    /// `"status.phase" = "Failed"`
    Equals(toml::Value),
    /// `"status.message" = { contains = "is invalid" }`
    Test(Box<Test>),
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConditionVisitor)
    }
}

/// A table is tests, anything else a value; told apart here so that a misspelt test is an error with its place.
struct ConditionVisitor;

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = Condition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a table of tests such as { contains = \"…\" }")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Condition, E> {
        Ok(Condition::Equals(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Condition, E> {
        Ok(Condition::Equals(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Condition, E> {
        i64::try_from(value).map(|value| Condition::Equals(value.into())).map_err(E::custom)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Condition, E> {
        Ok(Condition::Equals(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Condition, E> {
        Ok(Condition::Equals(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Condition, A::Error> {
        Vec::<toml::Value>::deserialize(SeqAccessDeserializer::new(items)).map(|v| Condition::Equals(v.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, tests: A) -> Result<Condition, A::Error> {
        Test::deserialize(MapAccessDeserializer::new(tests)).map(|test| Condition::Test(Box::new(test)))
    }
}

/// Tests on a field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Its text holds this.
    pub contains: Option<String>,
    /// Its text matches this expression.
    pub matches: Option<Regexp>,
    /// It is one of these.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<toml::Value>>,
    /// It is not this.
    pub not: Option<toml::Value>,
    /// It is there (`true`) or not (`false`).
    pub exists: Option<bool>,
    /// It is a number above this.
    pub above: Option<f64>,
    /// It is a number below this.
    pub below: Option<f64>,
    /// Some item of the sequence satisfies these conditions.
    pub any: Option<IndexMap<String, Condition>>,
}

/// Which object a sign blames.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Culprit {
    /// The top of the owner chain: the object a person changes.
    #[default]
    TopOwner,
    /// The object itself (or the one the event is about, or the pod that logs).
    Itself,
    /// The node it runs on.
    Node,
    /// Its namespace.
    Namespace,
    /// Another object, by minijinja over the facts: `{ object = "ConfigMap/{{ ns }}/{{ configmap }}" }`; `-` for no
    /// namespace. `ns`, `name` and `kind` are here those of the object the sign is seen on.
    Object(String),
}

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Untidy, hurts nothing.
    Info,
    /// Hurts a little or soon.
    Warning,
    /// Something does not work.
    Error,
    /// Something vital does not work.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        })
    }
}

/// How much a cause explains by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It says why something hurts.
    #[default]
    Cause,
    /// It mostly has a cause of its own (`helm-hook-failed`): named only where nothing else is found.
    LastResort,
    /// It says what hurts and not why (`rollout-stuck`): never the root cause.
    Symptom,
}

/// The order of explanation, the deepest layer first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// etcd, API server, scheduler, controller-manager.
    ControlPlane,
    /// kubelet, runtime, CNI, disk, kernel.
    Node,
    /// Quota, webhooks, Pod Security, validation.
    Admission,
    /// No node fits.
    Scheduling,
    /// Claims, volumes, mounts.
    Storage,
    /// Image pulls.
    Image,
    /// The container cannot be created or started.
    Container,
    /// The process dies or does not work.
    Process,
    /// Probes judge it.
    Probe,
    /// Controllers: replicas, rollouts, schedules, autoscaling.
    Controller,
    /// Services, ingress, DNS, policies.
    Network,
    /// Other programs it depends on.
    Dependency,
    /// Helm, GitOps, operators, cloud.
    Delivery,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ControlPlane => "control-plane",
            Self::Node => "node",
            Self::Admission => "admission",
            Self::Scheduling => "scheduling",
            Self::Storage => "storage",
            Self::Image => "image",
            Self::Container => "container",
            Self::Process => "process",
            Self::Probe => "probe",
            Self::Controller => "controller",
            Self::Network => "network",
            Self::Dependency => "dependency",
            Self::Delivery => "delivery",
        })
    }
}

/// What a piece of evidence is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Consistent with the cause.
    Hint,
    /// A component says so.
    #[default]
    Statement,
    /// Computed, or the API server's own refusal.
    Proof,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hint => "hint",
            Self::Statement => "statement",
            Self::Proof => "proof",
        })
    }
}

/// How a cause is mended; every text is minijinja over the finding's facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// One or two sentences.
    pub summary: String,
    /// Steps in order.
    #[serde(default)]
    pub steps: Vec<String>,
    /// Commands that mend it.
    #[serde(default)]
    pub commands: Vec<String>,
    /// A change of an object.
    #[serde(default)]
    pub patch: Option<PatchTemplate>,
    /// Commands that show whether it worked.
    #[serde(default)]
    pub verify: Vec<String>,
    /// How not to get there again.
    #[serde(default)]
    pub prevent: Vec<String>,
    /// PrometheusRule YAML over metrics that exist.
    #[serde(default)]
    pub alerts: Vec<String>,
    /// Advice that does harm, and why.
    #[serde(default)]
    pub avoid: Vec<String>,
}

/// A patch of the culprit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchTemplate {
    /// How it is applied.
    #[serde(rename = "type")]
    pub kind: PatchKind,
    /// The patch, minijinja; when it renders to nothing there is none for this finding.
    pub yaml: String,
    /// Another object than the culprit: `Kind/namespace/name`, minijinja.
    #[serde(default)]
    pub target: Option<String>,
}

/// Kubernetes' patch types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchKind {
    /// RFC 7386.
    Merge,
    /// RFC 6902.
    Json,
    /// Strategic merge: lists of named items merge by name.
    Strategic,
}

impl fmt::Display for PatchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Merge => "merge",
            Self::Json => "json",
            Self::Strategic => "strategic",
        })
    }
}
