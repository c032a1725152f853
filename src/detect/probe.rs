//! Probes that judge wrongly: they ask a port nobody serves, in another language, at a wrong path, or too early.

use super::template::Template;
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Container};
use crate::decode::Event;

mod action;
mod complaint;
mod patch;
mod served;

use action::{Action, Kind, Probe};
use complaint::Complaint;
use served::Served;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "probes", run: probes }];

/// Ports of servers that speak a language of their own, not HTTP.
const OF_THEIR_OWN_LANGUAGE: [u16; 9] = [1433, 3306, 5432, 5672, 6379, 9042, 9092, 11211, 27017];

fn probes(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod") {
        let Some(template) = Template::of(cluster, pod) else { continue };
        for container in cluster.containers(pod) {
            for probe in Kind::ALL.into_iter().filter_map(|kind| Probe::of(&container, kind)) {
                let failing = Failing::new(cluster, &template, container, probe);
                out.extend(failing.filter(Failing::hurts).and_then(|f| f.finding()));
            }
        }
    }
}

/// A probe with what the kubelet says of its failures.
struct Failing<'a> {
    cluster: &'a Cluster,
    template: &'a Template<'a>,
    container: Container<'a>,
    probe: Probe<'a>,
    served: Served<'a>,
    /// The newest `Unhealthy` event of this probe.
    unhealthy: Option<&'a Event>,
    /// `Killing`, because of this probe.
    killing: Option<&'a Event>,
}

/// A cause with its strength and the facts it needs.
struct Judgement {
    cause: &'static str,
    strength: Strength,
    right: Option<u16>,
    wants: String,
}

impl<'a> Failing<'a> {
    fn new(cluster: &'a Cluster, template: &'a Template<'a>, container: Container<'a>, probe: Probe<'a>) -> Option<Self> {
        if is_of_a_former_template(cluster, template, &container, &probe) {
            return None;
        }
        let word = probe.kind.word();
        let alone = cluster.containers(container.pod).iter().filter(|c| Probe::of(c, probe.kind).is_some()).count() == 1;
        let about_it = |e: &&Event| match e.container() {
            Some(name) => name == container.name,
            None => {
                alone || e.message.contains(container.name) || probe.port.is_some_and(|p| e.message.contains(&format!(":{p}")))
            }
        };
        let events = || cluster.events_of(&container.pod.reference).filter(about_it);
        let unhealthy = events().filter(|e| e.reason == "Unhealthy" && e.message.starts_with(word)).last();
        let by_it = format!("{} probe", word.to_ascii_lowercase());
        let killing = events().filter(|e| e.reason == "Killing" && e.message.contains(&by_it)).last();
        let served = Served::of(cluster, &container, probe.kind);
        Some(Self { cluster, template, container, probe, served, unhealthy, killing })
    }

    /// The failures matter: the container is being restarted for them, or does not become ready.
    fn hurts(&self) -> bool {
        let container = &self.container;
        let complaints = self.unhealthy.map_or(0, |e| i64::from(e.count));
        match self.probe.kind {
            Kind::Readiness => container.is_unready(self.cluster) && !container.is_dying(self.cluster),
            Kind::Liveness | Kind::Startup => {
                let restarted = container.restarts() > 0 && container.end_reason() != "OOMKilled";
                let lately = container.is_dying(self.cluster) || self.was_killed_lately();
                let blamed = self.killing.is_some()
                    || complaints >= self.probe.number("failureThreshold")
                    || complaints > 0 && self.ran_as_long_as_allowed();
                let not_started = self.probe.kind == Kind::Startup
                    && container.status.get("started").as_bool() == Some(false)
                    && complaints > self.probe.number("failureThreshold") / 2;
                restarted && lately && blamed || not_started || restarted && lately && self.is_refuted_by_the_log()
            }
        }
    }

    /// The kubelet killed it and it ended in order: that is no dying of its own.
    fn was_killed_lately(&self) -> bool {
        self.killing.is_some_and(|e| self.cluster.is_current(e))
    }

    /// Without events: the log tells other ports than the one the probe asks, and SIGTERM or SIGKILL ended it.
    fn is_refuted_by_the_log(&self) -> bool {
        let killed = matches!(self.container.exit_code(), Some(137 | 143));
        let asks_elsewhere = self.probe.port.is_some_and(|p| !self.served.has(p)) && !self.served.told.is_empty();
        killed && asks_elsewhere && self.cluster.events_of(&self.container.pod.reference).next().is_none()
    }

    /// Its last run took as long as this probe allows, and ended by a signal.
    fn ran_as_long_as_allowed(&self) -> bool {
        const GRACE: i64 = 40;
        let ended = self.container.ended();
        let stamp = |field: &str| ended.get(field).text().parse::<jiff::Timestamp>().ok();
        let (Some(started), Some(finished)) = (stamp("startedAt"), stamp("finishedAt")) else { return false };
        let ran = finished.duration_since(started).as_secs();
        let budget = self.probe.budget();
        (budget - self.probe.number("periodSeconds")..=budget + GRACE).contains(&ran)
    }

