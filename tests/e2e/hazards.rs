//! The ways in which a number over several tables goes wrong, each by name, against SQL written by hand.

mod bridges;
mod columns;
mod corrections;
mod edges;
mod levels;
mod owners;
mod rates;
mod time;
mod windows;
mod zones;

use holdfast_schema::source::SourceMap;
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const SHOP: &str = include_str!("hazards/shop.yaml");

fn shop() -> SourceMap {
    definitions(SHOP)
}

/// Five accounts, one without segment and rows anywhere, one with sales and no tickets, one with tickets and no sales.
fn tables() -> Vec<Table> {
    vec![
        table("region", "region_id text, name text", "N North\n S South"),
        table("sector", "sector_id text, title text", "b Banking\n r Retail"),
        table(
            "account_sector",
            "account_id text, sector_id text, share decimal",
            "a1 b 0.75
             a1 r 0.25
             a2 r 1
             a3 b 0.5
             a3 r 0.5",
        ),
        table(
            "stakeholder",
            "stakeholder_id text, account_id text, role text",
            "p1 a1 champion
             p2 a1 champion
             p3 a1 sponsor
             p4 a2 user
             p5 a5 user",
        ),
        table(
            "account",
            "account_id text, name text, segment text, parent_id text, home_region_id text, billing_region_id text, credit_limit decimal",
            "a1 Acme enterprise -  N S 1000
             a2 Beta smb        a1 N N 200
             a3 Cora smb        a1 S N 300
             a4 Dorn -          a2 S S 400
             a5 Eder enterprise -  - - 500",
        ),
        table(
            "sale",
            "sale_id int, account_id text, sold_at timestamp, channel text, amount decimal, buyer text",
            "1  a1 2023-02-27T10:00:00Z online  40     ann
             2  a1 2024-02-28T23:30:00Z online  10     ann
             3  a1 2024-02-29T22:59:59Z shop    20.50  bob
             4  a1 2024-02-29T23:00:00Z shop    30     bob
             5  a2 2024-03-30T22:30:00Z online  5      cid
             6  a2 2024-03-30T23:30:00Z online  6      cid
             7  a2 2024-03-31T21:59:59Z online  7      dan
             8  a2 2024-03-31T22:00:00Z shop    8      dan
             9  a2 2024-10-27T00:30:00Z shop    9      cid
             10 a2 2024-10-27T01:30:00Z shop    11     ann
             11 a3 2024-10-27T22:59:59Z -       12     eve
             12 a3 2024-10-27T23:00:00Z -       13.25  eve
             13 a4 2024-12-31T23:30:00Z online  100    fay
             14 a4 2025-01-15T08:00:00Z online  -      fay
             15 -  2024-05-05T08:00:00Z shop    1000   gus",
        ),
        table(
            "ticket",
            "ticket_id int, account_id text, day date, hours decimal",
            "1 a1 2024-02-29 2
             2 a1 2024-03-01 1.5
             3 a2 2024-03-31 0
             4 a5 2024-03-31 4
             5 a5 2024-07-01 -
             6 -  2024-10-27 8",
        ),
        table(
            "seat_month",
            "account_id text, month date, licensed decimal, used decimal",
            "a1 2024-01-31 10 4
             a1 2024-02-29 12 5
             a1 2024-03-31 14 6
             a2 2024-01-31 5  1
             a2 2024-02-29 5  2
             a3 2024-03-31 0  0
             a5 2024-10-31 7  -",
        ),
    ]
}

const IN_2024: &str = r#"range: {between: {from: "2024-01-01", to: "2025-01-01"}}"#;

/// Sales with the day on which they were made in Berlin.
const SALES: &str = "with s as (select *, (sold_at at time zone 'Europe/Berlin')::date as day from sale)";

async fn check(document: &str, check_sql: &str) {
    Desk::open(shop(), &tables()).await.check("shop", document, check_sql).await;
}

