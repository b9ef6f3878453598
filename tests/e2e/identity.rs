//! Who asks, from their credentials to their numbers: the real program over both warehouses, and an issuer that changes its keys.

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{SinkExt as _, StreamExt as _};
use holdfast_tests::{
    binary::{Server, command},
    postgres::{Database, Postgres},
    tables::table,
};
use holdfast_warehouse::{
    embedded::folder,
    postgres::{
        Settings,
        load::{Existing, load},
    },
    table::Table,
};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

const DEFINITIONS: &str = "
project: sales
version: 1
---
entity: account
source: account
key: account_id
dimensions: {region: string, desk: int}
---
entity: sale
source: sale
key: sale_id
relationships: {account: {to: account, key: account_id}}
measures: {revenue: {sum: amount}}
---
metrics:
  revenue: {measure: sale.revenue}
---
view: selling
metrics: [revenue]
dimensions: [account.region]
---
policies:
  own_regions: {applies_to: account, rows: region in claims.regions}
  own_desk: {applies_to: account, roles: desk, rows: desk = claims.desk}
";

const SECRET: &str = "a secret of tests, which is long enough";
const QUESTION: &str = "{ selling(by: [{dimension: REGION}]) { rows { region revenue } totals { revenue } } }";

fn tables() -> Vec<Table> {
    vec![
        table("account", "account_id text, region text, desk int", "a1 emea 1\na2 emea 2\na3 apac 1\na4 amer 1"),
        table("sale", "sale_id int, account_id text, amount decimal", "1 a1 10.50\n2 a1 4.25\n3 a2 20\n4 a3 7.75\n5 a4 100"),
    ]
}

/// The same rows in both warehouses, and where each is.
struct Fixture {
    folder: TempDir,
    database: Database,
}

impl Fixture {
    async fn new() -> Self {
        let database = Postgres::shared().database().await;
        load(&Settings::new(&database.url), &tables(), Existing::Refuse).await.expect("PostgreSQL takes the tables");
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("model")).expect("a folder");
        fs::write(folder.path().join("model/sales.yaml"), DEFINITIONS).expect("written");
        folder::write(&folder.path().join("rows"), &tables()).expect("written");
        Self { folder, database }
    }

    fn warehouses(&self) -> [String; 2] {
        [self.database.url.clone(), format!("file://{}", self.folder.path().join("rows").display())]
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// A server that knows nobody yet.
    fn serve(&self, warehouse: &str) -> Command {
        command(self.folder.path(), &["serve", "--warehouse", warehouse, "--definitions", "model"])
    }

    /// What the answer has to be for a condition, by SQL written by hand: the rows and the total.
    async fn by_hand(&self, condition: &str) -> (Vec<Vec<String>>, Vec<String>) {
        let from = format!("from sale join account using (account_id) where {condition}");
        let rows = self.database.rows(&format!("select region, sum(amount) {from} group by region order by region")).await;
        let mut totals = self.database.rows(&format!("select sum(amount) {from}")).await;
        (rows, totals.remove(0))
    }
}

/// Prints a token with the program, as a developer does.
fn token(folder: &Path, words: &[&str]) -> String {
    let ran = command(folder, &["token"]).args(words).env("HOLDFAST_IDENTITY_JWT_SECRET", SECRET).output();
    let ran = ran.expect("the program can be started");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    format!("Bearer {}", String::from_utf8_lossy(&ran.stdout).trim())
}

