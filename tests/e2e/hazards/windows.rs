//! Days that months of other lengths do not have, and windows that begin with a period.

use holdfast_schema::source::SourceMap;
use holdfast_tests::desk::{Desk, definitions};

use super::{SALES, SHOP, tables};

fn windows() -> SourceMap {
    definitions(&format!(
        "{SHOP}
---
metrics:
  revenue_month_before: {{offset: {{of: revenue, by: 1 month}}}}
  revenue_mtd: {{cumulative: {{of: revenue, to_date: month}}}}
  revenue_qtd: {{cumulative: {{of: revenue, to_date: quarter}}}}
  revenue_fytd: {{cumulative: {{of: revenue, to_date: fiscal_year}}}}
---
view: windows
metrics: [revenue, revenue_month_before, revenue_mtd, revenue_qtd, revenue_ytd, revenue_fytd]
dimensions: [account.segment]
"
    ))
}

#[tokio::test]
async fn a_day_that_the_other_month_does_not_have_stands_beside_nothing() {
    let desk = Desk::open(windows(), &tables()).await;
    desk.check(
        "windows",
        "{ windows(by: [{time: {grain: DAY}}]) { rows { period(grain: DAY) { start } revenue revenueMonthBefore } } }",
        &format!(
            "{SALES}, p as (
               select day, sum(amount) as r, null::numeric as b from s group by 1
               union all
               select (day + interval '1 month')::date, null, sum(amount) from s
               where ((day + interval '1 month')::date - interval '1 month')::date = day group by 1)
             select day, max(r), max(b) from p group by day order by day"
        ),
    )
    .await;
}

#[tokio::test]
async fn the_month_before_a_shorter_or_longer_one_is_read_to_its_end() {
    let desk = Desk::open(windows(), &tables()).await;
    for (from, to, before) in [
        ("2024-04-01", "2024-05-01", ("2024-03-01", "2024-04-01")),
        ("2024-03-01", "2024-04-01", ("2024-02-01", "2024-03-01")),
        ("2024-11-01", "2024-12-01", ("2024-10-01", "2024-11-01")),
    ] {
        let by_hand = format!(
            "{SALES} select (select sum(amount) from s where day >= '{from}' and day < '{to}'),
                            (select sum(amount) from s where day >= '{}' and day < '{}')",
            before.0, before.1
        );
        for by in ["", "by: [{time: {grain: MONTH}}], fill: DENSE,"] {
            let document = format!(
                r#"{{ windows({by} range: {{between: {{from: "{from}", to: "{to}"}}}}) {{ rows {{ revenue revenueMonthBefore }} }} }}"#
            );
            let document = document.replace("windows( ", "windows(by: [], ");
            desk.check("windows", &document, &by_hand).await;
        }
    }
}

#[tokio::test]
async fn to_date_begins_with_the_period_that_the_last_day_lies_in() {
    let desk = Desk::open(windows(), &tables()).await;
    for (grain, step, from, to) in [
        ("DAY", "1 day", "2024-02-27", "2024-04-03"),
        ("MONTH", "1 month", "2024-01-01", "2025-03-01"),
        ("QUARTER", "3 months", "2024-01-01", "2025-04-01"),
    ] {
        let document = format!(
            r#"{{ windows(by: [{{time: {{grain: {grain}}}}}], range: {{between: {{from: "{from}", to: "{to}"}}}}, fill: DENSE) {{
                 rows {{ period(grain: {grain}) {{ start }} revenueMtd revenueQtd revenueYtd revenueFytd }} }} }}"#
        );
        let since = |start: &str| format!("(select sum(amount) from s where day >= {start} and day < d + interval '{step}')");
        let last = format!("(d + interval '{step}' - interval '1 day')");
        desk.check(
            "windows",
            &document,
            &format!(
                "{SALES} select d::date, {}, {}, {}, {} from generate_series(timestamp '{from}', timestamp '{to}' - interval '1 day', '{step}') d order by 1",
                since(&format!("date_trunc('month', {last})")),
                since(&format!("date_trunc('quarter', {last})")),
                since(&format!("date_trunc('year', {last})")),
                since(&format!("date_trunc('year', {last} - interval '1 month') + interval '1 month'")),
            ),
        )
        .await;
    }
    desk.check(
        "windows",
        r#"{ windows(by: [], range: {between: {from: "2024-02-10", to: "2024-03-31"}}) { rows { revenueMtd revenueQtd revenueYtd revenueFytd } } }"#,
        &format!(
            "{SALES} select sum(amount) filter (where day >= '2024-03-01'), sum(amount) filter (where day >= '2024-01-01'),
                            sum(amount) filter (where day >= '2024-01-01'), sum(amount) filter (where day >= '2024-02-01')
             from s where day < '2024-03-31'"
        ),
    )
    .await;
}
