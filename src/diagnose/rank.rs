//! Which finding is the root cause, and how sure that is.

use super::Role;
use super::explain::Case;
use crate::catalog::{Standing, Strength};
use crate::detect::Symptom;

/// Below this no cause is named.
const NAMED_FROM: f64 = 0.5;

/// Symptoms lighter than this in sum are noise: the bundle is healthy.
const HURTS_FROM: f64 = 0.3;

/// What a proof explains may hurt less and still be worth naming.
const PROVED_FROM: f64 = 0.2;

/// A finding's place.
pub(super) struct Place {
    /// Index of the case.
    pub(super) case: usize,
    pub(super) role: Role,
    pub(super) confidence: f64,
    pub(super) why: Vec<String>,
}

/// Places of all findings, the root cause first when there is one.
pub(super) fn rank(cases: &[Case<'_>], symptoms: &[Symptom]) -> Vec<Place> {
    let total: f64 = symptoms.iter().map(|s| s.weight).sum();
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|&a, &b| {
        score(&cases[b], total).total_cmp(&score(&cases[a], total)).then(cases[a].layer.cmp(&cases[b].layer)).then_with(|| {
            (&cases[a].finding.cause, &cases[a].finding.culprit).cmp(&(&cases[b].finding.cause, &cases[b].finding.culprit))
        })
    });
    let candidates: Vec<usize> = order.iter().copied().filter(|&i| cases[i].because_of.is_none() && matters(&cases[i])).collect();
    let first = candidates.first().copied();
    // What only says where it hurts rivals nobody.
    let mut rivals = candidates.iter().copied().skip(1).filter(|&i| cases[i].standing != Standing::Symptom);
    let rival = rivals.next().filter(|&r| first.is_some_and(|f| overlaps(&cases[f], &cases[r])));
    let mut places: Vec<Place> = order
        .iter()
        .map(|&i| {
            let rival = rival.filter(|_| Some(i) == first).map(|r| &cases[r]);
            let (confidence, why) = confidence(&cases[i], rival, total, symptoms);
            let role = match first {
                Some(f) if f == i && confidence >= NAMED_FROM => Role::RootCause,
                _ if cases[i].because_of.is_some() => Role::Consequence,
                Some(f) if f != i && overlaps(&cases[f], &cases[i]) => Role::Contributing,
                _ => Role::Independent,
            };
            Place { case: i, role, confidence, why }
        })
        .collect();
    places.sort_by_key(|p| p.role);
    places
}

/// Do all symptoms together hurt enough to speak of an incident?
pub(super) fn hurts(symptoms: &[Symptom]) -> bool {
    symptoms.iter().map(|s| s.weight).sum::<f64>() >= HURTS_FROM
}

fn matters(case: &Case<'_>) -> bool {
    let least = if case.finding.strength() == Strength::Proof { PROVED_FROM } else { HURTS_FROM };
    case.weight >= least
}

fn overlaps(a: &Case<'_>, b: &Case<'_>) -> bool {
    a.symptoms.iter().any(|s| b.symptoms.binary_search(s).is_ok())
}

fn worth(strength: Strength) -> f64 {
    match strength {
        Strength::Proof => 1.0,
        Strength::Statement => 0.8,
        Strength::Hint => 0.45,
    }
}

fn coverage(case: &Case<'_>, total: f64) -> f64 {
    // An empty sum is -0, which would be printed.
    if total > 0.0 { (case.weight / total).abs() } else { 0.0 }
}

fn score(case: &Case<'_>, total: f64) -> f64 {
    let worth = if case.standing == Standing::Cause { worth(case.finding.strength()) } else { worth(Strength::Hint) };
    worth * (0.35 + 0.65 * coverage(case, total))
}

fn confidence(case: &Case<'_>, rival: Option<&Case<'_>>, total: f64, symptoms: &[Symptom]) -> (f64, Vec<String>) {
    let strength = case.finding.strength();
    let mut why = Vec::new();
    let base = match (strength, case.standing) {
        (Strength::Hint, Standing::LastResort) => 0.45,
        (_, Standing::LastResort) => 0.7,
        (Strength::Proof, _) => 0.97,
        (Strength::Statement, _) => 0.9,
        (Strength::Hint, _) => 0.62,
    };
    let count = |s: Strength| case.finding.evidence.iter().filter(|e| e.strength == s).count();
    for (s, word) in [(Strength::Proof, "proof"), (Strength::Statement, "statement"), (Strength::Hint, "hint")] {
        let n = count(s);
        if n > 0 {
            why.push(format!("{n} piece{} of evidence at the strength of {word}", if n == 1 { "" } else { "s" }));
        }
    }
    let share = coverage(case, total);
    if case.standing == Standing::Symptom {
        why.push("names what hurts, not why: something else must be behind it".to_owned());
        return (0.4, why);
    }
    if case.standing == Standing::LastResort {
        why.push("it often has a cause of its own, and nothing else was found".to_owned());
    }
    why.push(format!("explains {} of {} symptoms ({:.0} % of their weight)", case.symptoms.len(), symptoms.len(), share * 100.0));
    let mut confidence = base * (0.8 + 0.2 * share.min(1.0));
    if let Some(rival) = rival {
        let close = score(rival, total) / score(case, total).max(f64::EPSILON);
        if close > 0.85 {
            confidence -= 0.12;
            why.push(format!("{} at {} could explain the same symptoms", rival.finding.cause, rival.finding.culprit));
        }
    }
    ((confidence.clamp(0.0, 0.99) * 100.0).round() / 100.0, why)
}
