//! The command-line program; see the library for what it does.

mod cli;
mod progress;
mod workflow;

fn main() -> std::process::ExitCode {
    cli::run()
}
