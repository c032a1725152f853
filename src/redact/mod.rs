//! Secrets → stable tokens, in any text: manifests, logs, reports.
//!
//! Four kinds of signs, each found in linear time and without regular expressions: tokens that carry their issuer's prefix
//! ([`formats`]), values of names that speak of secrets ([`named`]), credentials at a fixed place of a URL or header
//! ([`urls`]), and the data of `Secret` objects ([`objects`]); then the same inside base64 ([`encoded`]).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use sha2::{Digest, Sha256};

mod encoded;
mod formats;
mod named;
mod names;
mod objects;
mod urls;
mod values;

/// A value that was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masked<'a> {
    /// The line it begins on, 1-based.
    pub line: usize,
    /// What it was, in a word or two: `GitHub token`, `password`.
    pub kind: &'static str,
    /// What stands there now.
    pub token: &'a str,
}

/// A secret found in a text.
#[derive(Debug, Clone)]
struct Secret {
    range: Range<usize>,
    kind: &'static str,
    /// It is a plain scalar of YAML: the token has to be quoted, or it would be read as a list.
    quoted: bool,
}

impl Secret {
    fn new(range: Range<usize>, kind: &'static str) -> Self {
        Self { range, kind, quoted: false }
    }
}

/// Masks secrets in texts and counts them.
#[derive(Debug, Default)]
pub struct Redactor {
    show_secrets: bool,
    seen: Mutex<BTreeSet<[u8; 8]>>,
}

impl Redactor {
    /// With `show_secrets` nothing is masked.
    pub fn new(show_secrets: bool) -> Self {
        Self { show_secrets, seen: Mutex::default() }
    }

