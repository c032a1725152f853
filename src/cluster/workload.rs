//! Whose log is it: paths and file names give a pod, a container or only a workload's name; the objects decide.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Cluster, clock};
use crate::decode::{Log, LogSource, Ref, Resource};

/// Parts of a path, from the file up, that may name a pod.
const DEPTH: usize = 6;
/// Words of a part that are put together to names: a name has rarely more than ten.
const WORDS: usize = 24;

impl Cluster {
    /// Puts the parts of logs together, completes whose they are from the objects that exist, and indexes them by pod.
    pub(super) fn attribute_logs(&mut self) {
        let mut logs = joined(std::mem::take(&mut self.logs));
        mark_older_runs(&mut logs);
        let names = Names::new(self);
        for log in &mut logs {
            names.complete(log);
        }
        let node = |name: &Option<String>, path: &str| names.node(name.as_deref(), path);
        let nodes: Vec<Option<String>> = self.node_services.iter().map(|s| node(&s.node, &s.location.path)).collect();
        drop(names);
        for (service, node) in self.node_services.iter_mut().zip(nodes) {
            service.node = node.or(service.node.take());
        }
        logs = without_copies(logs);
        for (i, log) in logs.iter().enumerate() {
            if let (Some(namespace), Some(pod)) = (&log.source.namespace, &log.source.pod) {
                self.logs_by_pod.entry(Ref::new("Pod", Some(namespace), pod)).or_default().push(i as u32);
            }
        }
        self.logs = logs;
    }
}

/// Logs by path, those that were read in parts in one piece.
fn joined(mut logs: Vec<Log>) -> Vec<Log> {
    let first_line = |log: &Log| log.head.first().map_or(0, |l| l.line);
    logs.sort_by(|a, b| {
        let place = |log: &Log| (log.source.pod.clone(), log.source.container.clone(), first_line(log));
        a.path.cmp(&b.path).then_with(|| place(a).cmp(&place(b)))
    });
    let mut whole: Vec<Log> = Vec::with_capacity(logs.len());
    for log in logs {
        let continues = |last: &mut Log| {
            let next = last.tail.last().map_or(0, |l| l.line).saturating_add(1);
            last.path == log.path && last.source == log.source && first_line(&log) == next
        };
        match whole.pop_if(continues) {
            Some(last) => whole.push(last.join(log)),
            None => whole.push(log),
        }
    }
    whole
}

/// Logs as the kubelet keeps them are numbered by run (`<container>/3.log`): all but the last are of previous runs.
fn mark_older_runs(logs: &mut [Log]) {
    let numbered = |path: &Arc<str>| {
        let (directory, file) = path.rsplit_once('/')?;
        Some((directory.to_owned(), file.split('.').next()?.parse::<u32>().ok()?))
    };
    let mut last: FxHashMap<String, u32> = FxHashMap::default();
    for (directory, run) in logs.iter().filter_map(|log| numbered(&log.path)) {
        let newest = last.entry(directory).or_default();
        *newest = run.max(*newest);
    }
    for log in logs {
        if let Some((directory, run)) = numbered(&log.path) {
            log.source.previous |= last.get(&directory).is_some_and(|newest| run < *newest);
        }
    }
}

/// Collectors keep one log under several names: by pod, by collector, as the target of a link.
fn without_copies(logs: Vec<Log>) -> Vec<Log> {
    let mut seen: FxHashMap<(LogSource, u32, u32), Vec<usize>> = FxHashMap::default();
    let mut kept: Vec<Log> = Vec::with_capacity(logs.len());
    for log in logs {
        let same = seen.entry((log.source.clone(), log.n_lines, log.n_errors)).or_default();
        let is_copy = |i: &usize| kept[*i].head == log.head && kept[*i].tail == log.tail && kept[*i].counts == log.counts;
        if log.source.pod.is_none() || !same.iter().any(is_copy) {
            same.push(kept.len());
            kept.push(log);
        }
    }
    kept
}

/// The log stands in a node's own directory, or its file is called after it.
fn is_named_after(log: &Log, node: &str) -> bool {
    let mut parts = log.path.rsplit('/');
    let stem = parts.next().and_then(|file| file.split('.').next());
    stem == Some(node) || parts.next() == Some(node)
}

/// Names by which logs may be called, and what they mean.
struct Names<'a> {
    cluster: &'a Cluster,
    pods: FxHashMap<&'a str, Vec<&'a Resource>>,
    /// The random end of a pod's name.
    ends: FxHashMap<&'a str, Vec<&'a Resource>>,
    /// Names of owners at any height, and of applications by label.
    workloads: FxHashMap<String, Vec<&'a Resource>>,
}

