//! What a subject may do, from the roles bound to it (kubernetes `plugin/pkg/auth/authorizer/rbac`).

use serde_json::json;

use super::role_of;
use crate::cluster::Cluster;
use crate::decode::{Resource, Value};

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) user: String,
    pub(super) verb: String,
    pub(super) resource: String,
    pub(super) group: String,
    /// `None` at the scope of the cluster.
    namespace: Option<String>,
}

impl Request {
    pub(super) fn of(cluster: &Cluster, signal: &str, text: &str) -> Option<Self> {
        // JSON logs escape the quotes.
        let plain = text.replace("\\\"", "\"");
        let captures = cluster.captures(signal, &plain)?;
        let take = |name: &str| captures.name(name).map(|m| m.as_str().to_owned());
        Some(Self {
            user: take("user")?,
            verb: take("verb")?,
            resource: take("resource")?,
            group: take("group").unwrap_or_default(),
            namespace: take("namespace"),
        })
    }

    /// Namespace and name, when a ServiceAccount asks.
    pub(super) fn account(&self) -> Option<(&str, &str)> {
        self.user.strip_prefix("system:serviceaccount:")?.split_once(':')
    }

    pub(super) fn scope(&self) -> String {
        self.namespace.as_ref().map_or_else(|| "in the whole cluster".to_owned(), |ns| format!("in namespace {ns}"))
    }
}

/// Roles that reach a subject, and bindings that were meant to.
pub(super) struct Grants<'a> {
    roles: Vec<&'a Resource>,
    /// Bindings to a role or subject that is not there, with what is missing.
    pub(super) dangling: Vec<(&'a Resource, String)>,
    /// The bundle holds bindings at all.
    pub(super) collected: bool,
}

impl<'a> Grants<'a> {
    pub(super) fn of(cluster: &'a Cluster, request: &Request) -> Self {
        let namespaced = cluster.kind_in("RoleBinding", request.namespace.as_deref());
        let bindings = || namespaced.clone().chain(cluster.kind("ClusterRoleBinding"));
        let mut grants = Self { roles: Vec::new(), dangling: Vec::new(), collected: bindings().next().is_some() };
        let roles_collected = |kind: &str| cluster.kind(kind).next().is_some();
        for binding in bindings() {
            if names(binding, request) {
                match role_of(cluster, binding) {
                    Some(role) => grants.roles.push(role),
                    None if roles_collected(binding.at("roleRef.kind").text()) => {
                        let missing = format!("{} {}", binding.at("roleRef.kind").text(), binding.at("roleRef.name").text());
                        grants.dangling.push((binding, missing));
                    }
                    None => {}
                }
            } else if let Some(stranger) = stranger(cluster, binding, request) {
                grants.dangling.push((binding, stranger));
            }
        }
        grants
    }

    pub(super) fn allow(&self, request: &Request) -> bool {
        self.roles.iter().flat_map(|r| r.at("rules").items()).any(|rule| allows(rule, request))
    }

    /// The role that comes nearest to granting it.
    pub(super) fn nearest(&self, request: &Request) -> Option<&'a Resource> {
        let speaks = |r: &&&Resource| r.at("rules").items().any(|rule| about(rule, request));
        self.roles.iter().find(speaks).or_else(|| self.roles.first()).copied()
    }
}

/// The binding names the subject, or a group it is in.
fn names(binding: &Resource, request: &Request) -> bool {
    binding.at("subjects").items().any(|s| {
        let (kind, name, namespace) = (s.get("kind").text(), s.get("name").text(), s.get("namespace").text());
        match (kind, request.account()) {
            ("ServiceAccount", Some((ns, account))) => {
                let own = if namespace.is_empty() { binding.namespace().unwrap_or("") } else { namespace };
                name == account && own == ns
            }
            ("User", _) => name == request.user,
            ("Group", Some((ns, _))) => {
                matches!(name, "system:serviceaccounts" | "system:authenticated")
                    || name.strip_prefix("system:serviceaccounts:") == Some(ns)
            }
            ("Group", None) => name == "system:authenticated",
            _ => false,
        }
    })
}

/// The binding names an account of the same name in a namespace where there is none.
fn stranger(cluster: &Cluster, binding: &Resource, request: &Request) -> Option<String> {
    let (ns, account) = request.account()?;
    if account == "default" || cluster.kind("ServiceAccount").next().is_none() {
        return None;
    }
    let role = role_of(cluster, binding)?;
    let would_help = role.at("rules").items().any(|rule| allows(rule, request));
    let meant = binding.at("subjects").items().find(|s| {
        let theirs = s.get("namespace").text();
        s.get("kind").text() == "ServiceAccount" && s.get("name").text() == account && theirs != ns && !theirs.is_empty()
    })?;
    let theirs = meant.get("namespace").text();
    let absent = cluster.find("ServiceAccount", Some(theirs), account).is_none();
    (would_help && absent).then(|| format!("ServiceAccount {theirs}/{account}"))
}

fn has(list: Value<'_>, wanted: &str) -> bool {
    list.items().any(|i| i.text() == "*" || i.text() == wanted)
}

/// The rule is about this resource, whatever it lets one do with it.
fn about(rule: Value<'_>, request: &Request) -> bool {
    let any_of_it = request
        .resource
        .split_once('/')
        .is_some_and(|(_, sub)| rule.get("resources").items().any(|r| r.text() == format!("*/{sub}")));
    has(rule.get("apiGroups"), &request.group) && (has(rule.get("resources"), &request.resource) || any_of_it)
}

/// A rule for single objects grants no list; whether it holds the object asked for is not told.
fn allows(rule: Value<'_>, request: &Request) -> bool {
    let for_all = rule.get("resourceNames").is_empty();
    about(rule, request) && has(rule.get("verbs"), &request.verb) && for_all
}

/// `pods: get; services: get, list`
pub(super) fn summary(role: &Resource) -> String {
    let joined = |list: Value<'_>| list.items().map(Value::text).collect::<Vec<_>>().join(", ");
    let rules: Vec<String> =
        role.at("rules").items().take(6).map(|r| format!("{}: {}", joined(r.get("resources")), joined(r.get("verbs")))).collect();
    format!("rules: {}", rules.join("; "))
}

/// The change of the role that grants it: one more verb where a rule speaks of exactly this resource, else one more rule.
pub(super) fn patch(role: &Resource, request: &Request) -> String {
    let single = |r: Value<'_>| r.get("resources").len() == 1 && r.get("apiGroups").len() == 1;
    let at = role.at("rules").items().position(|r| about(r, request) && single(r) && r.get("resourceNames").is_empty());
    let operation = match at {
        Some(i) => json!({"op": "add", "path": format!("/rules/{i}/verbs/-"), "value": request.verb}),
        None => json!({"op": "add", "path": "/rules/-",
                       "value": {"apiGroups": [request.group], "resources": [request.resource], "verbs": [request.verb]}}),
    };
    json!([operation]).to_string()
}
