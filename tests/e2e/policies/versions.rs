//! What only a policy reads changes what a caller may see: it counts for the version of the data that an answer was kept under.

use std::time::Duration;

use holdfast_server::engine::Settings;
use holdfast_tests::{
    desk::{Desk, api, definitions, model},
    tables::table,
};

use super::csm;

/// The bridge has no relationship to units, so what they belong to is read for the policy only.
const DEFINITIONS: &str = "
project: versions
version: 1
---
entity: team
source: team
key: team_id
freshness: {ttl: 1h, refresh: recorded_at}
dimensions: {region: string, recorded_at: timestamp}
---
entity: unit
source: unit
key: unit_id
freshness: {ttl: 1h}
dimensions: {title: string}
relationships: {team: {to: team, key: team_id}}
---
entity: allocation
source: allocation
key: [deal_id, unit_id]
freshness: {ttl: 1h}
---
entity: deal
source: deal
key: deal_id
freshness: {ttl: 1h}
time: {day: {}}
relationships:
  units: {to: unit, through: {entity: allocation, key: deal_id, other_key: unit_id, weight: share}}
measures: {amount: {sum: amount}}
---
metrics:
  amount: {measure: deal.amount}
---
view: sharing
metrics: [amount]
dimensions: [{path: deal.units.title, name: unit}]
---
policies:
  own_regions: {applies_to: team, roles: csm, rows: region in claims.regions}
";

const SHARING: &str = "{ sharing(by: [{dimension: UNIT}]) { rows { unit amount } provenance { cache } } }";

#[tokio::test]
async fn a_kept_answer_ends_when_what_its_policy_reads_behind_a_way_changes() {
    let tables = [
        table(
            "team",
            "team_id text, region text, recorded_at timestamp",
            "t1 emea 2025-01-01T00:00:00Z\nt2 apac 2025-01-01T00:00:00Z",
        ),
        table("unit", "unit_id text, title text, team_id text", "u1 Nord t1\nu2 East t2"),
        table("deal", "deal_id text, day date, amount decimal", "d1 2025-01-01 100"),
        table("allocation", "deal_id text, unit_id text, share decimal", "d1 u1 0.25\nd1 u2 0.75"),
    ];
    let settings = Settings { refresh_interval: Duration::from_millis(1), ..Settings::default() };
    let desk = Desk::with(&api(&model(definitions(DEFINITIONS))), &tables, &settings).await.asked_by(&csm(&["emea"]));
    let asked = async || {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let answer = desk.postgres.ask(SHARING).await;
        (answer.rows("sharing"), answer.at("/data/sharing/provenance/cache").as_str().expect("a word").to_owned())
    };
    let rows = |rows: &[[&str; 2]]| rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect::<Vec<_>>();
    assert_eq!(asked().await, (rows(&[["Nord", "25"]]), "MISS".to_owned()));
    assert_eq!(asked().await, (rows(&[["Nord", "25"]]), "HIT".to_owned()));
    desk.database.execute("update team set region = 'emea', recorded_at = '2025-02-01T00:00:00Z' where team_id = 't2'").await;
    assert_eq!(asked().await, (rows(&[["East", "75"], ["Nord", "25"]]), "MISS".to_owned()));
}
