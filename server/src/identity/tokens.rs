//! JSON Web Tokens → callers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use holdfast_schema::query::Caller;
use jsonwebtoken::{Algorithm, Header, Validation, errors::ErrorKind};
use serde_json::Value as Json;

use super::{
    IdentityError, Refused, claims, crypto,
    key::{Key, SHORTEST_SECRET},
    key_set::KeySet,
    public_key,
};
use crate::config::identity::{Identity as Config, Jwks};

/// Longest token that is looked into. Servers that make longer ones exceed what proxies let through, too.
const LONGEST: usize = 16 * 1024;

/// Which tokens are accepted, and whom they make.
pub(super) struct Tokens {
    /// A secret, a public key.
    fixed: Vec<Key>,
    set: Option<KeySet>,
    validation: Validation,
    roles_claim: String,
}

impl Tokens {
    pub(super) fn open(config: &Config) -> Result<Self, IdentityError> {
        crypto::install();
        let mut fixed = Vec::new();
        if let Some(secret) = &config.jwt_secret {
            let secret = secret.expose().as_bytes();
            if secret.len() < SHORTEST_SECRET {
                return Err(IdentityError::ShortSecret(secret.len()));
            }
            fixed.push(Key::secret(secret));
        }
        if let Some(path) = &config.jwt_public_key_file {
            let wrong = |message| IdentityError::File { setting: "identity.jwt_public_key_file", path: path.clone(), message };
            fixed.push(public_key::read(path).map_err(wrong)?);
        }
        let set = config.jwks.as_ref().map(|place| {
            KeySet::open(place, config.jwks_refresh).map_err(|message| match place {
                Jwks::File(path) => IdentityError::File { setting: "identity.jwks", path: path.clone(), message },
                Jwks::Url(_) => IdentityError::Address(message),
            })
        });
        let tokens = Self { fixed, set: set.transpose()?, validation: validation(config), roles_claim: config.roles_claim.clone() };
        tokens.warn(config);
        Ok(tokens)
    }

    fn warn(&self, config: &Config) {
        if config.issuers.is_empty() {
            tracing::warn!("`identity.issuer` is not set: tokens of every issuer that has the key are accepted");
        }
        if config.audiences.is_empty() {
            tracing::warn!("`identity.audience` is not set: tokens that were made for other services are accepted");
        }
        if self.set.as_ref().is_some_and(|set| !set.is_safe()) {
            tracing::warn!("`identity.jwks` is fetched without TLS: whoever is in between can make tokens");
        }
    }

    pub(super) fn key_set(&self) -> Option<&KeySet> {
        self.set.as_ref()
    }

    /// The caller that a token makes.
    pub(super) async fn caller(&self, token: &str) -> Result<Caller, Refused> {
        self.check(token).await?;
        let claims = claims(token).ok_or_else(|| not_valid("the claims cannot be read"))?;
        claims::caller(&claims, &self.roles_claim).map_err(Refused::NotValid)
    }

    /// Checks signature, time, issuer and audience.
    async fn check(&self, token: &str) -> Result<(), Refused> {
        if token.len() > LONGEST {
            return Err(not_valid("the token is too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| not_valid(&format!("no token: {error}")))?;
        if header.crit.is_some() {
            return Err(not_valid("the token needs extensions that are not supported"));
        }
        let mut tried = self.try_keys(&self.fixed, token, &header);
        let Some(set) = self.set.as_ref().filter(|_| tried.is_none() && header.alg != Algorithm::HS256) else {
            return tried.unwrap_or_else(|| Err(not_valid("no key fits the token")));
        };
        if let Some(keys) = set.keys() {
            tried = self.try_keys(&keys, token, &header);
        }
        if tried.is_none() {
            set.look_for_unknown().await;
            let keys = set.keys().ok_or_else(|| Refused::Unavailable("the key set was never fetched".to_owned()))?;
            tried = self.try_keys(&keys, token, &header);
        }
        tried.unwrap_or_else(|| Err(not_valid("no key fits the token")))
    }

    /// What the keys say that may have signed a token; `None` when none of them has.
    fn try_keys(&self, keys: &[Key], token: &str, header: &Header) -> Option<Result<(), Refused>> {
        keys.iter().filter(|key| may_have_signed(key, header)).find_map(|key| self.try_key(key, token))
    }

    fn try_key(&self, key: &Key, token: &str) -> Option<Result<(), Refused>> {
        let validation = Validation { algorithms: vec![key.algorithm], ..self.validation.clone() };
        let error = match jsonwebtoken::decode::<Json>(token, &key.decoding, &validation) {
            Ok(_) => return Some(Ok(())),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::InvalidSignature => None,
            ErrorKind::ExpiredSignature => Some(Err(Refused::Expired(error.to_string()))),
            _ => Some(Err(not_valid(&error.to_string()))),
        }
    }
}

/// A token is tried with keys of its algorithm. That is not its choice of an algorithm: each key has one only. Of a set it may
/// name the key; the others, which have no names, are tried whatever it says.
fn may_have_signed(key: &Key, header: &Header) -> bool {
    let names_another = key.id.is_some() && header.kid.is_some() && key.id != header.kid;
    key.algorithm == header.alg && !names_another
}

fn validation(config: &Config) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = config.leeway.as_secs();
    validation.validate_nbf = true;
    validation.validate_aud = !config.audiences.is_empty();
    let mut required = vec!["exp"];
    if !config.audiences.is_empty() {
        validation.set_audience(&config.audiences);
        required.push("aud");
    }
    if !config.issuers.is_empty() {
        validation.set_issuer(&config.issuers);
        required.push("iss");
    }
    validation.set_required_spec_claims(&required);
    validation
}

/// The claims as they were written; the library makes binary floats of decimals.
fn claims(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    String::from_utf8(bytes).ok()
}

/// Longest reason in the log.
const LONGEST_REASON: usize = 200;

/// The reason may quote the token: it must not break a line of the log, or fill it.
fn not_valid(why: &str) -> Refused {
    Refused::NotValid(why.escape_debug().take(LONGEST_REASON).collect())
}
