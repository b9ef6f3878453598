//! Owners of movements that are attributes: what belongs together without being an entity.

use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const DEFINITIONS: &str = "
project: owners
version: 1
---
entity: account
source: account
key: account_id
dimensions: {segment: string, began: date}
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements: {owner: account, cohort: began, grains: {account: [account], segment: [account.segment]}}
---
metrics:
  opening: {cohort: {of: balance.mrr, take: opening}}
  retained: {cohort: {of: balance.mrr, take: retained, over: life}}
---
view: lives
metrics: [opening, retained]
dimensions: [account.segment]
";

/// One lifetime per segment; accounts without a segment are one owner too.
const BY_HAND: &str = "
with began as (select segment, date_trunc('month', min(began))::date as began from account group by 1),
s as (
  select a.segment, g.began,
         (extract(year from b.month) - extract(year from g.began)) * 12 + extract(month from b.month) - extract(month from g.began) as age,
         sum(b.mrr) as mrr
  from balance b join account a using (account_id) join began g on g.segment is not distinct from a.segment
  group by 1, 2, 3)
select o.began, l.age, sum(o.mrr), sum(least(o.mrr, l.mrr))
from s o join s l on l.segment is not distinct from o.segment where o.age = 0 and l.age = 1
group by 1, 2 order by 1, 2";

#[tokio::test]
async fn a_segment_began_with_its_first_account() {
    let tables = [
        table(
            "account",
            "account_id text, segment text, began date",
            "a1 smb 2025-01-05
             a2 smb 2025-02-15
             a3 mid 2025-02-03
             a4 -   2025-02-20",
        ),
        table(
            "balance",
            "account_id text, month date, mrr decimal",
            "a1 2025-01-31 10
             a1 2025-02-28 4
             a2 2025-02-28 5
             a3 2025-02-28 7
             a3 2025-03-31 9
             a4 2025-02-28 30
             a4 2025-03-31 20",
        ),
    ];
    let desk = Desk::open(definitions(DEFINITIONS), &tables).await;
    let by = "[{cohort: {grain: MONTH}}, {age: {grain: MONTH, step: 1, upTo: 1}}]";
    desk.check(
        "lives",
        &format!(
            "{{ lives(by: {by}, asOf: \"2025-06-01\", movementGrain: SEGMENT) {{ rows {{ cohort(grain: MONTH) {{ start }} age opening retained }} }} }}"
        ),
        BY_HAND,
    )
    .await;
}

