//! What names, labels and ports may look like (`k8s.io/apimachinery/pkg/util/validation`).

use super::{Fault, Refusal};
use crate::decode::Value;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// A DNS label: lower case, at most 63 characters.
pub(super) fn is_label(name: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    name.len() <= 63 && ends_alphanumeric(name) && name.bytes().all(inner)
}

/// A DNS subdomain: labels with dots, at most 253 characters.
pub(super) fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn ends_alphanumeric(text: &str) -> bool {
    let ok = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    ok(text.bytes().next()) && ok(text.bytes().last())
}

/// A port's name: at most 15 lower-case letters, digits and single dashes, with a letter.
pub(super) fn is_port_name(name: &str) -> bool {
    is_label(name) && name.len() <= 15 && !name.contains("--") && name.bytes().any(|b| b.is_ascii_lowercase())
}

fn is_label_value(value: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    value.is_empty() || value.len() <= 63 && ends_alphanumeric(value) && value.bytes().all(inner)
}

/// `app.kubernetes.io/name`: an optional DNS prefix and a name of at most 63 characters.
fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && !name.is_empty() && is_label_value(name),
        None => !key.is_empty() && is_label_value(key),
    }
}

/// Checks a map of labels.
pub(super) fn labels(labels: Value<'_>, path: &str, out: &mut Vec<Refusal>) {
    for (key, value) in labels.fields() {
        if !is_label_key(key) {
            out.push(Refusal::new(
                path,
                Fault::Invalid,
                key,
                "name part must consist of alphanumeric characters, '-', '_' or '.'",
            ));
        }
        let value = value.text();
        if value.chars().count() > 63 {
            out.push(Refusal::new(path, Fault::Invalid, value, "must be no more than 63 characters"));
        } else if !is_label_value(value) {
            out.push(Refusal::new(path, Fault::Invalid, value, LABEL_VALUE));
        }
    }
}

/// Checks a DNS label.
pub(super) fn label(name: &str, path: &str, out: &mut Vec<Refusal>) {
    if name.is_empty() {
        out.push(Refusal::new(path, Fault::Required, "", ""));
    } else if name.len() > 63 {
        out.push(Refusal::new(path, Fault::Invalid, name, "must be no more than 63 characters"));
    } else if !is_label(name) {
        out.push(Refusal::new(path, Fault::Invalid, name, LABEL));
    }
}

/// Checks a port's number.
pub(super) fn port(port: Value<'_>, path: &str, out: &mut Vec<Refusal>) {
    let valid = port.as_i64().is_some_and(|p| (1..=65_535).contains(&p));
    if !valid {
        out.push(Refusal::new(path, Fault::Invalid, port.text(), "must be between 1 and 65535, inclusive"));
    }
}
