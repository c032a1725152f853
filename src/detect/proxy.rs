//! An HTTP proxy that gets what should stay in the cluster.

use super::complaint::Complaint;
use super::template::Template;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Value;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "proxy", run: proxy }];

/// Exemptions that cover Services by name.
const OF_THE_CLUSTER: [&str; 4] = [".svc", ".cluster.local", ".svc.cluster.local", "*"];

fn proxy(cluster: &Cluster, out: &mut Vec<Finding>) {
    for complaint in Complaint::all(cluster, "proxy-refused").into_iter().filter(|c| c.hurts() || c.goes_on()) {
        if !complaint.pod.at("spec.containers").exists() {
            out.extend(by_its_words(&complaint));
            continue;
        }
        let Some(template) = Template::of(cluster, complaint.pod) else { continue };
        let containers = cluster.containers(complaint.pod);
        let Some(container) = containers.iter().find(|c| c.name == complaint.container()) else { continue };
        let spec = template.container(container).unwrap_or(container.spec);
        let Some((name, set)) = variable(spec, &["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"]) else { continue };
        let exempt = variable(spec, &["NO_PROXY"]).map_or("", |(_, v)| v.text());
        if exempt.split(',').map(str::trim).any(|e| OF_THE_CLUSTER.contains(&e)) {
            continue;
        }
        let strength = if complaint.hurts() { Strength::Statement } else { Strength::Hint };
        let finding = complaint.about_the_caller("http-proxy-misconfigured", strength, "the proxy answers, not the service");
        let says = "calls go to this proxy, and nothing of the cluster is exempt";
        out.push(
            finding
                .evidence(Evidence::value(template.holder, set, name, strength, says))
                .fact("proxy", name)
                .fact("missing", ".svc and .cluster.local"),
        );
    }
}

/// A pod of which no spec is known: a name of the cluster that went to a proxy tells enough.
fn by_its_words(complaint: &Complaint<'_>) -> Option<Finding> {
    let inside = [".svc", ".cluster.local", "kubernetes.default"].iter().any(|name| complaint.line().contains(name));
    let says = "the proxy answers for a name that only the cluster knows";
    let finding = || complaint.about_the_caller("http-proxy-misconfigured", Strength::Statement, says);
    inside.then(|| finding().fact("proxy", "an HTTP proxy").fact("missing", ".svc and .cluster.local"))
}

/// The first of these variables that is set, in either spelling.
fn variable<'a>(container: Value<'a>, names: &[&'static str]) -> Option<(&'static str, Value<'a>)> {
    names.iter().find_map(|name| {
        let env = container.get("env").items().find(|e| e.get("name").text().eq_ignore_ascii_case(name))?;
        Some((*name, env.get("value"))).filter(|(_, v)| !v.text().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};

    fn causes(exempt: &str) -> usize {
        let env = json!([{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}, {"name": "no_proxy", "value": exempt}]);
        let pod = json!({"kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"}, "spec": {"containers": [{"name": "web", "env": env}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        let text = "Get \"https://cart.shop.svc/\": proxyconnect tcp: dial tcp 10.9.9.9:3128: i/o timeout";
        let mut out = Vec::new();
        proxy(
            &cluster_that_says(&[pod], Vec::new(), &[Said { pod: "web-0", container: "web", previous: false, text }]),
            &mut out,
        );
        out.len()
    }

    #[test]
    fn only_a_proxy_without_exemption_is_to_blame() {
        assert_eq!(causes("localhost"), 1);
        assert_eq!(causes("localhost,.svc"), 0);
    }
}
