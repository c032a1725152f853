//! Block scalars: `|` and `>`.

use super::{Known, Scanner, Unknown};

/// What happens to the line breaks at the end (<https://yaml.org/spec/1.2.2/#8112-block-chomping-indicator>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    /// One stays.
    Clip,
    /// None stays.
    Strip,
    /// All stay.
    Keep,
}

/// What follows the `|` or `>`.
struct Header {
    folds: bool,
    chomping: Chomping,
    /// Columns beyond the parent's, when they are stated.
    indent: Option<usize>,
}

impl Scanner<'_, '_> {
    /// The block scalar whose `|` or `>` is at `at`, into the scratch buffer.
    pub(super) fn block(&mut self, at: usize, parent: usize) -> Known<()> {
        let header = self.header(at)?;
        self.scratch.clear();
        let indent = match header.indent {
            Some(more) => parent + more,
            None => self.block_indent(parent)?,
        };
        // Line breaks since the last line with content; that line was indented further than the rest.
        let (mut breaks, mut is_deep) = (0, false);
        while self.at < self.text.len() {
            let end = self.line_end(self.at);
            if end == self.text.len() {
                // Parsers disagree on whether the end of the text counts as a line break.
                return Err(Unknown);
            }
            let line = &self.text[self.at..end];
            let n_spaces = line.bytes().take(indent).take_while(|b| *b == b' ').count();
            if n_spaces < indent {
                match line.as_bytes().get(n_spaces) {
                    None => breaks += 1,
                    Some(b'\t') => return Err(Unknown),
                    Some(_) if n_spaces > parent => return Err(Unknown),
                    Some(_) => break,
                }
                self.next_line(end);
                continue;
            }
            let content = &line[indent..];
            if content.is_empty() {
                breaks += 1;
            } else {
                let begins_deep = content.starts_with([' ', '\t']);
                self.break_lines(breaks, header.folds && !is_deep && !begins_deep);
                self.scratch.push_str(content);
                (breaks, is_deep) = (1, begins_deep);
            }
            self.next_line(end);
        }
        if self.scratch.is_empty() {
            return Err(Unknown);
        }
        let kept = match header.chomping {
            Chomping::Strip => 0,
            Chomping::Clip => breaks.min(1),
            Chomping::Keep => breaks,
        };
        (0..kept).for_each(|_| self.scratch.push('\n'));
        Ok(())
    }

    /// The breaks between two lines: before the first line there are only empty ones.
    fn break_lines(&mut self, breaks: usize, folds: bool) {
        if folds && breaks == 1 && !self.scratch.is_empty() {
            self.scratch.push(' ');
            return;
        }
        let dropped = usize::from(folds && !self.scratch.is_empty());
        (dropped..breaks).for_each(|_| self.scratch.push('\n'));
    }

    fn header(&mut self, at: usize) -> Known<Header> {
        let mut header = Header { folds: self.byte(at) == Some(b'>'), chomping: Chomping::Clip, indent: None };
        let mut next = at + 1;
        loop {
            match self.byte(next) {
                Some(b'-') if header.chomping == Chomping::Clip => header.chomping = Chomping::Strip,
                Some(b'+') if header.chomping == Chomping::Clip => header.chomping = Chomping::Keep,
                Some(digit @ b'1'..=b'9') if header.indent.is_none() => header.indent = Some(usize::from(digit - b'0')),
                _ => break,
            }
            next += 1;
        }
        self.leave_line(next)?;
        Ok(header)
    }

    /// The column of the first line with content.
    fn block_indent(&self, parent: usize) -> Known<usize> {
        let mut start = self.at;
        let mut longest_blank = 0;
        loop {
            let mut at = start;
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            let n_spaces = at - start;
            match self.byte(at) {
                // No content at all is rare, and told differently.
                None | Some(b'\t') => return Err(Unknown),
                Some(b'\n') => longest_blank = longest_blank.max(n_spaces),
                Some(_) if n_spaces <= parent || n_spaces < longest_blank => return Err(Unknown),
                Some(_) => return Ok(n_spaces),
            }
            start = at + 1;
        }
    }
}
