//! TLS to PostgreSQL: each `sslmode` against a server with a certificate of a test's own authority.

use std::fs;

use holdfast_tests::{
    binary::Server as Program,
    postgres::{Database, Identity, Postgres as Server},
};
use holdfast_warehouse::{
    Error, Warehouse as _,
    postgres::{
        Postgres, Settings,
        load::{self, Existing},
    },
    table::{ColumnType, Table},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::{shown, statement};

/// A server known as `localhost` to those who trust its authority, and the certificates of two authorities as files.
struct Fixture {
    server: Server,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let (ours, another) = (authority("ours"), authority("another"));
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &ours).expect("it can be signed");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [("right.pem", ours.pem()), ("wrong.pem", another.pem()), ("empty.pem", "nothing\n".to_owned())] {
            fs::write(folder.path().join(name), text).expect("the file can be written");
        }
        let identity = Identity { certificate: certificate.pem(), key: key.serialize_pem() };
        Self { server: Server::start_encrypted(&identity), folder }
    }

    /// An address with this host; names of files in the parameters are those of the fixture.
    fn url(&self, database: &Database, host: &str, parameters: &str) -> String {
        let files = format!("sslrootcert={}/", self.folder.path().display());
        database.url.replace("127.0.0.1", host) + "?" + &parameters.replace("sslrootcert=", &files)
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key can be made")).expect("it can be signed")
}

/// What PostgreSQL says of the connection: whether it is encrypted.
async fn is_encrypted(url: &str) -> Result<bool, Error> {
    let warehouse = Postgres::new(&Settings::new(url))?;
    let question = statement("b", "select ssl from pg_stat_ssl where pid = pg_backend_pid()", vec![]);
    Ok(shown(&warehouse.run(&question).await?) == ["true"])
}

#[tokio::test]
async fn tables_are_loaded_by_whom_the_settings_trust() {
    let fixture = Fixture::new();
    let database = fixture.server.database().await;
    let plain = Settings::new(&fixture.url(&database, "localhost", "sslmode=verify-full"));
    let trusting = Settings { ca_file: Some(fixture.folder.path().join("right.pem")), ..plain.clone() };
    let tables = [Table::new(None, "t", &[("a", ColumnType::Int)])];
    let refused = load::load(&plain, &tables, Existing::Refuse).await;
    assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("UnknownIssuer")), "{refused:?}");
    load::load(&trusting, &tables, Existing::Refuse).await.expect("the authority is trusted");
    load::create_database(&trusting, "beside").await.expect("here too");
    load::drop_database(&trusting, "beside").await.expect("and here");
}

#[tokio::test]
async fn each_mode_asks_for_as_much_proof_as_it_says() {
    let fixture = Fixture::new();
    let database = fixture.server.database().await;
    for (host, parameters, encrypted) in [
        ("127.0.0.1", "sslmode=disable", false),
        ("127.0.0.1", "", true),
        ("127.0.0.1", "sslmode=prefer", true),
        ("127.0.0.1", "sslmode=require", true),
        ("127.0.0.1", "sslmode=require&sslrootcert=right.pem", true),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=right.pem", true),
        ("localhost", "sslmode=verify-full&sslrootcert=right.pem", true),
    ] {
        assert_eq!(is_encrypted(&fixture.url(&database, host, parameters)).await, Ok(encrypted), "{host} {parameters}");
    }
    for (host, parameters, reason) in [
        ("localhost", "sslmode=verify-full&sslrootcert=wrong.pem", "UnknownIssuer"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=wrong.pem", "UnknownIssuer"),
        ("127.0.0.1", "sslmode=require&sslrootcert=wrong.pem", "UnknownIssuer"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=right.pem", "not valid for name"),
    ] {
        match is_encrypted(&fixture.url(&database, host, parameters)).await {
            Err(Error::Unavailable(message)) => assert!(message.contains(reason), "{host} {parameters}: {message}"),
            other => panic!("{host} {parameters}: {other:?}"),
        }
    }
    // Told before anything is connected to.
    for (file, reason) in [("missing.pem", "missing.pem: No such file"), ("empty.pem", "no trusted certificates found")] {
        match is_encrypted(&fixture.url(&database, "localhost", &format!("sslmode=verify-full&sslrootcert={file}"))).await {
            Err(Error::Address(message)) => assert!(message.contains(reason), "{message}"),
            other => panic!("{file}: {other:?}"),
        }
    }
}

const DEFINITIONS: &str = "
project: p
version: 1
---
entity: sale
source: sale
key: sale_id
dimensions: {shop: string}
measures: {sales: {count: rows}}
---
metrics: {sales: {measure: sale.sales}}
---
view: shop
metrics: [sales]
dimensions: [sale.shop]
";

#[tokio::test]
async fn an_asker_learns_that_the_warehouse_is_not_there_and_the_log_learns_why() {
    let fixture = Fixture::new();
    let database = fixture.server.database().await;
    database.execute("create table sale (sale_id int, shop text); insert into sale values (1, 'here')").await;
    let plain = Server::shared().database().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("p.yaml"), DEFINITIONS).expect("the file can be written");
    let ask = async |url: &str| {
        let program = Program::start(folder.path(), &["--anonymous", "--warehouse", url, "--definitions", "."]);
        let answer = program.ask("{ shop { rows { sales } } }").await;
        (answer, program)
    };
    let full = "sslmode=verify-full&sslrootcert=right.pem";
    let (answer, _) = ask(&fixture.url(&database, "localhost", full)).await;
    assert_eq!(answer.rows("shop"), [["1"]]);
    for (url, reason) in [
        (fixture.url(&database, "127.0.0.1", full), "not valid for name"),
        (fixture.url(&database, "localhost", &full.replace("right", "wrong")), "UnknownIssuer"),
        (format!("{}?sslmode=require", plain.url), "server does not support TLS"),
    ] {
        let (answer, program) = ask(&url).await;
        assert_eq!(answer.codes(), ["WAREHOUSE_UNAVAILABLE"], "{:#}", answer.json);
        assert!(program.has_logged(reason).await, "no `{reason}` in\n{}", program.log());
        let told = answer.json.to_string();
        for word in ["TLS", "ertificate", "localhost", "127.0.0.1"] {
            assert!(!told.contains(word), "`{word}` in {told}");
        }
    }
}