#[tokio::test]
async fn callers_see_the_rows_and_sums_that_their_claims_let_through_on_both_warehouses() {
    let fixture = Fixture::new().await;
    let folder = fixture.folder.path();
    let made = command(folder, &["token", "--api-key", "--subject", "bot", "--claim", "regions=amer"]).output().expect("it runs");
    fs::write(folder.join("keys.toml"), &made.stdout).expect("written");
    let shown = String::from_utf8_lossy(&made.stderr).into_owned();
    let api_key = shown.lines().last().expect("the key is shown");
    let ann = token(folder, &["--subject", "ann", "--claim", "regions=emea"]);
    let bob = token(folder, &["--subject", "bob", "--claim", "regions=apac", "--claim", "regions=emea"]);
    let cid = token(folder, &["--subject", "cid", "--role", "desk", "--claim", "regions=emea", "--claim", "desk:=2"]);
    let dan = token(folder, &["--subject", "dan"]);
    let odd = token(folder, &["--subject", "odd", "--claim", "regions:=7"]);
    let vague = token(folder, &["--subject", "odd", "--role", "desk", "--claim", "regions=emea", "--claim", "desk=2"]);
    for warehouse in fixture.warehouses() {
        let mut serve = fixture.serve(&warehouse);
        serve.env("HOLDFAST_IDENTITY_JWT_SECRET", SECRET).env("HOLDFAST_IDENTITY_API_KEYS_FILE", fixture.path("keys.toml"));
        let server = Server::run(&mut serve);
        for (header, condition) in [
            (("authorization", ann.as_str()), "region = 'emea'"),
            (("authorization", bob.as_str()), "region in ('apac', 'emea')"),
            (("authorization", cid.as_str()), "region = 'emea' and desk = 2"),
            (("authorization", dan.as_str()), "false"),
            (("authorization", odd.as_str()), "false"),
            (("authorization", vague.as_str()), "false"),
            (("x-api-key", api_key), "region = 'amer'"),
            (("authorization", ann.as_str()), "region = 'emea'"),
        ] {
            let (status, answer) = server.ask_with(QUESTION, &[header]).await;
            assert_eq!((status, answer.codes()), (200, vec![]), "{condition}: {:#}", answer.json);
            let found = (answer.rows("selling"), answer.totals("selling"));
            assert_eq!(found, fixture.by_hand(condition).await, "{warehouse}: {condition}");
        }
        let (status, answer) = server.ask_with("{ accounts { nodes { region desk } } }", &[("authorization", ann.as_str())]).await;
        assert_eq!((status, answer.at("/data/accounts/nodes").as_array().map(Vec::len)), (200, Some(2)), "{:#}", answer.json);
        for headers in [&[][..], &[("authorization", "Bearer a.b.c")], &[("x-api-key", "hf_x")]] {
            let (status, answer) = server.ask_with(QUESTION, headers).await;
            assert_eq!((status, answer.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]), "{headers:?}");
        }
        assert!(server.has_logged("credentials").await, "why they were refused: {}", server.log());
        let log = server.log();
        assert!(!log.contains(SECRET) && !log.contains(api_key) && !log.contains(&ann[20..]), "{log}");
    }
}

