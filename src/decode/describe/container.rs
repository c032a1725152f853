//! Containers of a pod or of a pod template: one text that holds spec and status.

use std::borrow::Cow;

use super::outline::{Block, Entry};
use super::probe;
use crate::decode::draft::{Draft, Node};

/// The container's part of the pod spec.
pub(super) fn spec<'t>(container: Entry<'_, 't>) -> Draft<'t> {
    let mut draft = Draft::default();
    draft.text("name", container.number(), container.key());
    for entry in container.below.entries() {
        let line = entry.number();
        match entry.key() {
            "Image" => draft.text("image", line, entry.value()),
            "Port" | "Ports" => fill_ports(&mut draft, entry, container.below),
            "Command" => *draft.list("command", line) = arguments(entry, false),
            "Args" => {
                let command = container.below.get("Command").and_then(|c| c.below.entries().last());
                let script = command.is_some_and(|last| probe::is_script_option(last.text()));
                *draft.list("args", line) = arguments(entry, script);
            }
            "Limits" => fill_quantities(draft.map("resources.limits", line), entry),
            "Requests" => fill_quantities(draft.map("resources.requests", line), entry),
            "Liveness" => fill_probe(&mut draft, "livenessProbe", entry),
            "Readiness" => fill_probe(&mut draft, "readinessProbe", entry),
            "Startup" => fill_probe(&mut draft, "startupProbe", entry),
            "Restart Policy" => draft.text("restartPolicy", line, entry.value()),
            "Target Container Name" => draft.text("targetContainerName", line, entry.value()),
            "Environment Variables from" => fill_env_from(&mut draft, entry),
            "Environment" => fill_env(&mut draft, entry),
            "Mounts" => fill_mounts(&mut draft, entry),
            "Devices" => fill_devices(&mut draft, entry),
            _ => {}
        }
    }
    draft
}

/// The container's part of the pod status; `None` when the text tells no state (a template, a pod without a node).
pub(super) fn status<'t>(container: Entry<'_, 't>) -> Option<Draft<'t>> {
    if !container.below.has("State") && !container.below.has("Restart Count") {
        return None;
    }
    let mut draft = Draft::default();
    draft.text("name", container.number(), container.key());
    for entry in container.below.entries() {
        let line = entry.number();
        match entry.key() {
            "Container ID" => draft.text("containerID", line, entry.value()),
            "Image" => draft.text("image", line, entry.value()),
            "Image ID" => draft.text("imageID", line, entry.value()),
            "State" => fill_state(draft.map("state", line), entry),
            "Last State" => fill_state(draft.map("lastState", line), entry),
            "Ready" => draft.flag("ready", line, entry.value() == "True"),
            "Restart Count" => draft.number("restartCount", line, entry.value()),
            _ => {}
        }
    }
    Some(draft)
}

fn fill_state<'t>(state: &mut Draft<'t>, entry: Entry<'_, 't>) {
    let line = entry.number();
    let state = match entry.value() {
        "Running" => state.map("running", line),
        "Waiting" => state.map("waiting", line),
        "Terminated" => state.map("terminated", line),
        _ => return,
    };
    for told in entry.below.entries() {
        let (line, value) = (told.number(), told.value());
        match told.key() {
            "Reason" => state.text("reason", line, value),
            "Message" => state.text("message", line, told.long_value()),
            "Exit Code" => state.number("exitCode", line, value),
            "Signal" => state.number("signal", line, value),
            "Started" => state.stamp("startedAt", line, value),
            "Finished" => state.stamp("finishedAt", line, value),
            _ => {}
        }
    }
}

/// `8080/TCP`, `8848/TCP, 7848/TCP`, newer `8080/TCP (http)`; host ports stand in an entry of their own, in the same order.
fn fill_ports<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>, container: Block<'_, 't>) {
    let Some(ports) = entry.given() else { return };
    let hosts = container.any(&["Host Port", "Host Ports"]).and_then(|e| e.given().map(|v| (v, e.number())));
    let (hosts, host_line) = hosts.unwrap_or(("", 0));
    let mut hosts = hosts.split(", ");
    for port in ports.split(", ") {
        let line = entry.number();
        let mut told = Draft::default();
        let (number, protocol, name) = split_port(port);
        if let Some(name) = name {
            told.text("name", line, name);
        }
        told.number("containerPort", line, number);
        told.text("protocol", line, protocol);
        let host = hosts.next().map_or("0", |h| split_port(h).0);
        if host != "0" && !host.is_empty() {
            told.number("hostPort", host_line, host);
        }
        draft.list("ports", line).push((line, Node::Map(told)));
    }
}

/// `8080/TCP (http)` → number, protocol, name.
pub(super) fn split_port(text: &str) -> (&str, &str, Option<&str>) {
    let (port, name) = match text.trim().split_once(" (") {
        Some((port, name)) => (port, name.strip_suffix(')')),
        None => (text.trim(), None),
    };
    let (number, protocol) = port.split_once('/').unwrap_or((port, "TCP"));
    (number, protocol, name)
}

