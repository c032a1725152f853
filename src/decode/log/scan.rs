//! One pass over a log's bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::hits::{Hits, Match};
use super::patterns::Owner;
use super::search::Found;
use super::template::Templates;
use super::wrap::{self, Unwrapped};
use super::{Level, Log, LogLine, LogSource, Patterns, level};

/// Lines kept of the beginning.
pub(super) const HEAD: usize = 20;
/// Lines kept of the end.
pub(super) const TAIL: usize = 30;
/// Bytes searched at once: small enough to stay in the second-level cache while every step passes over them.
const BLOCK: usize = 128 << 10;
/// Bytes of a line that count; the rest of a longer line is passed over.
const LINE: usize = 1 << 20;
/// Characters kept of a line.
pub(super) const KEPT: usize = 2_000;

/// Reads the log `bytes` of the file `path`, keeping what [`Log`] holds. Lines are numbered from `first_line`: a file that
/// comes in parts, cut at line ends, is scanned part by part and put together by [`Log::join`].
pub fn scan(path: &Arc<str>, source: LogSource, first_line: u32, bytes: &[u8], patterns: &Patterns) -> Log {
    let mut scanner = Scanner {
        patterns,
        log: Log::empty(path, source),
        hits: Hits::default(),
        templates: Templates::default(),
        next_line: first_line,
        rewritten: Rewritten::default(),
        found: Vec::new(),
        recent: VecDeque::with_capacity(TAIL + 1),
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let (block, after) = rest.split_at(block_len(rest));
        scanner.raw_block(block);
        rest = after;
    }
    scanner.finish()
}

/// Length of the complete lines within [`BLOCK`] bytes, or of the first line.
fn block_len(text: &[u8]) -> usize {
    let window = &text[..text.len().min(BLOCK)];
    let within = if window.len() == text.len() { Some(text.len()) } else { memchr::memrchr(b'\n', window).map(|i| i + 1) };
    within.unwrap_or_else(|| memchr::memchr(b'\n', text).map_or(text.len(), |i| i + 1))
}

struct Scanner<'p> {
    patterns: &'p Patterns,
    log: Log,
    hits: Hits,
    templates: Templates,
    /// The number of the next line.
    next_line: u32,
    /// Lines rewritten before they are searched; starts with a line that goes on.
    rewritten: Rewritten,
    /// Where literals were found in the block; kept for its room.
    found: Vec<Found>,
    /// The last lines.
    recent: VecDeque<(u32, Vec<u8>)>,
}

/// Lines whose wrapper was undone.
#[derive(Debug, Default)]
struct Rewritten {
    text: Vec<u8>,
    /// The number of each line in the file.
    numbers: Vec<u32>,
    /// Where the last line of `text` starts, when it is not complete.
    open: Option<usize>,
}

/// Complete lines, searched together.
struct Block<'a> {
    text: &'a [u8],
    /// Where each line starts, and the end of the text.
    starts: Vec<usize>,
    /// The number of the first line, when they are numbered in turn.
    first: u32,
    /// Else the number of each.
    numbers: Option<&'a [u32]>,
}

impl<'a> Block<'a> {
    fn new(text: &'a [u8], first: u32, numbers: Option<&'a [u32]>) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text).map(|end| end + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Self { text, starts, first, numbers }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn line(&self, i: usize) -> &'a [u8] {
        let line = &self.text[self.starts[i]..self.starts[i + 1]];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        &line[..line.len().min(LINE)]
    }

    fn number(&self, i: usize) -> u32 {
        self.numbers.map_or(self.first.saturating_add(i as u32), |n| n[i])
    }
}

