//! Series: one number about a metric's values period after period, on both engines against SQL written by hand.

use holdfast_schema::source::SourceMap;
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const SERIES: &str = include_str!("series/use.yaml");

fn sources() -> SourceMap {
    definitions(SERIES)
}

/// Uneven numbers with gaps: `a1` grows, `a2` has holes and fractions, `a3` never changes but once, rows of nobody, `a5` ended long ago.
fn tables() -> Vec<Table> {
    vec![
        table("account", "account_id text, name text, segment text", "a1 a1 big\n a2 a2 small\n a3 a3 big\n a4 a4 -\n a5 a5 small"),
        table(
            "use_day",
            "use_id int, account_id text, day date, amount decimal",
            "1  a1 2025-01-03 100
             2  a1 2025-01-20 17.25
             3  a1 2025-02-14 133
             4  a1 2025-03-31 128.75
             5  a1 2025-04-01 171
             6  a1 2025-05-05 166.5
             7  a1 2025-06-30 201.125
             8  a1 2025-07-09 7
             9  a2 2025-01-31 0.333
             10 a2 2025-03-01 7.1
             11 a2 2025-04-30 3.01
             12 a2 2025-06-15 11
             13 a3 2025-01-01 50
             14 a3 2025-02-01 50
             15 a3 2025-03-01 50
             16 a3 2025-04-01 50
             17 a3 2025-05-01 50
             18 a3 2025-06-01 20
             19 -  2025-02-02 9
             20 -  2025-03-03 4
             21 -  2025-05-05 6
             22 a5 2023-01-01 1000
             23 a2 2024-12-31 8",
        ),
    ]
}

/// Values by account and month, with the month's number.
const MONTHS: &str = "with months as (
    select account_id, date_trunc('month', day)::date as month, sum(amount) as y,
           (extract(year from day) * 12 + extract(month from day))::int as x
    from use_day group by 1, 2, 4)";

/// The half year that ends in June 2025.
const HALF_YEAR: &str = "month >= date '2025-01-01' and month < date '2025-07-01'";
const UNTIL_JULY: &str = r#"range: {between: {from: "2025-01-01", to: "2025-07-01"}}, asOf: "2025-07-10""#;

async fn check(document: &str, check_sql: &str) {
    Desk::open(sources(), &tables()).await.check("trends", document, check_sql).await;
}

