//! Addresses that configuration names: hosts and ports in variables, arguments, ConfigMaps and Secrets of a pod, and the
//! services they mean.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::Cluster;
use crate::decode::{Resource, Value};

/// One setting a container sees, with its text resolved through ConfigMaps and Secrets.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The variable's name, the file's name in a ConfigMap, or `args`.
    pub name: Cow<'a, str>,
    /// Its text.
    pub text: Cow<'a, str>,
    /// The object it stands in: the pod's carrier itself, a ConfigMap or a Secret.
    pub holder: &'a Resource,
    /// The place in that object.
    pub value: Value<'a>,
    /// The container that sees it.
    pub container: &'a str,
}

/// A host, and the port when one is named with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `redis`, `redis.shop.svc.cluster.local`, `10.0.0.7`, `db.example.com`.
    pub host: String,
    /// `6379`
    pub port: Option<u16>,
}

/// The addresses in a text: of URLs with any scheme, of `host:port` pairs in lists, and the text itself when it is a bare
/// host name.
pub fn addresses(text: &str) -> Vec<Address> {
    const LONGEST: usize = 4096;
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let breaks =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '(' | ')' | '<' | '>' | '[' | ']' | '{' | '}' | '|');
    let mut found: Vec<Address> = Vec::new();
    let mut parts = 0;
    for part in text.split(breaks).filter(|p| !p.is_empty()) {
        parts += 1;
        if let Some(address) = address(part)
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    if parts == 1 && found.is_empty() && is_host(text.trim()) {
        found.push(Address { host: text.trim().to_owned(), port: None });
    }
    found
}

fn address(part: &str) -> Option<Address> {
    let (is_url, rest) = match part.rsplit_once("://") {
        Some((_, rest)) => (true, rest),
        // `--upstream=host:port`
        None => (false, part.rsplit_once('=').map_or(part, |(_, value)| value)),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host_port.split_once(':') {
        Some((host, port)) => {
            let port = port.parse().ok().filter(|p| *p > 0)?;
            is_host(host).then(|| Address { host: host.to_owned(), port: Some(port) })
        }
        None => (is_url && is_host(host_port)).then(|| Address { host: host_port.to_owned(), port: None }),
    }
}

/// A DNS name or an IPv4 address; a bare number is neither.
fn is_host(text: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let numeric = text.bytes().all(|b| b.is_ascii_digit());
    let dotted_number = text.parse::<f64>().is_ok();
    text.len() <= 253 && !numeric && !dotted_number && text.split('.').all(label)
}

impl Cluster {
    /// Settings of all containers of a pod, or of the pods of a template.
    pub fn settings<'a>(&'a self, carrier: &'a Resource) -> Vec<Setting<'a>> {
        let Some((_, spec)) = carrier.pod_spec() else { return Vec::new() };
        let mut found = Vec::new();
        for container in spec.get("initContainers").items().chain(spec.get("containers").items()) {
            let name = container.get("name").text();
            for env in container.get("env").items() {
                found.extend(self.variable(carrier, env, name));
            }
            for from in container.get("envFrom").items() {
                let prefix = from.get("prefix").text();
                for (kind, field) in [("ConfigMap", "configMapRef.name"), ("Secret", "secretRef.name")] {
                    let Some(holder) = self.find(kind, carrier.namespace(), from.path(field).text()) else { continue };
                    found.extend(contents(holder).into_iter().map(|(key, text, value)| Setting {
                        name: if prefix.is_empty() { Cow::Borrowed(key) } else { Cow::Owned(format!("{prefix}{key}")) },
                        text,
                        holder,
                        value,
                        container: name,
                    }));
                }
            }
            for list in ["command", "args"] {
                let words = container.get(list).items();
                found.extend(words.map(|value| Setting {
                    name: list.into(),
                    text: value.text().into(),
                    holder: carrier,
                    value,
                    container: name,
                }));
            }
            found.extend(self.mounted(carrier, spec, container, name));
        }
        found
    }

    fn variable<'a>(&'a self, carrier: &'a Resource, env: Value<'a>, container: &'a str) -> Option<Setting<'a>> {
        let name = Cow::Borrowed(env.get("name").text());
        let literal = env.get("value");
        if literal.exists() {
            return Some(Setting { name, text: literal.text().into(), holder: carrier, value: literal, container });
        }
        [("ConfigMap", "valueFrom.configMapKeyRef"), ("Secret", "valueFrom.secretKeyRef")].into_iter().find_map(|(kind, path)| {
            let source = env.path(path);
            let holder = self.find(kind, carrier.namespace(), source.get("name").text())?;
            let key = source.get("key").text();
            let (_, text, value) = contents(holder).into_iter().find(|(k, ..)| *k == key)?;
            Some(Setting { name: name.clone(), text, holder, value, container })
        })
    }

    /// Files of ConfigMaps that the container mounts.
    fn mounted<'a>(&'a self, carrier: &'a Resource, spec: Value<'a>, container: Value<'a>, name: &'a str) -> Vec<Setting<'a>> {
        let mounts = |volume: &str| container.get("volumeMounts").items().any(|m| m.get("name").text() == volume);
        let volumes = spec.get("volumes").items().filter(|v| mounts(v.get("name").text()));
        let maps = volumes.filter_map(|v| self.find("ConfigMap", carrier.namespace(), v.path("configMap.name").text()));
        maps.flat_map(|holder| {
            contents(holder).into_iter().map(move |(key, text, value)| Setting {
                name: key.into(),
                text,
                holder,
                value,
                container: name,
            })
        })
        .collect()
    }

    /// The service a host name means for a pod of namespace `from`: `name`, `name.namespace`, `name.namespace.svc…`, or its
    /// cluster address.
    pub fn service_called(&self, host: &str, from: Option<&str>) -> Option<&Resource> {
        service_name(host, from)
            .and_then(|(name, namespace)| self.find("Service", namespace, name))
            .or_else(|| self.service_at(host).filter(|_| host.contains('.')))
    }
}

