//! The API server's refusals, as controllers pass them on in statuses, conditions, events and logs.

use super::{Fault, Refusal};

/// The refusals in a text that holds `Kind "name" is invalid: …`; none when it does not.
///
/// One refusal follows the colon bare, several stand in brackets with commas between them. Values and details may themselves
/// hold commas and brackets, so a new refusal begins only where a field path is followed by one of the API server's
/// categories.
pub fn parse(text: &str) -> Vec<Refusal> {
    let Some((_, list)) = text.split_once(" is invalid: ") else { return Vec::new() };
    let starts = starts(list);
    let ends = starts.iter().skip(1).map(|(path, ..)| *path).chain([list.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&(at, fault, rest), end)| {
            let path = list[at..].split(": ").next().unwrap_or_default();
            refusal(path, fault, list.get(rest..end).unwrap_or_default())
        })
        .collect()
}

/// Where refusals begin: (offset of the path, fault, offset after the category's words).
fn starts(list: &str) -> Vec<(usize, Fault, usize)> {
    let mut found = Vec::new();
    for (fault, word) in Fault::ALL {
        let needle = format!(": {word}");
        for (at, _) in list.match_indices(&needle) {
            let before = &list[..at];
            let path_at = before.rfind([' ', ',']).map_or(0, |i| i + 1);
            let path_at = path_at + before[path_at..].len() - before[path_at..].trim_start_matches('[').len();
            let path = &list[path_at..at];
            let is_path = path.starts_with(|c: char| c.is_ascii_lowercase()) && !path.contains('"');
            if is_path {
                found.push((path_at, fault, at + needle.len()));
            }
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    found.dedup_by_key(|(at, ..)| *at);
    found
}

fn refusal(path: &str, fault: Fault, rest: &str) -> Refusal {
    let rest = rest.trim_end().trim_end_matches(']').trim_end_matches(',');
    let rest = rest.strip_prefix(": ").unwrap_or(rest);
    let (value, rest) = match rest.strip_prefix('"').and_then(|r| r.split_once('"')) {
        Some((value, rest)) => (value, rest.strip_prefix(": ").unwrap_or(rest)),
        None if matches!(fault, Fault::Invalid | Fault::Duplicate | Fault::Unsupported | Fault::NotFound) => {
            rest.split_once(": ").unwrap_or((rest, ""))
        }
        None => ("", rest),
    };
    let allowed = match rest.strip_prefix("supported values: ") {
        Some(list) => list.split(", ").map(|v| v.trim_matches('"').to_owned()).collect(),
        None => Vec::new(),
    };
    let detail = if allowed.is_empty() { rest.to_owned() } else { String::new() };
    Refusal { path: path.to_owned(), fault, value: value.to_owned(), allowed, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_refusal() {
        let text = r#"Failed to create the pod: Pod "r-1" is invalid: spec.initContainers[1].restartPolicy: Unsupported value: "OnFailure": supported values: "Always""#;
        let [refusal] = parse(text).try_into().unwrap();
        assert_eq!(refusal.path, "spec.initContainers[1].restartPolicy");
        assert_eq!(refusal.field(), "restartPolicy");
        assert_eq!((refusal.fault, refusal.value.as_str()), (Fault::Unsupported, "OnFailure"));
        assert_eq!(refusal.allowed, ["Always"]);
        assert!(text.ends_with(&refusal.to_string()));
    }

    #[test]
    fn several_refusals() {
        let text = r#"Pod "x" is invalid: [metadata.labels: Invalid value: "a, b: c": a valid label must be [x], spec.containers[0].image: Required value, spec.containers[0].volumeMounts[1].name: Not found: "cfg"]"#;
        let found = parse(text);
        let paths: Vec<_> = found.iter().map(|r| r.path.as_str()).collect();
        assert_eq!(paths, ["metadata.labels", "spec.containers[0].image", "spec.containers[0].volumeMounts[1].name"]);
        assert_eq!(found[0].value, "a, b: c");
        assert_eq!((found[1].fault, found[1].value.as_str()), (Fault::Required, ""));
        assert_eq!((found[2].fault, found[2].value.as_str()), (Fault::NotFound, "cfg"));
    }

    #[test]
    fn a_bare_number_and_a_forbidden_field() {
        let found =
            parse("Service \"s\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated");
        assert_eq!((found[0].value.as_str(), found[0].detail.as_str()), ("30080", "provided port is already allocated"));
        let found =
            parse("Pod \"s\" is invalid: spec.initContainers[1].startupProbe: Forbidden: may not be set for init containers");
        assert_eq!((found[0].value.as_str(), found[0].detail.as_str()), ("", "may not be set for init containers"));
    }

    #[test]
    fn other_text_holds_none() {
        assert!(parse("pods \"x\" is forbidden: exceeded quota").is_empty());
        assert!(parse("").is_empty());
    }
}
