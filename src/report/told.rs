//! A report as people read it: next to an object's name, texts do not begin with that name again.

use super::model::{Ref, Report};

/// `report` with the texts of symptoms, chains and moments shortened by the name of the object they stand beside.
pub(super) fn told(report: &Report) -> Report {
    let mut report = report.clone();
    for symptom in &mut report.symptoms {
        shorten(&mut symptom.what, &symptom.resource);
    }
    for finding in report.findings.iter_mut().chain(report.root_cause.as_mut()) {
        for link in &mut finding.chain {
            shorten(&mut link.what, &link.resource);
        }
    }
    for moment in &mut report.timeline {
        if let Some(object) = &moment.resource {
            shorten(&mut moment.what, object);
        }
    }
    report
}

/// Takes `Kind name`, `Kind ns/name` and what joins them to the rest from the beginning of `what`.
fn shorten(what: &mut String, object: &Ref) {
    let Some(rest) = without_name(what, object) else { return };
    let rest = rest.trim_start_matches([':', ',']).trim_start();
    if !rest.is_empty() {
        *what = rest.to_owned();
    }
}

fn without_name<'a>(what: &'a str, object: &Ref) -> Option<&'a str> {
    let head = what.get(..object.kind.len()).filter(|head| head.eq_ignore_ascii_case(&object.kind))?;
    let rest = what[head.len()..].strip_prefix(' ')?;
    let namespaced = object.namespace.as_deref().and_then(|ns| rest.strip_prefix(ns)?.strip_prefix('/'));
    let rest = namespaced.unwrap_or(rest).strip_prefix(object.name.as_str())?;
    rest.starts_with([' ', ':', ',']).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_once() {
        let object = Ref { api_version: String::new(), kind: "Pod".into(), namespace: Some("a".into()), name: "web-0".into() };
        for (what, told) in [
            ("Pod a/web-0: is not ready", "is not ready"),
            ("pod web-0 is not ready", "is not ready"),
            ("Pod web-01 is not ready", "Pod web-01 is not ready"),
            ("Pod a/web-0", "Pod a/web-0"),
            ("Pods are missing", "Pods are missing"),
            ("is not ready", "is not ready"),
        ] {
            let mut shortened = what.to_owned();
            shorten(&mut shortened, &object);
            assert_eq!(shortened, told);
        }
    }
}