#[tokio::test]
async fn two_facts_in_one_query_do_not_multiply_each_other() {
    let desk = Desk::open(shop(), &tables()).await;
    let document = format!(
        "{{ shop(by: [{{dimension: SEGMENT}}], {IN_2024}) {{ rows {{ segment revenue sales tickets hours }} totals {{ revenue sales tickets hours }} }} }}"
    );
    let check_sql = format!(
        "{SALES}, parts as (
           select a.segment, sum(amount) as revenue, count(*) as sales, null::bigint as tickets, null::numeric as hours
           from s left join account a using (account_id) where day >= '2024-01-01' and day < '2025-01-01' group by a.segment
           union all
           select a.segment, null, null, count(*), sum(hours)
           from ticket t left join account a using (account_id) where day >= '2024-01-01' and day < '2025-01-01' group by a.segment)
         select segment, max(revenue), max(sales), max(tickets), max(hours) from parts group by segment order by segment nulls last"
    );
    let answer = desk.check("shop", &document, &check_sql).await;
    let totals = format!(
        "{SALES} select (select sum(amount) from s where day >= '2024-01-01' and day < '2025-01-01'),
                        (select count(*) from s where day >= '2024-01-01' and day < '2025-01-01'),
                        (select count(*) from ticket where day >= '2024-01-01' and day < '2025-01-01'),
                        (select sum(hours) from ticket where day >= '2024-01-01' and day < '2025-01-01')"
    );
    assert_eq!(vec![answer.totals("shop")], desk.by_hand(&totals).await);
}

#[tokio::test]
async fn a_measure_of_the_hub_beside_a_fact_is_not_repeated_per_row_of_the_fact() {
    let desk = Desk::open(shop(), &tables()).await;
    desk.check(
        "hub",
        "{ hub(by: [{dimension: SEGMENT}]) { rows { segment creditLimit accounts sales } } }",
        "with parts as (
           select segment, sum(credit_limit) as c, count(*) as a, null::bigint as s from account group by segment
           union all
           select segment, null, null, count(*) from sale left join account using (account_id) group by segment)
         select segment, max(c), max(a), max(s) from parts group by segment order by segment nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_measure_of_the_hub_meets_each_value_of_a_multiplying_dimension_once() {
    let desk = Desk::open(shop(), &tables()).await;
    let answer = desk
        .check(
            "people",
            "{ people(by: [{dimension: ROLE}]) { rows { role creditLimit accounts } totals { creditLimit accounts } provenance { overlappingMembers } } }",
            "select role, sum(credit_limit), count(*)
             from (select distinct a.account_id, a.credit_limit, p.role from account a left join stakeholder p using (account_id)) x
             group by role order by role nulls last",
        )
        .await;
    assert_eq!(answer.totals("people"), ["2400", "5"], "the total counts each account once");
    assert_eq!(answer.at("/data/people/provenance/overlappingMembers"), true);
}

#[tokio::test]
async fn a_fact_by_a_multiplying_dimension_counts_once_per_value() {
    check(
        "{ shop(by: [{dimension: ROLE}]) { rows { role revenue sales buyers tickets } } }",
        "with sales as (
           select role, sum(amount) as r, count(*) as n, count(distinct buyer) as b
           from (select distinct s.sale_id, s.amount, s.buyer, p.role from sale s left join stakeholder p using (account_id)) x group by role),
         tickets as (
           select role, count(*) as t
           from (select distinct t.ticket_id, p.role from ticket t left join stakeholder p using (account_id)) x group by role),
         parts as (
           select role, r, n, b, null::bigint as t from sales union all select role, null, null, null, t from tickets)
         select role, max(r), max(n), max(b), max(t) from parts group by role order by role nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_condition_on_a_multiplying_dimension_does_not_multiply() {
    check(
        r#"{ shop(where: {role: {in: ["champion", "sponsor"]}}) { rows { revenue sales tickets } } }"#,
        "with one as (select distinct account_id from stakeholder where role in ('champion', 'sponsor'))
         select (select sum(amount) from sale join one using (account_id)), (select count(*) from sale join one using (account_id)),
                (select count(*) from ticket join one using (account_id))",
    )
    .await;
}

#[tokio::test]
async fn null_group_keys_are_groups_and_meet_each_other() {
    check(
        "{ shop(by: [{dimension: SEGMENT}, {dimension: HOME_REGION}]) { rows { segment homeRegion sales tickets } } }",
        "with parts as (
           select a.segment, r.name, count(*) as s, null::bigint as t
           from sale left join account a using (account_id) left join region r on r.region_id = a.home_region_id group by 1, 2
           union all
           select a.segment, r.name, null, count(*)
           from ticket left join account a using (account_id) left join region r on r.region_id = a.home_region_id group by 1, 2)
         select segment, name, max(s), max(t) from parts group by 1, 2 order by 1 nulls last, 2 nulls last",
    )
    .await;
}

#[tokio::test]
async fn an_empty_fact_leaves_the_others_alone() {
    let mut tables = tables();
    let ticket = tables.iter_mut().find(|table| table.name == "ticket").expect("there are tickets");
    *ticket = table("ticket", "ticket_id int, account_id text, day date, hours decimal", "");
    let desk = Desk::open(shop(), &tables).await;
    let document = "{ shop(by: [{dimension: SEGMENT}]) {
        rows { segment sales tickets hours hoursPerSale status { tickets hoursPerSale } } totals { sales tickets hours hoursPerSale } } }";
    let answer = desk
        .check(
            "shop",
            document,
            "select segment, count(*), null, null, null, 'NO_ROWS', 'NULL_INPUT'
             from sale left join account using (account_id) group by segment order by segment nulls last",
        )
        .await;
    assert_eq!(answer.totals("shop")[0], "15");
    assert_eq!(answer.totals("shop")[2..], ["null", "null"]);
    let nothing = desk.ask("{ shop(by: [{dimension: SEGMENT}]) { rows { segment tickets } } }").await;
    assert!(nothing.rows("shop").is_empty());
}

