//! The fast reader against the full parser: whatever it reads, it must read alike, lines included.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Tape, TapeBuilder, Value, sniff, text};
use super::scan::{self, Extent};
use super::{Break, full, split};

/// Both readings of `text`; `None` when the fast reader leaves it to the full parser.
fn both(text: &str, extent: Extent) -> Option<(Tape, Vec<Tape>, Option<Break>)> {
    let path = Arc::from("x.yaml");
    let mut builder = TapeBuilder::new(&path);
    scan::scan(text, 1, extent, &mut builder).ok()?;
    let read = full::read(&path, text, 1);
    Some((builder.finish(), read.tapes, read.broken))
}

/// All of a value, with tags and lines.
fn dump(value: Value<'_>) -> String {
    let mut out = String::new();
    write_value(value, 0, &mut out);
    out
}

fn write_value(value: Value<'_>, depth: usize, out: &mut String) {
    let _ = writeln!(out, "{:depth$}{:?} line {:?} {:?}", "", value.tag(), value.line(), value.text());
    value.items().for_each(|item| write_value(item, depth + 1, out));
    for (key, value) in value.fields() {
        let _ = writeln!(out, "{:depth$}{key:?}", "");
        write_value(value, depth + 1, out);
    }
}

/// The fast reader leaves `text` alone, or reads it as the full parser does. Only that one refuses tabs between a colon and
/// its value, and looks into what is not kept.
fn check(text: &str) {
    for extent in [Extent::Document, Extent::Item] {
        let Some((fast, full, broken)) = both(text, extent) else { continue };
        if let Some(broken) = broken {
            let may = text.contains('\t') || text.contains("fieldsV1");
            assert!(may, "only the full parser breaks: {broken:?}\n{text}");
            continue;
        }
        let root = full.first().map_or(Value::ABSENT, Tape::root);
        let expected = if extent == Extent::Item { root.item(0) } else { root };
        assert_eq!(dump(fast.root()), dump(expected), "{extent:?}\n{text}");
        assert!(extent == Extent::Document || root.len() == 1, "{text}");
    }
}

/// Bytes that decide, one after the other; all zero when they are used up.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn roll(&mut self, n: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % n
    }

    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.roll(from.len())]
    }
}

const HARMLESS: &[&str] =
    &["a", "web", "foo", "x-y_z", "k8s.io/x", "10m", "true", "0644", "1.5", "http://x:80/", "a:b", "é", "ready", "#", "~"];
const WORDS: &[&str] = &[
    "a",
    "web",
    "foo bar",
    "1",
    "-1",
    "0644",
    "1e3",
    "0x1F",
    "1_000",
    ".5",
    "true",
    "False",
    "null",
    "~",
    "yes",
    "=",
    "10m",
    "",
    "k8s.io/x",
    "http://x:80/",
    "a:b",
    "-x",
    "?x",
    ":x",
    "a #b",
    "a# b",
    "a: b",
    "x:",
    "- a",
    "'",
    "\"",
    "''",
    "\\n",
    "\\\"",
    "\\u00e9",
    "\\x41",
    "\\",
    "\\/",
    "é",
    "😀",
    "\u{a0}",
    "{",
    "}",
    "[",
    "]",
    "{}",
    "[]",
    "{a: 1}",
    "|",
    ">",
    "&a",
    "&a b",
    "*a",
    "!x",
    "!!str 1",
    "<<",
    "---",
    "...",
    "%",
    "@",
    "`",
    ",",
    "\t",
    "a\tb",
    "fieldsV1",
    "f:a",
    "k:{\"name\":\"x\"}",
    ".",
    "#",
    "# x",
    "\u{7f}",
    "\u{1b}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
];
const SPACES: &[&str] = &[" ", " ", " ", " ", "  ", " \t", "   ", ""];
const ENDS: &[&str] = &["\n", "\n", "\n", "\n", " \n", " # x\n", "#x\n", "\n\n", "\n  \n", "\n# x\n", "\n   # x\n", "\t\n"];

fn words(dice: &mut Dice<'_>) -> String {
    let from = if dice.roll(4) == 0 { WORDS } else { HARMLESS };
    (0..=dice.roll(3)).map(|_| dice.pick(from)).collect::<Vec<_>>().join(dice.pick(&["", " ", " "]))
}

/// A block scalar, a scalar on one line or several, or an empty collection, for a parent at column `indent`.
fn scalar(dice: &mut Dice<'_>, indent: usize, out: &mut String) {
    let deeper = " ".repeat(indent + 1 + dice.roll(3));
    let lines = |dice: &mut Dice<'_>, out: &mut String| {
        for _ in 0..dice.roll(4) {
            out.push_str(dice.pick(&["\n", "\n", "\n", "\n\n", " \n", "\t\n", "\n  \n", "\\\n"]));
            out.push_str(dice.pick(&["", "", " "]));
            out.push_str(&deeper);
            out.push_str(&words(dice));
        }
    };
    match dice.roll(8) {
        0 | 1 => out.push_str(&words(dice)),
        2 => {
            out.push_str(&words(dice));
            lines(dice, out);
        }
        3 => {
            out.push('"');
            out.push_str(&words(dice).replace('"', "\\\""));
            lines(dice, out);
            out.push('"');
        }
        4 => {
            out.push('\'');
            out.push_str(&words(dice).replace('\'', "''"));
            lines(dice, out);
            out.push('\'');
        }
        5 => out.push_str(dice.pick(&["{}", "[]", "null", "\"\"", "''", "2026-01-02T03:04:05Z"])),
        _ => {
            out.push_str(dice.pick(&["|", "|", "|-", "|+", "|2", "|1-", "|+3", ">", ">-", ">+", ">2"]));
            out.push_str(dice.pick(&["", "", " ", " # x"]));
            lines(dice, out);
        }
    }
    out.push_str(dice.pick(ENDS));
}

