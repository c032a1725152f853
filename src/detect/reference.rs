//! Objects that pods name and that do not exist: ConfigMaps and Secrets with their keys, service accounts, priority and
//! runtime classes.

use serde_json::Value as Json;

use super::near::nearest;
use super::template::Template;
use super::{Detector, Evidence, Finding, pod_trouble};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence};
use crate::decode::{Event, Origin, Ref, Resource, Tag, Value};

mod admission;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "configuration_reference", run: configuration_reference },
    Detector { name: "admission_reference", run: admission::admission_reference },
];

/// ConfigMaps, Secrets and keys that containers which cannot start ask for.
fn configuration_reference(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod").filter(|p| p.origin != Origin::Manifest && !p.at("metadata.deletionTimestamp").exists()) {
        // What a pod that has only just been made asks for may be made in the same moment.
        if !waits_for_configuration(pod) || pod_trouble(cluster, pod).is_none() {
            continue;
        }
        let Some(template) = Template::of(cluster, pod) else { continue };
        let mut seen = Vec::new();
        let mut found: Vec<Finding> = Vec::new();
        for asked in references(pod.at("spec")) {
            if asked.optional || seen.contains(&(asked.kind, asked.name, asked.key)) {
                continue;
            }
            seen.push((asked.kind, asked.name, asked.key));
            let Some(finding) = (Lookup { cluster, pod, template: &template, asked }).missing() else { continue };
            match found.iter_mut().find(|f| f.cause == finding.cause && f.facts.get("object") == finding.facts.get("object")) {
                Some(known) => join(known, finding),
                None => found.push(finding),
            }
        }
        out.append(&mut found);
        if seen.is_empty() {
            out.extend(told(cluster, pod, &template));
        }
    }
}

/// Several keys of one object are one fault.
fn join(known: &mut Finding, more: Finding) {
    if let (Some(Json::String(keys)), Some(Json::String(key))) = (known.facts.get_mut("key"), more.facts.get("key")) {
        *keys = format!("{keys}, {key}");
    }
    if let (Some(Json::Array(ops)), Some(Json::Array(others))) = (known.facts.get_mut("ops"), more.facts.get("ops")) {
        ops.extend(others.iter().filter(|op| !ops.contains(op)).cloned().collect::<Vec<_>>());
    }
    known.evidence.extend(more.evidence);
}

/// A container of the pod has not been started yet for want of its configuration.
fn waits_for_configuration(pod: &Resource) -> bool {
    if matches!(pod.at("status.phase").text(), "Succeeded" | "Failed") {
        return false;
    }
    let statuses = || ["initContainerStatuses", "containerStatuses"].into_iter().flat_map(|s| pod.at("status").get(s).items());
    let reasons = || statuses().map(|s| s.path("state.waiting.reason").text());
    let starting = |reason: &str| {
        matches!(
            reason,
            "CreateContainerConfigError" | "ContainerCreating" | "PodInitializing" | "CreateContainerError" | "RunContainerError"
        )
    };
    let bound = !pod.at("spec.nodeName").text().is_empty();
    reasons().any(starting) || statuses().next().is_none() && bound && pod.at("status.phase").text() == "Pending"
}

/// A place in a pod spec that names an object, and perhaps a key of it.
#[derive(Debug, Clone, Copy)]
struct Reference<'a> {
    kind: &'static str,
    name: &'a str,
    /// The key; empty when the whole object is meant.
    key: &'a str,
    optional: bool,
    /// Where the name stands.
    place: Value<'a>,
    /// Where the key stands.
    key_place: Value<'a>,
    /// The container, or empty when a volume asks.
    container: &'a str,
    /// The volume, or empty when an environment asks.
    volume: &'a str,
    /// The variable, or empty.
    variable: &'a str,
}

