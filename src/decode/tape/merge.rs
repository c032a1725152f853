//! Two readings of one object made one.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Tag, Tape, TapeBuilder, Value};

impl Tape {
    /// `self` with what only `other` has: maps are merged key by key, everything else of `self` wins.
    /// Sequences are merged item by item when all items of both carry what tells such items apart, else `self`'s stands.
    pub fn filled_from(&self, other: &Tape) -> Tape {
        let mut builder = TapeBuilder::new(self.path());
        builder.sources.clone_from(&self.sources);
        builder.merged(self.root(), other.root());
        builder.finish()
    }

    /// The same with its strings rewritten by `edit`.
    pub(crate) fn with_strings<'v>(&'v self, edit: &dyn Fn(&'v str) -> Cow<'v, str>) -> Tape {
        let mut builder = TapeBuilder::new(self.path());
        builder.copy_with(self.root(), edit);
        builder.finish()
    }
}

/// What tells the items of a sequence apart, as Kubernetes' patches do (`patchMergeKey`): the first of these that all
/// items have.
const MERGE_KEYS: &[&str] = &["mountPath", "devicePath", "containerPort", "name", "port", "type"];

impl TapeBuilder {
    /// A copy of `value` with its lines and its source file.
    pub fn copy(&mut self, value: Value<'_>) {
        self.copy_with(value, &Cow::Borrowed);
    }

    /// A copy of `value` with its lines and its source file, strings rewritten by `edit`.
    pub(in crate::decode) fn copy_with<'v>(&mut self, value: Value<'v>, edit: &dyn Fn(&'v str) -> Cow<'v, str>) {
        self.enter_source(value);
        let line = value.line().unwrap_or(0);
        match value.tag() {
            None => self.scalar(Tag::Null, "", line),
            Some(Tag::Seq) => {
                self.seq(line);
                value.items().for_each(|v| self.copy_with(v, edit));
                self.end();
            }
            Some(Tag::Map) => {
                self.map(line);
                for (k, v) in value.fields() {
                    self.enter_source(v);
                    self.key(k, v.line().unwrap_or(0));
                    self.copy_with(v, edit);
                }
                self.end();
            }
            Some(Tag::Str) => self.scalar(Tag::Str, &edit(value.text()), line),
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
            (Some(Tag::Seq), Some(Tag::Seq)) => match merge_key(ours, theirs) {
                Some(key) => self.merged_items(ours, theirs, key),
                None => self.copy(ours),
            },
            _ => self.copy(ours),
        }
    }

    fn merged_items(&mut self, ours: Value<'_>, theirs: Value<'_>, key: &str) {
        self.enter_source(ours);
        self.seq(ours.line().unwrap_or(0));
        for item in ours.items() {
            let name = item.get(key).text();
            let twin = theirs.items().find(|t| t.get(key).text() == name).unwrap_or(Value::ABSENT);
            self.merged(item, twin);
        }
        self.end();
    }
}

/// Items that are looked for among the others; longer sequences are not of the kind that is merged.
const MERGED_ITEMS: usize = 1000;

fn merge_key(ours: Value<'_>, theirs: Value<'_>) -> Option<&'static str> {
    if ours.len().max(theirs.len()) > MERGED_ITEMS {
        return None;
    }
    MERGE_KEYS.iter().copied().find(|key| ours.items().chain(theirs.items()).all(|v| v.get(key).exists()))
}
