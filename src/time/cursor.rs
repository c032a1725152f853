//! The grammar of stamps and ages, piece by piece.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::YEARLESS;

/// A place in a text, from which pieces of stamps and ages are read.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

/// Month names by their first three letters.
const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
/// Day names by their first three letters.
const DAYS: &[u8] = b"montuewedthufrisatsun";

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn eat_any(&mut self, set: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|b| set.contains(b))?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Between `min` and `max` digits, and no digit after them.
    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let digits = self.bytes[self.at..].iter().take(max + 1).take_while(|b| b.is_ascii_digit()).count();
        if digits < min || digits > max {
            return None;
        }
        let value = self.bytes[self.at..self.at + digits].iter().fold(0_i64, |n, b| n * 10 + i64::from(b - b'0'));
        self.at += digits;
        Some(value)
    }

    /// Exactly two digits, whatever follows.
    fn two(&mut self) -> Option<i8> {
        let pair = self.bytes.get(self.at..self.at + 2)?;
        let [a, b] = [pair[0].wrapping_sub(b'0'), pair[1].wrapping_sub(b'0')];
        (a < 10 && b < 10).then(|| {
            self.at += 2;
            (a * 10 + b) as i8
        })
    }

    /// A name of which the first three letters are in `table`; gives its number from 0.
    fn name(&mut self, table: &[u8]) -> Option<i8> {
        let word = self.bytes.get(self.at..self.at + 3)?.to_ascii_lowercase();
        let i = table.chunks(3).position(|t| t == word)?;
        self.at += 3;
        Some(i as i8)
    }

    /// A stamp that starts with a digit.
    pub(super) fn numeric(&mut self) -> Option<Timestamp> {
        let digits = self.bytes.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
        match (digits, self.bytes.get(digits).unwrap_or(&0)) {
            (4, b'-' | b'/') => self.year_first(),
            (1 | 2, b'/' | b'-' | b' ') => self.day_first(),
            (1, b'.') => self.epoch_exponent(),
            _ => None,
        }
        .or_else(|| self.epoch(digits))
    }

    /// `2006-01-02T15:04:05.000Z`, `2006/01/02 15:04:05`, `2006-01-02 15:04:05,123 +0000`.
    fn year_first(&mut self) -> Option<Timestamp> {
        let year = self.number(4, 4)?;
        let dash = self.eat_any(b"-/")?;
        let month = self.two()?;
        self.eat(dash)?;
        let day = self.two()?;
        self.eat_any(b"T t_:")?;
        self.spaces();
        self.clock(year, month, day)
    }

    /// `02/Jan/2006:15:04:05 +0000` (nginx, Apache), `02-Jan-2006 15:04:05.123` (Tomcat), `02 Jan 2006 15:04:05.123` (Redis).
    fn day_first(&mut self) -> Option<Timestamp> {
        let day = self.number(1, 2)? as i8;
        let dash = self.eat_any(b"/- ")?;
        let month = self.name(MONTHS)? + 1;
        self.eat(dash)?;
        let year = self.number(4, 4)?;
        self.eat_any(b": ")?;
        self.clock(year, month, day)
    }

    /// `E0102 15:04:05.000000`.
    pub(super) fn klog(&mut self) -> Option<Timestamp> {
        self.at += 1;
        let (month, day) = (self.two()?, self.two()?);
        self.eat(b' ')?;
        self.spaces();
        self.clock(i64::from(YEARLESS), month, day)
    }

    /// A stamp that starts with the name of a day or a month.
    pub(super) fn worded(&mut self) -> Option<Timestamp> {
        if self.name(DAYS).is_some() {
            self.eat(b',');
            self.spaces();
            if self.peek()?.is_ascii_digit() {
                let rest = &self.bytes[self.at..];
                return if rest.get(4) == Some(&b'-') { self.year_first() } else { self.day_first() };
            }
        }
        let month = self.name(MONTHS)? + 1;
        self.eat(b' ')?;
        self.spaces();
        let day = self.number(1, 2)? as i8;
        self.eat(b',');
        self.eat(b' ')?;
        self.month_first(month, day)
    }

    /// After `Jan 02 `: `15:04:05`, `15:04:05 2006`, `15:04:05 MST 2006`, `2006 15:04:05`.
    fn month_first(&mut self, month: i8, day: i8) -> Option<Timestamp> {
        if self.bytes.get(self.at + 2) != Some(&b':') {
            let year = self.number(4, 4)?;
            self.eat(b' ')?;
            return self.clock(year, month, day);
        }
        let start = self.at;
        self.time_of_day()?;
        let clock_end = self.at;
        self.zone();
        self.eat(b' ');
        let year = self.number(4, 4);
        let end = self.at;
        self.at = start;
        let stamp = self.clock(year.unwrap_or(i64::from(YEARLESS)), month, day);
        self.at = if year.is_some() { end } else { self.at.max(clock_end) };
        stamp
    }

    /// `15:04:05`, a fraction and a zone, each as far as it is there.
    fn clock(&mut self, year: i64, month: i8, day: i8) -> Option<Timestamp> {
        let (hour, minute, second, nanos) = self.time_of_day()?;
        let offset = self.zone().unwrap_or(0);
        let date = DateTime::new(i16::try_from(year).ok()?, month, day, hour, minute, second.min(59), nanos).ok()?;
        Offset::from_seconds(offset).ok()?.to_timestamp(date).ok()
    }

    fn time_of_day(&mut self) -> Option<(i8, i8, i8, i32)> {
        let hour = self.two()?;
        self.eat(b':')?;
        let minute = self.two()?;
        self.eat(b':')?;
        let second = self.two()?;
        let fraction = matches!(self.peek(), Some(b'.' | b',')) && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        let nanos = if fraction { self.fraction() } else { 0 };
        Some((hour, minute, second, nanos))
    }

    /// `.123456`, of any length, in nanoseconds.
    fn fraction(&mut self) -> i32 {
        self.at += 1;
        let (mut nanos, mut unit) = (0, 100_000_000);
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            nanos += i32::from(digit - b'0') * unit;
            unit /= 10;
            self.at += 1;
        }
        nanos
    }

    /// The zone after a time, in seconds east of Greenwich. Ambiguous names (CST, IST) are left where they are.
    fn zone(&mut self) -> Option<i32> {
        let start = self.at;
        if self.eat_any(b"Zz").is_some() {
            return Some(0);
        }
        self.eat(b' ');
        let zone = match self.peek() {
            Some(b'+' | b'-') => self.numeric_zone(),
            Some(b'A'..=b'Z') => self.named_zone(),
            _ => None,
        };
        if zone.is_none() {
            self.at = start;
        }
        zone
    }

    /// `+08:00`, `-0700`, `+08`.
    fn numeric_zone(&mut self) -> Option<i32> {
        let sign = if self.eat_any(b"+-")? == b'-' { -1 } else { 1 };
        let hours = i32::from(self.two()?);
        self.eat(b':');
        let minutes = i32::from(self.two().unwrap_or(0));
        (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }

    fn named_zone(&mut self) -> Option<i32> {
        let len = self.bytes[self.at..].iter().take(5).take_while(|b| b.is_ascii_uppercase()).count();
        let hours = match &self.bytes[self.at..self.at + len] {
            b"UTC" | b"GMT" | b"WET" => 0,
            b"CET" | b"WEST" => 1,
            b"CEST" | b"EET" => 2,
            b"EEST" | b"MSK" => 3,
            b"JST" | b"KST" => 9,
            b"AEST" => 10,
            b"AEDT" => 11,
            b"EDT" => -4,
            b"EST" | b"CDT" => -5,
            b"MDT" => -6,
            b"MST" | b"PDT" => -7,
            b"PST" => -8,
            _ => return None,
        };
        self.at += len;
        Some(hours * 3600)
    }

    /// Seconds since 1970 (`1672531200.123`), or 13 digits of milliseconds, 16 of microseconds, 19 of nanoseconds.
    fn epoch(&mut self, digits: usize) -> Option<Timestamp> {
        self.at = 0;
        let whole = self.number(digits, digits.min(19))?;
        let stamp = match digits {
            // Ten digits alone are any number; with a fraction they are a stamp of the years 2001 to 2286.
            10 if self.peek() == Some(b'.') => {
                let nanos = self.fraction();
                Timestamp::new(whole, nanos)
            }
            13 => Timestamp::from_millisecond(whole),
            16 => Timestamp::from_microsecond(whole),
            19 => Timestamp::from_nanosecond(i128::from(whole)),
            _ => return None,
        }
        .ok()?;
        // A longer word that happens to start with digits is no stamp.
        let year = Offset::UTC.to_datetime(stamp).year();
        ((2010..2100).contains(&year) && !self.peek().is_some_and(|b| b.is_ascii_alphanumeric())).then_some(stamp)
    }

    /// `1.6725312e+09`, as Go prints a float of seconds.
    fn epoch_exponent(&mut self) -> Option<Timestamp> {
        let len = self.bytes.iter().take(28).take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+')).count();
        let text = std::str::from_utf8(&self.bytes[..len]).ok()?;
        let seconds: f64 = text.strip_suffix("e+09").or_else(|| text.strip_suffix("e9"))?.parse().ok()?;
        self.at = len;
        let micros = (seconds * 1e15).round();
        Timestamp::from_microsecond(micros as i64).ok()
    }

    /// One `12h`, `3 days`, `1.5s`.
    pub(super) fn length_of_time(&mut self) -> Option<SignedDuration> {
        let count = self.number(1, 9)?;
        let nanos = if self.peek() == Some(b'.') { i64::from(self.fraction()) } else { 0 };
        self.eat(b' ');
        let len = self.bytes[self.at..].iter().take(8).take_while(|b| b.is_ascii_alphabetic()).count();
        let seconds = match &self.bytes[self.at..self.at + len] {
            b"s" | b"sec" | b"second" | b"seconds" => 1,
            b"m" | b"min" | b"minute" | b"minutes" => 60,
            b"h" | b"hour" | b"hours" => 3600,
            b"d" | b"day" | b"days" => 86_400,
            b"w" | b"week" | b"weeks" => 7 * 86_400,
            b"month" | b"months" => 2_629_800,
            b"y" | b"year" | b"years" => 31_557_600,
            b"ms" => {
                self.at += len;
                return Some(SignedDuration::from_millis(count));
            }
            _ => return None,
        };
        self.at += len;
        Some(SignedDuration::from_secs(count.checked_mul(seconds)?) + SignedDuration::from_nanos(nanos.checked_mul(seconds)?))
    }
}
