//! The pages that the shipped definitions save: every block answers over the demo, both engines agree, and the number of statements
//! follows from the page, not from what is on it.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use async_graphql::{Request, Variables};
use holdfast_resolvers::{Limits, Planning, RequestContext, RequestId};
use holdfast_schema::{query::Caller, sql::Dialect};
use holdfast_server::{demo, engine::Settings, recorder::Recorder};
use holdfast_tests::{
    answer::Answer,
    binary::repository,
    desk::{Counter, Desk, without_cache},
};
use holdfast_warehouse::{Limits as WarehouseLimits, counting::Counting, embedded::Embedded};
use serde_json::{Value, json};

use crate::cases::SHIPPED;

const DAY: &str = "2026-01-01";

fn page(name: &str) -> String {
    SHIPPED.saved_document(name).unwrap_or_else(|| panic!("the definitions save `{name}`")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_saved_page_answers_the_same_on_both_warehouses() {
    let desk = Desk::with(&SHIPPED, &demo::portfolio(), &without_cache()).await;
    let variables = json!({"asOf": DAY, "account": "account:A0207"});
    for name in ["account_page", "portfolio_page"] {
        let answer = desk.ask_with(&page(name), &variables).await;
        assert_eq!(answer.json.get("errors"), None, "{name}");
        let data = answer.at("/data").as_object().expect("a page has blocks");
        for (block, value) in data {
            assert!(!is_empty(value), "{name}: nothing in `{block}`: {value}");
        }
    }
    let by_hand =
        "select sum(mrr) from component_value_month where account_id = 'A0207' and month >= '2025-12-01' and month < '2026-01-01'";
    let header = desk.embedded.ask_with(&page("account_page"), &variables).await;
    let mrr = holdfast_tests::answer::cells(header.at("/data/header/month/mrr"));
    assert_eq!(vec![mrr], desk.by_hand(by_hand).await);
}

/// The role of people of a customer: their own account among all others, and nothing of what is thought and planned about it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_sees_its_own_page_and_nothing_of_others() {
    let desk = Desk::with(&SHIPPED, &demo::portfolio(), &without_cache()).await;
    let variables = json!({"asOf": DAY});
    let all = desk.ask_with(&page("customer_page").replace("asOf: $asOf) {\n", "asOf: $asOf, limit: 5000) {\n"), &variables).await;
    let claims = BTreeMap::from([("accounts".to_owned(), vec![holdfast_schema::value::Value::Text("A0207".to_owned())])]);
    let desk = desk.asked_by(&Caller { roles: vec!["external".to_owned()], claims, ..Caller::default() });
    let own = desk.ask_with(&page("customer_page"), &variables).await;
    assert_eq!(own.json.get("errors"), None);
    for block in ["use", "value", "peers", "potential"] {
        let of_customer = |answer: &Answer| -> Vec<Value> {
            let rows = answer.at(&format!("/data/{block}/rows")).as_array().expect("rows").clone();
            // Ids of rows tell questions apart, and there are two.
            let without_id = |mut row: Value| {
                row.as_object_mut().and_then(|row| row.remove("id"));
                row
            };
            rows.into_iter().filter(|row| row["account"]["id"] == "account:A0207@2026-01-01").map(without_id).collect()
        };
        assert_eq!(of_customer(&own), of_customer(&all), "{block}");
        assert_eq!(own.at(&format!("/data/{block}/rows")).as_array().map(Vec::len), Some(of_customer(&own).len()), "{block}");
    }
    assert_ne!(own.at("/data/peers/rows/0/peerBenchmarkPercentile"), &Value::Null);
    let internal = "{ accounts { totalCount } engagements { totalCount } engagementParticipants { totalCount }
        playbooks { totalCount } playRuns { totalCount } accountPlans { totalCount } planRisks { totalCount } planTargets { totalCount }
        expansionOpportunities { totalCount } signalEvents { totalCount } concessions { totalCount } perceivedValueObses { totalCount }
        renewalEvents { totalCount } accountTeams { totalCount } workflowAdoptions { totalCount } useCasePeers { totalCount }
        segmentDefinitions { totalCount } peerGroups { totalCount } }";
    let counted = desk.ask(internal).await;
    assert_eq!(counted.json.get("errors"), None);
    for (list, count) in counted.at("/data").as_object().expect("lists") {
        assert_eq!(count["totalCount"], json!(i32::from(list == "accounts")), "{list}");
    }
}

