//! Logs of GitHub Actions: every line under a stamp, and the output of commands between them. What a step printed of the
//! cluster is read as what it is; the log stays a log beside it.

use std::ops::Range;

use memchr::memmem;

use super::Part;

/// Lines of the head that are looked at.
const LINES: usize = 20;

/// `text` without the stamps, when it is such a log. Lines keep their numbers.
pub(super) fn without_stamps(text: &str) -> Option<String> {
    let is_stamped = |line: &str| line.is_empty() || stamp(line).is_some();
    if memmem::find(text.as_bytes(), b"Z ##[").is_none() || !text.lines().take(LINES).all(is_stamped) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(without_colour(stamp(line).map_or(line, |length| &line[length..])));
        out.push('\n');
    }
    Some(out)
}

/// Length of `2006-01-02T15:04:05.0000000Z `, seven digits behind the point.
fn stamp(line: &str) -> Option<usize> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.0000000Z ";
    let line = line.as_bytes();
    let fits = |(shape, byte): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { shape == byte };
    let is_stamp = line.len() >= SHAPE.len() && SHAPE.iter().zip(line).all(fits);
    // A line without text ends in the stamp.
    let is_bare = line.len() == SHAPE.len() - 1 && SHAPE.iter().zip(line).all(fits);
    if is_stamp { Some(SHAPE.len()) } else { is_bare.then_some(line.len()) }
}

/// Without the colour that the runner gives a whole line.
fn without_colour(line: &str) -> &str {
    line.strip_prefix("\u{1b}[36;1m").map_or(line, |rest| rest.strip_suffix("\u{1b}[0m").unwrap_or(rest))
}

/// The outputs of the steps of `whole`, which has no stamps: each under the command that was run, when it was one.
pub(super) fn outputs<'a>(whole: &Part<'a>) -> Vec<Part<'a>> {
    let mut outputs = Vec::new();
    let (mut command, mut start) = ("", 0);
    let mut at = 0;
    let mut start_line = whole.line;
    let mut end = |range: Range<usize>, line: u32, title: &'a str| {
        if !whole.text[range.clone()].trim().is_empty() {
            outputs.push(Part { text: &whole.text[range], line, title, ..*whole });
        }
    };
    for (line_number, line) in (whole.line..).zip(whole.text.split_inclusive('\n')) {
        if line.starts_with("##[") {
            end(start..at, start_line, command);
            if let Some(name) = line.strip_prefix("##[group]") {
                command = name.trim().strip_prefix("Run ").unwrap_or("");
            }
            (start, start_line) = (at + line.len(), line_number + 1);
        }
        at += line.len();
    }
    end(start..at, start_line, command);
    outputs
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn outputs_stand_under_their_commands() {
        let text = "2026-01-02T15:08:00.0000000Z ##[group]Run kubectl get pods\n2026-01-02T15:08:00.0000000Z \u{1b}[36;1mkubectl get pods\u{1b}[0m\n2026-01-02T15:08:00.0000000Z ##[endgroup]\n2026-01-02T15:08:01.0000000Z NAME READY\n2026-01-02T15:08:01.0000000Z\n2026-01-02T15:08:02.0000000Z ##[error]Process completed with exit code 1.\n";
        let bare = without_stamps(text).unwrap();
        let path = Arc::from("1_build.txt");
        let whole = Part { path: &path, text: &bare, line: 1, title: "" };
        let found: Vec<_> = outputs(&whole).iter().map(|p| (p.title, p.line, p.text)).collect();
        assert_eq!(found, [("kubectl get pods", 2, "kubectl get pods\n"), ("kubectl get pods", 4, "NAME READY\n\n")]);
        assert_eq!(without_stamps("2026-01-02T15:08:00.0000000Z up\nNAME ##[x]\n"), None);
    }
}
