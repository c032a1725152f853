//! What a ResourceQuota or a LimitRange of a namespace makes of a pod (kubernetes plugin/pkg/admission/resourcequota,
//! pkg/quota/v1/evaluator/core, plugin/pkg/admission/limitranger).

use std::collections::BTreeMap;

use super::resources::{self, Amounts, Bound};
use crate::cluster::Quantity;
use crate::decode::{Resource, Value};

/// A resource of which a quota has less left than is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The name in the quota: `limits.cpu`, `pods`, `requests.storage`.
    pub resource: String,
    /// What is asked for.
    pub requested: Quantity,
    /// What is used.
    pub used: Quantity,
    /// What may be used.
    pub hard: Quantity,
}

/// What one more pod with this spec counts, by the names quotas use.
pub fn of_pod(spec: Value<'_>) -> Amounts {
    let mut asked = Amounts::from([("pods".to_owned(), Quantity::whole(1)), ("count/pods".to_owned(), Quantity::whole(1))]);
    for (name, amount) in resources::of_pod(spec, Bound::Requests) {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            asked.insert(name.clone(), amount);
        }
        asked.insert(format!("requests.{name}"), amount);
    }
    for (name, amount) in resources::of_pod(spec, Bound::Limits) {
        asked.insert(format!("limits.{name}"), amount);
    }
    asked
}

/// What of `asked` the quota has no room for.
pub fn shortages(quota: &Resource, asked: &Amounts) -> Vec<Shortage> {
    let used = resources::amounts(quota.at("status.used"));
    let short = |(resource, hard): (String, Quantity)| {
        let requested = *asked.get(&resource)?;
        let used = used.get(&resource).copied().unwrap_or_default();
        (!requested.is_zero() && used + requested > hard).then_some(Shortage { resource, requested, used, hard })
    };
    hard(quota).into_iter().filter_map(short).collect()
}

/// What a quota allows in all. The spec says what is wanted now, the status what the controller last saw.
pub fn hard(quota: &Resource) -> Amounts {
    let wanted = resources::amounts(quota.at("spec.hard"));
    if wanted.is_empty() { resources::amounts(quota.at("status.hard")) } else { wanted }
}

/// Does the quota count pods with this spec? Scopes narrow it down.
pub fn covers(quota: &Resource, spec: Value<'_>) -> bool {
    let terminating = spec.get("activeDeadlineSeconds").exists();
    let best_effort = [Bound::Requests, Bound::Limits].iter().all(|bound| {
        let amounts = resources::of_pod(spec, *bound);
        ["cpu", "memory"].iter().all(|name| amounts.get(*name).is_none_or(|amount| amount.is_zero()))
    });
    let class = spec.get("priorityClassName");
    let scope = |name: &str| match name {
        "Terminating" => terminating,
        "NotTerminating" => !terminating,
        "BestEffort" => best_effort,
        "NotBestEffort" => !best_effort,
        "PriorityClass" => class.exists(),
        _ => false,
    };
    let expression = |e: Value<'_>| {
        let name = e.get("scopeName").text();
        let listed = || e.get("values").items().any(|v| v.text() == class.text());
        match e.get("operator").text() {
            "In" if name == "PriorityClass" => listed(),
            "NotIn" if name == "PriorityClass" => !listed(),
            "DoesNotExist" => !scope(name),
            _ => scope(name),
        }
    };
    quota.at("spec.scopes").items().all(|s| scope(s.text()))
        && quota.at("spec.scopeSelector.matchExpressions").items().all(expression)
}

/// Compute resources that the quota counts and containers do not state: containers by resource. Defaults of the
/// namespace's LimitRanges count as stated, and so does a limit for the request.
pub fn unstated<'a>(quota: &Resource, limit_ranges: &[&Resource], spec: Value<'a>) -> BTreeMap<String, Vec<&'a str>> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let containers = spec.get("containers").items().chain(spec.get("initContainers").items());
    for resource in hard(quota).into_keys() {
        let Some((bound, name)) = compute(&resource) else { continue };
        let has_default = limit_ranges.iter().any(|range| has_default(range, bound, name));
        for container in containers.clone().filter(|_| !has_default) {
            if !resources::of_container(container, bound).contains_key(name) {
                found.entry(resource.clone()).or_default().push(container.get("name").text());
            }
        }
    }
    found
}

