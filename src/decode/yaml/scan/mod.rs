//! The fast reader: block style as kubectl, oc and everything built on go-yaml print it. It reads what it is sure of;
//! whatever else it meets it leaves to the full parser, so it never has to guess.
//!
//! Left to the full parser: flow collections with content, anchors, aliases, tags, merges, directives, scalars on a line of
//! their own, empty items, tabs in indentation, and the rarer line breaks of Unicode, on which parsers disagree.

use super::super::tape::{Tag, TapeBuilder};
use super::full::{DEPTH, SKIPPED_KEY};
use super::scalar;

mod block;
mod flow;

/// Something this reader does not know. The full parser reads the text instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown;

type Known<T> = Result<T, Unknown>;

/// What a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// One document: a map or a sequence.
    Document,
    /// One item of a sequence, with its `- `: the item itself is read.
    Item,
}

/// Reads `text`, which starts at `line` of its file, into `out`.
pub(super) fn scan(text: &str, line: u32, extent: Extent, out: &mut TapeBuilder) -> Known<()> {
    if holds_rare_break(text.as_bytes()) {
        return Err(Unknown);
    }
    let mut scanner = Scanner { text, at: 0, line, frames: Vec::with_capacity(16), scratch: String::new(), out };
    if extent == Extent::Item {
        let indent = scanner.column_of_item()?;
        scanner.frames.push(Frame { indent, kind: Kind::Only, awaits: false, line: 0 });
    }
    scanner.read()
}

/// A carriage return, U+0085, U+2028, U+2029 or a byte order mark.
fn holds_rare_break(text: &[u8]) -> bool {
    let leads = memchr::memchr3_iter(0xc2, 0xe2, 0xef, text);
    let mut rare = leads.map(|at| &text[at..]).filter(|rest| {
        rest.starts_with(b"\xc2\x85")
            || rest.starts_with(b"\xe2\x80\xa8")
            || rest.starts_with(b"\xe2\x80\xa9")
            || rest.starts_with(b"\xef\xbb\xbf")
    });
    memchr::memchr(b'\r', text).is_some() || rare.next().is_some()
}

struct Scanner<'t, 'o> {
    text: &'t str,
    /// Start of the line to be read next; inside of a line, of that line.
    at: usize,
    /// The number of that line.
    line: u32,
    /// Open collections, outermost first.
    frames: Vec<Frame>,
    /// A scalar that is not in the text as it stands.
    scratch: String,
    out: &'o mut TapeBuilder,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Column of its keys or dashes.
    indent: usize,
    kind: Kind,
    /// A key without its value so far, or a dash without its item.
    awaits: bool,
    /// Where the last key or dash stands; 0 before the first.
    line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    Seq,
    /// A sequence of a single item, which is not written itself.
    Only,
}

/// A scalar: in the text, or in the scratch buffer.
enum Scalar<'t> {
    Text(&'t str),
    Scratch,
}

