//! CEL, as in Kubernetes' own admission policies, for what field conditions cannot say.

use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use cel::extractors::This;
use cel::objects::{Key, Map};
use cel::{Context, Env, Program, Value};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::regexp::Regexp;

/// Expressions longer than this are refused.
const MOST_BYTES: usize = 4 << 10;

/// Expressions with more of [`OPERATORS`] than this are refused: the evaluator recurses once for each link of `a.b.c…` or
/// `a + b + c…`, and would run out of stack at some thousands.
const MOST_OPERATORS: usize = 400;

const OPERATORS: &[u8] = b".[({?:+-*/%!&|<>=,";

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// An expression over `object`, compiled when it is first used.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    compiled: OnceLock<Option<Arc<Program>>>,
}

impl Expression {
    /// The expression `text`, not yet compiled.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Why it cannot be used.
    pub fn check(&self) -> Result<(), String> {
        compile(&self.text).map(drop)
    }

    /// Is it true of `object`? What cannot be evaluated (a field that is not there and not asked for with `has`) is not.
    pub fn holds(&self, object: &Object) -> bool {
        let program = self.compiled.get_or_init(|| compile(&self.text).ok().map(Arc::new));
        program.as_ref().is_some_and(|p| matches!(p.execute(&object.0), Ok(Value::Bool(true))))
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

fn compile(text: &str) -> Result<Program, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("the expression is longer than {MOST_BYTES} bytes"));
    }
    if text.bytes().filter(|b| OPERATORS.contains(b)).count() > MOST_OPERATORS {
        return Err(format!("the expression has more than {MOST_OPERATORS} operators"));
    }
    let program = Program::compile(text).map_err(|e| {
        let first = e.errors.first();
        first.map_or_else(
            || "the expression does not parse".to_owned(),
            |e| {
                // The parser lists all it could have read there.
                let what = e.msg.split(" expecting {").next().unwrap_or(&e.msg);
                format!("line {} column {}: {what}", e.pos.0, e.pos.1)
            },
        )
    })?;
    // Variables of `all(x, …)` and its like are the expression's own; everything else it names must be `object`.
    if !program.references().has_variable("object") {
        return Err("the expression does not speak of `object`".to_owned());
    }
    Ok(program)
}

/// An object as CEL sees it. Converting costs more than evaluating: convert once, evaluate often.
pub struct Object(Context<'static, 'static>);

impl Object {
    /// Converts an object.
    pub fn new(object: &Json) -> Self {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        // The environment was made without the regex feature, so the name is free.
        let added =
            context.add_function("matches", |This(text): This<Arc<String>>, expression: Arc<String>| matches(&text, &expression));
        debug_assert!(added.is_ok());
        context.add_variable_from_value("object", value(object));
        Self(context)
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Object")
    }
}

/// All whole numbers are CEL's `int`, as in Kubernetes, so that they can be compared and added to literals.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
        Json::String(s) => Value::String(Arc::new(s.clone())),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(k, v)| (Key::String(Arc::new(k.clone())), value(v)));
            Value::Map(Map { map: Arc::new(fields.collect()) })
        }
    }
}

/// `text.matches(expression)`, with the expressions that were used last kept compiled.
fn matches(text: &str, expression: &str) -> bool {
    static COMPILED: Mutex<Vec<Regexp>> = Mutex::new(Vec::new());
    const MOST: usize = 64;
    let known = {
        let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match compiled.iter().position(|r| r.as_str() == expression) {
            Some(at) => compiled[at].clone(),
            None => {
                let new = Regexp::new(expression);
                // Compiles it, so that what is kept is.
                new.is_match("");
                if compiled.len() == MOST {
                    compiled.remove(0);
                }
                compiled.push(new.clone());
                new
            }
        }
    };
    known.is_match(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> bool {
        let object = json!({
            "spec": {"replicas": 3, "containers": [{"name": "a", "image": "x:latest"}, {"name": "b", "image": "y:1"}]},
            "status": {"readyReplicas": 1},
        });
        let expression = Expression::new(text);
        expression.check().unwrap();
        expression.holds(&Object::new(&object))
    }

    #[test]
    fn speaks_of_object_as_admission_policies_do() {
        assert!(holds("object.spec.replicas - object.status.readyReplicas > 1"));
        assert!(holds("object.spec.containers.exists(c, c.image.matches('^x:') && c.name == 'a')"));
        assert!(holds("has(object.status) && !has(object.status.conditions)"));
        assert!(!holds("object.status.missing == 1"));
        assert!(!holds("object.spec.containers.all(c, c.image.endsWith(':latest'))"));
        assert!(!holds("object.spec.containers[0].image.matches('(')"));
        assert!(!holds("object.spec.replicas"));
    }

    #[test]
    fn unusable_expressions_are_told() {
        for (text, why) in [
            ("object.spec ==", "line 1 column"),
            ("1 == 1", "does not speak of `object`"),
            (&format!("object{}", ".b".repeat(20_000)), "longer than 4096 bytes"),
            (&format!("object{}", ".b".repeat(1_000)), "more than 400 operators"),
        ] {
            let error = Expression::new(text).check().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_deepest_allowed_expressions_do_not_exhaust_a_stack() {
        // Threads of the pool have 2 MiB, which is also what tests run on.
        for text in [
            format!("object{}", ".b".repeat(400)),
            format!("object == {}1", "1+".repeat(397)),
            format!("{}object", "!".repeat(399)),
            format!("object == {}", "-".repeat(390)),
            format!("{}object{}", "[".repeat(399), "]".repeat(399)),
            format!("{}object", "true?true:".repeat(199)),
        ] {
            Expression::new(text).holds(&Object::new(&json!({})));
        }
    }
}
