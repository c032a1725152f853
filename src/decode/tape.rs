//! The decoded object: a flat tape with typed views over it.
//!
//! A tree of allocated values costs 8 to 12 bytes per input byte and most of it is never looked at. The tape is two
//! allocations per object, whatever its size: the scalars' text, and one [`Slot`] per value in document order. A
//! container's slot knows how many slots its subtree takes, so skipping is one addition. Every slot knows its line, which
//! is what makes evidence at file and line cheap.

use std::fmt;
use std::sync::Arc;

use crate::location::Location;

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `null`, `~` or an empty value.
    Null,
    /// `true` or `false`; the text says which.
    Bool,
    /// An integer or a float, kept as written.
    Number,
    /// A string, unescaped and folded as YAML or JSON says.
    Str,
    /// A sequence.
    Seq,
    /// A mapping: its subtree alternates keys (`Str`) and values.
    Map,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Scalars: offset into the text. Containers: number of direct children (pairs for a map).
    start: u32,
    /// Scalars: bytes of text. Containers: slots in the subtree, without this one.
    size: u32,
    /// 1-based line; 0 = unknown.
    line: u32,
    tag: Tag,
    /// Index into the tape's sources: an object merged from several files has several.
    source: u8,
}

/// One decoded document. The root is slot 0.
#[derive(Clone)]
pub struct Tape {
    text: Box<str>,
    slots: Box<[Slot]>,
    sources: Vec<Arc<str>>,
}

impl Tape {
    /// The root value.
    pub fn root(&self) -> Value<'_> {
        if self.slots.is_empty() { Value::ABSENT } else { Value { tape: Some(self), at: 0 } }
    }

    /// The file the document (or its first part, when merged) was read from.
    pub fn path(&self) -> &Arc<str> {
        &self.sources[0]
    }

    /// Heap bytes held.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.slots.len() * size_of::<Slot>()
    }

    /// The tape of a JSON value; every slot has line `line` of `path`.
    pub fn from_json(path: &Arc<str>, value: &serde_json::Value, line: u32) -> Self {
        let mut builder = TapeBuilder::new(path);
        builder.json(value, line);
        builder.finish()
    }

    /// `self` with what only `other` has: maps are merged key by key, everything else of `self` wins.
    /// Sequences are merged item by item when all items of both carry a `name`, else `self`'s stands.
    pub fn filled_from(&self, other: &Tape) -> Tape {
        let mut builder = TapeBuilder { sources: self.sources.clone(), ..TapeBuilder::new(self.path()) };
        builder.merged(self.root(), other.root());
        builder.finish()
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape({}: {})", self.path(), self.root().to_json())
    }
}

/// Builds a tape front to back. Containers are opened and closed; a map takes keys and values in turn.
#[derive(Debug)]
pub struct TapeBuilder {
    text: String,
    slots: Vec<Slot>,
    open: Vec<u32>,
    sources: Vec<Arc<str>>,
    source: u8,
}

impl TapeBuilder {
    /// An empty tape for a document of the file `path`.
    pub fn new(path: &Arc<str>) -> Self {
        Self { text: String::new(), slots: Vec::new(), open: Vec::new(), sources: vec![Arc::clone(path)], source: 0 }
    }

