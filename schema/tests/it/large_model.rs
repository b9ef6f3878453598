//! A made-up model of a given size, as files: hubs that facts lead to, facts with measures, metrics of every kind, views.

use std::fmt::Write;

/// Files for `facts` facts (besides ten hubs) and ten metrics for each.
pub(crate) fn files(facts: usize) -> Vec<(String, String)> {
    let mut files = vec![("project.yaml".to_owned(), "project: large\ntime_zone: Europe/Berlin\n".to_owned())];
    for hub in 0..HUBS {
        files.push((format!("entities/hub_{hub}.yaml"), hub_entity(hub)));
    }
    for fact in 0..facts {
        files.push((format!("entities/fact_{fact}.yaml"), fact_entity(fact)));
        files.push((format!("metrics/fact_{fact}.yaml"), metrics(fact)));
        if fact % 5 == 0 {
            files.push((format!("views/view_{fact}.yaml"), view(fact)));
        }
    }
    files
}

const HUBS: usize = 10;

/// Hubs form a chain, so that the last is many hops away from every fact.
fn hub_entity(hub: usize) -> String {
    let next = if hub + 1 < HUBS {
        format!("relationships: {{hub_{0}: {{to: hub_{0}, key: hub_{0}_id}}}}\n", hub + 1)
    } else {
        String::new()
    };
    format!(
        "entity: hub_{hub}
source: warehouse.hub_{hub}
key: hub_{hub}_id
dimensions:
  hub_{hub}_name: string
  hub_{hub}_kind: {{values: [small, middle, large]}}
  hub_{hub}_size: {{type: decimal}}
  hub_{hub}_band: {{bands: {{of: hub_{hub}_size, edges: [{{below: 10, name: low}}, {{name: high}}]}}}}
{next}"
    )
}

fn fact_entity(fact: usize) -> String {
    let hub = fact % HUBS;
    format!(
        "entity: fact_{fact}
source: warehouse.fact_{fact}
key: [component_id, month]
time: {{month: {{type: date, grain: month, snapshot: end_of_period}}}}
dimensions:
  product: string
  is_metered: bool
relationships: {{hub_{hub}: {{to: hub_{hub}, key: hub_{hub}_id}}}}
measures:
  balance: {{sum: balance, unit: currency, over_time: last}}
  quantity: {{sum: \"case when is_metered then quantity else 0 end\", unit: pieces}}
  row_count: {{count: rows, where: product is not null}}
movements: {{owner: hub_{hub}, grains: {{owner: [hub_{hub}], product: [hub_{hub}, product]}}}}
"
    )
}

fn metrics(fact: usize) -> String {
    let hub = fact % HUBS;
    let mut out = String::from("metrics:\n");
    let mut add = |name: &str, kind: String| {
        let description = "description: A number of the large model, described in a sentence of usual length.";
        writeln!(out, "  f{fact}_{name}:\n    label: Metric {name}\n    {description}\n    {kind}").unwrap();
    };
    add("balance", format!("measure: fact_{fact}.balance"));
    add("quantity", format!("measure: fact_{fact}.quantity\n    where: hub_{hub}.hub_{hub}_kind = 'small'"));
    add("rows", format!("measure: fact_{fact}.row_count"));
    add("opening", format!("movement: {{of: fact_{fact}.balance, take: opening}}"));
    add("lost", format!("movement: {{of: fact_{fact}.balance, is: [contraction, churn]}}"));
    add("lost_rate", format!("ratio: f{fact}_lost / f{fact}_opening\n    format: percent(1)"));
    add("mean", format!("ratio: f{fact}_balance / f{fact}_rows"));
    add("kept", format!("expr: f{fact}_opening - f{fact}_lost"));
    add("to_date", format!("cumulative: {{of: f{fact}_quantity, to_date: year}}"));
    add("before", format!("offset: {{of: f{fact}_balance, by: 12 months}}"));
    out
}

fn view(fact: usize) -> String {
    let hub = fact % HUBS;
    let near = if hub + 1 < HUBS { format!(", hub_{hub}.hub_{hub}_name") } else { String::new() };
    format!("view: view_{fact}\nmetrics: [f{fact}_balance, f{fact}_lost_rate, \"*\"]\ndimensions: [hub_9.*{near}]\n")
}

#[test]
fn a_thousand_metrics_over_a_hundred_entities_load() {
    let (model, diagnostics) = holdfast_schema::load(holdfast_schema::source::SourceMap::new(files(100)));
    assert!(diagnostics.is_empty(), "{:#?}", diagnostics.sorted());
    let model = model.unwrap();
    assert_eq!((model.entities.len(), model.metrics.len(), model.views.len()), (110, 1000, 20));
    let view = model.view(model.view_named("view_0").unwrap());
    // `"*"` finds the metrics of every fact that leads to hub 0.
    assert_eq!(view.metrics.len(), 100);
}
