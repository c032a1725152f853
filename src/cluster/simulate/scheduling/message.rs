//! What kube-scheduler says when no node takes a pod: `0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had …`.
//!
//! Every node is counted once, under the first filter that refused it. The wording changed over the releases; the clauses
//! are told by the words that stayed.

use super::{Constraint, Purpose, Taint};

/// A FailedScheduling message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// Nodes of the cluster; 0 when the message does not tell.
    pub n_nodes: u32,
    /// Its clauses.
    pub clauses: Vec<Clause<'a>>,
}

/// `3 node(s) had untolerated taint {dedicated: gpu}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause<'a> {
    /// Nodes it speaks of.
    pub n_nodes: u32,
    /// Its words, without the number.
    pub text: &'a str,
    /// What it means.
    pub constraint: Constraint,
    /// The taint it names.
    pub taint: Option<Taint<'a>>,
}

impl<'a> Refusal<'a> {
    /// Takes a message apart. `None` when it is not about nodes that do not fit.
    pub fn parse(message: &'a str) -> Option<Self> {
        let counted = message.strip_prefix("0/").and_then(|rest| rest.split_once(" nodes are available: "));
        let (n_nodes, body) = match counted {
            Some((n_nodes, body)) => (n_nodes.parse().ok()?, body),
            None => (0, message),
        };
        // What preemption would change is another question.
        let end = ["preemption:", "no new claims to deallocate"].iter().filter_map(|m| body.find(m)).min();
        let body = body[..end.unwrap_or(body.len())].trim_end_matches([' ', '.', ',']);
        let clauses: Vec<_> = split(body).map(|part| Clause::parse(part, n_nodes)).collect();
        let about_nodes = counted.is_some() || clauses.iter().any(|c| c.constraint != Constraint::Other);
        (about_nodes && !clauses.is_empty()).then_some(Self { n_nodes, clauses })
    }

    /// Does it name this kind of obstacle?
    pub fn names(&self, constraint: &Constraint) -> bool {
        self.clauses.iter().any(|clause| clause.constraint.covers(constraint))
    }
}

/// Clauses are separated by `, `; so are parts of some clauses, but only a clause starts with a number.
fn split(body: &str) -> impl Iterator<Item = &str> {
    let starts_with_count = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && text.as_bytes().get(digits) == Some(&b' ')
    };
    let mut rest = Some(body).filter(|b| !b.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = text.match_indices(", ").map(|(at, _)| at).find(|at| starts_with_count(&text[at + 2..]));
        rest = cut.map(|at| &text[at + 2..]);
        Some(&text[..cut.unwrap_or(text.len())])
    })
}

impl<'a> Clause<'a> {
    fn parse(part: &'a str, n_all: u32) -> Self {
        let counted = part.split_once(' ').and_then(|(n, text)| Some((n.parse().ok()?, text)));
        let (n_nodes, text) = counted.unwrap_or((n_all, part));
        let braced = text.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        let taint = braced.filter(|_| text.contains("taint")).map(|(inside, _)| {
            let (key, value) = inside.split_once(':').unwrap_or((inside, ""));
            Taint { key: key.trim(), value: value.trim(), effect: "" }
        });
        Self { n_nodes, text, constraint: constraint_of(text, taint), taint }
    }
}

fn constraint_of(text: &str, taint: Option<Taint<'_>>) -> Constraint {
    if let Some(name) = text.strip_prefix("Insufficient ") {
        return Constraint::Resource(name.trim_end_matches('.').to_owned());
    }
    if text.contains("taint") {
        return match taint.map(|t| t.purpose()) {
            Some(Purpose::ControlPlane) => Constraint::ControlPlaneTaint,
            Some(Purpose::NodeFault) => Constraint::NodeFault,
            Some(Purpose::Cordon) => Constraint::Cordon,
            Some(Purpose::Chosen) | None => Constraint::Taint,
        };
    }
    // The longer, more special words first.
    let words = [
        ("were unschedulable", Constraint::Cordon),
        ("PersistentVolume's node affinity", Constraint::Volume),
        ("volume node affinity conflict", Constraint::Volume),
        ("no available volume zone", Constraint::Volume),
        ("max volume count", Constraint::VolumeLimit),
        ("ReadWriteOncePod", Constraint::ClaimInUse),
        ("no available disk", Constraint::ClaimInUse),
        ("unbound immediate PersistentVolumeClaims", Constraint::UnboundClaim),
        ("find available persistent volumes", Constraint::UnboundClaim),
        ("not have enough free storage", Constraint::UnboundClaim),
        ("node affinity", Constraint::Placement),
        ("match node selector", Constraint::Placement),
        ("free ports", Constraint::HostPort),
        ("Too many pods", Constraint::PodCount),
        ("topology spread constraints", Constraint::TopologySpread),
        ("anti-affinity", Constraint::PodAntiAffinity),
        ("pod affinity rules", Constraint::PodAffinity),
        ("were not ready", Constraint::NodeFault),
        ("had network unavailable", Constraint::NodeFault),
    ];
    if text.starts_with("persistentvolumeclaim ") && text.contains("not found") {
        return Constraint::ClaimMissing;
    }
    words.into_iter().find(|(words, _)| text.contains(words)).map_or(Constraint::Other, |(_, constraint)| constraint)
}

