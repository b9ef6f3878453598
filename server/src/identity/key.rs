//! A key that tokens may be signed with. It fixes the algorithm; a token only says which key it means.

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};

/// Bytes of the shortest secret: as many as the hash has (RFC 7518, 3.2).
pub(super) const SHORTEST_SECRET: usize = 32;

/// Bytes of the shortest RSA modulus, as of 2048 bits.
const SHORTEST_MODULUS: usize = 256;

/// Bytes of a point of P-256 that is not compressed: a mark and two coordinates.
const POINT: usize = 65;

/// A key with its one algorithm.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Its name in a set; a token that names another key is not tried with it.
    pub(super) id: Option<String>,
    /// What it verifies.
    pub(super) algorithm: Algorithm,
    /// The key itself.
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// A shared secret: HS256.
    pub(super) fn secret(secret: &[u8]) -> Self {
        Self { id: None, algorithm: Algorithm::HS256, decoding: DecodingKey::from_secret(secret) }
    }

    /// A public RSA key as its modulus and exponent: RS256.
    pub(super) fn rsa(id: Option<String>, modulus: &[u8], exponent: &[u8]) -> Result<Self, String> {
        let modulus = without_zeros(modulus);
        if modulus.len() < SHORTEST_MODULUS {
            return Err(format!("an RSA key of {} bits; 2048 are needed at least", modulus.len() * 8));
        }
        let decoding = DecodingKey::from_rsa_raw_components(modulus, without_zeros(exponent));
        Ok(Self { id, algorithm: Algorithm::RS256, decoding })
    }

    /// A point of the curve P-256: ES256.
    pub(super) fn p256(id: Option<String>, point: &[u8]) -> Result<Self, String> {
        if point.len() != POINT || point[0] != 4 {
            return Err("a key on P-256 whose point has another form".to_owned());
        }
        Ok(Self { id, algorithm: Algorithm::ES256, decoding: DecodingKey::from_ec_der(point) })
    }

    /// A member of a JSON Web Key Set, or why it is of no use here.
    pub(super) fn of_set(jwk: &Jwk) -> Result<Self, String> {
        match &jwk.common.public_key_use {
            None | Some(PublicKeyUse::Signature) => {}
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)) => return Err("not for signatures".to_owned()),
        }
        if jwk.common.key_operations.as_ref().is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
            return Err("not for verifying".to_owned());
        }
        let id = jwk.common.key_id.clone();
        let decoding = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string());
        let key = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => match decoding?.kind() {
                DecodingKeyKind::RsaModulusExponent { n, e } => Self::rsa(id, n, e)?,
                DecodingKeyKind::SecretOrDer(_) => return Err("no RSA key".to_owned()),
            },
            AlgorithmParameters::EllipticCurve(parameters) if parameters.curve == EllipticCurve::P256 => {
                Self::p256(id, decoding?.try_get_as_bytes().map_err(|error| error.to_string())?)?
            }
            // A secret in a set that is given away is none.
            AlgorithmParameters::OctetKey(_) => return Err("a secret".to_owned()),
            _ => return Err("of a kind that is not supported".to_owned()),
        };
        match jwk.common.key_algorithm {
            None => Ok(key),
            Some(algorithm) if algorithm == KeyAlgorithm::from(key.algorithm) => Ok(key),
            Some(_) => Err("for an algorithm that is not supported".to_owned()),
        }
    }
}

/// Numbers are written with as few bytes as they need; some keys come with more.
fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}
