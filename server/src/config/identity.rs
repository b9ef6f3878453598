//! Who may ask, and how they prove who they are.

use std::{path::PathBuf, time::Duration};

use super::{read::Reader, secret::Secret};

/// Settings of section `identity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `identity.anonymous`
    pub anonymous: bool,
    /// `identity.jwt_secret`
    pub jwt_secret: Option<Secret>,
    /// `identity.jwt_public_key_file`
    pub jwt_public_key_file: Option<PathBuf>,
    /// `identity.jwks`
    pub jwks: Option<Jwks>,
    /// `identity.jwks_refresh`
    pub jwks_refresh: Duration,
    /// `identity.issuer`, each that is accepted; empty accepts all.
    pub issuers: Vec<String>,
    /// `identity.audience`, each that is accepted; empty accepts all.
    pub audiences: Vec<String>,
    /// `identity.leeway`
    pub leeway: Duration,
    /// `identity.roles_claim`
    pub roles_claim: String,
    /// `identity.api_keys_file`
    pub api_keys_file: Option<PathBuf>,
}

/// Where a set of public keys is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jwks {
    /// At an address that begins with `https://` or `http://`.
    Url(String),
    /// In a file.
    File(PathBuf),
}

/// Clocks that are further apart are wrong, and a token that ended so long ago is not valid.
const LONGEST_LEEWAY: Duration = Duration::from_secs(300);

/// Asking more often is no use: a key that is not known is asked for at once.
const SHORTEST_REFRESH: Duration = Duration::from_secs(1);

impl Identity {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            anonymous: reader.flag("identity.anonymous"),
            jwt_secret: reader.text("identity.jwt_secret").map(Secret::new),
            jwt_public_key_file: reader.text("identity.jwt_public_key_file").map(PathBuf::from),
            jwks: reader.text("identity.jwks").map(jwks),
            jwks_refresh: reader.duration("identity.jwks_refresh").max(SHORTEST_REFRESH),
            issuers: list(reader.text("identity.issuer")),
            audiences: list(reader.text("identity.audience")),
            leeway: reader.duration_or_none("identity.leeway").min(LONGEST_LEEWAY),
            roles_claim: reader.text("identity.roles_claim").unwrap_or_else(|| "roles".to_owned()),
            api_keys_file: reader.text("identity.api_keys_file").map(PathBuf::from),
        }
    }

    /// Whether there are callers with names.
    pub fn knows_anybody(&self) -> bool {
        self.accepts_tokens() || self.api_keys_file.is_some()
    }

    /// Whether tokens are accepted.
    pub fn accepts_tokens(&self) -> bool {
        self.jwt_secret.is_some() || self.jwt_public_key_file.is_some() || self.jwks.is_some()
    }
}

fn jwks(text: String) -> Jwks {
    if text.starts_with("https://") || text.starts_with("http://") {
        return Jwks::Url(text);
    }
    Jwks::File(text.strip_prefix("file://").unwrap_or(&text).into())
}

fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
