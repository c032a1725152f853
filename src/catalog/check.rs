//! Every static check of a rules file: what a user's file must pass to be loaded, and the built-in one in the tests.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::prose;
use super::schema::{Cause, Condition, Culprit, File, Sign, Test};
use super::source::{Fault, Source, Step};
use crate::literal;
use crate::regexp::Regexp;

/// Fields that signs on other things than objects know.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "event",
        &[
            "reason",
            "message",
            "type",
            "source",
            "count",
            "container",
            "regarding.kind",
            "regarding.name",
            "regarding.namespace",
            "regarding.fieldPath",
        ],
    ),
    ("log", &["container", "pod", "namespace", "path", "line"]),
    ("node-service", &["unit", "active", "sub", "node", "lines"]),
    ("alert", &["name", "what", "subject", "subject.kind", "subject.namespace"]),
];

/// What the entries of a file may refer to beside each other.
pub(super) struct Known<'k> {
    /// Ids of the causes loaded before.
    pub(super) causes: BTreeSet<&'k str>,
    /// Names of detectors.
    pub(super) detectors: &'k [&'k str],
}

/// All faults of `file`, which was read from `source`.
pub(super) fn faults(file: &File, source: &Source<'_>, known: &Known<'_>) -> Vec<Fault> {
    let mut check = Check { source, known, faults: Vec::new(), way: Vec::new() };
    let ids: BTreeSet<&str> = file.cause.iter().map(|c| c.id.as_str()).collect();
    let mut seen = BTreeSet::new();
    for (i, cause) in file.cause.iter().enumerate() {
        check.within(&[Step::Key("cause"), Step::Item(i)], |check| {
            check.at("id", |check| check.id(&cause.id, &mut seen));
            for (i, alias) in cause.aliases.iter().enumerate() {
                check.within(&[Step::Key("aliases"), Step::Item(i)], |check| check.id(alias, &mut seen));
            }
            check.cause(cause, &ids);
        });
    }
    let mut seen = BTreeSet::new();
    for (i, signal) in file.signal.iter().enumerate() {
        check.within(&[Step::Key("signal"), Step::Item(i)], |check| {
            check.at("id", |check| check.id(&signal.id, &mut seen));
            check.at("regex", |check| check.log_regexp(&signal.regex));
        });
    }
    check.faults
}

struct Check<'a> {
    source: &'a Source<'a>,
    known: &'a Known<'a>,
    faults: Vec<Fault>,
    /// The way to the entry that is being checked.
    way: Vec<Step<'a>>,
}

impl<'a> Check<'a> {
    fn within(&mut self, steps: &[Step<'a>], check: impl FnOnce(&mut Self)) {
        let depth = self.way.len();
        self.way.extend(steps);
        check(self);
        self.way.truncate(depth);
    }

    fn at(&mut self, key: &'a str, check: impl FnOnce(&mut Self)) {
        self.within(&[Step::Key(key)], check);
    }

    fn fault(&mut self, what: impl Into<String>, help: Option<String>) {
        self.faults.push(Fault { span: self.source.place(&self.way), what: what.into(), help });
    }

    fn id<'i>(&mut self, id: &'i str, seen: &mut BTreeSet<&'i str>) {
        if !is_kebab(id) {
            self.fault(
                format!("the id `{id}` is not kebab-case"),
                Some("write it in lower case, as in `image-not-found`".into()),
            );
        }
        if !seen.insert(id) {
            self.fault(format!("the id `{id}` is given twice in this file"), None);
        }
    }

    fn cause(&mut self, cause: &'a Cause, ids: &BTreeSet<&str>) {
        if cause.signs.is_empty() && cause.detector.is_none() {
            let help = "give it a `[[cause.sign]]` or a `detector`";
            self.at("id", |check| check.fault(format!("nothing tells when `{}` is there", cause.id), Some(help.into())));
        }
        if let Some(detector) = &cause.detector
            && !self.known.detectors.contains(&detector.as_str())
        {
            let known = self.known.detectors.join(", ");
            self.at("detector", |check| {
                check.fault(format!("there is no detector `{detector}`"), Some(format!("detectors are: {known}")));
            });
        }
        for (i, other) in cause.explains.iter().enumerate() {
            if !ids.contains(other.as_str()) && !self.known.causes.contains(other.as_str()) {
                self.within(&[Step::Key("explains"), Step::Item(i)], |check| {
                    check.fault(format!("no cause is called `{other}`"), Some("`coroner rules list` names them all".into()));
                });
            }
        }
        for (i, link) in cause.docs.iter().enumerate() {
            if !link.starts_with("https://") {
                self.within(&[Step::Key("docs"), Step::Item(i)], |check| check.fault("a link must begin with https://", None));
            }
        }
        for (i, sign) in cause.signs.iter().enumerate() {
            self.within(&[Step::Key("sign"), Step::Item(i)], |check| check.sign(sign));
        }
        self.templates(cause);
    }

