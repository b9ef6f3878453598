//! Tokens that we sign ourselves.

use holdfast_schema::value::Value;

use super::*;
use crate::{
    config::secret::Secret,
    identity::{
        caller_of,
        mint::{self, TokenFacts},
    },
};

fn facts(roles_claim: &str) -> TokenFacts {
    let at = |from_now| jiff::Timestamp::from_second(seconds(from_now)).expect("an instant");
    TokenFacts {
        expires: at(60),
        issued: at(0),
        issuer: Some("us".to_owned()),
        audience: Some("holdfast".to_owned()),
        roles_claim: roles_claim.to_owned(),
    }
}

#[tokio::test]
async fn a_token_for_development_makes_the_caller_it_was_made_for() {
    let claims = [
        ("regions", vec![Value::Text("EMEA".into()), Value::Text("\"APAC\"".into())]),
        ("share", vec![Value::Decimal("0.1000000000000000000001".into())]),
        ("desk", vec![Value::Int(7)]),
        ("lead", vec![Value::Bool(false)]),
    ];
    let claims = claims.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
    let ann = caller_of("ann".to_owned(), vec!["lead".to_owned(), "csm".to_owned()], claims);
    for roles_claim in ["roles", "realm_access.roles", "https://example.com/roles"] {
        let token = mint::token(&Secret::new(SECRET.to_owned()), &ann, &facts(roles_claim)).expect("signed");
        let section =
            [("jwt_secret", SECRET), ("issuer", "us"), ("audience", "holdfast"), ("roles_claim", roles_claim), ("leeway", "0s")];
        let caller = asked_with(&identity(&section), &token).await.expect("valid");
        assert_eq!((&caller.subject, &caller.roles), (&ann.subject, &ann.roles), "{roles_claim}");
        for (name, values) in &ann.claims {
            assert_eq!(caller.claims.get(name), Some(values), "{roles_claim} {name}");
        }
    }
}

#[test]
fn nothing_is_signed_that_the_server_would_not_take() {
    let short = mint::token(&Secret::new("short".to_owned()), &Caller::default(), &facts("roles"));
    assert_eq!(short, Err(IdentityError::ShortSecret(5)));
}
