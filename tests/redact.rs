//! Redaction measured: how many planted secrets go, how many ordinary lines are touched, and what holds for any text.
#![allow(clippy::print_stderr, reason = "the measured recall is the point of the test")]

use coroner::redact::Redactor;
use proptest::prelude::*;

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";
const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const PRINTABLE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#%*+-.=?^_~";

/// Formats that tell themselves: pieces of literal text and of random characters.
const FORMATS: &[(&str, &[Piece])] = &[
    ("GitHub classic", &[Is("ghp_"), Of(ALNUM, 36)]),
    ("GitHub OAuth", &[Is("gho_"), Of(ALNUM, 36)]),
    ("GitHub app user", &[Is("ghu_"), Of(ALNUM, 36)]),
    ("GitHub installation", &[Is("ghs_"), Of(ALNUM, 36)]),
    ("GitHub refresh", &[Is("ghr_"), Of(ALNUM, 76)]),
    ("GitHub fine-grained", &[Is("github_pat_"), Of(ALNUM, 22), Is("_"), Of(ALNUM, 59)]),
    ("GitLab personal", &[Is("glpat-"), Of(WORD, 20)]),
    ("GitLab runner", &[Is("glrt-"), Of(WORD, 20)]),
    ("GitLab deploy", &[Is("gldt-"), Of(WORD, 20)]),
    ("AWS access key", &[Is("AKIA"), Of(UPPER, 16)]),
    ("AWS session key", &[Is("ASIA"), Of(UPPER, 16)]),
    ("Google API", &[Is("AIza"), Of(WORD, 35)]),
    ("Google OAuth", &[Is("ya29."), Of(WORD, 80)]),
    ("Google client", &[Is("GOCSPX-"), Of(WORD, 28)]),
    ("Slack bot", &[Is("xoxb-"), Of("0123456789", 12), Is("-"), Of("0123456789", 12), Is("-"), Of(ALNUM, 24)]),
    ("Slack user", &[Is("xoxp-"), Of("0123456789", 12), Is("-"), Of(HEX, 32)]),
    ("Slack app", &[Is("xapp-1-A"), Of(UPPER, 10), Is("-"), Of("0123456789", 13), Is("-"), Of(HEX, 64)]),
    ("Slack webhook", &[Is("https://hooks.slack.com/services/T"), Of(UPPER, 8), Is("/B"), Of(UPPER, 8), Is("/"), Of(ALNUM, 24)]),
    ("Discord webhook", &[Is("https://discord.com/api/webhooks/"), Of("0123456789", 18), Is("/"), Of(WORD, 68)]),
    ("Stripe live", &[Is("sk_live_"), Of(ALNUM, 24)]),
    ("Stripe restricted", &[Is("rk_live_"), Of(ALNUM, 24)]),
    ("SendGrid", &[Is("SG."), Of(WORD, 22), Is("."), Of(WORD, 43)]),
    ("Twilio", &[Is("SK"), Of(HEX, 32)]),
    ("Mailgun", &[Is("key-"), Of(HEX, 32)]),
    ("npm", &[Is("npm_"), Of(ALNUM, 36)]),
    ("PyPI", &[Is("pypi-AgEIcHlwaS5vcmc"), Of(WORD, 70)]),
    ("RubyGems", &[Is("rubygems_"), Of(HEX, 48)]),
    ("Docker Hub", &[Is("dckr_pat_"), Of(WORD, 27)]),
    ("Vault", &[Is("hvs."), Of(WORD, 24)]),
    ("DigitalOcean", &[Is("dop_v1_"), Of(HEX, 64)]),
    ("Databricks", &[Is("dapi"), Of(HEX, 32)]),
    ("OpenAI", &[Is("sk-proj-"), Of(WORD, 74)]),
    ("Anthropic", &[Is("sk-ant-api03-"), Of(WORD, 93)]),
    ("Hugging Face", &[Is("hf_"), Of(ALNUM, 34)]),
    ("Grafana", &[Is("glsa_"), Of(ALNUM, 32), Is("_"), Of(HEX, 8)]),
    ("New Relic", &[Is("NRAK-"), Of(UPPER, 27)]),
    ("Shopify", &[Is("shpat_"), Of(HEX, 32)]),
    ("Telegram", &[Of("123456789", 9), Is(":AA"), Of(WORD, 33)]),
    ("Tailscale", &[Is("tskey-auth-"), Of(ALNUM, 12), Is("-"), Of(ALNUM, 32)]),
    ("Azure AD client", &[Of(ALNUM, 3), Is("8Q~"), Of(WORD, 34)]),
    ("OpenShift", &[Is("sha256~"), Of(WORD, 43)]),
    ("K3s join", &[Is("K10"), Of(HEX, 64), Is("::server:"), Of(HEX, 32)]),
    ("JWT", &[Is("eyJhbGciOiJSUzI1NiJ9.eyJ"), Of(WORD, 120), Is("."), Of(WORD, 86)]),
];

/// What a secret looks like that only its surroundings tell.
const VALUES: &[(&str, &[Piece])] = &[
    ("password", &[Of(PRINTABLE, 14)]),
    ("hex", &[Of(HEX, 40)]),
    ("AWS secret key", &[Of("ABCDEFabcdef0123456789+", 40)]),
    ("short", &[Is("p"), Of(ALNUM, 6)]),
];

