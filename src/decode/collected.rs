//! What was asked for: "collected, none there" is not "not collected".

use std::collections::BTreeSet;

use super::kind::KindName;
use super::{Collected, Document, Part, Within, is_namespaced};
use crate::location::Location;

/// The kinds of `objects`, which are all there were: in the whole cluster when that was asked for, else in each namespace
/// they come from.
pub(super) fn of_objects(objects: &[Document], everywhere: bool, location: &Location) -> Vec<Document> {
    let mut asked: BTreeSet<(&str, Within)> = BTreeSet::new();
    for document in objects {
        let Document::Resource(object) = document else { continue };
        let within = match (is_namespaced(object.kind()), object.namespace()) {
            (Some(false), _) => Within::Cluster,
            _ if everywhere => Within::Cluster,
            (_, Some(namespace)) => Within::Namespace(namespace.to_owned()),
            _ => Within::Untold,
        };
        asked.insert((object.kind(), within));
    }
    let collected = |(kind, within): (&str, Within)| Collected { kind: kind.to_owned(), within, location: location.clone() };
    asked.into_iter().map(|asked| Document::Collected(collected(asked))).collect()
}

/// A kind of which there were no objects.
pub(super) fn none_of(kind: &KindName, namespace: Option<&str>, location: Location) -> Document {
    let within = match namespace {
        _ if !kind.namespaced => Within::Cluster,
        Some(namespace) => Within::Namespace(namespace.to_owned()),
        None => Within::Untold,
    };
    Document::Collected(Collected { kind: kind.kind.to_owned(), within, location })
}

/// An empty file that is called after a kind: kubectl tells the terminal, not the file, that it found nothing.
pub(super) fn empty_file(part: &Part<'_>) -> Option<Document> {
    let file = part.path.rsplit('/').next().unwrap_or(part.path);
    let is_text = file.rsplit_once('.').is_none_or(|(_, suffix)| matches!(suffix, "txt" | "out"));
    let kind = KindName::in_file_name(file).filter(|_| is_text && part.line == 1)?;
    Some(none_of(kind, None, Location::file(part.path)))
}

/// `No resources found in shop namespace.` in a file that is called after a kind.
pub(super) fn none_found(part: &Part<'_>) -> Option<Document> {
    let text = part.text.trim();
    let rest = text.strip_prefix("No resources found")?;
    let namespace = rest.strip_prefix(" in ").and_then(|r| r.strip_suffix(" namespace.")).filter(|ns| !ns.contains(' '));
    let file = part.name().rsplit('/').next()?;
    Some(none_of(KindName::in_file_name(file)?, namespace, Location::line(part.path, part.line)))
}
