//! Servers that answer and refuse: read-only, full, without the schema.

use std::collections::BTreeMap;

use super::peer::{Peer, backend, named, server_of, targets};
use super::server::Server;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};
use crate::detect::complaint::Complaint;
use crate::detect::symptom::was_an_incident;
use crate::detect::{Evidence, Finding};

pub(super) fn refusals(cluster: &Cluster, out: &mut Vec<Finding>) {
    of_the_server(cluster, "database-read-only", "db-read-only", out);
    of_the_server(cluster, "too-many-connections", "db-connections-exhausted", out);
    for complaint in Complaint::all(cluster, "pool-exhausted").iter().filter(|c| c.hurts() || c.count >= 3) {
        let is_more = complaint.hurts() || complaint.goes_on() || was_an_incident("pool-exhausted", complaint.count);
        let strength = if is_more { Strength::Statement } else { Strength::Hint };
        out.push(complaint.about_the_caller("connection-pool-exhausted", strength, "no connection of its pool is free"));
    }
    for complaint in Complaint::all(cluster, "schema-missing").iter().filter(|c| c.hurts() || c.goes_on()) {
        out.extend(without_schema(complaint));
    }
}

/// Complaints that blame the server: all callers of one server are one finding, at the workload behind it.
fn of_the_server(cluster: &Cluster, signal: &str, cause: &str, out: &mut Vec<Finding>) {
    let mut by_server: BTreeMap<Ref, Vec<(Complaint<'_>, Server)>> = BTreeMap::new();
    for complaint in Complaint::all(cluster, signal) {
        let Some(server) = kind(&complaint) else { continue };
        let blamed = blamed(&complaint, server).map_or_else(|| complaint.carrier(), |r| r.reference.clone());
        by_server.entry(blamed).or_default().push((complaint, server));
    }
    for (culprit, complaints) in by_server {
        let Some((first, server)) = complaints.first() else { continue };
        let callers = complaints.iter().filter(|(c, _)| c.carrier() != culprit).count();
        let lines: u32 = complaints.iter().map(|(c, _)| c.count).sum();
        let persistent = callers >= 2 || lines >= 2 || complaints.iter().any(|(c, _)| c.hurts());
        let strength = if persistent { Strength::Statement } else { Strength::Hint };
        let says = "the server answers and refuses";
        let mut finding = Finding::new(cause, culprit.clone(), first.evidence(strength, says))
            .fact("server", server.name())
            .fact("line", first.line())
            .fact("pod", first.pod.name())
            .fact("container", first.container())
            .fact("callers", callers)
            .fact("peer", culprit.to_string())
            .affects(complaints.iter().flat_map(|(c, _)| [c.carrier(), c.pod.reference.clone()]));
        for (complaint, _) in complaints.iter().skip(1).take(3) {
            finding = finding.evidence(complaint.evidence(strength, "so it tells another caller"));
        }
        if let Some((workload, field)) = cluster.get(&culprit).and_then(|w| Some((w, read_only_setting(w)?))) {
            let says = "a setting of the server itself makes it read-only";
            finding = finding.fact("setting", says).evidence(Evidence::value(workload, field, "args", Strength::Hint, says));
        }
        out.push(finding);
    }
}

fn read_only_setting(workload: &Resource) -> Option<crate::decode::Value<'_>> {
    let (_, spec) = workload.pod_spec()?;
    let words = spec.get("containers").items().flat_map(|c| c.get("args").items().chain(c.get("command").items()));
    words.into_iter().find(|w| w.text().contains("read-only") || w.text().contains("read_only"))
}

/// The kind of server: by the complaint's words, or those around it.
fn kind(complaint: &Complaint<'_>) -> Option<Server> {
    let around = complaint.hit.before.iter().chain(&complaint.hit.after).map(String::as_str);
    std::iter::once(complaint.hit.line.text.as_str())
        .chain(around)
        .find_map(Server::told_by)
        .or_else(|| targets(complaint.cluster, complaint.holder()).iter().find_map(|t| server_of(complaint.cluster, t.service?)))
}

/// The workload behind the server the caller means: the one that logs, when it is the server itself; the address in the
/// line; the address in the caller's settings; the only server of that kind around.
fn blamed<'a>(complaint: &Complaint<'a>, server: Server) -> Option<&'a Resource> {
    let cluster = complaint.cluster;
    let images = complaint.pod.at("spec.containers").items().map(|c| c.get("image").text().rsplit('/').next().unwrap_or(""));
    if images.into_iter().any(|base| Server::told_by(base) == Some(server)) {
        return Some(cluster.top_owner(complaint.pod));
    }
    let ns = complaint.pod.namespace();
    if let Some(address) = named(complaint.hit) {
        match Peer::of(cluster, &address.host, ns) {
            Peer::Service(service) => return backend(cluster, service).or(Some(service)),
            Peer::Pod(pod) => return Some(cluster.top_owner(pod)),
            Peer::Outside => {}
        }
    }
    let told = targets(cluster, complaint.holder());
    let of_kind = told.iter().filter_map(|t| t.service).find(|s| server_of(cluster, s) == Some(server));
    let around = || {
        let mut of_kind = cluster
            .kind("Service")
            .filter(|s| s.namespace() == ns && server_of(cluster, s) == Some(server))
            .filter_map(|s| backend(cluster, s));
        let first = of_kind.next()?;
        of_kind.all(|other| other.reference == first.reference).then_some(first)
    };
    of_kind.and_then(|s| backend(cluster, s).or(Some(s))).or_else(around)
}

fn without_schema(complaint: &Complaint<'_>) -> Option<Finding> {
    let captures = complaint.cluster.captures("schema-missing", &complaint.hit.line.text)?;
    let (kind, name) = [
        ("relation", "table"),
        ("database", "database"),
        ("table", "table"),
        ("schema", "database"),
        ("sqlite", "table"),
        ("mssql", "object"),
    ]
    .iter()
    .find_map(|(capture, kind)| Some((*kind, captures.name(capture)?.as_str())))
    .unwrap_or(("table", ""));
    let ns = complaint.pod.namespace();
    let migrates = |job: &&Resource| {
        job.namespace() == ns
            && !job.condition("Complete").get("status").is_true()
            && ["migrat", "init", "schema"].iter().any(|w| job.name().contains(w))
    };
    let job = complaint.cluster.kind("Job").find(migrates).map_or("", Resource::name);
    let strength = if complaint.hurts() { Strength::Statement } else { Strength::Hint };
    Some(
        complaint
            .about_the_caller("db-not-initialized", strength, "the server knows no such thing")
            .fact("what", format!("{kind} {name}").trim_end())
            .fact("job", job),
    )
}
