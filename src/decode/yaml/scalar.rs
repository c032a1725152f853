//! What a scalar is: the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>), with the integers of
//! kubectl's reader: `0644` is octal, `1_000` a number. `yes`, `on` and `=` are strings, as kubectl takes and prints them.

use std::borrow::Cow;

use super::super::Tag;

/// Tag and text of a scalar. `explicit` is the suffix of a tag like `!!str`. Booleans and numbers come out as JSON
/// writes them, except infinities and NaN.
pub(super) fn resolve<'t>(text: &'t str, plain: bool, explicit: Option<&str>) -> (Tag, Cow<'t, str>) {
    match explicit {
        Some("int" | "float" | "bool" | "null") => resolve_plain(text),
        Some("" | "str" | "binary") => (Tag::Str, Cow::Borrowed(text)),
        _ if plain => resolve_plain(text),
        _ => (Tag::Str, Cow::Borrowed(text)),
    }
}

/// Tag and text of a plain scalar.
pub(super) fn resolve_plain(text: &str) -> (Tag, Cow<'_, str>) {
    let Some(first) = text.as_bytes().first() else { return (Tag::Null, Cow::Borrowed("")) };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text).map_or((Tag::Str, Cow::Borrowed(text)), |n| (Tag::Number, n)),
        b'~' | b'n' | b'N' if matches!(text, "~" | "null" | "Null" | "NULL") => (Tag::Null, Cow::Borrowed("")),
        b't' | b'T' if matches!(text, "true" | "True" | "TRUE") => (Tag::Bool, Cow::Borrowed("true")),
        b'f' | b'F' if matches!(text, "false" | "False" | "FALSE") => (Tag::Bool, Cow::Borrowed("false")),
        _ => (Tag::Str, Cow::Borrowed(text)),
    }
}

/// A plain key as kubectl takes it: what would be a number or boolean becomes the string that JSON has for it.
pub(super) fn key(text: &str) -> Cow<'_, str> {
    match resolve_plain(text) {
        (Tag::Null, _) => Cow::Borrowed(text),
        (_, key) => key,
    }
}

/// `text` as a number, when it is one.
fn number(text: &str) -> Option<Cow<'_, str>> {
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if is_json_number(unsigned) {
        return Some(Cow::Borrowed(if negative { text } else { unsigned }));
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Cow::Borrowed(text));
    }
    let sign = if negative { "-" } else { "" };
    integer(unsigned).map(|n| format!("{sign}{n}")).or_else(|| decimal(unsigned).map(|n| sign.to_owned() + &n)).map(Cow::Owned)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// `0|[1-9][0-9]*`, a fraction, an exponent.
pub(in crate::decode) fn is_json_number(text: &str) -> bool {
    let (mantissa, exponent) = split_exponent(text);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_whole = !whole.is_empty() && is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    is_whole && !fraction.is_empty() && is_digits(fraction) && exponent.is_none_or(is_exponent)
}

fn split_exponent(text: &str) -> (&str, Option<&str>) {
    text.find(['e', 'E']).map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && is_digits(digits)
}

/// Octal, hexadecimal and binary integers, and decimal ones with `_` between the digits (go-yaml's `resolve`).
fn integer(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let radix = |digits: &str, radix| {
        let first = digits.bytes().next()?;
        first.is_ascii_alphanumeric().then(|| u64::from_str_radix(digits, radix).ok())?
    };
    match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => radix(&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => radix(&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => radix(&digits[2..], 2),
        [b'0', _, ..] => radix(&digits, 8),
        [b'1'..=b'9', ..] => radix(&digits, 10),
        _ => None,
    }
}

/// Floats that JSON does not write so: `1.`, `.5`, `007.5`.
fn decimal(text: &str) -> Option<String> {
    let (mantissa, exponent) = split_exponent(text);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let whole = Some(whole.trim_start_matches('0')).filter(|w| !w.is_empty()).unwrap_or("0");
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    match exponent {
        None => Some(format!("{whole}.{fraction}")),
        Some(e) if is_exponent(e) => Some(format!("{whole}.{fraction}e{e}")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_core_schema_and_kubectl() {
        for (texts, expected) in [
            (["", "~", "null", "Null", "NULL"].as_slice(), Tag::Null),
            (&["true", "True", "FALSE"], Tag::Bool),
            (&["yes", "on", "y", "=", "<<", "-", ".", "+", "0x", "0o9", "1e", "e3", "1.2.3", "10m", "nulls"], Tag::Str),
            (&["tRue", "-.nan", "12:30:45", "2026-01-02", "1.30.6", "-_", "0x+1", "1e3_0"], Tag::Str),
        ] {
            for text in texts {
                assert_eq!(resolve_plain(text).0, expected, "{text}");
            }
        }
        for (text, json) in [
            ("0", "0"),
            ("-1", "-1"),
            ("+12", "12"),
            ("0o17", "15"),
            ("0xfF", "255"),
            ("0644", "420"),
            ("-0b11", "-3"),
            ("1_000", "1000"),
            ("089", "89.0"),
            ("1.", "1.0"),
            ("-.5", "-0.5"),
            ("1e3", "1e3"),
            ("-1.5E-3", "-1.5E-3"),
            (".inf", ".inf"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(resolve_plain(text), (Tag::Number, Cow::Borrowed(json)), "{text}");
        }
    }

    #[test]
    fn explicit_tags_win() {
        assert_eq!(resolve("12", true, Some("str")).0, Tag::Str);
        assert_eq!(resolve("12", false, Some("int")).0, Tag::Number);
        assert_eq!(resolve("12", true, Some("custom")).0, Tag::Number);
        assert_eq!(resolve("12", true, Some("")).0, Tag::Str);
        assert_eq!(resolve("12", false, None).0, Tag::Str);
    }
}