impl<'t> Scanner<'t, '_> {
    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    /// No content at `at`, where a line could go on: its end.
    fn is_end(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b'\n'))
    }

    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\t' | b'\n'))
    }

    /// A dash that makes an item.
    fn is_dash(&self, at: usize) -> bool {
        self.byte(at) == Some(b'-') && self.is_blank(at + 1)
    }

    fn skip_blanks(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        at
    }

    fn line_end(&self, from: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes()[from..]).map_or(self.text.len(), |at| from + at)
    }

    /// The line that ends at `end` has been read.
    fn next_line(&mut self, end: usize) {
        self.at = (end + 1).min(self.text.len());
        self.line += 1;
    }

    /// Leaves the line after its last value: nothing but a comment may follow at `at`.
    fn leave_line(&mut self, at: usize) -> Known<()> {
        let next = self.skip_blanks(at);
        match self.byte(next) {
            None | Some(b'\n') => self.next_line(next),
            Some(b'#') if next > at => self.next_line(self.line_end(next)),
            Some(_) => return Err(Unknown),
        }
        Ok(())
    }

    /// Passes blank lines and comments; gives the column of the first content.
    fn next_content(&mut self) -> Known<Option<usize>> {
        loop {
            let mut at = self.at;
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            match self.byte(at) {
                None => return Ok(None),
                Some(b'\n') => self.next_line(at),
                Some(b'#') => self.next_line(self.line_end(at)),
                Some(b'\t') => return Err(Unknown),
                Some(_) => return Ok(Some(at - self.at)),
            }
        }
    }

    fn column_of_item(&mut self) -> Known<usize> {
        let column = self.next_content()?.ok_or(Unknown)?;
        if self.is_dash(self.at + column) { Ok(column) } else { Err(Unknown) }
    }

    fn read(&mut self) -> Known<()> {
        while let Some(column) = self.next_content()? {
            self.close_deeper(column)?;
            self.read_line(column)?;
        }
        while let Some(frame) = self.frames.pop() {
            self.close(frame)?;
        }
        Ok(())
    }

    /// Closes the collections that a line with content at `column` is not in.
    fn close_deeper(&mut self, column: usize) -> Known<()> {
        let is_dash = self.is_dash(self.at + column);
        while let Some(frame) = self.frames.last().copied() {
            let goes_on = frame.indent < column || frame.indent == column && (frame.kind == Kind::Map || is_dash);
            if goes_on {
                break;
            }
            self.frames.pop();
            self.close(frame)?;
        }
        Ok(())
    }

    fn close(&mut self, frame: Frame) -> Known<()> {
        match frame.kind {
            Kind::Map if frame.awaits => self.out.scalar(Tag::Null, "", frame.line),
            _ if frame.awaits => return Err(Unknown),
            _ => {}
        }
        if frame.kind != Kind::Only {
            self.out.end();
        }
        Ok(())
    }

    /// Reads a line whose first content is at `column`: dashes, then a key or a scalar, and what that goes on with.
    fn read_line(&mut self, mut column: usize) -> Known<()> {
        let start = self.at;
        let is_marker = self.text[start..].starts_with("---") || self.text[start..].starts_with("...");
        if is_marker && self.is_blank(start + 3) {
            return Err(Unknown);
        }
        let mut is_item = false;
        while self.is_dash(start + column) {
            self.begin_item(column)?;
            let at = start + column + 1;
            let next = self.skip_blanks(at);
            if self.is_end(next) || self.byte(next) == Some(b'#') {
                return self.leave_line(at);
            }
            if self.bytes()[at..next].contains(&b'\t') {
                return Err(Unknown);
            }
            column = next - start;
            is_item = true;
        }
        let at = start + column;
        if self.byte(at) == Some(b'?') && self.is_blank(at + 1) {
            return self.read_long_key(column);
        }
        let Some((key, after)) = self.key(at)? else {
            return if is_item { self.read_item(at) } else { Err(Unknown) };
        };
        if matches!(key, Scalar::Text(SKIPPED_KEY)) {
            self.open_map(column)?;
            if self.skip_value(after, column)? {
                return Ok(());
            }
        }
        self.write_key(&key, column)?;
        self.read_value(after, column)
    }

    /// An item of a sequence whose dashes are at `column`.
    fn begin_item(&mut self, column: usize) -> Known<()> {
        let line = self.line;
        match self.frames.last_mut() {
            Some(frame) if frame.indent == column && frame.kind != Kind::Map => {
                // An empty item, or a second one where only one is.
                if frame.awaits || (frame.kind == Kind::Only && frame.line > 0) {
                    return Err(Unknown);
                }
                frame.awaits = true;
                frame.line = line;
            }
            Some(frame) if frame.awaits && (column > frame.indent || (frame.kind == Kind::Map && column == frame.indent)) => {
                frame.awaits = false;
                let line = if frame.kind == Kind::Map { frame.line } else { line };
                self.open(Kind::Seq, column, line, true)?;
            }
            None if self.out.position() == 0 => self.open(Kind::Seq, column, line, true)?,
            _ => return Err(Unknown),
        }
        Ok(())
    }

    fn open(&mut self, kind: Kind, indent: usize, line: u32, awaits: bool) -> Known<()> {
        if self.frames.len() >= DEPTH {
            return Err(Unknown);
        }
        match kind {
            Kind::Map => self.out.map(line),
            Kind::Seq | Kind::Only => self.out.seq(line),
        }
        self.frames.push(Frame { indent, kind, awaits, line });
        Ok(())
    }

    /// A value takes the place that the innermost collection keeps for it; gives the line it counts as.
    fn fill(&mut self, column: usize) -> Known<u32> {
        let line = self.line;
        match self.frames.last_mut() {
            Some(frame) if frame.awaits && column > frame.indent => {
                frame.awaits = false;
                Ok(if frame.kind == Kind::Map { frame.line } else { line })
            }
            None if self.out.position() == 0 && column == 0 => Ok(line),
            _ => Err(Unknown),
        }
    }

    /// The innermost collection is the map whose keys are at `column`; it is opened when it begins here.
    fn open_map(&mut self, column: usize) -> Known<()> {
        if let Some(frame) = self.frames.last_mut()
            && frame.kind == Kind::Map
            && frame.indent == column
        {
            if frame.awaits {
                frame.awaits = false;
                let line = frame.line;
                self.out.scalar(Tag::Null, "", line);
            }
            return Ok(());
        }
        let line = self.fill(column)?;
        self.open(Kind::Map, column, line, false)
    }

    fn write_key(&mut self, key: &Scalar<'_>, column: usize) -> Known<()> {
        self.open_map(column)?;
        match key {
            Scalar::Text(text) => self.out.key(text, self.line),
            Scalar::Scratch => self.out.key(&self.scratch, self.line),
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.awaits = true;
            frame.line = self.line;
        }
        Ok(())
    }

    /// `? key` on one line, `: value` on the next: how go-yaml writes keys of more than 128 characters.
    fn read_long_key(&mut self, column: usize) -> Known<()> {
        let line = self.line;
        let at = self.skip_blanks(self.at + column + 1);
        let key = match self.byte(at) {
            Some(b'"' | b'\'') => {
                let (key, after) = self.quoted(at, column)?;
                self.leave_line(after)?;
                key
            }
            _ => match self.plain(at, column)? {
                Scalar::Text(key) => self.plain_key(key),
                Scalar::Scratch => Scalar::Scratch,
            },
        };
        let is_value = |s: &Self, at| s.byte(at) == Some(b':') && s.is_blank(at + 1);
        if self.next_content()? != Some(column) || !is_value(self, self.at + column) {
            return Err(Unknown);
        }
        if matches!(key, Scalar::Text("<<" | SKIPPED_KEY)) {
            return Err(Unknown);
        }
        // Everything of a pair counts as where its key stands.
        let here = std::mem::replace(&mut self.line, line);
        self.write_key(&key, column)?;
        self.line = here;
        let after = self.at + column + 1;
        self.read_value(after, column)
    }

    /// Passes over a map that is the value of the key at `column`; `false` when the value at `after` is no map.
    fn skip_value(&mut self, after: usize, column: usize) -> Known<bool> {
        let value = self.skip_blanks(after);
        if self.text[value..].starts_with("{}") {
            self.leave_line(value + 2)?;
            return Ok(true);
        }
        match self.byte(value) {
            None | Some(b'\n') => self.next_line(value),
            Some(b'#') => return Err(Unknown),
            Some(_) => return Ok(false),
        }
        let first = self.next_content()?.filter(|first| *first > column).ok_or(Unknown)?;
        self.key(self.at + first)?.ok_or(Unknown)?;
        let margin = column + 1;
        while self.at < self.text.len() {
            let end = self.line_end(self.at);
            let line = &self.bytes()[self.at..end];
            let is_deeper = line.len() >= margin && line[..margin].iter().all(|b| *b == b' ');
            if !is_deeper && !line.iter().all(|b| *b == b' ') {
                break;
            }
            self.next_line(end);
        }
        Ok(true)
    }

    /// What follows the colon of a key at `column`.
    fn read_value(&mut self, after: usize, column: usize) -> Known<()> {
        let at = self.skip_blanks(after);
        if self.is_end(at) || self.byte(at) == Some(b'#') {
            return self.leave_line(after);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.awaits = false;
        }
        let line = self.frames.last().map_or(self.line, |frame| frame.line);
        self.read_scalar(at, column, line)
    }

    /// A scalar that is an item.
    fn read_item(&mut self, at: usize) -> Known<()> {
        let parent = self.frames.last().ok_or(Unknown)?.indent;
        let line = self.fill(at - self.at)?;
        self.read_scalar(at, parent, line)
    }

    /// The scalar at `at`, or an empty collection. It belongs to a collection at column `parent`, and so do all lines it
    /// goes on with that are indented deeper.
    fn read_scalar(&mut self, at: usize, parent: usize, line: u32) -> Known<()> {
        let (tag, scalar) = match self.byte(at) {
            Some(b'"' | b'\'') => {
                let (scalar, after) = self.quoted(at, parent)?;
                self.leave_line(after)?;
                (Tag::Str, scalar)
            }
            Some(b'|' | b'>') => {
                self.block(at, parent)?;
                (Tag::Str, Scalar::Scratch)
            }
            Some(b'{') if self.byte(at + 1) == Some(b'}') => {
                self.out.map(line);
                self.out.end();
                return self.leave_line(at + 2);
            }
            Some(b'[') if self.byte(at + 1) == Some(b']') => {
                self.out.seq(line);
                self.out.end();
                return self.leave_line(at + 2);
            }
            _ => match self.plain(at, parent)? {
                Scalar::Text(text) => {
                    let (tag, text) = scalar::resolve_plain(text);
                    self.out.scalar(tag, &text, line);
                    return Ok(());
                }
                Scalar::Scratch => (Tag::Str, Scalar::Scratch),
            },
        };
        match scalar {
            Scalar::Text(text) => self.out.scalar(tag, text, line),
            Scalar::Scratch => self.out.scalar(tag, &self.scratch, line),
        }
        Ok(())
    }
}
