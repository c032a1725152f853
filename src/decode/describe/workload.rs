//! Workloads: what carries a pod template.

use super::outline::{Block, Entry, given};
use super::{conditions, metadata, pod, volume};
use crate::decode::draft::{Draft, Node};
use crate::decode::resource::Ref;

/// A Deployment, ReplicaSet, ReplicationController, StatefulSet or DaemonSet.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let (line, value) = (entry.number(), entry.value());
        match entry.key() {
            "Selector" => fill_selector(draft, entry),
            "Replicas" => fill_replicas(draft, value, line),
            "StrategyType" => draft.text("spec.strategy.type", line, value),
            "RollingUpdateStrategy" => fill_rolling_update(draft, value, line),
            "Update Strategy" => fill_update_strategy(draft, entry),
            "MinReadySeconds" => draft.number("spec.minReadySeconds", line, value),
            "Pod Template" => pod::fill_template(draft.map("spec.template", line), entry),
            "Volume Claims" => fill_claims(draft, entry),
            "Conditions" => conditions::fill(draft, entry),
            "Desired Number of Nodes Scheduled" => draft.number("status.desiredNumberScheduled", line, value),
            "Current Number of Nodes Scheduled" => draft.number("status.currentNumberScheduled", line, value),
            "Number of Nodes Scheduled with Up-to-date Pods" => {
                draft.number("status.updatedNumberScheduled", line, value);
            }
            "Number of Nodes Scheduled with Available Pods" => {
                draft.number("status.numberAvailable", line, value);
                draft.number("status.numberReady", line, value);
            }
            "Number of Nodes Misscheduled" => draft.number("status.numberMisscheduled", line, value),
            _ => {}
        }
    }
}

fn fill_selector<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    if let Some(selector) = entry.given() {
        metadata::fill_selector(draft.map("spec.selector", entry.number()), selector, entry.number());
    }
}

/// `3 desired | 2 updated | 2 total | 2 available | 1 unavailable`, `2 current / 3 desired`.
fn fill_replicas<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    for part in value.split(['|', '/']) {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        match what {
            "desired" => draft.number("spec.replicas", line, number),
            "updated" => draft.number("status.updatedReplicas", line, number),
            "total" | "current" => draft.number("status.replicas", line, number),
            "available" => {
                draft.number("status.availableReplicas", line, number);
                draft.number("status.readyReplicas", line, number);
            }
            "unavailable" => draft.number("status.unavailableReplicas", line, number),
            _ => {}
        }
    }
}

/// The replica sets of a deployment: `OldReplicaSets:  web-6f (2/2 replicas created)`.
pub(super) fn replica_sets_of<'t>(deployment: &'t Ref, object: Block<'_, 't>) -> Vec<(u32, Draft<'t>)> {
    let mut sets = Vec::new();
    for entry in ["OldReplicaSets", "NewReplicaSet"].into_iter().filter_map(|key| object.get(key)) {
        let line = entry.number();
        for told in entry.given().unwrap_or_default().split(", ") {
            let Some((name, created)) = told.split_once(" (") else { continue };
            let mut set = Draft::of("apps/v1", "ReplicaSet", line);
            set.text("metadata.name", line, name);
            if let Some(namespace) = &deployment.namespace {
                set.text("metadata.namespace", line, namespace.as_str());
            }
            metadata::fill_controller(&mut set, "Deployment", &deployment.name, line);
            if let Some((current, desired)) = created.split_once(" replicas").and_then(|(n, _)| n.split_once('/')) {
                set.number("spec.replicas", line, desired);
                set.number("status.replicas", line, current);
            }
            sets.push((line, set));
        }
    }
    sets
}

/// `25% max unavailable, 25% max surge`.
fn fill_rolling_update<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    for part in value.split(", ") {
        if let Some(number) = part.strip_suffix(" max unavailable") {
            draft.number("spec.strategy.rollingUpdate.maxUnavailable", line, number);
        } else if let Some(number) = part.strip_suffix(" max surge") {
            draft.number("spec.strategy.rollingUpdate.maxSurge", line, number);
        }
    }
}

fn fill_update_strategy<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    draft.text("spec.updateStrategy.type", entry.number(), entry.value());
    if let Some((partition, line)) = entry.below.given("Partition") {
        draft.number("spec.updateStrategy.rollingUpdate.partition", line, partition);
    }
}

/// Claim templates, each beginning with `Name:`.
fn fill_claims<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    let mut claims: Vec<(u32, Draft<'t>)> = Vec::new();
    for entry in told.below.entries() {
        let line = entry.number();
        if entry.key() == "Name" {
            claims.push((line, Draft::default()));
        }
        let (Some((_, claim)), Some(value)) = (claims.last_mut(), entry.given()) else { continue };
        match entry.key() {
            "Name" => claim.text("metadata.name", line, value),
            "Labels" => metadata::fill_pairs(claim, "metadata.labels", entry),
            "StorageClass" => claim.text("spec.storageClassName", line, value),
            "Capacity" => claim.text("spec.resources.requests.storage", line, value),
            "Access Modes" => volume::fill_access_modes(claim, "spec.accessModes", value, line),
            _ => {}
        }
    }
    let claims = claims.into_iter().map(|(line, claim)| (line, Node::Map(claim)));
    draft.list("spec.volumeClaimTemplates", told.number()).extend(claims);
}