    /// Templates of a cause may speak of the standard facts, of declared ones, and of what any of its signs gives: what one
    /// finding does not give is empty there.
    fn templates(&mut self, cause: &'a Cause) {
        let mut facts: BTreeSet<&str> = prose::STANDARD_FACTS.iter().copied().collect();
        facts.extend(cause.facts.iter().map(String::as_str));
        facts.extend(cause.signs.iter().flat_map(Sign::facts));
        if !cause.signs.is_empty() {
            facts.extend(prose::SIGN_FACTS);
        }
        self.at("title", |check| check.template(&cause.title, &facts));
        self.at("because", |check| check.template(&cause.because, &facts));
        self.at("fix", |check| {
            let fix = &cause.fix;
            check.at("summary", |check| check.template(&fix.summary, &facts));
            let lists = [
                ("steps", &fix.steps),
                ("commands", &fix.commands),
                ("verify", &fix.verify),
                ("prevent", &fix.prevent),
                ("alerts", &fix.alerts),
                ("avoid", &fix.avoid),
            ];
            for (key, texts) in lists {
                for (i, text) in texts.iter().enumerate() {
                    check.within(&[Step::Key(key), Step::Item(i)], |check| check.template(text, &facts));
                }
            }
            if let Some(patch) = &fix.patch {
                check.at("patch", |check| {
                    check.at("yaml", |check| check.template(&patch.yaml, &facts));
                    if let Some(target) = &patch.target {
                        check.at("target", |check| check.object(target, &facts));
                    }
                });
            }
        });
    }

    fn template(&mut self, template: &str, facts: &BTreeSet<&str>) {
        if let Some(what) = prose::unknown(template) {
            self.fault(format!("the template cannot be rendered: {what}"), None);
        }
        match prose::variables(template) {
            Err(e) => self.fault(format!("the template does not parse: {}", e.detail().unwrap_or("syntax error")), None),
            Ok(names) => {
                for name in names.iter().filter(|n| !facts.contains(n.as_str())) {
                    let known = facts.iter().copied().collect::<Vec<_>>().join(", ");
                    let help = format!("known here: {known}; name others under `facts`, or capture them with a sign");
                    self.fault(format!("the template speaks of `{name}`, which nothing gives"), Some(help));
                }
            }
        }
    }

    /// `Kind/namespace/name` as a template.
    fn object(&mut self, template: &str, facts: &BTreeSet<&str>) {
        self.template(template, facts);
        let sketch = prose::sketch(template);
        let parts: Vec<&str> = sketch.splitn(3, '/').collect();
        let names_kind = parts[0].starts_with(|c: char| c.is_ascii_uppercase() || c == '<');
        if parts.len() < 3 || parts.iter().any(|p| p.trim().is_empty()) || !names_kind {
            let help = "write `Kind/namespace/name`, with `-` for no namespace";
            self.fault(format!("`{template}` does not name an object"), Some(help.into()));
        }
    }

    fn sign(&mut self, sign: &'a Sign) {
        let of_kind = sign.on.starts_with(|c: char| c.is_ascii_uppercase());
        let fields = FIELDS.iter().find(|(on, _)| *on == sign.on).map(|(_, fields)| *fields);
        if !of_kind && fields.is_none() && sign.on != "container" {
            let help = "a sign is on a kind (`Pod`), or on `container`, `event`, `log`, `node-service` or `alert`";
            self.at("on", |check| check.fault(format!("`{}` is nothing a sign can be on", sign.on), Some(help.into())));
        }
        self.narrow(sign);
        self.at("where", |check| check.conditions(&sign.conditions, fields));
        for (key, path) in &sign.get {
            self.within(&[Step::Key("get"), Step::Key(key)], |check| check.path(path, fields));
        }
        if let Some(field) = &sign.field {
            self.at("field", |check| check.path(field, fields));
        }
        if let Some(take) = &sign.take {
            self.at("take", |check| match sign.on.as_str() {
                "log" => check.log_regexp(take),
                _ => check.regexp(take),
            });
        }
        if let Some(expression) = &sign.when {
            self.at("when", |check| match expression.check() {
                Ok(()) if of_kind => {}
                Ok(()) => check.fault("`when` is over an object, and this sign is on none", None),
                Err(why) => check.fault(format!("the CEL expression cannot be used: {why}"), None),
            });
        }
        self.facts_of(sign);
    }

