//! Scores and parameters: what they mean in a model, what they are made of, and which mistakes are told.

use std::sync::Arc;

use holdfast_schema::{
    load,
    model::{
        MetricKind, Model,
        score::{Scaling, Score},
    },
    plan::{explain, plan},
    query::{MetricQuery, MetricSelection, bind},
    source::SourceMap,
};

use crate::questions::{nobody, question};

const BASE: &str = "project: test
---
entity: account
source: account
key: account_id
dimensions: {name: string}
---
entity: use
source: use
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
dimensions:
  amount: decimal
  size: {bands: {of: amount, edges: [{below: parameters.small, name: small}, {name: large}]}}
relationships: {account: {to: account, key: account_id}}
measures:
  x: {sum: amount, over_time: last, where: amount > parameters.small}
  y: {sum: amount, over_time: last}
---
parameters: {small: {value: 10, description: What is small.}, weight: 0.5}
---
view: v
metrics: '*'
dimensions: [account]
---
metrics:
  x: {measure: use.x}
  y: {measure: use.y}
  is_low: {expr: x < parameters.small}
";

fn loaded(more: &str) -> (Option<Arc<Model>>, Vec<String>) {
    let documents = format!("{BASE}{more}");
    let files = documents.split("---\n").enumerate().map(|(n, text)| (format!("{n:02}.yaml"), text.to_owned()));
    let (model, diagnostics) = load(SourceMap::new(files));
    let found = diagnostics.sorted().into_iter().map(|item| format!("{}: {}", item.code, item.message)).collect();
    (model, found)
}

fn model_with(more: &str) -> Arc<Model> {
    let (model, found) = loaded(more);
    model.unwrap_or_else(|| panic!("{found:#?}"))
}

fn score<'m>(model: &'m Model, name: &str) -> &'m Score {
    match &model.metric(model.metric_named(name).expect("it is defined")).kind {
        MetricKind::Score(score) => score,
        other => panic!("not a score: {other:?}"),
    }
}

#[test]
fn an_input_is_scaled_as_its_type_asks_for() {
    let model = model_with(
        "  s:\n    score:\n      inputs:\n        is_low: {}\n        more: {of: y, weight: parameters.weight, from: 100, to: 0}\n      scale: 10\n",
    );
    let score = score(&model, "s");
    assert_eq!((score.min_coverage.as_str(), score.scale.as_str()), ("0.5", "10"));
    assert_eq!((score.inputs[0].weight.as_str(), &score.inputs[0].scaling), ("1", &Scaling::Truth));
    let line = Scaling::Linear { from: "100".to_owned(), to: "0".to_owned() };
    assert_eq!((score.inputs[1].weight.as_str(), &score.inputs[1].scaling), ("0.5", &line));
}

#[test]
fn what_several_inputs_are_made_of_is_read_once() {
    let model = model_with(
        "  s: {score: {inputs: {is_low: {}, x: {to: 9}, y: {}}}}\n  c: {score: {of: s, take: coverage}}\n  d: {score: {of: s, take: top_driver}}\n",
    );
    let query = MetricQuery { metrics: ["s", "c", "d"].map(MetricSelection::of).to_vec(), ..question("v", &["s"], &["month"]) };
    let bound = bind(&model, &query, &nobody()).expect("it can be asked");
    let planned = plan(&model, &bound).expect("it can be planned");
    assert_eq!(planned.leaves.len(), 1, "{}", explain::text(&model, &planned));
}

#[test]
fn a_parameter_is_a_number_wherever_it_stands_and_the_override_holds() {
    let formula = |more: &str| {
        let model = model_with(more);
        let metric = model.metric(model.metric_named("is_low").expect("it is defined"));
        format!("{:?}", metric.kind)
    };
    assert!(formula("").contains("Int(10)"));
    assert!(formula("---\nparameters: {small: {value: 7.5, overrides: true}}\n").contains("Decimal(\"7.5\")"));
}

#[test]
fn rules_compare_with_parameters_or_are_true_by_themselves() {
    let model = model_with("---\nrules: {a: {per: account, when: y >= parameters.small}, b: {per: account, when: is_low}}\n");
    let found: Vec<(&str, &str)> = model.rules.iter().map(|rule| (rule.name.as_str(), rule.threshold.as_str())).collect();
    assert_eq!(found, [("a", "10"), ("b", "1")]);
}

#[test]
fn every_mistake_has_its_message() {
    for (more, expected) in [
        ("  m: {expr: x + parameters.smal}\n", &["M019: unknown parameter `smal`"][..]),
        ("---\nparameters: {small: 3}\n", &["M002: parameter `small` is defined twice"]),
        ("---\nparameters: {smal: {value: 3, overrides: true}}\n", &["M019: unknown parameter `smal`"]),
        ("---\nparameters: {Other: 3}\n", &["M004: parameter name `Other` is not in snake_case"]),
        ("---\nparameters: {other: ten}\n", &["D005: a parameter is a number such as 60 or 0.70, not `ten`"]),
        ("  s: {score: {inputs: {}}}\n", &["M062: a score without inputs"]),
        ("  s: {score: {inputs: {x: {weight: 0}}}}\n", &["M062: `0` cannot be used here"]),
        ("  s: {score: {inputs: {x: {weight: -1}}}}\n", &["M062: `-1` cannot be used here"]),
        ("  s: {score: {inputs: {x: {}}, min_coverage: 1.5}}\n", &["M062: `1.5` cannot be used here"]),
        ("  s: {score: {inputs: {x: {from: 1}}}}\n", &["M062: `X` begins and ends at 1"]),
        ("  s: {score: {inputs: {is_low: {to: 2}}}}\n", &["M062: `is_low` is true or false, so it has no `from` and `to`"]),
        ("  s: {score: {inputs: {z: {}}}}\n", &["M013: unknown metric `z`"]),
        ("  s: {score: {of: x, take: coverage}}\n", &["M062: `x` is not a score"]),
        ("  s: {score: {of: x}}\n", &["D002: this score does not say what it takes"]),
        ("  s: {score: {inputs: {x: {}}, of: x}}\n", &["D006: `inputs` and `of` cannot both say what it is made of"]),
        ("  s: {score: {inputs: {x: {}}, take: coverage}}\n", &["D006: a score that has `inputs` has no `take`"]),
        ("  s: {score: {inputs: {s: {}}}}\n", &["M040: metric `s` is made of itself"]),
        (
            "  t: {expr: \"case when x > 1 then 'a' end\"}\n  s: {score: {inputs: {t: {}}}}\n",
            &["M062: `t` is text; an input of a score is a number, or true or false"],
        ),
        ("---\nrules: {r: {per: account, when: x}}\n", &["M060: `x` is not true or false, so it needs a comparison"]),
        ("---\nrules: {r: {per: account, when: is_low > 1}}\n", &["M060: `is_low` is not a number"]),
        (
            "---\nrules: {r: {per: account, when: x > 1, at: as_of, for: 2}}\n",
            &["M060: a rule about a day does not hold for several periods"],
        ),
    ] {
        let (model, found) = loaded(more);
        assert_eq!(found, expected, "{more}");
        assert!(model.is_none(), "{more}");
    }
}
