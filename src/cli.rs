//! Arguments → the pipeline → exit code. The only file that knows clap.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use coroner::bundle::{Limits, Source};
use coroner::catalog::Catalog;
use coroner::detect::detector_names;
use coroner::language::Language;
use coroner::report::{Format, Style};
use coroner::{Options, report};

use crate::progress::{Progress, Stopwatch};
use crate::workflow;

mod collect;
mod redact;

/// Names what killed a Kubernetes workload from the evidence left behind.
#[derive(Debug, Parser)]
#[command(
    name = "coroner",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 analysed; 1 root cause found and --exit-code; 2 wrong usage, or the input cannot be read."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Analyse one incident: several inputs are one bundle
    Analyze(Analyze),
    /// Analyse the bundle built into the binary, and write coroner-report.html here
    Demo(Demo),
    /// Write a copy of a bundle without its secrets: same files, same kind of archive
    Redact(redact::Redact),
    /// Print a shell script that collects a bundle with nothing but kubectl and tar
    CollectScript(collect::CollectScript),
    /// The catalogue of causes
    Rules {
        #[command(subcommand)]
        command: Rules,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, clap::Args)]
#[command(after_help = FIXED_LIMITS)]
struct Analyze {
    /// .tar, .tar.gz, .tar.zst, .tar.xz, .tar.bz2, .zip, a single file, a directory, or - for standard input; the kind is told from the content
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// Write a report; repeatable; the format follows the extension: .html .md .json .sarif .xml (JUnit)
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// What goes to standard output
    #[arg(short, long, value_enum, default_value_t = FormatArg::Terminal, value_name = "FMT")]
    format: FormatArg,
    /// The most bytes of a Markdown report: 60k; parts that are least missed go first
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_bytes: Option<u64>,
    /// More rules, in the format of rules.toml; repeatable; same id replaces
    #[arg(short, long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Look for causes in these namespaces only (cluster-scoped ones always)
    #[arg(short, long, value_name = "NS")]
    namespace: Vec<String>,
    /// Kubernetes version, when the bundle does not tell
    #[arg(long, value_name = "V")]
    kubernetes_version: Option<String>,
    /// Do not redact (redaction is the default)
    #[arg(long)]
    show_secrets: bool,
    /// In a workflow of GitHub: add the Markdown report to the step's summary, and verdict, cause, object and confidence to its outputs
    #[arg(long)]
    github_actions: bool,
    /// Exit 1 when a root cause was found
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, clap::Args)]
struct LimitArgs {
    /// Threads [default: one per processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Bytes of memory for what is kept of the bundle; files beyond it are listed and left out
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "4G")]
    max_memory: u64,
    #[command(flatten)]
    unpacking: UnpackArgs,
}

#[derive(Debug, clap::Args)]
struct UnpackArgs {
    /// Bytes unpacked in all; the reading ends there, and the rest is told to be missing
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16G")]
    max_unpacked: u64,
}

impl UnpackArgs {
    fn limits(&self) -> Limits {
        Limits { unpacked: self.max_unpacked, ..Limits::default() }
    }
}

/// Limits that no option changes, for `--help`.
const FIXED_LIMITS: &str = "Limits: one file 1 GiB, of which a YAML or JSON document or a table 512 MiB; 1,000,000 files; \
archives four deep; 250 bytes out of one of a compressed stream beyond its first 64 MiB. \
What goes beyond is listed under problems, and the rest is analysed.";

#[derive(Debug, clap::Args)]
struct Look {
    #[command(flatten)]
    speech: Speech,
    /// Only the verdict
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// All evidence and the timeline
    #[arg(short, long)]
    verbose: bool,
    /// Colours on the terminal
    #[arg(long, value_enum, default_value_t = ColorArg::Auto, value_name = "WHEN")]
    color: ColorArg,
    /// No progress on standard error
    #[arg(long)]
    no_progress: bool,
    /// Print how long each stage took, on standard error
    #[arg(long)]
    timings: bool,
}

