//! What cannot be right is refused before anything runs, with a stable code and something to do.

use expect_test::{Expect, expect};
use holdfast_schema::{
    compile,
    query::{Comparator, Comparison, Direction, Fill, Filter, InCurrency, MetricQuery, OrderBy, TimeRange},
    sql::Dialect,
    time::Step,
    value::Value,
};
use jiff::civil::date;

use super::{model, nobody, question};

fn check_refusal(query: &MetricQuery, expected: Expect) {
    let error = compile::metrics(&model(), query, &nobody(), Dialect::Postgres).unwrap_err();
    let help = error.help.as_deref().unwrap_or("-");
    expected.assert_eq(&format!("{}: {} | {help} | {}", error.code.as_str(), error.message, error.suggestions.join(", ")));
}

fn compare(field: &str, value: Value) -> Filter {
    Filter::Compare { field: field.to_owned(), operator: Comparator::Equal, value }
}

#[test]
fn unknown_names_come_with_the_nearest_ones() {
    check_refusal(&question("valu", &["mrr"], &[]), expect!["E_NAME_NOT_FOUND: there is no view `valu` | - | value"]);
    check_refusal(&question("value", &["mr"], &[]), expect!["E_NAME_NOT_FOUND: view `value` has no metric `mr` | - | mrr"]);
    check_refusal(
        &question("value", &["mrr"], &["segmnt"]),
        expect!["E_NAME_NOT_FOUND: view `value` has no dimension `segmnt` | - | segment"],
    );
    check_refusal(
        &question("value", &["contraction_mrr"], &[]),
        expect![
            "E_NAME_NOT_FOUND: view `value` has no metric `contraction_mrr` | the metric exists, but not here: choose a view that has it | "
        ],
    );
}

#[test]
fn another_currency_needs_rates_and_a_code() {
    let asked = |code: &str, rate: Option<&str>| MetricQuery {
        currency: Some(InCurrency { code: code.to_owned(), rate: rate.map(str::to_owned) }),
        ..question("value", &["mrr"], &[])
    };
    check_refusal(
        &asked("euro", None),
        expect!["E_INVALID_ARGUMENT: `euro` is not the code of a currency | use the three letters of ISO 4217, such as EUR | "],
    );
    check_refusal(
        &asked("EUR", None),
        expect![
            "E_INVALID_ARGUMENT: there are no exchange rates: amounts are in the currency they are recorded in | leave out `currency`, or declare `exchange_rates` in the project | "
        ],
    );
}

#[test]
fn a_metric_is_no_condition_on_rows_and_a_dimension_none_on_groups() {
    let base = question("value", &["mrr"], &["segment"]);
    let condition = Some(compare("mrr", Value::Int(1)));
    check_refusal(
        &MetricQuery { filter: condition, ..base.clone() },
        expect![
            "E_AGGREGATE_IN_WHERE: `mrr` is a metric; `where` selects rows before they are added up | put conditions on metrics into `having` | "
        ],
    );
    let having = Some(compare("segment", Value::Text("smb".to_owned())));
    check_refusal(
        &MetricQuery { having, ..base },
        expect![
            "E_NON_AGGREGATE_IN_HAVING: `segment` is not one of the metrics asked for | `having` speaks of metrics; put conditions on dimensions into `where` | "
        ],
    );
}

#[test]
fn values_fit_their_fields() {
    let base = question("value", &["mrr"], &["segment"]);
    check_refusal(
        &MetricQuery { filter: Some(compare("segment", Value::Int(1))), ..base.clone() },
        expect!["E_TYPE_MISMATCH: `segment` takes a string, found a int that is not one | - | "],
    );
    check_refusal(
        &MetricQuery { filter: Some(compare("segment", Value::Null)), ..base.clone() },
        expect!["E_TYPE_MISMATCH: `segment` is compared with null | use {segment: {isNull: true}} | "],
    );
    check_refusal(
        &MetricQuery { having: Some(compare("mrr", Value::Text("a lot".to_owned()))), ..base.clone() },
        expect!["E_TYPE_MISMATCH: `mrr` takes a decimal, found a string that is not one | - | "],
    );
    let asked = |number: &str| {
        let asked = MetricQuery { having: Some(compare("mrr", Value::Text(number.to_owned()))), ..base.clone() };
        compile::metrics(&model(), &asked, &nobody(), Dialect::Postgres)
    };
    let (nines, decimals) = ("9".repeat(20), format!("-0.{}", "9".repeat(18)));
    assert!(asked(&nines).is_ok() && asked(&decimals).is_ok());
    for (longer, told) in [(nines + "9", "of 21 digits before the point"), (decimals + "9", "and 19 after it")] {
        let error = asked(&longer).expect_err(&longer);
        assert!(error.to_string().contains(told), "{longer}: {error}");
    }
}

