//! What a probe asks, and how often (kubernetes `pkg/apis/core`, type Probe).

use std::fmt;

use crate::cluster::Container;
use crate::decode::Value;

/// The three probes of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Liveness,
    Readiness,
    Startup,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Liveness, Self::Readiness, Self::Startup];

    /// Its field in a container's spec.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Liveness => "livenessProbe",
            Self::Readiness => "readinessProbe",
            Self::Startup => "startupProbe",
        }
    }

    /// The kubelet's word for it: `Liveness probe failed: …`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
            Self::Startup => "Startup",
        }
    }
}

/// What a probe does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action<'a> {
    Http { path: &'a str, is_tls: bool },
    Tcp,
    Grpc,
    Exec,
}

impl Action<'_> {
    /// The field of the probe that holds it.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Http { .. } => "httpGet",
            Self::Tcp => "tcpSocket",
            Self::Grpc => "grpc",
            Self::Exec => "exec",
        }
    }
}

/// The language it speaks.
impl fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http { is_tls: true, .. } => "HTTPS",
            Self::Http { is_tls: false, .. } => "HTTP",
            Self::Tcp => "TCP",
            Self::Grpc => "gRPC",
            Self::Exec => "a command",
        })
    }
}

/// A probe of a container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe<'a> {
    pub(super) kind: Kind,
    pub(super) value: Value<'a>,
    pub(super) action: Action<'a>,
    /// The port it asks; `None` for a command, and for a name no port of the container has.
    pub(super) port: Option<u16>,
}

impl<'a> Probe<'a> {
    /// The container's probe of that kind.
    pub(super) fn of(container: &Container<'a>, kind: Kind) -> Option<Self> {
        Self::read(container.spec, kind)
    }

    /// The probe of that kind in a container's spec.
    pub(super) fn read(spec: Value<'a>, kind: Kind) -> Option<Self> {
        let value = spec.get(kind.field());
        let http = value.get("httpGet");
        let (action, asked) = if http.exists() {
            let path = Some(http.get("path").text()).filter(|p| !p.is_empty()).unwrap_or("/");
            (Action::Http { path, is_tls: http.get("scheme").text() == "HTTPS" }, http.get("port"))
        } else if value.get("tcpSocket").exists() {
            (Action::Tcp, value.path("tcpSocket.port"))
        } else if value.get("grpc").exists() {
            (Action::Grpc, value.path("grpc.port"))
        } else if value.get("exec").exists() {
            (Action::Exec, Value::ABSENT)
        } else {
            return None;
        };
        let ports = spec.get("ports");
        let named = || {
            // A description leaves out the names of ports: a name then means the only port there is.
            let only = ports.items().next().filter(|p| ports.len() == 1 && !p.get("name").exists() && asked.exists());
            let port = ports.items().find(|p| p.get("name").text() == asked.text()).or(only)?;
            port.get("containerPort").text().parse().ok()
        };
        let port = asked.text().parse().ok().or_else(named);
        Some(Self { kind, value, action, port })
    }

    /// Seconds, or how many: a number of the probe with the default the API server fills in.
    pub(super) fn number(&self, field: &str) -> i64 {
        let default = match field {
            "periodSeconds" => 10,
            "failureThreshold" => 3,
            "timeoutSeconds" | "successThreshold" => 1,
            _ => 0,
        };
        self.value.get(field).as_i64().unwrap_or(default)
    }

    /// Seconds from the container's start until this probe gives it up.
    pub(super) fn budget(&self) -> i64 {
        self.number("initialDelaySeconds") + self.number("periodSeconds") * self.number("failureThreshold")
    }

    /// The two ask the same thing at the same pace, as far as both tell.
    pub(super) fn is_like(&self, other: &Probe<'_>) -> bool {
        const PACE: [&str; 4] = ["initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"];
        let same_pace = PACE.iter().all(|field| {
            let (ours, theirs) = (self.value.get(field), other.value.get(field));
            !ours.exists() || !theirs.exists() || ours.text() == theirs.text()
        });
        // A description leaves out the names of ports, so that a probe which asks a name asks an unknown port.
        let same_port = self.port.is_none() || other.port.is_none() || self.port == other.port;
        self.action == other.action && same_port && same_pace
    }

    /// `GET /healthz on port 8080`, `cat /tmp/ready`.
    pub(super) fn describe(&self) -> String {
        let port = self.port.map_or_else(|| "an unknown port".to_owned(), |p| format!("port {p}"));
        match self.action {
            Action::Http { path, .. } => format!("{} GET {path} on {port}", self.action),
            Action::Tcp => format!("a TCP connection to {port}"),
            Action::Grpc => format!("the gRPC health service on {port}"),
            Action::Exec => self.value.path("exec.command").items().map(Value::text).collect::<Vec<_>>().join(" "),
        }
    }
}
