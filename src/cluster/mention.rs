//! The object a controller's log line is about.
//!
//! Controllers built on controller-runtime end a line with a JSON object that names it: `"controllerKind": "X"` with
//! `"namespace"` and `"name"`, `"pod": {"name": …, "namespace": …}`, or in older releases `"pod": "namespace/name"`.

use serde_json::{Map, Value as Json};

use super::Cluster;
use crate::decode::Ref;

impl Cluster {
    /// The object a log line names, when its kind is in the bundle or among `kinds`.
    pub fn mentioned(&self, line: &str, kinds: &[&str]) -> Option<Ref> {
        let fields = trailing_object(line)?;
        let kind_of = |word: &str| {
            let same = |kind: &&str| kind.eq_ignore_ascii_case(word);
            kinds.iter().copied().find(|k| same(k)).or_else(|| self.kinds().map(|(k, _)| k).find(same)).map(str::to_owned)
        };
        let text = |key: &str| fields.get(key).and_then(Json::as_str);
        let kind = text("controllerKind").or_else(|| text("reconciler kind"));
        if let (Some(kind), Some(name)) = (kind, text("name")) {
            return Some(Ref::new(kind, text("namespace").filter(|ns| !ns.is_empty()), name));
        }
        let named = fields.iter().find_map(|(key, value)| {
            let kind = kind_of(key)?;
            let (namespace, name) = namespaced(value)?;
            Some(Ref::new(kind, namespace.as_deref(), name))
        });
        named.or_else(|| {
            // `"controller": "runner-controller", "request": "namespace/name"`
            let kind = kind_of(text("controller")?.trim_end_matches("-controller"))?;
            let (namespace, name) = namespaced(fields.get("request")?)?;
            Some(Ref::new(kind, namespace.as_deref(), name))
        })
    }
}

/// The JSON object a line is, or ends in.
fn trailing_object(line: &str) -> Option<Map<String, Json>> {
    let start = line.find('{')?;
    serde_json::from_str(line[start..].trim_end()).ok().or_else(|| fields_up_to_a_break(&line[start + 1..]))
}

/// The fields before one that is no JSON: a kept line has lost the escapes of quotes within its message, and may be cut.
fn fields_up_to_a_break(mut rest: &str) -> Option<Map<String, Json>> {
    let mut fields = Map::new();
    while let Some((key, after)) = first_value::<String>(rest.trim_start_matches([',', ' ']))
        && let Some((value, after)) = after.trim_start().strip_prefix(':').and_then(first_value::<Json>)
    {
        fields.insert(key, value);
        rest = after;
    }
    (!fields.is_empty()).then_some(fields)
}

/// The value `text` begins with, and what follows it.
fn first_value<T: serde::de::DeserializeOwned>(text: &str) -> Option<(T, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next()?.ok()?;
    let end = values.byte_offset();
    Some((value, &text[end..]))
}

fn namespaced(value: &Json) -> Option<(Option<String>, String)> {
    match value {
        Json::String(text) => match text.split_once('/') {
            Some((namespace, name)) => Some((Some(namespace.to_owned()), name.to_owned())),
            None if !text.is_empty() => Some((None, text.clone())),
            None => None,
        },
        Json::Object(map) => {
            let namespace = map.get("namespace").and_then(Json::as_str).filter(|ns| !ns.is_empty());
            Some((namespace.map(str::to_owned), map.get("name")?.as_str()?.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_object() {
        let cluster = Cluster::default();
        let kinds = ["Runner", "EphemeralRunner"];
        let table = [
            (
                r#"2024-01-01T00:00:00Z	ERROR	X	msg	{"version": "0.9.3", "ephemeralrunner": {"name":"a","namespace":"n"}, "error": "e"}"#,
                "EphemeralRunner n/a",
            ),
            (
                r#"x Reconciler error {"controllerKind": "Widget", "Widget": {"name":"w","namespace":"n"}, "namespace": "n", "name": "w"}"#,
                "Widget n/w",
            ),
            (r#"{"level":"error","msg":"m","reconciler kind":"Runner","name":"r","namespace":"n"}"#, "Runner n/r"),
            (r#"x	{"runner": "n/r", "error": "e"}"#, "Runner n/r"),
            (r#"x	{"runner": {"name":"r","namespace":"n"}, "error": "401 - {"message":"Bad"}"}"#, "Runner n/r"),
            (r#"x	{"controller": "runner-controller", "request": "n/r"}"#, "Runner n/r"),
        ];
        for (line, expected) in table {
            assert_eq!(cluster.mentioned(line, &kinds).map(|r| r.to_string()).as_deref(), Some(expected), "{line}");
        }
        assert_eq!(cluster.mentioned("plain words {", &kinds), None);
    }
}
