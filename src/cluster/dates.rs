//! Stamps without a year (klog, journald) get the one that puts them at or before the bundle's own "now".

use jiff::Timestamp;

use super::Cluster;
use crate::decode::LogLine;
use crate::time;

impl Cluster {
    /// Dates all log lines and finds the bundle's "now": the newest stamp in it, and not before `counted`.
    pub(super) fn date(&mut self, counted: Option<Timestamp>) {
        self.now = self.newest_stamp().max(counted);
        let Some(now) = self.now else { return };
        for log in &mut self.logs {
            let hits = log.hits.iter_mut().map(|h| &mut h.line);
            log.head.iter_mut().chain(&mut log.tail).chain(hits).for_each(|line| date(line, now));
            let ends = log.templates.iter_mut().flat_map(|t| [&mut t.first, &mut t.last]);
            for stamp in ends.chain([&mut log.first, &mut log.last]) {
                *stamp = stamp.map(|at| time::dated(at, now));
            }
        }
        self.node_services.iter_mut().flat_map(|s| &mut s.lines).for_each(|line| date(line, now));
        self.now = self.newest_stamp().max(counted);
    }
}

fn date(line: &mut LogLine, now: Timestamp) {
    line.at = line.at.map(|at| time::dated(at, now));
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
