//! Addresses in settings that lead nowhere: a host that is no service, a port that the service does not have.

use serde_json::{Value as Json, json};

use super::near::nearest;
use super::symptom::pod_trouble;
use super::template::pointer_part;
use super::{Detector, Evidence, Finding, symptom};
use crate::catalog::Strength;
use crate::cluster::address::{Address, Setting, addresses, service_name};
use crate::cluster::{Cluster, Presence};
use crate::decode::{Hit, Level, Log, LogLine, Origin, Ref, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "address", run: wrong_addresses }];

/// Signals that somebody could not be reached.
const UNREACHED: [&str; 5] = ["connection-refused", "io-timeout", "no-such-host", "no-route", "connection-reset"];

fn wrong_addresses(cluster: &Cluster, out: &mut Vec<Finding>) {
    let carriers = cluster.resources().filter(|r| r.origin != Origin::Manifest && r.pod_spec().is_some());
    for carrier in carriers.filter(|r| cluster.owner(r).is_none() && (r.kind() == "Pod" || symptom::replicas(r).0 != 0)) {
        let settings = cluster.settings(carrier);
        if settings.is_empty() {
            continue;
        }
        let caller = Caller::new(cluster, carrier);
        let mut seen: Vec<Address> = Vec::new();
        for called in calls(&settings) {
            if !seen.contains(&called.address) {
                seen.push(called.address.clone());
                out.extend(caller.judge(&called));
            }
        }
    }
}

/// An address a container is told to call.
struct Called<'s, 'a> {
    address: Address,
    /// Where the host stands.
    host: &'s Setting<'a>,
    /// Where the port stands, when that is elsewhere.
    port: Option<&'s Setting<'a>>,
}

/// Addresses in settings: `host:port` and URLs in one text, and pairs of variables such as `DB_HOST` and `DB_PORT`.
fn calls<'s, 'a>(settings: &'s [Setting<'a>]) -> Vec<Called<'s, 'a>> {
    let mut found = Vec::new();
    for host in settings {
        for address in addresses(&host.text) {
            let port = if address.port.is_some() { None } else { port_beside(settings, host) };
            let number = port.and_then(|p| p.text.trim().parse().ok());
            let is_address = address.port.is_some() || number.is_some() || host.text.contains("://") || names_a_host(&host.name);
            if is_address {
                let address = Address { port: address.port.or(number), ..address };
                found.push(Called { address, host, port });
            }
        }
    }
    found
}

const HOST_WORDS: [&str; 7] = ["HOST", "HOSTNAME", "ADDR", "ADDRESS", "SERVER", "ENDPOINT", "URL"];

fn names_a_host(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    HOST_WORDS.iter().any(|word| upper.ends_with(word))
}

/// `X_PORT` beside `X_HOST`, seen by the same container.
fn port_beside<'s, 'a>(settings: &'s [Setting<'a>], host: &Setting<'a>) -> Option<&'s Setting<'a>> {
    let upper = host.name.to_ascii_uppercase();
    let stem = HOST_WORDS.iter().filter_map(|word| upper.strip_suffix(word)).min_by_key(|stem| stem.len())?;
    settings.iter().find(|s| s.container == host.container && s.name.to_ascii_uppercase() == format!("{stem}PORT"))
}

/// A workload, with what its pods say of those they call.
struct Caller<'a> {
    cluster: &'a Cluster,
    carrier: &'a Resource,
    pods: Vec<&'a Resource>,
    in_trouble: bool,
}

impl<'a> Caller<'a> {
    fn new(cluster: &'a Cluster, carrier: &'a Resource) -> Self {
        let pods: Vec<&Resource> = if carrier.kind() == "Pod" {
            vec![carrier]
        } else {
            cluster.descendants(&carrier.reference).into_iter().filter(|p| p.kind() == "Pod").collect()
        };
        let in_trouble = pods.iter().any(|p| pod_trouble(cluster, p).is_some());
        Self { cluster, carrier, pods, in_trouble }
    }

    fn judge(&self, called: &Called<'_, 'a>) -> Option<Finding> {
        let host = called.address.host.as_str();
        let (name, namespace) = service_name(host, self.carrier.namespace())?;
        if self.is_known_otherwise(host, name, namespace) {
            return None;
        }
        let service = Ref::new("Service", namespace, name);
        match self.cluster.presence(&service) {
            Presence::Absent => self.no_such_service(called, &service),
            Presence::Present => self.no_such_port(called, self.cluster.get(&service)?),
            Presence::Unknown => None,
        }
    }

