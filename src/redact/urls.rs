//! Credentials at a fixed place: the user part of a URL, a database address, a header, a private key's armour.

use std::ops::Range;

use super::{MARK, Secret, encoded};

/// What the credentials stand at, in the order [`credential`] knows them by.
pub(super) const ANCHORS: &[&str] =
    &["://", "@tcp(", "@unix(", "bearer ", "basic ", "-----BEGIN ", "hooks.slack.com/", "webhooks/", " -u "];

/// Longest user part or header that is looked at.
const LONGEST: usize = 4096;

/// Longest private key that is looked for.
const LONGEST_KEY: usize = 64 << 10;

/// The credential at the anchor number `literal`, which begins at `start`.
pub(super) fn credential(literal: usize, text: &str, start: usize) -> Option<Secret> {
    let anchor = ANCHORS[literal];
    let behind = start + anchor.len();
    match anchor {
        "://" => user_info(text, behind),
        "@tcp(" | "@unix(" => go_address(text, start),
        "bearer " => header(text, behind).map(|range| Secret::new(range, "bearer token")),
        "basic " => {
            let range = header(text, behind)?;
            encoded::decode(&text[range.clone()])?.contains(':').then(|| Secret::new(range, "basic authentication"))
        }
        "-----BEGIN " => private_key(text, behind),
        "hooks.slack.com/" | "webhooks/" => webhook(text, behind),
        _ => curl_user(text, start, behind),
    }
}

fn window(text: &str, start: usize, length: usize) -> &str {
    &text[start..text.floor_char_boundary(text.len().min(start + length))]
}

/// The password of `scheme://user:password@host`, or a token that stands there alone.
fn user_info(text: &str, start: usize) -> Option<Secret> {
    let window = window(text, start, 512);
    let address = &window[..window.find(|c: char| c.is_whitespace() || "\"'<>`\\|".contains(c)).unwrap_or(window.len())];
    let authority = &address[..address.find(['/', '?', '#']).unwrap_or(address.len())];
    // A password with `/`, `?` or `#` in it should have been escaped, and often is not.
    let end = authority.rfind('@').or_else(|| {
        let at = address.rfind('@')?;
        let is_unescaped = authority.contains(':') && !has_port(authority) && !address[..at].contains("://");
        is_unescaped.then_some(at)
    })?;
    let user_info = &address[..end];
    let (from, kind) = match user_info.find(':') {
        Some(colon) => (colon + 1, "password in a URL"),
        None if user_info.len() >= 20 && user_info.bytes().any(|b| b.is_ascii_digit()) => (0, "token in a URL"),
        None => return None,
    };
    let secret = &user_info[from..];
    let is_placeholder = secret.is_empty() || secret.starts_with(['$', '<', '{', '*', '%']) || secret.bytes().all(|b| b == b'x');
    (!is_placeholder).then(|| Secret::new(start + from..start + end, kind))
}

/// `host:8080`.
fn has_port(authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// The password of `user:password@tcp(host:3306)/name`, as Go's MySQL driver writes it.
fn go_address(text: &str, end: usize) -> Option<Secret> {
    let head = &text[text.ceil_char_boundary(end.saturating_sub(256))..end];
    let account = &head[head.rfind(|c: char| c.is_whitespace() || "\"'=`".contains(c)).map_or(0, |at| at + 1)..];
    let (_, password) = account.split_once(':')?;
    let is_secret = !password.is_empty() && !password.starts_with(['$', '<', '{', '*']);
    is_secret.then(|| Secret::new(end - password.len()..end, "password in an address"))
}

/// The credentials of an `Authorization` header, behind their scheme. Words that follow in a sentence are shorter or have
/// no digits.
fn header(text: &str, start: usize) -> Option<Range<usize>> {
    let window = window(text, start, LONGEST);
    let length = window.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-._~+/=:".contains(b)).count();
    let value = &window[..length];
    let is_token = length >= 12 && (value.bytes().any(|b| b.is_ascii_digit()) || value.ends_with('=') || length >= 24);
    is_token.then_some(start..start + length)
}

/// The body of a private key: between its armour lines, or what there is of it. Line ends may be written as `\n`.
fn private_key(text: &str, start: usize) -> Option<Secret> {
    let window = window(text, start, LONGEST_KEY);
    let (label, _) = window.split_once("-----")?;
    if !label.contains("PRIVATE KEY") || label.len() > 40 {
        return None;
    }
    let armour = label.len() + 5;
    let rest = &window[armour..];
    let is_body = |b: u8| b.is_ascii_alphanumeric() || b"+/=\\ \t\r\n:,-".contains(&b);
    let length = rest.find("-----").unwrap_or(rest.len());
    let length = rest[..length].bytes().take_while(|b| is_body(*b)).count();
    if rest[length..].starts_with(MARK) {
        return None;
    }
    let mut body = &rest[..length];
    while let Some(shorter) = LINE_ENDS.iter().find_map(|end| body.strip_suffix(end)) {
        body = shorter;
    }
    let end = start + armour + body.len();
    while let Some(shorter) = LINE_ENDS.iter().find_map(|end| body.strip_prefix(end)) {
        body = shorter;
    }
    (body.len() >= 8).then(|| Secret::new(end - body.len()..end, "private key"))
}

/// Line ends and blanks around the body of a key, real ones and those of a string in a string.
const LINE_ENDS: &[&str] = &["\n", "\r", " ", "\t", "\\n", "\\r", "\\"];

/// The path of an incoming webhook, which is all it takes to post.
fn webhook(text: &str, start: usize) -> Option<Secret> {
    let window = window(text, start, 512);
    let length = window.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"/_-".contains(b)).count();
    let is_webhook = length >= 30 && window[..length].contains('/') && window[..length].bytes().any(|b| b.is_ascii_digit());
    is_webhook.then(|| Secret::new(start..start + length, "webhook address"))
}

/// The password of `curl -u user:password`.
fn curl_user(text: &str, start: usize, behind: usize) -> Option<Secret> {
    let head = &text[text.ceil_char_boundary(start.saturating_sub(256))..start];
    let line = head.rfind('\n').map_or(head, |newline| &head[newline + 1..]);
    let window = window(text, behind, 256);
    let account = &window[..window.find(char::is_whitespace).unwrap_or(window.len())];
    let account = account.trim_end_matches(['"', '\'']);
    let (user, password) = account.split_once(':')?;
    let is_secret = line.contains("curl") && !password.is_empty() && !password.starts_with(['$', '<', '{', '*']);
    is_secret.then(|| Secret::new(behind + user.len() + 1..behind + account.len(), "password"))
}
