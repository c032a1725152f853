//! The fixtures are the test list: every directory under `testdata/causes/<cause id>/` is one test.
//!
//! - `fires-<why>`: the verdict is this cause (of a symptom, which is never a verdict: it is among the findings), on the object that `testdata/causes/<cause id>/expected` names for it
//!   (`fires-<why>: Deployment shop/web`, one line a fixture).
//! - `quiet-<why>`: a near miss; this cause is not among the findings.
//! - `todo-fires-<why>`, `todo-quiet-<why>`: a known gap; it must still fail, so that a cure is noticed.
//!
//! `cargo test --test causes -- oom-killed` runs one cause's fixtures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use coroner::bundle::Source;
use coroner::catalog::{Catalog, Standing};
use coroner::report::Report;
use coroner::report::model::{Evidence, Finding, Ref};
use libtest_mimic::{Arguments, Failed, Trial};

const CAUSES: &str = "testdata/causes";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = fixtures().into_iter().map(trial).collect();
    trials.push(Trial::test("every_cause_has_a_firing_and_a_quiet_fixture", covered));
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[derive(Clone)]
struct Fixture {
    cause: String,
    name: String,
    path: PathBuf,
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn fixtures() -> Vec<Fixture> {
    let of_cause = |cause: PathBuf| {
        let id = file_name(&cause);
        directories(&cause).into_iter().map(move |path| Fixture { cause: id.clone(), name: file_name(&path), path })
    };
    directories(Path::new(CAUSES)).into_iter().flat_map(of_cause).collect()
}

fn trial(fixture: Fixture) -> Trial {
    Trial::test(format!("{}/{}", fixture.cause, fixture.name), move || judge(&fixture).map_err(Failed::from))
}

fn judge(fixture: &Fixture) -> Result<(), String> {
    let report = analyze(&fixture.path);
    match fixture.name.strip_prefix("todo-") {
        Some(name) => match fires_or_quiet(fixture, name, &report) {
            Err(_) => Ok(()),
            Ok(()) => Err(format!("this gap is closed: rename the fixture to {name}")),
        },
        None => fires_or_quiet(fixture, &fixture.name, &report),
    }
}

fn fires_or_quiet(fixture: &Fixture, name: &str, report: &Report) -> Result<(), String> {
    if name.starts_with("fires-") {
        fires(fixture, report)
    } else if name.starts_with("quiet-") {
        quiet(fixture, report)
    } else {
        Err("a fixture is called fires-…, quiet-… or todo-…".to_owned())
    }
}

fn analyze(path: &Path) -> Report {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    coroner::analyze(&[Source::Path(path.to_path_buf())], &catalog, &coroner::Options::default()).expect("a readable fixture")
}

fn fires(fixture: &Fixture, report: &Report) -> Result<(), String> {
    if is_symptom(&fixture.cause) {
        return shows(fixture, report);
    }
    let Some(root) = &report.root_cause else {
        let found: Vec<_> = report.findings.iter().map(|f| (&f.id, f.confidence)).collect();
        return Err(format!("the verdict is {}; findings: {found:?}; symptoms: {:?}", report.verdict, symptoms(report)));
    };
    let expected = expected(fixture)?;
    let got = format!("{} on {}", root.id, shown(&root.resource));
    if got != format!("{} on {expected}", fixture.cause) {
        return Err(format!("expected {} on {expected}, got {got}", fixture.cause));
    }
    root.evidence.iter().try_for_each(|e| stands_there(&fixture.path, e))?;
    renders(root)
}

fn is_symptom(cause: &str) -> bool {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    catalog.cause(cause).is_some_and(|c| c.standing == Standing::Symptom)
}

/// A symptom is found on its object, and something else or nothing is the root cause.
fn shows(fixture: &Fixture, report: &Report) -> Result<(), String> {
    let expected = expected(fixture)?;
    let is_it = |f: &&Finding| f.id == fixture.cause && shown(&f.resource) == expected;
    let Some(found) = report.findings.iter().find(is_it) else {
        let found: Vec<_> = report.findings.iter().map(|f| format!("{} on {}", f.id, shown(&f.resource))).collect();
        return Err(format!("expected {} on {expected} among {found:?}", fixture.cause));
    };
    if report.root_cause.as_ref().is_some_and(|root| root.id == fixture.cause) {
        return Err("a symptom is named as the root cause".to_owned());
    }
    found.evidence.iter().try_for_each(|e| stands_there(&fixture.path, e))?;
    renders(found)
}

fn symptoms(report: &Report) -> Vec<&str> {
    report.symptoms.iter().map(|s| s.what.as_str()).collect()
}

fn shown(r: &Ref) -> String {
    match &r.namespace {
        Some(ns) => format!("{} {ns}/{}", r.kind, r.name),
        None => format!("{} {}", r.kind, r.name),
    }
}

fn expected(fixture: &Fixture) -> Result<String, String> {
    let path = Path::new(CAUSES).join(&fixture.cause).join("expected");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix(&fixture.name)?.strip_prefix(':'));
    line.map(|object| object.trim().to_owned()).ok_or_else(|| format!("{} has no line for {}", path.display(), fixture.name))
}