#[tokio::test]
async fn a_zero_or_missing_denominator_gives_null_and_the_total_is_recomputed() {
    let desk = Desk::open(shop(), &tables()).await;
    let document = r#"{ shop(by: [{dimension: NAME}], range: {between: {from: "2024-01-01", to: "2024-04-01"}}) {
        rows { name revenue licensed revenuePerSeat status { revenuePerSeat } } totals { revenuePerSeat } } }"#;
    let check_sql = format!(
        "{SALES}, r as (select a.name, sum(amount) as r from s left join account a using (account_id)
                       where day >= '2024-01-01' and day < '2024-04-01' group by a.name),
         l as (select a.name, sum(licensed) as l from seat_month left join account a using (account_id) where month = '2024-03-31' group by a.name),
         g as (select name, max(r) as r, max(l) as l from (select name, r, null::numeric as l from r union all select name, null, l from l) p group by name)
         select name, r, l, round(r / nullif(l, 0), 16),
                case when round(r / nullif(l, 0), 16) is not null then null when l = 0 then 'ZERO_DENOMINATOR' else 'NULL_INPUT' end
         from g order by name nulls last"
    );
    let answer = desk.check("shop", document, &check_sql).await;
    let total = format!(
        "{SALES} select round((select sum(amount) from s where day >= '2024-01-01' and day < '2024-04-01')
                            / (select sum(licensed) from seat_month where month = '2024-03-31'), 16)"
    );
    assert_eq!(vec![answer.totals("shop")], desk.by_hand(&total).await);
}

