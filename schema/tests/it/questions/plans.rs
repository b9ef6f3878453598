//! The plan of each kind of question. Snapshots show what is aggregated where; numbers are proven end to end against written SQL.

use expect_test::{Expect, expect};
use holdfast_schema::{
    compile,
    plan::{LeafKind, explain, plan},
    query::{Comparator, Filter, MetricQuery, MovementBasis, Scope, bind},
    sql::Dialect,
    value::Value,
};

use super::{model, nobody, question};

fn check_plan(query: &MetricQuery, expected: Expect) {
    let model = model();
    let bound = bind(&model, query, &nobody()).unwrap();
    expected.assert_eq(&explain::text(&model, &plan(&model, &bound).unwrap()));
}

#[test]
fn two_facts_are_aggregated_apart_and_meet_on_the_keys() {
    check_plan(
        &question("value", &["price_per_unit"], &["month", "segment"]),
        expect![[r#"
        group by [period(month), account.segment]
          0: aggregate balance over time Sum
             by period(month)
             by balance → account . segment
             .0 = Sum mrr
          1: aggregate usage over time Sum
             by period(month)
             by usage → account . segment
             .0 = Sum quantity
        price_per_unit = (0.0 Divide 1.0)
    "#]],
    );
}

#[test]
fn a_balance_by_quarter_takes_the_last_snapshot() {
    check_plan(
        &question("value", &["mrr"], &["quarter"]),
        expect![[r#"
        group by [period(quarter)]
          0: aggregate balance over time Last
             by period(quarter)
             .0 = Sum mrr
        mrr = 0.0
    "#]],
    );
}

#[test]
fn equal_leaves_are_shared_and_shifted_ones_are_not() {
    check_plan(
        &question("value", &["used", "used_before", "used_share"], &["month", "segment"]),
        expect![[r#"
        group by [period(month), account.segment]
          0: aggregate usage over time Sum
             by period(month)
             by usage → account . segment
             .0 = Sum quantity
          1: aggregate usage over time Sum, 12 months 0 days earlier
             by period(month)
             by usage → account . segment
             .0 = Sum quantity
          2: aggregate usage over time Sum, over all groups
             by period(month)
             .0 = Sum quantity
        used = 0.0
        used_before = 1.0
        used_share = (0.0 Divide 2.0)
    "#]],
    );
}

#[test]
fn series_over_the_same_values_share_them_and_look_at_whole_windows() {
    check_plan(
        &question("value", &["used_slope", "used_latest"], &["month", "segment"]),
        expect![[r#"
            group by [period(month), account.segment]
              0: series by month from 2024-08-01, windows of 6 periods: 3, of
                  group by [account.segment, period(month)]
                    0: aggregate usage over time Sum
                       by usage → account . segment
                       by period(month)
                       .0 = Sum quantity
                   = 0.0
                 .0 = Count
                 .1 = Sum
                 .2 = Positions
                 .3 = PositionSquares
                 .4 = PositionProducts
                 .5 = At(5)
            used_slope = expression over 0.0, 0.0, 0.4, 0.2, 0.1, 0.0, 0.3, 0.2, 0.2
            used_latest = 0.5
        "#]],
    );
    check_plan(
        &question("value", &["used_slope_before"], &[]),
        expect![[r#"
            group by []
              0: series by month from 2024-07-01, windows of 6 periods: 1, 3 months 0 days earlier, of
                  group by [period(month)]
                    0: aggregate usage over time Sum
                       by period(month)
                       .0 = Sum quantity
                   = 0.0
                 .0 = Count
                 .1 = Sum
                 .2 = Positions
                 .3 = PositionSquares
                 .4 = PositionProducts
            used_slope_before = expression over 0.0, 0.0, 0.4, 0.2, 0.1, 0.0, 0.3, 0.2, 0.2
        "#]],
    );
}

#[test]
fn a_series_does_not_look_at_a_running_month() {
    let query = MetricQuery { as_of: jiff::civil::date(2025, 3, 31), ..question("value", &["used_latest"], &["month"]) };
    let model = model();
    let bound = bind(&model, &query, &nobody()).unwrap();
    let plan = plan(&model, &bound).unwrap();
    let LeafKind::Series(series) = &plan.leaves[0].kind else { panic!("a series") };
    let ends: Vec<_> = series.ends.iter().map(|end| (end.keys[0], series.periods[end.last])).collect();
    let month = |month| jiff::civil::date(2025, month, 1);
    assert_eq!(ends, [(month(1), month(1)), (month(2), month(2)), (month(3), month(2))]);
    assert_eq!((series.periods.first(), series.periods.last()), (Some(&jiff::civil::date(2024, 8, 1)), Some(&month(2))));
}

#[test]
fn everybody_is_a_peer_whoever_is_shown() {
    let is = |field: &str, value: &str| Filter::Compare {
        field: field.to_owned(),
        operator: Comparator::Equal,
        value: Value::Text(value.to_owned()),
    };
    let one = Filter::And(vec![is("account", "a1"), is("product", "core")]);
    let query = MetricQuery { filter: Some(one), ..question("peers", &["used_standing", "used_gap"], &["month", "account"]) };
    check_plan(
        &query,
        expect![[r#"
        group by [period(month), account.account_id]
          0: peers, at least 5, by
              group by [period(month), account.account_id]
                0: aggregate usage over time Sum
                   by period(month)
                   by usage → account . account_id
                   .0 = Sum quantity
               = 0.0
             groups
              group by [period(month), account.account_id, account.segment]
                0: all rows of account, seen from the last day
                   by period(month)
                   by account . account_id
                   by account . segment
             shown where [Compare { field: 1, operator: Equal, value: Text("a1") }]
             .0 = Count
             .1 = Below
             .2 = Equal
             .3 = Value
             .4 = Median
        used_standing = (((Int(100) Multiply 0.1) Add (Int(50) Multiply 0.2)) Divide 0.0)
        used_gap = (0.3 Subtract 0.4)
    "#]],
    );
    let query =
        MetricQuery { filter: Some(is("region", "emea")), ..question("peers", &["used_standing"], &["account", "segment"]) };
    check_plan(
        &query,
        expect![[r#"
        group by [account.account_id, account.segment]
          0: peers, at least 5, by
              group by [account.account_id]
                0: aggregate usage over time Sum
                   by usage → account . account_id
                   .0 = Sum quantity
               = 0.0
             groups
              group by [account.account_id, account.segment]
                0: all rows of account, seen from the last day
                   by account . account_id
                   by account . segment
             shown where there are rows of
              group by [account.account_id, account.segment]
                0: aggregate usage over time Sum
                   by usage → account . account_id
                   by usage → account . segment
                   .0 = Sum quantity
               = 0.0
             .0 = Count
             .1 = Below
             .2 = Equal
        used_standing = (((Int(100) Multiply 0.1) Add (Int(50) Multiply 0.2)) Divide 0.0)
    "#]],
    );
}

#[test]
fn a_movement_grouped_by_its_owners_dimension_keeps_its_grain() {
    check_plan(
        &question("retention", &["contraction_rate"], &["month", "segment"]),
        expect![[r#"
        group by [period(month), account.segment]
          0: movement of balance.mrr per account, PointToPoint
             by period(month)
             by balance → account . segment
             members [balance → account . account_id]
             read [balance → account . segment]
             .0 = amount of contraction
             .1 = opening of all
        contraction_rate = (0.0 Divide 0.1)
    "#]],
    );
}

#[test]
fn a_movement_grouped_by_a_components_dimension_compares_inside_it() {
    check_plan(
        &question("retention", &["contraction_mrr"], &["product"]),
        expect![[r#"
            group by [component.product]
              0: movement of balance.mrr per account × component.product, PointToPoint
                 by balance → component . product
                 members [balance → account . account_id, balance → component . product]
                 .0 = amount of contraction
            contraction_mrr = 0.0
        "#]],
    );
}

#[test]
fn a_movement_grouped_by_what_changed_compares_each_balance() {
    check_plan(
        &question("retention", &["contraction_mrr"], &["source_type"]),
        expect![[r#"
            group by [balance.source_type]
              0: movement of balance.mrr per account × balance.component_id, PointToPoint
                 by balance . source_type
                 members [balance → account . account_id, balance . component_id]
                 read [balance . source_type]
                 .0 = amount of contraction
            contraction_mrr = 0.0
        "#]],
    );
}

#[test]
fn a_condition_on_what_changes_holds_for_members_not_for_rows() {
    let filter = Filter::And(vec![
        Filter::Compare { field: "segment".to_owned(), operator: Comparator::Equal, value: Value::Text("smb".to_owned()) },
        Filter::Compare { field: "product".to_owned(), operator: Comparator::Equal, value: Value::Text("core".to_owned()) },
    ]);
    let query = MetricQuery { filter: Some(filter), ..question("retention", &["contraction_mrr"], &["month"]) };
    let model = model();
    let bound = bind(&model, &query, &nobody()).unwrap();
    let plan = plan(&model, &bound).unwrap();
    let LeafKind::Movement(movement) = &plan.leaves[0].kind else { panic!("a movement") };
    assert_eq!((movement.member_filter.len(), movement.row_filter.len()), (1, 1));
}

#[test]
fn a_flow_by_its_own_grain_is_point_to_point() {
    let flow = |by: &[&str]| MetricQuery { movement_basis: MovementBasis::Flow, ..question("retention", &["contraction_mrr"], by) };
    check_plan(
        &flow(&["month"]),
        expect![[r#"
        group by [period(month)]
          0: movement of balance.mrr per account, PointToPoint
             by period(month)
             members [balance → account . account_id]
             .0 = amount of contraction
        contraction_mrr = 0.0
    "#]],
    );
    check_plan(
        &flow(&["quarter"]),
        expect![[r#"
        group by [period(quarter)]
          0: movement of balance.mrr per account, Flow
             by period(quarter)
             members [balance → account . account_id]
             .0 = amount of contraction
        contraction_mrr = 0.0
    "#]],
    );
}

#[test]
fn per_entity_is_a_plan_inside_a_plan() {
    check_plan(
        &question("value", &["accounts_using"], &["month"]),
        expect![[r#"
        group by [period(month)]
          0: Count per entity of
              group by [period(month), account.account_id]
                0: aggregate usage over time Sum
                   by period(month)
                   by usage → account . account_id
                   .0 = Sum quantity
               = (0.0 Greater Int(0))
        accounts_using = 0.0
    "#]],
    );
}

#[test]
fn a_running_total_meets_every_period_of_the_range() {
    check_plan(
        &question("value", &["used_12m"], &["month"]),
        expect![[r#"
        group by [period(month)]
          0: running Trailing(Step { months: 12, days: 0 }) over usage
             by period(month)
             .0 = Sum quantity
        used_12m = 0.0
    "#]],
    );
}

#[test]
fn overlapping_values_are_distinct_per_row() {
    let compiled =
        compile::metrics(&model(), &question("value", &["mrr"], &["month", "role"]), &nobody(), Dialect::Postgres).unwrap();
    assert!(compiled.overlapping);
    expect![[r#"
        with "holdfast_fact_1" as (
          select cast(date_trunc('month', "t0"."month") as date) as "k0", "t1"."d0" as "k1", sum("t0"."mrr") as "c0"
          from "billing"."balance_month" as "t0"
          left join (
            select distinct "t0"."account_id" as "f0", "t0"."role" as "d0"
            from "crm"."stakeholder" as "t0"
          ) as "t1" on ("t1"."f0" = "t0"."account_id")
          where ("t0"."month" >= $1::date) and ("t0"."month" < $2::date)
          group by 1, 2
        ), "holdfast_groups_2" as (
          select "f"."k0" as "k0", "f"."k1" as "k1", "f"."c0" as "v0_0"
          from "holdfast_fact_1" as "f"
        ), "holdfast_rows_3" as (
          select "g"."k0" as "k0", "g"."k1" as "k1", "g"."v0_0" as "m0"
          from "holdfast_groups_2" as "g"
        )
        select "r"."k0" as "k0", "r"."k1" as "k1", "r"."m0" as "m0"
        from "holdfast_rows_3" as "r"
        order by "r"."k0" asc nulls last, "r"."k1" asc nulls last"#]]
    .assert_eq(compiled.rows.sql.as_str());
}

#[test]
fn parts_of_a_bridge_are_weighted() {
    let compiled = compile::metrics(&model(), &question("value", &["used"], &["country"]), &nobody(), Dialect::Embedded).unwrap();
    expect![[r#"
        with "holdfast_fact_1" as (
          select "t1"."d0" as "k0", sum(("t0"."quantity" * coalesce("t1"."w", 1))) as "c0"
          from "billing"."usage_day" as "t0"
          left join (
            select "t0"."component_id" as "f0", "t1"."country" as "d0", "t0"."share" as "w"
            from "billing"."allocation" as "t0"
            left join "billing"."geography" as "t1" on ("t1"."geography_id" = "t0"."geography_id")
          ) as "t1" on ("t1"."f0" = "t0"."component_id")
          where ("t0"."day" >= $1) and ("t0"."day" < $2)
          group by 1
        ), "holdfast_groups_2" as (
          select "f"."k0" as "k0", "f"."c0" as "v0_0"
          from "holdfast_fact_1" as "f"
        ), "holdfast_rows_3" as (
          select "g"."k0" as "k0", "g"."v0_0" as "m0"
          from "holdfast_groups_2" as "g"
        )
        select "r"."k0" as "k0", "r"."m0" as "m0"
        from "holdfast_rows_3" as "r"
        order by "r"."k0" asc nulls last"#]]
    .assert_eq(compiled.rows.sql.as_str());
}

#[test]
fn two_grains_that_nest_are_one_statement() {
    check_plan(
        &question("value", &["mrr"], &["quarter", "month"]),
        expect![[r#"
        group by [period(quarter), period(month)]
          0: aggregate balance over time Sum
             by period(quarter)
             by period(month)
             .0 = Sum mrr
        mrr = 0.0
    "#]],
    );
}

#[test]
fn chains_of_negation_are_folded() {
    let smb = Filter::Compare { field: "segment".to_owned(), operator: Comparator::Equal, value: Value::Text("smb".to_owned()) };
    let deep = (0..60).fold(smb.clone(), |inner, _| Filter::Not(Box::new(inner)));
    let sql = |filter: Filter| {
        let query = MetricQuery { filter: Some(filter), ..question("value", &["mrr"], &[]) };
        compile::metrics(&model(), &query, &nobody(), Dialect::Embedded).unwrap().rows
    };
    assert_eq!(sql(deep), sql(smb));
}

#[test]
fn a_share_is_of_all_entities_whatever_page_they_are_on() {
    let page = Filter::KeyIn { field: "account".to_owned(), keys: vec![vec![Value::Text("a1".to_owned())]] };
    let query = MetricQuery {
        scope: Scope::Entity("account".to_owned()),
        filter: Some(page),
        ..question("value", &["used_share"], &["account"])
    };
    let model = model();
    let bound = bind(&model, &query, &nobody()).unwrap();
    let plan = plan(&model, &bound).unwrap();
    let conditions: Vec<(bool, usize)> = plan
        .leaves
        .iter()
        .map(|leaf| match &leaf.kind {
            LeafKind::Aggregate(aggregate) => (leaf.timing.total, aggregate.filter.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(conditions, [(false, 1), (true, 0)]);
}

#[test]
fn so_is_a_share_of_what_is_evaluated_per_entity_or_followed() {
    let page = Filter::KeyIn { field: "account".to_owned(), keys: vec![vec![Value::Text("a1".to_owned())]] };
    for metric in ["typical_share", "slope_share"] {
        let query = MetricQuery {
            scope: Scope::Entity("account".to_owned()),
            filter: Some(page.clone()),
            ..question("value", &[metric], &["account"])
        };
        let model = model();
        let bound = bind(&model, &query, &nobody()).unwrap();
        let plan = plan(&model, &bound).unwrap();
        let conditions: Vec<(bool, usize)> = plan
            .leaves
            .iter()
            .map(|leaf| {
                let inner = match &leaf.kind {
                    LeafKind::PerEntity(per_entity) => &per_entity.inner,
                    LeafKind::Series(series) => &series.inner,
                    other => panic!("{other:?}"),
                };
                let LeafKind::Aggregate(aggregate) = &inner.leaves[0].kind else { panic!("an aggregate") };
                (leaf.timing.total, aggregate.filter.len())
            })
            .collect();
        assert_eq!(conditions, [(false, 1), (true, 0)], "{metric}");
    }
}

#[test]
fn rows_that_count_alike_are_seen_from_the_last_day_together() {
    check_plan(
        &question("opinions", &["opinions_given", "days_since_opinion", "latest_score_before"], &["month", "segment"]),
        expect![[r#"
            group by [period(month), account.segment]
              0: rows that count of opinion, seen from the last day
                 by period(month)
                 by opinion → account . segment
                 .0 = CountRows given
                 .1 = Min days_since
              1: rows that count of opinion, the latest per key, seen from the last day, 1 months 0 days earlier
                 by period(month)
                 by opinion → account . segment
                 .0 = Sum latest_score
                 .1 = Count latest_score
            opinions_given = 0.0
            days_since_opinion = 0.1
            latest_score_before = (1.0 Divide 1.1)
        "#]],
    );
}

#[test]
fn rows_are_seen_per_entity_too() {
    check_plan(
        &question("opinions", &["quiet_accounts"], &["month"]),
        expect![[r#"
        group by [period(month)]
          0: Count per entity of
              group by [period(month), account.account_id]
                0: rows that count of opinion, seen from the last day
                   by period(month)
                   by opinion → account . account_id
                   .0 = Min days_since
               = (0.0 Greater Int(90))
        quiet_accounts = 0.0
    "#]],
    );
}

#[test]
fn the_latest_rows_are_numbered_before_anything_is_joined() {
    let query = question("opinions", &["latest_score"], &["month", "segment"]);
    let compiled = compile::metrics(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
    expect![[r#"
        with "holdfast_spine_1" as (
          select "d"."k0" as "k0"
          from (values ($1::date), ($2::date), ($3::date)) as "d" ("k0")
        ), "holdfast_seen_2" as (
          select cast(date_trunc('month', "t0"."holdfast_period") as date) as "k0", "t1"."segment" as "k1", sum("t0"."score") as "c0", count("t0"."score") as "c1"
          from (
            select "t0"."account_id" as "account_id", "t0"."score" as "score", "t1"."k0" as "holdfast_period", row_number() over (partition by "t1"."k0", "t0"."stakeholder_id" order by "t0"."given_on" desc nulls last, "t0"."opinion_id" desc nulls last) as "holdfast_rank"
            from "crm"."opinion" as "t0"
            cross join "holdfast_spine_1" as "t1"
            where ("t0"."given_on" <= (cast(("t1"."k0" + interval '1 months') as date) + -1))
          ) as "t0"
          left join "crm"."account" as "t1" on ("t1"."account_id" = "t0"."account_id") and ("t1"."valid_from" <= (cast(("t0"."holdfast_period" + interval '1 months') as date) + -1)) and (("t1"."valid_to" is null) or ("t1"."valid_to" > (cast(("t0"."holdfast_period" + interval '1 months') as date) + -1)))
          where ("t0"."holdfast_rank" <= 1)
          group by 1, 2
        ), "holdfast_groups_3" as (
          select "f"."k0" as "k0", "f"."k1" as "k1", "f"."c0" as "v0_0", "f"."c1" as "v0_1"
          from "holdfast_seen_2" as "f"
        ), "holdfast_rows_4" as (
          select "g"."k0" as "k0", "g"."k1" as "k1", round(div(cast("g"."v0_0" as numeric) * 1000000000000000000, nullif(cast("g"."v0_1" as numeric), 0)) * 0.000000000000000001, 16) as "m0"
          from "holdfast_groups_3" as "g"
        )
        select "r"."k0" as "k0", "r"."k1" as "k1", "r"."m0" as "m0"
        from "holdfast_rows_4" as "r"
        order by "r"."k0" asc nulls last, "r"."k1" asc nulls last"#]].assert_eq(compiled.rows.sql.as_str());
}

#[test]
fn without_a_range_rows_are_seen_from_today() {
    let query = MetricQuery { range: None, ..question("opinions", &["opinions_given"], &["role"]) };
    let compiled = compile::metrics(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
    expect![[r#"
        with "holdfast_seen_1" as (
          select "t1"."role" as "k0", count(1) as "c0"
          from "crm"."opinion" as "t0"
          left join "crm"."stakeholder" as "t1" on ("t1"."stakeholder_id" = "t0"."stakeholder_id")
          where ("t0"."given_on" <= $1::date)
          group by 1
        ), "holdfast_groups_2" as (
          select "f"."k0" as "k0", "f"."c0" as "v0_0"
          from "holdfast_seen_1" as "f"
        ), "holdfast_rows_3" as (
          select "g"."k0" as "k0", "g"."v0_0" as "m0"
          from "holdfast_groups_2" as "g"
        )
        select "r"."k0" as "k0", "r"."m0" as "m0"
        from "holdfast_rows_3" as "r"
        order by "r"."k0" asc nulls last"#]]
    .assert_eq(compiled.rows.sql.as_str());
}

#[test]
fn a_running_total_without_a_beginning_has_no_first_day() {
    let query = question("value", &["used_ever"], &["month"]);
    let compiled = compile::metrics(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
    expect![[r#"
        with "holdfast_spine_1" as (
          select "d"."k0" as "k0"
          from (values ($1::date), ($2::date), ($3::date)) as "d" ("k0")
        ), "holdfast_running_2" as (
          select cast(date_trunc('month', "t1"."k0") as date) as "k0", sum("t0"."quantity") as "c0"
          from "billing"."usage_day" as "t0"
          cross join "holdfast_spine_1" as "t1"
          where ("t0"."day" < cast(("t1"."k0" + interval '1 months') as date))
          group by 1
        ), "holdfast_groups_3" as (
          select "f"."k0" as "k0", "f"."c0" as "v0_0"
          from "holdfast_running_2" as "f"
        ), "holdfast_rows_4" as (
          select "g"."k0" as "k0", "g"."v0_0" as "m0"
          from "holdfast_groups_3" as "g"
        )
        select "r"."k0" as "k0", "r"."m0" as "m0"
        from "holdfast_rows_4" as "r"
        order by "r"."k0" asc nulls last"#]]
    .assert_eq(compiled.rows.sql.as_str());
}
