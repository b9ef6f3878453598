//! Ways around a policy: whatever is asked, the answer is that of a warehouse without the rows that are not there for the caller.

use super::{DEFINITIONS, EVERYTHING, JANUARY, csm, desk, restricted_and_smaller, tables};
use holdfast_schema::query::Caller;
use holdfast_tests::desk::without_cache;

/// `a3` is not there for the caller.
const ATTACKS: &[&str] = &[
    // By its id, whichever way.
    r#"{ account(id: "a3") { region } }"#,
    r#"{ account(id: "account:a3") { region } }"#,
    r#"{ node(id: "account:a3") { id __typename } }"#,
    r#"{ nodes(ids: ["account:a1", "account:a3", "account:a9", "visit:3"]) { id } }"#,
    r#"{ _entities(representations: [{__typename: "Account", accountId: "a3"}, {__typename: "Account", id: "account:a3"}, {__typename: "Visit", visitId: 3}]) { ... on Account { region } ... on Visit { visitor } } }"#,
    // By what belongs to it.
    "{ visits(first: 20) { totalCount nodes { visitor account { accountId } } } }",
    r#"{ visits(first: 20, where: {visitor: {eq: "cid"}}) { totalCount } }"#,
    r#"{ balances(first: 20, orderBy: [{month: {dir: DESC}}]) { totalCount nodes { id month account { accountId metrics { visits } } } } }"#,
    // By conditions and orders that would tell one bit each.
    r#"{ accounts(where: {id: {eq: "a3"}}) { totalCount } }"#,
    r#"{ accounts(where: {not: {region: {eq: "emea"}}}) { totalCount nodes { accountId } } }"#,
    r#"{ accounts(where: {or: [{region: {isNull: true}}, {region: {like: "%"}}]}) { totalCount } }"#,
    r#"{ accounts(first: 20, orderBy: [{region: {dir: DESC, nulls: FIRST}}]) { edges { cursor node { accountId } } pageInfo { hasNextPage endCursor } } }"#,
    r#"{ accounts(last: 1) { nodes { accountId } pageInfo { hasPreviousPage } } }"#,
    r#"{ accounts(first: 20, having: {visits: {gte: "0"}}, orderBy: [{metrics: {visits: {dir: DESC}}}]) { totalCount nodes { accountId metrics { visits mrr shareOfVisits } } } }"#,
    // By differences of totals and of groups.
    r#"{ a: portfolio(by: [], JANUARY) { totals { visits mrr } } b: portfolio(by: [], JANUARY, where: {account: {ne: "a3"}}) { totals { visits mrr } } c: portfolio(by: [], JANUARY, where: {account: {in: ["a3", "a1"]}}) { totals { visits visitors } } }"#,
    r#"{ portfolio(by: [{dimension: ACCOUNT}], JANUARY, limit: 1, offset: 2) { rowCount truncated rows { account { accountId } visits } totals { visits } } }"#,
    r#"{ portfolio(by: [{dimension: REGION}], JANUARY, having: {visits: {gt: "0"}}, orderBy: [{visits: {dir: DESC}}]) { rowCount rows { region visits shareOfVisits busyAccounts status { mrr } } } }"#,
    r#"{ portfolio(by: [{time: {grain: DAY}}], JANUARY, fill: DENSE) { rows { period(grain: DAY) { start } visits visitors } } }"#,
    r#"{ portfolio(by: [], JANUARY, compare: {previousPeriods: 1}) { rows { mrr compare { mrr { previous delta } } } } }"#,
    r#"{ portfolio(by: [], JANUARY, movementBasis: FLOW, dimensionBasis: CURRENT) { rows { churn change } } }"#,
    // By the same thing under many names.
    r#"{ a: accounts { totalCount } b: accounts { totalCount } ... on Query { c: accounts(first: 1) { totalCount nodes { accountId } } } }"#,
];

#[tokio::test]
async fn every_answer_is_that_of_a_warehouse_without_what_is_not_there() {
    let (restricted, smaller) = restricted_and_smaller(DEFINITIONS, &["emea"], &tables(&EVERYTHING), &tables(&["a1", "a2"])).await;
    for attack in ATTACKS {
        let document = attack.replace("JANUARY", JANUARY);
        let (found, expected) = (restricted.ask(&document).await, smaller.ask(&document).await);
        assert!(expected.codes().is_empty(), "{document} {:#}", expected.json);
        assert_eq!(found, expected, "{document}");
    }
}

/// What a caller who sees everything has learnt is of no use to one who does not.
#[tokio::test]
async fn cursors_and_ids_of_others_open_nothing() {
    let everything = desk(&without_cache()).await.asked_by(&Caller::default());
    let page = everything.ask("{ accounts(first: 4) { edges { cursor node { id } } } }").await;
    let edges = page.at("/data/accounts/edges").as_array().expect("a list").clone();
    assert_eq!(edges.len(), 4);
    let (restricted, smaller) = restricted_and_smaller(DEFINITIONS, &["emea"], &tables(&EVERYTHING), &tables(&["a1", "a2"])).await;
    for edge in edges {
        let (cursor, id) = (edge["cursor"].as_str().expect("text"), edge["node"]["id"].as_str().expect("text"));
        for document in [
            format!(
                "{{ accounts(first: 4, after: \"{cursor}\") {{ totalCount nodes {{ accountId }} pageInfo {{ hasPreviousPage }} }} }}"
            ),
            format!(
                "{{ accounts(last: 4, before: \"{cursor}\") {{ totalCount nodes {{ accountId }} pageInfo {{ hasNextPage }} }} }}"
            ),
            format!("{{ node(id: \"{id}\") {{ ... on Account {{ region metrics {{ visits }} }} }} }}"),
        ] {
            assert_eq!(restricted.ask(&document).await, smaller.ask(&document).await, "{document}");
        }
    }
}

#[tokio::test]
async fn a_role_without_its_claim_sees_nothing() {
    let nobody = desk(&without_cache()).await.asked_by(&csm(&[]));
    let answer = nobody.ask("{ accounts { totalCount } visits { totalCount } portfolio(by: []) { rows { visits } } }").await;
    assert_eq!(answer.at("/data/accounts/totalCount"), &0);
    assert_eq!(answer.at("/data/visits/totalCount"), &0);
    assert!(matches!(answer.rows("portfolio")[0][0].as_str(), "null" | "0"), "{:#}", answer.json);
}
