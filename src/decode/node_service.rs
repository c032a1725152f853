//! Systemd units of nodes: `systemctl status` texts and journals.

use std::sync::Arc;

use jiff::Timestamp;

use super::log::{self, Level, LogLine};
use super::{Document, NodeService, Note};
use crate::location::Location;
use crate::time;

/// Lines kept of a journal's end, and of its warnings and errors.
const TAIL: usize = 40;
/// See [`TAIL`].
const WORST: usize = 40;
/// Units looked for in a journal of everything.
const UNITS: &[&str] = &[
    "kubelet",
    "containerd",
    "dockerd",
    "docker",
    "crio",
    "k3s",
    "k3s-agent",
    "rke2-server",
    "rke2-agent",
    "etcd",
    "kube-apiserver",
    "kube-proxy",
    "kernel",
    "systemd",
];

/// Units and node states in a text of `systemctl status`; `None` when it is no such text.
pub(super) fn status(path: &Arc<str>, first_line: u32, text: &str) -> Option<Vec<Document>> {
    let lines: Vec<(u32, &str)> = (first_line..).zip(text.lines()).collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|i| opens_unit(&lines, *i)).collect();
    let first = *starts.first()?;
    // A status text opens a file, after a preface; a log that quotes one does not.
    if lines[..first].iter().filter(|(_, l)| !l.trim().is_empty()).count() > 8 {
        return None;
    }
    let mut preface = Preface::default();
    lines[..first].iter().for_each(|(_, line)| preface.read(line));
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let units = starts.iter().zip(ends).filter_map(|(start, end)| unit(path, &lines[*start..end], &preface));
    Some(units.collect())
}

/// What stands before the status proper: `Service: kubelet`, `Node: worker-1`.
#[derive(Default)]
struct Preface {
    unit: Option<String>,
    node: Option<String>,
}