/// For so many seconds two callers ask as fast as they can; `LOAD_SECONDS` in the environment says for longer.
const LOAD_SECONDS: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_at_full_load_never_get_each_others_rows() {
    let fixture = Fixture::new().await;
    let folder = fixture.folder.path();
    let callers = [("emea", "region = 'emea'"), ("apac", "region in ('apac')"), ("", "false")];
    let seconds = std::env::var("LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(LOAD_SECONDS);
    let server = Arc::new(Server::run(fixture.serve(&fixture.database.url).env("HOLDFAST_IDENTITY_JWT_SECRET", SECRET)));
    let mut askers = Vec::new();
    for (region, condition) in callers {
        let header = token(folder, &["--subject", "same", "--claim", &format!("regions={region}")]);
        let expected = fixture.by_hand(condition).await;
        for _ in 0..4 {
            let (server, header, expected) = (Arc::clone(&server), header.clone(), expected.clone());
            askers.push(tokio::spawn(async move {
                let begun = std::time::Instant::now();
                let mut asked = 0_u64;
                while begun.elapsed() < Duration::from_secs(seconds) {
                    // Some of them anew, so that statements of both run beside kept answers.
                    let document = if asked.is_multiple_of(8) { format!("{QUESTION} # {asked}") } else { QUESTION.to_owned() };
                    let (status, answer) = server.ask_with(&document, &[("authorization", &header)]).await;
                    assert_eq!((status, answer.codes()), (200, vec![]), "{:#}", answer.json);
                    assert_eq!((answer.rows("selling"), answer.totals("selling")), expected, "after {asked} answers");
                    asked += 1;
                }
                asked
            }));
        }
    }
    let mut answers = 0;
    for asker in askers {
        answers += asker.await.expect("no row crosses");
    }
    assert!(answers > 100, "{answers} answers are no load");
    println!("{answers} answers in {seconds} s, each its caller's own");
}

#[tokio::test]
async fn live_queries_are_their_callers_own_and_end_with_their_tokens() {
    let fixture = Fixture::new().await;
    let folder = fixture.folder.path();
    let mut serve = fixture.serve(&fixture.database.url);
    serve
        .env("HOLDFAST_IDENTITY_JWT_SECRET", SECRET)
        .env("HOLDFAST_IDENTITY_LEEWAY", "0s")
        .env("HOLDFAST_STREAMS_KEEP_ALIVE", "500ms");
    let server = Server::run(&mut serve);
    let live = async |regions: &str| {
        let header = token(folder, &["--subject", "ann", "--claim", &format!("regions={regions}"), "--expires", "3s"]);
        let request = reqwest::Client::new().post(format!("{}/graphql", server.url));
        let request = request.header("accept", "text/event-stream").header("authorization", header);
        request.json(&json!({ "query": format!("subscription {QUESTION}") })).send().await.expect("the server answers")
    };
    let (emea, apac) = (live("emea").await, live("apac").await);
    // The whole of a stream, which ends although nobody has completed it.
    let whole = async |response: reqwest::Response| {
        tokio::time::timeout(Duration::from_secs(20), response.text()).await.expect("it ends with the token").expect("text")
    };
    let (emea, apac) = (whole(emea).await, whole(apac).await);
    assert!(emea.contains("\"34.75\"") && !emea.contains("7.75\""), "{emea}");
    assert!(apac.contains("\"7.75\"") && !apac.contains("34.75"), "{apac}");
    let nobody = reqwest::Client::new().post(format!("{}/graphql", server.url)).header("accept", "text/event-stream");
    assert_eq!(nobody.json(&json!({ "query": "{ __typename }" })).send().await.expect("answered").status(), 401);
}

/// A client that always has something to say must not outstay its token.
#[tokio::test]
async fn a_busy_socket_ends_with_its_token_too() {
    let fixture = Fixture::new().await;
    let mut serve = fixture.serve(&fixture.database.url);
    serve
        .env("HOLDFAST_IDENTITY_JWT_SECRET", SECRET)
        .env("HOLDFAST_IDENTITY_LEEWAY", "0s")
        .env("HOLDFAST_STREAMS_KEEP_ALIVE", "500ms");
    let server = Server::run(&mut serve);
    let header = token(fixture.folder.path(), &["--subject", "ann", "--claim", "regions=emea", "--expires", "3s"]);
    let mut socket = socket(&server).await;
    socket.send(say(json!({ "type": "connection_init", "payload": { "authorization": header } }))).await.expect("sent");
    let closed = tokio::time::timeout(Duration::from_secs(20), async {
        let mut acknowledged = false;
        loop {
            // Far more often than the server looks after its sockets.
            tokio::time::sleep(Duration::from_millis(100)).await;
            socket.send(say(json!({ "type": "ping" }))).await.ok();
            match socket.next().await {
                Some(Ok(Message::Text(text))) => acknowledged |= text.contains("connection_ack"),
                Some(Ok(Message::Close(Some(frame)))) => return (acknowledged, u16::from(frame.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (acknowledged, 0),
            }
        }
    });
    assert_eq!(closed.await.expect("it ends with the token"), (true, 4403));
}

/// A socket of the protocol, with nothing said yet.
async fn socket(server: &Server) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut request =
        format!("{}/graphql", server.url.replace("http", "ws")).into_client_request().expect("an address of a socket");
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("plain"));
    connect_async(request).await.expect("the server opens a socket").0
}

fn say(message: Value) -> Message {
    Message::text(message.to_string())
}

/// Who cannot be known is not told that they are not allowed, until the keys are there.
#[tokio::test]
async fn a_socket_is_told_apart_what_is_wrong_with_its_client_and_what_with_us() {
    let fixture = Fixture::new().await;
    let mut serve = fixture.serve(&fixture.database.url);
    // Nobody listens there.
    serve.env("HOLDFAST_IDENTITY_JWKS", "http://127.0.0.1:1/keys").env("HOLDFAST_IDENTITY_AUDIENCE", "holdfast");
    let server = Server::run(&mut serve);
    let expires = Timestamp::now().as_second() + 600;
    let good = Signer::new("one").token(&json!({"sub": "ann", "aud": "holdfast", "exp": expires}));
    for (payload, code) in
        [(json!({ "authorization": good }), 4500), (json!({ "authorization": "Bearer nonsense" }), 4403), (json!({}), 4403)]
    {
        let mut socket = socket(&server).await;
        socket.send(say(json!({ "type": "connection_init", "payload": payload }))).await.expect("sent");
        // The keys are looked for in the meantime, which may take longer than the first ping.
        let mut answers = std::pin::pin!(socket.filter(|message| std::future::ready(!matches!(message, Ok(Message::Ping(_))))));
        let answer = tokio::time::timeout(Duration::from_secs(20), answers.next()).await.expect("it is answered");
        match answer {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), code, "{payload}: {}", frame.reason),
            other => panic!("{payload}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_question_asked_as_somebody_has_their_answer() {
    let fixture = Fixture::new().await;
    let claims = r#"{"sub": "ann", "regions": ["emea", "apac"]}"#;
    for warehouse in fixture.warehouses() {
        let words = ["ask", "--warehouse", &warehouse, "--definitions", "model", "--metrics", "revenue", "--by", "region"];
        for (more, condition) in [(&["--as", claims][..], "region in ('apac', 'emea')"), (&[], "false")] {
            let ran = command(fixture.folder.path(), &words).args(["--format", "csv"]).args(more).output().expect("it runs");
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
            let rows: Vec<Vec<String>> = printed.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
            assert_eq!(rows, fixture.by_hand(condition).await.0, "{warehouse} {more:?}");
        }
    }
}

/// A key that signs for an issuer.
struct Signer {
    name: &'static str,
    key: EcdsaKeyPair,
}

impl Signer {
    fn new(name: &'static str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key can be made");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self { name, key: key.expect("a key on P-256") }
    }

    fn set(&self) -> String {
        let point = self.key.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.name,
            "x": coordinate(&point[1..33]), "y": coordinate(&point[33..]),
        }]})
        .to_string()
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.name});
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
        format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// Serves a key set over TLS, as `localhost`, with a certificate of an authority of its own.
