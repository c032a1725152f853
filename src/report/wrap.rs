//! Where lines of prose may break: at spaces, and between the characters of Chinese, which has none.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::UnicodeWidthChar;

/// Settings to wrap at `columns`. Words are never broken: a part of one at the start of a line could be a runner's command
/// that the whole was not.
pub(super) fn options<'a>(columns: usize) -> Options<'a> {
    Options::new(columns)
        .break_words(false)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
}

fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut start = 0;
    let mut chars = line.char_indices().peekable();
    Box::new(std::iter::from_fn(move || {
        while let Some((at, c)) = chars.next() {
            if chars.peek().is_none_or(|(_, next)| may_break(c, *next)) {
                let end = at + c.len_utf8();
                let word = Word::from(&line[start..end]);
                start = end;
                return Some(word);
            }
        }
        None
    }))
}

/// Between `c` and `next`. Nothing that could begin a command is moved to the start of a line, and no line begins with
/// what closes or ends with what opens.
fn may_break(c: char, next: char) -> bool {
    const CLOSING: &str = "，。；：、！？）】》」…:;,.!?)]}#";
    const OPENING: &str = "（【《「([{";
    let wide = |c: char| c.width() == Some(2);
    match (c, next) {
        (_, ' ') => false,
        (' ', _) => true,
        _ => (wide(c) || wide(next)) && !CLOSING.contains(next) && !OPENING.contains(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_breaks_between_characters_and_words_stay_whole() {
        let lines = |text, columns| textwrap::wrap(text, options(columns)).join("|");
        assert_eq!(
            lines("给 init 容器设置了 restartPolicy，因此被拒绝。", 14),
            "给 init 容器设|置了|restartPolicy，|因此被拒绝。"
        );
        assert_eq!(lines("one long-word-with-hyphens", 10), "one|long-word-with-hyphens");
        assert_eq!(lines("中中::error::", 4), "中|中::error::", "no line begins with a command");
    }
}