/// Do all containers state this resource, by the name a quota gives it?
pub fn states(spec: Value<'_>, resource: &str) -> bool {
    let mut containers = spec.get("containers").items().chain(spec.get("initContainers").items());
    compute(resource).is_some_and(|(bound, name)| containers.all(|c| resources::of_container(c, bound).contains_key(name)))
}

/// `limits.cpu` → limits of cpu. Only cpu and memory must be stated.
fn compute(resource: &str) -> Option<(Bound, &str)> {
    let (bound, name) = match resource.split_once('.') {
        Some(("limits", name)) => (Bound::Limits, name),
        Some(("requests", name)) => (Bound::Requests, name),
        _ => (Bound::Requests, resource),
    };
    matches!(name, "cpu" | "memory").then_some((bound, name))
}

fn has_default(range: &Resource, bound: Bound, name: &str) -> bool {
    let mut limits = range.at("spec.limits").items().filter(|l| l.get("type").text() == "Container");
    limits.any(|limit| {
        // `max` stands in for `default`, `default` for `defaultRequest`.
        let fields: &[&str] =
            if bound == Bound::Limits { &["default", "max"] } else { &["defaultRequest", "default", "max", "min"] };
        fields.iter().any(|field| limit.get(field).get(name).exists())
    })
}

/// What a LimitRange forbids about a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// `max`, `min` or `maxLimitRequestRatio`.
    pub rule: &'static str,
    /// `Container` or `Pod`.
    pub per: &'static str,
    /// `cpu`, `memory`, `ephemeral-storage`.
    pub resource: String,
    /// What the rule says.
    pub bound: Quantity,
    /// What the pod states.
    pub stated: Quantity,
    /// The container; empty when the pod as a whole is meant.
    pub container: String,
    /// Path of the offending amount inside the pod spec.
    pub path: String,
}

/// Where a pod with this spec breaks the rules of a LimitRange. Amounts that are not stated get defaults and are not
/// judged, except that a maximum demands a limit, which its default gives.
pub fn excesses(range: &Resource, spec: Value<'_>) -> Vec<Excess> {
    let mut found = Vec::new();
    for limit in range.at("spec.limits").items() {
        match limit.get("type").text() {
            "Container" => {
                for list in ["containers", "initContainers"] {
                    for (i, container) in spec.get(list).items().enumerate() {
                        let at = format!("{list}[{i}].resources");
                        let of = |bound| resources::of_container(container, bound);
                        judge(limit, "Container", container.get("name").text(), &at, of, &mut found);
                    }
                }
            }
            "Pod" => judge(limit, "Pod", "", "containers", |bound| resources::of_pod(spec, bound), &mut found),
            _ => {}
        }
    }
    found
}

