//! JSON → tapes, with the line of every value: single values, concatenated ones, one a line. A value that breaks off
//! keeps what stands before the break, and the reading goes on at the next value or List item.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::{memchr_iter, memchr2, memmem};

use super::tape::{Tag, Tape, TapeBuilder};
use super::{Decoded, Part, objects, yaml};
use crate::location::{Location, Problem};

/// Containers inside containers, as for YAML.
const DEPTH: usize = yaml::DEPTH;

/// The objects in a JSON text.
pub(super) fn decode(part: &Part<'_>) -> Decoded {
    let mut out = Decoded::default();
    let mut reader = Reader { path: part.path, text: part.text, at: 0, line: part.line, root: (0, part.line) };
    let no_heirs = objects::Heirs::default();
    while let Some((tape, broken)) = reader.next_value() {
        let Some(broken) = broken else {
            objects::take(tape, &no_heirs, part, &mut out.documents);
            continue;
        };
        // KYAML looks like JSON with keys that need no quotes, comments and commas at the end of lists.
        if broken.is_yaml && out.documents.is_empty() {
            return yaml::decode(part);
        }
        out.problems.push(broken.problem(part.path));
        let heirs = objects::Heirs::of_list(tape.root());
        if let Some(opening) = reader.item_opening(&tape) {
            objects::take(tape, &no_heirs, part, &mut out.documents);
            let items = reader.items_after_break(&opening, &mut out.problems);
            items.into_iter().for_each(|item| objects::take(item, &heirs, part, &mut out.documents));
        } else {
            objects::take(tape, &no_heirs, part, &mut out.documents);
        }
        reader.resume(None);
    }
    out
}

/// The first value in a JSON text, whatever it is.
pub(super) fn first(part: &Part<'_>) -> Option<Tape> {
    let mut reader = Reader { path: part.path, text: part.text, at: 0, line: part.line, root: (0, part.line) };
    reader.next_value().map(|(tape, _)| tape)
}

/// Where and why a text stops being JSON.
struct Break {
    line: u32,
    what: String,
    /// YAML could go on from here.
    is_yaml: bool,
}

impl Break {
    fn problem(self, path: &Arc<str>) -> Problem {
        Problem::new(Location::line(path, self.line), self.what)
    }
}

