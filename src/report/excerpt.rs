//! Evidence as numbered lines with the telling part marked.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::model::Evidence;
use crate::visible::{LINE_MAX, visible};

/// Lines shown of one piece of evidence, its surroundings included.
const LINES_MAX: usize = 12;

/// Bytes of a mark on a page; a longer one marks nothing that its line's colour does not.
const MARK_MAX: usize = 60;

/// One line of an excerpt, harmless already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// 1-based line in the file, where known.
    pub(super) number: Option<u32>,
    /// Tabs expanded to blanks.
    pub(super) text: String,
    /// It belongs to the evidence, not to its surroundings.
    pub(super) hit: bool,
    /// Byte range of the telling part; empty on lines of the surroundings.
    pub(super) mark: Range<usize>,
}

/// The lines of `evidence` with at most `around` lines before and after, each no wider than `width` columns, cut around
/// the mark.
pub(super) fn lines(evidence: &Evidence, around: usize, width: usize) -> Vec<Line> {
    let first = evidence.location.line;
    let hits: Vec<&str> = evidence.excerpt.trim_end_matches('\n').split('\n').take(LINES_MAX).collect();
    let room = (LINES_MAX - hits.len()).min(2 * around);
    let (before, after): (&[String], &[String]) = match &evidence.context {
        Some(context) => (&context.before, &context.after),
        None => (&[], &[]),
    };
    let n_before = before.len().min(around).min(room.div_ceil(2));
    let n_after = after.len().min(around).min(room - n_before);

    let mut out = Vec::with_capacity(n_before + hits.len() + n_after);
    for (i, text) in before[before.len() - n_before..].iter().enumerate() {
        let number = first.and_then(|line| line.checked_sub((n_before - i) as u32)).filter(|line| *line > 0);
        out.push(line(number, text, false, evidence));
    }
    for (i, text) in hits.iter().enumerate() {
        // Without surroundings the excerpt is a decoded value: its own line breaks are not lines of the file.
        let number = first.filter(|_| i == 0 || evidence.context.is_some()).map(|line| line.saturating_add(i as u32));
        out.push(line(number, text, true, evidence));
    }
    for (i, text) in after[..n_after].iter().enumerate() {
        let number = first.map(|line| line.saturating_add((hits.len() + i) as u32));
        out.push(line(number, text, false, evidence));
    }
    dedent(&mut out);
    for line in &mut out {
        (line.text, line.mark) = cut(&line.text, line.mark.clone(), width);
    }
    out
}

/// A line in three parts, for templates.
#[derive(Debug, serde::Serialize)]
pub(super) struct Quoted {
    number: Option<u32>,
    hit: bool,
    before: String,
    marked: String,
    after: String,
}

/// The lines of `evidence` as a page shows them.
pub(super) fn quoted(evidence: &Evidence) -> Vec<Quoted> {
    lines(evidence, 4, LINE_MAX)
        .into_iter()
        .map(|line| if line.mark.len() > MARK_MAX { Line { mark: 0..0, ..line } } else { line })
        .map(|line| Quoted {
            number: line.number,
            hit: line.hit,
            before: line.text[..line.mark.start].to_owned(),
            marked: line.text[line.mark.clone()].to_owned(),
            after: line.text[line.mark.end..].to_owned(),
        })
        .collect()
}

/// Takes away the indentation all lines share beyond two columns, so that deep fields stay in sight.
fn dedent(lines: &mut [Line]) {
    let indent = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let shared = lines.iter().filter(|l| !l.text.trim().is_empty()).map(|l| indent(&l.text)).min();
    let Some(cut) = shared.filter(|n| *n > 2).map(|n| n - 2) else { return };
    for line in lines {
        let n = cut.min(indent(&line.text));
        line.text.drain(..n);
        line.mark = line.mark.start.saturating_sub(n)..line.mark.end.saturating_sub(n);
    }
}