/// The evidence's line exists, and holds a word of its excerpt.
fn stands_there(root: &Path, evidence: &Evidence) -> Result<(), String> {
    let base = root.parent().unwrap_or(root);
    let candidates = [root.join(&evidence.location.path), base.join(&evidence.location.path)];
    let text = candidates.iter().find_map(|p| fs::read_to_string(p).ok());
    let Some(text) = text else {
        return Err(format!("evidence in {}, which is not a file of the fixture", evidence.location.path));
    };
    let Some(line) = evidence.location.line else { return Ok(()) };
    // A folded string goes on over several lines.
    let near: String = text.lines().skip(line.saturating_sub(1) as usize).take(4).collect::<Vec<_>>().join(" ");
    if near.is_empty() {
        return Err(format!("{}:{line} does not exist", evidence.location.path));
    }
    // What is absent stands nowhere.
    if evidence.excerpt.ends_with(" is not set") {
        return Ok(());
    }
    // A table or a description tells the same in other words: some name or number of the excerpt stands there.
    let tells = |word: &&str| word.len() > 2 || !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let words = || evidence.excerpt.split(|c: char| !c.is_alphanumeric()).filter(tells);
    if words().next().is_none() || words().any(|word| near.contains(word)) {
        Ok(())
    } else {
        Err(format!("{}:{line} holds nothing of the excerpt {:?}: {near:?}", evidence.location.path, evidence.excerpt))
    }
}

/// No hole in any text, and a patch that was tried mends.
fn renders(finding: &Finding) -> Result<(), String> {
    let fix = &finding.fix;
    let lists = [&fix.steps, &fix.commands, &fix.verify, &fix.prevent, &fix.avoid];
    let texts = [&finding.title, &finding.summary, &fix.summary].into_iter().chain(lists.into_iter().flatten());
    for text in texts {
        if text.contains("{{") || text.contains("{%") || text.contains("  ") && !text.contains('\n') || text.trim().is_empty() {
            return Err(format!("a text with a hole: {text:?}"));
        }
    }
    match fix.patches.iter().find(|p| p.verified == "not-cleared") {
        Some(patch) => Err(format!("the patch does not mend it: {}", patch.yaml)),
        None => Ok(()),
    }
}

fn quiet(fixture: &Fixture, report: &Report) -> Result<(), String> {
    match report.findings.iter().find(|f| f.id == fixture.cause) {
        Some(finding) => {
            let because: Vec<_> = finding.evidence.iter().map(|e| &e.excerpt).collect();
            Err(format!("found at {} because of {because:?}", shown(&finding.resource)))
        }
        None => Ok(()),
    }
}

/// Causes that still lack a firing or a quiet fixture. The list may only grow shorter.
const UNCOVERED: &str = "testdata/causes/uncovered.txt";

/// A cause that no fixture shows is a claim; one without a near miss is a guess.
fn covered() -> Result<(), Failed> {
    let catalog = Catalog::built_in().expect("the built-in catalogue loads");
    let fixtures = fixtures();
    let has = |id: &str, prefix: &str| fixtures.iter().any(|f| f.cause == id && f.name.starts_with(prefix));
    let bare: Vec<&str> =
        catalog.causes().iter().map(|c| c.id.as_str()).filter(|id| !(has(id, "fires-") && has(id, "quiet-"))).collect();
    let listed = fs::read_to_string(UNCOVERED).unwrap_or_default();
    let listed: Vec<&str> = listed.lines().filter(|l| !l.is_empty()).collect();
    let new: Vec<&&str> = bare.iter().filter(|id| !listed.contains(id)).collect();
    let cured: Vec<&&str> = listed.iter().filter(|id| !bare.contains(id)).collect();
    let strangers: Vec<&str> = fixtures.iter().map(|f| f.cause.as_str()).filter(|id| catalog.cause(id).is_none()).collect();
    if new.is_empty() && cured.is_empty() && strangers.is_empty() {
        return Ok(());
    }
    Err(format!(
        "causes without a firing and a quiet fixture: {new:?}; covered by now, take them off {UNCOVERED}: {cured:?}; fixtures of unknown causes: {strangers:?}"
    )
    .into())
}
