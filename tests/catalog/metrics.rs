//! Are alert expressions over metrics that some exporter really has?

use std::collections::BTreeSet;

/// Metrics of kube-state-metrics, cAdvisor, kubelet, API server, etcd, CoreDNS, node-exporter, cert-manager, Argo CD,
/// Flux and Actions Runner Controller, as far as the catalogue uses or may use them.
const KNOWN: &str = include_str!("metrics.txt");

/// Words of PromQL that are no metrics.
const KEYWORDS: &[&str] =
    &["and", "or", "unless", "bool", "inf", "nan", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"];

/// What is wrong with a PrometheusRule.
pub(crate) fn complaints(alert: &str) -> Vec<String> {
    let known: BTreeSet<&str> = KNOWN.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let mut found = Vec::new();
    for needed in ["alert:", "expr:", "for:"] {
        if !alert.contains(needed) {
            found.push(format!("the alert has no `{needed}`"));
        }
    }
    for metric in metrics(alert) {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|s| metric.strip_suffix(s)).unwrap_or(&metric);
        if !known.contains(metric.as_str()) && !known.contains(base) {
            found.push(format!("no known exporter has the metric `{metric}`"));
        }
    }
    found
}

/// Metrics the expressions of `alert` name.
fn metrics(alert: &str) -> BTreeSet<String> {
    let mut lines = alert.lines().peekable();
    let mut found = BTreeSet::new();
    while let Some(line) = lines.next() {
        let Some((indent, expression)) = line.split_once("expr:") else { continue };
        let mut expression = expression.trim().trim_start_matches(['|', '>', '-']).to_owned();
        // A block scalar goes on while lines are indented deeper.
        while let Some(next) = lines.next_if(|l| l.len() - l.trim_start().len() > indent.len() && !l.contains("for:")) {
            expression.push(' ');
            expression.push_str(next);
        }
        found.extend(names(&expression));
    }
    found
}

/// Names in a PromQL expression that are neither functions, keywords, labels nor durations.
fn names(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut braces, mut grouping) = (0, 0);
    let mut rest = expression;
    let mut last = String::new();
    while let Some(c) = rest.chars().next() {
        let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':')).collect();
        if c == '"' || c == '\'' {
            let end = rest[1..].find(c).map_or(rest.len(), |i| i + 2);
            rest = &rest[end..];
        } else if word.is_empty() {
            match c {
                '{' | '[' => braces += 1,
                '}' | ']' => braces -= 1,
                // What follows `by (` are labels.
                '(' if grouping > 0
                    || matches!(last.as_str(), "by" | "without" | "on" | "ignoring" | "group_left" | "group_right") =>
                {
                    grouping += 1
                }
                ')' if grouping > 0 => grouping -= 1,
                _ => {}
            }
            if !c.is_whitespace() {
                last.clear();
            }
            rest = &rest[c.len_utf8()..];
        } else {
            rest = &rest[word.len()..];
            let function = rest.trim_start().starts_with('(');
            let named = word.starts_with(|c: char| c.is_ascii_alphabetic());
            if braces == 0 && grouping == 0 && named && !function && !KEYWORDS.contains(&word.as_str()) {
                // An aggregation may be followed by its grouping: `sum by (pod) (…)`.
                let aggregation = ["by ", "by(", "without"].iter().any(|k| rest.trim_start().starts_with(k));
                if !aggregation {
                    found.push(word.clone());
                }
            }
            last = word;
        }
    }
    found
}

#[test]
fn reads_the_metrics_of_an_expression() {
    let expression = r#"sum by (namespace) (rate(a_total{job="x", pod=~"y"}[5m])) / on (namespace) group_left kube_b > 0.5 unless c offset 5m"#;
    assert_eq!(names(expression), ["a_total", "kube_b", "c"]);
}
