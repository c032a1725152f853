//! Objects of controllers that make Secrets: what fails there is missed where the Secret is mounted.

use super::Cluster;
use crate::decode::{Ref, Resource};

/// Kinds that make a Secret, with the field that names it; where it is empty the Secret has the object's own name.
const MAKERS: &[(&str, &str)] = &[
    ("ExternalSecret", "spec.target.name"),
    ("SealedSecret", "spec.template.metadata.name"),
    ("Certificate", "spec.secretName"),
    ("VaultStaticSecret", "spec.destination.name"),
    ("VaultDynamicSecret", "spec.destination.name"),
    ("VaultPKISecret", "spec.destination.name"),
    ("InfisicalSecret", "spec.managedSecretReference.secretName"),
    ("AzureKeyVaultSecret", "spec.output.secret.name"),
    ("OnePasswordItem", ""),
    ("BitwardenSecret", "spec.secretName"),
    ("DopplerSecret", "spec.managedSecret.name"),
];

/// The Secret that `object` makes, when it is of such a kind.
pub(super) fn made_by(object: &Resource) -> Option<Ref> {
    let (_, field) = MAKERS.iter().find(|(kind, _)| *kind == object.kind())?;
    let named = object.at(field).text();
    let name = if field.is_empty() || named.is_empty() { object.name() } else { named };
    Some(Ref::new("Secret", object.namespace(), name))
}

/// The store an ExternalSecret takes its values from.
pub(super) fn store_of(object: &Resource) -> Option<Ref> {
    let store = object.at("spec.secretStoreRef");
    if object.kind() != "ExternalSecret" || store.get("name").text().is_empty() {
        return None;
    }
    let is_of_cluster = store.get("kind").text() == "ClusterSecretStore";
    let kind = if is_of_cluster { "ClusterSecretStore" } else { "SecretStore" };
    Some(Ref::new(kind, object.namespace().filter(|_| !is_of_cluster), store.get("name").text()))
}

impl Cluster {
    /// The object that makes, or should make, a Secret.
    pub fn maker_of_secret(&self, secret: &Ref) -> Option<&Resource> {
        MAKERS.iter().flat_map(|(kind, _)| self.kind(kind)).find(|object| made_by(object).as_ref() == Some(secret))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::cluster;

    #[test]
    fn a_secret_has_the_name_its_maker_says_or_the_makers_own() {
        let external = |name: &str, target: serde_json::Value| {
            json!({"kind": "ExternalSecret", "metadata": {"name": name, "namespace": "pay"},
                   "spec": {"target": target, "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"}}})
        };
        let cluster = cluster(&[external("a", json!({"name": "keys"})), external("b", json!({}))]);
        let maker = |name: &str| cluster.maker_of_secret(&Ref::new("Secret", Some("pay"), name)).map(Resource::name);
        assert_eq!((maker("keys"), maker("b"), maker("a")), (Some("a"), Some("b"), None));
        let store = store_of(cluster.find("ExternalSecret", Some("pay"), "a").unwrap()).unwrap();
        assert_eq!(store.to_string(), "ClusterSecretStore vault");
    }
}
