//! An object under construction, for texts that tell its fields in another order than the API does.
//!
//! A [`TapeBuilder`] takes values front to back; `kubectl describe` speaks of one container's spec and status in one
//! breath. A draft is the small tree in between: fields are set by path in any order, each with the line it stands on.

use std::borrow::Cow;
use std::sync::Arc;

use super::resource::{Origin, Resource};
use super::tape::{Tag, TapeBuilder};
use crate::time;

/// A map under construction: keys in the order they were set.
#[derive(Debug, Default)]
pub(super) struct Draft<'t> {
    members: Vec<(Cow<'t, str>, u32, Node<'t>)>,
}

/// A value under construction.
#[derive(Debug)]
pub(super) enum Node<'t> {
    /// A scalar as it will be written.
    Scalar(Tag, Cow<'t, str>),
    /// Items with their lines.
    Seq(Vec<(u32, Node<'t>)>),
    /// A map.
    Map(Draft<'t>),
}

impl<'t> Node<'t> {
    /// A string.
    pub(super) fn text(value: impl Into<Cow<'t, str>>) -> Self {
        Node::Scalar(Tag::Str, value.into())
    }

    /// What a YAML printer would have written without quotes as a number, boolean or null; else a string.
    pub(super) fn plain(value: &'t str) -> Self {
        let tag = match value {
            "true" | "false" => Tag::Bool,
            "null" | "<nil>" => return Node::Scalar(Tag::Null, Cow::Borrowed("")),
            _ if is_number(value) => Tag::Number,
            _ => Tag::Str,
        };
        Node::Scalar(tag, Cow::Borrowed(value))
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split_once('.').map_or(digits, |(whole, _)| whole);
    let canonical = whole == "0" || !whole.starts_with('0');
    canonical && !whole.is_empty() && text.len() < 20 && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

impl<'t> Draft<'t> {
    /// A draft of `kind`, read from `line` on.
    pub(super) fn of(api_version: &'t str, kind: impl Into<Cow<'t, str>>, line: u32) -> Self {
        let mut draft = Self::default();
        if !api_version.is_empty() {
            draft.push("apiVersion", line, Node::text(api_version));
        }
        draft.push("kind", line, Node::text(kind));
        draft
    }

    /// The member `key` is set.
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(k, ..)| k == key)
    }

    /// No member is set.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a member without looking whether it is there: for keys from the text (labels, data), which may hold dots.
    pub(super) fn push(&mut self, key: impl Into<Cow<'t, str>>, line: u32, node: Node<'t>) {
        self.members.push((key.into(), line, node));
    }

    /// The node of the member `key`, which is made (as an empty map) when it is not there.
    fn member(&mut self, key: &'static str, line: u32) -> &mut Node<'t> {
        let at = self.members.iter().position(|(k, ..)| k == key).unwrap_or_else(|| {
            self.push(key, line, Node::Map(Draft::default()));
            self.members.len() - 1
        });
        &mut self.members[at].2
    }

    /// The map at a dotted path, which is made as far as it is not there.
    pub(super) fn map(&mut self, path: &'static str, line: u32) -> &mut Draft<'t> {
        let mut draft = self;
        for key in path.split('.') {
            let node = draft.member(key, line);
            if !matches!(node, Node::Map(_)) {
                *node = Node::Map(Draft::default());
            }
            let Node::Map(next) = node else { unreachable!("a map was just put there") };
            draft = next;
        }
        draft
    }

    /// Sets the value at a dotted path; a value set before is replaced.
    pub(super) fn put(&mut self, path: &'static str, line: u32, node: Node<'t>) {
        match path.rsplit_once('.') {
            Some((parent, key)) => *self.map(parent, line).member(key, line) = node,
            None => *self.member(path, line) = node,
        }
    }

    /// Sets a string.
    pub(super) fn text(&mut self, path: &'static str, line: u32, value: impl Into<Cow<'t, str>>) {
        self.put(path, line, Node::text(value));
    }

    /// Sets a number when `value` is one, else a string (a named port, a percentage).
    pub(super) fn number(&mut self, path: &'static str, line: u32, value: &'t str) {
        let node = if is_number(value) { Node::plain(value) } else { Node::text(value) };
        self.put(path, line, node);
    }

    /// Sets a boolean.
    pub(super) fn flag(&mut self, path: &'static str, line: u32, value: bool) {
        self.put(path, line, Node::Scalar(Tag::Bool, Cow::Borrowed(if value { "true" } else { "false" })));
    }

    /// Sets a stamp, as the API writes it (`2025-11-17T09:56:00Z`), when `text` is one in whatever shape.
    pub(super) fn stamp(&mut self, path: &'static str, line: u32, text: &str) {
        if let Some(stamp) = time::parse(text) {
            self.text(path, line, stamp.to_string());
        }
    }

    /// Sets a stamp that is only told as an age, `3d8h ago`. The cluster makes it a stamp once it knows its "now".
    pub(super) fn age(&mut self, path: &'static str, line: u32, age: &str) {
        if time::age(age).is_some() {
            self.text(path, line, format!("{age} ago"));
        }
    }

    /// The items of the sequence at a dotted path, which is made when it is not there.
    pub(super) fn list(&mut self, path: &'static str, line: u32) -> &mut Vec<(u32, Node<'t>)> {
        let node = match path.rsplit_once('.') {
            Some((parent, key)) => self.map(parent, line).member(key, line),
            None => self.member(path, line),
        };
        if !matches!(node, Node::Seq(_)) {
            *node = Node::Seq(Vec::new());
        }
        let Node::Seq(items) = node else { unreachable!("a sequence was just put there") };
        items
    }

    /// The finished object, when it has kind and name.
    pub(super) fn into_resource(self, path: &Arc<str>, origin: Origin, line: u32) -> Option<Resource> {
        let mut tape = TapeBuilder::new(path);
        write(&mut tape, &Node::Map(self), line);
        Resource::from_tape(tape.finish(), origin)
    }
}

fn write(tape: &mut TapeBuilder, node: &Node<'_>, line: u32) {
    match node {
        Node::Scalar(tag, text) => tape.scalar(*tag, text, line),
        Node::Seq(items) => {
            tape.seq(line);
            items.iter().for_each(|(line, item)| write(tape, item, *line));
            tape.end();
        }
        Node::Map(draft) => {
            tape.map(line);
            for (key, line, value) in &draft.members {
                tape.key(key, *line);
                write(tape, value, *line);
            }
            tape.end();
        }
    }
}
