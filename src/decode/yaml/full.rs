//! The full parser: saphyr's events into tapes. It never recurses and names the line where it stops, with everything
//! before that line already told.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::super::tape::{Branch, Tag, Tape, TapeBuilder};
use super::{Break, Read, scalar};

/// Containers inside containers. The API server's objects stay far below, and readers of a tape recurse.
pub(in crate::decode) const DEPTH: usize = 128;
/// Values that anchors and aliases may cost one document. A billion laughs stop here.
const ALIASED: usize = 1_000_000;
/// saphyr's words for an alias to an anchor it has not seen.
pub(super) const UNKNOWN_ANCHOR: &str = "unknown anchor";
/// Who manages which field is half of a Pod's text and never a cause. Manager and time stand beside it and are kept.
pub(in crate::decode) const SKIPPED_KEY: &str = "fieldsV1";

/// All documents in `text`, whose first line is `first_line` of the file `path`.
pub(super) fn read(path: &Arc<str>, text: &str, first_line: u32) -> Read {
    let mut read = Read::default();
    let mut document = Document::new(path, text.len(), first_line);
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let step = match next {
            Ok((Event::DocumentEnd, _)) => {
                let done = std::mem::replace(&mut document, Document::new(path, 0, first_line));
                read.tapes.push(done.finish());
                Ok(())
            }
            Ok((event, span)) => document.take(event, span),
            Err(e) => Err(Break {
                // The end of the text counts as a line of its own.
                line: document.line(e.marker().line().min(text.lines().count())),
                what: format!("not YAML from here on: {}", e.info()),
            }),
        };
        if let Err(broken) = step {
            read.broken = Some(broken);
            read.tapes.push(document.finish());
            break;
        }
    }
    read.tapes.retain(|tape| tape.root().exists());
    read
}

/// A document in the making.
struct Document {
    builder: TapeBuilder,
    lines_before: u32,
    open: Vec<Open>,
    anchors: FxHashMap<usize, Anchored>,
    n_aliased: usize,
    /// Containers open in a value that is not kept.
    skipping: usize,
}

/// An open container.
struct Open {
    anchor: usize,
    /// Its position on the tape.
    start: usize,
    state: State,
    /// Levels of containers inside.
    height: usize,
    /// What `<<` brings in.
    merged: Vec<Branch>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Items,
    Key,
    /// A value follows; its key stands at this line and position.
    Value {
        line: u32,
        key: usize,
        /// The key is `<<`.
        merges: bool,
    },
}

/// What an alias stands for.
struct Anchored {
    branch: Branch,
    height: usize,
}

impl Document {
    fn new(path: &Arc<str>, bytes: usize, first_line: u32) -> Self {
        Self {
            builder: TapeBuilder::with_capacity(path, bytes),
            lines_before: first_line - 1,
            open: Vec::new(),
            anchors: FxHashMap::default(),
            n_aliased: 0,
            skipping: 0,
        }
    }

    fn finish(self) -> Tape {
        self.builder.finish()
    }

