//! Policies on both warehouses: rows that are not there for a caller are not there in any number, and answers do not cross callers.

mod attacks;
mod cohorts;
mod days;
mod masks;
mod metrics;
mod names;
mod related;
mod relationships;
mod shares;
mod shipped;
mod versions;

use std::collections::BTreeMap;

use holdfast_schema::{query::Caller, value::Value};
use holdfast_server::engine::Settings;
use holdfast_tests::{
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};
use holdfast_warehouse::table::Table;

const DEFINITIONS: &str = "
project: policies
version: 1
---
entity: account
source: account
key: account_id
dimensions:
  region: string
  tax_number: string
  secret: string
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements: {owner: account, grains: {account: [account]}}
---
entity: visit
source: visit
key: visit_id
dimensions: {visit_id: int, visitor: string}
time: {day: {}}
relationships: {account: {to: account, key: account_id}}
measures: {visits: {count: rows}, visitors: {count_distinct: visitor}}
---
metrics:
  mrr: {measure: balance.mrr}
  change: {movement: {of: balance.mrr, take: change}}
  churn: {movement: {of: balance.mrr, is: churn}}
  visits: {measure: visit.visits}
  visitors: {measure: visit.visitors}
  share_of_visits: {share: {of: visits}}
  busy_accounts: {per_entity: {entity: account, where: visits > 1, aggregate: count}}
---
view: portfolio
metrics: \"*\"
dimensions: [account, account.*]
---
policies:
  own_regions:
    applies_to: account
    roles: csm
    rows: region in claims.regions
    hide: secret
    mask: [tax_number]
";

const EVERYTHING: [&str; 5] = ["a1", "a2", "a3", "a4", "-"];

/// The rows of some accounts: what a caller may see is what a warehouse with only these rows would hold.
fn tables(accounts: &[&str]) -> Vec<Table> {
    let only = |name, columns: &str, account: usize, rows: &str| {
        let is_kept = |row: &&str| row.split_whitespace().nth(account).is_some_and(|account| accounts.contains(&account));
        let rows: Vec<&str> = rows.lines().filter(is_kept).collect();
        table(name, columns, &rows.join("\n"))
    };
    vec![
        only(
            "account",
            "account_id text, region text, tax_number text, secret text",
            0,
            "a1 emea 11 x\na2 emea 22 y\na3 apac 33 x\na4 - 44 z",
        ),
        only(
            "balance",
            "account_id text, month date, mrr decimal",
            0,
            "a1 2024-12-31 100
             a1 2025-01-31 120
             a2 2024-12-31 50
             a3 2024-12-31 70
             a3 2025-01-31 10
             a4 2024-12-31 5
             -  2024-12-31 1",
        ),
        only(
            "visit",
            "visit_id int, account_id text, day date, visitor text",
            1,
            "1 a1 2025-01-05 ann
             2 a1 2025-01-06 bob
             3 a3 2025-01-06 ann
             4 a3 2025-01-07 cid
             5 a3 2025-01-08 cid
             6 -  2025-01-08 dan",
        ),
    ]
}

const VALUES: &str = "mrr change churn visits visitors shareOfVisits busyAccounts";
const JANUARY: &str = r#"range: {between: {from: "2025-01-01", to: "2025-02-01"}}"#;

fn csm(regions: &[&str]) -> Caller {
    let regions = regions.iter().map(|region| Value::Text((*region).to_owned())).collect();
    Caller { roles: vec!["csm".to_owned()], claims: BTreeMap::from([("regions".to_owned(), regions)]), ..Caller::default() }
}

async fn desk(settings: &Settings) -> Desk {
    Desk::with(&api(&model(definitions(DEFINITIONS))), &tables(&EVERYTHING), settings).await
}

