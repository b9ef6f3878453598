//! Numbers of a member at both ends of a movement: a rank that fell is told by ranks, wherever the member is counted.

use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};

const DEFINITIONS: &str = "
project: levels
version: 1
---
entity: account
source: account
key: account_id
dimensions: {name: string}
---
entity: tier
source: tier
key: tier_id
dimensions: {rank: int}
---
entity: licence
source: licence
key: licence_id
valid: {from: valid_from, to: valid_to}
relationships:
  account: {to: account, key: account_id}
  tier: {to: tier, key: tier_id}
  replaces: {to: licence, key: replaces_id}
---
entity: fee_month
source: fee
key: [licence_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
dimensions: {discount: decimal}
relationships:
  account: {to: account, key: account_id}
  licence: {to: licence, key: licence_id}
measures: {fee: {sum: fee, over_time: last}}
movements:
  owner: account
  component: licence
  replaces: replaces
  grains: {account: [account], licence: [account, licence]}
---
metrics:
  opened: {movement: {of: fee_month.fee, take: opening, grain: licence}}
  lowered: {movement: {of: fee_month.fee, with: {rank: licence.tier.rank}, take: members, grain: licence, when: opening > 0 and closing > 0 and closing_rank < opening_rank}}
  accounts_lowered: {movement: {of: fee_month.fee, with: {rank: licence.tier.rank}, take: owners, grain: account, when: closing_rank < opening_rank}}
  ranks_lost: {movement: {of: fee_month.fee, with: {rank: licence.tier.rank}, take: case when closing_rank < opening_rank then (opening_rank - closing_rank) / 2 else 0 end, grain: licence}}
  discounted: {movement: {of: fee_month.fee, with: {discount: discount}, take: case when closing_discount > opening_discount then closing_discount - opening_discount else 0 end, grain: licence}}
---
view: fees
metrics: [opened, lowered, accounts_lowered, ranks_lost, discounted]
dimensions: [{name: account, path: account.name}, {name: rank, path: licence.tier.rank}]
";

/// What stood at both ends of a month, licence by licence, by hand.
const PAIRS: &str = "
with place as (
  select f.licence_id, f.month, f.account_id, f.fee, f.discount, l.replaces_id, t.rank
  from fee f
  join licence l on l.licence_id = f.licence_id and l.valid_from <= f.month and (l.valid_to is null or l.valid_to > f.month)
  left join tier t on t.tier_id = l.tier_id),
pair as (
  select o.licence_id, o.account_id, o.month, o.rank, o.fee as opening, max(c.fee) as closing, max(c.rank) as after,
         max(o.discount) as discount, max(c.discount) as discount_after
  from place o
  left join place c on o.licence_id in (c.licence_id, c.replaces_id)
    and date_trunc('month', c.month) = date_trunc('month', o.month) + interval '1 month'
  group by 1, 2, 3, 4, 5)
";

async fn desk() -> Desk {
    let tables = [
        table("account", "account_id text, name text", "a Acme\n b Beta\n c Cora"),
        table("tier", "tier_id text, rank int", "low 1\n mid 2\n high 3\n top 6"),
        table(
            "licence",
            "licence_id text, valid_from date, valid_to date, account_id text, tier_id text, replaces_id text",
            "l1 2024-01-01 2025-01-15 a high -
             l1 2025-01-15 2025-02-15 a low  -
             l1 2025-02-15 -          a high -
             l2 2024-01-01 -          a mid  -
             l3 2024-01-01 -          b top  -
             l4 2025-01-10 -          b mid  l3
             l5 2024-01-01 2025-02-10 c mid  -
             l5 2025-02-10 -          c -    -
             l6 2025-02-03 -          c low  -",
        ),
        table(
            "fee",
            "licence_id text, month date, account_id text, fee decimal, discount decimal",
            "l1 2024-12-31 a 30 0
             l1 2025-01-31 a 30 0.5
             l1 2025-02-28 a 40 0.25
             l2 2024-12-31 a 20 0.1
             l2 2025-01-31 a 20 0.1
             l2 2025-02-28 a 5  0.3
             l3 2024-12-31 b 60 -
             l4 2025-01-31 b 20 0.2
             l4 2025-02-28 b 20 0.2
             l5 2024-12-31 c 20 0
             l5 2025-01-31 c 20 0
             l5 2025-02-28 c 18 0
             l6 2025-02-28 c 10 0",
        ),
    ];
    Desk::open(definitions(DEFINITIONS), &tables).await
}

/// The metrics of single licences, asked in some groups of the two months.
fn question(by: &str, fields: &str) -> String {
    format!(
        "{{ fees(by: [{by}], range: {{between: {{from: \"2025-01-01\", to: \"2025-03-01\"}}}}) \
         {{ rows {{ {fields} opened lowered ranksLost discounted }} }} }}"
    )
}

#[tokio::test]
async fn a_rank_that_fell_is_told_where_the_member_was() {
    let desk = desk().await;
    // By rank the member is as fine as its rank: it left the one and arrived at the other, and is counted where it was.
    for (by, fields, group) in [
        ("{time: {grain: MONTH}}", "period(grain: MONTH) { start }", "date_trunc('month', month + 1)::date"),
        (
            "{dimension: ACCOUNT}, {time: {grain: MONTH}}",
            "account period(grain: MONTH) { start }",
            "(select name from account a where a.account_id = pair.account_id), date_trunc('month', month + 1)::date",
        ),
    ] {
        let places = if group.contains("name") { "1, 2" } else { "1" };
        let by_hand = format!(
            "{PAIRS} select {group}, sum(opening), count(*) filter (where opening > 0 and closing > 0 and after < rank),
                     sum(case when after < rank then (rank - after)::numeric / 2 else 0 end),
                     sum(greatest(discount_after - discount, 0))
             from pair where month < date '2025-02-28' group by {places} order by {places}"
        );
        desk.check("fees", &question(by, fields), &by_hand).await;
    }
    let january = "range: {between: {from: \"2025-01-01\", to: \"2025-02-01\"}}";
    let by_rank =
        desk.ask(&format!("{{ fees(by: [{{dimension: RANK}}], {january}) {{ rows {{ rank opened lowered ranksLost }} }} }}")).await;
    assert_eq!(by_rank.rows("fees"), [["2", "40", "0", "0"], ["3", "30", "1", "1"], ["6", "60", "1", "2"]]);
}

#[tokio::test]
async fn from_end_to_end_and_step_by_step() {
    let desk = desk().await;
    let range = "range: {between: {from: \"2025-01-01\", to: \"2025-03-01\"}}";
    // `l1` fell and rose again; `l5` is on no tier in the end, which is no lower one.
    for (basis, expected) in [("POINT_TO_POINT", ["1", "2", "0.45"]), ("FLOW", ["2", "3", "0.7"])] {
        let document = format!("{{ fees({range}, movementBasis: {basis}) {{ rows {{ lowered ranksLost discounted }} }} }}");
        assert_eq!(desk.ask(&document).await.rows("fees"), [expected], "{basis}");
    }
}

#[tokio::test]
async fn of_several_rows_of_a_member_the_greatest_counts() {
    let desk = desk().await;
    let document = "{ fees(by: [{dimension: ACCOUNT}, {time: {grain: MONTH}}], range: {between: {from: \"2025-01-01\", to: \"2025-03-01\"}}) \
                    { rows { account period(grain: MONTH) { start } accountsLowered } } }";
    let by_hand = "
        with best as (
          select f.account_id, date_trunc('month', f.month)::date as month, max(t.rank) as rank
          from fee f
          join licence l on l.licence_id = f.licence_id and l.valid_from <= f.month and (l.valid_to is null or l.valid_to > f.month)
          left join tier t on t.tier_id = l.tier_id group by 1, 2)
        select a.name, c.month, (case when c.rank < o.rank then 1 else 0 end)
        from best o join best c on c.account_id = o.account_id and c.month = o.month + interval '1 month'
        join account a on a.account_id = o.account_id order by 1, 2";
    desk.check("fees", document, by_hand).await;
}