impl Constraint {
    /// `Placement` speaks of node selector and node affinity alike.
    fn covers(&self, other: &Self) -> bool {
        self == other || *self == Self::Placement && matches!(other, Self::NodeSelector | Self::NodeAffinity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> Vec<(u32, Constraint)> {
        Refusal::parse(message).map(|r| r.clauses.into_iter().map(|c| (c.n_nodes, c.constraint)).collect()).unwrap_or_default()
    }

    #[test]
    fn reads_the_wordings_of_all_releases() {
        use Constraint as C;
        let cpu = || C::Resource("cpu".to_owned());
        let table = [
            ("0/3 nodes are available: 3 Insufficient cpu.", vec![(3, cpu())]),
            (
                "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) had taints that the pod didn't tolerate, 2 node(s) \
                 didn't match node selector.",
                vec![(1, cpu()), (1, C::Taint), (2, C::Placement)],
            ),
            (
                "0/2 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't \
                 tolerate, 1 node(s) had taint {key: value}, that the pod didn't tolerate.",
                vec![(1, C::ControlPlaneTaint), (1, C::Taint)],
            ),
            (
                "0/4 nodes are available: 1 node(s) were unschedulable, 3 node(s) didn't match Pod's node \
                 affinity/selector. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
                vec![(1, C::Cordon), (3, C::Placement)],
            ),
            (
                "0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, 1 Too many \
                 pods. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
                vec![(1, C::NodeFault), (1, C::PodCount)],
            ),
            ("0/1 nodes are available: 1 node(s) had untolerated taint(s).", vec![(1, C::Taint)]),
            (
                "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available",
                vec![(3, C::UnboundClaim)],
            ),
            ("pod has unbound immediate PersistentVolumeClaims (repeated 2 times)", vec![(0, C::UnboundClaim)]),
            ("persistentvolumeclaim \"data\" not found", vec![(0, C::ClaimMissing)]),
            (
                "0/2 nodes are available: 1 node(s) had volume node affinity conflict, 1 node(s) didn't match \
                 PersistentVolume's node affinity.",
                vec![(1, C::Volume), (1, C::Volume)],
            ),
            (
                "0/2 nodes are available: 2 node(s) didn't match pod affinity/anti-affinity, 2 node(s) didn't satisfy \
                 existing pods anti-affinity rules.",
                vec![(2, C::PodAntiAffinity), (2, C::PodAntiAffinity)],
            ),
            (
                "0/3 nodes are available: 1 node(s) didn't match pod affinity rules, 2 node(s) didn't match pod topology \
                 spread constraints (missing required label).",
                vec![(1, C::PodAffinity), (2, C::TopologySpread)],
            ),
            (
                "0/5 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, 4 Insufficient \
                 nvidia.com/gpu.",
                vec![(1, C::HostPort), (4, C::Resource("nvidia.com/gpu".to_owned()))],
            ),
            ("0/1 nodes are available: 1 node(s) exceed max volume count.", vec![(1, C::VolumeLimit)]),
        ];
        for (message, wanted) in table {
            assert_eq!(read(message), wanted, "{message}");
        }
    }

    #[test]
    fn other_messages_are_not_refusals() {
        for message in ["skip schedule deleting pod: shop/web-0", "", "running PreBind plugin \"VolumeBinding\": timed out"] {
            assert_eq!(Refusal::parse(message), None, "{message}");
        }
    }

    #[test]
    fn the_named_taint_is_kept() {
        let refusal = Refusal::parse("0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}.").unwrap();
        assert_eq!(refusal.clauses[0].taint.unwrap().to_string(), "dedicated=gpu");
    }
}
