//! Probes as one line tells them (kubectl `describe.DescribeProbe`).

use crate::decode::draft::{Draft, Node};

/// `http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3`, `tcp-socket :6379 …`,
/// `grpc <pod>:50051 service …`, `exec [pgrep xenon] …`.
pub(super) fn parse<'t>(text: &'t str, line: u32) -> Option<Draft<'t>> {
    let (how, rest) = text.split_once(' ')?;
    let split = rest.rfind(" delay=").map_or(rest.len(), |at| at + 1);
    let (target, timing) = (rest[..split].trim(), &rest[split..]);
    let mut probe = Draft::default();
    match how {
        "http-get" => fill_http(probe.map("httpGet", line), target, line),
        "tcp-socket" => fill_address(probe.map("tcpSocket", line), target, line),
        "grpc" => fill_grpc(probe.map("grpc", line), target, line),
        "exec" => {
            let command = target.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(target);
            *probe.list("exec.command", line) = split_command(command, line);
        }
        _ => return None,
    }
    for word in timing.split_ascii_whitespace() {
        let Some((name, value)) = word.split_once('=') else { continue };
        let field = match name {
            "delay" => "initialDelaySeconds",
            "timeout" => "timeoutSeconds",
            "period" => "periodSeconds",
            "#success" => "successThreshold",
            "#failure" => "failureThreshold",
            _ => continue,
        };
        probe.number(field, line, value.strip_suffix('s').unwrap_or(value));
    }
    Some(probe)
}

fn fill_http<'t>(get: &mut Draft<'t>, url: &'t str, line: u32) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (address, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let scheme = if scheme.eq_ignore_ascii_case("https") { "HTTPS" } else { "HTTP" };
    get.text("path", line, path);
    fill_address(get, address, line);
    get.text("scheme", line, scheme);
}

fn fill_address<'t>(target: &mut Draft<'t>, address: &'t str, line: u32) {
    let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
    if !host.is_empty() {
        target.text("host", line, host);
    }
    target.number("port", line, port);
}

fn fill_grpc<'t>(grpc: &mut Draft<'t>, target: &'t str, line: u32) {
    let (address, service) = target.split_once(' ').unwrap_or((target, ""));
    grpc.number("port", line, address.rsplit_once(':').map_or(address, |(_, port)| port));
    if !service.trim().is_empty() {
        grpc.text("service", line, service.trim());
    }
}

/// The words of a command were joined by blanks when printed. What a shell is told with `-c` stays one argument.
fn split_command(command: &str, line: u32) -> Vec<(u32, Node<'_>)> {
    let mut words: Vec<&str> = Vec::new();
    let mut rest = command.trim();
    while !rest.is_empty() {
        let script = words.last().is_some_and(|w| is_script_option(w));
        let (word, after) = if script { (rest, "") } else { rest.split_once(' ').unwrap_or((rest, "")) };
        words.push(word);
        rest = after.trim_start();
    }
    words.into_iter().map(|word| (line, Node::text(word))).collect()
}

/// `-c`, `-ec`, `-lc`: the next argument is a script.
pub(super) fn is_script_option(argument: &str) -> bool {
    argument.len() <= 4
        && argument.ends_with('c')
        && argument.strip_prefix('-').is_some_and(|o| o.bytes().all(|b| b.is_ascii_lowercase()))
}
