//! Kinds whose rows hold few fields, most of them as they stand.

use super::cells::fill_containers;
use super::{Row, item};
use crate::decode::describe::metadata::fill_selector;
use crate::decode::describe::policy::fill_target;
use crate::decode::describe::service::fill_ingress_points;
use crate::decode::describe::storage::{fill_claim_ref, mark_default};
use crate::decode::describe::volume::fill_access_modes;
use crate::decode::draft::{Draft, Node};
use crate::decode::kind::KindName;

/// Columns that hold one field as it is: kind, column, path in the object.
#[rustfmt::skip]
const KNOWN: &[(&str, &str, &str)] = &[
    ("Namespace", "STATUS", "status.phase"),
    ("PersistentVolumeClaim", "STATUS", "status.phase"),
    ("PersistentVolumeClaim", "VOLUME", "spec.volumeName"),
    ("PersistentVolumeClaim", "CAPACITY", "status.capacity.storage"),
    ("PersistentVolumeClaim", "STORAGECLASS", "spec.storageClassName"),
    ("PersistentVolumeClaim", "VOLUMEMODE", "spec.volumeMode"),
    ("PersistentVolume", "CAPACITY", "spec.capacity.storage"),
    ("PersistentVolume", "RECLAIM POLICY", "spec.persistentVolumeReclaimPolicy"),
    ("PersistentVolume", "STATUS", "status.phase"),
    ("PersistentVolume", "STORAGECLASS", "spec.storageClassName"),
    ("PersistentVolume", "REASON", "status.reason"),
    ("PersistentVolume", "VOLUMEMODE", "spec.volumeMode"),
    ("StorageClass", "PROVISIONER", "provisioner"),
    ("StorageClass", "RECLAIMPOLICY", "reclaimPolicy"),
    ("StorageClass", "VOLUMEBINDINGMODE", "volumeBindingMode"),
    ("StorageClass", "ALLOWVOLUMEEXPANSION", "allowVolumeExpansion"),
    ("VolumeAttachment", "ATTACHER", "spec.attacher"),
    ("VolumeAttachment", "PV", "spec.source.persistentVolumeName"),
    ("VolumeAttachment", "NODE", "spec.nodeName"),
    ("VolumeAttachment", "ATTACHED", "status.attached"),
    ("Secret", "TYPE", "type"),
    ("CertificateSigningRequest", "SIGNERNAME", "spec.signerName"),
    ("CertificateSigningRequest", "REQUESTOR", "spec.username"),
    ("Ingress", "CLASS", "spec.ingressClassName"),
    ("IngressClass", "CONTROLLER", "spec.controller"),
    ("Job", "SUSPEND", "spec.suspend"),
    ("CronJob", "SCHEDULE", "spec.schedule"),
    ("CronJob", "TIMEZONE", "spec.timeZone"),
    ("HorizontalPodAutoscaler", "MINPODS", "spec.minReplicas"),
    ("HorizontalPodAutoscaler", "MAXPODS", "spec.maxReplicas"),
    ("HorizontalPodAutoscaler", "REPLICAS", "status.currentReplicas"),
    ("PodDisruptionBudget", "MIN AVAILABLE", "spec.minAvailable"),
    ("PodDisruptionBudget", "MAX UNAVAILABLE", "spec.maxUnavailable"),
    ("PodDisruptionBudget", "ALLOWED DISRUPTIONS", "status.disruptionsAllowed"),
    ("PriorityClass", "VALUE", "value"),
    ("PriorityClass", "GLOBAL-DEFAULT", "globalDefault"),
    ("EndpointSlice", "ADDRESSTYPE", "addressType"),
    ("Lease", "HOLDER", "spec.holderIdentity"),
    ("AutoscalingRunnerSet", "MINIMUM RUNNERS", "spec.minRunners"),
    ("AutoscalingRunnerSet", "MAXIMUM RUNNERS", "spec.maxRunners"),
    ("AutoscalingRunnerSet", "CURRENT RUNNERS", "status.currentRunners"),
    ("AutoscalingRunnerSet", "STATE", "status.state"),
    ("AutoscalingRunnerSet", "PENDING RUNNERS", "status.pendingEphemeralRunners"),
    ("AutoscalingRunnerSet", "RUNNING RUNNERS", "status.runningEphemeralRunners"),
    ("AutoscalingRunnerSet", "FINISHED RUNNERS", "status.finishedEphemeralRunners"),
    ("AutoscalingRunnerSet", "DELETING RUNNERS", "status.deletingEphemeralRunners"),
    ("AutoscalingListener", "GITHUB CONFIGURE URL", "spec.githubConfigUrl"),
    ("AutoscalingListener", "AUTOSCALINGRUNNERSET NAMESPACE", "spec.autoscalingRunnerSetNamespace"),
    ("AutoscalingListener", "AUTOSCALINGRUNNERSET NAME", "spec.autoscalingRunnerSetName"),
    ("EphemeralRunnerSet", "DESIREDREPLICAS", "spec.replicas"),
    ("EphemeralRunnerSet", "CURRENTREPLICAS", "status.currentReplicas"),
    ("EphemeralRunnerSet", "PENDING RUNNERS", "status.pendingEphemeralRunners"),
    ("EphemeralRunnerSet", "RUNNING RUNNERS", "status.runningEphemeralRunners"),
    ("EphemeralRunnerSet", "FINISHED RUNNERS", "status.finishedEphemeralRunners"),
    ("EphemeralRunnerSet", "DELETING RUNNERS", "status.deletingEphemeralRunners"),
    ("EphemeralRunner", "GITHUB CONFIG URL", "spec.githubConfigUrl"),
    ("EphemeralRunner", "RUNNERID", "status.runnerId"),
    ("EphemeralRunner", "STATUS", "status.phase"),
    ("EphemeralRunner", "JOBREPOSITORY", "status.jobRepositoryName"),
    ("EphemeralRunner", "JOBWORKFLOWREF", "status.jobWorkflowRef"),
    ("EphemeralRunner", "WORKFLOWRUNID", "status.workflowRunId"),
    ("EphemeralRunner", "JOBDISPLAYNAME", "status.jobDisplayName"),
    ("EphemeralRunner", "MESSAGE", "status.message"),
    ("RunnerDeployment", "DESIRED", "spec.replicas"),
    ("RunnerDeployment", "CURRENT", "status.replicas"),
    ("RunnerDeployment", "UP-TO-DATE", "status.updatedReplicas"),
    ("RunnerDeployment", "AVAILABLE", "status.availableReplicas"),
    ("RunnerReplicaSet", "DESIRED", "spec.replicas"),
    ("RunnerReplicaSet", "CURRENT", "status.replicas"),
    ("RunnerReplicaSet", "READY", "status.readyReplicas"),
    ("Runner", "ENTERPRISE", "spec.enterprise"),
    ("Runner", "ORGANIZATION", "spec.organization"),
    ("Runner", "REPOSITORY", "spec.repository"),
    ("Runner", "GROUP", "spec.group"),
    ("Runner", "STATUS", "status.phase"),
    ("Runner", "MESSAGE", "status.message"),
    ("HorizontalRunnerAutoscaler", "MIN", "spec.minReplicas"),
    ("HorizontalRunnerAutoscaler", "MAX", "spec.maxReplicas"),
    ("HorizontalRunnerAutoscaler", "DESIRED", "status.desiredReplicas"),
];

