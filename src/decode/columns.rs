//! Tables laid out in columns by blanks, as kubectl's tab writer prints them.

/// The columns of a table: where each begins, counted in characters, and its heading.
#[derive(Debug, Clone)]
pub(super) struct Columns<'t> {
    columns: Vec<(usize, &'t str)>,
}

impl<'t> Columns<'t> {
    /// The columns a header line tells: headings may hold single blanks (`LAST SEEN`), two or more part them.
    pub(super) fn of(header: &'t str) -> Self {
        Self { columns: fields(header).map(|(at, text)| (header[..at].chars().count(), text)).collect() }
    }

    /// The headings.
    pub(super) fn names(&self) -> impl Iterator<Item = &'t str> {
        self.columns.iter().map(|(_, name)| *name)
    }

    /// There is a column with this heading.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|n| n == name)
    }

    /// The cells of a row with their headings, cut where the columns begin. A row that does not keep to the columns (an
    /// edited or re-wrapped text) is cut at its wide gaps, or else at all of them, when that gives one cell a column.
    pub(super) fn cells<'r>(&self, row: &'r str) -> Vec<(&'t str, &'r str)> {
        if self.fits(row) {
            return self.cut(row);
        }
        let wide: Vec<&str> = fields(row).map(|(_, text)| text).collect();
        if wide.len() == self.columns.len() {
            return self.names().zip(wide).collect();
        }
        let words: Vec<&str> = row.split_whitespace().collect();
        if words.len() == self.columns.len() {
            return self.names().zip(words).collect();
        }
        self.cut(row)
    }

    /// No cell of the row runs over the start of a column.
    fn fits(&self, row: &str) -> bool {
        if row.is_ascii() {
            let bytes = row.as_bytes();
            return self.columns.iter().all(|&(at, _)| at == 0 || bytes.get(at - 1).is_none_or(|b| *b == b' ' || *b == b'\t'));
        }
        let mut starts = self.columns.iter().map(|&(at, _)| at).filter(|at| *at > 0).peekable();
        for (at, c) in row.chars().enumerate() {
            if starts.next_if_eq(&(at + 1)).is_some() && !c.is_whitespace() {
                return false;
            }
        }
        true
    }

    fn cut<'r>(&self, row: &'r str) -> Vec<(&'t str, &'r str)> {
        let mut cells = Vec::with_capacity(self.columns.len());
        let mut offsets = Offsets::new(row);
        for (i, &(at, name)) in self.columns.iter().enumerate() {
            let from = if i == 0 { 0 } else { offsets.of(at) };
            let to = self.columns.get(i + 1).map_or(row.len(), |&(next, _)| offsets.of(next));
            cells.push((name, row[from..to.max(from)].trim()));
        }
        cells
    }
}

/// Byte offsets of rising character positions of one row.
struct Offsets<'r> {
    row: &'r str,
    ascii: bool,
    at: usize,
    byte: usize,
}

impl<'r> Offsets<'r> {
    fn new(row: &'r str) -> Self {
        Self { row, ascii: row.is_ascii(), at: 0, byte: 0 }
    }

    fn of(&mut self, position: usize) -> usize {
        if self.ascii {
            return position.min(self.row.len());
        }
        while self.at < position
            && let Some(c) = self.row[self.byte..].chars().next()
        {
            self.byte += c.len_utf8();
            self.at += 1;
        }
        self.byte
    }
}

/// The parts of a line between gaps of two or more blanks (or a tab), with their byte offsets.
pub(super) fn fields(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &line[at..];
        let start = at + (rest.len() - rest.trim_start().len());
        let rest = &line[start..];
        if rest.is_empty() {
            return None;
        }
        let blank = |b: u8| b == b' ' || b == b'\t';
        let gap = rest.as_bytes().windows(2).position(|w| w[0] == b'\t' || (w[0] == b' ' && blank(w[1])));
        let end = gap.unwrap_or(rest.len());
        at = start + end;
        Some((start, rest[..end].trim_end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_under_their_headings() {
        let columns = Columns::of("NAME    LAST SEEN   MESSAGE");
        assert_eq!(
            columns.cells("web-0   3m          it  broke"),
            [("NAME", "web-0"), ("LAST SEEN", "3m"), ("MESSAGE", "it  broke")]
        );
        assert_eq!(columns.cells("web-0               late"), [("NAME", "web-0"), ("LAST SEEN", ""), ("MESSAGE", "late")]);
        assert_eq!(columns.cells("wéb-0   3m          é"), [("NAME", "wéb-0"), ("LAST SEEN", "3m"), ("MESSAGE", "é")]);
    }

    #[test]
    fn rows_that_lost_their_columns() {
        let columns = Columns::of("NAME    READY   STATUS");
        assert_eq!(columns.cells("a-much-longer-name   1/1   Running")[1], ("READY", "1/1"));
        assert_eq!(columns.cells("a-much-longer-name 1/1 Running")[2], ("STATUS", "Running"));
        assert_eq!(columns.cells("").len(), 3);
    }
}