    /// `text` with every secret replaced by `[redacted:a1b2]`. The four digits come from the secret alone, so the same secret
    /// is the same token everywhere, in plain or in base64. More digits would let a guessed password be confirmed.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redact_with(text, &mut |_| {})
    }

    /// [`Redactor::redact`] that also tells every value it masks.
    pub fn redact_with<'t>(&self, text: &'t str, found: &mut dyn FnMut(Masked<'_>)) -> Cow<'t, str> {
        let mut redacted = Cow::Borrowed(text);
        if self.show_secrets {
            return redacted;
        }
        // A token may end what stood around the secret, and that may be a secret in its turn: seen in contrived texts only.
        for _ in 0..MOST_PASSES {
            match self.pass(&redacted, found) {
                Some(next) => redacted = Cow::Owned(next),
                None => break,
            }
        }
        redacted
    }

    /// `text` with its secrets masked; `None` when there are none.
    fn pass(&self, text: &str, found: &mut dyn FnMut(Masked<'_>)) -> Option<String> {
        let secrets = find(text);
        if secrets.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let (mut copied, mut line) = (0, 1);
        for secret in &secrets {
            let token = self.token(&text[secret.range.clone()]);
            let between = &text[copied..secret.range.start];
            line += memchr::memchr_iter(b'\n', between.as_bytes()).count();
            found(Masked { line, kind: secret.kind, token: &token });
            line += memchr::memchr_iter(b'\n', text[secret.range.clone()].as_bytes()).count();
            let quote = if secret.quoted { "\"" } else { "" };
            out.extend([between, quote, &token, quote]);
            copied = secret.range.end;
        }
        out.push_str(&text[copied..]);
        Some(out)
    }

    /// Different values masked so far.
    pub fn count(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn token(&self, secret: &str) -> String {
        let plain = encoded::decode(secret.trim()).unwrap_or_else(|| secret.to_owned());
        let digest = Sha256::digest(plain.trim().as_bytes());
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        format!("{MARK}{:02x}{:02x}]", id[0], id[1])
    }
}

/// How often a text is searched at most, as long as something is found.
const MOST_PASSES: usize = 4;

/// How every token begins.
const MARK: &str = "[redacted:";

/// The secrets of a text, in order, none overlapping another.
fn find(text: &str) -> Vec<Secret> {
    let mut secrets = anchored(text);
    objects::find(text, &mut secrets);
    encoded::find(text, &mut secrets);
    merge(text, secrets)
}

/// What a literal in a text may be the sign of, with its number in the table it comes from.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Prefix(usize),
    Infix(usize),
    Name,
    Place(usize),
}

/// Everything that begins at a fixed literal is found in one pass.
static SIGNS: LazyLock<(AhoCorasick, Vec<Sign>)> = LazyLock::new(|| {
    let prefixes = formats::prefixes().enumerate().map(|(i, literal)| (literal, Sign::Prefix(i)));
    let infixes = formats::INFIXES.iter().enumerate().map(|(i, literal)| (*literal, Sign::Infix(i)));
    let names = named::WORDS.iter().map(|literal| (*literal, Sign::Name));
    let places = urls::ANCHORS.iter().enumerate().map(|(i, literal)| (*literal, Sign::Place(i)));
    let (literals, signs): (Vec<&str>, Vec<Sign>) = prefixes.chain(infixes).chain(names).chain(places).unzip();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        // A report is small: what is built fast serves it better than what searches fast.
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(literals);
    (automaton.expect("a few hundred short literals fit an automaton"), signs)
});

/// The secrets at literals.
fn anchored(text: &str) -> Vec<Secret> {
    let (automaton, signs) = &*SIGNS;
    let mut names = named::Names::default();
    let at_sign = |hit: aho_corasick::Match| match signs[hit.pattern()] {
        Sign::Prefix(number) => formats::token(number, text, hit.start()),
        Sign::Infix(number) => formats::token_around(number, text, hit.start()),
        Sign::Name => names.value(text, hit.start()),
        Sign::Place(number) => urls::credential(number, text, hit.start()),
    };
    automaton.find_overlapping_iter(text).filter_map(at_sign).collect()
}

/// Joins what overlaps, and leaves out what touches a token that is there already: redacting twice changes nothing.
fn merge(text: &str, mut secrets: Vec<Secret>) -> Vec<Secret> {
    let tokens: Vec<Range<usize>> = text.match_indices(MARK).map(|(at, mark)| at..at + mark.len() + "a1b2]".len()).collect();
    let is_redacted = |range: &Range<usize>| {
        let next = tokens.partition_point(|token| token.end < range.start);
        tokens.get(next).is_some_and(|token| token.start <= range.end)
    };
    secrets.retain(|secret| !secret.range.is_empty() && !is_redacted(&secret.range));
    secrets.sort_by_key(|secret| (secret.range.start, std::cmp::Reverse(secret.range.end)));
    let mut merged: Vec<Secret> = Vec::new();
    for secret in secrets {
        match merged.last_mut() {
            Some(last) if secret.range.start < last.range.end => last.range.end = last.range.end.max(secret.range.end),
            _ => merged.push(secret),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a text is masked.
    fn masked(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|secret| &text[secret.range]).collect()
    }

    #[test]
    fn values_of_names() {
        for text in [
            "password: hunter2",
            "  DB_PASSWORD: hunter2   # of the database",
            "export DB_PASSWORD=hunter2",
            "db.password = hunter2",
            r#"{"user":"app","password":"hunter2","port":1}"#,
            r#"{\"user\":\"app\",\"password\":\"hunter2\"}"#,
            "args: [--password, hunter2, --verbose]",
            "args:\n- --password\n- hunter2\n",
            r#"["--password", "hunter2", "--verbose"]"#,
            "mysqld --password=hunter2 --verbose",
            "mysqld --password hunter2 --verbose",
            "Server=db;User Id=app;Password=hunter2;Encrypt=true",
            "GET /login?user=app&password=hunter2&next=x HTTP/1.1",
            "map[password:hunter2 user:app]",
            "EnvVar{Name:DB_PASSWORD,Value:hunter2,ValueFrom:nil,}",
            "- name: DB_PASSWORD\n  value: hunter2\n- name: LEVEL\n  value: debug",
            r#"[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"LEVEL","value":"debug"}]"#,
            "      DB_PASSWORD:  hunter2\n      LEVEL:        debug",
            "level=info msg=\"login\" password=hunter2 user=app",
            "password: |\n  hunter2\nuser: app",
            "postgres://app:hunter2@db:5432/app?sslmode=disable",
            "dsn=app:hunter2@tcp(db:3306)/app",
            "curl -u app:hunter2 https://example.org",
            r#"{"auths":{"ghcr.io":{"auth":"hunter2"}}}"#,
        ] {
            let text = text.replace(r#""auth":"hunter2""#, r#""auth":"YXBwOmh1bnRlcjI=""#);
            let expected = if text.contains("YXBw") { "YXBwOmh1bnRlcjI=" } else { "hunter2" };
            assert_eq!(masked(&text), [expected], "{text}");
        }
    }

    #[test]
    fn tokens_wherever_they_stand() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        for text in [
            format!("remote: {token} is not valid."),
            format!("https://{token}@github.com/o/r.git"),
            format!("(token {token})"),
            format!("x=\"{token}\""),
        ] {
            assert_eq!(masked(&text), [token.as_str()], "{text}");
        }
    }

    #[test]
    fn base64_of_a_secret_gets_the_secrets_token() {
        let redactor = Redactor::new(false);
        let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        let plain = redactor.redact(&token).into_owned();
        let encoded = redactor.redact("Z2hwX2ExQjJjM0Q0ZTVGNmExQjJjM0Q0ZTVGNmExQjJjM0Q0ZTVGNg==").into_owned();
        assert_eq!(plain, encoded);
        assert_eq!(plain.len(), "[redacted:a1b2]".len());
        assert_eq!(redactor.count(), 1);
    }

    #[test]
    fn private_keys_keep_their_armour() {
        let body = "MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn".repeat(3);
        for text in [
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n-----END RSA PRIVATE KEY-----\n"),
            format!(r#""key": "-----BEGIN PRIVATE KEY-----\n{body}\n{body}\n-----END PRIVATE KEY-----\n""#),
            format!("  key: |\n    -----BEGIN EC PRIVATE KEY-----\n    {body}\n    {body}\n"),
        ] {
            let redacted = Redactor::new(false).redact(&text).into_owned();
            assert!(!redacted.contains("MIIE") && redacted.contains("PRIVATE KEY-----"), "{redacted}");
        }
        assert_eq!(masked(&format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----")), [""; 0]);
    }

    #[test]
    fn a_yaml_scalar_stays_a_string() {
        let redacted = Redactor::new(false).redact("password: hunter2").into_owned();
        assert!(redacted.starts_with("password: \"[redacted:") && redacted.ends_with("]\""), "{redacted}");
        let shown = Redactor::new(true).redact("password: hunter2").into_owned();
        assert_eq!(shown, "password: hunter2");
    }
}
