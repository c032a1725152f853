//! Why a process ended, from the end of its log.

use crate::catalog::Strength;
use crate::cluster::{Cluster, Container};
use crate::decode::{Hit, Level, Log, LogLine, Value};
use crate::detect::near::nearest;
use crate::detect::template::Template;
use crate::detect::{Evidence, EvidenceKind, Finding, facts};

/// What ends a process stands within this many lines of the end of its log: a stack trace is rarely longer.
const LAST_LINES: u32 = 60;

/// Of a log that ends within a stack, this many: a runaway recursion prints a thousand frames.
const LAST_FRAMES: u32 = 1500;

/// Signals that tell why a process ended, the most telling first, with the cause each one is.
const REASONS: [(&str, &str); 10] = [
    ("exec-format-error", "container-script-error"),
    ("command-not-found", "container-command-not-found"),
    ("env-missing", "env-var-missing"),
    ("exec-denied", "container-permission-denied-exec"),
    ("address-in-use", "port-conflict"),
    ("heap-exhausted", "jvm-heap-exhausted"),
    ("read-only-filesystem", "read-only-root-filesystem"),
    ("illegal-instruction", "cpu-instruction-unsupported"),
    ("configuration-refused", "application-config-invalid"),
    ("unhandled-exception", "application-crash"),
];

/// Signals that speak of something outside the process: whoever logs them is not to blame for them.
const OUTSIDE: [&str; 9] = [
    "connection-refused",
    "no-such-host",
    "dns-unavailable",
    "io-timeout",
    "no-route",
    "auth-failed-postgres",
    "auth-failed-mysql",
    "api-server-unreachable",
    "api-forbidden",
];

/// What dying containers say last.
pub(super) fn container_log(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod") {
        for container in cluster.containers(pod) {
            if container.is_dying(cluster)
                && container.end_reason() != "OOMKilled"
                && let Some(template) = Template::of(cluster, pod)
            {
                out.extend(Death { cluster, container, template }.reason());
            }
        }
    }
}

/// A process that ended.
struct Death<'a> {
    cluster: &'a Cluster,
    container: Container<'a>,
    template: Template<'a>,
}

impl<'a> Death<'a> {
    fn reason(&self) -> Option<Finding> {
        let logs = self.logs();
        for (signal, cause) in REASONS {
            for log in &logs {
                let Some(hit) = self.last_hit(log, signal) else { continue };
                let finding = self.finding(cause, Evidence::hit(log, hit, Strength::Statement, "what the process says last"));
                let finding = finding.fact("line", short(&hit.line.text));
                let others = || self.speaks_of_others(log);
                if let Some(finding) = self.checked(cause, finding, &hit.line.text, others) {
                    return Some(finding);
                }
            }
        }
        self.left_behind().or_else(|| self.died_of_an_instruction()).or_else(|| self.unexplained(&logs))
    }

    /// The reason in the message it left behind: with FallbackToLogsOnError the kubelet keeps the end of the log there.
    fn left_behind(&self) -> Option<Finding> {
        let told = self.container.ended().get("message");
        let says = |signal: &str, line: &str| self.cluster.captures(signal, line).is_some();
        let others = || OUTSIDE.iter().any(|signal| told.text().lines().any(|line| says(signal, line)));
        REASONS.iter().find_map(|(signal, cause)| {
            let line = told.text().lines().rev().find(|line| says(signal, line))?;
            let evidence = Evidence::value(self.container.pod, told, "message", Strength::Statement, "what it left behind");
            let finding = self.finding(cause, evidence.brief(line.trim()).of_kind(EvidenceKind::Status));
            self.checked(cause, finding.fact("line", short(line)), line, others)
        })
    }

