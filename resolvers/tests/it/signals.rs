//! Rules as signals, and what scores are made of: what is asked, and what comes back.

use std::sync::{Arc, Mutex};

use async_graphql::Request;
use expect_test::{Expect, expect};
use holdfast_resolvers::{
    Api, CacheState, CountAnswer, EntityAnswer, MetricAnswer, Provenance, RequestContext, RunError, Runner, Settings,
};
use holdfast_schema::{
    compile::{self, ColumnRole},
    load,
    query::{EntityQuery, Filter, GroupItem, MetricQuery, Scope, TimeRange},
    source::SourceMap,
    sql::Dialect,
    value::{Column, RowSet, TextColumn, Value},
};
use jiff::civil::{Date, date};

use crate::fake::{Fake, context};

const MODEL: &str = "project: acme
---
entity: account
source: account
key: account_id
display: name
dimensions:
  name: string
  segment: {values: [enterprise, smb]}
---
entity: seat_month
source: seat_month
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures:
  active: {sum: active, over_time: last, unit: seats}
  licensed: {sum: licensed, over_time: last, unit: seats}
---
entity: enquiry
source: enquiry
key: enquiry_id
time: {day: {grain: day}}
relationships: {account: {to: account, key: account_id}}
measures: {enquiries: {count: rows, unit: count}}
---
metrics:
  active: {measure: seat_month.active}
  licensed: {measure: seat_month.licensed, label: Licensed seats}
  seats_in_use: {label: Seats in use, ratio: active / licensed}
  idle: {expr: seats_in_use < 0.70}
  enquiries: {measure: enquiry.enquiries}
  enquiries_90d: {cumulative: {of: enquiries, window: 90 days}}
  risk: {score: {inputs: {idle: {weight: 2}, asking: {of: enquiries_90d, weight: 1, to: 4}}}}
---
view: health
metrics: [risk, active, licensed, seats_in_use, idle, enquiries, enquiries_90d]
dimensions: [account, account.segment]
---
rules:
  idle_seats: {label: Idle seats, per: account, when: seats_in_use < 0.70, for: 2, severity: warning, play: [size, talk]}
  no_seats: {per: account, when: licensed < 1, severity: critical}
  asks_for_less: {per: account, when: enquiries_90d >= 1, at: as_of, severity: info}
";

fn api() -> Api {
    let files = MODEL.split("---\n").enumerate().map(|(n, text)| (format!("{n}.yaml"), text.to_owned()));
    let (model, diagnostics) = load(SourceMap::new(files));
    let model = model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted()));
    Api::new(model, Settings::default()).unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()))
}

/// Answers questions about metrics from a table: account, month, metric, value; other questions as the usual fake does.
struct Table {
    usual: Fake,
    asked: Mutex<Vec<MetricQuery>>,
}

/// Seats in use by account and month; a month that is missing here has no row.
const USE: [(&str, Date, &str); 9] = [
    ("A1", date(2025, 2, 1), "0.6999"),
    ("A1", date(2025, 1, 1), "0.5"),
    ("A1", date(2024, 12, 1), "0.6"),
    ("A1", date(2024, 11, 1), "0.7"),
    ("A1", date(2024, 10, 1), "0.1"),
    ("A2", date(2025, 2, 1), "0.70"),
    ("A2", date(2025, 1, 1), "0.1"),
    ("A3", date(2025, 2, 1), "0.2"),
    ("A4", date(2024, 10, 1), "0.2"),
];

fn value(account: &str, period: Option<Date>, metric: &str) -> Option<String> {
    let in_use = USE.iter().find(|(name, start, _)| *name == account && Some(*start) == period).map(|(.., value)| *value);
    match (metric, period) {
        ("seats_in_use", _) => in_use.map(str::to_owned),
        ("licensed", Some(_)) => in_use.map(|_| "100".to_owned()),
        ("enquiries_90d", None) => (account == "A2").then(|| "1".to_owned()),
        _ => None,
    }
}

