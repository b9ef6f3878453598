use super::*;
use crate::definition::{Text, entity::Source, metric::MetricKind};

fn read(text: &str) -> (Definitions, Vec<(String, String)>) {
    let sources = SourceMap::new([("a.yaml".to_owned(), text.to_owned())]);
    let mut diagnostics = Diagnostics::default();
    let definitions = parse(&sources, &mut diagnostics);
    let found = diagnostics.sorted().into_iter().map(|item| {
        let place = item.primary.as_ref().map(|label| sources.text(label.span).to_owned()).unwrap_or_default();
        (item.code.to_owned(), place)
    });
    let found = found.collect();
    (definitions, found)
}

fn good(text: &str) -> Definitions {
    let (definitions, found) = read(text);
    assert_eq!(found, [], "{text}");
    definitions
}

fn codes(text: &str) -> Vec<(String, String)> {
    read(text).1
}

fn pair(code: &str, place: &str) -> (String, String) {
    (code.to_owned(), place.to_owned())
}

fn values(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.value.as_str()).collect()
}

#[test]
fn an_entity_with_everything() {
    let definitions = good(
        "
entity: component_value
label: Component value
source: warehouse.component_value_month
key: [component_id, month]
valid: {from: valid_from, to: valid_to, recorded: recorded_at}
display: name
freshness: {ttl: 5m, refresh: recorded_at}
dimensions:
  name: string
  hidden_one: {type: int, hidden: true, unit: seats}
  size: {bands: {of: mrr, edges: [{below: 10000, name: smb}, {up_to: 50000, name: mid}, {name: enterprise}]}}
time: {month: {type: date, grain: month, snapshot: end_of_period}}
relationships:
  component: {to: value_component, key: component_id}
  geographies: {to: geography, through: {entity: allocation, key: component_id, other_key: geography_id, weight: share}}
measures:
  mrr: {sum: mrr, unit: currency/month, over_time: last, where: mrr > 0}
  rows: {count: rows}
movements: {owner: account, grains: {account: [account], component: [account, component]}}
",
    );
    let entity = &definitions.entities[0];
    assert!(matches!(&entity.source, Source::Table(text) if text.value == "warehouse.component_value_month"));
    assert_eq!(values(&entity.key), ["component_id", "month"]);
    assert_eq!(entity.dimensions[0].1.value_type.as_ref().map(|text| text.value.as_str()), Some("string"));
    assert_eq!(entity.dimensions[1].1.hidden.as_ref().map(|flag| flag.value), Some(true));
    assert_eq!(entity.dimensions[2].1.bands.as_ref().map(|bands| bands.edges.len()), Some(3));
    assert_eq!(entity.measures[0].1.aggregate.value, "sum");
    assert_eq!(entity.measures[1].1.expr.value, "rows");
    assert_eq!(entity.movements.as_ref().map(|movements| movements.grains.len()), Some(2));
}

#[test]
fn every_kind_of_metric() {
    let definitions = good(
        "
metrics:
  mrr: {measure: component_value.mrr}
  rate: {ratio: contraction / opening, format: percent(1)}
  closing: {expr: opening + expansion - contraction}
  ttm: {cumulative: {of: bookings, window: 12 months}}
  ytd: {cumulative: {of: bookings, to_date: year}}
  last_year: {offset: {of: mrr, by: 12 months}}
  contraction: {movement: {of: component_value.mrr, is: contraction}}
  losers: {per_entity: {entity: account, where: contraction > 0}}
  part: {share: {of: mrr, as: difference}}
  trend: {series: {of: mrr, grain: month, window: 6 months, take: slope, at_least: 4}}
  rank: {peers: {of: mrr, entity: account, group: [segment], take: percentile, at_least: parameters.few}}
",
    );
    let names: Vec<_> = definitions
        .metrics
        .iter()
        .map(|(_, metric)| match &metric.kind {
            MetricKind::Measure(_) => "measure",
            MetricKind::Ratio(_) => "ratio",
            MetricKind::Expr(_) => "expr",
            MetricKind::Cumulative(_) => "cumulative",
            MetricKind::Offset(_) => "offset",
            MetricKind::Movement(_) => "movement",
            MetricKind::PerEntity(_) => "per_entity",
            MetricKind::Share(_) => "share",
            MetricKind::Score(_) => "score",
            MetricKind::Series(_) => "series",
            MetricKind::Cohort(_) => "cohort",
            MetricKind::Peers(_) => "peers",
            MetricKind::Unread => "unread",
        })
        .collect();
    assert_eq!(
        names,
        ["measure", "ratio", "expr", "cumulative", "cumulative", "offset", "movement", "per_entity", "share", "series", "peers"]
    );
}

#[test]
fn one_value_stands_for_a_list_of_one() {
    let definitions = good("rules:\n  low:\n    per: account\n    when: usage < 0.70\n    for: 2\n    play: call\n");
    assert_eq!(values(&definitions.rules[0].1.plays), ["call"]);
    let definitions = good("tests:\n  given: rows\n  ask: {metrics: mrr, by: segment}\n  expect: {mrr: 1}\n");
    assert_eq!(definitions.tests[0].expect.len(), 1);
    assert_eq!(values(&definitions.tests[0].ask.by), ["segment"]);
}

#[test]
fn literals_keep_quotes_and_null_apart() {
    let definitions =
        good("fixtures:\n  f:\n    tables:\n      warehouse.account:\n        - {id: 1, name: '1', gone: null, empty: ''}\n");
    let row: Vec<_> =
        definitions.fixtures[0].1.tables[0].1[0].iter().map(|(_, literal)| (literal.text.as_deref(), literal.quoted)).collect();
    assert_eq!(row, [(Some("1"), false), (Some("1"), true), (None, false), (Some(""), true)]);
}

