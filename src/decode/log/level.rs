//! The level a log line carries, in whatever way its logger says so.

use super::{Level, json};

/// Text of which every line at warning or above holds one (ASCII case aside), or else it starts like klog.
pub(super) const MARKS: &[&str] = &[
    "err",
    "eror",
    "warn",
    "fatal",
    "panic",
    "crit",
    "emerg",
    "alert",
    "severe",
    "fail: ",
    "traceback",
    "exception",
    "[e]",
    "[w]",
    "[f]",
    "\"level\":4",
    "\"level\":5",
    "\"level\":6",
    "\"s\":\"",
];

/// How far into a line of words its level is looked for.
const REACH: usize = 200;

/// The level of a line without the wrapper of whoever collected it.
pub(in crate::decode) fn of_line(line: &[u8]) -> Option<Level> {
    let line = line.trim_ascii_start();
    match line.first()? {
        b'{' => of_json(line),
        _ if starts_like_klog(line) => of_letter(line[0]),
        _ => of_logfmt(line).or_else(|| of_words(&line[..line.len().min(REACH)])),
    }
}

/// `E0102 `, as klog and glog write it, or CockroachDB's `E240102 `.
pub(super) fn starts_like_klog(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'I' | b'W' | b'E' | b'F' | b'D')) && {
        let digits = line[1..].iter().take(7).take_while(|b| b.is_ascii_digit()).count();
        (digits == 4 || digits == 6) && line.get(1 + digits) == Some(&b' ')
    }
}

fn of_letter(letter: u8) -> Option<Level> {
    match letter.to_ascii_uppercase() {
        b'D' => Some(Level::Debug),
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warning),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// `"level":"error"`, `"severity":"ERROR"`, bunyan's and pino's numbers, MongoDB's `"s":"E"`.
fn of_json(line: &[u8]) -> Option<Level> {
    json::fields(line).find_map(|(key, raw)| match key {
        b"level" | b"severity" | b"lvl" | b"loglevel" | b"logLevel" | b"LogLevel" | b"Level" | b"levelname" | b"log.level"
        | b"severity_text" | b"@l" => of_word(json::bare(raw)).or_else(|| of_number(raw)),
        b"s" => Some(json::bare(raw)).filter(|l| l.len() == 1).and_then(|l| of_letter(l[0])),
        _ => None,
    })
}

/// bunyan, pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
fn of_number(raw: &[u8]) -> Option<Level> {
    match raw.trim_ascii() {
        b"10" | b"20" => Some(Level::Debug),
        b"30" => Some(Level::Info),
        b"40" => Some(Level::Warning),
        b"50" => Some(Level::Error),
        b"60" => Some(Level::Fatal),
        _ => None,
    }
}

fn of_logfmt(line: &[u8]) -> Option<Level> {
    memchr::memchr_iter(b'=', line).take(12).find_map(|eq| {
        let before = &line[..eq];
        let key = before.rsplit(|b| *b == b' ').next().unwrap_or(before);
        if !matches!(key, b"level" | b"lvl" | b"severity" | b"loglevel") {
            return None;
        }
        let value = line[eq + 1..].strip_prefix(b"\"").unwrap_or(&line[eq + 1..]);
        let len = value.iter().take(12).take_while(|b| b.is_ascii_alphabetic()).count();
        of_word(&value[..len])
    })
}

/// A word that names a level, whatever its case.
fn of_word(word: &[u8]) -> Option<Level> {
    if word.len() > 13 {
        return None;
    }
    let mut lower = [0; 13];
    let lower = &mut lower[..word.len()];
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"trace" | b"debug" | b"trce" | b"dbug" | b"dbg" | b"verbose" | b"fine" => Some(Level::Debug),
        b"info" | b"information" | b"notice" | b"log" | b"note" | b"inf" => Some(Level::Info),
        b"warn" | b"warning" | b"wrn" => Some(Level::Warning),
        b"error" | b"err" | b"eror" | b"fail" | b"severe" => Some(Level::Error),
        b"fatal" | b"panic" | b"dpanic" | b"critical" | b"crit" | b"emerg" | b"emergency" | b"alert" => Some(Level::Fatal),
        _ => None,
    }
}