    /// Room for an input of about `bytes`.
    pub fn with_capacity(path: &Arc<str>, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes / 2), slots: Vec::with_capacity(bytes / 24 + 8), ..Self::new(path) }
    }

    /// Opens a map at `line`.
    pub fn map(&mut self, line: u32) {
        self.container(Tag::Map, line);
    }

    /// Opens a sequence at `line`.
    pub fn seq(&mut self, line: u32) {
        self.container(Tag::Seq, line);
    }

    fn container(&mut self, tag: Tag, line: u32) {
        self.open.push(self.slots.len() as u32);
        self.slots.push(Slot { start: 0, size: 0, line, tag, source: self.source });
    }

    /// Closes the innermost open container.
    pub fn end(&mut self) {
        let Some(at) = self.open.pop() else { return };
        let size = self.slots.len() as u32 - at - 1;
        let is_map = self.slots[at as usize].tag == Tag::Map;
        let mut children = 0;
        let mut next = at + 1;
        while next < self.slots.len() as u32 {
            children += 1;
            next += self.skip(next);
        }
        let slot = &mut self.slots[at as usize];
        slot.size = size;
        slot.start = if is_map { children / 2 } else { children };
    }

    fn skip(&self, at: u32) -> u32 {
        let slot = self.slots[at as usize];
        match slot.tag {
            Tag::Seq | Tag::Map => slot.size + 1,
            _ => 1,
        }
    }

    /// A key of the open map.
    pub fn key(&mut self, key: &str, line: u32) {
        self.scalar(Tag::Str, key, line);
    }

    /// A scalar value (or item): `tag` must not be a container's.
    pub fn scalar(&mut self, tag: Tag, text: &str, line: u32) {
        debug_assert!(!matches!(tag, Tag::Seq | Tag::Map));
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.slots.push(Slot { start, size: text.len() as u32, line, tag, source: self.source });
    }

    /// `key: value` with a string value.
    pub fn pair(&mut self, key: &str, value: &str, line: u32) {
        self.key(key, line);
        self.scalar(Tag::Str, value, line);
    }

    /// A whole JSON value.
    pub fn json(&mut self, value: &serde_json::Value, line: u32) {
        use serde_json::Value as J;
        match value {
            J::Null => self.scalar(Tag::Null, "", line),
            J::Bool(b) => self.scalar(Tag::Bool, if *b { "true" } else { "false" }, line),
            J::Number(n) => self.scalar(Tag::Number, &n.to_string(), line),
            J::String(s) => self.scalar(Tag::Str, s, line),
            J::Array(items) => {
                self.seq(line);
                items.iter().for_each(|v| self.json(v, line));
                self.end();
            }
            J::Object(map) => {
                self.map(line);
                for (k, v) in map {
                    self.key(k, line);
                    self.json(v, line);
                }
                self.end();
            }
        }
    }

    /// A copy of `value` with its lines and its source file.
    pub fn copy(&mut self, value: Value<'_>) {
        self.enter_source(value);
        let line = value.line().unwrap_or(0);
        match value.tag() {
            None => self.scalar(Tag::Null, "", line),
            Some(Tag::Seq) => {
                self.seq(line);
                value.items().for_each(|v| self.copy(v));
                self.end();
            }
            Some(Tag::Map) => {
                self.map(line);
                for (k, v) in value.fields() {
                    self.enter_source(v);
                    self.key(k, v.line().unwrap_or(0));
                    self.copy(v);
                }
                self.end();
            }
            Some(tag) => self.scalar(tag, value.text(), line),
        }
    }

    fn enter_source(&mut self, value: Value<'_>) {
        let Some(path) = value.path_of() else { return };
        let at = self.sources.iter().position(|s| Arc::ptr_eq(s, path) || s == path).unwrap_or_else(|| {
            if self.sources.len() < usize::from(u8::MAX) {
                self.sources.push(Arc::clone(path));
            }
            self.sources.len() - 1
        });
        self.source = at as u8;
    }

    fn merged(&mut self, ours: Value<'_>, theirs: Value<'_>) {
        match (ours.tag(), theirs.tag()) {
            (None | Some(Tag::Null), Some(_)) => self.copy(theirs),
            (Some(Tag::Map), Some(Tag::Map)) => {
                self.enter_source(ours);
                self.map(ours.line().unwrap_or(0));
                for (k, v) in ours.fields() {
                    self.enter_source(v);
                    self.key(k, v.line().unwrap_or(0));
                    self.merged(v, theirs.get(k));
                }
                for (k, v) in theirs.fields().filter(|(k, _)| ours.get(k).tag().is_none()) {
                    self.enter_source(v);
                    self.key(k, v.line().unwrap_or(0));
                    self.copy(v);
                }
                self.end();
            }
            (Some(Tag::Seq), Some(Tag::Seq)) if ours.items().chain(theirs.items()).all(|v| v.get("name").exists()) => {
                self.enter_source(ours);
                self.seq(ours.line().unwrap_or(0));
                for item in ours.items() {
                    let name = item.get("name").text();
                    let twin = theirs.items().find(|t| t.get("name").text() == name).unwrap_or(Value::ABSENT);
                    self.merged(item, twin);
                }
                self.end();
            }
            _ => self.copy(ours),
        }
    }

    /// Closes what is still open and gives the tape. A builder that got nothing gives a tape whose root is absent.
    pub fn finish(mut self) -> Tape {
        while !self.open.is_empty() {
            // A map cut off after a key gets a null, so that keys and values still alternate.
            let at = self.open[self.open.len() - 1];
            if self.slots[at as usize].tag == Tag::Map {
                let (mut next, mut odd) = (at + 1, false);
                while next < self.slots.len() as u32 {
                    next += self.skip(next);
                    odd = !odd;
                }
                if odd {
                    self.scalar(Tag::Null, "", 0);
                }
            }
            self.end();
        }
        Tape { text: self.text.into_boxed_str(), slots: self.slots.into_boxed_slice(), sources: self.sources }
    }
}

