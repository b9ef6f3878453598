//! Rows of entities ordered and chosen by their metrics: one statement, with the metrics as the plan of `metrics` computes them.

use expect_test::{Expect, expect};
use holdfast_schema::{
    compile::{self, EntityColumn},
    query::{Comparator, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, Nulls, Page, TimeRange},
    sql::Dialect,
    value::{Value, ValueType},
};
use jiff::civil::date;

use super::{model, nobody};

fn list(entity: &str) -> EntityQuery {
    EntityQuery {
        entity: entity.to_owned(),
        dimensions: Vec::new(),
        parents: None,
        filter: None,
        having: None,
        order_by: Vec::new(),
        metrics: EntityMetrics {
            range: Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 2, 1)) }),
            ..EntityMetrics::default()
        },
        page: Page { limit: 2, offset: 0, after: None, before: None, backwards: false },
        as_of: date(2025, 6, 30),
        as_known_at: None,
    }
}

fn by_metric(name: &str, direction: Direction, nulls: Option<Nulls>) -> EntityOrderBy {
    EntityOrderBy { by: EntityOrderKey::Metric(name.to_owned()), direction, nulls }
}

fn by_dimension(name: &str) -> EntityOrderBy {
    EntityOrderBy { by: EntityOrderKey::Dimension(name.to_owned()), direction: Direction::Ascending, nulls: None }
}

fn above(metric: &str, value: Value) -> Filter {
    Filter::Compare { field: metric.to_owned(), operator: Comparator::Greater, value }
}

fn check(query: &EntityQuery, expected: Expect) {
    let compiled = compile::entities(&model(), query, &nobody(), Dialect::Postgres).unwrap();
    expected.assert_eq(compiled.rows.sql.as_str());
}

fn refused(query: &EntityQuery) -> String {
    let error = compile::entities(&model(), query, &nobody(), Dialect::Postgres).unwrap_err();
    format!("{}: {} | {}", error.code.as_str(), error.message, error.help.as_deref().unwrap_or("-"))
}

