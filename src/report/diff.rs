//! A unified diff as lines to be coloured.

/// Lines shown of one diff.
const LINES_MAX: usize = 400;

/// One line of a diff.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Change {
    /// `-`, `+`, a blank, or `…` between two hunks.
    pub(super) sign: char,
    /// The line without its sign, and without the indentation that all lines share.
    pub(super) text: String,
    /// `del`, `add` or `same`.
    pub(super) class: &'static str,
}

/// The lines of a unified diff without its headers: what object it is about is said beside it.
pub(super) fn changes(diff: &str) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut in_hunk = false;
    for line in diff.lines() {
        if line.starts_with("@@") {
            if in_hunk {
                changes.push(Change { sign: '…', text: String::new(), class: "same" });
            }
            in_hunk = true;
        } else if in_hunk || !(line.starts_with("---") || line.starts_with("+++")) {
            let (sign, class) = match line.as_bytes().first() {
                Some(b'-') => ('-', "del"),
                Some(b'+') => ('+', "add"),
                _ => (' ', "same"),
            };
            changes.push(Change { sign, text: line.get(1..).unwrap_or("").to_owned(), class });
        }
        if changes.len() == LINES_MAX {
            break;
        }
    }
    dedent(&mut changes);
    changes
}

/// The same as text, one line a change.
pub(super) fn text(diff: &str) -> String {
    changes(diff).iter().map(|change| format!("{}{}\n", change.sign, change.text)).collect()
}

fn dedent(changes: &mut [Change]) {
    let indent = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let shared = changes.iter().filter(|c| !c.text.trim().is_empty()).map(|c| indent(&c.text)).min().unwrap_or(0);
    for change in changes {
        change.text.drain(..shared.min(indent(&change.text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_and_hunks_are_parted() {
        let diff = "--- Pod a/b\n+++ Pod a/b\n@@ -1,2 +1,2 @@\n   a: 1\n-  b: 2\n+  b: 3\n@@ -9 +9 @@\n+    - --- not a header\n";
        let shown: Vec<String> = changes(diff).iter().map(|c| format!("{}{}", c.sign, c.text)).collect();
        assert_eq!(shown, [" a: 1", "-b: 2", "+b: 3", "…", "+  - --- not a header"]);
    }
}
