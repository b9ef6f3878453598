//! Columns that are renamed or gone: what needs them is refused, and nothing else.

use std::{collections::BTreeMap, fs};

use holdfast_schema::{
    diagnostic::{Diagnostics, render},
    query::Caller,
    value::Value,
};
use holdfast_server::catalogue::fit;
use holdfast_tests::{
    binary::run,
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};
use jiff::civil::date;

/// Every way in which rows of an entity are read through a subquery: versions of which something is recorded, a policy behind a
/// relationship, the newest rows as of a day.
const DEFINITIONS: &str = "
project: columns
version: 1
---
entity: account
source: account
key: account_id
valid: {from: valid_from, to: valid_to, recorded: recorded_at}
dimensions: {name: string, region: string, tier: string}
---
entity: contract
source: contract
key: contract_id
dimensions: {stage: string, clause: string}
relationships: {account: {to: account, key: account_id}, place: {to: place, key: place_id}}
measures: {contracts: {count: rows}, value: {sum: value}, discount: {sum: discount}}
---
entity: opinion
source: opinion
key: opinion_id
time: {given_on: {}}
dimensions: {channel: string}
relationships: {account: {to: account, key: account_id}}
measures:
  score: {avg: score, where: given_on <= as_of, latest: {per: account_id, by: given_on}, over_time: as_of}
  effort: {avg: effort, where: given_on <= as_of, latest: {per: account_id, by: given_on}, over_time: as_of}
---
entity: place
source: place
key: place_id
dimensions: {town: string}
---
entity: ghost
source: ghost
key: ghost_id
measures: {ghosts: {count: rows}}
---
metrics:
  ghosts: {measure: ghost.ghosts}
  contracts: {measure: contract.contracts}
  value: {measure: contract.value}
  discount: {measure: contract.discount}
  score: {measure: opinion.score}
  effort: {measure: opinion.effort}
---
view: book
metrics: [contracts, value, discount]
dimensions: [contract.stage, contract.clause, account.name, account.region, account.tier, place.town]
---
view: spirits
metrics: [ghosts]
---
view: mood
metrics: [score, effort]
dimensions: [opinion.channel, account.region, account.tier]
---
policies:
  own_regions: {applies_to: account, roles: csm, rows: region in claims.regions}
";

/// The definitions say `tier`, `clause`, `discount`, `place_id`, `channel` and `effort`; the tables have none of them any more.
async fn desk() -> Desk {
    let tables = [
        table(
            "account",
            "account_id text, valid_from date, valid_to date, recorded_at timestamp, name text, region text, level text",
            "a1 2024-01-01 - 2024-01-01T00:00:00Z Alder emea gold
             a1 2024-01-01 - 2024-06-01T00:00:00Z Alder_Ltd emea gold
             a2 2024-01-01 2025-01-01 2024-01-01T00:00:00Z Birch apac gold
             a2 2025-01-01 - 2025-01-01T00:00:00Z Birch emea gold
             a3 2024-01-01 - 2024-01-01T00:00:00Z Cedar apac gold",
        ),
        table(
            "contract",
            "contract_id text, account_id text, stage text, value decimal",
            "c1 a1 signed 10
             c2 a1 draft 20
             c3 a2 signed 40
             c4 a3 signed 80",
        ),
        table("place", "place_id text, town text", "p1 Aachen"),
        table(
            "opinion",
            "opinion_id text, account_id text, given_on date, score int",
            "o1 a1 2025-01-05 3
             o2 a1 2025-02-05 9
             o3 a2 2025-01-10 5
             o4 a3 2025-01-10 1",
        ),
    ];
    Desk::with(&api(&model(definitions(DEFINITIONS))), &tables, &without_cache()).await
}

fn csm() -> Caller {
    let claims = BTreeMap::from([("regions".to_owned(), vec![Value::Text("emea".to_owned())])]);
    Caller { roles: vec!["csm".to_owned()], claims, today: date(2026, 1, 15), ..Caller::default() }
}

/// The newest version of each account that holds now.
const ACCOUNTS: &str = "(select distinct on (account_id) account_id, name, region from account where valid_to is null
                         order by account_id, recorded_at desc)";

