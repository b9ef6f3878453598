//! Exact arithmetic on decimals in canonical text, of any length: what a comparison needs.

use holdfast_schema::value::canonical_decimal;

/// Digits after the point of a quotient.
const SCALE: usize = 16;

/// A decimal as a sign and digits, least significant first, of which `scale` stand after the point.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number {
    negative: bool,
    digits: Vec<u8>,
    scale: usize,
}

/// `a − b`.
pub(crate) fn subtract(a: &str, b: &str) -> Option<String> {
    let (a, b) = align(Number::parse(a)?, Number::parse(b)?);
    let result = if a.negative == b.negative {
        let (larger, smaller, flipped) =
            if is_less(&a.digits, &b.digits) { (&b.digits, &a.digits, true) } else { (&a.digits, &b.digits, false) };
        Number { negative: a.negative != flipped, digits: minus(larger, smaller), scale: a.scale }
    } else {
        Number { negative: a.negative, digits: plus(&a.digits, &b.digits), scale: a.scale }
    };
    result.print()
}

/// `a ÷ |b|`, rounded half away from zero to 16 decimals; `None` when `b` is zero.
pub(crate) fn divide_by_size(a: &str, b: &str) -> Option<String> {
    let (a, b) = align(Number::parse(a)?, Number::parse(b)?);
    if b.digits.iter().all(|digit| *digit == 0) {
        return None;
    }
    // Long division of a · 10^(SCALE + 1), one digit at a time; the last digit decides the rounding.
    let mut rest: Vec<u8> = Vec::new();
    let mut quotient: Vec<u8> = Vec::new();
    for digit in a.digits.iter().rev().copied().chain(std::iter::repeat_n(0, SCALE + 1)) {
        rest.insert(0, digit);
        let mut times = 0;
        while !is_less(&rest, &b.digits) {
            rest = minus(&rest, &b.digits);
            times += 1;
        }
        quotient.push(times);
    }
    let last = quotient.pop()?;
    quotient.reverse();
    if last >= 5 {
        quotient = plus(&quotient, &[1]);
    }
    Number { negative: a.negative, digits: quotient, scale: SCALE }.print()
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let canonical = canonical_decimal(text)?;
        let (negative, text) = canonical.strip_prefix('-').map_or((false, canonical.as_str()), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.bytes().chain(fraction.bytes()).rev().map(|byte| byte - b'0').collect();
        Some(Self { negative, digits, scale: fraction.len() })
    }

    fn print(&self) -> Option<String> {
        let mut text: String = self.digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
        if text.len() <= self.scale {
            text.insert_str(0, &"0".repeat(self.scale + 1 - text.len()));
        }
        text.insert(text.len() - self.scale, '.');
        canonical_decimal(&format!("{}{text}", if self.negative { "-" } else { "" }))
    }
}

fn align(mut a: Number, mut b: Number) -> (Number, Number) {
    let scale = a.scale.max(b.scale);
    for number in [&mut a, &mut b] {
        number.digits.splice(0..0, std::iter::repeat_n(0, scale - number.scale));
        number.scale = scale;
    }
    (a, b)
}

fn is_less(a: &[u8], b: &[u8]) -> bool {
    let digit = |number: &[u8], index: usize| number.get(index).copied().unwrap_or(0);
    (0..a.len().max(b.len()))
        .rev()
        .map(|index| (digit(a, index), digit(b, index)))
        .find(|(a, b)| a != b)
        .is_some_and(|(a, b)| a < b)
}

fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(a.len().max(b.len()) + 1);
    let mut carry = 0;
    for index in 0..a.len().max(b.len()) {
        let sum = a.get(index).copied().unwrap_or(0) + b.get(index).copied().unwrap_or(0) + carry;
        out.push(sum % 10);
        carry = sum / 10;
    }
    out.push(carry);
    out
}

/// `a − b` of sizes, where `a` is not less.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(a.len());
    let mut borrow = 0;
    for index in 0..a.len().max(b.len()) {
        let take = b.get(index).copied().unwrap_or(0) + borrow;
        let have = a.get(index).copied().unwrap_or(0);
        borrow = u8::from(have < take);
        out.push(have + 10 * borrow - take);
    }
    while out.last() == Some(&0) {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_exact_beyond_28_digits() {
        let a = "123456789012345678901234567890.1";
        assert_eq!(subtract(a, "0.0000000001").as_deref(), Some("123456789012345678901234567890.0999999999"));
        assert_eq!(subtract("1", "1.5").as_deref(), Some("-0.5"));
        assert_eq!(subtract("-1", "1").as_deref(), Some("-2"));
        assert_eq!(subtract("-1", "-1").as_deref(), Some("0"));
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        assert_eq!(divide_by_size("1", "3").as_deref(), Some("0.3333333333333333"));
        assert_eq!(divide_by_size("-2", "3").as_deref(), Some("-0.6666666666666667"));
        assert_eq!(divide_by_size("60", "-1010").as_deref(), Some("0.0594059405940594"));
        assert_eq!(divide_by_size("5", "0"), None);
        assert_eq!(divide_by_size("0", "7").as_deref(), Some("0"));
        assert_eq!(divide_by_size("1", "20000000000000000").as_deref(), Some("0.0000000000000001"));
    }
}