#[async_trait::async_trait]
impl Runner for Table {
    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        self.asked.lock().expect("nobody panics while noting").push(query.clone());
        let plan = compile::metrics(&context.model, query, &context.caller, Dialect::Postgres)?;
        let by_period = query.by.iter().any(|group| matches!(group.item, GroupItem::Time { .. }));
        let range = query.range.expect("signals have a range");
        let mut groups: Vec<(&str, Option<Date>)> = match by_period {
            true => USE.iter().map(|(account, start, _)| (*account, Some(*start))).collect(),
            false => vec![("A1", None), ("A2", None)],
        };
        groups.retain(|(account, start)| {
            let in_range =
                start.is_none_or(|start| range.from.is_none_or(|from| from <= start) && range.to.is_none_or(|to| start < to));
            let is_wanted = match &query.filter {
                Some(Filter::KeyIn { keys, .. }) => keys.contains(&vec![Value::Text((*account).to_owned())]),
                _ => true,
            };
            in_range && is_wanted
        });
        let text = |values: Vec<Option<String>>| {
            let mut column = TextColumn::default();
            values.iter().for_each(|value| column.push(value.as_deref()));
            column
        };
        let columns: Vec<Column> = plan
            .columns
            .iter()
            .map(|role| match role {
                ColumnRole::Group { by: 0, .. } => {
                    Column::Text(text(groups.iter().map(|(account, _)| Some((*account).to_owned())).collect()))
                }
                ColumnRole::Group { .. } => Column::Date(groups.iter().map(|(_, start)| *start).collect()),
                ColumnRole::Metric(position) => {
                    let metric = &query.metrics[*position].metric;
                    Column::Decimal(text(groups.iter().map(|(account, start)| value(account, *start, metric)).collect()))
                }
                other => panic!("nothing asks for {other:?}"),
            })
            .collect();
        let rows = RowSet::new((0..columns.len()).map(|n| format!("c{n}")).collect(), columns);
        let provenance = Provenance {
            statement: "digest".to_owned(),
            cache: CacheState::Miss,
            age: std::time::Duration::ZERO,
            max_age: std::time::Duration::from_secs(60),
            data_version: None,
        };
        Ok(MetricAnswer { plan: Arc::new(plan), rows: Arc::new(rows), totals: None, provenance })
    }

    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        self.usual.entities(context, query).await
    }

    async fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<CountAnswer, RunError> {
        self.usual.count(context, query).await
    }

    fn explain(&self, context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError> {
        self.usual.explain(context, query)
    }
}

/// The answer to a request in the middle of March 2025, and the questions it took.
#[track_caller]
fn check(text: &str, expected: Expect) -> Vec<MetricQuery> {
    let api = api();
    let table = Arc::new(Table { usual: Fake::default(), asked: Mutex::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let runner: Arc<dyn Runner> = table.clone();
    let answer = runtime.block_on(api.execute(runner, context(&api), Request::new(text)));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).expect("it is JSON");
    expected.assert_eq(&body.to_string());
    let asked = table.asked.lock().expect("nobody panics while noting");
    asked.clone()
}

#[test]
fn a_signal_fires_when_it_has_held_for_long_enough() {
    let asked = check(
        "{ signals(where: {rule: [\"idle_seats\"]}) { totalCount asOf nodes { fired value entity { id } } } }",
        expect![[
            r#"{"data":{"signals":{"totalCount":3,"asOf":"2025-03-15","nodes":[{"fired":true,"value":"0.6999","entity":{"id":"account:A1"}},{"fired":false,"value":"0.70","entity":{"id":"account:A2"}},{"fired":null,"value":"0.2","entity":{"id":"account:A3"}}]}}}"#
        ]],
    );
    assert_eq!(asked.len(), 1, "one question for all accounts");
    assert_eq!(asked[0].scope, Scope::Entity("account".to_owned()));
    assert_eq!(asked[0].range, Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 3, 1)) }));
    let metrics: Vec<&str> = asked[0].metrics.iter().map(|metric| metric.metric.as_str()).collect();
    assert_eq!(metrics, ["licensed", "seats_in_use"], "rules that look alike are one question, whichever are shown");
}

#[test]
fn history_and_evidence_are_asked_for_what_is_shown_only() {
    let asked = check(
        "{ signals(where: {fired: true, severity: [WARNING, CRITICAL]}, first: 5) {
             nodes { rule { name label } since periods coverage threshold operator severity plays period { label }
                     evidence { metric label known value } } } }",
        expect![[
            r#"{"data":{"signals":{"nodes":[{"rule":{"name":"idle_seats","label":"Idle seats"},"since":"2024-12-01","periods":3,"coverage":"0.5","threshold":"0.7","operator":"LT","severity":"WARNING","plays":["size","talk"],"period":{"label":"2025-02"},"evidence":[{"metric":"active","label":"Active","known":false,"value":null},{"metric":"licensed","label":"Licensed seats","known":true,"value":"100"}]}]}}}"#
        ]],
    );
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].range, Some(TimeRange { from: Some(date(2024, 3, 1)), to: Some(date(2025, 3, 1)) }));
    let only = Filter::KeyIn { field: "account".to_owned(), keys: vec![vec![Value::Text("A1".to_owned())]] };
    assert_eq!(asked[1].filter, Some(only));
}

