//! `coroner.report/v1` as text that is safe to print anywhere.

use serde::Serialize;

use super::model::Report;
use crate::visible::is_hidden;

/// The report as indented JSON.
pub(super) fn render(report: &Report) -> String {
    pretty(report)
}

/// `value` as indented JSON. Characters that are invisible or steer a terminal or a build runner are written as `\u`
/// escapes: the value stays exactly what it is, only its spelling is harmless.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let plain = serde_json::to_string_pretty(value).expect("a report has string keys and finite numbers");
    let mut out = spelled(&plain);
    out.push('\n');
    out
}

/// `value` as JSON inside an HTML `<script>`: nothing in it can end the element or start a comment.
pub(super) fn in_script(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).expect("a report has string keys and finite numbers");
    spelled(&plain).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Hidden characters and the bracket of `##[` occur in JSON inside strings only, where an escape may stand for them.
fn spelled(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for (at, c) in json.char_indices() {
        let runner_command = c == '[' && json[..at].trim_end_matches(|c: char| c.is_ascii_alphabetic()).ends_with("##");
        if runner_command || (is_hidden(c) && c != '\n') {
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_is_harmless_and_the_value_the_same() {
        let value = serde_json::json!({"a": ["##[group]x\u{1b}[1m\u{202e}\u{e0041}::error::"], "b": "##vso[x]", "c": [[1]]});
        let text = pretty(&value);
        assert!(!text.contains("##[") && !text.contains("##vso[") && text.chars().all(|c| !is_hidden(c) || c == '\n'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("is JSON"), value);
    }
}
