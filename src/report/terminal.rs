//! The report for a person at a terminal: the verdict in the first lines, then why, then what to type.

mod quote;
mod sheet;

use super::model::{BlindSpot, Finding, Fix, Report, Symptom};
use super::{Style, diff, words};
use quote::quote;
use sheet::{Ink, Sheet};

/// Evidence shown without `-v`.
const EVIDENCE_SHOWN: usize = 3;
/// Other findings, unexplained symptoms, blind spots, candidates shown without `-v`.
const LINES_SHOWN: usize = 3;
/// Lines of one diff shown without `-v`.
const DIFF_SHOWN: usize = 12;

/// The report as text.
pub(super) fn render(report: &Report, style: &Style) -> String {
    let mut sheet = Sheet::new(style);
    let verbose = style.verbosity > 0;
    match &report.root_cause {
        Some(finding) => {
            head(&mut sheet, finding);
            if style.verbosity < 0 {
                return sheet.finish();
            }
            root_cause(&mut sheet, report, finding, verbose);
        }
        None if report.verdict == "healthy" => {
            healthy(&mut sheet, report);
            if style.verbosity <= 0 {
                return sheet.finish();
            }
        }
        None => {
            inconclusive_head(&mut sheet, report);
            if style.verbosity < 0 {
                return sheet.finish();
            }
            inconclusive(&mut sheet, report, verbose);
        }
    }
    also(&mut sheet, report, verbose);
    if verbose {
        timeline(&mut sheet, report);
    }
    missing(&mut sheet, report, verbose);
    foot(&mut sheet, report);
    sheet.finish()
}

fn head(sheet: &mut Sheet, finding: &Finding) {
    let language = sheet.language;
    let confidence = language.say("confidence-is", &[("confidence", &words::confidence(language, finding.confidence))]);
    sheet.edges((Ink::Bad, &format!("{}  {}", language.text("label-root-cause"), finding.id)), (Ink::Plain, &confidence));
    sheet.prose(Ink::Strong, &finding.title);
    sheet.prose(Ink::Plain, &language.say("change-line", &[("object", &words::object(&finding.resource))]));
}

fn root_cause(sheet: &mut Sheet, report: &Report, finding: &Finding, verbose: bool) {
    sheet.blank();
    sheet.prose(Ink::Plain, &finding.summary);
    evidence(sheet, finding, verbose);
    chain(sheet, finding);
    fix(sheet, &finding.fix, verbose);
    if verbose {
        sheet.blank();
        for (i, why) in finding.confidence_why.iter().enumerate() {
            sheet.hanging((Ink::Strong, if i == 0 { sheet.language.text("label-sure") } else { "" }), "- ", why);
        }
        hurts(sheet, report.symptoms.iter(), usize::MAX);
    }
}

fn evidence(sheet: &mut Sheet, finding: &Finding, verbose: bool) {
    let words::Reading { fresh, repeated } = words::reading(&finding.evidence);
    let shown: Vec<usize> = match verbose {
        true => fresh.into_iter().chain(repeated).collect(),
        false => fresh.into_iter().take(EVIDENCE_SHOWN).collect(),
    };
    for index in &shown {
        let evidence = &finding.evidence[*index];
        let around = match (verbose, evidence.kind.as_str()) {
            (true, _) => 3,
            (false, "log" | "event") => 0,
            (false, _) => 1,
        };
        sheet.blank();
        quote(sheet, *index, evidence, around);
    }
    if shown.len() < finding.evidence.len() {
        let n = (finding.evidence.len() - shown.len()).to_string();
        let more = sheet.language.say("more-evidence", &[("n", &n)]);
        sheet.line(format_args!("  {more}"));
    }
}

/// The chain as a tree, cause first.
fn chain(sheet: &mut Sheet, finding: &Finding) {
    /// Steps after which the tree no longer moves right.
    const DEEPEST: usize = 5;
    if finding.chain.is_empty() {
        return;
    }
    sheet.blank();
    let last = finding.chain.len() - 1;
    for (i, link) in finding.chain.iter().enumerate() {
        let depth = i.min(DEEPEST);
        let branch = if i == 0 { String::new() } else { format!("{}└─ ", "   ".repeat(depth - 1)) };
        let label = if i == 0 { sheet.language.text("label-why") } else { "" };
        sheet.hanging((Ink::Strong, label), &branch, &words::object(&link.resource));
        let stem = if i == last || i >= DEEPEST { "   " } else { "│  " };
        let marks: String = link.evidence.iter().map(|index| format!(" [{}]", index + 1)).collect();
        let indent = format!("{}{stem}", "   ".repeat(depth));
        let text = format!("{}{marks}", link.what);
        for line in sheet.wrapped(&text, sheet::GUTTER + indent.chars().count()) {
            sheet.line(format_args!("{:gutter$}{indent}{line}", "", gutter = sheet::GUTTER));
        }
    }
}

