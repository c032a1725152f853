//! The decoded object: a flat tape with typed views over it.
//!
//! A tree of allocated values costs 8 to 12 bytes per input byte and most of it is never looked at. The tape is two
//! allocations per object, whatever its size: the scalars' text, and one [`Slot`] per value in document order. A
//! container's slot knows how many slots its subtree takes, so skipping is one addition. Every slot knows its line, which
//! is what makes evidence at file and line cheap.

use std::fmt;
use std::sync::Arc;

mod build;
mod merge;
mod value;

pub(in crate::decode) use build::Branch;
pub use build::TapeBuilder;
pub use value::Value;

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

impl Tag {
    fn is_container(self) -> bool {
        matches!(self, Tag::Seq | Tag::Map)
    }
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

impl Slot {
    /// Slots of the value: its own and those of its subtree.
    fn span(self) -> u32 {
        if self.tag.is_container() { self.size + 1 } else { 1 }
    }
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

    /// `words` stand somewhere in its keys or scalars.
    pub(crate) fn contains_text(&self, words: &str) -> bool {
        memchr::memmem::find(self.text.as_bytes(), words.as_bytes()).is_some()
    }

    /// The tape of a JSON value; every slot has line `line` of `path`.
    pub fn from_json(path: &Arc<str>, value: &serde_json::Value, line: u32) -> Self {
        let mut builder = TapeBuilder::new(path);
        builder.json(value, line);
        builder.finish()
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape({}: {})", self.path(), self.root().to_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(json: &serde_json::Value) -> Tape {
        Tape::from_json(&Arc::from("x.json"), json, 7)
    }

    #[test]
    fn looks_up_by_path() {
        let t = tape(&serde_json::json!({"a": [{"b": "x"}, {"b": 3}], "c": {"d.e/f": true}}));
        assert_eq!(t.root().path("a[1].b").as_i64(), Some(3));
        assert!(t.root().path("c[d.e/f]").is_true());
        assert!(!t.root().path("a[2].b").exists());
        assert_eq!(t.root().get("a").len(), 2);
        assert_eq!(t.root().path("a[0]").line(), Some(7));
    }

    #[test]
    fn filling_keeps_ours_and_adds_theirs() {
        let ours = tape(&serde_json::json!({"a": 1, "l": [{"name": "x", "v": 1}]}));
        let theirs = tape(&serde_json::json!({"a": 2, "b": 3, "l": [{"name": "x", "v": 2, "w": 4}]}));
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
        assert_eq!(b.finish().root().to_json(), serde_json::json!({"a": {}}));
    }

    #[test]
    fn the_last_of_repeated_keys_wins() {
        for n_others in [0, 3, 40] {
            let mut b = TapeBuilder::new(&Arc::from("x"));
            b.map(1);
            b.key("k", 1);
            b.map(1);
            b.pair("gone", "", 1);
            b.end();
            (0..n_others).for_each(|i| b.pair(&format!("o{i}"), "", 2));
            b.pair("k", "last", 3);
            b.end();
            let t = b.finish();
            assert_eq!((t.root().len(), t.root().get("k").text()), (n_others + 1, "last"));
            assert_eq!(t.root().fields().count(), n_others + 1);
        }
    }

    #[test]
    fn a_part_becomes_a_tape_of_its_own() {
        let t = tape(&serde_json::json!({"x": "before", "items": [{"a": ["v", 1]}, {"b": 2}]}));
        let part = t.root().path("items[0]").to_tape();
        assert_eq!(part.root().to_json(), serde_json::json!({"a": ["v", 1]}));
        assert_eq!((part.root().line(), part.path().as_ref()), (Some(7), "x.json"));
    }
}
