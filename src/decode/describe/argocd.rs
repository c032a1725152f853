//! `argocd app get`: the Application it tells of, printed much like a describe text.

use super::outline::Block;
use crate::decode::draft::{Draft, Node};

/// API version of the kind that the text does not state.
pub(super) const API_VERSION: &str = "argoproj.io/v1alpha1";

/// Keys that only this text has together.
pub(super) fn is_application(object: Block<'_, '_>) -> bool {
    object.has("Sync Status") && object.has("Health Status")
}

/// Fills an Application. `Name` is `namespace/name`; `Namespace` is where its objects go.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let (line, value) = (entry.number(), entry.value());
        let word = value.split_whitespace().next().unwrap_or_default();
        match entry.key() {
            "Name" => {
                let (namespace, name) = value.split_once('/').unwrap_or(("argocd", value));
                draft.text("metadata.namespace", line, namespace);
                draft.text("metadata.name", line, name);
            }
            "Namespace" if !value.is_empty() => draft.text("spec.destination.namespace", line, value),
            "Project" => draft.text("spec.project", line, value),
            "Server" => draft.text("spec.destination.server", line, value),
            "Sync Status" => draft.text("status.sync.status", line, word),
            "Health Status" => draft.text("status.health.status", line, word),
            "Phase" => draft.text("status.operationState.phase", line, word),
            "Finished" => draft.stamp("status.operationState.finishedAt", line, value),
            "Message" => draft.text("status.operationState.message", line, value),
            // The objects of the application, a table.
            key if key.starts_with("GROUP") => break,
            _ => {}
        }
    }
    fill_resources(draft, object);
}

/// The rows `GROUP KIND NAMESPACE NAME STATUS HEALTH HOOK MESSAGE`; a message is told of what was tried.
fn fill_resources<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let mut lines = object.0.iter().skip_while(|l| !l.raw.starts_with("GROUP"));
    let Some(head) = lines.next() else { return };
    let columns = ["KIND", "NAMESPACE", "NAME ", "STATUS", "HEALTH", "HOOK", "MESSAGE"].map(|c| head.raw.find(c));
    let [Some(kind), Some(namespace), Some(name), Some(status), Some(health), Some(hook), Some(message)] = columns else {
        return;
    };
    let mut items = Vec::new();
    for row in lines.take_while(|l| !l.text().is_empty()) {
        let cell = |from: usize, to: usize| row.raw.get(from..to.min(row.raw.len())).unwrap_or_default().trim();
        let mut item = Draft::default();
        let cells = [
            ("kind", cell(kind, namespace)),
            ("namespace", cell(namespace, name)),
            ("name", cell(name, status)),
            ("status", cell(status, health)),
            ("health", cell(health, hook)),
            ("message", row.raw.get(message..).unwrap_or_default().trim()),
        ];
        for (key, value) in cells.into_iter().filter(|(_, value)| !value.is_empty()) {
            item.push(key, row.number, Node::text(value));
        }
        items.push((row.number, Node::Map(item)));
    }
    draft.put("status.operationState.syncResult.resources", head.number, Node::Seq(items));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::decode;
    use crate::decode::{Document, Part};

    #[test]
    fn an_application_is_read_with_what_it_tried() {
        let text = "\
Name:               gitops/shop
Project:            default
Server:             https://kubernetes.default.svc
Namespace:          shop
Sync Status:        OutOfSync from HEAD (0a1b2c3)
Health Status:      Missing

Operation:          Sync
Phase:              Failed
Message:            one or more objects failed to apply, reason: namespaces \"shpo\" not found

GROUP  KIND        NAMESPACE  NAME  STATUS     HEALTH   HOOK  MESSAGE
       Service     shpo       web   OutOfSync  Missing        namespaces \"shpo\" not found
apps   Deployment  shop       web   Synced     Healthy        deployment.apps/web unchanged
";
        let part = Part { path: &Arc::from("app.txt"), text, line: 1, title: "" };
        let documents = decode(&part).expect("an object").documents;
        let Some(Document::Resource(application)) = documents.first() else { panic!("no resource: {documents:?}") };
        assert_eq!(application.reference.to_string(), "Application gitops/shop");
        assert_eq!(application.at("status.sync.status").text(), "OutOfSync");
        assert_eq!(application.at("status.operationState.message").line(), Some(10));
        let tried = application.at("status.operationState.syncResult.resources");
        let rows: Vec<String> =
            tried.items().map(|r| format!("{} {}", r.get("namespace").text(), r.get("message").text())).collect();
        assert_eq!(rows, ["shpo namespaces \"shpo\" not found", "shop deployment.apps/web unchanged"]);
    }
}
