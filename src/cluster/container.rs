//! Containers of pods: spec and status side by side, with what the kubelet last said of each.

use jiff::{SignedDuration, Timestamp};

use super::Cluster;
use crate::decode::{Log, Resource, Value};

/// A container that ended this recently is still part of the incident.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// One container of a pod.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// The pod.
    pub pod: &'a Resource,
    /// Its name.
    pub name: &'a str,
    /// Its spec; absent when the pod was read from a table and its template does not tell.
    pub spec: Value<'a>,
    /// Its status; absent when the kubelet has not said a word yet.
    pub status: Value<'a>,
    /// `containers` or `initContainers`: the list of the pod spec it stands in.
    pub list: &'static str,
    /// Its place in that list.
    pub index: usize,
}

/// Lists of containers in a pod spec, with the lists of their statuses.
const LISTS: [(&str, &str); 2] = [("initContainers", "status.initContainerStatuses"), ("containers", "status.containerStatuses")];

impl Cluster {
    /// The containers of a pod, those of the init phase first.
    pub fn containers<'a>(&'a self, pod: &'a Resource) -> Vec<Container<'a>> {
        let mut found = Vec::new();
        for (list, statuses) in LISTS {
            let specs = pod.at("spec").get(list);
            let statuses = pod.at(statuses);
            let status_of = |name: &str| statuses.items().find(|s| s.get("name").text() == name).unwrap_or(Value::ABSENT);
            for (index, spec) in specs.items().enumerate() {
                let name = spec.get("name").text();
                found.push(Container { pod, name, spec, status: status_of(name), list, index });
            }
            if specs.is_empty() {
                let spec = self.only_container_of_template(pod, list, statuses);
                found.extend(statuses.items().enumerate().map(|(index, status)| {
                    let name = if spec.exists() { spec.get("name") } else { status.get("name") }.text();
                    Container { pod, name, spec, status, list, index }
                }));
            }
        }
        found
    }

    /// A table does not tell what the containers of a pod are called. Where pod and template have one each, it is that one.
    fn only_container_of_template<'a>(&'a self, pod: &'a Resource, list: &str, statuses: Value<'a>) -> Value<'a> {
        if statuses.len() != 1 || statuses.items().any(|s| s.get("name").exists()) {
            return Value::ABSENT;
        }
        let template = self.top_owner(pod).pod_spec().map_or(Value::ABSENT, |(_, spec)| spec.get(list));
        if template.len() == 1 { template.items().next().unwrap_or(Value::ABSENT) } else { Value::ABSENT }
    }

    /// The logs of a container, the one of the previous run last. A log that names no container is the only container's;
    /// a pod of a table tells no names, so any log of it may be the container's.
    pub fn logs_of_container<'a>(&'a self, container: &Container<'a>) -> Vec<&'a Log> {
        let alone = self.containers(container.pod).iter().filter(|c| c.list == "containers").count() == 1;
        let fits = |l: &&Log| match l.source.container.as_deref() {
            Some(name) => name == container.name || container.name.is_empty(),
            None => alone && container.list == "containers",
        };
        let mut logs: Vec<&Log> = self.logs_of(&container.pod.reference).filter(fits).collect();
        logs.sort_by_key(|l| l.source.previous);
        logs
    }
}