impl Preface {
    fn read(&mut self, line: &str) {
        let Some((key, value)) = line.split_once(':') else { return };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "service" | "unit" => self.unit = Some(unit_name(value).to_owned()),
            "node" | "host" | "hostname" | "node name" => self.node = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// `● kubelet.service - kubelet: The Kubernetes Node Agent` with `Loaded:` below, or systemd's word that there is no such unit.
fn opens_unit(lines: &[(u32, &str)], i: usize) -> bool {
    let line = after_label(lines[i].1);
    if line.starts_with("Unit ") && line.trim_end().trim_end_matches('.').ends_with("could not be found") {
        return true;
    }
    let named = line.trim_start_matches(['●', '○', '×', '↻', '*', 'x', ' ']).split(' ').next().unwrap_or("");
    named.ends_with(".service") && lines.get(i + 1).is_some_and(|(_, next)| next.trim_start().starts_with("Loaded:"))
}

/// A line without a label somebody put before it: `Status: ● kubelet.service …`.
fn after_label(line: &str) -> &str {
    line.strip_prefix("Status:").map_or(line, str::trim_start)
}

fn unit_name(text: &str) -> &str {
    text.trim().trim_end_matches(".service")
}

fn unit(path: &Arc<str>, lines: &[(u32, &str)], preface: &Preface) -> Option<Document> {
    let (number, header) = lines[0];
    let header = after_label(header);
    // The journal names its host; a directory may be called after anything, and after the node's full name.
    let of_path = node_of_path(path);
    let host = lines.iter().find_map(|(_, l)| entry(l)).map(|e| e.host);
    let told = of_path.filter(|n| below_nodes(path).is_some() || host.is_none_or(|host| n.starts_with(host)));
    let node = preface.node.clone().or(told).or_else(|| host.map(str::to_owned));
    let mut service = NodeService {
        node,
        unit: String::new(),
        active: String::new(),
        sub: String::new(),
        enabled: true,
        since: None,
        location: Location::line(path, number),
        lines: Vec::new(),
    };
    if let Some(rest) = header.strip_prefix("Unit ") {
        unit_name(rest.split(' ').next()?).clone_into(&mut service.unit);
        "not-found".clone_into(&mut service.active);
        return Some(Document::NodeService(service));
    }
    let named = header.trim_start_matches(['●', '○', '×', '↻', '*', 'x', ' ']).split(' ').next()?;
    unit_name(named).clone_into(&mut service.unit);
    for (number, line) in &lines[1..] {
        service.read(*number, line);
    }
    if service.active.is_empty() {
        let text = lines.iter().take(3).map(|(_, l)| l.trim()).collect::<Vec<_>>().join(" ");
        return Some(Document::Note(Note { text, location: service.location }));
    }
    Some(Document::NodeService(service))
}

impl NodeService {
    /// Takes what one line of a status text tells.
    fn read(&mut self, number: u32, line: &str) {
        let trimmed = line.trim();
        if let Some(entry) = entry(line) {
            self.lines.push(entry.log_line(number));
        } else if let Some(loaded) = trimmed.strip_prefix("Loaded: ") {
            self.enabled = !loaded.contains("; disabled;") && !loaded.starts_with("masked");
            if loaded.starts_with("not-found") {
                "not-found".clone_into(&mut self.active);
            }
        } else if let Some(active) = trimmed.strip_prefix("Active: ") {
            self.read_state(number, active);
        } else if (trimmed.starts_with("Main PID:") || trimmed.starts_with("Process:")) && trimmed.contains("code=") {
            // `code=exited, status=1/FAILURE` says how it ended.
            self.lines.push(LogLine { line: number, at: None, level: None, text: trimmed.to_owned() });
        }
    }

    /// `failed (Result: exit-code) since Mon 2006-01-02 15:04:05 UTC; 5min ago`.
    fn read_state(&mut self, number: u32, text: &str) {
        let (state, since) = text.split_once(" since ").unwrap_or((text, ""));
        let (active, sub) = state.split_once(" (").unwrap_or((state, ""));
        if self.active.is_empty() {
            active.trim().clone_into(&mut self.active);
        }
        sub.split(')').next().unwrap_or("").trim_start_matches("Result: ").clone_into(&mut self.sub);
        self.since = time::parse(since.split(';').next().unwrap_or(""));
        self.location.line = Some(number);
    }
}

/// The unit whose log a file is by its name: `kubelet.log`, `kubelet_service.log`, `journald/containerd`, `dmesg`.
pub(super) fn unit_of_path(path: &str) -> Option<&'static str> {
    let file = path.rsplit('/').next()?;
    let stem = file.split('.').next()?;
    let stem = stem.strip_suffix("_service").or_else(|| stem.strip_suffix("-service")).unwrap_or(stem);
    match stem {
        "dmesg" => Some("kernel"),
        "kubeadm" | "kubeadm-join" | "kubeadm-init" | "kubeadm_join" | "kubeadm_init" => Some("kubeadm"),
        // Of these a container's log is called so more often.
        "etcd" | "kube-apiserver" | "kube-proxy" => None,
        _ => UNITS.iter().find(|u| **u == stem).copied(),
    }
}

/// The node a path names: `nodes/<node>/…`, `<node>/kubelet.log`.
pub(super) fn node_of_path(path: &str) -> Option<String> {
    let last =
        || directories(path).last().copied().filter(|d| !matches!(*d, "journald" | "logs" | "log" | "masters" | "workers"));
    let node = below_nodes(path).or_else(last)?;
    Some(node.trim_end_matches(".zip").to_owned())
}

/// `<node>` of `nodes/<node>/…`.
fn below_nodes(path: &str) -> Option<&str> {
    let directories = directories(path);
    let nodes = directories.iter().rposition(|d| matches!(*d, "nodes" | "node" | "hosts"))?;
    directories.get(nodes + 1).copied()
}

fn directories(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    parts.pop();
    parts
}

/// One entry of a journal.
struct Entry<'a> {
    at: Timestamp,
    host: &'a str,
    unit: &'a str,
    text: &'a str,
}

impl Entry<'_> {
    fn log_line(&self, number: u32) -> LogLine {
        // A journal shows local time without a zone or a year; the program's own stamp may carry them.
        let at = time::of_line(self.text.as_bytes()).filter(|own| !time::is_yearless(*own)).unwrap_or(self.at);
        LogLine { line: number, at: Some(at), level: log::level_of(self.text.as_bytes()), text: kept(self.text) }
    }
}

/// Characters kept of a line.
const KEPT: usize = 2_000;

fn kept(text: &str) -> String {
    log::unescaped(text).chars().take(KEPT).collect()
}

