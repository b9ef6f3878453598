//! `holdfast describe`

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use holdfast_schema::{
    model::{
        Metric, Model, View,
        entity::Entity,
        metric::{Additivity, Direction},
    },
    suggest,
};
use serde_json::{Value, json};

use super::{
    Failure, Outcome, Settings, say,
    settings::{Common, Global},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Name of a metric, a view or an entity; everything when left out.
    name: Option<String>,
    #[command(flatten)]
    common: Common,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people on a terminal.
    Human,
    /// A page of documentation.
    Markdown,
    /// For scripts.
    Json,
}

/// Describes what the definitions define.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let Some(model) = settings.model(&settings.origin())? else {
        return Ok(Outcome::Wrong);
    };
    let text = match &arguments.name {
        None => everything(&model, arguments.format),
        Some(name) => one(&model, name, arguments.format)?,
    };
    say(&text)?;
    Ok(Outcome::Well)
}

fn one(model: &Model, name: &str, format: Format) -> Result<String, Failure> {
    let described = if let Some(id) = model.metric_named(name) {
        metric(model, model.metric(id))
    } else if let Some(id) = model.view_named(name) {
        view(model, model.view(id))
    } else if let Some(id) = model.entity_named(name) {
        entity(model, model.entity(id))
    } else {
        let known = names(model);
        let nearest = suggest::nearest(name, known.iter().map(String::as_str));
        let advice = nearest.first().map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
        return Err(Failure::usage(format!("there is no metric, view or entity `{name}`{advice}")));
    };
    Ok(write(&described, format, 1))
}

fn names(model: &Model) -> Vec<String> {
    let metrics = model.metrics.iter().map(|metric| metric.name.clone());
    let views = model.views.iter().map(|view| view.name.clone());
    metrics.chain(views).chain(model.entities.iter().map(|entity| entity.name.clone())).collect()
}

fn everything(model: &Model, format: Format) -> String {
    let metrics: Vec<Described> = model.metrics.iter().map(|item| metric(model, item)).collect();
    let views: Vec<Described> = model.views.iter().map(|item| view(model, item)).collect();
    let entities: Vec<Described> = model.entities.iter().map(|item| entity(model, item)).collect();
    match format {
        Format::Json => {
            let list = |items: &[Described]| Value::Array(items.iter().map(Described::json).collect());
            let all = json!({
                "project": model.project.name,
                "fingerprint": model.fingerprint,
                "views": list(&views),
                "metrics": list(&metrics),
                "entities": list(&entities),
            });
            format!("{all:#}")
        }
        Format::Human => {
            let width = names(model).iter().map(String::len).max().unwrap_or_default();
            let list = |title: &str, items: &[Described]| {
                let lines: Vec<String> = items.iter().map(|item| format!("  {:width$}  {}", item.name, item.summary())).collect();
                format!("{title}\n{}\n", lines.join("\n"))
            };
            [list("views", &views), list("metrics", &metrics), list("entities", &entities)].join("\n")
        }
        Format::Markdown => {
            let list = |title: &str, items: &[Described]| {
                let parts: Vec<String> = items.iter().map(|item| write(item, Format::Markdown, 3)).collect();
                format!("## {title}\n\n{}", parts.join("\n"))
            };
            let parts = [list("Views", &views), list("Metrics", &metrics), list("Entities", &entities)];
            format!("# {}\n\n{}", model.project.name, parts.join("\n"))
        }
    }
}

/// Something with a name and facts about it.
struct Described {
    kind: &'static str,
    name: String,
    label: String,
    description: Option<String>,
    facts: Vec<(&'static str, Fact)>,
}

enum Fact {
    Text(String),
    List(Vec<String>),
}

impl Described {
    fn summary(&self) -> String {
        self.description.clone().unwrap_or_else(|| self.label.clone())
    }

    fn json(&self) -> Value {
        let mut out = json!({ "kind": self.kind, "name": self.name, "label": self.label, "description": self.description });
        for (key, fact) in &self.facts {
            let key = key.replace(' ', "_");
            out[key] = match fact {
                Fact::Text(text) => json!(text),
                Fact::List(items) => json!(items),
            };
        }
        out
    }
}

fn write(item: &Described, format: Format, level: usize) -> String {
    let fact = |fact: &Fact, code: bool| match fact {
        Fact::Text(text) if code => format!("`{text}`"),
        Fact::Text(text) => text.clone(),
        Fact::List(items) if code => items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", "),
        Fact::List(items) => items.join(", "),
    };
    match format {
        Format::Json => format!("{:#}", item.json()),
        Format::Human => {
            let mut out = format!("{} {}: {}\n", item.kind, item.name, item.label);
            out.extend(item.description.iter().map(|text| format!("  {text}\n")));
            for (key, value) in &item.facts {
                out.push_str(&format!("  {key:16} {}\n", fact(value, false)));
            }
            out
        }
        Format::Markdown => {
            let mut out = format!("{} {} (`{}`)\n\n", "#".repeat(level), item.label, item.name);
            out.extend(item.description.iter().map(|text| format!("{text}\n\n")));
            for (key, value) in &item.facts {
                let is_code = matches!(
                    *key,
                    "formula"
                        | "computed from"
                        | "views"
                        | "metrics"
                        | "dimensions"
                        | "measures"
                        | "relationships"
                        | "key"
                        | "facts"
                );
                out.push_str(&format!("- {key}: {}\n", fact(value, is_code)));
            }
            out
        }
    }
}

