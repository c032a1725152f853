//! Stamps and ages of every shape that bundles hold → [`Timestamp`] and [`SignedDuration`].
//!
//! Readers look at a bounded piece of their input and never fail loudly: what is no stamp gives `None`. A stamp without a
//! zone is taken as UTC. A stamp without a year (klog, journald) is given in [`YEARLESS`] and moved by [`dated`] once
//! something tells when the bundle was made.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

mod cursor;

use cursor::Cursor;

/// The year given to stamps that carry none. A leap year, long before Kubernetes.
pub const YEARLESS: i16 = 1972;

/// How far into a log line a stamp is looked for.
const REACH: usize = 160;

/// `stamp`, when it carries no year, in the newest year that puts it at or before `latest`; any other stamp as it is.
pub fn dated(stamp: Timestamp, latest: Timestamp) -> Timestamp {
    if !is_yearless(stamp) {
        return stamp;
    }
    let date = Offset::UTC.to_datetime(stamp);
    let year = Offset::UTC.to_datetime(latest).year();
    // 29 February exists in one year of four.
    (year - 4..=year).rev().find_map(|y| in_year(date, y).filter(|t| *t <= latest)).unwrap_or(stamp)
}

/// The stamp was read without a year.
pub fn is_yearless(stamp: Timestamp) -> bool {
    Offset::UTC.to_datetime(stamp).year() == YEARLESS
}

fn in_year(date: DateTime, year: i16) -> Option<Timestamp> {
    let moved =
        DateTime::new(year, date.month(), date.day(), date.hour(), date.minute(), date.second(), date.subsec_nanosecond());
    Offset::UTC.to_timestamp(moved.ok()?).ok()
}

/// The stamp that `text` is, spaces around it aside: RFC 3339, `describe`'s RFC 1123, systemd's, epoch seconds …
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (stamp, len) = leading(text.as_bytes())?;
    // A zone's name may follow one that was read already: `+0000 UTC`, and Go appends its monotonic clock.
    let rest = &text[len..];
    let zone_name = |r: &str| r.trim_start().bytes().all(|b| b.is_ascii_uppercase());
    (rest.is_empty() || zone_name(rest) || rest.starts_with(" m=") || rest.starts_with(" UTC m=")).then_some(stamp)
}

/// The stamp `text` starts with, and how many bytes it takes. Date and time must both be there.
pub fn leading(text: &[u8]) -> Option<(Timestamp, usize)> {
    let mut cursor = Cursor { bytes: text, at: 0 };
    let stamp = match *text.first()? {
        b'0'..=b'9' => cursor.numeric(),
        b'I' | b'W' | b'E' | b'F' | b'D' if text.get(1).is_some_and(u8::is_ascii_digit) => cursor.klog(),
        b'A'..=b'Z' => cursor.worded(),
        _ => None,
    }?;
    Some((stamp, cursor.at))
}

/// The stamp a log line carries: at its start, under a customary key of JSON or logfmt, or near its start.
pub fn of_line(line: &[u8]) -> Option<Timestamp> {
    let start = line.iter().take(8).position(|b| !matches!(b, b' ' | b'[' | b'(' | b'"' | b'<')).unwrap_or(0);
    let line = &line[start..];
    match line.first()? {
        b'{' => of_json(line),
        _ => leading(line).map(|(stamp, _)| stamp).or_else(|| of_words(&line[..line.len().min(REACH)])),
    }
}

/// Keys under which loggers put their stamp.
const KEYS: &[&str] = &[
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "t",
    "date",
    "datetime",
    "eventTime",
    "asctime",
    "timeMillis",
    "requestReceivedTimestamp",
    "$date",
    "stageTimestamp",
];

fn of_json(line: &[u8]) -> Option<Timestamp> {
    // Keys may stand at the end of the line (`…,"timestamp":"…"}`), so both ends are searched.
    let (head, tail) = (&line[..line.len().min(4 * REACH)], &line[line.len() - line.len().min(2 * REACH)..]);
    json_stamp(head).or_else(|| json_stamp(tail))
}

