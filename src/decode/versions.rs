//! Texts that tell versions: `kubectl version`, `oc version`, version files of collectors.

use std::sync::Arc;

use super::{Document, Version};
use crate::location::Location;

/// Longer texts are something else.
const LINES: usize = 40;

/// The versions in `text`, when that is all it tells.
pub(super) fn read(path: &Arc<str>, first_line: u32, text: &str) -> Vec<Document> {
    if text.lines().nth(LINES).is_some() {
        return Vec::new();
    }
    let lines: Vec<(u32, &str)> = (first_line..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty()).collect();
    let is_prompt = |line: &str| line.starts_with("$ ") || line.starts_with("# ");
    let told: Vec<(u32, &str, &str)> = lines.iter().filter_map(|(n, l)| of_line(l).map(|(c, v)| (*n, c, v))).collect();
    let versions = if told.is_empty() && lines.iter().all(|(_, l)| !is_prompt(l)) { of_version_file(path, &lines) } else { told };
    let document = |(n, component, version): (u32, &str, &str)| {
        Document::Version(Version {
            component: component.to_owned(),
            version: version.to_owned(),
            location: Location::line(path, n),
        })
    };
    versions.into_iter().map(document).collect()
}

/// `Server Version: v1.30.6`, `Server Version: version.Info{…, GitVersion:"v1.17.12", …}`, `Kubernetes Version: v1.28.6`.
fn of_line(line: &str) -> Option<(&'static str, &str)> {
    let rest = line.strip_prefix("Server Version:").or_else(|| line.strip_prefix("Kubernetes Version:"))?.trim();
    let version = match rest.split_once("GitVersion:\"") {
        Some((_, after)) => after.split('"').next()?,
        None => rest,
    };
    // OpenShift's own version has no `v`; Kubernetes' stands on a line of its own.
    version.starts_with('v').then(|| version_number(version).map(|v| ("kubernetes", v)))?
}

/// A file called `version` or `kubernetes-version.txt`: `v1.30.0`; `<component> v1.2.3` a line; the producer on one line and
/// its version on the next, as must-gather writes it.
fn of_version_file<'t>(path: &str, lines: &[(u32, &'t str)]) -> Vec<(u32, &'t str, &'t str)> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    if !matches!(stem, "version" | "versions" | "kubernetes-version" | "kubernetes_version" | "k8s-version" | "server-version") {
        return Vec::new();
    }
    let words = |line: &'t str| line.split_whitespace().collect::<Vec<_>>();
    if let [(n, only)] = lines
        && let [version] = words(only)[..]
    {
        return version_number(version).map(|v| vec![(*n, "kubernetes", v)]).unwrap_or_default();
    }
    if let [(_, producer), (n, version)] = lines
        && let ([producer], [version]) = (&words(producer)[..], &words(version)[..])
        && version_number(producer).is_none()
    {
        return version_number(version).map(|v| vec![(*n, *producer, v)]).unwrap_or_default();
    }
    let pair = |(n, line): &(u32, &'t str)| match words(line)[..] {
        [component, version] => Some((*n, component.trim_end_matches(':'), version_number(version)?)),
        _ => None,
    };
    lines.iter().filter_map(pair).collect()
}

/// A version without its `v`.
fn version_number(text: &str) -> Option<&str> {
    let number = text.trim().trim_start_matches('v');
    let (major, rest) = number.split_once('.')?;
    let sound = major.bytes().all(|b| b.is_ascii_digit()) && !major.is_empty() && rest.starts_with(|c: char| c.is_ascii_digit());
    (sound && !number.contains([' ', '\t'])).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(path: &str, text: &str) -> Vec<String> {
        let version = |d| if let Document::Version(v) = d { Some(format!("{} {}", v.component, v.version)) } else { None };
        read(&Arc::from(path), 1, text).into_iter().filter_map(version).collect()
    }

    #[test]
    fn reads_what_tools_print() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "v.txt",
                "Client Version: v1.30.2\nKustomize Version: v5.0.4\nServer Version: v1.31.9-eks-5d4a308\n",
                &["kubernetes 1.31.9-eks-5d4a308"],
            ),
            (
                "v.txt",
                "Server Version: version.Info{Major:\"1\", Minor:\"17\", GitVersion:\"v1.17.12\", GoVersion:\"go1.13\"}\n",
                &["kubernetes 1.17.12"],
            ),
            ("v.txt", "Client Version: 4.15.0\nServer Version: 4.15.3\nKubernetes Version: v1.28.6\n", &["kubernetes 1.28.6"]),
            ("n1/kubernetes-version.txt", "v1.30.0\n", &["kubernetes 1.30.0"]),
            ("mg/version", "openshift/must-gather\n4.15.0-202402\n", &["openshift/must-gather 4.15.0-202402"]),
            ("b/version", "kubernetes v1.32.3\nistio: 1.20.1\n", &["kubernetes 1.32.3", "istio 1.20.1"]),
        ];
        for (path, text, expected) in cases {
            assert_eq!(versions(path, text), *expected, "{text}");
        }
    }

    #[test]
    fn other_texts_tell_none() {
        for text in [" Server Version: 27.1\n", "starting v1.2.3\n", "", "Server Version: 4.15.3\n"] {
            assert!(versions("docker-info.txt", text).is_empty(), "{text}");
        }
    }
}
