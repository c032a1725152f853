//! The object to change when a pod is to change, and where in it the pod's spec stands.

use crate::cluster::{Cluster, Container};
use crate::decode::{Ref, Resource, Value};

/// The template a pod was made from, or the pod itself.
#[derive(Debug, Clone)]
pub(super) struct Template<'a> {
    /// The object a person changes, or the nearest to it that is in the bundle.
    pub(super) carrier: Ref,
    /// The nearest object in the bundle that holds the spec: the carrier where possible.
    pub(super) holder: &'a Resource,
    /// Path of the spec in the holder.
    path: &'static str,
    spec: Value<'a>,
}

impl<'a> Template<'a> {
    /// The template behind a pod (or the workload itself, when it carries one).
    pub(super) fn of(cluster: &'a Cluster, resource: &'a Resource) -> Option<Self> {
        let top = cluster.top_owner(resource);
        let carrier = top.reference.clone();
        let holder = if top.pod_spec().is_some() { top } else { resource };
        // Tables tell whose a pod is and nothing of its spec.
        let of_table = || (resource.kind() == "Pod").then_some(("spec", Value::ABSENT));
        let (path, spec) = holder.pod_spec().or_else(of_table)?;
        Some(Self { carrier, holder, path, spec })
    }

    /// The value at a path inside the pod spec.
    pub(super) fn at(&self, path: &str) -> Value<'a> {
        self.spec.path(path)
    }

    /// The container of that name in the template.
    pub(super) fn container(&self, container: &Container<'_>) -> Option<Value<'a>> {
        self.spec.get(container.list).items().find(|c| c.get("name").text() == container.name)
    }

    /// The JSON pointer of a field of that container, `livenessProbe/httpGet/port`, in the object to change; `None` when it
    /// is not in the bundle.
    pub(super) fn pointer_of(&self, container: &Container<'_>, field: &str) -> Option<String> {
        let list = self.spec.get(container.list);
        let index = list.items().position(|c| c.get("name").text() == container.name)?;
        Some(format!("{}/{}/{index}/{field}", self.pointer()?, container.list))
    }

    /// The JSON pointer of the pod spec in the object to change; `None` when that object is not in the bundle.
    pub(super) fn pointer(&self) -> Option<String> {
        (self.spec.exists() && self.holder.reference == self.carrier).then(|| format!("/{}", self.path.replace('.', "/")))
    }
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(super) fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::cluster;

    #[test]
    fn the_top_owner_carries_the_template() {
        let owned = |kind: &str, name: &str, owner: (&str, &str)| {
            json!({"kind": kind, "metadata": {"name": name, "namespace": "shop",
                   "ownerReferences": [{"kind": owner.0, "name": owner.1, "controller": true}]},
                   "spec": {"containers": [{"name": "own"}]}})
        };
        let deployment = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
                                "spec": {"template": {"spec": {"containers": [{"name": "templates"}]}}}});
        let objects =
            [deployment, owned("ReplicaSet", "web-1", ("Deployment", "web")), owned("Pod", "p", ("ReplicaSet", "web-1"))];
        let whole = cluster(&objects);
        let pod = whole.find("Pod", Some("shop"), "p").unwrap();
        let template = Template::of(&whole, pod).unwrap();
        assert_eq!(template.carrier.to_string(), "Deployment shop/web");
        assert_eq!(template.pointer().as_deref(), Some("/spec/template/spec"));
        assert_eq!(template.at("containers[0].name").text(), "templates");

        let alone = cluster(&objects[2..]);
        let template = Template::of(&alone, alone.find("Pod", Some("shop"), "p").unwrap()).unwrap();
        assert_eq!((template.carrier.to_string().as_str(), template.pointer().as_deref()), ("Pod shop/p", Some("/spec")));
        assert_eq!(template.at("containers[0].name").text(), "own");
    }

    #[test]
    fn slashes_of_label_keys_are_escaped() {
        assert_eq!(pointer_part("topology.kubernetes.io/zone"), "topology.kubernetes.io~1zone");
    }
}
