//! Kubernetes versions as clusters and vendors write them, and the version of the cluster at hand.

use std::collections::BTreeSet;
use std::fmt;

use super::Cluster;

/// `v1.30.6-eks-7f9249a` → 1.30.6; vendors' suffixes do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    /// 1
    pub major: u16,
    /// 30
    pub minor: u16,
    /// 6; 0 when it was not told.
    pub patch: u16,
}

impl KubernetesVersion {
    /// `1.minor`, the first release of that line.
    pub const fn minor(minor: u16) -> Self {
        Self { major: 1, minor, patch: 0 }
    }

    /// Reads `v1.30.6-gke.1125000`, `1.27+`, `1.29`. `None` when there is no major and minor.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.strip_prefix(['v', 'V']).unwrap_or(text).splitn(3, '.');
        let major = parts.next()?.parse().ok()?;
        let minor = leading_number(parts.next()?)?;
        let patch = parts.next().and_then(leading_number).unwrap_or(0);
        Some(Self { major, minor, patch })
    }
}

fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Cluster {
    /// The API server's version: as the user told it, else as the bundle states it, else the newest kubelet's, which is
    /// never newer than its API server (version skew policy).
    pub fn kubernetes_version(&self) -> Option<KubernetesVersion> {
        let told = self.told_version.as_deref().and_then(KubernetesVersion::parse);
        let stated = || {
            let of_api = self.versions.iter().filter(|v| v.component == "kubernetes");
            of_api.filter_map(|v| KubernetesVersion::parse(&v.version)).max()
        };
        let kubelets = || {
            let versions = self.kind("Node").map(|n| n.at("status.nodeInfo.kubeletVersion").text());
            versions.filter_map(KubernetesVersion::parse).max()
        };
        told.or_else(stated).or_else(kubelets)
    }

    /// Versions of other components, by name: as files state them, and as the labels of workloads do.
    pub fn components(&self) -> BTreeSet<(String, String)> {
        let stated =
            self.versions.iter().filter(|v| v.component != "kubernetes").map(|v| (v.component.clone(), v.version.clone()));
        let labelled =
            self.resources().filter(|r| matches!(r.kind(), "Deployment" | "StatefulSet" | "DaemonSet")).filter_map(|r| {
                let name = r.label("app.kubernetes.io/name").unwrap_or(r.name());
                Some((name.to_owned(), r.label("app.kubernetes.io/version")?.trim_start_matches('v').to_owned()))
            });
        stated.chain(labelled).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cluster::testing::cluster;
    use crate::decode::Version;
    use crate::location::Location;

    #[test]
    fn reads_vendors_versions() {
        let table = [
            ("v1.30.6-eks-7f9249a", Some("1.30.6")),
            ("1.27+", Some("1.27.0")),
            ("v1.28.9-gke.1000000", Some("1.28.9")),
            ("v1.26.5+k3s1", Some("1.26.5")),
            ("v1.31.0-rc.1", Some("1.31.0")),
            ("1.29", Some("1.29.0")),
            ("v1", None),
            ("latest", None),
            ("", None),
        ];
        for (text, wanted) in table {
            assert_eq!(KubernetesVersion::parse(text).map(|v| v.to_string()).as_deref(), wanted, "{text}");
        }
        assert!(KubernetesVersion::parse("1.9.11") < Some(KubernetesVersion::minor(10)));
    }

    #[test]
    fn told_wins_over_stated_wins_over_kubelets() {
        let node = json!({"kind": "Node", "metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "v1.28.1"}}});
        let mut cluster = cluster(&[node]);
        let version = |c: &Cluster| c.kubernetes_version().map(|v| v.to_string());
        assert_eq!(version(&cluster).as_deref(), Some("1.28.1"));
        let location = Location::file(&Arc::from("version.txt"));
        cluster.versions.push(Version { component: "kubernetes".into(), version: "1.29.3".into(), location });
        assert_eq!(version(&cluster).as_deref(), Some("1.29.3"));
        cluster.told_version = Some("1.35".into());
        assert_eq!(version(&cluster).as_deref(), Some("1.35.0"));
    }
}
