//! A report in another language: sentences that detectors put together are said again by the phrases of the language. The
//! prose of the catalogue is in it already, and the bundle's own words stay as they are.

use std::borrow::Cow;

use super::model::Report;
use crate::language::Language;

/// `report` with its sentences in `language`.
pub(super) fn translated(report: &Report, language: Language) -> Cow<'_, Report> {
    if language == Language::English {
        return Cow::Borrowed(report);
    }
    let mut report = report.clone();
    let say = |sentence: &mut String| *sentence = language.phrase(sentence);
    for finding in report.findings.iter_mut().chain(report.root_cause.as_mut()) {
        finding.confidence_why.iter_mut().for_each(say);
        finding.chain.iter_mut().for_each(|link| say(&mut link.what));
        finding.evidence.iter_mut().for_each(|evidence| say(&mut evidence.says));
    }
    report.symptoms.iter_mut().for_each(|symptom| say(&mut symptom.what));
    report.timeline.iter_mut().for_each(|moment| say(&mut moment.what));
    for spot in &mut report.bundle.blind_spots {
        say(&mut spot.what);
        say(&mut spot.why_it_matters);
    }
    Cow::Owned(report)
}