    fn finding(&self) -> Option<Finding> {
        let complaint = self.unhealthy.map(|e| Complaint::of(&e.message));
        let judgement = match self.probe.kind {
            Kind::Startup => self.judge_startup(complaint),
            Kind::Liveness | Kind::Readiness => self.judge(complaint)?,
        };
        Some(self.described(&judgement))
    }

    fn judge(&self, complaint: Option<Complaint>) -> Option<Judgement> {
        let is_liveness = self.probe.kind == Kind::Liveness;
        let pick = |liveness, readiness| if is_liveness { liveness } else { readiness };
        let wrong_port = pick("liveness-probe-wrong-port", "readiness-probe-wrong-port");
        let wrong_protocol = pick("liveness-probe-wrong-protocol", "readiness-probe-wrong-protocol");
        let otherwise = pick("liveness-probe-timing", "readiness-probe-failing");
        let of = |cause, strength| Judgement { cause, strength, right: None, wants: String::new() };
        if let Some(wants) = self.other_language(complaint) {
            return Some(Judgement { wants, ..of(wrong_protocol, Strength::Proof) });
        }
        let judgement = match complaint {
            Some(Complaint::UnknownPort) => Judgement { right: self.served.instead_of(None), ..of(wrong_port, Strength::Proof) },
            Some(Complaint::OtherLanguage) => of(wrong_protocol, Strength::Statement),
            Some(Complaint::Status(400)) if self.probe.port.is_some_and(|p| p % 1000 == 443) => {
                Judgement { wants: "HTTPS".to_owned(), ..of(wrong_protocol, Strength::Statement) }
            }
            Some(Complaint::Status(code)) if is_liveness => {
                of("liveness-probe-wrong-path", if code < 500 { Strength::Proof } else { Strength::Statement })
            }
            Some(Complaint::Status(_)) => of(otherwise, Strength::Statement),
            Some(Complaint::NoConnection) => self.unanswered(wrong_port, otherwise),
            Some(Complaint::TooSlow | Complaint::Other) => of(otherwise, Strength::Statement),
            // No event tells how it fails: the log may.
            None if self.served.told.is_empty() || self.probe.port.is_none() => of(otherwise, Strength::Hint),
            None => self.unanswered(wrong_port, otherwise),
        };
        Some(judgement)
    }

    /// Nothing takes the connection: is it the wrong port, or is nobody there yet?
    fn unanswered(&self, wrong_port: &'static str, otherwise: &'static str) -> Judgement {
        let of = |cause, strength| Judgement { cause, strength, right: None, wants: String::new() };
        let Some(port) = self.probe.port else { return of(otherwise, Strength::Statement) };
        let right = self.served.instead_of(Some(port));
        let known_elsewhere = !self.served.told.is_empty() || self.served.answered.is_some();
        if self.served.has(port) {
            // It listens there once it is up: the probe came too early, or gives up too soon.
            of(otherwise, Strength::Statement)
        } else if known_elsewhere {
            Judgement { right, ..of(wrong_port, Strength::Proof) }
        } else if self.served.declared.contains(&port) || self.served.declared.is_empty() {
            of(otherwise, Strength::Statement)
        } else {
            Judgement { right, ..of(wrong_port, Strength::Statement) }
        }
    }

    /// The language the server on this port speaks, when it is another than the probe's.
    fn other_language(&self, complaint: Option<Complaint>) -> Option<String> {
        if matches!(complaint, Some(Complaint::Status(_))) {
            return None;
        }
        let same_port = |p: &Probe<'_>| p.port == self.probe.port && p.port.is_some();
        let differs = |p: &Probe<'_>| p.action.to_string() != self.probe.action.to_string() && p.action != Action::Tcp;
        if let Some(answered) = self.served.answered.filter(same_port).filter(|p| differs(p)) {
            return Some(answered.action.to_string());
        }
        let unintelligible = complaint == Some(Complaint::OtherLanguage);
        let sibling = Kind::ALL.into_iter().filter_map(|k| Probe::of(&self.container, k)).filter(same_port).find(differs);
        if let Some(sibling) = sibling.filter(|_| unintelligible) {
            return Some(sibling.action.to_string());
        }
        let speaks_http = matches!(self.probe.action, Action::Http { .. });
        let own = self.probe.port.is_some_and(|p| OF_THEIR_OWN_LANGUAGE.contains(&p));
        if speaks_http && own && !matches!(complaint, Some(Complaint::NoConnection | Complaint::TooSlow)) {
            return Some("TCP".to_owned());
        }
        match (self.probe.action, self.unhealthy) {
            _ if !unintelligible => None,
            (Action::Http { is_tls: true, .. }, _) => Some("HTTP".to_owned()),
            // The settings frame of HTTP/2 begins with its length and type.
            (Action::Http { .. }, Some(e)) if e.message.contains("\\x00\\x00") => Some("gRPC".to_owned()),
            (Action::Http { .. }, Some(e)) if e.message.contains("\\x15\\x03") => Some("HTTPS".to_owned()),
            (Action::Grpc, Some(e)) if e.message.contains("not implement the grpc") => None,
            (Action::Grpc, _) => Some("HTTP".to_owned()),
            _ => None,
        }
    }

