//! What kind of objects a table lists.

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

/// The kind its columns tell.
pub(super) fn kind_of_columns(columns: &Columns<'_>) -> Option<&'static KindName> {
    let (_, kind) = SIGNS.iter().find(|(signs, _)| signs.iter().all(|s| columns.has(s)))?;
    KindName::of(kind)
}

/// The kind the file's name tells, else its directory's.
pub(super) fn kind_of_path(path: &str) -> Option<&'static KindName> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    KindName::in_file_name(file).or_else(|| KindName::of(directory.rsplit('/').next()?))
}

/// `pod/web-0` → `web-0` and its kind; `standard (default)` keeps its mark. Branches of a drawn tree are taken off.
pub(super) fn split_name<'t>(cell: &'t str, kind: Option<&'static KindName>) -> Option<(&'t str, &'static KindName)> {
    let cell = cell.trim_start_matches(['│', '├', '└', '─', ' ', '\u{a0}']);
    let (name, kind) = match cell.split_once('/') {
        Some((prefix, name)) => (name, KindName::of(prefix)?),
        None => (cell, kind?),
    };
    let name = name.split_once(' ').map_or(name, |(name, _)| name);
    (!name.is_empty()).then_some((name, kind))
}
