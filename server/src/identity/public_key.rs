//! A public key in a PEM file → a key that tokens may be signed with.

use std::path::Path;

use rustls_pemfile::Item;

use super::key::Key;

/// `rsaEncryption` as DER writes it, with its parameters.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// `id-ecPublicKey` on `prime256v1` as DER writes it.
const P256: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Reads the first thing in a file, which has to be a public key.
pub(super) fn read(path: &Path) -> Result<Key, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let item = rustls_pemfile::read_one(&mut text.as_slice()).map_err(|error| format!("no PEM: {error}"))?;
    let (kind, help) = match item {
        Some(Item::SubjectPublicKeyInfo(info)) => return key(&info),
        Some(Item::X509Certificate(_)) => ("a certificate", "`openssl x509 -pubkey -noout` prints its key"),
        Some(Item::Pkcs1Key(_) | Item::Pkcs8Key(_) | Item::Sec1Key(_)) => {
            ("a private key", "`openssl pkey -pubout` prints the public one, and the private one belongs to who signs")
        }
        Some(_) => ("something else", "it begins with `-----BEGIN PUBLIC KEY-----`"),
        None => ("nothing", "it begins with `-----BEGIN PUBLIC KEY-----`"),
    };
    Err(format!("expected a public key in PEM, found {kind}; {help}"))
}

/// A key as X.509 writes it: which algorithm, then the key in the algorithm's own form.
fn key(info: &[u8]) -> Result<Key, String> {
    let parts = |info| {
        let (inside, _) = element(info, SEQUENCE)?;
        let (algorithm, rest) = element(inside, SEQUENCE)?;
        let (bits, _) = element(rest, BIT_STRING)?;
        // The first byte says how many bits of the last are not used: none, for keys.
        Some((algorithm, bits.strip_prefix(&[0])?))
    };
    let (algorithm, bits) = parts(info).ok_or("the public key cannot be read")?;
    match algorithm {
        RSA => {
            let numbers = element(bits, SEQUENCE).and_then(|(inside, _)| {
                let (modulus, rest) = element(inside, INTEGER)?;
                Some((modulus, element(rest, INTEGER)?.0))
            });
            let (modulus, exponent) = numbers.ok_or("the RSA key cannot be read")?;
            Key::rsa(None, modulus, exponent)
        }
        P256 => Key::p256(None, bits),
        _ => Err("the key is neither RSA nor on the curve P-256".to_owned()),
    }
}

/// The content of the element that begins here, when it has this tag, and what comes after it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (*found == tag).then(|| rest.split_at_checked(length)).flatten()
}