#[test]
fn time_makes_sense() {
    check_refusal(
        &question("value", &["mrr"], &["day"]),
        expect![
            "E_INVALID_GRAIN: `mrr` is known by month, which does not make up periods by day | use grain MONTH or one made of it | "
        ],
    );
    check_refusal(
        &question("value", &["mrr"], &["month", "week"]),
        expect!["E_INVALID_GRAIN: the periods asked for do not nest | ask for each grain in its own field | "],
    );
    check_refusal(
        &question("customers", &["accounts"], &["month"]),
        expect!["E_INVALID_GRAIN: `accounts` has no time: it holds as of a day | leave out range and period, and use asOf | "],
    );
    let backwards = TimeRange { from: Some(date(2025, 4, 1)), to: Some(date(2025, 1, 1)) };
    check_refusal(
        &MetricQuery { range: Some(backwards), ..question("value", &["mrr"], &[]) },
        expect![
            "E_INVALID_RANGE: the range from 2025-04-01 to 2025-01-01 holds no day (the end is excluded) | put the later day in `to` | "
        ],
    );
    check_refusal(
        &MetricQuery { range: None, ..question("retention", &["contraction_mrr"], &[]) },
        expect![
            "E_INVALID_RANGE: `contraction_mrr` compares two instants, and without period or range there is no first one | group by period(grain:) or pass range | "
        ],
    );
    check_refusal(
        &MetricQuery { range: None, ..question("value", &["used_before"], &[]) },
        expect![
            "E_INVALID_RANGE: `used_before` looks at an earlier time, which needs a range with both ends | pass range: {between: {from, to}}, or group by period(grain:) | "
        ],
    );
    let shifted = Some(Comparison::Earlier(Step::days(10)));
    check_refusal(
        &MetricQuery { compare: shifted, ..question("value", &["mrr"], &["month"]) },
        expect![
            "E_INVALID_GRAIN: periods by month cannot be moved by that distance | move by whole periods, or ask for a finer grain | "
        ],
    );
    let open = MetricQuery { range: None, fill: Fill::Dense, ..question("value", &["mrr"], &["month"]) };
    check_refusal(&open, expect!["E_INVALID_RANGE: filling needs a range with both ends | pass range: {between: {from, to}} | "]);
    let ages = TimeRange { from: Some(date(1000, 1, 1)), to: Some(date(3000, 1, 1)) };
    let long = MetricQuery { range: Some(ages), fill: Fill::Dense, ..question("value", &["mrr"], &["month"]) };
    check_refusal(
        &long,
        expect!["E_INVALID_RANGE: the range holds more than 5000 periods by month | use a shorter range or a coarser grain | "],
    );
}

#[test]
fn members_have_one_value_and_columns_one_name() {
    check_refusal(
        &question("value", &["mrr", "mrr"], &[]),
        expect!["E_NAME_COLLISION: two columns are called `mrr` | give one of them another key | "],
    );
    check_refusal(
        &question("value", &[], &["segment"]),
        expect!["E_EMPTY_QUERY: no metric is asked for | name at least one metric | "],
    );
    let order = vec![OrderBy { key: "used".to_owned(), direction: Direction::Descending, nulls: None }];
    check_refusal(
        &MetricQuery { order_by: order, ..question("value", &["mrr"], &[]) },
        expect![
            "E_NAME_NOT_FOUND: rows cannot be ordered by `used`: it is not among the columns | order by a metric that is selected or a dimension that is grouped | "
        ],
    );
    let grain = Some("acount".to_owned());
    check_refusal(
        &MetricQuery { movement_grain: grain, ..question("retention", &["contraction_mrr"], &["month"]) },
        expect!["E_INVALID_ARGUMENT: there is no movement grain `acount` | - | account"],
    );
    let zone = Some("Mars/Olympus".to_owned());
    check_refusal(
        &MetricQuery { time_zone: zone, ..question("value", &["mrr"], &[]) },
        expect!["E_INVALID_ARGUMENT: `Mars/Olympus` is not a time zone | use an IANA name such as `Europe/Berlin` | "],
    );
}

