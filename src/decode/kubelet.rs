//! What a kubelet's log says of pods that do not start → the events it recorded of the same failures. Bundles of nodes
//! (kind, Rancher's collector, CI artifacts) often hold the log and not the events.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use memchr::memmem;
use rustc_hash::FxHashMap;

use super::{Document, Event, Ref};
use crate::location::Location;
use crate::time;

/// The kubelet tries again after 5 minutes at most: who is not heard of for longer has recovered or is gone.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

/// Different complaints kept of one log.
const MOST: usize = 2_000;

/// Events out of the lines `pod_workers.go` writes, of pods that still fail where the log ends.
pub(super) fn events(path: &Arc<str>, first_line: u32, text: &str) -> Vec<Document> {
    if memmem::find(text.as_bytes(), b"pod_workers.go:").is_none() {
        return Vec::new();
    }
    let mut failing = Failing::default();
    for (line, number) in text.lines().zip(first_line..) {
        failing.read(line, &Location::line(path, number));
    }
    failing.into_events()
}

/// What was said last of each pod.
#[derive(Default)]
struct Failing {
    events: IndexMap<(String, String), Event>,
    /// When pods were taken away, by name. Some collectors print journals from their end.
    gone: FxHashMap<String, Option<Timestamp>>,
    /// The newest stamp of the log.
    end: Option<Timestamp>,
}

impl Failing {
    fn read(&mut self, line: &str, location: &Location) {
        let at = line.match_indices(['E', 'I', 'W']).take(4).find_map(|(at, _)| time::of_line(&line.as_bytes()[at..]));
        self.end = self.end.max(at);
        if line.contains("SyncLoop DELETE") || line.contains("SyncLoop REMOVE") {
            let named = line.split_once("pods=[").map_or("", |(_, pods)| pods).split('"');
            for name in named.filter_map(|pod| pod.split_once('/')).map(|(_, name)| name).take(MOST - self.gone.len().min(MOST)) {
                let last = self.gone.entry(name.to_owned()).or_default();
                *last = at.max(*last);
            }
        } else if let Some(complaint) = Complaint::of(line) {
            for (reason, message) in complaint.causes() {
                self.add(&complaint, reason, message, at, location);
            }
        }
    }

    fn add(&mut self, complaint: &Complaint, reason: &str, message: String, at: Option<Timestamp>, location: &Location) {
        let key = (complaint.pod.clone(), message);
        if let Some(known) = self.events.get_mut(&key) {
            known.count = known.count.saturating_add(1);
            known.last = known.last.max(at);
        } else if self.events.len() < MOST {
            let event = Event {
                uid: complaint.uid.clone(),
                warning: true,
                reason: reason.to_owned(),
                message: key.1.clone(),
                first: at,
                last: at,
                source: "kubelet".to_owned(),
                ..Event::new(Ref::new("Pod", Some(&complaint.namespace), &complaint.pod), location.clone())
            };
            self.events.insert(key, event);
        }
    }

    fn into_events(self) -> Vec<Document> {
        let end = self.end;
        let is_over = |event: &Event| end.zip(event.last).is_some_and(|(end, last)| end.duration_since(last) > SILENCE);
        let gone = self.gone;
        let is_gone = |event: &Event| gone.get(&event.regarding.name).is_some_and(|at| *at >= event.last);
        self.events.into_values().filter(|event| !is_over(event) && !is_gone(event)).map(Document::Event).collect()
    }
}

/// A line on a pod that could not be synced.
struct Complaint {
    namespace: String,
    pod: String,
    uid: String,
    error: String,
}

impl Complaint {
    /// `"Error syncing pod, skipping" err="…" pod="shop/web-0" podUID="…"`, before 1.19
    /// `Error syncing pod <uid> ("web-0_shop(<uid>)"), skipping: …`.
    fn of(line: &str) -> Option<Self> {
        let said = &line[line.find("Error syncing pod")?..];
        if let Some((_, rest)) = said.split_once(" err=\"") {
            let error = unquoted(rest);
            let fields = &rest[error.1..];
            let (namespace, pod) = between(fields, " pod=\"", "\"")?.split_once('/')?;
            let uid = between(fields, " podUID=\"", "\"").or_else(|| between(fields, " podUID=", " ")).unwrap_or("");
            let (namespace, pod, uid) = (namespace.to_owned(), pod.to_owned(), uid.to_owned());
            return Some(Self { namespace, pod, uid, error: error.0 });
        }
        let (id, error) = said.split_once("skipping: ")?;
        let (pod, rest) = between(id, "(\"", "\")")?.split_once('_')?;
        let (namespace, uid) = rest.split_once('(')?;
        let uid = uid.trim_end_matches(')').to_owned();
        Some(Self { namespace: namespace.to_owned(), pod: pod.to_owned(), uid, error: error.to_owned() })
    }

