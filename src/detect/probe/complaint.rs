//! What the kubelet says of a probe that failed (kubernetes `pkg/probe`).

/// Why a probe failed, by its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaint {
    /// Nothing took the connection.
    NoConnection,
    /// A server answered in another language.
    OtherLanguage,
    /// An HTTP status outside 200 to 399.
    Status(u16),
    /// No answer in time.
    TooSlow,
    /// The port has a name the container does not know.
    UnknownPort,
    /// A command ended with an error, or anything else.
    Other,
}

impl Complaint {
    pub(super) fn of(message: &str) -> Self {
        let text = message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
        if let Some((_, code)) = text.split_once("statuscode: ") {
            let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
            return digits.parse().map_or(Self::Other, Self::Status);
        }
        if has(&["couldn't find port", "invalid port number", "port by name"]) {
            Self::UnknownPort
        } else if has(&[
            "malformed http",
            "http response to https",
            "tls handshake",
            "does not look like a tls",
            "not implement the grpc",
        ]) || has(&[
            "frame too large",
            "unexpected http status code",
            "error reading server preface",
            "tls: ",
            "http/0.9",
        ]) {
            Self::OtherLanguage
        } else if has(&["connection refused", "failed to connect service", "no route to host", "connect: ", "actively refused"]) {
            // A gRPC probe waits for a connection until its time is over; that is no slow answer.
            Self::NoConnection
        } else if has(&["deadline exceeded", "timeout", "timed out", "did not complete within"]) {
            Self::TooSlow
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_each_prober_says() {
        let table = [
            ("Get \"http://10.0.0.1:8080/\": dial tcp 10.0.0.1:8080: connect: connection refused", Complaint::NoConnection),
            ("dial tcp 10.0.0.1:6379: i/o timeout", Complaint::TooSlow),
            (
                "timeout: failed to connect service \"10.0.0.1:7001\" within 1s: context deadline exceeded",
                Complaint::NoConnection,
            ),
            ("timeout: health rpc did not complete within 1s", Complaint::TooSlow),
            ("HTTP probe failed with statuscode: 404", Complaint::Status(404)),
            ("Get \"https://10.0.0.1/\": http: server gave HTTP response to HTTPS client", Complaint::OtherLanguage),
            ("malformed HTTP response \"\\x00\\x00\\x06\\x04\"", Complaint::OtherLanguage),
            ("error: this server does not implement the grpc health protocol", Complaint::OtherLanguage),
            (
                "Get \"http://10.0.0.1:80/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                Complaint::TooSlow,
            ),
            ("command timed out: \"sh -c x\" timed out after 1s", Complaint::TooSlow),
            ("cat: can't open '/tmp/ready': No such file or directory", Complaint::Other),
        ];
        for (text, complaint) in table {
            assert_eq!(Complaint::of(text), complaint, "{text}");
        }
    }
}
