//! Rows of pods. What kubectl folds into READY, STATUS and RESTARTS is unfolded again, as far as it can be
//! (kubernetes `pkg/printers/internalversion`, `printPod`).

use super::{Row, cells, item};
use crate::decode::draft::Draft;

/// Fills a pod from its row.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    if let Some(node) = row.get("NODE") {
        draft.text("spec.nodeName", line, node);
    }
    if let Some(ip) = row.get("IP") {
        draft.text("status.podIP", line, ip);
    }
    let Some(status) = row.get("STATUS") else { return };
    let restarts = row.get("RESTARTS").unwrap_or("0");
    let restarted = restarts != "0";
    let verdict = Verdict::of(status, restarted);
    if let Some(phase) = verdict.phase {
        draft.text("status.phase", line, phase);
    }
    if verdict.is_pod_reason {
        draft.text("status.reason", line, status);
    }
    if status == "Terminating" {
        draft.age("metadata.deletionTimestamp", line, "0s");
    }
    if let Some((ready, total)) = row.get("READY").and_then(cells::ratio) {
        fill_condition(draft, "Ready", ready == total && verdict.phase == Some("Running"), line);
        fill_statuses(draft, &verdict, ready, total, restarts, line);
    }
    if let Some(gates) = row.get("READINESS GATES").filter(|g| cells::ratio(g).is_some_and(|(open, all)| open != all)) {
        fill_closed_gate(draft, gates, line);
    }
    if status == "Pending" && row.has("NODE") && row.get("NODE").is_none() {
        fill_condition(draft, "PodScheduled", false, line);
    }
}

fn fill_condition(draft: &mut Draft<'_>, kind: &'static str, holds: bool, line: u32) {
    let mut condition = Draft::default();
    condition.text("type", line, kind);
    condition.text("status", line, if holds { "True" } else { "False" });
    draft.list("status.conditions", line).push(item(condition, line));
}

/// Not all readiness gates are open, so the pod is not ready whatever its containers are.
fn fill_closed_gate<'t>(draft: &mut Draft<'t>, gates: &'t str, line: u32) {
    let mut condition = Draft::default();
    condition.text("type", line, "Ready");
    condition.text("status", line, "False");
    condition.text("reason", line, "ReadinessGatesNotReady");
    condition.text("message", line, gates);
    *draft.list("status.conditions", line) = vec![item(condition, line)];
}

/// What the STATUS column says of phase and containers.
struct Verdict<'t> {
    phase: Option<&'static str>,
    /// The column shows `status.reason`.
    is_pod_reason: bool,
    /// The state of the first container that is not ready.
    state: State<'t>,
    /// The state is that of an init container.
    of_init: bool,
}

enum State<'t> {
    Unknown,
    Running,
    Waiting(&'t str),
    Terminated { reason: Option<&'t str>, exit_code: Option<&'t str> },
}

impl<'t> Verdict<'t> {
    fn of(status: &'t str, restarted: bool) -> Self {
        let started = Some(if restarted { "Running" } else { "Pending" });
        let ended = Some(if restarted { "Running" } else { "Failed" });
        if let Some(init) = status.strip_prefix("Init:") {
            let state = if init.as_bytes()[..init.len().min(1)].is_ascii() && cells::ratio(init).is_some() {
                State::Unknown
            } else {
                container_state(init)
            };
            return Self { phase: Some("Pending"), is_pod_reason: false, state, of_init: true };
        }
        let (phase, is_pod_reason, state) = match status {
            "Running" | "NotReady" => (Some("Running"), false, State::Running),
            "Pending" | "SchedulingGated" => (Some("Pending"), false, State::Unknown),
            "Succeeded" => (Some("Succeeded"), false, State::Unknown),
            "Failed" => (Some("Failed"), false, State::Unknown),
            "Unknown" => (Some("Unknown"), false, State::Unknown),
            "Terminating" => (None, false, State::Unknown),
            "Completed" => (Some("Succeeded"), false, container_state(status)),
            "CrashLoopBackOff" => (Some("Running"), false, container_state(status)),
            "Evicted"
            | "NodeLost"
            | "NodeShutdown"
            | "NodeAffinity"
            | "Preempting"
            | "UnexpectedAdmissionError"
            | "DeadlineExceeded"
            | "Shutdown"
            | "Terminated" => (Some("Failed"), true, State::Unknown),
            _ if status.starts_with("OutOf") => (Some("Failed"), true, State::Unknown),
            _ => match container_state(status) {
                state @ State::Terminated { .. } => (ended, false, state),
                state => (started, false, state),
            },
        };
        Self { phase, is_pod_reason, state, of_init: false }
    }
}

/// The reason of a container's state: how it ended, else why it waits.
fn container_state(reason: &str) -> State<'_> {
    if let Some(code) = reason.strip_prefix("ExitCode:") {
        return State::Terminated { reason: None, exit_code: Some(code) };
    }
    match reason {
        "Completed" => State::Terminated { reason: Some(reason), exit_code: Some("0") },
        "OOMKilled" => State::Terminated { reason: Some(reason), exit_code: Some("137") },
        "Error" | "ContainerCannotRun" | "StartError" | "ContainerStatusUnknown" => {
            State::Terminated { reason: Some(reason), exit_code: None }
        }
        _ if reason.starts_with("Signal:") => State::Terminated { reason: None, exit_code: None },
        _ => State::Waiting(reason),
    }
}

/// One status a container, though the table does not tell their names. Restarts are counted for the whole pod; they are
/// taken to be those of the container that is not ready.
fn fill_statuses<'t>(draft: &mut Draft<'t>, verdict: &Verdict<'t>, ready: &str, total: &str, restarts: &'t str, line: u32) {
    let (ready, total) = (ready.parse().unwrap_or(0_usize), total.parse().unwrap_or(0_usize).min(64));
    let first_unready = (ready < total).then_some(ready);
    for i in 0..total {
        let mut status = Draft::default();
        status.flag("ready", line, i < ready);
        let troubled = first_unready.map_or(i == 0, |at| i == at);
        if i < ready {
            status.map("state.running", line);
        } else if troubled && !verdict.of_init {
            fill_state(&mut status, &verdict.state, line);
        }
        fill_restarts(&mut status, if troubled && !verdict.of_init { restarts } else { "0" }, line);
        draft.list("status.containerStatuses", line).push(item(status, line));
    }
    if verdict.of_init {
        let mut status = Draft::default();
        status.flag("ready", line, false);
        fill_state(&mut status, &verdict.state, line);
        fill_restarts(&mut status, restarts, line);
        draft.list("status.initContainerStatuses", line).push(item(status, line));
    }
}

fn fill_state<'t>(status: &mut Draft<'t>, state: &State<'t>, line: u32) {
    match state {
        State::Unknown => {}
        State::Running => drop(status.map("state.running", line)),
        State::Waiting(reason) => status.text("state.waiting.reason", line, *reason),
        State::Terminated { reason, exit_code } => {
            let terminated = status.map("state.terminated", line);
            if let Some(reason) = reason {
                terminated.text("reason", line, *reason);
            }
            if let Some(code) = exit_code {
                terminated.number("exitCode", line, code);
            }
        }
    }
}

/// `7 (3m ago)`: the last restart is when the run before it ended.
fn fill_restarts<'t>(status: &mut Draft<'t>, cell: &'t str, line: u32) {
    let (count, rest) = cell.split_once(" (").unwrap_or((cell, ""));
    status.number("restartCount", line, count);
    if let Some(age) = rest.strip_suffix(" ago)") {
        status.age("lastState.terminated.finishedAt", line, age);
    }
}
