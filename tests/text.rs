//! What kubectl prints for people says the same as YAML: pairs of texts under `testdata/decode/`.
//!
//! `<kind>/describe.txt` beside `<kind>/objects.yaml`, which holds what a description prints, no more and no less; and
//! `get/<table>.txt` beside `get/<table>.yaml`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coroner::bundle::Entry;
use coroner::decode::{Decoder, Document, Event, Patterns, Value, Within};
use proptest::prelude::*;
use serde_json::Value as Json;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/decode")
}

fn decode(path: &str, text: &str) -> Vec<Document> {
    let decoder = Decoder { patterns: Arc::new(Patterns::new(Vec::new()).unwrap()) };
    decoder.decode(&Entry::whole(path, text.as_bytes().to_vec())).documents
}

/// The objects in a file by kind and name, stamps that are ages left out of their metadata.
fn objects(path: &str, text: &str) -> BTreeMap<String, Json> {
    let mut objects = BTreeMap::new();
    for document in decode(path, text) {
        let Document::Resource(object) = document else { continue };
        let mut json = object.root().to_json();
        let created = json.pointer("/metadata/creationTimestamp").and_then(Json::as_str).unwrap_or_default();
        if path.contains("get/") && created.ends_with(" ago") {
            json["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
        }
        objects.insert(object.reference.to_string(), json);
    }
    objects
}

fn events(path: &str, text: &str) -> Vec<Event> {
    let event = |d| if let Document::Event(e) = d { Some(e) } else { None };
    decode(path, text).into_iter().filter_map(event).collect()
}

fn pairs() -> Vec<(PathBuf, PathBuf)> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir(testdata()).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("describe.txt").exists() {
            pairs.push((folder.join("describe.txt"), folder.join("objects.yaml")));
        }
    }
    for entry in fs::read_dir(testdata().join("get")).unwrap() {
        let text = entry.unwrap().path();
        if text.extension().unwrap() == "txt" {
            pairs.push((text.clone(), text.with_extension("yaml")));
        }
    }
    pairs.sort();
    pairs
}

#[test]
fn texts_say_what_yaml_says() {
    let pairs = pairs();
    assert!(pairs.len() > 15, "{pairs:?}");
    for (text, yaml) in pairs {
        let read = |path: &Path| objects(path.to_str().unwrap(), &fs::read_to_string(path).unwrap());
        let (told, wanted) = (read(&text), read(&yaml));
        assert!(!wanted.is_empty(), "{}", yaml.display());
        for (name, wanted) in &wanted {
            assert_eq!(told.get(name), Some(wanted), "{name} of {}", text.display());
        }
        assert_eq!(told.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{}", text.display());
    }
}

/// Every value stands on the line that is given for it: the line's words, or the words the value was made from.
#[test]
fn every_value_knows_its_line() {
    let path = testdata().join("pod-waiting/describe.txt");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let documents = decode("pods/describe.txt", &text);
    let Some(Document::Resource(pod)) = documents.first() else { panic!("{documents:?}") };
    let line = |path: &str| lines[pod.at(path).line().unwrap() as usize - 1].trim();
    assert_eq!(line("metadata.name"), "Name:             feed-7c9");
    assert_eq!(line("spec.containers[0].resources.limits.memory"), "memory:  1Gi");
    assert_eq!(line("spec.containers[0].ports[0].hostPort"), "Host Ports:  8080/TCP, 0/UDP");
    assert!(line("spec.containers[0].env[1].valueFrom.secretKeyRef.key").starts_with("PASSWORD:"));
    assert_eq!(line("spec.volumes[1].persistentVolumeClaim.claimName"), "ClaimName:  feed-data");
    assert!(line("spec.tolerations[1].effect").starts_with("node.kubernetes.io/not-ready:"));
    assert!(every(pod.root(), &|value| value.line().is_some_and(|l| l as usize <= lines.len())));
}

fn every(value: Value<'_>, holds: &dyn Fn(Value<'_>) -> bool) -> bool {
    holds(value) && value.items().all(|v| every(v, holds)) && value.fields().all(|(_, v)| every(v, holds))
}

#[test]
fn events_of_a_description_are_about_its_object() {
    let text = "Name:         web-0\nNamespace:    shop\nNode:         a/10.0.0.1\nStatus:       Running\nContainers:\n  web:\n    Image:  x\n\
                Events:\n  Type     Reason   Age                  From     Message\n  ----     ------   ----                 ----     -------\n  \
                Normal   Pulled   9s                   kubelet  Container image \"x\" already present\n  \
                Warning  Failed   3m12s (x7 over 21m)  kubelet  Error: first\nsecond: line\n";
    let events = events("x.txt", text);
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].regarding.to_string(), "Pod shop/web-0");
    assert_eq!((events[1].reason.as_str(), events[1].message.as_str()), ("Failed", "Error: first\nsecond: line"));
    assert_eq!((events[1].count, events[1].warning, events[1].source.as_str()), (7, true, "kubelet"));
    assert_eq!(events[1].last_age.unwrap().as_secs(), 192);
    assert_eq!(events[1].first_age.unwrap().as_secs(), 21 * 60);
    assert_eq!(events[1].location.to_string(), "x.txt:12");
}