/// Where tokens stand. `{}` is the secret.
const PLACES: &[&str] = &[
    "{}",
    "value: {}",
    "        value: \"{}\"",
    r#"{"auth_value":"{}","next":1}"#,
    r#"{\"auth_value\":\"{}\"}"#,
    "2026-01-02T15:04:05Z INFO using {} for the upload",
    "remote: {}: rejected",
    "curl -H 'Authorization: Bearer {}' https://api.example.org",
    "git clone https://x-access-token:{}@github.com/o/r.git",
    "GET /v1?access_token={}&page=2 HTTP/1.1",
    "export CI_VALUE={}",
    "- --registry-token={}",
    "[{}]",
    "(see {}).",
];

/// Where values stand that only their names tell.
const NAMED_PLACES: &[&str] = &[
    "password: {}",
    "  DB_PASSWORD: \"{}\"",
    "export AWS_SECRET_ACCESS_KEY={}",
    r#"{"user":"app","clientSecret":"{}"}"#,
    r#"msg="{\"api_key\":\"{}\"}""#,
    "- name: SMTP_PASS\n  value: {}\n",
    r#"{"name":"GITHUB_TOKEN","value":"{}"}"#,
    "postgres://app:{}@db.shop.svc:5432/app",
    "redis://:{}@cache:6379/0",
    "Server=db;User Id=app;Password={};Encrypt=true",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "app:{}@tcp(db:3306)/app",
    "args: [--password, {}]",
    "level=info msg=login password={} user=app",
    "    client-key-data: {}",
    "kind: Secret\nstringData:\n  colour: {}\n",
    r#"{"kind":"Secret","stringData":{"colour":"{}"}}"#,
];

#[derive(Clone, Copy)]
enum Piece {
    Is(&'static str),
    Of(&'static str, usize),
}
use Piece::{Is, Of};

/// A small generator of its own, so that the corpus is the same everywhere: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }

    fn secret(&mut self, pieces: &[Piece]) -> String {
        let mut secret = String::new();
        for piece in pieces {
            match piece {
                Is(text) => secret.push_str(text),
                Of(chars, n) => secret.extend((0..*n).map(|_| char::from(chars.as_bytes()[self.next(chars.len())]))),
            }
        }
        secret
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]);
            out.push(if at <= group.len() { digit } else { '=' });
        }
    }
    out
}

/// Plants every secret at every place; gives (planted, kept) and the lines that kept one.
fn plant(secrets: &[(&str, &[Piece])], places: &[&str], encode: bool) -> (usize, Vec<String>) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let redactor = Redactor::new(false);
    let mut planted = 0;
    let mut kept = Vec::new();
    for (name, pieces) in secrets {
        for place in places {
            for _ in 0..5 {
                let secret = random.secret(pieces);
                let stated = if encode { base64(format!("token={secret}\n").as_bytes()) } else { secret };
                let text = place.replace("{}", &stated);
                planted += 1;
                if redactor.redact(&text).contains(&stated[stated.len() / 2..]) {
                    kept.push(format!("{name}: {text}"));
                }
            }
        }
    }
    (planted, kept)
}

#[test]
fn planted_secrets_are_gone() {
    let runs = [
        ("formats", plant(FORMATS, PLACES, false)),
        ("formats in base64", plant(FORMATS, PLACES, true)),
        ("named values", plant(VALUES, NAMED_PLACES, false)),
    ];
    for (name, (planted, kept)) in &runs {
        let recall = 1.0 - kept.len() as f64 / *planted as f64;
        eprintln!("{name}: {planted} planted, {} kept, recall {:.2} %", kept.len(), recall * 100.0);
        assert!(recall >= 0.99, "{name}: {recall}\n{}", kept.join("\n"));
    }
}

#[test]
fn ordinary_lines_are_left_alone() {
    let text = include_str!("../testdata/redact/ordinary.txt");
    let redactor = Redactor::new(false);
    for line in text.lines() {
        assert_eq!(redactor.redact(line), line);
    }
    assert_eq!(redactor.redact(text), text);
}

#[test]
fn time_grows_with_the_text_only() {
    for piece in [
        "password=",
        "\"{\\\"kind\\\":\\\"Secret\\\",\\\"data\\\":{",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJ",
        "a://b:c@",
        "secret=",
    ] {
        let redactor = Redactor::new(false);
        // Quadratic behaviour would take minutes here.
        let text = piece.repeat(1_000_000 / piece.len());
        assert!(redactor.redact(&text).len() <= text.len() * 3);
    }
}

/// Texts out of pieces that mean something to the redactor.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "password",
        "token",
        "secret",
        "key",
        "api_key",
        "name",
        "value",
        "data",
        "kind",
        "Secret",
        ":",
        "=",
        " ",
        "\n",
        "  ",
        "- ",
        "\"",
        "\\\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        ",",
        "|",
        "://",
        "user",
        "@",
        "host",
        "--",
        "Bearer ",
        "basic ",
        "eyJ",
        ".",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "ghp_",
        "a1B2c3D4e5F6",
        "Z2hwX2ExQjI=",
        "[redacted:",
        "]",
        "é",
        "\\n",
        "auth",
        "hunter2",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacting_twice_changes_nothing(text in texts()) {
        let redactor = Redactor::new(false);
        let once = redactor.redact(&text).into_owned();
        let twice = redactor.redact(&once).into_owned();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let _ = Redactor::new(false).redact(&text);
    }
}
