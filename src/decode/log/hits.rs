//! The lines that match, of each pattern the first and the last ones, with their neighbours.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::scan::{KEPT, cut};
use super::{Hit, LogLine, level, wrap};

/// Hits kept of the beginning, and as many of the end, of each pattern.
pub(super) const EACH: usize = 8;
/// Lines kept before and after a hit.
pub(super) const AROUND: usize = 2;
/// Characters kept of a neighbour.
pub(super) const NEIGHBOUR: usize = 500;

/// A line of a block that matches a pattern.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) pattern: u32,
    /// Index of the line in its block.
    pub(super) line: usize,
    /// Where in the payload it is known to match.
    pub(super) end: usize,
}

/// All hits so far.
#[derive(Debug, Default)]
pub(super) struct Hits {
    by_pattern: FxHashMap<u32, Kept>,
    /// Hits at the end of the last block that still want lines after them: pattern and line number.
    pending: Vec<(u32, u32)>,
}

#[derive(Debug, Default)]
struct Kept {
    count: u32,
    first: Vec<Hit>,
    last: VecDeque<Hit>,
}

impl Kept {
    fn push(&mut self, hit: Hit) {
        if self.first.len() < EACH {
            self.first.push(hit);
        } else {
            if self.last.len() == EACH {
                self.last.pop_front();
            }
            self.last.push_back(hit);
        }
    }
}

impl Hits {
    /// Gives the lines at the start of the next block (`line` by index) to hits that want them.
    pub(super) fn complete_pending<'t>(&mut self, line: impl Fn(usize) -> Option<(u32, &'t [u8])>) {
        let by_pattern = &mut self.by_pattern;
        self.pending.retain(|(pattern, number)| {
            let Some(kept) = by_pattern.get_mut(pattern) else { return false };
            let Some(hit) = kept.first.iter_mut().chain(&mut kept.last).find(|h| h.line.line == *number) else { return false };
            for i in 0.. {
                match line(i) {
                    Some((_, text)) if hit.after.len() < AROUND => hit.after.push(neighbour(text)),
                    _ => break,
                }
            }
            hit.after.len() < AROUND
        });
    }

    /// Adds the matches of a block of `n_lines`. `line` gives a line by its index, negative ones of the blocks before.
    pub(super) fn add<'t>(&mut self, matches: &[Match], n_lines: usize, line: impl Fn(isize) -> Option<(u32, &'t [u8])>) {
        let mut order: Vec<&Match> = matches.iter().collect();
        order.sort_by_key(|m| (m.pattern, m.line));
        for group in order.chunk_by(|a, b| a.pattern == b.pattern) {
            let kept = self.by_pattern.entry(group[0].pattern).or_default();
            kept.count = kept.count.saturating_add(group.len() as u32);
            // Only those that stay are made: the first ones, when there are not enough yet, and the last.
            let early = (EACH - kept.first.len()).min(group.len());
            let late = (group.len() - EACH.min(group.len())).max(early);
            for found in group[..early].iter().chain(&group[late..]) {
                let hit = hit(found, &line);
                if found.line + AROUND >= n_lines {
                    self.pending.push((found.pattern, hit.line.line));
                }
                kept.push(hit);
            }
        }
    }

    /// All hits in order of the file, and how often each pattern matched, by pattern.
    pub(super) fn finish(self) -> (Vec<Hit>, Vec<(u32, u32)>) {
        let mut counts: Vec<(u32, u32)> = self.by_pattern.iter().map(|(p, k)| (*p, k.count)).collect();
        counts.sort_unstable();
        let mut hits: Vec<Hit> = self.by_pattern.into_values().flat_map(|k| k.first.into_iter().chain(k.last)).collect();
        hits.sort_by_key(|h| (h.line.line, h.pattern));
        (hits, counts)
    }
}

fn hit<'t>(found: &Match, line: impl Fn(isize) -> Option<(u32, &'t [u8])>) -> Hit {
    let at = found.line as isize;
    let (number, raw) = line(at).unwrap_or((0, &[]));
    let unwrapped = wrap::unwrap(raw);
    let around = |range: std::ops::Range<isize>| range.filter_map(&line).map(|(_, text)| neighbour(text)).collect();
    Hit {
        pattern: found.pattern,
        line: LogLine {
            line: number,
            at: unwrapped.at(),
            level: level::of_line(unwrapped.payload),
            text: cut(wrap::unescaped(&String::from_utf8_lossy(unwrapped.payload)).as_bytes(), found.end, KEPT),
        },
        before: around(at - AROUND as isize..at),
        after: around(at + 1..at + 1 + AROUND as isize),
    }
}

fn neighbour(line: &[u8]) -> String {
    cut(wrap::unwrap(line).payload, 0, NEIGHBOUR)
}