    /// A sign must say something, or everything is a sign.
    fn narrow(&mut self, sign: &Sign) {
        let says = |field: &str| sign.conditions.contains_key(field);
        let missing = match sign.on.as_str() {
            "event" if sign.take.is_none() && !says("reason") && !says("message") => {
                "a condition on `reason` or `message`, or a `take`"
            }
            "log" if sign.take.is_none() => "a `take`: logs are searched for its expression",
            _ if sign.take.is_none() && sign.when.is_none() && sign.conditions.is_empty() => "a `where`, a `when` or a `take`",
            _ => return,
        };
        self.at("on", |check| check.fault(format!("this sign lacks {missing}"), None));
    }

    /// The sign's own templates speak of what this very sign gives.
    fn facts_of(&mut self, sign: &'a Sign) {
        let mut facts: BTreeSet<&str> = prose::STANDARD_FACTS.iter().chain(prose::SIGN_FACTS).copied().collect();
        let names_object = matches!(sign.culprit, Culprit::Object(_));
        let own: Vec<&str> = sign.facts().collect();
        for name in own.iter().filter(|n| prose::STANDARD_FACTS.contains(n) && !names_object) {
            let help = "call it otherwise: in all templates that name speaks of the culprit";
            self.at("take", |check| check.fault(format!("the sign takes `{name}`, which is a standard fact"), Some(help.into())));
        }
        facts.extend(own);
        self.at("says", |check| check.template(&sign.says, &facts));
        if let Culprit::Object(template) = &sign.culprit {
            self.within(&[Step::Key("culprit"), Step::Key("object")], |check| check.object(template, &facts));
        }
    }

    fn conditions(&mut self, conditions: &'a IndexMap<String, Condition>, fields: Option<&[&str]>) {
        for (path, condition) in conditions {
            self.at(path, |check| {
                check.path(path, fields);
                if let Condition::Test(test) = condition {
                    check.test(test);
                }
            });
        }
    }

    fn test(&mut self, test: &'a Test) {
        if let Some(expression) = &test.matches {
            self.at("matches", |check| check.regexp(expression));
        }
        match &test.any {
            Some(any) => self.at("any", |check| check.conditions(any, None)),
            None if is_empty(test) => self.fault("a condition without a test holds always", None),
            None => {}
        }
    }

    fn path(&mut self, path: &str, fields: Option<&[&str]>) {
        if let Some(fields) = fields
            && !fields.contains(&path)
        {
            self.fault(format!("there is no field `{path}` here"), Some(format!("fields are: {}", fields.join(", "))));
        }
        if path.matches('[').count() != path.matches(']').count() || path.is_empty() {
            self.fault(format!("`{path}` is not a path"), Some("write it as `status.conditions[Ready].message`".into()));
        }
    }

    fn regexp(&mut self, expression: &Regexp) {
        if let Err(e) = expression.check() {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.fault(format!("the regular expression cannot be used: {why}"), None);
        }
    }

    fn log_regexp(&mut self, expression: &Regexp) {
        self.regexp(expression);
        if let Ok(None) = literal::required(expression.as_str()) {
            let what = format!("the expression requires no literal text of {} characters or more", literal::SHORTEST);
            self.fault(what, Some("every line of every log would have to be tried; add a word all its matches hold".into()));
        }
    }
}

fn is_empty(test: &Test) -> bool {
    let Test { contains, matches, one_of, not, exists, above, below, any } = test;
    let texts = contains.is_none() && matches.is_none() && one_of.is_none() && not.is_none();
    texts && exists.is_none() && above.is_none() && below.is_none() && any.is_none()
}

