//! Reports of connection tests: nc, curl, wget, telnet, ping, and scripts around them.

use std::sync::Arc;

use super::{Connectivity, Document, log};
use crate::location::Location;
use crate::time;

/// Characters kept of what a test said.
const KEPT: usize = 300;

/// The connections tried in `text`, when it is a report of such tests.
pub(super) fn read(path: &Arc<str>, first_line: u32, text: &str) -> Vec<Document> {
    let mut report = Report { path, from: None, target: None, found: Vec::new() };
    let (mut n_lines, mut n_known) = (0_usize, 0_usize);
    for (number, line) in (first_line..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        n_lines += 1;
        n_known += usize::from(report.line(number, line));
        // A log that mentions a refused connection is not a report: nearly every line of a report is a test.
        if n_lines == 50 && n_known * 2 < n_lines {
            return Vec::new();
        }
    }
    if n_known * 4 < n_lines * 3 { Vec::new() } else { report.found.into_iter().map(Document::Connectivity).collect() }
}

struct Report<'a> {
    path: &'a Arc<str>,
    /// Where the tests that follow start from.
    from: Option<String>,
    /// What is tested, and whether its result was told.
    target: Option<(Target, bool)>,
    found: Vec<Connectivity>,
}

#[derive(Clone)]
struct Target {
    host: String,
    port: Option<u16>,
}

impl Report<'_> {
    /// Takes a line; `false` when it is none of a report's.
    fn line(&mut self, number: u32, line: &str) -> bool {
        if let Some((from, rest)) = origin(line) {
            self.from = Some(from.to_owned());
            self.target = self.target.take().map(|(target, _)| (target, false));
            return rest.is_empty() || self.line(number, rest);
        }
        // What carries a stamp, or a level without anything being tested, is a program's log.
        let is_logged = time::leading(line.as_bytes()).is_some();
        if is_logged || (self.target.is_none() && log::level_of(line.as_bytes()).is_some()) {
            return false;
        }
        let reached = outcome(line);
        match (heading(line), reached) {
            (Some(target), None) => {
                self.announce(target);
                true
            }
            (_, Some(reached)) => {
                let own = target_in(line).filter(|_| is_of_a_tool(line));
                match (&mut self.target, own) {
                    // A test says several things about one target: the first counts, a failure outweighs it.
                    (Some((_, told)), _) if *told => {
                        if let Some(last) = self.found.last_mut().filter(|_| !reached) {
                            last.reached = false;
                        }
                    }
                    (Some((target, told)), _) => {
                        *told = true;
                        let target = target.clone();
                        self.add(target, number, line, reached);
                    }
                    (None, Some(target)) => self.add(target, number, line, reached),
                    (None, None) => return false,
                }
                true
            }
            (None, None) => false,
        }
    }

    /// Takes what is tested next. A second heading may say the same with less: `# shop/web:80`, `=== web:80 ===`.
    fn announce(&mut self, target: Target) {
        let says_less = |(known, told): &(Target, bool)| {
            !told && known.port == target.port && known.host.ends_with(&format!("/{}", target.host))
        };
        if !self.target.as_ref().is_some_and(says_less) {
            self.target = Some((target, false));
        }
    }

    fn add(&mut self, target: Target, number: u32, line: &str, reached: bool) {
        self.found.push(Connectivity {
            target: target.host,
            port: target.port,
            from: self.from.clone(),
            reached,
            says: line.chars().take(KEPT).collect(),
            location: Location::line(self.path, number),
        });
    }
}

/// Where tests start from, and what follows on the line: `Node: worker-1`, `# from node worker-1`, `from pod web-0: …`,
/// `Results on worker-1: …`.
fn origin(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_matches(['#', '=', '-', ' ']);
    let lower = line.to_ascii_lowercase();
    if let Some(start) = ["from node ", "from pod ", "from ", "node: ", "node "].iter().find(|s| lower.starts_with(**s)) {
        let (name, rest) = line.get(start.len()..)?.split_once(':').unwrap_or((line.get(start.len()..)?, ""));
        return is_name(name.trim()).then(|| (name.trim(), rest.trim()));
    }
    let (before, rest) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    let (_, name) = before.rsplit_once(" on ").or_else(|| before.rsplit_once(" from "))?;
    is_name(name).then(|| (name, rest.trim()))
}

/// A name of a node or pod.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
}

/// A line that names what is tested next: `# shop/web:80`, `== web.shop.svc:80 ==`, `$ nc -zv web 80`, `Testing web:80 ...`.
fn heading(line: &str) -> Option<Target> {
    let words = ["testing ", "test ", "checking ", "connecting to ", "target: ", "trying "];
    let lower = line.to_ascii_lowercase();
    let announced =
        line.starts_with(['#', '=', '$', '>']) || line.starts_with("--") || words.iter().any(|w| lower.starts_with(w));
    let bare = !line.contains(' ');
    (announced || bare).then(|| target_in(line)).flatten()
}