/// All references to ConfigMaps and Secrets in a pod spec.
fn references<'a>(spec: Value<'a>) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    let mut add = |kind, place: Value<'a>, key_place: Value<'a>, optional: Value<'a>, whose: [&'a str; 3]| {
        let (name, key) = (place.text(), key_place.text());
        if !name.is_empty() {
            let [container, volume, variable] = whose;
            found.push(Reference {
                kind,
                name,
                key,
                optional: optional.is_true(),
                place,
                key_place,
                container,
                volume,
                variable,
            });
        }
    };
    for container in spec.get("initContainers").items().chain(spec.get("containers").items()) {
        let of = container.get("name").text();
        for env in container.get("env").items() {
            let variable = env.get("name").text();
            for (kind, path) in [("ConfigMap", "valueFrom.configMapKeyRef"), ("Secret", "valueFrom.secretKeyRef")] {
                let source = env.path(path);
                add(kind, source.get("name"), source.get("key"), source.get("optional"), [of, "", variable]);
            }
        }
        for from in container.get("envFrom").items() {
            for (kind, path) in [("ConfigMap", "configMapRef"), ("Secret", "secretRef")] {
                let source = from.get(path);
                add(kind, source.get("name"), Value::ABSENT, source.get("optional"), [of, "", ""]);
            }
        }
    }
    for volume in spec.get("volumes").items() {
        let of = volume.get("name").text();
        let projected = volume.path("projected.sources").items();
        let sources = projected.flat_map(|s| [("ConfigMap", s.get("configMap")), ("Secret", s.get("secret"))]);
        for (kind, source) in sources.chain([("ConfigMap", volume.get("configMap")), ("Secret", volume.get("secret"))]) {
            let name = if source.get("secretName").exists() { source.get("secretName") } else { source.get("name") };
            add(kind, name, Value::ABSENT, source.get("optional"), ["", of, ""]);
            for item in source.get("items").items() {
                add(kind, name, item.get("key"), source.get("optional"), ["", of, ""]);
            }
        }
    }
    found
}

/// Fields in which a reference names its object.
const NAME: &[&str] = &["name", "secretName"];
/// The field in which it names a key.
const KEY: &[&str] = &["key"];

/// One reference of a pod that waits.
struct Lookup<'c, 'a> {
    cluster: &'a Cluster,
    pod: &'a Resource,
    template: &'c Template<'a>,
    asked: Reference<'a>,
}

