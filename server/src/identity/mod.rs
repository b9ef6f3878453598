//! Credentials of a request → the caller that policies speak of. Knows nothing of HTTP beyond the values of two headers.

mod crypto;
mod exact;

mod claims;
mod key;
mod public_key;

mod fetch;
mod key_set;
mod tokens;

mod api_keys;

pub mod mint;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use holdfast_schema::query::Caller;
use jiff::Timestamp;

use crate::config::identity as config;
use api_keys::ApiKeys;
use key::SHORTEST_SECRET;
use tokens::Tokens;

pub(crate) use claims::{caller as caller_of_claims, made as caller_of, value as claim_of_json};

/// What a client sends to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Credentials<'a> {
    /// `authorization: Bearer …`, the whole value.
    pub authorization: Option<&'a str>,
    /// `x-api-key`.
    pub api_key: Option<&'a str>,
}

/// Why credentials do not make a caller. Clients learn no more than the variant; the reason is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There are none, and nobody is answered without.
    #[error("no credentials")]
    Missing,
    /// They were valid once.
    #[error("expired: {0}")]
    Expired(String),
    /// They never were, or not here.
    #[error("not valid: {0}")]
    NotValid(String),
    /// They cannot be looked into now: the keys were never fetched.
    #[error("cannot be checked: {0}")]
    Unavailable(String),
}

impl Refused {
    /// The variant's name in metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Refused::Missing => "missing",
            Refused::Expired(_) => "expired",
            Refused::NotValid(_) => "not_valid",
            Refused::Unavailable(_) => "unavailable",
        }
    }
}

/// Settings of identity that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A secret that can be guessed.
    #[error(
        "`identity.jwt_secret` has {0} bytes; HS256 needs {SHORTEST_SECRET} at least: `openssl rand -hex 32` prints a good one"
    )]
    ShortSecret(usize),
    /// A file that does not hold what it should.
    #[error("`{setting}`, `{path}`: {message}", path = path.display())]
    File {
        /// Which setting names it.
        setting: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// An address that is none.
    #[error("`identity.jwks`: {0}")]
    Address(String),
}

/// How callers are known.
pub struct Identity {
    anonymous: bool,
    tokens: Option<Tokens>,
    api_keys: Option<ApiKeys>,
}

impl Identity {
    /// Reads the keys that lie in files. A key set that has to be fetched is not there before [`Identity::refresh`].
    ///
    /// # Errors
    /// When a secret is short, or a file does not hold what it should.
    pub fn open(config: &config::Identity) -> Result<Self, IdentityError> {
        let api_keys = config.api_keys_file.as_ref().map(|path| ApiKeys::open(path)).transpose()?;
        let tokens = config.accepts_tokens().then(|| Tokens::open(config)).transpose()?;
        Ok(Self { anonymous: config.anonymous, tokens, api_keys })
    }

    /// Whether requests without credentials are answered.
    pub fn allows_anonymous(&self) -> bool {
        self.anonymous
    }

    /// Whether there are credentials that would be accepted.
    pub fn knows_anybody(&self) -> bool {
        self.tokens.is_some() || self.api_keys.is_some()
    }

    /// The caller that credentials make. Bad credentials are never taken for none.
    ///
    /// # Errors
    /// When there is no caller; the request must not be answered.
    pub async fn caller(&self, credentials: Credentials<'_>) -> Result<Caller, Refused> {
        match (credentials.authorization, credentials.api_key) {
            (None, None) if self.anonymous => Ok(Caller::default()),
            (None, None) => Err(Refused::Missing),
            (Some(_), Some(_)) => Err(Refused::NotValid("a token and an API key at once".to_owned())),
            (Some(authorization), None) => {
                let token = bearer(authorization)?;
                let tokens = self.tokens.as_ref().ok_or_else(|| Refused::NotValid("tokens are not accepted here".to_owned()))?;
                tokens.caller(token).await
            }
            (None, Some(key)) => {
                let keys = self.api_keys.as_ref().ok_or_else(|| Refused::NotValid("API keys are not accepted here".to_owned()))?;
                keys.caller(key, Timestamp::now())
            }
        }
    }

    /// Fetches the key set where it has to be fetched.
    ///
    /// # Errors
    /// What went wrong; the keys there were stay.
    pub async fn refresh(&self) -> Result<(), String> {
        match self.tokens.as_ref().and_then(Tokens::key_set) {
            Some(set) => set.refresh().await,
            None => Ok(()),
        }
    }

    async fn look_again(&self) {
        if let Some(set) = self.tokens.as_ref().and_then(Tokens::key_set) {
            set.look_again().await;
        }
        if let Some(keys) = &self.api_keys {
            keys.look_again();
        }
    }
}

/// How often files are looked at, and whether a key set is due.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps keys current for as long as somebody else holds the identity.
pub async fn keep_current(identity: Arc<Identity>) {
    let identity = {
        let weak = Arc::downgrade(&identity);
        drop(identity);
        weak
    };
    loop {
        tokio::time::sleep(LOOK).await;
        match identity.upgrade() {
            Some(identity) => identity.look_again().await,
            None => return,
        }
    }
}

/// The token of an `authorization` header.
fn bearer(authorization: &str) -> Result<&str, Refused> {
    match authorization.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        Some(_) | None => Err(Refused::NotValid("`authorization` does not begin with `Bearer`".to_owned())),
    }
}
