//! What a pod asks for, as the scheduler and quotas count it (kubernetes docs: init-containers, "Resource sharing within
//! containers"; KEP-753 for sidecars; KEP-2837 for resources of the pod as a whole).

use std::collections::BTreeMap;

use crate::cluster::Quantity;
use crate::decode::Value;

/// Amounts by name of the resource: `cpu`, `memory`, `nvidia.com/gpu`.
pub type Amounts = BTreeMap<String, Quantity>;

/// Requests or limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// What is reserved. A container that states a limit only requests as much.
    Requests,
    /// What may be used at most.
    Limits,
}

/// What a pod with this spec asks for.
pub fn of_pod(spec: Value<'_>, bound: Bound) -> Amounts {
    let mut running = Amounts::new();
    for container in spec.get("containers").items() {
        add(&mut running, &of_container(container, bound));
    }
    let mut sidecars = Amounts::new();
    let mut starting = Amounts::new();
    for container in spec.get("initContainers").items() {
        let own = of_container(container, bound);
        if container.get("restartPolicy").text() == "Always" {
            add(&mut sidecars, &own);
            at_least(&mut starting, &sidecars);
        } else {
            let mut together = sidecars.clone();
            add(&mut together, &own);
            at_least(&mut starting, &together);
        }
    }
    add(&mut running, &sidecars);
    at_least(&mut running, &starting);
    for (name, amount) in amounts(bound_of(spec.get("resources"), bound)) {
        running.insert(name, amount);
    }
    add(&mut running, &amounts(spec.get("overhead")));
    running
}

/// What one container asks for.
pub fn of_container(container: Value<'_>, bound: Bound) -> Amounts {
    let resources = container.get("resources");
    let mut own = amounts(bound_of(resources, bound));
    if bound == Bound::Requests {
        for (name, limit) in amounts(resources.get("limits")) {
            own.entry(name).or_insert(limit);
        }
    }
    own
}

fn bound_of(resources: Value<'_>, bound: Bound) -> Value<'_> {
    resources.get(match bound {
        Bound::Requests => "requests",
        Bound::Limits => "limits",
    })
}

/// The amounts a map holds; what is no quantity is left out.
pub fn amounts(map: Value<'_>) -> Amounts {
    map.fields().filter_map(|(name, value)| Some((name.to_owned(), Quantity::of(value)?))).collect()
}

/// Adds amount by amount.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let known = sum.entry(name.clone()).or_default();
        *known = *known + *amount;
    }
}

fn at_least(amounts: &mut Amounts, floor: &Amounts) {
    for (name, amount) in floor {
        let known = amounts.entry(name.clone()).or_default();
        *known = (*known).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::decode::Tape;

    fn asks(spec: &Json, bound: Bound) -> String {
        let tape = Tape::from_json(&Arc::from("x"), spec, 1);
        of_pod(tape.root(), bound).iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
    }

    fn container(cpu: &str) -> Json {
        json!({"resources": {"requests": {"cpu": cpu}}})
    }

    fn sidecar(cpu: &str) -> Json {
        json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}})
    }

    #[test]
    fn containers_add_up_and_limits_stand_in_for_requests() {
        let spec = json!({"containers": [
            {"resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}},
            {"resources": {"limits": {"cpu": 1, "memory": "128Mi"}}},
            {},
        ]});
        assert_eq!(asks(&spec, Bound::Requests), "cpu=1250m memory=192Mi");
        assert_eq!(asks(&spec, Bound::Limits), "cpu=1 memory=128Mi");
    }

    #[test]
    fn init_containers_count_one_at_a_time() {
        let spec = json!({"initContainers": [container("2"), container("3")], "containers": [container("1"), container("1")]});
        assert_eq!(asks(&spec, Bound::Requests), "cpu=3");
    }

    #[test]
    fn sidecars_count_beside_what_starts_after_them() {
        let before = json!({"initContainers": [container("3"), sidecar("1")], "containers": [container("1")]});
        assert_eq!(asks(&before, Bound::Requests), "cpu=3");
        let after = json!({"initContainers": [sidecar("1"), container("3")], "containers": [container("1")]});
        assert_eq!(asks(&after, Bound::Requests), "cpu=4");
        let small = json!({"initContainers": [sidecar("1"), container("1")], "containers": [container("2")]});
        assert_eq!(asks(&small, Bound::Requests), "cpu=3");
    }

    #[test]
    fn the_pod_as_a_whole_and_its_overhead_count() {
        let spec = json!({"resources": {"requests": {"cpu": "4"}}, "overhead": {"cpu": "250m"}, "containers": [container("1")]});
        assert_eq!(asks(&spec, Bound::Requests), "cpu=4250m");
    }
}
