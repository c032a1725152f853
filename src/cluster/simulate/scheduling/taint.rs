//! Taints and tolerations (kubernetes docs: taint-and-toleration; component-helpers/scheduling/corev1).

use std::fmt;

use super::Pod;
use crate::decode::{Resource, Value};

/// A taint of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value, often empty.
    pub value: &'a str,
    /// `NoSchedule`, `NoExecute` or `PreferNoSchedule`; empty when only a message told of it.
    pub effect: &'a str,
}

/// Whom a taint keeps away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Everything but the control plane.
    ControlPlane,
    /// Everything while the node is sick, cut off or not set up: the node's fault is the cause, the taint its mark.
    NodeFault,
    /// Everything while the node is cordoned.
    Cordon,
    /// What someone decided.
    Chosen,
}

impl<'a> Taint<'a> {
    /// An item of `spec.taints`.
    pub fn of(taint: Value<'a>) -> Self {
        Self { key: taint.get("key").text(), value: taint.get("value").text(), effect: taint.get("effect").text() }
    }

    /// Whom it keeps away, by the keys Kubernetes and its cloud providers set (reference: labels-annotations-taints).
    pub fn purpose(&self) -> Purpose {
        match self.key {
            "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master" | "node-role.kubernetes.io/etcd" => {
                Purpose::ControlPlane
            }
            "node.kubernetes.io/unschedulable" => Purpose::Cordon,
            // k3s and RKE2 set it on servers that are to run nothing but the control plane.
            "CriticalAddonsOnly" => Purpose::ControlPlane,
            key if key.starts_with("node.kubernetes.io/")
                || key.starts_with("node.cloudprovider.kubernetes.io/")
                || key.starts_with("node.cilium.io/")
                || key.starts_with("ebs.csi.aws.com/") =>
            {
                Purpose::NodeFault
            }
            _ => Purpose::Chosen,
        }
    }

    /// It bars new pods that do not tolerate it.
    fn bars(&self) -> bool {
        matches!(self.effect, "NoSchedule" | "NoExecute")
    }

    fn is_tolerated_by(&self, toleration: Value<'_>) -> bool {
        let (key, effect) = (toleration.get("key").text(), toleration.get("effect").text());
        let exists = toleration.get("operator").text() == "Exists";
        (effect.is_empty() || effect == self.effect)
            && (key == self.key || key.is_empty() && exists)
            && (exists || toleration.get("value").text() == self.value)
    }
}

/// `dedicated=gpu:NoSchedule`, as kubectl takes it.
impl fmt::Display for Taint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        if !self.effect.is_empty() {
            write!(f, ":{}", self.effect)?;
        }
        Ok(())
    }
}

/// The taints of `node` that keep `pod` away.
pub(super) fn untolerated<'a>(pod: &Pod<'_>, node: &'a Resource) -> impl Iterator<Item = Taint<'a>> {
    let tolerations = pod.spec.get("tolerations");
    let barring = node.at("spec.taints").items().map(Taint::of).filter(Taint::bars);
    barring.filter(move |taint| !tolerations.items().any(|t| taint.is_tolerated_by(t)))
}

/// Does the pod tolerate the taint that every cordoned node gets?
pub(super) fn tolerates_cordon(pod: &Pod<'_>) -> bool {
    let cordon = Taint { key: "node.kubernetes.io/unschedulable", value: "", effect: "NoSchedule" };
    pod.spec.get("tolerations").items().any(|t| cordon.is_tolerated_by(t))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::decode::Tape;

    #[test]
    fn tolerations_match_as_documented() {
        let taint = Taint { key: "key1", value: "value1", effect: "NoSchedule" };
        let table = [
            (json!({"key": "key1", "operator": "Equal", "value": "value1", "effect": "NoSchedule"}), true),
            (json!({"key": "key1", "value": "value1"}), true),
            (json!({"key": "key1", "operator": "Exists"}), true),
            (json!({"operator": "Exists"}), true),
            (json!({"operator": "Exists", "effect": "NoExecute"}), false),
            (json!({"key": "key1", "operator": "Equal", "value": "other", "effect": "NoSchedule"}), false),
            (json!({"key": "key2", "operator": "Exists"}), false),
            (json!({"value": "value1"}), false),
        ];
        for (toleration, wanted) in table {
            let tape = Tape::from_json(&Arc::from("x"), &toleration, 1);
            assert_eq!(taint.is_tolerated_by(tape.root()), wanted, "{toleration}");
        }
    }

    #[test]
    fn purposes_are_told_by_key() {
        let purpose = |key| Taint { key, value: "", effect: "NoSchedule" }.purpose();
        assert_eq!(purpose("node-role.kubernetes.io/control-plane"), Purpose::ControlPlane);
        assert_eq!(purpose("node.kubernetes.io/not-ready"), Purpose::NodeFault);
        assert_eq!(purpose("node.cloudprovider.kubernetes.io/uninitialized"), Purpose::NodeFault);
        assert_eq!(purpose("node.kubernetes.io/unschedulable"), Purpose::Cordon);
        assert_eq!(purpose("nvidia.com/gpu"), Purpose::Chosen);
    }
}