    /// The line in the file of a line of the text.
    fn line(&self, line: usize) -> u32 {
        self.lines_before + line.max(1) as u32
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Break> {
        let line = self.line(span.start.line());
        if self.skipping > 0 {
            self.skip(&event);
            return Ok(());
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if self.state() == Some(State::Key) {
                    let key = if plain { scalar::key(&text) } else { Cow::Borrowed(&*text) };
                    return self.key(&key, plain && text == "<<", anchor, line);
                }
                let explicit = tag.as_deref().map(|t| t.suffix.as_str());
                let (tag, text) = scalar::resolve(&text, plain, explicit);
                let line = if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // saphyr gives the first line with content instead of that of the `|`.
                    let n_empty = text.bytes().take_while(|b| *b == b'\n').count() as u32;
                    line.saturating_sub(1 + n_empty).max(1)
                } else {
                    line
                };
                self.scalar(tag, &text, anchor, line)
            }
            Event::SequenceStart(anchor, _) => self.start(Tag::Seq, anchor, line),
            Event::MappingStart(anchor, _) => self.start(Tag::Map, anchor, line),
            Event::SequenceEnd | Event::MappingEnd => self.end(line),
            Event::Alias(anchor) => self.alias(anchor, line),
            _ => Ok(()),
        }
    }

    fn skip(&mut self, event: &Event<'_>) {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => self.skipping += 1,
            Event::SequenceEnd | Event::MappingEnd => self.skipping -= 1,
            _ => {}
        }
        if self.skipping == 0 {
            self.value_done(0);
        }
    }

    fn state(&self) -> Option<State> {
        self.open.last().map(|open| open.state)
    }

    /// The line a value gets: that of its key, else its own.
    fn value_line(&self, own: u32) -> u32 {
        match self.state() {
            Some(State::Value { line, .. }) => line,
            _ => own,
        }
    }

    fn key(&mut self, text: &str, merges: bool, anchor: usize, line: u32) -> Result<(), Break> {
        let key = self.builder.position();
        self.builder.key(text, line);
        self.key_done(State::Value { line, key, merges });
        self.anchored(anchor, key, 0, line)
    }

    fn scalar(&mut self, tag: Tag, text: &str, anchor: usize, line: u32) -> Result<(), Break> {
        let start = self.builder.position();
        let line = self.value_line(line);
        self.builder.scalar(tag, text, line);
        self.anchored(anchor, start, 0, line)?;
        self.value_done(0);
        Ok(())
    }

    fn start(&mut self, tag: Tag, anchor: usize, line: u32) -> Result<(), Break> {
        match self.state() {
            Some(State::Key) => return Err(Break { line, what: "a key that is a collection is not supported".to_owned() }),
            Some(State::Value { key, .. }) if tag == Tag::Map && self.builder.is_key(key, SKIPPED_KEY) => {
                self.builder.forget_key(key);
                self.skipping = 1;
                return Ok(());
            }
            _ => {}
        }
        if self.open.len() >= DEPTH {
            return Err(too_deep(line));
        }
        let start = self.builder.position();
        let line = self.value_line(line);
        let state = if tag == Tag::Map {
            self.builder.map(line);
            State::Key
        } else {
            self.builder.seq(line);
            State::Items
        };
        self.open.push(Open { anchor, start, state, height: 0, merged: Vec::new() });
        Ok(())
    }

    fn end(&mut self, line: u32) -> Result<(), Break> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.builder.end_with(&open.merged);
        self.anchored(open.anchor, open.start, open.height + 1, line)?;
        self.value_done(open.height + 1);
        Ok(())
    }

    fn key_done(&mut self, next: State) {
        if let Some(open) = self.open.last_mut() {
            open.state = next;
        }
    }

    /// A value `height` levels high ends here.
    fn value_done(&mut self, height: usize) {
        let Some(open) = self.open.last_mut() else { return };
        open.height = open.height.max(height);
        if let State::Value { key, merges, .. } = open.state {
            open.state = State::Key;
            if merges && self.builder.position() > key {
                open.merged.extend(self.builder.maps_at(key + 1));
                self.builder.forget_key(key);
            }
        }
    }

    fn anchored(&mut self, anchor: usize, start: usize, height: usize, line: u32) -> Result<(), Break> {
        if anchor > 0 {
            self.spend(self.builder.position() - start, line)?;
            self.anchors.insert(anchor, Anchored { branch: self.builder.branch(start), height });
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: u32) -> Result<(), Break> {
        let Some(Anchored { branch, height }) = self.anchors.get(&anchor) else {
            return Err(Break { line, what: "an alias inside of what it stands for".to_owned() });
        };
        let (size, height) = (branch.len(), *height);
        if self.open.len() + height > DEPTH {
            return Err(too_deep(line));
        }
        if self.state() == Some(State::Key) && height > 0 {
            return Err(Break { line, what: "a key that is a collection is not supported".to_owned() });
        }
        if self.state() == Some(State::Key) {
            let key = self.builder.position();
            self.builder.graft_key(branch, line);
            self.key_done(State::Value { line, key, merges: false });
        } else {
            self.builder.graft(branch, self.value_line(line));
            self.value_done(height);
        }
        self.spend(size, line)
    }

    fn spend(&mut self, n_values: usize, line: u32) -> Result<(), Break> {
        self.n_aliased += n_values;
        if self.n_aliased > ALIASED {
            return Err(Break { line, what: format!("aliases stand for more than {ALIASED} values") });
        }
        Ok(())
    }
}

