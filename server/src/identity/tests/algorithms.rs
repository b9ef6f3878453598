//! Signatures: each algorithm, and what somebody tries who has no key.

use serde_json::json;

use super::*;

fn all() -> [(Identity, Signer); 3] {
    [
        (identity(&[("jwt_secret", SECRET)]), Signer::secret()),
        (identity(&[("jwt_public_key_file", &path("rsa-a.public.pem"))]), Signer::rsa("rsa-a.private.pem")),
        (identity(&[("jwt_public_key_file", &path("p256-a.public.pem"))]), Signer::p256("p256-a.private.pem")),
    ]
}

#[tokio::test]
async fn a_token_of_each_algorithm_makes_its_caller() {
    for (identity, signer) in all() {
        let caller = asked_with(&identity, &signer.token(&ann())).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((caller.subject.as_str(), caller.roles.as_slice()), ("ann", &["csm".to_owned()][..]));
        assert_eq!(caller.claims["regions"], [holdfast_schema::value::Value::Text("EMEA".into())]);
        assert_eq!(caller.claims.len(), 2, "`sub` and `regions`: {:?}", caller.claims);
    }
}

#[tokio::test]
async fn a_token_of_another_key_or_algorithm_is_not_valid() {
    let others = [Signer::Secret(vec![b'x'; 32]), Signer::rsa("rsa-b.private.pem"), Signer::new_p256()];
    let identities = all();
    for (index, (identity, _)) in identities.iter().enumerate() {
        for other in &others {
            assert_eq!(outcome(identity, &other.token(&ann())).await, "not_valid", "{index} {}", other.algorithm());
        }
        for (other_index, (_, signer)) in identities.iter().enumerate().filter(|(other, _)| *other != index) {
            assert_eq!(outcome(identity, &signer.token(&ann())).await, "not_valid", "{index} {other_index}");
        }
    }
}

#[tokio::test]
async fn a_public_key_is_never_a_secret() {
    for name in ["rsa-a.public.pem", "p256-a.public.pem"] {
        let identity = identity(&[("jwt_public_key_file", &path(name))]);
        let pem = std::fs::read(path(name)).expect("a key");
        let trimmed = String::from_utf8_lossy(&pem).trim().as_bytes().to_vec();
        let mut der = Vec::new();
        if let Ok(Some(rustls_pemfile::Item::SubjectPublicKeyInfo(info))) = rustls_pemfile::read_one(&mut pem.as_slice()) {
            der = info.to_vec();
        }
        assert!(!der.is_empty());
        // The key in every form that a careless server might hold it in.
        for secret in [pem, trimmed, der.clone(), der[24..].to_vec(), der[26..].to_vec()] {
            assert_eq!(outcome(&identity, &Signer::Secret(secret).token(&ann())).await, "not_valid", "{name}");
        }
    }
}

#[tokio::test]
async fn the_header_does_not_choose_the_algorithm() {
    for (identity, signer) in all() {
        for algorithm in ["none", "None", "NONE", "", "HS384", "HS512", "RS384", "PS256", "ES384", "EdDSA", "hs256"] {
            let token = signer.token_with(&json!({"alg": algorithm}), &ann());
            assert_eq!(outcome(&identity, &token).await, "not_valid", "{algorithm}");
            let (message, _) = token.rsplit_once('.').expect("a token has points");
            assert_eq!(outcome(&identity, &format!("{message}.")).await, "not_valid", "{algorithm} without a signature");
        }
        let own = signer.token(&ann());
        for other in ["HS256", "RS256", "ES256"].into_iter().filter(|other| *other != signer.algorithm()) {
            let token = signer.token_with(&json!({"alg": other}), &ann());
            assert_eq!(outcome(&identity, &token).await, "not_valid", "{other}");
        }
        let embedded = json!({"alg": signer.algorithm(), "jwk": Signer::new_p256().member("x"), "jku": "http://127.0.0.1:1/"});
        assert_eq!(outcome(&identity, &signer.token_with(&embedded, &ann())).await, "ann", "keys in headers are not looked at");
        assert_eq!(outcome(&identity, &own).await, "ann");
    }
    let forger = Signer::new_p256();
    let identity = identity(&[("jwt_public_key_file", &path("p256-a.public.pem"))]);
    let token = forger.token_with(&json!({"alg": "ES256", "jwk": forger.member("x")}), &ann());
    assert_eq!(outcome(&identity, &token).await, "not_valid");
}

#[tokio::test]
async fn what_is_changed_or_no_token_at_all_is_not_valid() {
    let (identity, signer) = (identity(&[("jwt_secret", SECRET)]), Signer::secret());
    let token = signer.token(&ann());
    let parts: Vec<&str> = token.split('.').collect();
    let other = signer.token(&ann_with(json!({"roles": ["admin"]})));
    let other: Vec<&str> = other.split('.').collect();
    let long = signer.token(&ann_with(json!({"padding": "x".repeat(20_000)})));
    for wrong in [
        "",
        ".",
        "..",
        "a.b.c",
        "null",
        &parts[..2].join("."),
        &format!("{token}."),
        &format!("{token}.{}", parts[2]),
        &format!("{token}A"),
        &token[..token.len() - 2],
        &format!("{}.{}.{}", parts[0], other[1], parts[2]),
        &format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        &format!("{} .{}.{}", parts[0], parts[1], parts[2]),
        &long,
        &"\u{1F980}".repeat(10),
    ] {
        assert_eq!(outcome(&identity, wrong).await, "not_valid", "{}", wrong.chars().take(60).collect::<String>());
    }
    for header in [json!({"alg": "HS256", "crit": ["exp"]}), json!({}), json!([]), json!("HS256")] {
        assert_eq!(outcome(&identity, &signer.token_with(&header, &ann())).await, "not_valid", "{header}");
    }
    for claims in [json!([]), json!("ann"), json!(1), json!(null)] {
        assert_eq!(outcome(&identity, &signer.token(&claims)).await, "not_valid", "{claims}");
    }
}

#[tokio::test]
async fn the_reason_in_the_log_is_short_and_on_one_line() {
    let identity = identity(&[("jwt_secret", SECRET)]);
    let header = json!({"alg": format!("x\n2026 INFO all is well {}", "y".repeat(5_000))});
    let refused = asked_with(&identity, &Signer::secret().token_with(&header, &ann())).await.expect_err("no such algorithm");
    let reason = refused.to_string();
    assert!(reason.len() < 300 && !reason.contains('\n'), "{reason}");
}

#[test]
fn keys_that_cannot_be_used_are_told_when_the_server_starts() {
    let wrong = |section: &[(&str, &str)]| open(section).err().unwrap_or_else(|| panic!("{section:?}")).to_string();
    assert!(wrong(&[("jwt_secret", "short")]).contains("5 bytes"));
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.pem");
    std::fs::write(&text, "no key").expect("written");
    for (file, expected) in [
        (path("rsa-a.private.pem"), "a private key"),
        (path("rsa-1024.public.pem"), "1024 bits"),
        (path("p384.public.pem"), "neither RSA nor on the curve P-256"),
        (text.to_string_lossy().into_owned(), "found nothing"),
        (path("nowhere.pem"), "No such file"),
    ] {
        let message = wrong(&[("jwt_public_key_file", &file)]);
        assert!(message.contains(expected) && message.contains(&file), "{message}");
    }
    assert!(wrong(&[("jwks", "https://")]).contains("https://example.com"));
}
