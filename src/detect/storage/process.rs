//! Volumes that are mounted and that the process cannot use: no permission, no space.

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Hit, Log, Resource, Value};
use crate::detect::symptom::pod_trouble;
use crate::detect::template::Template;
use crate::detect::{Evidence, Finding};

/// What processes say of files on their volumes, in the logs of pods that are in trouble.
pub(super) fn volume_use(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (signal, cause) in [("permission-denied", "volume-permission-denied"), ("no-space", "pvc-full")] {
        for (log, hit) in cluster.hits(signal) {
            let Some(pod) = cluster.pod_of(log).filter(|p| pod_trouble(cluster, p).is_some()) else { continue };
            if is_about_files(&hit.line.text)
                && let Some(mount) = Mount::spoken_of(cluster, pod, log, &hit.line.text)
            {
                out.extend(mount.finding(cause, log, hit));
            }
        }
    }
}

/// Sockets, databases and programs refuse in the same words.
fn is_about_files(line: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "exec ",
        "exec:",
        "exec format",
        "dial ",
        "connect:",
        "bind:",
        "socket",
        "relation ",
        "table ",
        "schema ",
        "publickey",
        "iptables",
        "ping:",
        "runc",
    ];
    !OTHERS.iter().any(|word| line.contains(word))
}

/// A volume in a container of a pod.
struct Mount<'a> {
    cluster: &'a Cluster,
    pod: &'a Resource,
    template: Template<'a>,
    container: Value<'a>,
    /// Where it is mounted.
    path: &'a str,
    /// The item of `volumes`.
    volume: Value<'a>,
}

/// Volumes that bring an owner and a size of their own.
const WITH_OWNER: [&str; 8] = ["persistentVolumeClaim", "hostPath", "nfs", "csi", "ephemeral", "iscsi", "cephfs", "flexVolume"];