async fn issuer(keys: Arc<Mutex<String>>, authority: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("it can be signed");
    fs::write(authority, own.pem()).expect("written");
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = CertificateParams::new(["localhost".to_owned()]).expect("a name").signed_by(&key, &own).expect("signed");
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a private key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("the key is that of the certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // A client that does not trust the certificate goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4_096];
            // What is asked is the same each time; only that it is asked counts.
            let read = stream.read(&mut request).await.expect("a request");
            assert_ne!(read, 0, "a request");
            let body = keys.lock().await.clone();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    format!("https://localhost:{port}/keys")
}

// The issuer answers while this waits for the server to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_an_issuer_are_fetched_over_tls_and_again_when_they_change() {
    let fixture = Fixture::new().await;
    let (old, new) = (Signer::new("one"), Signer::new("two"));
    let keys = Arc::new(Mutex::new(old.set()));
    let authority = fixture.folder.path().join("authority.pem");
    let url = issuer(Arc::clone(&keys), &authority).await;
    let claims = |audience: &str| {
        let expires = Timestamp::now().as_second() + 600;
        json!({"iss": "https://localhost/", "aud": audience, "sub": "ann", "exp": expires, "regions": "emea"})
    };
    let serve = || {
        let mut serve = fixture.serve(&fixture.warehouses()[1]);
        serve.env("HOLDFAST_IDENTITY_JWKS", &url).env("HOLDFAST_IDENTITY_JWKS_REFRESH", "1s");
        serve.env("HOLDFAST_IDENTITY_ISSUER", "https://localhost/").env("HOLDFAST_IDENTITY_AUDIENCE", "holdfast");
        serve
    };
    let status = async |server: &Server, token: &str| server.ask_with(QUESTION, &[("authorization", token)]).await.0;

    let stranger = Server::run(&mut serve());
    assert_eq!(status(&stranger, &old.token(&claims("holdfast"))).await, 503, "nobody vouches for the issuer");
    assert!(stranger.has_logged("certificate").await, "{}", stranger.log());
    drop(stranger);

    let server = Server::run(serve().env("SSL_CERT_FILE", &authority));
    let (answered, answer) = server.ask_with(QUESTION, &[("authorization", &old.token(&claims("holdfast")))]).await;
    assert_eq!((answered, answer.rows("selling")), (200, fixture.by_hand("region = 'emea'").await.0), "{}", server.log());
    assert_eq!(status(&server, &old.token(&claims("another service"))).await, 401);
    assert_eq!(status(&server, &new.token(&claims("holdfast"))).await, 401);

    *keys.lock().await = new.set();
    let renewed = async || status(&server, &new.token(&claims("holdfast"))).await == 200;
    let mut waited = 0;
    while !renewed().await {
        assert!(waited < 100, "the new key was not fetched: {}", server.log());
        waited += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status(&server, &old.token(&claims("holdfast"))).await, 401, "the old key is gone");
}
