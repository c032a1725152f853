//! Prose of the catalogue: minijinja templates over a finding's facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// Facts every finding has, whatever found it. They speak of the culprit.
pub const STANDARD_FACTS: &[&str] = &["ns", "name", "kind", "ref", "resource", "n", "kubernetes_version"];

/// Facts every sign gives beside its captures: the object it is seen on (`Pod shop/web-0`) and that object's name, the
/// container, its image and the node it is about (or nothing), and the text it was read from.
pub const SIGN_FACTS: &[&str] = &["subject", "subject_name", "container", "image", "node", "text"];

/// Instructions one template may take: a rules file must not be able to hang a run.
const FUEL: u64 = 50_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // A fact that is not there is an error of the entry, never a hole in a sentence.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("plural", |count: Value, one: String, many: Option<String>| plural(&count, one, many));
    environment.add_filter("shell", |text: String| shell(&text));
    environment.add_filter("yaml", |value: Value| yaml(&value));
    environment.add_filter("or_none", or_none);
    environment.add_filter("truncate", |text: String, length: usize| truncate(text, length));
    environment
});

/// Renders `template` over `facts`.
///
/// Beside minijinja's own filters there are `plural` (`{{ n_pods|plural("pod") }}` → `3 pods`), `shell` (quoted as one word
/// of a shell command), `yaml` (quoted as a YAML scalar where it must be), `or_none` (`none` when empty) and `truncate`
/// (`{{ error|truncate(80) }}`, so many characters at most).
///
/// Errors: the template does not parse, speaks of a fact that is not there, or takes too long.
pub fn render(template: &str, facts: &BTreeMap<String, serde_json::Value>) -> Result<String, Error> {
    if !template.contains('{') {
        return Ok(template.to_owned());
    }
    ENVIRONMENT.render_str(template, Value::from(Serde(facts)))
}

/// At most `length` characters; what was cut off shows as `…`.
fn truncate(text: String, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

/// Renders a command. What a fact left empty leaves no hole: `kubectl -n  get` of an object without a namespace becomes
/// `kubectl get`.
///
/// Errors: as [`render`].
pub fn command(template: &str, facts: &BTreeMap<String, serde_json::Value>) -> Result<String, Error> {
    let text = render(template, facts)?;
    let mut command = String::with_capacity(text.len());
    let mut quote = None;
    for c in text.trim().replace(" -n  ", " ").chars() {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == ' ' && command.ends_with(' ') => continue,
            _ => {}
        }
        command.push(c);
    }
    Ok(command)
}

/// Names a template speaks of. Errors: it does not parse.
pub(super) fn variables(template: &str) -> Result<BTreeSet<String>, Error> {
    let template = ENVIRONMENT.template_from_str(template)?;
    let globals: BTreeSet<&str> = ENVIRONMENT.globals().map(|(name, _)| name).collect();
    Ok(template.undeclared_variables(false).into_iter().filter(|name| !globals.contains(name.as_str())).collect())
}

/// A filter, test, function or method in a template that does not exist, as far as rendering it shows: with every name given,
/// and with every name empty.
pub(super) fn unknown(template: &str) -> Option<String> {
    let names = variables(template).ok()?;
    ["1", ""].into_iter().find_map(|value| {
        let facts: BTreeMap<&str, &str> = names.iter().map(|name| (name.as_str(), value)).collect();
        let error = ENVIRONMENT.render_str(template, Value::from(Serde(facts))).err()?;
        use ErrorKind::{UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest};
        let is_unknown = matches!(error.kind(), UnknownFilter | UnknownFunction | UnknownMethod | UnknownTest);
        is_unknown.then(|| error.detail().unwrap_or("an unknown filter").to_owned())
    })
}

