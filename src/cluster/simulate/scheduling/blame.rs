//! Which of several obstacles is the one to blame.

use std::collections::BTreeMap;

use super::{Constraint, Node, Obstacle, Pod, Refusal, Scheduler};
use crate::cluster::Quantity;
use crate::cluster::simulate::resources::{self, Amounts, Bound};
use crate::decode::Origin;

/// The obstacle a person would have to take away.
#[derive(Debug)]
pub struct Blame<'s, 'a> {
    /// Its kind.
    pub constraint: Constraint,
    /// The nodes the pod was meant for, each with that obstacle; those that would take the pod without it come first.
    /// Empty when only the scheduler's message tells.
    pub nodes: Vec<(&'s Node<'a>, Obstacle<'a>)>,
    /// How many nodes would take the pod were it not for this one obstacle.
    pub n_freed: usize,
}

type Candidate<'s, 'a> = (&'s Node<'a>, Vec<Obstacle<'a>>);

/// Why no node takes `pod`: the one constraint whose removal alone makes a node fit, looked for on the nodes the pod was
/// meant for. Nodes that are ruled out for ordinary reasons (the control plane keeps to itself, the pod's own selector
/// points elsewhere, the node is too small at all, siblings are to be kept apart) are set aside as long as others remain.
/// `None` when some node takes it, as far as can be seen.
pub fn blame<'s, 'a>(scheduler: &'s Scheduler<'a>, pod: &Pod<'a>, refusal: Option<&Refusal<'_>>) -> Option<Blame<'s, 'a>> {
    if scheduler.nodes().is_empty() {
        return refusal.and_then(|refusal| told(pod, refusal));
    }
    let mut candidates: Vec<Candidate<'s, 'a>> = scheduler.nodes().iter().zip(scheduler.obstacles(pod)).collect();
    if let Some(refusal) = refusal {
        believe(pod, &mut candidates, refusal);
    }
    if candidates.iter().any(|(_, obstacles)| obstacles.is_empty()) {
        return None;
    }
    let computed = decide(pod, candidates);
    match refusal {
        // What the scheduler does not mention cannot be the only thing in the way.
        Some(refusal) => computed.filter(|blame| refusal.names(&blame.constraint)).or_else(|| told(pod, refusal)),
        None => computed,
    }
}

/// The scheduler knows pods that the bundle does not hold, and fields that its texts do not print: what it counts and
/// cannot be computed is put on the nodes that seem to fit.
fn believe(pod: &Pod<'_>, candidates: &mut [Candidate<'_, '_>], refusal: &Refusal<'_>) {
    for clause in &refusal.clauses {
        let constraint = match &clause.constraint {
            Constraint::Placement => placement_of(pod),
            other => other.clone(),
        };
        let is_unseen = |node: &Node<'_>| match constraint {
            Constraint::Cordon => false,
            Constraint::Taint | Constraint::ControlPlaneTaint | Constraint::NodeFault => node.resource.origin == Origin::Table,
            // `describe` prints no affinity, and a table no labels.
            Constraint::NodeSelector | Constraint::NodeAffinity => {
                pod.resource.origin != Origin::Live || node.resource.at("metadata.labels").is_empty()
            }
            Constraint::Volume | Constraint::Other => false,
            _ => true,
        };
        let seen = candidates.iter().filter(|(_, o)| o.iter().any(|o| o.constraint() == constraint)).count();
        let unseen = (clause.n_nodes as usize).saturating_sub(seen);
        for (_, obstacles) in candidates.iter_mut().filter(|(node, o)| o.is_empty() && is_unseen(node)).take(unseen) {
            obstacles.push(Obstacle::Told(constraint.clone()));
        }
    }
}

fn decide<'s, 'a>(pod: &Pod<'a>, candidates: Vec<Candidate<'s, 'a>>) -> Option<Blame<'s, 'a>> {
    let has = |candidate: &Candidate<'_, '_>, kinds: &[Constraint]| {
        candidate.1.iter().any(|obstacle| kinds.contains(&obstacle.constraint()))
    };
    const PLACEMENT: [Constraint; 3] = [Constraint::NodeSelector, Constraint::NodeAffinity, Constraint::Volume];
    const PRIVATE: [Constraint; 2] = [Constraint::ControlPlaneTaint, Constraint::Cordon];
    let is_private = |c: &Candidate<'_, '_>| c.0.is_control_plane() && has(c, &PRIVATE);

    // A pod that asks for what only the control plane has is meant for it; any other is not.
    let others_fit = candidates.iter().any(|c| !is_private(c) && !has(c, &PLACEMENT));
    let asked_for = |c: &Candidate<'_, '_>| is_explicit(pod) && !others_fit && !has(c, &PLACEMENT);
    let meant = narrow(candidates, |c| !is_private(c) || asked_for(c)).unwrap_or_else(|all| all);
    let meant = match narrow(meant, |c| !has(c, &PLACEMENT)) {
        Ok(meant) => meant,
        Err(all) => return Some(pick(&PLACEMENT, all)),
    };
    let requested = resources::of_pod(pod.spec, Bound::Requests);
    let meant = narrow(meant, |c| could_ever_hold(c.0, &requested)).unwrap_or_else(|all| all);
    let meant = match narrow(meant, |c| !has(c, &[Constraint::NodeFault])) {
        Ok(meant) => meant,
        Err(all) => return Some(pick(&[Constraint::NodeFault], all)),
    };
    let meant = match narrow(meant, |c| !has(c, &[Constraint::Taint, Constraint::ControlPlaneTaint])) {
        Ok(meant) => meant,
        Err(all) => return Some(pick(&[Constraint::Taint, Constraint::ControlPlaneTaint], all)),
    };
    // A cordon is someone's decision as well, but the rest of the cluster was to carry on without the node: it is to blame
    // when as many nodes are lost to it as to anything else.
    let freed_by_uncordon = meant.iter().filter(|c| is_alone(c, &Constraint::Cordon)).count();
    let n_open = meant.iter().filter(|c| !has(c, &[Constraint::Cordon])).count();
    if n_open == 0 || freed_by_uncordon >= n_open {
        return Some(pick(&[Constraint::Cordon], meant));
    }
    let mut meant = narrow(meant, |c| !has(c, &[Constraint::Cordon])).unwrap_or_else(|all| all);
    for kind in [Constraint::PodAffinity, Constraint::PodAntiAffinity, Constraint::TopologySpread, Constraint::HostPort] {
        meant = match narrow(meant, |c| !has(c, std::slice::from_ref(&kind))) {
            Ok(rest) => rest,
            Err(all) => return Some(pick(&[kind], all)),
        };
    }
    let left: Vec<_> = meant.iter().flat_map(|(_, o)| o).map(Obstacle::constraint).collect();
    (!left.is_empty()).then(|| pick(&left, meant))
}

/// Those that satisfy, or all when none does.
fn narrow<T>(all: Vec<T>, satisfies: impl Fn(&T) -> bool) -> Result<Vec<T>, Vec<T>> {
    if all.iter().any(&satisfies) { Ok(all.into_iter().filter(|c| satisfies(c)).collect()) } else { Err(all) }
}

/// The pod says itself where it wants to go, not only where it does not. A DaemonSet's pod names its node by field; that is
/// not a wish.
fn is_explicit(pod: &Pod<'_>) -> bool {
    let mut expressions =
        pod.node_terms().items().flat_map(|t| t.get("matchExpressions").items()).map(|e| e.get("operator").text());
    !pod.spec.get("nodeSelector").is_empty() || expressions.any(|operator| !matches!(operator, "NotIn" | "DoesNotExist"))
}

/// The pod would fit on the node if nothing else ran there.
fn could_ever_hold(node: &Node<'_>, requested: &Amounts) -> bool {
    let amount = |name: &str| node.allocatable.get(name).copied().unwrap_or_default();
    node.allocatable.is_empty() || requested.iter().all(|(name, wanted)| *wanted <= amount(name))
}

fn is_alone(candidate: &Candidate<'_, '_>, kind: &Constraint) -> bool {
    candidate.1.iter().all(|obstacle| obstacle.constraint() == *kind)
}

/// Of `kinds`, the one that alone bars most of the nodes; else the one that bars most; else the first.
fn pick<'s, 'a>(kinds: &[Constraint], candidates: Vec<Candidate<'s, 'a>>) -> Blame<'s, 'a> {
    let weigh = |kind: &Constraint| {
        let alone = candidates.iter().filter(|c| is_alone(c, kind)).count();
        let at_all = candidates.iter().filter(|c| c.1.iter().any(|o| o.constraint() == *kind)).count();
        (alone, at_all, is_out_of_reach(kind, &candidates))
    };
    let mut best = (&kinds[0], weigh(&kinds[0]));
    for kind in &kinds[1..] {
        let weight = weigh(kind);
        if weight > best.1 {
            best = (kind, weight);
        }
    }
    let (constraint, (n_freed, ..)) = (best.0.clone(), best.1);
    let (alone, rest): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| is_alone(c, &constraint));
    let of_kind = |(node, obstacles): Candidate<'s, 'a>| {
        obstacles.into_iter().find(|o| o.constraint() == constraint).map(|obstacle| (node, obstacle))
    };
    let nodes = alone.into_iter().chain(rest).filter_map(of_kind).collect();
    Blame { constraint, nodes, n_freed }
}

