//! The command a part of a file is the output of, and what it tells that the output does not: a namespace, whose log it is.

use std::borrow::Cow;

use super::{Decoded, Document, LogSource, is_namespaced};

/// What a `kubectl` command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command<'t> {
    /// `get`, `logs`, `describe`.
    verb: &'t str,
    /// What follows: kinds, names.
    words: Vec<&'t str>,
    namespace: Option<&'t str>,
    container: Option<&'t str>,
    previous: bool,
}

/// Other options that take a value, which is the next word when it does not follow a `=`.
const VALUED: &[&str] = &[
    "-L",
    "-l",
    "-o",
    "--context",
    "--field-selector",
    "--kubeconfig",
    "--label-columns",
    "--limit-bytes",
    "--max-log-requests",
    "--output",
    "--selector",
    "--since",
    "--since-time",
    "--sort-by",
    "--tail",
];

/// The command line a file is named after: `oc_get_pods_-n_shop_-o_wide.txt`. Empty for every other name.
pub(super) fn in_file_name(path: &str) -> Cow<'_, str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_command = ["kubectl_", "oc_", "kubectl ", "oc "].iter().any(|program| name.starts_with(program));
    if !is_command {
        return Cow::Borrowed("");
    }
    let extension = name.rfind('.').filter(|dot| matches!(&name[dot + 1..], "txt" | "yaml" | "yml" | "json" | "log" | "out"));
    Cow::Owned(name[..extension.unwrap_or(name.len())].replace('_', " "))
}

impl<'t> Command<'t> {
    /// The command in `title`; `None` when it is none of kubectl's or oc's.
    pub(super) fn of(title: &'t str) -> Option<Self> {
        let line = title.split(['|', ';', '&', '`']).find(|part| !part.trim().is_empty())?;
        let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "sudo" | "k3s" | "microk8s"));
        words.next().filter(|program| matches!(*program, "kubectl" | "oc" | "k"))?;
        let mut command = Command::default();
        while let Some(word) = words.next() {
            let (option, stuck) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
            let mut value = || stuck.or_else(|| words.next());
            match option {
                "-n" | "--namespace" => command.namespace = value(),
                "-c" | "--container" => command.container = value(),
                "-p" | "--previous" => command.previous = true,
                _ if VALUED.contains(&option) => _ = value(),
                _ if option.starts_with("-n") => command.namespace = Some(&option[2..]),
                _ if option.starts_with('-') => {}
                _ if command.verb.is_empty() => command.verb = word,
                _ => command.words.push(word),
            }
        }
        Some(command)
    }

    /// Adds to `decoded`, its output, what the command knows.
    pub(super) fn complete(&self, decoded: &mut Decoded) {
        for document in &mut decoded.documents {
            match document {
                Document::Resource(resource) => self.complete_namespace(&mut resource.reference),
                Document::Event(event) => self.complete_namespace(&mut event.regarding),
                Document::Log(log) => {
                    if let Some(source) = self.log_source() {
                        log.source = source;
                    }
                }
                _ => {}
            }
        }
    }

    fn complete_namespace(&self, reference: &mut super::Ref) {
        if reference.namespace.is_none() && is_namespaced(&reference.kind) == Some(true) {
            reference.namespace = self.namespace.map(str::to_owned);
        }
    }

    /// It prints what a program in a container says now.
    pub(super) fn runs_in_a_pod(&self) -> bool {
        self.verb == "exec"
    }

    /// Whose log `kubectl logs` prints, or whose words `kubectl exec`.
    fn log_source(&self) -> Option<LogSource> {
        if !matches!(self.verb, "logs" | "log" | "exec") {
            return None;
        }
        let name = self.words.first()?;
        let pod = name.rsplit('/').next().unwrap_or(name);
        let container = self.container.or_else(|| self.words.get(1).copied().filter(|_| !self.runs_in_a_pod()));
        Some(LogSource {
            namespace: self.namespace.map(str::to_owned),
            pod: Some(pod.to_owned()),
            container: container.map(str::to_owned),
            previous: self.previous,
            ..LogSource::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_named_after_its_command() {
        let namespace = |path| Command::of(&in_file_name(path)).and_then(|c| c.namespace.map(str::to_owned));
        assert_eq!(namespace("out/oc_get_pods_-n_audit_-o_wide.txt").as_deref(), Some("audit"));
        assert_eq!(namespace("kubectl describe pods --namespace=shop").as_deref(), Some("shop"));
        assert_eq!(namespace("out/get_pods_-n_audit.txt"), None);
    }

    #[test]
    fn reads_options_in_every_spelling() {
        for line in [
            "kubectl -n shop logs pod/web-0 -c app --previous --tail=100",
            "kubectl logs --tail 100 web-0 app -p --namespace=shop | grep error",
            "sudo kubectl logs -f -nshop web-0 --container app -p",
        ] {
            let source = Command::of(line).and_then(|c| c.log_source()).unwrap();
            let said = (source.namespace.as_deref(), source.pod.as_deref(), source.container.as_deref(), source.previous);
            assert_eq!(said, (Some("shop"), Some("web-0"), Some("app"), true), "{line}");
        }
        let get = Command::of("oc get pods -A -o wide --sort-by=.metadata.name").unwrap();
        assert_eq!((get.verb, get.words.as_slice(), get.namespace), ("get", ["pods"].as_slice(), None));
        assert_eq!(Command::of("Pods of the shop"), None);
    }
}
