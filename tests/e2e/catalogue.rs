//! The catalogue of the shipped definitions: its page and its schema are up to date, no key of the domain is forgotten, and every
//! metric says what it is.

use std::{collections::BTreeSet, fs};

use holdfast_tests::binary::{holdfast, repository};

use crate::cases::SHIPPED;

/// Keys of the domain's catalogue of metrics, one a line.
const KEYS: &str = include_str!("../fixtures/catalogue_keys.txt");

#[test]
fn the_committed_page_is_what_describe_prints() {
    is_committed("metrics-defs/CATALOGUE.md", &["describe", "--format", "markdown"]);
}

/// A change of the definitions shows what it changes for clients: `holdfast sdl --diff metrics-defs/schema.graphql`.
#[test]
fn the_committed_schema_is_what_sdl_prints() {
    is_committed("metrics-defs/schema.graphql", &["sdl"]);
}

#[track_caller]
fn is_committed(file: &str, arguments: &[&str]) {
    let path = repository().join(file);
    let mut command = std::process::Command::new(holdfast());
    command.args(arguments).current_dir(repository());
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("it prints text");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &printed).expect("the file can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(printed.lines()).position(|(left, right)| left != right);
    assert!(
        committed == printed,
        "{file} is out of date from line {}; `UPDATE_GOLDEN=1 cargo test -p holdfast-tests catalogue` writes it anew",
        differs.unwrap_or_else(|| committed.lines().count().min(printed.lines().count())) + 1
    );
}

#[test]
fn every_key_of_the_domain_is_a_metric_or_is_explained() {
    let readme = fs::read_to_string(repository().join("metrics-defs/README.md")).expect("the README of the definitions");
    let table = readme.lines().filter(|line| line.starts_with("| `"));
    let explained: BTreeSet<&str> =
        table.filter_map(|line| line.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let model = SHIPPED.model();
    let mut wrong = Vec::new();
    for key in KEYS.lines() {
        match (model.metric_named(key).is_some(), explained.contains(key)) {
            (true, false) | (false, true) => {}
            (false, false) => wrong.push(format!("`{key}` is neither a metric nor explained in metrics-defs/README.md")),
            (true, true) => wrong.push(format!("`{key}` is a metric, and metrics-defs/README.md says it is not there")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_metric_says_what_it_is_and_can_be_asked() {
    let model = SHIPPED.model();
    let mut wrong = Vec::new();
    for (id, metric) in model.metric_ids() {
        let mut lacks = |what: &str, is_missing: bool| {
            if is_missing {
                wrong.push(format!("`{}` has no {what}", metric.name));
            }
        };
        lacks("description", metric.description.is_none());
        lacks("owner", metric.owner.is_none());
        lacks("source", metric.source.is_none());
        let is_key = KEYS.lines().any(|key| key == metric.name);
        lacks("view", is_key && !model.views.iter().any(|view| view.metrics.contains(&id)));
        lacks("test beside it", is_key && !model.tests.iter().any(|(beside, _)| *beside == Some(id)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
