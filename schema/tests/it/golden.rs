//! Definitions in a folder → the diagnostics people and editors see, kept beside them.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes the expectations anew; read them before committing.

use std::{fs, path::Path};

use holdfast_schema::{
    definition,
    diagnostic::{Diagnostics, render},
    expr,
    source::SourceMap,
};

fn sources(case: &Path) -> SourceMap {
    let files = fs::read_dir(case).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        name.ends_with(".yaml").then(|| (name, fs::read_to_string(&path).unwrap()))
    });
    SourceMap::new(files)
}

fn check(case: &str) -> String {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/failing").join(case);
    let sources = sources(&case);
    let mut diagnostics = Diagnostics::default();
    let definitions = definition::parse(&sources, &mut diagnostics);
    for (_, metric) in &definitions.metrics {
        if let definition::metric::MetricKind::Expr(text) | definition::metric::MetricKind::Ratio(text) = &metric.kind {
            expr::parse(text, &mut diagnostics);
        }
    }
    let human = render::human(&sources, &diagnostics, false);
    compare(&case.join("human.txt"), &human);
    compare(&case.join("editor.json"), &render::json(&sources, &diagnostics));
    human
}

fn compare(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; see how to update it at the top of this file", path.display());
}

#[test]
fn ten_mistakes_of_one_file_are_ten_diagnostics() {
    let text = check("ten_mistakes");
    assert_eq!(text.matches("error[").count(), 10);
}

#[test]
fn a_mistake_in_an_expression_is_marked_inside_it() {
    check("expressions");
}

#[test]
fn a_file_that_is_not_yaml_does_not_hide_the_other() {
    check("two_files");
}

/// The whole load, for mistakes that need more than one file to be seen.
fn check_model(case: &str) -> String {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/failing").join(case);
    let sources = sources(&case);
    let (model, diagnostics) = holdfast_schema::load(sources.clone());
    assert!(model.is_none());
    let human = render::human(&sources, &diagnostics, false);
    compare(&case.join("human.txt"), &human);
    human
}

#[test]
fn names_that_do_not_exist_come_with_those_that_do() {
    check_model("unknown_names");
}

#[test]
fn ambiguous_and_multiplying_ways_are_drawn_out() {
    check_model("paths");
}

#[test]
fn metrics_that_make_no_sense_say_why() {
    check_model("metrics");
}

#[test]
fn a_view_says_which_dimension_fits_which_metric() {
    check_model("view");
}
