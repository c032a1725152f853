//! One file, several logs: sections of `kubectl cluster-info dump`, of minikube and of `tail`, previous runs appended by
//! istio, lines prefixed by kubectl or stern.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::{LogSource, source};

/// A part of a file that is one log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    /// What the content says of whose log it is.
    pub(super) source: LogSource,
    pub(super) text: Cow<'t, str>,
    /// The number of its first line.
    pub(super) first_line: u32,
    /// The number of each line, when they do not follow one another in the file.
    pub(super) numbers: Option<Vec<u32>>,
}

impl<'t> Part<'t> {
    fn of(source: LogSource, text: &'t str, first_line: u32) -> Self {
        Self { source, text: Cow::Borrowed(text), first_line, numbers: None }
    }
}

/// The logs in `text`; a single one without a source when nothing divides it.
pub(super) fn parts(text: &str, first_line: u32) -> Vec<Part<'_>> {
    let opening: Vec<&str> = text.lines().map(str::trim_start).filter(|l| !l.is_empty()).take(5).collect();
    if opening.first().is_some_and(|l| header(l).is_some() || l.starts_with(ISTIO_NOTICE)) {
        return sections(text, first_line);
    }
    let prefixing = |p: &&Prefix| opening.first().is_some_and(|l| p(l).is_some());
    if let Some(prefix) = PREFIXES.iter().find(prefixing) {
        // Lines of a stack trace may stand between; a single sentence may look like stern's.
        let n = opening.iter().filter(|l| prefix(l).is_some()).count();
        if opening[0].starts_with("[pod/") || (n >= 2 && n * 2 >= opening.len()) {
            return prefixed(text, first_line, *prefix);
        }
    }
    vec![Part::of(LogSource::default(), text, first_line)]
}

/// What istio's bug report writes above a log to which the previous run's is appended.
const ISTIO_NOTICE: &str = "========= Previous log present";
/// The line between the two.
const ISTIO_PREVIOUS: &str = "========= Previous log =========";

/// A line that opens or closes a section.
#[derive(Debug, PartialEq, Eq)]
enum Header {
    Opens(LogSource),
    Closes,
    Previous,
}

fn header(line: &str) -> Option<Header> {
    let line = line.trim_end();
    if let Some(rest) = line.strip_prefix("==== START logs for container ") {
        let (container, rest) = rest.split_once(" of pod ")?;
        let (namespace, pod) = rest.trim_end_matches([' ', '=']).split_once('/')?;
        return Some(Header::Opens(named(Some(namespace), pod, Some(container))));
    }
    if line.starts_with("==== END logs for container ") || line.starts_with(ISTIO_NOTICE) {
        return Some(Header::Closes);
    }
    if line == ISTIO_PREVIOUS {
        return Some(Header::Previous);
    }
    // minikube: `==> kubelet <==`, `==> kube-apiserver [0123abcd] <==`; tail: `==> /var/log/syslog <==`.
    let name = line.strip_prefix("==> ")?.strip_suffix(" <==")?;
    let opened =
        if name.contains('/') { source::of_path(name) } else { named(None, name.split([' ', '[']).next().unwrap_or(name), None) };
    Some(Header::Opens(opened))
}

fn named(namespace: Option<&str>, pod: &str, container: Option<&str>) -> LogSource {
    LogSource {
        namespace: namespace.map(str::to_owned),
        pod: Some(pod.to_owned()),
        container: container.map(str::to_owned),
        ..LogSource::default()
    }
}

fn sections(text: &str, first_line: u32) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut open: Option<(LogSource, usize, u32)> = Some((LogSource::default(), 0, first_line));
    let (mut at, mut number) = (0, first_line);
    for line in text.split_inclusive('\n') {
        let next = (at + line.len(), number.saturating_add(1));
        if let Some(header) = line.starts_with('=').then(|| header(line)).flatten() {
            let closed = open.take();
            let source = closed.as_ref().map(|(s, _, _)| s.clone()).unwrap_or_default();
            parts.extend(closed.map(|(s, start, line)| Part::of(s, &text[start..at], line)));
            open = match header {
                Header::Opens(source) => Some((source, next.0, next.1)),
                Header::Previous => Some((LogSource { previous: true, ..source }, next.0, next.1)),
                // What follows istio's notice is the current run's.
                Header::Closes if line.starts_with(ISTIO_NOTICE) => Some((source, next.0, next.1)),
                Header::Closes => None,
            };
        }
        (at, number) = next;
    }
    parts.extend(open.map(|(source, start, line)| Part::of(source, &text[start..], line)));
    parts.retain(|p| !p.text.trim().is_empty());
    parts
}

type Prefix = fn(&str) -> Option<(LogSource, &str)>;

/// Ways to say on each line whose it is.
const PREFIXES: &[Prefix] = &[of_kubectl, of_stern];

