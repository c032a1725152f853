//! The catalogue in words, for `coroner rules list` and `coroner rules show`: the documentation of a cause is its entry.

use std::fmt::Write;

use super::schema::{Cause, Condition, Culprit, Fix, Severity, Sign, Standing, Test};
use super::{Catalog, Layer, prose};

/// Columns that descriptions are wrapped to.
const WIDTH: usize = 100;

/// Every cause on a line, by layer of explanation, the deepest first.
pub fn list(catalog: &Catalog) -> String {
    let mut causes: Vec<&Cause> = catalog.causes().iter().collect();
    causes.sort_by(|a, b| (a.layer, &a.id).cmp(&(b.layer, &b.id)));
    let widest = causes.iter().map(|c| c.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut layer: Option<Layer> = None;
    for cause in causes {
        if layer != Some(cause.layer) {
            let gap = if layer.is_some() { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{}", cause.layer);
            layer = Some(cause.layer);
        }
        let _ = writeln!(text, "  {:widest$}  {:8}  {}", cause.id, cause.severity, prose::sketch(&cause.title));
    }
    text
}

/// All that an entry says of its cause.
pub fn show(cause: &Cause) -> String {
    let mut page = Page { text: format!("{}\n{}\n", cause.id, prose::sketch(&cause.title)) };
    page.heading("At a glance");
    page.line(&format!("{} in layer {}", severity(cause.severity), cause.layer));
    if let Some(version) = &cause.since {
        page.line(&format!("since {version}"));
    }
    match cause.standing {
        Standing::Cause => {}
        Standing::LastResort => page.line("named as the root cause only where nothing else is found"),
        Standing::Symptom => page.line("a symptom: it says what hurts and not why, and is never the root cause"),
    }
    if !cause.aliases.is_empty() {
        page.line(&format!("formerly {}", cause.aliases.join(", ")));
    }
    page.heading("Seen when");
    for sign in &cause.signs {
        page.item(&sign_in_words(sign));
    }
    if let Some(detector) = &cause.detector {
        page.item(&format!("the detector {detector} computes it"));
    }
    page.heading("Because");
    page.paragraph(&cause.because);
    page.list("Explains", &cause.explains);
    page.fix(&cause.fix);
    if let Some(wrong) = &cause.false_positives {
        page.heading("False positives");
        page.paragraph(wrong);
    }
    page.list("Documentation", &cause.docs);
    page.text
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info: untidy, hurts nothing",
        Severity::Warning => "warning: hurts a little or soon",
        Severity::Error => "error: something does not work",
        Severity::Critical => "critical: something vital does not work",
    }
}

/// A text under way.
struct Page {
    text: String,
}

impl Page {
    fn heading(&mut self, heading: &str) {
        let _ = writeln!(self.text, "\n{heading}");
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "  {line}");
    }

    fn wrapped(&mut self, text: &str, first: &str, rest: &str) {
        let options = textwrap::Options::new(WIDTH).initial_indent(first).subsequent_indent(rest).break_words(false);
        let _ = writeln!(self.text, "{}", textwrap::fill(&prose::sketch(text), options));
    }

    fn paragraph(&mut self, text: &str) {
        self.wrapped(text, "  ", "  ");
    }

    fn item(&mut self, text: &str) {
        self.wrapped(text, "  - ", "    ");
    }

    fn list(&mut self, heading: &str, items: &[String]) {
        if !items.is_empty() {
            self.heading(heading);
            items.iter().for_each(|item| self.item(item));
        }
    }

    fn commands(&mut self, heading: &str, commands: &[String]) {
        if !commands.is_empty() {
            self.heading(heading);
            commands.iter().for_each(|command| self.line(&format!("$ {}", prose::sketch(command))));
        }
    }

    /// A text whose lines stand as they are: a patch, an alert rule.
    fn verbatim(&mut self, heading: &str, text: &str) {
        self.heading(heading);
        prose::sketch(text).trim_end().lines().for_each(|line| self.line(line));
    }

    fn fix(&mut self, fix: &Fix) {
        self.heading("Fix");
        self.paragraph(&fix.summary);
        for (i, step) in fix.steps.iter().enumerate() {
            self.wrapped(step, &format!("  {}. ", i + 1), "     ");
        }
        if let Some(patch) = &fix.patch {
            let target = patch.target.as_deref().map_or_else(|| "the culprit".to_owned(), prose::sketch);
            self.verbatim(&format!("Patch ({}) of {target}", patch.kind), &patch.yaml);
        }
        self.commands("Commands", &fix.commands);
        self.commands("Verify", &fix.verify);
        self.list("Prevent", &fix.prevent);
        self.list("Avoid", &fix.avoid);
        fix.alerts.iter().for_each(|alert| self.verbatim("Alert", alert));
    }
}

