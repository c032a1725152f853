//! One file, several answers: `kubectl` sessions with their prompts, dumps with headings, an issue's Markdown with its
//! fenced blocks, `cluster-info dump` on standard output. Each part is then read as what it is.

use std::ops::Range;

use super::sniff::{self, Shape};
use super::{Part, describe, log, table};

/// A heading must be seen in so many lines for a file to be taken as one with sections.
const LINES: usize = 200;

/// The parts of a file, in order; the file itself when it is all one.
pub(super) fn of<'a>(whole: &Part<'a>) -> Vec<Part<'a>> {
    let end = preface_end(whole.text);
    let rest = whole.slice(end..whole.text.len(), "");
    if end > 0 && matches!(sniff::shape(rest.text), Shape::Json | Shape::Yaml) {
        let preface = whole.slice(0..end, "");
        let preface = Some(preface).filter(|part| sniff::shape(part.text) == Shape::Remark);
        return preface.into_iter().chain(sections(&rest)).collect();
    }
    sections(whole)
}

/// The end of what commands say to the terminal before they answer: warnings, remarks, lines of client-go's own log.
fn preface_end(text: &str) -> usize {
    let is_klog =
        |line: &[u8]| matches!(line, [b'E' | b'I' | b'W', d @ .., b' '] if d.len() == 4 && d.iter().all(u8::is_ascii_digit));
    let is_said = |line: &str| {
        line.trim().is_empty()
            || line.starts_with("Warning: ")
            || line.starts_with("Defaulted container ")
            || line.as_bytes().get(..6).is_some_and(is_klog)
            || sniff::is_remark_line(line)
    };
    lines(text).take(LINES).find(|(_, line)| !is_said(line)).map_or(0, |(range, _)| range.start)
}

fn sections<'a>(whole: &Part<'a>) -> Vec<Part<'a>> {
    match sniff::shape(whole.text) {
        Shape::Json if whole.text.contains("\n==== START logs for container") => dumped(whole),
        Shape::Json | Shape::JsonLog | Shape::Empty | Shape::Remark => vec![*whole],
        Shape::Yaml if begins_with_yaml(whole.text) => vec![*whole],
        Shape::Yaml | Shape::Text if is_markdown(whole) => fenced(whole).iter().flat_map(titled).collect(),
        Shape::Yaml | Shape::Text => titled(whole),
    }
}

/// The text has fenced blocks. A log may quote some.
fn is_markdown(whole: &Part<'_>) -> bool {
    let has = |fence: &str| whole.text.starts_with(&fence[1..]) || whole.text.contains(fence);
    (has("\n```") || has("\n~~~")) && !log::is_named_log(whole.path)
}

/// The first line is a separator, an item or a key.
fn begins_with_yaml(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or("");
    let key = first.split_once(':').map_or("", |(key, _)| key);
    first == "---" || first.starts_with("--- ") || first.starts_with("- ") || (!key.is_empty() && !key.contains(' '))
}

impl<'a> Part<'a> {
    /// The stretch `range` of the text.
    fn slice(&self, range: Range<usize>, title: &'a str) -> Part<'a> {
        let before = memchr::memchr_iter(b'\n', &self.text.as_bytes()[..range.start]).count();
        Part { text: &self.text[range], line: self.line + before as u32, title, ..*self }
    }
}

/// Lines with their place in the text, line ends included.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start..at, line)
    })
}

/// `kubectl cluster-info dump` without a directory: Lists as JSON, logs between lines that say whose they are.
fn dumped<'a>(whole: &Part<'a>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let (mut start, mut in_logs) = (0, false);
    for (range, line) in lines(whole.text) {
        let opens_logs = line.starts_with("==== START logs for container");
        // A program may log a brace as well.
        let opens_list =
            || line == "{\n" && whole.text[range.end..].lines().take(3).any(|line| line.starts_with("    \"kind\": "));
        if in_logs && opens_list() || !in_logs && opens_logs {
            parts.push(whole.slice(start..range.start, ""));
            (start, in_logs) = (range.start, opens_logs);
        }
    }
    parts.push(whole.slice(start..whole.text.len(), ""));
    parts
}