/// A custom resource whose columns are not listed here: one known by what kubectl calls it only, or of a foreign group.
pub(super) fn is_custom(kind: &str) -> bool {
    let group = KindName::of(kind).and_then(|k| k.api_version.split_once('/')).map_or("", |(group, _)| group);
    let is_foreign = group.contains('.') && !group.ends_with(".k8s.io");
    kind.starts_with(|c: char| c.is_ascii_lowercase()) || is_foreign && !KNOWN.iter().any(|(known, ..)| *known == kind)
}

/// Fills the columns whose cells are a field of the object just as they stand.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, kind: &str, row: &Row<'t>) {
    for (_, column, path) in KNOWN.iter().filter(|(k, ..)| *k == kind) {
        if let Some(cell) = row.get(column) {
            draft.put(path, row.line, Node::plain(cell));
        }
    }
    let line = row.line;
    match kind {
        "PersistentVolumeClaim" | "PersistentVolume" => {
            if let Some(modes) = row.get("ACCESS MODES") {
                fill_access_modes(draft, "spec.accessModes", modes, line);
            }
            if let Some(claim) = row.get("CLAIM") {
                fill_claim_ref(draft, claim, line);
            }
        }
        "StorageClass" if row.get("NAME").is_some_and(|n| n.ends_with("(default)")) => mark_default(draft, line),
        "ResourceQuota" => fill_quota(draft, row),
        "Job" => fill_job(draft, row),
        "CronJob" => fill_cron_job(draft, row),
        "Ingress" => fill_ingress(draft, row),
        "NetworkPolicy" => {
            if let Some(selector) = row.get("POD-SELECTOR") {
                fill_selector(draft.map("spec.podSelector", line), selector, line);
            }
        }
        "HorizontalPodAutoscaler" => {
            if let Some(target) = row.get("REFERENCE") {
                fill_target(draft, target, line);
            }
        }
        "RoleBinding" | "ClusterRoleBinding" => fill_binding(draft, row),
        "CustomResourceDefinition" => fill_definition(draft, row),
        "CertificateSigningRequest" => fill_signing_request(draft, row),
        "APIService" => fill_api_service(draft, row),
        _ => {}
    }
}

/// A definition is called `plural.group`. (Its stamp is told, not its age.)
fn fill_definition<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    if let Some((plural, group)) = row.get("NAME").and_then(|name| name.split_once('.')) {
        draft.text("spec.group", row.line, group);
        draft.text("spec.names.plural", row.line, plural);
    }
    if let Some(stamp) = row.get("CREATED AT") {
        draft.stamp("metadata.creationTimestamp", row.line, stamp);
    }
}

