//! Whether an object exists in the cluster, as far as a bundle can tell.

use super::Cluster;
use crate::decode::{Origin, Ref, Resource, Within};

/// What a bundle says of the existence of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Present,
    /// Its kind was collected in its namespace and it is not among them.
    Absent,
    /// Its kind was not collected there, or only as manifests.
    Unknown,
}

impl Cluster {
    /// All objects of the kind were asked for in that namespace (`None`: outside of namespaces).
    pub fn collected(&self, kind: &str, namespace: Option<&str>) -> bool {
        let within = |within: Within| self.collected.contains(&(kind.to_owned(), within));
        within(Within::Cluster) || namespace.is_some_and(|ns| within(Within::Namespace(ns.to_owned())))
    }

    /// Does the object exist? A manifest alone says that it was wanted, not that it is there; where nothing but manifests
    /// was given they are all there is and are taken at their word.
    pub fn presence(&self, reference: &Ref) -> Presence {
        if is_masked(&reference.name) || reference.namespace.as_deref().is_some_and(is_masked) {
            return Presence::Unknown;
        }
        let known = self.get(reference);
        if known.is_some_and(|r| r.origin != Origin::Manifest) {
            return Presence::Present;
        }
        let neighbours = || {
            let known = self.kind_in(&reference.kind, reference.namespace.as_deref());
            known.filter(|r| r.origin > Origin::Mention)
        };
        let collected = self.collected(&reference.kind, reference.namespace.as_deref())
            || neighbours().any(|r| !is_alone(r))
            || neighbours().nth(1).is_some();
        match (collected, known.is_some()) {
            (true, _) => Presence::Absent,
            (false, true) => Presence::Present,
            (false, false) => Presence::Unknown,
        }
    }
}

/// The collector put a mask over the name: which object is meant is not known. Masks of troubleshoot (`***HIDDEN***`,
/// `***TOKEN_IP_1A2B***`), cilium and others (`<REDACTED>`), and our own copies.
fn is_masked(name: &str) -> bool {
    name.contains("***") || name.contains("<REDACTED>") || name.contains("[redacted:")
}

/// The object was asked for by its name, as far as its file tells: a description of one object, or a file that is called
/// after it, and no folder of its kind.
fn is_alone(object: &Resource) -> bool {
    let (folders, file) = object.file().rsplit_once('/').unwrap_or(("", object.file()));
    let kind = object.kind().to_ascii_lowercase();
    let plural = |name: &str| {
        let rest = name.strip_prefix(kind.trim_end_matches(['y', 's']));
        rest.is_some_and(|rest| matches!(rest.split_once('.').map_or(rest, |(r, _)| r), "s" | "es" | "ies" | "ses"))
    };
    let is_listed = folders.split('/').chain([file]).any(plural);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let named = stem.strip_suffix(object.name()).is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_', '.']));
    !is_listed && (named || object.origin == Origin::Describe)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cluster::testing::resource;
    use crate::decode::{Collected, Document, Patterns, Tape};
    use crate::location::Location;

    fn presence_of_b(others: &[(&str, Origin)]) -> Presence {
        let documents = others
            .iter()
            .map(|(name, origin)| {
                let object = json!({"kind": "Secret", "metadata": {"name": name, "namespace": "ns"}});
                Document::Resource(resource(&object, *origin, 1))
            })
            .collect();
        let cluster = Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).unwrap()));
        cluster.presence(&Ref::new("Secret", Some("ns"), "b"))
    }

    #[test]
    fn what_is_wanted_is_not_yet_there() {
        assert_eq!(presence_of_b(&[("b", Origin::Live)]), Presence::Present);
        assert_eq!(presence_of_b(&[("a", Origin::Live)]), Presence::Absent);
        assert_eq!(presence_of_b(&[("a", Origin::Live), ("b", Origin::Manifest)]), Presence::Absent);
        assert_eq!(presence_of_b(&[("a", Origin::Manifest), ("b", Origin::Manifest)]), Presence::Present);
        assert_eq!(presence_of_b(&[("a", Origin::Manifest)]), Presence::Unknown);
        assert_eq!(presence_of_b(&[]), Presence::Unknown);
    }

    #[test]
    fn an_object_asked_for_by_name_tells_nothing_of_others() {
        let presence = |path: &str, origin| {
            let object = json!({"kind": "NetworkPolicy", "metadata": {"name": "web", "namespace": "ns"}});
            let tape = Tape::from_json(&Arc::from(path), &object, 1);
            let documents = vec![Document::Resource(Resource::from_tape(tape, origin).unwrap())];
            let cluster = Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).unwrap()));
            cluster.presence(&Ref::new("NetworkPolicy", Some("ns"), "b"))
        };
        assert_eq!(presence("b/describe.txt", Origin::Describe), Presence::Unknown);
        assert_eq!(presence("b/netpol-web.yaml", Origin::Live), Presence::Unknown);
        assert_eq!(presence("b/describe/networkpolicies/web.txt", Origin::Describe), Presence::Absent);
        assert_eq!(presence("b/networkpolicies.networking.k8s.io/web.yaml", Origin::Live), Presence::Absent);
        assert_eq!(presence("b/all.yaml", Origin::Live), Presence::Absent);
    }

    #[test]
    fn what_was_asked_for_and_not_found_is_absent() {
        let collected = |within| {
            let location = Location::file(&Arc::from("get/secrets.txt"));
            let asked = Collected { kind: "Secret".to_owned(), within, location };
            Cluster::new(vec![Document::Collected(asked)], Arc::new(Patterns::new(Vec::new()).unwrap()))
        };
        let secret = |ns: &str| Ref::new("Secret", Some(ns), "b");
        let in_one = collected(Within::Namespace("ns".to_owned()));
        assert_eq!(in_one.presence(&secret("ns")), Presence::Absent);
        assert_eq!(in_one.presence(&secret("other")), Presence::Unknown);
        assert_eq!(collected(Within::Cluster).presence(&secret("other")), Presence::Absent);
        assert_eq!(collected(Within::Untold).presence(&secret("ns")), Presence::Unknown);
    }

    #[test]
    fn a_masked_name_is_nobody() {
        let object = json!({"kind": "Secret", "metadata": {"name": "a", "namespace": "ns", "uid": "u"}});
        let listed = Collected {
            kind: "Secret".to_owned(),
            within: Within::Cluster,
            location: Location::file(&Arc::from("secrets.json")),
        };
        let documents = vec![Document::Resource(resource(&object, Origin::Live, 1)), Document::Collected(listed)];
        let cluster = Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).unwrap()));
        let presence = |name: &str| cluster.presence(&Ref::new("Secret", Some("ns"), name));
        assert_eq!((presence("b"), presence("***HIDDEN***")), (Presence::Absent, Presence::Unknown));
    }
}