#[tokio::test]
async fn two_relationships_to_one_entity_are_two_dimensions() {
    check(
        "{ shop(by: [{dimension: HOME_REGION}, {dimension: BILLING_REGION}]) { rows { homeRegion billingRegion revenue } } }",
        "select h.name, b.name, sum(amount) from sale left join account a using (account_id)
         left join region h on h.region_id = a.home_region_id left join region b on b.region_id = a.billing_region_id
         group by 1, 2 order by 1 nulls last, 2 nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_relationship_to_itself_leads_to_the_other_row() {
    check(
        "{ shop(by: [{dimension: GROUP_NAME}, {dimension: NAME}]) { rows { groupName name revenue } } }",
        "select g.name, a.name, sum(amount) from sale left join account a using (account_id) left join account g on g.account_id = a.parent_id
         group by 1, 2 order by 1 nulls last, 2 nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_weighted_relationship_shares_out_and_the_shares_add_up() {
    let desk = Desk::open(shop(), &tables()).await;
    let answer = desk
        .check(
            "shop",
            "{ shop(by: [{dimension: SECTOR}]) { rows { sector revenue } totals { revenue } } }",
            "select t.title, sum(amount * coalesce(share, 1)) from sale left join account_sector using (account_id) left join sector t using (sector_id)
             group by 1 order by 1 nulls last",
        )
        .await;
    assert_eq!(vec![answer.totals("shop")], desk.by_hand("select sum(amount) from sale").await);
}

#[tokio::test]
async fn distinct_counts_are_counted_again_at_every_level() {
    let desk = Desk::open(shop(), &tables()).await;
    let answer = desk
        .check(
            "shop",
            "{ shop(by: [{dimension: SEGMENT}]) { rows { segment buyers } totals { buyers } } }",
            "select segment, count(distinct buyer) from sale left join account using (account_id) group by 1 order by 1 nulls last",
        )
        .await;
    assert_eq!(answer.totals("shop"), ["7"]);
}

#[tokio::test]
async fn per_entity_metrics_look_at_each_entity_first() {
    let desk = Desk::open(shop(), &tables()).await;
    let answer = desk
        .check(
            "shop",
            "{ shop(by: [{dimension: SEGMENT}]) { rows { segment bigAccounts typicalAccount } totals { bigAccounts typicalAccount } } }",
            "with e as (select segment, account_id, sum(amount) as r from sale join account using (account_id) group by 1, 2)
             select segment, count(*) filter (where r > 100), round(percentile_cont(0.5) within group (order by r)::numeric, 16)
             from e group by 1 order by 1 nulls last",
        )
        .await;
    assert_eq!(answer.totals("shop")[0], "1");
}

#[tokio::test]
async fn a_share_is_of_everything_in_the_question() {
    check(
        &format!("{{ shop(by: [{{dimension: SEGMENT}}], {IN_2024}, having: {{revenue: {{gt: 100}}}}) {{ rows {{ segment revenue revenueShare }} }} }}"),
        &format!(
            "{SALES}, f as (select segment, sum(amount) as r from s left join account using (account_id)
                            where day >= '2024-01-01' and day < '2025-01-01' group by 1)
             select segment, r, round(r / (select sum(r) from f), 16) from f where r > 100 order by 1 nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn groups_are_chosen_ordered_and_paged_after_they_are_computed() {
    let desk = Desk::open(shop(), &tables()).await;
    let answer = desk
        .check(
            "shop",
            "{ shop(by: [{dimension: NAME}], having: {sales: {gte: 2}}, orderBy: [{revenue: {dir: DESC}}], limit: 2, offset: 1) {
                 rows { name revenue sales } } }",
            "select name, sum(amount) as r, count(*) from sale left join account using (account_id) group by name having count(*) >= 2
             order by r desc nulls last, name limit 2 offset 1",
        )
        .await;
    assert_eq!(answer.rows("shop").len(), 2);
    let whole = desk
        .ask(
            "{ shop(by: [{dimension: NAME}], having: {sales: {gte: 2}}, orderBy: [{revenue: {dir: DESC}}], limit: 1) { rows { name } rowCount truncated } }",
        )
        .await;
    assert_eq!((whole.at("/data/shop/rowCount"), whole.at("/data/shop/truncated")), (&4.into(), &true.into()));
}

#[tokio::test]
async fn rows_are_counted_past_the_last_one_too() {
    let desk = Desk::open(shop(), &tables()).await;
    for (having, offset, count) in [("{sales: {gte: 2}}", 4, 4), ("{sales: {gte: 2}}", 400, 4), ("{sales: {gte: 200}}", 3, 0)] {
        let past = desk
            .ask(&format!(
                "{{ shop(by: [{{dimension: NAME}}], having: {having}, orderBy: [{{revenue: {{dir: DESC}}}}], offset: {offset}) {{ rows {{ name }} rowCount truncated totals {{ sales }} }} }}"
            ))
            .await;
        assert!(past.rows("shop").is_empty());
        assert_eq!((past.at("/data/shop/rowCount"), past.at("/data/shop/truncated")), (&count.into(), &false.into()));
        assert_eq!([past.totals("shop")], desk.by_hand("select count(*) from sale").await[..]);
    }
}

#[tokio::test]
async fn one_metric_with_two_conditions_is_two_columns() {
    check(
        r#"{ shop(by: [{dimension: SEGMENT}]) { rows { segment north: revenue(where: {homeRegion: {eq: "North"}}) south: revenue(where: {homeRegion: {eq: "South"}}) } } }"#,
        "select a.segment, sum(amount) filter (where r.name = 'North'), sum(amount) filter (where r.name = 'South')
         from sale left join account a using (account_id) left join region r on r.region_id = a.home_region_id group by 1 order by 1 nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_condition_that_no_row_fulfils_removes_no_group() {
    let desk = Desk::open(shop(), &tables()).await;
    desk.check(
        "channels",
        "{ channels(by: [{dimension: SEGMENT}]) { rows { segment revenue onlineRevenue onlineShare } totals { onlineShare } } }",
        "select segment, sum(amount), sum(amount) filter (where channel = 'online'),
                round(sum(amount) filter (where channel = 'online') / nullif(sum(amount), 0), 16)
         from sale left join account using (account_id) group by 1 order by 1 nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_missing_value_fulfils_neither_a_condition_nor_its_opposite() {
    let desk = Desk::open(shop(), &tables()).await;
    for opposite in [r#"{not: {channel: {eq: "shop"}}}"#, r#"{channel: {ne: "shop"}}"#, r#"{channel: {notIn: ["shop"]}}"#] {
        desk.check(
            "channels",
            &format!("{{ channels(by: [{{dimension: CHANNEL}}], where: {opposite}) {{ rows {{ channel sales }} }} }}"),
            "select channel, count(*) from sale where channel <> 'shop' group by 1 order by 1 nulls last",
        )
        .await;
    }
    desk.check(
        "channels",
        r#"{ channels(by: [{dimension: CHANNEL}], where: {or: [{channel: {ne: "shop"}}, {channel: {isNull: true}}]}) { rows { channel sales } } }"#,
        "select channel, count(*) from sale where channel is distinct from 'shop' group by 1 order by 1 nulls last",
    )
    .await;
}

#[tokio::test]
async fn a_question_that_cannot_be_right_is_refused_with_its_code() {
    let desk = Desk::open(shop(), &tables()).await;
    let ungrouped = desk.ask("{ shop(by: [{dimension: SEGMENT}]) { rows { name revenue } } }").await;
    assert_eq!(ungrouped.codes(), ["DIMENSION_NOT_GROUPED"]);
    let finer = desk.ask("{ shop(by: [{time: {grain: DAY}}]) { rows { period(grain: DAY) { start } licensed } } }").await;
    assert_eq!(finer.codes().len(), 1, "{:#}", finer.json);
}
