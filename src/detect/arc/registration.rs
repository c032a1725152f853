//! Why a scale set or a runner cannot be registered at GitHub.

use super::{REGISTERED, controller, scale_sets, subject};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence};
use crate::decode::{Hit, Log, Ref, Resource, Value};
use crate::detect::{Evidence, Finding};

/// What GitHub or its client says, and the cause that is. More telling ones first.
const SAID: &[(&str, &str)] = &[
    ("arc-private-key-unreadable", "arc-github-app-private-key-malformed"),
    ("arc-permission-refused", "arc-github-app-permission-missing"),
    ("arc-credentials-refused", "arc-github-credentials-rejected"),
    ("arc-runner-group-unknown", "arc-runner-group-not-found"),
    ("arc-actions-service-404", "arc-ghes-version-unsupported"),
];

pub(super) fn registration(cluster: &Cluster, out: &mut Vec<Finding>) {
    for set in scale_sets(cluster).filter(|s| s.annotation(REGISTERED).is_none() && s.at("metadata.uid").exists()) {
        if let Some(finding) = account_mismatch(cluster, set).or_else(|| secret_missing(cluster, set)) {
            out.push(finding);
        }
    }
    for (signal, cause) in SAID {
        for (log, hit) in cluster.hits(signal) {
            let Some(subject) = subject(cluster, log, hit) else { continue };
            if is_pending(cluster, &subject) && !(*signal == "arc-actions-service-404" && is_on_github_com(cluster, &subject)) {
                out.push(refused(cluster, cause, &subject, log, hit, signal));
            }
        }
    }
}

/// Registered objects got over what the log says of before.
fn is_pending(cluster: &Cluster, subject: &Ref) -> bool {
    match cluster.get(subject) {
        Some(set) if set.kind() == "AutoscalingRunnerSet" => set.annotation(REGISTERED).is_none(),
        Some(runner) if runner.kind() == "Runner" => !runner.at("status.registration.token").exists(),
        _ => true,
    }
}

/// GitHub's own service always knows scale sets; a server of one's own may be too old.
fn is_on_github_com(cluster: &Cluster, subject: &Ref) -> bool {
    let url = cluster.get(subject).map_or("", |set| set.at("spec.githubConfigUrl").text());
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("");
    host == "github.com" || host == "www.github.com" || host.ends_with(".ghe.com")
}

fn refused(cluster: &Cluster, cause: &str, subject: &Ref, log: &Log, hit: &Hit, signal: &str) -> Finding {
    let secret = credentials(cluster, subject);
    let culprit = secret.map_or_else(|| subject.clone(), |s| s.reference.clone());
    let evidence = Evidence::hit(log, hit, Strength::Statement, "GitHub's answer, in the controller's log");
    let mut finding = Finding::new(cause, culprit, evidence)
        .fact("set", subject.to_string())
        .fact("secret", secret.map_or("", Resource::name))
        .fact("url", cluster.get(subject).map_or("", |s| s.at("spec.githubConfigUrl").text()));
    let group = cluster.captures(signal, &hit.line.text).and_then(|c| c.name("group").map(|g| g.as_str().to_owned()));
    if let Some(group) = group {
        finding = finding.fact("group", group);
    }
    finding.affects([subject.clone()])
}

/// The Secret with the credentials a set uses; of legacy runners, the one the controller reads.
fn credentials<'a>(cluster: &'a Cluster, subject: &Ref) -> Option<&'a Resource> {
    match cluster.get(subject) {
        Some(set) if set.at("spec.githubConfigSecret").exists() => {
            cluster.find("Secret", set.namespace(), set.at("spec.githubConfigSecret").text())
        }
        _ => {
            let legacy = |d: &&Resource| {
                d.pod_spec().is_some_and(|(_, s)| {
                    s.get("containers").items().any(|c| c.get("image").text().contains("actions-runner-controller"))
                })
            };
            let deployment = cluster.kind("Deployment").find(legacy)?;
            cluster.find("Secret", deployment.namespace(), "controller-manager")
        }
    }
}

/// The set's GitHub secret is not in the set's own namespace.
fn secret_missing(cluster: &Cluster, set: &Resource) -> Option<Finding> {
    let value = set.at("spec.githubConfigSecret");
    let name = value.as_str()?;
    let wanted = Ref::new("Secret", set.namespace(), name);
    let said = cluster
        .hits("arc-secret-unreadable")
        .filter(|(log, hit)| subject(cluster, log, hit).as_ref() == Some(&set.reference))
        .last();
    let says_missing = said.is_some_and(|(_, hit)| hit.line.text.contains("not found"));
    let presence = cluster.presence(&wanted);
    if presence == Presence::Present || presence == Presence::Unknown && said.is_none() {
        return None;
    }
    let strength = if presence == Presence::Absent || says_missing { Strength::Proof } else { Strength::Statement };
    let evidence =
        Evidence::value(set, value, "githubConfigSecret", strength, "the secret it names is looked up in its own namespace only");
    let elsewhere: Vec<&str> = cluster.kind("Secret").filter(|s| s.name() == name).filter_map(Resource::namespace).collect();
    let mut finding = Finding::new("arc-github-config-secret-missing", set.reference.clone(), evidence)
        .fact("secret", name)
        .fact("elsewhere", elsewhere.join(", "));
    if let Some((log, hit)) = said {
        finding = finding.evidence(Evidence::hit(log, hit, Strength::Statement, "the controller cannot read it"));
    }
    Some(finding)
}

/// The RoleBinding that gives the controller its rights in the runner namespace names another service account.
fn account_mismatch(cluster: &Cluster, set: &Resource) -> Option<Finding> {
    let controller = controller(cluster)?;
    let (_, spec) = controller.pod_spec()?;
    let account = spec.get("serviceAccountName").text();
    let binding = cluster.kind("RoleBinding").find(|b| {
        let manager = b.label("app.kubernetes.io/component") == Some("manager-role-binding")
            || b.name().ends_with("-manager")
            || b.name().ends_with("-manager-role-binding");
        let of_set = b.label("actions.github.com/scale-set-name").is_none_or(|n| n == set.name());
        b.namespace() == set.namespace() && manager && of_set
    })?;
    let is_controller =
        |s: &Value<'_>| s.get("name").text() == account && s.get("namespace").text() == controller.namespace().unwrap_or("");
    let subjects = binding.at("subjects");
    if account.is_empty() || subjects.is_empty() || subjects.items().any(|s| is_controller(&s)) {
        return None;
    }
    let named = subjects.item(0);
    let says = "the subject that gets the rights; the controller runs as another account";
    let evidence = Evidence::value(binding, named.get("name"), "subjects.name", Strength::Proof, says);
    let mut finding = Finding::new("arc-controller-service-account-mismatch", binding.reference.clone(), evidence)
        .evidence(Evidence::value(
            controller,
            spec.get("serviceAccountName"),
            "serviceAccountName",
            Strength::Proof,
            "the account the controller runs as",
        ))
        .fact("named", named.get("name").text())
        .fact("named_ns", named.get("namespace").text())
        .fact("account", account)
        .fact("account_ns", controller.namespace().unwrap_or(""))
        .fact("set", set.name())
        .affects([set.reference.clone()]);
    for (log, hit) in
        cluster.hits("arc-secret-unreadable").filter(|(l, h)| subject(cluster, l, h).as_ref() == Some(&set.reference)).take(1)
    {
        finding =
            finding.evidence(Evidence::hit(log, hit, Strength::Statement, "so the controller cannot read the set's secret"));
    }
    Some(finding)
}
