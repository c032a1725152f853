//! The change of an object as people read it: a unified diff of its YAML.

use serde_json::Value as Json;
use similar::TextDiff;

/// Unified diff with three lines of context; empty when nothing changes. Status is left out: nobody patches it.
pub(super) fn diff(before: &Json, after: &Json) -> String {
    let (before, after) = (block(&without_noise(before)), block(&without_noise(after)));
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).to_string()
}

fn without_noise(object: &Json) -> Json {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    object
}

/// Block style, as kubectl prints it.
fn block(value: &Json) -> String {
    let mut out = String::new();
    write(value, 0, false, &mut out);
    out
}

fn write(value: &Json, indent: usize, in_list: bool, out: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 || !in_list {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(&scalar(key));
                out.push(':');
                member(value, indent, out);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push_str("- ");
                match item {
                    Json::Object(map) if !map.is_empty() => write(item, indent + 2, true, out),
                    _ => {
                        out.push_str(&inline(item));
                        out.push('\n');
                    }
                }
            }
        }
        _ => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

fn member(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            out.push('\n');
            write(value, indent + 2, false, out);
        }
        // Lists stand at their key's own indent, as kubectl prints them.
        Json::Array(items) if !items.is_empty() => {
            out.push('\n');
            write(value, indent, false, out);
        }
        Json::String(text) if text.contains('\n') => {
            out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in text.lines() {
                out.push_str(&" ".repeat(indent + 2));
                out.push_str(line);
                out.push('\n');
            }
        }
        _ => {
            out.push(' ');
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

fn inline(value: &Json) -> String {
    match value {
        Json::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A string, quoted only where YAML would read something else.
fn scalar(text: &str) -> String {
    const WORDS: &[&str] = &["true", "false", "null", "~", "yes", "no", "on", "off", "y", "n"];
    let plain = !text.is_empty()
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && text.parse::<f64>().is_err()
        && !text.starts_with(|c: char| "-?:,[]{}#&*!|>'\"%@` ".contains(c))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.contains(char::is_control);
    if plain { text.to_owned() } else { Json::String(text.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prints_as_kubectl_does() {
        let object = json!({"a": {"l": [{"x": 1, "z": "true", "y": 2}, {"x": []}], "t": "one\ntwo\n"}, "b": {}});
        assert_eq!(
            block(&object),
            "a:\n  l:\n  - x: 1\n    z: \"true\"\n    \"y\": 2\n  - x: []\n  t: |\n    one\n    two\nb: {}\n"
        );
    }

    #[test]
    fn a_diff_shows_the_changed_line_only() {
        let (before, after) = (json!({"spec": {"x": "a"}, "status": 1}), json!({"spec": {"x": "b"}, "status": 2}));
        let diff = diff(&before, &after);
        assert!(diff.contains("-  x: a\n+  x: b\n"), "{diff}");
        assert!(!diff.contains("status"));
    }
}