impl<'a> Mount<'a> {
    /// The mount a line speaks of: the one that holds the path it names, or the only one with data where it names a bare
    /// file, as programs do that work in their data directory.
    fn spoken_of(cluster: &'a Cluster, pod: &'a Resource, log: &Log, line: &str) -> Option<Self> {
        let template = Template::of(cluster, pod)?;
        let name = log.source.container.as_deref();
        let containers = || pod.at("spec.containers").items().chain(pod.at("spec.initContainers").items());
        let container = match name {
            Some(name) => containers().find(|c| c.get("name").text() == name)?,
            None => containers().next()?,
        };
        let volume_of = |mount: Value<'a>| {
            let name = mount.get("name").text();
            let volume = pod.at("spec.volumes").items().find(|v| v.get("name").text() == name)?;
            WITH_OWNER.iter().any(|source| volume.get(source).exists()).then_some((mount.get("mountPath").text(), volume))
        };
        let mounts: Vec<_> = container.get("volumeMounts").items().filter_map(volume_of).collect();
        let named = mounts.iter().filter(|(path, _)| names_path(line, path)).max_by_key(|(path, _)| path.len());
        let (path, volume) = match (named, &mounts[..]) {
            (Some(mount), _) => *mount,
            (None, [only]) if !line.contains(" /") && !line.contains("'/") && !line.contains("\"/") => *only,
            _ => return None,
        };
        Some(Self { cluster, pod, template, container, path, volume })
    }

    fn finding(&self, cause: &str, log: &Log, hit: &Hit) -> Option<Finding> {
        let source = WITH_OWNER.into_iter().find(|source| self.volume.get(source).exists())?;
        let claim = self.claim();
        let full = cause == "pvc-full";
        let size = claim.map(|c| {
            let bound = c.at("status.capacity.storage");
            if bound.exists() { bound } else { c.at("spec.resources.requests.storage") }.text()
        });
        if full && claim.is_none() {
            return None;
        }
        let culprit = if full { claim?.reference.clone() } else { self.template.carrier.clone() };
        let says = format!("the process works on the {source} volume mounted at {}", self.path);
        let mut finding = Finding::new(cause, culprit, Evidence::hit(log, hit, Strength::Statement, says))
            .fact("pod", self.pod.name())
            .fact("container", self.container.get("name").text())
            .fact("path", self.path)
            .fact("volume", self.volume.get("name").text())
            .fact("source", source)
            .fact("line", hit.line.text.trim())
            .fact("workload", self.template.carrier.to_string())
            .affects([self.template.carrier.clone(), self.pod.reference.clone()]);
        if let Some(claim) = claim {
            finding = finding.fact("claim", claim.name()).fact("size", size.unwrap_or_default());
            let class = self.cluster.find("StorageClass", None, claim.at("spec.storageClassName").text());
            finding = finding.fact("expandable", class.is_some_and(|c| c.at("allowVolumeExpansion").is_true()));
            if full {
                finding = finding.evidence(Evidence::field(
                    claim,
                    "spec.resources.requests.storage",
                    Strength::Hint,
                    "this much it was given",
                ));
            }
        }
        Some(if full { finding } else { self.with_identity(finding, source) })
    }

    fn claim(&self) -> Option<&'a Resource> {
        let named = self.volume.path("persistentVolumeClaim.claimName").text();
        let made = format!("{}-{}", self.pod.name(), self.volume.get("name").text());
        let name = if self.volume.get("ephemeral").exists() { made.as_str() } else { named };
        self.cluster.find("PersistentVolumeClaim", self.pod.namespace(), name)
    }

    /// Who the process is, and whether the kubelet was asked to hand it the volume.
    fn with_identity(&self, finding: Finding, source: &str) -> Finding {
        let context = |field: &str| {
            let own = self.container.get("securityContext").get(field);
            if own.exists() { own } else { self.pod.at("spec.securityContext").get(field) }
        };
        let fs_group = self.pod.at("spec.securityContext.fsGroup");
        let user = context("runAsUser").text();
        let group = context("runAsGroup").text();
        let known = known_identity(self.container.get("image").text());
        let gid = [group, user, known].into_iter().find(|id| !id.is_empty() && *id != "0").unwrap_or_default();
        // The kubelet changes the group of block volumes only; a directory of the host or of a server keeps its owner.
        let handed_over = matches!(source, "persistentVolumeClaim" | "ephemeral" | "csi" | "iscsi");
        let mut finding = finding
            .fact("user", if user.is_empty() { known } else { user })
            .fact("fs_group", fs_group.text())
            .fact("gid", gid)
            .fact("handed_over", handed_over)
            .fact("pointer", self.template.pointer().unwrap_or_default())
            .fact("has_context", self.template.at("securityContext").exists());
        let says = if fs_group.exists() {
            "the kubelet gives the volume to this group, where the volume lets it"
        } else {
            "no fsGroup is set, so the volume keeps the owner it came with"
        };
        let place = self.template.at("securityContext");
        let (holder, value) =
            if place.exists() { (self.template.holder, place) } else { (self.pod, self.pod.at("spec.securityContext")) };
        finding = finding.evidence(Evidence::value(holder, value, "securityContext", Strength::Hint, says));
        finding
    }
}

/// The line names a file below `mount`.
fn names_path(line: &str, mount: &str) -> bool {
    let mount = mount.trim_end_matches('/');
    !mount.is_empty()
        && line.match_indices(mount).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + mount.len()..].chars().next();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '/') && !after.is_some_and(|c| c.is_alphanumeric() || c == '-')
        })
}

/// Users that well-known public images run as, by a part of the image's name.
fn known_identity(image: &str) -> &'static str {
    const USERS: [(&str, &str); 10] = [
        ("actions-runner", "1001"),
        ("bitnami/", "1001"),
        ("grafana/grafana", "472"),
        ("jenkins/jenkins", "1000"),
        ("elasticsearch", "1000"),
        ("prom/prometheus", "65534"),
        ("prometheus/prometheus", "65534"),
        ("postgres", "999"),
        ("mysql", "999"),
        ("mongo", "999"),
    ];
    USERS.iter().find(|(part, _)| image.contains(part)).map_or("", |(_, user)| user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_words() {
        assert!(names_path("open /data/wal: permission denied", "/data"));
        assert!(names_path("mkdir '/var/lib/x': Permission denied", "/var/lib/x/"));
        assert!(!names_path("open /mnt/data/wal: permission denied", "/data"));
        assert!(!names_path("open /data-old/wal: permission denied", "/data"));
        assert!(!names_path("anything", "/"));
    }
}
