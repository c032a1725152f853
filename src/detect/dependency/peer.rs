//! The other end: the service, pod or outside host that a log line or a setting means.

use crate::cluster::Cluster;
use crate::cluster::address::{Address, Setting, addresses};
use crate::decode::{Hit, Ref, Resource, Value};
use crate::detect::symptom::{pod_trouble, ready_endpoints};

use super::server::Server;

/// An address a container is told to call, with the setting that tells it.
#[derive(Debug, Clone)]
pub(super) struct Target<'a> {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The object that holds host and port, and the place of the port there (of the host when no port is set).
    pub(super) holder: &'a Resource,
    pub(super) value: Value<'a>,
    /// The setting's name.
    pub(super) setting: String,
    pub(super) service: Option<&'a Resource>,
}

/// Addresses in the settings of a workload: whole ones, and pairs like `DB_HOST` and `DB_PORT`.
pub(super) fn targets<'a>(cluster: &'a Cluster, carrier: &'a Resource) -> Vec<Target<'a>> {
    let settings = cluster.settings(carrier);
    let ns = carrier.namespace();
    let mut found: Vec<Target<'a>> = Vec::new();
    for setting in &settings {
        for Address { host, port } in addresses(&setting.text) {
            let service = cluster.service_called(&host, ns);
            let (value, holder, name, port) =
                match (port, stem(&setting.name).and_then(|stem| port_beside(&settings, setting, stem))) {
                    (None, Some((beside, port))) => (beside.value, beside.holder, beside.name.to_string(), Some(port)),
                    (port, _) => (setting.value, setting.holder, setting.name.to_string(), port),
                };
            if service.is_some() || port.is_some() {
                found.push(Target { host, port, holder, value, setting: name, service });
            }
        }
    }
    found
}

/// `DB_HOST` → `DB_`.
fn stem(name: &str) -> Option<&str> {
    let upper = name.to_ascii_uppercase();
    ["HOSTNAME", "HOST", "ADDRESS", "ADDR", "SERVER", "SERVICE", "ENDPOINT"]
        .iter()
        .find(|suffix| upper.ends_with(*suffix))
        .map(|suffix| &name[..name.len() - suffix.len()])
}

/// The setting of the same container that names the port to a host: `DB_PORT` beside `DB_HOST`.
fn port_beside<'s, 'a>(settings: &'s [Setting<'a>], host: &Setting<'a>, stem: &str) -> Option<(&'s Setting<'a>, u16)> {
    let wanted = format!("{stem}PORT");
    let beside = settings.iter().find(|s| s.container == host.container && s.name.eq_ignore_ascii_case(&wanted))?;
    Some((beside, beside.text.trim().parse().ok()?))
}

/// The address a complaint names, in its line or those around it: `dial tcp 10.0.0.7:5432`, `lookup db on`,
/// `server at "db" (10.0.0.7), port 5432`.
pub(in crate::detect) fn named(hit: &Hit) -> Option<Address> {
    let lines = std::iter::once(hit.line.text.as_str())
        .chain(hit.after.iter().map(String::as_str))
        .chain(hit.before.iter().rev().map(String::as_str));
    lines.take(3).find_map(in_line)
}

fn in_line(line: &str) -> Option<Address> {
    let port =
        word_after(line, &[" port ", ", port: "]).and_then(|w| w.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok());
    let told = |host: &str| Address { host: host.to_owned(), port };
    const BEFORE_A_NAME: &[&str] = &[
        "lookup ",
        "ENOTFOUND ",
        "EAI_AGAIN ",
        "resolve host: ",
        "resolve host address ",
        "bad address ",
        "UnknownHostException: ",
    ];
    if let Some(host) = word_after(line, BEFORE_A_NAME) {
        return Some(Address { host: host.to_owned(), port: None });
    }
    // A host with a port, wherever it stands; neither a stamp like 10:30 nor a place in a source file.
    let is_source = |host: &str| [".go", ".java", ".py", ".js", ".rb", ".ts"].iter().any(|ending| host.ends_with(ending));
    let is_named = |host: &str| host.contains(|c: char| c.is_ascii_alphabetic() || c == '.');
    let with_port =
        addresses(&line.replace(": ", " ")).into_iter().find(|a| a.port.is_some() && !is_source(&a.host) && is_named(&a.host));
    // Node names the code of an error and the call beside the address: `code: 'ETIMEDOUT', syscall: 'connect', address: '10.0.0.7'`.
    if let Some(host) = word_after(line, &["address: '", "hostname: '", "address: \""]) {
        return Some(told(host));
    }
    let is_code = |w: &str| w.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let is_quoted_host = |w: &&str| is_host_word(w) && !is_code(w) && (w.contains('.') || port.is_some());
    let quoted = || line.split(['"', '\'']).skip(1).step_by(2).find(is_quoted_host);
    let before_port = || line.split_once(" port ")?.0.rsplit(' ').find(|w| is_host_word(w) && w.contains('.'));
    with_port.or_else(|| quoted().map(told)).or_else(|| before_port().map(told))
}