/// `an event whose reason is "Failed", matching /…/; it blames the pod's top owner (statement): the kubelet says …`
fn sign_in_words(sign: &Sign) -> String {
    let thing = match sign.on.as_str() {
        "container" => "a container".to_owned(),
        "event" => "an event".to_owned(),
        "log" => "a log line".to_owned(),
        "node-service" => "a service of a node".to_owned(),
        "alert" => "an alert".to_owned(),
        kind => format!("{} {kind}", if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }),
    };
    let mut parts: Vec<String> = sign.conditions.iter().map(|(path, c)| condition_in_words(path, c)).collect();
    if let Some(expression) = &sign.when {
        parts.push(format!("for which {}", expression.as_str().trim()));
    }
    if let Some(take) = &sign.take {
        let field = sign.field.as_deref().unwrap_or(match sign.on.as_str() {
            "event" | "container" => "message",
            "log" | "node-service" => "text",
            "alert" => "what",
            _ => "status.message",
        });
        parts.push(format!("{field} matching /{}/", take.as_str()));
    }
    let conditions = if parts.is_empty() { String::new() } else { format!(" with {}", parts.join(" and ")) };
    let culprit = match &sign.culprit {
        Culprit::TopOwner => "the object at the top of the owner chain".to_owned(),
        Culprit::Itself => "the object itself".to_owned(),
        Culprit::Node => "the node".to_owned(),
        Culprit::Namespace => "the namespace".to_owned(),
        Culprit::Object(template) => template.clone(),
    };
    format!("{thing}{conditions}: {} ({}; blames {culprit})", sign.says, sign.strength)
}

fn condition_in_words(path: &str, condition: &Condition) -> String {
    match condition {
        Condition::Equals(value) => format!("{path} {value}"),
        Condition::Test(test) => test_in_words(path, test),
    }
}

fn test_in_words(path: &str, test: &Test) -> String {
    let mut words = Vec::new();
    if let Some(part) = &test.contains {
        words.push(format!("{path} containing {part:?}"));
    }
    if let Some(expression) = &test.matches {
        words.push(format!("{path} matching /{}/", expression.as_str()));
    }
    if let Some(values) = &test.one_of {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        words.push(format!("{path} one of {}", values.join(", ")));
    }
    if let Some(value) = &test.not {
        words.push(format!("{path} not {value}"));
    }
    if let Some(exists) = test.exists {
        words.push(format!("{} {path}", if exists { "a" } else { "no" }));
    }
    if let Some(limit) = test.above {
        words.push(format!("{path} above {limit}"));
    }
    if let Some(limit) = test.below {
        words.push(format!("{path} below {limit}"));
    }
    if let Some(any) = &test.any {
        let inner: Vec<String> = any.iter().map(|(path, c)| condition_in_words(path, c)).collect();
        words.push(format!("an item of {path} with {}", inner.join(" and ")));
    }
    words.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_its_own_documentation() {
        let text = r#"
            [[cause]]
            id = "disk-full"
            title = "Disk {{ disk }} of {{ ref }} is full"
            severity = "critical"
            layer = "node"
            because = "Nothing can be written{% if disk %} to {{ disk }}{% endif %}."
            docs = ["https://example.org/disks"]
            [[cause.sign]]
            on = "event"
            where = { reason = "Full", count = { above = 2 } }
            take = 'disk (?<disk>\S+)'
            culprit = "node"
            says = "{{ disk }} is full"
            [cause.fix]
            summary = "Make room."
            commands = ["kubectl describe {{ resource }}"]
            avoid = ["Deleting the node: the disk stays full."]
        "#;
        let mut catalog = Catalog::default();
        catalog.extend("test.toml", text, &[]).unwrap();
        assert_eq!(list(&catalog), "node\n  disk-full  critical  Disk <disk> of <ref> is full\n");
        let page = show(&catalog.causes()[0]);
        for line in [
            "  critical: something vital does not work in layer node",
            "  - an event with reason \"Full\" and count above 2 and message matching /disk (?<disk>\\S+)/: <disk>",
            "  Nothing can be written to <disk>.",
            "  $ kubectl describe <resource>",
            "  - Deleting the node: the disk stays full.",
            "  - https://example.org/disks",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
