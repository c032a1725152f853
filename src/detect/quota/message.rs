//! The words in which quotas and LimitRanges refuse.

use std::collections::BTreeMap;

use crate::cluster::Quantity;
use crate::cluster::simulate::resources::Amounts;

/// `exceeded quota: Q, requested: limits.cpu=1, used: limits.cpu=2, limited: limits.cpu=2`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded<'m> {
    /// The quota's name.
    pub(super) quota: &'m str,
    /// What was asked for.
    pub(super) requested: Amounts,
    /// What was used.
    pub(super) used: Amounts,
    /// What may be used.
    pub(super) limited: Amounts,
}

/// Reads the refusal of a quota that is used up.
pub(super) fn exceeded(text: &str) -> Option<Exceeded<'_>> {
    let (_, rest) = text.split_once("exceeded quota: ")?;
    let (quota, rest) = rest.split_once(", requested: ")?;
    let (requested, rest) = rest.split_once(", used: ")?;
    let (used, limited) = rest.split_once(", limited: ")?;
    let amounts = |list: &str| -> Amounts {
        let pairs = list.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter_map(|(name, amount)| Some((name.to_owned(), Quantity::parse(first_word(amount))?))).collect()
    };
    Some(Exceeded { quota, requested: amounts(requested), used: amounts(used), limited: amounts(limited) })
}

fn first_word(text: &str) -> &str {
    text.split([' ', ';', '"', ')']).next().unwrap_or(text)
}

/// Reads `failed quota: Q: must specify limits.cpu for: a,b; requests.memory for: a`, and the form before 1.23 that names no
/// containers: the quota and the containers by resource.
pub(super) fn must_specify(text: &str) -> Option<(&str, BTreeMap<String, Vec<String>>)> {
    let (before, list) = text.split_once(": must specify ")?;
    let (_, quota) = before.rsplit_once("failed quota: ")?;
    let mut missing = BTreeMap::new();
    for part in list.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        match part.split_once(" for: ") {
            Some((resource, containers)) => {
                missing.insert(resource.to_owned(), containers.split(',').map(|c| first_word(c).to_owned()).collect());
            }
            None => missing.extend(part.split(',').map(|resource| (first_word(resource.trim()).to_owned(), Vec::new()))),
        }
    }
    Some((quota, missing))
}

/// `maximum memory usage per Container is 4Gi, but limit is 8Gi`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfRange<'m> {
    /// `max`, `min` or `maxLimitRequestRatio`.
    pub(super) rule: &'static str,
    /// `memory`
    pub(super) resource: &'m str,
    /// `Container`, `Pod`, `PersistentVolumeClaim`
    pub(super) per: &'m str,
    /// `4Gi`
    pub(super) bound: &'m str,
    /// `8Gi`, or empty when nothing was stated.
    pub(super) stated: &'m str,
}

/// Reads the refusal of a LimitRange.
pub(super) fn out_of_range(text: &str) -> Option<OutOfRange<'_>> {
    let forms = [("maximum ", " usage per ", "max"), ("minimum ", " usage per ", "min")];
    let usage = forms.into_iter().find_map(|(before, middle, rule)| {
        let (_, rest) = text.split_once(before)?;
        let (resource, rest) = rest.split_once(middle)?;
        (!resource.contains(' ')).then_some((rule, resource, rest))
    });
    let ratio = || {
        let (before, rest) = text.split_once(" max limit to request ratio per ")?;
        let resource = before.rsplit([' ', '[']).next()?;
        Some(("maxLimitRequestRatio", resource, rest))
    };
    let (rule, resource, rest) = usage.or_else(ratio)?;
    let (per, rest) = rest.split_once(" is ")?;
    let (bound, rest) = rest.split_once([',', '.', ']']).unwrap_or((rest, ""));
    let stated = rest
        .rsplit_once(" is ")
        .map_or("", |(_, amount)| amount.split([',', ']', ' ']).next().unwrap_or("").trim_end_matches('.'));
    let stated = if stated.starts_with(|c: char| c.is_ascii_digit()) { stated } else { "" };
    Some(OutOfRange { rule, resource, per: first_word(per), bound: first_word(bound), stated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_quota_tells_its_numbers() {
        let text = "pods \"api-x\" is forbidden: exceeded quota: compute, requested: limits.cpu=1,pods=1, used: limits.cpu=2,pods=9, limited: limits.cpu=2,pods=9";
        let told = exceeded(text).unwrap();
        assert_eq!(told.quota, "compute");
        assert_eq!(told.requested.keys().collect::<Vec<_>>(), ["limits.cpu", "pods"]);
        assert_eq!(told.limited["pods"], Quantity::whole(9));
        assert_eq!(exceeded("exceeded quota of the cloud"), None);
    }

    #[test]
    fn missing_statements_in_both_wordings() {
        let (quota, missing) =
            must_specify("forbidden: failed quota: q: must specify limits.cpu for: a,b; requests.memory for: a").unwrap();
        assert_eq!(quota, "q");
        assert_eq!(missing["limits.cpu"], ["a", "b"]);
        assert_eq!(missing["requests.memory"], ["a"]);
        let (_, missing) = must_specify("failed quota: q: must specify limits.cpu,limits.memory").unwrap();
        assert_eq!(missing.into_keys().collect::<Vec<_>>(), ["limits.cpu", "limits.memory"]);
    }

    #[test]
    fn limit_ranges_in_all_wordings() {
        let read = |text| out_of_range(text).map(|o| (o.rule, o.resource, o.per, o.bound, o.stated));
        let table = [
            (
                "forbidden: maximum memory usage per Container is 4Gi, but limit is 8Gi",
                ("max", "memory", "Container", "4Gi", "8Gi"),
            ),
            (
                "forbidden: minimum cpu usage per Container is 100m, but request is 10m.",
                ("min", "cpu", "Container", "100m", "10m"),
            ),
            ("forbidden: [maximum cpu usage per Pod is 2, but limit is 3]", ("max", "cpu", "Pod", "2", "3")),
            (
                "forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
                ("maxLimitRequestRatio", "cpu", "Container", "2", "4.000000"),
            ),
            (
                "forbidden: maximum memory usage per Container is 1Gi.  No limit is specified",
                ("max", "memory", "Container", "1Gi", ""),
            ),
        ];
        for (text, wanted) in table {
            assert_eq!(read(text), Some(wanted), "{text}");
        }
        assert_eq!(read("usage per pod is high"), None);
    }
}
