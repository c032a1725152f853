//! Why a pull failed, from the runtime's words. containerd, dockerd and CRI-O pass the registry's answer on, each with a
//! frame of its own, so what decides is told by the words all of them keep.

/// What came between the kubelet and the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    RateLimited,
    NoSpace,
    /// The registry's name does not resolve; `true` when the resolver itself did not answer.
    Unresolved(bool),
    Tls,
    Unreachable,
    Signature,
    Architecture,
    Unusable,
    InvalidName,
    NeverPull,
    /// The registry wants (other) credentials.
    Unauthorized,
    /// The registry does not say whether the image is missing or private.
    MissingOrPrivate,
    NotFound,
}

impl Refusal {
    /// The cause it is, where nothing but the words decides.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::RateLimited => "image-pull-rate-limited",
            Self::NoSpace => "image-pull-no-space",
            Self::Unresolved(_) => "image-registry-dns-failure",
            Self::Tls => "image-registry-tls",
            Self::Unreachable => "image-registry-unreachable",
            Self::Signature => "image-signature-rejected",
            Self::Architecture => "image-arch-mismatch",
            Self::Unusable => "image-corrupt-or-schema-unsupported",
            Self::InvalidName => "image-invalid-name",
            Self::NeverPull => "image-never-pull",
            Self::Unauthorized => "image-pull-auth",
            Self::MissingOrPrivate | Self::NotFound => "image-not-found",
        }
    }

    /// Reads a waiting message or an event's message; `None` when it gives no reason.
    pub(super) fn of(message: &str) -> Option<Self> {
        let text = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
        let lookup = has(&["lookup ", "resolve host", "name resolution"]);
        // The order matters: a text may hold the words of several, and the most telling ones decide.
        let refusal = if has(&["toomanyrequests", "429 too many requests", "pull rate limit", "pull qps exceeded"]) {
            Self::RateLimited
        } else if has(&["no space left on device"]) {
            Self::NoSpace
        } else if has(&["no such host", "could not resolve host", "name or service not known"]) {
            Self::Unresolved(false)
        } else if has(&["server misbehaving", "temporary failure in name resolution"])
            || lookup && has(&["i/o timeout", "connection refused", "timed out"])
        {
            Self::Unresolved(true)
        } else if has(&["x509", "server gave http response to https client", "certificate", "remote error: tls"]) {
            Self::Tls
        } else if has(&["signaturevalidationfailed", "signature was required", "signature validation", "source image rejected"]) {
            Self::Signature
        } else if has(&["no matching manifest for", "no match for platform", "no image found in image index for architecture"])
            || has(&["cannot be used on this platform", "no image found in manifest list for architecture"])
            || has(&["does not match the specified platform", "exec format error"])
        {
            Self::Architecture
        } else if has(&["invalid reference format", "couldn't parse image", "invalid image name", "invalidimagename"])
            || has(&["unqualified-search registries", "short-name resolution enforced"])
        {
            Self::InvalidName
        } else if has(&["is not present with pull policy of never", "errimageneverpull"]) {
            Self::NeverPull
        } else if has(&["no basic auth credentials"]) {
            // The registry asked for a login and the runtime had none to give.
            Self::Unauthorized
        } else if has(&["pull access denied", "insufficient_scope"]) {
            Self::MissingOrPrivate
        } else if has(&["unauthorized", "401", "403 forbidden", "authentication required"])
            || has(&["failed to authorize", "denied:", "access to the resource is denied", "authorization failed"])
        {
            Self::Unauthorized
        } else if has(&["media type", "failed to verify layer", "schema1", "docker image format v1", "manifest schema"])
            || has(&["failed to extract layer", "invalid tar header", "unexpected commit digest", "failed to register layer"])
        {
            Self::Unusable
        } else if has(&["not found", "manifest unknown", "name unknown", "404", "does not exist", "name_unknown"]) {
            Self::NotFound
        } else if has(&["i/o timeout", "connection refused", "no route to host", "tls handshake timeout", "proxyconnect"])
            || has(&["network is unreachable", "connection reset", "registryunavailable", "client.timeout", "unexpected eof"])
            || has(&["deadline exceeded", "502 bad gateway", "503 service unavailable", "500 internal server error", ": eof"])
        {
            Self::Unreachable
        } else {
            return None;
        };
        Some(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runtime_tells_the_same_in_its_own_frame() {
        let frame = "failed to pull and unpack image \"r.example.com/a:1\": failed to resolve reference \"r.example.com/a:1\": ";
        let table = [
            ("r.example.com/a:1: not found", Refusal::NotFound),
            ("rpc error: code = Unknown desc = reading manifest 1 in r.example.com/a: manifest unknown", Refusal::NotFound),
            ("pull access denied, repository does not exist or may require authorization", Refusal::MissingOrPrivate),
            ("failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized", Refusal::Unauthorized),
            ("pulling from host r.example.com failed with status code [manifests 1]: 403 Forbidden", Refusal::Unauthorized),
            ("rpc error: code = Unknown desc = Error response from daemon: no basic auth credentials", Refusal::Unauthorized),
            ("toomanyrequests: You have reached your unauthenticated pull rate limit", Refusal::RateLimited),
            ("dial tcp: lookup r.example.com on 10.0.0.2:53: no such host", Refusal::Unresolved(false)),
            ("dial tcp: lookup r.example.com: i/o timeout", Refusal::Unresolved(true)),
            ("dial tcp 10.1.2.3:443: i/o timeout", Refusal::Unreachable),
            ("net/http: TLS handshake timeout", Refusal::Unreachable),
            ("x509: certificate signed by unknown authority", Refusal::Tls),
            ("http: server gave HTTP response to HTTPS client", Refusal::Tls),
            ("no match for platform in manifest: not found", Refusal::Architecture),
            ("failed to extract layer sha256:ab: write /x: no space left on device", Refusal::NoSpace),
            (
                "media type \"application/vnd.docker.distribution.manifest.v1+prettyjws\" is no longer supported",
                Refusal::Unusable,
            ),
            ("image operating system \"windows\" cannot be used on this platform", Refusal::Architecture),
            (
                "short-name \"a:1\" did not resolve to an alias and no unqualified-search registries are defined",
                Refusal::InvalidName,
            ),
            (
                "pull access denied, repository does not exist: authorization failed: no basic auth credentials",
                Refusal::Unauthorized,
            ),
            ("Source image rejected: A signature was required, but no signature exists", Refusal::Signature),
        ];
        for (text, refusal) in table {
            assert_eq!(Refusal::of(&format!("{frame}{text}")), Some(refusal), "{text}");
        }
        assert_eq!(Refusal::of("Back-off pulling image \"r.example.com/a:1\""), None);
    }
}
