//! Cohorts: which leaves a question by age becomes, and what is refused.

use expect_test::{Expect, expect};
use holdfast_schema::{
    compile::{self, ColumnRole},
    load,
    plan::{explain, plan, plan_totals},
    query::{Ages, Comparison, GroupBy, GroupItem, MetricQuery, QueryError, bind},
    source::SourceMap,
    sql::Dialect,
    time::{Grain, Step},
};

use super::{model, nobody, question};

/// A question of the view of cohorts by the quarter of their beginning, at ages.
fn aged(metrics: &[&str], ages: &str, dimensions: &[&str]) -> MetricQuery {
    let mut query = question("cohorts", metrics, dimensions);
    let age = GroupItem::Age(Ages::parse(ages).unwrap());
    query.by.insert(0, GroupBy { key: "age".to_owned(), item: age });
    query.by.insert(0, GroupBy { key: "cohort".to_owned(), item: GroupItem::Cohort { grain: Grain::Quarter } });
    query
}

fn check_plan(query: &MetricQuery, expected: Expect) {
    let model = model();
    let bound = bind(&model, query, &nobody()).unwrap();
    expected.assert_eq(&explain::text(&model, &plan(&model, &bound).unwrap()));
}

fn check_refusal(query: &MetricQuery, expected: Expect) {
    let error: QueryError = compile::metrics(&model(), query, &nobody(), Dialect::Postgres).unwrap_err();
    expected.assert_eq(&format!("{}: {} | {}", error.code.as_str(), error.message, error.help.as_deref().unwrap_or("-")));
}

