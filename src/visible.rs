//! Hostile text made harmless: the one door through which words of a bundle reach a report.
//!
//! A name, a message or a log line may carry escape sequences that repaint a terminal, bidirectional controls that make
//! a command read otherwise than it runs, or the commands by which a build runner is steered from its own output. Every
//! format sends text through here first and through its own escaper after; both happen in one place, never per use.

use std::borrow::Cow;

/// Characters kept of one line; a longer line says how much is missing.
pub const LINE_MAX: usize = 2_000;

/// Room for the remark that a line was cut.
const REMARK: usize = 32;

/// `text` with nothing invisible and nothing that steers: C0 controls become control pictures (`␛`), C1, bidirectional,
/// zero-width and tag characters become `⟨U+202E⟩`, runner commands (`::error::` after a blank, `##[group]`,
/// `##vso[…]`) are broken, lines end with `\n` and are cut at [`LINE_MAX`] characters. Tabs stay. Idempotent.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        push_line(&mut out, line.strip_suffix('\r').unwrap_or(line));
    }
    Cow::Owned(out)
}

/// [`visible`] on one line: line breaks and tabs become blanks.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\t', '\r']) {
        return visible(text);
    }
    let flat: String =
        text.split(['\n', '\t', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Cow::Owned(visible(&flat).into_owned())
}

/// Whether `c` is drawn as nothing, changes how its neighbours are drawn, or is no character at all.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Nothing to do: the common case, told in one pass.
fn is_plain(text: &str) -> bool {
    let mut run = 0;
    for c in text.chars() {
        run = if c == '\n' { 0 } else { run + 1 };
        if run > LINE_MAX || (is_hidden(c) && c != '\n' && c != '\t') {
            return false;
        }
    }
    !text.contains("##") && !text.contains("::")
}

fn push_line(out: &mut String, line: &str) {
    let start = out.len();
    let last_colons = line.rfind("::");
    let mut before = ' ';
    for (length, (at, c)) in line.char_indices().enumerate() {
        if length > LINE_MAX {
            cut(out, start, line.len() - at);
            return;
        }
        let rest = &line[at..];
        match c {
            ':' if before.is_whitespace() && last_colons.is_some_and(|last| last > at + 2) && starts_command(rest) => {
                out.push_str("⟨:⟩");
            }
            '[' if follows_hashes(&line[..at]) => out.push_str("⟨[⟩"),
            '\t' => out.push(c),
            _ if is_hidden(c) => push_hidden(out, c),
            _ => out.push(c),
        }
        before = c;
    }
    if out[start..].chars().count() > LINE_MAX {
        cut(out, start, 0);
    }
}

/// Shortens what was written from `start` on to [`LINE_MAX`] characters, remark included; `left` bytes were not even read.
fn cut(out: &mut String, start: usize, left: usize) {
    let keep = out[start..].char_indices().nth(LINE_MAX - REMARK).map_or(out.len(), |(at, _)| start + at);
    let missing = out.len() - keep + left;
    out.truncate(keep);
    out.push_str(&format!("… {} more", bytes(missing as u64)));
}

/// `::name`, the beginning of a workflow command of GitHub's runner.
fn starts_command(rest: &str) -> bool {
    rest.strip_prefix("::").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// `##` and letters only, the beginning of `##[…]`, `##vso[…]`, `##teamcity[…]`.
fn follows_hashes(before: &str) -> bool {
    before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).ends_with("##")
}

fn push_hidden(out: &mut String, c: char) {
    match c {
        '\u{0}'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7f}' => out.push('␡'),
        _ => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
    }
}

/// `812 kB`: decimal, as disks and networks count, no more digits than are read.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1_000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_passes_untouched() {
        for text in ["", "a b\tc\nd", "日本語 é", "my_crate::module::run failed", "route ::/0 via ::ffff:10.0.0.1", "## Heading"]
        {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn controls_are_shown() {
        assert_eq!(visible("\u{1b}[31mred\u{7}\0\u{7f}"), "␛[31mred␇␀␡");
        assert_eq!(visible("a\u{202e}b\u{200b}c\u{9b}d\u{feff}"), "a⟨U+202E⟩b⟨U+200B⟩c⟨U+009B⟩d⟨U+FEFF⟩");
        assert_eq!(visible("x\u{e0041}"), "x⟨U+E0041⟩");
        assert_eq!(visible("one\r\ntwo\rthree"), "one\ntwo␍three");
    }

    #[test]
    fn runner_commands_are_broken() {
        assert_eq!(visible("::error::boo"), "⟨:⟩:error::boo");
        assert_eq!(visible("ok\n  ::add-mask::x"), "ok\n  ⟨:⟩:add-mask::x");
        assert_eq!(visible("see ::warning title=x::y"), "see ⟨:⟩:warning title=x::y");
        assert_eq!(visible("x ##[group]y ##vso[task.setvariable]"), "x ##⟨[⟩group]y ##vso⟨[⟩task.setvariable]");
    }

    #[test]
    fn long_lines_say_what_is_missing() {
        let long = format!("short\n{}", "x".repeat(14_000));
        let shown = visible(&long);
        assert!(shown.ends_with("x… 12 kB more"), "{}", &shown[shown.len() - 40..]);
        assert!(shown.lines().all(|l| l.chars().count() <= LINE_MAX));
    }

    #[test]
    fn one_line_has_no_breaks() {
        assert_eq!(visible_line("a\n  b\r\n\tc\n"), "a b c");
        assert_eq!(visible_line("a\n::error::b"), "a ⟨:⟩:error::b");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            [0, 999, 1_000, 9_940, 14_400, 812_345, 999_600, 2_000_000].map(bytes).join(", "),
            "0 B, 999 B, 1.0 kB, 9.9 kB, 14 kB, 812 kB, 1.0 MB, 2.0 MB"
        );
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in "\\PC*|(?s).{0,300}|(::[a-z]{1,3}|##[a-z]?\\[|[ \\n\u{202e}\u{1b}]){0,40}") {
            let shown = visible(&text);
            prop_assert!(shown.chars().all(|c| !is_hidden(c) || c == '\n' || c == '\t'));
            prop_assert!(!shown.contains("##["));
            for line in shown.lines().map(str::trim_start) {
                prop_assert!(!starts_command(line) || !line[2..].contains("::"), "{}", line);
            }
            let again = visible(&shown).into_owned();
            prop_assert_eq!(again, shown.into_owned());
        }
    }
}