/// What to print when [`render`] failed: the template's own words without its expressions.
pub fn plain(template: &str) -> String {
    without_tags(template, |_| String::new()).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The template for a reader who has no finding: `{{ quota }}` → `<quota>`, the words of all branches.
pub fn sketch(template: &str) -> String {
    without_tags(template, |expression| {
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = expression.trim().chars().take_while(|c| named(*c)).collect();
        if name.is_empty() { String::new() } else { format!("<{name}>") }
    })
}

/// `template` without statements and comments, and with `of` its expressions in place of them.
fn without_tags(template: &str, of: impl Fn(&str) -> String) -> String {
    let mut words = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        words.push_str(before);
        let close = match after.as_bytes().first() {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                words.push('{');
                rest = after;
                continue;
            }
        };
        let (inside, after) = after[1..].split_once(close).unwrap_or((&after[1..], ""));
        if close == "}}" {
            words.push_str(&of(inside));
        }
        rest = after;
    }
    words + rest
}

fn plural(count: &Value, one: String, many: Option<String>) -> Result<String, Error> {
    let number = match count.kind() {
        ValueKind::Seq | ValueKind::Map => count.len().map(|n| n as i64),
        ValueKind::String => count.as_str().and_then(|s| s.parse().ok()),
        _ => count.as_i64(),
    };
    let number = number.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "plural needs a number"))?;
    let many = many.unwrap_or_else(|| format!("{one}s"));
    Ok(format!("{number} {}", if number == 1 { one } else { many }))
}

/// `text` as one word of a POSIX shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A value as a YAML scalar: numbers and booleans as they are, text quoted unless it can only be read as text.
fn yaml(value: &Value) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].iter().any(|r| text.eq_ignore_ascii_case(r));
    if starts_well && !reserved && text.chars().all(safe) {
        text.to_owned()
    } else {
        // A JSON string is a YAML double-quoted scalar.
        serde_json::Value::from(text).to_string()
    }
}

fn or_none(value: Value) -> Value {
    let empty = value.is_undefined() || value.is_none() || value.len() == Some(0);
    if empty { Value::from("none") } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str, facts: &serde_json::Value) -> Result<String, Error> {
        let facts = facts.as_object().unwrap().clone().into_iter().collect();
        render(template, &facts)
    }

    #[test]
    fn filters_fit_prose_commands_and_patches() {
        let facts = serde_json::json!({"n_pods": 1, "nodes": ["a", "b"], "path": "it's", "value": "no", "none": ""});
        let text = "{{ n_pods|plural('pod') }}, {{ nodes|plural('node') }}: {{ nodes|join(', ') }}; {{ none|or_none }}";
        assert_eq!(rendered(text, &facts).unwrap(), "1 pod, 2 nodes: a, b; none");
        assert_eq!(rendered("cat {{ path|shell }}", &facts).unwrap(), r"cat 'it'\''s'");
        assert_eq!(rendered("a: {{ value|yaml }}\nb: {{ n_pods|yaml }}", &facts).unwrap(), "a: \"no\"\nb: 1");
        assert_eq!(rendered("{{ path|truncate(3) }}, {{ path|truncate(4) }}", &facts).unwrap(), "it'…, it's");
    }

    #[test]
    fn a_missing_fact_is_an_error_and_leaves_the_plain_words() {
        let title = "Pod {{ name }} wants {{ missing }} badly";
        assert!(rendered(title, &serde_json::json!({"name": "web"})).is_err());
        assert_eq!(plain(title), "Pod wants badly");
        assert_eq!(sketch(title), "Pod <name> wants <missing> badly");
        assert_eq!(plain("a {b} {% if x %}c{% endif %} {{ cut"), "a {b} c");
    }

    #[test]
    fn empty_facts_leave_no_hole_in_commands() {
        let facts = BTreeMap::from([("ns".to_owned(), "".into()), ("n".to_owned(), "".into())]);
        assert_eq!(command("kubectl -n {{ ns }} get nodes {{ n }} -w", &facts).unwrap(), "kubectl get nodes -w");
        assert_eq!(command("kubectl {{ n }} get x -o 'a  b'", &facts).unwrap(), "kubectl get x -o 'a  b'");
    }

    #[test]
    fn an_endless_template_ends() {
        let nested = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
        assert!(rendered(nested, &serde_json::json!({})).is_err());
    }

    #[test]
    fn markup_is_not_escaped() {
        assert_eq!(rendered("{{ x }}", &serde_json::json!({"x": "<a> & \"b\""})).unwrap(), "<a> & \"b\"");
    }
}