fn key(dice: &mut Dice<'_>) -> String {
    match dice.roll(6) {
        0..3 => dice
            .pick(&["a", "b", "c", "name", "managedFields", "fieldsV1", "f:spec", "k:{\"a\":1}", ".", "1", "010", "no"])
            .to_owned(),
        3 => words(dice),
        4 => format!("\"{}\"", words(dice)),
        _ => format!("'{}'", words(dice)),
    }
}

/// A collection at column `indent`, whose first line is already indented.
fn collection(dice: &mut Dice<'_>, indent: usize, depth: usize, out: &mut String) {
    let is_map = dice.roll(5) < 3;
    for i in 0..=dice.roll(4) {
        if i > 0 {
            out.push_str(&" ".repeat(indent));
        }
        if is_map {
            if dice.roll(20) == 0 {
                let _ = write!(out, "? {}\n{}:", key(dice), " ".repeat(indent));
            } else {
                let _ = write!(out, "{}{}:", key(dice), dice.pick(&["", "", "", " "]));
            }
            match dice.roll(3) {
                0 if depth > 0 => {
                    out.push_str(dice.pick(ENDS));
                    let below = indent + dice.roll(3);
                    out.push_str(&" ".repeat(below));
                    collection(dice, below, depth - 1, out);
                }
                1 if dice.roll(6) == 0 => out.push_str(dice.pick(ENDS)),
                _ => {
                    out.push_str(dice.pick(SPACES));
                    scalar(dice, indent, out);
                }
            }
        } else {
            let gap = dice.pick(&[" ", " ", " ", " ", " ", "   ", "\n", "\t"]);
            out.push('-');
            out.push_str(gap);
            if depth > 0 && dice.roll(3) > 0 {
                collection(dice, indent + 1 + gap.len(), depth - 1, out);
            } else {
                scalar(dice, indent, out);
            }
        }
    }
}

fn document(bytes: &[u8]) -> String {
    let mut dice = Dice(bytes.iter());
    let mut out = String::new();
    collection(&mut dice, 0, 4, &mut out);
    out
}

/// Replaces, inserts or removes characters and line starts.
fn mutated(mut text: String, mutations: &[(u16, u8, u8)]) -> String {
    const INSERTS: &[&str] = &[
        " ", "\n", "-", "- ", ":", ": ", "#", " #", "\"", "'", "\t", "  ", "|", ">", "{", "}", "?", "? ", "a", "\\", "&", "*",
        "!",
    ];
    for (at, action, what) in mutations {
        let at = text.floor_char_boundary(usize::from(*at) % (text.len() + 1));
        let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
        let insert = INSERTS[usize::from(*what) % INSERTS.len()];
        match action % 5 {
            0 => text.insert_str(at, insert),
            1 => text.insert_str(line, insert),
            2 if text[line..].starts_with(' ') => drop(text.remove(line)),
            3 if at < text.len() => drop(text.remove(at)),
            _ => text.truncate(at),
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_documents_read_alike(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&document(&bytes));
    }

    #[test]
    fn mutated_documents_read_alike(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        mutations in prop::collection::vec(any::<(u16, u8, u8)>(), 1..4),
    ) {
        check(&mutated(document(&bytes), &mutations));
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it proves nothing")]
fn real_dumps_read_alike() {
    let cases = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/cases"));
    let archives = ["arc", "k8s"].iter().filter_map(|suite| std::fs::read_dir(cases.join(suite)).ok()).flatten().flatten();
    let mut n_fast = 0;
    for archive in archives.map(|entry| entry.path()).filter(|path| path.is_file()) {
        let limits = crate::bundle::Limits::default();
        let mut sink = |entry: crate::bundle::Entry| n_fast += check_file(&entry.bytes);
        crate::bundle::read(&crate::bundle::Source::Path(archive), &limits, &mut sink).unwrap();
    }
    if n_fast == 0 {
        eprintln!("skipped: no cases beside the checkout");
    }
}

/// Checks all items of a YAML file; gives the number of those the fast reader took.
fn check_file(bytes: &[u8]) -> usize {
    let Some(text) = text::read(bytes).filter(|text| sniff::shape(text) == sniff::Shape::Yaml) else { return 0 };
    let mut n_fast = 0;
    for document in split::documents(&text, 1) {
        let chunks = split::list(&document).map_or_else(|| vec![document], |list| list.items);
        for chunk in chunks {
            check(chunk.text);
            let taken = |extent| both(chunk.text, extent).is_some();
            n_fast += usize::from(taken(Extent::Document) || taken(Extent::Item));
        }
    }
    n_fast
}
