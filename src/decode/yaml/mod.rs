//! YAML → tapes. A file is split into documents and a List into its items before anything is parsed, so that a broken
//! item costs itself only.

mod full;
mod scalar;
mod split;

use std::sync::Arc;

use super::{Decoded, Part, Tape, objects};
use crate::location::{Location, Problem};

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

/// The objects in a YAML text: documents, Lists, sequences.
pub(super) fn decode(part: &Part<'_>) -> Decoded {
    let mut out = Decoded::default();
    for document in split::documents(part.text, part.line) {
        decode_document(part, &document, &mut out);
    }
    out
}

fn decode_document(part: &Part<'_>, document: &split::Chunk<'_>, out: &mut Decoded) {
    let whole = |out: &mut Decoded| {
        let tapes = read(part.path, document, &mut out.problems);
        objects::take_all(tapes, part, &mut out.documents);
    };
    let Some(list) = split::list(document) else { return whole(out) };
    let mut problems = Vec::new();
    let frame: Vec<Tape> = list.frame.iter().flat_map(|chunk| read(part.path, chunk, &mut problems)).collect();
    let heirs = frame.iter().map(Tape::root).find(|root| root.get("kind").exists()).map(objects::Heirs::of_list);
    let items: Vec<Tape> = list.items.iter().flat_map(|chunk| read(part.path, chunk, &mut problems)).collect();
    // An alias may point at an anchor of another item, and an object may have `items` of its own.
    let is_cut_wrongly =
        problems.iter().any(|p| p.what.contains(full::UNKNOWN_ANCHOR)) || !frame.iter().all(|tape| objects::is_list(tape.root()));
    if is_cut_wrongly {
        return whole(out);
    }
    out.problems.append(&mut problems);
    let heirs = heirs.unwrap_or_default();
    let from = out.documents.len();
    for sequence in &items {
        // An item is read as a sequence of one.
        sequence.root().items().for_each(|item| objects::take(item.to_tape(), &heirs, part, &mut out.documents));
    }
    objects::note_collected(from, &heirs, part, &mut out.documents);
}

fn read(path: &Arc<str>, chunk: &split::Chunk<'_>, problems: &mut Vec<Problem>) -> Vec<Tape> {
    let Read { tapes, broken } = full::read(path, chunk.text, chunk.line);
    if let Some(Break { line, what }) = broken {
        problems.push(Problem::new(Location::line(path, line), what));
    }
    tapes
}
