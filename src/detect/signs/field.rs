//! Fields of what signs look at, and conditions on them.

use indexmap::IndexMap;

use crate::catalog::{Condition, Test};
use crate::decode::{Tag, Value};

/// Conditions by path.
pub(super) type Conditions = IndexMap<String, Condition>;

/// The value of one field of an object, an event, a log line ….
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    /// A value inside an object; may be absent.
    Value(Value<'a>),
    /// A text; empty is absent.
    Text(&'a str),
    /// A count.
    Number(u32),
}

impl<'a> Field<'a> {
    fn exists(self) -> bool {
        match self {
            Self::Value(v) => v.exists(),
            Self::Text(t) => !t.is_empty(),
            Self::Number(_) => true,
        }
    }

    /// The text of a scalar; empty for what has none.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Value(v) => v.text(),
            Self::Text(t) => t,
            Self::Number(_) => "",
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Value(v) => v.as_f64(),
            Self::Text(t) => t.parse().ok(),
            Self::Number(n) => Some(f64::from(n)),
        }
    }

    fn equals(self, wanted: &toml::Value) -> bool {
        use toml::Value as T;
        match (wanted, self) {
            (T::String(s), field) => field.exists() && field.text() == s,
            (T::Boolean(b), Self::Value(v)) => v.as_bool() == Some(*b),
            (T::Integer(i), field) => field.number() == Some(*i as f64),
            (T::Float(f), field) => field.number() == Some(*f),
            (T::Array(items), Self::Value(v)) => {
                v.tag() == Some(Tag::Seq)
                    && v.len() == items.len()
                    && v.items().zip(items).all(|(v, i)| Field::Value(v).equals(i))
            }
            _ => false,
        }
    }

    /// The field itself, or the items of a sequence of scalars: tests on text hold when one of them passes.
    fn texts(self) -> impl Iterator<Item = &'a str> {
        let items = match self {
            Self::Value(v) if v.tag() == Some(Tag::Seq) => Some(v),
            _ => None,
        };
        let own = items.is_none().then(|| self.text());
        items.into_iter().flat_map(Value::items).map(Value::text).chain(own)
    }
}

/// Where a condition was seen to hold.
#[derive(Debug, Clone)]
pub(super) struct Witness<'a> {
    /// The deciding value.
    pub(super) field: Field<'a>,
    /// Its path, without indexes.
    pub(super) path: String,
    /// The item of a sequence it is in, when the condition chose one.
    pub(super) item: Option<Value<'a>>,
}

/// Does `condition` hold for one of the values at `path`? `None` when it does not.
pub(super) fn witness<'a>(condition: &Condition, path: &str, places: &[Place<'a>]) -> Option<Witness<'a>> {
    let absent = [Place { field: Field::Value(Value::ABSENT), item: None }];
    let places = if places.is_empty() { &absent } else { places };
    places.iter().find_map(|place| {
        let here = || Witness { field: place.field, path: path.to_owned(), item: place.item };
        match condition {
            Condition::Equals(wanted) => place.field.equals(wanted).then(here),
            Condition::Test(test) => passes(test, place.field).then(|| match (&test.any, place.field) {
                (Some(conditions), Field::Value(sequence)) => item_witness(conditions, path, sequence),
                (Some(_), _) => None,
                (None, _) => Some(here()),
            })?,
        }
    })
}

fn passes(test: &Test, field: Field<'_>) -> bool {
    let number_passes = |limit: Option<f64>, fits: fn(f64, f64) -> bool| {
        limit.is_none_or(|limit| field.number().is_some_and(|number| fits(number, limit)))
    };
    test.contains.as_ref().is_none_or(|part| field.texts().any(|t| t.contains(part.as_str())))
        && test.matches.as_ref().is_none_or(|r| field.exists() && field.texts().any(|t| r.is_match(t)))
        && test.one_of.as_ref().is_none_or(|values| values.iter().any(|v| field.equals(v)))
        && test.not.as_ref().is_none_or(|value| !field.equals(value))
        && test.exists.is_none_or(|wanted| field.exists() == wanted)
        && number_passes(test.above, |number, limit| number > limit)
        && number_passes(test.below, |number, limit| number < limit)
}

/// The first item of `sequence` that satisfies all `conditions`, seen at the last of them that has a value.
fn item_witness<'a>(conditions: &Conditions, path: &str, sequence: Value<'a>) -> Option<Witness<'a>> {
    sequence.items().find_map(|item| {
        let inside = all_hold(conditions, |inner| places(item, inner, &Conditions::new()))?;
        let told = inside.into_iter().rev().find(|w| w.field.exists());
        let (field, path) = match told {
            Some(w) if w.path.is_empty() => (w.field, path.to_owned()),
            Some(w) => (w.field, format!("{path}.{}", w.path)),
            None => (Field::Value(item), path.to_owned()),
        };
        Some(Witness { field, path, item: Some(item) })
    })
}

/// The witnesses of all `conditions`, in their order; `None` when one does not hold.
pub(super) fn all_hold<'a>(conditions: &Conditions, mut look: impl FnMut(&str) -> Vec<Place<'a>>) -> Option<Vec<Witness<'a>>> {
    conditions.iter().map(|(path, condition)| witness(condition, path, &look(path))).collect()
}

