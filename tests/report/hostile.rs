//! A report full of markup, escapes and commands: none of it does anything, in any format.

use coroner::report::{Format, Style, render};
use coroner::visible::is_hidden;
use regex::Regex;

use super::{FORMATS, sample, text};

/// What a runner obeys: `::name::` or `::name …::` at the start of a line, and `##[name]` anywhere.
fn commands(output: &str) -> Vec<&str> {
    let command = Regex::new(r"^\s*::[a-zA-Z][^:]*::").expect("is a pattern");
    output.lines().filter(|line| command.is_match(line) || line.contains("##[") || line.contains("##vso[")).collect()
}

#[test]
fn no_format_steers_a_runner_or_a_terminal() {
    for format in FORMATS {
        for width in [60, 80, 120] {
            for verbosity in [0, 1] {
                let style = Style { width, verbosity, ..Style::default() };
                let shown = String::from_utf8(render(&sample("hostile"), format, &style)).expect("is UTF-8");
                let ours = |line: &&str| {
                    format == Format::Github
                        && (line.starts_with("::error title=Root cause") || line.starts_with("::notice title=Not in"))
                };
                let obeyed: Vec<_> = commands(&shown).into_iter().filter(|line| !ours(line)).collect();
                assert!(obeyed.is_empty(), "{format:?}: {obeyed:#?}");
                // A word joiner of ours ends mentions in Markdown.
                let hidden: Vec<char> =
                    shown.chars().filter(|c| is_hidden(*c) && !matches!(c, '\n' | '\t' | '\u{2060}')).collect();
                assert!(hidden.is_empty(), "{format:?}: {hidden:?}");
            }
        }
    }
}

#[test]
fn the_only_escapes_on_a_terminal_are_ours() {
    let style = Style { color: true, verbosity: 1, ..Style::default() };
    let shown = String::from_utf8(render(&sample("hostile"), Format::Terminal, &style)).expect("is UTF-8");
    let colors = Regex::new("\u{1b}\\[[0-9;]*m").expect("is a pattern");
    assert!(colors.is_match(&shown));
    assert!(!colors.replace_all(&shown, "").chars().any(|c| is_hidden(c) && c != '\n'));
}

#[test]
fn the_page_has_no_elements_but_its_own() {
    let page = text(&sample("hostile"), Format::Html);
    let page = Regex::new("(?s)<(style|script)[^>]*>.*?</(style|script)>").expect("is a pattern").replace_all(&page, "");
    let tag = Regex::new(
        r#"(?x) ^/?(!doctype|html|head|meta|title|body|a|header|p|b|bdi|nav|ul|li|main|section|h1|h2|h3|span|code|pre|mark|details|summary
            |ol|figure|figcaption|div|article|dl|dt|dd|table|thead|tbody|tr|th|td|time|footer|svg|g|rect|path|text|circle|title)
            (\s(lang|charset|http-equiv|content|name|class|href|id|aria-[a-z]+|data-[a-z]+|role|open|tabindex|scope|datetime|rel|html
            |viewBox|width|height|x|y|rx|d|cx|cy|r)(="[^"<>]*")?)*\s*/?$"#,
    )
    .expect("is a pattern");
    let mut rest = &*page;
    while let Some((before, from)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{before}");
        let (inside, after) = from.split_once('>').expect("every tag is closed");
        assert!(tag.is_match(inside), "<{inside}>");
        rest = after;
    }
}

#[test]
fn what_is_hostile_is_shown() {
    let page = text(&sample("hostile"), Format::Html);
    for shown in
        ["&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt; {{ 7*7 }}", "⟨U+202E⟩esrever", "␛[31mred", "##⟨[⟩error]"]
    {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn xml_holds_only_characters_of_xml() {
    let xml = text(&sample("hostile"), Format::Junit);
    assert!(xml.chars().all(|c| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)));
    let entity = Regex::new("&(amp|lt|gt|quot|#39);").expect("is a pattern");
    assert!(!entity.replace_all(&xml, "").contains('&'));
    assert_eq!(xml.matches("<testcase ").count(), xml.matches("</testcase>").count() + xml.matches("\"/>\n").count());
}
