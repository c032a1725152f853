//! Whose log is it: paths and file names give a pod, a container or only a workload's name; the objects decide.

use rustc_hash::FxHashMap;

use super::Cluster;
use crate::decode::{LogSource, Ref, Resource};

impl Cluster {
    /// Completes the sources of all logs from the pods that exist, and indexes them by pod.
    pub(super) fn attribute_logs(&mut self) {
        let mut logs = std::mem::take(&mut self.logs);
        let mut by_pod: FxHashMap<Ref, Vec<u32>> = FxHashMap::default();
        for (i, log) in logs.iter_mut().enumerate() {
            if let Some(pod) = self.pod_named(&log.source) {
                let pod = pod.reference.clone();
                log.source.namespace.clone_from(&pod.namespace);
                log.source.pod = Some(pod.name.clone());
                by_pod.entry(pod).or_default().push(i as u32);
            } else if let (Some(ns), Some(pod)) = (&log.source.namespace, &log.source.pod) {
                by_pod.entry(Ref::new("Pod", Some(ns), pod.clone())).or_default().push(i as u32);
            }
        }
        self.logs = logs;
        self.logs_by_pod = by_pod;
    }

    /// The pod a log's source means: the one of that name, or the youngest of the workload of that name.
    fn pod_named(&self, source: &LogSource) -> Option<&Resource> {
        let name = source.pod.as_deref()?;
        let fits = |p: &&Resource| source.namespace.as_deref().is_none_or(|ns| p.namespace() == Some(ns));
        let pods = || self.kind("Pod").filter(fits);
        if let Some(exact) = pods().find(|p| p.name() == name) {
            return Some(exact);
        }
        // A file called after pod and container, or after a workload.
        let of_pod = pods().filter(|p| name.starts_with(p.name())).max_by_key(|p| p.name().len());
        of_pod.or_else(|| {
            pods()
                .filter(|p| self.top_owner_ref(p).name == name)
                .max_by_key(|p| p.at("metadata.creationTimestamp").text().to_owned())
        })
    }
}
