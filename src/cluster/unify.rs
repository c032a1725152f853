//! Names without a namespace. Tables of one namespace do not print it, manifests leave it to the command line; the rest of
//! the bundle tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::json;

use crate::decode::{Collected, Document, Event, Note, Origin, Ref, Resource, Tape, Within, is_namespaced};

/// What a bundle tells of namespaces.
struct Namespaces {
    /// All that are named somewhere.
    known: BTreeSet<String>,
    /// The namespace of what is called so; `None` when several are.
    of_name: FxHashMap<(String, String), Option<String>>,
    /// Kinds of custom resources that live in namespaces.
    namespaced: BTreeSet<String>,
    /// Folders with the namespace that a note in them tells.
    told: Vec<(String, String)>,
    /// The only one that objects of the bundle's user are in, `default` where none is named.
    only: Option<String>,
    /// What paths tell.
    of_path: FxHashMap<Arc<str>, Option<String>>,
}

/// Puts resources, events and what was collected into the namespaces the bundle tells for them.
pub(super) fn unify(documents: &mut Vec<Document>) {
    complete_kinds(documents);
    let mut namespaces = Namespaces::told_by(documents);
    for document in documents {
        match document {
            Document::Resource(resource) => namespaces.complete_resource(resource),
            Document::Event(event) => namespaces.complete_event(event),
            Document::Collected(collected) => namespaces.complete_collected(collected),
            _ => {}
        }
    }
}

/// Gives kinds that kubectl's tables spell in small letters (`certificate`, `certificates`) the names they have elsewhere
/// in the bundle. Rows of a kind that nothing else tells of are left out.
fn complete_kinds(documents: &mut Vec<Document>) {
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    for document in &*documents {
        let Document::Resource(r) = document else { continue };
        let definition = (r.kind() == "CustomResourceDefinition").then(|| r.at("spec.names.kind").text());
        for kind in [r.kind(), definition.unwrap_or_default()].into_iter().filter(|k| !is_spelled_small(k)) {
            kinds.insert(kind.to_ascii_lowercase(), kind.to_owned());
        }
    }
    let full = |small: &str| {
        let singular = [Some(small), small.strip_suffix('s'), small.strip_suffix("es")].into_iter().flatten();
        singular.chain(small.strip_suffix("ies")).find_map(|s| kinds.get(s).or_else(|| kinds.get(&format!("{s}y")))).cloned()
    };
    documents.retain_mut(|document| match document {
        Document::Resource(r) if is_spelled_small(r.kind()) => match full(r.kind()) {
            Some(kind) => {
                let line = r.root().line().unwrap_or(0);
                let tape = Tape::from_json(r.file(), &json!({"kind": kind}), line);
                r.tape = tape.filled_from(&r.tape);
                r.reference.kind = kind;
                true
            }
            None => false,
        },
        Document::Event(e) if is_spelled_small(&e.regarding.kind) => {
            if let Some(kind) = full(&e.regarding.kind) {
                e.regarding.kind = kind;
            }
            true
        }
        Document::Collected(c) if is_spelled_small(&c.kind) => full(&c.kind).is_some_and(|kind| {
            c.kind = kind;
            true
        }),
        _ => true,
    });
}

fn is_spelled_small(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_lowercase())
}

impl Namespaces {
    fn told_by(documents: &[Document]) -> Self {
        // Every cluster has these.
        let mut known: BTreeSet<String> = ["default", "kube-system", "kube-public"].map(str::to_owned).into();
        let (mut users, mut namespaced) = (BTreeSet::new(), BTreeSet::new());
        let mut of_name: FxHashMap<(String, String), Option<String>> = FxHashMap::default();
        let mut told = Vec::new();
        for document in documents {
            match document {
                Document::Resource(r) if r.kind() == "Namespace" => drop(known.insert(r.name().to_owned())),
                Document::Resource(r) => {
                    let Some(namespace) = r.namespace() else { continue };
                    known.insert(namespace.to_owned());
                    if !namespace.starts_with("kube-") {
                        users.insert(namespace.to_owned());
                    }
                    namespaced.insert(r.kind().to_owned());
                    let of = of_name.entry((r.kind().to_owned(), r.name().to_owned()));
                    let of = of.or_insert_with(|| Some(namespace.to_owned()));
                    if of.as_deref() != Some(namespace) {
                        *of = None;
                    }
                }
                Document::Event(e) => known.extend(e.regarding.namespace.clone()),
                Document::Note(note) => told.extend(told_namespace(note)),
                _ => {}
            }
        }
        known.extend(told.iter().map(|(_, namespace)| namespace.clone()));
        // Where no namespace is named at all, kubectl's own default was meant.
        let only = users.pop_first().or_else(|| Some("default".to_owned())).filter(|_| users.is_empty());
        Self { known, of_name, namespaced, told, only, of_path: FxHashMap::default() }
    }