#[test]
fn parts_of_a_ratio_share_one_reading_of_a_life() {
    check_plan(
        &aged(&["cohort_grr"], "6 months", &["segment"]),
        expect![[r#"
        group by [cohort(quarter), age(6 months 6..24), account.segment]
          0: cohorts by account.began of balance.mrr per account, PointToPoint, over life at ages 6 months 6..24
             by cohort(quarter)
             by age
             by balance → account . segment
             members [balance → account . account_id]
             read [balance → account . segment]
             .0 = retained of all
             .1 = opening of all
             .2 = whether every member has reached the age, and was seen before it
        cohort_grr = (0.0 Divide 0.1)
    "#]],
    );
}

#[test]
fn another_stretch_or_another_condition_is_another_leaf() {
    check_plan(
        &aged(&["lost_share", "lost_in_step", "initial_smb_mrr"], "quarter", &[]),
        expect![[r#"
        group by [cohort(quarter), age(1 quarter 1..8)]
          0: cohorts by account.began of balance.mrr per account, PointToPoint, over steps at ages 1 quarter 1..8
             by cohort(quarter)
             by age
             members [balance → account . account_id]
             .0 = amount of contraction
             .1 = whether every member has reached the age, and was seen before it
          1: cohorts by account.began of balance.mrr per account, PointToPoint, over life at ages 1 quarter 1..8
             by cohort(quarter)
             by age
             members [balance → account . account_id]
             .0 = opening of all
             .1 = whether every member has reached the age, and was seen before it
          2: cohorts by account.began of balance.mrr per account, PointToPoint, over step at ages 1 quarter 1..8
             by cohort(quarter)
             by age
             members [balance → account . account_id]
             .0 = amount of contraction
             .1 = whether every member has reached the age, and was seen before it
          3: cohorts by account.began of balance.mrr per account, PointToPoint, over life at ages 1 quarter 1..8
             by cohort(quarter)
             by age
             members [balance → account . account_id]
             read [balance → account . segment]
             .0 = opening of all
             .1 = whether every member has reached the age, and was seen before it
        lost_share = (0.0 Divide 1.0)
        lost_in_step = 2.0
        initial_smb_mrr = 3.0
    "#]],
    );
}

#[test]
fn the_sql_of_a_cohort_can_be_read() {
    let mut query = aged(&["cohort_grr"], "6 months", &["segment"]);
    query.metrics[0].status = true;
    let compiled = compile::metrics(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
    assert_eq!(compiled.columns.last(), Some(&ColumnRole::Status(0)));
    expect![[r#"
        with "holdfast_known_1" as (
          select min(cast(date_trunc('month', "t0"."month") as date)) as "f", max(cast(date_trunc('month', "t0"."month") as date)) as "s"
          from "billing"."balance_month" as "t0"
          where ("t0"."month" < $1::date)
        ), "holdfast_beginnings_2" as (
          select "t0"."account_id" as "k0", min("t0"."began") as "d"
          from "crm"."account" as "t0"
          where ("t0"."began" is not null)
          group by 1
        ), "holdfast_began_3" as (
          select "d"."k0" as "k0", cast(date_trunc('month', "d"."d") as date) as "b"
          from "holdfast_beginnings_2" as "d"
          where ("d"."d" >= $2::date) and ("d"."d" < $3::date)
        ), "holdfast_points_4" as (
          select "d"."p" as "p"
          from (values (6), (12), (18), (24)) as "d" ("p")
        ), "holdfast_lives_5" as (
          select (cast((extract(year from cast(date_trunc('month', "t0"."month") as date)) * 12 + extract(month from cast(date_trunc('month', "t0"."month") as date))) - (extract(year from "t1"."b") * 12 + extract(month from "t1"."b")) as integer) - case when cast(("t1"."b" + make_interval(months => cast((extract(year from cast(date_trunc('month', "t0"."month") as date)) * 12 + extract(month from cast(date_trunc('month', "t0"."month") as date))) - (extract(year from "t1"."b") * 12 + extract(month from "t1"."b")) as integer))) as date) > cast(date_trunc('month', "t0"."month") as date) then 1 else 0 end) as "p", "t1"."b" as "b", "t0"."account_id" as "k0", "t2"."segment" as "a0", sum("t0"."mrr") as "v"
          from "billing"."balance_month" as "t0"
          join "holdfast_began_3" as "t1" on ("t1"."k0" = "t0"."account_id")
          left join "crm"."account" as "t2" on ("t2"."account_id" = "t0"."account_id") and ("t2"."valid_from" <= (cast((cast(date_trunc('month', "t0"."month") as date) + interval '1 months') as date) + -1)) and (("t2"."valid_to" is null) or ("t2"."valid_to" > (cast((cast(date_trunc('month', "t0"."month") as date) + interval '1 months') as date) + -1)))
          where ("t0"."month" < $1::date) and ("t1"."b" <= cast(date_trunc('month', "t0"."month") as date))
          group by 1, 2, 3, 4
        ), "holdfast_seen_6" as (
          select "l"."p" as "p", "l"."b" as "b", "l"."v" as "v", "l"."k0" as "k0", "l"."a0" as "a0", row_number() over (partition by "l"."k0" order by "l"."p" asc nulls last) as "n"
          from "holdfast_lives_5" as "l"
        ), "holdfast_readings_7" as (
          select "p"."p" as "p", "l"."k0" as "k0", 1 as "side", "l"."v" as "v", cast(null as date) as "b", cast(null as text) as "a0"
          from "holdfast_seen_6" as "l"
          cross join "holdfast_points_4" as "p"
          where ("l"."p" = 0)
          union all
          select "p"."p" as "p", "l"."k0" as "k0", 0 as "side", "l"."v" as "v", cast(null as date) as "b", cast(null as text) as "a0"
          from "holdfast_seen_6" as "l"
          join "holdfast_points_4" as "p" on ("p"."p" = "l"."p")
          union all
          select "p"."p" as "p", "l"."k0" as "k0", 2 as "side", cast(null as numeric) as "v", "l"."b" as "b", "l"."a0" as "a0"
          from "holdfast_seen_6" as "l"
          cross join "holdfast_points_4" as "p"
          where ("l"."n" = 1)
        ), "holdfast_met_8" as (
          select "r"."p" as "p", "r"."k0" as "k0", coalesce(sum(case when ("r"."side" = 1) then "r"."v" else 0 end), 0) as "o", coalesce(sum(case when ("r"."side" = 0) then "r"."v" else 0 end), 0) as "c", max("r"."b") as "b", max("r"."a0") as "a0"
          from "holdfast_readings_7" as "r"
          group by 1, 2
        ), "holdfast_aged_9" as (
          select "m"."p" as "p", "m"."b" as "b", "m"."o" as "o", "m"."c" as "c", "m"."k0" as "k0", "m"."a0" as "a0", "m"."o" as "oo", "m"."c" as "oc", case when (("m"."o" <= 0) and ("m"."c" > 0) and ("m"."p" > 0)) then 'reactivation' when (("m"."o" <= 0) and ("m"."c" > 0)) then 'new' when (("m"."o" > 0) and ("m"."c" <= 0)) then 'churn' when ("m"."o" <= 0) then 'flat' when ("m"."c" > "m"."o") then 'expansion' when ("m"."c" < "m"."o") then 'contraction' else 'flat' end as "class"
          from "holdfast_met_8" as "m"
        ), "holdfast_ages_10" as (
          select "d"."age" as "age"
          from (values (6), (12), (18), (24)) as "d" ("age")
        ), "holdfast_cohorts_11" as (
          select cast(date_trunc('quarter', "m"."b") as date) as "k0", "g"."age" as "k1", "m"."a0" as "k2", sum(case when (case when ("m"."o" > 0) then "m"."o" else 0 end <= case when ("m"."c" > 0) then "m"."c" else 0 end) then case when ("m"."o" > 0) then "m"."o" else 0 end else case when ("m"."c" > 0) then "m"."c" else 0 end end) as "c0", sum("m"."o") as "c1", case when (max("m"."b") is null) then cast(null as bigint) when ((cast((extract(year from max("s"."s")) * 12 + extract(month from max("s"."s"))) - (extract(year from max("m"."b")) * 12 + extract(month from max("m"."b"))) as integer) - case when cast((max("m"."b") + make_interval(months => cast((extract(year from max("s"."s")) * 12 + extract(month from max("s"."s"))) - (extract(year from max("m"."b")) * 12 + extract(month from max("m"."b"))) as integer))) as date) > max("s"."s") then 1 else 0 end) < max(("g"."age" * 1))) then 0 when (((cast((extract(year from min("s"."f")) * 12 + extract(month from min("s"."f"))) - (extract(year from min("m"."b")) * 12 + extract(month from min("m"."b"))) as integer) - case when cast((min("m"."b") + make_interval(months => cast((extract(year from min("s"."f")) * 12 + extract(month from min("s"."f"))) - (extract(year from min("m"."b")) * 12 + extract(month from min("m"."b"))) as integer))) as date) > min("s"."f") then 1 else 0 end) > 0) and ((cast((extract(year from min("s"."f")) * 12 + extract(month from min("s"."f"))) - (extract(year from min("m"."b")) * 12 + extract(month from min("m"."b"))) as integer) - case when cast((min("m"."b") + make_interval(months => cast((extract(year from min("s"."f")) * 12 + extract(month from min("s"."f"))) - (extract(year from min("m"."b")) * 12 + extract(month from min("m"."b"))) as integer))) as date) > min("s"."f") then 1 else 0 end) > 0)) then -1 else 1 end as "c2"
          from "holdfast_aged_9" as "m"
          join "holdfast_ages_10" as "g" on ("m"."p" = ("g"."age" * 1))
          cross join "holdfast_known_1" as "s"
          group by 1, 2, 3
        ), "holdfast_groups_12" as (
          select "f"."k0" as "k0", "f"."k1" as "k1", "f"."k2" as "k2", "f"."c0" as "v0_0", "f"."c1" as "v0_1", "f"."c2" as "v0_2"
          from "holdfast_cohorts_11" as "f"
        ), "holdfast_rows_13" as (
          select "g"."k0" as "k0", "g"."k1" as "k1", "g"."k2" as "k2", case when (not (coalesce("g"."v0_2", 1) <= 0)) then round(div(cast("g"."v0_0" as numeric) * 1000000000000000000, nullif(cast("g"."v0_1" as numeric), 0)) * 0.000000000000000001, 16) end as "m0", case when (case when (not (coalesce("g"."v0_2", 1) <= 0)) then round(div(cast("g"."v0_0" as numeric) * 1000000000000000000, nullif(cast("g"."v0_1" as numeric), 0)) * 0.000000000000000001, 16) end is not null) then cast(null as text) when (coalesce("g"."v0_2", 1) = 0) then 'IMMATURE' when (coalesce("g"."v0_2", 1) < 0) then 'NULL_INPUT' when ("g"."v0_1" = 0) then 'ZERO_DENOMINATOR' when (("g"."v0_0" is null) and ("g"."v0_1" is null)) then 'NO_ROWS' else 'NULL_INPUT' end as "s0"
          from "holdfast_groups_12" as "g"
        )
        select "r"."k0" as "k0", "r"."k1" as "k1", "r"."k2" as "k2", "r"."m0" as "m0", "r"."s0" as "s0"
        from "holdfast_rows_13" as "r"
        order by "r"."k0" asc nulls last, "r"."k1" asc nulls last, "r"."k2" asc nulls last"#]].assert_eq(compiled.rows.sql.as_str());
}

#[test]
fn totals_are_of_one_age() {
    let model = model();
    let one = MetricQuery { totals: true, ..aged(&["initial_mrr"], "6 months 12..12", &[]) };
    let bound = bind(&model, &one, &nobody()).unwrap();
    expect![[r#"
        group by []
          0: cohorts by account.began of balance.mrr per account, PointToPoint, over life at ages 6 months 12..12
             members [balance → account . account_id]
             .0 = opening of all
             .1 = whether every member has reached the age, and was seen before it
        initial_mrr = 0.0
    "#]]
    .assert_eq(&explain::text(&model, &plan_totals(&model, &bound).unwrap()));
    check_refusal(
        &MetricQuery { totals: true, ..aged(&["initial_mrr"], "6 months", &[]) },
        expect![
            "E_INVALID_ARGUMENT: totals over several ages would count every member at each of them | leave out totals and group by age alone, or ask for one age (`from` and `upTo` alike)"
        ],
    );
}

#[test]
fn cohorts_are_asked_for_by_age_and_by_nothing_else_in_time() {
    check_refusal(
        &question("cohorts", &["initial_mrr"], &["segment"]),
        expect![
            "E_INVALID_GRAIN: `initial_mrr` is about cohorts, and the question names no ages | by: [{cohort: {grain: QUARTER}}, {age: {grain: MONTH, step: 6}}]"
        ],
    );
    check_refusal(
        &aged(&["initial_mrr"], "6 months", &["month"]),
        expect![
            "E_INVALID_GRAIN: `initial_mrr` is about cohorts, which have ages instead of periods | by: [{cohort: {grain: QUARTER}}, {age: {grain: MONTH, step: 6}}]"
        ],
    );
    check_refusal(
        &MetricQuery { compare: Some(Comparison::Earlier(Step::months(12))), ..aged(&["initial_mrr"], "6 months", &[]) },
        expect![
            "E_INVALID_ARGUMENT: `initial_mrr` is seen at ages, so it has no value at another time to compare with | leave out compare, and look at several ages or cohorts"
        ],
    );
    let mut twice = aged(&["initial_mrr"], "6 months", &[]);
    twice.by[0] = GroupBy { key: "other".to_owned(), item: GroupItem::Age(Ages::parse("year").unwrap()) };
    check_refusal(&twice, expect!["E_INVALID_ARGUMENT: ages are asked for twice | ask for each row of ages in its own field"]);
    let mut weeks = aged(&["initial_mrr"], "6 months", &[]);
    weeks.by[0].item = GroupItem::Cohort { grain: Grain::Week };
    check_refusal(
        &weeks,
        expect![
            "E_INVALID_GRAIN: `initial_mrr` is known by month, which does not make up periods by week | use grain MONTH or one made of it"
        ],
    );
}

#[test]
fn what_has_no_age_is_refused_at_ages_but_has_cohorts() {
    check_refusal(
        &aged(&["opening_mrr"], "6 months", &[]),
        expect![
            "E_INVALID_GRAIN: ages are for cohort metrics, and a metric of `balance` is not one | ask for it in a field of its own, by cohort or by period"
        ],
    );
    let mut by_cohort = aged(&["opening_mrr"], "6 months", &["month"]);
    by_cohort.by.remove(1);
    check_plan(
        &by_cohort,
        expect![[r#"
        group by [cohort(quarter), period(month)]
          0: movement of balance.mrr per account, PointToPoint
             by balance → account . began by quarter
             by period(month)
             members [balance → account . account_id]
             read [balance → account . began]
             .0 = opening of all
        opening_mrr = 0.0
    "#]],
    );
    let mut used = question("value", &["used"], &[]);
    used.by.push(GroupBy { key: "cohort".to_owned(), item: GroupItem::Cohort { grain: Grain::Year } });
    check_refusal(
        &used,
        expect![
            "DIMENSION_NOT_REACHABLE: `usage` does not say when its owners began, so it has no cohorts | leave out cohort, or ask for metrics of one fact at a time"
        ],
    );
}

#[test]
fn what_tells_a_change_has_no_value_when_a_member_begins() {
    check_refusal(
        &aged(&["initial_mrr"], "6 months", &["source_type"]),
        expect![
            "DIMENSION_NOT_REACHABLE: `initial_mrr` groups members by what they were when they began, and `source_type` tells what changed later | leave it out, or ask a movement metric by period"
        ],
    );
}

#[test]
fn policies_that_mask_what_tells_members_apart_refuse_them() {
    let policy = "\n---\npolicies: {no_segments: {applies_to: account, mask: segment}}\n";
    let grains = "grains:\n    account: [account]\n    segment: [account.segment]\n    part: [account, account.segment]";
    let text = include_str!("model.yaml").replacen("grains:\n    account: [account]", grains, 1);
    let (model, _) = load(SourceMap::new([("model.yaml".to_owned(), format!("{text}{policy}"))]));
    let model = model.unwrap();
    for grain in ["segment", "part"] {
        let mut query = aged(&["initial_mrr"], "6 months", &[]);
        query.movement_grain = Some(grain.to_owned());
        let error = compile::metrics(&model, &query, &nobody(), Dialect::Postgres).unwrap_err();
        let expected = "`initial_mrr` compares members that `segment` tells apart, which is masked for you";
        assert_eq!((error.code.as_str(), error.message.as_str()), ("FORBIDDEN", expected));
    }
    let by_account = aged(&["initial_mrr"], "6 months", &[]);
    assert!(compile::metrics(&model, &by_account, &nobody(), Dialect::Postgres).is_ok());
}

#[test]
fn policies_that_mask_the_beginning_refuse_cohorts() {
    let policy = "\n---\npolicies: {no_beginnings: {applies_to: account, mask: began}}\n";
    let text = format!("{}{policy}", include_str!("model.yaml"));
    let (model, _) = load(SourceMap::new([("model.yaml".to_owned(), text)]));
    let query = aged(&["initial_mrr"], "6 months", &[]);
    let error = compile::metrics(&model.unwrap(), &query, &nobody(), Dialect::Postgres).unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("FORBIDDEN", "when cohorts began is masked for you"));
}
