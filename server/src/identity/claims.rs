//! Claims of a token, or of whoever explains a question as somebody else → the caller that policies speak of.

use std::collections::BTreeMap;

use holdfast_schema::{
    query::Caller,
    value::{Value, canonical_decimal},
};

use super::exact::{self, Exact};

/// What tells about a token and not about a caller. Policies have no use for it, and questions of one caller would differ by it.
const ABOUT_THE_TOKEN: [&str; 12] =
    ["iss", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "sid", "at_hash", "c_hash", "azp"];

/// The claim that says who a caller is.
pub(super) const SUBJECT: &str = "sub";

/// The caller of a JSON object of claims; otherwise what is wrong with it.
///
/// `sub` is who they are. `roles_claim` names the roles, which may stand in objects (`realm_access.roles`). Everything else that is a
/// value or a list of values is a claim; objects, nulls, and numbers with an exponent are none. Claims keep their values: a date is a
/// text until a policy compares it with a date.
pub(crate) fn caller(json: &str, roles_claim: &str) -> Result<Caller, String> {
    let members = exact::object(json).map_err(|error| format!("the claims are not a JSON object: {error}"))?;
    let subject = match find(&members, SUBJECT) {
        Some(Exact::Text(subject)) if !subject.is_empty() => subject.clone(),
        Some(_) => return Err("`sub` is not a text".to_owned()),
        None => return Err("`sub` is missing".to_owned()),
    };
    let roles = match find_path(&members, roles_claim) {
        None | Some(Exact::Null) => Vec::new(),
        // A policy for a role restricts those who have it, so roles that cannot be read must not be taken for none.
        Some(value) => roles(value).ok_or_else(|| format!("`{roles_claim}` is neither a text nor a list of texts"))?,
    };
    let claims = members.iter().filter(|(name, _)| name != roles_claim && !ABOUT_THE_TOKEN.contains(&name.as_str()));
    let claims = claims.filter_map(|(name, value)| Some((name.clone(), values(value)?))).collect();
    Ok(made(subject, roles, claims))
}

/// A caller in the one form that it has: roles in their order, each once, and who they are as a claim too, for policies.
pub(crate) fn made(subject: String, mut roles: Vec<String>, mut claims: BTreeMap<String, Vec<Value>>) -> Caller {
    roles.sort();
    roles.dedup();
    claims.insert(SUBJECT.to_owned(), readable(&subject).map(Value::Text).into_iter().collect());
    Caller { subject, roles, claims, ..Caller::default() }
}

fn find<'a>(members: &'a [(String, Exact)], name: &str) -> Option<&'a Exact> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// A member by its whole name, which may have points in it (`https://example.com/roles`), or by a way through objects.
fn find_path<'a>(members: &'a [(String, Exact)], path: &str) -> Option<&'a Exact> {
    if let Some(value) = find(members, path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    match find(members, first)? {
        Exact::Object(members) => find_path(members, rest),
        Exact::Null | Exact::Bool(_) | Exact::Number(_) | Exact::Text(_) | Exact::List(_) => None,
    }
}

fn roles(value: &Exact) -> Option<Vec<String>> {
    match value {
        Exact::Text(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        Exact::List(items) => items
            .iter()
            .map(|item| match item {
                Exact::Text(role) => Some(role.clone()),
                Exact::Null | Exact::Bool(_) | Exact::Number(_) | Exact::List(_) | Exact::Object(_) => None,
            })
            .collect(),
        Exact::Null | Exact::Bool(_) | Exact::Number(_) | Exact::Object(_) => None,
    }
}

/// A claim as a list of values; `None` where something in it is no value, because a part of a claim is another claim.
fn values(value: &Exact) -> Option<Vec<Value>> {
    match value {
        Exact::List(items) => items.iter().map(scalar).collect(),
        Exact::Null | Exact::Bool(_) | Exact::Number(_) | Exact::Text(_) | Exact::Object(_) => Some(vec![scalar(value)?]),
    }
}

/// One value of JSON; `None` where it is something else.
pub(crate) fn value(json: &str) -> Option<Vec<Value>> {
    let members = exact::object(&format!("{{\"value\": {json}}}")).ok()?;
    match members.as_slice() {
        [(_, value)] => values(value),
        _ => None,
    }
}

fn scalar(value: &Exact) -> Option<Value> {
    match value {
        Exact::Bool(value) => Some(Value::Bool(*value)),
        Exact::Number(digits) => match digits.parse() {
            Ok(whole) => Some(Value::Int(whole)),
            Err(_) => canonical_decimal(digits).map(Value::Decimal),
        },
        Exact::Text(text) => readable(text).map(Value::Text),
        Exact::Null | Exact::List(_) | Exact::Object(_) => None,
    }
}

/// A text that a warehouse can hold: PostgreSQL fails a statement with the character zero in it.
pub(super) fn readable(text: &str) -> Option<String> {
    (!text.contains('\0')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Vec<(String, Vec<Value>)> {
        let caller = caller(json, "roles").unwrap_or_else(|error| panic!("{error}"));
        caller.claims.into_iter().filter(|(name, _)| name != "sub").collect()
    }

    #[test]
    fn every_value_and_list_of_values_is_a_claim_with_all_its_digits() {
        let text = |text: &str| Value::Text(text.to_owned());
        let found = claims(
            r#"{"sub": "ann", "regions": ["EMEA", "APAC"], "desk": 7, "share": 0.10000000000000000000001, "huge": 98765432109876543210,
                "lead": true, "since": "2025-01-31", "nothing": null, "odd": [1, {}], "deep": {"x": 1}, "power": 1e3, "zero": "a\u0000b",
                "none": [], "exp": 1, "aud": "holdfast"}"#,
        );
        let expected = [
            ("desk", vec![Value::Int(7)]),
            ("huge", vec![Value::Decimal("98765432109876543210".into())]),
            ("lead", vec![Value::Bool(true)]),
            ("none", vec![]),
            ("regions", vec![text("EMEA"), text("APAC")]),
            ("share", vec![Value::Decimal("0.10000000000000000000001".into())]),
            ("since", vec![text("2025-01-31")]),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn roles_are_words_or_a_list_wherever_they_stand() {
        for (json, path, roles) in [
            (r#"{"sub": "a", "roles": "csm  lead"}"#, "roles", &["csm", "lead"][..]),
            (r#"{"sub": "a", "roles": ["lead", "csm", "csm"]}"#, "roles", &["csm", "lead"]),
            (r#"{"sub": "a", "realm_access": {"roles": ["csm"]}}"#, "realm_access.roles", &["csm"]),
            (r#"{"sub": "a", "https://example.com/roles": ["csm"]}"#, "https://example.com/roles", &["csm"]),
            (r#"{"sub": "a", "roles": null}"#, "roles", &[]),
            (r#"{"sub": "a"}"#, "roles", &[]),
        ] {
            assert_eq!(caller(json, path).map(|caller| caller.roles), Ok(roles.iter().map(|role| (*role).to_owned()).collect()));
        }
    }

    #[test]
    fn roles_that_cannot_be_read_are_not_taken_for_none() {
        for roles in ["1", "true", "{}", "[1]", "[\"csm\", null]"] {
            assert!(caller(&format!("{{\"sub\": \"a\", \"roles\": {roles}}}"), "roles").is_err(), "{roles}");
        }
        for claims in ["{}", "{\"sub\": 1}", "{\"sub\": \"\"}", "[]", "ann"] {
            assert!(caller(claims, "roles").is_err(), "{claims}");
        }
    }
}
