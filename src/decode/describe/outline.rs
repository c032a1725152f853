//! The outline of a describe text: lines that own the deeper indented lines below them.

/// The indentation of lines that have no place of their own: blank ones, and further lines of a value.
const OUTSIDE: u32 = u32::MAX;

/// One line with its place in the outline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// 1-based, in the file.
    pub(super) number: u32,
    /// Columns of white space before the text.
    pub(super) indent: u32,
    /// Lines below it that are indented deeper (blank lines among them count).
    below: u32,
    /// Column at which the value starts; 0 when there is none.
    pub(super) value_at: u32,
    /// The whole line as it stands in the file.
    pub(super) raw: &'t str,
}

impl<'t> Line<'t> {
    /// The line without the white space around it.
    pub(super) fn text(&self) -> &'t str {
        self.raw.trim()
    }

    /// What stands before the first colon that ends a word; the whole text when there is none.
    pub(super) fn key(&self) -> &'t str {
        split_key(self.text()).0
    }

    /// What stands after the key.
    pub(super) fn value(&self) -> &'t str {
        split_key(self.text()).1
    }

    /// The value, when one is told: not empty, not `<none>`, `<unset>` or the like.
    pub(super) fn given(&self) -> Option<&'t str> {
        given(self.value())
    }

    /// The line says `key:` and nothing more.
    fn is_bare_key(&self) -> bool {
        self.text().ends_with(':')
    }
}

/// `value`, unless it is one of kubectl's words for nothing.
pub(super) fn given(value: &str) -> Option<&str> {
    let nothing = matches!(value, "" | "<none>" | "<unset>" | "<unknown>" | "<nil>" | "<not set>" | "<default>");
    (!nothing).then_some(value)
}

/// Splits `Restart Count:  0`. A colon within a word (`http://`, `:8080`) ends no key.
pub(super) fn split_key(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b':', &text.as_bytes()[from..]) {
        let (key, rest) = (&text[..from + at], &text[from + at + 1..]);
        if rest.is_empty() || rest.starts_with([' ', '\t']) {
            return (key, rest.trim());
        }
        from += at + 1;
    }
    (text, "")
}

/// Reads the outline of `text`, whose first line is line `first` of its file.
pub(super) fn read(text: &str, first: u32) -> Vec<Line<'_>> {
    let rows: Vec<&str> = text.lines().collect();
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    let mut open: Vec<usize> = Vec::new();
    let every_field = rows.iter().any(|row| row.starts_with("API Version:"));
    let mut run_on = 0;
    for ((at, &raw), number) in rows.iter().enumerate().zip(first..) {
        let outside = at < run_on || raw.trim_ascii().is_empty() || (every_field && !may_be_field(raw));
        let indent = if outside { OUTSIDE } else { indent_of(raw) };
        if !outside {
            run_on = message_end(&rows, at);
            while let Some(&top) = open.last().filter(|&&top| lines[top].indent >= indent) {
                lines[top].below = (at - top - 1) as u32;
                open.pop();
            }
            open.push(at);
        }
        let value_at = value_column(raw);
        lines.push(Line { number, indent, below: 0, value_at, raw });
    }
    let end = lines.len();
    for top in open {
        lines[top].below = (end - top - 1) as u32;
    }
    lines
}

/// In a text that tells every field, what stands at the margin is a field; anything else there is more of a value.
fn may_be_field(raw: &str) -> bool {
    raw.starts_with([' ', '\t']) || (raw.starts_with(|c: char| c.is_uppercase()) && raw.contains(':'))
}

/// Where the message of a container's end is over that begins at `at`: its further lines are printed as they are, at the
/// margin, and the exit code follows on it. `at` itself when there are none.
fn message_end(rows: &[&str], at: usize) -> usize {
    const LINES: usize = 400;
    let indent = indent_of(rows[at]);
    if indent < 4 || !rows[at].trim_start().starts_with("Message:") {
        return at;
    }
    let after = rows.iter().enumerate().skip(at + 1).take(LINES);
    let mut ends = after.filter(|(_, row)| indent_of(row) == indent && row.trim_start().starts_with("Exit Code:"));
    ends.next().map_or(at, |(end, _)| end)
}

fn indent_of(raw: &str) -> u32 {
    let mut column = 0;
    for byte in raw.bytes() {
        match byte {
            b' ' => column += 1,
            b'\t' => column = (column / 8 + 1) * 8,
            _ => break,
        }
    }
    column
}

fn value_column(raw: &str) -> u32 {
    let value = split_key(raw.trim()).1;
    if value.is_empty() { 0 } else { (value.as_ptr().addr() - raw.as_ptr().addr()) as u32 }
}