impl<'a> Lookup<'_, 'a> {
    fn missing(&self) -> Option<Finding> {
        let reference = Ref::new(self.asked.kind, self.pod.namespace(), self.asked.name);
        match self.cluster.presence(&reference) {
            Presence::Present => self.key_missing(&reference),
            presence => self.object_missing(presence),
        }
    }

    fn object_missing(&self, presence: Presence) -> Option<Finding> {
        let words = format!("{} \"{}\" not found", self.asked.kind.to_lowercase(), self.asked.name);
        let said = said(self.cluster, self.pod, &[&words, &format!("references non-existent {}", self.asked.name)]);
        // What Kubernetes makes by itself is often left out of bundles.
        if said.is_none() && (presence == Presence::Unknown || is_generated(self.asked.name)) {
            return None;
        }
        let strength = if presence == Presence::Absent { Strength::Proof } else { Strength::Statement };
        let says = format!(
            "no {} {} exists in namespace {}",
            self.asked.kind,
            self.asked.name,
            self.pod.namespace().unwrap_or_default()
        );
        let evidence = self.evidence(self.asked.place, NAME, strength, says);
        let near = nearest(self.asked.name, self.names(self.pod.namespace())).map(str::to_owned);
        let elsewhere = self.cluster.kind(self.asked.kind).find(|r| r.name() == self.asked.name && r.origin != Origin::Manifest);
        let cause = if self.asked.kind == "Secret" { "secret-missing" } else { "configmap-missing" };
        let others: Vec<_> = self.names(self.pod.namespace()).filter(|n| !is_generated(n)).take(8).collect();
        let finding = self.finding(cause, evidence, said);
        let ops = near.as_ref().and_then(|near| self.replace(self.asked.name, NAME, near));
        Some(
            finding
                .fact("near", near.unwrap_or_default())
                .fact("others", others.join(", "))
                .fact("elsewhere", elsewhere.and_then(Resource::namespace).unwrap_or_default())
                .fact("maker", self.maker().unwrap_or_default())
                .fact("ops", ops.unwrap_or_default()),
        )
    }

    fn key_missing(&self, reference: &Ref) -> Option<Finding> {
        if self.asked.key.is_empty() {
            return None;
        }
        let holder = self.cluster.get(reference)?;
        let keys: Vec<_> =
            ["data", "stringData", "binaryData"].iter().flat_map(|f| holder.at(f).fields().map(|(k, _)| k)).collect();
        let words = [
            format!(
                "couldn't find key {} in {} {}/{}",
                self.asked.key,
                self.asked.kind,
                self.pod.namespace().unwrap_or_default(),
                self.asked.name
            ),
            format!(
                "references non-existent {} key: {}",
                if self.asked.kind == "Secret" { "secret" } else { "config" },
                self.asked.key
            ),
        ];
        let said = said(self.cluster, self.pod, &[&words[0], &words[1]]);
        if keys.contains(&self.asked.key) || keys.is_empty() && said.is_none() {
            return None;
        }
        let says = match keys.len() {
            0 => format!("{} {} has no such key", self.asked.kind, self.asked.name),
            _ => format!("{} {} has no such key; it has {}", self.asked.kind, self.asked.name, keys.join(", ")),
        };
        let strength = if keys.is_empty() { Strength::Statement } else { Strength::Proof };
        let evidence = self.evidence(self.asked.key_place, KEY, strength, says);
        // Where two keys are near, only a person can tell which value was meant.
        let near = nearest(self.asked.key, keys.iter().copied());
        let near =
            near.filter(|near| nearest(self.asked.key, keys.iter().copied().filter(|k| k != near)).is_none()).map(str::to_owned);
        let (cause, data) =
            if self.asked.kind == "Secret" { ("secret-key-missing", "data") } else { ("configmap-key-missing", "data") };
        let mut finding = self.finding(cause, evidence, said);
        if holder.at(data).exists() {
            let listing = Evidence::value(holder, holder.at(data), data, Strength::Proof, "these keys are there");
            finding = finding.evidence(listing.brief(&format!("keys: {}", keys.join(", "))));
        }
        let ops = near.as_ref().and_then(|near| self.replace(self.asked.key, KEY, near));
        Some(
            finding
                .fact("key", self.asked.key)
                .fact("keys", keys.join(", "))
                .fact("near", near.unwrap_or_default())
                .fact("ops", ops.unwrap_or_default()),
        )
    }

    fn finding(&self, cause: &str, evidence: Evidence, said: Option<Evidence>) -> Finding {
        let target = Ref::new(self.asked.kind, self.pod.namespace(), self.asked.name);
        let finding = Finding::new(cause, self.template.carrier.clone(), evidence)
            .fact("object", self.asked.name)
            .fact("object_kind", self.asked.kind)
            .fact("container", self.asked.container)
            .fact("volume", self.asked.volume)
            .fact("variable", self.asked.variable)
            .fact("pod", self.pod.name())
            .affects([self.pod.reference.clone(), target]);
        said.into_iter().fold(finding, Finding::evidence)
    }

    /// The place in the template a person changes, or in the pod when the template does not have it.
    fn evidence(&self, place: Value<'a>, keys: &[&str], strength: Strength, says: String) -> Evidence {
        match self.twin(place.text(), keys) {
            Some((value, _)) => Evidence::value(self.template.holder, value, keys[0], strength, says),
            None => Evidence::value(self.pod, place, keys[0], strength, says),
        }
    }

    /// The same reference in the template, with its JSON pointer inside the pod spec.
    fn twin(&self, wanted: &str, keys: &[&str]) -> Option<(Value<'a>, String)> {
        let lists = ["containers", "initContainers", "volumes"];
        lists.iter().find_map(|list| find(self.template.at(list), &format!("/{list}"), wanted, keys))
    }

    fn replace(&self, wanted: &str, keys: &[&str], value: &str) -> Option<serde_json::Value> {
        let (pointer, (_, path)) = (self.template.pointer()?, self.twin(wanted, keys)?);
        Some(serde_json::json!([{"op": "replace", "path": format!("{pointer}{path}"), "value": value}]))
    }

    fn names(&self, namespace: Option<&'a str>) -> impl Iterator<Item = &'a str> + use<'a> {
        let there = self.cluster.kind_in(self.asked.kind, namespace).filter(|r| r.origin != Origin::Manifest);
        there.map(Resource::name)
    }

    /// The object that should have made the Secret, and has not.
    fn maker(&self) -> Option<String> {
        let secret = Ref::new("Secret", self.pod.namespace(), self.asked.name);
        self.cluster.maker_of_secret(&secret).filter(|_| self.asked.kind == "Secret").map(|m| m.reference.to_string())
    }
}