fn optional(facts: &mut Vec<(&'static str, Fact)>, key: &'static str, text: Option<&String>) {
    facts.extend(text.map(|text| (key, Fact::Text(text.clone()))));
}

fn list(facts: &mut Vec<(&'static str, Fact)>, key: &'static str, items: Vec<String>) {
    if !items.is_empty() {
        facts.push((key, Fact::List(items)));
    }
}

fn metric(model: &Model, metric: &Metric) -> Described {
    let mut facts =
        vec![("formula", Fact::Text(metric.formula.clone())), ("type", Fact::Text(metric.value_type.name().to_owned()))];
    optional(&mut facts, "unit", metric.unit.as_ref());
    optional(&mut facts, "format", metric.format.as_ref());
    facts.push(("direction", Fact::Text(direction(metric.direction).to_owned())));
    facts.push(("adds up", Fact::Text(additivity(metric.additivity).to_owned())));
    let empty = if metric.empty_is_zero { "zero" } else { "null" };
    facts.push(("without rows", Fact::Text(empty.to_owned())));
    optional(&mut facts, "owner", metric.owner.as_ref());
    facts.push(("version", Fact::Text(metric.version.to_string())));
    optional(&mut facts, "deprecated", metric.deprecated.as_ref());
    optional(&mut facts, "source", metric.source.as_ref());
    list(&mut facts, "tags", metric.tags.clone());
    list(&mut facts, "facts", metric.facts.iter().map(|id| model.entity(*id).name.clone()).collect());
    list(&mut facts, "computed from", metric.inputs.iter().map(|id| model.metric(*id).name.clone()).collect());
    let id = model.metric_named(&metric.name);
    let views: Vec<&View> = model.views.iter().filter(|view| id.is_some_and(|id| view.metrics.contains(&id))).collect();
    list(&mut facts, "views", views.iter().map(|view| view.name.clone()).collect());
    let dimensions: BTreeSet<String> =
        views.iter().flat_map(|view| &view.dimensions).map(|dimension| dimension.name.clone()).collect();
    list(&mut facts, "dimensions", dimensions.into_iter().collect());
    let tests = model.tests.iter().filter(|(beside, _)| id.is_some() && *beside == id).count();
    facts.push(("tests beside it", Fact::Text(tests.to_string())));
    Described {
        kind: "metric",
        name: metric.name.clone(),
        label: metric.label.clone(),
        description: metric.description.clone(),
        facts,
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::HigherIsBetter => "higher is better",
        Direction::LowerIsBetter => "lower is better",
        Direction::Neutral => "neutral",
    }
}

fn additivity(additivity: Additivity) -> &'static str {
    match additivity {
        Additivity::Additive => "over everything",
        Additivity::Movement => "over members at one movement grain",
        Additivity::SemiAdditive => "over everything but time",
        Additivity::Not => "never; it is computed anew",
    }
}

fn view(model: &Model, view: &View) -> Described {
    let mut facts = Vec::new();
    list(&mut facts, "metrics", view.metrics.iter().map(|id| model.metric(*id).name.clone()).collect());
    list(&mut facts, "dimensions", view.dimensions.iter().map(|dimension| dimension.name.clone()).collect());
    list(&mut facts, "movement grains", view.movement_grains.clone());
    Described { kind: "view", name: view.name.clone(), label: view.label.clone(), description: view.description.clone(), facts }
}

fn entity(model: &Model, entity: &Entity) -> Described {
    let mut facts = Vec::new();
    list(&mut facts, "key", entity.key.iter().map(|index| entity.dimensions[index.index()].name.clone()).collect());
    optional(&mut facts, "owner", entity.owner.as_ref());
    let shown = entity.dimensions.iter().filter(|dimension| !dimension.hidden);
    list(&mut facts, "dimensions", shown.map(|dimension| format!("{}: {}", dimension.name, dimension.value_type.name())).collect());
    let relationships = entity.relationships.iter();
    list(&mut facts, "relationships", relationships.map(|r| format!("{}: {}", r.name, model.entity(r.to).name)).collect());
    list(&mut facts, "measures", entity.measures.iter().map(|measure| measure.name.clone()).collect());
    Described {
        kind: "entity",
        name: entity.name.clone(),
        label: entity.label.clone(),
        description: entity.description.clone(),
        facts,
    }
}