fn fix(sheet: &mut Sheet, fix: &Fix, verbose: bool) {
    let language = sheet.language;
    let nothing_to_paste = fix.patches.is_empty() && fix.commands.is_empty();
    if !fix.summary.is_empty() {
        sheet.blank();
        sheet.labelled((Ink::Good, language.text("label-fix")), &fix.summary);
    }
    if verbose || nothing_to_paste {
        for (i, step) in fix.steps.iter().enumerate() {
            sheet.hanging((Ink::Plain, ""), &format!("{}. ", i + 1), step);
        }
    }
    for patch in fix.patches.iter().take(if verbose { usize::MAX } else { 1 }) {
        changes(sheet, &patch.diff, if verbose { usize::MAX } else { DIFF_SHOWN });
        sheet.labelled((Ink::Plain, ""), &format!("({})", words::verified(language, &patch.verified)));
    }
    for command in &fix.commands {
        sheet.verbatim(Ink::Plain, "$ ", command);
    }
    for avoid in &fix.avoid {
        sheet.labelled((Ink::Warn, language.text("label-avoid")), avoid);
    }
    if verbose {
        for (i, command) in fix.verify.iter().enumerate() {
            if i == 0 {
                sheet.labelled((Ink::Strong, language.text("label-verify")), language.text("afterwards"));
            }
            sheet.verbatim(Ink::Plain, "$ ", command);
        }
        for prevent in &fix.prevent {
            sheet.labelled((Ink::Strong, language.text("label-prevent")), prevent);
        }
        for url in &fix.docs {
            sheet.labelled((Ink::Strong, language.text("label-read")), url);
        }
    }
}

fn changes(sheet: &mut Sheet, diff: &str, most: usize) {
    let changes = diff::changes(diff);
    for change in changes.iter().take(most) {
        let ink = match change.sign {
            '-' => Ink::Removed,
            '+' => Ink::Added,
            _ => Ink::Plain,
        };
        sheet.verbatim(ink, "  ", &format!("{} {}", change.sign, change.text));
    }
    if changes.len() > most {
        let more = sheet.language.say("more-lines", &[("n", &(changes.len() - most).to_string())]);
        sheet.labelled((Ink::Plain, ""), &format!("  {more}"));
    }
}

fn healthy(sheet: &mut Sheet, report: &Report) {
    let language = sheet.language;
    let missing = match report.bundle.blind_spots.as_slice() {
        [] => String::new(),
        spots => {
            let spots = spots.iter().map(|spot| spot.what.as_str()).collect::<Vec<_>>().join("; ");
            format!(" {}", language.say("not-in-it", &[("spots", &spots)]))
        }
    };
    let headline = format!("{}  {}", language.text("label-healthy"), words::headline(language, report));
    sheet.edges((Ink::Good, &headline), (Ink::Plain, ""));
    let examined = language.say("examined-only", &[("examined", &words::examined(language, report))]);
    sheet.prose(Ink::Plain, &format!("{examined}{missing}"));
}

fn inconclusive_head(sheet: &mut Sheet, report: &Report) {
    let language = sheet.language;
    let headline = format!("{}  {}", language.text("label-inconclusive"), words::headline(language, report));
    sheet.edges((Ink::Warn, &headline), (Ink::Plain, ""));
    let Some(first) = report.symptoms.first() else { return };
    let symptoms = match report.symptoms.len() {
        1 => language.text("one-symptom").to_owned(),
        n => language.say("symptoms-first", &[("symptoms", &words::count(language, n as u64, "symptoms"))]),
    };
    sheet.prose(Ink::Plain, &format!("{symptoms} {}: {}", words::object(&first.resource), first.what));
}

fn inconclusive(sheet: &mut Sheet, report: &Report, verbose: bool) {
    let language = sheet.language;
    if verbose || report.symptoms.len() > 1 {
        hurts(sheet, report.symptoms.iter(), if verbose { usize::MAX } else { LINES_SHOWN });
    }
    let shown = if verbose { report.findings.len() } else { report.findings.len().min(LINES_SHOWN) };
    for (i, finding) in report.findings[..shown].iter().enumerate() {
        sheet.blank();
        let label = if i == 0 { language.text("label-maybe") } else { "" };
        let confidence = language.say("with-confidence", &[("confidence", &words::confidence(language, finding.confidence))]);
        let object = words::object(&finding.resource);
        sheet.hanging((Ink::Warn, label), &format!("{}. ", i + 1), &finding.title);
        sheet.hanging((Ink::Plain, ""), "   ", &format!("{object} · {} · {confidence}", finding.id));
        for why in &finding.confidence_why {
            sheet.hanging((Ink::Plain, ""), "   - ", why);
        }
        if verbose {
            evidence(sheet, finding, true);
        }
    }
}