/// The first `host:port`, or `host port`, in a line.
fn target_in(line: &str) -> Option<Target> {
    let mut words = line.split([' ', '"', '\'', '(', ')', ',', '[', ']']).filter(|w| !w.is_empty()).peekable();
    while let Some(word) = words.next() {
        let word = word.trim_start_matches("http://").trim_start_matches("https://").trim_start_matches("tcp://");
        let names_a_tool = word.ends_with(':');
        let word = word.trim_end_matches([':', '.', '/', '!']);
        let host_and_port = word.rsplit_once(':').map(|(host, port)| (host, port.split('/').next().unwrap_or(port)));
        if let Some((host, port)) = host_and_port
            && let Ok(port) = port.parse::<u16>()
            && is_host(host)
        {
            return Some(Target { host: host.to_owned(), port: Some(port) });
        }
        // nc and curl: `web port 80`, `web 80`.
        let next = words.peek().copied().unwrap_or("");
        let port = if next == "port" { words.clone().nth(1).unwrap_or("") } else { next };
        if let Ok(port) = port.trim_end_matches([':', '/']).parse::<u16>()
            && is_host(word)
            && !names_a_tool
            && !matches!(word, "port" | "to")
        {
            return Some(Target { host: word.to_owned(), port: Some(port) });
        }
    }
    None
}

/// A name or an address, perhaps with a namespace before it.
fn is_host(text: &str) -> bool {
    let letters = text.bytes().any(|b| b.is_ascii_alphabetic()) || text.split('.').count() == 4;
    letters && !text.starts_with('-') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
}

/// The line names its target as nc, curl, wget, telnet or ping do.
fn is_of_a_tool(line: &str) -> bool {
    const TOOLS: &[&str] =
        &["nc: ", "nc ", "curl: ", "wget: ", "telnet: ", "ping: ", "Connection to ", "* connect", "* Failed to connect"];
    TOOLS.iter().any(|tool| line.starts_with(tool)) || line.ends_with(") open")
}

/// Whether a line says that a connection was made or failed.
fn outcome(line: &str) -> Option<bool> {
    const FAILED: &[&str] = &[
        "failed",
        "refused",
        "timed out",
        "timeout",
        "unreachable",
        "no route to host",
        "can't resolve",
        "could not resolve",
        "bad address",
        "not known",
        "nxdomain",
        "100% packet loss",
        " closed",
        "can't connect",
        "could not connect",
    ];
    const REACHED: &[&str] = &["succeeded", " open", "connected to ", "reachable", " 0% packet loss", "connection ok", " is ok"];
    // Whatever the status: somebody answered.
    let status = line.trim_start_matches(['<', ' ']).strip_prefix("HTTP/");
    if status.is_some_and(|s| s.split(' ').nth(1).is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit())))
    {
        return Some(true);
    }
    let lower = line.to_ascii_lowercase();
    if FAILED.iter().any(|w| lower.contains(w)) {
        return Some(false);
    }
    REACHED.iter().any(|w| lower.contains(w)).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(text: &str) -> Vec<String> {
        let show = |d| {
            let Document::Connectivity(c) = d else { return None };
            let port = c.port.map_or("-".to_owned(), |p| p.to_string());
            Some(format!("{} {}:{port} {}", c.from.unwrap_or_default(), c.target, if c.reached { "reached" } else { "failed" }))
        };
        read(&Arc::from("connectivity.txt"), 1, text).into_iter().filter_map(show).collect()
    }

    #[test]
    fn reads_a_report_with_headings() {
        let text = "# shop/web:80\nweb (10.0.0.1:80) open\nConnection Succeeded\n\n# shop/db:5432\nConnection Failed\n";
        assert_eq!(tests(text), [" shop/web:80 reached", " shop/db:5432 failed"]);
        let nodes = "== from node n1 ==\n# web:80\nopen: Connection Succeeded\n# from node n2\n# web:80\nnc: timed out\n";
        assert_eq!(tests(nodes), ["n1 web:80 reached", "n2 web:80 failed"]);
        let each = "# shop/web:80\n=== Service web:80 test ===\nTest pod on n1: web (10.0.0.1:80) open\nTest pod on n2: Connection Failed\n";
        assert_eq!(tests(each), ["n1 shop/web:80 reached", "n2 shop/web:80 failed"]);
    }

    #[test]
    fn reads_what_tools_print() {
        let cases = [
            ("nc: connect to db.shop port 5432 (tcp) failed: Connection refused", " db.shop:5432 failed"),
            ("Connection to db 5432 port [tcp/postgresql] succeeded!", " db:5432 reached"),
            ("curl: (7) Failed to connect to web.shop.svc port 80: Connection refused", " web.shop.svc:80 failed"),
            ("web (10.0.0.1:80) open", " 10.0.0.1:80 reached"),
        ];
        for (line, expected) in cases {
            assert_eq!(tests(line), [expected], "{line}");
        }
    }

    #[test]
    fn a_log_is_no_report() {
        let log = "starting\nlistening on :8080\nready\ndial tcp db:5432: connect: connection refused\nretrying\n";
        assert!(tests(log).is_empty());
        assert!(tests("2024-01-02T15:04:05Z db:5432 connection refused\n").is_empty());
        assert!(tests("[ERROR] 10.0.0.1:53: i/o timeout\n").is_empty());
        assert!(tests("").is_empty());
    }
}
