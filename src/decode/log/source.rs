//! Whose log a file is, from its path. Layouts: troubleshoot, must-gather, `cluster-info dump`, kind, sonobuoy,
//! support-bundle-kit, Rancher, istio, cilium, crashd, Cluster API, and files named by hand.
//!
//! A path gives the best names it holds. Where it is ambiguous (`<pod>-<container>.log`, `<namespace>-<pod>`, a workload's
//! name), the whole stem stands as the pod, and the objects decide later.

use super::LogSource;

/// Directories that say nothing of whose log a file is.
const PLAIN_DIRECTORIES: &[&str] = &[
    "logs",
    "log",
    "podlogs",
    "pod-logs",
    "pod_logs",
    "pods",
    "containers",
    "container-logs",
    "previous",
    "current",
    "rotated",
    "bundle",
    "support-bundle",
    "supportbundle",
    "cluster-resources",
    "cluster-info",
    "cluster-dump",
    "dump",
    "namespaces",
    "artifacts",
    "proxies",
    "istio",
    "cni",
    "must-gather",
    "kubecapture",
    "core_v1",
    "core",
    "var",
    "output",
    "kubectl",
    "data",
];

/// File stems that say no more than that it is a log.
const PLAIN_STEMS: &[&str] = &["logs", "log", "current", "previous", "output", "stdout", "stderr", "console", "prev"];

/// Endings of stems of logs of a container's previous run.
const PREVIOUS: &[&str] = &[".previous", "-previous", "_previous", ".prev", "-prev", "_prev", "-last", ".last", "--previous"];

/// The source that the path names.
pub(super) fn of_path(path: &str) -> LogSource {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let Some((file, directories)) = parts.split_last() else { return LogSource::default() };
    let (stem, previous) = stem(file);
    let mut source = of_kubelet_layout(directories, stem)
        .or_else(|| of_node_directory(directories, stem))
        .or_else(|| of_pod_directory(directories, stem))
        .unwrap_or_else(|| of_names(directories, stem));
    source.previous |= previous || directories.last() == Some(&"previous");
    source
}

