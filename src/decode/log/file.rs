//! A text that is no document of the API → logs, the units of nodes they speak of, or a remark of the collector.

use std::sync::Arc;

use super::split::{self, Part};
use super::{Level, Log, LogSource, Patterns, level, scan, source, wrap};
use crate::decode::{Document, Note, Part as Told, node_service};
use crate::location::Location;

/// Reads a file or a part of one; `is_said` by a program whatever it looks like.
pub(in crate::decode) fn decode(told: &Told<'_>, is_said: bool, patterns: &Patterns) -> Vec<Document> {
    let Told { path, text, line: first_line, .. } = *told;
    if text.trim().is_empty() {
        return Vec::new();
    }
    if let Some(units) = node_service::status(path, first_line, text) {
        return units;
    }
    if !is_said && !is_named_log(path) && !reads_like_log(text) {
        let text = text.trim().chars().take(NOTE).collect();
        return vec![Document::Note(Note { text, location: Location::line(path, first_line) })];
    }
    let named = source::of_path(path);
    let mut documents = Vec::new();
    for part in split::parts(text, first_line) {
        if let Some(note) = remark(path, &part) {
            documents.push(Document::Note(note));
            continue;
        }
        // A directory named like a pod may be a node's.
        let of_container = part.source.container.is_some();
        let mut source = completed(part.source, &named);
        if node_service::is_journal(&part.text) {
            let services = node_service::journal(path, part.first_line, &part.text);
            source = of_node(services.first().and_then(|s| s.node.clone()), services.first().map(|s| s.unit.clone()));
            documents.extend(services.into_iter().map(Document::NodeService));
        } else if let Some(unit) = node_service::unit_of_path(path).filter(|_| !of_container) {
            let service = node_service::unit_log(path, part.first_line, &part.text, unit);
            source = of_node(service.node.clone(), Some(unit.to_owned()));
            documents.push(Document::NodeService(service));
        }
        let log = scan(path, source, part.first_line, part.text.as_bytes(), patterns);
        documents.push(Document::Log(match &part.numbers {
            Some(numbers) => renumbered(log, numbers),
            None => log,
        }));
    }
    documents
}

/// Nothing in the text divides it into several logs.
pub(in crate::decode) fn is_one(text: &str) -> bool {
    matches!(&split::parts(text, 1)[..], [part] if part.source == LogSource::default() && part.numbers.is_none())
}

/// Characters kept of a text that is no log.
const NOTE: usize = 2_000;

/// The path says that the file is a log: a directory or an ending of that name, or the name of a pod or a node's unit.
pub(in crate::decode) fn is_named_log(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let (directories, file) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let mut words = file.split(['.', '_', '-']).chain(directories.split(['/', '_', '-', '.']));
    let stem = file.split('.').next().unwrap_or(file);
    words.any(|w| matches!(w, "log" | "logs" | "podlogs" | "journal" | "journald" | "stdout" | "stderr"))
        || source::is_pod_name(stem)
        || node_service::unit_of_path(path).is_some()
}

/// The lines are a program's: some say how bad they are, or many carry a stamp. A person's prose has neither.
fn reads_like_log(text: &str) -> bool {
    let lines = || text.lines().filter(|l| !l.trim().is_empty()).take(200);
    let n_stamped = lines().filter(|l| wrap::unwrap(l.as_bytes()).at().is_some()).count();
    n_stamped * 2 > lines().count() || lines().any(|l| level::of_line(wrap::unwrap(l.as_bytes()).payload) >= Some(Level::Warning))
}

/// What the content says, and the path's word for the rest.
fn completed(content: LogSource, path: &LogSource) -> LogSource {
    if content.pod.is_none() {
        return LogSource { previous: content.previous || path.previous, ..path.clone() };
    }
    LogSource {
        namespace: content.namespace.or_else(|| path.namespace.clone()),
        previous: content.previous || path.previous,
        ..content
    }
}

fn of_node(node: Option<String>, unit: Option<String>) -> LogSource {
    LogSource { node, unit, ..LogSource::default() }
}

/// Text that stands where a log was expected: an answer of the API, a complaint of the collector.
fn remark(path: &Arc<str>, part: &Part<'_>) -> Option<Note> {
    const LONGEST: usize = 16 << 10;
    if part.text.len() > LONGEST {
        return None;
    }
    let lines = || part.text.lines().map(str::trim).filter(|l| !l.is_empty());
    // Which container kubectl chose is said on every call and says nothing alone.
    let said = |line: &str| is_remark(line) || is_choice(line);
    let is_remark = lines().any(is_remark) && lines().all(said);
    let line = part.numbers.as_ref().and_then(|n| n.first().copied()).unwrap_or(part.first_line);
    is_remark.then(|| Note { text: part.text.trim().chars().take(2_000).collect(), location: Location::line(path, line) })
}