impl Scanner<'_> {
    fn finish(mut self) -> Log {
        if self.rewritten.open.take().is_some() {
            self.rewritten.text.push(b'\n');
            self.rewritten_block();
        }
        self.log.tail = self.recent.iter().map(|(n, line)| log_line(*n, line)).collect();
        (self.log.hits, self.log.counts) = self.hits.finish();
        self.log.templates = self.templates.finish();
        self.log.date();
        self.log
    }

    fn raw_block(&mut self, text: &[u8]) {
        if self.rewritten.open.is_none() {
            self.patterns.candidates(text, &mut self.found);
            if !self.found.iter().any(|(_, literal)| self.patterns.owner(*literal) == Owner::Wrapping) {
                let block = self.numbered(text);
                self.block(&block);
                return;
            }
        }
        self.rewrite(text);
        self.rewritten_block();
    }

    fn numbered<'t>(&mut self, text: &'t [u8]) -> Block<'t> {
        let block = Block::new(text, self.next_line, None);
        self.next_line = self.next_line.saturating_add(block.len() as u32);
        self.log.n_lines = self.log.n_lines.saturating_add(block.len() as u32);
        block
    }

    /// Undoes the wrapping of every line of `text` into `self.rewritten`, joining those that go on.
    fn rewrite(&mut self, text: &[u8]) {
        let lines = self.numbered(text);
        let out = &mut self.rewritten;
        for i in 0..lines.len() {
            let piece = wrap::piece(lines.line(i));
            let start = match out.open {
                Some(start) => {
                    let room = LINE.saturating_sub(out.text.len() - start);
                    let payload = &piece.text[piece.payload..];
                    out.text.extend_from_slice(&payload[..payload.len().min(room)]);
                    start
                }
                None => {
                    out.numbers.push(lines.number(i));
                    out.text.extend_from_slice(&piece.text);
                    out.text.len() - piece.text.len()
                }
            };
            out.open = piece.goes_on.then_some(start);
            if !piece.goes_on {
                out.text.push(b'\n');
            }
        }
    }

    /// Searches the complete lines of `self.rewritten` and leaves the open one.
    fn rewritten_block(&mut self) {
        let mut lines = std::mem::take(&mut self.rewritten);
        let complete = lines.open.unwrap_or(lines.text.len());
        let n_complete = lines.numbers.len() - usize::from(lines.open.is_some());
        if complete > 0 {
            self.patterns.candidates(&lines.text[..complete], &mut self.found);
            self.block(&Block::new(&lines.text[..complete], 0, Some(&lines.numbers[..n_complete])));
        }
        lines.text.drain(..complete);
        lines.numbers.drain(..n_complete);
        lines.open = lines.open.map(|_| 0);
        self.rewritten = lines;
    }

    fn block(&mut self, block: &Block<'_>) {
        self.hits.complete_pending(|i| (i < block.len()).then(|| (block.number(i), block.line(i))));
        let matches = self.search(block);
        self.hits.add(&matches, block.len(), |i| match usize::try_from(i) {
            Ok(i) => (i < block.len()).then(|| (block.number(i), block.line(i))),
            Err(_) => {
                let back = self.recent.len().checked_sub(i.unsigned_abs())?;
                self.recent.get(back).map(|(n, line)| (*n, line.as_slice()))
            }
        });
        for i in 0..block.len().min(HEAD.saturating_sub(self.log.head.len())) {
            let line = log_line(block.number(i), block.line(i));
            self.log.head.push(line);
        }
        for i in block.len().saturating_sub(TAIL)..block.len() {
            if self.recent.len() == TAIL {
                self.recent.pop_front();
            }
            let line = block.line(i);
            self.recent.push_back((block.number(i), line[..line.len().min(4 * KEPT)].to_vec()));
        }
    }

    /// Counts levels, and finds the lines that match a pattern among those where literals were found.
    fn search(&mut self, block: &Block<'_>) -> Vec<Match> {
        let mut matches = Vec::new();
        let found = std::mem::take(&mut self.found);
        let mut candidates = found.iter().peekable();
        let mut tried: Vec<u32> = Vec::new();
        for i in 0..block.len() {
            let (start, end) = (block.starts[i], block.starts[i + 1]);
            tried.clear();
            let mut marked = false;
            while let Some((at, literal)) = candidates.next_if(|(at, _)| *at <= end) {
                match self.patterns.owner(*literal) {
                    Owner::Pattern(pattern) if at - start <= LINE && !tried.contains(&pattern) => tried.push(pattern),
                    Owner::Level => marked = true,
                    Owner::Pattern(_) | Owner::Wrapping => {}
                }
            }
            let line = wrap::unwrap(block.line(i));
            if marked || level::starts_like_klog(line.payload) {
                self.count_level(&line, block.number(i));
            }
            if !tried.is_empty() {
                tried.sort_unstable();
                let text = String::from_utf8_lossy(line.payload);
                let text = wrap::unescaped(&text);
                let end = |pattern: u32| self.patterns.regex(pattern)?.shortest_match(&text);
                matches.extend(tried.iter().filter_map(|p| Some(Match { pattern: *p, line: i, end: end(*p)? })));
            }
        }
        self.found = found;
        matches
    }

    fn count_level(&mut self, line: &Unwrapped<'_>, number: u32) {
        let Some(level) = level::of_line(line.payload).filter(|l| *l >= Level::Warning) else { return };
        self.log.n_errors = self.log.n_errors.saturating_add(u32::from(level >= Level::Error));
        self.templates.add(line, level, number);
    }
}