fn too_deep(line: u32) -> Break {
    Break { line, what: format!("nested deeper than {DEPTH} levels") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> serde_json::Value {
        let read = read(&Arc::from("x.yaml"), text, 1);
        assert_eq!((read.broken, read.tapes.len()), (None, 1), "{text}");
        read.tapes[0].root().to_json()
    }

    fn broken(text: &str) -> (serde_json::Value, Break) {
        let read = read(&Arc::from("x.yaml"), text, 1);
        let before = read.tapes.first().map_or(serde_json::Value::Null, |t| t.root().to_json());
        (before, read.broken.expect("it breaks"))
    }

    #[test]
    fn values_know_the_line_of_their_key() {
        let text = "a:\n  b: |\n    x\n    y\n  c:\n  - 1\n  - d: 2\n";
        let tape = &read(&Arc::from("x.yaml"), text, 11).tapes[0];
        for (path, line) in [("a", 11), ("a.b", 12), ("a.c", 15), ("a.c[0]", 16), ("a.c[1]", 17), ("a.c[1].d", 17)] {
            assert_eq!(tape.root().path(path).line(), Some(line), "{path}");
        }
    }

    #[test]
    fn resolves_scalars_aliases_and_merges() {
        assert_eq!(
            one("a: 'no'\nb: no\nc: ~\nd: !!str 1\ne: 0o10\n"),
            json!({"a": "no", "b": "no", "c": null, "d": "1", "e": 8})
        );
        assert_eq!(one("a: &x {k: 1}\nb: *x\n"), json!({"a": {"k": 1}, "b": {"k": 1}}));
        assert_eq!(
            one("a: &x {k: 1, l: 2}\nb:\n  k: 3\n  <<: *x\nc:\n  <<: [{m: 1}, {m: 2, n: 3}]\n"),
            json!({"a": {"k": 1, "l": 2}, "b": {"l": 2, "k": 3}, "c": {"n": 3, "m": 1}})
        );
        assert_eq!(one("&k a: 1\n*k : 2\n'<<': 3\n"), json!({"a": 2, "<<": 3}));
    }

    #[test]
    fn drops_who_manages_which_field() {
        assert_eq!(
            one("managedFields:\n- fieldsV1:\n    f:a:\n      .: {}\n  manager: m\nfieldsV1: text\n"),
            json!({"managedFields": [{"manager": "m"}], "fieldsV1": "text"})
        );
    }

    #[test]
    fn keeps_what_stands_before_a_break() {
        let (before, at) = broken("a: 1\nb:\n  c: 2\n  d: 3\n\te: 4\n");
        assert_eq!(before, json!({"a": 1, "b": {"c": 2}}));
        assert_eq!(at.line, 4, "saphyr looks ahead for a longer scalar");
        let (before, at) = broken("a: [1, 2");
        assert_eq!((before, at.line), (json!({"a": [1, 2]}), 1));
    }

    #[test]
    fn limits_depth_and_aliases() {
        for (opening, says) in [("[", "limit"), ("{a: ", "limit"), ("- ", "deeper"), ("? ", "collection")] {
            let what = broken(&opening.repeat(100_000)).1.what;
            assert!(what.contains(says), "{opening}: {what}");
        }
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..10 {
            laughs += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
        }
        assert!(broken(&laughs).1.what.contains("aliases"));
        let mut tower = "- &a0 x\n".to_owned();
        for i in 1..200 {
            tower += &format!("- &a{i} [*a{}]\n", i - 1);
        }
        assert!(broken(&tower).1.what.contains("deeper"));
        assert!(broken("a: &a [*a]\n").1.what.contains("inside"));
    }
}