fn judge(limit: Value<'_>, per: &'static str, container: &str, at: &str, of: impl Fn(Bound) -> Amounts, out: &mut Vec<Excess>) {
    let (requests, limits) = (of(Bound::Requests), of(Bound::Limits));
    let mut add = |rule, resource: &str, bound, stated, field: &str| {
        let path = if per == "Pod" { at.to_owned() } else { format!("{at}.{field}[{resource}]") };
        let (resource, container) = (resource.to_owned(), container.to_owned());
        out.push(Excess { rule, per, resource, bound, stated, container, path });
    };
    for (resource, max) in resources::amounts(limit.get("max")) {
        if let Some(stated) = limits.get(&resource).filter(|stated| **stated > max) {
            add("max", &resource, max, *stated, "limits");
        } else if let Some(stated) = requests.get(&resource).filter(|stated| **stated > max) {
            add("max", &resource, max, *stated, "requests");
        }
    }
    for (resource, min) in resources::amounts(limit.get("min")) {
        if let Some(stated) = requests.get(&resource).filter(|stated| **stated < min) {
            add("min", &resource, min, *stated, "requests");
        }
    }
    for (resource, ratio) in resources::amounts(limit.get("maxLimitRequestRatio")) {
        if let (Some(request), Some(stated)) = (requests.get(&resource), limits.get(&resource))
            && stated.as_f64() > request.as_f64() * ratio.as_f64()
        {
            add("maxLimitRequestRatio", &resource, ratio, *stated, "limits");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::resource;
    use crate::decode::Origin;

    fn object(kind: &str, spec: &Json, status: &Json) -> Resource {
        let object = json!({"kind": kind, "metadata": {"name": "q", "namespace": "shop"}, "spec": spec, "status": status});
        resource(&object, Origin::Live, 1)
    }

    fn pod(resources: &Json) -> Resource {
        object("Pod", &json!({"containers": [{"name": "c", "resources": resources}]}), &json!({}))
    }

    fn short(hard: &Json, used: &Json, pod: &Resource) -> String {
        let quota = object("ResourceQuota", &json!({"hard": hard}), &json!({"used": used}));
        let found = shortages(&quota, &of_pod(pod.at("spec")));
        found.iter().map(|s| format!("{} {}+{}>{}", s.resource, s.used, s.requested, s.hard)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn arithmetic_is_by_resource() {
        let small = pod(&json!({"requests": {"cpu": "10m"}, "limits": {"cpu": "100m", "memory": "1Gi"}}));
        let table = [
            (json!({"requests.cpu": "20m"}), json!({"requests.cpu": "20m"}), "requests.cpu 20m+10m>20m"),
            (json!({"cpu": "30m"}), json!({"cpu": "20m"}), ""),
            (json!({"requests.memory": "1Gi"}), json!({"requests.memory": "1Mi"}), "requests.memory 1Mi+1Gi>1Gi"),
            (json!({"pods": "3"}), json!({"pods": "3"}), "pods 3+1>3"),
            (json!({"services": "3"}), json!({"services": "3"}), ""),
        ];
        for (hard, used, wanted) in table {
            assert_eq!(short(&hard, &used, &small), wanted, "{hard} {used}");
        }
    }

    #[test]
    fn scopes_narrow_a_quota_down() {
        let best_effort = pod(&json!({}));
        let burstable = pod(&json!({"requests": {"cpu": "1"}}));
        let quota = |spec: Json| object("ResourceQuota", &spec, &json!({}));
        let table = [
            (json!({}), true, true),
            (json!({"scopes": ["BestEffort"]}), true, false),
            (json!({"scopes": ["NotBestEffort", "NotTerminating"]}), false, true),
            (
                json!({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["x"]}]}}),
                false,
                false,
            ),
        ];
        for (spec, of_best_effort, of_burstable) in table {
            assert_eq!(covers(&quota(spec.clone()), best_effort.at("spec")), of_best_effort, "{spec}");
            assert_eq!(covers(&quota(spec.clone()), burstable.at("spec")), of_burstable, "{spec}");
        }
    }

    #[test]
    fn what_a_quota_counts_must_be_stated() {
        let quota =
            object("ResourceQuota", &json!({"hard": {"limits.cpu": "1", "requests.memory": "1Gi", "pods": "9"}}), &json!({}));
        let bare = pod(&json!({"limits": {"memory": "1Mi"}}));
        let missing = unstated(&quota, &[], bare.at("spec"));
        assert_eq!(missing, BTreeMap::from([("limits.cpu".to_owned(), vec!["c"])]));
        let range = object("LimitRange", &json!({"limits": [{"type": "Container", "default": {"cpu": "1"}}]}), &json!({}));
        assert_eq!(unstated(&quota, &[&range], bare.at("spec")), BTreeMap::new());
    }

    #[test]
    fn limit_ranges_bound_both_ways() {
        let range = |limit: Json| object("LimitRange", &json!({"limits": [limit]}), &json!({}));
        let big = pod(&json!({"requests": {"cpu": "1"}, "limits": {"cpu": "4"}}));
        let judged = |limit: Json| {
            let found = excesses(&range(limit), big.at("spec"));
            found.iter().map(|e| format!("{} {} {} {}", e.per, e.rule, e.bound, e.path)).collect::<Vec<_>>().join("; ")
        };
        let table = [
            (json!({"type": "Container", "max": {"cpu": "2"}}), "Container max 2 containers[0].resources.limits[cpu]"),
            (json!({"type": "Container", "min": {"cpu": "2"}}), "Container min 2 containers[0].resources.requests[cpu]"),
            (
                json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "3"}}),
                "Container maxLimitRequestRatio 3 containers[0].resources.limits[cpu]",
            ),
            (json!({"type": "Pod", "max": {"cpu": "3"}}), "Pod max 3 containers"),
            (json!({"type": "Container", "max": {"cpu": "4"}, "min": {"cpu": "1"}}), ""),
        ];
        for (limit, wanted) in table {
            assert_eq!(judged(limit.clone()), wanted, "{limit}");
        }
    }
}
