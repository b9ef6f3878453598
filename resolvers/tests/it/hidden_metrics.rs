//! The surface of those for whom only some metrics exist.

use std::sync::Arc;

use async_graphql::Request;
use holdfast_resolvers::{Api, RequestContext, Runner, Settings};
use holdfast_schema::{
    load,
    query::{Caller, hidden_from},
    source::SourceMap,
};
use serde_json::{Value, json};

use crate::fake::{Asked, Fake, context};

const MODEL: &str = "project: acme
---
entity: account
source: account
key: account_id
dimensions: {name: string, opened_on: date}
---
entity: seat_month
source: seat_month
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures:
  active: {sum: active, over_time: last, unit: seats}
  licensed: {sum: licensed, over_time: last, unit: seats}
  mrr: {sum: mrr, over_time: last}
movements: {owner: account, cohort: opened_on, grains: {person: [account]}}
---
metrics:
  active: {measure: seat_month.active}
  licences: {measure: seat_month.licensed}
  seats_in_use: {ratio: active / licences}
  idle: {expr: seats_in_use < 0.70}
  lost_mrr: {movement: {of: seat_month.mrr, is: contraction}}
  first_mrr: {cohort: {of: seat_month.mrr, take: opening}}
  risk: {score: {inputs: {idle: {weight: 2}, use: {of: seats_in_use, weight: 1, to: 1}}}}
  use_score: {score: {inputs: {use: {of: seats_in_use, weight: 1, to: 1}}}}
---
view: health
metrics: [active, licences, seats_in_use, idle, risk, use_score, lost_mrr, first_mrr]
dimensions: [account, account.name]
---
view: losses
metrics: [lost_mrr, licences]
dimensions: [account]
---
rules:
  unused: {per: account, when: seats_in_use < 0.70, play: [size]}
  unlicensed: {per: account, when: licences < 1, severity: critical, play: [audit]}
---
policies:
  customers: {roles: customer, metrics: [active, seats_in_use, risk, use_score]}
  readers: {roles: reader, metrics: [seats_in_use], rules: []}
---
saved_queries:
  own_use: {document: \"{ health(by: []) { rows { active } } }\"}
  all_licences: {document: \"{ health(by: []) { rows { licences } } }\"}
  quick: {ask: {view: health, metrics: [active]}}
  quick_licences: {ask: {view: health, metrics: [licences]}}
  named_alike: {ask: {view: health, metrics: [active], where: name = 'idle licences'}}
";

/// Words of what does not exist for customers.
const SECRETS: [&str; 9] =
    ["licences", "unlicensed", "audit", "idle", "lostmrr", "lost_mrr", "firstmrr", "losses", "healthmovementgrain"];

fn all() -> Api {
    let files = MODEL.split("---\n").enumerate().map(|(n, text)| (format!("{n}.yaml"), text.to_owned()));
    let (model, diagnostics) = load(SourceMap::new(files));
    let model = model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted()));
    Api::new(model, Settings::default()).unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()))
}

fn customer() -> Caller {
    Caller { roles: vec!["customer".to_owned()], ..Caller::default() }
}

fn of_customers() -> Api {
    let all = all();
    all.without(hidden_from(all.model(), &customer()))
}

fn ask(api: &Api, caller: Caller, text: &str) -> (Value, Vec<Asked>) {
    let fake = Arc::new(Fake::default());
    let runner: Arc<dyn Runner> = fake.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let context = RequestContext { caller, ..context(api) };
    let answer = runtime.block_on(api.execute(runner, context, Request::new(text)));
    let asked = fake.asked.lock().expect("nobody panics while noting").clone();
    (serde_json::from_slice(&answer.body).expect("it is JSON"), asked)
}

const CATALOGUE: &str = "{ metrics { name formula lineage { name } usedBy { name } views { name } validDimensions { name } }
    views { name metrics { name } movementGrains } entities { name metrics { name } } dimensions { name view { name metrics { name } } }
    rules { name metric { name } plays } savedQueries { name document } }";

const INTROSPECTION: &str =
    "{ __schema { types { name description fields { name args { name } } inputFields { name } enumValues { name } } } }";

#[test]
fn no_name_of_it_is_told_anywhere() {
    let (all, own) = (all(), of_customers());
    let told = |text: &str| SECRETS.into_iter().filter(|secret| text.to_lowercase().contains(secret)).collect::<Vec<_>>();
    let texts = |api: &Api, caller: Caller| {
        let answered = [CATALOGUE, INTROSPECTION, "{ _service { sdl } }"].map(|text| {
            let (answer, _) = ask(api, caller.clone(), text);
            assert_eq!(answer.get("errors"), None, "{text}");
            answer.to_string()
        });
        let saved = ["own_use", "all_licences"].map(|name| api.saved_document(name).unwrap_or_default().to_owned());
        [api.sdl().to_owned(), api.federation_sdl().to_owned()].into_iter().chain(answered).chain(saved).collect::<Vec<_>>()
    };
    for text in texts(&own, customer()) {
        assert_eq!(told(&text), Vec::<&str>::new(), "{text}");
    }
    assert_eq!(told(&texts(&all, Caller::default()).concat()), SECRETS, "somebody would notice");
}

