//! Whole definitions in, models or messages out.

mod mistakes;
mod slips;

use crate::{
    diagnostic::Diagnostics,
    expr::Expr,
    model::{Cardinality, Metric, Model, metric::Additivity, path::Fan},
    source::SourceMap,
    value::{Value, ValueType},
};

/// Accounts, contracts of theirs, a snapshot of components, a flow of usage, and people.
const BASE: &str = "project: test
time_zone: europe/berlin
fiscal_year_start: february
---
entity: account
source: {sql: \"select * from crm.account where not is_test\"}
key: account_id
valid: {from: valid_from, to: valid_to, recorded: recorded_at}
display: name
freshness: {ttl: 5m, refresh: recorded_at}
dimensions:
  name: string
  size: {type: decimal, column: employee_count}
  segment: {values: [enterprise, smb]}
  size_band: {bands: {of: size, edges: [{below: 100, name: small}, {up_to: 1000, name: middle}, {name: large}]}}
relationships:
  parent: {to: account, key: parent_account_id}
  stakeholders: {to: stakeholder, many: true, key: account_id}
---
entity: contract
source: crm.contract
key: contract_id
dimensions: {auto_renew: bool}
relationships:
  account: {to: account, key: account_id}
  billed: {to: account, key: billed_account_id}
---
entity: stakeholder
source: crm.stakeholder
key: stakeholder_id
dimensions: {role: string}
relationships:
  account: {to: account, key: account_id}
---
entity: component_value
source: component_value_month
key: [component_id, month]
time: {month: {type: date, grain: month, snapshot: end_of_period}}
dimensions:
  amount: {type: decimal, column: mrr, hidden: true}
  product: string
relationships:
  contract: {to: contract, key: contract_id}
measures:
  mrr: {sum: amount, unit: currency/month, over_time: last}
  components: {count_distinct: component_id}
movements:
  owner: account
  grains: {account: [account], component: [account, component_id], product: [account, product]}
---
entity: usage
source: usage_day
key: [account_id, day]
time: {day: {type: date}}
dimensions: {sessions: int}
relationships: {account: {to: account, key: account_id}}
measures:
  sessions: {sum: sessions, unit: sessions}
  quantity: {sum: \"case when sessions > 0 then raw_quantity else 0 end\", where: \"day >= '2024-01-01'\"}
  days: {count: rows}
";

/// Documents are separated by `---`; each becomes a file.
fn resolve(documents: &str) -> (Option<Model>, Vec<String>) {
    let files = documents.split("---\n").enumerate().map(|(index, text)| (format!("{index:02}.yaml"), text.to_owned()));
    let sources = SourceMap::new(files);
    let mut out = Diagnostics::default();
    let definitions = crate::definition::parse(&sources, &mut out);
    let model = super::resolve(&sources, &definitions, &mut out);
    let messages = out.sorted().into_iter().map(|item| format!("{}: {}", item.code, item.message)).collect();
    (model, messages)
}

fn base_with(documents: &str) -> (Option<Model>, Vec<String>) {
    resolve(&format!("{BASE}---\n{documents}"))
}

fn model_with(documents: &str) -> Model {
    let (model, messages) = base_with(documents);
    assert_eq!(messages, Vec::<String>::new());
    model.expect("no messages, so there is a model")
}

fn metric<'m>(model: &'m Model, name: &str) -> &'m Metric {
    model.metric(model.metric_named(name).expect("the test names its own metrics"))
}

#[test]
fn nothing_is_a_model_with_a_warning() {
    let (model, messages) = resolve("");
    assert!(model.is_some_and(|model| model.entities.is_empty() && model.project.time_zone == "UTC"));
    assert_eq!(messages, ["M005: there is no `project:` document; days begin in UTC, years in January, weeks on Monday"]);
}

#[test]
fn entities_know_keys_bands_and_relationships() {
    let model = model_with("");
    assert_eq!(model.project.time_zone, "Europe/Berlin");
    let account = model.entity(model.entity_named("account").expect("defined"));
    let names: Vec<&str> = account.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    assert_eq!(names, ["account_id", "name", "size", "segment", "size_band"]);
    assert_eq!(account.key_columns().map(|column| column.0.as_str()).collect::<Vec<_>>(), ["account_id"]);
    assert_eq!((account.freshness.ttl_seconds, account.display.map(|index| index.0)), (Some(300), Some(1)));
    let band = &account.dimensions[4];
    assert_eq!(band.values, ["small", "middle", "large"]);
    let Expr::Case { arms, otherwise: None } = &band.expr else { panic!("bands are a case without an else") };
    assert!(matches!(arms[2].when, Expr::IsNull { negated: true, .. }), "nothing is in no band");
    assert_eq!(account.relationships[1].cardinality, Cardinality::OneToMany);
    assert_eq!(account.relationships[1].own[0].0, "account_id");

    let fact = model.entity(model.entity_named("component_value").expect("defined"));
    let names: Vec<&str> = fact.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    assert_eq!(names, ["component_id", "amount", "product", "month"], "a time is the key's dimension where it reads the column");
    let movements = fact.movements.as_ref().expect("declared");
    assert_eq!(movements.grains[1].members.iter().map(|member| member.path.len()).collect::<Vec<_>>(), [2, 0]);
}

