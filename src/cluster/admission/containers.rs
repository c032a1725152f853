//! Rules over containers and init containers.

use std::collections::BTreeSet;

use super::{CONTAINER_RESTART_RULES, Fault, Refusal, SIDECARS, names};
use crate::cluster::{KubernetesVersion, Quantity};
use crate::decode::Value;

pub(super) fn check(spec: Value<'_>, version: Option<KubernetesVersion>, out: &mut Vec<Refusal>) {
    let mut names = BTreeSet::new();
    let volumes: BTreeSet<&str> = spec.get("volumes").items().map(|v| v.get("name").text()).collect();
    let lists = [("initContainers", true), ("containers", false)];
    for (list, init) in lists {
        for (i, container) in spec.get(list).items().enumerate() {
            let path = format!("spec.{list}[{i}]");
            identity(container, &path, &mut names, out);
            restart_policy(container, init, version, &path, out);
            env(container, &path, out);
            mounts(container, &volumes, &path, out);
            ports(container, spec.get("hostNetwork").is_true(), &path, out);
            resources(container, &path, out);
            security(container, &path, out);
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                check_probe(container.get(probe), probe, &format!("{path}.{probe}"), out);
            }
        }
    }
}

fn identity<'a>(container: Value<'a>, path: &str, names: &mut BTreeSet<&'a str>, out: &mut Vec<Refusal>) {
    let name = container.get("name").text();
    names::label(name, &format!("{path}.name"), out);
    if !name.is_empty() && !names.insert(name) {
        out.push(Refusal::new(format!("{path}.name"), Fault::Duplicate, name, ""));
    }
    let image = container.get("image").text();
    if image.is_empty() {
        out.push(Refusal::new(format!("{path}.image"), Fault::Required, "", ""));
    } else if image.trim() != image {
        out.push(Refusal::new(format!("{path}.image"), Fault::Invalid, image, "must not have leading or trailing whitespace"));
    }
    let policy = container.get("imagePullPolicy").text();
    if !matches!(policy, "" | "Always" | "IfNotPresent" | "Never") {
        out.push(Refusal::unsupported(format!("{path}.imagePullPolicy"), policy, &["Always", "IfNotPresent", "Never"]));
    }
}

/// A server that does not know the feature drops the field and judges the rest without it; one that knows sidecars only
/// refuses every other value (`validateInitContainerRestartPolicy`); one that knows restart rules takes all three.
fn restart_policy(container: Value<'_>, init: bool, version: Option<KubernetesVersion>, path: &str, out: &mut Vec<Refusal>) {
    let policy = container.get("restartPolicy").text();
    let dropped = version.is_some_and(|v| v < SIDECARS);
    let any = version.is_some_and(|v| v >= CONTAINER_RESTART_RULES);
    let at = format!("{path}.restartPolicy");
    match policy {
        "" => {}
        _ if dropped => {}
        "Always" if init => {}
        "Always" | "OnFailure" | "Never" if any => {}
        _ if any => out.push(Refusal::unsupported(at, policy, &["Always", "OnFailure", "Never"])),
        _ if init => out.push(Refusal::unsupported(at, policy, &["Always"])),
        _ => out.push(Refusal::new(at, Fault::Forbidden, "", "may not be set for non-init containers")),
    }
    let is_sidecar = policy == "Always" && !dropped;
    if init && !is_sidecar {
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if container.get(field).exists() {
                let detail = "may not be set for init containers without restartPolicy=Always";
                out.push(Refusal::new(format!("{path}.{field}"), Fault::Forbidden, "", detail));
            }
        }
    }
}

fn env(container: Value<'_>, path: &str, out: &mut Vec<Refusal>) {
    for (i, env) in container.get("env").items().enumerate() {
        let path = format!("{path}.env[{i}]");
        if env.get("name").text().is_empty() {
            out.push(Refusal::new(format!("{path}.name"), Fault::Required, "", ""));
        }
        if env.get("valueFrom").exists() && !env.get("value").text().is_empty() {
            out.push(Refusal::new(
                format!("{path}.valueFrom"),
                Fault::Invalid,
                "",
                "may not be specified when `value` is not empty",
            ));
        }
    }
}

fn mounts(container: Value<'_>, volumes: &BTreeSet<&str>, path: &str, out: &mut Vec<Refusal>) {
    let mut seen = BTreeSet::new();
    for (i, mount) in container.get("volumeMounts").items().enumerate() {
        let path = format!("{path}.volumeMounts[{i}]");
        let name = mount.get("name").text();
        if name.is_empty() {
            out.push(Refusal::new(format!("{path}.name"), Fault::Required, "", ""));
        } else if !volumes.contains(name) {
            out.push(Refusal::new(format!("{path}.name"), Fault::NotFound, name, ""));
        }
        let at = mount.get("mountPath").text();
        if at.is_empty() {
            out.push(Refusal::new(format!("{path}.mountPath"), Fault::Required, "", ""));
        } else if !seen.insert(at) {
            out.push(Refusal::new(format!("{path}.mountPath"), Fault::Invalid, at, "must be unique"));
        }
        let sub = mount.get("subPath").text();
        if sub.starts_with('/') || sub.split('/').any(|part| part == "..") {
            out.push(Refusal::new(format!("{path}.subPath"), Fault::Invalid, sub, "must be a relative path without '..'"));
        }
    }
}

