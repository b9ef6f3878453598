//! The ways in which periods, days and balances over time go wrong.

use holdfast_tests::desk::Desk;

use super::{IN_2024, SALES, check, shop, tables};

#[tokio::test]
async fn a_balance_beside_a_sum_takes_its_last_value_over_time_and_the_sum_all() {
    check(
        r#"{ shop(by: [{dimension: SEGMENT}, {time: {grain: QUARTER}}]) { rows { segment period(grain: QUARTER) { start } licensed used } } }"#,
        "with last as (select date_trunc('quarter', month)::date as q, max(month) as m from seat_month group by 1)
         select a.segment, q, sum(licensed) filter (where month = m), sum(used)
         from seat_month left join account a using (account_id) join last on q = date_trunc('quarter', month)::date
         group by 1, 2 order by 1 nulls last, 2",
    )
    .await;
}

#[tokio::test]
async fn a_day_of_23_or_25_hours_begins_and_ends_where_the_zone_says() {
    let desk = Desk::open(shop(), &tables()).await;
    for zone in ["Europe/Berlin", "America/New_York", "Asia/Kolkata"] {
        for (from, to) in [("2024-03-29", "2024-04-03"), ("2024-10-25", "2024-10-30")] {
            desk.check(
                "shop",
                &format!(
                    r#"{{ shop(by: [{{time: {{grain: DAY}}}}], timeZone: "{zone}", range: {{between: {{from: "{from}", to: "{to}"}}}}) {{
                         rows {{ period(grain: DAY) {{ start end }} revenue sales }} }} }}"#
                ),
                &format!(
                    "select day, day + 1, sum(amount), count(*) from (select *, (sold_at at time zone '{zone}')::date as day from sale) s
                     where day >= '{from}' and day < '{to}' group by day order by day"
                ),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_quarter_earlier_is_the_whole_quarter_even_outside_the_range() {
    let offset = |grain: &str| {
        format!(
            r#"{{ shop(by: [{{time: {{grain: {grain}}}}}], range: {{between: {{from: "2024-04-01", to: "2025-07-01"}}}}) {{
                 rows {{ period(grain: {grain}) {{ start }} revenue revenueQuarterBefore }} }} }}"#
        )
    };
    let by_hand = |grain: &str| {
        format!(
            "{SALES}, p as (
               select date_trunc('{grain}', day)::date as q, sum(amount) as r, null::numeric as b from s group by 1
               union all
               select (date_trunc('{grain}', day) + interval '3 months')::date, null, sum(amount) from s group by 1)
             select q, max(r), max(b) from p where q >= '2024-04-01' and q < '2025-07-01' group by q order by q"
        )
    };
    check(&offset("QUARTER"), &by_hand("quarter")).await;
    check(&offset("MONTH"), &by_hand("month")).await;
}

#[tokio::test]
async fn the_leap_day_has_rows_of_its_own_and_no_counterpart_a_year_before() {
    check(
        r#"{ shop(by: [{time: {grain: DAY}}], range: {between: {from: "2024-02-28", to: "2024-03-02"}}, fill: DENSE) {
             rows { period(grain: DAY) { start end } revenue tickets } } }"#,
        &format!(
            "{SALES} select d::date, d::date + 1, (select sum(amount) from s where day = d::date), (select nullif(count(*), 0) from ticket where day = d::date)
             from generate_series(date '2024-02-28', date '2024-03-01', '1 day') d"
        ),
    )
    .await;
    check(
        r#"{ shop(by: [{time: {grain: MONTH}}], range: {between: {from: "2024-02-01", to: "2024-03-01"}}, compare: {previousYear: true}) {
             rows { period(grain: MONTH) { start end } revenue compare { revenue { previous delta deltaPct } } } } }"#,
        &format!(
            "{SALES}, v as (select (select sum(amount) from s where day >= '2024-02-01' and day < '2024-03-01') as now,
                                   (select sum(amount) from s where day >= '2023-02-01' and day < '2023-03-01') as was)
             select '2024-02-01', '2024-03-01', now, was, now - was, round((now - was) / was, 16) from v"
        ),
    )
    .await;
}

