//! Who explains what: findings explain symptoms, and findings explain findings.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalog::{Catalog, Layer, Standing, Strength};
use crate::cluster::{Cluster, Reach};
use crate::decode::Ref;
use crate::detect::{Finding, Symptom};

/// A finding with all that it reaches.
pub(super) struct Case<'a> {
    pub(super) finding: &'a Finding,
    pub(super) layer: Layer,
    pub(super) reach: Reach<'a>,
    /// Symptoms it explains, by index, ascending.
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
        other.objects().any(|o| self.reach.has(o))
    }
}

/// Relates findings with symptoms and with each other. Findings of causes the catalogue does not hold are left out.
pub(super) fn explain<'a>(
    cluster: &'a Cluster,
    catalog: &'a Catalog,
    findings: &'a [Finding],
    symptoms: &[Symptom],
) -> Vec<Case<'a>> {
    let by_object = by_object(symptoms.iter().map(|s| [&s.resource]));
    let mut cases: Vec<Case<'a>> = findings
        .iter()
        .filter_map(|finding| {
            let cause = catalog.cause(&finding.cause)?;
            let sources: Vec<&Ref> = std::iter::once(&finding.culprit).chain(&finding.affected).collect();
            let reach = cluster.graph().reach(&sources);
            let explained = found(&by_object, sources.iter().copied().chain(reach.objects()));
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
    let touching = touching(&cases);
    for (i, touching) in touching.into_iter().enumerate() {
        let explaining = touching.into_iter().filter(|&j| j != i && explains(&cases[j], &cases[i]));
        cases[i].because_of = explaining.min_by(|&a, &b| deeper(&cases[a], &cases[b]));
    }
    break_circles(&mut cases);
    cases
}

/// The cases that touch each case, ascending.
fn touching(cases: &[Case<'_>]) -> Vec<Vec<usize>> {
    let by_object = by_object(cases.iter().map(Case::objects));
    let mut touching = vec![Vec::new(); cases.len()];
    for (j, case) in cases.iter().enumerate() {
        for touched in found(&by_object, case.reach.objects()) {
            touching[touched].push(j);
        }
    }
    touching
}

/// The numbers of what each object belongs to.
fn by_object<'r, O: IntoIterator<Item = &'r Ref>>(owners: impl Iterator<Item = O>) -> FxHashMap<&'r Ref, Vec<usize>> {
    let mut by_object: FxHashMap<&Ref, Vec<usize>> = FxHashMap::default();
    for (number, objects) in owners.enumerate() {
        for object in objects {
            by_object.entry(object).or_default().push(number);
        }
    }
    by_object
}

/// The numbers of what any of `objects` belongs to, ascending.
fn found<'r>(by_object: &FxHashMap<&Ref, Vec<usize>>, objects: impl Iterator<Item = &'r Ref>) -> Vec<usize> {
    let mut numbers: Vec<usize> = objects.filter_map(|object| by_object.get(object)).flatten().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Is `g`, which `f` touches, a consequence of it?
fn explains(f: &Case<'_>, g: &Case<'_>) -> bool {
    if f.standing == Standing::Symptom {
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
        let mut seen = FxHashSet::from_iter([start]);
        let mut at = start;
        while let Some(next) = cases[at].because_of {
            if !seen.insert(next) {
                cases[at].because_of = None;
                break;
            }
            at = next;
        }
    }
}
