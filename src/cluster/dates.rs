//! Stamps without a year (klog, journald) get the one that puts them at or before the bundle's own "now".

use jiff::{SignedDuration, Timestamp};

use super::Cluster;
use crate::decode::LogLine;
use crate::time;

impl Cluster {
    /// Dates all log lines and finds the bundle's "now": the newest stamp in it, and not before `counted`.
    pub(super) fn date(&mut self, counted: Option<Timestamp>) {
        let told = self.told_stamps(counted);
        self.now = self.newest_stamp(told);
        let Some(now) = self.now else { return };
        // What began months ago may still log: only what follows the time closely tells that a stamp ahead of it is last year's.
        let ahead = if told.is_close() { A_DAY } else { HALF_A_YEAR };
        let latest = now.saturating_add(ahead).unwrap_or(now);
        for log in &mut self.logs {
            let hits = log.hits.iter_mut().map(|h| &mut h.line);
            log.head.iter_mut().chain(&mut log.tail).chain(hits).for_each(|line| date(line, latest));
            let ends = log.templates.iter_mut().flat_map(|t| [&mut t.first, &mut t.last]);
            for stamp in ends.chain([&mut log.first, &mut log.last]) {
                *stamp = stamp.map(|at| time::dated(at, latest));
            }
        }
        for event in &mut self.events {
            event.first = event.first.map(|at| time::dated(at, latest));
            event.last = event.last.map(|at| time::dated(at, latest));
        }
        self.node_services.iter_mut().flat_map(|s| &mut s.lines).for_each(|line| date(line, latest));
        self.now = self.newest_stamp(told);
    }
}

/// Grace for zones.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// The nearest year.
const HALF_A_YEAR: SignedDuration = SignedDuration::from_hours(182 * 24);

fn date(line: &mut LogLine, latest: Timestamp) {
    line.at = line.at.map(|at| time::dated(at, latest));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::testing;
    use super::*;
    use crate::bundle::Entry;
    use crate::decode::{Decoder, Document, Origin, Patterns};

    #[test]
    fn a_klog_line_is_dated_by_the_newest_stamp() {
        let patterns = Arc::new(Patterns::new(Vec::new()).unwrap());
        let pod = json!({"kind": "Pod", "metadata": {"name": "a"}, "status": {"startTime": "2024-01-02T00:00:00Z"}});
        let log = Entry::whole("web-0.log", b"I1231 15:04:05.000000 1 a.go:1] up\nI0102 00:20:00.000000 1 a.go:1] x\n".to_vec());
        let mut documents = Decoder { patterns: Arc::clone(&patterns) }.decode(&log).documents;
        documents.push(Document::Resource(testing::resource(&pod, Origin::Live, 1)));
        let cluster = Cluster::new(documents, patterns);
        let log = &cluster.logs()[0];
        assert_eq!((log.first, log.last), ("2023-12-31T15:04:05Z".parse().ok(), "2024-01-02T00:20:00Z".parse().ok()));
        assert_eq!(cluster.now, log.last);
    }
}
