//! Would the API server accept this pod? Computed from the spec alone, by the rules of `pkg/apis/core/validation` that users
//! really hit; and the API server's own refusals, parsed into the same shape.

use std::fmt;

use super::KubernetesVersion;
use crate::decode::Value;

mod containers;
mod names;
mod pod;
mod refusal;

pub use refusal::parse;

/// Native sidecars: `restartPolicy: Always` on init containers, on by default (KEP-753). 1.28 has it behind a gate.
pub const SIDECARS: KubernetesVersion = KubernetesVersion::minor(29);

/// Any restart policy on any container, on by default (KEP-5307). 1.34 has it behind a gate.
pub const CONTAINER_RESTART_RULES: KubernetesVersion = KubernetesVersion::minor(35);

/// The API server's categories of refusal (`k8s.io/apimachinery/pkg/util/validation/field`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// `Unsupported value: "x": supported values: …`
    Unsupported,
    /// `Invalid value: "x": why`
    Invalid,
    /// `Required value: why`
    Required,
    /// `Duplicate value: "x"`
    Duplicate,
    /// `Forbidden: why`
    Forbidden,
    /// `Not found: "x"`
    NotFound,
    /// `Too long: …`
    TooLong,
}

impl Fault {
    /// All, with the words the API server uses.
    pub const ALL: [(Fault, &'static str); 7] = [
        (Fault::Unsupported, "Unsupported value"),
        (Fault::Invalid, "Invalid value"),
        (Fault::Required, "Required value"),
        (Fault::Duplicate, "Duplicate value"),
        (Fault::Forbidden, "Forbidden"),
        (Fault::NotFound, "Not found"),
        (Fault::TooLong, "Too long"),
    ];
}

/// One field the API server refuses, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The field, from the pod's root: `spec.initContainers[1].restartPolicy`.
    pub path: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// The refused value; empty where there is none to show.
    pub value: String,
    /// Values it may have, when there is a list.
    pub allowed: Vec<String>,
    /// The rule, in the API server's words.
    pub detail: String,
}

impl Refusal {
    fn new(path: impl Into<String>, fault: Fault, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), fault, value: value.into(), allowed: Vec::new(), detail: detail.into() }
    }

    fn unsupported(path: impl Into<String>, value: impl Into<String>, allowed: &[&str]) -> Self {
        let allowed = allowed.iter().map(|a| (*a).to_owned()).collect();
        Self { allowed, ..Self::new(path, Fault::Unsupported, value, "") }
    }

    /// The last part of the path, without index: `restartPolicy`.
    pub fn field(&self) -> &str {
        self.path.rsplit(['.', ']']).find(|part| !part.is_empty()).unwrap_or(&self.path)
    }
}

/// As the API server says it.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Fault::ALL.iter().find(|(fault, _)| *fault == self.fault).map_or("", |(_, word)| word);
        write!(f, "{}: {word}", self.path)?;
        if !self.value.is_empty() {
            write!(f, ": \"{}\"", self.value)?;
        }
        if !self.allowed.is_empty() {
            let allowed: Vec<String> = self.allowed.iter().map(|a| format!("\"{a}\"")).collect();
            write!(f, ": supported values: {}", allowed.join(", "))?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// Which controller makes pods of a template; it narrows what the template may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Deployment, ReplicaSet, StatefulSet, DaemonSet: pods live for ever, `restartPolicy` must be `Always`.
    Service,
    /// Job and CronJob: pods end, `restartPolicy` must be `OnFailure` or `Never`.
    Job,
    /// A bare pod, or a custom resource that makes bare pods.
    Other,
}

impl Maker {
    /// By kind.
    pub fn of_kind(kind: &str) -> Self {
        match kind {
            "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" => Self::Service,
            "Job" | "CronJob" => Self::Job,
            _ => Self::Other,
        }
    }
}

