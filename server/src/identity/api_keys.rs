//! API keys by their hashes → callers.

use std::{collections::BTreeMap, hint::black_box, path::Path};

use holdfast_schema::{
    query::Caller,
    value::{Value, canonical_decimal},
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use toml::{Table, Value as Toml};

use super::{IdentityError, Refused, claims};
use crate::watched::Watched;

/// What every key begins with, so that one that is lost can be found by those who look for secrets.
pub(super) const PREFIX: &str = "hf_";

/// Longest key that is looked at; ours are shorter.
const LONGEST: usize = 512;

/// A plain hash is right here, where it would be wrong for passwords: a key is 256 random bits, so there is nothing to guess, and
/// nothing that a slow hash or a salt could make harder to guess.
pub(super) type Hash = [u8; 32];

/// The hash of a key.
pub(super) fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

/// The keys of a file.
pub(super) struct ApiKeys(Watched<Vec<Entry>>);

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hash: Hash,
    caller: Caller,
    expires: Option<Timestamp>,
}

impl ApiKeys {
    pub(super) fn open(path: &Path) -> Result<Self, IdentityError> {
        let wrong = |message| IdentityError::File { setting: "identity.api_keys_file", path: path.to_owned(), message };
        Watched::open(path, entries).map(Self).map_err(wrong)
    }

    pub(super) fn look_again(&self) {
        self.0.look_again();
    }

    /// The caller of a key.
    pub(super) fn caller(&self, key: &str, now: Timestamp) -> Result<Caller, Refused> {
        if key.len() > LONGEST {
            return Err(Refused::NotValid("the API key is too long".to_owned()));
        }
        let hash = hash(key);
        let entries = self.0.get();
        // All are looked at, and all of each, so that time tells nothing.
        let found = entries.iter().fold(None, |found, entry| if is_same(&entry.hash, &hash) { Some(entry) } else { found });
        match found {
            None => Err(Refused::NotValid("an API key that is not known".to_owned())),
            Some(entry) if entry.expires.is_some_and(|expires| expires <= now) => {
                Err(Refused::Expired(format!("the API key `{}`", entry.caller.subject)))
            }
            Some(entry) => Ok(entry.caller.clone()),
        }
    }
}

fn is_same(one: &Hash, other: &Hash) -> bool {
    let differing = one.iter().zip(other).fold(0, |bits, (a, b)| black_box(bits | (a ^ b)));
    differing == 0
}

fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let mut file: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let keys = match file.remove("key") {
        None => Vec::new(),
        Some(Toml::Array(keys)) => keys,
        Some(_) => return Err("keys are written as `[[key]]`".to_owned()),
    };
    if let Some(name) = file.keys().next() {
        return Err(format!("unknown `{name}`; keys are written as `[[key]]`"));
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let entry = entry(key).map_err(|error| format!("key {}: {error}", index + 1))?;
        if entries.iter().any(|known| known.caller.subject == entry.caller.subject || known.hash == entry.hash) {
            return Err(format!("key {}: name or hash of `{}` is there twice", index + 1, entry.caller.subject));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(key: Toml) -> Result<Entry, String> {
    let Toml::Table(mut key) = key else {
        return Err("keys are written as `[[key]]`".to_owned());
    };
    let name = text(key.remove("name")).filter(|name| !name.is_empty()).ok_or("`name` must be a text")?;
    let hash =
        text(key.remove("sha256")).as_deref().and_then(from_hex).ok_or("`sha256` must be the hash in 64 hexadecimal digits")?;
    let roles = match key.remove("roles") {
        None => Vec::new(),
        Some(Toml::Array(roles)) => {
            roles.into_iter().map(|role| text(Some(role))).collect::<Option<_>>().ok_or("`roles` must be a list of texts")?
        }
        Some(_) => return Err("`roles` must be a list of texts".to_owned()),
    };
    let expires = key.remove("expires").map(|expires| expiry(&expires)).transpose()?;
    let mut claims = BTreeMap::new();
    match key.remove("claims") {
        None => {}
        Some(Toml::Table(table)) => {
            for (name, value) in table {
                let values = values(value).map_err(|error| format!("claim `{name}`: {error}"))?;
                claims.insert(name, values);
            }
        }
        Some(_) => return Err("`claims` must be a table".to_owned()),
    }
    if let Some(name) = key.keys().next() {
        return Err(format!("unknown `{name}`; a key has `name`, `sha256`, `roles`, `claims` and `expires`"));
    }
    Ok(Entry { hash, caller: claims::made(name, roles, claims), expires })
}

fn text(value: Option<Toml>) -> Option<String> {
    match value {
        Some(Toml::String(text)) => Some(text),
        Some(_) | None => None,
    }
}

fn expiry(value: &Toml) -> Result<Timestamp, String> {
    let written = match value {
        Toml::String(text) => text.clone(),
        Toml::Datetime(instant) => instant.to_string(),
        _ => String::new(),
    };
    written.parse().map_err(|_| "`expires` must be an instant such as 2027-01-01T00:00:00Z".to_owned())
}

fn values(value: Toml) -> Result<Vec<Value>, String> {
    match value {
        Toml::Array(items) => items.into_iter().map(scalar).collect(),
        value => Ok(vec![scalar(value)?]),
    }
}

fn scalar(value: Toml) -> Result<Value, String> {
    match value {
        Toml::String(text) => claims::readable(&text).map(Value::Text).ok_or_else(|| "the character zero".to_owned()),
        Toml::Integer(number) => Ok(Value::Int(number)),
        Toml::Boolean(value) => Ok(Value::Bool(value)),
        Toml::Datetime(instant) => Ok(Value::Text(instant.to_string())),
        // What was written is not known any more, only the binary number next to it.
        Toml::Float(_) => Err("numbers with a point are not exact here; write `{decimal = \"0.5\"}`".to_owned()),
        Toml::Table(table) => match table.get("decimal") {
            Some(Toml::String(digits)) if table.len() == 1 => {
                canonical_decimal(digits).map(Value::Decimal).ok_or_else(|| format!("`{digits}` is not a decimal"))
            }
            Some(_) | None => Err("expected a text, a number, true or false, or a list of such".to_owned()),
        },
        Toml::Array(_) => Err("a list in a list".to_owned()),
    }
}

fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(hash)
}
