//! Weighted bridges: conditions on their parts, and what lies behind their far side.

use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

use super::{shop, tables};

/// Sales in their parts, by sector; what has no sector is one part.
const PARTS: &str = "with parts as (
  select a.segment, t.title, s.amount * coalesce(x.share, 1) as amount
  from sale s left join account a using (account_id) left join account_sector x using (account_id) left join sector t using (sector_id))";

#[tokio::test]
async fn a_condition_on_a_weighted_dimension_counts_the_parts_that_fulfil_it() {
    let desk = Desk::open(shop(), &tables()).await;
    for (condition, by_hand) in [
        (r#"{sector: {eq: "Banking"}}"#, "title = 'Banking'"),
        (r#"{sector: {in: ["Banking", "Retail"]}}"#, "title in ('Banking', 'Retail')"),
        (r#"{sector: {ne: "Banking"}}"#, "title <> 'Banking'"),
        (r#"{not: {sector: {eq: "Banking"}}}"#, "not title = 'Banking'"),
        (r#"{sector: {isNull: true}}"#, "title is null"),
        (r#"{or: [{sector: {startsWith: "R"}}, {sector: {isNull: true}}]}"#, "title like 'R%' or title is null"),
        (r#"{sector: {eq: "Banking"}, segment: {eq: "smb"}}"#, "title = 'Banking' and segment = 'smb'"),
    ] {
        for (by, shown, key) in
            [("", "", ""), ("{dimension: SEGMENT}", "segment", "segment,"), ("{dimension: SECTOR}", "sector", "title,")]
        {
            let grouped = if key.is_empty() { String::new() } else { "group by 1 order by 1 nulls last".to_owned() };
            desk.check(
                "shop",
                &format!("{{ shop(by: [{by}], where: {condition}) {{ rows {{ {shown} revenue }} totals {{ revenue }} }} }}"),
                &format!("{PARTS} select {key} sum(amount) from parts where {by_hand} {grouped}"),
            )
            .await;
        }
        let total = desk
            .ask(&format!(
                "{{ shop(by: [{{dimension: SEGMENT}}], where: {condition}) {{ rows {{ segment }} totals {{ revenue }} }} }}"
            ))
            .await;
        let by_hand = desk.by_hand(&format!("{PARTS} select sum(amount) from parts where {by_hand}")).await;
        assert_eq!([total.totals("shop")], by_hand[..], "{condition}");
    }
}

const FAR: &str = "
project: far
version: 1
---
entity: city
source: city
key: city_id
dimensions: {name: string}
---
entity: unit
source: unit
key: unit_id
valid: {from: since, to: until}
dimensions: {title: string}
relationships: {city: {to: city, key: city_id}}
---
entity: allocation
source: allocation
key: [deal_id, unit_id]
relationships: {unit: {to: unit, key: unit_id}}
---
entity: deal
source: deal
key: deal_id
time: {day: {}}
relationships:
  units: {to: unit, through: {entity: allocation, key: deal_id, other_key: unit_id, weight: share}}
measures: {amount: {sum: amount}}
---
metrics: {amount: {measure: deal.amount}}
---
view: sharing
metrics: [amount]
dimensions: [{path: deal.units, name: unit}, {path: deal.units.title, name: title}, {path: deal.units.city.name, name: city}]
";

fn far() -> Vec<Table> {
    vec![
        table("city", "city_id text, name text", "b Berlin\nr Rome"),
        // The first unit moved and changed its name; the third has ended.
        table(
            "unit",
            "unit_id text, title text, city_id text, since date, until date",
            "u1 Old b 2024-01-01 2025-06-01\nu1 New r 2025-06-01 -\nu2 Two r 2024-01-01 -\nu3 Gone b 2024-01-01 2025-01-01",
        ),
        table("allocation", "deal_id text, unit_id text, share decimal", "d1 u1 0.25\nd1 u2 0.75\nd2 u3 1\nd3 u2 0.5\nd3 u9 0.5"),
        table(
            "deal",
            "deal_id text, day date, amount decimal",
            "d1 2025-01-01 100\nd2 2025-01-02 10\nd3 2025-01-03 7\nd4 2025-01-04 1",
        ),
    ]
}

#[tokio::test]
async fn the_far_side_of_a_bridge_and_what_lies_behind_it_are_those_of_the_day() {
    let desk = Desk::open(definitions(FAR), &far()).await;
    for day in ["2024-06-01", "2025-05-31", "2025-06-01"] {
        let parts = format!(
            "with parts as (
               select u.title, c.name, d.amount * coalesce(a.share, 1) as amount
               from deal d left join allocation a using (deal_id)
               left join unit u on u.unit_id = a.unit_id and u.since <= '{day}' and (u.until is null or u.until > '{day}')
               left join city c using (city_id))"
        );
        for (by, key) in [("TITLE", "title"), ("CITY", "name")] {
            let shown = by.to_lowercase();
            desk.check(
                "sharing",
                &format!(
                    r#"{{ sharing(by: [{{dimension: {by}}}], asOf: "{day}") {{ rows {{ {shown} amount }} totals {{ amount }} }} }}"#
                ),
                &format!("{parts} select {key}, sum(amount) from parts group by 1 order by 1 nulls last"),
            )
            .await;
        }
        desk.check(
            "sharing",
            &format!(r#"{{ sharing(by: [{{dimension: TITLE}}, {{dimension: CITY}}], asOf: "{day}", where: {{city: {{eq: "Rome"}}}}) {{ rows {{ title city amount }} }} }}"#),
            &format!("{parts} select title, name, sum(amount) from parts where name = 'Rome' group by 1, 2 order by 1 nulls last, 2 nulls last"),
        )
        .await;
    }
    let all = desk.ask("{ sharing(by: [{dimension: CITY}]) { rows { city } totals { amount } } }").await;
    assert_eq!([all.totals("sharing")], desk.by_hand("select sum(amount) from deal").await[..]);
}
