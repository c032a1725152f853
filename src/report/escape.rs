//! The escapers, one per place a text can stand. Each takes text as it came and passes it through [`visible`] itself.

use crate::visible::{visible, visible_line};

/// Not a space and not visible: GitHub's readers of mentions and references stop at it.
const BREAK: char = '\u{2060}';

/// For HTML and XML, in elements and in quoted attributes.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// For a line of HTML inside Markdown, where backslashes do nothing and GitHub still looks for mentions.
pub(super) fn html_line(text: &str) -> String {
    let mut out = String::new();
    for c in html(&visible_line(text)).chars() {
        out.push(c);
        if c == '@' {
            out.push(BREAK);
        }
    }
    out
}

/// For running text of Markdown: nothing in it is markup, a mention, a reference or a link.
pub(super) fn markdown(text: &str) -> String {
    let line = visible_line(text);
    let mut out = String::with_capacity(line.len() + 16);
    for (at, c) in line.char_indices() {
        let (before, rest) = (&line[..at], &line[at..]);
        match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', c]),
            '_' if !within_word(before, rest) => out.extend(['\\', c]),
            '#' => out.extend(['\\', '#', BREAK]),
            '@' => out.extend(['@', BREAK]),
            '-' if before.ends_with("GH") => out.extend(['-', BREAK]),
            '+' | '-' | '=' if at == 0 => out.extend(['\\', c]),
            '.' | ')'
                if at > 0
                    && before.bytes().all(|b| b.is_ascii_digit())
                    && !rest[1..].starts_with(|c: char| c.is_alphanumeric()) =>
            {
                out.extend(['\\', c]);
            }
            ':' if rest.starts_with("://") => out.push_str("&#58;"),
            '.' if before.ends_with("www") => out.push_str("&#46;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
    out
}

/// A code span of Markdown, in running text.
pub(super) fn code(text: &str) -> String {
    let line = visible_line(text);
    if line.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(&line) + 1);
    let pad = if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{pad}{line}{pad}{ticks}")
}

/// A code span inside a table, where `|` ends the cell unless it is escaped.
pub(super) fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A fenced block of Markdown whose fence is longer than any run of backticks in it.
pub(super) fn fence(text: &str, language: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{ticks}{language}\n{}\n{ticks}", text.trim_end_matches('\n'))
}

/// For the data of a GitHub workflow command.
pub(super) fn command_data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of a GitHub workflow command.
pub(super) fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A link of the catalogue, or empty when it is none: only `https:` and `http:` lead anywhere, and nothing in it needs to
/// be escaped again.
pub(super) fn url(text: &str) -> String {
    if !(text.starts_with("https://") || text.starts_with("http://")) {
        return String::new();
    }
    percent_encoded(text.as_bytes(), b"-._~:/?#@!$&()*+,;=%")
}

/// The URL of a file on this machine.
pub(super) fn file_url(path: &std::path::Path) -> String {
    format!("file://{}", percent_encoded(path.as_os_str().as_encoded_bytes(), b"-._~/"))
}

/// A path as a relative URI reference.
pub(super) fn relative_uri(path: &str) -> String {
    percent_encoded(path.trim_start_matches('/').as_bytes(), b"-._~/")
}

/// Letters, digits and `kept` as they are, everything else as `%XX`.
fn percent_encoded(bytes: &[u8], kept: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(*byte)),
            _ if kept.contains(byte) => out.push(char::from(*byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Between two letters or digits, where an underscore is no emphasis.
fn within_word(before: &str, rest: &str) -> bool {
    before.ends_with(char::is_alphanumeric) && rest[1..].starts_with(char::is_alphanumeric)
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    /// What GitHub reads.
    fn events(markdown: &str) -> Vec<Event<'_>> {
        let github =
            Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        Parser::new_ext(markdown, github | Options::ENABLE_GFM | Options::ENABLE_MATH).collect()
    }

    /// The text that a reader of `markdown` sees, when there is nothing but text in one paragraph.
    fn plain(markdown: &str) -> Option<String> {
        let mut out = String::new();
        for event in events(markdown) {
            match event {
                Event::Text(text) => out.push_str(&text),
                Event::Start(Tag::Paragraph) | Event::End(_) => {}
                _ => return None,
            }
        }
        Some(out.replace(BREAK, ""))
    }

    #[test]
    fn html_is_escaped_once() {
        assert_eq!(html("<a href=\"x\">'&'\u{202e}"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;⟨U+202E⟩");
    }

    #[test]
    fn markdown_has_no_mention_reference_or_link() {
        assert_eq!(
            markdown("@org/team see #12, GH-7 at https://x.y and www.z"),
            "@\u{2060}org/team see \\#\u{2060}12, GH-\u{2060}7 at https&#58;//x.y and www&#46;z"
        );
    }

    #[test]
    fn code_survives_backticks_and_pipes() {
        assert_eq!([code("a"), code("a`b"), code("``"), code("")], ["`a`", "``a`b``", "``` `` ```", ""]);
        assert_eq!(code_cell("a|b"), "`a\\|b`");
        assert_eq!(fence("x\n````\ny", "sh"), "`````sh\nx\n````\ny\n`````");
    }

    #[test]
    fn only_links_of_the_web_are_links() {
        assert_eq!(url("https://a.b/c?d=1&e=<f>\"' "), "https://a.b/c?d=1&e=%3Cf%3E%22%27%20");
        assert_eq!([url("javascript:alert(1)"), url("//a.b"), url("data:x")], ["", "", ""]);
    }

    #[test]
    fn commands_keep_to_their_line() {
        assert_eq!(command_data("a\n100%"), "a%0A100%25");
        assert_eq!(command_property("a:b,c"), "a%3Ab%2Cc");
    }

    proptest! {
        #[test]
        fn markdown_text_is_read_back_as_it_was(text in "[ -~é]{0,60}|[-`*_\\[\\]()#+!|~$<>&1.: =]{0,40}") {
            let shown = visible_line(text.trim()).into_owned();
            prop_assert_eq!(plain(&markdown(&shown)), Some(shown));
        }

        #[test]
        fn a_code_span_is_read_back_as_it_was(text in "[ -~]{1,40}|[` a]{1,20}") {
            let span = code(&text);
            let read: Vec<_> = events(&span).into_iter().filter_map(|e| match e { Event::Code(c) => Some(c.to_string()), _ => None }).collect();
            prop_assume!(!text.trim().is_empty());
            prop_assert_eq!(read, vec![visible_line(&text).into_owned()]);
        }

        #[test]
        fn a_fence_is_read_back_as_it_was(text in "([ -~]|`{3,5}|\n){0,60}") {
            let text = text.trim_end_matches('\n');
            let block = fence(text, "text");
            let read: String = events(&block).into_iter().filter_map(|e| match e { Event::Text(t) => Some(t.to_string()), _ => None }).collect();
            let shown = visible(text);
            prop_assert_eq!(read.trim_end_matches('\n'), shown.trim_end_matches('\n'));
        }
    }
}