impl<'a> Names<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let mut names = Self { cluster, pods: FxHashMap::default(), ends: FxHashMap::default(), workloads: FxHashMap::default() };
        for pod in cluster.kind("Pod") {
            names.pods.entry(pod.name()).or_default().push(pod);
            if let Some((_, end)) = pod.name().rsplit_once('-').filter(|(_, end)| end.len() == 5) {
                names.ends.entry(end).or_default().push(pod);
            }
            let mut owners: Vec<String> = cluster.owner_names(pod);
            owners.extend(
                ["app.kubernetes.io/name", "app", "k8s-app", "name"].iter().filter_map(|l| pod.label(l)).map(str::to_owned),
            );
            owners.sort_unstable();
            owners.dedup();
            for owner in owners {
                names.workloads.entry(owner).or_default().push(pod);
            }
        }
        names
    }

    /// Completes whose log it is.
    fn complete(&self, log: &mut Log) {
        if log.source.unit.is_some() || log.source.node.is_some() {
            log.source.node = self.node(log.source.node.as_deref(), &log.path).or(log.source.node.take());
            return;
        }
        let Some(pod) = self.pod(&log.source, &log.path) else {
            let node = self.node(None, &log.path).filter(|n| is_named_after(log, n));
            if node.is_some() {
                log.source = LogSource { node, unit: log.source.container.take(), ..LogSource::default() };
                return;
            }
            // A pod that is gone: its workload still tells the namespace.
            if log.source.namespace.is_none() {
                log.source.namespace = self.of_workload(&log.source, &log.path).and_then(Resource::namespace).map(str::to_owned);
            }
            return;
        };
        log.source.container = container(pod, &log.source, &log.path);
        log.source.namespace = pod.namespace().map(str::to_owned);
        log.source.pod = Some(pod.name().to_owned());
    }

    /// The pod a log is of: the one it names, the one its path holds the name of, or one of the workload it is called after.
    fn pod(&self, source: &LogSource, path: &str) -> Option<&'a Resource> {
        let named = source.pod.as_deref().unwrap_or("");
        let in_namespace = |pods: &[&'a Resource]| in_namespace(pods, source.namespace.as_deref(), path);
        let exact = self.pods.get(named).and_then(|pods| in_namespace(pods));
        let in_path = || {
            path.rsplit('/').take(DEPTH).filter_map(|part| self.longest_pod(part, source, path)).max_by_key(|p| p.name().len())
        };
        let by_end = || self.ends.get(named).filter(|pods| pods.len() == 1).map(|pods| pods[0]);
        let of_workload = || self.of_workload(source, path).filter(|_| !names_one_pod(named));
        exact.or_else(in_path).or_else(by_end).or_else(of_workload)
    }

    /// The pod with the longest name that stands in a part of a path.
    fn longest_pod(&self, part: &str, source: &LogSource, path: &str) -> Option<&'a Resource> {
        let found = runs(part).filter_map(|name| self.pods.get(name));
        found.filter_map(|pods| in_namespace(pods, source.namespace.as_deref(), path)).max_by_key(|p| p.name().len())
    }

    /// A pod of the workload a file is called after, perhaps with a namespace before or a container behind it.
    fn of_workload(&self, source: &LogSource, path: &str) -> Option<&'a Resource> {
        let named = source.pod.as_deref()?;
        let whole = self.workloads.get(named);
        let parts = || {
            let of_it = |run: &&str| named.starts_with(run) || named.ends_with(run);
            runs(named).filter(of_it).filter(|run| self.workloads.contains_key(*run)).max_by_key(|run| run.len())
        };
        let pods = whole.or_else(|| self.workloads.get(parts()?))?;
        let namespace = in_namespace(pods, source.namespace.as_deref(), path)?.namespace();
        let started = |p: &&'a Resource| clock::birth(p);
        let pods = pods.iter().copied().filter(|p| p.namespace() == namespace);
        // kubectl has a previous log only of a pod that restarted.
        if source.previous { pods.max_by_key(|p| (n_restarts(p), started(p))) } else { pods.max_by_key(started) }
    }

    /// The node that is meant: by its name, by its first label or the other way round, or named in the path.
    fn node(&self, name: Option<&str>, path: &str) -> Option<String> {
        let nodes = || self.cluster.kind("Node").map(Resource::name);
        let label = |name: &'a str| name.split('.').next().unwrap_or(name);
        let exact = name.and_then(|name| nodes().find(|n| *n == name));
        let alike = || {
            let short = name?.split('.').next()?;
            let mut alike = nodes().filter(|n| label(n) == short);
            alike.next().filter(|_| alike.next().is_none())
        };
        let in_path = || path.rsplit('/').find_map(|part| nodes().find(|n| *n == part.split(".zip").next().unwrap_or(part)));
        exact.or_else(alike).or_else(in_path).map(str::to_owned)
    }
}