    fn is_namespaced(&self, kind: &str) -> bool {
        is_namespaced(kind).unwrap_or_else(|| self.namespaced.contains(kind))
    }

    fn complete_resource(&mut self, resource: &mut Resource) {
        if resource.namespace().is_some() || !self.is_namespaced(resource.kind()) {
            return;
        }
        let Some(namespace) = self.of(&resource.reference, resource.file(), resource.origin) else { return };
        let line = resource.at("metadata.name").line().unwrap_or(0);
        let tape = Tape::from_json(resource.file(), &json!({"metadata": {"namespace": namespace}}), line);
        resource.tape = resource.tape.filled_from(&tape);
        resource.reference.namespace = Some(namespace);
    }

    fn complete_event(&mut self, event: &mut Event) {
        if event.regarding.namespace.is_none() && self.is_namespaced(&event.regarding.kind) {
            event.regarding.namespace = self.of(&event.regarding, &event.location.path, Origin::Table);
        }
    }

    fn complete_collected(&mut self, collected: &mut Collected) {
        if collected.within == Within::Untold {
            let path = &collected.location.path;
            let namespace = self.of_path(path).or_else(|| self.of_folder(path)).or_else(|| self.only.clone());
            collected.within = namespace.map_or(Within::Untold, Within::Namespace);
        }
    }

    /// The namespace of an object without one. What was only wanted goes by its name first: where manifests lie says little.
    fn of(&mut self, reference: &Ref, path: &Arc<str>, origin: Origin) -> Option<String> {
        let of_name = self.of_name.get(&(reference.kind.clone(), reference.name.clone())).cloned().flatten();
        if origin == Origin::Manifest && of_name.is_some() {
            return of_name;
        }
        let told = self.of_path(path).or(of_name).or_else(|| self.of_folder(path));
        told.or_else(|| self.only.clone()).or_else(|| self.of_maker(reference))
    }

    /// The namespace of the workload a pod is named after, where workloads of that name are in one namespace only.
    fn of_maker(&self, reference: &Ref) -> Option<String> {
        const MAKERS: [&str; 6] = ["ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Deployment", "CronJob"];
        let stems = std::iter::successors(Some(reference.name.as_str()), |name| Some(name.rsplit_once('-')?.0)).skip(1).take(2);
        let of = |stem: &str| MAKERS.iter().find_map(|kind| self.of_name.get(&((*kind).to_owned(), stem.to_owned()))?.clone());
        stems.filter(|_| matches!(reference.kind.as_str(), "Pod" | "ReplicaSet")).find_map(of)
    }

