//! Label selectors and node selector terms (kubernetes docs: labels, assign-pod-node; apimachinery/pkg/labels).

use std::fmt;

use crate::decode::Value;

/// One thing a selector demands of a set of labels or fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement<'a> {
    /// The label, or the field.
    pub key: &'a str,
    /// What is demanded of its value.
    pub operator: Operator,
    /// The values it is held against; for `Exists` and `DoesNotExist` none.
    pub values: Vec<&'a str>,
}

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is not there, or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The label is a whole number above the value.
    Gt,
    /// The label is a whole number below the value.
    Lt,
    /// An operator the API does not know: nothing satisfies it.
    Unknown,
}

impl<'a> Requirement<'a> {
    /// `key = value`, as `matchLabels`, `nodeSelector` and a Service's selector say it.
    pub fn equals(key: &'a str, value: &'a str) -> Self {
        Self { key, operator: Operator::In, values: vec![value] }
    }

    /// An item of `matchExpressions` or `matchFields`.
    pub fn expression(expression: Value<'a>) -> Self {
        let operator = match expression.get("operator").text() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::Gt,
            "Lt" => Operator::Lt,
            _ => Operator::Unknown,
        };
        let values = expression.get("values").items().map(Value::text).collect();
        Self { key: expression.get("key").text(), operator, values }
    }

    /// Does a label with this value (`None`: no such label) satisfy it?
    pub fn is_met_by(&self, value: Option<&str>) -> bool {
        let listed = |v: &str| self.values.contains(&v);
        let limit = || self.values.first().and_then(|v| v.parse::<i64>().ok());
        let number = || value.and_then(|v| v.parse::<i64>().ok());
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => number().zip(limit()).is_some_and(|(n, l)| n > l),
            Operator::Lt => number().zip(limit()).is_some_and(|(n, l)| n < l),
            Operator::Unknown => false,
        }
    }
}

/// `disktype = ssd`, `zone in (a, b)`, `gpu exists`.
impl fmt::Display for Requirement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, values) = (self.key, self.values.join(", "));
        match (self.operator, self.values.len()) {
            (Operator::In, 1) => write!(f, "{key} = {values}"),
            (Operator::NotIn, 1) => write!(f, "{key} != {values}"),
            (Operator::In, _) => write!(f, "{key} in ({values})"),
            (Operator::NotIn, _) => write!(f, "{key} not in ({values})"),
            (Operator::Exists, _) => write!(f, "{key} exists"),
            (Operator::DoesNotExist, _) => write!(f, "{key} does not exist"),
            (Operator::Gt, _) => write!(f, "{key} > {values}"),
            (Operator::Lt, _) => write!(f, "{key} < {values}"),
            (Operator::Unknown, _) => write!(f, "{key} ? {values}"),
        }
    }
}

/// What a plain map of labels demands: `nodeSelector`, `matchLabels`, a Service's selector.
pub fn equalities(map: Value<'_>) -> impl Iterator<Item = Requirement<'_>> + Clone {
    map.fields().map(|(key, value)| Requirement::equals(key, value.text()))
}

/// What a LabelSelector (`matchLabels` and `matchExpressions`) demands.
pub fn requirements(selector: Value<'_>) -> Vec<Requirement<'_>> {
    let expressions = selector.get("matchExpressions").items().map(Requirement::expression);
    equalities(selector.get("matchLabels")).chain(expressions).collect()
}

/// Does a LabelSelector select these labels? None selects nothing, an empty one everything.
pub fn selects(selector: Value<'_>, labels: Value<'_>) -> bool {
    selector.exists() && requirements(selector).iter().all(|r| is_met(r, labels))
}

/// Do these labels satisfy the requirement?
pub fn is_met(requirement: &Requirement<'_>, labels: Value<'_>) -> bool {
    let label = labels.get(requirement.key);
    requirement.is_met_by(label.exists().then(|| label.text()))
}

/// What a node selector term demands of a node called `name`, whose labels `label` gives, and it does not satisfy. A term
/// without any requirement is satisfied by no node.
pub fn unmet_by_node<'a, 'n>(
    term: Value<'a>,
    name: &str,
    label: impl Fn(&str) -> Option<&'n str>,
) -> Result<(), Vec<Requirement<'a>>> {
    let by_label = term.get("matchExpressions").items().map(Requirement::expression);
    let by_field = term.get("matchFields").items().map(Requirement::expression);
    let n_requirements = term.get("matchExpressions").len() + term.get("matchFields").len();
    let unmet: Vec<_> = by_label
        .filter(|r| !r.is_met_by(label(r.key)))
        .chain(by_field.filter(|r| !r.is_met_by(Some(name).filter(|_| r.key == "metadata.name"))))
        .collect();
    if unmet.is_empty() && n_requirements > 0 { Ok(()) } else { Err(unmet) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::decode::Tape;

    fn tape(value: &Json) -> Tape {
        Tape::from_json(&Arc::from("x"), value, 1)
    }

    #[test]
    fn label_selectors_select() {
        let labels = tape(&json!({"app": "web", "tier": "front", "weight": "12", "empty": ""}));
        let table = [
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "web", "tier": "back"}}), false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "edge"]}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}), false),
            (json!({"matchExpressions": [{"key": "absent", "operator": "NotIn", "values": ["x"]}]}), true),
            (json!({"matchExpressions": [{"key": "empty", "operator": "Exists"}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]}), false),
            (json!({}), true),
            (json!(null), false),
        ];
        for (selector, wanted) in table {
            assert_eq!(selects(tape(&selector).root(), labels.root()), wanted, "{selector}");
        }
    }

    #[test]
    fn node_selector_terms_see_labels_and_the_name() {
        let labels = tape(&json!({"cores": "16", "zone": "a"}));
        let table = [
            (json!({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]}), true),
            (json!({"matchExpressions": [{"key": "cores", "operator": "Lt", "values": ["16"]}]}), false),
            (json!({"matchExpressions": [{"key": "zone", "operator": "Gt", "values": ["1"]}]}), false),
            (json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}), true),
            (json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}), false),
            (json!({}), false),
        ];
        for (term, wanted) in table {
            assert_eq!(unmet_by_node(tape(&term).root(), "n1", |key| labels.root().get(key).as_str()).is_ok(), wanted, "{term}");
        }
    }

    #[test]
    fn requirements_read_as_a_person_would_say_them() {
        let expression = tape(&json!({"key": "zone", "operator": "In", "values": ["a", "b"]}));
        assert_eq!(Requirement::expression(expression.root()).to_string(), "zone in (a, b)");
        assert_eq!(Requirement::equals("disk", "ssd").to_string(), "disk = ssd");
    }
}