/// A line as it is kept.
pub(super) fn log_line(number: u32, line: &[u8]) -> LogLine {
    let line = wrap::unwrap(line);
    LogLine { line: number, at: line.at(), level: level::of_line(line.payload), text: cut(line.payload, 0, KEPT) }
}

/// `line` as text, cut at `kept` characters around the byte `at`.
pub(super) fn cut(line: &[u8], at: usize, kept: usize) -> String {
    let text = String::from_utf8_lossy(line);
    if text.len() <= kept {
        return text.into_owned();
    }
    let from = at.saturating_sub(kept / 2).min(text.len().saturating_sub(kept));
    text[text.ceil_char_boundary(from)..].chars().take(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use super::*;

    fn patterns(regexes: &[&str]) -> Patterns {
        let pattern = |r: &&str| Pattern { name: (*r).to_owned(), regex: (*r).to_owned() };
        Patterns::new(regexes.iter().map(pattern).collect()).unwrap()
    }

    const REGEXES: &[&str] =
        &["connection refused", r"(?i)timed out after (?<n>\d+)s", "^boom: (fire|water)$", r"refused.*timed out", "an image"];

    fn scanned(text: &[u8]) -> Log {
        scan(&Arc::from("a.log"), LogSource::default(), 1, text, &patterns(REGEXES))
    }

    /// The log scanned in parts of at least `size` bytes, cut at line ends.
    fn scanned_in_parts(text: &[u8], size: usize) -> Log {
        let patterns = patterns(REGEXES);
        let (mut rest, mut line, mut log) = (text, 1, None);
        while !rest.is_empty() || log.is_none() {
            let from = rest.len().min(size);
            let end = memchr::memchr(b'\n', &rest[from..]).map_or(rest.len(), |i| from + i + 1);
            let part = scan(&Arc::from("a.log"), LogSource::default(), line, &rest[..end], &patterns);
            line += memchr::memchr_iter(b'\n', &rest[..end]).count() as u32;
            rest = &rest[end..];
            log = Some(match log {
                None => part,
                Some(log) => Log::join(log, part),
            });
        }
        log.unwrap()
    }

    #[test]
    fn keeps_hits_with_their_neighbours() {
        let log = scanned(b"one\ntwo\n2024-01-02T15:04:05.0Z dial: connection refused\nthree\nfour\nfive\n");
        assert_eq!(log.n_lines, 6);
        assert_eq!(log.counts, [(0, 1)]);
        let hit = &log.hits[0];
        assert_eq!((hit.line.line, hit.line.text.as_str()), (3, "dial: connection refused"));
        assert_eq!(hit.line.at, "2024-01-02T15:04:05Z".parse().ok());
        assert_eq!((&hit.before[..], &hit.after[..]), (&["one".into(), "two".into()][..], &["three".into(), "four".into()][..]));
        assert_eq!((log.first, log.last), (hit.line.at, hit.line.at));
    }

    #[test]
    fn keeps_the_first_and_the_last_hits() {
        let text: String = (1..=50_000).map(|i| format!("line {i} connection refused\n")).collect();
        let log = scanned(text.as_bytes());
        assert_eq!(log.count(0), 50_000);
        let lines: Vec<u32> = log.hits.iter().map(|h| h.line.line).collect();
        assert_eq!(lines, (1..=8).chain(49_993..=50_000).collect::<Vec<_>>());
        assert!(log.hits.iter().take(14).all(|h| h.after.len() == 2));
        assert_eq!((log.head.len(), log.tail.len(), log.tail[29].line), (20, 30, 50_000));
    }

    #[test]
    fn sees_through_wrappers() {
        let cut = "2024-01-02T15:04:05.000000000Z stdout P conn\n2024-01-02T15:04:05.000000000Z stdout F ection refused\n";
        let docker = concat!(
            r#"{"log":"conn","stream":"stdout","time":"2024-01-02T15:04:05Z"}"#,
            "\n",
            r#"{"log":"ection refused\n","stream":"stdout","time":"2024-01-02T15:04:05Z"}"#
        );
        for text in ["connection\x1b[31m refused", "[31mconn\x1b[0mection refused\r", cut, docker] {
            let log = scanned(text.as_bytes());
            assert_eq!((log.count(0), log.hits[0].line.line), (1, 1), "{text}");
        }
        assert_eq!(scanned(b"2024-01-02T15:04:05.000000000Z stderr F boom: fire\n").count(2), 1);
    }

    #[test]
    fn a_long_line_is_cut_around_its_match() {
        let text = format!("{} connection refused {}", "é".repeat(30_000), "y".repeat(30_000));
        let log = scanned(text.as_bytes());
        let kept = &log.hits[0].line.text;
        assert!(kept.contains("connection refused") && kept.chars().count() == KEPT);
    }

    #[test]
    fn counts_errors() {
        let text = b"E0102 15:04:05.000000 1 a.go:1] x\nI0102 15:04:05.000000 1 a.go:1] error\n{\"level\":\"error\"}\n\x1b[31mERROR\x1b[0m x\n";
        assert_eq!(scanned(text).n_errors, 3);
    }

    /// What `scan` must give, computed line by line without any search for literals.
    fn naive(text: &str) -> (Vec<(u32, u32)>, u32, u32) {
        let regexes: Vec<regex::Regex> = REGEXES.iter().map(|r| regex::Regex::new(r).unwrap()).collect();
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        let payload = |l: &str| String::from_utf8_lossy(wrap::unwrap(l.as_bytes()).payload).into_owned();
        let count = |r: &regex::Regex| lines.iter().filter(|l| r.is_match(&payload(l))).count() as u32;
        let counts = regexes.iter().map(count).enumerate().filter(|(_, n)| *n > 0).map(|(i, n)| (i as u32, n)).collect();
        let is_error = |l: &&&str| level::of_line(payload(l).as_bytes()) >= Some(Level::Error);
        (counts, lines.len() as u32, lines.iter().filter(is_error).count() as u32)
    }

    fn line() -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::{Strategy, prop_oneof};
        let words = prop_oneof![
            "(connection |refused |timed OUT after 3s|boom: |fire|an imag|e |ERROR |error: |\\PC){0,6}",
            "E0102 15:04:05.000000 1 a.go:1\\] (refused|timed out after 1s)?",
            "\\{\"level\":(\"error\"|50|\"info\"),\"msg\":\"(connection refused)?\"\\}",
        ];
        ("(2024-01-02T15:04:05.000000000Z (stdout F )?)?", words).prop_map(|(prefix, words)| prefix + &words)
    }

    proptest::proptest! {
        #[test]
        fn counts_are_those_of_a_naive_reading(lines in proptest::collection::vec(line(), 0..40)) {
            let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
            let log = scanned(text.as_bytes());
            proptest::prop_assert_eq!((log.counts, log.n_lines, log.n_errors), naive(&text));
        }

        #[test]
        fn parts_make_no_difference(
            lines in proptest::collection::vec(line(), 0..60),
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            size in 1_usize..400,
        ) {
            let mut text = lines.join("\n").into_bytes();
            text.extend(bytes);
            let (whole, parts) = (scanned(&text), scanned_in_parts(&text, size));
            proptest::prop_assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
        }
    }
}
