//! What kind of objects a table lists.

use std::borrow::Cow;

use crate::decode::columns::Columns;
use crate::decode::kind::KindName;

/// Columns that only tables of one kind have, most telling first: all of them must be there.
#[rustfmt::skip]
const SIGNS: &[(&[&str], &str)] = &[
    (&["READY", "STATUS", "RESTARTS"], "Pod"),
    (&["STATUS", "ROLES", "VERSION"], "Node"),
    (&["CLUSTER-IP", "PORT(S)"], "Service"),
    (&["ADDRESSTYPE", "ENDPOINTS"], "EndpointSlice"),
    (&["ENDPOINTS"], "Endpoints"),
    (&["DESIRED", "CURRENT", "NODE SELECTOR"], "DaemonSet"),
    (&["DESIRED", "CURRENT", "READY", "UP-TO-DATE"], "DaemonSet"),
    (&["UP-TO-DATE", "AVAILABLE"], "Deployment"),
    (&["DESIRED", "CURRENT", "READY"], "ReplicaSet"),
    (&["RECLAIM POLICY", "CLAIM"], "PersistentVolume"),
    (&["STATUS", "VOLUME", "CAPACITY"], "PersistentVolumeClaim"),
    (&["PROVISIONER"], "StorageClass"),
    (&["ATTACHER", "PV", "ATTACHED"], "VolumeAttachment"),
    (&["COMPLETIONS", "DURATION"], "Job"),
    (&["SCHEDULE", "SUSPEND", "LAST SCHEDULE"], "CronJob"),
    (&["REFERENCE", "MINPODS", "MAXPODS"], "HorizontalPodAutoscaler"),
    (&["MIN AVAILABLE", "MAX UNAVAILABLE"], "PodDisruptionBudget"),
    (&["HOSTS", "ADDRESS", "PORTS"], "Ingress"),
    (&["POD-SELECTOR"], "NetworkPolicy"),
    (&["VALUE", "GLOBAL-DEFAULT"], "PriorityClass"),
    (&["SERVICE", "AVAILABLE"], "APIService"),
    (&["SIGNERNAME", "REQUESTOR", "CONDITION"], "CertificateSigningRequest"),
    (&["MINIMUM RUNNERS", "MAXIMUM RUNNERS"], "AutoscalingRunnerSet"),
    (&["AUTOSCALINGRUNNERSET NAME"], "AutoscalingListener"),
    (&["DESIREDREPLICAS", "CURRENTREPLICAS"], "EphemeralRunnerSet"),
    (&["GITHUB CONFIG URL", "RUNNERID"], "EphemeralRunner"),
];

/// The line looks like a header: two or more words, all in capitals, `NAME` or an event's columns among them.
pub(super) fn may_be_header(line: &str) -> bool {
    let bytes = line.as_bytes();
    let capital = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b" \t()/-_.%:".contains(b);
    bytes.len() < 4096
        && bytes.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.iter().all(capital)
        && line.trim_end().contains([' ', '\t'])
        && (line.contains("NAME") || line.contains("REASON"))
}

/// What a table lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed<'t> {
    /// `Deployment`; of a kind that is not built in, what kubectl calls it: `certificate`, `certificates`.
    pub(super) kind: Cow<'t, str>,
    /// `apps/v1`, or empty.
    pub(super) api_version: &'static str,
    /// Lives in namespaces, as far as it is known.
    pub(super) namespaced: bool,
}

impl From<&'static KindName> for Listed<'_> {
    fn from(known: &'static KindName) -> Self {
        Self { kind: known.kind.into(), api_version: known.api_version, namespaced: known.namespaced }
    }
}

/// What a table with these columns in this file lists. Columns tell more than a name, but some kinds have no columns of
/// their own.
pub(super) fn listed<'t>(columns: &Columns<'_>, path: &str) -> Option<Listed<'t>> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let of_file = KindName::in_file_name(file);
    let has_columns = |kind: &&KindName| SIGNS.iter().any(|(_, k)| *k == kind.kind);
    let told = of_file.filter(|kind| !has_columns(kind)).or_else(|| kind_of_columns(columns)).or(of_file);
    let told = told.or_else(|| KindName::of(directory.rsplit('/').next()?));
    told.map(Listed::from).or_else(|| foreign(file))
}

fn kind_of_columns(columns: &Columns<'_>) -> Option<&'static KindName> {
    let (_, kind) = SIGNS.iter().find(|(signs, _)| signs.iter().all(|s| columns.has(s)))?;
    KindName::of(kind)
}

/// A kind that is not built in, by its name in a file that one command made: `get-certificates.txt`.
fn foreign<'t>(file: &str) -> Option<Listed<'t>> {
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let mut words = stem.split(['-', '_', ' ']).filter(|w| !matches!(*w, "kubectl" | "oc" | "get" | "wide" | "all"));
    let word = words.next().filter(|w| w.len() > 3 && w.bytes().all(|b| b.is_ascii_lowercase()))?;
    words.next().is_none().then(|| Listed { kind: Cow::Owned(word.to_owned()), api_version: "", namespaced: true })
}

/// The file's name tells that it lists this kind.
pub(super) fn is_named(path: &str, kind: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    KindName::in_file_name(file).is_some_and(|k| k.kind == kind)
}

/// `pod/web-0` → `web-0` and its kind; `standard (default)` keeps its mark. Branches of a drawn tree are taken off.
pub(super) fn split_name<'t>(cell: &'t str, listed: Option<&Listed<'t>>) -> Option<(&'t str, Listed<'t>)> {
    let cell = cell.trim_start_matches(['│', '├', '└', '─', ' ', '\u{a0}']);
    let (name, kind) = match cell.split_once('/') {
        Some((prefix, name)) => (name, of_prefix(prefix)),
        None => (cell, listed?.clone()),
    };
    let name = name.split_once(' ').map_or(name, |(name, _)| name);
    (!name.is_empty()).then_some((name, kind))
}

/// `deployment.apps`, `certificate.cert-manager.io`.
fn of_prefix(prefix: &str) -> Listed<'_> {
    let bare = prefix.split_once('.').map_or(prefix, |(kind, _)| kind);
    let foreign = || Listed { kind: bare.into(), api_version: "", namespaced: true };
    KindName::of(prefix).map_or_else(foreign, Listed::from)
}