fn hurts<'a>(sheet: &mut Sheet, symptoms: impl ExactSizeIterator<Item = &'a Symptom>, most: usize) {
    let language = sheet.language;
    let total = symptoms.len();
    if total > 0 {
        sheet.blank();
    }
    for (i, symptom) in symptoms.take(most).enumerate() {
        let since = symptom.since.as_deref().map(|at| language.say("since", &[("at", &words::time(at))]));
        let since = since.map(|since| format!(" ({since})")).unwrap_or_default();
        let text = format!("{}: {}{since}", words::object(&symptom.resource), symptom.what);
        sheet.hanging((Ink::Strong, if i == 0 { language.text("label-hurts") } else { "" }), "- ", &text);
    }
    if total > most {
        sheet.labelled((Ink::Plain, ""), &format!("  {}", language.say("and-more", &[("n", &(total - most).to_string())])));
    }
}

/// What else is there: other findings, and symptoms that nothing explains.
fn also(sheet: &mut Sheet, report: &Report, verbose: bool) {
    let language = sheet.language;
    let candidates = if report.root_cause.is_some() { 0 } else { report.findings.len() };
    let findings = words::others(report).skip(candidates).map(|(_, finding)| {
        format!("{}: {} ({})", words::role(language, &finding.role), finding.title, words::object(&finding.resource))
    });
    let unexplained = words::unexplained(report)
        .filter(|_| report.root_cause.is_some())
        .map(|symptom| format!("{}: {}: {}", language.text("unexplained-is"), words::object(&symptom.resource), symptom.what));
    let lines: Vec<String> = findings.chain(unexplained).collect();
    if lines.is_empty() {
        return;
    }
    sheet.blank();
    let shown = if verbose { lines.len() } else { lines.len().min(LINES_SHOWN) };
    for (i, line) in lines[..shown].iter().enumerate() {
        sheet.hanging((Ink::Strong, if i == 0 { language.text("label-also") } else { "" }), "- ", line);
    }
    if shown < lines.len() {
        sheet.labelled(
            (Ink::Plain, ""),
            &format!("  {}", language.say("more-verbose", &[("n", &(lines.len() - shown).to_string())])),
        );
    }
}

fn timeline(sheet: &mut Sheet, report: &Report) {
    for (i, moment) in report.timeline.iter().enumerate() {
        if i == 0 {
            sheet.blank();
        }
        let object = moment.resource.as_ref().map(|r| format!("{}: ", words::object(r))).unwrap_or_default();
        let label = if i == 0 { sheet.language.text("label-when") } else { "" };
        let text = format!("{object}{} ({})", moment.what, words::place(&moment.source));
        sheet.hanging((Ink::Strong, label), &format!("{}  ", words::time(&moment.at)), &text);
    }
}

fn missing(sheet: &mut Sheet, report: &Report, verbose: bool) {
    let language = sheet.language;
    let spots: &[BlindSpot] = &report.bundle.blind_spots;
    let shown = if verbose { spots.len() } else { spots.len().min(LINES_SHOWN) };
    for (i, spot) in spots[..shown].iter().enumerate() {
        if i == 0 {
            sheet.blank();
        }
        sheet.hanging(
            (Ink::Strong, if i == 0 { language.text("label-missing") } else { "" }),
            "- ",
            &format!("{}: {}", spot.what, spot.why_it_matters),
        );
        if !spot.collect.is_empty() {
            sheet.verbatim(Ink::Plain, "  $ ", &spot.collect);
        }
    }
    if shown < spots.len() {
        sheet.labelled(
            (Ink::Plain, ""),
            &format!("  {}", language.say("more-verbose", &[("n", &(spots.len() - shown).to_string())])),
        );
    }
    let problems = &report.bundle.problems;
    for problem in problems.iter().filter(|_| verbose) {
        let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        sheet.labelled((Ink::Warn, language.text("label-unread")), &format!("{}{line}: {}", problem.path, problem.what));
    }
    if !verbose && !problems.is_empty() {
        sheet.labelled(
            (Ink::Warn, language.text("label-unread")),
            &language.say("listed-verbose", &[("problems", &words::count(language, problems.len() as u64, "problems"))]),
        );
    }
}

fn foot(sheet: &mut Sheet, report: &Report) {
    sheet.blank();
    let bundle = &report.bundle;
    let files = words::count(sheet.language, bundle.files, "files");
    let foot = sheet.language.say("foot", &[("files", &files), ("size", &crate::visible::bytes(bundle.bytes_unpacked))]);
    sheet.prose(Ink::Plain, &foot);
}