/// `kubectl logs --prefix`: `[pod/<pod>/<container>] text`.
fn of_kubectl(line: &str) -> Option<(LogSource, &str)> {
    let (name, rest) = line.strip_prefix("[pod/")?.split_once(']')?;
    let (pod, container) = name.split_once('/')?;
    Some((named(None, pod, Some(container)), rest.strip_prefix(' ').unwrap_or(rest)))
}

/// stern: `<pod> <container> text`, with all namespaces `<namespace> <pod> <container> text`.
fn of_stern(line: &str) -> Option<(LogSource, &str)> {
    let (first, rest) = line.split_once(' ')?;
    let (second, text) = rest.split_once(' ')?;
    if source::is_pod_name(first) && is_name(second) {
        return Some((named(None, first, Some(second)), text));
    }
    let (third, text) = text.split_once(' ')?;
    (is_name(first) && source::is_pod_name(second) && is_name(third)).then(|| (named(Some(first), second, Some(third)), text))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Sorts lines by their prefix. A line without one goes to the log of the line before it.
fn prefixed(text: &str, first_line: u32, prefix: Prefix) -> Vec<Part<'static>> {
    let mut logs: IndexMap<String, (LogSource, String, Vec<u32>)> = IndexMap::new();
    let mut last = 0;
    for (number, line) in (first_line..).zip(text.lines()) {
        let (source, rest) = match prefix(line.trim_start()) {
            Some((source, rest)) => (Some(source), rest),
            None => (None, line),
        };
        if let Some(source) = source {
            let key = format!("{:?}/{:?}/{:?}", source.namespace, source.pod, source.container);
            let entry = logs.entry(key);
            last = entry.index();
            entry.or_insert_with(|| (source, String::new(), Vec::new()));
        }
        let Some((_, (_, text, numbers))) = logs.get_index_mut(last) else { continue };
        text.push_str(rest);
        text.push('\n');
        numbers.push(number);
    }
    let part = |(source, text, numbers)| Part { source, text: Cow::Owned(text), first_line: 1, numbers: Some(numbers) };
    logs.into_values().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each part as `namespace/pod/container@first line: text`.
    fn read(text: &str) -> Vec<String> {
        let show = |p: Part<'_>| {
            let or_dash = |o: Option<String>| o.unwrap_or_else(|| "-".to_owned());
            let line = p.numbers.map_or(p.first_line, |n| n[0]);
            let end = if p.source.previous { "!" } else { "" };
            let s = p.source;
            format!("{}/{}/{}{end}@{line}: {}", or_dash(s.namespace), or_dash(s.pod), or_dash(s.container), p.text.trim_end())
        };
        parts(text, 1).into_iter().map(show).collect()
    }

    #[test]
    fn divides_a_cluster_info_dump() {
        let text = "==== START logs for container a of pod shop/web-0 ====\none\ntwo\n==== END logs for container a of pod shop/web-0 ====\n\
                    ==== START logs for container b of pod shop/web-0 ====\n==== END logs for container b of pod shop/web-0 ====\n\
                    ==== START logs for container c of pod shop/web-0 ====\nthree";
        assert_eq!(read(text), ["shop/web-0/a@2: one\ntwo", "shop/web-0/c@8: three"]);
    }

    #[test]
    fn divides_current_and_previous() {
        let text =
            "========= Previous log present (appended at the end) =========\n\none\n\n========= Previous log =========\n\ntwo\n";
        assert_eq!(read(text), ["-/-/-@2: \none", "-/-/-!@6: \ntwo"]);
    }

    #[test]
    fn divides_named_sections() {
        assert_eq!(
            read("==> kubelet <==\none\n\n==> coredns [0123abcd] <==\ntwo\n"),
            ["-/kubelet/-@2: one", "-/coredns/-@5: two"]
        );
    }

    #[test]
    fn sorts_prefixed_lines() {
        let text = "[pod/web-0/a] one\n[pod/web-1/a] two\n  more\n[pod/web-0/a] three\n";
        assert_eq!(read(text), ["-/web-0/a@1: one\nthree", "-/web-1/a@2: two\n  more"]);
        let stern = "shop web-5d8f7c9b4-x2kqz app one\nshop web-5d8f7c9b4-x2kqz app two\n";
        assert_eq!(read(stern), ["shop/web-5d8f7c9b4-x2kqz/app@1: one\ntwo"]);
    }

    #[test]
    fn an_ordinary_log_is_one() {
        assert_eq!(read("web-0 is ready now\n"), ["-/-/-@1: web-0 is ready now"]);
        assert_eq!(read("one two three\nfour five six\n"), ["-/-/-@1: one two three\nfour five six"]);
        assert_eq!(read(""), ["-/-/-@1: "]);
    }
}
