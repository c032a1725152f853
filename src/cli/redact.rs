//! `coroner redact`: a copy of a bundle that can be shared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use coroner::bundle::{self, Copied};
use coroner::location::Problem;
use coroner::redact::Redactor;
use coroner::visible::visible_line;

use super::{FIXED_LIMITS, UnpackArgs, source};

#[derive(Debug, clap::Args)]
#[command(after_help = FIXED_LIMITS)]
pub(super) struct Redact {
    /// As for analyze: an archive, a file, a directory (it becomes a .tar.gz), or - for standard input
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The copy; a file that exists is never overwritten
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write what was masked, a value a line: place, kind and token
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    #[command(flatten)]
    unpacking: UnpackArgs,
}

/// Lines of each kind that are told; the rest is counted.
const MOST_TOLD: usize = 20;

/// Writes the copy, and what was done on standard error.
pub(super) fn redact(args: &Redact) -> anyhow::Result<()> {
    refuse_inside(&args.output, &args.bundle)?;
    let mut list = args.list.as_deref().map(create).transpose()?;
    let copied = create(&args.output).and_then(|file| {
        // Half a copy would pass for a whole one.
        copy(args, file).inspect_err(|_| drop(fs::remove_file(&args.output)))
    });
    let copied = copied.inspect_err(|_| args.list.iter().for_each(|path| drop(fs::remove_file(path))))?;
    if let (Some(file), Some(path)) = (&mut list, &args.list) {
        file.write_all(listed(&copied).as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    io::stderr().write_all(told(&copied, &args.output).as_bytes())?;
    Ok(())
}

fn copy(args: &Redact, file: File) -> anyhow::Result<Copied> {
    let mut out = BufWriter::new(file);
    let redactor = Redactor::new(false);
    let copied = bundle::redact_copy(&source(&args.bundle), &args.unpacking.limits(), &redactor, &mut out)?;
    out.flush().with_context(|| format!("cannot write {}", args.output.display()))?;
    Ok(copied)
}

/// A new file: neither the bundle, by whatever name, nor anything else is overwritten.
fn create(path: &Path) -> anyhow::Result<File> {
    match File::create_new(path) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} exists already, and nothing is overwritten: name another file", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// A copy inside the directory that is copied would be read as a part of it.
fn refuse_inside(output: &Path, bundle: &Path) -> anyhow::Result<()> {
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if bundle.is_dir()
        && let (Ok(parent), Ok(bundle)) = (parent.canonicalize(), bundle.canonicalize())
        && parent.starts_with(&bundle)
    {
        bail!("{} would lie inside the bundle: name a file outside of {}", output.display(), bundle.display());
    }
    Ok(())
}

/// Every masked value, a line each.
fn listed(copied: &Copied) -> String {
    copied.masked.iter().fold(String::new(), |mut out, masked| {
        let _ = writeln!(out, "{}\t{}\t{}", visible_line(&masked.location.to_string()), masked.kind, masked.token);
        out
    })
}

/// What was masked by kind and count, and what the copy does not hold.
fn told(copied: &Copied, output: &Path) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for masked in &copied.masked {
        *kinds.entry(masked.kind).or_default() += 1;
    }
    let files = copied.summary.files as usize - copied.left_out.len().min(copied.summary.files as usize);
    let mut out = format!("{}: {files} files, {} values masked\n", output.display(), copied.masked.len());
    for (kind, count) in kinds {
        let _ = writeln!(out, "  {count:>6}  {kind}");
    }
    tell(&mut out, "left out, since nobody can tell what is in them:", &copied.left_out);
    tell(&mut out, "could not be read, or not wholly:", &copied.summary.problems);
    out
}

fn tell(out: &mut String, heading: &str, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let _ = writeln!(out, "{heading}");
    for problem in problems.iter().take(MOST_TOLD) {
        let _ = writeln!(out, "  {}: {}", visible_line(&problem.location.to_string()), visible_line(&problem.what));
    }
    if problems.len() > MOST_TOLD {
        let _ = writeln!(out, "  and {} more", problems.len() - MOST_TOLD);
    }
}