#[test]
fn metrics_stand_beside_the_rows_and_are_conditions_order_and_cursor() {
    let query = EntityQuery {
        filter: Some(Filter::Compare {
            field: "product".to_owned(),
            operator: Comparator::Equal,
            value: Value::Text("core".to_owned()),
        }),
        having: Some(above("used", Value::Int(0))),
        order_by: vec![by_metric("mrr", Direction::Descending, None), by_dimension("product")],
        page: Page {
            after: Some(vec![Value::Decimal("12.50".to_owned()), Value::Text("core".to_owned()), Value::Text("c1".to_owned())]),
            ..list("component").page
        },
        ..list("component")
    };
    check(
        &query,
        expect![[r#"
        with "holdfast_snapshots_1" as (
          select max(cast(date_trunc('month', "t0"."month") as date)) as "s", count(distinct cast(date_trunc('month', "t0"."month") as date)) as "n"
          from "billing"."balance_month" as "t0"
          where ("t0"."month" >= $1::date) and ("t0"."month" < $2::date)
        ), "holdfast_fact_2" as (
          select "t0"."component_id" as "k0", sum("t0"."mrr") as "c0"
          from "billing"."balance_month" as "t0"
          join "holdfast_snapshots_1" as "t1" on ("t1"."s" = cast(date_trunc('month', "t0"."month") as date))
          where ("t0"."month" >= $1::date) and ("t0"."month" < $2::date)
          group by 1
        ), "holdfast_fact_3" as (
          select "t0"."component_id" as "k0", sum("t0"."quantity") as "c0"
          from "billing"."usage_day" as "t0"
          where ("t0"."day" >= $1::date) and ("t0"."day" < $2::date)
          group by 1
        ), "holdfast_parts_4" as (
          select "f"."k0" as "k0", "f"."c0" as "v0_0", cast(null as numeric) as "v1_0"
          from "holdfast_fact_2" as "f"
          union all
          select "f"."k0" as "k0", cast(null as numeric) as "v0_0", "f"."c0" as "v1_0"
          from "holdfast_fact_3" as "f"
        ), "holdfast_groups_5" as (
          select "f"."k0" as "k0", max("f"."v0_0") as "v0_0", max("f"."v1_0") as "v1_0"
          from "holdfast_parts_4" as "f"
          group by 1
        ), "holdfast_rows_6" as (
          select "g"."k0" as "k0", "g"."v0_0" as "m0", "g"."v1_0" as "m1"
          from "holdfast_groups_5" as "g"
        )
        select "t0"."component_id" as "k0", "metrics"."m0" as "o0", "t0"."product" as "o1"
        from "billing"."component" as "t0"
        left join "holdfast_rows_6" as "metrics" on ("metrics"."k0" = "t0"."component_id")
        where ("t0"."product" = $3) and ("metrics"."m1" > $4::numeric) and ((("metrics"."m0" < $5::numeric) or ("metrics"."m0" is null)) or (("metrics"."m0" = $5::numeric) and (("t0"."product" > $6) or ("t0"."product" is null))) or (("metrics"."m0" = $5::numeric) and ("t0"."product" = $7) and ("t0"."component_id" > $8)))
        order by "metrics"."m0" desc nulls last, "t0"."product" asc nulls last, "t0"."component_id" asc nulls last
        limit 3"#]],
    );
    let compiled = compile::entities(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
    assert_eq!(compiled.columns, [EntityColumn::Key(0), EntityColumn::Order(0), EntityColumn::Order(1)]);
    assert_eq!(compiled.rows.columns[1].value_type, ValueType::Decimal);
    let scanned: Vec<_> = compiled.entities.iter().map(|id| model().entity(*id).name.clone()).collect();
    assert_eq!(scanned, ["balance", "component", "usage"], "what the metrics read decides how long the answer keeps");
}

#[test]
fn a_count_computes_the_metrics_of_its_conditions_only() {
    let query = EntityQuery {
        having: Some(above("used", Value::Int(0))),
        order_by: vec![by_metric("mrr", Direction::Descending, None)],
        ..list("component")
    };
    let counted = compile::count(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
    expect![[r#"
        with "holdfast_fact_1" as (
          select "t0"."component_id" as "k0", sum("t0"."quantity") as "c0"
          from "billing"."usage_day" as "t0"
          where ("t0"."day" >= $1::date) and ("t0"."day" < $2::date)
          group by 1
        ), "holdfast_groups_2" as (
          select "f"."k0" as "k0", "f"."c0" as "v0_0"
          from "holdfast_fact_1" as "f"
        ), "holdfast_rows_3" as (
          select "g"."k0" as "k0", "g"."v0_0" as "m0"
          from "holdfast_groups_2" as "g"
        )
        select count(*) as "n"
        from "billing"."component" as "t0"
        left join "holdfast_rows_3" as "metrics" on ("metrics"."k0" = "t0"."component_id")
        where ("metrics"."m0" > $3::numeric)"#]]
    .assert_eq(counted.rows.sql.as_str());
    let plain = compile::count(&model(), &EntityQuery { having: None, ..query }, &nobody(), Dialect::Postgres).unwrap();
    expect![[r#"
        select count(*) as "n"
        from "billing"."component" as "t0""#]]
    .assert_eq(plain.rows.sql.as_str());
}

#[test]
fn the_plan_of_the_metrics_is_told() {
    let query = EntityQuery {
        having: Some(Filter::Or(vec![
            above("contraction_rate", Value::Decimal("0.5".to_owned())),
            Filter::IsNull { field: "mrr".to_owned(), is_null: true },
        ])),
        order_by: vec![by_metric("mrr", Direction::Descending, Some(Nulls::First)), by_dimension("region")],
        ..list("account")
    };
    expect![[r#"
        rows of account
          having  metrics.contraction_rate > 0.5 or metrics.mrr is null
          order   metrics.mrr desc nulls first, region, account_id
          take    3 after 0
          columns account_id, metrics.mrr, region
          metrics of all rows, joined on the key:
                  group by [account.account_id]
                    0: movement of balance.mrr per account, PointToPoint
                       by balance → account . account_id
                       members [balance → account . account_id]
                       .0 = amount of contraction
                       .1 = opening of all
                    1: aggregate balance over time Last
                       by balance → account . account_id
                       .0 = Sum mrr
                  contraction_rate = (0.0 Divide 0.1)
                  mrr = 1.0
    "#]]
    .assert_eq(&compile::explain_entities(&model(), &query, &nobody()).unwrap());
}

#[test]
fn what_cannot_be_right_about_metrics_of_rows_is_refused() {
    let ordered = |metric: &str| EntityQuery { order_by: vec![by_metric(metric, Direction::Ascending, None)], ..list("account") };
    let having = |having| EntityQuery { having: Some(having), ..list("account") };
    let without_range = EntityQuery { metrics: EntityMetrics::default(), ..ordered("contraction_mrr") };
    let grain = EntityMetrics { movement_grain: Some("product".to_owned()), ..list("account").metrics };
    let cursor = |value| {
        let page = Page { after: Some(vec![value, Value::Text("a1".to_owned())]), ..list("account").page };
        EntityQuery { page, ..ordered("mrr") }
    };
    let refusals = [
        ordered("mr"),
        // Nothing is measured by stakeholder.
        EntityQuery { order_by: vec![by_metric("mrr", Direction::Ascending, None)], ..list("stakeholder") },
        having(above("region", Value::Int(1))),
        having(above("mrr", Value::Text("much".to_owned()))),
        having(Filter::KeyIn { field: "mrr".to_owned(), keys: Vec::new() }),
        without_range,
        EntityQuery { metrics: grain, ..ordered("contraction_mrr") },
        cursor(Value::Bool(true)),
    ]
    .map(|query| refused(&query));
    expect![[r#"
        E_NAME_NOT_FOUND: entity `account` has no metric `mr` | -
        E_NAME_NOT_FOUND: entity `stakeholder` has no metric `mrr` | the metric exists, but not here: choose a view that has it
        E_NAME_NOT_FOUND: entity `account` has no metric `region` | -
        E_TYPE_MISMATCH: `mrr` takes a decimal, found a string that is not one | -
        E_NON_AGGREGATE_IN_HAVING: `mrr` cannot be tested in `having` | compare a metric with a number
        E_INVALID_RANGE: `contraction_mrr` compares two instants, and without period or range there is no first one | in `metrics`: group by period(grain:) or pass range
        E_INVALID_ARGUMENT: there is no movement grain `product` | -
        E_INVALID_ARGUMENT: the cursor does not belong to a list in this order | take cursors from an answer with the same orderBy"#]].assert_eq(&refusals.join("\n"));
    assert!(compile::entities(&model(), &cursor(Value::Null), &nobody(), Dialect::Postgres).is_ok());
}

/// Conditions without a metric need none.
#[test]
fn empty_connectives_mean_what_they_mean_elsewhere() {
    for (having, text) in [(Filter::And(Vec::new()), "where true"), (Filter::Or(Vec::new()), "where false")] {
        let query = EntityQuery { having: Some(having), ..list("component") };
        let compiled = compile::entities(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
        assert!(compiled.rows.sql.as_str().contains(text), "{}", compiled.rows.sql.as_str());
        assert!(!compiled.rows.sql.as_str().contains("balance"));
    }
}
