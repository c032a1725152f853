//! Cuts a YAML text where its indentation proves a cut is sound: between documents, and between the items of a List.

use memchr::{memchr_iter, memmem};

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    pub(super) text: &'a str,
    /// 1-based line it starts at.
    pub(super) line: u32,
}

/// A List cut into its items.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List<'a> {
    /// What stands around the items: `kind`, `apiVersion`, `metadata`.
    pub(super) frame: [Chunk<'a>; 2],
    /// The items, each starting with its `- `, perhaps indented.
    pub(super) items: Vec<Chunk<'a>>,
}

impl<'a> Chunk<'a> {
    /// Cuts at the byte offsets `cuts`, which ascend.
    fn cut(&self, cuts: &[usize]) -> Vec<Chunk<'a>> {
        let mut pieces = Vec::with_capacity(cuts.len() + 1);
        let (mut at, mut line) = (0, self.line);
        for cut in cuts.iter().copied().chain([self.text.len()]) {
            let piece = Chunk { text: &self.text[at..cut], line };
            line += memchr_iter(b'\n', piece.text.as_bytes()).count() as u32;
            at = cut;
            pieces.push(piece);
        }
        pieces
    }

    /// Offsets of the lines that start with `prefix`.
    fn lines_with(&self, prefix: &str) -> Vec<usize> {
        let first = self.text.starts_with(prefix).then_some(0);
        let needle = format!("\n{prefix}");
        first.into_iter().chain(memmem::find_iter(self.text.as_bytes(), &needle).map(|at| at + 1)).collect()
    }

    /// The line at `at`, without its end.
    fn line_at(&self, at: usize) -> &'a str {
        self.text[at..].lines().next().unwrap_or("")
    }

    fn is_blank(&self) -> bool {
        self.text.lines().all(is_blank)
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The documents of a stream. A second `apiVersion` and `kind` at the left margin begin a new one as well: people glue
/// files together and forget the separator.
pub(super) fn documents(text: &str, first_line: u32) -> Vec<Chunk<'_>> {
    let whole = Chunk { text, line: first_line };
    let ends_word = |at: &usize| text.as_bytes().get(*at + 3).is_none_or(|b| b" \t\n".contains(b));
    let mut cuts: Vec<usize> = whole.lines_with("---").into_iter().filter(ends_word).collect();
    cuts.extend(whole.lines_with("...").into_iter().filter(ends_word));
    cuts.sort_unstable();
    let mut documents = whole.cut(&cuts);
    if !documents.is_empty() {
        documents = documents.iter().flat_map(unglued).collect();
    }
    documents.iter().map(without_marker).filter(|d| !d.is_blank()).collect()
}

/// A document that holds `apiVersion` or `kind` at its left margin again, after it had both.
fn unglued<'a>(document: &Chunk<'a>) -> Vec<Chunk<'a>> {
    let keys = ["apiVersion: ", "kind: "].map(|key| document.lines_with(key));
    let mut lines: Vec<(usize, usize)> =
        keys.iter().enumerate().flat_map(|(key, lines)| lines.iter().map(move |at| (*at, key))).collect();
    lines.sort_unstable();
    let (mut cuts, mut seen) = (Vec::new(), [false; 2]);
    for (at, key) in lines {
        if seen == [true; 2] {
            cuts.push(at);
            seen = [false; 2];
        }
        seen[key] = true;
    }
    document.cut(&cuts)
}

/// Without the `---` or `...` it starts with. What follows `---` on its line belongs to the document.
fn without_marker<'a>(document: &Chunk<'a>) -> Chunk<'a> {
    let text = document.text.trim_start_matches('\u{feff}');
    let text = text.strip_prefix("---").or_else(|| text.strip_prefix("...")).unwrap_or(text);
    Chunk { text, line: document.line }
}

/// The items of a document that is a List or a sequence in block style; `None` for anything else.
pub(super) fn list<'a>(document: &Chunk<'a>) -> Option<List<'a>> {
    let start = items_start(document)?;
    let [head, rest] = document.cut(&[start])[..] else { return None };
    let (items, tail) = items(&rest)?;
    Some(List { frame: [head, tail], items })
}