fn json_stamp(text: &[u8]) -> Option<Timestamp> {
    memchr::memchr_iter(b'"', text).find_map(|quote| {
        let key_start = quote + 1;
        let key_len = text[key_start..].iter().take(26).position(|b| *b == b'"')?;
        let key = std::str::from_utf8(&text[key_start..key_start + key_len]).ok()?;
        if !KEYS.contains(&key) {
            return None;
        }
        let after = text[key_start + key_len + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        leading(after.strip_prefix(b"\"").unwrap_or(after)).map(|(stamp, _)| stamp)
    })
}

/// A stamp at the start of one of the first words: after a client's address, a process id, `time=`, `[`.
fn of_words(text: &[u8]) -> Option<Timestamp> {
    let starts = (1..text.len()).filter(|i| {
        let (before, at) = (text[i - 1], text[*i]);
        matches!(before, b' ' | b'[' | b'=' | b'"' | b'\t' | b'(' | b'|') && (at.is_ascii_digit() || at.is_ascii_uppercase())
    });
    starts.take(16).filter(|i| !is_spoken_of(&text[..*i])).find_map(|i| leading(&text[i..]).map(|(stamp, _)| stamp))
}

/// Does a stamp after `before` belong to what the line tells, as in `expired on 2024-08-03 17:00:08`?
fn is_spoken_of(before: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"on", b"at", b"until", b"till", b"since", b"after", b"before", b"from", b"to", b"by", b"is", b"was", b"expires",
        b"expired",
    ];
    let word = before.trim_ascii_end().rsplit(|b| !b.is_ascii_alphabetic()).next().unwrap_or_default();
    before.ends_with(b" ") && WORDS.iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// The age at the start of `text`, as kubectl and systemd write it: `3d1h`, `5m12s`, `73s`, `2y45d`, `1 week 3 days ago`,
/// `0h 15min ago`, `1h2m3.5s`.
pub fn age(text: &str) -> Option<SignedDuration> {
    let mut cursor = Cursor { bytes: text.trim().as_bytes(), at: 0 };
    let mut total: Option<SignedDuration> = None;
    loop {
        let before = cursor.at;
        cursor.spaces();
        match cursor.length_of_time() {
            Some(part) => total = Some(total.unwrap_or_default().checked_add(part)?),
            None => {
                cursor.at = before;
                break;
            }
        }
    }
    let rest = cursor.bytes[cursor.at..].first();
    total.filter(|_| rest.is_none_or(|b| matches!(b, b' ' | b')' | b',' | b';')))
}

/// A count that may tell how long ago the last time was, as in kubectl's RESTARTS column: `7 (3m ago)`, `0`.
pub fn restarts(text: &str) -> Option<(u32, Option<SignedDuration>)> {
    let text = text.trim();
    match text.split_once(" (") {
        Some((count, rest)) => Some((count.parse().ok()?, age(rest))),
        None => Some((text.parse().ok()?, None)),
    }
}

/// When an event of a `describe` text was said, as ages: last, how often, first. `3m`, `3m (x12 over 30m)`, `3m (x12)`.
pub fn event_ages(text: &str) -> Option<(SignedDuration, u32, SignedDuration)> {
    let last = age(text)?;
    let repeated = text.split_once("(x").and_then(|(_, rest)| {
        let (count, over) = rest.trim_end_matches(')').split_once(" over ").unwrap_or((rest.trim_end_matches(')'), ""));
        Some((count.trim().parse::<u32>().ok()?, age(over)))
    });
    let (count, first) = repeated.unwrap_or((1, None));
    Some((last, count.max(1), first.unwrap_or(last)))
}

/// The moment that was `age` before `now`.
pub fn ago(now: Timestamp, age: SignedDuration) -> Option<Timestamp> {
    now.checked_sub(age).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn reads_stamps_of_every_shape() {
        let noon = at("2024-01-02T15:04:05Z");
        let cases = [
            ("2024-01-02T15:04:05Z", noon),
            ("2024-01-02T16:04:05+01:00", noon),
            ("2024-01-02T10:04:05-0500", noon),
            ("2024-01-02 15:04:05", noon),
            ("2024-01-02 15:04:05 +0000 UTC", noon),
            ("2024-01-02 15:04:05 +0000 UTC m=+0.003", noon),
            ("2024/01/02 15:04:05", noon),
            ("Tue, 02 Jan 2024 15:04:05 +0000", noon),
            ("Tue, 02 Jan 2024 23:04:05 +0800", noon),
            ("Tue Jan  2 15:04:05 2024", noon),
            ("Tue Jan  2 15:04:05 UTC 2024", noon),
            ("Tue 2024-01-02 15:04:05 UTC", noon),
            ("02/Jan/2024:15:04:05 +0000", noon),
            ("02-Jan-2024 15:04:05", noon),
            ("02 Jan 2024 15:04:05", noon),
            ("1704207845000", noon),
            ("1704207845.0", noon),
            ("2024-01-02T15:04:05.123Z", at("2024-01-02T15:04:05.123Z")),
            ("2024-01-02T15:04:05.123456789Z", at("2024-01-02T15:04:05.123456789Z")),
            ("2024-01-02 15:04:05,123", at("2024-01-02T15:04:05.123Z")),
            ("1.704207845123e+09", at("2024-01-02T15:04:05.123Z")),
        ];
        for (text, stamp) in cases {
            assert_eq!(parse(text), Some(stamp), "{text}");
        }
    }

    #[test]
    fn what_is_no_stamp_is_none() {
        for text in ["", "2024", "2024-13-02T15:04:05Z", "2024-01-02", "15:04:05", "1704207845", "Error", "March", "7 (3m ago)"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn stamps_without_a_year_are_dated_by_the_bundle() {
        let (klog, len) = leading(b"E1230 15:04:05.000000   1 x.go:1] boom").unwrap();
        assert_eq!(len, 21);
        assert_eq!(klog, at("1972-12-30T15:04:05Z"));
        assert_eq!(dated(klog, at("2024-01-02T00:00:00Z")), at("2023-12-30T15:04:05Z"));
        assert_eq!(dated(klog, at("2024-12-30T15:05:00Z")), at("2024-12-30T15:04:05Z"));
        let leap = parse("Feb 29 01:02:03").unwrap();
        assert_eq!(dated(leap, at("2026-01-02T00:00:00Z")), at("2024-02-29T01:02:03Z"));
        let dated_already = at("2021-02-03T00:00:00Z");
        assert_eq!(dated(dated_already, at("2024-01-02T00:00:00Z")), dated_already);
    }

    #[test]
    fn finds_the_stamp_of_a_log_line() {
        let noon = Some(at("2024-01-02T15:04:05Z"));
        let lines = [
            "2024-01-02T15:04:05Z\tERROR\tsetup\tboom",
            "[2024-01-02 15:04:05] production.ERROR: boom",
            r#"{"level":"error","ts":"2024-01-02T15:04:05Z","msg":"boom"}"#,
            r#"{"level":"error","ts":1704207845.0,"msg":"boom"}"#,
            r#"{"msg":"boom","severity":"ERROR","timestamp":"2024-01-02T15:04:05Z"}"#,
            r#"{"t":{"$date":"2024-01-02T15:04:05.000+00:00"},"s":"E"}"#,
            r#"time="2024-01-02T15:04:05Z" level=error msg=boom"#,
            "ts=2024-01-02T15:04:05Z caller=main.go level=error",
            r#"10.0.0.1 - - [02/Jan/2024:15:04:05 +0000] "GET / HTTP/1.1" 200"#,
            "1:M 02 Jan 2024 15:04:05.000 # Server started",
            "[Tue Jan 02 15:04:05.000000 2024] [core:error] boom",
        ];
        for line in lines {
            assert_eq!(of_line(line.as_bytes()), noon, "{line}");
        }
        assert_eq!(of_line(b"panic: runtime error"), None);
        assert_eq!(of_line(b""), None);
        assert_eq!(of_line(b"ExpiredCertException: Certificate expired on 2024-08-03 17:00:08"), None, "a stamp it speaks of");
    }

    #[test]
    fn reads_ages() {
        let cases = [
            ("73s", 73),
            ("5m12s", 312),
            ("3d1h", 262_800),
            ("2y45d", 2 * 31_557_600 + 45 * 86_400),
            ("0h 15min ago", 900),
            ("1 week 3 days ago", 864_000),
            ("3m ago)", 180),
        ];
        for (text, seconds) in cases {
            assert_eq!(age(text), Some(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "<unknown>", "<invalid>", "7", "5 (3m ago)", "5mx"] {
            assert_eq!(age(text), None, "{text}");
        }
    }

    #[test]
    fn reads_counts_with_ages() {
        let minutes = SignedDuration::from_mins;
        assert_eq!(restarts("7 (3m ago)"), Some((7, Some(minutes(3)))));
        assert_eq!(restarts("0"), Some((0, None)));
        assert_eq!(restarts("web"), None);
        assert_eq!(event_ages("3m (x12 over 30m)"), Some((minutes(3), 12, minutes(30))));
        assert_eq!(event_ages("3m"), Some((minutes(3), 1, minutes(3))));
        assert_eq!(event_ages("<unknown>"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            let _ = (parse(&text), age(&text), restarts(&text), event_ages(&text), of_line(&bytes), leading(&bytes));
            let shaped = format!("{}-{text}", "2024-01-02T15:04:05");
            let _ = parse(&shaped);
        }
    }
}