#[test]
fn what_is_known_by_month_has_no_part_of_a_month() {
    let cut = TimeRange { from: Some(date(2025, 1, 10)), to: Some(date(2025, 2, 1)) };
    check_refusal(
        &MetricQuery { range: Some(cut), ..question("value", &["mrr"], &[]) },
        expect![[
            r#"E_INVALID_RANGE: `mrr` is known by month, and the range begins or ends inside one | range: {between: {from: "2025-01-01", to: "2025-02-01"}} | "#
        ]],
    );
    check_refusal(
        &MetricQuery { range: Some(cut), ..question("retention", &["contraction_mrr"], &[]) },
        expect![[
            r#"E_INVALID_RANGE: `contraction_mrr` is known by month, and the range begins or ends inside one | range: {between: {from: "2025-01-01", to: "2025-02-01"}} | "#
        ]],
    );
    let seen_from_a_day = TimeRange { from: None, to: Some(date(2025, 1, 20)) };
    let balance = MetricQuery { range: Some(seen_from_a_day), ..question("value", &["mrr"], &[]) };
    assert!(compile::metrics(&model(), &balance, &nobody(), Dialect::Postgres).is_ok(), "a balance is looked at from any day");
    let longer = Some(Comparison::Range(TimeRange { from: Some(date(2024, 1, 1)), to: Some(date(2024, 2, 1)) }));
    check_refusal(
        &MetricQuery { compare: longer, ..question("value", &["mrr"], &[]) },
        expect![
            "E_INVALID_RANGE: the range compared with is not as long as the range asked for | leave out its `to`, or ask for two ranges of the same length | "
        ],
    );
}

#[test]
fn what_overlaps_is_selected_by_what_is_there() {
    let without = Filter::IsNull { field: "role".to_owned(), is_null: true };
    check_refusal(
        &MetricQuery { filter: Some(without), ..question("value", &["mrr"], &[]) },
        expect![
            "E_FAN_OUT_IN_SCALAR_QUERY: `mrr` can be selected by values that are there, not by values that are not, of `role` | use a dimension of which each row has one value | "
        ],
    );
}

#[test]
fn rows_seen_from_periods_need_to_know_which() {
    let open = |from, to| Some(TimeRange { from, to });
    let base = question("opinions", &["opinions_given"], &["month"]);
    check_refusal(
        &MetricQuery { range: None, ..base.clone() },
        expect![
            "E_INVALID_RANGE: `opinions_given` is seen from the last day of each period, and the range does not say where periods begin | pass range: {between: {from, to}} | "
        ],
    );
    check_refusal(
        &MetricQuery { range: open(Some(date(2025, 7, 1)), None), ..base.clone() },
        expect![
            "E_INVALID_RANGE: the range begins on 2025-07-01, after 2025-06-30, which counts as today | pass the end of the range too, or asOf | "
        ],
    );
    let days = question("opinions", &["opinions_given"], &["day"]);
    check_refusal(
        &MetricQuery { range: open(Some(date(1990, 1, 1)), None), ..days },
        expect!["E_INVALID_RANGE: the range holds more than 5000 periods by day | use a shorter range or a coarser grain | "],
    );
    check_refusal(
        &question("opinions", &["latest_score_before"], &["day"]),
        expect![
            "E_INVALID_GRAIN: `latest_score` by day cannot be moved by months | compare by days (365, or 364 to keep weekdays), or ask for a coarser grain | "
        ],
    );
}

#[test]
fn a_series_by_period_needs_a_beginning() {
    check_refusal(
        &MetricQuery { range: None, ..question("value", &["used_slope"], &["month"]) },
        expect!["E_INVALID_RANGE: `used_slope` by period needs a range with a first day | pass range: {between: {from, to}} | "],
    );
    let long = Some(TimeRange { from: Some(date(1500, 1, 1)), to: Some(date(2025, 1, 1)) });
    check_refusal(
        &MetricQuery { range: long, ..question("value", &["used_slope"], &["month"]) },
        expect![
            "E_INVALID_RANGE: `used_slope` would look at more than 5000 periods by month | use a shorter range or a coarser period | "
        ],
    );
}

#[test]
fn peers_are_asked_for_by_what_is_compared() {
    for by in [&["segment"][..], &[], &["month", "product"]] {
        check_refusal(
            &question("peers", &["used_standing"], by),
            expect![
                "E_UNSAFE_REAGGREGATION: `used_standing` compares each `account` with its peers, and the question does not group by `account` | group by `account` | "
            ],
        );
    }
    let ever = MetricQuery { range: None, ..question("peers", &["used_standing"], &["month", "account"]) };
    check_refusal(
        &ever,
        expect![
            "E_INVALID_RANGE: `used_standing` is seen from the last day of each period, and the range does not say where periods begin | pass range: {between: {from, to}} | "
        ],
    );
    let totals = MetricQuery { totals: true, ..question("peers", &["used_standing"], &["account"]) };
    let compiled = compile::metrics(&model(), &totals, &nobody(), Dialect::Postgres).unwrap();
    assert!(!compiled.totals.unwrap().sql.as_str().contains("usage_day"), "a total of peers reads nothing");
}
