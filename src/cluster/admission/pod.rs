//! Rules over the pod as a whole: policies, volumes, tolerations, names.

use std::collections::BTreeSet;

use super::{Fault, Maker, Refusal, names};
use crate::decode::{Tag, Value};

pub(super) fn check(spec: Value<'_>, maker: Maker, out: &mut Vec<Refusal>) {
    if spec.get("containers").is_empty() {
        out.push(Refusal::new("spec.containers", Fault::Required, "", ""));
    }
    let one_of = |field: &str, allowed: &[&str], out: &mut Vec<Refusal>| {
        let value = spec.get(field);
        if value.exists() && !allowed.contains(&value.text()) {
            out.push(Refusal::unsupported(format!("spec.{field}"), value.text(), allowed));
        }
    };
    match maker {
        Maker::Service => one_of("restartPolicy", &["Always"], out),
        Maker::Job => one_of("restartPolicy", &["OnFailure", "Never"], out),
        Maker::Other => one_of("restartPolicy", &["Always", "OnFailure", "Never"], out),
    }
    one_of("dnsPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"], out);
    one_of("preemptionPolicy", &["Never", "PreemptLowerPriority"], out);
    if spec.get("dnsPolicy").text() == "None" && spec.path("dnsConfig.nameservers").is_empty() {
        let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        out.push(Refusal::new("spec.dnsConfig.nameservers", Fault::Required, "", detail));
    }
    for (field, least) in [("terminationGracePeriodSeconds", 0), ("activeDeadlineSeconds", 1)] {
        let value = spec.get(field);
        if value.as_i64().is_some_and(|n| n < least) {
            let detail = format!("must be greater than or equal to {least}");
            out.push(Refusal::new(format!("spec.{field}"), Fault::Invalid, value.text(), detail));
        }
    }
    for field in ["hostname", "subdomain"] {
        if spec.get(field).exists() && !spec.get(field).text().is_empty() {
            names::label(spec.get(field).text(), &format!("spec.{field}"), out);
        }
    }
    let account = spec.get("serviceAccountName").text();
    if !account.is_empty() && !names::is_subdomain(account) {
        out.push(Refusal::new("spec.serviceAccountName", Fault::Invalid, account, "a lowercase RFC 1123 subdomain is required"));
    }
    names::labels(spec.get("nodeSelector"), "spec.nodeSelector", out);
    volumes(spec, out);
    tolerations(spec, out);
}

fn volumes(spec: Value<'_>, out: &mut Vec<Refusal>) {
    let mut seen = BTreeSet::new();
    for (i, volume) in spec.get("volumes").items().enumerate() {
        let path = format!("spec.volumes[{i}]");
        let name = volume.get("name").text();
        names::label(name, &format!("{path}.name"), out);
        if !seen.insert(name) {
            out.push(Refusal::new(format!("{path}.name"), Fault::Duplicate, name, ""));
        }
        // `emptyDir:` without a value is null, and as good as absent.
        let sources: Vec<&str> =
            volume.fields().filter(|(k, v)| *k != "name" && !matches!(v.tag(), Some(Tag::Null))).map(|(k, _)| k).collect();
        match sources.as_slice() {
            [] => out.push(Refusal::new(path, Fault::Required, "", "must specify a volume type")),
            [_] => {}
            [_, second, ..] => out.push(Refusal::new(
                format!("{path}.{second}"),
                Fault::Forbidden,
                "",
                "may not specify more than 1 volume type",
            )),
        }
    }
}

fn tolerations(spec: Value<'_>, out: &mut Vec<Refusal>) {
    for (i, toleration) in spec.get("tolerations").items().enumerate() {
        let path = format!("spec.tolerations[{i}]");
        let get = |field: &str| toleration.get(field).text();
        let (operator, effect) = (get("operator"), get("effect"));
        if !matches!(operator, "" | "Equal" | "Exists" | "Lt" | "Gt") {
            out.push(Refusal::unsupported(format!("{path}.operator"), operator, &["Equal", "Exists"]));
        }
        if operator == "Exists" && !get("value").is_empty() {
            let detail = "value must be empty when `operator` is 'Exists'";
            out.push(Refusal::new(format!("{path}.operator"), Fault::Invalid, get("value"), detail));
        }
        if get("key").is_empty() && operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            out.push(Refusal::new(format!("{path}.operator"), Fault::Invalid, operator, detail));
        }
        if !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            out.push(Refusal::unsupported(format!("{path}.effect"), effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]));
        }
        if toleration.get("tolerationSeconds").exists() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            out.push(Refusal::new(format!("{path}.effect"), Fault::Invalid, effect, detail));
        }
    }
}