/// The items that a text begins with, and what follows them.
pub(super) fn items<'a>(text: &Chunk<'a>) -> Option<(Vec<Chunk<'a>>, Chunk<'a>)> {
    let first = text.text.split('\n').next().unwrap_or("");
    let margin = &first[..first.len() - first.trim_start_matches(' ').len()];
    let end = ["apiVersion:", "kind:", "metadata:"].iter().filter_map(|key| text.lines_with(key).first().copied()).min();
    let [body, tail] = text.cut(&[end.unwrap_or(text.text.len())])[..] else { return None };
    let mut cuts = body.lines_with(&format!("{margin}- "));
    cuts.extend(body.lines_with(&format!("{margin}-\n")));
    cuts.sort_unstable();
    let mut items = body.cut(&cuts);
    items.retain(|item| !item.is_blank());
    Some((items, tail))
}

/// What each item of the List that `text` begins with starts with: a dash and a blank, perhaps indented. `None` unless the
/// items tell themselves what they are: a List's own kind may stand behind them.
pub(in crate::decode) fn item_start(text: &str) -> Option<&str> {
    let [document] = documents(text, 1)[..] else { return None };
    let list = list(&document)?;
    let [first, _, ..] = list.items[..] else { return None };
    let start = &first.text[..first.text.find("- ")? + 2];
    let inner = " ".repeat(start.len());
    let has = |key: &str| first.text[start.len()..].starts_with(key) || !first.lines_with(&format!("{inner}{key}")).is_empty();
    (has("apiVersion:") && has("kind:")).then_some(start)
}

/// Where the first item starts: at the first line with content, or at the first one after `items:`.
fn items_start(document: &Chunk<'_>) -> Option<usize> {
    let after_key = document.lines_with("items:").into_iter().find_map(|at| {
        let line = document.line_at(at);
        is_blank(&line["items:".len()..]).then_some(at + line.len())
    });
    let from = after_key.unwrap_or(0);
    let mut at = from;
    for line in document.text[from..].split('\n') {
        let content = line.trim_start_matches(' ');
        if content.starts_with("- ") || content == "-" {
            return Some(at);
        }
        if !is_blank(line) {
            return None;
        }
        at += line.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(&str, u32)> {
        documents(text, 1).iter().map(|d| (d.text, d.line)).collect()
    }

    #[test]
    fn cuts_streams_at_their_separators() {
        assert_eq!(texts("a: 1\n---\nb: 2\n"), [("a: 1\n", 1), ("\nb: 2\n", 2)]);
        assert_eq!(texts("# only\n--- # x\nb: 2\n...\n---\n"), [(" # x\nb: 2\n", 2)]);
        assert_eq!(texts("a: |\n  x\n  ---\n----: 1\n").len(), 1);
    }

    #[test]
    fn cuts_glued_documents() {
        let text = "apiVersion: v1\nkind: Pod\napiVersion: v1\nkind: Service\n";
        assert_eq!(texts(text), [("apiVersion: v1\nkind: Pod\n", 1), ("apiVersion: v1\nkind: Service\n", 3)]);
        assert_eq!(texts("kind: Pod\napiVersion: v1\nkind: Service\napiVersion: v1\n").len(), 2);
        assert_eq!(texts("apiVersion: v1\nitems: []\nkind: List\n").len(), 1);
    }

    #[test]
    fn cuts_lists_between_their_items() {
        for (text, lines) in [
            ("apiVersion: v1\nitems:\n- a: 1\n  b:\n  - c\n- a: 2\nkind: List\n", [3, 6]),
            ("items: # all\n\n  - a: 1\n    b:\n      - c\n  # comment\n  - a: 2\n", [3, 7]),
            ("- a: 1\n- a: 2\n", [1, 2]),
            ("---\n# x\n-\n  a: 1\n- a: 2\n", [3, 5]),
        ] {
            let document = documents(text, 1)[0];
            let list = list(&document).unwrap();
            assert_eq!(list.items.iter().map(|i| i.line).collect::<Vec<_>>(), lines, "{text}");
        }
        assert_eq!(list(&Chunk { text: "kind: Pod\nspec:\n- a\n", line: 1 }), None);
        assert_eq!(list(&Chunk { text: "items: []\nkind: List\n", line: 1 }), None);
    }
}
