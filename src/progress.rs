//! Progress on standard error while a large bundle is read: only on a terminal, gone when done.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that tells how much was unpacked.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

/// Bundles that are read faster than this show nothing.
const SHOWN_AFTER: Duration = Duration::from_millis(300);

impl Progress {
    /// Shown when `wanted` and standard error is a terminal. `packed` is the size of the inputs, when it is known.
    pub(crate) fn new(wanted: bool, packed: Option<u64>) -> Self {
        let bar = (wanted && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
            let of = packed.map(|bytes| format!(" (from {} packed)", indicatif::HumanBytes(bytes))).unwrap_or_default();
            let template = format!("{{spinner}} unpacked {{bytes}}{of} · {{bytes_per_sec}} · {{elapsed}} · {{msg}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar }
    }

    /// `bytes` more of the file `path` were unpacked.
    pub(crate) fn tick(&self, path: &str, bytes: u64) {
        if let Some(bar) = &self.bar {
            if bar.elapsed() > SHOWN_AFTER {
                let name: String = path.rsplit('/').next().unwrap_or(path).chars().filter(|c| !c.is_control()).take(40).collect();
                bar.set_message(name);
            }
            bar.inc(bytes);
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How long things took, for `--timings`. The only clock of the program: it never reaches a report.
pub(crate) struct Stopwatch {
    since: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that --timings shows")]
    pub(crate) fn start() -> Self {
        Self { since: Instant::now(), laps: Vec::new() }
    }

    /// Ends the lap called `name`.
    pub(crate) fn lap(&mut self, name: &'static str) {
        let before: Duration = self.laps.iter().map(|(_, d)| *d).sum();
        self.laps.push((name, self.since.elapsed() - before));
    }

    /// One line a lap.
    pub(crate) fn lines(&self) -> String {
        self.laps.iter().map(|(name, took)| format!("{name:>8} {:8.1} ms\n", took.as_secs_f64() * 1000.0)).collect()
    }
}