    /// A folder that is called like a namespace, or the file's name or its end (`events/shop.txt`, `pods-kube-system.txt`).
    fn of_path(&mut self, path: &Arc<str>) -> Option<String> {
        if let Some(of_path) = self.of_path.get(path) {
            return of_path.clone();
        }
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = folders.rsplit('/').find(|folder| self.known.contains(*folder));
        let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
        let ends =
            |ns: &&String| stem.strip_suffix(ns.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_']));
        let of_file = || self.known.iter().filter(ends).max_by_key(|ns| ns.len()).map(String::as_str);
        let of_path = folder.or_else(of_file).map(str::to_owned);
        self.of_path.insert(Arc::clone(path), of_path.clone());
        of_path
    }

    /// What a note in the same folder, or in one above, tells.
    fn of_folder(&self, path: &str) -> Option<String> {
        let above = self.told.iter().filter(|(folder, _)| path.starts_with(folder.as_str()));
        above.max_by_key(|(folder, _)| folder.len()).map(|(_, namespace)| namespace.clone())
    }
}

/// `Namespace: shop` in what a collector writes beside its files.
fn told_namespace(note: &Note) -> Option<(String, String)> {
    let is_name = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let value = note.text.lines().find_map(|line| line.strip_prefix("Namespace:"))?.trim();
    let path = &note.location.path;
    let folder = path.rfind('/').map_or("", |at| &path[..=at]);
    is_name(value).then(|| (folder.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    fn document(path: &str, kind: &str, namespace: Option<&str>, name: &str) -> Document {
        let mut object = json!({"kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = namespace.into();
        }
        let origin = if namespace.is_some() { Origin::Live } else { Origin::Table };
        Document::Resource(Resource::from_tape(Tape::from_json(&Arc::from(path), &object, 2), origin).unwrap())
    }

    fn note(path: &str, text: &str) -> Document {
        Document::Note(Note { text: text.to_owned(), location: Location::file(&Arc::from(path)) })
    }

    fn namespaces(mut documents: Vec<Document>) -> Vec<Option<String>> {
        unify(&mut documents);
        let of = |d: &Document| match d {
            Document::Resource(r) => {
                assert_eq!(r.at("metadata.namespace").as_str(), r.namespace());
                Some(r.namespace().map(str::to_owned))
            }
            _ => None,
        };
        documents.iter().filter_map(of).collect()
    }

    #[test]
    fn paths_tell() {
        let known = |namespace| document("a.yaml", "Pod", Some(namespace), "web-0");
        for path in ["b/shop/pods.txt", "b/pods-shop.txt", "b/pods/shop.txt", "b/describe_pods_shop.txt"] {
            let told = namespaces(vec![known("shop"), known("test"), document(path, "Pod", None, "db-0")]);
            assert_eq!(told[2].as_deref(), Some("shop"), "{path}");
        }
        let workshop = || document("b/workshop/pods.txt", "Pod", None, "db-0");
        assert_eq!(namespaces(vec![known("shop"), known("test"), workshop()])[2], None);
        // Where there is only one namespace, everything is in it.
        assert_eq!(namespaces(vec![known("shop"), workshop()])[1].as_deref(), Some("shop"));
    }

    #[test]
    fn a_name_that_is_known_once_tells() {
        let own = || document("get/pods.txt", "Pod", None, "web-0");
        let one = document("a.yaml", "Pod", Some("shop"), "web-0");
        let other = document("a.yaml", "Pod", Some("test"), "web-0");
        assert_eq!(namespaces(vec![one, own()])[1].as_deref(), Some("shop"));
        let one = document("a.yaml", "Pod", Some("shop"), "web-0");
        assert_eq!(namespaces(vec![one, other, own()])[2], None);
    }

    #[test]
    fn a_note_tells_for_its_folder_only() {
        let readme = || note("b/README.txt", "Support bundle\nNamespace: shop\nby: someone\n");
        assert_eq!(namespaces(vec![readme(), document("b/get/pods.txt", "Pod", None, "a")]), [Some("shop".to_owned())]);
        assert_eq!(namespaces(vec![readme(), document("c/get/pods.txt", "Pod", None, "a")]), [Some("default".to_owned())]);
        assert_eq!(namespaces(vec![readme(), document("b/get/nodes.txt", "Node", None, "a")]), [None]);
    }

    #[test]
    fn small_spellings_find_their_kind() {
        let mut documents = vec![
            document("a.yaml", "Certificate", Some("shop"), "web"),
            document("get/certificates.txt", "certificates", None, "web"),
            document("get/widgets.txt", "widgets", None, "a"),
        ];
        unify(&mut documents);
        let [_, Document::Resource(row)] = &documents[..] else { panic!("{documents:?}") };
        assert_eq!(row.reference, Ref::new("Certificate", Some("shop"), "web"));
        assert_eq!(row.at("kind").text(), "Certificate");
    }
}
