//! Weighted bridges of which a caller may see only a part.

use holdfast_tests::{
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};

use super::csm;

/// `linked` bridges have relationships to both ends; the others only name them.
fn text(links: &str) -> String {
    format!(
        "
project: shares
version: 1
---
entity: unit
source: unit
key: unit_id
dimensions: {{title: string, region: string}}
---
entity: allocation
source: allocation
key: [deal_id, unit_id]
{links}
---
entity: deal
source: deal
key: deal_id
time: {{day: {{}}}}
relationships:
  units: {{to: unit, through: {{entity: allocation, key: deal_id, other_key: unit_id, weight: share}}}}
measures: {{amount: {{sum: amount}}}}
---
metrics:
  amount: {{measure: deal.amount}}
---
view: sharing
metrics: [amount]
dimensions: [{{path: deal.units.title, name: unit}}]
---
policies:
  own_regions: {{applies_to: unit, roles: csm, rows: region in claims.regions}}
"
    )
}

#[tokio::test]
async fn a_hidden_share_counts_nothing_and_what_is_not_allocated_counts_whole() {
    let tables = [
        table("unit", "unit_id text, title text, region text", "u1 Nord emea\nu2 Sued emea\nu3 East apac"),
        table(
            "deal",
            "deal_id text, day date, amount decimal",
            "d1 2025-01-01 100\nd2 2025-01-02 10\nd3 2025-01-03 1\nd4 2025-01-04 1000",
        ),
        // The first deal is shared over both regions, the second is all hidden, the third is nobody's, the fourth all visible.
        table("allocation", "deal_id text, unit_id text, share decimal", "d1 u1 0.25\nd1 u3 0.75\nd2 u3 1\nd4 u1 0.4\nd4 u2 0.6"),
    ];
    for links in ["", "relationships: {unit: {to: unit, key: unit_id}}"] {
        let desk = Desk::with(&api(&model(definitions(&text(links)))), &tables, &without_cache()).await;
        let shares = "{ sharing(by: [{dimension: UNIT}]) { rows { unit amount } totals { amount } } }";
        let by_hand = |visible: &str| {
            format!(
                "select title, sum(part) from (
                   select u.title, d.amount * a.share as part from deal d join allocation a using (deal_id) join unit u using (unit_id) where {visible}
                   union all
                   select null, d.amount from deal d where not exists (select from allocation a where a.deal_id = d.deal_id)) parts
                 group by 1 order by 1 nulls last"
            )
        };
        desk.check("sharing", shares, &by_hand("true")).await;
        let desk = desk.asked_by(&csm(&["emea"]));
        desk.check("sharing", shares, &by_hand("u.region = 'emea'")).await;
        desk.check(
            "sharing",
            r#"{ sharing(by: [], where: {unit: {startsWith: "N"}}) { rows { amount } } }"#,
            "select sum(d.amount * a.share) from deal d join allocation a using (deal_id) where a.unit_id = 'u1'",
        )
        .await;
        let desk = desk.asked_by(&csm(&["latam"]));
        desk.check("sharing", shares, &by_hand("false")).await;
    }
}
