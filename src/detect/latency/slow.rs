//! Which services became slow, from time series or from what monitoring says of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::cluster::Cluster;
use crate::decode::Ref;
use crate::detect::symptom::alert_subject;
use crate::location::Location;

/// A response time before and in the incident, in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Slow {
    pub(super) before: f64,
    pub(super) now: f64,
    /// Where it is told, and in which words.
    pub(super) location: Location,
    pub(super) told: String,
}

/// Slower by less than this many times, or by fewer milliseconds, is no incident.
const TIMES: f64 = 8.0;
const MILLISECONDS: f64 = 100.0;

impl Slow {
    fn is_slow(&self) -> bool {
        self.now > self.before * TIMES && self.now - self.before > MILLISECONDS
    }

    /// How many times slower.
    pub(super) fn times(&self) -> f64 {
        self.now / self.before.max(0.1)
    }
}

/// Services by workload: response times that are told, whether slow or not.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) slow: BTreeMap<Ref, Slow>,
    /// All workloads whose response time is known and not nothing.
    pub(super) known: Vec<Ref>,
}

/// Time series where there are any: they tell of all services alike. Else what alerts say, which tell of some.
pub(super) fn times(cluster: &Cluster) -> Times {
    let of_series = of_series(cluster);
    if of_series.known.is_empty() { of_alerts(cluster) } else { of_series }
}

/// A name of a metric that measures how long answers take.
fn is_latency(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["latency", "duration", "response_time", "responsetime"].iter().any(|w| name.contains(w)) && !name.contains("count")
}

fn of_series(cluster: &Cluster) -> Times {
    let mut times = Times::default();
    for metric in cluster.metrics.iter().filter(|m| is_latency(&m.name) && m.samples.len() >= 8) {
        let Some(workload) = alert_subject(cluster, "", None, &metric.subject).map(|r| workload(cluster, &r)) else { continue };
        let values: Vec<f64> = metric.samples.iter().map(|(_, v)| *v).collect();
        // The incident is what a bundle is collected for: its second half lies within it, its first quarter before.
        let before = median(&values[..values.len() / 4]);
        let now = median(&values[values.len() / 2..]);
        if now <= 0.0 {
            continue;
        }
        // Seconds or milliseconds: services answer within seconds, and not within microseconds.
        let scale = if metric.name.to_ascii_lowercase().contains("second") { 1e3 } else { 1.0 };
        let (before, now) = (before * scale, now * scale);
        let told = format!("{} {}: {before:.1} ms before, {now:.1} ms now", metric.subject, metric.name);
        let slow = Slow { before, now, location: metric.location.clone(), told };
        times.add(workload, slow);
    }
    times
}

/// `p90latency: Normal=4.8ms -> Current=2.3s`, `response time 12 ms → 900 ms`.
static CHANGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s)\b";
    Regex::new(&format!(
        r"(?i)(?:latency|duration|response[ _]?time)[^|:0-9]*:?[^0-9|]*{number}[^0-9|]*(?:->|→|\bto\b)[^0-9|]*{number}"
    ))
    .ok()
});

fn of_alerts(cluster: &Cluster) -> Times {
    let mut times = Times::default();
    if cluster.alerts.is_empty() {
        return times;
    }
    let Some(change) = CHANGE.as_ref() else { return times };
    for alert in &cluster.alerts {
        let subject = alert_subject(cluster, &alert.subject_kind, alert.subject_namespace.as_deref(), &alert.subject);
        let Some(workload) = subject.map(|r| workload(cluster, &r)).filter(|r| r.kind != "Node") else { continue };
        for captures in change.captures_iter(&alert.what) {
            let milliseconds = |value: usize, unit: usize| {
                let number: f64 = captures[value].parse().unwrap_or(0.0);
                if captures[unit].eq_ignore_ascii_case("s") { number * 1e3 } else { number }
            };
            let (before, now) = (milliseconds(1, 2), milliseconds(3, 4));
            let told = format!("{}: {}", alert.subject, captures[0].trim());
            times.add(workload.clone(), Slow { before, now, location: alert.location.clone(), told });
        }
    }
    times
}

impl Times {
    fn add(&mut self, workload: Ref, slow: Slow) {
        if !self.known.contains(&workload) {
            self.known.push(workload.clone());
        }
        let worse = self.slow.get(&workload).is_none_or(|known| slow.now > known.now);
        if slow.is_slow() && worse {
            self.slow.insert(workload, slow);
        }
    }
}

/// The workload behind a service, or at the top of what made an object.
pub(super) fn workload(cluster: &Cluster, object: &Ref) -> Ref {
    let Some(resource) = cluster.get(object) else { return object.clone() };
    if resource.kind() != "Service" {
        return cluster.top_owner_ref(resource);
    }
    cluster.pods_behind(resource).next().map_or_else(|| object.clone(), |p| cluster.top_owner_ref(p))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_changes_in_the_words_of_monitoring() {
        let change = CHANGE.as_ref().unwrap();
        let numbers =
            |text: &str| change.captures(text).map(|c| (c[1].to_owned(), c[2].to_owned(), c[3].to_owned(), c[4].to_owned()));
        let told = |a: &str, b: &str, c: &str, d: &str| Some((a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned()));
        assert_eq!(numbers("web-p90latency: Normal=4.80ms -> Current=2310.5ms (+4%)"), told("4.80", "ms", "2310.5", "ms"));
        assert_eq!(numbers("response time rose from 12 ms to 1.5 s"), told("12", "ms", "1.5", "s"));
        assert_eq!(numbers("RPS | Normal=12req/s -> Current=4req/s"), None);
    }

    #[test]
    fn small_changes_are_none() {
        let at = |before: f64, now: f64| Slow {
            before,
            now,
            location: Location::file(&std::sync::Arc::from("m.csv")),
            told: String::new(),
        };
        assert!(at(5.0, 500.0).is_slow());
        assert!(!at(0.5, 5.0).is_slow());
        assert!(!at(400.0, 900.0).is_slow());
    }
}
