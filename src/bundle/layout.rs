//! Which tool made a bundle, told from the paths in it. Only the name shown depends on this: decoders go by the content of
//! each file, since real bundles are mixtures.

use std::collections::BTreeSet;
use std::sync::Arc;

use memchr::memmem;

/// A path only some tools write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    K8sharkMetadata,
    ClusterResources,
    ClusterVersion,
    VersionYaml,
    BundleGenerationError,
    Yamls,
    NodeKubectl,
    CollectorOutput,
    SystemInfo,
    ClusterOperators,
    InsightsGathers,
    InspectedNamespace,
    ClusterScopedResources,
    ResourcesByNamespace,
    ResourcesOfCluster,
    PodLogs,
    KindVersion,
    NodeJournal,
    NodePods,
    CiliumSysdump,
    IstioResources,
    IstioProxies,
    Kubecapture,
    NodeList,
    PodList,
    PodLogsText,
    KnativeDump,
    ClusterApiResources,
    ProwJob,
    StepLog,
    KubectlOutput,
}

/// A layout, and what has to be there: one mark of each group.
type Layout = (&'static str, &'static [&'static [Mark]]);

/// The layouts of collectors. The first that fits is named.
const COLLECTORS: &[Layout] = {
    use Mark::*;
    &[
        ("k8shark", &[&[K8sharkMetadata]]),
        ("troubleshoot", &[&[ClusterResources], &[ClusterVersion, VersionYaml]]),
        ("support-bundle-kit", &[&[BundleGenerationError]]),
        ("support-bundle-kit", &[&[Yamls]]),
        ("rancher-logs-collector", &[&[NodeKubectl], &[CollectorOutput, SystemInfo]]),
        ("insights-operator", &[&[InsightsGathers, ClusterOperators]]),
        ("must-gather", &[&[InspectedNamespace, ClusterScopedResources]]),
        ("sonobuoy", &[&[ResourcesByNamespace], &[ResourcesOfCluster, PodLogs]]),
        ("kind-logs", &[&[KindVersion]]),
        ("cilium-sysdump", &[&[CiliumSysdump]]),
        ("istio-bug-report", &[&[IstioResources, IstioProxies]]),
        ("velero-debug", &[&[Kubecapture]]),
        ("cluster-info-dump", &[&[NodeList, PodList], &[PodLogsText]]),
        ("capi-artifacts", &[&[ClusterApiResources]]),
        ("kind-logs", &[&[NodeJournal], &[NodePods]]),
        ("knative-dump", &[&[KnativeDump]]),
    ]
};

/// The layout that a file is in itself, told by its content.
pub(super) fn of_file(path: &str, text: &[u8]) -> Option<&'static str> {
    let has = |mark: &[u8]| memmem::find(text, mark).is_some();
    if text.trim_ascii_start().starts_with(b"{") && has(b"\n==== START logs for container ") {
        return Some("cluster-info-dump");
    }
    let is_named_log = path.ends_with(".log");
    (!is_named_log && (text.starts_with(b"```") || has(b"\n```"))).then_some("issue-text")
}

/// Name of the layout: that of the collector, that of the CI system that kept its output, or both; else what files are in
/// themselves, `kubectl` for loose files named as `kubectl get` is asked, or `generic`.
pub(super) fn layout(paths: &[Arc<str>], of_files: &BTreeSet<&'static str>) -> String {
    let mut marks = BTreeSet::new();
    let mut n_step_logs = 0;
    for path in paths {
        let found = marks_of(path);
        n_step_logs += usize::from(found.contains(&Some(Mark::StepLog)));
        marks.extend(found.into_iter().flatten());
    }
    let fits = |(_, groups): &&Layout| groups.iter().all(|group| group.iter().any(|mark| marks.contains(mark)));
    let dump = of_files.get("cluster-info-dump").copied();
    let collector = COLLECTORS.iter().find(fits).map(|(name, _)| *name).or(dump);
    let ci = if marks.contains(&Mark::ProwJob) {
        Some("prow")
    } else if n_step_logs > 0 && n_step_logs == paths.len() {
        Some("github-actions-logs")
    } else {
        None
    };
    match (ci, collector) {
        (Some(ci), Some(collector)) => format!("{ci} + {collector}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) if of_files.len() == 1 && paths.len() == 1 => "issue-text".to_owned(),
        (None, None) if marks.contains(&Mark::KubectlOutput) => "kubectl".to_owned(),
        (None, None) => "generic".to_owned(),
    }
}

/// The marks of one path, of any directory in it.
fn marks_of(path: &str) -> Vec<Option<Mark>> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut marks: Vec<Option<Mark>> = (0..parts.len()).map(|at| mark_of_part(&parts[at..])).collect();
    marks.push(mark_of_file(&parts));
    marks
}

/// The mark of a path from a given part on.
fn mark_of_part(parts: &[&str]) -> Option<Mark> {
    Some(match parts {
        ["k8shark-capture", "metadata.json"] => Mark::K8sharkMetadata,
        ["cluster-resources", _, ..] => Mark::ClusterResources,
        ["cluster-info", "cluster_version.json"] => Mark::ClusterVersion,
        ["yamls", "namespaced" | "cluster" | "kubernetes" | "longhorn", _, ..] => Mark::Yamls,
        ["rke2" | "k3s" | "rke" | "kubeadm" | "pod", "kubectl", _, ..] => Mark::NodeKubectl,
        ["systeminfo", _, ..] => Mark::SystemInfo,
        ["config", "clusteroperator", _, ..] => Mark::ClusterOperators,
        ["insights-operator", "gathers.json"] => Mark::InsightsGathers,
        ["namespaces", _, "core", _] | ["namespaces", _, "pods", _, _, ..] => Mark::InspectedNamespace,
        ["cluster-scoped-resources", _, ..] => Mark::ClusterScopedResources,
        ["resources", "ns", _, _] => Mark::ResourcesByNamespace,
        ["resources", "cluster", _] => Mark::ResourcesOfCluster,
        ["podlogs", _, _, ..] => Mark::PodLogs,
        [_, "pods", pod, _, log] if pod.contains('_') && log.contains(".log") => Mark::NodePods,
        ["bug-report", "cluster", _, ..] => Mark::IstioResources,
        ["bug-report", "proxies", _, _, ..] => Mark::IstioProxies,
        ["kubecapture", _, ..] => Mark::Kubecapture,
        [_, _, "logs.txt"] => Mark::PodLogsText,
        ["clusters", _, "resources" | "machines", _, ..] => Mark::ClusterApiResources,
        _ => return None,
    })
}

/// The mark of a file's name.
fn mark_of_file(parts: &[&str]) -> Option<Mark> {
    let name = *parts.last()?;
    Some(match name {
        "version.yaml" => Mark::VersionYaml,
        "bundleGenerationError.log" => Mark::BundleGenerationError,
        "collector-output.log" => Mark::CollectorOutput,
        "kind-version.txt" => Mark::KindVersion,
        "journal.log" | "kubelet.log" | "containerd.log" => Mark::NodeJournal,
        "cilium-sysdump.log" => Mark::CiliumSysdump,
        "prowjob.json" | "started.json" | "finished.json" | "build-log.txt" => Mark::ProwJob,
        "nodes.json" | "nodes.yaml" | "nodes.txt" => Mark::NodeList,
        "pods.json" | "pods.yaml" | "pods.txt" => Mark::PodList,
        _ if name.starts_with("k8s-pods-") => Mark::CiliumSysdump,
        _ if name.starts_with("k8s.dump-") => Mark::KnativeDump,
        _ if parts.len() <= 2 && is_step_log(name) => Mark::StepLog,
        _ if is_kubectl_output(name) => Mark::KubectlOutput,
        _ => return None,
    })
}

/// `3_Run tests.txt`, as GitHub names the log of a step or job.
fn is_step_log(name: &str) -> bool {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && name[digits..].starts_with('_') && name.ends_with(".txt")
}

/// A file named after what `kubectl` was asked for: `pods.yaml`, `get-events-wide.txt`, `describe_pods.txt`.
fn is_kubectl_output(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "pods",
        "events",
        "nodes",
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "services",
        "jobs",
        "namespaces",
        "describe",
        "kubectl",
        "all",
        "pvc",
    ];
    let stem = name.split('.').next().unwrap_or(name);
    stem.split(['-', '_', ' ']).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> String {
        layout(&paths.iter().map(|p| Arc::from(*p)).collect::<Vec<_>>(), &BTreeSet::new())
    }

    #[test]
    fn collectors_are_told_by_their_paths() {
        let cases: &[(&str, &[&str])] = &[
            ("troubleshoot", &["sb/version.yaml", "sb/cluster-resources/pods/shop.json"]),
            ("support-bundle-kit", &["x/bundleGenerationError.log", "x/yamls/cluster/v1/nodes.yaml"]),
            ("rancher-logs-collector", &["h/rke2/kubectl/pods", "h/systeminfo/hostname"]),
            ("must-gather", &["mg/quay-io-x/namespaces/shop/core/pods.yaml", "mg/version"]),
            ("insights-operator", &["config/clusteroperator/dns.json", "config/version.json"]),
            ("sonobuoy", &["resources/ns/shop/core_v1_pods.json", "podlogs/shop/web/logs/app.txt"]),
            ("kind-logs", &["logs/kind-version.txt"]),
            ("kind-logs", &["n1/kubelet.log", "n1/pods/shop_web_1234/app/0.log"]),
            ("cilium-sysdump", &["cilium-sysdump-1/k8s-pods-1.yaml"]),
            ("istio-bug-report", &["bug-report/cluster/k8s-resources"]),
            ("velero-debug", &["velero-bundle/kubecapture/core_v1/velero/pods-1.json"]),
            ("cluster-info-dump", &["dump/nodes.json", "dump/shop/pods.json", "dump/shop/web/logs.txt"]),
            ("capi-artifacts", &["clusters/c1/resources/default/Machine/m.yaml"]),
            ("prow", &["prowjob.json", "build-log.txt"]),
            ("prow + must-gather", &["build-log.txt", "artifacts/must-gather.tar/x/cluster-scoped-resources/core/nodes.yaml"]),
            ("github-actions-logs", &["0_build.txt", "build/1_Set up job.txt"]),
            ("kubectl", &["pods.yaml", "events.txt"]),
            ("generic", &["dump.yaml", "web.log"]),
        ];
        for (name, paths) in cases {
            assert_eq!(named(paths), *name, "{paths:?}");
        }
    }
}
