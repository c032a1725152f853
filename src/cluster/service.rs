//! What stands behind a Service.

use super::Cluster;
use crate::decode::{Origin, Resource, Value};

/// Does a plain map of labels (a Service's selector, `matchLabels`) select these labels?
pub(crate) fn selects(selector: Value<'_>, labels: Value<'_>) -> bool {
    selector.fields().all(|(k, v)| labels.get(k).as_str() == Some(v.text()))
}

impl Cluster {
    /// The pods a Service routes to, ready or not. A Service without a selector chooses none itself.
    pub fn pods_behind<'a>(&'a self, service: &'a Resource) -> impl Iterator<Item = &'a Resource> {
        let selector = service.at("spec.selector");
        let pods = self.kind("Pod").filter(|p| p.origin != Origin::Manifest);
        let chosen = move |p: &&Resource| {
            !selector.is_empty() && p.namespace() == service.namespace() && selects(selector, p.at("metadata.labels"))
        };
        pods.filter(chosen)
    }

    /// Workloads of a namespace with the labels of the pods they would make.
    pub(crate) fn templates<'a>(&'a self, namespace: Option<&'a str>) -> impl Iterator<Item = (&'a Resource, Value<'a>)> {
        let workloads = self.resources().filter(move |r| r.namespace() == namespace && r.kind() != "Pod");
        workloads.filter_map(|r| {
            let (path, _) = r.pod_spec()?;
            Some((r, r.at(&format!("{}.metadata.labels", path.strip_suffix(".spec")?))))
        })
    }
}
