//! Hostile texts on their whole way: whatever place of a bundle they stand in, no format lets them steer a terminal, a page,
//! a Markdown renderer or a build runner.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use coroner::Options;
use coroner::bundle::Source;
use coroner::catalog::Catalog;
use coroner::report::{Format, Report, Style, render};
use coroner::visible::is_hidden;

mod pack;
use pack::{gzip, tar};

/// Each with the mark by which its harmless form is found again.
const ATTACKS: &[(&str, &str)] = &[
    ("ANSI", "\u{1b}[2J\u{1b}]0;owned\u{7}mark"),
    ("C1", "\u{9b}31mmark"),
    ("bidi", "\u{202e}mark\u{2066}"),
    ("zero width", "\u{200b}mark\u{feff}"),
    ("workflow command", "\n::error file=x::mark"),
    ("group", "##[group]mark"),
    ("stop commands", "\n::stop-commands::mark"),
    ("azure", "##vso[task.setvariable variable=x]mark"),
    ("element", "<script>alert('mark')</script><img src=x onerror=mark>"),
    ("attribute", "\" onmouseover=\"mark\" x=\"' onfocus='mark"),
    ("comment", "--><!--mark]]>"),
    ("Markdown", "](javascript:mark) ![x](http://evil.example/mark) <b>mark</b>"),
    ("fence", "\n```\n</details><h1>mark\n~~~"),
    ("mention", "@everyone mark #1"),
    ("template", "{{ 7*7 }}{% for x in range(9) %}mark"),
];

/// The incident of a workload whose image does not exist, with `text` in every place a bundle's author can write.
fn bundle(text: &str) -> Vec<u8> {
    let quoted = serde_json::to_string(text).unwrap();
    let inside = &quoted[1..quoted.len() - 1];
    // Line breaks and slashes would make other paths of it.
    let name: String = text.replace(['\n', '/', '\0'], "_");
    let image = format!("registry.example.org/web:{inside}");
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web-{inside}","namespace":"shop","uid":"u1","creationTimestamp":"2026-01-02T15:00:00Z","labels":{{"app":{quoted}}},"annotations":{{{quoted}:{quoted}}}}},
"spec":{{"nodeName":{quoted},"containers":[{{"name":"app","image":"{image}","command":[{quoted}],"env":[{{"name":{quoted},"value":{quoted}}}]}}]}},
"status":{{"phase":"Pending","conditions":[{{"type":"Ready","status":"False","reason":{quoted},"message":{quoted}}}],
"containerStatuses":[{{"name":"app","image":"{image}","ready":false,"restartCount":3,"state":{{"waiting":{{"reason":"ErrImagePull","message":"failed to pull {inside}: not found"}}}},"lastState":{{"terminated":{{"exitCode":1,"reason":{quoted},"message":{quoted},"finishedAt":"2026-01-02T15:05:00Z"}}}}}}]}}}}
"#
    );
    let event = |reason: &str, message: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":{quoted},"namespace":"shop"}},"involvedObject":{{"kind":"Pod","namespace":"shop","name":"web-{inside}","uid":"u1","fieldPath":{quoted}}},"reason":{reason},"message":{message},"type":"Warning","count":2,"firstTimestamp":"2026-01-02T15:01:00Z","lastTimestamp":"2026-01-02T15:05:00Z","source":{{"component":{quoted}}}}}
