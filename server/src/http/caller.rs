//! Headers of a request → who asks, or the problem that nobody does.

use holdfast_schema::query::Caller;
use poem::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::{
    config::secret::Secret,
    identity::{Credentials, Identity, Refused},
};

/// The header of API keys.
pub(super) const API_KEY: &str = "x-api-key";

/// Who asks. The log says why nobody does; the client learns little.
pub(super) async fn of_headers(identity: &Identity, headers: &HeaderMap) -> Result<Caller, Problem> {
    Proof::of_headers(headers)?.caller(identity).await
}

/// What a client has sent to prove who it is, kept for as long as it listens: credentials expire, and keys are taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Proof {
    authorization: Option<Secret>,
    api_key: Option<Secret>,
}

impl Proof {
    /// From headers.
    pub(super) fn of_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let Credentials { authorization, api_key } = credentials(headers).map_err(refuse)?;
        let kept = |text: Option<&str>| text.map(|text| Secret::new(text.to_owned()));
        Ok(Self { authorization: kept(authorization), api_key: kept(api_key) })
    }

    /// From the first message of a socket, whose page cannot send headers: the same names. `None` when it has neither.
    pub(super) fn of_payload(payload: &Map<String, Value>) -> Result<Option<Self>, Problem> {
        let only = |name: &str| {
            let mut found = payload.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (None, _) => Ok(None),
                (Some((_, Value::String(text))), None) => Ok(Some(Secret::new(text.clone()))),
                (Some(_), _) => Err(refuse(Refused::NotValid(format!("`{name}` of the payload is not one text")))),
            }
        };
        let found = Self { authorization: only(header::AUTHORIZATION.as_str())?, api_key: only(API_KEY)? };
        Ok((found != Self::default()).then_some(found))
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Who it makes the client.
    pub(super) async fn caller(&self, identity: &Identity) -> Result<Caller, Problem> {
        fn shown(secret: &Option<Secret>) -> Option<&str> {
            secret.as_ref().map(Secret::expose)
        }
        let credentials = Credentials { authorization: shown(&self.authorization), api_key: shown(&self.api_key) };
        identity.caller(credentials).await.map_err(refuse)
    }
}

/// Tells the log, and counts.
fn refuse(refused: Refused) -> Problem {
    metrics::counter!("holdfast_identity_refused_total", "reason" => refused.label()).increment(1);
    match &refused {
        // Browsers and health checks come without; that is nothing to look at.
        Refused::Missing => tracing::debug!("request refused: no credentials"),
        Refused::Expired(_) | Refused::NotValid(_) => tracing::info!(reason = %refused, "request refused: credentials"),
        Refused::Unavailable(_) => tracing::error!(reason = %refused, "request refused: credentials"),
    }
    Problem::Unauthenticated(refused)
}

/// The credentials among headers. Two of a kind are none: which of them somebody in between has looked at is not known.
fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Refused> {
    let only = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| Refused::NotValid(format!("`{name}` is not plain text"))),
            (Some(_), Some(_)) => Err(Refused::NotValid(format!("`{name}` is there more than once"))),
        }
    };
    Ok(Credentials { authorization: only(header::AUTHORIZATION.as_str())?, api_key: only(API_KEY)? })
}