#[tokio::test]
async fn moments_and_extremes_of_a_half_year() {
    check(
        &format!(
            "{{ trends(by: [{{dimension: ACCOUNT}}], {UNTIL_JULY}) {{ rows {{ account {{ name }} useCount useSum useMean useMin useMax useMedian useFirst useLast useStdev }} }} }}"
        ),
        &format!(
            "{MONTHS} select account_id, count(*), sum(y), round(sum(y) / count(*), 16), min(y), max(y),
                    (percentile_disc(0.5) within group (order by y) + percentile_disc(0.5) within group (order by y desc)) / 2,
                    max(y) filter (where month = date '2025-01-01'), max(y) filter (where month = date '2025-06-01'),
                    round(stddev_samp(y::numeric(60, 30)), 16)
             from months where {HALF_YEAR} group by account_id order by account_id nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn a_line_through_the_values_and_what_lies_around_it() {
    // The residuals are computed one by one, with forty decimals.
    check(
        &format!(
            "{{ trends(by: [{{dimension: ACCOUNT}}], {UNTIL_JULY}) {{ rows {{ account {{ name }} useSlope useAhead useSpread useTrend }} }} }}"
        ),
        &format!(
            "{MONTHS}, window_of as (select account_id, x - 24301 as x, y::numeric(80, 40) as y from months where {HALF_YEAR}),
             sums as (select account_id, count(*)::numeric(80, 40) as n, sum(x)::numeric(80, 40) as sx, sum(y) as sy,
                             sum(x * y) as sxy, sum(x * x)::numeric(80, 40) as sxx from window_of group by account_id),
             lines as (select *, (n * sxy - sx * sy) / (n * sxx - sx * sx) as b from sums where n >= 4),
             whole as (select lines.*, (sy - b * sx) / n as a from lines),
             residuals as (select w.account_id, sum(power(w.y - a - b * w.x, 2)) / (max(n) - 1) as v
                           from window_of w join whole l on l.account_id = w.account_id group by w.account_id)
             select s.account_id, round(b, 16), round(a + b * 7, 16), round(sqrt(v), 16), round(round(b, 16) / round(sy / s.n, 16), 16)
             from sums s left join whole l on l.account_id is not distinct from s.account_id left join residuals r on r.account_id = s.account_id
             order by s.account_id nulls last"
        )
        .replace("left join whole l", "left join (select account_id, a, b from whole) l"),
    )
    .await;
}

#[tokio::test]
async fn windows_move_with_the_periods_of_the_question() {
    check(
        &format!("{{ trends(by: [{{time: {{grain: MONTH}}}}, {{dimension: SEGMENT}}], {UNTIL_JULY}) {{ rows {{ period(grain: MONTH) {{ start }} segment quarterSum quarterSumBefore quarterShare }} }} }}"),
        &format!(
            "{MONTHS}, spine as (select generate_series(date '2025-01-01', date '2025-06-01', interval '1 month')::date as start),
             by_segment as (select month, segment, sum(y) as y from months left join account using (account_id) group by month, segment),
             sums as (
               select start, segment, sum(y) filter (where month >= start - interval '2 months' and month <= start) as now,
                      sum(y) filter (where month >= start - interval '5 months' and month <= start - interval '3 months') as before
               from spine, by_segment group by start, segment)
             select start, segment, now, before, round(now / sum(now) over (partition by start), 16)
             from sums where now is not null or before is not null order by start, segment nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn a_running_month_is_not_looked_at() {
    let desk = Desk::open(sources(), &tables()).await;
    let july = desk.ask(r#"{ trends(by: [{time: {grain: MONTH}}], range: {between: {from: "2025-07-01", to: "2025-09-01"}}, asOf: "2025-07-31") { rows { period(grain: MONTH) { start } useLast useSum } } }"#).await;
    let june = desk.by_hand("select sum(amount) filter (where day >= '2025-06-01'), sum(amount) from use_day where day >= '2025-01-01' and day < '2025-07-01'").await;
    let rows = july.rows("trends");
    let expected: Vec<Vec<String>> =
        ["2025-07-01", "2025-08-01"].iter().map(|start| [vec![(*start).to_owned()], june[0].clone()].concat()).collect();
    assert_eq!(rows, expected);
    let complete = desk.ask(r#"{ trends(by: [], range: {between: {from: "2025-07-01", to: "2025-08-01"}}, asOf: "2025-08-01") { rows { useLast } } }"#).await;
    assert_eq!(complete.rows("trends"), [["7"]]);
}

#[tokio::test]
async fn months_without_rows_are_what_the_metric_shows() {
    check(
        &format!("{{ trends(by: [{{dimension: ACCOUNT}}], {UNTIL_JULY}) {{ rows {{ account {{ name }} useCount zeroCount zeroMin zeroFalls useFalls useRises }} }} }}"),
        &format!(
            "{MONTHS}, seen as (select distinct account_id from months where {HALF_YEAR}),
             grid as (select s.account_id, m, coalesce(y, 0) as y, y as y0 from seen s
                      cross join generate_series(24301, 24306) m
                      left join months on months.account_id is not distinct from s.account_id and x = m),
             steps as (select *, y < lag(y) over g as falls, y0 < lag(y0) over g as falls0, y0 > lag(y0) over g as rises0
                       from grid window g as (partition by account_id order by m))
             select account_id, count(y0), count(*), min(y),
                    24306 - max(m) filter (where falls is not true),
                    case when max(y0) filter (where m = 24306) is not null then 24306 - max(m) filter (where falls0 is not true) end,
                    case when max(y0) filter (where m = 24306) is not null then 24306 - max(m) filter (where rises0 is not true) end
             from steps group by account_id order by account_id nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn an_anomaly_is_scored_by_what_came_before() {
    check(
        &format!("{{ trends(by: [{{dimension: ACCOUNT}}], {UNTIL_JULY}) {{ rows {{ account {{ name }} useScore }} }} }}"),
        &format!(
            "{MONTHS}, window_of as (select * from months where {HALF_YEAR}),
             prior as (select account_id, (percentile_disc(0.5) within group (order by y) + percentile_disc(0.5) within group (order by y desc)) / 2 as c
                       from window_of where month < date '2025-06-01' group by account_id),
             spread as (select p.account_id, max(c) as c, sum(abs(y - c)) / count(*) as mean,
                               (percentile_disc(0.5) within group (order by abs(y - c)) + percentile_disc(0.5) within group (order by abs(y - c) desc)) / 2 as mad
                        from window_of w join prior p on p.account_id is not distinct from w.account_id where month < date '2025-06-01' group by p.account_id),
             last as (select account_id, max(y) filter (where month = date '2025-06-01') as y from window_of group by account_id)
             select l.account_id, round(case when mad > 0 then 0.6745 * (y - c) / mad when mean > 0 then (y - c) / (1.253314 * mean) end, 16)
             from last l left join spread s on s.account_id is not distinct from l.account_id order by l.account_id nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn what_did_not_change_before_has_no_scale() {
    let desk = Desk::open(sources(), &tables()).await;
    let answer = desk
        .ask(&format!("{{ trends(by: [{{dimension: ACCOUNT}}], where: {{name: {{eq: \"a3\"}}}}, {UNTIL_JULY}) {{ rows {{ useScore useLast }} }} }}"))
        .await;
    assert_eq!(answer.rows("trends"), [["null", "20"]]);
}

#[tokio::test]
async fn rates_are_compounded_in_order() {
    // Each product is rounded at twenty decimals, as it is written in the guide.
    check(
        &format!("{{ trends(by: [{{dimension: ACCOUNT}}], {UNTIL_JULY}) {{ rows {{ account {{ name }} shareProduct }} }} }}"),
        &format!(
            "{MONTHS}, shares as (
               select m.account_id, m.x, round(m.y / t.y, 16) as y
               from months m join (select month, sum(y) as y from months group by month) t using (month) where {HALF_YEAR}),
             at as (select account_id, array_agg(coalesce(y, 1) order by m) as y
                    from (select s.account_id, m, shares.y from (select distinct account_id from shares) s cross join generate_series(24301, 24306) m
                          left join shares on shares.account_id is not distinct from s.account_id and shares.x = m) g group by account_id)
             select account_id, round(round(round(round(round(round(y[1] * y[2], 20) * y[3], 20) * y[4], 20) * y[5], 20) * y[6], 20), 16)
             from at order by account_id nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn series_are_made_of_series_and_evaluated_per_account() {
    check(
        &format!("{{ trends(by: [{{dimension: SEGMENT}}], {UNTIL_JULY}) {{ rows {{ segment steady typicalStdev missMean }} }} }}"),
        &format!(
            "{MONTHS}, window_of as (select segment, account_id, y from months left join account using (account_id) where {HALF_YEAR}),
             per_account as (select segment, account_id, round(stddev_samp(y::numeric(60, 30)), 16) as s from window_of where account_id is not null group by 1, 2),
             by_segment as (select segment, x, sum(y) as y from months left join account using (account_id) group by 1, 2),
             misses as (select b.segment, b.x, abs(b.y - (p.y + q.y) / 2) as miss from by_segment b
                        join by_segment p on p.segment is not distinct from b.segment and p.x = b.x - 1
                        join by_segment q on q.segment is not distinct from b.segment and q.x = b.x - 2
                        where b.x between 24304 and 24306)
             select segment, count(*) filter (where s < 30),
                    (percentile_disc(0.5) within group (order by s) + percentile_disc(0.5) within group (order by s desc)) / 2,
                    (select round(sum(miss) / count(*), 16) from misses m where m.segment is not distinct from per_account.segment)
             from per_account group by segment
             order by segment nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn totals_are_the_series_of_the_whole() {
    let desk = Desk::open(sources(), &tables()).await;
    let answer = desk
        .ask(&format!("{{ trends(by: [{{dimension: SEGMENT}}], {UNTIL_JULY}) {{ rows {{ useStdev }} totals {{ useStdev useMedian useFalls }} }} }}"))
        .await;
    let by_hand = desk
        .by_hand(&format!(
            "{MONTHS}, whole as (select month, sum(y)::numeric(60, 30) as y from months where {HALF_YEAR} group by month)
             select round(stddev_samp(y), 16), (percentile_disc(0.5) within group (order by y) + percentile_disc(0.5) within group (order by y desc)) / 2, 0 from whole"
        ))
        .await;
    assert_eq!(answer.totals("trends"), by_hand[0]);
}

#[tokio::test]
async fn a_series_by_period_needs_a_beginning() {
    let desk = Desk::open(sources(), &tables()).await;
    let answer = desk.ask("{ trends(by: [{time: {grain: MONTH}}]) { rows { useSlope } } }").await;
    let error = answer.json["errors"][0].to_string();
    assert!(error.contains("needs a range with a first day"), "{error}");
}

#[tokio::test]
async fn months_of_accounts_are_counted_one_by_one() {
    // One leaf for what looks at the same rows, and one of its own for what does not.
    check(
        &format!("{{ trends(by: [{{dimension: SEGMENT}}, {{time: {{grain: QUARTER}}}}], {UNTIL_JULY}) {{ rows {{ segment period(grain: QUARTER) {{ start }} risingMonths rise meanMonth }} }} }}"),
        &format!(
            "{MONTHS}, of_accounts as (select *, lag(x) over w as before, lag(y) over w as y0 from months where account_id is not null window w as (partition by account_id order by x)),
             steps as (select o.*, segment, date_trunc('quarter', month)::date as quarter, y > y0 and before = x - 1 as rises
                       from of_accounts o join account using (account_id)),
             in_range as (select * from steps where {HALF_YEAR})
             select segment, quarter, count(*) filter (where rises), percentile_cont(0.5) within group (order by (y - y0)::float8) filter (where rises), round(avg(y), 16)
             from in_range group by segment, quarter order by segment nulls last, quarter"
        ),
    )
    .await;
}

#[tokio::test]
async fn what_moves_by_a_month_moves_into_another_quarter() {
    check(
        &format!("{{ trends(by: [{{time: {{grain: QUARTER}}}}, {{time: {{grain: MONTH}}}}], {UNTIL_JULY}) {{ rows {{ quarter: period(grain: QUARTER) {{ start }} period(grain: MONTH) {{ start }} used usedBefore }} }} }}"),
        &format!(
            "{MONTHS}, all_of as (select month, sum(y) as y from months group by month)
             select date_trunc('quarter', m)::date, m::date, n.y, b.y
             from generate_series(date '2025-01-01', date '2025-06-01', interval '1 month') m
             left join all_of n on n.month = m left join all_of b on b.month = m - interval '1 month' order by m"
        ),
    )
    .await;
}

#[tokio::test]
async fn a_metric_by_month_is_refused_by_day() {
    let desk = Desk::open(sources(), &tables()).await;
    let answer =
        desk.ask(&format!("{{ trends(by: [{{time: {{grain: DAY}}}}], {UNTIL_JULY}) {{ rows {{ risingMonths }} }} }}")).await;
    assert_eq!(answer.codes(), ["E_INVALID_GRAIN"]);
}

#[tokio::test]
async fn days_are_counted_to_the_end_of_the_first_period_above_zero() {
    check(
        &format!("{{ trends(by: [{{dimension: ACCOUNT}}], {UNTIL_JULY}) {{ rows {{ account {{ name }} useFirstDay }} }} }}"),
        &format!(
            "{MONTHS} select account_id, min((month + interval '1 month')::date - date '2025-01-01') filter (where y > 120)
             from months where {HALF_YEAR} group by account_id order by account_id nulls last"
        ),
    )
    .await;
}

#[tokio::test]
async fn every_two_accounts_are_correlated() {
    // Each pair by itself, with PostgreSQL's binary floats; both are compared at ten decimals.
    let pairs = |points: &str, months: i32| {
        format!(
            "{MONTHS}, points as ({points}),
             whole as (select e, account_id from points group by 1, 2 having count(y) = {months} and stddev_samp(y) > 0),
             pairs as (
               select e, a.account_id, b.account_id as other, corr(l.y::float8, r.y::float8) as c
               from whole a join whole b using (e) join points l using (e) join points r using (e, x)
               where a.account_id < b.account_id and l.account_id = a.account_id and r.account_id = b.account_id
               group by 1, 2, 3)"
        )
    };
    let rounded = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        let round = |cell: &String| cell.parse::<f64>().map_or_else(|_| cell.clone(), |number| format!("{number:.10}"));
        rows.iter().map(|row| row.iter().map(round).collect()).collect()
    };
    let desk = Desk::open(sources(), &tables()).await;
    let windows = pairs(
        "select e, account_id, x, y from months, generate_series(24301, 24306) as e where x > e - 3 and x <= e and account_id is not null",
        3,
    );
    let answer = desk
        .ask(&format!("{{ trends(by: [{{time: {{grain: MONTH}}}}], {UNTIL_JULY}) {{ rows {{ period(grain: MONTH) {{ start }} useTogether }} }} }}"))
        .await;
    let by_hand = format!("{windows} select make_date((e - 1) / 12, (e - 1) % 12 + 1, 1), avg(c) from pairs group by e order by e");
    let known: Vec<Vec<String>> = answer.rows("trends").into_iter().filter(|row| row[1] != "null").collect();
    assert!(!known.is_empty(), "{answer:?}");
    assert_eq!(rounded(known), rounded(desk.by_hand(&by_hand).await));
    // A month without use is a zero of `used_or_zero`.
    let zeros = pairs(
        "select 0 as e, m.account_id, spine.x, coalesce(max(m.y) filter (where m.x = spine.x), 0) as y
         from generate_series(24301, 24306) as spine(x), months m where m.account_id in ('a1', 'a2', 'a3') group by 2, 3",
        6,
    );
    let answer = desk.ask(&format!("{{ trends(by: [], {UNTIL_JULY}) {{ rows {{ zeroTogether }} }} }}")).await;
    assert_eq!(rounded(answer.rows("trends")), rounded(desk.by_hand(&format!("{zeros} select avg(c) from pairs")).await));
}
