//! Systemd units of nodes, as status texts and journals show them.

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Level, LogLine, NodeService};
use crate::detect::{Evidence, EvidenceKind};
use crate::location::Location;

/// The unit called `name` on a node; on a cluster of one node also when its file does not tell the node.
pub(in crate::detect) fn unit<'a>(cluster: &'a Cluster, node: &str, name: &str) -> Option<&'a NodeService> {
    let alone = cluster.kind("Node").count() <= 1;
    cluster.node_services.iter().find(|s| s.unit == name && s.node.as_deref().map_or(alone, |n| n == node))
}

/// It should run and does not.
pub(in crate::detect) fn is_down(unit: &NodeService) -> bool {
    is_stopped(unit) && (unit.enabled || unit.active != "inactive")
}

/// It does not run, whether or not it is meant to.
pub(super) fn is_stopped(unit: &NodeService) -> bool {
    matches!(unit.active.as_str(), "inactive" | "failed" | "deactivating") || unit.sub.contains("auto-restart")
}

/// What systemd says of it.
pub(in crate::detect) fn evidence(unit: &NodeService, strength: Strength, says: &str) -> Evidence {
    let state = format!("{}: {} ({})", unit.unit, unit.active, unit.sub);
    Evidence::file(unit.location.clone(), state, strength, says).of_kind(EvidenceKind::Status)
}

/// The journal's last line that gives a reason, with its place.
pub(in crate::detect) fn reason(unit: &NodeService) -> Option<(&LogLine, Evidence)> {
    const WORDS: [&str; 9] =
        ["failed to run", "fatal", "panic", "command failed", "unknown flag", "expired", "swap on", "no such file", "cannot"];
    let is_reason = |l: &&LogLine| {
        let text = l.text.to_ascii_lowercase();
        l.level >= Some(Level::Error) && !text.contains("systemd[") || WORDS.iter().any(|w| text.contains(w))
    };
    // Stopped in order: what a program says while it ends is no reason.
    let ordered = unit.lines.iter().rev().find(|l| l.text.contains("systemd[") && l.text.contains(": Stopped "));
    let line = ordered.filter(|_| unit.active == "inactive").or_else(|| unit.lines.iter().rev().find(is_reason))?;
    let at = Location::line(&unit.location.path, line.line);
    let evidence = Evidence::file(at, line.text.clone(), Strength::Statement, "its journal").of_kind(EvidenceKind::Log);
    Some((line, evidence))
}

/// The end of a journal line, without stamps, host and caller.
pub(in crate::detect) fn words(line: &str) -> String {
    const LONGEST: usize = 240;
    let text = line.split_once("]: ").map_or(line, |(_, rest)| rest);
    // klog: `E0301 10:00:00.000000    1514 kubelet.go:1466] "…"`
    let text = text.split_once("] ").filter(|(before, _)| before.contains(".go:")).map_or(text, |(_, rest)| rest);
    text[..text.floor_char_boundary(LONGEST)].trim().to_owned()
}

/// Lines at the end of a journal that tell its present state.
const LATEST: usize = 10;

/// The newest line among the last ones that satisfies `wanted`.
pub(in crate::detect) fn latest(unit: &NodeService, wanted: impl Fn(&str) -> bool) -> Option<&LogLine> {
    unit.lines.iter().rev().take(LATEST).find(|l| wanted(&l.text))
}

/// A line of a unit's journal as evidence.
pub(in crate::detect) fn line_evidence(unit: &NodeService, line: &LogLine, strength: Strength, says: &str) -> Evidence {
    let at = Location::line(&unit.location.path, line.line);
    Evidence::file(at, line.text.clone(), strength, says).of_kind(EvidenceKind::Log)
}

/// The kubelet says that it finds no container runtime.
pub(super) fn misses_runtime(text: &str) -> bool {
    let no_socket = text.contains(".sock") && text.contains("dial unix");
    text.contains("container runtime is down")
        || no_socket && (text.contains("no such file or directory") || text.contains("connection refused"))
}

/// The kubelet, or what it is part of.
pub(in crate::detect) fn is_kubelet(unit: &NodeService) -> bool {
    matches!(unit.unit.as_str(), "kubelet" | "k3s" | "k3s-agent" | "rke2-server" | "rke2-agent")
}
