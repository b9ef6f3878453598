//! PostgreSQL's binary `numeric` ↔ canonical decimal text, without loss at any length.
//!
//! The wire has groups of four decimal digits: their count, the power of 10,000 of the first, a sign, the places to show, and the
//! groups.

use bytes::{BufMut as _, BytesMut};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Why a numeric is not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// `NaN`.
    #[error("a value is NaN")]
    NotANumber,
    /// `Infinity` or `-Infinity`.
    #[error("a value is infinite")]
    Infinite,
    /// Not what the protocol describes, or a text that is no canonical decimal.
    #[error("a value is no decimal number")]
    Malformed,
}

/// Writes the canonical text into a buffer.
pub(super) fn decode(wire: &[u8], text: &mut String) -> Result<(), Unusable> {
    text.clear();
    let word = |index: usize| {
        let bytes = wire.get(index * 2..index * 2 + 2).ok_or(Unusable::Malformed)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let count = usize::from(word(0)?);
    let weight = word(1)?.cast_signed();
    match word(2)? {
        0 => {}
        NEGATIVE => text.push('-'),
        NAN => return Err(Unusable::NotANumber),
        INFINITY | NEGATIVE_INFINITY => return Err(Unusable::Infinite),
        _ => return Err(Unusable::Malformed),
    }
    // The group at a power of 10,000; groups that are not sent are zero.
    let group = |power: i32| {
        let index = i32::from(weight) - power;
        if index < 0 || index as usize >= count { Ok(0) } else { word(4 + index as usize) }
    };
    let mut is_zero = true;
    for power in (0..=i32::from(weight)).rev() {
        let digits = group(power)?;
        if is_zero {
            text.push_str(&digits.to_string());
        } else {
            push_padded(text, digits);
        }
        is_zero = false;
    }
    if is_zero {
        text.push('0');
    }
    let point = text.len();
    let lowest = i32::from(weight) - count as i32 + 1;
    for power in (lowest..0).rev() {
        push_padded(text, group(power)?);
    }
    let kept = point + text[point..].trim_end_matches('0').len();
    text.truncate(kept);
    if kept > point {
        text.insert(point, '.');
    }
    if text == "-0" {
        text.remove(0);
    }
    Ok(())
}

fn push_padded(text: &mut String, digits: u16) {
    for unit in [1000, 100, 10, 1] {
        text.push(char::from(b'0' + (digits / unit % 10) as u8));
    }
}

/// Writes canonical text as a binary numeric.
pub(super) fn encode(text: &str, out: &mut BytesMut) -> Result<(), Unusable> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (NEGATIVE, rest),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // Padded on both sides to full groups.
    let left = (4 - whole.len() % 4) % 4;
    let right = (4 - fraction.len() % 4) % 4;
    let padded: Vec<u8> = std::iter::repeat_n(b'0', left)
        .chain(whole.bytes())
        .chain(fraction.bytes())
        .chain(std::iter::repeat_n(b'0', right))
        .collect();
    if whole.is_empty() || !padded.iter().all(u8::is_ascii_digit) {
        return Err(Unusable::Malformed);
    }
    let groups: Vec<u16> =
        padded.chunks(4).map(|group| group.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))).collect();
    let whole_groups = (whole.len() + left) / 4;
    let (Ok(count), Ok(weight)) = (u16::try_from(groups.len()), i16::try_from(whole_groups - 1)) else {
        return Err(Unusable::Malformed);
    };
    out.put_u16(count);
    out.put_i16(weight);
    out.put_u16(sign);
    out.put_u16(u16::try_from(fraction.len()).map_err(|_| Unusable::Malformed)?);
    for group in groups {
        out.put_u16(group);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(words: &[u16]) -> Result<String, Unusable> {
        let wire: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut text = String::new();
        decode(&wire, &mut text).map(|()| text)
    }

    #[test]
    fn groups_that_are_not_sent_are_zeros() {
        let minus = |weight: i16| weight.cast_unsigned();
        assert_eq!(decoded(&[0, 0, 0, 2]).as_deref(), Ok("0"));
        assert_eq!(decoded(&[1, 2, 0, 0, 7]).as_deref(), Ok("700000000"));
        assert_eq!(decoded(&[1, minus(-1), 0, 4, 5]).as_deref(), Ok("0.0005"));
        assert_eq!(decoded(&[1, minus(-2), NEGATIVE, 5, 1000]).as_deref(), Ok("-0.00001"));
        assert_eq!(decoded(&[2, 0, 0, 2, 10, 5000]).as_deref(), Ok("10.5"));
        assert_eq!(decoded(&[3, 1, 0, 4, 12, 34, 5600]).as_deref(), Ok("120034.56"));
    }

    #[test]
    fn values_that_are_no_numbers_are_refused() {
        assert_eq!(decoded(&[0, 0, NAN, 0]), Err(Unusable::NotANumber));
        assert_eq!(decoded(&[0, 0, INFINITY, 0]), Err(Unusable::Infinite));
        assert_eq!(decoded(&[2, 0, 0, 0, 1]), Err(Unusable::Malformed));
    }

    #[test]
    fn any_length_survives_the_way_there_and_back() {
        let long = format!("-{}.{}7", "9".repeat(200), "0".repeat(150));
        for text in ["0", "1", "-1", "0.05", "10000", "9999.9999", "12345678901234567890123456789012345678.9", &long] {
            let mut wire = BytesMut::new();
            encode(text, &mut wire).expect("it is canonical");
            let mut back = String::new();
            decode(&wire, &mut back).expect("it is a number");
            assert_eq!(back, text);
        }
        assert_eq!(encode("1e5", &mut BytesMut::new()), Err(Unusable::Malformed));
    }
}
