//! The search for many literals at once, ASCII case aside.
//!
//! An automaton takes one step a byte, and each step waits for the one before. Six searches over six parts of a text wait
//! together, which is 3.5 times as fast; with eight the processor runs out of registers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::noncontiguous::NFA;
use aho_corasick::{Anchored, BuildError, MatchKind};

const LANES: usize = 6;
/// The fast automaton takes 10 ms to build and 8 MB to keep: it pays once so many bytes were searched.
const WORTH: usize = 4 << 20;

/// Literals, searched for together.
#[derive(Debug)]
pub(super) struct Literals {
    slow: NFA,
    fast: OnceLock<Option<DFA>>,
    /// Bytes searched so far.
    searched: AtomicUsize,
}

/// Where a literal ends, and its number.
pub(super) type Found = (usize, usize);

impl Literals {
    pub(super) fn new(literals: &[Vec<u8>]) -> Result<Self, BuildError> {
        let slow = NFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            // Prefilters find the first of few; with hundreds of literals one is found all the time.
            .prefilter(false)
            .build(literals)?;
        Ok(Self { slow, fast: OnceLock::new(), searched: AtomicUsize::new(0) })
    }

    /// All occurrences in `text`, overlapping ones too, by where they end. `out` is emptied first.
    pub(super) fn find_all(&self, text: &[u8], out: &mut Vec<Found>) {
        out.clear();
        if self.searched.fetch_add(text.len(), Ordering::Relaxed) < WORTH {
            return walk(&self.slow, text, 0, out);
        }
        match self.fast.get_or_init(|| DFA::builder().build_from_noncontiguous(&self.slow).ok()) {
            Some(fast) => walk_in_lanes(fast, text, out),
            None => walk(&self.slow, text, 0, out),
        }
    }
}

fn walk_in_lanes(automaton: &DFA, text: &[u8], out: &mut Vec<Found>) {
    let part = text.len() / LANES;
    if part <= automaton.max_pattern_len() {
        return walk(automaton, text, 0, out);
    }
    let mut found: [Vec<Found>; LANES] = Default::default();
    let bounds: [usize; LANES] = std::array::from_fn(|lane| lane * part);
    // What ends at a bound or before it belongs to the lane before, which goes on to where the next one began.
    let mut states = bounds.map(|bound| state_at(automaton, text, bound));
    let parts = bounds.map(|bound| &text[bound..bound + part]);
    #[expect(clippy::needless_range_loop, reason = "all parts are walked in step")]
    for i in 0..part {
        for lane in 0..LANES {
            states[lane] = automaton.next_state(Anchored::No, states[lane], parts[lane][i]);
        }
        if states.iter().any(|state| automaton.is_special(*state)) {
            for lane in 0..LANES {
                add(automaton, states[lane], bounds[lane] + i + 1, &mut found[lane]);
            }
        }
    }
    found.iter_mut().for_each(|lane| out.append(lane));
    walk(automaton, text, LANES * part, out);
}

/// The state after the bytes before `at`, as far as they matter: a match may have begun that far before.
fn state_at(automaton: &impl Automaton, text: &[u8], at: usize) -> StateID {
    let start = automaton.start_state(Anchored::No).expect("searches that are not anchored are built by default");
    let before = &text[at.saturating_sub(automaton.max_pattern_len())..at];
    before.iter().fold(start, |state, byte| automaton.next_state(Anchored::No, state, *byte))
}

/// Adds what ends behind `at`.
fn walk(automaton: &impl Automaton, text: &[u8], at: usize, out: &mut Vec<Found>) {
    let mut state = state_at(automaton, text, at);
    for (i, byte) in text.iter().enumerate().skip(at) {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) {
            add(automaton, state, i + 1, out);
        }
    }
}

fn add(automaton: &impl Automaton, state: StateID, end: usize, out: &mut Vec<Found>) {
    if automaton.is_match(state) {
        let matched = (0..automaton.match_len(state)).map(|i| automaton.match_pattern(state, i).as_usize());
        out.extend(matched.map(|literal| (end, literal)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both automata find.
    fn found(literals: &[&str], text: &[u8]) -> [Vec<Found>; 2] {
        let literals: Vec<Vec<u8>> = literals.iter().map(|l| l.as_bytes().to_vec()).collect();
        let literals = Literals::new(&literals).unwrap();
        [0, WORTH].map(|searched| {
            literals.searched.store(searched, Ordering::Relaxed);
            let mut out = Vec::new();
            literals.find_all(text, &mut out);
            assert!(out.is_sorted_by_key(|(end, _)| *end));
            out.sort_unstable();
            out
        })
    }

    /// Every occurrence, found by comparing at every place.
    fn naive(literals: &[&str], text: &[u8]) -> Vec<Found> {
        let at = |end: usize| {
            let ends =
                move |(_, l): &(usize, &&str)| end >= l.len() && text[end - l.len()..end].eq_ignore_ascii_case(l.as_bytes());
            literals.iter().enumerate().filter(ends).map(move |(i, _)| (end, i))
        };
        (0..=text.len()).flat_map(at).collect()
    }

    #[test]
    fn finds_what_overlaps_and_what_crosses_lanes() {
        let literals = ["aba", "bab", "ba"];
        for n in [0, 1, 2, 3, 11, 12, 13, 16, 17, 100] {
            let text = "aB".repeat(n);
            let expected = naive(&literals, text.as_bytes());
            assert_eq!(found(&literals, text.as_bytes()), [expected.clone(), expected], "{n}");
        }
    }

    proptest::proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(text in "[abcA\\n]{0,200}") {
            let literals = ["abc", "bca", "aaaa", "c\nb"];
            let expected = naive(&literals, text.as_bytes());
            proptest::prop_assert_eq!(found(&literals, text.as_bytes()), [expected.clone(), expected]);
        }
    }
}