/// A view of one value of a tape, or of nothing: lookups never fail, they give [`Value::ABSENT`].
#[derive(Clone, Copy)]
pub struct Value<'a> {
    tape: Option<&'a Tape>,
    at: u32,
}

impl<'a> Value<'a> {
    /// The value that is not there.
    pub const ABSENT: Value<'static> = Value { tape: None, at: 0 };

    fn slot(self) -> Option<Slot> {
        self.tape.map(|t| t.slots[self.at as usize])
    }

    /// What it is; `None` when absent.
    pub fn tag(self) -> Option<Tag> {
        self.slot().map(|s| s.tag)
    }

    /// There, and not null.
    pub fn exists(self) -> bool {
        !matches!(self.tag(), None | Some(Tag::Null))
    }

    /// The member `key` of a map.
    pub fn get(self, key: &str) -> Value<'a> {
        self.fields().find(|(k, _)| *k == key).map_or(Value::ABSENT, |(_, v)| v)
    }

    /// The `i`-th item of a sequence, from 0.
    pub fn item(self, i: usize) -> Value<'a> {
        self.items().nth(i).unwrap_or(Value::ABSENT)
    }

    /// Follows a dotted path with optional indexes: `spec.containers[0].name`. A key that itself holds dots is taken by
    /// [`Value::get`], or written in brackets: `metadata.labels[app.kubernetes.io/name]`.
    pub fn path(self, path: &str) -> Value<'a> {
        let mut value = self;
        let mut rest = path;
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            if let Some(inner) = rest.strip_prefix('[') {
                let Some((key, after)) = inner.split_once(']') else { return Value::ABSENT };
                value = match (value.tag(), key.parse::<usize>()) {
                    (Some(Tag::Seq), Ok(i)) => value.item(i),
                    _ => value.get(key),
                };
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                value = value.get(&rest[..end]);
                rest = &rest[end..];
            }
        }
        value
    }

    /// The string, when it is one.
    pub fn as_str(self) -> Option<&'a str> {
        (self.tag() == Some(Tag::Str)).then(|| self.text())
    }

    /// A scalar's text as written (unescaped); empty for containers, null and absent.
    pub fn text(self) -> &'a str {
        match (self.tape, self.slot()) {
            (Some(tape), Some(s)) if !matches!(s.tag, Tag::Seq | Tag::Map) => {
                &tape.text[s.start as usize..(s.start + s.size) as usize]
            }
            _ => "",
        }
    }

    /// The integer, also from a string of digits.
    pub fn as_i64(self) -> Option<i64> {
        self.text().parse().ok()
    }

    /// The number, also from a string.
    pub fn as_f64(self) -> Option<f64> {
        self.text().parse().ok()
    }

    /// The boolean; `"true"` and `"True"` as Kubernetes conditions write them count.
    pub fn as_bool(self) -> Option<bool> {
        match self.text() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        }
    }

    /// `true` only when it is there and true.
    pub fn is_true(self) -> bool {
        self.as_bool() == Some(true)
    }

    /// The items of a sequence; none for anything else.
    pub fn items(self) -> impl Iterator<Item = Value<'a>> + Clone {
        let children = self.children();
        let seq = self.tag() == Some(Tag::Seq);
        children.filter(move |_| seq)
    }

    /// The members of a map in document order; none for anything else.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, Value<'a>)> + Clone {
        let map = self.tag() == Some(Tag::Map);
        let mut children = self.children();
        std::iter::from_fn(move || {
            if !map {
                return None;
            }
            let key = children.next()?;
            Some((key.text(), children.next()?))
        })
    }

    fn children(self) -> Children<'a> {
        match (self.tape, self.slot()) {
            (Some(tape), Some(s)) if matches!(s.tag, Tag::Seq | Tag::Map) => {
                Children { tape: Some(tape), at: self.at + 1, end: self.at + 1 + s.size }
            }
            _ => Children { tape: None, at: 0, end: 0 },
        }
    }

    /// Number of items or members; 0 for scalars and absent.
    pub fn len(self) -> usize {
        match self.slot() {
            Some(s) if matches!(s.tag, Tag::Seq | Tag::Map) => s.start as usize,
            _ => 0,
        }
    }

    /// A container.
    pub fn is_map_or_list(self) -> bool {
        matches!(self.tag(), Some(Tag::Seq | Tag::Map))
    }

    /// No items, no members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// 1-based line of the key, or of the item; `None` when unknown or absent.
    pub fn line(self) -> Option<u32> {
        self.slot().map(|s| s.line).filter(|l| *l > 0)
    }

    fn path_of(self) -> Option<&'a Arc<str>> {
        let slot = self.slot()?;
        self.tape.map(|t| &t.sources[usize::from(slot.source)])
    }

    /// File and line; `None` when absent.
    pub fn location(self) -> Option<Location> {
        Some(Location { path: Arc::clone(self.path_of()?), line: self.line() })
    }

    /// A tree of its own, for patches, CEL and templates. Absent is null.
    pub fn to_json(self) -> serde_json::Value {
        use serde_json::Value as J;
        match self.tag() {
            None | Some(Tag::Null) => J::Null,
            Some(Tag::Bool) => J::Bool(self.is_true()),
            Some(Tag::Number) => serde_json::from_str::<serde_json::Number>(self.text())
                .map_or_else(|_| J::String(self.text().to_owned()), J::Number),
            Some(Tag::Str) => J::String(self.text().to_owned()),
            Some(Tag::Seq) => J::Array(self.items().map(Value::to_json).collect()),
            Some(Tag::Map) => J::Object(self.fields().map(|(k, v)| (k.to_owned(), v.to_json())).collect()),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

#[derive(Clone)]
struct Children<'a> {
    tape: Option<&'a Tape>,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        let tape = self.tape?;
        let value = Value { tape: Some(tape), at: self.at };
        let slot = tape.slots[self.at as usize];
        self.at += match slot.tag {
            Tag::Seq | Tag::Map => slot.size + 1,
            _ => 1,
        };
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(json: serde_json::Value) -> Tape {
        Tape::from_json(&Arc::from("x.json"), &json, 7)
    }

    #[test]
    fn looks_up_by_path() {
        let t = tape(serde_json::json!({"a": [{"b": "x"}, {"b": 3}], "c": {"d.e/f": true}}));
        assert_eq!(t.root().path("a[1].b").as_i64(), Some(3));
        assert!(t.root().path("c[d.e/f]").is_true());
        assert!(!t.root().path("a[2].b").exists());
        assert_eq!(t.root().get("a").len(), 2);
        assert_eq!(t.root().path("a[0]").line(), Some(7));
    }

    #[test]
    fn filling_keeps_ours_and_adds_theirs() {
        let ours = tape(serde_json::json!({"a": 1, "l": [{"name": "x", "v": 1}]}));
        let theirs = tape(serde_json::json!({"a": 2, "b": 3, "l": [{"name": "x", "v": 2, "w": 4}]}));
        let both = ours.filled_from(&theirs).root().to_json();
        assert_eq!(both, serde_json::json!({"a": 1, "l": [{"name": "x", "v": 1, "w": 4}], "b": 3}));
    }

    #[test]
    fn a_cut_off_document_closes() {
        let mut b = TapeBuilder::new(&Arc::from("x"));
        b.map(1);
        b.key("a", 1);
        b.map(2);
        b.key("b", 2);
        assert_eq!(b.finish().root().to_json(), serde_json::json!({"a": {"b": null}}));
    }
}