/// The first place below `value` where one of `keys` holds `wanted` inside a reference, with its pointer.
fn find<'a>(value: Value<'a>, pointer: &str, wanted: &str, keys: &[&str]) -> Option<(Value<'a>, String)> {
    const REFERENCES: [&str; 8] =
        ["configMapKeyRef", "secretKeyRef", "configMapRef", "secretRef", "configMap", "secret", "items", "sources"];
    match value.tag()? {
        Tag::Seq => value.items().enumerate().find_map(|(i, item)| find(item, &format!("{pointer}/{i}"), wanted, keys)),
        Tag::Map => value.fields().find_map(|(key, inner)| {
            let below = format!("{pointer}/{key}");
            let in_reference = REFERENCES.iter().any(|r| pointer.ends_with(r) || pointer.contains(&format!("/{r}/")));
            if keys.contains(&key) && in_reference && inner.text() == wanted {
                return Some((inner, below));
            }
            find(inner, &below, wanted, keys)
        }),
        _ => None,
    }
}

/// Objects Kubernetes and Helm make for themselves.
fn is_generated(name: &str) -> bool {
    name == "kube-root-ca.crt" || name.starts_with("sh.helm.release.") || name.contains("-token-")
}

/// What the kubelet says of the pod with one of these words in it, from its events or a container's waiting message.
fn said(cluster: &Cluster, pod: &Resource, words: &[&str]) -> Option<Evidence> {
    let spoken = |text: &str| words.iter().any(|w| text.contains(w));
    let event = cluster.events_of(&pod.reference).filter(|e| cluster.is_current(e) && spoken(&e.message)).last();
    let says = "the kubelet looked for it";
    let by_event = event.map(|e| Evidence::event(e, Strength::Statement, says));
    by_event.or_else(|| {
        let statuses = ["initContainerStatuses", "containerStatuses"].into_iter().flat_map(|s| pod.at("status").get(s).items());
        let mut messages = statuses.map(|s| s.path("state.waiting.message"));
        messages.find(|m| spoken(m.text())).map(|m| Evidence::value(pod, m, "message", Strength::Statement, says))
    })
}

/// The kubelet names what is missing, and the pod's own spec was not read whole: a row of a table has no references.
fn told(cluster: &Cluster, pod: &Resource, template: &Template<'_>) -> Option<Finding> {
    if pod.at("spec.containers").items().any(|c| c.get("image").exists()) {
        return None;
    }
    let named = |event: &Event| {
        [("Secret", "secret \""), ("ConfigMap", "configmap \"")].into_iter().find_map(|(kind, words)| {
            let (_, rest) = event.message.split_once(words)?;
            let (name, after) = rest.split_once('"')?;
            after.trim_start().starts_with("not found").then(|| (kind, name.to_owned()))
        })
    };
    let mut events = cluster.events_of(&pod.reference).filter(|e| cluster.is_current(e));
    let (event, (kind, name)) = events.find_map(|e| Some((e, named(e)?)))?;
    let cause = if kind == "Secret" { "secret-missing" } else { "configmap-missing" };
    let there = cluster.kind_in(kind, pod.namespace()).filter(|r| r.origin != Origin::Manifest).map(Resource::name);
    let near = nearest(&name, there).unwrap_or_default();
    let evidence = Evidence::event(event, Strength::Statement, "the kubelet looked for it");
    Some(
        Finding::new(cause, template.carrier.clone(), evidence)
            .fact("object", name)
            .fact("object_kind", kind)
            .fact("near", near)
            .fact("pod", pod.name())
            .affects([pod.reference.clone()]),
    )
}