/// One argument a line. An argument of several lines is printed as several; behind `-c` (or when all of it is known to be
/// a `script`) they are one again.
fn arguments<'t>(entry: Entry<'_, 't>, script: bool) -> Vec<(u32, Node<'t>)> {
    let mut arguments: Vec<(u32, Cow<'t, str>)> = Vec::new();
    let mut script = script;
    let mut in_script = false;
    let margin = entry.below.entries().next().map_or(0, |e| e.line.indent as usize);
    for line in entry.below.0 {
        match arguments.last_mut() {
            Some((_, text)) if in_script => {
                text.to_mut().push('\n');
                text.to_mut().push_str(line.raw.get(margin..).unwrap_or_default().trim_end());
            }
            _ if line.text().is_empty() => {}
            _ => {
                in_script = script;
                script = probe::is_script_option(line.text());
                arguments.push((line.number, Cow::Borrowed(line.text())));
            }
        }
    }
    let trimmed = arguments.into_iter().map(|(line, text)| match text {
        Cow::Owned(text) => (line, Node::text(text.trim_end().to_owned())),
        text => (line, Node::text(text)),
    });
    trimmed.collect()
}

/// `cpu:  300m` lines.
pub(super) fn fill_quantities<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for quantity in entry.below.entries() {
        draft.push(quantity.key(), quantity.number(), Node::text(quantity.value()));
    }
}

fn fill_probe<'t>(draft: &mut Draft<'t>, field: &'static str, entry: Entry<'_, 't>) {
    if let Some(probe) = probe::parse(entry.value(), entry.number()) {
        draft.put(field, entry.number(), Node::Map(probe));
    }
}

/// `settings  Secret with prefix 'X_'  Optional: false`.
fn fill_env_from<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for (source, line) in entry.values() {
        let (source, optional) = source.split_once("Optional:").unwrap_or((source, ""));
        let Some((name, kind)) = source.trim().split_once(char::is_whitespace) else { continue };
        let kind = kind.trim();
        let mut from = Draft::default();
        if let Some((_, prefix)) = kind.split_once(" with prefix '") {
            from.text("prefix", line, prefix.trim_end_matches('\''));
        }
        let reference = from.map(if kind.starts_with("Secret") { "secretRef" } else { "configMapRef" }, line);
        reference.text("name", line, name);
        if optional.trim() == "true" {
            reference.flag("optional", line, true);
        }
        draft.list("envFrom", line).push((line, Node::Map(from)));
    }
}

fn fill_env<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for variable in entry.below.entries() {
        let line = variable.number();
        let mut env = Draft::default();
        env.text("name", line, variable.key());
        if !fill_env_source(&mut env, variable.value(), line) {
            env.text("value", line, variable.long_value());
        }
        draft.list("env", line).push((line, Node::Map(env)));
    }
}

/// `<set to the key 'k' in secret 's'>  Optional: false`, `<set to the key 'k' of config map 'm'>`, `(v1:metadata.name)`,
/// `2 (limits.cpu)`.
fn fill_env_source<'t>(env: &mut Draft<'t>, value: &'t str, line: u32) -> bool {
    if let Some(told) = value.strip_prefix("<set to the key '") {
        let Some((key, rest)) = told.split_once('\'') else { return false };
        let (field, name) = match (rest.split_once("in secret '"), rest.split_once("of config map '")) {
            (Some((_, name)), _) => ("valueFrom.secretKeyRef", name),
            (_, Some((_, name))) => ("valueFrom.configMapKeyRef", name),
            _ => return false,
        };
        let (name, rest) = name.split_once('\'').unwrap_or((name, ""));
        let reference = env.map(field, line);
        reference.text("name", line, name);
        reference.text("key", line, key);
        if let Some((_, optional)) = rest.split_once("Optional:") {
            reference.flag("optional", line, optional.trim() == "true");
        }
        return true;
    }
    let Some((_, source)) = value.strip_suffix(')').and_then(|v| v.rsplit_once('(')) else { return false };
    if let Some((version, field)) = source.split_once(':').filter(|(v, f)| *v == "v1" && !f.contains(' ')) {
        let reference = env.map("valueFrom.fieldRef", line);
        reference.text("apiVersion", line, version);
        reference.text("fieldPath", line, field);
        return true;
    }
    if source.starts_with("limits.") || source.starts_with("requests.") {
        env.text("valueFrom.resourceFieldRef.resource", line, source);
        return true;
    }
    false
}

/// `/app from code (ro,path="conf")`.
fn fill_mounts<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for (told, line) in entry.values() {
        let Some((path, rest)) = told.split_once(" from ") else { continue };
        let (volume, flags) = rest.split_once(" (").unwrap_or((rest, ""));
        let flags = flags.strip_suffix(')').unwrap_or(flags);
        let mut mount = Draft::default();
        mount.text("name", line, volume);
        mount.text("mountPath", line, path);
        if flags.split(',').any(|f| f == "ro") {
            mount.flag("readOnly", line, true);
        }
        if let Some((_, sub_path)) = flags.split_once("path=\"") {
            mount.text("subPath", line, sub_path.trim_end_matches('"'));
        }
        draft.list("volumeMounts", line).push((line, Node::Map(mount)));
    }
}

/// `/dev/xvda from data`.
fn fill_devices<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for (told, line) in entry.values() {
        let Some((path, volume)) = told.split_once(" from ") else { continue };
        let mut device = Draft::default();
        device.text("devicePath", line, path);
        device.text("name", line, volume);
        draft.list("volumeDevices", line).push((line, Node::Map(device)));
    }
}
