//! Reading a tape.

use std::fmt;
use std::sync::Arc;

use super::{Slot, Tag, Tape, TapeBuilder};
use crate::location::Location;

/// A view of one value of a tape, or of nothing: lookups never fail, they give [`Value::ABSENT`].
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) tape: Option<&'a Tape>,
    pub(super) at: u32,
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
        let (Some(tape), Some(map)) = (self.tape, self.slot()) else { return Value::ABSENT };
        let end = self.at + 1 + if map.tag == Tag::Map { map.size } else { 0 };
        let mut at = self.at + 1;
        while at + 1 < end {
            let slot = tape.slots[at as usize];
            // Most keys differ in length already.
            if slot.size as usize == key.len() && tape.text[slot.start as usize..].starts_with(key) {
                return Value { tape: Some(tape), at: at + 1 };
            }
            at += 1 + tape.slots[at as usize + 1].span();
        }
        Value::ABSENT
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
                let end = memchr::memchr2(b'.', b'[', rest.as_bytes()).unwrap_or(rest.len());
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
            (Some(tape), Some(s)) if !s.tag.is_container() => &tape.text[s.start as usize..(s.start + s.size) as usize],
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
            (Some(tape), Some(s)) if s.tag.is_container() => {
                Children { tape: Some(tape), at: self.at + 1, end: self.at + 1 + s.size }
            }
            _ => Children { tape: None, at: 0, end: 0 },
        }
    }

    /// Number of items or members; 0 for scalars and absent.
    pub fn len(self) -> usize {
        match self.slot() {
            Some(s) if s.tag.is_container() => s.start as usize,
            _ => 0,
        }
    }

    /// A container.
    pub fn is_map_or_list(self) -> bool {
        self.tag().is_some_and(Tag::is_container)
    }

    /// No items, no members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// 1-based line of the key, or of the item; `None` when unknown or absent.
    pub fn line(self) -> Option<u32> {
        self.slot().map(|s| s.line).filter(|l| *l > 0)
    }

    pub(super) fn path_of(self) -> Option<&'a Arc<str>> {
        let slot = self.slot()?;
        self.tape.map(|t| &t.sources[usize::from(slot.source)])
    }

    /// File and line; `None` when absent.
    pub fn location(self) -> Option<Location> {
        Some(Location { path: Arc::clone(self.path_of()?), line: self.line() })
    }

    /// A tape of its own, with the lines and files of this one.
    pub fn to_tape(self) -> Tape {
        let path = self.path_of().cloned().unwrap_or_else(|| Arc::from(""));
        let mut builder = TapeBuilder::new(&path);
        if self.tag().is_some() {
            builder.copy(self);
        }
        builder.finish()
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
        self.at += slot.span();
        Some(value)
    }
}