impl Cluster {
    /// Names of the owners of a pod, up to the top.
    fn owner_names(&self, pod: &Resource) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = pod;
        for _ in 0..8 {
            let Some(owner) = super::owner_ref(at) else { break };
            // A ReplicaSet that was not collected still names its Deployment.
            if owner.kind == "ReplicaSet"
                && let Some((deployment, _)) = owner.name.rsplit_once('-')
            {
                names.push(deployment.to_owned());
            }
            let next = self.get(&owner);
            names.push(owner.name);
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        names
    }
}

/// Of pods of one name, the one in the namespace that is told, else that the path names, else the only one.
fn in_namespace<'a>(pods: &[&'a Resource], namespace: Option<&str>, path: &str) -> Option<&'a Resource> {
    let told = pods.iter().find(|p| namespace.is_some() && p.namespace() == namespace);
    let in_path = || pods.iter().find(|p| p.namespace().is_some_and(|ns| path.split(['/', '_']).any(|part| part == ns)));
    let only = || pods.first().filter(|first| pods.iter().all(|p| p.namespace() == first.namespace()));
    told.or_else(in_path).or_else(only).copied()
}

/// All names that whole words of a part of a path make up, words being divided by `-`, `_`, `.` or blanks.
fn runs(part: &str) -> impl Iterator<Item = &str> {
    let divides = |c: char| matches!(c, '-' | '_' | '.' | ' ');
    let starts: Vec<usize> = std::iter::once(0).chain(part.match_indices(divides).map(|(i, _)| i + 1)).take(WORDS).collect();
    let ends: Vec<usize> = part.match_indices(divides).map(|(i, _)| i).chain([part.len()]).take(WORDS).collect();
    starts.into_iter().flat_map(move |start| {
        let ends: Vec<usize> = ends.iter().copied().filter(|end| *end > start).collect();
        ends.into_iter().map(move |end| &part[start..end])
    })
}

/// The name is one that only a pod has: `web-5d8f7c9b4-x2kqz`, `proxy-x2kqz`, `db-3`. Another pod of the workload will not do.
fn names_one_pod(name: &str) -> bool {
    const RANDOM: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let is_random = |word: &str| word.bytes().all(|b| RANDOM.contains(&b));
    let mut words = name.rsplit('-');
    let (last, before) = (words.next().unwrap_or(""), words.next());
    let is_ordinal = !last.is_empty() && last.len() <= 4 && last.bytes().all(|b| b.is_ascii_digit());
    let has_hash = before.is_some_and(|b| (6..=10).contains(&b.len()) && is_random(b));
    let is_end = last.len() == 5 && is_random(last) && (has_hash || last.bytes().any(|b| b.is_ascii_digit()));
    before.is_some() && (is_ordinal || is_end)
}

fn n_restarts(pod: &Resource) -> i64 {
    pod.at("status.containerStatuses").items().filter_map(|c| c.get("restartCount").as_i64()).sum()
}

