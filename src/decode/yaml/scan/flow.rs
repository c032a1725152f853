//! Scalars inside of lines: keys, plain and quoted scalars, and how they go on over several lines.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use super::{Known, Scalar, Scanner, Unknown, scalar};

impl<'t> Scanner<'t, '_> {
    /// The key at `at`, and where its value may start; `None` when a scalar stands there.
    pub(super) fn key(&mut self, at: usize) -> Known<Option<(Scalar<'t>, usize)>> {
        if matches!(self.byte(at), Some(b'"' | b'\'')) {
            let here = (self.at, self.line);
            // A key stands on one line: nothing is deep enough to go on with it.
            let Ok((key, after)) = self.quoted(at, usize::MAX) else {
                (self.at, self.line) = here;
                return Ok(None);
            };
            let colon = self.skip_blanks(after);
            let is_key = self.byte(colon) == Some(b':') && self.is_blank(colon + 1);
            return Ok(is_key.then_some((key, colon + 1)));
        }
        if !self.may_start_plain(at) {
            return Ok(None);
        }
        let end = self.line_end(at);
        let line = &self.text[at..end];
        let Some(colon) = find_colon(line.as_bytes()) else { return Ok(None) };
        let key = line[..colon].trim_end_matches([' ', '\t']);
        if key == "<<" || holds_comment(key.as_bytes()) {
            return Err(Unknown);
        }
        Ok(Some((self.plain_key(key), at + colon + 1)))
    }

    /// A plain key as it is kept.
    pub(super) fn plain_key(&mut self, key: &'t str) -> Scalar<'t> {
        match scalar::key(key) {
            Cow::Borrowed(key) => Scalar::Text(key),
            Cow::Owned(key) => {
                self.scratch = key;
                Scalar::Scratch
            }
        }
    }

    /// <https://yaml.org/spec/1.2.2/#rule-ns-plain-first> in block context.
    fn may_start_plain(&self, at: usize) -> bool {
        match self.byte(at) {
            None
            | Some(
                b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@' | b'`',
            ) => false,
            Some(b'-' | b'?' | b':') => !self.is_blank(at + 1),
            Some(byte) => byte > b' ',
        }
    }

    /// A plain scalar, to the end of its last line.
    pub(super) fn plain(&mut self, at: usize, parent: usize) -> Known<Scalar<'t>> {
        if !self.may_start_plain(at) {
            return Err(Unknown);
        }
        let (first, is_last) = self.plain_line(at)?;
        let Some((breaks, mut next)) = self.continuation(parent)? else { return Ok(Scalar::Text(first)) };
        if is_last {
            return Err(Unknown);
        }
        self.scratch.clear();
        self.scratch.push_str(first);
        self.fold(breaks);
        loop {
            if !self.may_start_plain(next) && matches!(self.byte(next), Some(b'-' | b'?' | b':' | b'#')) {
                return Err(Unknown);
            }
            let (text, is_last) = self.plain_line(next)?;
            self.scratch.push_str(text);
            let Some((breaks, after)) = self.continuation(parent)? else { return Ok(Scalar::Scratch) };
            if is_last {
                return Err(Unknown);
            }
            self.fold(breaks);
            next = after;
        }
    }

    /// The rest of the line from `at`, and whether a comment ends it.
    fn plain_line(&mut self, at: usize) -> Known<(&'t str, bool)> {
        let end = self.line_end(at);
        let mut text = &self.text[at..end];
        let mut is_last = false;
        if memchr2(b':', b'#', text.as_bytes()).is_some() {
            if let Some(comment) = find_comment(text.as_bytes()) {
                text = &text[..comment];
                is_last = true;
            }
            if find_colon(text.as_bytes()).is_some() {
                return Err(Unknown);
            }
        }
        self.next_line(end);
        Ok((text.trim_end_matches([' ', '\t']), is_last))
    }

    /// Passes the line breaks of a scalar that may go on in the next lines: gives their number and where it goes on; `None`
    /// when it does not, and then nothing is passed.
    fn continuation(&mut self, parent: usize) -> Known<Option<(usize, usize)>> {
        let (mut start, mut breaks) = (self.at, 1);
        loop {
            let mut at = start;
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            match self.byte(at) {
                None | Some(b'#') => return Ok(None),
                Some(b'\n') => {
                    breaks += 1;
                    start = at + 1;
                }
                Some(b'\t') => return Err(Unknown),
                Some(_) if at - start <= parent => return Ok(None),
                Some(_) => {
                    self.at = start;
                    self.line += breaks as u32 - 1;
                    return Ok(Some((breaks, at)));
                }
            }
        }
    }

    /// One line break becomes a space, of several all but the first stay.
    fn fold(&mut self, breaks: usize) {
        if breaks == 1 {
            self.scratch.push(' ');
        } else {
            (1..breaks).for_each(|_| self.scratch.push('\n'));
        }
    }

    /// The quoted scalar at `at`, and where it ends.
    pub(super) fn quoted(&mut self, at: usize, parent: usize) -> Known<(Scalar<'t>, usize)> {
        let is_single = self.byte(at) == Some(b'\'');
        let start = at + 1;
        let rest = &self.bytes()[start..];
        let found = if is_single { memchr2(b'\'', b'\n', rest) } else { memchr3(b'"', b'\\', b'\n', rest) };
        let end = start + found.ok_or(Unknown)?;
        match self.byte(end) {
            Some(b'\'') if self.byte(end + 1) != Some(b'\'') => Ok((Scalar::Text(&self.text[start..end]), end + 1)),
            Some(b'"') => Ok((Scalar::Text(&self.text[start..end]), end + 1)),
            _ => {
                self.scratch.clear();
                let after = if is_single { self.single(start, parent)? } else { self.double(start, parent)? };
                Ok((Scalar::Scratch, after))
            }
        }
    }

    fn single(&mut self, mut from: usize, parent: usize) -> Known<usize> {
        loop {
            let end = from + memchr2(b'\'', b'\n', &self.bytes()[from..]).ok_or(Unknown)?;
            let text = &self.text[from..end];
            if self.byte(end) == Some(b'\n') {
                from = self.quoted_break(text, end, parent)?;
                continue;
            }
            self.scratch.push_str(text);
            if self.byte(end + 1) != Some(b'\'') {
                return Ok(end + 1);
            }
            self.scratch.push('\'');
            from = end + 2;
        }
    }

    fn double(&mut self, mut from: usize, parent: usize) -> Known<usize> {
        loop {
            let end = from + memchr3(b'"', b'\\', b'\n', &self.bytes()[from..]).ok_or(Unknown)?;
            let text = &self.text[from..end];
            match self.byte(end) {
                Some(b'"') => {
                    self.scratch.push_str(text);
                    return Ok(end + 1);
                }
                Some(b'\n') => from = self.quoted_break(text, end, parent)?,
                _ if self.byte(end + 1) == Some(b'\n') => {
                    // An escaped line break joins the lines.
                    self.scratch.push_str(text);
                    self.next_line(end + 1);
                    let (breaks, next) = self.quoted_continuation(parent)?;
                    (1..breaks).for_each(|_| self.scratch.push('\n'));
                    from = next;
                }
                _ => {
                    self.scratch.push_str(text);
                    let (c, length) = escape(&self.text[end..]).ok_or(Unknown)?;
                    self.scratch.push(c);
                    from = end + length;
                }
            }
        }
    }

    /// Takes `text`, which the line break at `end` follows, and the break; gives where the scalar goes on.
    fn quoted_break(&mut self, text: &str, end: usize, parent: usize) -> Known<usize> {
        self.scratch.push_str(text.trim_end_matches([' ', '\t']));
        self.next_line(end);
        let (breaks, next) = self.quoted_continuation(parent)?;
        self.fold(breaks);
        Ok(next)
    }

    fn quoted_continuation(&mut self, parent: usize) -> Known<(usize, usize)> {
        // A number sign is no comment between quotation marks.
        if self.byte(self.skip_blanks(self.at)) == Some(b'#') {
            return Err(Unknown);
        }
        self.continuation(parent)?.ok_or(Unknown)
    }
}

/// The colon that ends a key: the first one before a blank.
fn find_colon(line: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr(b':', &line[from..])?;
        if matches!(line.get(at + 1), None | Some(b' ' | b'\t')) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The blank before a comment.
fn find_comment(line: &[u8]) -> Option<usize> {
    line.windows(2).position(|pair| matches!(pair, b" #" | b"\t#"))
}

fn holds_comment(text: &[u8]) -> bool {
    memchr(b'#', text).is_some() && find_comment(text).is_some()
}

/// The character of the escape `text` starts with, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    let c = match text.as_bytes().get(1)? {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        c @ (b' ' | b'"' | b'/' | b'\\') => char::from(*c),
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        b'x' => return hex_escape(text, 2),
        b'u' => return hex_escape(text, 4),
        b'U' => return hex_escape(text, 8),
        _ => return None,
    };
    Some((c, 2))
}

fn hex_escape(text: &str, n_digits: usize) -> Option<(char, usize)> {
    let digits = text.get(2..2 + n_digits)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((c, 2 + n_digits))
}