/// What a unit's own log file tells, whose lines name neither host nor unit: its worst lines and its last.
pub(super) fn unit_log(path: &Arc<str>, first_line: u32, text: &str, unit: &str) -> NodeService {
    let mut lines = Vec::new();
    for (line, text) in (first_line..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let (at, level) = (time::of_line(text.as_bytes()), log::level_of(text.as_bytes()));
        lines.push(LogLine { line, at, level, text: kept(text) });
        if lines.len() >= 4 * (TAIL + WORST) {
            keep_worst_and_last(&mut lines);
        }
    }
    keep_worst_and_last(&mut lines);
    NodeService {
        node: node_of_path(path),
        unit: unit.to_owned(),
        active: String::new(),
        sub: String::new(),
        enabled: true,
        since: None,
        location: Location::line(path, first_line),
        lines,
    }
}

/// `Jan 02 15:04:05 host unit[pid]: text`, also with a full stamp; `oc adm node-logs` puts the host before all.
fn entry(line: &str) -> Option<Entry<'_>> {
    let (at, len) = time::leading(line.as_bytes()).or_else(|| {
        let start = line.find(' ')? + 1;
        time::leading(&line.as_bytes()[start..]).map(|(at, len)| (at, start + len))
    })?;
    let (host, rest) = line.get(len..)?.strip_prefix(' ')?.split_once(' ')?;
    let (program, text) = rest.split_once(": ")?;
    let (unit, pid) = program.split_once('[').unwrap_or((program, ""));
    let sound = !host.is_empty() && unit.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b));
    let sound = sound && pid.trim_end_matches(']').bytes().all(|b| b.is_ascii_digit());
    (sound && (!pid.is_empty() || unit == "kernel")).then_some(Entry { at, host, unit, text })
}

/// Whether `text` is a journal.
pub(super) fn is_journal(text: &str) -> bool {
    let mut entries = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with("-- ")).take(10).peekable();
    entries.peek().is_some() && entries.all(|l| entry(l).is_some() || l.starts_with([' ', '\t']))
}

/// What a journal tells of the units in it: of each its last lines, and the worst before them.
pub(super) fn journal(path: &Arc<str>, first_line: u32, text: &str) -> Vec<NodeService> {
    let mut services: Vec<NodeService> = Vec::new();
    for (number, line) in (first_line..).zip(text.lines()) {
        let Some(entry) = entry(line) else { continue };
        let known = services.iter().position(|s| s.unit == entry.unit);
        let at = match known {
            Some(at) => at,
            None if services.is_empty() || UNITS.contains(&entry.unit) => {
                services.push(NodeService {
                    node: Some(entry.host.to_owned()),
                    unit: entry.unit.to_owned(),
                    active: String::new(),
                    sub: String::new(),
                    enabled: true,
                    since: None,
                    location: Location::line(path, number),
                    lines: Vec::new(),
                });
                services.len() - 1
            }
            None => continue,
        };
        services[at].lines.push(entry.log_line(number));
        if services[at].lines.len() >= 4 * (TAIL + WORST) {
            keep_worst_and_last(&mut services[at].lines);
        }
    }
    for service in &mut services {
        // `journalctl -r` prints the newest first.
        if service.lines.first().and_then(|l| l.at) > service.lines.last().and_then(|l| l.at) {
            service.lines.reverse();
        }
        keep_worst_and_last(&mut service.lines);
    }
    services
}

