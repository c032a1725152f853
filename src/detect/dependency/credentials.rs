//! Logins that a server refuses.

use super::peer::{Target, server_of, targets};
use super::server::Server;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::cluster::address::Setting;
use crate::decode::Resource;
use crate::detect::complaint::Complaint;
use crate::detect::{Evidence, Finding};

/// Signals, and the server each is of where its words leave it open.
const SIGNALS: [(&str, Option<Server>); 6] = [
    ("auth-failed-postgres", Some(Server::Postgres)),
    ("auth-failed-mysql", Some(Server::MySql)),
    ("auth-failed-mongo", Some(Server::Mongo)),
    ("auth-failed-redis", Some(Server::Redis)),
    ("auth-failed-broker", Some(Server::Broker)),
    ("auth-failed-other", None),
];

pub(super) fn rejected(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (signal, server) in SIGNALS {
        for complaint in Complaint::all(cluster, signal) {
            let server = server.or_else(|| Server::told_by(&complaint.hit.line.text));
            out.extend(of_a_caller(&complaint, signal, server));
        }
    }
}

/// A login refused, as the caller tells it. The server's own log tells the same of callers that may long be well.
fn of_a_caller(complaint: &Complaint<'_>, signal: &str, server: Option<Server>) -> Option<Finding> {
    if is_the_server(complaint, server) || !complaint.hurts() && !complaint.goes_on() {
        return None;
    }
    let cluster = complaint.cluster;
    let captures = cluster.captures(signal, &complaint.hit.line.text)?;
    let user = captures.iter().skip(1).flatten().next().map_or("", |m| m.as_str());
    let strength = if complaint.hurts() { Strength::Statement } else { Strength::Hint };
    let says = "the server was reached and refuses the login";
    let target = server.and_then(|s| target(cluster, complaint.holder(), s));
    let mut finding = complaint
        .about_the_caller("db-credentials-invalid", strength, says)
        .fact("server", server.map_or("the server", Server::name))
        .fact("user", if user.is_empty() { "of the caller" } else { user });
    if let Some(service) = target.as_ref().and_then(|t| t.service) {
        finding = finding.fact("peer", service.reference.to_string());
    }
    let settings = cluster.settings(complaint.holder());
    let password = settings
        .iter()
        .filter(|s| s.container == complaint.container() || complaint.container().is_empty())
        .find(|s| is_password(s, server));
    if let Some(password) = password {
        finding = with_password(finding, cluster, complaint, password, user);
    }
    Some(finding)
}

/// Where the server's own image logs it.
fn is_the_server(complaint: &Complaint<'_>, server: Option<Server>) -> bool {
    let name = complaint.container();
    let image =
        complaint.pod.at("spec.containers").items().find(|c| c.get("name").text() == name).map_or("", |c| c.get("image").text());
    let base = image.rsplit('/').next().unwrap_or(image);
    server.is_some() && Server::told_by(base) == server
}

/// The service of that kind the caller is told to call.
fn target<'a>(cluster: &'a Cluster, holder: &'a Resource, server: Server) -> Option<Target<'a>> {
    targets(cluster, holder).into_iter().find(|t| {
        let by_service = t.service.and_then(|s| server_of(cluster, s)) == Some(server);
        by_service || t.port == Some(server.port()) || Server::told_by(&t.setting) == Some(server)
    })
}

/// `MYSQL_PASSWORD`, `spring.datasource.password`; where the names tell servers, of this one.
fn is_password(setting: &Setting<'_>, server: Option<Server>) -> bool {
    let name = setting.name.to_ascii_lowercase();
    let secret = name.contains("password") || name.contains("passwd") || name.ends_with("_pass") || name.ends_with("_pwd");
    let of_another = Server::told_by(&name).is_some_and(|s| Some(s) != server);
    secret && !of_another && !name.contains("root")
}

/// Names where the password comes from, and whether others give the same user another one. The values stay unseen.
fn with_password(finding: Finding, cluster: &Cluster, complaint: &Complaint<'_>, password: &Setting<'_>, user: &str) -> Finding {
    let holder = password.holder;
    let source = format!("{} of {}", password.name, holder.reference);
    let mut finding = finding.fact("source", source).affects([holder.reference.clone()]);
    let key = key_stem(&password.name);
    let mut others = 0;
    let mut differing = 0;
    let secrets = cluster.kind_in("Secret", complaint.pod.namespace()).filter(|s| s.reference != holder.reference);
    for secret in secrets.filter(|s| mentions_user(s, user)) {
        let theirs = secret.at("data").fields().find(|(k, _)| key_stem(k) == key).map(|(_, v)| v.text());
        if let Some(theirs) = theirs {
            others += 1;
            differing += usize::from(theirs != password.value.text());
        }
    }
    let mut says = "where its password comes from".to_owned();
    if others >= 2 && differing == others {
        says = format!("{others} other Secrets give the same user another password");
        finding = finding.fact("hint", format!("{others} other Secrets of the namespace give the same user another password."));
    } else if password.text.ends_with('\n') {
        "the password ends in a line break".clone_into(&mut says);
        finding = finding.fact("hint", "The value ends in a line break, which counts as a part of the password.");
    }
    let mut evidence = Evidence::value(holder, password.value, &password.name, Strength::Hint, says);
    evidence.excerpt = format!("{}: (not shown)", password.name);
    finding.evidence(evidence)
}

/// `TRAIN_FOOD_MYSQL_PASSWORD` and `ORDER_MYSQL_PASSWORD` are of one sort.
fn key_stem(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['_', '-', '.']).collect();
    words[words.len().saturating_sub(2)..].join("_")
}

/// A Secret that holds this user's name.
fn mentions_user(secret: &Resource, user: &str) -> bool {
    !user.is_empty()
        && secret.at("data").fields().any(|(k, v)| k.to_ascii_lowercase().contains("user") && is_base64_of(v.text(), user))
}

/// `text` is the base64 of `plain`.
fn is_base64_of(text: &str, plain: &str) -> bool {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in plain.as_bytes().chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let six = (bits >> (18 - 6 * i) & 63) as usize;
            encoded.push(if i <= chunk.len() { char::from(ALPHABET[six]) } else { '=' });
        }
    }
    text.trim() == encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_compared_not_decoded() {
        assert!(is_base64_of("dHM=", "ts"));
        assert!(is_base64_of("YWRtaW4=", "admin"));
        assert!(!is_base64_of("YWRtaW4=", "root"));
        assert_eq!(key_stem("ORDER_MYSQL_PASSWORD"), "mysql_password");
    }
}
