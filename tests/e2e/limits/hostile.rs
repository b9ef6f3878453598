//! Requests made to break something, over a real warehouse: each has a clear code, none is a failure of ours.

use std::time::{Duration, Instant};

use holdfast_tests::postgres::Postgres;
use holdfast_warehouse::postgres::{Settings, load};
use serde_json::{Value, json};

use super::{House, read};

const SHOP: &str = "
project: shop
version: 1
---
entity: customer
source: customer
key: customer_id
display: name
dimensions:
  customer_id: string
  name: string
  size: int
  weight: decimal
  joined: date
  kind: {values: [big, small]}
relationships: {orders: {to: purchase, many: true, key: customer_id}}
---
entity: purchase
source: purchase
key: purchase_id
dimensions: {purchase_id: int, note: string}
time: {bought_on: {}}
relationships: {customer: {to: customer, key: customer_id}}
measures: {amount: {sum: amount}}
---
entity: ticket
source: ticket
key: ticket_id
dimensions: {ticket_id: string, mood: string}
---
metrics:
  revenue: {measure: purchase.amount}
---
view: selling
metrics: [revenue]
dimensions: [customer, customer.name, customer.size, customer.kind, purchase.note]
";

const CUSTOMERS: &str = "customer_id text, name text, size int, weight decimal, joined date, kind text";
const PURCHASES: &str = "purchase_id int, customer_id text, note text, bought_on date, amount decimal";

/// A key of a column that keeps nothing but UUIDs.
const TICKET: &str = "00000000-0000-0000-0000-00000000000a";

/// Longest time that any of them may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(20);

async fn shop(settings: &[(&str, &str)]) -> House {
    let database = Postgres::shared().database().await;
    let tables = [
        holdfast_tests::tables::table("customer", CUSTOMERS, "c1 one 1 1.5 2024-01-01 big\nc2 two 2 2.5 2024-02-01 small"),
        holdfast_tests::tables::table("purchase", PURCHASES, "1 c1 x 2025-01-05 10\n2 c2 y 2025-02-05 20"),
    ];
    load::load(&Settings::new(&database.url), &tables, load::Existing::Refuse).await.expect("the tables are taken");
    let tickets = "create type mood as enum ('sad', 'ok'); create table ticket (ticket_id uuid primary key, mood mood);
                   insert into ticket values ('00000000-0000-0000-0000-00000000000a', 'ok')";
    database.execute(tickets).await;
    House::over(database, SHOP, settings)
}

fn body(query: impl Into<String>) -> String {
    json!({ "query": query.into() }).to_string()
}

fn with(query: &str, variables: &Value) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}

