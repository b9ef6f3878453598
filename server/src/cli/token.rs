//! `holdfast token`

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use holdfast_schema::value::Value;
use jiff::Timestamp;

use super::{
    Failure, Outcome, Settings, say,
    settings::{Common, Global},
    show,
};
use crate::{
    config::read,
    identity::{
        self,
        mint::{self, TokenFacts},
    },
};

/// How long a token for development holds.
const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Who: the claim `sub`; of an API key its name.
    #[arg(long, value_name = "NAME")]
    subject: String,
    /// A role; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A claim: `regions=EMEA` is a text, `desk:=7` is JSON. The same name several times makes a list.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// How long it holds, such as `30m` or `720h` [default: 1h; API keys have no end].
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Make an API key instead of a token: prints the entry for `identity.api_keys_file`, and the key itself to standard error, once.
    #[arg(long)]
    api_key: bool,
}

/// Prints new credentials.
pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &Common::default(), Vec::new())?;
    let caller = identity::caller_of(arguments.subject.clone(), arguments.roles.clone(), claims(&arguments.claims)?);
    if caller.subject.is_empty() {
        return Err(Failure::usage("`--subject` must say who it is"));
    }
    let now = Timestamp::now();
    let until = |span: Duration| now.checked_add(span).map_err(|_| Failure::usage("`--expires` is too far away"));
    let expires = match &arguments.expires {
        None => None,
        Some(text) => {
            let span = read::duration(text);
            let span =
                span.ok_or_else(|| Failure::usage(format!("`--expires`: found `{text}`, expected a time such as `30m` or `1h`")))?;
            Some(until(span)?)
        }
    };
    if arguments.api_key {
        let (key, entry) = mint::api_key(&caller, expires).ok_or_else(|| Failure::outside("the system gives no random numbers"))?;
        say(&entry)?;
        show(&format!("The key, which is not shown again; send it as `x-api-key`:\n{key}\n"));
        return Ok(Outcome::Well);
    }
    let identity = &settings.config.identity;
    let secret = identity.jwt_secret.as_ref().ok_or_else(|| {
        Failure::usage(
            "there is nothing to sign with: set `identity.jwt_secret` (HOLDFAST_IDENTITY_JWT_SECRET) for this command and the \
             server; `openssl rand -hex 32` prints a good one",
        )
    })?;
    let facts = TokenFacts {
        expires: expires.map_or_else(|| until(HOUR), Ok)?,
        issued: now,
        issuer: identity.issuers.first().cloned(),
        audience: identity.audiences.first().cloned(),
        roles_claim: identity.roles_claim.clone(),
    };
    say(&mint::token(secret, &caller, &facts).map_err(Failure::usage)?)?;
    Ok(Outcome::Well)
}

fn claims(written: &[String]) -> Result<BTreeMap<String, Vec<Value>>, Failure> {
    let mut claims: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for claim in written {
        let wrong = |what: &str| Failure::usage(format!("`--claim {claim}`: {what}"));
        let (name, value) = claim.split_once('=').ok_or_else(|| wrong("expected `name=text` or `name:=json`"))?;
        let (name, values) = match name.strip_suffix(':') {
            None => (name, vec![Value::Text(value.to_owned())]),
            Some(name) => {
                let values = identity::claim_of_json(value);
                (name, values.ok_or_else(|| wrong("expected a text, a number, `true`, `false`, or a list of such as JSON"))?)
            }
        };
        if name.is_empty() {
            return Err(wrong("the name is missing"));
        }
        claims.entry(name.to_owned()).or_default().extend(values);
    }
    Ok(claims)
}
