//! Bytes as hexadecimal digits, as digests are shown and compared.

use std::fmt::Write as _;

/// Two digits for each byte, in lower case.
pub fn digits(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(out, "{byte:02x}").expect("texts take everything");
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_byte_is_two_digits() {
        assert_eq!(super::digits([0, 9, 10, 171, 255]), "00090aabff");
        assert_eq!(super::digits(""), "");
    }
}