/// The first word near the start that stands where levels stand: in capitals, in brackets, between tabs, before a colon.
fn of_words(line: &[u8]) -> Option<Level> {
    let mut at = 0;
    while at < line.len() {
        if !line[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let len = line[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        if let Some(level) = level_at(line, at, len) {
            return Some(level);
        }
        at += len;
    }
    None
}

fn level_at(line: &[u8], at: usize, len: usize) -> Option<Level> {
    let word = &line[at..at + len];
    let before = at.checked_sub(1).map_or(b' ', |i| line[i]);
    let after = line.get(at + len).copied().unwrap_or(b' ');
    if word.len() == 1 {
        return (before == b'[' && after == b']').then(|| of_letter(word[0]))?;
    }
    let capitals = word.iter().all(u8::is_ascii_uppercase);
    let set_apart = matches!((before, after), (b'[', b']') | (b'\t', b'\t') | (b'<', b'>') | (b'|', b'|') | (b'(', b')'));
    // `error: …`, `fail: …` open a line; further in they are part of what it says.
    let opens = after == b':' && at <= stamp_len(line);
    if let Some(level) =
        of_word(word).filter(|_| (capitals && !matches!(before, b'-' | b'/' | b'.' | b'_')) || set_apart || opens)
    {
        return Some(level);
    }
    (at <= stamp_len(line)).then(|| of_opening(&line[at..]))?
}

/// Bytes of the stamp and blanks a line starts with.
fn stamp_len(line: &[u8]) -> usize {
    let start = usize::from(line.first() == Some(&b'['));
    let stamp = crate::time::leading(&line[start..]).map_or(0, |(_, len)| start + len);
    stamp + line[stamp..].iter().take_while(|b| matches!(b, b' ' | b']' | b'\t' | b'[')).count()
}

/// How runtimes announce that a program dies or an exception escaped.
fn of_opening(text: &[u8]) -> Option<Level> {
    const FATAL: &[&[u8]] = &[b"panic: ", b"fatal error: ", b"Unhandled exception", b"Unhandled rejection", b"Uncaught "];
    const ERROR: &[&[u8]] = &[b"Traceback (most recent call last)", b"Exception in thread", b"Error: ", b"ERR! ", b"npm ERR!"];
    if FATAL.iter().any(|f| text.starts_with(f)) {
        return Some(Level::Fatal);
    }
    // `java.lang.IllegalStateException: …`, `ValueError: …`, `TypeError: …`
    let name = text.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$')).count();
    let thrown = (text[..name].ends_with(b"Exception") || text[..name].ends_with(b"Error")) && text.get(name) == Some(&b':');
    (thrown || ERROR.iter().any(|e| text.starts_with(e))).then_some(Level::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_level_of_every_shape() {
        let cases = [
            (Some(Level::Error), "E0102 15:04:05.000000       1 x.go:12] boom"),
            (Some(Level::Info), "I0102 15:04:05.000000       1 x.go:12] no error here"),
            (Some(Level::Error), "2024-01-02T15:04:05Z\tERROR\tcontroller\tboom\t{\"a\":1}"),
            (Some(Level::Warning), "2024-01-02T15:04:05.000000Z\twarn\tads\tboom"),
            (Some(Level::Error), r#"{"level":"error","msg":"boom"}"#),
            (Some(Level::Info), r#"{"level":"info","msg":"ERROR in text"}"#),
            (Some(Level::Fatal), r#"{"severity":"CRITICAL","message":"a","message":"b"}"#),
            (Some(Level::Error), r#"{"name":"app","level":50,"msg":"boom"}"#),
            (Some(Level::Warning), r#"{"t":{"$date":"2024-01-02T15:04:05Z"},"s":"W","c":"NETWORK"}"#),
            (Some(Level::Error), r#"time="2024-01-02T15:04:05Z" level=error msg="boom""#),
            (Some(Level::Error), "ts=2024-01-02T15:04:05Z caller=a.go:1 lvl=eror msg=boom"),
            (Some(Level::Warning), "2024-01-02 15:04:05.123  WARN 1 --- [main] o.s.b.Foo : boom"),
            (Some(Level::Error), "2024/01/02 15:04:05 [error] 7#7: *1 connect() failed"),
            (Some(Level::Warning), "[2024-01-02 15:04:05.123][1][warning][config] boom"),
            (Some(Level::Fatal), "2024-01-02 15:04:05.123 UTC [1] FATAL:  password authentication failed"),
            (Some(Level::Error), "[ERROR] plugin/errors: 2 example.org. A: boom"),
            (Some(Level::Error), "fail: Microsoft.AspNetCore[0]"),
            (Some(Level::Error), "error: cannot open file"),
            (Some(Level::Fatal), "panic: runtime error: invalid memory address"),
            (Some(Level::Error), "java.lang.IllegalStateException: boom"),
            (Some(Level::Error), "ValueError: boom"),
            (Some(Level::Error), "[WORKER 2024-01-02 15:04:05Z ERR  JobRunner] boom"),
            (None, "retrying after error"),
            (None, "GET /errors/critical.html 200"),
            (None, "0 errors, all good"),
            (None, ""),
        ];
        for (level, line) in cases {
            assert_eq!(of_line(line.as_bytes()), level, "{line}");
        }
    }

    #[test]
    fn every_line_at_warning_or_above_holds_a_mark() {
        let words = ["WARN", "WARNING", "ERROR", "ERR", "EROR", "SEVERE", "FATAL", "PANIC", "CRITICAL", "CRIT", "EMERG", "ALERT"];
        for word in words {
            assert!(of_line(format!("x [{word}] y").as_bytes()) >= Some(Level::Warning), "{word}");
            assert!(MARKS.iter().any(|m| word.to_ascii_lowercase().contains(m)), "{word}");
        }
    }
}
