//! One piece of evidence, quoted with its line numbers and a caret line under the telling part.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::sheet::{Ink, Sheet};
use crate::report::excerpt::{self, Line};
use crate::report::model::Evidence;
use crate::report::wrap;
use crate::visible::LINE_MAX;

/// Columns of the line numbers at least.
const NUMBERS: usize = 4;
/// Rows of one line of evidence that does not fit.
const ROWS_MAX: usize = 6;
/// Carets under one mark.
const CARETS_MAX: usize = 40;
/// Columns of a line before it is wrapped or cut to the terminal.
const WIDEST: usize = LINE_MAX;

/// Quotes evidence number `index` (from 0) with up to `around` lines before and after.
///
/// ```text
///   [1] autoscalingrunnersets.yaml:48
///        |
///     48 |     restartPolicy: OnFailure
///        |                    ^^^^^^^^^ not accepted here
/// ```
pub(super) fn quote(sheet: &mut Sheet, index: usize, evidence: &Evidence, around: usize) {
    let lines = excerpt::lines(evidence, around, WIDEST);
    let numbers = lines.iter().filter_map(|l| l.number).map(|n| n.to_string().len()).max().unwrap_or(0).max(NUMBERS) + 1;
    let room = sheet.width.saturating_sub(numbers + 3);
    let place = sheet.place(&evidence.location);
    sheet.line(format_args!("  [{}] {place}", index + 1));
    let last_hit = lines.iter().rposition(|l| l.hit);
    for (i, line) in lines.iter().enumerate() {
        let rows = if line.hit { rows(line, room) } else { vec![excerpt::cut(&line.text, 0..0, room)] };
        for (j, (text, mark)) in rows.iter().enumerate() {
            let number = line.number.filter(|_| j == 0).map(|n| n.to_string()).unwrap_or_default();
            let (before, marked, after) = (&text[..mark.start], &text[mark.clone()], &text[mark.end..]);
            let painted = if line.hit { sheet.paint(Ink::Bad, marked) } else { marked.to_owned() };
            sheet.line(format_args!("{number:>numbers$} | {before}{painted}{after}"));
        }
        if Some(i) == last_hit {
            // Several rows need no pointing at: all of them are meant.
            let (lead, carets) = match rows.as_slice() {
                [(text, mark)] => (text[..mark.start].width(), text[mark.clone()].width().clamp(1, CARETS_MAX)),
                _ => (0, 0),
            };
            says(sheet, &evidence.says, numbers, lead, carets);
        }
    }
}

/// The rows a hit takes: itself, or what it says wrapped, since the end of a message often tells more than its start.
fn rows(line: &Line, room: usize) -> Vec<(String, Range<usize>)> {
    if line.text.width() <= room {
        return vec![(line.text.clone(), line.mark.clone())];
    }
    let options = wrap::options(room).break_words(true).subsequent_indent("  ");
    let mut rows: Vec<String> = textwrap::wrap(&line.text, options).into_iter().map(String::from).collect();
    if rows.len() > ROWS_MAX {
        rows.truncate(ROWS_MAX);
        let last = &mut rows[ROWS_MAX - 1];
        *last = excerpt::cut(&format!("{last} {}", "…"), 0..0, room).0;
    }
    rows.into_iter().map(|row| (row.clone(), 0..row.len())).collect()
}

/// What it proves: behind the carets where that fits, else below.
fn says(sheet: &mut Sheet, says: &str, numbers: usize, lead: usize, carets: usize) {
    let painted = sheet.paint(Ink::Bad, &"^".repeat(carets));
    let beside = numbers + 3 + lead + carets + 1;
    let behind = sheet.wrapped(says, beside);
    if carets > 0 && behind.len() == 1 && beside + behind[0].width() <= sheet.width {
        sheet.line(format_args!("{:numbers$} | {:lead$}{painted} {}", "", "", behind[0]));
        return;
    }
    if carets > 0 {
        sheet.line(format_args!("{:numbers$} | {:lead$}{painted}", "", ""));
    }
    for (i, text) in sheet.wrapped(says, numbers + 3).iter().enumerate() {
        let sign = if i == 0 { '=' } else { ' ' };
        sheet.line(format_args!("{:numbers$} {sign} {text}", ""));
    }
}
