//! API keys in a file.

use std::fs;

use holdfast_schema::value::Value;
use tempfile::TempDir;

use super::*;
use crate::identity::{caller_of, mint};

fn written(text: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.toml");
    fs::write(&file, text).expect("written");
    (folder, file)
}

async fn asked(identity: &Identity, key: &str) -> Result<Caller, Refused> {
    identity.caller(Credentials { authorization: None, api_key: Some(key) }).await
}

fn bot() -> Caller {
    let text = |text: &str| Value::Text(text.to_owned());
    let claims = [
        ("regions", vec![text("EMEA"), text("say \"APAC\"\n")]),
        ("desk", vec![Value::Int(7)]),
        ("share", vec![Value::Decimal("0.1000000000000000000001".to_owned())]),
        ("lead", vec![Value::Bool(true)]),
        ("none", vec![]),
    ];
    let claims = claims.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
    caller_of("bi \"bot\"".to_owned(), vec!["csm".to_owned()], claims)
}

#[tokio::test]
async fn a_minted_key_makes_the_caller_it_was_made_for_and_is_kept_as_a_hash() {
    let (key, entry) = mint::api_key(&bot(), None).expect("random numbers");
    assert!(key.starts_with("hf_") && key.len() == 46, "{key}");
    assert!(!entry.contains(&key[3..]), "{entry}");
    let (other, other_entry) = mint::api_key(&caller_of("other".to_owned(), vec![], Default::default()), None).expect("random");
    let (_folder, file) = written(&format!("{entry}\n{other_entry}"));
    let identity = identity(&[("api_keys_file", &file.to_string_lossy())]);
    assert_eq!(asked(&identity, &key).await, Ok(bot()));
    assert_eq!(asked(&identity, &other).await.map(|caller| caller.subject), Ok("other".to_owned()));
    let long = "x".repeat(10_000);
    for wrong in ["", "hf_", &key[..key.len() - 1], &format!("{key}x"), &key.to_uppercase(), &format!(" {key}"), &long] {
        assert_eq!(asked(&identity, wrong).await.map_err(|refused| refused.label()), Err("not_valid"), "{wrong}");
    }
    let hash = entry.lines().find_map(|line| line.strip_prefix("sha256 = ")).expect("the entry has a hash").trim_matches('"');
    assert_eq!(asked(&identity, hash).await.map_err(|refused| refused.label()), Err("not_valid"), "the hash is not the key");
    assert_eq!(outcome(&identity, &key).await, "not_valid", "a key is no token");
}

#[tokio::test]
async fn a_key_ends_when_it_says_and_is_gone_when_it_is_taken_out() {
    let at = |from_now| jiff::Timestamp::from_second(seconds(from_now)).expect("an instant");
    let minted = |name: &str, from_now| mint::api_key(&caller_of(name.to_owned(), vec![], Default::default()), Some(at(from_now)));
    let (ended, ended_entry) = minted("ended", -5).expect("random");
    let (running, running_entry) = minted("running", 600).expect("random");
    let (_folder, file) = written(&format!("{ended_entry}{running_entry}"));
    let identity = identity(&[("api_keys_file", &file.to_string_lossy())]);
    assert_eq!(asked(&identity, &ended).await.map_err(|refused| refused.label()), Err("expired"));
    assert!(asked(&identity, &running).await.is_ok());
    fs::write(&file, "[[key]]\nname = 1\n").expect("written");
    identity.look_again().await;
    assert!(asked(&identity, &running).await.is_ok(), "a file that cannot be used changes nothing");
    fs::write(&file, &ended_entry).expect("written");
    identity.look_again().await;
    assert_eq!(asked(&identity, &running).await.map_err(|refused| refused.label()), Err("not_valid"));
}

#[test]
fn mistakes_in_the_file_are_told_with_the_entry() {
    let hash = "0".repeat(64);
    for (text, expected) in [
        ("key = 1", "[[key]]"),
        ("keys = []", "unknown `keys`"),
        ("[[key]]\nsha256 = \"HASH\"", "key 1: `name`"),
        ("[[key]]\nname = \"a\"", "`sha256`"),
        ("[[key]]\nname = \"a\"\nsha256 = \"abc\"", "64 hexadecimal digits"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nrole = \"csm\"", "unknown `role`"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nroles = \"csm\"", "`roles` must be a list"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nroles = [1]", "`roles` must be a list"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nexpires = \"soon\"", "`expires`"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nexpires = 2027-01-01", "`expires`"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nclaims = {x = 0.5}", "claim `x`: numbers with a point"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nclaims = {x = [[1]]}", "a list in a list"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\nclaims = {x = {decimal = \"1e3\"}}", "not a decimal"),
        ("[[key]]\nname = \"a\"\nsha256 = \"HASH\"\n[[key]]\nname = \"b\"\nsha256 = \"HASH\"", "key 2: name or hash"),
        ("[[key", ""),
    ] {
        let (_folder, file) = written(&text.replace("HASH", &hash));
        let error = open(&[("api_keys_file", &file.to_string_lossy())]).err().unwrap_or_else(|| panic!("{text}")).to_string();
        assert!(error.contains(expected) && error.contains("identity.api_keys_file"), "{text}: {error}");
    }
}