/// The fenced blocks of a Markdown text, each under the line of words above it.
fn fenced<'a>(whole: &Part<'a>) -> Vec<Part<'a>> {
    let mut blocks = Vec::new();
    let (mut open, mut above) = (None, "");
    for (range, line) in lines(whole.text) {
        let content = line.trim();
        let fence = ["```", "~~~"].into_iter().find(|fence| content.starts_with(fence));
        match (open, fence) {
            (None, Some(fence)) => open = Some((range.end, fence)),
            (Some((start, opening)), Some(fence)) if fence == opening && content.trim_start_matches(&fence[..1]).is_empty() => {
                blocks.push(whole.slice(start..range.start, above));
                (open, above) = (None, "");
            }
            (None, None) if !content.is_empty() => above = content,
            _ => {}
        }
    }
    // An issue that was cut, or a fence that was forgotten.
    if let Some((start, _)) = open {
        blocks.push(whole.slice(start..whole.text.len(), above));
    }
    blocks
}

/// Cuts at prompts and headings. What is neither object nor table stays together, headings included: a log may hold lines
/// that look like one.
fn titled<'a>(whole: &Part<'a>) -> Vec<Part<'a>> {
    if !whole.text.lines().take(LINES).any(|line| title(line).is_some()) {
        return vec![*whole];
    }
    let mut pieces: Vec<(Range<usize>, Part<'a>)> = Vec::new();
    let (mut start, mut from, mut above) = (0, 0, whole.title);
    for (range, line) in lines(whole.text) {
        if let Some(title) = title(line) {
            pieces.push((start..range.start, whole.slice(from..range.start, above)));
            (start, from, above) = (range.start, range.end, title);
        }
    }
    pieces.push((start..whole.text.len(), whole.slice(from..whole.text.len(), above)));
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut loose: Option<Range<usize>> = None;
    for (range, piece) in pieces {
        if is_command(piece.title) || is_structured(piece.text) {
            parts.extend(loose.take().map(|range| whole.slice(range, whole.title)));
            parts.push(piece);
        } else {
            loose = Some(loose.map_or(range.clone(), |loose| loose.start..range.end));
        }
    }
    parts.extend(loose.map(|range| whole.slice(range, whole.title)));
    parts.retain(|part| !part.text.trim().is_empty());
    parts
}

pub(super) fn is_structured(text: &str) -> bool {
    match sniff::shape(text) {
        Shape::Json | Shape::Yaml | Shape::Remark => true,
        Shape::Text => text.lines().take(10).any(|line| table::begins(line) || describe::begins(line)),
        Shape::JsonLog | Shape::Empty => false,
    }
}

/// Programs whose output people paste.
const PROGRAMS: &[&str] =
    &["kubectl", "oc", "k", "helm", "crictl", "journalctl", "systemctl", "istioctl", "k3s", "microk8s", "sudo", "cat"];

/// The title `line` gives to what follows: the command of a prompt, or the words of a heading.
fn title(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.len() > 400 {
        return None;
    }
    match line.as_bytes().first()? {
        // A shell that traces what it runs.
        b'+' if line.strip_prefix("+ ").is_some_and(is_command) => line.strip_prefix("+ "),
        b'=' | b'#' | b'*' | b'-' | b'~' | b'+' | b'>' | b'_' => heading(line).or_else(|| prompted(line)),
        b'k' | b'o' if is_command(line) => Some(line),
        _ => prompted(line),
    }
}

/// `$ kubectl get pods`, `root@host:~# kubectl …`, `PS C:\> kubectl …`
fn prompted(line: &str) -> Option<&str> {
    const FARTHEST: usize = 80;
    let at = line[..line.ceil_char_boundary(FARTHEST)].find(['$', '#', '%', '>', '❯', '➜'])?;
    let mark = line[at..].chars().next()?;
    let command = line[at + mark.len_utf8()..].trim_start();
    let prompt = &line[..at];
    let is_prompt =
        !prompt.contains(": ") && (prompt.is_empty() || prompt.contains(['@', '~', '[', '\\', '/']) || !prompt.contains(' '));
    (is_prompt && PROGRAMS.contains(&command.split(' ').next()?)).then_some(command)
}

