//! Reading and decoding side by side: one thread unpacks, the others decode, and the result does not depend on how many
//! there are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{TrySendError, bounded};
use rustc_hash::FxHashMap;

use crate::bundle::{self, Cut, Entry, Limits, Source, Summary};
use crate::decode::{Decoded, Decoder, Document, Log};
use crate::location::{Location, Problem};

/// All that bundles gave.
pub(crate) struct Gathered {
    pub(crate) summary: Summary,
    pub(crate) documents: Vec<Document>,
    pub(crate) problems: Vec<Problem>,
}

/// Entries that wait for a decoder; the unpacking thread decodes itself when there are more, so that memory stays bounded.
const WAITING: usize = 16;

/// Bytes that wait for a decoder. An entry alone may be larger.
const WAITING_BYTES: u64 = 128 << 20;

/// One entry's documents, with what is needed to put them in order.
struct Piece {
    number: u64,
    path: Arc<str>,
    replaces: bool,
    chunk: u32,
    decoded: Decoded,
}

/// Reads `sources` and decodes every entry with `jobs` threads, this one included. What does not fit into `max_memory` bytes
/// is left out and told.
pub(crate) fn gather(
    sources: &[Source],
    limits: &Limits,
    decoder: &Decoder,
    jobs: usize,
    max_memory: Option<u64>,
    tick: &mut dyn FnMut(&Entry),
) -> Result<Gathered, bundle::Error> {
    let budget = Budget { most: max_memory.unwrap_or(u64::MAX), held: AtomicU64::new(0) };
    let waiting = AtomicU64::new(0);
    let mut number = 0;
    let mut numbered = |entry: &Entry| {
        tick(entry);
        number += 1;
        number
    };
    let cut = |path: &Arc<str>, head: &[u8]| cut(decoder, path, head);
    let mut pieces = Vec::new();
    let summary = if jobs <= 1 {
        bundle::read_cut(sources, limits, &cut, &mut |entry| {
            let number = numbered(&entry);
            pieces.push(decode(decoder, &budget, number, &entry));
        })?
    } else {
        let (send, receive) = bounded::<(u64, Entry)>(WAITING);
        std::thread::scope(|scope| {
            let work = || {
                let take = |(number, entry): (u64, Entry)| {
                    waiting.fetch_sub(entry.bytes.len() as u64, Ordering::Relaxed);
                    decode(decoder, &budget, number, &entry)
                };
                receive.iter().map(take).collect::<Vec<Piece>>()
            };
            let workers: Vec<_> = (1..jobs).map(|_| scope.spawn(work)).collect();
            let read = bundle::read_cut(sources, limits, &cut, &mut |entry| {
                let number = numbered(&entry);
                let bytes = entry.bytes.len() as u64;
                let is_full = waiting.fetch_add(bytes, Ordering::Relaxed) + bytes > WAITING_BYTES;
                // A full queue means that unpacking is ahead: this thread helps out.
                let refused = if is_full {
                    Some((number, entry))
                } else {
                    send.try_send((number, entry)).err().map(TrySendError::into_inner)
                };
                if let Some((number, entry)) = refused {
                    waiting.fetch_sub(bytes, Ordering::Relaxed);
                    pieces.push(decode(decoder, &budget, number, &entry));
                }
            });
            drop(send);
            pieces.extend(work());
            for worker in workers {
                pieces.extend(worker.join().unwrap_or_default());
            }
            read
        })?
    };
    Ok(ordered(pieces, summary, &budget))
}

struct Budget {
    most: u64,
    held: AtomicU64,
}

impl Budget {
    /// Room for `bytes` more?
    fn takes(&self, bytes: u64) -> bool {
        self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.most
    }

    fn is_spent(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.most
    }
}

/// A file that makes the decoder panic stays whole.
fn cut(decoder: &Decoder, path: &Arc<str>, head: &[u8]) -> Cut {
    catch_unwind(AssertUnwindSafe(|| decoder.cut(path, head))).unwrap_or(Cut::Whole)
}

/// A decoder that panics on a file costs that file only.
fn decode(decoder: &Decoder, budget: &Budget, number: u64, entry: &Entry) -> Piece {
    let (path, replaces, chunk) = (Arc::clone(&entry.path), entry.replaces, entry.chunk);
    let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode(entry))).unwrap_or_else(|_| Decoded {
        documents: Vec::new(),
        problems: vec![Problem::new(Location::file(&path), "the decoder failed on this file; it was left out")],
    });
    let kept = if budget.takes(decoded.documents.iter().map(held).sum()) {
        decoded
    } else {
        let what = "left out: what is kept of the bundle would need more than --max-memory";
        Decoded { documents: Vec::new(), problems: vec![Problem::new(Location::file(&path), what)] }
    };
    Piece { number, path, replaces, chunk, decoded: kept }
}

/// About how many bytes a document holds.
fn held(document: &Document) -> u64 {
    let bytes = match document {
        Document::Resource(resource) => resource.tape.bytes() + 200,
        Document::Event(event) => event.message.len() + 300,
        Document::Log(log) => 200 * (log.head.len() + log.tail.len() + 5 * log.hits.len()),
        _ => 300,
    };
    bytes as u64
}

/// The documents in the order of the bundle; of files with one path the last, parts of one log joined.
fn ordered(mut pieces: Vec<Piece>, summary: Summary, budget: &Budget) -> Gathered {
    pieces.sort_by_key(|piece| piece.number);
    let mut valid_from: FxHashMap<Arc<str>, u64> = FxHashMap::default();
    for piece in pieces.iter().filter(|p| p.replaces && p.chunk == 0) {
        valid_from.insert(Arc::clone(&piece.path), piece.number);
    }
    pieces.retain(|piece| valid_from.get(&piece.path).is_none_or(|first| piece.number >= *first));
    let mut documents: Vec<Document> = Vec::new();
    let mut problems = Vec::new();
    for piece in pieces {
        problems.extend(piece.decoded.problems);
        for document in piece.decoded.documents {
            match document {
                Document::Log(part) if piece.chunk > 0 => join(&mut documents, part),
                document => documents.push(document),
            }
        }
    }
    if budget.is_spent() {
        let what = format!("more than {} bytes would have been kept; the files listed were left out", budget.most);
        problems.push(Problem::new(Location::file(&Arc::from(summary.name.as_str())), what));
    }
    Gathered { summary, documents, problems }
}

/// Adds a later part of a log to the part before it.
fn join(documents: &mut Vec<Document>, part: Log) {
    let of_log = |d: &Document| matches!(d, Document::Log(l) if l.path == part.path && l.source == part.source);
    match documents.iter().rposition(of_log).map(|at| documents.remove(at)) {
        Some(Document::Log(known)) => documents.push(Document::Log(known.join(part))),
        _ => documents.push(Document::Log(part)),
    }
}
