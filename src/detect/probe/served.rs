//! Ports a container really serves, as far as its log and its other probes tell.

use std::collections::BTreeMap;

use super::action::{Kind, Probe};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Container};
use crate::decode::{Hit, Log};
use crate::detect::Evidence;

/// Where a container listens.
#[derive(Debug, Default)]
pub(super) struct Served<'a> {
    /// Port → the line that says so.
    pub(super) told: BTreeMap<u16, (&'a Log, &'a Hit)>,
    /// Ports the containers of the pod declare; they need not be true.
    pub(super) declared: Vec<u16>,
    /// The probe that is answered, when the kubelet counts the container as ready or started.
    pub(super) answered: Option<Probe<'a>>,
}

impl<'a> Served<'a> {
    /// All that is known of `container`, beside what its probe of kind `asking` finds.
    pub(super) fn of(cluster: &'a Cluster, container: &Container<'a>, asking: Kind) -> Self {
        let mut told = BTreeMap::new();
        if let Some(patterns) = cluster.patterns() {
            let signals: Vec<u32> = ["listening-on", "listening-address"].iter().filter_map(|s| patterns.index(s)).collect();
            for log in cluster.logs_of_container(container) {
                for hit in log.hits.iter().filter(|h| signals.contains(&h.pattern)) {
                    if let Some(port) = listening_port(cluster, patterns.name(hit.pattern), &hit.line.text) {
                        told.entry(port).or_insert((log, hit));
                    }
                }
            }
        }
        let containers = cluster.containers(container.pod);
        let ports = containers.iter().flat_map(|c| c.spec.get("ports").items());
        let declared = ports.filter_map(|p| p.get("containerPort").text().parse().ok()).collect();
        // Ready says that the readiness probe was answered, whatever becomes of the others.
        let answered = Some(Kind::Readiness)
            .filter(|kind| *kind != asking && container.is_ready())
            .and_then(|kind| Probe::of(container, kind))
            .filter(|p| p.port.is_some());
        Self { told, declared, answered }
    }

    /// Something says that the container listens there.
    pub(super) fn has(&self, port: u16) -> bool {
        self.told.contains_key(&port) || self.answered.is_some_and(|p| p.port == Some(port))
    }

    /// The port that is meant instead of `wrong`, when only one comes into question.
    pub(super) fn instead_of(&self, wrong: Option<u16>) -> Option<u16> {
        let others = |ports: &mut dyn Iterator<Item = u16>| {
            let mut ports: Vec<u16> = ports.filter(|p| Some(*p) != wrong).collect();
            ports.sort_unstable();
            ports.dedup();
            (ports.len() == 1).then(|| ports[0])
        };
        let answered = self.answered.and_then(|p| p.port).filter(|p| Some(*p) != wrong);
        let both = || others(&mut self.told.keys().copied().filter(|p| self.declared.contains(p)));
        let told = || others(&mut self.told.keys().copied());
        let declared = || others(&mut self.declared.iter().copied());
        answered.or_else(both).or_else(told).or_else(declared)
    }

    /// What says that the container listens on `port`.
    pub(super) fn evidence(&self, container: &Container<'_>, port: u16) -> Option<Evidence> {
        if let Some((log, hit)) = self.told.get(&port) {
            return Some(Evidence::hit(log, hit, Strength::Proof, format!("the container listens on port {port}")));
        }
        let answered = self.answered.filter(|p| p.port == Some(port))?;
        let says = format!("its {} probe asks port {port} and is answered", answered.kind.word().to_ascii_lowercase());
        Some(Evidence::value(container.pod, answered.value, answered.kind.field(), Strength::Proof, says))
    }
}

/// The port a line says that its process listens on.
fn listening_port(cluster: &Cluster, signal: &str, line: &str) -> Option<u16> {
    let captures = cluster.captures(signal, line)?;
    let port = captures.name("port")?;
    // `at 2026-03-01` is no port, nor is `on 10.0.0.1`.
    let after = line[port.end()..].chars().next();
    let is_date_or_address = matches!(after, Some('-' | '.')) && line[port.end() + 1..].starts_with(|c: char| c.is_ascii_digit());
    let denied =
        ["refused", "failed", "unable", "cannot", "error", "timed out"].iter().any(|w| line.to_ascii_lowercase().contains(w));
    port.as_str().parse().ok().filter(|p| *p >= 20 && !is_date_or_address && !denied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::cluster_that_says;

    #[test]
    fn many_programs_tell_where_they_listen() {
        let cluster = cluster_that_says(&[], Vec::new(), &[]);
        let port = |line: &str| ["listening-on", "listening-address"].iter().find_map(|s| listening_port(&cluster, s, line));
        let table = [
            ("Server listening on port 8080", Some(8080)),
            ("Listening on 0.0.0.0:8080", Some(8080)),
            ("listening at http://[::]:8080", Some(8080)),
            ("[1] [INFO] Listening at: http://0.0.0.0:8000 (1)", Some(8000)),
            ("INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)", Some(8000)),
            (" * Running on http://127.0.0.1:5000", Some(5000)),
            ("Tomcat started on port(s): 8080 (http) with context path ''", Some(8080)),
            ("Netty started on port 8081", Some(8081)),
            ("Starting ProtocolHandler [\"http-nio-8080\"]", Some(8080)),
            ("Started ServerConnector@4b85612c{HTTP/1.1, (http/1.1)}{0.0.0.0:8080}", Some(8080)),
            ("      Now listening on: http://[::]:80", Some(80)),
            ("msg=\"Start listening for connections\" address=0.0.0.0:9090", Some(9090)),
            ("listening on IPv4 address \"0.0.0.0\", port 5432", Some(5432)),
            ("mysqld: ready for connections. Version: '8.0.32'  socket: '/run/mysqld.sock'  port: 3306", Some(3306)),
            ("{\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017,\"ssl\":\"off\"}}", Some(27017)),
            ("1:M * Running mode=standalone, port=6379.", Some(6379)),
            ("started TCP listener on [::]:5672", Some(5672)),
            ("gRPC server listening on 50051", Some(50051)),
            ("{\"message\":\"starting to listen on tcp: '[::]:3550'\"}", Some(3550)),
            ("started server on 0.0.0.0:3000, url: http://localhost:3000", Some(3000)),
            ("Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...", Some(8000)),
            ("{\"level\":\"info\",\"msg\":\"Server started\",\"port\":8080}", Some(8080)),
            ("level=info msg=listening addr=:8080", Some(8080)),
            ("I0101 main.go:10] Starting server at :6060", Some(6060)),
            ("Started GET \"/\" for 10.0.0.1 at 2026-03-01 10:00:00", None),
            ("connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection refused", None),
            ("Started 3 workers", None),
        ];
        for (line, expected) in table {
            assert_eq!(port(line), expected, "{line}");
        }
    }
}
