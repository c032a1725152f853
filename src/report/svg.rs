//! Pictures, as geometry that the `.svg` templates print: a chain is a line of boxes and a timeline a set of lanes, so
//! their layout is arithmetic.

mod chain;
mod timeline;

pub(super) use chain::{Chain, chain};
pub(super) use timeline::{Timeline, timeline};

use unicode_width::UnicodeWidthChar;

use crate::visible::visible_line;

/// `text` made harmless, cut to `columns` with `…`.
fn fitted(text: &str, columns: usize) -> String {
    let text = visible_line(text);
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            let _ = out.pop();
            out.push('…');
            return out;
        }
        out.push(c);
    }
    out
}