#[test]
fn event_tables_are_read_with_and_without_their_header() {
    let rows = "3m12s       Warning   BackOff   pod/web-0   Back-off  restarting\n<unknown>   Normal    Starting  node/a      Starting kubelet.\n";
    let header = "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n";
    for text in [rows.to_owned(), format!("{header}{rows}")] {
        let events = events("events/shop.txt", &text);
        assert_eq!(events.len(), 2, "{text}");
        assert_eq!(events[0].regarding.to_string(), "Pod web-0");
        assert_eq!((events[0].message.as_str(), events[0].last_age.unwrap().as_secs()), ("Back-off  restarting", 192));
        assert_eq!((events[1].regarding.kind.as_str(), events[1].last_age), ("Node", None));
    }
    let everywhere = "NAMESPACE   LAST SEEN   TYPE     REASON      OBJECT     MESSAGE\nshop        5s          Normal   Scheduled   pod/web-0  ok\ndefault     5s          Normal   Ready       node/a     ok\n";
    let of: Vec<String> = events("e.txt", everywhere).iter().map(|e| e.regarding.to_string()).collect();
    assert_eq!(of, ["Pod shop/web-0", "Node a"]);
    let wide = "LAST SEEN   TYPE      REASON   OBJECT      SUBOBJECT              SOURCE        MESSAGE   FIRST SEEN   COUNT   NAME\n\
                5s          Warning   Failed   pod/web-0   spec.containers{web}   kubelet, a    no        9m           4       web-0.17\n";
    let event = &events("e.txt", wide)[0];
    assert_eq!((event.container(), event.source.as_str(), event.count), (Some("web"), "kubelet", 4));
    assert_eq!((event.first_age.unwrap().as_secs(), event.last_age.unwrap().as_secs()), (540, 5));
}

#[test]
fn what_was_asked_for_and_is_not_there() {
    let asked = |path: &str, text: &str| -> Vec<(String, Within)> {
        let collected = |d| if let Document::Collected(c) = d { Some((c.kind, c.within)) } else { None };
        decode(path, text).into_iter().filter_map(collected).collect()
    };
    let secret = |within| vec![("Secret".to_owned(), within)];
    assert_eq!(asked("get/secrets.txt", ""), secret(Within::Untold));
    assert_eq!(asked("get/secrets.txt", "No resources found in shop namespace.\n"), secret(Within::Namespace("shop".into())));
    assert_eq!(asked("get/secrets.txt", "NAME   TYPE     DATA   AGE\na      Opaque   1      3d\n"), secret(Within::Untold));
    let everywhere = "NAMESPACE   NAME   TYPE     DATA   AGE\nshop        a      Opaque   1      3d\n";
    assert_eq!(asked("secrets", everywhere), secret(Within::Cluster));
    assert_eq!(asked("secrets.yaml", "apiVersion: v1\nkind: List\nitems: []\n"), secret(Within::Untold));
    assert_eq!(asked("x.json", r#"{"kind": "SecretList", "apiVersion": "v1", "items": []}"#), secret(Within::Untold));
    assert_eq!(asked("logs/web.txt", ""), []);
    assert_eq!(
        asked("out.txt", "NAME        READY   STATUS    RESTARTS   AGE\npod/web-0   1/1     Running   0          3d\n"),
        []
    );
}

#[test]
fn text_around_objects_does_no_harm() {
    let pod = fs::read_to_string(testdata().join("pod-waiting/describe.txt")).unwrap();
    let table = "NAME    READY   STATUS    RESTARTS   AGE\nweb-0   1/1     Running   0          3d\n";
    let text =
        format!("$ kubectl get pods\n{table}\n$ kubectl describe pod feed-7c9\n{pod}\n\n{pod}").replace("feed-7c9", "feed");
    let text = text.replacen("Name:             feed", "Name:             feed-0", 1);
    let found = objects("notes.txt", &text);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["Pod news/feed", "Pod news/feed-0", "Pod web-0"]);
}

/// All fixtures, as seeds.
fn seeds() -> Vec<(String, String)> {
    let read = |path: PathBuf| (path.to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    pairs().into_iter().map(|(text, _)| read(text)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Cut, doubled, shifted or mixed up, a text never breaks its reader, and lines stay within it.
    #[test]
    fn damaged_texts_are_read_as_far_as_they_go(
        seed in 0..17_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[ -~é\t\n]{0,12}", 0..4_u8), 1..6),
    ) {
        let seeds = seeds();
        let (path, text) = &seeds[seed % seeds.len()];
        let mut text = text.clone();
        for (from, to, piece, kind) in edits {
            let at = |i: prop::sample::Index, text: &str| text.floor_char_boundary(i.index(text.len() + 1));
            let (a, b) = (at(from, &text), at(to, &text));
            let (a, b) = (a.min(b), a.max(b));
            match kind {
                0 => text.truncate(b),
                1 => text.replace_range(a..text.floor_char_boundary(b.min(a.saturating_add(40))).max(a), ""),
                2 => text.insert_str(a, &piece),
                _ => text = format!("{}{}{}", &text[..b], piece, &text[a..]),
            }
            prop_assume!(text.is_char_boundary(text.len()));
        }
        let n_lines = text.lines().count().max(1) as u32;
        for document in decode(path, &text) {
            if let Document::Resource(object) = document {
                prop_assert!(every(object.root(), &|v| v.line().is_none_or(|l| l <= n_lines)));
            }
        }
    }
}