    fn judge_startup(&self, complaint: Option<Complaint>) -> Judgement {
        let wrong = matches!(complaint, Some(Complaint::NoConnection | Complaint::UnknownPort) | None)
            && self.probe.port.is_some_and(|p| !self.served.has(p))
            && (!self.served.told.is_empty() || self.probe.port.is_some_and(|p| !self.served.declared.contains(&p)));
        Judgement {
            cause: "startup-probe-failing",
            strength: if complaint.is_some() { Strength::Statement } else { Strength::Hint },
            right: self.served.instead_of(self.probe.port).filter(|_| wrong),
            wants: String::new(),
        }
    }

    fn described(&self, judgement: &Judgement) -> Finding {
        let Self { container, probe, template, .. } = self;
        let pod = container.pod;
        let spec = Evidence::value(
            pod,
            probe.value,
            probe.kind.field(),
            judgement.strength.min(Strength::Statement),
            "what the probe asks",
        );
        let said = self.unhealthy.map(|e| {
            let says = format!("the kubelet tells how the {} probe fails", probe.kind.word().to_ascii_lowercase());
            Evidence::event(e, judgement.strength, says)
        });
        let message = self.unhealthy.map_or("the kubelet's messages are not in the bundle", |e| e.message.as_str());
        let message = message.split_once("probe failed: ").map_or(message, |(_, m)| m);
        let mut finding = match said {
            Some(event) => Finding::new(judgement.cause, template.carrier.clone(), event).evidence(spec),
            None => Finding::new(judgement.cause, template.carrier.clone(), spec),
        };
        if let Some(killing) = self.killing {
            finding =
                finding.evidence(Evidence::event(killing, Strength::Statement, "the kubelet restarts the container for it"));
        }
        if let Some(evidence) = judgement.right.and_then(|port| self.served.evidence(container, port)) {
            finding = finding.evidence(evidence);
        }
        if container.restarts() > 0 {
            let count = container.status.get("restartCount");
            let says = "it was restarted that often";
            finding =
                finding.evidence(Evidence::value(pod, count, "restartCount", Strength::Hint, says).of_kind(EvidenceKind::Status));
        }
        let path = match probe.action {
            Action::Http { path, .. } => path,
            _ => "",
        };
        let code = match Complaint::of(message) {
            Complaint::Status(code) => code.to_string(),
            _ => String::new(),
        };
        let port_field = format!("{}/{}/port", probe.kind.field(), probe.action.field());
        finding
            .fact("container", container.name)
            .fact("pod", pod.name())
            .fact("port", probe.port.map_or_else(String::new, |p| p.to_string()))
            .fact("right", judgement.right.map_or_else(String::new, |p| p.to_string()))
            .fact("declared", self.served.declared.clone())
            .fact("pointer", template.pointer_of(container, &port_field).unwrap_or_default())
            .fact("patch", patch::patch(template, container, probe, judgement.cause, &judgement.wants))
            .fact("message", message)
            .fact("speaks", probe.action.to_string())
            .fact("wants", judgement.wants.as_str())
            .fact("path", path)
            .fact("code", code)
            .fact("check", probe.describe())
            .fact("budget", probe.budget())
            .fact("initial_delay", probe.number("initialDelaySeconds"))
            .fact("period", probe.number("periodSeconds"))
            .fact("timeout", probe.number("timeoutSeconds"))
            .fact("threshold", probe.number("failureThreshold"))
            .affects([pod.reference.clone()])
    }
}

/// The object a person changes asks something else by now: this pod is on its way out. Injected sidecars rewrite probes, so
/// the pods they were injected into are not compared.
fn is_of_a_former_template(cluster: &Cluster, template: &Template<'_>, container: &Container<'_>, probe: &Probe<'_>) -> bool {
    let Some(spec) = template.container(container) else { return false };
    let n_containers = cluster.containers(container.pod).iter().filter(|c| c.list == container.list).count();
    let injected = n_containers != template.at(container.list).len();
    !injected && Probe::read(spec, probe.kind).is_none_or(|wanted| !wanted.is_like(probe))
}

#[cfg(test)]
mod tests;