fn ports(container: Value<'_>, host_network: bool, path: &str, out: &mut Vec<Refusal>) {
    let mut names_seen = BTreeSet::new();
    for (i, port) in container.get("ports").items().enumerate() {
        let path = format!("{path}.ports[{i}]");
        let number = port.get("containerPort");
        if number.exists() {
            names::port(number, &format!("{path}.containerPort"), out);
        } else {
            out.push(Refusal::new(format!("{path}.containerPort"), Fault::Required, "", ""));
        }
        let name = port.get("name").text();
        if !name.is_empty() && !names::is_port_name(name) {
            let detail = "must be at most 15 lower case letters, digits and '-', with a letter";
            out.push(Refusal::new(format!("{path}.name"), Fault::Invalid, name, detail));
        } else if !name.is_empty() && !names_seen.insert(name) {
            out.push(Refusal::new(format!("{path}.name"), Fault::Duplicate, name, ""));
        }
        let host = port.get("hostPort");
        if host_network && host.exists() && host.text() != number.text() {
            let detail = "must match `hostPort` when `hostNetwork` is true";
            out.push(Refusal::new(format!("{path}.containerPort"), Fault::Invalid, number.text(), detail));
        }
        let protocol = port.get("protocol").text();
        if !matches!(protocol, "" | "TCP" | "UDP" | "SCTP") {
            out.push(Refusal::unsupported(format!("{path}.protocol"), protocol, &["SCTP", "TCP", "UDP"]));
        }
    }
}

fn resources(container: Value<'_>, path: &str, out: &mut Vec<Refusal>) {
    let limits = container.path("resources.limits");
    for list in ["limits", "requests"] {
        for (name, amount) in container.path("resources").get(list).fields() {
            let at = format!("{path}.resources.{list}[{name}]");
            let standard =
                matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-") || name.contains('/');
            if !standard {
                out.push(Refusal::new(at, Fault::Invalid, name, "must be a standard resource for containers"));
                continue;
            }
            let Some(quantity) = Quantity::of(amount) else {
                out.push(Refusal::new(at, Fault::Invalid, amount.text(), "must be a quantity such as 500m or 128Mi"));
                continue;
            };
            let limit = Quantity::of(limits.get(name));
            if list == "requests" && limit.is_some_and(|limit| quantity > limit) {
                let limit = limits.get(name).text();
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                out.push(Refusal::new(format!("{path}.resources.requests"), Fault::Invalid, amount.text(), detail));
            }
        }
    }
}

fn security(container: Value<'_>, path: &str, out: &mut Vec<Refusal>) {
    let context = container.get("securityContext");
    let privileged = context.get("privileged").is_true();
    if privileged && context.get("allowPrivilegeEscalation").as_bool() == Some(false) {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        out.push(Refusal::new(format!("{path}.securityContext"), Fault::Invalid, "", detail));
    }
}

fn check_probe(probe: Value<'_>, kind: &str, path: &str, out: &mut Vec<Refusal>) {
    if !probe.exists() {
        return;
    }
    let handlers: Vec<&str> = ["exec", "httpGet", "tcpSocket", "grpc"]
        .into_iter()
        .filter(|h| probe.get(h).exists() || !probe.get(h).is_empty())
        .collect();
    match handlers.as_slice() {
        [] => out.push(Refusal::new(path, Fault::Required, "", "must specify a handler type")),
        [_] => {}
        [_, second, ..] => {
            out.push(Refusal::new(format!("{path}.{second}"), Fault::Forbidden, "", "may not specify more than 1 handler type"));
        }
    }
    let threshold = probe.get("successThreshold");
    if kind != "readinessProbe" && threshold.as_i64().is_some_and(|n| n > 1) {
        out.push(Refusal::new(format!("{path}.successThreshold"), Fault::Invalid, threshold.text(), "must be 1"));
    }
    for field in ["timeoutSeconds", "periodSeconds", "failureThreshold", "initialDelaySeconds"] {
        if probe.get(field).as_i64().is_some_and(|n| n < 0) {
            let detail = "must be greater than or equal to 0";
            out.push(Refusal::new(format!("{path}.{field}"), Fault::Invalid, probe.get(field).text(), detail));
        }
    }
}