fn keep_worst_and_last(lines: &mut Vec<LogLine>) {
    let last = lines.len().saturating_sub(TAIL);
    let tail = lines.split_off(last);
    lines.retain(|l| l.level >= Some(Level::Warning));
    lines.truncate(WORST);
    lines.extend(tail);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(path: &str, text: &str) -> Vec<NodeService> {
        let only_service = |d| if let Document::NodeService(s) = d { Some(s) } else { None };
        status(&Arc::from(path), 1, text).unwrap_or_default().into_iter().filter_map(only_service).collect()
    }

    const STOPPED: &str = "\
Service: containerd
Node: worker-1
Status: ○ containerd.service - containerd container runtime
     Loaded: loaded (/etc/systemd/system/containerd.service; enabled; vendor preset: enabled)
     Active: inactive (dead) since Thu 2025-01-02 10:46:25 UTC; 1min 38s ago
   Main PID: 931 (code=exited, status=0/SUCCESS)

Jan 02 10:46:25 worker-1 systemd[1]: Stopped containerd container runtime.
";

    #[test]
    fn reads_a_stopped_unit() {
        let found = services("a.txt", STOPPED);
        let s = &found[0];
        assert_eq!((s.node.as_deref(), &*s.unit, &*s.active, &*s.sub), (Some("worker-1"), "containerd", "inactive", "dead"));
        assert_eq!((s.since, s.location.line, s.enabled), ("2025-01-02T10:46:25Z".parse().ok(), Some(5), true));
        assert_eq!(s.lines.len(), 2);
        assert_eq!((s.lines[1].line, &*s.lines[1].text), (8, "Stopped containerd container runtime."));
    }

    #[test]
    fn a_directory_is_called_after_the_node_or_after_anything() {
        let unit = &STOPPED[STOPPED.find('○').unwrap()..];
        let node = |path: &str| services(path, unit)[0].node.clone().unwrap();
        assert_eq!(node("worker-1.example.org/a.txt"), "worker-1.example.org");
        assert_eq!(node("an-incident/a.txt"), "worker-1");
        assert_eq!(node("nodes/w1/a.txt"), "w1");
    }

    #[test]
    fn reads_several_units_and_their_ends() {
        let text = "\
● kubelet.service - kubelet
     Loaded: loaded (/lib/systemd/system/kubelet.service; disabled; preset: enabled)
     Active: activating (auto-restart) (Result: exit-code) since Thu 2025-01-02 10:46:25 UTC; 3s ago
× docker.service - Docker
     Loaded: loaded (/lib/systemd/system/docker.service; enabled)
     Active: failed (Result: exit-code) since Thu 2025-01-02 10:46:25 UTC; 3s ago
Unit crio.service could not be found.
";
        let state = |s: &NodeService| format!("{} {} {} {}", s.unit, s.active, s.sub, s.enabled);
        let found: Vec<_> = services("nodes/n1/status.txt", text).iter().map(state).collect();
        assert_eq!(found, ["kubelet activating auto-restart false", "docker failed exit-code true", "crio not-found  true"]);
        assert_eq!(services("nodes/n1/status.txt", text)[0].node.as_deref(), Some("n1"));
    }

    #[test]
    fn other_texts_are_none() {
        assert!(status(&Arc::from("a"), 1, "NAME READY\nweb 1/1\n").is_none());
        let log = format!("{}{STOPPED}", "starting\n".repeat(20));
        assert!(status(&Arc::from("a"), 1, &log).is_none());
        assert!(!is_journal("2025-01-02T10:46:25Z INFO starting\n"));
        assert!(!is_journal(""));
    }

    #[test]
    fn reads_a_journal_newest_first() {
        let text = "\
-- Logs begin at Thu 2025-01-02 --
Jan 02 10:46:27 n1 kubelet[7]: E0102 10:46:27.000000       7 kubelet.go:1] boom
Jan 02 10:46:26 n1 kernel: Out of memory: Killed process 9
Jan 02 10:46:25 n1 kubelet[7]: I0102 10:46:25.000000       7 kubelet.go:1] up
";
        assert!(is_journal(text));
        let found = journal(&Arc::from("kubelet.log"), 1, text);
        assert_eq!(found.iter().map(|s| s.unit.as_str()).collect::<Vec<_>>(), ["kubelet", "kernel"]);
        assert_eq!(found[0].lines.iter().map(|l| l.line).collect::<Vec<_>>(), [4, 2]);
        assert_eq!((found[0].lines[1].level, found[0].node.as_deref()), (Some(Level::Error), Some("n1")));
    }

    #[test]
    fn a_long_journal_is_kept_in_bounds() {
        let line = |i: usize| {
            format!("Jan 02 10:46:25 n1 kubelet[7]: {}0102 10:46:25.000000 7 a.go:1] {i}\n", if i < 9 { 'E' } else { 'I' })
        };
        let text: String = (0..5_000).map(line).collect();
        let lines = &journal(&Arc::from("kubelet.log"), 1, &text)[0].lines;
        assert_eq!((lines.len(), lines[0].line, lines[48].line), (49, 1, 5_000));
    }
}
