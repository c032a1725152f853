//! Which names speak of secrets. `dbPassword`, `DB_PASSWORD`, `db-password` and `db.password` are the same name; its last
//! words decide: `tokenSecretName` is a name, `token-ttl` a duration.

/// How sure a name makes that its value is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// `password`, `api_key`: whatever the value.
    Sure,
    /// `secret`, `credentials`: the value may as well be the name of a `Secret`.
    IfRandom,
    /// `auth`: only a value that decodes to `user:password`, as in Docker's configuration.
    IfUserInfo,
}

/// Last words that do not change what a name is about.
const QUALIFIERS: &[&str] = &[
    "value",
    "base64",
    "b64",
    "encoded",
    "plain",
    "plaintext",
    "raw",
    "string",
    "old",
    "new",
    "current",
    "previous",
    "prod",
    "dev",
    "staging",
    "test",
    "default",
    "base",
    "primary",
    "secondary",
    "hash",
];

/// What a paging token continues is no secret.
const PAGING: &[&str] = &["next", "page", "continue", "continuation", "sync", "cursor"];

/// `client secret` is the secret itself, `github config secret` as a rule the name of one.
const SECRET_OF: &[&str] = &[
    "client",
    "app",
    "application",
    "consumer",
    "api",
    "oauth",
    "oauth2",
    "shared",
    "jwt",
    "signing",
    "session",
    "cookie",
    "hmac",
    "access",
    "account",
    "encryption",
    "otp",
    "totp",
    "csrf",
];

/// `api key` is a secret, `routing key` is none.
const KEY_OF: &[&str] = &[
    "api",
    "access",
    "private",
    "account",
    "encryption",
    "crypt",
    "signing",
    "master",
    "shared",
    "jwt",
    "hmac",
    "aes",
    "session",
    "storage",
    "deploy",
    "license",
    "app",
    "application",
    "auth",
    "subscription",
    "ingestion",
    "instrumentation",
    "unseal",
    "recovery",
    "integration",
    "write",
    "admin",
    "consumer",
    "client",
    "cosmos",
    "sas",
    "webhook",
    "csrf",
    "cookie",
    "datadog",
    "dd",
    "sharedaccess",
];

/// What a name says of its value, and what kind of secret that is; `None` when it says nothing.
pub(super) fn classify(name: &str) -> Option<(Certainty, &'static str)> {
    use Certainty::{IfRandom, IfUserInfo, Sure};
    let words = words(name);
    let is_qualifier = |word: &String| QUALIFIERS.contains(&word.as_str()) || word.bytes().all(|b| b.is_ascii_digit());
    let n_qualifiers = words.iter().skip(1).rev().take_while(|word| is_qualifier(word)).count();
    let (last, before) = words[..words.len() - n_qualifiers].split_last()?;
    let previous = before.last().map_or("", String::as_str);
    // `password1` is the first of several.
    match last.trim_end_matches(|c: char| c.is_ascii_digit()) {
        last if ["password", "passwd", "passphrase", "pwd"].iter().any(|end| last.ends_with(end)) => Some((Sure, "password")),
        // A bare `pass` is the result of a test as often as a password.
        "pass" if !before.is_empty() => Some((Sure, "password")),
        last if last.ends_with("token") => (!PAGING.contains(&previous)).then_some((Sure, "token")),
        "secret" if SECRET_OF.contains(&previous) => Some((Sure, "secret")),
        last if last.ends_with("secret") => Some((IfRandom, "secret")),
        // In an ExternalSecret, `secretKey` names a key of a `Secret`.
        "key" if previous == "secret" => Some((IfRandom, "key")),
        "secretkey" => Some((IfRandom, "key")),
        last if last.ends_with("key") => {
            let stem = if last == "key" { previous } else { &last[..last.len() - "key".len()] };
            KEY_OF.contains(&stem).then_some((Sure, "key"))
        }
        // `client-key-data` of a kubeconfig.
        "data" if previous == "key" => Some((Sure, "key")),
        "credential" | "credentials" | "creds" => Some((IfRandom, "credentials")),
        "authorization" => Some((IfRandom, "authorization header")),
        "cookie" if before.is_empty() || previous == "set" => Some((IfRandom, "cookie")),
        // Of a shared access signature, or a presigned URL.
        "sig" => Some((IfRandom, "signature")),
        "signature" if ["amz", "goog"].contains(&previous) => Some((IfRandom, "signature")),
        "auth" => Some((IfUserInfo, "basic authentication")),
        _ => None,
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut starts = true;
    let bytes = name.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if b"_-.".contains(byte) {
            starts = true;
            continue;
        }
        let follows = |class: fn(&u8) -> bool| at > 0 && class(&bytes[at - 1]);
        // The last capital of a run begins a word: `APIKey` is `API` and `Key`.
        let ends_run = follows(u8::is_ascii_uppercase) && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        starts |= byte.is_ascii_uppercase() && (follows(u8::is_ascii_lowercase) || follows(u8::is_ascii_digit) || ends_run);
        if std::mem::take(&mut starts) || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "db.password",
            "PGPASSWORD",
            "MYSQL_PWD",
            "admin-passwd",
            "SMTP_PASS",
            "accessToken",
            "GITHUB_TOKEN",
            "_authToken",
            "client_secret",
            "oauthClientSecret",
            "api_key",
            "APIKey",
            "apikey",
            "X-Api-Key",
            "AccountKey",
            "aws_secret_access_key",
            "client-key-data",
            "password1",
            "REDIS_PASSWORD_PROD",
        ] {
            assert!(matches!(classify(name), Some((Certainty::Sure, _))), "{name}");
        }
    }

    #[test]
    fn names_about_secrets() {
        for name in [
            "secretName",
            "secretKeyRef",
            "imagePullSecrets",
            "passwordAuthentication",
            "tokenExpirationSeconds",
            "token-ttl",
            "TOKEN_PATH",
            "passwordFile",
            "key",
            "routingKey",
            "nextToken",
            "tokens",
            "bypass",
            "PASS",
            "private_key_id",
            "automountServiceAccountTokens",
            "secretsBackend",
            "kubernetes.io",
            "authentication",
            "cookieDomain",
        ] {
            assert_eq!(classify(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_may_be_references() {
        for name in ["secret", "githubConfigSecret", "existingSecret", "secretKey", "credentials"] {
            assert!(matches!(classify(name), Some((Certainty::IfRandom, _))), "{name}");
        }
    }
}
