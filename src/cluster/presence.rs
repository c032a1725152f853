//! Whether an object exists in the cluster, as far as a bundle can tell.

use super::Cluster;
use crate::decode::{Origin, Ref};

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
    /// Does the object exist? A manifest alone says that it was wanted, not that it is there; where nothing but manifests
    /// was given they are all there is and are taken at their word.
    pub fn presence(&self, reference: &Ref) -> Presence {
        let known = self.get(reference);
        if known.is_some_and(|r| r.origin != Origin::Manifest) {
            return Presence::Present;
        }
        let collected =
            self.kind(&reference.kind).any(|r| r.origin != Origin::Manifest && r.reference.namespace == reference.namespace);
        match (collected, known.is_some()) {
            (true, _) => Presence::Absent,
            (false, true) => Presence::Present,
            (false, false) => Presence::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cluster::testing::resource;
    use crate::decode::{Document, Patterns};

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
}