/// `kubectl get …`, without a prompt.
fn is_command(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("");
    PROGRAMS.contains(&program)
        && words.next().is_some_and(|word| word.starts_with('-') || word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
}

/// `=== pods ===`, `### Pods`, `>>> Details`, `--- events ---`, `==> kubelet <==`
fn heading(line: &str) -> Option<&str> {
    let mark = line.chars().next()?;
    let n_marks = line.chars().take_while(|c| *c == mark).count();
    let closing = if mark == '>' { '<' } else { mark };
    let words = line.trim_start_matches(['=', '#', '*', '-', '~', '+', '>', '_', ' ']);
    let bare = words.trim_end_matches([closing, '=', '<', '>', ' ', ':']);
    let closes = words.trim_end().ends_with([closing, '<']);
    let opens = match mark {
        '=' | '>' => n_marks >= 3 || (n_marks == 2 && closes),
        '#' => n_marks >= 2 || closes,
        '*' => n_marks >= 2 && closes,
        _ => n_marks >= 3 && closes,
    };
    (opens && bare.chars().any(char::is_alphanumeric)).then_some(bare)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn parts(text: &str) -> Vec<(String, u32, String)> {
        let path = Arc::from("notes.txt");
        let whole = Part { path: &path, text, line: 1, title: "" };
        of(&whole).iter().map(|p| (p.title.to_owned(), p.line, p.text.trim().to_owned())).collect()
    }

    fn told(text: &str) -> Vec<(String, u32)> {
        parts(text).into_iter().map(|(title, line, _)| (title, line)).collect()
    }

    #[test]
    fn a_file_of_one_kind_stays_whole() {
        for text in [
            "apiVersion: v1\nkind: Pod\n# ---- x ----\n",
            "# Source: chart\n---\napiVersion: v1\nkind: Pod\n",
            "{\"kind\": \"List\"}\n",
            "2026-01-02 starting\n=== RUN TestX ===\n--- PASS: TestX ---\ndone\n",
            "NAME READY\nweb 1/1\n",
        ] {
            assert_eq!(told(text), [(String::new(), 1)], "{text}");
        }
    }

    #[test]
    fn leaves_out_what_was_said_to_the_terminal() {
        let text = "Warning: v1 Endpoints is deprecated\nE0102 15:04:05.000000    1 memcache.go:265] \"Unhandled Error\"\n{\"kind\": \"List\"}\n";
        assert_eq!(parts(text), [(String::new(), 3, "{\"kind\": \"List\"}".to_owned())]);
        let text = "Error from server (NotFound): pods \"a\" not found\napiVersion: v1\nkind: Pod\n";
        assert_eq!(told(text).iter().map(|(_, line)| *line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn cuts_sessions_at_their_prompts() {
        let text = "$ kubectl get pods\nNAME READY\nweb 1/1\n\nuser@host:~$ kubectl logs web -c app\nline one\n\nkubectl get pod web -o yaml\napiVersion: v1\nkind: Pod\n";
        let expected = [("kubectl get pods", 2), ("kubectl logs web -c app", 6), ("kubectl get pod web -o yaml", 9)];
        assert_eq!(told(text), expected.map(|(title, line)| (title.to_owned(), line)));
    }

    #[test]
    fn cuts_at_headings_above_objects() {
        let text =
            "=== pods ===\nNAME  READY\nweb   1/1\n=== events ===\nLAST SEEN  TYPE  REASON  OBJECT  MESSAGE\n=== app ===\na\nb\n";
        let expected = [("pods", 2), ("events", 5), ("", 6)];
        assert_eq!(told(text), expected.map(|(title, line)| (title.to_owned(), line)));
        let knative = ">>> pods (1 objects)\n>>> Listing\nNAME  READY\n>>> Details\napiVersion: v1\nitems: []\n";
        assert_eq!(told(knative).last(), Some(&("Details".to_owned(), 5)));
    }

    #[test]
    fn takes_the_fenced_blocks_of_an_issue() {
        let text = "# It breaks\nSee kind: Pod.\n**The pods:**\n```\nNAME READY\nweb 1/1\n```\nAnd\n~~~yaml\napiVersion: v1\nkind: Pod\n";
        let expected = [("**The pods:**", 5, "NAME READY\nweb 1/1"), ("And", 10, "apiVersion: v1\nkind: Pod")];
        assert_eq!(parts(text), expected.map(|(title, line, text)| (title.to_owned(), line, text.to_owned())));
    }

    #[test]
    fn separates_the_lists_and_logs_of_a_dump() {
        let list = "{\n    \"kind\": \"NodeList\"\n}\n";
        let log = "==== START logs for container a of pod ns/p ====\n{\"level\":\"info\"}\nx\n==== END logs for container a of pod ns/p ====\n";
        let lines: Vec<u32> = told(&format!("{list}{list}{log}{log}{list}")).iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, [1, 7, 15]);
    }
}