/// A Job.
pub(super) fn fill_job<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let (line, value) = (entry.number(), entry.value());
        match entry.key() {
            "Selector" => fill_selector(draft, entry),
            "Start Time" => draft.stamp("status.startTime", line, value),
            "Completed At" => {
                draft.stamp("status.completionTime", line, value);
                fill_condition(draft, "Complete", None, line);
            }
            "Pods Statuses" => fill_pod_counts(draft, value, line),
            "Completed Indexes" => draft.text("status.completedIndexes", line, value),
            _ => fill_job_spec(draft.map("spec", line), entry),
        }
    }
    fill_failure(draft, object);
}

/// The fields a Job and a CronJob's template share.
fn fill_job_spec<'t>(spec: &mut Draft<'t>, entry: Entry<'_, 't>) {
    let line = entry.number();
    if entry.key() == "Pod Template" {
        return pod::fill_template(spec.map("template", line), entry);
    }
    let Some(value) = entry.given() else { return };
    let seconds = value.strip_suffix('s').unwrap_or(value);
    match entry.key() {
        "Parallelism" => spec.number("parallelism", line, value),
        "Completions" => spec.number("completions", line, value),
        "Completion Mode" => spec.text("completionMode", line, value),
        "Suspend" => spec.flag("suspend", line, value.eq_ignore_ascii_case("true")),
        "Backoff Limit" => spec.number("backoffLimit", line, value),
        "Active Deadline Seconds" => spec.number("activeDeadlineSeconds", line, seconds),
        "TTL Seconds After Finished" => spec.number("ttlSecondsAfterFinished", line, seconds),
        _ => {}
    }
}

/// `0 Active (0 Ready) / 0 Succeeded / 1 Failed`.
fn fill_pod_counts<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    for part in value.split(" / ") {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        match what.split(' ').next().unwrap_or_default() {
            "Active" => draft.number("status.active", line, number),
            "Succeeded" => draft.number("status.succeeded", line, number),
            "Failed" => draft.number("status.failed", line, number),
            _ => {}
        }
        if let Some(ready) = what.split_once('(').and_then(|(_, r)| r.strip_suffix(" Ready)")) {
            draft.number("status.ready", line, ready);
        }
    }
}

/// A job's conditions are not printed, but its failure is an event of the job controller.
fn fill_failure<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let Some(events) = object.get("Events") else { return };
    for entry in events.below.entries() {
        let mut words = entry.text().split_whitespace();
        let (Some("Warning"), Some(reason)) = (words.next(), words.next()) else { continue };
        if matches!(reason, "BackoffLimitExceeded" | "DeadlineExceeded" | "PodFailurePolicy" | "FailedIndexes") {
            return fill_condition(draft, "Failed", Some(reason), entry.number());
        }
    }
}

fn fill_condition<'t>(draft: &mut Draft<'t>, kind: &'static str, reason: Option<&'t str>, line: u32) {
    let mut condition = Draft::default();
    condition.text("type", line, kind);
    condition.text("status", line, "True");
    if let Some(reason) = reason {
        condition.text("reason", line, reason);
    }
    draft.list("status.conditions", line).push((line, Node::Map(condition)));
}

/// A CronJob.
pub(super) fn fill_cron_job<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let (line, value) = (entry.number(), entry.value());
        match entry.key() {
            "Schedule" => draft.text("spec.schedule", line, value),
            "Time Zone" => {
                if let Some(zone) = entry.given() {
                    draft.text("spec.timeZone", line, zone);
                }
            }
            "Concurrency Policy" => draft.text("spec.concurrencyPolicy", line, value),
            "Suspend" => draft.flag("spec.suspend", line, value.eq_ignore_ascii_case("true")),
            "Successful Job History Limit" => draft.number("spec.successfulJobsHistoryLimit", line, value),
            "Failed Job History Limit" => draft.number("spec.failedJobsHistoryLimit", line, value),
            "Starting Deadline Seconds" => {
                if let Some(seconds) = entry.given() {
                    draft.number("spec.startingDeadlineSeconds", line, seconds.strip_suffix('s').unwrap_or(seconds));
                }
            }
            "Last Schedule Time" => draft.stamp("status.lastScheduleTime", line, value),
            "Active Jobs" => fill_active_jobs(draft, entry),
            _ => fill_job_spec(draft.map("spec.jobTemplate.spec", line), entry),
        }
    }
}

fn fill_active_jobs<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for (names, line) in entry.values() {
        for name in names.split(',').filter_map(|n| given(n.trim())) {
            let mut job = Draft::of("batch/v1", "Job", line);
            job.text("name", line, name);
            draft.list("status.active", line).push((line, Node::Map(job)));
        }
    }
}