#[test]
fn a_rule_about_a_day_looks_at_everything_up_to_it() {
    let asked = check(
        "{ signals(where: {rule: [\"asks_for_less\"]}, asOf: \"2025-02-10\", orderBy: [{value: {dir: DESC}}]) {
             nodes { fired since period { label } entity { ... on Account { name } } } } }",
        expect![[
            r#"{"data":{"signals":{"nodes":[{"fired":true,"since":null,"period":null,"entity":{"name":"name of A2"}},{"fired":null,"since":null,"period":null,"entity":{"name":"name of A1"}}]}}}"#
        ]],
    );
    assert_eq!(asked[0].range, Some(TimeRange { from: None, to: Some(date(2025, 2, 11)) }));
    assert_eq!(asked[0].by.len(), 1);
}

#[test]
fn entities_have_their_signals_and_conditions_select_entities() {
    check(
        "{ accounts(first: 2) { nodes { name signals(severity: [WARNING, INFO]) { rule { name } fired } } } }",
        expect![[
            r#"{"data":{"accounts":{"nodes":[{"name":"name of A1","signals":[{"rule":{"name":"asks_for_less"},"fired":null},{"rule":{"name":"idle_seats"},"fired":true}]},{"name":"name of A2","signals":[{"rule":{"name":"asks_for_less"},"fired":true},{"rule":{"name":"idle_seats"},"fired":false}]}]}}}"#
        ]],
    );
    let asked = check(
        "{ signals(where: {account: {segment: {eq: SMB}}, unknown: true}) { totalCount } }",
        expect![[r#"{"data":{"signals":{"totalCount":2}}}"#]],
    );
    assert_eq!(asked.len(), 2, "one question per time at which rules look");
    assert!(asked.iter().all(|query| matches!(&query.filter, Some(Filter::Compare { field, .. }) if field == "segment")));
}

#[test]
fn an_unknown_rule_is_refused() {
    check(
        "{ signals(where: {rule: [\"idle\"]}) { totalCount } }",
        expect![[
            r#"{"data":{"signals":null},"errors":[{"message":"there is no rule `idle`","locations":[{"line":1,"column":3}],"path":["signals"],"extensions":{"code":"BAD_USER_INPUT","correlationId":"c-1","help":"`rules { name }` lists them"}}]}"#
        ]],
    );
}

#[test]
fn a_score_shows_what_its_inputs_add_to_it() {
    let api = api();
    let fake = Arc::new(Fake::default());
    let text = "{ health(by: [{dimension: ACCOUNT}], range: {between: {from: \"2025-01-01\", to: \"2025-02-01\"}}, compare: {previousYear: true}) {
        rows { risk contributions { risk { input label metric weight known value scaled contribution delta previous { known contribution } } } } } }";
    let (_, body) = crate::fake::send_to(&api, Arc::clone(&fake), Request::new(text));
    expect![[r#"{"data":{"health":{"rows":[{"risk":"10.5","contributions":{"risk":[{"input":"idle","label":"Idle","metric":"idle","weight":"2","known":true,"value":"20.5","scaled":"40.5","contribution":"60.5","delta":null,"previous":{"known":false,"contribution":null}},{"input":"asking","label":"Enquiries 90d","metric":"enquiries_90d","weight":"1","known":true,"value":"30.5","scaled":"50.5","contribution":"70.5","delta":null,"previous":{"known":false,"contribution":null}}]}},{"risk":"11.5","contributions":{"risk":[{"input":"idle","label":"Idle","metric":"idle","weight":"2","known":true,"value":"21.5","scaled":"41.5","contribution":"61.5","delta":"51.5","previous":{"known":true,"contribution":"10"}},{"input":"asking","label":"Enquiries 90d","metric":"enquiries_90d","weight":"1","known":true,"value":"31.5","scaled":"51.5","contribution":"71.5","delta":"61.5","previous":{"known":true,"contribution":"10"}}]}}]}}}"#]].assert_eq(&body.to_string());
    let asked = fake.asked.lock().expect("nobody panics while noting");
    let crate::fake::Asked::Metrics(query) = &asked[0] else { panic!("a question about metrics") };
    let keys: Vec<&str> = query.metrics.iter().map(|metric| metric.key.as_str()).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        keys,
        [
            "risk",
            "risk__value_0",
            "risk__value_1",
            "risk__scaled_0",
            "risk__scaled_1",
            "risk__contribution_0",
            "risk__contribution_1"
        ]
    );
}
