//! The guide to the language says what is so: its examples are read, its keys and codes are all of them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use holdfast_schema::{
    definition::{self, Definitions, Text, metric::MetricKind},
    diagnostic::{Diagnostics, render},
    expr,
    source::SourceMap,
};

const GUIDE: &str = include_str!("../../README.md");

/// The fenced examples of the guide.
fn examples() -> impl Iterator<Item = &'static str> {
    GUIDE.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap())
}

/// Every expression of some definitions.
fn expressions(definitions: &Definitions) -> Vec<&Text> {
    let mut found: Vec<&Text> = Vec::new();
    for entity in &definitions.entities {
        for (_, dimension) in &entity.dimensions {
            found.extend(&dimension.expr);
            found.extend(dimension.bands.as_ref().map(|bands| &bands.of));
        }
        for (_, measure) in &entity.measures {
            found.push(&measure.expr);
            found.extend(&measure.filter);
        }
    }
    for (_, metric) in &definitions.metrics {
        found.extend(&metric.filter);
        match &metric.kind {
            MetricKind::Measure(text) | MetricKind::Ratio(text) | MetricKind::Expr(text) => found.push(text),
            MetricKind::Movement(movement) => found.extend(movement.when.iter().chain(&movement.take)),
            MetricKind::Cohort(cohort) => found.extend(&cohort.when),
            MetricKind::PerEntity(per_entity) => found.extend(per_entity.of.iter().chain(&per_entity.condition)),
            MetricKind::Cumulative(_)
            | MetricKind::Offset(_)
            | MetricKind::Share(_)
            | MetricKind::Score(_)
            | MetricKind::Series(_)
            | MetricKind::Peers(_)
            | MetricKind::Unread => {}
        }
    }
    found.extend(definitions.segments.iter().map(|(_, segment)| &segment.filter));
    found.extend(definitions.rules.iter().map(|(_, rule)| &rule.when));
    found.extend(definitions.policies.iter().filter_map(|(_, policy)| policy.rows.as_ref()));
    found
}

#[test]
fn every_example_of_the_guide_can_be_read() {
    for (index, example) in examples().enumerate() {
        let sources = SourceMap::new([(format!("example-{index}.yaml"), example.to_owned())]);
        let mut diagnostics = Diagnostics::default();
        let definitions = definition::parse(&sources, &mut diagnostics);
        for text in expressions(&definitions) {
            expr::parse(text, &mut diagnostics);
        }
        assert!(diagnostics.is_empty(), "{}", render::human(&sources, &diagnostics, false));
    }
}

#[test]
fn every_key_stands_in_the_guide() {
    let schema = definition::json_schema();
    for (name, mapping) in schema["$defs"].as_object().unwrap() {
        for key in mapping["properties"].as_object().unwrap().keys() {
            assert!(GUIDE.contains(&format!("`{key}`")), "the guide does not explain `{key}` of {name}");
        }
    }
}

#[test]
fn every_key_is_used_in_an_example() {
    let all = examples().collect::<String>();
    let schema = definition::json_schema();
    for (name, mapping) in schema["$defs"].as_object().unwrap() {
        for key in mapping["properties"].as_object().unwrap().keys() {
            assert!(all.contains(&format!("{key}:")), "no example uses `{key}` of {name}");
        }
    }
}

fn sources_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_code_is_explained() {
    let mut files = Vec::new();
    sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let is_code = |text: &str| {
        text.len() == 4 && text.starts_with(['S', 'D', 'E', 'M']) && text[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        codes.extend(text.split('"').filter(|piece| is_code(piece)).map(str::to_owned));
    }
    let missing: Vec<_> = codes.iter().filter(|code| !GUIDE.contains(&format!("\n| {code} | "))).collect();
    assert!(missing.is_empty(), "add to the table in schema/README.md: {missing:?}");
}
