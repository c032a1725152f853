//! The data of `Secret` objects, in YAML and in JSON, also where JSON stands as a string inside another document
//! (`last-applied-configuration`). All values are masked, whatever their keys are called.

use std::ops::Range;

use super::Secret;

const KIND: &str = "secret data";

/// Objects nested deeper are not followed.
const DEEPEST: usize = 128;

/// JSON in a string in JSON and so on is followed this far.
const MOST_QUOTING: usize = 3;

/// Adds the values of `data` and `stringData` of every `Secret` in the text.
pub(super) fn find(text: &str, secrets: &mut Vec<Secret>) {
    if !text.contains("Secret") || !(text.contains("data") || text.contains("stringData")) {
        return;
    }
    let mut found = Found { is_list: text.contains("SecretList"), secrets };
    yaml(text, &mut found);
    json(text, 0, 0, &mut found);
}

/// Where values go when their object is closed.
struct Found<'s> {
    /// The text holds a typed list, whose items may carry no kind of their own.
    is_list: bool,
    secrets: &'s mut Vec<Secret>,
}

impl Found<'_> {
    fn take(&mut self, values: Vec<Secret>, is_secret: bool) {
        if is_secret || self.is_list {
            self.secrets.extend(values);
        }
    }
}

/// A line of YAML: where it starts, the columns of its dash (or key) and of its key, and the line itself.
struct Line<'t> {
    start: usize,
    column: usize,
    key_column: usize,
    key: &'t str,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn new(start: usize, line: &'t str) -> Self {
        let text = line.trim_end();
        let column = text.len() - text.trim_start_matches(' ').len();
        let key_column = text.len() - text.trim_start_matches([' ', '-']).len();
        let key = text[key_column..].split(':').next().unwrap_or("");
        Self { start, column, key_column, key, text }
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// A line that ends any document or object.
    fn is_break(&self) -> bool {
        self.text.starts_with("---") || self.text.starts_with("...")
    }

    /// The value on the line, without its quotes.
    fn value(&self) -> Option<Range<usize>> {
        let behind = self.key_column + self.key.len() + 1;
        let value = self.text.get(behind..)?;
        let lead = value.len() - value.trim_start().len();
        let quotes = usize::from(value.trim().starts_with(['"', '\'']) && value.trim().len() > 1);
        let range = self.start + behind + lead + quotes..self.start + self.text.len() - quotes;
        (range.start < range.end).then_some(range)
    }
}

/// An object of YAML being read: the mapping at one column.
#[derive(Default)]
struct Mapping {
    column: usize,
    is_secret: bool,
    is_in_data: bool,
    /// Values of its `data` so far; whether they count is known once its `kind` was seen.
    values: Vec<Secret>,
    /// A block scalar among them whose lines are being read: the column of its key.
    block: Option<usize>,
}

/// `kind` comes after `data` as kubectl sorts keys, so values are collected until the mapping ends. Mappings are told by
/// their columns alone.
fn yaml(text: &str, found: &mut Found<'_>) {
    let mut open: Vec<Mapping> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = Line::new(start, raw.trim_end_matches(['\n', '\r']));
        start += raw.len();
        if line.is_blank() {
            continue;
        }
        let ends = |mapping: &Mapping| line.is_break() || line.column < mapping.column || line.key_column < mapping.column;
        while let Some(mapping) = open.pop_if(|mapping| ends(mapping)) {
            found.take(mapping.values, mapping.is_secret);
        }
        read(&line, &mut open);
    }
    for mapping in open {
        found.take(mapping.values, mapping.is_secret);
    }
}

fn read(line: &Line<'_>, open: &mut Vec<Mapping>) {
    if let Some(mapping) = open.last_mut().filter(|mapping| mapping.is_in_data && line.key_column > mapping.column) {
        return mapping.take(line);
    }
    let has_kind = line.key == "kind" && line.text.ends_with("Secret") && line.text[line.key_column..].starts_with("kind:");
    let has_data = matches!(line.key, "data" | "stringData") && line.text.ends_with(':');
    if let Some(mapping) = open.last_mut().filter(|mapping| mapping.column == line.key_column) {
        mapping.is_secret |= has_kind;
        mapping.is_in_data = has_data;
    } else if (has_kind || has_data) && open.len() < DEEPEST {
        open.push(Mapping { column: line.key_column, is_secret: has_kind, is_in_data: has_data, ..Mapping::default() });
    }
}

impl Mapping {
    /// Takes a line below `data`: a value, or a line of a block scalar, which is one value with those before it.
    fn take(&mut self, line: &Line<'_>) {
        if self.block.is_some_and(|column| line.column > column) {
            let (start, end) = (line.start + line.column, line.start + line.text.len());
            match self.values.last_mut().filter(|secret| !secret.range.is_empty()) {
                Some(secret) => secret.range.end = end,
                None => self.values.push(Secret::new(start..end, KIND)),
            }
            return;
        }
        self.block = None;
        let Some(range) = line.value() else { return };
        let value = &line.text[range.start - line.start..range.end - line.start];
        let is_plain = line.text.ends_with(value);
        if is_plain && value.starts_with(['|', '>']) && value.len() <= 3 {
            self.block = Some(line.key_column);
            // Begins a value of its own: the lines that follow belong to it.
            self.values.push(Secret::new(range.end..range.end, KIND));
        } else if is_plain && !(value.starts_with(['{', '[']) || value == "null") {
            self.values.push(Secret { quoted: true, ..Secret::new(range, KIND) });
        } else if !is_plain {
            self.values.push(Secret::new(range, KIND));
        }
    }
}

