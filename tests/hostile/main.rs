//! Hostile and broken inputs, each with its outcome: what is read of it, what is listed as a problem, how much memory it takes.
//!
//! `cargo test --test hostile` runs them one after the other, since memory is measured for the whole process;
//! `cargo test --test hostile -- --nocapture` prints the table.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on has failed; the table is the output")]

use std::process::ExitCode;

use coroner::bundle::{Entry, Error, Limits, Source, read};
use libtest_mimic::{Arguments, Failed, Trial};

#[path = "../pack/mod.rs"]
mod pack;

mod bombs;
mod broken;
mod links;
mod memory;
mod names;

/// What one input may take beyond the bytes it is made of.
const MOST_MEMORY: u64 = 300 << 20;

/// An input and what has to become of it.
struct Case {
    name: &'static str,
    build: fn() -> Vec<u8>,
    limits: Limits,
    /// Paths of the files read, each with `=content` where that matters.
    files: &'static [&'static str],
    /// Beginnings of the problems listed, as `path: what`.
    problems: &'static [&'static str],
}

impl Case {
    fn new(
        name: &'static str,
        build: fn() -> Vec<u8>,
        files: &'static [&'static str],
        problems: &'static [&'static str],
    ) -> Self {
        Self { name, build, limits: Limits::default(), files, problems }
    }

    fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let cases = [names::cases(), links::cases(), bombs::cases(), broken::cases()].into_iter().flatten();
    let mut trials: Vec<Trial> = cases.map(|case| Trial::test(case.name, move || judge(&case))).collect();
    trials.extend(broken::sweeps());
    trials.extend(links::directories());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What was read of an input.
#[derive(Debug, Default)]
struct Outcome {
    files: Vec<(String, Vec<u8>)>,
    problems: Vec<String>,
}

/// The start of each file is enough to compare.
const KEPT: usize = 64;

fn outcome(source: &Source, limits: &Limits) -> Outcome {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let summary = read(source, limits, &mut |entry: Entry| {
        if entry.replaces {
            files.retain(|(path, _)| *path != *entry.path);
        }
        if entry.chunk == 0 {
            files.push((entry.path.to_string(), entry.bytes[..entry.bytes.len().min(KEPT)].to_vec()));
        }
    });
    let problems = match summary {
        Ok(summary) => summary.problems.iter().map(|p| format!("{}: {}", p.location, p.what)).collect(),
        Err(Error::Useless { found, .. }) => vec![format!("useless: {found}")],
        Err(error) => vec![error.to_string()],
    };
    Outcome { files, problems }
}

fn judge(case: &Case) -> Result<(), Failed> {
    let source = Source::Bytes { name: "input".to_owned(), bytes: (case.build)() };
    let before = memory::reset();
    let outcome = outcome(&source, &case.limits);
    let taken = memory::peak().saturating_sub(before);
    eprintln!(
        "{:<36} {:>4} MiB  {} files, {} problems{}",
        case.name,
        taken >> 20,
        outcome.files.len(),
        outcome.problems.len(),
        outcome.problems.first().map(|p| format!(": {p}")).unwrap_or_default(),
    );
    compare(&outcome, case.files, case.problems)?;
    if taken > MOST_MEMORY {
        return Err(format!("took {} MiB", taken >> 20).into());
    }
    Ok(())
}

fn compare(outcome: &Outcome, files: &[&str], problems: &[&str]) -> Result<(), Failed> {
    let is_file = |((path, content), expected): (&(String, Vec<u8>), &&str)| match expected.split_once('=') {
        Some((name, text)) => path == name && content == text.as_bytes(),
        None => path == expected,
    };
    // Of very many files, the first are compared.
    let n_files = if files.last() == Some(&"…") { files.len() - 1 } else { files.len() };
    let same_files = (n_files < files.len() || outcome.files.len() == n_files)
        && outcome.files.len() >= n_files
        && outcome.files.iter().zip(&files[..n_files]).all(is_file);
    let same_problems = outcome.problems.len() == problems.len()
        && outcome.problems.iter().zip(problems).all(|(problem, start)| problem.starts_with(start));
    if same_files && same_problems {
        return Ok(());
    }
    let names: Vec<String> = outcome.files.iter().take(20).map(|(p, c)| format!("{p}={}", String::from_utf8_lossy(c))).collect();
    Err(format!("read {names:?}\n  expected {files:?}\nlisted {:#?}\n  expected {problems:#?}", outcome.problems).into())
}
