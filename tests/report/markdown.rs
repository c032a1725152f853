//! Markdown as GitHub reads it: hostile text stays text, and any size limit gives a whole document.

use coroner::report::{Format, Report, Style, render};
use pulldown_cmark::{Event, Options, Parser, Tag};
use regex::Regex;

use super::{SAMPLES, sample, sample_of};

fn markdown(report: &Report, max_bytes: usize) -> String {
    String::from_utf8(render(report, Format::Markdown, &Style { max_bytes, ..Style::default() })).expect("is UTF-8")
}

fn events(markdown: &str) -> Vec<Event<'_>> {
    let github = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Parser::new_ext(markdown, github | Options::ENABLE_GFM | Options::ENABLE_MATH).collect()
}

/// Elements opened and not closed.
fn depth(events: &[Event<'_>], element: &str) -> i64 {
    let html = events.iter().filter_map(|e| match e {
        Event::Html(html) | Event::InlineHtml(html) => Some(html),
        _ => None,
    });
    html.map(|html| html.matches(&format!("<{element}>")).count() as i64 - html.matches(&format!("</{element}>")).count() as i64)
        .sum()
}

#[test]
fn hostile_text_is_no_markup() {
    let page = markdown(&sample("hostile"), 60_000);
    let ours = Regex::new("</?(details|summary|code|b|sub)>").expect("is a pattern");
    for event in events(&page) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let rest = ours.replace_all(&html, "").into_owned();
                assert!(!rest.contains(['<', '>']), "{rest}");
            }
            Event::Start(Tag::Link { dest_url, .. }) => assert!(dest_url.starts_with("https://example.org/"), "{dest_url}"),
            Event::Start(Tag::Image { .. } | Tag::FootnoteDefinition(_) | Tag::Strikethrough | Tag::Emphasis)
            | Event::TaskListMarker(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => panic!("{event:?}"),
            _ => {}
        }
    }
    assert_eq!(depth(&events(&page), "details"), 0, "what opens is closed");
    let reference = Regex::new("@[a-z]|#[0-9]|GH-[0-9]").expect("is a pattern");
    let mut in_code = false;
    for event in events(&page) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) => assert!(in_code || !reference.is_match(&text), "{text}"),
            _ => {}
        }
    }
}

#[test]
fn a_table_keeps_its_columns() {
    for name in SAMPLES {
        let page = markdown(&sample(name), 60_000);
        let mut columns = 0;
        let mut cells = 0;
        for event in events(&page) {
            match event {
                Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
                Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
                Event::Start(Tag::TableCell) => cells += 1,
                Event::End(pulldown_cmark::TagEnd::TableRow) => assert_eq!(cells, columns, "{name}"),
                _ => {}
            }
        }
    }
}

#[test]
fn every_limit_gives_a_whole_document() {
    for report in SAMPLES.map(sample).into_iter().chain([sample_of(2_000)]) {
        let mut sizes = vec![0, 1, 80, 200, 400, 1_000, 2_000, 65_536, 1_000_000];
        sizes.extend((3_000..30_000).step_by(700));
        for max_bytes in sizes {
            let page = markdown(&report, max_bytes);
            assert!(page.len() <= max_bytes, "{} > {max_bytes}", page.len());
            assert_eq!(depth(&events(&page), "details"), 0, "{max_bytes}");
            assert_eq!(depth(&events(&page), "summary"), 0, "{max_bytes}");
            let fences = page.lines().filter(|line| line.starts_with("```")).count();
            assert_eq!(fences % 2, 0, "{max_bytes}");
        }
    }
}

#[test]
fn verdict_and_fix_go_last() {
    let report = sample("root-cause");
    let whole = markdown(&report, 60_000);
    let less = markdown(&report, 6_000);
    assert!(whole.contains("Log patterns") && !less.contains("Log patterns"));
    for kept in [
        "## Root cause",
        "restartPolicy: Always",
        "### From cause to symptom",
        "### Not in this bundle",
        "Left out to stay short: the diagram, log patterns",
    ] {
        assert!(less.contains(kept), "{kept}");
    }
    let least = markdown(&report, 500);
    assert!(least.contains("Change `AutoscalingRunnerSet arc-runners/build-set`."), "{least}");
}