/// What is sent, with the code of its refusal; an empty code where there is nothing to refuse.
fn attacks() -> Vec<(&'static str, String, &'static str)> {
    const DOCUMENT: &str = "DOCUMENT_LIMIT_EXCEEDED";
    const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";
    const INPUT: &str = "BAD_USER_INPUT";
    const BAD: &str = "BAD_REQUEST";
    const PARSE: &str = "GRAPHQL_PARSE_FAILED";
    let deep = |n: usize| format!("{{ {} __typename {} }}", "... { ".repeat(n), "} ".repeat(n));
    let nested = |n: usize| {
        format!("{{ customers {{ nodes {{ {} name {} }} }} }}", "orders { nodes { customer { ".repeat(n), "} } } ".repeat(n))
    };
    let by_name = "query ($name: String) { customers(where: {name: {eq: $name}}) { nodes { id } } }";
    let contains = "query ($name: String!) { customers(where: {name: {contains: $name}}) { nodes { id } } }";
    let like = "query ($p: String!) { customers(where: {name: {like: $p}}) { totalCount } }";
    let many = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let names = "query ($names: [String!]) { customers(where: {name: {in: $names}}) { nodes { id } } }";
    let page = |arguments: &str| body(format!("{{ customers({arguments}) {{ nodes {{ id }} }} }}"));
    let rows =
        |arguments: &str| body(format!("{{ selling(by: [{{dimension: NAME}}], {arguments}) {{ rows {{ name revenue }} }} }}"));
    let size = "query ($n: BigInt!) { customers(where: {size: {eq: $n}}) { nodes { id } } }";
    let weight = "query ($n: Decimal!) { customers(where: {weight: {eq: $n}}) { nodes { id } } }";
    vec![
        ("aliases", body(format!("{{ {} }}", (0..1_000).map(|n| format!("a{n}: __typename ")).collect::<String>())), DOCUMENT),
        (
            "aliases below",
            body(format!("{{ customers {{ {} }} }}", (0..100).map(|n| format!("a{n}: totalCount ")).collect::<String>())),
            DOCUMENT,
        ),
        ("fields that repeat", body(format!("{{ {} }}", "__typename ".repeat(4_000))), DOCUMENT),
        ("fields that repeat below", body(format!("{{ customers {{ nodes {{ {} }} }} }}", "name ".repeat(500))), DOCUMENT),
        ("directives", body(format!("{{ __typename {} }}", "@include(if: true) ".repeat(100))), INVALID),
        ("unknown directives", body(format!("{{ __typename {} }}", "@a ".repeat(100))), INVALID),
        (
            "directives on many fields",
            body(format!("{{ customers {{ nodes {{ {} }} }} }}", "name @include(if: true) ".repeat(60))),
            DOCUMENT,
        ),
        ("tokens", body(format!("{{ customers(where: {{and: [{}]}}) {{ totalCount }} }}", "{}".repeat(5_000))), DOCUMENT),
        ("a circle of fragments", body("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"), INVALID),
        ("a fragment of itself", body("{ ...A } fragment A on Query { __typename ...A }"), INVALID),
        (
            "fragments that multiply",
            {
                let parts =
                    (0..25).map(|n| format!("fragment F{n} on Query {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect::<String>();
                body(format!("{{ ...F0 }} {parts} fragment F25 on Query {{ __typename }}"))
            },
            DOCUMENT,
        ),
        ("depth", body(nested(5)), DOCUMENT),
        ("nesting for the parser", body(deep(1_000)), DOCUMENT),
        ("brackets for the parser", body(format!("{{ a(b: {}{}) }}", "[".repeat(2_000), "]".repeat(2_000))), DOCUMENT),
        (
            "introspection in circles",
            body(format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(10), "} } ".repeat(10))),
            DOCUMENT,
        ),
        ("a long name", body(format!("{{ {} }}", "a".repeat(100_000))), INVALID),
        (
            "a long string",
            body(format!("{{ customers(where: {{name: {{eq: \"{}\"}}}}) {{ totalCount }} }}", "a".repeat(200_000))),
            "",
        ),
        ("a long comment", body(format!("#{}\n{{ __typename }}", "a".repeat(200_000))), ""),
        ("many errors", body(format!("{{ {} }}", (0..1_000).map(|n| format!("f{n} ")).collect::<String>())), INVALID),
        ("nothing", body(""), PARSE),
        ("no document", body("\u{feff}\u{0}\u{202e}"), PARSE),
        ("a surrogate in a name", "{\"query\":\"{ \\ud800 }\"}".to_owned(), BAD),
        ("a surrogate in a string", "{\"query\":\"{__typename}\",\"variables\":{\"a\":\"\\udfff\"}}".to_owned(), BAD),
        ("a surrogate in the document's string", body("{ customers(where: {name: {eq: \"\\ud800\"}}) { totalCount } }"), PARSE),
        ("a pair of surrogates", body("{ customers(where: {name: {eq: \"\\ud83d\\ude00\"}}) { totalCount } }"), ""),
        ("nul in a variable", with(by_name, &json!({"name": "a\u{0}b"})), INPUT),
        ("nul in a document", body("{ customers(where: {name: {eq: \"a\\u0000b\"}}) { totalCount } }"), INPUT),
        ("nul in a pattern", with(contains, &json!({"name": "\u{0}"})), INPUT),
        ("nul in a list", with(names, &json!({"names": ["a", "\u{0}"]})), INPUT),
        ("nul in an id", body("{ customer(id: \"customer:a\\u0000\") { name } }"), INPUT),
        ("nul in a global id", with(many, &json!({"ids": ["customer:a\u{0}"]})), INPUT),
        ("nul in an id by its number", body("{ customer(id: \"customer:a%00\") { name } }"), ""),
        (
            "nul in a condition of a view",
            body("{ selling(by: [], where: {note: {eq: \"\\u0000\"}}) { totals { revenue } } }"),
            INPUT,
        ),
        ("a pattern of wildcards", with(like, &json!({"p": "%_".repeat(5_000)})), ""),
        ("a pattern that ends in an escape", with(like, &json!({"p": "o\\"})), INPUT),
        ("a pattern that ends in an escape of another", with(like, &json!({"p": "%\\\\\\"})), INPUT),
        ("a pattern that ends in a character that is escaped", with(like, &json!({"p": "o\\\\"})), ""),
        ("a word that an enum lacks", body("{ tickets(where: {mood: {eq: \"x\"}}) { totalCount nodes { id } } }"), INPUT),
        ("a word that an enum lacks, among others", body("{ tickets(where: {mood: {in: [\"ok\", \"\"]}}) { totalCount } }"), INPUT),
        ("a text for a uuid", body("{ tickets(where: {ticketId: {ne: \"'; --\"}}) { totalCount } }"), INPUT),
        ("an id that is no uuid", body("{ ticket(id: \"ticket:nope\") { mood } node(id: \"ticket:nope\") { id } }"), ""),
        ("an id that is no uuid, among others", with(many, &json!({"ids": ["ticket:nope", &format!("ticket:{TICKET}")]})), ""),
        ("sql in a string", with(by_name, &json!({"name": "'; drop table customer; --"})), ""),
        (
            "deep variables",
            format!("{{\"query\":\"{{__typename}}\",\"variables\":{{\"a\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000)),
            BAD,
        ),
        (
            "deep extensions",
            format!("{{\"query\":\"{{__typename}}\",\"extensions\":{{\"a\":{}1{}}}}}", "{\"a\":".repeat(1_000), "}".repeat(1_000)),
            BAD,
        ),
        ("a list of many", with(names, &json!({"names": vec!["x"; 20_000]})), ""),
        ("ids without end", with(many, &json!({"ids": vec!["customer:c1"; 10_000]})), INPUT),
        ("a variable of the wrong type", with(size, &json!({"n": "one"})), INPUT),
        ("an object for a number", with(size, &json!({"n": {"a": 1}})), INPUT),
        ("a list for a number", with(size, &json!({"n": [1]})), INPUT),
        ("a fraction for a number", with(size, &json!({"n": 1.5})), INPUT),
        ("a number that is too large", with(size, &json!({"n": "9".repeat(40)})), INPUT),
        ("a number beyond all", format!("{{\"query\":{},\"variables\":{{\"n\":1e400}}}}", json!(size)), BAD),
        ("a number in the document", body("{ customers(where: {size: {eq: 99999999999999999999}}) { totalCount } }"), INPUT),
        ("a decimal of many digits", with(weight, &json!({"n": "9".repeat(100_000)})), "E_TYPE_MISMATCH"),
        ("a decimal with an exponent", with(weight, &json!({"n": "1e999999"})), INPUT),
        ("a decimal that is none", with(weight, &json!({"n": "NaN"})), INPUT),
        ("a day that is none", body("{ customers(where: {joined: {eq: \"2025-02-30\"}}) { totalCount } }"), INPUT),
        ("a day before time", body("{ customers(where: {joined: {eq: \"-9999-01-01\"}}) { totalCount } }"), INPUT),
        (
            "a range of ten thousand years",
            body(
                "{ selling(by: [{time: {grain: DAY}}], fill: DENSE, range: {between: {from: \"0001-01-01\", to: \"9999-12-31\"}}) { rows { revenue } } }",
            ),
            "E_INVALID_RANGE",
        ),
        (
            "periods without end",
            body("{ selling(by: [], range: {trailing: {n: 2147483647, grain: YEAR}}) { totals { revenue } } }"),
            INPUT,
        ),
        ("a page before the first", page("first: -1"), INPUT),
        ("a page of a thousand million", page("first: 1000000000"), INPUT),
        ("a page of more than a number", page("first: 99999999999"), INVALID),
        ("two pages", page("first: 1, last: 1"), INPUT),
        ("a cursor that is none", page("after: \"!!!\""), INPUT),
        ("a cursor of a megabyte", page(&format!("after: \"{}\"", "A".repeat(100_000))), INPUT),
        ("rows below none", rows("limit: -1"), INPUT),
        ("rows without end", rows("limit: 2147483647"), INPUT),
        ("rows passed over below none", rows("offset: -1"), INPUT),
        ("rows passed over without end", rows("offset: 2147483647"), "LIMIT_EXCEEDED"),
        ("a time zone that is none", body("{ selling(by: [], timeZone: \"../../etc/passwd\") { totals { revenue } } }"), INPUT),
        (
            "an operation that is not there",
            json!({"query": "query A { __typename }", "operationName": "B"}).to_string(),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        ("two operations", body("query A { __typename } query B { __typename }"), "OPERATION_RESOLUTION_FAILURE"),
        ("a mutation", body("mutation { __typename }"), INVALID),
        ("a subscription", body("subscription { __typename }"), INVALID),
        ("a schema", body("type Query { a: Int }"), INVALID),
        ("keys twice", "{\"query\":\"{ nothing }\",\"query\":\"{ __typename }\"}".to_owned(), ""),
        ("a batch", format!("[{}]", vec![body("{ __typename }"); 100].join(",")), BAD),
        ("no object", "7".to_owned(), BAD),
        ("no JSON", "query { __typename }".to_owned(), BAD),
        ("half a JSON", "{\"query\":\"{__typename}\"".to_owned(), BAD),
        ("something after the JSON", "{\"query\":\"{__typename}\"} {}".to_owned(), BAD),
        ("variables as a list", json!({"query": "{__typename}", "variables": [1]}).to_string(), BAD),
        ("variables as text", json!({"query": "{__typename}", "variables": "{}"}).to_string(), BAD),
        ("a document that is a number", json!({"query": 1}).to_string(), BAD),
        ("a document by a path", json!({"documentId": "../../etc/passwd"}).to_string(), "DOCUMENT_NOT_FOUND"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attack_has_a_code_and_none_is_a_failure_of_ours() {
    let house = shop(&[]).await;
    let mut wrong = Vec::new();
    for (name, sent, code) in attacks() {
        let began = Instant::now();
        let (status, headers, answer) = read(house.post(&sent).await).await;
        let found = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        let has_id = found.is_empty() || answer["errors"][0]["extensions"]["correlationId"].is_string();
        let shows_inside = ["pg_", "select ", "SQLSTATE", "invalid byte", "0x00", "panicked", "tokio"];
        let told = answer["errors"].to_string();
        let is_clean = headers.contains_key("x-request-id") && !shows_inside.iter().any(|word| told.contains(word));
        if status >= 500 || found != code || !has_id || !is_clean || began.elapsed() > PATIENCE || told.len() > 300_000 {
            wrong.push(format!(
                "{name}: expected `{code}`, found {status} `{found}` after {:?}: {:.300}",
                began.elapsed(),
                answer.to_string()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let log = house.server.log();
    assert!(!log.contains("panic"), "{log}");
    let (status, _, answer) = read(house.ask("{ customers { totalCount nodes { name } } }").await).await;
    assert_eq!((status, &answer["data"]["customers"]["totalCount"]), (200, &json!(2)), "it still answers, and nothing is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_no_row_can_have_is_not_found() {
    let house = shop(&[]).await;
    let ask = async |document: String| read(house.ask(&document).await).await.2;
    let one = ask(format!("{{ a: ticket(id: \"nope\") {{ mood }} b: ticket(id: \"{TICKET}\") {{ mood }} }}")).await;
    assert_eq!(one, json!({"data": {"a": null, "b": {"mood": "ok"}}}));
    let many = ask(format!("{{ nodes(ids: [\"ticket:nope\", \"ticket:{TICKET}\"]) {{ id }} }}")).await;
    assert_eq!(many, json!({"data": {"nodes": [null, {"id": format!("ticket:{TICKET}")}]}}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_of_graphql_is_refused_by_http() {
    let house = shop(&[("LIMITS_INTROSPECTION", "false")]).await;
    let url = format!("{}/graphql", house.server.url);
    let post = |content_type: &str, sent: Vec<u8>| house.client.post(&url).header("content-type", content_type).body(sent);
    let get = |query: &str| house.client.get(format!("{url}?{query}"));
    let cases = [
        ("a form", post("application/x-www-form-urlencoded", b"query=%7B__typename%7D".to_vec()), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a form with files", post("multipart/form-data; boundary=x", b"--x--".to_vec()), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("plain text", post("text/plain", body("{__typename}").into_bytes()), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("bytes that are no text", post("application/json", b"{\"query\":\"{ \xff\xfe }\"}".to_vec()), 400, "BAD_REQUEST"),
        ("nothing", post("application/json", Vec::new()), 400, "BAD_REQUEST"),
        ("a body that is too large", post("application/json", vec![b' '; 300 * 1024]), 413, "BODY_TOO_LARGE"),
        ("another method", house.client.delete(&url), 405, "METHOD_NOT_ALLOWED"),
        ("a mutation by GET", get("query=mutation%7B__typename%7D"), 200, "GRAPHQL_VALIDATION_FAILED"),
        ("a GET without anything", get(""), 400, "BAD_REQUEST"),
        ("variables that are no JSON", get("query=%7B__typename%7D&variables=%7B"), 400, "BAD_REQUEST"),
        ("bytes that are no text by GET", get("query=%ff%fe"), 200, "GRAPHQL_PARSE_FAILED"),
        ("a page of another site", get("query=%7B__typename%7D").header("sec-fetch-site", "cross-site"), 403, "CROSS_SITE_REQUEST"),
        (
            "introspection",
            post("application/json", body("{ __schema { types { name } } }").into_bytes()),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "introspection of a type by an alias",
            post("application/json", body("{ a: __type(name: \"Query\") { name } }").into_bytes()),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "introspection in a fragment",
            post("application/json", body("{ ...F } fragment F on Query { __schema { types { name } } }").into_bytes()),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ];
    for (name, request, status, code) in cases {
        let (found, headers, answer) = read(request.send().await.expect("the server answers")).await;
        assert_eq!((found, answer["errors"][0]["extensions"]["code"].as_str()), (status, Some(code)), "{name}: {answer:#}");
        assert!(headers.contains_key("x-request-id"), "{name}");
    }
    let (status, _, answer) = read(house.ask("{ __typename customers { totalCount } }").await).await;
    assert_eq!((status, &answer["data"]), (200, &json!({"__typename": "Query", "customers": {"totalCount": 2}})));
}