#[test]
fn several_documents_and_subjects_in_one_file() {
    let definitions = good(
        "project: demo\n---\nview: v\nmetrics: mrr\ndimensions: [account.*, {path: account.segment, name: size}]\n---\nmetrics:\n  mrr: {measure: a.b}\nsegments:\n  big: {entity: account, where: mrr > 1}\n",
    );
    assert_eq!((definitions.projects.len(), definitions.views.len()), (1, 1));
    assert_eq!((definitions.metrics.len(), definitions.segments.len()), (1, 1));
    assert_eq!(definitions.views[0].dimensions.len(), 2);
}

#[test]
fn a_multi_line_expression_keeps_its_characters() {
    let text = "metrics:\n  a:\n    expr: |\n      x\n        + y\n  b:\n    expr:\n      x\n      + z\n";
    let (definitions, found) = read(text);
    assert_eq!(found, []);
    for (_, metric) in &definitions.metrics {
        let MetricKind::Expr(expr) = &metric.kind else { panic!("an expression") };
        assert_eq!(&text[expr.span.start as usize..expr.span.end as usize], expr.value);
    }
}

#[test]
fn every_mistake_of_a_mapping_is_reported() {
    assert_eq!(
        codes(
            "
entity: account
sorce: warehouse.account
key: []
dimensions:
  name: [string]
  size: {column: a, expr: b}
  flag: {hidden: maybe}
relationships:
  parent: {too: account, key: parent_id}
measures:
  both: {sum: a, avg: b}
  none: {unit: seats}
  late: {sum: }
"
        ),
        [
            pair("D001", "sorce"),
            pair("D004", "key"),
            pair("D003", "[string]"),
            pair("D006", "expr"),
            pair("D005", "maybe"),
            pair("D001", "too"),
            pair("D006", "avg"),
            pair("D007", "none"),
            pair("D004", "sum"),
        ]
    );
}

#[test]
fn an_empty_group_may_show_null() {
    let definitions = good("metrics:\n  a: {measure: b.c, empty: null}\n");
    assert_eq!(definitions.metrics[0].1.empty.as_ref().map(|text| text.value.as_str()), Some("null"));
}

#[test]
fn text_cut_by_a_comma_in_brackets_is_explained() {
    let (_, found) = read("metrics:\n  a: {measure: b.c, description: One, two and three.}\n");
    assert_eq!(found, [pair("D001", "two and three.")]);
}

#[test]
fn a_mistyped_key_is_not_a_missing_one_too() {
    assert_eq!(codes("metrics:\n  a: {mesure: b.c}\n"), [pair("D001", "mesure")]);
    assert_eq!(codes("metrics:\n  a: {zzz: b.c}\n"), [pair("D007", "a"), pair("D001", "zzz")]);
}

#[test]
fn a_metric_has_exactly_one_kind() {
    assert_eq!(codes("metrics:\n  a: {label: A}\n"), [pair("D007", "a")]);
    assert_eq!(codes("metrics:\n  a: {measure: x.y, ratio: b / c}\n"), [pair("D006", "ratio")]);
    assert_eq!(codes("metrics:\n  a: {cumulative: {of: b, window: 1 month, to_date: year}}\n"), [pair("D006", "to_date")]);
    assert_eq!(codes("metrics:\n  a: {version: two, measure: x.y}\n"), [pair("D005", "two")]);
}

#[test]
fn bands_end_openly() {
    let bands = |edges: &str| {
        codes(&format!("entity: a\nsource: t\nkey: id\ndimensions:\n  size: {{bands: {{of: x, edges: [{edges}]}}}}\n"))
    };
    assert_eq!(bands("{below: 1, name: a}, {up_to: 2, name: b}"), [pair("D009", "up_to")]);
    assert_eq!(bands("{name: a}, {name: b}"), [pair("D007", "name")]);
    assert_eq!(bands("{below: many, name: a}, {name: b}"), [pair("D005", "many")]);
}

#[test]
fn a_document_needs_a_subject() {
    assert_eq!(codes("metric:\n  a: {measure: b.c}\n"), [pair("D008", "metric")]);
    assert_eq!(codes("source: t\nentitty: a\nkey: id\n"), [pair("D008", "entitty")]);
    assert_eq!(codes("metrics: {}\nsource: t\n"), [pair("D008", "source")]);
    assert_eq!(codes("- a\n- b\n"), [pair("D003", "- a\n- b")]);
}

#[test]
fn what_is_left_out_is_remembered() {
    let (definitions, _) = read("segments:\n  a: {label: A}\n---\nentity: b\n---\nview: c\ndimensions: [b]\n---\nd: [\n");
    assert_eq!(values(&definitions.incomplete), ["d", "a", "c"]);
    // What could be read of them is looked at all the same.
    assert_eq!((definitions.entities.len(), definitions.views[0].dimensions.len()), (1, 1));
    let (definitions, _) = read("metrics:\n  a: {label: A}\n");
    assert_eq!((definitions.incomplete.len(), &definitions.metrics[0].1.kind), (0, &MetricKind::Unread));
}

#[test]
fn a_broken_file_does_not_hide_the_next() {
    let sources =
        SourceMap::new([("a.yaml".to_owned(), "metrics: [".to_owned()), ("b.yaml".to_owned(), "metrics:\n  m: {}\n".to_owned())]);
    let mut diagnostics = Diagnostics::default();
    parse(&sources, &mut diagnostics);
    assert_eq!(diagnostics.sorted().iter().map(|item| item.code).collect::<Vec<_>>(), ["S001", "D007"]);
}
