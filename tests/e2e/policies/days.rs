//! What a caller may see is decided on the day they ask, whatever day and knowledge a question is about.

use holdfast_tests::tables::table;
use holdfast_warehouse::table::Table;

use super::restricted_and_smaller;

const DEFINITIONS: &str = "
project: days
version: 1
---
entity: account
source: account
key: account_id
valid: {from: since, to: until, recorded: recorded_at}
dimensions:
  region: string
  name: string
---
entity: contract
source: contract
key: contract_id
valid: {from: since, to: until}
dimensions: {title: string}
relationships: {account: {to: account, key: account_id}}
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
time: {day: {}}
relationships: {contract: {to: contract, key: contract_id}}
measures: {visits: {count: rows}}
---
metrics:
  mrr: {measure: balance.mrr}
  churn: {movement: {of: balance.mrr, is: churn}}
  visits: {measure: visit.visits}
---
view: portfolio
metrics: [mrr, churn]
dimensions: [account, account.*]
---
view: visited
metrics: [visits]
dimensions: [contract, contract.title, account, account.name]
---
policies:
  own_regions:
    applies_to: account
    roles: csm
    rows: region in claims.regions
";

/// Accounts that are in Europe today: `a2` came there, `a3` was always there. `a1` left, and of `a4` it was believed for a while.
const VISIBLE: [&str; 2] = ["a2", "a3"];

fn tables(is_smaller: bool) -> Vec<Table> {
    let only = |name: &str, columns: &str, rows: &[(&str, &str)]| {
        let kept = rows.iter().filter(|(account, _)| !is_smaller || VISIBLE.contains(account));
        table(name, columns, &kept.map(|(_, row)| *row).collect::<Vec<_>>().join("\n"))
    };
    vec![
        only(
            "account",
            "account_id text, region text, name text, since date, until date, recorded_at timestamp",
            &[
                ("a1", "a1 emea Ada 2024-01-01 2025-06-01 2024-01-01T00:00:00Z"),
                ("a1", "a1 apac Ada 2025-06-01 - 2025-06-01T00:00:00Z"),
                ("a2", "a2 apac Bob 2024-01-01 2025-06-01 2024-01-01T00:00:00Z"),
                ("a2", "a2 emea Bob 2025-06-01 - 2025-06-01T00:00:00Z"),
                ("a3", "a3 emea Cid 2024-01-01 - 2024-01-01T00:00:00Z"),
                ("a4", "a4 emea Dan 2024-01-01 - 2024-01-01T00:00:00Z"),
                ("a4", "a4 apac Dan 2024-01-01 - 2025-09-01T00:00:00Z"),
            ],
        ),
        // The first contract was that of an account nobody here may see, and came to one they may.
        only(
            "contract",
            "contract_id text, account_id text, title text, since date, until date",
            &[
                ("a1", "k1 a1 Secret 2024-01-01 2025-06-01"),
                ("a2", "k1 a2 Open 2025-06-01 -"),
                ("a3", "k2 a3 Plain 2024-01-01 -"),
                ("a1", "k3 a1 Gone 2024-01-01 -"),
            ],
        ),
        only(
            "balance",
            "account_id text, month date, mrr decimal",
            &[
                ("a1", "a1 2024-12-31 100"),
                ("a2", "a2 2024-12-31 50"),
                ("a3", "a3 2024-12-31 70"),
                ("a4", "a4 2024-12-31 5"),
                ("a1", "a1 2025-01-31 110"),
                ("a3", "a3 2025-01-31 60"),
            ],
        ),
        only(
            "visit",
            "visit_id int, contract_id text, day date",
            &[("a2", "1 k1 2025-03-01"), ("a2", "2 k1 2025-07-01"), ("a3", "3 k2 2025-03-02"), ("a1", "4 k3 2025-03-03")],
        ),
    ]
}

#[tokio::test]
async fn no_day_and_no_knowledge_can_be_chosen_on_which_a_policy_let_more_through() {
    let (restricted, smaller) = restricted_and_smaller(DEFINITIONS, &["emea"], &tables(false), &tables(true)).await;
    let january = r#"range: {between: {from: "2025-01-01", to: "2025-02-01"}}"#;
    for moment in [
        "",
        r#"asOf: "2025-01-15""#,
        r#"asOf: "2025-05-31", asKnownAt: "2025-05-31T00:00:00Z""#,
        r#"asKnownAt: "2025-08-01T00:00:00Z""#,
        r#"asOf: "2023-01-01""#,
    ] {
        for document in [
            format!(
                "{{ accounts(first: 9, {moment}) {{ totalCount nodes {{ id name region metrics({january}) {{ mrr churn }} }} }} }}"
            ),
            format!("{{ contracts(first: 9, {moment}) {{ totalCount nodes {{ id title account {{ name region }} }} }} }}"),
            format!(
                "{{ portfolio(by: [{{dimension: ACCOUNT}}, {{dimension: REGION}}], {january}, {moment}) {{ rows {{ account {{ id name }} region mrr churn }} totals {{ mrr churn }} }} }}"
            ),
            format!(
                "{{ visited(by: [{{dimension: TITLE}}, {{dimension: NAME}}], {moment}) {{ rows {{ title name visits }} totals {{ visits }} }} }}"
            ),
            format!("{{ visited(by: [{{dimension: ACCOUNT}}], {moment}) {{ rows {{ account {{ id }} visits }} }} }}"),
        ] {
            let document = document.replace(", )", ")");
            let answer = restricted.ask(&document).await;
            assert!(answer.codes().is_empty(), "{:#}", answer.json);
            assert_eq!(answer, smaller.ask(&document).await, "{document}");
        }
    }
    let then = restricted.ask(r#"{ accounts(first: 9, asOf: "2025-01-15") { nodes { name region } } }"#).await;
    let nodes = then.at("/data/accounts/nodes").to_string();
    assert_eq!(
        nodes, r#"[{"name":"Bob","region":"apac"},{"name":"Cid","region":"emea"}]"#,
        "rows are those of the day asked about"
    );
}