/// An object of JSON being read.
#[derive(Default)]
struct Braces {
    is_secret: bool,
    is_data: bool,
    /// Values of its `data`, or, when it is a `data`, its own.
    values: Vec<Secret>,
}

/// Reads the JSON in a text, or in a string `quoting` strings deep, where every quote has backslashes before it. What is no
/// JSON passes by: only braces, strings and the names before colons are looked at.
fn json(text: &str, base: usize, quoting: usize, found: &mut Found<'_>) {
    let bytes = text.as_bytes();
    let mut open: Vec<Braces> = Vec::new();
    let mut n_too_deep = 0_usize;
    let mut key = "";
    let mut at = 0;
    while let Some(passed) = memchr::memchr3(b'{', b'}', b'"', &bytes[at..]) {
        at += passed + 1;
        match bytes[at - 1] {
            b'{' if open.len() >= DEEPEST => n_too_deep += 1,
            b'{' => {
                open.push(Braces { is_data: matches!(key, "data" | "stringData"), ..Braces::default() });
                key = "";
            }
            b'}' if n_too_deep > 0 => n_too_deep -= 1,
            b'}' => end(&mut open, found),
            _ => {
                let Some(content) = string(bytes, at, quoting) else { continue };
                let value = &text[content.clone()];
                at = content.end + backslashes(quoting) + 1;
                let is_nested = quoting < MOST_QUOTING && value.contains("\\\"") && value.contains("Secret");
                if bytes[at..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':') {
                    key = value;
                } else if let Some(braces) = open.last_mut() {
                    braces.is_secret |= key == "kind" && value == "Secret";
                    if braces.is_data {
                        braces.values.push(Secret::new(base + content.start..base + content.end, KIND));
                    }
                    key = "";
                }
                if is_nested {
                    json(value, base + content.start, quoting + 1, found);
                }
            }
        }
    }
}

/// Closes the innermost object: a `data` hands its values to the object around it, a `Secret` gives them out.
fn end(open: &mut Vec<Braces>, found: &mut Found<'_>) {
    let Some(braces) = open.pop() else { return };
    if braces.is_data {
        if let Some(outer) = open.last_mut() {
            outer.values.extend(braces.values);
        }
    } else {
        found.take(braces.values, braces.is_secret);
    }
}

/// Backslashes before a quote in a string that many strings deep: 0, 1, 3, 7.
fn backslashes(quoting: usize) -> usize {
    (1 << quoting) - 1
}

/// The content of the string that begins at `start`, right behind its quote; `None` when that is no quote of this depth, or
/// the string does not end on its line.
fn string(bytes: &[u8], start: usize, quoting: usize) -> Option<Range<usize>> {
    let n_backslashes = backslashes(quoting);
    let run_before = |at: usize| bytes[..at].iter().rev().take(n_backslashes + 1).take_while(|b| **b == b'\\').count();
    if run_before(start - 1) != n_backslashes {
        return None;
    }
    let mut at = start;
    loop {
        at += memchr::memchr2(b'"', b'\n', &bytes[at..])?;
        if bytes[at] == b'\n' {
            return None;
        }
        if run_before(at) == n_backslashes && at - start >= n_backslashes {
            return Some(start..at - n_backslashes);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut secrets = Vec::new();
        find(text, &mut secrets);
        secrets.sort_by_key(|secret| secret.range.start);
        secrets.into_iter().map(|secret| &text[secret.range]).filter(|value| !value.is_empty()).collect()
    }

    #[test]
    fn yaml_as_kubectl_sorts_it() {
        let text = "\
apiVersion: v1
items:
- apiVersion: v1
  data:
    level: debug
  kind: ConfigMap
- apiVersion: v1
  data:
    colour: Ymx1ZQ==
    config: |
      a: b
      c: d
    empty: \"\"
  kind: Secret
  metadata:
    name: s
- apiVersion: v1
  kind: Secret
  stringData:
    shape: \"round\"
kind: List
";
        assert_eq!(found(text), ["Ymx1ZQ==", "a: b\n      c: d", "round"]);
    }

    #[test]
    fn json_at_any_depth_of_quoting() {
        let object = r#"{"data":{"colour":"Ymx1ZQ=="},"kind":"Secret","metadata":{"annotations":{"data":"x"}}}"#;
        let in_string = serde_json::json!({ "last-applied": object }).to_string();
        let in_string_twice = serde_json::json!({ "metadata": in_string }).to_string();
        for text in [object, &in_string, &in_string_twice] {
            assert_eq!(found(text), ["Ymx1ZQ=="], "{text}");
        }
        assert_eq!(found(r#"{"data":{"a":"b"},"kind":"ConfigMap"} Secret"#), [""; 0]);
    }
}