struct Reader<'a> {
    path: &'a Arc<str>,
    text: &'a str,
    at: usize,
    line: u32,
    /// Offset and line of the value being read.
    root: (usize, u32),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of the array just opened.
    FirstItem,
    Key,
    /// A key, or the end of the object just opened.
    FirstKey,
    /// A comma, or the end of the innermost container.
    Comma,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// The next value of the text, as far as it goes.
    fn next_value(&mut self) -> Option<(Tape, Option<Break>)> {
        loop {
            self.skip_space();
            // Documents glued with commas or YAML's separator.
            match self.peek()? {
                b',' => self.at += 1,
                b'-' if self.text[self.at..].starts_with("---") => self.at += 3,
                _ => break,
            }
        }
        self.root = (self.at, self.line);
        let mut builder = TapeBuilder::new(self.path);
        let broken = self.value(&mut builder).err();
        Some((builder.finish(), broken))
    }

    fn value(&mut self, out: &mut TapeBuilder) -> Result<(), Break> {
        // `true` for objects.
        let mut open: Vec<bool> = Vec::new();
        let mut next = Next::Value;
        // Line of the key whose value follows.
        let mut key_line = None;
        loop {
            self.skip_space();
            let Some(byte) = self.peek() else { return Err(self.broken("the text ends inside of a value")) };
            let line = key_line.take().unwrap_or(self.line);
            match (next, byte) {
                (Next::FirstItem | Next::Comma, b']') if open.last() == Some(&false) => self.close(out, &mut open),
                (Next::FirstKey | Next::Comma, b'}') if open.last() == Some(&true) => self.close(out, &mut open),
                (Next::Comma, b',') => {
                    self.at += 1;
                    next = if open.last() == Some(&true) { Next::Key } else { Next::Value };
                    continue;
                }
                (Next::FirstKey | Next::Key, b'"') => {
                    let position = out.position();
                    let key = self.string()?;
                    out.key(&key, self.line);
                    key_line = Some(self.line);
                    self.skip_space();
                    if self.peek() != Some(b':') {
                        return Err(self.broken("expected `:`"));
                    }
                    self.at += 1;
                    next = Next::Value;
                    if key == yaml::SKIPPED_KEY && self.skip_object()? {
                        out.forget_key(position);
                        key_line = None;
                        next = Next::Comma;
                    }
                    continue;
                }
                (Next::Value | Next::FirstItem, b'{' | b'[') => {
                    if open.len() >= DEPTH {
                        return Err(self.broken(&format!("nested deeper than {DEPTH} levels")));
                    }
                    self.at += 1;
                    open.push(byte == b'{');
                    if byte == b'{' {
                        out.map(line);
                        next = Next::FirstKey;
                    } else {
                        out.seq(line);
                        next = Next::FirstItem;
                    }
                    continue;
                }
                (Next::Value | Next::FirstItem, b'"') => {
                    let text = self.string()?;
                    out.scalar(Tag::Str, &text, line);
                }
                (Next::Value | Next::FirstItem, _) => self.literal(out, line)?,
                (Next::FirstKey | Next::Key, _) => return Err(self.maybe_yaml("expected a key in quotation marks")),
                (Next::Comma, _) => return Err(self.broken("expected `,`")),
            }
            if open.is_empty() {
                return Ok(());
            }
            next = Next::Comma;
        }
    }

    fn close(&mut self, out: &mut TapeBuilder, open: &mut Vec<bool>) {
        self.at += 1;
        open.pop();
        out.end();
    }

    fn broken(&self, what: &str) -> Break {
        Break { line: self.line, what: format!("not JSON from here on: {what}"), is_yaml: false }
    }

    fn maybe_yaml(&self, what: &str) -> Break {
        let is_yaml = self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b"_'#}]".contains(&b));
        Break { is_yaml, ..self.broken(what) }
    }

    /// A number, `true`, `false` or `null`.
    fn literal(&mut self, out: &mut TapeBuilder, line: u32) -> Result<(), Break> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))).unwrap_or(rest.len());
        let word = &rest[..end];
        match word {
            "null" => out.scalar(Tag::Null, "", line),
            "true" | "false" => out.scalar(Tag::Bool, word, line),
            _ if is_number(word) => out.scalar(Tag::Number, word, line),
            _ => return Err(self.maybe_yaml("expected a value")),
        }
        self.at += end;
        Ok(())
    }

    /// The string that starts here. Raw line breaks are let through.
    fn string(&mut self) -> Result<Cow<'a, str>, Break> {
        let text = self.text;
        let start = self.at + 1;
        let mut text_from = start;
        let mut unescaped: Option<String> = None;
        let mut from = start;
        loop {
            let Some(found) = memchr2(b'"', b'\\', &text.as_bytes()[from..]) else {
                return Err(self.broken("a string without an end"));
            };
            let at = from + found;
            if text.as_bytes()[at] == b'"' {
                self.line += memchr_iter(b'\n', &text.as_bytes()[start..at]).count() as u32;
                self.at = at + 1;
                let last = &text[text_from..at];
                return Ok(unescaped.map_or(Cow::Borrowed(last), |s| Cow::Owned(s + last)));
            }
            let so_far = unescaped.get_or_insert_default();
            so_far.push_str(&text[text_from..at]);
            let Some((c, length)) = escape(&text[at..]) else {
                self.at = at;
                return Err(self.broken("an unknown escape"));
            };
            so_far.push(c);
            text_from = at + length;
            from = text_from;
        }
    }

    /// Passes over the object that follows, when one does.
    fn skip_object(&mut self) -> Result<bool, Break> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return Ok(false);
        }
        let mut depth = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'\n' => self.line += 1,
                b'"' => {
                    self.string()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(true);
            }
        }
        Err(self.broken("the text ends inside of a value"))
    }

    /// How the items of the List just read start: the line break, indentation and brace of the first one.
    fn item_opening(&self, tape: &Tape) -> Option<String> {
        let root = tape.root();
        let items = if root.tag() == Some(Tag::Seq) { root } else { root.get("items") };
        let (at, line) = self.root;
        let first = self.text[at..].lines().nth(items.item(0).line()?.checked_sub(line)? as usize)?;
        (first.trim() == "{").then(|| format!("\n{}", first.trim_end()))
    }

    /// Goes on behind a break: at the next line that is `opening`, or that opens a value at the left margin.
    fn resume(&mut self, opening: Option<&str>) {
        let rest = &self.text.as_bytes()[self.at..];
        let openings = [Some("\n{"), Some("\n["), opening];
        let next = openings.iter().flatten().filter_map(|o| memmem::find(rest, o.as_bytes())).min();
        let by = next.unwrap_or(rest.len());
        self.line += memchr_iter(b'\n', &rest[..by]).count() as u32;
        self.at += by;
    }

    /// The items of a List behind the broken one.
    fn items_after_break(&mut self, opening: &str, problems: &mut Vec<Problem>) -> Vec<Tape> {
        let mut items = Vec::new();
        self.resume(Some(opening));
        while self.text[self.at..].starts_with(opening) {
            let Some((tape, broken)) = self.next_value() else { break };
            items.push(tape);
            if let Some(broken) = broken {
                problems.push(broken.problem(self.path));
                self.resume(Some(opening));
            } else if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        items
    }
}

