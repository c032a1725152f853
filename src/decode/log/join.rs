//! A log that was scanned in parts, put together.

use super::hits::{AROUND, EACH, NEIGHBOUR};
use super::scan::{HEAD, TAIL, cut};
use super::{Hit, Log, LogLine, template};

impl Log {
    /// The log of which `self` is the beginning and `next` the part right after it.
    #[must_use]
    pub fn join(mut self, mut next: Log) -> Log {
        let boundary = self.tail.last().map_or(0, |l| l.line);
        for hit in self.hits.iter_mut().filter(|h| h.line.line.saturating_add(AROUND as u32) > boundary) {
            let wanted = AROUND - hit.after.len();
            hit.after.extend(next.head.iter().take(wanted).map(neighbour));
        }
        for hit in next.hits.iter_mut().filter(|h| h.before.len() < AROUND) {
            let wanted = AROUND - hit.before.len();
            let before = self.tail[self.tail.len().saturating_sub(wanted)..].iter().map(neighbour);
            hit.before.splice(..0, before);
        }
        self.head.extend(next.head.into_iter().take(HEAD - self.head.len()));
        self.tail.append(&mut next.tail);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        self.hits.append(&mut next.hits);
        self.hits = first_and_last(self.hits);
        for (pattern, count) in next.counts {
            match self.counts.binary_search_by_key(&pattern, |(p, _)| *p) {
                Ok(i) => self.counts[i].1 = self.counts[i].1.saturating_add(count),
                Err(i) => self.counts.insert(i, (pattern, count)),
            }
        }
        self.templates = template::join(self.templates, next.templates);
        self.n_lines = self.n_lines.saturating_add(next.n_lines);
        self.n_errors = self.n_errors.saturating_add(next.n_errors);
        self.date();
        self
    }
}

fn neighbour(line: &LogLine) -> String {
    cut(line.text.as_bytes(), 0, NEIGHBOUR)
}

/// Of each pattern the first and the last hits, in order of the file.
fn first_and_last(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|h| (h.pattern, h.line.line));
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    let mut rest = hits.into_iter().peekable();
    while let Some(hit) = rest.next() {
        let mut group = vec![hit];
        while let Some(more) = rest.next_if(|h| h.pattern == group[0].pattern) {
            group.push(more);
        }
        if group.len() > 2 * EACH {
            group.drain(EACH..group.len() - EACH);
        }
        kept.append(&mut group);
    }
    kept.sort_by_key(|h| (h.line.line, h.pattern));
    kept
}