const MOVEMENTS: &str = "
project: owners
version: 1
---
entity: account
source: account
key: account_id
dimensions: {segment: string, parent_id: string, began: date}
relationships: {parent: {to: account, key: parent_id}}
---
entity: component
source: component
key: component_id
---
entity: balance
source: balance
key: [component_id, month]
dimensions: {product: string}
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}, component: {to: component, key: component_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements:
  owner: account
  component: component
  cohort: began
  grains: {segment: [account.segment], parent: [account.parent.account_id]}
---
metrics:
  new: {movement: {of: balance.mrr, is: new}}
  reactivation: {movement: {of: balance.mrr, is: reactivation}}
  added: {movement: {of: balance.mrr, is: component_add}}
  lost: {movement: {of: balance.mrr, is: component_loss}}
  churn: {movement: {of: balance.mrr, is: churn}}
  arrived: {movement: {of: balance.mrr, take: transfer_in}}
  owners: {movement: {of: balance.mrr, take: owners, when: opening > 0}}
  added_later: {cohort: {of: balance.mrr, is: component_add, take: amount, over: step}}
  again: {cohort: {of: balance.mrr, is: reactivation, take: amount, over: step}}
---
view: changes
metrics: [new, reactivation, added, lost, churn, arrived, owners]
dimensions: [balance.product]
---
view: lives
metrics: [added_later, again]
dimensions: [balance.product]
";

/// Four accounts, two of a segment and of a parent, two of none; what happens to the former happens to the latter. A component changes
/// its product, ends and comes back, and another one is there for a month.
fn moving() -> Vec<Table> {
    vec![
        table(
            "account",
            "account_id text, segment text, parent_id text, began date",
            "a1  smb top 2025-01-05
             a2  smb top 2025-01-07
             a3  -   -   2025-01-05
             a4  -   -   2025-01-07
             top -   -   2025-01-01",
        ),
        table("component", "component_id text", "c1\nc2\nc3\nc4"),
        table(
            "balance",
            "component_id text, account_id text, product text, month date, mrr decimal",
            "c1 a1 p 2025-01-31 100
             c3 a3 p 2025-01-31 100
             c1 a1 q 2025-02-28 100
             c3 a3 q 2025-02-28 100
             c1 a1 p 2025-04-30 100
             c3 a3 p 2025-04-30 100
             c1 a1 p 2025-05-31 100
             c3 a3 p 2025-05-31 100
             c2 a2 q 2025-05-31 50
             c4 a4 q 2025-05-31 50
             c1 a1 p 2025-06-30 100
             c3 a3 p 2025-06-30 100",
        ),
    ]
}

/// A component that was there a month before under another product has moved from there.
const CHANGES_BY_HAND: &str = "
with b as (select a.OWNER as owner, c.* from balance c join account a using (account_id)),
month as (
  select (m + interval '1 month' - interval '1 day')::date as closing, (m - interval '1 day')::date as opening
  from generate_series(timestamp '2025-02-01', '2025-06-01', interval '1 month') m),
pair as (
  select m.closing, coalesce(o.owner, c.owner) as owner, o.product as was, c.product as becomes,
         coalesce(o.mrr, 0) as o, coalesce(c.mrr, 0) as c
  from month m
  cross join component k
  left join b o on o.month = m.opening and o.component_id = k.component_id
  left join b c on c.month = m.closing and c.component_id = k.component_id
  where o.mrr is not null or c.mrr is not null),
part as (
  select closing, owner, coalesce(was, becomes) as product, o, c, 0 as arrived from pair
  union all
  select closing, owner, becomes, 0, 0, c from pair where was <> becomes),
member as (
  select closing, owner, product, sum(o) as o, sum(c) as c, sum(arrived) as arrived from part group by 1, 2, 3),
whole as (
  select *, sum(o) over (partition by closing, owner) as oo, sum(c) over (partition by closing, owner) as oc from member),
class as (
  select w.*, case
    when o <= 0 and c > 0 and oo > 0 then 'added'
    when o > 0 and c <= 0 and oc > 0 then 'lost'
    when o <= 0 and c > 0 and exists (select from b where b.owner is not distinct from w.owner and b.month < w.closing) then 'again'
    when o <= 0 and c > 0 then 'new'
    when o > 0 and c <= 0 then 'churn'
    else 'other' end as class
  from whole w)
select date_trunc('month', closing)::date, product,
       sum(case when class = 'new' then c else 0 end), sum(case when class = 'again' then c else 0 end),
       sum(case when class = 'added' then c else 0 end), sum(case when class = 'lost' then o else 0 end),
       sum(case when class = 'churn' then o else 0 end), sum(arrived),
       count(distinct case when o > 0 then coalesce(owner, '?') end)
from class group by 1, 2 order by 1, 2";

const LIVES_BY_HAND: &str = "
with s as (
  select a.segment as owner, b.product, extract(month from b.month) - 1 as age, sum(b.mrr) as mrr
  from balance b join account a using (account_id) group by 1, 2, 3),
member as (
  select m.owner, m.product, g.age, coalesce(o.mrr, 0) as o, coalesce(c.mrr, 0) as c
  from (select distinct owner, product from s) m
  cross join generate_series(1, 5) g(age)
  left join s o on o.owner is not distinct from m.owner and o.product = m.product and o.age = g.age - 1
  left join s c on c.owner is not distinct from m.owner and c.product = m.product and c.age = g.age),
whole as (select *, sum(o) over (partition by owner, age) as oo from member)
select product, age, sum(case when o <= 0 and c > 0 and oo > 0 then c else 0 end),
       sum(case when o <= 0 and c > 0 and oo <= 0 and age > 0 then c else 0 end)
from whole group by 1, 2 order by 1, 2";

#[tokio::test]
async fn what_has_no_attribute_is_one_owner_in_every_class() {
    let desk = Desk::open(definitions(MOVEMENTS), &moving()).await;
    let range = "range: {between: {from: \"2025-02-01\", to: \"2025-07-01\"}}";
    let rows = "rows { period(grain: MONTH) { start } product new reactivation added lost churn arrived owners }";
    for (grain, column) in [("SEGMENT", "segment"), ("PARENT", "parent_id")] {
        let by = "[{time: {grain: MONTH}}, {dimension: PRODUCT}]";
        let document = format!("{{ changes(by: {by}, {range}, movementGrain: {grain}) {{ {rows} }} }}");
        desk.check("changes", &document, &CHANGES_BY_HAND.replace("OWNER", column)).await;
    }
    let by = "[{dimension: PRODUCT}, {age: {grain: MONTH, step: 1, upTo: 5}}]";
    let document = format!("{{ lives(by: {by}, movementGrain: SEGMENT) {{ rows {{ product age addedLater again }} }} }}");
    desk.check("lives", &document, LIVES_BY_HAND).await;
}