    /// Names that mean something without a Service: this pod, another pod or node, an alias, a name outside the cluster.
    fn is_known_otherwise(&self, host: &str, name: &str, namespace: Option<&str>) -> bool {
        let cluster = self.cluster;
        let spec = self.carrier.pod_spec().map_or(Value::ABSENT, |(_, spec)| spec);
        let aliases = spec.get("hostAliases").items().flat_map(|a| a.get("hostnames").items());
        let is_ip = host.split('.').all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        // `pod.service` of a headless service looks like `service.namespace`.
        let of_headless = namespace.is_some_and(|n| cluster.find("Service", self.carrier.namespace(), n).is_some());
        let is_namespace =
            |ns: &str| cluster.find("Namespace", None, ns).is_some() || cluster.kind_in("Pod", Some(ns)).next().is_some();
        is_ip
            || name == "localhost"
            || spec.get("hostname").text() == name
            || aliases.clone().any(|a| a.text() == host)
            || cluster.find("Pod", namespace, name).is_some()
            || cluster.find("Node", None, host).is_some()
            || of_headless && namespace != self.carrier.namespace()
            || !namespace.is_some_and(is_namespace)
    }

    /// No Service of that name. Proved to hurt when the caller complains of that host, or when a Service of nearly that name
    /// has the very port.
    fn no_such_service(&self, called: &Called<'_, 'a>, service: &Ref) -> Option<Finding> {
        let there = self.cluster.kind_in("Service", service.namespace.as_deref()).filter(|s| s.origin != Origin::Manifest);
        let has_port = |s: &&Resource| called.address.port.is_none_or(|p| has_port(s, p));
        let with_port: Vec<_> = there.clone().filter(has_port).map(Resource::name).collect();
        let near = nearest(&service.name, with_port.iter().copied());
        let complaint = self.complaint(&called.address.host);
        let near_by_name = || nearest(&service.name, there.map(Resource::name));
        let is_proved = complaint.is_some() || near.is_some() && called.address.port.is_some();
        if !is_proved {
            return None;
        }
        let near = near.or_else(near_by_name).unwrap_or_default();
        // A name in the midst of a script may be a mere word of it, and nothing tells what else it should be.
        if near.is_empty() && called.host.text.trim().contains(char::is_whitespace) {
            return None;
        }
        let says = format!("no {service} exists");
        let finding = self.finding("env-address-wrong", called, called.host, says, complaint);
        Some(
            finding
                .fact("what", "host")
                .fact("near", near)
                .fact("ops", if near.is_empty() { Json::Null } else { self.replaced(called.host, &service.name, near) })
                .affects([service.clone()]),
        )
    }

    /// The Service is there and does not have the port. Only callers in trouble are believed to use the setting.
    fn no_such_port(&self, called: &Called<'_, 'a>, service: &'a Resource) -> Option<Finding> {
        let port = called.address.port?;
        let ports = service.at("spec.ports");
        let headless = service.at("spec.clusterIP").text() == "None" || service.at("spec.type").text() == "ExternalName";
        if ports.is_empty() || headless || has_port(service, port) {
            return None;
        }
        let unreached = || UNREACHED.iter().find_map(|signal| self.hits(signal).next().map(|(l, h)| (l, &h.line)));
        let complaint = self.complaint(&called.address.host).or_else(|| unreached().filter(|_| self.in_trouble))?;
        let right = ports.item(0).get("port").text();
        let is_database =
            [called.host.name.as_ref(), service.name(), self.port_name(service)].iter().any(|n| names_a_database(n))
                || is_database_port(right);
        let at = called.port.unwrap_or(called.host);
        let says = format!("Service {} serves {}, not {port}", service.name(), listed(ports));
        let cause = if is_database { "db-port-wrong" } else { "env-address-wrong" };
        let finding = self.finding(cause, called, at, says, Some(complaint));
        // The caller is the one that is wrong, whatever object holds the number.
        let mut finding = Finding { culprit: self.carrier.reference.clone(), ..finding };
        finding.affected.retain(|a| *a != self.carrier.reference);
        Some(
            finding
                .evidence(Evidence::value(service, ports.item(0).get("port"), "port", Strength::Proof, "the port it serves"))
                .fact("what", "port")
                .fact("peer", service.name())
                .fact("right", right)
                .fact("near", right)
                .fact("source", at.holder.reference.to_string())
                .fact("server", service.name())
                .fact(
                    "ops",
                    if at.holder.reference == self.carrier.reference {
                        self.replaced(at, &port.to_string(), right)
                    } else {
                        Json::Null
                    },
                )
                .affects([service.reference.clone()]),
        )
    }

