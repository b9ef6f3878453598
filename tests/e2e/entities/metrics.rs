//! Rows ordered and chosen by their metrics: values against SQL written by hand, pages against sorting in memory, policies inside.

use std::{cmp::Ordering, fmt::Write as _};

use holdfast_schema::{
    query::{Comparator, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, Nulls, TimeRange},
    value::{Value, ValueType},
};
use holdfast_server::{definitions::Origin, demo};
use holdfast_tests::{
    desk::{Desk as Counters, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;
use jiff::civil::date;

use super::{Desk, Row, below, by, claims, list as plain, only, paging::check_walks, text};

const DEFINITIONS: &str = "
project: by_metric
version: 1
---
entity: account
source: account
key: account_id
dimensions:
  name: string
  region: string
relationships:
  contracts: {to: contract, many: true, key: account_id}
---
entity: contract
source: contract
key: [account_id, number]
dimensions:
  number: int
relationships:
  account: {to: account, key: account_id}
---
entity: balance
source: balance
key: [account_id, number, month]
time: {month: {grain: month, snapshot: end_of_period}}
dimensions:
  number: int
relationships:
  account: {to: account, key: account_id}
  contract: {to: contract, key: [account_id, number]}
measures: {mrr: {sum: mrr, over_time: last}}
movements: {owner: account, grains: {account: [account], contract: [account, contract]}}
---
entity: visit
source: visit
key: visit_id
time: {day: {}}
relationships: {account: {to: account, key: account_id}}
measures: {visits: {count: rows}}
---
metrics:
  mrr: {measure: balance.mrr}
  opening: {movement: {of: balance.mrr, take: opening}}
  contraction: {movement: {of: balance.mrr, is: contraction}}
  contraction_rate: {ratio: contraction / opening}
  visits: {measure: visit.visits}
  share_of_visits: {share: {of: visits}}
---
policies:
  own_regions:
    applies_to: account
    roles: csm
    rows: region in claims.regions
";

const ACCOUNTS: usize = 42;

fn region(account: usize) -> &'static str {
    if account.is_multiple_of(3) { "apac" } else { "emea" }
}

/// Accounts of some regions with what belongs to them: many with the same numbers, some with none.
fn tables(regions: &[&str]) -> Vec<Table> {
    let (mut accounts, mut contracts, mut balances, mut visits) = (String::new(), String::new(), String::new(), String::new());
    for account in (0..ACCOUNTS).filter(|account| regions.contains(&region(*account))) {
        let _ = writeln!(accounts, "a{account:02} n{} {}", account % 4, region(account));
        for number in 1..=3 {
            let _ = writeln!(contracts, "a{account:02} {number}");
            if account % 8 == 3 || (account + number) % 5 == 0 {
                continue;
            }
            let opening = [100, 250, 80][(account + number) % 3];
            let closing = [opening, opening - 30, opening + 10, opening - 50][account % 4];
            let _ = writeln!(balances, "a{account:02} {number} 2024-12-31 {opening}.25");
            let _ = writeln!(balances, "a{account:02} {number} 2025-01-31 {closing}.25");
        }
        for visit in 0..account % 5 {
            let _ = writeln!(visits, "{} a{account:02} 2025-01-{:02}", account * 10 + visit, visit + 1);
        }
        let _ = writeln!(visits, "{} a{account:02} 2025-02-01", account * 10 + 9);
    }
    vec![
        table("account", "account_id text, name text, region text", &accounts),
        table("contract", "account_id text, number int", &contracts),
        table("balance", "account_id text, number int, month date, mrr decimal", &balances),
        table("visit", "visit_id int, account_id text, day date", &visits),
    ]
}

async fn open(regions: &[&str]) -> Desk {
    Desk::with(definitions(DEFINITIONS), &tables(regions)).await
}

/// A list whose metrics are those of January.
fn list(entity: &str) -> EntityQuery {
    let range = Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 2, 1)) });
    EntityQuery { metrics: EntityMetrics { range, ..EntityMetrics::default() }, ..plain(entity, &[]) }
}

fn by_metric(name: &str, direction: Direction, nulls: Option<Nulls>) -> EntityOrderBy {
    EntityOrderBy { by: EntityOrderKey::Metric(name.to_owned()), direction, nulls }
}

fn compare(field: &str, operator: Comparator, value: Value) -> Filter {
    Filter::Compare { field: field.to_owned(), operator, value }
}