/// Some consecutive lines of an outline: an object, or what stands below one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'o, 't>(pub(super) &'o [Line<'t>]);

/// A line together with what stands below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'o, 't> {
    /// The line.
    pub(super) line: &'o Line<'t>,
    /// What stands below it.
    pub(super) below: Block<'o, 't>,
}

impl<'o, 't> Block<'o, 't> {
    /// The entries at the outermost level, lines without a place left out.
    pub(super) fn entries(self) -> impl Iterator<Item = Entry<'o, 't>> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                let (line, after) = rest.split_first()?;
                let (below, next) = after.split_at(line.below as usize);
                rest = next;
                if line.indent != OUTSIDE {
                    return Some(Entry { line, below: Block(below) });
                }
            }
        })
    }

    /// The entry called `key`.
    pub(super) fn get(self, key: &str) -> Option<Entry<'o, 't>> {
        self.entries().find(|e| e.key() == key)
    }

    /// The first entry called by one of `keys`: kubectl renamed some over the years.
    pub(super) fn any(self, keys: &[&str]) -> Option<Entry<'o, 't>> {
        self.entries().find(|e| keys.contains(&e.key()))
    }

    /// The value called `key` with its line, when one is given.
    pub(super) fn given(self, key: &str) -> Option<(&'t str, u32)> {
        let entry = self.get(key)?;
        Some((entry.given()?, entry.number()))
    }

    /// It has an entry called `key`.
    pub(super) fn has(self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

impl<'o, 't> Entry<'o, 't> {
    /// See [`Line::key`].
    pub(super) fn key(&self) -> &'t str {
        self.line.key()
    }

    /// See [`Line::value`].
    pub(super) fn value(&self) -> &'t str {
        self.line.value()
    }

    /// See [`Line::given`].
    pub(super) fn given(&self) -> Option<&'t str> {
        self.line.given()
    }

    /// See [`Line::text`].
    pub(super) fn text(&self) -> &'t str {
        self.line.text()
    }

    /// The line's number.
    pub(super) fn number(&self) -> u32 {
        self.line.number
    }

    /// The line says `key:` and nothing more.
    pub(super) fn is_bare_key(&self) -> bool {
        self.line.is_bare_key()
    }

    /// The value and the lines below it, each a value of its own: how labels, annotations and tolerations are listed.
    pub(super) fn values(self) -> impl Iterator<Item = (&'t str, u32)> + 'o {
        let first = given(self.value()).map(|v| (v, self.number()));
        first.into_iter().chain(self.below.entries().filter_map(|e| Some((given(e.text())?, e.number()))))
    }

    /// The value with the lines that continue it, as it was before it was laid out in a column.
    pub(super) fn long_value(&self) -> std::borrow::Cow<'t, str> {
        if self.below.0.is_empty() {
            return self.value().into();
        }
        let mut value = self.value().to_owned();
        for line in self.below.0 {
            let white = line.raw.len() - line.raw.trim_start().len();
            let cut = white.min(self.line.value_at as usize);
            value.push('\n');
            value.push_str(line.raw.get(cut..).unwrap_or_default().trim_end());
        }
        value.truncate(value.trim_end().len());
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeper_lines_belong_to_the_line_above() {
        let text = "Name:  web\nLabels:  a=b\n         c=d\nContainers:\n  app:\n    Image:  nginx:1\n\nEvents:  <none>\n";
        let lines = read(text, 10);
        let block = Block(&lines);
        assert_eq!(block.entries().map(|e| e.key()).collect::<Vec<_>>(), ["Name", "Labels", "Containers", "Events"]);
        let labels: Vec<_> = block.get("Labels").expect("labels").values().collect();
        assert_eq!(labels, [("a=b", 11), ("c=d", 12)]);
        let app = block.get("Containers").expect("containers").below.get("app").expect("app");
        assert_eq!(app.below.given("Image"), Some(("nginx:1", 15)));
        assert_eq!(block.given("Events"), None);
    }

    #[test]
    fn keys_end_with_their_word() {
        assert_eq!(split_key("Liveness:  http-get http://:80/ delay=0s"), ("Liveness", "http-get http://:80/ delay=0s"));
        assert_eq!(split_key("http://x:80"), ("http://x:80", ""));
        assert_eq!(split_key("Volumes:"), ("Volumes", ""));
    }

    #[test]
    fn values_of_several_lines_are_joined() {
        let lines = read("  CONF:  [a]\n           x = 1\n         y = 2\n", 1);
        let entry = Block(&lines).get("CONF").expect("there");
        assert_eq!(entry.long_value(), "[a]\n  x = 1\ny = 2");
    }
}
