//! Building a tape.

use std::sync::Arc;

use super::{Slot, Tag, Tape};

/// A value of a tape in the making, taken to stand elsewhere on the same tape as well: an alias, a merge.
#[derive(Debug)]
pub(in crate::decode) struct Branch(Vec<Slot>);

impl Branch {
    /// Values in it.
    pub(in crate::decode) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Builds a tape front to back. Containers are opened and closed; a map takes keys and values in turn.
#[derive(Debug)]
pub struct TapeBuilder {
    text: String,
    slots: Vec<Slot>,
    open: Vec<u32>,
    pub(super) sources: Vec<Arc<str>>,
    pub(super) source: u8,
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

    /// Closes the innermost open container. Of a key that stands twice in a map the last one is kept.
    pub fn end(&mut self) {
        let Some(at) = self.open.pop() else { return };
        let at = at as usize;
        let children = if self.slots[at].tag == Tag::Map { self.end_map(at) } else { self.children(at).count() };
        let size = self.slots.len() - at - 1;
        let slot = &mut self.slots[at];
        slot.size = size as u32;
        slot.start = children as u32;
    }

    /// Closes the innermost open map, which also has the pairs of `merged` whose keys it has not itself. Of these the
    /// first one wins.
    pub(in crate::decode) fn end_with(&mut self, merged: &[Branch]) {
        if let Some(at) = self.open.last()
            && !merged.is_empty()
        {
            let first = *at as usize + 1;
            let pairs = merged.iter().rev().flat_map(|map| map.0.iter().skip(1).copied());
            self.slots.splice(first..first, pairs);
        }
        self.end();
    }

    /// Values written so far: where the next one will stand.
    pub(in crate::decode) fn position(&self) -> usize {
        self.slots.len()
    }

    /// Forgets the values from `position` on.
    pub(in crate::decode) fn rewind(&mut self, position: usize) {
        self.slots.truncate(position);
    }

    /// The value at `position` is the key `key`.
    pub(in crate::decode) fn is_key(&self, position: usize, key: &str) -> bool {
        self.text_of(position) == key
    }

    /// The closed value at `position`, to be used again.
    pub(in crate::decode) fn branch(&self, position: usize) -> Branch {
        Branch(self.slots[position..].to_vec())
    }

    /// The maps at `position`: the one that stands there, or those of the sequence that does.
    pub(in crate::decode) fn maps_at(&self, position: usize) -> Vec<Branch> {
        let branch = |at: usize| Branch(self.slots[at..at + self.slots[at].span() as usize].to_vec());
        let is_map = |at: &usize| self.slots[*at].tag == Tag::Map;
        match self.slots.get(position).map(|slot| slot.tag) {
            Some(Tag::Map) => vec![branch(position)],
            Some(Tag::Seq) => self.children(position).filter(is_map).map(branch).collect(),
            _ => Vec::new(),
        }
    }

    /// Writes `branch` once more; its root is at `line`, everything in it where it was.
    pub(in crate::decode) fn graft(&mut self, branch: &Branch, line: u32) {
        let at = self.slots.len();
        self.slots.extend_from_slice(&branch.0);
        if let Some(root) = self.slots.get_mut(at) {
            root.line = line;
        }
    }

    /// Positions of the direct children of the container at `at`, whose subtree reaches to the end.
    fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let slot = self.slots.get(next)?;
            let child = next;
            next += slot.span() as usize;
            Some(child)
        })
    }

    /// Number of pairs of the map at `at`, after the removal of repeated keys.
    fn end_map(&mut self, at: usize) -> usize {
        let (mut n, mut ascending, mut last) = (0, true, "");
        for key in self.children(at).step_by(2) {
            let text = self.text_of(key);
            ascending &= n == 0 || last < text;
            last = text;
            n += 1;
        }
        // The API server prints unstructured objects with sorted keys: nothing to look for.
        if ascending { n } else { n - self.drop_repeated_keys(at) }
    }

    fn drop_repeated_keys(&mut self, at: usize) -> usize {
        let mut keys: Vec<usize> = self.children(at).step_by(2).collect();
        keys.sort_by(|a, b| self.text_of(*a).cmp(self.text_of(*b)).then(a.cmp(b)));
        let mut repeated: Vec<usize> =
            keys.windows(2).filter(|k| self.text_of(k[0]) == self.text_of(k[1])).map(|k| k[0]).collect();
        repeated.sort_unstable();
        for key in repeated.iter().rev() {
            let end = key + 1 + self.slots.get(key + 1).map_or(0, |value| value.span() as usize);
            self.slots.drain(*key..end);
        }
        repeated.len()
    }

    fn text_of(&self, at: usize) -> &str {
        let slot = self.slots[at];
        &self.text[slot.start as usize..(slot.start + slot.size) as usize]
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

    /// Closes what is still open and gives the tape. A builder that got nothing gives a tape whose root is absent.
    pub fn finish(mut self) -> Tape {
        while !self.open.is_empty() {
            let at = self.open[self.open.len() - 1] as usize;
            // What a key's value would have been is not known: null would be a claim.
            if self.slots[at].tag == Tag::Map && self.children(at).count() % 2 == 1 {
                self.slots.pop();
            }
            self.end();
        }
        Tape { text: self.text.into_boxed_str(), slots: self.slots.into_boxed_slice(), sources: self.sources }
    }
}