/// Two desks that have to answer alike: one whose caller may see only some regions of all rows, and one where there are no rows
/// but what that caller may see.
async fn restricted_and_smaller(text: &str, regions: &[&str], all: &[Table], visible: &[Table]) -> (Desk, Desk) {
    let api = api(&model(definitions(text)));
    let restricted = Desk::with(&api, all, &without_cache()).await.asked_by(&csm(regions));
    (restricted, Desk::with(&api, visible, &without_cache()).await)
}

#[tokio::test]
async fn a_restricted_caller_gets_the_numbers_of_a_smaller_warehouse() {
    for (regions, accounts) in [(&["emea"][..], &["a1", "a2"][..]), (&["apac", "emea"], &["a1", "a2", "a3"]), (&[], &[])] {
        let (restricted, smaller) = restricted_and_smaller(DEFINITIONS, regions, &tables(&EVERYTHING), &tables(accounts)).await;
        for by in ["by: [{dimension: REGION}],", "by: [],"] {
            let shown = if by.contains("REGION") { "region" } else { "" };
            let document = format!("{{ portfolio({by} {JANUARY}) {{ rows {{ {shown} {VALUES} }} totals {{ {VALUES} }} }} }}");
            assert_eq!(restricted.ask(&document).await, smaller.ask(&document).await, "{regions:?} {document}");
        }
    }
}

#[tokio::test]
async fn answers_do_not_cross_callers() {
    let kept = desk(&Settings::default()).await;
    let document = format!("{{ portfolio(by: [], {JANUARY}) {{ rows {{ visits }} provenance {{ cache }} }} }}");
    let kept = kept.asked_by(&csm(&["emea"]));
    assert_eq!(kept.ask(&document).await.rows("portfolio"), [["2"]]);
    let kept = kept.asked_by(&csm(&["apac"]));
    assert_eq!(kept.ask(&document).await.rows("portfolio"), [["3"]]);
    let kept = kept.asked_by(&Caller::default());
    assert_eq!(kept.ask(&document).await.rows("portfolio"), [["6"]]);
    let kept = kept.asked_by(&csm(&["emea"]));
    let again = kept.ask(&document).await;
    assert_eq!(
        (again.rows("portfolio"), again.at("/data/portfolio/provenance/cache")),
        (vec![vec!["2".to_owned()]], &"HIT".into())
    );
}

#[tokio::test]
async fn what_is_hidden_or_masked_cannot_be_found_out_by_conditions_or_order() {
    let restricted = desk(&without_cache()).await.asked_by(&csm(&["emea", "apac"]));
    let masked = restricted
        .ask(&format!("{{ portfolio(by: [{{dimension: TAX_NUMBER}}], {JANUARY}) {{ rows {{ taxNumber visits }} }} }}"))
        .await;
    assert_eq!(masked.rows("portfolio"), [["null", "5"]], "all values of a masked dimension are one");
    for guess in [r#"taxNumber: {eq: "11"}"#, r#"secret: {eq: "x"}"#] {
        let guessed =
            restricted.ask(&format!("{{ portfolio(by: [], {JANUARY}, where: {{{guess}}}) {{ rows {{ visits }} }} }}")).await;
        if guessed.codes().is_empty() {
            assert!(
                guessed.rows("portfolio").iter().flatten().all(|cell| cell == "null" || cell == "0"),
                "{guess}: {:#}",
                guessed.json
            );
        }
    }
    let hidden =
        restricted.ask(&format!("{{ portfolio(by: [{{dimension: SECRET}}], {JANUARY}) {{ rows {{ secret visits }} }} }}")).await;
    assert_eq!(hidden.codes().len(), 1, "{:#}", hidden.json);
    let listed =
        restricted.ask(r#"{ accounts(first: 10, orderBy: [{taxNumber: {dir: DESC}}]) { nodes { region taxNumber } } }"#).await;
    if listed.codes().is_empty() {
        let nodes = listed.at("/data/accounts/nodes").as_array().expect("a list").clone();
        assert_eq!(nodes.len(), 3);
        assert!(nodes.iter().all(|node| node["taxNumber"].is_null()), "{nodes:?}");
    }
}
