//! Who made an object, up to the object a person changes.

use super::{Cluster, owner_ref};
use crate::decode::{Origin, Ref, Resource};

impl Cluster {
    /// The controller (or only owner) of an object, when it is in the bundle. Where a link of the chain was not collected or
    /// a table did not tell it, names decide: controllers name what they make after themselves. The pod of a static
    /// manifest belongs to nobody: its Node is no template.
    pub fn owner(&self, resource: &Resource) -> Option<&Resource> {
        match owner_ref(resource) {
            Some(named) if named.kind == "Node" => None,
            Some(named) => self.get(&named).or_else(|| self.maker(&named.kind, named.namespace.as_deref(), &named.name)),
            None if matches!(resource.origin, Origin::Table | Origin::Mention) => {
                let (kind, namespace, name) = (resource.kind(), resource.namespace(), resource.name());
                self.maker(kind, namespace, name)
            }
            None => None,
        }
    }

    /// The object at the top of the owner chain that is in the bundle: the one a person changes. The object itself when
    /// nothing owns it.
    pub fn top_owner<'a>(&'a self, resource: &'a Resource) -> &'a Resource {
        let mut top = resource;
        // Owner loops exist in hostile input only.
        for _ in 0..16 {
            match self.owner(top) {
                Some(owner) if owner.reference != top.reference => top = owner,
                _ => break,
            }
        }
        top
    }

    /// The reference of [`Cluster::top_owner`].
    pub fn top_owner_ref(&self, resource: &Resource) -> Ref {
        self.top_owner(resource).reference.clone()
    }

    /// What must have made an object of this kind and name: `web-5d8f7c9b4` is of Deployment `web`, `web-5d8f7c9b4-x2kqz` of
    /// its ReplicaSet, `backup-28391040` of CronJob `backup`, `db-0` of StatefulSet `db`.
    fn maker(&self, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Resource> {
        let (stem, suffix) = name.rsplit_once('-')?;
        let is_number = suffix.bytes().all(|b| b.is_ascii_digit());
        let made_by = |kinds: &[&str], stem: &str| kinds.iter().find_map(|kind| self.find(kind, namespace, stem));
        match kind {
            "ReplicaSet" => made_by(&["Deployment", "Rollout"], stem),
            "Job" if is_number => made_by(&["CronJob"], stem),
            "EphemeralRunner" => made_by(&["EphemeralRunnerSet"], stem.strip_suffix("-runner")?),
            "EphemeralRunnerSet" => made_by(&["AutoscalingRunnerSet"], stem),
            "RunnerReplicaSet" => made_by(&["RunnerDeployment"], stem),
            "Runner" => made_by(&["RunnerReplicaSet"], stem),
            "Pod" => {
                let of_set = || made_by(&["ReplicaSet", "DaemonSet", "Job", "ReplicationController"], stem);
                let of_deployment = || made_by(&["Deployment"], stem.rsplit_once('-')?.0);
                let of_stateful_set = || made_by(&["StatefulSet"], stem).filter(|_| is_number);
                of_set().or_else(of_stateful_set).or_else(of_deployment)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::resource;
    use crate::decode::{Document, Patterns};

    fn object(kind: &str, name: &str, owner: Option<(&str, &str)>) -> Json {
        let owners = owner.map_or(json!([]), |(kind, name)| json!([{"kind": kind, "name": name, "controller": true}]));
        json!({"kind": kind, "metadata": {"name": name, "namespace": "shop", "ownerReferences": owners}})
    }

    fn top(objects: &[(Json, Origin)]) -> String {
        let documents = objects.iter().map(|(o, origin)| Document::Resource(resource(o, *origin, 1))).collect();
        let cluster = Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).unwrap()));
        let pod = cluster.kind("Pod").next().unwrap();
        cluster.top_owner_ref(pod).to_string()
    }

    #[test]
    fn a_missing_link_is_bridged_by_name() {
        let pod = object("Pod", "web-5d8f7c9b4-x2kqz", Some(("ReplicaSet", "web-5d8f7c9b4")));
        let deployment = object("Deployment", "web", None);
        assert_eq!(top(&[(pod.clone(), Origin::Live), (deployment, Origin::Live)]), "Deployment shop/web");
        assert_eq!(top(&[(pod, Origin::Live)]), "Pod shop/web-5d8f7c9b4-x2kqz");
        let run = object("Pod", "backup-28391040-x2kqz", Some(("Job", "backup-28391040")));
        assert_eq!(top(&[(run, Origin::Live), (object("CronJob", "backup", None), Origin::Live)]), "CronJob shop/backup");
    }

    #[test]
    fn rows_of_tables_tell_their_maker_by_name_only() {
        let row = |name: &str| (object("Pod", name, None), Origin::Table);
        assert_eq!(top(&[row("web-5d8f7c9b4-x2kqz"), (object("Deployment", "web", None), Origin::Table)]), "Deployment shop/web");
        assert_eq!(top(&[row("db-0"), (object("StatefulSet", "db", None), Origin::Table)]), "StatefulSet shop/db");
        assert_eq!(
            top(&[(object("Pod", "db-0", None), Origin::Live), (object("StatefulSet", "db", None), Origin::Live)]),
            "Pod shop/db-0"
        );
    }

    #[test]
    fn a_static_pod_is_its_own_master() {
        let pod = object("Pod", "kube-scheduler-m1", Some(("Node", "m1")));
        let node = json!({"kind": "Node", "metadata": {"name": "m1"}});
        assert_eq!(top(&[(pod, Origin::Live), (node, Origin::Live)]), "Pod shop/kube-scheduler-m1");
    }
}
