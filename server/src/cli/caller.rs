//! Whom a command asks as: claims on the command line or in a file → a caller, by the same function as the claims of a token.

use std::fs;

use clap::Args;
use holdfast_schema::{model::Model, query::Caller};
use jiff::Timestamp;

use super::{Failure, Settings};
use crate::identity;

/// Whom a question is asked as.
#[derive(Debug, Args)]
pub(super) struct As {
    /// Ask as the caller that these claims make: JSON, or a file of it, such as `{"sub":"ann","roles":["csm"],"regions":["EMEA"]}`.
    #[arg(long = "as", value_name = "JSON|FILE")]
    claims: Option<String>,
}

impl As {
    /// The caller; somebody without roles and claims where nobody is named.
    pub(super) fn caller(&self, settings: &Settings) -> Result<Caller, Failure> {
        let Some(claims) = &self.claims else {
            return Ok(Caller::default());
        };
        let is_json = claims.trim_start().starts_with('{');
        let json = if is_json {
            claims.clone()
        } else {
            fs::read_to_string(claims).map_err(|error| Failure::usage(format!("`--as`: cannot read `{claims}`: {error}")))?
        };
        identity::caller_of_claims(&json, &settings.config.identity.roles_claim)
            .map_err(|error| Failure::usage(format!("`--as`: {error}")))
    }
}

/// A caller who asks today.
pub(super) fn today(model: &Model, caller: Caller) -> Caller {
    Caller { today: model.project.day_of(Timestamp::now()), ..caller }
}
