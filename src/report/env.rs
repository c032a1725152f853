//! The template environment: which escaper a template gets follows from its name, and cannot be forgotten.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};

use super::model::{Evidence, Location, Ref};
use super::{diff, escape, excerpt, words};
use crate::language::{self, Language, Piece};

/// The templates, part of the program.
const TEMPLATES: [(&str, &str); 13] = [
    ("report.html", include_str!("../../templates/report.html")),
    ("_parts.html", include_str!("../../templates/_parts.html")),
    ("_verdict.html", include_str!("../../templates/_verdict.html")),
    ("_fix.html", include_str!("../../templates/_fix.html")),
    ("_story.html", include_str!("../../templates/_story.html")),
    ("_evidence.html", include_str!("../../templates/_evidence.html")),
    ("_tables.html", include_str!("../../templates/_tables.html")),
    ("_bundle.html", include_str!("../../templates/_bundle.html")),
    ("chain.svg", include_str!("../../templates/chain.svg")),
    ("timeline.svg", include_str!("../../templates/timeline.svg")),
    ("report.md", include_str!("../../templates/report.md")),
    ("_finding.md", include_str!("../../templates/_finding.md")),
    ("_parts.md", include_str!("../../templates/_parts.md")),
];

static ENGLISH: LazyLock<Environment<'static>> = LazyLock::new(|| environment(Language::English));
static CHINESE: LazyLock<Environment<'static>> = LazyLock::new(|| environment(Language::Chinese));

/// Renders the template `name` in `language`.
pub(super) fn render(name: &str, language: Language, page: Value) -> String {
    let environment = match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    };
    let template = environment.get_template(name).expect("the template is one of TEMPLATES");
    template.render(page).unwrap_or_else(|error| panic!("{name} renders every report, as tests/report.rs shows: {error:#}"))
}

fn environment(language: Language) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the default delimiters differ"));
    env.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("md") => AutoEscape::Custom("markdown".into()),
        _ => AutoEscape::Html,
    });
    env.set_formatter(write_escaped);
    for (name, source) in TEMPLATES {
        env.add_template(name, source).expect("the built-in templates are valid: tests/report.rs");
    }
    add_messages(&mut env, language);
    add_words(&mut env, language);
    add_blocks(&mut env);
    env
}

/// Writes a value through the escaper of the template's format, unless it is markup made by a template or filter.
fn write_escaped(out: &mut Output, state: &mut minijinja::State, value: &Value) -> Result<(), minijinja::Error> {
    let text = match value.as_str() {
        Some(text) if value.is_safe() => return Ok(out.write_str(text)?),
        Some(text) => std::borrow::Cow::Borrowed(text),
        None => std::borrow::Cow::Owned(value.to_string()),
    };
    let escaped = match state.auto_escape() {
        AutoEscape::Custom(_) => escape::markdown(&text),
        _ => escape::html(&text),
    };
    Ok(out.write_str(&escaped)?)
}

/// `t("key", fact=…)`: a message, filled and escaped for the template; `t_html` for a line of HTML inside Markdown.
fn add_messages(env: &mut Environment<'static>, language: Language) {
    env.add_function("t", move |state: &State, key: &str, facts: Kwargs| {
        let escaper = match state.auto_escape() {
            AutoEscape::Custom(_) => escape::markdown,
            _ => escape::html,
        };
        message(language, key, &facts, escaper)
    });
    env.add_function("t_html", move |key: &str, facts: Kwargs| message(language, key, &facts, escape::html_line));
}

/// The words of a message are escaped, and so are its facts unless they are markup already.
fn message(language: Language, key: &str, facts: &Kwargs, escaper: fn(&str) -> String) -> Result<Value, Error> {
    let message = language.message(key).ok_or_else(|| Error::new(ErrorKind::UndefinedError, format!("no message {key}")))?;
    let fact = |name: &str| -> Result<String, Error> {
        let value: Value = facts.get(name)?;
        Ok(match (value.as_str(), u64::try_from(value.clone())) {
            (Some(text), _) if value.is_safe() => text.to_owned(),
            (Some(text), _) => escaper(text),
            (None, Ok(n)) => words::thousands(n),
            (None, Err(_)) => escaper(&value.to_string()),
        })
    };
    let n = if facts.has("n") { Some(fact("n")?) } else { None };
    let mut out = String::new();
    for piece in language::pieces(language::form(message, n.as_deref())) {
        match piece {
            Piece::Text(text) => out.push_str(&escaper(text)),
            Piece::Fact(name) => out.push_str(&fact(name)?),
        }
    }
    Ok(Value::from_safe_string(out))
}

/// Filters that put values into words.
fn add_words(env: &mut Environment<'static>, language: Language) {
    env.add_filter("object", |object: Serde<Ref>| words::object(&object));
    env.add_filter("name", |object: Serde<Ref>| words::name(&object));
    env.add_filter("place", |location: Serde<Location>| words::place(&location));
    env.add_filter("time", |at: &str| words::time(at));
    env.add_filter("clock", |at: &str| words::clock(at));
    env.add_filter("confidence", move |c: f64| words::confidence(language, c));
    env.add_filter("level", move |c: f64| words::level(language, c));
    env.add_filter("verified", move |state: &str| words::verified(language, state));
    env.add_filter("role", move |role: &str| words::role(language, role).to_owned());
    env.add_filter("bytes", crate::visible::bytes);
    env.add_filter("thousands", words::thousands);
    env.add_filter("strength", move |strength: &str| words::strength(language, strength).to_owned());
    env.add_filter("shell", |text: &str| words::shell(text));
}

/// Filters that give lines, or ready markup.
fn add_blocks(env: &mut Environment<'static>) {
    env.add_filter("quoted", |evidence: Serde<Evidence>| Value::from(Serde(excerpt::quoted(&evidence))));
    env.add_filter("changes", |text: &str| Value::from(Serde(diff::changes(text))));
    env.add_filter("diff", |text: &str| Value::from_safe_string(escape::fence(&diff::text(text), "diff")));
    env.add_filter("code_html", |text: &str| Value::from_safe_string(format!("<code>{}</code>", escape::html(text))));
    env.add_filter("code", |text: &str| Value::from_safe_string(escape::code(text)));
    env.add_filter("code_cell", |text: &str| Value::from_safe_string(escape::code_cell(text)));
    env.add_filter("fence", |text: &str, language: &str| Value::from_safe_string(escape::fence(text, language)));
    env.add_filter("in_html", |text: &str| Value::from_safe_string(escape::html_line(text)));
    env.add_filter("excerpt", |evidence: Serde<Evidence>, around: usize| {
        Value::from_safe_string(escape::fence(&excerpt::numbered(&evidence, around), "text"))
    });
    env.add_filter("link", |text: &str| escape::url(text));
    env.add_filter("autolink", |text: &str| Value::from_safe_string(format!("<{}>", escape::url(text))));
}