/// The container of the pod a log is of: the one it names, one that the path ends with, or the only one.
fn container(pod: &Resource, source: &LogSource, path: &str) -> Option<String> {
    let spec = pod.at("spec");
    let mut names: Vec<&str> = ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| spec.get(list).items().map(|c| c.get("name").text()))
        .collect();
    if names.is_empty() || source.container.as_deref().is_some_and(|c| names.contains(&c)) {
        return source.container.clone();
    }
    let only = (spec.get("containers").len() == 1).then(|| names[0]);
    // The longest name first: `proxy` is also the end of `istio-proxy`.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let file = path.rsplit('/').next().unwrap_or(path);
    let behind_pod = file.split_once(pod.name()).map_or(file, |(_, rest)| rest);
    let named = names.into_iter().find(|name| runs(behind_pod).any(|run| run == *name));
    named.or(only).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::decode::{Decoder, Document, Origin, Patterns};

    fn pod(namespace: &str, name: &str, owner: &str, containers: &[&str], restarts: u32) -> Json {
        let containers: Vec<Json> = containers.iter().map(|c| json!({"name": c})).collect();
        json!({"kind": "Pod", "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2024-01-02T15:04:05Z",
                   "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": true}]},
               "spec": {"containers": containers}, "status": {"containerStatuses": [{"restartCount": restarts}]}})
    }

    /// The source of a log at `path`, as `namespace/pod/container`, among these objects.
    fn read(objects: &[Json], path: &str) -> String {
        sources(objects, &[(path, "INFO up\n")]).pop().unwrap()
    }

    fn sources(objects: &[Json], files: &[(&str, &str)]) -> Vec<String> {
        let patterns = Arc::new(Patterns::new(Vec::new()).unwrap());
        let decoder = Decoder { patterns: Arc::clone(&patterns) };
        let resource = |o: &Json| Document::Resource(super::super::testing::resource(o, Origin::Live, 1));
        let mut documents: Vec<Document> = objects.iter().map(resource).collect();
        for (path, text) in files {
            documents.extend(decoder.decode(&crate::bundle::Entry::whole(*path, text.as_bytes().to_vec())).documents);
        }
        let show = |log: &Log| {
            let s = &log.source;
            let part = |p: &Option<String>| p.clone().unwrap_or_else(|| "-".to_owned());
            format!("{}/{}/{}{}", part(&s.namespace), part(&s.pod), part(&s.container), if s.previous { "!" } else { "" })
        };
        Cluster::new(documents, patterns).logs().iter().map(show).collect()
    }

    #[test]
    fn finds_the_pod_a_path_means() {
        let objects = [
            pod("shop", "web-5d8f7c9b4-x2kqz", "web-5d8f7c9b4", &["nginx", "istio-proxy"], 0),
            pod("shop", "web-5d8f7c9b4-q7w2z", "web-5d8f7c9b4", &["nginx", "istio-proxy"], 4),
            pod("shop", "web-api-6b7c8d9f4-r5t6v", "web-api-6b7c8d9f4", &["api"], 0),
            pod("other", "solo", "", &["main"], 0),
        ];
        let cases = [
            ("b/logs/shop/web-5d8f7c9b4-x2kqz/nginx.log", "shop/web-5d8f7c9b4-x2kqz/nginx"),
            ("b/web-5d8f7c9b4-x2kqz-istio-proxy.log", "shop/web-5d8f7c9b4-x2kqz/istio-proxy"),
            ("rke2/podlogs/shop-web-api-6b7c8d9f4-r5t6v", "shop/web-api-6b7c8d9f4-r5t6v/api"),
            ("b/logs-web-api-6b7c8d9f4-r5t6v-api-20240102-150405.log", "shop/web-api-6b7c8d9f4-r5t6v/api"),
            ("b/all-logs/web-api-6b7c8d9f4-r5t6v/api-previous.log", "shop/web-api-6b7c8d9f4-r5t6v/api!"),
            ("b/logs_r5t6v.log", "shop/web-api-6b7c8d9f4-r5t6v/api"),
            ("b/logs/web-api.log", "shop/web-api-6b7c8d9f4-r5t6v/api"),
            ("b/logs/web.previous.log", "shop/web-5d8f7c9b4-q7w2z/-!"),
            ("b/logs/web-nginx.log", "shop/web-5d8f7c9b4-x2kqz/nginx"),
            ("b/web-api/current.log", "shop/web-api-6b7c8d9f4-r5t6v/api"),
            ("b/wrong-namespace/logs/solo.log", "other/solo/main"),
            ("b/logs/gone-5d8f7c9b4-x9x9x.log", "-/gone-5d8f7c9b4-x9x9x/-"),
            ("b/logs/web-7b6c5d4f8-x9x9x.log", "shop/web-7b6c5d4f8-x9x9x/-"),
        ];
        for (path, expected) in cases {
            assert_eq!(read(&objects, path), expected, "{path}");
        }
    }

    #[test]
    fn a_name_in_two_namespaces_is_decided_by_the_path_or_not_at_all() {
        let objects = [pod("a", "db-0", "", &["db"], 0), pod("b", "db-0", "", &["db"], 0)];
        assert_eq!(read(&objects, "x/b/logs/db-0.log"), "b/db-0/db");
        assert_eq!(read(&objects, "x/db-0.log"), "-/db-0/-");
    }

    #[test]
    fn older_runs_are_previous_and_copies_go() {
        let directory = "n1/pods/shop_db-0_0d1c2b3a-0000-4000-8000-0123456789ab/db";
        let (old, new, copy) = (format!("{directory}/0.log"), format!("{directory}/1.log"), "x/shop_db-0_db.log");
        let files = [(old.as_str(), "INFO one\n"), (new.as_str(), "INFO two\n"), (copy, "INFO two\n")];
        assert_eq!(sources(&[pod("shop", "db-0", "", &["db"], 0)], &files), ["shop/db-0/db!", "shop/db-0/db"]);
    }
}