/// One of the values a path leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The value.
    pub(super) field: Field<'a>,
    /// The item of the last sequence the path went through by `[*]` or `[name]`.
    pub(super) item: Option<Value<'a>>,
}

/// All values `path` leads to from `root`: one for a plain path, several through `[*]`. Items of a sequence on which
/// `conditions` hold an `any` must satisfy it, so that a sign speaks of one and the same item.
pub(super) fn places<'a>(root: Value<'a>, path: &str, conditions: &Conditions) -> Vec<Place<'a>> {
    let mut found = vec![Place { field: Field::Value(root), item: None }];
    let mut from = 0;
    while let Some((start, key)) = next_selector(path, from) {
        let end = start + key.len() + 2;
        let wanted = match conditions.get(&path[..start]) {
            Some(Condition::Test(test)) => test.any.as_ref(),
            _ => None,
        };
        let fits = |item: &Value<'_>| {
            let chosen = key == "*" || [item.get("type"), item.get("name")].iter().any(|v| v.exists() && v.text() == key);
            chosen && wanted.is_none_or(|any| all_hold(any, |inner| places(*item, inner, &Conditions::new())).is_some())
        };
        let mut next = Vec::new();
        for place in found {
            let Field::Value(value) = place.field else { continue };
            let sequence = value.path(&path[from..start]);
            if sequence.tag() == Some(Tag::Seq) {
                next.extend(sequence.items().filter(fits).map(|item| Place { field: Field::Value(item), item: Some(item) }));
            } else if key != "*" {
                next.push(Place { field: Field::Value(sequence.get(key)), item: place.item });
            }
        }
        found = next;
        from = end;
    }
    let rest = &path[from..];
    for place in &mut found {
        if let Field::Value(value) = place.field {
            place.field = Field::Value(value.path(rest));
        }
    }
    found
}

/// The next `[*]` or `[name]` in `path` from `from` on: where its bracket opens, and what is in it. Numbers are left to
/// [`Value::path`].
fn next_selector(path: &str, from: usize) -> Option<(usize, &str)> {
    let mut at = from;
    while let Some(open) = path[at..].find('[').map(|i| at + i) {
        let inner = &path[open + 1..];
        let key = &inner[..inner.find(']')?];
        if key.parse::<usize>().is_err() {
            return Some((open, key));
        }
        at = open + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::decode::Tape;

    fn pod() -> Tape {
        let pod = json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "web"}, "finalizers": ["a/b", "c/d"]},
            "spec": {"replicas": 3, "paused": true},
            "status": {"containerStatuses": [
                {"name": "ok", "restartCount": 0, "state": {"running": {}}},
                {"name": "bad", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}},
            ], "conditions": [{"type": "Ready", "status": "False", "message": "not yet"}]},
        });
        Tape::from_json(&Arc::from("pod.yaml"), &pod, 1)
    }

    #[derive(Deserialize)]
    struct Where {
        conditions: Conditions,
    }

    fn holds(condition: &str) -> bool {
        let conditions = toml::from_str::<Where>(&format!("conditions = {{ {condition} }}")).unwrap().conditions;
        let tape = pod();
        all_hold(&conditions, |path| places(tape.root(), path, &conditions)).is_some()
    }

    #[test]
    fn conditions_read_fields_as_kubernetes_writes_them() {
        for condition in [
            r#""spec.paused" = true"#,
            r#""spec.replicas" = 3"#,
            r#""spec.replicas" = { above = 2, below = 4 }"#,
            r#""metadata.labels[app.kubernetes.io/name]" = "web""#,
            r#""metadata.finalizers" = { contains = "c/d" }"#,
            r#""status.conditions[Ready].status" = "False""#,
            r#""status.conditions[Ready].status" = false"#,
            r#""status.conditions" = { any = { type = "Ready", message = { matches = "^not" } } }"#,
            r#""status.containerStatuses[*].restartCount" = { above = 5 }"#,
            r#""status.phase" = { exists = false }"#,
            r#""status.phase" = { not = "Running" }"#,
            r#""spec.replicas" = { in = [1, 3] }"#,
        ] {
            assert!(holds(condition), "{condition}");
        }
        for condition in [
            r#""spec.paused" = "yes""#,
            r#""spec.replicas" = { above = 3 }"#,
            r#""status.phase" = { matches = ".*" }"#,
            r#""status.containerStatuses" = { any = { name = "ok", restartCount = { above = 0 } } }"#,
            r#""status.conditions[Started].status" = "False""#,
            r#""status.containerStatuses" = { exists = false }"#,
        ] {
            assert!(!holds(condition), "{condition}");
        }
    }

    #[test]
    fn a_field_is_read_from_the_item_that_satisfies_any() {
        let conditions = r#"conditions = { "status.containerStatuses" = { any = { restartCount = { above = 5 } } } }"#;
        let conditions = toml::from_str::<Where>(conditions).unwrap().conditions;
        let tape = pod();
        let found = places(tape.root(), "status.containerStatuses[*].name", &conditions);
        assert_eq!(found.iter().map(|p| p.field.text()).collect::<Vec<_>>(), ["bad"]);
        let seen = all_hold(&conditions, |path| places(tape.root(), path, &conditions)).unwrap();
        assert_eq!(seen[0].path, "status.containerStatuses.restartCount");
        assert_eq!(seen[0].item.unwrap().get("name").text(), "bad");
    }
}