#[tokio::test]
async fn order_and_conditions_are_those_of_the_metrics() {
    let desk = open(&["emea", "apac"]).await;
    let query = EntityQuery {
        having: Some(compare("visits", Comparator::Greater, Value::Int(1))),
        order_by: vec![by_metric("contraction", Direction::Descending, None), by("name", Direction::Ascending, None)],
        ..only(list("account"), compare("region", Comparator::Equal, text("emea")))
    };
    let sql = "
        with balances as (
          select account_id,
            sum(case when month = date '2024-12-31' then mrr end) as opening,
            sum(case when month = date '2025-01-31' then mrr end) as closing
          from balance group by account_id
        ), visited as (
          select account_id, count(*) as visits from visit
          where day >= date '2025-01-01' and day < date '2025-02-01' group by account_id
        )
        select a.account_id, case when b.closing < b.opening then b.opening - b.closing
            when b.opening is not null then 0 end as contraction, a.name
        from account a left join balances b on b.account_id = a.account_id left join visited v on v.account_id = a.account_id
        where a.region = 'emea' and v.visits > 1
        order by contraction desc nulls last, a.name, a.account_id";
    let rows = desk.ask(&query).await;
    assert!(rows[0][1] != Value::Null && rows[rows.len() - 1][1] == Value::Null, "{rows:?}");
    assert_eq!(rows, desk.by_hand(sql, &[ValueType::Text, ValueType::Decimal, ValueType::Text]).await);
    assert_eq!(desk.count(&query).await, [[Value::Int(rows.len() as i64)]]);
}

#[tokio::test]
async fn rows_without_any_value_are_found_as_missing() {
    let desk = open(&["emea", "apac"]).await;
    let missing = |is_null| EntityQuery {
        having: Some(Filter::And(vec![
            Filter::IsNull { field: "visits".to_owned(), is_null },
            Filter::Not(Box::new(Filter::IsNull { field: "mrr".to_owned(), is_null: false })),
        ])),
        ..list("account")
    };
    let sql = |visited: &str| -> &'static str {
        let condition = format!(
            "select a.account_id from account a where {visited} exists (select 1 from visit v where v.account_id = a.account_id and \
             v.day < date '2025-02-01') and not exists (select 1 from balance b where b.account_id = a.account_id) order by 1"
        );
        condition.leak()
    };
    for (is_null, visited) in [(true, "not"), (false, "")] {
        let rows = desk.ask(&missing(is_null)).await;
        assert!(!rows.is_empty());
        assert_eq!(rows, desk.by_hand(sql(visited), &[ValueType::Text]).await);
    }
}

#[tokio::test]
async fn every_direction_and_place_of_nulls_pages_through_the_sorted_list() {
    let desk = open(&["emea", "apac"]).await;
    for direction in [Direction::Ascending, Direction::Descending] {
        for nulls in [None, Some(Nulls::First)] {
            for order_by in [
                vec![by_metric("contraction_rate", direction, nulls)],
                vec![
                    by("name", Direction::Descending, None),
                    by_metric("mrr", direction, nulls),
                    by_metric("visits", direction, None),
                ],
            ] {
                check_walks(&desk, EntityQuery { order_by, ..list("account") }).await;
            }
        }
    }
    let having = Filter::Or(vec![
        compare("mrr", Comparator::GreaterOrEqual, Value::Decimal("200.5".to_owned())),
        Filter::IsNull { field: "contraction".to_owned(), is_null: true },
    ]);
    let order_by = vec![by_metric("share_of_visits", Direction::Descending, Some(Nulls::First))];
    check_walks(&desk, EntityQuery { having: Some(having), order_by, ..list("account") }).await;
}

#[tokio::test]
async fn rows_below_are_cut_and_counted_per_parent_by_their_metrics() {
    let desk = open(&["emea", "apac"]).await;
    let everyone: Vec<Row> = desk.ask(&plain("account", &[])).await;
    let nested = below("account", "contracts", everyone, list("contract"));
    let mut largest = EntityQuery { order_by: vec![by_metric("mrr", Direction::Descending, Some(Nulls::First))], ..nested.clone() };
    largest.page.limit = 1;
    let sql = "
        with ranked as (
          select c.account_id, c.number, b.mrr,
            row_number() over (partition by c.account_id order by b.mrr desc nulls first, c.number) as place
          from contract c left join balance b
            on b.account_id = c.account_id and b.number = c.number and b.month = date '2025-01-31'
        )
        select account_id as parent, account_id, number, mrr from ranked where place <= 2 order by account_id, place";
    use ValueType::{Decimal, Int, Text};
    assert_eq!(desk.ask(&largest).await, desk.by_hand(sql, &[Text, Text, Int, Decimal]).await);

    let having = Some(compare("mrr", Comparator::Greater, Value::Int(100)));
    let sql = "select account_id, count(*) from balance where month = date '2025-01-31' and mrr > 100 \
               group by account_id order by account_id";
    assert_eq!(desk.count(&EntityQuery { having, ..nested }).await, desk.by_hand(sql, &[Text, Int]).await);
}