#[test]
fn measures_are_whole_only_when_that_is_certain() {
    let model = model_with("");
    let usage = model.entity(model.entity_named("usage").expect("defined"));
    let types: Vec<_> = usage.measures.iter().map(|measure| measure.value_type).collect();
    assert_eq!(types, [ValueType::Int, ValueType::Decimal, ValueType::Int]);
    let Some(Expr::Binary(_, _, right)) = &usage.measures[1].filter else { panic!("a comparison") };
    assert!(matches!(**right, Expr::Literal(Value::Date(_))), "text beside a date is a date");
}

#[test]
fn metrics_know_type_facts_unit_and_additivity() {
    let model = model_with(
        "metrics:
  mrr: {measure: component_value.mrr}
  sessions: {measure: usage.sessions, where: account.size_band = 'large'}
  opening_mrr: {movement: {of: component_value.mrr, take: opening}}
  contraction_mrr: {movement: {of: component_value.mrr, is: contraction, when: owner_closing > 0}}
  closing_mrr: {expr: opening_mrr - contraction_mrr * 2}
  contraction_rate: {ratio: contraction_mrr / opening_mrr}
  mrr_before: {offset: {of: mrr, by: 12 months}}
  sessions_to_date: {cumulative: {of: sessions, to_date: fiscal_year}}
  shrinking: {per_entity: {entity: account, where: contraction_mrr > 0}}
  mrr_per_session: {ratio: mrr / sessions}
  mrr_share: {share: {of: mrr}}
",
    );
    for (name, value_type, unit, additivity, is_movement) in [
        ("mrr", ValueType::Decimal, Some("currency/month"), Additivity::SemiAdditive, false),
        ("sessions", ValueType::Int, Some("sessions"), Additivity::Additive, false),
        ("opening_mrr", ValueType::Decimal, Some("currency/month"), Additivity::Movement, true),
        ("closing_mrr", ValueType::Decimal, Some("currency/month"), Additivity::Movement, true),
        ("contraction_rate", ValueType::Decimal, None, Additivity::Not, true),
        ("mrr_before", ValueType::Decimal, Some("currency/month"), Additivity::SemiAdditive, false),
        ("sessions_to_date", ValueType::Int, Some("sessions"), Additivity::SemiAdditive, false),
        ("shrinking", ValueType::Int, Some("count"), Additivity::Not, true),
        ("mrr_share", ValueType::Decimal, None, Additivity::Not, false),
    ] {
        let metric = metric(&model, name);
        let found = (metric.value_type, metric.unit.as_deref(), metric.additivity, metric.is_movement);
        assert_eq!(found, (value_type, unit, additivity, is_movement), "{name}");
    }
    let both = metric(&model, "mrr_per_session");
    let facts: Vec<&str> = both.facts.iter().map(|fact| model.entity(*fact).name.as_str()).collect();
    assert_eq!((facts, both.inputs.len()), (vec!["component_value", "usage"], 2));
    assert_eq!(metric(&model, "sessions").formula, "sum(sessions) of usage where account.size_band = 'large'");
    assert_eq!(metric(&model, "contraction_mrr").formula, "amount of contraction in component_value.mrr when owner_closing > 0");
}

