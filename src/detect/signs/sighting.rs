//! What a sign takes from what it looks at.

use super::field::{Field, Place, Witness, all_hold};
use crate::catalog::Sign;
use crate::detect::Facts;

/// A sign whose conditions hold.
pub(super) struct Sighting<'a> {
    /// Captures of its expression, and the fields it gets.
    pub(super) facts: Facts,
    /// The text it was read from.
    pub(super) text: &'a str,
    /// The value that decided; `None` for a sign without conditions.
    pub(super) witness: Option<Witness<'a>>,
}

impl<'a> Sighting<'a> {
    /// Looks whether `sign` is there. `look` gives the values of a path, `field` is what the sign's expression reads when
    /// the sign does not say so itself.
    pub(super) fn of(sign: &Sign, field: &str, look: impl Fn(&str) -> Vec<Place<'a>>) -> Option<Self> {
        let seen = all_hold(&sign.conditions, &look)?;
        let mut facts = Facts::new();
        let mut witness = seen.into_iter().rev().find(|w| !matches!(w.field, Field::Value(v) if !v.exists()));
        if let Some(expression) = &sign.take {
            let field = sign.field.as_deref().unwrap_or(field);
            let (place, captures) =
                look(field).into_iter().find_map(|place| Some((place, expression.read(place.field.text())?)))?;
            for name in expression.captures() {
                if let Some(value) = captures.name(name) {
                    facts.insert(name.to_owned(), value.as_str().into());
                }
            }
            witness = Some(Witness { field: place.field, path: without_selectors(field), item: place.item });
        }
        for (name, path) in &sign.get {
            facts.insert(name.clone(), look(path).first().map_or_else(|| "".into(), |place| json(place.field)));
        }
        let text = witness.as_ref().map_or("", |w| w.field.text());
        Some(Self { facts, text, witness })
    }
}

fn json(field: Field<'_>) -> serde_json::Value {
    match field {
        Field::Value(v) if v.exists() => v.to_json(),
        Field::Value(_) => "".into(),
        Field::Text(t) => t.into(),
        Field::Number(n) => n.into(),
    }
}

/// `status.conditions[*].message` → `status.conditions.message`.
fn without_selectors(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
}
