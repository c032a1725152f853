//! Tokens that carry their issuer's prefix. The table follows the issuers' own documentation of their formats.

use std::ops::RangeInclusive;

use super::Secret;

/// Which characters follow a prefix.
#[derive(Debug, Clone, Copy)]
enum Chars {
    /// `0-9a-f` in either case.
    Hex,
    /// `A-Z0-9`.
    Upper,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_` and `-`.
    Word,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// Letters, digits, `_`, `-`, `.` and what base64 adds: `+`, `/`, `=`.
    Wide,
}

impl Chars {
    fn contain(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || b"_-".contains(&byte),
            Self::Dotted => byte.is_ascii_alphanumeric() || b"_-.".contains(&byte),
            Self::Wide => byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte),
        }
    }
}

/// A token format.
struct Format {
    prefix: &'static str,
    chars: Chars,
    /// How many characters follow the prefix.
    length: RangeInclusive<usize>,
    kind: &'static str,
}

const fn format(kind: &'static str, prefix: &'static str, chars: Chars, length: RangeInclusive<usize>) -> Format {
    Format { prefix, chars, length, kind }
}

/// No upper bound: a few issuers promise none.
const LONG: usize = 8192;

const FORMATS: &[Format] = &{
    use Chars::{Alnum, Dotted, Hex, Upper, Wide, Word};
    [
        format("GitHub token", "ghp_", Alnum, 20..=255),
        format("GitHub token", "gho_", Alnum, 20..=255),
        format("GitHub token", "ghu_", Alnum, 20..=255),
        format("GitHub token", "ghs_", Wide, 20..=LONG),
        format("GitHub token", "ghr_", Alnum, 20..=255),
        format("GitHub token", "github_pat_", Word, 20..=255),
        format("GitLab token", "glpat-", Wide, 20..=300),
        format("GitLab token", "gldt-", Word, 20..=64),
        format("GitLab token", "glrt-", Wide, 20..=300),
        format("GitLab token", "glptt-", Word, 20..=64),
        format("GitLab token", "glcbt-", Word, 20..=64),
        format("GitLab token", "glft-", Word, 20..=64),
        format("GitLab token", "glsoat-", Word, 20..=64),
        format("GitLab token", "glimt-", Word, 20..=64),
        format("GitLab token", "glagent-", Word, 20..=64),
        format("GitLab token", "gloas-", Word, 20..=80),
        format("GitLab token", "GR1348941", Word, 20..=24),
        format("Bitbucket token", "ATBB", Alnum, 28..=40),
        format("Atlassian token", "ATATT3", Wide, 100..=LONG),
        format("Atlassian token", "ATCTT3", Wide, 100..=LONG),
        format("AWS access key", "AKIA", Upper, 16..=16),
        format("AWS access key", "ASIA", Upper, 16..=16),
        format("AWS access key", "ABIA", Upper, 16..=16),
        format("AWS access key", "ACCA", Upper, 16..=16),
        format("Google API key", "AIza", Word, 35..=35),
        format("Google OAuth token", "ya29.", Wide, 20..=LONG),
        format("Google OAuth secret", "GOCSPX-", Word, 28..=28),
        format("Alibaba access key", "LTAI", Alnum, 17..=21),
        format("Tencent secret id", "AKID", Alnum, 32..=32),
        format("DigitalOcean token", "dop_v1_", Hex, 64..=64),
        format("DigitalOcean token", "doo_v1_", Hex, 64..=64),
        format("DigitalOcean token", "dor_v1_", Hex, 64..=64),
        format("Slack token", "xoxb-", Word, 10..=255),
        format("Slack token", "xoxp-", Word, 10..=255),
        format("Slack token", "xoxa-", Word, 10..=255),
        format("Slack token", "xoxr-", Word, 10..=255),
        format("Slack token", "xoxs-", Word, 10..=255),
        format("Slack token", "xoxe-", Word, 10..=255),
        format("Slack token", "xoxe.xox", Wide, 10..=255),
        format("Slack token", "xoxc-", Word, 10..=255),
        format("Slack token", "xoxd-", Wide, 10..=255),
        format("Slack token", "xapp-", Word, 10..=255),
        format("Stripe key", "sk_live_", Alnum, 10..=255),
        format("Stripe key", "sk_test_", Alnum, 10..=255),
        format("Stripe key", "rk_live_", Alnum, 10..=255),
        format("Stripe key", "rk_test_", Alnum, 10..=255),
        format("webhook secret", "whsec_", Wide, 20..=255),
        format("SendGrid key", "SG.", Wide, 40..=80),
        format("Twilio key", "SK", Hex, 32..=32),
        format("Mailgun key", "key-", Hex, 32..=32),
        format("Brevo key", "xkeysib-", Word, 60..=90),
        format("Brevo key", "xsmtpsib-", Word, 60..=90),
        format("npm token", "npm_", Alnum, 36..=36),
        format("PyPI token", "pypi-AgE", Word, 40..=LONG),
        format("RubyGems key", "rubygems_", Hex, 48..=48),
        format("crates.io token", "cio", Alnum, 32..=32),
        format("Clojars token", "CLOJARS_", Hex, 60..=60),
        format("Docker Hub token", "dckr_pat_", Word, 20..=64),
        format("Docker Hub token", "dckr_oat_", Word, 20..=64),
        format("Vault token", "hvs.", Word, 20..=300),
        format("Vault token", "hvb.", Word, 20..=300),
        format("Vault token", "hvr.", Word, 20..=300),
        format("Databricks token", "dapi", Hex, 32..=32),
        format("Shopify token", "shpat_", Hex, 32..=32),
        format("Shopify token", "shpca_", Hex, 32..=32),
        format("Shopify token", "shppa_", Hex, 32..=32),
        format("Shopify token", "shpss_", Hex, 32..=32),
        format("Square token", "sq0atp-", Word, 22..=22),
        format("Square token", "sq0csp-", Word, 43..=43),
        format("OpenAI key", "sk-proj-", Word, 20..=300),
        format("OpenAI key", "sk-svcacct-", Word, 20..=300),
        format("OpenAI key", "sk-admin-", Word, 20..=300),
        format("Anthropic key", "sk-ant-", Word, 20..=300),
        format("OpenRouter key", "sk-or-", Word, 20..=300),
        format("OpenAI key", "sk-", Alnum, 32..=64),
        format("Hugging Face token", "hf_", Alnum, 34..=40),
        format("Groq key", "gsk_", Alnum, 52..=52),
        format("Replicate token", "r8_", Alnum, 37..=37),
        format("Perplexity key", "pplx-", Alnum, 48..=48),
        format("Grafana token", "glc_", Wide, 32..=400),
        format("Grafana token", "glsa_", Word, 41..=41),
        format("New Relic key", "NRAK-", Upper, 27..=27),
        format("New Relic key", "NRII-", Wide, 32..=32),
        format("New Relic key", "NRJS-", Hex, 19..=19),
        format("Dynatrace token", "dt0c01.", Wide, 60..=120),
        format("Dynatrace token", "dt0s01.", Wide, 60..=120),
        format("Sentry token", "sntrys_", Wide, 60..=400),
        format("Sentry token", "sntryu_", Hex, 64..=64),
        format("SonarQube token", "sqp_", Hex, 40..=40),
        format("SonarQube token", "squ_", Hex, 40..=40),
        format("SonarQube token", "sqa_", Hex, 40..=40),
        format("Artifactory key", "AKCp", Alnum, 60..=80),
        format("Artifactory token", "cmVmdGtuO", Alnum, 50..=60),
        format("Buildkite token", "bkua_", Hex, 40..=40),
        format("CircleCI token", "CCIPAT_", Wide, 40..=100),
        format("CircleCI token", "CCIPRJ_", Wide, 40..=100),
        format("Octopus key", "API-", Upper, 26..=26),
        format("Linear key", "lin_api_", Alnum, 40..=40),
        format("Notion token", "ntn_", Alnum, 40..=60),
        format("Figma token", "figd_", Word, 40..=40),
        format("Postman key", "PMAK-", Word, 59..=59),
        format("Heroku key", "HRKU-", Word, 36..=80),
        format("Doppler token", "dp.pt.", Alnum, 40..=50),
        format("Doppler token", "dp.st.", Wide, 40..=80),
        format("Pulumi token", "pul-", Hex, 40..=40),
        format("PlanetScale token", "pscale_tkn_", Wide, 32..=64),
        format("PlanetScale token", "pscale_pw_", Wide, 32..=64),
        format("PlanetScale token", "pscale_oauth_", Wide, 32..=64),
        format("Supabase token", "sbp_", Hex, 40..=40),
        format("Netlify token", "nfp_", Alnum, 36..=40),
        format("Fly token", "fm2_", Wide, 40..=LONG),
        format("Fly token", "fo1_", Word, 43..=43),
        format("Tailscale key", "tskey-", Word, 20..=80),
        format("1Password token", "ops_eyJ", Wide, 100..=LONG),
        format("age key", "AGE-SECRET-KEY-1", Upper, 58..=58),
        format("Contentful token", "CFPAT-", Word, 43..=43),
        format("Razorpay key", "rzp_live_", Alnum, 14..=20),
        format("Adafruit key", "aio_", Alnum, 28..=28),
        format("Typeform token", "tfp_", Wide, 59..=59),
        format("Prefect key", "pnu_", Alnum, 36..=36),
        format("Infracost key", "ico-", Alnum, 32..=32),
        format("Shippo token", "shippo_live_", Hex, 40..=40),
        format("EasyPost key", "EZAK", Alnum, 54..=54),
        format("Duffel token", "duffel_live_", Wide, 43..=43),
        format("OpenShift token", "sha256~", Word, 43..=43),
        format("K3s token", "K10", Hex, 64..=LONG),
        format("JSON Web Token", "eyJ", Dotted, 30..=LONG),
    ]
};

/// The literals tokens begin with, in the order [`token`] knows them by.
pub(super) fn prefixes() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.prefix)
}

/// The token of the format number `literal` at `start`, when there is one.
pub(super) fn token(literal: usize, text: &str, start: usize) -> Option<Secret> {
    let format = &FORMATS[literal];
    let bytes = text.as_bytes();
    let body = start + format.prefix.len();
    // The search for literals ignores case; formats do not. In the middle of a word nothing begins.
    if &bytes[start..body] != format.prefix.as_bytes() || (start > 0 && is_joined(bytes[start - 1])) {
        return None;
    }
    let window = &bytes[body..bytes.len().min(body + LONG)];
    let mut length = window.iter().take_while(|b| format.chars.contain(**b)).count();
    // A full stop ends a sentence.
    while length > 0 && window[length - 1] == b'.' {
        length -= 1;
    }
    match format.kind {
        "JSON Web Token" => length = web_token(&window[..length])?,
        "K3s token" => length = k3s_token(window, length)?,
        _ if window.get(length).is_some_and(|b| b.is_ascii_alphanumeric()) => return None,
        _ => {}
    }
    let is_token = format.length.contains(&length) && is_random(&window[..length], format.chars);
    is_token.then(|| Secret::new(start..body + length, format.kind))
}

/// What stands in the middle of a token, in the order [`token_around`] knows it by.
pub(super) const INFIXES: &[&str] = &["Q~", ":AA"];

/// The token around the infix number `literal` at `start`, when there is one.
pub(super) fn token_around(literal: usize, text: &str, start: usize) -> Option<Secret> {
    let infix = INFIXES[literal];
    let (before, after, kind): (_, _, &'static str) = match infix {
        "Q~" => (4..=4, 30..=36, "Entra client secret"),
        _ => (8..=10, 33..=33, "Telegram bot token"),
    };
    let bytes = text.as_bytes();
    let body = start + infix.len();
    let chars = if infix == "Q~" { Chars::Dotted } else { Chars::Word };
    let is_part = |b: &&u8| chars.contain(**b) || (infix == "Q~" && **b == b'~');
    let n_before = bytes[..start].iter().rev().take(11).take_while(is_part).count();
    let n_after = bytes[body..].iter().take(64).take_while(is_part).count();
    let is_token = &bytes[start..body] == infix.as_bytes()
        && before.contains(&n_before)
        && after.contains(&n_after)
        && bytes[start - 1].is_ascii_digit();
    is_token.then(|| Secret::new(start - n_before..body + n_after, kind))
}

/// A letter or digit before a prefix makes it a part of a word.
fn is_joined(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Identifiers such as `npm_config_loglevel` share prefixes with tokens, but consist of words. Hex and capitals are told by
/// their exact lengths.
fn is_random(body: &[u8], chars: Chars) -> bool {
    matches!(chars, Chars::Hex | Chars::Upper)
        || (body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic))
        || (body.iter().any(u8::is_ascii_uppercase) && body.iter().any(u8::is_ascii_lowercase))
}

/// Length of a JSON Web Token behind `eyJ`: header, claims, and a signature that may be cut off or empty.
fn web_token(body: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(body).ok()?;
    let parts: Vec<&str> = text.split('.').collect();
    let is_part = |part: &&str| part.bytes().all(|b| Chars::Word.contain(b));
    let n_parts = parts.iter().take_while(|part| is_part(part)).count().min(5);
    let is_signed = n_parts == 5 || (n_parts >= 2 && parts[1].starts_with("eyJ"));
    is_signed.then(|| parts[..n_parts].iter().map(|part| part.len() + 1).sum::<usize>() - 1)
}

/// Length of a K3s or RKE2 join token behind `K10`: the hash of the CA, then `::user:password`.
fn k3s_token(window: &[u8], hash: usize) -> Option<usize> {
    let rest = window.get(hash..)?.strip_prefix(b"::")?;
    let tail = rest.iter().take_while(|b| Chars::Wide.contain(**b) || **b == b':').count();
    (hash == 64 && tail > 8).then_some(hash + 2 + tail)
}
