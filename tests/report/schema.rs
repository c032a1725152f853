//! The machine formats keep to their schemas.

use std::path::Path;

use coroner::report::{Format, Report};
use serde_json::Value;

use super::{SAMPLES, sample, testdata, text};

/// Adds `additionalProperties: false` everywhere, so that a field the schema does not tell of is found.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") {
                map.insert("additionalProperties".to_owned(), false.into());
            }
            map.values_mut().for_each(closed);
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

#[track_caller]
fn assert_valid(schema: &Value, json: &str, name: &str) {
    let validator = jsonschema::validator_for(schema).expect("the schema is one");
    let instance: Value = serde_json::from_str(json).expect("is JSON");
    let errors: Vec<String> = validator.iter_errors(&instance).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

fn schema(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("the schema is there")).expect("the schema is JSON")
}

#[test]
fn json_keeps_to_its_schema() {
    let mut schema = schema(&testdata().join("../schema/coroner.report.v1.json"));
    closed(&mut schema);
    // The hostile report is no report of ours: its strengths and ids are not words of the schema.
    for name in SAMPLES.iter().filter(|name| **name != "hostile") {
        assert_valid(&schema, &text(&sample(name), Format::Json), name);
    }
}

#[test]
fn json_is_read_back_as_it_was() {
    for name in SAMPLES {
        let report = sample(name);
        let read: Report = serde_json::from_str(&text(&report, Format::Json)).expect("is a report");
        assert_eq!(serde_json::to_value(&read).expect("is JSON"), serde_json::to_value(&report).expect("is JSON"), "{name}");
    }
}

#[test]
fn sarif_keeps_to_the_official_schema() {
    let Some(path) = std::env::var_os("SARIF_SCHEMA") else {
        return; // skipped: the schema is fetched by tests/browser/run, not kept here
    };
    let schema = schema(Path::new(&path));
    for name in SAMPLES {
        assert_valid(&schema, &text(&sample(name), Format::Sarif), name);
    }
}

#[test]
fn sarif_fingerprints_stay_when_only_the_bundle_changes() {
    let fingerprints = |report: &Report| -> Vec<Value> {
        let sarif: Value = serde_json::from_str(&text(report, Format::Sarif)).expect("is JSON");
        let results = sarif["runs"][0]["results"].as_array().expect("has results").clone();
        results.iter().map(|result| result["partialFingerprints"]["coroner/v1"].clone()).collect()
    };
    let first = sample("two-incidents");
    let mut second = first.clone();
    second.bundle.name = "another".to_owned();
    second.findings[0].confidence = 0.5;
    second.findings[0].evidence.clear();
    assert_eq!(fingerprints(&first), fingerprints(&second));
    second.findings[0].resource.name = "worker-4".to_owned();
    assert_ne!(fingerprints(&first)[0], fingerprints(&second)[0]);
}
