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
    open: Vec<Open>,
    pub(super) sources: Vec<Arc<str>>,
    pub(super) source: u8,
}

/// A container that is not closed yet.
#[derive(Debug)]
struct Open {
    /// Its position.
    at: u32,
    /// Its items, or its keys.
    n: u32,
    /// Position of its last key; its own when it has none.
    last_key: u32,
    is_map: bool,
    /// Its keys ascend, so none stands twice. The API server prints unstructured objects so.
    ascends: bool,
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

    /// Forgets everything but the room it took.
    pub(in crate::decode) fn clear(&mut self) {
        self.text.clear();
        self.slots.clear();
        self.open.clear();
    }

    /// The tape of the closed value written so far, in memory of its own.
    pub(in crate::decode) fn to_tape(&self) -> Tape {
        Tape { text: self.text.as_str().into(), slots: self.slots.as_slice().into(), sources: self.sources.clone() }
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
        self.count_item();
        let at = self.slots.len() as u32;
        self.open.push(Open { at, n: 0, last_key: at, is_map: tag == Tag::Map, ascends: true });
        self.slots.push(Slot { start: 0, size: 0, line, tag, source: self.source });
    }

    /// A value follows: in a sequence it is one more item.
    fn count_item(&mut self) {
        if let Some(open) = self.open.last_mut()
            && !open.is_map
        {
            open.n += 1;
        }
    }

    /// Closes the innermost open container. Of a key that stands twice in a map the last one is kept.
    pub fn end(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        if open.is_map && !open.ascends {
            open.n -= self.drop_repeated_keys(&open) as u32;
        }
        let size = self.slots.len() as u32 - open.at - 1;
        let slot = &mut self.slots[open.at as usize];
        slot.size = size;
        slot.start = open.n;
    }

    /// Closes the innermost open map, which also has the pairs of `merged` whose keys it has not itself. Of these the
    /// first one wins.
    pub(in crate::decode) fn end_with(&mut self, merged: &[Branch]) {
        if let Some(open) = self.open.last_mut()
            && !merged.is_empty()
        {
            let first = open.at as usize + 1;
            let pairs = merged.iter().rev().flat_map(|map| map.0.iter().skip(1).copied());
            self.slots.splice(first..first, pairs);
            open.n += merged.iter().map(|map| map.0[0].start).sum::<u32>();
            open.ascends = false;
        }
        self.end();
    }

    /// Values written so far: where the next one will stand.
    pub(in crate::decode) fn position(&self) -> usize {
        self.slots.len()
    }

    /// Forgets the last key of the open map, which stands at `position`, and its value.
    pub(in crate::decode) fn forget_key(&mut self, position: usize) {
        self.slots.truncate(position);
        if let Some(open) = self.open.last_mut() {
            open.n -= 1;
            open.last_key = open.at;
            open.ascends = false;
        }
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

    /// Writes the value `branch` once more; its root is at `line`, everything in it where it was.
    pub(in crate::decode) fn graft(&mut self, branch: &Branch, line: u32) {
        self.count_item();
        let at = self.slots.len();
        self.slots.extend_from_slice(&branch.0);
        if let Some(root) = self.slots.get_mut(at) {
            root.line = line;
        }
    }

    /// Writes the scalar `branch` once more, as a key.
    pub(in crate::decode) fn graft_key(&mut self, branch: &Branch, line: u32) {
        let slot = Slot { tag: Tag::Str, line, ..branch.0[0] };
        self.push_key(slot);
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

    /// Drops all but the last of pairs with the same key; gives how many it dropped.
    fn drop_repeated_keys(&mut self, map: &Open) -> usize {
        let mut keys: Vec<usize> = self.children(map.at as usize).step_by(2).collect();
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
        let start = self.text.len() as u32;
        self.text.push_str(key);
        self.push_key(Slot { start, size: key.len() as u32, line, tag: Tag::Str, source: self.source });
    }

    fn push_key(&mut self, slot: Slot) {
        let at = self.slots.len() as u32;
        self.slots.push(slot);
        let Some(open) = self.open.last() else { return };
        let ascends = open.last_key == open.at || self.text_of(open.last_key as usize) < self.text_of(at as usize);
        if let Some(open) = self.open.last_mut() {
            open.n += 1;
            open.last_key = at;
            open.ascends &= ascends;
        }
    }

    /// A scalar value (or item): `tag` must not be a container's.
    pub fn scalar(&mut self, tag: Tag, text: &str, line: u32) {
        debug_assert!(!tag.is_container());
        self.count_item();
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
        while let Some(open) = self.open.last_mut() {
            // What a key's value would have been is not known: null would be a claim.
            if open.last_key > open.at && open.last_key as usize + 1 == self.slots.len() {
                open.n -= 1;
                self.slots.pop();
            }
            self.end();
        }
        Tape { text: self.text.into_boxed_str(), slots: self.slots.into_boxed_slice(), sources: self.sources }
    }
}