impl<'a> Container<'a> {
    /// Why it waits: `CrashLoopBackOff`; empty when it does not.
    pub fn waiting_reason(&self) -> &'a str {
        self.status.path("state.waiting.reason").text()
    }

    /// The kubelet's words on why it waits.
    pub fn waiting_message(&self) -> &'a str {
        self.status.path("state.waiting.message").text()
    }

    /// How its last run ended: the `terminated` state, present or last.
    pub fn ended(&self) -> Value<'a> {
        let now = self.status.path("state.terminated");
        if now.exists() { now } else { self.status.path("lastState.terminated") }
    }

    /// Why its last run ended: `Error`, `OOMKilled`, `Completed`; empty when none has.
    pub fn end_reason(&self) -> &'a str {
        self.ended().get("reason").text()
    }

    /// The exit code of its last run.
    pub fn exit_code(&self) -> Option<i64> {
        self.ended().get("exitCode").as_i64()
    }

    /// How often it was restarted.
    pub fn restarts(&self) -> i64 {
        self.status.get("restartCount").as_i64().unwrap_or(0)
    }

    /// It runs now.
    pub fn is_running(&self) -> bool {
        self.status.path("state.running").exists()
    }

    /// The kubelet counts it as ready.
    pub fn is_ready(&self) -> bool {
        self.status.get("ready").is_true()
    }

    /// Since when it runs.
    pub fn running_since(&self) -> Option<Timestamp> {
        self.status.path("state.running.startedAt").text().parse().ok()
    }

    /// The image its spec names.
    pub fn image(&self) -> &'a str {
        let image = self.spec.get("image");
        if image.exists() { image.text() } else { self.status.get("image").text() }
    }

    /// The path of a field of its spec, relative to the pod spec: `containers[0].image`.
    pub fn path(&self, field: &str) -> String {
        format!("{}[{}].{field}", self.list, self.index)
    }

    /// Its last run ended badly and that still matters: it has not come up since, or did so only just now. A container
    /// that goes round although every run ends with 0 counts as well.
    pub fn is_dying(&self, cluster: &Cluster) -> bool {
        let code = self.exit_code();
        if self.waiting_reason() == "CrashLoopBackOff" || matches!(self.waiting_reason(), "RunContainerError" | "StartError") {
            return true;
        }
        if self.status.path("state.terminated").exists() {
            return code != Some(0) && !cluster.is_settled(self.pod);
        }
        let ended = self.ended().get("finishedAt").text().parse().ok();
        self.restarts() > 0 && code.is_some() && is_recent(cluster, ended) && (code != Some(0) || self.restarts() > 2)
    }

    /// It runs and is not ready, and had the time to become so.
    pub fn is_unready(&self, cluster: &Cluster) -> bool {
        const STARTING: SignedDuration = SignedDuration::from_secs(45);
        let is_young = match (cluster.now, self.running_since()) {
            (Some(now), Some(since)) => now.duration_since(since) < STARTING,
            _ => false,
        };
        self.is_running() && self.status.get("ready").as_bool() == Some(false) && (!is_young || self.restarts() > 0)
    }
}

fn is_recent(cluster: &Cluster, at: Option<Timestamp>) -> bool {
    match (cluster.now, at) {
        (Some(now), Some(at)) => now.duration_since(at) <= RECENT,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cluster::testing::cluster;

    /// Does the container of this status die, in a bundle whose newest stamp is 10:00?
    fn is_dying(status: &serde_json::Value) -> bool {
        let clock = json!({"kind": "Lease", "metadata": {"name": "n", "namespace": "kube-node-lease"},
                           "spec": {"renewTime": "2026-03-01T10:00:00Z"}});
        let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "ns"},
                         "spec": {"containers": [{"name": "c"}]}, "status": {"containerStatuses": [status]}});
        let cluster = cluster(&[clock, pod]);
        let pod = cluster.find("Pod", Some("ns"), "p").unwrap();
        cluster.containers(pod)[0].is_dying(&cluster)
    }

    #[test]
    fn only_a_recent_bad_end_counts() {
        let ended = |at: &str, code: i64, restarts: i64| {
            let last = json!({"terminated": {"exitCode": code, "finishedAt": at}});
            is_dying(&json!({"name": "c", "ready": true, "restartCount": restarts, "state": {"running": {}}, "lastState": last}))
        };
        assert!(ended("2026-03-01T09:55:00Z", 1, 2));
        assert!(!ended("2026-02-01T09:55:00Z", 1, 140));
        assert!(!ended("2026-03-01T09:55:00Z", 0, 1));
        assert!(ended("2026-03-01T09:55:00Z", 0, 9));
        assert!(is_dying(&json!({"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}})));
        assert!(!is_dying(&json!({"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}})));
    }
}