/// `image-not-found`: lower-case words and digits joined by single dashes.
fn is_kebab(id: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;

    /// The message for a file with one cause into which `entry` was put before its signs.
    fn message(entry: &str, signs: &str) -> String {
        let text = format!(
            "[[cause]]\nid = \"disk-full\"\ntitle = \"Disk of {{{{ ref }}}} is full\"\nseverity = \"error\"\n\
             layer = \"node\"\nbecause = \"It is.\"\nfix.summary = \"Make room.\"\n{entry}\n{signs}"
        );
        Catalog::default().extend("my.toml", &text, &["disks"]).map_or_else(|e| e.message, |n| format!("{n} fine"))
    }

    fn of_sign(lines: &str) -> String {
        message("", &format!("[[cause.sign]]\n{lines}\nsays = \"full\""))
    }

    #[test]
    fn a_fault_is_shown_where_it_stands() {
        let text = of_sign("on = \"event\"\nwhere = { reason = \"Full\" }\ntake = 'disk (\\S+'");
        let shown = "\
error: the regular expression cannot be used: unclosed group
  --> my.toml:12:8
   |
12 | take = 'disk (\\S+'
   |        ^^^^^^^^^^^";
        assert_eq!(text, shown);
    }

    #[test]
    fn each_kind_of_fault_is_told() {
        let event = "on = \"event\"\nwhere = { reason = \"Full\" }";
        let table = [
            (message("detector = 1\nnext", ""), "key with no value"),
            (message("detektor = \"disks\"", ""), "unknown field `detektor`"),
            (message("", ""), "nothing tells when `disk-full` is there"),
            (message("detector = \"diks\"", ""), "there is no detector `diks`"),
            (message("detector = \"disks\"\naliases = [\"Disk Full\"]", ""), "the id `Disk Full` is not kebab-case"),
            (message("detector = \"disks\"\naliases = [\"disk-full\"]", ""), "the id `disk-full` is given twice"),
            (message("detector = \"disks\"\nexplains = [\"no-such\"]", ""), "no cause is called `no-such`"),
            (message("detector = \"disks\"\ndocs = [\"http://a\"]", ""), "a link must begin with https://"),
            (message("detector = \"disks\"\nfix.steps = [\"{{ size }}\"]", ""), "speaks of `size`, which nothing gives"),
            (message("detector = \"disks\"\nfix.steps = [\"{{ ref\"]", ""), "the template does not parse"),
            (
                message("detector = \"disks\"\nfix.patch = { type = \"merge\", yaml = \"a: 1\", target = \"Node\" }", ""),
                "does not name",
            ),
            (of_sign("on = \"events\""), "`events` is nothing a sign can be on"),
            (of_sign("on = \"event\""), "lacks a condition on `reason`"),
            (of_sign("on = \"Pod\""), "lacks a `where`"),
            (of_sign("on = \"log\"\ntake = '\\d+'"), "requires no literal text"),
            (of_sign("on = \"Pod\"\nwhere = { \"status.phase\" = { contain = \"x\" } }"), "unknown field `contain`"),
            (of_sign("on = \"Pod\"\nwhere = { \"status.phase\" = {} }"), "a condition without a test"),
            (of_sign("on = \"Pod\"\nwhere = { \"status.conditions[Ready\" = 1 }"), "is not a path"),
            (of_sign("on = \"event\"\nwhere = { phase = \"x\", reason = \"y\" }"), "there is no field `phase` here"),
            (of_sign("on = \"Pod\"\nwhen = \"object.a ==\""), "the CEL expression cannot be used: line 1 column"),
            (of_sign(&format!("{event}\nwhen = \"object.a == 1\"")), "this sign is on none"),
            (of_sign(&format!("{event}\ntake = '(?<name>x)'")), "takes `name`, which is a standard fact"),
            (of_sign(&format!("{event}\nculprit = {{ object = \"Secret/{{{{ ns }}}}\" }}")), "does not name an object"),
            (of_sign(event), "1 fine"),
        ];
        for (message, wanted) in table {
            assert!(message.contains(wanted), "{wanted}\n{message}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let text = of_sign("on = \"Pod\"\nwhere = { \"\" = 1 }\ntake = '('\nfield = \"a]\"");
        assert_eq!(text.matches("error: ").count(), 3, "{text}");
        assert_eq!(text.matches("--> my.toml:").count(), 3, "{text}");
    }
}