    /// Reason and message of the events that were recorded of it.
    fn causes(&self) -> Vec<(&'static str, String)> {
        let steps: Vec<_> = self.error.split("failed to \"").skip(1).filter_map(step).collect();
        if steps.is_empty() && self.error.contains("unmounted volumes=") {
            return vec![("FailedMount", format!("Unable to attach or mount volumes: {}", self.error))];
        }
        steps
    }
}

/// `StartContainer" for "app" with ErrImagePull: "…"`: what comes after `failed to "`.
fn step(text: &str) -> Option<(&'static str, String)> {
    let (_, rest) = text.split_once(" with ")?;
    let (reason, quoted) = rest.split_once(": \"")?;
    let message = unquoted(quoted).0;
    Some(match reason {
        "ErrImagePull" => {
            let image = between(&message, "image \"", "\"").or_else(|| between(&message, "reference \"", "\""));
            match image {
                Some(image) => ("Failed", format!("Failed to pull image \"{image}\": {message}")),
                None => ("Failed", message),
            }
        }
        "ImagePullBackOff" | "CrashLoopBackOff" => ("BackOff", message),
        "CreatePodSandboxError" => ("FailedCreatePodSandBox", message),
        _ => ("Failed", format!("Error: {message}")),
    })
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

/// The text of a Go string up to its closing quotation mark, and the length it had with its escapes.
fn unquoted(text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (out, at + 1),
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, escaped)) => out.push(escaped),
                None => {}
            },
            _ => out.push(c),
        }
    }
    (out, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(String, String, String, u32)> {
        let shown = |d| match d {
            Document::Event(e) => (e.regarding.to_string(), e.reason, e.message, e.count),
            other => panic!("{other:?}"),
        };
        events(&Arc::from("kubelet.log"), 1, text).into_iter().map(shown).collect()
    }

    const PULL: &str = r#"E0102 15:01:00.4     712 pod_workers.go:1298] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"app\" with ErrImagePull: \"failed to pull image \\\"r.example.org/web:2\\\": not found\"" pod="shop/web-0" podUID="u1""#;

    #[test]
    fn a_failure_is_the_event_that_was_recorded() {
        let journal = format!("Jan 02 15:01:00 n1 kubelet[712]: {PULL}\nJan 02 15:01:30 n1 kubelet[712]: {PULL}\n");
        let expected = r#"Failed to pull image "r.example.org/web:2": failed to pull image "r.example.org/web:2": not found"#;
        let event = ("Pod shop/web-0".to_owned(), "Failed".to_owned(), expected.to_owned(), 2);
        assert_eq!(said(&journal), [event]);
        let old = r#"E0102 15:01:00.4 712 pod_workers.go:191] Error syncing pod u1 ("web-0_shop(u1)"), skipping: failed to "StartContainer" for "app" with CreateContainerConfigError: "secret \"db\" not found""#;
        assert_eq!(
            said(old),
            [("Pod shop/web-0".to_owned(), "Failed".to_owned(), "Error: secret \"db\" not found".to_owned(), 1)]
        );
    }

    #[test]
    fn who_recovered_or_is_gone_is_not_told_of() {
        let later = "I0102 15:20:00.000000     712 kubelet.go:2400] \"SyncLoop UPDATE\" source=\"api\" pods=[\"shop/x\"]\n";
        assert_eq!(said(&format!("{PULL}\n{later}")), []);
        let gone = "I0102 15:01:01.000000     712 kubelet.go:2400] \"SyncLoop DELETE\" source=\"api\" pods=[\"shop/web-0\"]\n";
        assert_eq!(said(&format!("{PULL}\n{gone}")), []);
        assert_eq!(said(&format!("{gone}{PULL}\n")), []);
    }

    #[test]
    fn hostile_lines_are_read() {
        for end in 0..PULL.len() {
            let _ = said(&PULL[..end]);
        }
    }
}
