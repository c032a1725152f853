//! Kubernetes quantities, exactly: `250m`, `1.5Gi`, `12E`, `3e6`.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use crate::decode::Value;

/// An amount of a resource, in billionths: the finest grain Kubernetes keeps (kubernetes apimachinery/pkg/api/resource).
/// Amounts beyond the range of the API saturate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

const NANOS: i128 = 1_000_000_000;
/// Far beyond what the API admits (2^63 - 1), far below what would overflow sums.
const LIMIT: i128 = 10i128.pow(33);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0 };

    /// A whole number of units.
    pub const fn whole(units: i64) -> Self {
        Self { nanos: units as i128 * NANOS }
    }

    /// Reads `<number><suffix>`: binary suffixes `Ki` to `Ei`, decimal ones `n` to `E`, or an exponent `e3`. `None` for
    /// anything else, `<none>` and percentages among it. What is finer than a billionth is rounded up, as the API does.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let (factor, exponent) = scale(suffix)?;
        let nanos = magnitude(whole, fraction, factor, exponent + 9);
        Some(Self { nanos: if negative { -nanos } else { nanos } })
    }

    /// The quantity a value holds, as a number or as text.
    pub fn of(value: Value<'_>) -> Option<Self> {
        Self::parse(value.text())
    }

    /// `true` for nothing at all.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// The same, nothing less than zero.
    #[must_use]
    pub fn at_least_zero(self) -> Self {
        Self { nanos: self.nanos.max(0) }
    }

    /// As a number, for shares and charts only.
    pub fn as_f64(self) -> f64 {
        self.nanos as f64 / NANOS as f64
    }
}

/// The binary factor and the decimal exponent a suffix means.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    let binary = |power: u32| Some((1i128 << (10 * power), 0));
    match suffix {
        "" => Some((1, 0)),
        "n" => Some((1, -9)),
        "u" => Some((1, -6)),
        "m" => Some((1, -3)),
        "k" => Some((1, 3)),
        "M" => Some((1, 6)),
        "G" => Some((1, 9)),
        "T" => Some((1, 12)),
        "P" => Some((1, 15)),
        "E" => Some((1, 18)),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
            Some((1, exponent.clamp(-40, 40)))
        }
    }
}

/// `whole.fraction × factor × 10^exponent`, rounded up and cut at the limit.
fn magnitude(whole: &str, fraction: &str, factor: i128, exponent: i32) -> i128 {
    // 34 digits in all are beyond both the limit and the grain.
    let whole = whole.trim_start_matches('0');
    if whole.len() > 33 {
        return LIMIT;
    }
    let fraction = &fraction[..fraction.len().min(33 - whole.len())];
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value * 10 + i128::from(digit - b'0');
    }
    let Some(value) = value.checked_mul(factor) else { return LIMIT };
    let exponent = exponent - fraction.len() as i32;
    let power = 10i128.checked_pow(exponent.unsigned_abs());
    match power {
        Some(power) if exponent >= 0 => value.checked_mul(power).unwrap_or(if value == 0 { 0 } else { LIMIT }).min(LIMIT),
        Some(power) => (value / power + i128::from(value % power != 0)).min(LIMIT),
        None if exponent >= 0 && value != 0 => LIMIT,
        None => i128::from(value != 0),
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { nanos: (self.nanos + other.nanos).clamp(-LIMIT, LIMIT) }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { nanos: (self.nanos - other.nanos).clamp(-LIMIT, LIMIT) }
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::ZERO, Add::add)
    }
}

/// As kubectl prints sums: `995m`, `4`, `1123Mi`. Parts of a thousandth are rounded up.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos % NANOS != 0 {
            let milli = self.nanos / 1_000_000 + i128::from(self.nanos % 1_000_000 > 0);
            return write!(f, "{milli}m");
        }
        let units = self.nanos / NANOS;
        let binary = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
        let fitting = binary.iter().find(|(_, bits)| units >= 1 << bits && units % (1 << bits) == 0);
        match fitting {
            Some((suffix, bits)) => write!(f, "{}{suffix}", units >> bits),
            None => write!(f, "{units}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q(text: &str) -> Quantity {
        Quantity::parse(text).expect(text)
    }

    #[test]
    fn reads_every_suffix_exactly() {
        let table = [
            ("1", Quantity::whole(1)),
            ("1000m", Quantity::whole(1)),
            ("0.1", q("100m")),
            (".5", q("500m")),
            ("5.", q("5")),
            ("1k", Quantity::whole(1000)),
            ("1Ki", Quantity::whole(1024)),
            ("1.5Gi", q("1536Mi")),
            ("12E", q("12e18")),
            ("3E6", Quantity::whole(3_000_000)),
            ("3e-3", q("3m")),
            ("128974848", q("123Mi")),
            ("129e6", q("129M")),
            ("-5m", Quantity::ZERO - q("5m")),
            ("1e1", q("10")),
            ("100000u", q("0.1")),
            ("0000000000000000000000000000000000000001", q("1")),
        ];
        for (text, wanted) in table {
            assert_eq!(q(text), wanted, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_quantity() {
        for text in ["", "<none>", "12%", "1.2.3", "Gi", "1 Gi", "1gi", "1K", "e3", "1e", "-", "1mm", "0x10"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rounds_up_below_the_grain_and_saturates_above_the_range() {
        assert_eq!(q("0.0000000001"), q("1n"));
        assert!(q("999999999999999999999999999999999999999999E") >= q("9E"));
        assert!(q("1e400") > q("9E"));
        assert_eq!(q("0e40"), Quantity::ZERO);
        assert!(!(q("1e-400")).is_zero());
    }

    #[test]
    fn prints_sums_as_kubectl_does() {
        let cpu: Quantity = ["200m", "100m", "695m"].into_iter().map(q).sum();
        assert_eq!(cpu.to_string(), "995m");
        assert_eq!((q("1Gi") + q("99Mi")).to_string(), "1123Mi");
        assert_eq!((q("2500m") - q("500m")).to_string(), "2");
        assert_eq!(q("95002767203").to_string(), "95002767203");
        assert_eq!(q("0").to_string(), "0");
    }
}
