//! Near misses: the name that was probably meant.

/// The candidate that `wanted` most probably meant: the same but for case and separators, a few typing errors apart, or
/// longer or shorter by a word. `None` when nothing is near. Of several equally near ones the first in order.
pub(super) fn nearest<'c>(wanted: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().filter(|c| *c != wanted && !c.is_empty()) {
        if let Some(distance) = distance(wanted, candidate)
            && best.is_none_or(|(least, name)| (distance, candidate) < (least, name))
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Longest names that are compared; names of Kubernetes objects are not longer.
const LONGEST: usize = 253;

/// How far apart two names are, as far as one may be meant by the other.
fn distance(a: &str, b: &str) -> Option<usize> {
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let (plain_a, plain_b) = (plain(a), plain(b));
    if plain_a == plain_b {
        return Some(0);
    }
    let (short, long) = if plain_a.len() < plain_b.len() { (&plain_a, &plain_b) } else { (&plain_b, &plain_a) };
    // One typing error in four characters, at most three.
    let tolerated = (short.len() / 4).min(3);
    let edits = edits(&plain_a, &plain_b);
    if edits <= tolerated.max(usize::from(short.len() >= 3)) {
        return Some(edits);
    }
    // `catalogue` and `catalog`, but not `order` and `order-db`.
    let by_an_ending = words(a).len() == words(b).len() && short.len() >= 5 && long.len() - short.len() <= 3;
    if by_an_ending && long.starts_with(short.as_str()) {
        return Some(edits);
    }
    let by_a_word = words(a).len().abs_diff(words(b).len()) == 1 && short.len() >= 4 && long.contains(short.as_str());
    if by_a_word || share_most_words(a, b) { Some(4 + edits) } else { None }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn words(name: &str) -> Vec<&str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect()
}

/// `db-credentials` and `database-credentials`: all words but one, and that one starts alike.
fn share_most_words(a: &str, b: &str) -> bool {
    let (a, b) = (words(a), words(b));
    let differing: Vec<_> = a.iter().zip(&b).filter(|(x, y)| x != y).collect();
    a.len() == b.len() && a.len() >= 2 && differing.len() == 1 && {
        let (x, y) = differing[0];
        let (short, long) = if x.len() < y.len() { (x, y) } else { (y, x) };
        short.len() >= 2 && (long.starts_with(short) || is_abbreviation(short, long))
    }
}

/// Its letters come in the long form in the same order, the first one first: `db` of `database`.
fn is_abbreviation(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().next() == long.chars().next() && short.chars().all(|c| rest.any(|r| r == c))
}

/// Insertions, deletions, substitutions and swaps of neighbours that make `b` of `a`.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = substituted.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let table = [
            ("app-config", vec!["kube-root-ca.crt", "app-configuration"], Some("app-configuration")),
            ("database-credentials", vec!["db-credentials", "tls"], Some("db-credentials")),
            ("standard-v2", vec!["standard"], Some("standard")),
            ("payment-servce", vec!["payment-service", "order-service"], Some("payment-service")),
            ("memcom", vec!["meme-com", "meme-generator"], Some("meme-com")),
            ("db_password", vec!["DB-PASSWORD"], Some("DB-PASSWORD")),
            ("grpc-api", vec!["grpc", "http"], Some("grpc")),
            ("catalogue", vec!["catalog"], Some("catalog")),
            ("ssd", vec!["hdd"], None),
            ("web", vec!["web"], None),
            ("orders", vec!["payments"], None),
            ("a", vec!["b"], None),
        ];
        for (wanted, candidates, meant) in table {
            assert_eq!(nearest(wanted, candidates), meant, "{wanted}");
        }
    }

    #[test]
    fn swaps_count_once() {
        assert_eq!(edits("chekcout", "checkout"), 1);
        assert_eq!(edits("", "abc"), 3);
    }
}