#[tokio::test]
async fn a_column_that_is_gone_fails_no_question_that_does_not_need_it() {
    let desk = desk().await;
    let by_hand =
        format!("select region, count(*), sum(value) from contract join {ACCOUNTS} a using (account_id) group by 1 order by 1");
    desk.check("book", "{ book(by: [{dimension: REGION}]) { rows { region contracts value } } }", &by_hand).await;
    let page = desk.ask("{ accounts(orderBy: [{name: {}}]) { totalCount nodes { name region } } }").await;
    assert_eq!(page.at("/data/accounts/totalCount"), 3);
    assert_eq!(page.at("/data/accounts/nodes/0/name"), "Alder Ltd");
    let newest = "select avg(score) from (select distinct on (account_id) * from opinion order by account_id, given_on desc) o";
    desk.check("mood", "{ mood { rows { score } } }", newest).await;
    let months = r#"{ mood(by: [{time: {grain: MONTH}}, {dimension: REGION}], range: {between: {from: "2025-01-01", to: "2025-03-01"}}) {
                      rows { period(grain: MONTH) { start } region score } } }"#;
    assert_eq!(
        desk.ask(months).await.rows("mood"),
        [["2025-01-01", "apac", "1"], ["2025-01-01", "emea", "4"], ["2025-02-01", "apac", "1"], ["2025-02-01", "emea", "7"]]
    );
}

#[tokio::test]
async fn nor_one_of_a_caller_who_sees_a_part() {
    let desk = desk().await.asked_by(&csm());
    let by_hand = format!(
        "select name, count(*) from contract join {ACCOUNTS} a using (account_id) where region = 'emea' group by 1 order by 1"
    );
    desk.check("book", "{ book(by: [{dimension: NAME}]) { rows { name contracts } } }", &by_hand).await;
    let page = desk.ask("{ contracts { totalCount nodes { stage account { name } } } }").await;
    assert_eq!((page.codes(), page.at("/data/contracts/totalCount")), (Vec::<String>::new(), &3.into()));
}

#[tokio::test]
async fn a_question_that_needs_it_is_refused_and_the_definitions_are_told_where() {
    let desk = desk().await;
    for document in [
        "{ book(by: [{dimension: TIER}]) { rows { contracts } } }",
        "{ book(by: [{dimension: CLAUSE}]) { rows { contracts } } }",
        r#"{ book(where: {tier: {eq: "gold"}}) { rows { contracts } } }"#,
        "{ book { rows { discount } } }",
        "{ book(by: [{dimension: TOWN}]) { rows { contracts } } }",
        "{ mood { rows { effort } } }",
        "{ spirits { rows { ghosts } } }",
        "{ accounts { nodes { tier } } }",
        "{ contracts { nodes { clause } } }",
    ] {
        let answer = desk.ask(document).await;
        assert_eq!(answer.codes(), ["DEFINITIONS_MISFIT"], "{document}: {:#}", answer.json);
        let told = answer.json["errors"].to_string();
        assert!(told.contains("holdfast check") && !told.contains("select") && !told.contains("recorded_at"), "{told}");
    }
    let sources = definitions(DEFINITIONS);
    for counter in [&desk.embedded, &desk.postgres] {
        let columns = counter.warehouse.columns().await.expect("a warehouse tells its columns");
        let mut misfits = Diagnostics::default();
        fit::check(counter.api().model(), &columns, &mut misfits);
        let told = render::human(&sources, &misfits, false);
        assert_eq!(told.matches("error[W002]").count(), 6, "{told}");
        assert!(told.contains("error[W001]: the warehouse has no table `ghost`"), "{told}");
        assert!(told.contains("the table of `account` has no column `tier`") && told.contains("test.yaml:"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_at_the_terminal_sees_which_and_where() {
    let desk = desk().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("columns.yaml"), DEFINITIONS).expect("the file can be written");
    let ask = |metrics: &str| {
        let output = run(folder.path(), &["ask", "--definitions", ".", "--warehouse", &desk.database.url, "--metrics", metrics]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = ask("contracts,value");
    assert_eq!((code, out.lines().last()), (Some(0), Some("4          150")));
    let (code, _, told) = ask("discount");
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("error[W002]: the table of `contract` has no column `discount`"), "{told}");
    assert!(told.contains("columns.yaml:16:") && !told.contains("select"), "{told}");
}
