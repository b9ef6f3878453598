//! Numbers that stand beside a balance at both ends: how they are read, and for whom not.

use expect_test::expect;
use holdfast_schema::{
    compile,
    plan::{explain, plan},
    query::bind,
    sql::Dialect,
};

use super::{load_model, nobody, question};

/// A tier with a rank behind each component, and metrics that compare it.
const TIERS: &str = "
---
entity: tier
source: billing.tier
key: tier_id
dimensions: {rank: int}
---
metrics:
  lowered: {movement: {of: balance.mrr, with: {rank: balance.component.tier.rank}, take: owners, grain: component, when: closing > 0 and closing_rank < opening_rank}}
  steps: {movement: {of: balance.mrr, with: {rank: component.tier.rank}, take: opening_rank - closing_rank, grain: component}}
---
view: tiers
metrics: [lowered, steps, opening_mrr]
dimensions: [account.segment, {name: rank, path: balance.component.tier.rank}]
";

fn text() -> String {
    let model = include_str!("model.yaml");
    let product = "dimensions:\n  product: string\nrelationships:\n";
    assert_eq!(model.matches(product).count(), 1);
    format!("{}{TIERS}", model.replace(product, &format!("{product}  tier: {{to: tier, key: tier_id}}\n")))
}

#[test]
fn both_ends_are_read_beside_what_groups_read() {
    let model = load_model(text());
    let query = question("tiers", &["lowered", "steps"], &["month", "rank"]);
    let bound = bind(&model, &query, &nobody()).unwrap();
    expect![[r#"
        group by [period(month), tier.rank]
          0: movement of balance.mrr per component, PointToPoint
             by period(month)
             by balance → component → tier . rank
             members [balance → account . account_id, balance → component . component_id]
             read [balance → component → tier . rank]
             at both ends [balance → component → tier . rank]
             .0 = owners of all
             .1 = expression of all
        lowered = 0.0
        steps = 0.1
    "#]]
    .assert_eq(&explain::text(&model, &plan(&model, &bound).unwrap()));
}

#[test]
fn what_is_masked_is_not_compared() {
    let policy = "---\npolicies: {no_ranks: {applies_to: tier, mask: rank}}\n";
    let model = load_model(format!("{}{policy}", text()));
    for name in ["lowered", "steps"] {
        let error = compile::metrics(&model, &question("tiers", &[name], &[]), &nobody(), Dialect::Postgres).unwrap_err();
        let expected = format!("`{name}` compares `rank` at both ends, which is masked for you");
        assert_eq!((error.code.as_str(), error.message), ("FORBIDDEN", expected));
    }
    assert!(compile::metrics(&model, &question("tiers", &["opening_mrr"], &[]), &nobody(), Dialect::Postgres).is_ok());
}
