//! Processes that die or do not work for reasons of their own: memory, configuration, a port that is taken, a crash.

use super::Detector;

mod last_words;
mod memory;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "oom_killed", run: memory::oom_killed },
    Detector { name: "container_log", run: last_words::container_log },
];