/// A resource that no node has at all, or not as much of.
fn is_out_of_reach(kind: &Constraint, candidates: &[Candidate<'_, '_>]) -> bool {
    let mut of_kind = candidates.iter().flat_map(|c| &c.1).filter(|o| o.constraint() == *kind).peekable();
    of_kind.peek().is_some()
        && of_kind.all(|o| matches!(o, Obstacle::Resource { requested, allocatable, .. } if requested > allocatable))
}

/// Decides by the scheduler's words alone. Filters run in a known order, so a node counted under a later filter passed the
/// earlier ones: it is one the pod was meant for.
fn told<'s, 'a>(pod: &Pod<'_>, refusal: &Refusal<'_>) -> Option<Blame<'s, 'a>> {
    let mut weights: BTreeMap<Constraint, u32> = BTreeMap::new();
    for clause in &refusal.clauses {
        *weights.entry(clause.constraint.clone()).or_default() += clause.n_nodes.max(1);
    }
    let set_aside = |weights: &mut BTreeMap<Constraint, u32>, kind: &Constraint| {
        if weights.len() > 1 {
            weights.remove(kind);
        }
    };
    set_aside(&mut weights, &Constraint::Other);
    set_aside(&mut weights, &Constraint::ControlPlaneTaint);
    let passed_placement = weights.keys().any(|kind| *kind > Constraint::Placement);
    let barred_before = [Constraint::Taint, Constraint::NodeFault].iter().any(|kind| weights.contains_key(kind));
    if passed_placement || barred_before && is_explicit(pod) {
        set_aside(&mut weights, &Constraint::Placement);
    }
    let requested = resources::of_pod(pod.spec, Bound::Requests);
    let is_special = |name: &str| name.contains('/') && requested.get(name).copied() > Some(Quantity::ZERO);
    let special: Vec<_> =
        weights.keys().filter(|k| matches!(k, Constraint::Resource(name) if is_special(name))).cloned().collect();
    // Nodes without the device at all are no candidates when others are kept from the pod by something else.
    special.iter().for_each(|kind| set_aside(&mut weights, kind));
    for kind in [Constraint::PodAntiAffinity, Constraint::TopologySpread, Constraint::HostPort] {
        let later = weights.keys().any(|k| matches!(k, Constraint::Resource(_) | Constraint::PodCount));
        if later {
            set_aside(&mut weights, &kind);
        }
    }
    // On a tie the later filter: it speaks of nodes that had passed more.
    let (constraint, _) = weights.into_iter().max_by_key(|(_, weight)| *weight)?;
    let constraint = if constraint == Constraint::Placement { placement_of(pod) } else { constraint };
    (constraint != Constraint::Other).then_some(Blame { constraint, nodes: Vec::new(), n_freed: 0 })
}

/// The message does not tell selector and affinity apart; the pod has mostly one of them. `describe` prints no affinity,
/// so a pod without a selector has that.
fn placement_of(pod: &Pod<'_>) -> Constraint {
    if pod.spec.get("nodeSelector").is_empty() { Constraint::NodeAffinity } else { Constraint::NodeSelector }
}
