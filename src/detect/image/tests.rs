use serde_json::{Value as Json, json};

use super::*;
use crate::cluster::testing::{cluster_with, event};

/// The pod of a Deployment `web` that waits for `image` with these words.
fn world(image: &str, reason: &str, message: &str, spec: &Json) -> Vec<Json> {
    let mut pod_spec = json!({"containers": [{"name": "web", "image": image}], "nodeName": "n1"});
    pod_spec.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let owner = |kind: &str, name: &str| json!([{"kind": kind, "name": name, "controller": true}]);
    let meta = |name: &str, owner: Json| json!({"name": name, "namespace": "shop", "ownerReferences": owner});
    vec![
        json!({"kind": "Deployment", "metadata": meta("web", json!([])), "spec": {"template": {"spec": pod_spec}}}),
        json!({"kind": "ReplicaSet", "metadata": meta("web-1", owner("Deployment", "web")), "spec": {"template": {"spec": pod_spec}}}),
        json!({"kind": "Pod", "metadata": meta("web-1-a", owner("ReplicaSet", "web-1")), "spec": pod_spec,
               "status": {"phase": "Pending", "containerStatuses": [
                   {"name": "web", "image": image, "state": {"waiting": {"reason": reason, "message": message}}}]}}),
    ]
}

fn found(objects: &[Json], events: Vec<Event>) -> Vec<Finding> {
    let mut out = Vec::new();
    image_pull(&cluster_with(objects, events), &mut out);
    out
}

fn fact<'f>(finding: &'f Finding, name: &str) -> &'f str {
    finding.facts[name].as_str().unwrap()
}

#[test]
fn the_error_may_stand_in_the_status_or_in_an_event() {
    let error = "failed to resolve reference \"r.example.com/web:1\": r.example.com/web:1: not found";
    let in_status = found(&world("r.example.com/web:1", "ErrImagePull", error, &json!({})), Vec::new());
    assert_eq!(
        (in_status[0].cause.as_str(), in_status[0].culprit.to_string().as_str()),
        ("image-not-found", "Deployment shop/web")
    );
    assert_eq!(fact(&in_status[0], "pointer"), "/spec/template/spec/containers/0/image");

    let objects = world("r.example.com/web:1", "ImagePullBackOff", "Back-off pulling image \"r.example.com/web:1\"", &json!({}));
    let said = event("Pod", Some("shop"), "web-1-a", "Failed", &format!("Failed to pull image \"r.example.com/web:1\": {error}"));
    let in_event = found(&objects, vec![said]);
    assert_eq!((in_event[0].cause.as_str(), in_event[0].strength()), ("image-not-found", Strength::Proof));

    let silent = found(&objects, Vec::new());
    assert_eq!(silent[0].strength(), Strength::Hint);
}

#[test]
fn a_missing_pull_secret_decides_what_the_registry_leaves_open() {
    let denied = "pull access denied, repository does not exist or may require authorization";
    let hub = found(&world("team/web:1", "ErrImagePull", denied, &json!({})), Vec::new());
    assert_eq!(hub[0].cause, "image-not-found");
    let private = found(&world("r.example.com/web:1", "ErrImagePull", denied, &json!({})), Vec::new());
    assert_eq!(private[0].cause, "image-pull-auth");
    let mut objects = world("team/web:1", "ErrImagePull", denied, &json!({"imagePullSecrets": [{"name": "regcred"}]}));
    objects.push(json!({"kind": "Secret", "metadata": {"name": "other", "namespace": "shop"}}));
    let secret = found(&objects, Vec::new());
    assert_eq!((secret[0].cause.as_str(), fact(&secret[0], "missing_secret")), ("image-pull-auth", "regcred"));
}

#[test]
fn the_image_that_was_meant_is_named() {
    let error = "r.example.com/shop/web:v1.O.3: not found";
    let mut objects = world("r.example.com/shop/web:v1.O.3", "ErrImagePull", error, &json!({}));
    objects.push(json!({"kind": "Pod", "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"containers": [{"name": "cart", "image": "r.example.com/shop/cart:v1.0.3"}]},
        "status": {"containerStatuses": [{"name": "cart", "state": {"running": {}}}]}}));
    assert_eq!(fact(&found(&objects, Vec::new())[0], "near"), "r.example.com/shop/web:v1.0.3");

    let mut objects =
        world("r.example.com/shop/frontnd:v1", "ErrImagePull", "r.example.com/shop/frontnd:v1: not found", &json!({}));
    objects.push(json!({"kind": "ReplicaSet", "metadata": {"name": "web-0", "namespace": "shop",
        "ownerReferences": [{"kind": "Deployment", "name": "web"}]},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "r.example.com/shop/frontend:v1"}]}}}}));
    assert_eq!(fact(&found(&objects, Vec::new())[0], "near"), "r.example.com/shop/frontend:v1");
}

#[test]
fn a_pod_of_a_former_template_is_on_its_way_out() {
    let mut objects = world("r.example.com/web:1", "ErrImagePull", "r.example.com/web:1: not found", &json!({}));
    objects[0]["spec"]["template"]["spec"]["containers"][0]["image"] = "r.example.com/web:2".into();
    assert!(found(&objects, Vec::new()).is_empty());
}

#[test]
fn a_running_container_has_its_image() {
    let mut objects = world("r.example.com/web:1", "", "", &json!({}));
    objects[2]["status"] = json!({"phase": "Running", "containerStatuses": [{"name": "web", "state": {"running": {}}}]});
    let said = event("Pod", Some("shop"), "web-1-a", "Failed", "Failed to pull image \"r.example.com/web:1\": not found");
    assert!(found(&objects, vec![said]).is_empty());
}

#[test]
fn the_reason_stands_at_the_end() {
    let text = "Failed to pull image \"a/b:1\": rpc error: code = NotFound desc = failed to pull and unpack image \
                \"docker.io/a/b:1\": failed to resolve reference \"docker.io/a/b:1\": docker.io/a/b:1: not found";
    assert_eq!(decisive(text), "docker.io/a/b:1: not found");
}
