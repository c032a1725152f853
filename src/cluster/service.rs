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
        let chosen = (!selector.is_empty()).then(|| self.pods_selected(service.namespace(), selector));
        chosen.into_iter().flatten().filter(|p| p.origin != Origin::Manifest)
    }

    /// A pod's labels: its own, or the ones of the template it was made from where a table left them out. `None`: not told.
    pub(crate) fn pod_labels<'a>(&'a self, pod: &'a Resource) -> Option<Value<'a>> {
        let own = pod.at("metadata.labels");
        if own.exists() || pod.origin >= Origin::Describe {
            return Some(own);
        }
        let makers = std::iter::successors(self.owner(pod), |maker| self.owner(maker)).take(4);
        makers.filter_map(template_labels).next()
    }

    /// Could a pod of this namespace have labels that the bundle does not tell? Then nobody knows what a selector selects.
    pub(crate) fn has_untold_labels(&self, namespace: Option<&str>) -> bool {
        let told = |p: &Resource| self.pod_labels(p).is_some() && (is_told(p) || self.owner(p).is_some_and(is_told));
        self.kind_in("Pod", namespace).any(|p| p.origin != Origin::Manifest && !told(p))
    }
}

/// The labels of a workload's template. A table shows its selector only: those labels the pods have, and maybe others.
pub(super) fn template_labels(workload: &Resource) -> Option<Value<'_>> {
    let (path, _) = workload.pod_spec()?;
    let labels = workload.at(&format!("{}.metadata.labels", path.strip_suffix(".spec")?));
    if labels.exists() || is_told(workload) {
        return Some(labels);
    }
    Some(workload.at("spec.selector.matchLabels")).filter(|labels| !labels.is_empty())
}

/// Its labels, and those of its template, are all that it has: a table leaves them out.
fn is_told(object: &Resource) -> bool {
    object.origin >= Origin::Describe || object.origin == Origin::Manifest || object.at("metadata.labels").exists()
}