/// The character of the escape `text` starts with, and the escape's length. Half a surrogate pair is U+FFFD.
fn escape(text: &str) -> Option<(char, usize)> {
    let c = match text.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        c @ (b'"' | b'\\' | b'/') => char::from(*c),
        b'u' => return unicode_escape(text),
        _ => return None,
    };
    Some((c, 2))
}

fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    let pair = unit(6).filter(|_| (0xd800..0xdc00).contains(&first)).filter(|u| (0xdc00..0xe000).contains(u));
    let mut decoded = char::decode_utf16([first].into_iter().chain(pair));
    let c = decoded.next()?.unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((c, if pair.is_some() { 12 } else { 6 }))
}

fn is_number(word: &str) -> bool {
    yaml::is_json_number(word.strip_prefix('-').unwrap_or(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Document, Resource};
    use super::*;

    fn read(text: &str) -> (Vec<Resource>, Vec<Problem>) {
        let path = Arc::from("x.json");
        let out = decode(&Part { path: &path, text, line: 1, title: "" });
        let resource = |d| match d {
            Document::Resource(r) => Some(r),
            Document::Collected(_) => None,
            other => panic!("{other:?}"),
        };
        (out.documents.into_iter().filter_map(resource).collect(), out.problems)
    }

    fn pod(name: &str) -> String {
        format!("{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"{name}\"}}}}")
    }

    #[test]
    fn values_know_their_lines() {
        let text = "{\n \"kind\": \"Pod\",\n \"metadata\": {\n  \"name\": \"a\",\n  \"x\": [\n   1,\n   {\"y\":\n    2}]}}";
        let (pods, _) = read(text);
        for (path, line) in [("kind", 2), ("metadata", 3), ("metadata.name", 4), ("metadata.x", 5), ("metadata.x[1].y", 7)] {
            assert_eq!(pods[0].at(path).line(), Some(line), "{path}");
        }
    }

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            r#"{"a":[1,-2.5e3,true,false,null,"x",{},[]],"b":{"c":""}}"#,
            r#"["\n\t\"\\\/\u00e9\ud83d\ude00"]"#,
            "  {\n\"a\" : 0 }\n",
        ] {
            let path = Arc::from("x");
            let mut reader = Reader { path: &path, text, at: 0, line: 1, root: (0, 1) };
            let (tape, broken) = reader.next_value().unwrap();
            assert!(broken.is_none());
            assert_eq!(tape.root().to_json(), serde_json::from_str::<serde_json::Value>(text).unwrap());
        }
    }

    #[test]
    fn reads_several_values() {
        for glue in ["", "\n", ",\n", "\n---\n"] {
            let (pods, problems) = read(&[pod("a"), pod("b")].join(glue));
            assert_eq!((pods.len(), problems.len()), (2, 0), "{glue:?}");
        }
    }

    #[test]
    fn drops_who_manages_which_field() {
        let (pods, _) =
            read(r#"{"kind":"P","metadata":{"name":"n","managedFields":[{"fieldsV1":{"f:x":{"a":"}"}},"time":"t"}]}}"#);
        assert_eq!(pods[0].at("metadata.managedFields").to_json(), json!([{"time": "t"}]));
    }

    #[test]
    fn reads_around_a_broken_item() {
        let item = |name: &str, rest: &str| {
            format!(
                "        {{\n            \"kind\": \"Pod\",\n            \"metadata\": {{\"name\": \"{name}\"}}{rest}\n        }}"
            )
        };
        let items =
            [item("a", ""), item("b", ",\n            \"spec\": {\"x\" 1}"), item("c", ""), item("d", ", oops"), item("e", "")];
        let text = format!("{{\n    \"items\": [\n{}\n    ],\n    \"kind\": \"List\"\n}}\n{}", items.join(",\n"), pod("f"));
        let (pods, problems) = read(&text);
        assert_eq!(pods.iter().map(Resource::name).collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(problems.iter().map(|p| p.location.line.unwrap()).collect::<Vec<_>>(), [10, 18]);
        assert_eq!(pods[4].location().line, Some(20));
    }

    #[test]
    fn keeps_what_stands_before_the_end() {
        let whole = format!("[{}, {}]", pod("a"), pod("b"));
        for length in 45..whole.len() - 1 {
            let (pods, problems) = read(&whole[..length]);
            assert_eq!((pods[0].name(), problems.len()), ("a", 1), "{length}");
        }
        let (pods, problems) = read(&"[".repeat(100_000));
        assert!(pods.is_empty() && problems[0].what.contains("deeper"));
    }

    #[test]
    fn hands_flow_style_to_yaml() {
        let (pods, problems) = read("{\n  kind: \"Pod\",\n  metadata: {name: \"a\",},\n}\n");
        assert_eq!((pods[0].name(), pods[0].at("metadata.name").line(), problems), ("a", Some(3), vec![]));
    }
}