"#
        )
    };
    let events =
        [event("\"Failed\"", &format!("\"Failed to pull image \\\"{image}\\\": {inside}: not found\"")), event(&quoted, &quoted)];
    let log = format!("2026-01-02T15:05:00Z ERROR {text}\n2026-01-02T15:05:01Z FATAL cannot connect: {text}\n{text}\n");
    let broken = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n\t{text}\n");
    let custom = format!(
        r#"{{"apiVersion":"example.org/v1","kind":"Widget","metadata":{{"name":{quoted},"namespace":"shop","uid":"u2"}},"status":{{"conditions":[{{"type":"Ready","status":"False","reason":{quoted},"message":{quoted},"lastTransitionTime":"2026-01-02T15:05:00Z"}}]}}}}"#
    );
    let refusal =
        format!("Error from server (Forbidden): nodes is forbidden: User {quoted} cannot list resource \"nodes\" {text}\n");
    gzip(&tar(&[
        ("pods.json", pod.as_bytes()),
        ("events.json", events.concat().as_bytes()),
        ("widgets.json", custom.as_bytes()),
        (&format!("logs/shop/web-{name}/app.log"), log.as_bytes()),
        (&format!("{name}.yaml"), broken.as_bytes()),
        ("errors.txt", refusal.as_bytes()),
    ]))
}

fn analysed(text: &str, catalog: &Catalog) -> Report {
    let source = Source::Bytes { name: format!("{}.tar.gz", text.replace('\n', " ")), bytes: bundle(text) };
    coroner::analyze(&[source], catalog, &Options { jobs: Some(1), ..Options::default() }).unwrap()
}

/// What breaks out of the format, if anything does.
fn escaped(format: Format, shown: &str) -> Option<String> {
    let hidden = shown.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t' | '\u{2060}'));
    if let Some(hidden) = hidden {
        return Some(format!("holds {hidden:?}"));
    }
    let is_ours =
        |line: &str| format == Format::Github && ["::notice ", "::warning ", "::error "].iter().any(|c| line.starts_with(c));
    let obeyed = |line: &&str| {
        let line = line.trim_start();
        let is_command = line.strip_prefix("::").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        line.contains("##[") || line.contains("##vso[") || (is_command && !is_ours(line))
    };
    if let Some(line) = shown.lines().find(obeyed) {
        return Some(format!("a runner obeys {line:?}"));
    }
    let forbidden: &[&str] = match format {
        Format::Html => &["<script>alert", "<img", "onerror=mark>", "\" onmouseover=\"mark", "--><!--mark", "49mark"],
        Format::Markdown => &["<script", "<img", "<b>mark", "<h1>mark", "link to javascript:", "image of http"],
        Format::Junit => &["<script", "<img", "]]>mark", "\" onmouseover=\"mark"],
        _ => &["49mark"],
    };
    let outside = if format == Format::Markdown { without_code(shown) } else { shown.to_owned() };
    forbidden.iter().find(|what| outside.contains(**what)).map(|what| format!("{what:?} came through"))
}

/// Markdown without what is shown as code, by the parser's own judgement.
fn without_code(markdown: &str) -> String {
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};
    let mut out = String::new();
    let mut in_code = false;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Html(html) | Event::InlineHtml(html) => out.push_str(&html),
            Event::Start(Tag::Link { dest_url, .. }) => out.push_str(&format!("link to {dest_url}")),
            Event::Start(Tag::Image { dest_url, .. }) => out.push_str(&format!("image of {dest_url}")),
            Event::Text(_) | Event::Code(_) if !in_code => out.push('\n'),
            _ => {}
        }
    }
    out
}

#[test]
fn no_place_of_a_bundle_reaches_a_reader_unarmed() {
    let catalog = Catalog::built_in().unwrap();
    let formats = [Format::Terminal, Format::Html, Format::Markdown, Format::Json, Format::Sarif, Format::Junit, Format::Github];
    let mut wrong = Vec::new();
    for (name, text) in ATTACKS {
        let report = analysed(text, &catalog);
        assert_eq!(report.verdict, "root-cause", "{name}");
        for format in formats {
            let shown = String::from_utf8(render(&report, format, &Style { verbosity: 1, ..Style::default() })).unwrap();
            assert!(shown.contains("mark"), "{name} is not in {format:?}: the test shows nothing");
            wrong.extend(escaped(format, &shown).map(|what| format!("{name} in {format:?}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