#[test]
fn a_view_holds_what_fits_and_says_how_it_is_reached() {
    let model = model_with(
        "metrics:
  mrr: {measure: component_value.mrr}
  sessions: {measure: usage.sessions}
  opening_mrr: {movement: {of: component_value.mrr, take: opening}}
---
view: retention
metrics: [mrr, \"*\"]
dimensions:
  - account.*
  - {path: account.parent, name: parent}
  - {path: account.parent.segment, name: parent_segment}
  - {path: stakeholder.role, overlapping: true}
---
view: contracts
metrics: [mrr]
dimensions: [contract.auto_renew, {path: contract.billed.segment, name: billed_segment}, {path: contract.account, name: customer}, product_of_fact]
"
        .replace(", product_of_fact", ", component_value.product")
        .as_str(),
    );
    let view = model.view(model.view_named("retention").expect("defined"));
    let metrics: Vec<&str> = view.metrics.iter().map(|id| model.metric(*id).name.as_str()).collect();
    assert_eq!(metrics, ["mrr", "opening_mrr", "sessions"]);
    let names: Vec<&str> = view.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    assert_eq!(names, ["account", "name", "size", "segment", "size_band", "parent", "parent_segment", "role"]);
    assert_eq!(view.movement_grains, ["account", "component", "product"]);

    let fact = model.entity_named("component_value").expect("defined");
    let reach = |dimension: &str| {
        let dimension = &view.dimensions[view.dimension_named(dimension).expect("in the view").index()];
        let reach = model.reach(fact, dimension).expect("fits");
        (reach.path.iter().map(|hop| model.relationship(*hop).name.as_str()).collect::<Vec<_>>().join("."), reach.fan)
    };
    assert_eq!(reach("segment"), ("contract.account".to_owned(), Fan::None));
    assert_eq!(reach("parent_segment"), ("contract.account.parent".to_owned(), Fan::None));
    assert_eq!(reach("role"), ("contract.account.stakeholders".to_owned(), Fan::Overlapping));
    let stakeholder = model.entity_named("stakeholder").expect("defined");
    assert!(model.path_between(fact, stakeholder).is_none(), "a way that multiplies rows is not a safe path");

    let view = model.view(model.view_named("contracts").expect("defined"));
    let billed = &view.dimensions[view.dimension_named("billed_segment").expect("in the view").index()];
    assert_eq!(billed.via, ["contract", "billed"]);
    let path = &model.reach(fact, billed).expect("fits").path;
    assert_eq!(model.relationship(path[1]).name, "billed");
    assert!(!model.is_valid(model.metric_named("sessions").expect("defined"), billed));
}

#[test]
fn a_path_may_begin_with_a_relationship_and_a_weighted_bridge_does_not_overlap() {
    let model = model_with(
        "entity: region
source: region
key: region_id
dimensions: {country: string}
---
entity: share
source: share
key: [contract_id, region_id]
---
entity: invoice
source: invoice
key: invoice_id
relationships:
  deal: {to: contract, key: contract_id}
  payer: {to: account, key: payer_id}
  buyer: {to: account, key: buyer_id}
  regions: {to: region, key: invoice_id, through: {entity: share, key: contract_id, other_key: region_id, weight: part}}
measures: {invoices: {count: rows}}
---
metrics: {invoices: {measure: invoice.invoices}}
---
view: invoices
metrics: [invoices]
dimensions: [payer, {path: buyer.segment, name: buyer_segment}, {path: deal.billed.name, name: billed_name}, region.country]
",
    );
    let view = &model.views[0];
    let fact = model.entity_named("invoice").expect("defined");
    let ways: Vec<_> = view
        .dimensions
        .iter()
        .map(|dimension| {
            let reach = model.reach(fact, dimension).expect("fits");
            let names: Vec<_> = reach.path.iter().map(|hop| model.relationship(*hop).name.as_str()).collect();
            (dimension.name.as_str(), names.join("."), reach.fan)
        })
        .collect();
    let expected = [
        ("payer", "payer", Fan::None),
        ("buyer_segment", "buyer", Fan::None),
        ("billed_name", "deal.billed", Fan::None),
        ("country", "regions", Fan::Weighted),
    ];
    assert_eq!(ways, expected.map(|(name, path, fan)| (name, path.to_owned(), fan)));
}

#[test]
fn segments_rules_and_policies_know_what_they_speak_of() {
    let model = model_with(
        "metrics: {sessions: {measure: usage.sessions}}
---
segments: {big: {entity: contract, where: \"account.size > 1000 and auto_renew\"}}
---
rules: {quiet: {per: account, when: 10 > sessions, for: 2, unknown: fires, severity: critical, play: [call]}}
---
policies: {csm: {applies_to: account, roles: [csm], rows: \"segment in claims.segments or parent.segment = 'smb'\", mask: [account.name]}}
",
    );
    assert_eq!((model.segments.len(), model.policies[0].mask.len()), (1, 1));
    let rule = &model.rules[0];
    assert_eq!((rule.operator, rule.threshold.as_str(), rule.persistence), (crate::query::Comparator::Less, "10", 2));
}

#[test]
fn policies_about_metrics_list_what_there_is() {
    let model = model_with(
        "metrics: {a: {measure: usage.sessions}, b: {expr: a + 1}, c: {expr: a + 2}}
---
rules: {much: {per: account, when: c > 9}, little: {per: account, when: c < 9}}
---
policies: {few: {roles: guest, metrics: [c, a], rules: much}, none: {roles: [stranger], metrics: []}, mine: {applies_to: account, hide: [size, size_band]}}
",
    );
    let found = model.metric_policies.iter().map(|policy| {
        let metrics: Vec<&str> = policy.metrics.iter().map(|id| model.metric(*id).name.as_str()).collect();
        (policy.name.as_str(), policy.roles.join(" "), metrics)
    });
    let expected = [("few", "guest".to_owned(), vec!["a", "c"]), ("none", "stranger".to_owned(), vec![])];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert_eq!(model.policies.len(), 1);
    let rules: Vec<_> = model.metric_policies.iter().map(|policy| policy.rules.clone()).collect();
    assert_eq!(rules, [Some(["much".to_owned()].into()), None]);
}

#[test]
fn the_same_files_have_the_same_fingerprint() {
    let fingerprint = |documents: &str| resolve(documents).0.expect("fine").fingerprint;
    assert_eq!(fingerprint(BASE), fingerprint(BASE));
    assert_ne!(fingerprint(BASE), fingerprint(&BASE.replace("crm.contract", "crm.contracts")));
    assert_eq!(fingerprint(BASE).len(), 64);
}