    fn port_name(&self, service: &'a Resource) -> &'a str {
        service.at("spec.ports").item(0).get("name").text()
    }

    fn finding(
        &self,
        cause: &str,
        called: &Called<'_, 'a>,
        at: &Setting<'a>,
        says: String,
        complaint: Option<(&Log, &LogLine)>,
    ) -> Finding {
        let address = &called.address;
        let shown = address.port.map_or_else(|| address.host.clone(), |port| format!("{}:{port}", address.host));
        // Settings may hold passwords; the address alone is shown.
        let evidence = Evidence::value(at.holder, at.value, &at.name, Strength::Proof, says);
        let evidence = if at.holder.kind() == "Secret" {
            evidence.brief(&at.name)
        } else {
            evidence.brief(&format!("{}: {shown}", at.name))
        };
        let mut finding = Finding::new(cause, at.holder.reference.clone(), evidence)
            .fact("variable", at.name.as_ref())
            .fact("address", shown)
            .fact("host", address.host.as_str())
            .fact("port", address.port.map(|p| p.to_string()).unwrap_or_default())
            .fact("holder", at.holder.reference.to_string())
            .fact("workload", self.carrier.reference.to_string())
            .fact("workload_resource", format!("{}/{}", self.carrier.kind().to_lowercase(), self.carrier.name()))
            .fact("container", at.container)
            .fact("pod", self.pods.first().map_or("", |p| p.name()))
            .affects([self.carrier.reference.clone()])
            .affects(self.pods.iter().map(|p| p.reference.clone()));
        if let Some((log, line)) = complaint {
            let said = Evidence::log(log, line, Strength::Statement, "the caller cannot reach it");
            finding = finding.evidence(said).fact("line", line.text.trim());
        }
        finding
    }

    /// A line in which the caller says that it cannot reach `host`.
    fn complaint(&self, host: &str) -> Option<(&'a Log, &'a LogLine)> {
        let of_signal = UNREACHED.iter().find_map(|signal| {
            let mut hits = self.hits(signal).filter(|(_, hit)| {
                let around = hit.before.iter().chain(&hit.after);
                mentions(&hit.line.text, host) || around.into_iter().any(|line| mentions(line, host))
            });
            hits.next().map(|(log, hit)| (log, &hit.line))
        });
        of_signal.or_else(|| {
            self.logs().find_map(|log| {
                let lines = log.hits.iter().map(|h| &h.line).chain(log.tail.iter().rev()).chain(&log.head);
                let complains = |line: &&LogLine| line.level >= Some(Level::Error) || speaks_of_failure(&line.text);
                let mut lines = lines.filter(|line| mentions(&line.text, host)).filter(complains);
                lines.next().map(|line| (log, line))
            })
        })
    }

    fn logs(&self) -> impl Iterator<Item = &'a Log> {
        self.pods.iter().flat_map(|p| self.cluster.logs_of(&p.reference))
    }

    fn hits(&self, signal: &str) -> impl Iterator<Item = (&'a Log, &'a Hit)> {
        let index = self.cluster.patterns().and_then(|p| p.index(signal));
        self.logs().flat_map(move |log| log.hits.iter().filter(move |h| Some(h.pattern) == index).map(move |h| (log, h)))
    }

    /// The patch that writes `right` for `wrong` where the setting stands. Secrets are not written out.
    fn replaced(&self, setting: &Setting<'a>, wrong: &str, right: &str) -> Json {
        let value = setting.text.replacen(wrong, right, 1);
        let path = match setting.holder.kind() {
            "Secret" => None,
            "ConfigMap" => {
                let mut data = setting.holder.at("data").fields();
                data.find(|(_, v)| v.text() == setting.text).map(|(key, _)| format!("/data/{}", pointer_part(key)))
            }
            _ => self.variable_path(setting),
        };
        path.map(|path| json!([{"op": "replace", "path": path, "value": value}])).unwrap_or_default()
    }

