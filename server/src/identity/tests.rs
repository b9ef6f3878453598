//! What tests of identity share: settings, keys that everybody has, tokens signed with them.

mod algorithms;
mod api_keys;
mod key_sets;
mod minted;
mod validity;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use holdfast_schema::query::Caller;
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value as Json, json};

use super::{Credentials, Identity, IdentityError, Refused};
use crate::config::{self, Sources, settings};

pub(super) const SECRET: &str = "a secret of tests, which is long enough";

/// A file of `tests/keys`.
pub(super) fn path(name: &str) -> String {
    format!("{}/src/identity/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Settings of section `identity`.
pub(super) fn open(section: &[(&str, &str)]) -> Result<Identity, IdentityError> {
    let variable = |name: &str| settings::find(&format!("identity.{name}")).expect("a setting").variable();
    let environment = section.iter().map(|(name, value)| (variable(name), (*value).to_owned())).collect();
    let config = config::load(Sources { environment, ..Sources::default() }).expect("valid settings");
    Identity::open(&config.identity)
}

pub(super) fn identity(section: &[(&str, &str)]) -> Identity {
    open(section).unwrap_or_else(|error| panic!("{error}"))
}

/// Seconds from now.
pub(super) fn seconds(from_now: i64) -> i64 {
    jiff::Timestamp::now().as_second() + from_now
}

/// Claims of somebody who may ask for an hour.
pub(super) fn ann() -> Json {
    json!({"sub": "ann", "exp": seconds(3_600), "roles": ["csm"], "regions": ["EMEA"]})
}

/// The same with other members; null takes one away.
pub(super) fn ann_with(other: Json) -> Json {
    let (Json::Object(mut claims), Json::Object(other)) = (ann(), other) else {
        panic!("claims are objects");
    };
    claims.extend(other);
    claims.retain(|_, value| !value.is_null());
    Json::Object(claims)
}

/// Who signs.
pub(super) enum Signer {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Signer {
    pub(super) fn secret() -> Self {
        Self::Secret(SECRET.as_bytes().to_vec())
    }

    pub(super) fn rsa(name: &str) -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(&private(name)).expect("an RSA key"))
    }

    pub(super) fn p256(name: &str) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private(name), &SystemRandom::new());
        Self::P256(key.expect("a key on P-256"))
    }

    /// A key that nobody else has.
    pub(super) fn new_p256() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key can be made");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self::P256(key.expect("a key on P-256"))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Signer::Secret(_) => "HS256",
            Signer::Rsa(_) => "RS256",
            Signer::P256(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Signer::Secret(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec(),
            Signer::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("signed");
                signature
            }
            Signer::P256(key) => key.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec(),
        }
    }

    /// A token of an ordinary issuer.
    pub(super) fn token(&self, claims: &Json) -> String {
        self.token_with(&json!({"alg": self.algorithm(), "typ": "JWT"}), claims)
    }

    pub(super) fn token_of(&self, key_id: &str, claims: &Json) -> String {
        self.token_with(&json!({"alg": self.algorithm(), "kid": key_id}), claims)
    }

    /// A token whose header says whatever it likes.
    pub(super) fn token_with(&self, header: &Json, claims: &Json) -> String {
        let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The public key as a member of a set.
    pub(super) fn member(&self, key_id: &str) -> Json {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Signer::Secret(secret) => json!({"kty": "oct", "kid": key_id, "k": text(secret), "alg": "HS256"}),
            Signer::Rsa(key) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "kid": key_id, "n": text(&public.n), "e": text(&public.e), "use": "sig"})
            }
            Signer::P256(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "kid": key_id, "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]), "alg": "ES256"})
            }
        }
    }
}

fn private(name: &str) -> Vec<u8> {
    let pem = std::fs::read(path(name)).expect("a key of the tests");
    let key = rustls_pemfile::private_key(&mut pem.as_slice()).expect("PEM").expect("a private key");
    key.secret_der().to_vec()
}

/// Whom a token makes.
pub(super) async fn asked_with(identity: &Identity, token: &str) -> Result<Caller, Refused> {
    let authorization = format!("Bearer {token}");
    identity.caller(Credentials { authorization: Some(&authorization), api_key: None }).await
}

/// The name of who a token makes, or the kind of refusal.
pub(super) async fn outcome(identity: &Identity, token: &str) -> String {
    match asked_with(identity, token).await {
        Ok(caller) => caller.subject,
        Err(refused) => refused.label().to_owned(),
    }
}

/// A set of keys as JSON.
pub(super) fn set(members: &[Json]) -> String {
    json!({"keys": members}).to_string()
}