/// CONDITION `Approved,Issued`, or `Pending` where there is none.
fn fill_signing_request<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    for word in row.get("CONDITION").unwrap_or_default().split(',') {
        match word {
            "Approved" => fill_condition(draft, "Approved", row.line),
            "Denied" => fill_condition(draft, "Denied", row.line),
            "Failed" => fill_condition(draft, "Failed", row.line),
            _ => {}
        }
    }
}

/// SERVICE `namespace/name` or `Local`; AVAILABLE `True` or `False (reason)`.
fn fill_api_service<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    if let Some((namespace, name)) = row.get("SERVICE").and_then(|service| service.split_once('/')) {
        draft.text("spec.service.namespace", line, namespace);
        draft.text("spec.service.name", line, name);
    }
    if let Some(available) = row.get("AVAILABLE") {
        let (status, reason) = available.split_once(" (").unwrap_or((available, ""));
        let mut condition = Draft::default();
        condition.text("type", line, "Available");
        condition.text("status", line, status);
        if !reason.is_empty() {
            condition.text("reason", line, reason.trim_end_matches(')'));
        }
        draft.list("status.conditions", line).push(item(condition, line));
    }
}

/// `requests.cpu: 1/2, pods: 3/10` under REQUEST, and the like under LIMIT.
fn fill_quota<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    let cells = [row.get("REQUEST"), row.get("LIMIT")];
    for pair in cells.into_iter().flatten().flat_map(|cell| cell.split(", ")) {
        let Some((resource, (used, hard))) = pair.split_once(": ").and_then(|(r, v)| Some((r, v.split_once('/')?))) else {
            continue;
        };
        draft.map("spec.hard", line).push(resource, line, Node::text(hard));
        draft.map("status.hard", line).push(resource, line, Node::text(hard));
        draft.map("status.used", line).push(resource, line, Node::text(used));
    }
}

/// COMPLETIONS `0/1` or `0/1 of 3`, and STATUS since 1.31.
fn fill_job<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    if let Some((succeeded, wanted)) = row.get("COMPLETIONS").and_then(|c| c.split_once('/')) {
        draft.number("status.succeeded", line, succeeded);
        match wanted.split_once(" of ") {
            Some((_, parallelism)) => draft.number("spec.parallelism", line, parallelism),
            None => draft.number("spec.completions", line, wanted),
        }
        if succeeded == wanted {
            fill_condition(draft, "Complete", line);
        }
    }
    if row.get("STATUS") == Some("Failed") {
        fill_condition(draft, "Failed", line);
    }
    fill_containers(draft, row);
    if let Some(selector) = row.get("SELECTOR") {
        fill_selector(draft.map("spec.selector", line), selector, line);
    }
}

fn fill_condition(draft: &mut Draft<'_>, kind: &'static str, line: u32) {
    let mut condition = Draft::default();
    condition.text("type", line, kind);
    condition.text("status", line, "True");
    draft.list("status.conditions", line).push(item(condition, line));
}

fn fill_cron_job<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    if let Some(suspend) = row.get("SUSPEND") {
        draft.flag("spec.suspend", row.line, suspend.eq_ignore_ascii_case("true"));
    }
    if let Some(age) = row.get("LAST SCHEDULE") {
        draft.age("status.lastScheduleTime", row.line, age);
    }
}

/// HOSTS `a.example.com,b.example.com + 1 more...`, ADDRESS.
fn fill_ingress<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    let hosts = row.get("HOSTS").unwrap_or_default();
    let hosts = hosts.split_once(" + ").map_or(hosts, |(listed, _)| listed);
    for host in hosts.split(',').filter(|h| !h.is_empty()) {
        let mut rule = Draft::default();
        if host != "*" {
            rule.text("host", line, host);
        }
        draft.list("spec.rules", line).push(item(rule, line));
    }
    if let Some(address) = row.get("ADDRESS") {
        fill_ingress_points(draft, address, line);
    }
}

/// ROLE `ClusterRole/view`; with `-o wide` SERVICEACCOUNTS `shop/web, shop/api`, USERS and GROUPS.
fn fill_binding<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    if let Some((kind, name)) = row.get("ROLE").and_then(|role| role.split_once('/')) {
        draft.text("roleRef.apiGroup", line, "rbac.authorization.k8s.io");
        draft.text("roleRef.kind", line, kind);
        draft.text("roleRef.name", line, name);
    }
    for (column, kind) in [("USERS", "User"), ("GROUPS", "Group"), ("SERVICEACCOUNTS", "ServiceAccount")] {
        for subject in row.get(column).unwrap_or_default().split(',').map(str::trim).filter(|s| !s.is_empty()) {
            let mut told = Draft::default();
            told.text("kind", line, kind);
            let (namespace, name) =
                if kind == "ServiceAccount" { subject.split_once('/').unwrap_or(("", subject)) } else { ("", subject) };
            told.text("name", line, name);
            if !namespace.is_empty() {
                told.text("namespace", line, namespace);
            }
            draft.list("subjects", line).push(item(told, line));
        }
    }
}