    fn variable_path(&self, setting: &Setting<'a>) -> Option<String> {
        let (path, spec) = setting.holder.pod_spec()?;
        ["containers", "initContainers"].into_iter().find_map(|list| {
            let (i, container) = spec.get(list).items().enumerate().find(|(_, c)| c.get("name").text() == setting.container)?;
            let j = container.get("env").items().position(|e| e.get("name").text() == setting.name)?;
            Some(format!("/{}/{list}/{i}/env/{j}/value", path.replace('.', "/")))
        })
    }
}

fn has_port(service: &Resource, port: u16) -> bool {
    let ports = service.at("spec.ports");
    ports.is_empty()
        || ports
            .items()
            .any(|p| p.get("port").as_i64() == Some(i64::from(port)) || p.get("nodePort").as_i64() == Some(i64::from(port)))
}

fn listed(ports: Value<'_>) -> String {
    ports.items().map(|p| p.get("port").text()).collect::<Vec<_>>().join(", ")
}

fn names_a_database(name: &str) -> bool {
    const WORDS: [&str; 12] =
        ["mysql", "maria", "postgres", "pgsql", "mongo", "redis", "cassandra", "database", "_db_", "-db", "db_", "mssql"];
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

fn is_database_port(port: &str) -> bool {
    matches!(port, "3306" | "5432" | "27017" | "6379" | "1433" | "1521" | "9042" | "26257")
}

fn speaks_of_failure(line: &str) -> bool {
    const WORDS: [&str; 8] = ["error", "fail", "refused", "unable", "unreachable", "resolve", "exception", "timed out"];
    let line = line.to_lowercase();
    WORDS.iter().any(|word| line.contains(word))
}

/// The line names `host` as a whole word.
pub(super) fn mentions(line: &str, host: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    line.match_indices(host).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + host.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::cluster;

    fn found(env: &Json, services: &[(&str, u16)]) -> Vec<String> {
        let mut objects: Vec<Json> = services
            .iter()
            .map(|(name, port)| {
                json!({"kind": "Service", "metadata": {"name": name, "namespace": "shop"},
                       "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": port}]}})
            })
            .collect();
        objects.push(json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"},
                            "spec": {"containers": [{"name": "c", "env": env}]}}));
        let mut out = Vec::new();
        wrong_addresses(&cluster(&objects), &mut out);
        out.iter().map(|f| format!("{} {} → {}", f.cause, f.facts["address"], f.facts["near"])).collect()
    }

    fn variable(name: &str, value: &str) -> Json {
        json!([{"name": name, "value": value}])
    }

    #[test]
    fn a_near_miss_with_the_same_port_is_a_slip() {
        let services = [("catalog", 3550), ("redis", 6379)];
        let wrong = found(&variable("CATALOG_ADDR", "catalog-old:3550"), &services);
        assert_eq!(wrong, [r#"env-address-wrong "catalog-old:3550" → "catalog""#]);
        for value in [
            "catalog:3550",
            "catalog.shop:3550",
            "catalog.shop.svc.cluster.local:3550",
            "db.example.com:5432",
            "10.1.2.3:80",
            "localhost:8080",
        ] {
            assert_eq!(found(&variable("CATALOG_ADDR", value), &services), Vec::<String>::new(), "{value}");
        }
    }

    #[test]
    fn a_stranger_that_nobody_complains_of_is_left_alone() {
        assert_eq!(found(&variable("COLLECTOR_ADDR", "otel-collector:4317"), &[("catalog", 3550)]), Vec::<String>::new());
        // Another port than the near service's: perhaps another thing.
        assert_eq!(found(&variable("IMAGE", "catalog-old:7"), &[("catalog", 3550)]), Vec::<String>::new());
    }

    #[test]
    fn hosts_are_found_as_whole_words() {
        assert!(mentions("lookup memcom on 10.0.0.10:53: no such host", "memcom"));
        assert!(!mentions("lookup memcom-2 on 10.0.0.10:53", "memcom"));
    }
}
