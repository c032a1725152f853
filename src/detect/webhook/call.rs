//! What the API server says of a webhook it could not call (kubernetes apiserver, `pkg/admission/plugin/webhook/errors`).

/// A call that failed, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call<'t> {
    /// The webhook's name inside its configuration.
    pub(super) webhook: &'t str,
    /// Namespace and name of the Service; empty when it is called by URL.
    pub(super) service: (&'t str, &'t str),
    pub(super) failure: Failure,
    /// The reason, without its frame.
    pub(super) why: &'t str,
}

/// Why it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody is there.
    Absent,
    Expired,
    /// Certificate and caBundle do not belong together.
    Untrusted,
    /// Any other fault of the certificate.
    Invalid,
    TimedOut,
}

impl<'t> Call<'t> {
    /// Reads an error text that may quote it, also with escaped quotes as JSON logs hold it.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let rest =
            ["failed calling webhook ", "failed calling admission webhook "].iter().find_map(|w| Some(text.split_once(w)?.1))?;
        let quoted = rest.trim_start_matches(['\\', '"']);
        let webhook = quoted.split(['"', '\\']).next()?;
        let service = rest.split_once("https://").map_or(("", ""), |(_, url)| service(url));
        let why = reason(rest);
        Some(Self { webhook, service, failure: Failure::of(why)?, why })
    }
}

/// `svc.ns.svc:443/path` → (ns, svc).
fn service(url: &str) -> (&str, &str) {
    let host = url.split([':', '/', '?', '"', '\\']).next().unwrap_or("");
    let mut labels = host.split('.');
    match (labels.next(), labels.next(), labels.next()) {
        (Some(name), Some(namespace), Some("svc")) => (namespace, name),
        _ => ("", ""),
    }
}

/// What stands after the URL.
fn reason(rest: &str) -> &str {
    const LONGEST: usize = 300;
    let after_url = rest.split_once("https://").and_then(|(_, url)| url.split_once(": "));
    let why = after_url.map_or(rest, |(_, why)| why).trim();
    let why = why.trim_end_matches(['"', '}', '\\', ' ', '\n']);
    &why[..why.floor_char_boundary(LONGEST)]
}

impl Failure {
    fn of(why: &str) -> Option<Self> {
        let text = why.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
        if has(&["certificate has expired"]) {
            // A certificate from the future is the clock's fault.
            return text.contains(" is after ").then_some(Self::Expired);
        }
        let failure = if has(&["no endpoints available", "not found", "connection refused", "no such host"]) {
            Self::Absent
        } else if has(&[
            "signed by unknown authority",
            "not valid for any names",
            "invalid signature",
            "unable to load root certificates",
        ]) {
            Self::Untrusted
        } else if has(&["x509:", "certificate", "tls:"]) {
            Self::Invalid
        } else if has(&[
            "deadline exceeded",
            "client.timeout",
            "i/o timeout",
            "timed out",
            "no route to host",
            ": eof",
            "connection reset",
        ]) {
            Self::TimedOut
        } else {
            return None;
        };
        Some(failure)
    }
}

/// A policy that says no: its name, and its words.
pub(super) fn denial(text: &str) -> Option<(&str, &str)> {
    const LONGEST: usize = 400;
    let (name, rest) = if let Some((_, rest)) = text.split_once("admission webhook \"") {
        let (name, rest) = rest.split_once('"')?;
        (name, rest.split_once("denied the request")?.1)
    } else {
        let (_, rest) = text.split_once("ValidatingAdmissionPolicy '")?;
        let (name, rest) = rest.split_once('\'')?;
        (name, rest.split_once("denied request")?.1)
    };
    let words = rest.trim_start_matches([':', ' ', '\n']);
    let words = words.strip_prefix("without explanation").unwrap_or(words).trim();
    Some((name, &words[..words.floor_char_boundary(LONGEST)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_why_a_call_failed() {
        let frame = "Internal error occurred: failed calling webhook \"w.example.com\": failed to call webhook: Post \"https://hook.sys.svc:443/mutate?timeout=10s\": ";
        let table = [
            ("no endpoints available for service \"hook\"", Some(Failure::Absent)),
            ("service \"hook\" not found", Some(Failure::Absent)),
            ("dial tcp 10.0.0.1:443: connect: connection refused", Some(Failure::Absent)),
            ("context deadline exceeded", Some(Failure::TimedOut)),
            (
                "x509: certificate has expired or is not yet valid: current time 2026-03-01T10:00:00Z is after 2026-02-01T10:00:00Z",
                Some(Failure::Expired),
            ),
            (
                "x509: certificate has expired or is not yet valid: current time 2026-03-01T10:00:00Z is before 2026-04-01T10:00:00Z",
                None,
            ),
            (
                "x509: certificate signed by unknown authority (possibly because of \"x509: invalid signature\")",
                Some(Failure::Untrusted),
            ),
            ("x509: certificate is valid for a.b.svc, not hook.sys.svc", Some(Failure::Invalid)),
        ];
        for (why, failure) in table {
            let text = format!("{frame}{why}");
            let call = Call::of(&text);
            assert_eq!(call.as_ref().map(|c| c.failure), failure, "{why}");
            if let Some(call) = call {
                assert_eq!((call.webhook, call.service, call.why), ("w.example.com", ("sys", "hook"), why.trim_end_matches('"')));
            }
        }
        let escaped = "failed calling webhook \\\"w\\\": Post \\\"https://h.s.svc:443/x\\\": service \\\"h\\\" not found\"}";
        assert_eq!(Call::of(escaped).map(|c| (c.webhook, c.service)), Some(("w", ("s", "h"))));
    }

    #[test]
    fn reads_who_denied() {
        let kyverno = "admission webhook \"validate.kyverno.svc-fail\" denied the request: policy x/y: no latest tag";
        assert_eq!(denial(kyverno), Some(("validate.kyverno.svc-fail", "policy x/y: no latest tag")));
        let native = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too many replicas";
        assert_eq!(denial(native), Some(("p", "too many replicas")));
        assert_eq!(denial("exceeded quota: q"), None);
    }
}