#[test]
fn what_is_there_is_there_whole() {
    let own = of_customers();
    let (answer, _) = ask(&own, customer(), CATALOGUE);
    let names = |list: &str| -> Vec<&str> {
        let items = answer["data"][list].as_array().expect("a list");
        items.iter().filter_map(|item| item["name"].as_str()).collect()
    };
    assert_eq!(names("metrics"), ["active", "risk", "seats_in_use", "use_score"]);
    assert_eq!(names("views"), ["health"]);
    assert_eq!(names("rules"), ["unused"]);
    // A value that reads like a name is none.
    assert_eq!(names("savedQueries"), ["named_alike", "own_use", "quick"]);
    assert_eq!(answer["data"]["metrics"][2]["formula"], "active / …");
    assert_eq!(answer["data"]["metrics"][2]["lineage"], json!([{"name": "active"}]));
    let document = "{ health(by: [{dimension: ACCOUNT}], having: {active: {gt: \"0\"}}, orderBy: [{risk: {}}]) {
        rows { active risk status { risk } contributions { useScore { input } } } }
        accounts { nodes { metrics { risk } signals { rule { name } } } } }";
    let (answer, _) = ask(&own, customer(), document);
    assert_eq!(answer.get("errors"), None, "{answer}");
}

#[test]
fn it_cannot_be_asked_for_in_any_place() {
    let own = of_customers();
    for text in [
        "{ health(by: []) { rows { licences } } }",
        "{ health(by: []) { totals { licences } } }",
        "{ health(by: []) { rows { status { licences } } } }",
        "{ health(by: []) { rows { compare { licences { delta } } } } }",
        "{ health(by: []) { rows { contributions { risk { input } } } } }",
        "{ health(by: [], having: {licences: {gt: \"1\"}}) { rowCount } }",
        "{ health(by: [], orderBy: [{licences: {}}]) { rowCount } }",
        "{ health(by: [], movementGrain: PERSON) { rowCount } }",
        "{ health(by: [{cohort: {grain: MONTH}}]) { rowCount } }",
        "{ losses(by: []) { rowCount } }",
        "{ accounts { nodes { metrics { licences } } } }",
        "{ accounts(having: {licences: {gt: \"1\"}}) { totalCount } }",
        "{ accounts(orderBy: [{metrics: {licences: {}}}]) { totalCount } }",
        "subscription { losses(by: []) { rowCount } }",
        "subscription { health(by: []) { rows { licences } } }",
    ] {
        let (answer, asked) = ask(&own, customer(), text);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{text}: {answer}");
        assert!(asked.is_empty(), "{text}");
    }
    for (right, wrong) in [
        ("{ metric(name: \"licences\") { name } }", "{ metric(name: \"nonsense\") { name } }"),
        ("{ metrics(view: \"losses\") { name } }", "{ metrics(view: \"nonsense\") { name } }"),
        ("{ dimensions(forMetrics: [\"licences\"]) { name } }", "{ dimensions(forMetrics: [\"nonsense\"]) { name } }"),
        (
            "{ signals(where: {rule: [\"unlicensed\"]}) { totalCount } }",
            "{ signals(where: {rule: [\"nonsense\"]}) { totalCount } }",
        ),
        (
            "{ accounts { nodes { signals(rule: [\"unlicensed\"]) { value } } } }",
            "{ accounts { nodes { signals(rule: [\"nonsense\"]) { value } } } }",
        ),
    ] {
        let answer = |text: &str| ask(&own, customer(), text).0.to_string();
        assert_eq!(answer(right).replace("unlicensed", "nonsense"), answer(wrong), "{right}");
    }
}

#[test]
fn signals_are_those_of_rules_that_are_there_with_evidence_that_is_there() {
    let document = "{ signals { totalCount nodes { rule { name } plays evidence { metric } } } }";
    let (answer, asked) = ask(&of_customers(), customer(), document);
    assert_eq!(answer.get("errors"), None, "{answer}");
    let nodes = answer["data"]["signals"]["nodes"].as_array().expect("a list");
    assert!(!nodes.is_empty());
    for node in nodes {
        assert_eq!(*node, json!({"rule": {"name": "unused"}, "plays": ["size"], "evidence": [{"metric": "active"}]}));
    }
    assert!(!format!("{asked:?}").contains("licences"), "{asked:?}");
}

#[test]
fn a_policy_may_leave_rules_out_whose_metrics_are_there() {
    let all = all();
    let reader = Caller { roles: vec!["reader".to_owned()], ..Caller::default() };
    let own = all.without(hidden_from(all.model(), &reader));
    let (answer, asked) = ask(&own, reader.clone(), "{ rules { name } signals { totalCount } }");
    assert_eq!(answer, json!({"data": {"rules": [], "signals": {"totalCount": 0}}}));
    assert!(asked.is_empty(), "{asked:?}");
    let (answer, _) = ask(&own, reader, "{ accounts { nodes { signals { value } } } }");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{answer}");
    // Who is a customer too has what both have.
    let both = Caller { roles: vec!["reader".to_owned(), "customer".to_owned()], ..Caller::default() };
    let (answer, _) = ask(&all.without(hidden_from(all.model(), &both)), both, "{ rules { name } metrics { name } }");
    assert_eq!(answer, json!({"data": {"rules": [], "metrics": [{"name": "seats_in_use"}]}}));
}