#[tokio::test]
async fn a_restricted_caller_gets_the_order_of_a_smaller_warehouse() {
    let query = EntityQuery {
        having: Some(compare("visits", Comparator::Greater, Value::Int(0))),
        order_by: vec![by_metric("share_of_visits", Direction::Descending, None), by_metric("mrr", Direction::Ascending, None)],
        ..list("account")
    };
    let smaller = open(&["apac"]).await;
    let mut restricted = open(&["emea", "apac"]).await;
    let all = restricted.ask(&query).await;
    restricted.caller = claims("regions", vec![text("apac")]);
    restricted.caller.roles = vec!["csm".to_owned()];
    let rows = restricted.ask(&query).await;
    assert!(!rows.is_empty() && rows.len() < all.len());
    assert!(rows.iter().all(|row| !all.contains(row)), "shares are of what may be seen");
    assert_eq!(rows, smaller.ask(&query).await);
    assert_eq!(restricted.count(&query).await, smaller.count(&query).await);
    restricted.caller.claims.clear();
    assert!(restricted.ask(&query).await.is_empty());
}

const YEAR: &str = r#"range: {between: {from: "2025-01-01", to: "2026-01-01"}}, movementGrain: COMPONENT"#;

/// A page of the demo's accounts: ids with the metric they are ordered by, the cursors of both ends, whether there is more.
async fn page(desk: &Counters, arguments: &str) -> (Vec<(Option<i128>, String)>, String, bool) {
    let document = format!(
        "{{ accounts({arguments}, metrics: {{{YEAR}}}, orderBy: [{{metrics: {{silentLeakage: {{dir: DESC}}}}}}], \
         having: {{openingMrr: {{gt: 0}}}}) {{ totalCount nodes {{ id metrics({YEAR}) {{ silentLeakage openingMrr }} }} \
         pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} }} }}"
    );
    let answer = desk.ask(&document).await;
    assert!(answer.json.get("errors").is_none(), "{:#}", answer.json);
    let accounts = answer.at("/data/accounts");
    let exact = |text: &str| {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{places:0<16}").parse().unwrap()
    };
    let nodes = accounts["nodes"].as_array().unwrap().iter().map(|node| {
        let leakage = node["metrics"]["silentLeakage"].as_str().map(exact);
        (leakage, node["id"].as_str().unwrap().to_owned())
    });
    let nodes: Vec<_> = nodes.collect();
    let (end, more) = if arguments.starts_with("last") { ("startCursor", "hasPreviousPage") } else { ("endCursor", "hasNextPage") };
    let info = &accounts["pageInfo"];
    (nodes, info[end].as_str().unwrap().to_owned(), info[more].as_bool().unwrap())
}

/// What is shown is what is ordered by, and cursors walk through all of it in both directions.
#[tokio::test]
async fn pages_of_the_shipped_definitions_show_the_metric_they_are_ordered_by() {
    let desk = Counters::open(Origin::Shipped.read().unwrap(), &demo::portfolio()).await;
    let mut walks = Vec::new();
    for (count, from) in [("first: 90", "after"), ("last: 90", "before")] {
        let mut all = Vec::new();
        let mut arguments = count.to_owned();
        loop {
            let (mut nodes, end, more) = page(&desk, &arguments).await;
            if from == "before" {
                nodes.reverse();
            }
            all.extend(nodes);
            if !more {
                break;
            }
            arguments = format!("{count}, {from}: \"{end}\"");
        }
        walks.push(all);
    }
    let mut backwards = walks.pop().unwrap();
    backwards.reverse();
    let forwards = walks.pop().unwrap();
    assert!(forwards.len() > 180 && forwards[0].0 > Some(0), "{}", forwards.len());
    assert_eq!(forwards, backwards);
    let mut sorted = forwards.clone();
    sorted.sort_by(|left, right| match right.0.cmp(&left.0) {
        Ordering::Equal => left.1.cmp(&right.1),
        different => different,
    });
    assert_eq!(forwards, sorted);
}