/// What an API server of `version` refuses in a pod with these `metadata` and `spec`. An unknown version is taken for a
/// recent one without features that are still young. Empty when it accepts.
pub fn refusals(metadata: Value<'_>, spec: Value<'_>, maker: Maker, version: Option<KubernetesVersion>) -> Vec<Refusal> {
    let mut out = Vec::new();
    names::labels(metadata.get("labels"), "metadata.labels", &mut out);
    pod::check(spec, maker, &mut out);
    containers::check(spec, version, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::decode::Tape;

    fn said(spec: &Json, minor: u16) -> Vec<String> {
        let pod = Tape::from_json(&Arc::from("pod.yaml"), &json!({"metadata": {}, "spec": spec}), 1);
        let version = Some(KubernetesVersion::minor(minor));
        let root = pod.root();
        refusals(root.get("metadata"), root.get("spec"), Maker::Other, version).iter().map(ToString::to_string).collect()
    }

    fn with_init(init: &Json) -> Json {
        json!({"containers": [{"name": "c", "image": "i"}], "initContainers": [init]})
    }

    #[test]
    fn restart_policies_of_init_containers_depend_on_the_version() {
        let on_failure = with_init(&json!({"name": "d", "image": "i", "restartPolicy": "OnFailure"}));
        let refused = [r#"spec.initContainers[0].restartPolicy: Unsupported value: "OnFailure": supported values: "Always""#];
        assert_eq!(said(&on_failure, 30), refused);
        assert_eq!(said(&on_failure, 34), refused);
        assert!(said(&on_failure, 35).is_empty());
        assert!(said(&on_failure, 27).is_empty(), "before 1.28 the field is dropped, not refused");
        assert!(said(&with_init(&json!({"name": "d", "image": "i", "restartPolicy": "Always"})), 29).is_empty());
    }

    #[test]
    fn probes_of_init_containers_want_a_sidecar() {
        let probe = json!({"exec": {"command": ["true"]}});
        let sidecar = with_init(&json!({"name": "d", "image": "i", "restartPolicy": "Always", "startupProbe": probe}));
        assert!(said(&sidecar, 29).is_empty());
        let forbidden =
            "spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always";
        assert_eq!(said(&sidecar, 28), [forbidden]);
        assert_eq!(said(&with_init(&json!({"name": "d", "image": "i", "startupProbe": probe})), 30), [forbidden]);
    }

    #[test]
    fn what_validation_refuses() {
        let base = |extra: Json| {
            let mut spec = json!({"containers": [{"name": "c", "image": "i"}]});
            json_patch::merge(&mut spec, &extra);
            spec
        };
        let container = |extra: Json| {
            let mut c = json!({"name": "c", "image": "i"});
            json_patch::merge(&mut c, &extra);
            json!({"containers": [c]})
        };
        let table = [
            (
                container(json!({"volumeMounts": [{"name": "v", "mountPath": "/x"}]})),
                r#"spec.containers[0].volumeMounts[0].name: Not found: "v""#,
            ),
            (container(json!({"image": ""})), "spec.containers[0].image: Required value"),
            (
                container(json!({"name": "My_App"})),
                r#"spec.containers[0].name: Invalid value: "My_App": a lowercase RFC 1123 label"#,
            ),
            (
                container(json!({"imagePullPolicy": "always"})),
                r#"spec.containers[0].imagePullPolicy: Unsupported value: "always""#,
            ),
            (
                container(json!({"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}})),
                r#"spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi"#,
            ),
            (
                container(json!({"resources": {"limits": {"memroy": "1Gi"}}})),
                "spec.containers[0].resources.limits[memroy]: Invalid value",
            ),
            (container(json!({"ports": [{"containerPort": 70000}]})), "spec.containers[0].ports[0].containerPort: Invalid value"),
            (container(json!({"restartPolicy": "Always"})), "spec.containers[0].restartPolicy: Forbidden"),
            (
                container(json!({"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {}}}]})),
                "spec.containers[0].env[0].valueFrom: Invalid value",
            ),
            (container(json!({"livenessProbe": {"periodSeconds": 3}})), "spec.containers[0].livenessProbe: Required value"),
            (
                container(json!({"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}})),
                r#"spec.containers[0].livenessProbe.successThreshold: Invalid value: "2": must be 1"#,
            ),
            (base(json!({"dnsPolicy": "None"})), "spec.dnsConfig.nameservers: Required value"),
            (base(json!({"restartPolicy": "Sometimes"})), "spec.restartPolicy: Unsupported value"),
            (
                base(json!({"volumes": [{"name": "v"}, {"name": "v", "emptyDir": {}}]})),
                "spec.volumes[0]: Required value: must specify a volume type",
            ),
            (
                base(json!({"tolerations": [{"operator": "Exists", "key": "k", "value": "v"}]})),
                "spec.tolerations[0].operator: Invalid value",
            ),
            (base(json!({"containers": []})), "spec.containers: Required value"),
        ];
        for (spec, expected) in table {
            let said = said(&spec, 31);
            assert!(said.iter().any(|s| s.starts_with(expected)), "{expected}\n  not in {said:?}");
        }
        assert!(said(&base(json!({})), 31).is_empty());
    }
}
