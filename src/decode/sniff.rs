//! What a text is, told by its content: file names lie (`pods.yaml` that is a table, `pods.txt` that is JSON).

use super::log;

/// What a part of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing but white space.
    Empty,
    /// One or several JSON values.
    Json,
    /// A log with one JSON object a line.
    JsonLog,
    /// One or several YAML documents.
    Yaml,
    /// What a command says instead of an answer.
    Remark,
    /// Something else: a table, a `describe` text, a log.
    Text,
}

/// Lines that are looked at: warnings and comments may stand before a document, not a whole log.
const LINES: usize = 60;

/// Tells the shape of `text` from its first lines.
pub(super) fn shape(text: &str) -> Shape {
    let Some(first) = text.lines().map(str::trim_end).find(|l| !l.is_empty()) else { return Shape::Empty };
    let start = first.trim_start();
    if start.starts_with('{') && is_log_line(start) {
        Shape::JsonLog
    } else if start.starts_with('{') || is_json_array(text) {
        Shape::Json
    } else if is_yaml(text) {
        Shape::Yaml
    } else if is_remark(text) {
        Shape::Remark
    } else {
        Shape::Text
    }
}

/// `[` opens many a log line (`[INFO] …`, `[2026-01-02 …]`); an array goes on with a value.
fn is_json_array(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('[') else { return false };
    let rest = rest.trim_start();
    rest.starts_with(['{', '"', '[']) || (rest.starts_with(']') && rest[1..].trim().is_empty())
}

/// A whole JSON object on one line that speaks like a logger and is no object of the API.
fn is_log_line(line: &str) -> bool {
    if !line.ends_with('}') {
        return false;
    }
    // Its own keys: what a whole answer of an API holds somewhere within may be called so as well.
    let keys: Vec<&[u8]> = log::json_fields(line.as_bytes()).map(|(key, _)| key).collect();
    let has = |key: &str| keys.contains(&key.as_bytes());
    let is_object = has("kind") && has("apiVersion") && has("metadata");
    let is_audit = has("auditID");
    let speaks = ["msg", "message", "log", "level", "severity", "lvl"].iter().any(|key| has(key));
    is_audit || (speaks && !is_object)
}

fn is_yaml(text: &str) -> bool {
    let mut opened = false;
    for line in text.lines().take(LINES) {
        let line = line.trim_start_matches('\u{feff}');
        if opens_object(line.strip_prefix("- ").map_or(line, str::trim_start)) || (opened && line.starts_with('{')) {
            return true;
        }
        opened |= line.trim_end() == "---";
    }
    false
}

/// A line every dump of API objects has at its left margin.
fn opens_object(line: &str) -> bool {
    ["apiVersion:", "kind:", "metadata:", "items:"]
        .iter()
        .filter_map(|key| line.strip_prefix(key))
        .any(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// How kubectl and its like begin when there is nothing to print.
const REMARKS: &[&str] = &[
    "Error from server",
    "No resources found",
    "Unable to connect to the server",
    "The connection to the server",
    "Unable to retrieve container logs",
    "unable to retrieve container logs",
    "Request log error:",
    "Create log request error:",
    "command terminated with exit code",
    "error: the server doesn't have a resource type",
    "error: You must be logged in to the server",
    "error: unable to ",
    "error: no matching resources found",
    "error: no context ",
    "error: current-context ",
    "error: previous terminated container",
    "error: container ",
    "error: timed out waiting",
    "error: stat ",
    "error: Missing or incomplete configuration",
    "error: Metrics API not available",
    "error: metrics not available",
    "error: arguments in resource/name form",
    "error: couldn't get ",
    "error: there is no need to specify a resource type",
    "Couldn't get current server API group list",
    "-bash: ",
    "bash: kubectl",
    "sh: kubectl",
];

/// The line is what a command prints when it has no answer.
pub(super) fn is_remark_line(line: &str) -> bool {
    let line = line.trim_start();
    // client-go's discovery complains in klog form before kubectl gives up: `E0102 15:04:05.000000  1 memcache.go:265] …`
    REMARKS.iter().any(|start| line.starts_with(start)) || line.contains(" memcache.go:")
}

/// Every line is one.
fn is_remark(text: &str) -> bool {
    const LONGEST: usize = 16 * 1024;
    text.len() <= LONGEST && text.lines().filter(|l| !l.trim().is_empty()).all(is_remark_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_by_content() {
        for (text, expected) in [
            (" \n\n", Shape::Empty),
            ("{\n  \"kind\": \"List\"", Shape::Json),
            ("[]", Shape::Json),
            ("{\"data\":{\"alerts\":[{\"severity\":\"warning\"}]}}", Shape::Json),
            ("[{\"kind\":\"Pod\"}]", Shape::Json),
            ("[INFO] starting", Shape::Text),
            ("{\"level\":\"info\",\"msg\":\"x\"}\n{\"level\":\"info\"}", Shape::JsonLog),
            ("{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"1\"}", Shape::JsonLog),
            ("apiVersion: v1\nkind: Pod\n", Shape::Yaml),
            ("# a comment\n---\n- kind: Pod\n", Shape::Yaml),
            ("Warning: v1 Endpoints is deprecated\napiVersion: v1\n", Shape::Yaml),
            ("Name:  web\nKind:  Pod\n", Shape::Text),
            ("NAME READY\nweb 1/1\n", Shape::Text),
            ("No resources found in shop namespace.\n", Shape::Remark),
            ("Error from server (Forbidden): pods is forbidden\n", Shape::Remark),
            ("error: cannot open the database\n", Shape::Text),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }
}
