//! Who explains what: findings explain symptoms, and findings explain findings.

use crate::catalog::{Catalog, Layer, Standing, Strength};
use crate::cluster::{Cluster, Reach};
use crate::decode::Ref;
use crate::detect::{Finding, Symptom};

/// A finding with all that it reaches.
pub(super) struct Case<'a> {
    pub(super) finding: &'a Finding,
    pub(super) layer: Layer,
    pub(super) reach: Reach,
    /// Symptoms it explains, by index.
    pub(super) symptoms: Vec<usize>,
    /// Weight of those symptoms.
    pub(super) weight: f64,
    /// The finding it is a consequence of, by index.
    pub(super) because_of: Option<usize>,
    pub(super) standing: Standing,
    leads_to: &'a [String],
}

impl Case<'_> {
    fn objects(&self) -> impl Iterator<Item = &Ref> {
        std::iter::once(&self.finding.culprit).chain(&self.finding.affected)
    }

    fn touches(&self, other: &Case<'_>) -> bool {
        // An object without relations is in no graph, and touches itself all the same.
        other.objects().any(|o| *o == self.finding.culprit || self.reach.has(o))
    }
}

/// Relates findings with symptoms and with each other. Findings of causes the catalogue does not hold are left out.
pub(super) fn explain<'a>(
    cluster: &Cluster,
    catalog: &'a Catalog,
    findings: &'a [Finding],
    symptoms: &[Symptom],
) -> Vec<Case<'a>> {
    let mut cases: Vec<Case<'a>> = findings
        .iter()
        .filter_map(|finding| {
            let cause = catalog.cause(&finding.cause)?;
            let sources: Vec<&Ref> = std::iter::once(&finding.culprit).chain(&finding.affected).collect();
            let reach = cluster.graph().reach(&sources);
            let direct = |r: &Ref| sources.contains(&r);
            let explained: Vec<usize> = symptoms
                .iter()
                .enumerate()
                .filter(|(_, s)| direct(&s.resource) || reach.has(&s.resource))
                .map(|(i, _)| i)
                .collect();
            let weight = explained.iter().map(|i| symptoms[*i].weight).sum();
            Some(Case {
                finding,
                layer: cause.layer,
                reach,
                symptoms: explained,
                weight,
                because_of: None,
                standing: cause.standing,
                leads_to: &cause.explains,
            })
        })
        .collect();
    for i in 0..cases.len() {
        let best =
            (0..cases.len()).filter(|&j| j != i && explains(&cases[j], &cases[i])).min_by(|&a, &b| deeper(&cases[a], &cases[b]));
        cases[i].because_of = best;
    }
    break_circles(&mut cases);
    cases
}

/// Is `g` a consequence of `f`?
fn explains(f: &Case<'_>, g: &Case<'_>) -> bool {
    if !f.touches(g) || f.standing == Standing::Symptom {
        return false;
    }
    if f.leads_to.contains(&g.finding.cause) {
        // What is merely consistent with the case does not explain away what somebody states.
        return f.finding.strength() > Strength::Hint || g.finding.strength() == Strength::Hint;
    }
    if g.leads_to.contains(&f.finding.cause) && g.touches(f) {
        return false;
    }
    if f.standing == Standing::LastResort {
        return false;
    }
    if g.standing != Standing::Cause {
        return true;
    }
    let (sf, sg) = (f.finding.strength(), g.finding.strength());
    if sf < sg {
        return false;
    }
    if !g.touches(f) {
        // Harm flows one way only. It takes more than a hint to say that this is the way it went.
        return sf > Strength::Hint;
    }
    f.layer < g.layer
}

fn deeper(a: &Case<'_>, b: &Case<'_>) -> std::cmp::Ordering {
    b.finding.strength().cmp(&a.finding.strength()).then(a.layer.cmp(&b.layer)).then(b.weight.total_cmp(&a.weight))
}

/// Two findings cannot be because of each other: the chain of reasons must end.
fn break_circles(cases: &mut [Case<'_>]) {
    for start in 0..cases.len() {
        let mut seen = vec![start];
        let mut at = start;
        while let Some(next) = cases[at].because_of {
            if seen.contains(&next) {
                cases[at].because_of = None;
                break;
            }
            seen.push(next);
            at = next;
        }
    }
}
