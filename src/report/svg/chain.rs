//! The chain from cause to symptom as boxes stacked top to bottom.

use super::fitted;
use crate::language::Language;
use crate::report::model::{Finding, Link};
use crate::report::{words, wrap};

/// Columns of text in a box.
const COLUMNS: usize = 112;
/// Lines of text in a box.
const LINES: usize = 2;
/// Pixels between two boxes.
const GAP: usize = 22;

/// The picture.
#[derive(Debug, serde::Serialize)]
pub(in crate::report) struct Chain {
    height: usize,
    boxes: Vec<Step>,
}

/// One box.
#[derive(Debug, serde::Serialize)]
struct Step {
    y: usize,
    height: usize,
    object: String,
    role: &'static str,
    class: &'static str,
    lines: Vec<String>,
}

/// The chain of `finding`.
pub(in crate::report) fn chain(finding: &Finding, language: Language) -> Chain {
    let last = finding.chain.len().saturating_sub(1);
    let mut y = 0;
    let mut boxes = Vec::with_capacity(finding.chain.len());
    for (i, link) in finding.chain.iter().enumerate() {
        let lines = wrapped(link);
        let height = 34 + 18 * lines.len();
        let (role, class) = match i {
            0 => (language.text("cause"), "cause"),
            _ if i == last => (language.text("symptom"), "symptom"),
            _ => ("", "step"),
        };
        boxes.push(Step { y, height, object: fitted(&words::object(&link.resource), 80), role, class, lines });
        y += height + GAP;
    }
    Chain { height: y.saturating_sub(GAP).max(1), boxes }
}

fn wrapped(link: &Link) -> Vec<String> {
    let text = crate::visible::visible_line(&link.what);
    let mut lines =
        textwrap::wrap(&text, wrap::options(COLUMNS).break_words(true)).into_iter().map(String::from).collect::<Vec<_>>();
    if lines.len() > LINES {
        let rest = lines.split_off(LINES - 1).join(" ");
        lines.push(fitted(&rest, COLUMNS));
    }
    lines
}
