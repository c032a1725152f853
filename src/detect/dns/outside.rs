//! Names outside the cluster: one that does not exist, a resolver that does not answer for it, a wildcard that answers in
//! its place.

use std::collections::BTreeSet;

use super::UNRESOLVED;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};
use crate::detect::complaint::Complaint;
use crate::detect::dependency::named;
use crate::detect::{Evidence, Finding};

/// The DNS server answers a process that there is no such name, and it is none of the cluster's.
pub(super) fn unknown_host(cluster: &Cluster, out: &mut Vec<Finding>) {
    for complaint in Complaint::all(cluster, "no-such-host").into_iter().filter(|c| c.hurts() || c.goes_on()) {
        let Some(host) = named(complaint.hit).map(|a| a.host).filter(|host| is_outside(cluster, host, complaint.pod)) else {
            continue;
        };
        let strength = if complaint.hurts() { Strength::Statement } else { Strength::Hint };
        let mut finding = complaint
            .about_the_caller("external-host-unresolvable", strength, "the client cannot resolve it")
            .fact("host", host.as_str());
        let settings = cluster.settings(complaint.holder());
        if let Some(setting) = settings.iter().find(|s| s.holder.kind() != "Secret" && s.text.contains(&host)) {
            let says = "where the name is set";
            finding = finding.evidence(Evidence::value(setting.holder, setting.value, &setting.name, Strength::Hint, says));
        }
        out.push(finding);
    }
}

/// A full name that neither means a Service nor ends in a domain of the cluster.
fn is_outside(cluster: &Cluster, host: &str, from: &Resource) -> bool {
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let is_address = labels.iter().all(|l| l.bytes().all(|b| b.is_ascii_digit()));
    let of_the_cluster = labels.contains(&"svc") || host.trim_end_matches('.').ends_with("cluster.local");
    // `cart.shop`: a Service in a namespace.
    let in_a_namespace = || labels.len() == 2 && cluster.resources().any(|r| r.namespace() == Some(labels[1]));
    let is_full = labels.len() >= 2 && labels.iter().all(|l| !l.is_empty());
    is_full && !is_address && !of_the_cluster && !in_a_namespace() && cluster.service_called(host, from.namespace()).is_none()
}

/// The cluster's DNS forwards queries to a resolver that does not answer, and somebody waits for it. A few such lines of
/// which nobody complains are noise.
pub(super) fn upstream(cluster: &Cluster, out: &mut Vec<Finding>) {
    const SIGNAL: &str = "dns-upstream-silent";
    let servers = cluster.hits(SIGNAL).filter_map(|(log, hit)| Some((cluster.pod_of(log)?, log, hit)));
    let suffering: BTreeSet<Ref> = UNRESOLVED
        .iter()
        .flat_map(|signal| Complaint::all(cluster, signal))
        .filter(|c| c.pod.label("k8s-app") != Some("kube-dns") && (c.hurts() || c.goes_on()))
        .map(|c| c.pod.reference.clone())
        .collect();
    if suffering.is_empty() {
        return;
    }
    for (pod, log, hit) in servers {
        let taken = |name: &str| {
            let captures = cluster.captures(SIGNAL, &hit.line.text);
            captures.and_then(|c| c.name(name).map(|m| m.as_str().to_owned())).unwrap_or_default()
        };
        if taken("host").trim_end_matches('.').ends_with("cluster.local") {
            continue;
        }
        let evidence = Evidence::hit(log, hit, Strength::Statement, "a query that is forwarded gets no answer");
        out.push(
            Finding::new("coredns-upstream-failing", cluster.top_owner_ref(pod), evidence)
                .fact("upstream", taken("upstream"))
                .fact("host", taken("host"))
                .affects(suffering.iter().cloned()),
        );
    }
}

/// A certificate of a wildcard domain that has nothing to do with the name that was asked for: a search domain answered.
pub(super) fn wildcard(cluster: &Cluster, out: &mut Vec<Finding>) {
    for complaint in Complaint::all(cluster, "certificate-name") {
        let line = &complaint.hit.line.text;
        let Some(captures) = cluster.captures("certificate-name", line) else { continue };
        let (Some(names), Some(wanted)) = (captures.name("names"), captures.name("wanted")) else { continue };
        let wanted = wanted.as_str().trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let domains = names.as_str().split(", ").filter_map(|name| name.strip_prefix("*."));
        let mut strange = domains.filter(|d| d.contains('.') && registered(d) != registered(wanted));
        let Some(domain) = strange.next().filter(|_| is_outside(cluster, wanted, complaint.pod)) else { continue };
        let search = searched(cluster, domain);
        let strength = if search.is_some() { Strength::Proof } else { Strength::Statement };
        let finding = complaint
            .about_the_caller("dns-search-domain-wildcard", strength, "the certificate is that of a wildcard domain")
            .fact("domain", domain)
            .fact("host", wanted);
        out.push(match search {
            Some(search) => finding.evidence(search),
            None => finding,
        });
    }
}

/// The last two labels of a name.
fn registered(name: &str) -> &str {
    name.rmatch_indices('.').nth(1).map_or(name, |(dot, _)| &name[dot + 1..])
}

/// The line of a resolv.conf that makes pods try `domain`.
fn searched(cluster: &Cluster, domain: &str) -> Option<Evidence> {
    let (log, hit) = cluster.hits("resolv-conf-search").find(|(_, hit)| hit.line.text.split_whitespace().any(|w| w == domain))?;
    Some(Evidence::hit(log, hit, Strength::Proof, "pods try this domain before the name itself"))
}