/// The lines of `evidence` with a gutter of numbers, `>` before what is meant.
pub(super) fn numbered(evidence: &Evidence, around: usize) -> String {
    let lines = lines(evidence, around, LINE_MAX);
    let width = lines.iter().filter_map(|l| l.number).map(|n| n.to_string().len()).max().unwrap_or(0);
    let mut out = String::new();
    for line in &lines {
        let sign = if line.hit { '>' } else { ' ' };
        let number = line.number.map(|n| n.to_string()).unwrap_or_default();
        out.push_str(format!("{sign} {number:>width$} | {}", line.text).trim_end());
        out.push('\n');
    }
    out
}

fn line(number: Option<u32>, text: &str, hit: bool, evidence: &Evidence) -> Line {
    let text = visible(text.trim_end()).replace('\t', "    ");
    let mark = if hit { mark(&text, evidence) } else { 0..0 };
    Line { number, text, hit, mark }
}

/// The value of `key: value`, else the whole line.
fn mark(text: &str, evidence: &Evidence) -> Range<usize> {
    let start = text.len() - text.trim_start().len();
    let is_field = matches!(evidence.kind.as_str(), "spec" | "status" | "condition");
    let value =
        text[start..].split_once(": ").filter(|(key, _)| is_field && !key.contains(char::is_whitespace) || key.starts_with("- "));
    match value {
        Some((key, value)) if !value.trim().is_empty() => {
            start + key.len() + 2 + (value.len() - value.trim_start().len())..text.trim_end_matches(',').len()
        }
        _ => start..text.len(),
    }
}

/// Cuts `text` to `width` columns so that the mark's start stays in sight; what is cut becomes `…`.
pub(super) fn cut(text: &str, mark: Range<usize>, width: usize) -> (String, Range<usize>) {
    if text.width() <= width {
        return (text.to_owned(), mark);
    }
    let lead = text[..mark.start].width();
    // Keep the line's beginning while at least half of the room is left for the mark.
    let skip = if lead <= width / 2 { 0 } else { lead - width / 4 };
    let (mut out, mut new) = (String::new(), 0..0);
    if skip > 0 {
        out.push('…');
    }
    let (mut column, mut used) = (0, out.width());
    for (at, c) in text.char_indices() {
        let columns = c.width().unwrap_or(0);
        column += columns;
        if column <= skip {
            continue;
        }
        if used + columns > width - 1 {
            out.push('…');
            break;
        }
        if at <= mark.start {
            new.start = out.len();
        }
        out.push(c);
        used += columns;
        if at < mark.end {
            new.end = out.len();
        }
    }
    (out, new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{Location, Surroundings};

    fn evidence(excerpt: &str, context: Option<Surroundings>) -> Evidence {
        Evidence {
            location: Location { path: "a.yaml".into(), line: Some(48) },
            kind: "spec".into(),
            strength: "proof".into(),
            excerpt: excerpt.into(),
            says: "it is so".into(),
            context,
        }
    }

    #[test]
    fn the_value_of_a_field_is_marked() {
        let found = lines(&evidence("  restartPolicy: OnFailure", None), 2, 60);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].number, &found[0].text[found[0].mark.clone()]), (Some(48), "OnFailure"));
    }

    #[test]
    fn surroundings_are_numbered() {
        let context = Surroundings { before: vec!["a".into(), "b".into(), "c".into()], after: vec!["e".into()] };
        let found = lines(&evidence("d: 1", Some(context)), 2, 60);
        let shown: Vec<_> = found.iter().map(|l| (l.number, l.text.as_str(), l.hit)).collect();
        assert_eq!(shown, [(Some(46), "b", false), (Some(47), "c", false), (Some(48), "d: 1", true), (Some(49), "e", false)]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let found = lines(&evidence(&format!("{}key: {}", " ".repeat(50), "v".repeat(100)), None), 0, 40);
        assert!(found[0].text.width() <= 40, "{}", found[0].text);
        assert!(found[0].text[found[0].mark.clone()].starts_with("vvv"), "{:?}", found[0]);
    }

    #[test]
    fn many_lines_are_limited() {
        assert_eq!(lines(&evidence(&"x\n".repeat(50), None), 2, 60).len(), LINES_MAX);
    }
}