#[tokio::test]
async fn months_without_rows_are_absent_or_filled_as_asked() {
    let document = |fill: &str| {
        format!(
            "{{ shop(by: [{{time: {{grain: MONTH}}}}], {IN_2024}, fill: {fill}) {{
                 rows {{ period(grain: MONTH) {{ start }} revenue sales salesOrZero averageSale }} }} }}"
        )
    };
    let rows = "select date_trunc('month', day)::date as m, sum(amount) as r, count(*) as n, round(sum(amount) / count(*), 16) as a
                from s group by 1";
    check(
        &document("NONE"),
        &format!("{SALES} select m, r, n, n, a from ({rows}) x where m >= '2024-01-01' and m < '2025-01-01' order by m"),
    )
    .await;
    check(
        &document("DENSE"),
        &format!(
            "{SALES} select d::date, r, n, coalesce(n, 0), a
             from generate_series(timestamp '2024-01-01', '2024-12-01', '1 month') d left join ({rows}) x on m = d order by 1"
        ),
    )
    .await;
}

#[tokio::test]
async fn dense_periods_are_there_for_every_group() {
    check(
        &format!(
            "{{ shop(by: [{{dimension: SEGMENT}}, {{time: {{grain: QUARTER}}}}], {IN_2024}, fill: DENSE) {{
                 rows {{ segment period(grain: QUARTER) {{ start }} revenue status {{ revenue }} }} }} }}"
        ),
        &format!(
            "{SALES}, f as (select a.segment, date_trunc('quarter', day)::date as q, sum(amount) as r
                            from s left join account a using (account_id) where day >= '2024-01-01' and day < '2025-01-01' group by 1, 2)
             select g.segment, d::date, r, case when f.q is null then 'FILLED' end
             from (select distinct segment from f) g
             cross join generate_series(timestamp '2024-01-01', '2024-10-01', '3 months') d
             left join f on f.segment is not distinct from g.segment and f.q = d order by 1 nulls last, 2"
        ),
    )
    .await;
}

#[tokio::test]
async fn running_totals_reach_back_before_the_range() {
    check(
        r#"{ shop(by: [{time: {grain: MONTH}}], range: {between: {from: "2024-03-01", to: "2025-02-01"}}, fill: DENSE) {
             rows { period(grain: MONTH) { start } revenue3m revenueYtd } } }"#,
        &format!(
            "{SALES} select d::date, (select sum(amount) from s where day >= d - interval '2 months' and day < d + interval '1 month'),
                    (select sum(amount) from s where day >= date_trunc('year', d) and day < d + interval '1 month')
             from generate_series(timestamp '2024-03-01', '2025-01-01', '1 month') d order by 1"
        ),
    )
    .await;
}

#[tokio::test]
async fn comparison_puts_the_period_before_beside_even_when_one_side_has_no_rows() {
    check(
        &format!(
            "{{ shop(by: [{{time: {{grain: QUARTER}}}}], {IN_2024}, compare: {{previousPeriods: 1}}) {{
                 rows {{ period(grain: QUARTER) {{ start }} revenue compare {{ revenue {{ previous delta deltaPct }} }} }} }} }}"
        ),
        &format!(
            "{SALES}, q as (select date_trunc('quarter', day)::date as q, sum(amount) as r from s group by 1),
             p as (select q, r, null::numeric as b from q union all select (q + interval '3 months')::date, null, r from q),
             g as (select q, max(r) as r, max(b) as b from p where q >= '2024-01-01' and q < '2025-01-01' group by q)
             select q, r, b, r - b, round((r - b) / nullif(abs(b), 0), 16) from g order by q"
        ),
    )
    .await;
}

#[tokio::test]
async fn fiscal_years_and_weeks_begin_where_the_project_says() {
    for (grain, period) in [
        ("FISCAL_YEAR", "(date_trunc('year', day - interval '1 month') + interval '1 month')::date"),
        ("FISCAL_QUARTER", "(date_trunc('quarter', day - interval '1 month') + interval '1 month')::date"),
        ("WEEK", "date_trunc('week', day)::date"),
    ] {
        check(
            &format!(
                "{{ shop(by: [{{time: {{grain: {grain}}}}}]) {{ rows {{ period(grain: {grain}) {{ start }} revenue tickets }} }} }}"
            ),
            &format!(
                "{SALES}, p as (select {period} as p, sum(amount) as r, null::bigint as t from s group by 1
                               union all select {period}, null, count(*) from ticket group by 1)
                 select p, max(r), max(t) from p group by p order by p"
            ),
        )
        .await;
    }
}
