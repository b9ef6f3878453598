//! New credentials: tokens for development, and API keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use holdfast_schema::{hex, query::Caller, value::Value};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;

use super::{IdentityError, api_keys, claims::SUBJECT, crypto as signatures, key::SHORTEST_SECRET};
use crate::config::secret::Secret;

/// What a token says beside its claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// `exp`
    pub expires: Timestamp,
    /// `iat`
    pub issued: Timestamp,
    /// `iss`
    pub issuer: Option<String>,
    /// `aud`
    pub audience: Option<String>,
    /// Where the roles stand.
    pub roles_claim: String,
}

/// Signs a token (HS256).
///
/// # Errors
/// When the secret is short: the server would not take it.
pub fn token(secret: &Secret, caller: &Caller, facts: &TokenFacts) -> Result<String, IdentityError> {
    signatures::install();
    let secret = secret.expose().as_bytes();
    if secret.len() < SHORTEST_SECRET {
        return Err(IdentityError::ShortSecret(secret.len()));
    }
    let own = caller.claims.iter().filter(|(name, _)| *name != SUBJECT).map(|(name, values)| (name.as_str(), json_values(values)));
    let mut members: Vec<(&str, String)> = own.collect();
    if !caller.roles.is_empty() {
        members.push(at(&facts.roles_claim, json!(caller.roles).to_string()));
    }
    members.push((SUBJECT, quoted(&caller.subject)));
    members.push(("iat", facts.issued.as_second().to_string()));
    members.push(("exp", facts.expires.as_second().to_string()));
    members.extend(facts.issuer.as_ref().map(|issuer| ("iss", quoted(issuer))));
    members.extend(facts.audience.as_ref().map(|audience| ("aud", quoted(audience))));
    // Written here, because the usual writer would make binary floats of decimals.
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    let header = r#"{"typ":"JWT","alg":"HS256"}"#;
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(format!("{{{}}}", members.join(","))));
    let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), Algorithm::HS256);
    Ok(format!("{message}.{}", signature.expect("a secret signs with HS256")))
}

/// A new API key, and the entry of `identity.api_keys_file` that knows it by its hash.
pub fn api_key(caller: &Caller, expires: Option<Timestamp>) -> Option<(String, String)> {
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).ok()?;
    let key = format!("{}{}", api_keys::PREFIX, URL_SAFE_NO_PAD.encode(random));
    let hash = hex::digits(api_keys::hash(&key));
    let mut entry = format!("[[key]]\nname = {}\nsha256 = \"{hash}\"\n", quoted(&caller.subject));
    if !caller.roles.is_empty() {
        let roles: Vec<String> = caller.roles.iter().map(|role| quoted(role)).collect();
        entry.push_str(&format!("roles = [{}]\n", roles.join(", ")));
    }
    entry.extend(expires.map(|expires| format!("expires = {expires}\n")));
    let claims: Vec<_> = caller.claims.iter().filter(|(name, _)| *name != SUBJECT).collect();
    if !claims.is_empty() {
        entry.push_str("[key.claims]\n");
    }
    for (name, values) in claims {
        let written: Vec<String> = values.iter().map(toml_value).collect();
        let value = if let [only] = written.as_slice() { only.clone() } else { format!("[{}]", written.join(", ")) };
        entry.push_str(&format!("{} = {value}\n", quoted(name)));
    }
    Some((key, entry))
}

/// A member with a value where a way through objects leads, or under the whole name where that is an address.
fn at(path: &str, value: String) -> (&str, String) {
    match path.split_once('.').filter(|_| !path.contains("://")) {
        None => (path, value),
        Some((first, rest)) => {
            let (name, value) = at(rest, value);
            (first, format!("{{{}:{value}}}", quoted(name)))
        }
    }
}

fn json_values(values: &[Value]) -> String {
    let written: Vec<String> = values.iter().map(json_value).collect();
    if let [only] = written.as_slice() { only.clone() } else { format!("[{}]", written.join(",")) }
}

fn json_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(digits) => digits.clone(),
        Value::Text(text) => quoted(text),
        Value::Date(date) => quoted(&date.to_string()),
        Value::Timestamp(instant) => quoted(&instant.to_string()),
    }
}

fn toml_value(value: &Value) -> String {
    match value {
        Value::Null => quoted(""),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(digits) => format!("{{decimal = {}}}", quoted(digits)),
        Value::Text(text) => quoted(text),
        Value::Date(date) => quoted(&date.to_string()),
        Value::Timestamp(instant) => quoted(&instant.to_string()),
    }
}

/// A text as TOML writes it, which is as JSON does.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}
