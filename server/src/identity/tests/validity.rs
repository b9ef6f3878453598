//! Times, issuers, audiences, and headers that are no credentials.

use serde_json::json;

use super::*;

async fn check(section: &[(&str, &str)], cases: &[(Json, &str)]) {
    let mut all = vec![("jwt_secret", SECRET)];
    all.extend(section);
    let identity = identity(&all);
    for (claims, expected) in cases {
        assert_eq!(outcome(&identity, &Signer::secret().token(&ann_with(claims.clone()))).await, *expected, "{section:?} {claims}");
    }
}

#[tokio::test]
async fn a_token_holds_from_its_beginning_to_its_end_and_clocks_may_differ_a_little() {
    check(
        &[("leeway", "10s")],
        &[
            (json!({"exp": seconds(-5)}), "ann"),
            (json!({"exp": seconds(-60)}), "expired"),
            (json!({"exp": null}), "not_valid"),
            (json!({"exp": "tomorrow"}), "not_valid"),
            (json!({"exp": seconds(60).to_string()}), "not_valid"),
            (json!({"exp": -1}), "not_valid"),
            (json!({"exp": 0}), "expired"),
            (json!({"exp": seconds(60) as f64 + 0.5}), "ann"),
            (json!({"nbf": seconds(5)}), "ann"),
            (json!({"nbf": seconds(60)}), "not_valid"),
            (json!({"nbf": "later"}), "not_valid"),
            (json!({"nbf": seconds(-60)}), "ann"),
        ],
    )
    .await;
    check(&[("leeway", "0s")], &[(json!({"exp": seconds(-5)}), "expired"), (json!({"nbf": seconds(5)}), "not_valid")]).await;
    check(&[("leeway", "24h")], &[(json!({"exp": seconds(-3_600)}), "expired")]).await;
}

#[tokio::test]
async fn a_token_that_is_expired_and_forged_is_not_said_to_be_expired() {
    let identity = identity(&[("jwt_secret", SECRET)]);
    let forged = Signer::Secret(vec![b'x'; 32]).token(&ann_with(json!({"exp": seconds(-600)})));
    assert_eq!(outcome(&identity, &forged).await, "not_valid");
}

#[tokio::test]
async fn issuer_and_audience_are_checked_where_they_are_set() {
    check(
        &[("audience", "holdfast, reports")],
        &[
            (json!({"aud": "holdfast"}), "ann"),
            (json!({"aud": ["x", "reports"]}), "ann"),
            (json!({"aud": "other"}), "not_valid"),
            (json!({"aud": []}), "not_valid"),
            (json!({"aud": 1}), "not_valid"),
            (json!({}), "not_valid"),
        ],
    )
    .await;
    check(
        &[("issuer", "https://id.example.com/")],
        &[
            (json!({"iss": "https://id.example.com/"}), "ann"),
            (json!({"iss": "https://id.example.com"}), "not_valid"),
            (json!({"iss": ["x"]}), "not_valid"),
            (json!({"iss": 1}), "not_valid"),
            (json!({}), "not_valid"),
        ],
    )
    .await;
    check(&[], &[(json!({"aud": "anything", "iss": "anyone"}), "ann")]).await;
}

#[tokio::test]
async fn a_token_without_a_subject_or_with_odd_roles_makes_no_caller() {
    check(&[], &[(json!({"sub": null}), "not_valid"), (json!({"sub": 7}), "not_valid"), (json!({"roles": 7}), "not_valid")]).await;
    check(&[("roles_claim", "realm_access.roles")], &[(json!({"realm_access": {"roles": "csm"}}), "ann")]).await;
}

#[tokio::test]
async fn bad_credentials_are_never_taken_for_none() {
    let token = Signer::secret().token(&ann());
    let bearer = format!("Bearer {token}");
    let lower = format!("bearer   {token} ");
    for anonymous in ["true", "false"] {
        let identity = identity(&[("jwt_secret", SECRET), ("anonymous", anonymous)]);
        let outcome = async |authorization: Option<&str>, api_key: Option<&str>| match identity
            .caller(Credentials { authorization, api_key })
            .await
        {
            Ok(caller) => caller.subject,
            Err(refused) => refused.label().to_owned(),
        };
        assert_eq!(outcome(Some(&bearer), None).await, "ann");
        assert_eq!(outcome(Some(&lower), None).await, "ann");
        for authorization in ["", " ", "Bearer", "Bearer ", "Basic YTpi", &token, "Bearer Bearer x"] {
            assert_eq!(outcome(Some(authorization), None).await, "not_valid", "{authorization}");
        }
        assert_eq!(outcome(Some(&bearer), Some("hf_x")).await, "not_valid", "two credentials");
        for key in ["", "hf_x"] {
            assert_eq!(outcome(None, Some(key)).await, "not_valid", "no keys are accepted here");
        }
        assert_eq!(outcome(None, None).await, if anonymous == "true" { "" } else { "missing" });
    }
    let nobody = identity(&[("anonymous", "true")]);
    assert_eq!(super::outcome(&nobody, &token).await, "not_valid", "a token is not ignored where none is accepted");
}
