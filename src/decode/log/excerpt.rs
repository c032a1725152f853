//! Log lines that a tool kept as JSON: summaries by pattern, records of a log store.

use std::sync::Arc;

use super::{Log, LogSource, Patterns, scan, source};
use crate::decode::{Tag, Value};

/// Containers inside containers that are looked through.
const DEPTH: u32 = 6;
/// Lines that are read.
const LINES: usize = 10_000;

/// Keys under which lists of log lines stand.
const LISTS: &[&str] =
    &["patterns", "logs", "lines", "entries", "messages", "errors", "exceptions", "hits", "records", "clusters", "samples"];
/// Keys under which a line stands, the most faithful first.
const TEXTS: &[&str] = &["sample", "example", "raw", "line", "log", "message", "msg", "text", "pattern", "template"];
/// Keys that tell a line of a log from any other text.
const MARKS: &[&str] = &["count", "occurrences", "level", "severity", "timestamp", "@timestamp", "time", "ts", "ratio"];

/// A line, and how often it was written.
struct Excerpt<'a> {
    text: &'a str,
    count: u32,
    line: u32,
}

/// The log whose lines the document `root` of the file `path` holds.
pub(in crate::decode) fn excerpts(root: Value<'_>, path: &Arc<str>, patterns: &Patterns) -> Option<Log> {
    let mut found = Vec::new();
    collect(root, false, DEPTH, &mut found);
    let source = source::of_path(path);
    found.iter().map(|excerpt| scanned(excerpt, path, &source, patterns)).reduce(Log::join)
}

fn collect<'a>(value: Value<'a>, listed: bool, depth: u32, out: &mut Vec<Excerpt<'a>>) {
    if depth == 0 || out.len() >= LINES {
        return;
    }
    match value.tag() {
        Some(Tag::Seq) => value.items().for_each(|item| collect(item, listed, depth - 1, out)),
        Some(Tag::Map) => {
            if listed && let Some(excerpt) = excerpt(value) {
                out.push(excerpt);
                return;
            }
            for (key, inner) in value.fields().filter(|(_, v)| matches!(v.tag(), Some(Tag::Seq | Tag::Map))) {
                // Elasticsearch: `hits.hits[]._source`.
                let lists = LISTS.contains(&key.to_ascii_lowercase().as_str()) || (listed && key == "_source");
                collect(inner, lists, depth - 1, out);
            }
        }
        _ => {}
    }
}

fn excerpt(map: Value<'_>) -> Option<Excerpt<'_>> {
    let text = TEXTS.iter().map(|key| map.get(key)).find(|v| v.as_str().is_some_and(|t| !t.trim().is_empty()))?;
    if !MARKS.iter().any(|key| map.get(key).exists()) {
        return None;
    }
    let count = ["count", "occurrences"].iter().find_map(|key| map.get(key).as_i64()).unwrap_or(1);
    Some(Excerpt { text: text.text(), count: u32::try_from(count).unwrap_or(u32::MAX).max(1), line: text.line().unwrap_or(1) })
}

fn scanned(excerpt: &Excerpt<'_>, path: &Arc<str>, source: &LogSource, patterns: &Patterns) -> Log {
    // A stack trace in one string has one place in the file.
    let text = excerpt.text.trim().replace('\n', " ");
    let mut log = scan(path, source.clone(), excerpt.line, text.as_bytes(), patterns);
    let times = |n: &mut u32| *n = n.saturating_mul(excerpt.count);
    log.counts.iter_mut().for_each(|(_, n)| times(n));
    log.templates.iter_mut().for_each(|t| times(&mut t.count));
    times(&mut log.n_errors);
    times(&mut log.n_lines);
    log
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Pattern;
    use super::*;
    use crate::decode::Tape;

    fn read(value: &serde_json::Value) -> Option<Log> {
        let path = Arc::from("logs/web.error-summary.json");
        let pattern = Pattern { name: "refused".to_owned(), regex: "connection refused".to_owned() };
        let tape = Tape::from_json(&path, value, 7);
        excerpts(tape.root(), &path, &Patterns::new(vec![pattern]).unwrap())
    }

    #[test]
    fn reads_a_summary_by_pattern() {
        let summary = json!({"total_errors": 4, "patterns": [
            {"pattern": "ERROR dial <IP>", "count": 3, "sample": "2024-01-02T15:04:05Z ERROR dial db: connection refused"},
            {"pattern": "WARN slow", "count": 1},
        ]});
        let log = read(&summary).unwrap();
        assert_eq!((log.source.pod.as_deref(), log.n_lines, log.n_errors, log.count(0)), (Some("web"), 4, 3, 3));
        assert_eq!((log.hits[0].line.line, log.templates[0].count), (7, 3));
    }

    #[test]
    fn reads_records_of_a_store() {
        let records =
            json!({"hits": {"hits": [{"_source": {"@timestamp": "2024-01-02T15:04:05Z", "message": "connection refused"}}]}});
        assert_eq!(read(&records).map(|l| l.count(0)), Some(1));
    }

    #[test]
    fn other_documents_hold_none() {
        for value in [json!({"messages": [{"text": "hello"}]}), json!({"a": [{"message": "x", "count": 1}]}), json!([1, "x"])] {
            assert!(read(&value).is_none(), "{value}");
        }
    }
}
