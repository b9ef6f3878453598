//! Key sets that change, in files and at addresses.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// Something that gives keys away over HTTP.
struct Issuer {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start(body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/keys.json", listener.local_addr().expect("an address"));
        let answer = Arc::new(Mutex::new((200, body)));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&asked));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut request = [0; 4_096];
                let read = stream.read(&mut request).await.expect("a request");
                assert!(request[..read].starts_with(b"GET /keys.json HTTP/1.1\r\n"));
                count.fetch_add(1, Ordering::SeqCst);
                let (status, body) = answers.lock().expect("not poisoned").clone();
                let head = format!("HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\ncontent-length: {}\r\n\r\n", body.len());
                // The client may be gone: it does not read more than it has to.
                stream.write_all(format!("{head}{body}").as_bytes()).await.ok();
            }
        });
        Self { url, answer, asked }
    }

    fn answers(&self, status: u16, body: String) {
        *self.answer.lock().expect("not poisoned") = (status, body);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn keys_of_a_set_are_chosen_by_name_and_the_rest_of_it_is_ignored() {
    let (rsa, curve, stranger) = (Signer::rsa("rsa-a.private.pem"), Signer::p256("p256-a.private.pem"), Signer::new_p256());
    let encryption = json!({"kty": "RSA", "kid": "enc", "use": "enc", "n": rsa.member("")["n"], "e": "AQAB"});
    let mut other_algorithm = rsa.member("ps");
    other_algorithm["alg"] = json!("PS256");
    let members = [
        rsa.member("r"),
        curve.member("c"),
        Signer::secret().member("s"),
        encryption,
        other_algorithm,
        json!({"kty": "OKP", "crv": "X25519", "kid": "o", "x": "AA"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "short", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AA", "y": "AA"}),
        json!({"kty": 7}),
        json!("no key"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    fs::write(&file, set(&members)).expect("written");
    let file = file.to_string_lossy();
    for place in [file.as_ref(), &format!("file://{file}")] {
        let identity = identity(&[("jwks", place)]);
        assert_eq!(outcome(&identity, &rsa.token_of("r", &ann())).await, "ann");
        assert_eq!(outcome(&identity, &curve.token_of("c", &ann())).await, "ann");
        assert_eq!(outcome(&identity, &curve.token(&ann())).await, "ann", "a token that names no key is tried with all");
        for (signer, key) in [(&rsa, "enc"), (&rsa, "ps"), (&rsa, "c"), (&curve, "r"), (&stranger, "c"), (&stranger, "new")] {
            assert_eq!(outcome(&identity, &signer.token_of(key, &ann())).await, "not_valid", "{key}");
        }
        assert_eq!(outcome(&identity, &Signer::secret().token_of("s", &ann())).await, "not_valid", "a secret that all have");
    }
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes_and_kept_when_it_breaks() {
    let (old, new) = (Signer::new_p256(), Signer::new_p256());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    fs::write(&file, set(&[old.member("old")])).expect("written");
    let identity = identity(&[("jwks", &file.to_string_lossy())]);
    assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "ann");
    assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "not_valid");
    for broken in ["", "{}", "{\"keys\": []}", "no keys"] {
        fs::write(&file, broken).expect("written");
        identity.look_again().await;
        assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "ann", "{broken}");
    }
    fs::write(&file, set(&[new.member("new")])).expect("written");
    // Looked for just now: whoever makes up names of keys must not make the disk work.
    for _ in 0..20 {
        assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "not_valid");
    }
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "ann", "a key that is not known is looked for");
    assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "not_valid", "a key that was taken out is gone");
    fs::write(&file, set(&[old.member("old")])).expect("written");
    identity.look_again().await;
    assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "not_valid");
}

#[tokio::test]
async fn a_key_that_is_not_known_is_fetched_once_in_a_while() {
    let (old, new) = (Signer::new_p256(), Signer::new_p256());
    let issuer = Issuer::start(set(&[old.member("old")])).await;
    let identity = identity(&[("jwks", &issuer.url)]);
    assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "ann", "fetched when it is needed");
    assert_eq!(issuer.asked(), 1);
    issuer.answers(200, set(&[old.member("old"), new.member("new")]));
    // Fetched just now: whoever makes up names of keys must not make the issuer work.
    for _ in 0..20 {
        assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "not_valid");
    }
    assert_eq!(issuer.asked(), 1);
    identity.refresh().await.expect("the issuer answers");
    assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "ann");
    assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "ann");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_set_is_fetched_when_it_is_due_and_an_issuer_that_fails_changes_nothing() {
    let (old, new) = (Signer::new_p256(), Signer::new_p256());
    let issuer = Issuer::start(set(&[old.member("old")])).await;
    let identity = identity(&[("jwks", &issuer.url), ("jwks_refresh", "1s")]);
    identity.refresh().await.expect("the issuer answers");
    identity.look_again().await;
    assert_eq!(issuer.asked(), 1, "not due yet");
    for (status, body) in [
        (500, set(&[new.member("new")])),
        (302, set(&[new.member("new")])),
        (200, "<html>".to_owned()),
        (200, set(&[])),
        (200, "x".repeat(2 << 20)),
    ] {
        issuer.answers(status, body);
        let error = identity.refresh().await.expect_err("nothing to use");
        assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "ann", "{status}: {error}");
    }
    issuer.answers(200, set(&[new.member("new")]));
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    identity.look_again().await;
    assert_eq!(outcome(&identity, &new.token_of("new", &ann())).await, "ann");
    assert_eq!(outcome(&identity, &old.token_of("old", &ann())).await, "not_valid");
}

#[tokio::test]
async fn keys_that_were_never_fetched_are_no_reason_to_call_a_token_invalid() {
    let issuer = Issuer::start(String::new()).await;
    issuer.answers(503, String::new());
    let signer = Signer::new_p256();
    let identity = identity(&[("jwks", &issuer.url), ("jwt_secret", SECRET)]);
    assert_eq!(outcome(&identity, &signer.token_of("a", &ann())).await, "unavailable");
    assert_eq!(outcome(&identity, &Signer::secret().token(&ann())).await, "ann", "other keys hold");
    assert_eq!(outcome(&identity, &Signer::Secret(vec![1; 32]).token(&ann())).await, "not_valid");
    issuer.answers(200, set(&[signer.member("a")]));
    identity.refresh().await.expect("the issuer answers");
    assert_eq!(outcome(&identity, &signer.token_of("a", &ann())).await, "ann");
}