/// Signals that name a host which does not answer.
const UNANSWERED: &[&str] = &["connection-refused", "io-timeout", "no-such-host", "no-route", "connection-reset"];

/// What logs say does not answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// Words of the lines that say so: addresses among them.
    words: FxHashSet<String>,
    /// Services those words would mean, by name and namespace; without one, any.
    services: FxHashSet<(String, Option<String>)>,
}

impl Unanswered {
    fn in_logs_of(cluster: &Cluster) -> Self {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let lines = UNANSWERED.iter().flat_map(|signal| cluster.hits(signal)).map(|(_, hit)| hit.line.text.as_str());
        let words: FxHashSet<String> = lines.flat_map(|l| l.split(|c| !is_part(c))).map(str::to_owned).collect();
        let meant = words.iter().filter_map(|word| service_name(word, None));
        let services = meant.map(|(name, namespace)| (name.to_owned(), namespace.map(str::to_owned))).collect();
        Self { words, services }
    }
}

impl Cluster {
    /// Do logs say that this service, called by name or by its cluster address, does not answer?
    pub fn is_refused(&self, service: &Resource) -> bool {
        let unanswered = self.unanswered.get_or_init(|| Unanswered::in_logs_of(self));
        let by_ip = service.at("spec.clusterIP").text();
        let meant = |namespace: Option<&str>| (service.name().to_owned(), namespace.map(str::to_owned));
        !by_ip.is_empty() && unanswered.words.contains(by_ip)
            || unanswered.services.contains(&meant(None))
            || unanswered.services.contains(&meant(service.namespace()))
    }
}

/// Name and namespace a host name would mean as a service; `None` for names outside the cluster and IP addresses.
pub fn service_name<'h>(host: &'h str, from: Option<&'h str>) -> Option<(&'h str, Option<&'h str>)> {
    let mut labels = host.trim_end_matches('.').split('.');
    let name = labels.next()?;
    match (labels.next(), labels.next()) {
        (None, _) => Some((name, from)),
        (Some(ns), None | Some("svc")) => Some((name, Some(ns))),
        _ => None,
    }
}

/// What a ConfigMap or Secret holds, as containers see it: (key, text, place).
fn contents(holder: &Resource) -> Vec<(&str, Cow<'_, str>, Value<'_>)> {
    let secret = holder.kind() == "Secret";
    let data = holder.at("data").fields().map(|(k, v)| {
        let text = if secret { decoded(v.text()).map_or(Cow::Borrowed(""), Cow::Owned) } else { v.text().into() };
        (k, text, v)
    });
    let plain = holder.at("stringData").fields().map(|(k, v)| (k, v.text().into(), v));
    data.chain(plain).collect()
}

/// Base64 of UTF-8 text; `None` for anything else. A Secret's values are looked at, never shown.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut n) = (0_u32, 0);
    for b in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        n += 6;
        if n >= 8 {
            n -= 8;
            bytes.push((bits >> n) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::cluster;

    fn shown(text: &str) -> Vec<String> {
        addresses(text).into_iter().map(|a| a.port.map_or(a.host.clone(), |p| format!("{}:{p}", a.host))).collect()
    }

    #[test]
    fn addresses_in_texts() {
        assert_eq!(shown("http://api.shop.svc:8080/v1?x=1"), ["api.shop.svc:8080"]);
        assert_eq!(shown("jdbc:mysql://user:pw@db:3306/app"), ["db:3306"]);
        assert_eq!(shown("a:9092,b:9092"), ["a:9092", "b:9092"]);
        assert_eq!(shown("redis"), ["redis"]);
        assert_eq!(shown("--upstream=web:80"), ["web:80"]);
        assert_eq!(shown("8080"), Vec::<String>::new());
        assert_eq!(shown("12:30 o'clock"), Vec::<String>::new());
        assert_eq!(shown("https://example.com"), ["example.com"]);
    }

    #[test]
    fn settings_are_resolved_and_services_found() {
        let c = cluster(&[
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db", "namespace": "shop"}, "spec": {"clusterIP": "10.1.2.3"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "data": {"port": "MzMwNw=="}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"containers": [{
                "name": "c", "env": [
                    {"name": "HOST", "value": "db.shop"},
                    {"name": "PORT", "valueFrom": {"secretKeyRef": {"name": "s", "key": "port"}}}]}]}}),
        ]);
        let pod = c.find("Pod", Some("shop"), "p").unwrap();
        let settings = c.settings(pod);
        let texts: Vec<_> = settings.iter().map(|s| (s.name.as_ref(), s.text.as_ref(), s.holder.kind())).collect();
        assert_eq!(texts, [("HOST", "db.shop", "Pod"), ("PORT", "3307", "Secret")]);
        assert_eq!(c.service_called("db.shop", Some("x")).unwrap().name(), "db");
        assert_eq!(c.service_called("10.1.2.3", None).unwrap().name(), "db");
        assert!(c.service_called("db", Some("x")).is_none());
    }
}