#[derive(Debug, clap::Args)]
struct Speech {
    /// The language of reports; what it lacks is said in English
    #[arg(long, value_enum, default_value_t = LanguageArg::En, value_name = "LANG")]
    lang: LanguageArg,
}

#[derive(Debug, clap::Args)]
struct Demo {
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Subcommand)]
enum Rules {
    /// All causes, one a line
    List {
        #[command(flatten)]
        speech: Speech,
    },
    /// One cause: how it is seen, what it leads to, how it is mended
    Show {
        /// Cause id
        id: String,
        #[command(flatten)]
        speech: Speech,
    },
    /// Check a rules file
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Terminal,
    Html,
    Markdown,
    Json,
    Sarif,
    Junit,
    Github,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LanguageArg {
    /// English
    En,
    /// Simplified Chinese
    Zh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorArg {
    Auto,
    Always,
    Never,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Terminal => Self::Terminal,
            FormatArg::Html => Self::Html,
            FormatArg::Markdown => Self::Markdown,
            FormatArg::Json => Self::Json,
            FormatArg::Sarif => Self::Sarif,
            FormatArg::Junit => Self::Junit,
            FormatArg::Github => Self::Github,
        }
    }
}

/// `500M`, `4G`, `1024`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "ki" | "kib" => 1 << 10,
        "m" | "mb" | "mi" | "mib" => 1 << 20,
        "g" | "gb" | "gi" | "gib" => 1 << 30,
        "t" | "tb" | "ti" | "tib" => 1 << 40,
        unit => return Err(format!("unknown unit {unit}: expected a number with K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a number with K, M, G or T, such as 500M".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too large".to_owned())
}

/// Parses the arguments, runs, and tells the exit code.
pub(crate) fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Analyze(args) => finish(analyze(&args)),
        Command::Demo(args) => finish(demo(&args).map(|()| false)),
        Command::Redact(args) => finish(redact::redact(&args).map(|()| false)),
        Command::CollectScript(args) => finish(print(collect::script(&args).as_bytes()).map(|()| false)),
        Command::Rules { command } => finish(rules(&command).map(|()| false)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "coroner", &mut script);
            finish(print(&script).map(|()| false))
        }
        Command::Man => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            finish(rendered.context("cannot render the manual").and_then(|()| print(&page)).map(|()| false))
        }
    }
}