/// Beginnings of what kubectl, the API server, the kubelet and collectors say instead of a log.
const REMARKS: &[&str] = &[
    "Error from server",
    "Unable to connect to the server",
    "The connection to the server",
    "No resources found",
    "unable to retrieve container logs for",
    "Unable to retrieve container logs for",
    "failed to try resolving symlinks in path",
    "Request log error:",
    "Create log request error:",
    "command terminated with exit code",
    "previous terminated container",
    "error: container ",
    "error: previous terminated container",
    "error: a container name must be specified",
    "error: timed out waiting",
    "error: unable to ",
    "error: You must be logged in",
    "error: the server doesn't have",
    "error: cannot get the logs from",
    "error: no container",
];

fn is_remark(line: &str) -> bool {
    // Scripts put a word of their own before what they were told.
    let line = ["Error: ", "ERROR: ", "error: Error: "].iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    let waiting = (line.starts_with("container ") || line.contains(": container ")) && line.contains(" is waiting to start");
    waiting || REMARKS.iter().any(|start| line.starts_with(start))
}

fn is_choice(line: &str) -> bool {
    let line = line.strip_prefix("Error: ").unwrap_or(line);
    line.starts_with("Defaulted container ") || line.starts_with("Defaulting container name to ")
}

/// A log of lines picked from a file, numbered as in the file.
fn renumbered(mut log: Log, numbers: &[u32]) -> Log {
    let lines = log.head.iter_mut().chain(&mut log.tail).chain(log.hits.iter_mut().map(|h| &mut h.line));
    for line in lines.map(|l| &mut l.line).chain(log.templates.iter_mut().map(|t| &mut t.line)) {
        *line = numbers.get(*line as usize - 1).copied().unwrap_or(*line);
    }
    log
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use super::*;

    fn decoded(path: &str, text: &str) -> Vec<Document> {
        let pattern = Pattern { name: "refused".to_owned(), regex: "connection refused".to_owned() };
        let told = Told { path: &Arc::from(path), text, line: 1, title: "" };
        decode(&told, false, &Patterns::new(vec![pattern]).unwrap())
    }

    #[test]
    fn an_answer_of_the_api_is_no_log() {
        for text in [
            "Error from server (BadRequest): container \"x\" in pod \"y\" is waiting to start: PodInitializing\n",
            "Error: Error from server (BadRequest): previous terminated container \"x\" in pod \"y\" not found",
            "unable to retrieve container logs for containerd://0123",
            "Defaulted container \"a\" out of: a, b\nError from server (NotFound): pods \"y\" not found\n",
        ] {
            assert!(matches!(&decoded("shop/web-0.log", text)[..], [Document::Note(_)]), "{text}");
        }
        for text in
            ["Error: Cannot find module 'x'\n", "Defaulted container \"a\" out of: a, b\nstarting\n", "error: unknown flag\n"]
        {
            assert!(matches!(&decoded("shop/web-0.log", text)[..], [Document::Log(_)]), "{text}");
        }
        assert!(decoded("shop/web-0.log", " \n").is_empty());
    }

    #[test]
    fn prose_is_no_log() {
        let prose = "Since the update our shop is slow.\nWe saw connection refused on 2024-01-02 15:04:05, then it went away.\nHelp is welcome.\n";
        assert!(matches!(&decoded("b/README.txt", prose)[..], [Document::Note(_)]));
        assert!(matches!(&decoded("b/shop/web-0.txt", prose)[..], [Document::Log(_)]));
        assert!(matches!(&decoded("b/apply.txt", "$ helm install\nError: INSTALLATION FAILED: x\n")[..], [Document::Log(_)]));
    }

    #[test]
    fn content_completes_the_path() {
        let found = decoded("b/shop/logs/all.log", "[pod/web-0/a] one\n[pod/web-1/b] connection refused\n");
        let [Document::Log(a), Document::Log(b)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((a.source.namespace.as_deref(), a.source.pod.as_deref()), (Some("shop"), Some("web-0")));
        assert_eq!((b.source.container.as_deref(), b.hits[0].line.line), (Some("b"), 2));
    }

    #[test]
    fn a_journal_is_a_unit_and_a_log() {
        let text = "Jan 02 10:46:25 n1 kubelet[7]: E0102 10:46:25.000000 7 a.go:1] dial: connection refused\n";
        let found = decoded("n1/journald/kubelet", text);
        let [Document::NodeService(service), Document::Log(log)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((service.unit.as_str(), service.lines.len()), ("kubelet", 1));
        assert_eq!((log.source.unit.as_deref(), log.source.node.as_deref(), log.count(0)), (Some("kubelet"), Some("n1"), 1));
        assert_eq!((&log.source.pod, log.n_errors), (&None, 1));
        let plain = decoded("nodes/n1/kubelet.log", "I0102 10:46:25.000000 7 a.go:1] up\n");
        assert!(
            matches!(&plain[..], [Document::NodeService(_), Document::Log(log)] if log.source.unit.as_deref() == Some("kubelet"))
        );
    }
}