/// A file's name without its endings, and whether it says that the log is of the previous run.
fn stem(file: &str) -> (&str, bool) {
    let mut stem = file;
    for ending in [".gz", ".xz", ".zst", ".bz2"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    let mut previous = false;
    // `web.log.1`, `current.log.20060102-150405`, `0.log.20060102-150405`
    if let Some((name, turn)) = stem.rsplit_once(".log.").filter(|(_, t)| t.bytes().all(|b| b.is_ascii_digit() || b == b'-')) {
        (stem, previous) = (name, turn.len() < 3);
    }
    for ending in [".log", ".txt", ".logs", ".out", ".json", ".insecure", ".log", ".logs", "-logs", "_logs", ".error-summary"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    for ending in PREVIOUS {
        if let Some(name) = stem.strip_suffix(ending) {
            (stem, previous) = (name, true);
        }
    }
    for ending in [".log", "-current", "_current", ".current"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    (stem, previous || matches!(stem, "previous" | "prev"))
}

/// `/var/log/pods/<namespace>_<pod>_<uid>/<container>/<n>.log` and `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`.
fn of_kubelet_layout(directories: &[&str], stem: &str) -> Option<LogSource> {
    if let [.., pod_directory, container] = directories
        && let [namespace, pod, uid] = pod_directory.split('_').collect::<Vec<_>>()[..]
        && is_uid(uid)
    {
        return Some(source(Some(namespace), pod, Some(container)));
    }
    if let [pod, namespace, container] = stem.split('_').collect::<Vec<_>>()[..]
        && let Some((container, id)) = container.rsplit_once('-')
        && id.len() == 64
    {
        return Some(source(Some(namespace), pod, Some(container)));
    }
    None
}

/// `nodes/<node>/dmesg.log`, `nodes/<node>/journal/kubeadm.log`.
fn of_node_directory(directories: &[&str], stem: &str) -> Option<LogSource> {
    let at = directories.iter().rposition(|d| matches!(*d, "nodes" | "hosts"))?;
    let node = directories.get(at + 1).filter(|_| !directories.contains(&"pods") && !directories.contains(&"containers"))?;
    Some(LogSource { node: Some((*node).to_owned()), unit: Some(stem.to_owned()), ..LogSource::default() })
}

/// Layouts with a directory a pod: `<namespace>/pods/<pod>/<container>/…`, `logs/<namespace>/<pod>/<container>.log`.
fn of_pod_directory(directories: &[&str], stem: &str) -> Option<LogSource> {
    let named: Vec<&str> =
        directories.iter().copied().filter(|d| !matches!(*d, "logs" | "rotated" | "core" | "previous")).collect();
    // must-gather: `namespaces/<namespace>/pods/<pod>/<container>/<container>/logs/current.log`.
    if let Some(at) = named.iter().rposition(|d| *d == "pods").filter(|at| at + 1 < named.len())
        && let Some(namespace) = at.checked_sub(1).map(|i| named[i]).filter(|ns| !is_plain(ns))
        && at >= 2
        && named[at - 2] == "namespaces"
    {
        let container = named.get(at + 2).copied().or(Some(stem)).filter(|c| !is_plain_stem(c));
        return Some(source(Some(namespace), named[at + 1], container));
    }
    let [.., outer, inner] = named[..] else {
        return named.last().filter(|d| is_pod_name(d) && !is_pod_name(stem)).map(|pod| in_directory(None, pod, stem));
    };
    // crashd: `<namespace>/<pod>/<container>/<container>.log`.
    if inner == stem && is_pod_name(outer) {
        let namespace = named.len().checked_sub(3).map(|i| named[i]).filter(|d| !is_plain(d));
        return Some(source(namespace, outer, Some(stem)));
    }
    let below_logs = directories.len() >= 3 && is_log_directory(directories[directories.len() - 3]);
    let troubleshoot = directories.ends_with(&["logs", outer, inner]) || (below_logs && !is_plain(inner));
    if troubleshoot || (is_pod_name(inner) && !is_pod_name(stem)) || (is_plain_stem(stem) && !is_plain(inner)) {
        return Some(in_directory(Some(outer), inner, stem));
    }
    None
}

fn in_directory(namespace: Option<&str>, pod: &str, stem: &str) -> LogSource {
    let namespace = namespace.filter(|d| !is_plain(d)).map(|d| d.strip_prefix("ns-").unwrap_or(d));
    source(namespace, pod, Some(stem).filter(|s| !is_plain_stem(s)))
}

/// Files named after what they are: `<pod>`, `<pod>_<container>`, `<namespace>_<pod>_<container>`, `logs-<pod>-<container>-<stamp>`.
fn of_names(directories: &[&str], stem: &str) -> LogSource {
    let bare = without_stamp(stem);
    let bare = ["logs-", "logs_", "log-", "log_"].iter().fold(bare, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
    let directory = namespace_directory(directories);
    match bare.split('_').collect::<Vec<_>>()[..] {
        [namespace, pod, container] => source(Some(namespace), pod, Some(container)),
        [pod, container] if is_pod_name(pod) => source(directory, pod, Some(container)),
        [namespace, pod] if is_pod_name(pod) => source(Some(namespace), pod, None),
        [pod, container] => source(directory, pod, Some(container)),
        _ if is_plain_stem(bare) || bare.is_empty() => LogSource::default(),
        _ => source(directory, bare, None),
    }
}

/// `<namespace>/logs/<pod>.log`, `<namespace>/<pod>.log`: the directory is a namespace when more than the bundle's own
/// directory is above it.
fn namespace_directory<'a>(directories: &[&'a str]) -> Option<&'a str> {
    let at = directories.iter().rposition(|d| !is_log_directory(d))?;
    let name = directories[at];
    let named = at > 0 && !is_plain(name) && is_label(name);
    named.then(|| name.strip_prefix("ns-").unwrap_or(name))
}

/// cilium's `-20060102-150405` at the end of a stem.
fn without_stamp(stem: &str) -> &str {
    let Some((rest, time)) = stem.rsplit_once('-') else { return stem };
    let Some((name, date)) = rest.rsplit_once('-') else { return stem };
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    if digits(date, 8) && digits(time, 6) { name } else { stem }
}

fn source(namespace: Option<&str>, pod: &str, container: Option<&str>) -> LogSource {
    LogSource {
        namespace: namespace.map(str::to_owned),
        pod: Some(pod.to_owned()),
        container: container.map(str::to_owned),
        ..LogSource::default()
    }
}

fn is_plain(directory: &str) -> bool {
    PLAIN_DIRECTORIES.contains(&directory)
}

fn is_log_directory(directory: &str) -> bool {
    matches!(directory, "logs" | "log" | "podlogs" | "pod-logs" | "pod_logs" | "pods" | "container-logs" | "proxies" | "previous")
}

fn is_plain_stem(stem: &str) -> bool {
    PLAIN_STEMS.contains(&stem) || stem.bytes().all(|b| b.is_ascii_digit())
}

/// A name that Kubernetes accepts for a namespace.
fn is_label(name: &str) -> bool {
    name.len() <= 63 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A pod's uid: a UUID, or the hash of a static pod's manifest.
fn is_uid(text: &str) -> bool {
    let hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    hex == 32 && (text.len() == 32 || (text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4))
}

/// A name that a controller gave: `web-5d8f7c9b4-x2kqz`, `kube-proxy-8jddx`, `db-0`.
pub(super) fn is_pod_name(name: &str) -> bool {
    let Some((front, last)) = name.rsplit_once('-') else { return false };
    // apimachinery util/rand: no vowels, no digits that look like letters.
    let random = last.len() == 5 && last.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b));
    let ordinal = last.len() <= 3 && !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    !front.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        && (random || ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `namespace/pod/container`, `-` for what is not known, `!` after a previous run's.
    fn read(path: &str) -> String {
        let s = of_path(path);
        let or_dash = |o: Option<String>| o.unwrap_or_else(|| "-".to_owned());
        let end = if s.previous { "!" } else { "" };
        format!("{}/{}/{}{end}", or_dash(s.namespace), or_dash(s.pod), or_dash(s.container))
    }

    #[test]
    fn reads_the_layouts_of_collectors() {
        let cases = [
            ("sb/cluster-resources/pods/logs/shop/web-5d8f7c9b4-x2kqz/nginx.log", "shop/web-5d8f7c9b4-x2kqz/nginx"),
            ("sb/cluster-resources/pods/logs/shop/web/nginx-previous.log", "shop/web/nginx!"),
            ("mg/quay-io/namespaces/shop/pods/web-0/app/app/logs/current.log", "shop/web-0/app"),
            ("mg/namespaces/shop/pods/web-0/app/app/logs/previous.insecure.log", "shop/web-0/app!"),
            ("mg/namespaces/shop/core/pods/web-0/app/logs/current.log", "shop/web-0/app"),
            ("mg/namespaces/shop/pods/web-0/app/app/logs/rotated/0.log.20240102-150405.gz", "shop/web-0/app"),
            ("dump/shop/web-5d8f7c9b4-x2kqz/logs.txt", "shop/web-5d8f7c9b4-x2kqz/-"),
            ("kind/node-1/pods/shop_web-0_0d1c2b3a-0000-4000-8000-0123456789ab/app/3.log", "shop/web-0/app"),
            (
                "kind/node-1/containers/web-0_shop_app-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.log",
                "shop/web-0/app",
            ),
            ("podlogs/shop/web-0/logs/app.txt", "shop/web-0/app"),
            ("podlogs/shop/web-0/app.log", "shop/web-0/app"),
            ("b/logs/shop/web-5d8f7c9b4-x2kqz/app.log.1", "shop/web-5d8f7c9b4-x2kqz/app!"),
            ("rke2/podlogs/shop-web-5d8f7c9b4-x2kqz-previous", "-/shop-web-5d8f7c9b4-x2kqz/-!"),
            ("bug-report/proxies/shop/web-5d8f7c9b4-x2kqz/istio-proxy.log", "shop/web-5d8f7c9b4-x2kqz/istio-proxy"),
            ("cilium-sysdump/logs-cilium-x2kqz-cilium-agent-20240102-150405-prev.log", "-/cilium-x2kqz-cilium-agent/-!"),
            ("w/kubecapture/core_v1/velero/velero-5d8f7c9b4-x2kqz/velero/velero.log", "velero/velero-5d8f7c9b4-x2kqz/velero"),
            ("clusters/c1/logs/shop/web/web-5d8f7c9b4-x2kqz/app.log", "web/web-5d8f7c9b4-x2kqz/app"),
            ("gather-extra/artifacts/pods/shop_web-0_app_previous.log.gz", "shop/web-0/app!"),
        ];
        for (path, expected) in cases {
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn reads_files_named_by_hand() {
        let cases = [
            ("bundle/web-5d8f7c9b4-x2kqz.log", "-/web-5d8f7c9b4-x2kqz/-"),
            ("bundle/shop/web-5d8f7c9b4-x2kqz.log", "shop/web-5d8f7c9b4-x2kqz/-"),
            ("bundle/shop/logs/web-5d8f7c9b4-x2kqz_app.log", "shop/web-5d8f7c9b4-x2kqz/app"),
            ("bundle/logs/shop_web-0_app.log", "shop/web-0/app"),
            ("bundle/logs/web-0_app.previous.log", "-/web-0/app!"),
            ("bundle/logs/web.previous.log", "-/web/-!"),
            ("bundle/logs/web.error-summary.json", "-/web/-"),
            ("bundle/ns-shop/web-5d8f7c9b4-x2kqz/app.log", "shop/web-5d8f7c9b4-x2kqz/app"),
            ("bundle/web/previous.log", "-/web/-!"),
            ("bundle/web-0_previous.log", "-/web-0/-!"),
            ("bundle/logs_x2kqz.txt", "-/x2kqz/-"),
            ("bundle/shop-7/logs-web-5d8f7c9b4-x2kqz.txt", "shop-7/web-5d8f7c9b4-x2kqz/-"),
            ("web.logs.txt", "-/web/-"),
            ("logs.txt", "-/-/-"),
            ("", "-/-/-"),
        ];
        for (path, expected) in cases {
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