    /// 132 is SIGILL: the processor does not know an instruction of the program, which has no time to say so.
    fn died_of_an_instruction(&self) -> Option<Finding> {
        const SIGILL: i64 = 132;
        let code = self.container.ended().get("exitCode");
        (code.as_i64() == Some(SIGILL)).then(|| {
            let says = "the kernel ended it for an illegal instruction (SIGILL)";
            let evidence = Evidence::value(self.container.pod, code, "exitCode", Strength::Statement, says);
            self.finding("cpu-instruction-unsupported", evidence.of_kind(EvidenceKind::Status))
                .fact("line", "exit code 132, SIGILL")
        })
    }

    /// Logs of runs that have ended: of a container that runs again, the log of the run before.
    fn logs(&self) -> Vec<&'a Log> {
        let mut logs = self.cluster.logs_of_container(&self.container);
        if self.container.is_running() && logs.iter().any(|l| l.source.previous) {
            logs.retain(|l| l.source.previous);
        }
        logs
    }

    /// The last line of the log's end that matches the signal.
    fn last_hit(&self, log: &'a Log, signal: &str) -> Option<&'a Hit> {
        let pattern = self.cluster.patterns()?.index(signal)?;
        let ends_in_a_stack = !log.tail.is_empty() && log.tail.iter().all(|l| is_frame(&l.text));
        let lines = if ends_in_a_stack { LAST_FRAMES } else { LAST_LINES };
        let at_the_end = |h: &&Hit| h.pattern == pattern && h.line.line + lines > log.n_lines && !is_trifle(&h.line);
        log.hits.iter().rev().find(at_the_end)
    }

    /// Looks whether the spec bears out what the line says, and adds what the cause's prose needs.
    fn checked(&self, cause: &str, finding: Finding, line: &str, speaks_of_others: impl Fn() -> bool) -> Option<Finding> {
        match cause {
            "container-script-error" => self.without_interpreter(finding, line),
            "env-var-missing" => self.with_variable(finding, line),
            "container-command-not-found" => self.with_command(finding, line, "command-not-found", 127),
            // A shell says the same of a file it may not write to.
            "container-permission-denied-exec" => self.with_command(finding, line, "exec-denied", 126),
            "port-conflict" => Some(self.with_rival(finding, line)),
            "read-only-root-filesystem" => self.with_path(finding, line),
            // nginx looks its upstreams up at start: the name is missing, not the configuration wrong.
            "application-config-invalid" if line.contains("host not found in upstream") => None,
            "application-config-invalid" => Some(finding.fact("source", self.configuration())),
            "jvm-heap-exhausted" => Some(finding.fact("limit", self.container.spec.path("resources.limits.memory").text())),
            "application-crash" => (!speaks_of_others()).then(|| self.as_crash(finding)),
            _ => Some(finding),
        }
    }

    /// The kernel does not know the format of a file that is a script of a ConfigMap and names no interpreter.
    fn without_interpreter(&self, finding: Finding, line: &str) -> Option<Finding> {
        let captures = self.cluster.captures("exec-format-error", line)?;
        let path = captures.name("path")?.as_str();
        let mounts = self.container.spec.get("volumeMounts");
        let mount = mounts.items().find(|m| path.starts_with(m.get("mountPath").text()))?;
        let volumes = self.container.pod.at("spec.volumes");
        let volume = volumes.items().find(|v| v.get("name").text() == mount.get("name").text())?;
        let name = volume.path("configMap.name").text();
        let script =
            self.cluster.find("ConfigMap", self.container.pod.namespace(), name)?.at("data").get(path.rsplit('/').next()?);
        let location = script.location().filter(|_| !script.text().starts_with("#!"))?;
        let says = format!("the script in ConfigMap {name} does not begin with #!");
        let first_line = script.text().lines().next().unwrap_or("");
        let evidence = Evidence::file(location, first_line, Strength::Proof, says).of_kind(EvidenceKind::Spec);
        Some(finding.evidence(evidence).fact("error", format!("{path} does not begin with #! and the interpreter to run it")))
    }

    /// A script may go on after a command that failed: only the exit code tells that it ended for it.
    fn with_command(&self, finding: Finding, line: &str, signal: &str, exit_code: i64) -> Option<Finding> {
        let captures = self.cluster.captures(signal, line)?;
        let command = captures.iter().skip(1).flatten().next()?.as_str();
        let ended_so = self.container.exit_code().is_none_or(|code| code == exit_code);
        ended_so.then(|| finding.fact("command", command).fact("image", self.container.image()))
    }

    fn with_variable(&self, finding: Finding, line: &str) -> Option<Finding> {
        let captures = self.cluster.captures("env-missing", line)?;
        let variable = captures.iter().skip(1).flatten().next()?.as_str().to_owned();
        let set: Vec<&str> = self.container.spec.get("env").items().map(|e| e.get("name").text()).collect();
        let from = self.container.spec.get("envFrom");
        if set.contains(&variable.as_str()) || self.is_imported(from, &variable) {
            return None;
        }
        let near = nearest(&variable, set).unwrap_or("");
        let spec = self.container.spec;
        let finding = finding.fact("near", near).fact("variable", variable.as_str());
        if !spec.exists() {
            return Some(finding);
        }
        let says = format!("the container's spec does not set {variable}");
        Some(finding.evidence(Evidence::value(self.container.pod, spec.get("env"), "env", Strength::Hint, says)))
    }

    /// The variable comes from a ConfigMap or Secret the container takes all keys of.
    fn is_imported(&self, from: Value<'_>, variable: &str) -> bool {
        let ns = self.container.pod.namespace();
        from.items().any(|source| {
            let key = variable.strip_prefix(source.get("prefix").text()).unwrap_or(variable);
            [("ConfigMap", "configMapRef.name"), ("Secret", "secretRef.name")].iter().any(|(kind, path)| {
                let object = self.cluster.find(kind, ns, source.path(path).text());
                object.is_some_and(|o| o.at("data").get(key).exists() || o.at("stringData").get(key).exists())
            })
        })
    }

    fn with_rival(&self, finding: Finding, line: &str) -> Finding {
        let port = last_port(line).map(|p| p.to_string()).unwrap_or_default();
        let declares = |c: &Container<'_>| c.spec.get("ports").items().any(|p| p.get("containerPort").text() == port);
        let others = self.cluster.containers(self.container.pod);
        let rival = others.iter().find(|c| c.name != self.container.name && c.list == "containers" && declares(c));
        let on_host = self.container.pod.at("spec.hostNetwork").is_true();
        let rival = match rival {
            Some(rival) => format!("Container {} of the same pod", rival.name),
            None if on_host => "With hostNetwork, another process of the node".to_owned(),
            None => String::new(),
        };
        finding.fact("port", port).fact("rival", rival)
    }

    /// Only where the root file system is read-only by the container's own setting, and the path lies on no volume.
    fn with_path(&self, finding: Finding, line: &str) -> Option<Finding> {
        const FIELD: &str = "securityContext.readOnlyRootFilesystem";
        let in_template = self.template.container(&self.container).map(|c| c.path(FIELD));
        // A description of the pod does not tell it.
        let (of, field) = match self.container.spec.path(FIELD) {
            field if field.exists() => (self.container.pod, field),
            _ => (self.template.holder, in_template.unwrap_or(Value::ABSENT)),
        };
        let path =
            line.split(|c: char| c.is_whitespace() || "'\"`:,;()[]".contains(c)).find(|w| w.len() > 1 && w.starts_with('/'));
        let mounts = self.container.spec.get("volumeMounts");
        let on_volume = path.is_some_and(|path| mounts.items().any(|m| path.starts_with(m.get("mountPath").text())));
        if !field.is_true() || on_volume || in_template.is_some_and(|v| !v.is_true()) {
            return None;
        }
        let says = "the container's root file system is read-only";
        let pointer = self.template.pointer_of(&self.container, "securityContext/readOnlyRootFilesystem");
        Some(
            finding
                .evidence(Evidence::value(of, field, "readOnlyRootFilesystem", Strength::Proof, says))
                .fact("path", path.unwrap_or("its root file system"))
                .fact("pointer", pointer.unwrap_or_default()),
        )
    }

    /// ConfigMaps and Secrets the container's configuration comes from.
    fn configuration(&self) -> String {
        let spec = self.container.spec;
        let of_env = spec
            .get("envFrom")
            .items()
            .flat_map(|e| [("ConfigMap", e.path("configMapRef.name")), ("Secret", e.path("secretRef.name"))]);
        let volumes = self.container.pod.at("spec.volumes");
        let mounted = spec.get("volumeMounts").items().filter_map(|m| {
            let volume = volumes.items().find(|v| v.get("name").text() == m.get("name").text())?;
            let map = volume.path("configMap.name");
            Some(if map.exists() { ("ConfigMap", map) } else { ("Secret", volume.path("secret.secretName")) })
        });
        let mut names: Vec<String> = of_env
            .chain(mounted)
            .filter(|(_, name)| name.exists())
            .map(|(kind, name)| format!("{kind} {}", name.text()))
            .collect();
        names.sort();
        names.dedup();
        names.join(", ")
    }

    /// The end of the log complains of something outside the process.
    fn speaks_of_others(&self, log: &'a Log) -> bool {
        OUTSIDE.iter().any(|signal| self.last_hit(log, signal).is_some())
    }

    /// A crash is what is left when nothing else explains the end: never more than a hint.
    fn as_crash(&self, mut finding: Finding) -> Finding {
        finding.evidence[0].strength = Strength::Hint;
        let template_changed = self.template.holder.at("metadata.annotations").get("deployment.kubernetes.io/revision").text();
        let revision = if template_changed == "1" { "" } else { template_changed };
        finding.fact("revision", revision)
    }

    /// It ended with an error and its log does not tell why.
    fn unexplained(&self, logs: &[&'a Log]) -> Option<Finding> {
        let killed = matches!(self.container.exit_code(), Some(137 | 143));
        if killed || logs.iter().any(|log| self.speaks_of_others(log)) {
            return None;
        }
        let last_line = logs.iter().find_map(|log| {
            Some((
                *log,
                log.tail.iter().rev().chain(log.head.iter().rev()).find(|l| !l.text.trim().is_empty() && !is_frame(&l.text))?,
            ))
        });
        let ended = self.container.ended();
        let state =
            Evidence::value(self.container.pod, ended.get("exitCode"), "exitCode", Strength::Hint, "how its last run ended")
                .of_kind(EvidenceKind::Status);
        let told = ended.get("message");
        let (evidence, line) = match last_line {
            Some((log, line)) => (Evidence::log(log, line, Strength::Hint, "the last line of its log"), short(&line.text)),
            None if told.exists() => {
                (Evidence::value(self.container.pod, told, "message", Strength::Hint, "what it left behind"), short(told.text()))
            }
            // An exit code alone is a symptom.
            None => return None,
        };
        Some(self.as_crash(self.finding("application-crash", evidence).evidence(state).fact("line", line)))
    }

    fn finding(&self, cause: &str, evidence: Evidence) -> Finding {
        let container = &self.container;
        Finding::new(cause, self.template.carrier.clone(), evidence)
            .fact("container", if container.name.is_empty() { "main" } else { container.name })
            .fact("pod", container.pod.name())
            .fact("node", container.pod.at("spec.nodeName").text())
            .fact("exit", container.exit_code().map_or_else(String::new, |c| c.to_string()))
            .fact("restarts", container.restarts())
            .affects([container.pod.reference.clone()])
    }
}

/// A frame of a stack, as Java and its kin print it.
fn is_frame(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("at ") && line.contains('(') || line.starts_with("... ") && line.ends_with(" more")
}

/// Lines at this level do not tell why a process ends.
fn is_trifle(line: &LogLine) -> bool {
    line.level.is_some_and(|l| l <= Level::Info)
}

/// `:8080`, `port 8080`: the last number of the line that may be a port.
fn last_port(line: &str) -> Option<u16> {
    line.rsplit(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).find(|p| *p >= 20)
}

fn short(line: &str) -> String {
    const LONGEST: usize = 240;
    let line = facts::in_one_line(line);
    line[..line.floor_char_boundary(LONGEST)].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};

    /// The cause found for a container with this spec that crashes after saying this.
    fn found(spec: &Json, text: &str) -> Option<Finding> {
        let mut container = json!({"name": "web", "image": "web:1"});
        container.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let sidecar = json!({"name": "proxy", "ports": [{"containerPort": 8080}]});
        let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"},
            "spec": {"containers": [container, sidecar]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "web", "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}});
        let log = Said { pod: "p", container: "web", previous: true, text };
        let mut out = Vec::new();
        container_log(&cluster_that_says(&[pod], Vec::new(), &[log]), &mut out);
        assert!(out.len() <= 1);
        out.pop()
    }

    fn cause(spec: &Json, text: &str) -> String {
        found(spec, text).map(|f| f.cause).unwrap_or_default()
    }

    #[test]
    fn last_words_tell_the_cause() {
        let plain = json!({});
        let table = [
            ("Environment variable API_KEY is undefined", "env-var-missing"),
            ("KeyError: 'DATABASE_URL'", "env-var-missing"),
            ("panic: DB_HOST must be set", "env-var-missing"),
            ("listen tcp :8080: bind: address already in use", "port-conflict"),
            ("Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space", "jvm-heap-exhausted"),
            ("Error: unknown flag: --lisen", "application-config-invalid"),
            ("nginx: [emerg] unexpected \"}\" in /etc/nginx/nginx.conf:12", "application-config-invalid"),
            ("Traceback (most recent call last)\nZeroDivisionError: division by zero", "application-crash"),
            ("goodbye", "application-crash"),
            ("Error: connect ECONNREFUSED 10.0.0.7:5432", ""),
        ];
        for (text, expected) in table {
            assert_eq!(cause(&plain, text), expected, "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_set_is_not_missing() {
        let set = json!({"env": [{"name": "API_KEY", "value": "x"}]});
        assert_ne!(cause(&set, "API_KEY is not set"), "env-var-missing");
        let misspelt = json!({"env": [{"name": "API_KEI", "value": "x"}]});
        let finding = found(&misspelt, "API_KEY is not set").unwrap();
        assert_eq!(finding.facts["near"], "API_KEI");
    }

    #[test]
    fn the_other_container_with_the_port_is_named() {
        let finding = found(&json!({}), "Error: listen EADDRINUSE: address already in use :::8080").unwrap();
        assert_eq!(finding.facts["rival"], "Container proxy of the same pod");
    }

    #[test]
    fn a_read_only_root_is_to_blame_only_where_it_is_set_and_no_volume_lies_there() {
        let said = "open /var/cache/app/x: read-only file system";
        let set = json!({"securityContext": {"readOnlyRootFilesystem": true}});
        assert_eq!(found(&set, said).unwrap().facts["path"], "/var/cache/app/x");
        assert_ne!(cause(&json!({}), said), "read-only-root-filesystem");
        let mounted = json!({"securityContext": {"readOnlyRootFilesystem": true},
                             "volumeMounts": [{"name": "v", "mountPath": "/var/cache"}]});
        assert_ne!(cause(&mounted, said), "read-only-root-filesystem");
    }

    #[test]
    fn what_was_said_long_before_the_end_is_not_the_reason() {
        let text = format!("WARN unknown option foo\n{}bye\n", "work goes on\n".repeat(100));
        assert_eq!(cause(&json!({}), &text), "application-crash");
    }
}