/// Costs are known without asking anything: a recorder answers.
#[tokio::test]
async fn saved_pages_cost_what_the_servers_readme_says() {
    let readme = fs::read_to_string(repository().join("server/README.md")).expect("it can be read");
    let limit = Limits::default().cost;
    let mut found = 0;
    for (name, _) in &SHIPPED.model().saved_queries {
        let Some(document) = SHIPPED.saved_document(name) else { continue };
        let variables = json!({"asOf": DAY, "account": "account:A0207", "metric": "nrr"});
        let context = RequestContext {
            request: RequestId::next(),
            model: Arc::clone(SHIPPED.model()),
            caller: Caller::default(),
            now: "2026-01-15T12:00:00Z".parse().expect("an instant"),
            correlation_id: String::new(),
            shows_cost: true,
            planning: Planning::untimed(),
        };
        let recorder = Arc::new(Recorder::new(Dialect::Postgres, Arc::default()));
        let request = Request::new(document).variables(Variables::from_json(variables));
        let answer = SHIPPED.execute(recorder, context, request).await;
        let answer: Value = serde_json::from_slice(&answer.body).expect("it is JSON");
        let units = answer["extensions"]["cost"]["requested"].as_u64().unwrap_or_else(|| panic!("{name}: {answer:#}"));
        assert!(readme.contains(&format!("| `{name}` | {units} |")), "server/README.md does not say that `{name}` costs {units}");
        assert!(units * 4 < limit, "`{name}` costs {units} of {limit}");
        found += 1;
    }
    assert_eq!(
        found,
        readme.split("| saved query | units |").nth(1).map_or(0, |table| table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .count())
    );
}

/// Whether a block shows nothing at all.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_costs_as_many_statements_for_many_rows_as_for_few() {
    let limits = WarehouseLimits { timeout: Duration::from_secs(300), ..WarehouseLimits::default() };
    let embedded = Embedded::new("portfolio", &demo::portfolio(), limits).expect("the engine takes the demo");
    let counting = Arc::new(Counting::new(Arc::new(embedded)));
    // Versions of the data are asked for once, before anything is counted.
    let settings = Settings { refresh_interval: Duration::from_secs(3600), ..without_cache() };
    let counter = Counter::new(&SHIPPED, Arc::clone(&counting) as _, settings);
    let many = page("portfolio_page");
    let few = many.replace("first: 200", "first: 2");
    assert_ne!(many, few);
    let mut counts = Vec::new();
    counter.ask_with(&few, &json!({"asOf": DAY})).await;
    counter.ask_with(&page("account_page"), &json!({"asOf": DAY, "account": "account:A0002"})).await;
    counting.take();
    for document in [&many, &few] {
        let answer = counter.ask_with(document, &json!({"asOf": DAY})).await;
        assert_eq!(answer.json.get("errors"), None);
        counts.push(counting.take());
    }
    assert_eq!(counts[0], counts[1], "statements for 200 accounts and for 2");
    // What lies below nothing is not asked: an account without children or stakeholders costs a statement less for each.
    let mut counts = Vec::new();
    for account in ["account:A0207", "account:A0002", "account:A0254"] {
        let answer = counter.ask_with(&page("account_page"), &json!({"asOf": DAY, "account": account})).await;
        assert_eq!(answer.json.get("errors"), None, "{account}");
        counts.push(counting.take());
    }
    let (least, most) = (counts.iter().min(), counts.iter().max());
    assert!(
        least.zip(most).is_some_and(|(least, most)| most - least <= 2),
        "statements for accounts of different size: {counts:?}"
    );
}