/// The word that follows one of `marks`.
fn word_after<'l>(line: &'l str, marks: &[&str]) -> Option<&'l str> {
    let rest = marks.iter().find_map(|mark| line.split_once(mark)).map(|(_, rest)| rest)?;
    let quotes = ['"', '\'', '‘', '’'];
    let rest = rest.trim_start_matches(quotes);
    let word = rest.split(|c: char| c.is_whitespace() || quotes.contains(&c) || matches!(c, ':' | ',' | ';' | ')')).next()?;
    (!word.is_empty()).then_some(word)
}

fn is_host_word(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// What an address turns out to be.
#[derive(Debug, Clone, Copy)]
pub(in crate::detect) enum Peer<'a> {
    Service(&'a Resource),
    Pod(&'a Resource),
    Outside,
}

impl<'a> Peer<'a> {
    pub(in crate::detect) fn of(cluster: &'a Cluster, host: &str, from: Option<&str>) -> Self {
        if let Some(service) = cluster.service_called(host, from) {
            return Self::Service(service);
        }
        cluster.kind("Pod").find(|p| p.at("status.podIP").text() == host).map_or(Self::Outside, Self::Pod)
    }

    pub(in crate::detect) fn reference(self) -> Option<&'a Ref> {
        match self {
            Self::Service(r) | Self::Pod(r) => Some(&r.reference),
            Self::Outside => None,
        }
    }
}

/// Ports a service serves; `None` when its ports were not collected.
pub(super) fn ports(service: &Resource) -> Option<Vec<u16>> {
    let ports: Vec<u16> = service.at("spec.ports").items().filter_map(|p| p.get("port").text().parse().ok()).collect();
    (!ports.is_empty()).then_some(ports)
}

/// Somebody stands behind the service, ready to answer.
pub(super) fn is_served(cluster: &Cluster, service: &Resource) -> bool {
    match ready_endpoints(cluster, service) {
        Some(n) => n > 0,
        None => cluster.pods_behind(service).any(|p| pod_trouble(cluster, p).is_none()),
    }
}

/// The workload behind a service.
pub(super) fn backend<'a>(cluster: &'a Cluster, service: &'a Resource) -> Option<&'a Resource> {
    cluster.pods_behind(service).next().map(|p| cluster.top_owner(p))
}

/// The kind of server a service leads to: by its ports, its name and the images behind it.
pub(super) fn server_of(cluster: &Cluster, service: &Resource) -> Option<Server> {
    let by_port = ports(service).into_iter().flatten().find_map(Server::on_port);
    let images = cluster.pods_behind(service).flat_map(|p| p.at("spec.containers").items()).map(|c| c.get("image").text());
    by_port.or_else(|| images.into_iter().find_map(Server::told_by)).or_else(|| Server::told_by(service.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_complaints_of_many_clients() {
        let table = [
            ("dial tcp 10.0.0.7:5432: connect: connection refused", ("10.0.0.7", Some(5432))),
            ("dial tcp: lookup db.shop on 10.96.0.10:53: no such host", ("db.shop", None)),
            ("Error: connect ECONNREFUSED 10.0.0.7:6379", ("10.0.0.7", Some(6379))),
            ("connection to server at \"db\" (10.0.0.7), port 5432 failed: Connection refused", ("db", Some(5432))),
            ("Failed to connect to web.shop port 8080: Connection refused", ("web.shop", Some(8080))),
            ("All host(s) tried for query failed (tried: prod-db:3333) - no connection", ("prod-db", Some(3333))),
            ("getaddrinfo ENOTFOUND api.example.com", ("api.example.com", None)),
            ("errno: -110, code: 'ETIMEDOUT', syscall: 'connect', address: '10.0.0.7', port: 5432", ("10.0.0.7", Some(5432))),
            ("wget: unable to resolve host address ‘api.example.com’", ("api.example.com", None)),
        ];
        for (line, (host, port)) in table {
            let found = in_line(line);
            assert_eq!(found.as_ref().map(|a| (a.host.as_str(), a.port)), Some((host, port)), "{line}");
        }
    }

    #[test]
    fn a_port_is_looked_for_beside_its_host() {
        assert_eq!(stem("DB_HOST"), Some("DB_"));
        assert_eq!(stem("REDIS_ADDR"), Some("REDIS_"));
        assert_eq!(stem("LOG_LEVEL"), None);
    }
}