/// `Ok(true)` is "a root cause was found, and the user wants to know by the exit code".
fn finish(outcome: anyhow::Result<bool>) -> ExitCode {
    match outcome {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "coroner: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn analyze(args: &Analyze) -> anyhow::Result<bool> {
    let mut watch = Stopwatch::start();
    let mut catalog = args.look.speech.catalog()?;
    for path in &args.rules {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the rules file {}", path.display()))?;
        catalog.extend(&path.to_string_lossy(), &text, &detector_names())?;
    }
    // Outputs are opened before the work, so that a path that cannot be written fails at once.
    let step = args.github_actions.then(workflow::Step::of_environment).transpose()?;
    let mut outputs = args.output.iter().map(|path| open(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let sources: Vec<Source> = args.bundles.iter().map(|b| source(b)).collect();
    let options = Options {
        limits: args.limits.unpacking.limits(),
        max_memory: Some(args.limits.max_memory),
        jobs: args.limits.jobs,
        namespaces: args.namespace.clone(),
        kubernetes_version: args.kubernetes_version.clone(),
        show_secrets: args.show_secrets,
    };
    if let Some(jobs) = args.limits.jobs {
        // Fails only when a pool is there already, and none was made before.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build_global();
    }
    let packed = args.bundles.iter().map(|b| std::fs::metadata(b).ok().filter(std::fs::Metadata::is_file).map(|m| m.len())).sum();
    let progress = Progress::new(!args.look.no_progress && !args.look.quiet, packed);
    watch.lap("rules");
    let report = coroner::analyze_watched(&sources, &catalog, &options, &mut |entry| {
        progress.tick(&entry.path, entry.bytes.len() as u64)
    })?;
    progress.finish();
    watch.lap("analyse");
    for (path, file, format) in &mut outputs {
        let bytes = report::render(&report, *format, &args.style(false));
        file.write_all(&bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(step) = &step {
        step.write(&report, &args.style(false))?;
    }
    let format = args.format.into();
    print(&report::render(&report, format, &args.style(true)))?;
    watch.lap("render");
    if args.look.timings {
        write!(io::stderr(), "{}", watch.lines())?;
    }
    Ok(args.exit_code && report.verdict == "root-cause")
}

fn demo(args: &Demo) -> anyhow::Result<()> {
    let report = coroner::demo(&args.look.speech.catalog()?)?;
    let path = PathBuf::from("coroner-report.html");
    let (_, mut file, format) = open(&path)?;
    let written = file.write_all(&report::render(&report, format, &args.look.style(false)));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    print(&report::render(&report, Format::Terminal, &args.look.style(true)))?;
    writeln!(io::stderr(), "The full report is in {}", path.display())?;
    Ok(())
}

fn rules(command: &Rules) -> anyhow::Result<()> {
    match command {
        Rules::List { speech } => print(coroner::catalog::describe::list(&speech.catalog()?).as_bytes()),
        Rules::Show { id, speech } => {
            let catalog = speech.catalog()?;
            let cause =
                catalog.cause(id).ok_or_else(|| anyhow!("no cause is called {id}; `coroner rules list` names them all"))?;
            print(coroner::catalog::describe::show(cause).as_bytes())
        }
        Rules::Check { file } => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let n_causes = coroner::check_rules(&file.to_string_lossy(), &text)?;
            print(format!("{}: {n_causes} causes, no errors\n", file.display()).as_bytes())
        }
    }
}

fn source(path: &Path) -> Source {
    if path.as_os_str() == "-" { Source::Stdin } else { Source::Path(path.to_path_buf()) }
}

fn open(path: &Path) -> anyhow::Result<(PathBuf, File, Format)> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let format = match extension.as_str() {
        "html" | "htm" => Format::Html,
        "md" | "markdown" => Format::Markdown,
        "json" => Format::Json,
        "sarif" => Format::Sarif,
        "xml" => Format::Junit,
        "txt" => Format::Terminal,
        _ => return Err(anyhow!("cannot tell the format of {}: expected .html, .md, .json, .sarif or .xml", path.display())),
    };
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok((path.to_path_buf(), file, format))
}

impl Analyze {
    fn style(&self, to_stdout: bool) -> Style {
        let max_bytes = self.max_bytes.map_or(report::MARKDOWN_BYTES, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let directory = match self.bundles.as_slice() {
            [only] => only.canonicalize().ok().filter(|path| path.is_dir()),
            _ => None,
        };
        Style { max_bytes, directory, ..self.look.style(to_stdout) }
    }
}

impl Speech {
    fn language(&self) -> Language {
        match self.lang {
            LanguageArg::En => Language::English,
            LanguageArg::Zh => Language::Chinese,
        }
    }

    /// The built-in catalogue in this language.
    fn catalog(&self) -> Result<Catalog, coroner::catalog::Error> {
        Catalog::built_in()?.in_language(self.language())
    }
}

impl Look {
    fn style(&self, to_stdout: bool) -> Style {
        let color = match self.color {
            ColorArg::Always => to_stdout,
            ColorArg::Never => false,
            ColorArg::Auto => to_stdout && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
        };
        let columns = terminal_size::terminal_size().map(|(w, _)| usize::from(w.0));
        let width = if to_stdout && io::stdout().is_terminal() { columns.unwrap_or(80).clamp(60, 120) } else { 80 };
        let hyperlinks =
            to_stdout && self.color != ColorArg::Never && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
        let language = self.speech.language();
        Style { language, color, width, hyperlinks, verbosity: i8::from(self.verbose) - i8::from(self.quiet), ..Style::default() }
    }
}

/// Writes to standard output; a reader that went away (`| head`) is no error.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
