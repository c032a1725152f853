//! YAML → tapes. A file is split into documents and a List into its items before anything is parsed, so that a broken
//! item costs itself only.

#[cfg(test)]
mod differential;
mod full;
mod scalar;
mod scan;
mod split;

use std::sync::Arc;

use super::{Decoded, Part, Tape, TapeBuilder, Value, objects};
use crate::location::{Location, Problem};
use scan::Extent;
use split::Chunk;

/// Where and why a text stops being YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Break {
    line: u32,
    what: String,
}

/// What stands in a YAML text: one tape a document or item, up to the break.
#[derive(Debug, Default)]
struct Read {
    tapes: Vec<Tape>,
    broken: Option<Break>,
}

pub(super) use full::{DEPTH, SKIPPED_KEY};
pub(super) use scalar::is_json_number;
pub(super) use split::item_start;

/// The one value a short YAML text of our own holds, a patch for example; nothing when it is broken.
pub(crate) fn value(text: &str) -> Option<serde_json::Value> {
    let Read { tapes, broken } = full::read(&Arc::from("patch"), text, 1);
    let [tape] = &tapes[..] else { return None };
    broken.is_none().then(|| tape.root().to_json())
}

/// The objects in a YAML text: documents, Lists, sequences.
pub(super) fn decode(part: &Part<'_>) -> Decoded {
    let mut out = Decoded::default();
    for document in split::documents(part.text, part.line) {
        decode_document(part, &document, &mut out);
    }
    out
}

/// The items of a List that was cut between them: what follows the first part.
pub(super) fn decode_items(part: &Part<'_>) -> Decoded {
    let mut out = Decoded::default();
    let text = Chunk { text: part.text, line: part.line };
    let Some((chunks, rest)) = split::items(&text) else { return out };
    let mut items = Vec::with_capacity(chunks.len());
    let mut builder = TapeBuilder::new(part.path);
    for chunk in &chunks {
        read_item(part.path, chunk, &mut builder, &mut items, &mut out.problems);
    }
    let heirs = objects::Heirs::default();
    items.into_iter().for_each(|item| objects::take(item, &heirs, part, &mut out.documents));
    objects::note_collected(0, &heirs, part, &mut out.documents);
    // The end of the List's own map, and whatever follows the List.
    for document in split::documents(rest.text, rest.line) {
        decode_document(part, &document, &mut out);
    }
    out
}

fn decode_document(part: &Part<'_>, document: &Chunk<'_>, out: &mut Decoded) {
    let whole = |out: &mut Decoded| {
        let tapes = read(part.path, document, &mut out.problems);
        objects::take_all(tapes, part, &mut out.documents);
    };
    let Some(list) = split::list(document) else { return whole(out) };
    let mut problems = Vec::new();
    let frame: Vec<Tape> = list.frame.iter().flat_map(|chunk| read(part.path, chunk, &mut problems)).collect();
    let heirs = frame.iter().map(Tape::root).find(|root| root.get("kind").exists()).map(objects::Heirs::of_list);
    let mut items = Vec::with_capacity(list.items.len());
    let mut builder = TapeBuilder::new(part.path);
    for chunk in &list.items {
        read_item(part.path, chunk, &mut builder, &mut items, &mut problems);
    }
    // An alias may point at an anchor of another item, and an object may have `items` of its own.
    let is_cut_wrongly =
        problems.iter().any(|p| p.what.contains(full::UNKNOWN_ANCHOR)) || !frame.iter().all(|tape| objects::is_list(tape.root()));
    if is_cut_wrongly {
        return whole(out);
    }
    out.problems.append(&mut problems);
    let heirs = heirs.unwrap_or_default();
    let from = out.documents.len();
    items.into_iter().for_each(|item| objects::take(item, &heirs, part, &mut out.documents));
    objects::note_collected(from, &heirs, part, &mut out.documents);
}

/// The tapes of a text of one or more documents.
fn read(path: &Arc<str>, chunk: &Chunk<'_>, problems: &mut Vec<Problem>) -> Vec<Tape> {
    let mut builder = TapeBuilder::with_capacity(path, chunk.text.len());
    if scan::scan(chunk.text, chunk.line, Extent::Document, &mut builder).is_ok() {
        return vec![builder.finish()];
    }
    read_fully(path, chunk, problems)
}

fn read_fully(path: &Arc<str>, chunk: &Chunk<'_>, problems: &mut Vec<Problem>) -> Vec<Tape> {
    let Read { tapes, broken } = full::read(path, chunk.text, chunk.line);
    problems.extend(broken.map(|b| Problem::new(Location::line(path, b.line), b.what)));
    tapes
}

/// The item of a List, into `items`. `builder` is used for one after the other.
fn read_item(path: &Arc<str>, chunk: &Chunk<'_>, builder: &mut TapeBuilder, items: &mut Vec<Tape>, problems: &mut Vec<Problem>) {
    builder.clear();
    if scan::scan(chunk.text, chunk.line, Extent::Item, builder).is_ok() {
        items.push(builder.to_tape());
        return;
    }
    // The full parser sees a sequence of one.
    for sequence in read_fully(path, chunk, problems) {
        items.extend(sequence.root().items().map(Value::to_tape));
    }
}
