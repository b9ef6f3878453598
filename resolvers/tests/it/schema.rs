//! The schema of a small model, and of the shipped definitions.

use std::{fs, path::Path};

use holdfast_resolvers::{Api, Settings};
use holdfast_schema::{load, source::SourceMap};

use crate::fake;

fn read(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            read(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push((path.display().to_string(), fs::read_to_string(&path).expect("it is text")));
        }
    }
}

#[test]
fn a_small_model_has_this_schema() {
    insta::assert_snapshot!(fake::api(Settings::default()).sdl());
}

#[test]
fn the_shipped_definitions_have_a_schema() {
    let mut files = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics-defs"), &mut files);
    let (model, diagnostics) = load(SourceMap::new(files));
    let model = model.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted()));
    let api = Api::new(model, Settings::default()).unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()));
    assert!(api.sdl().contains("type Query"));
}

#[test]
fn a_view_named_like_the_list_of_an_entity_is_reported_with_both_places() {
    let entity = "entity: visit\nsource: visit\nkey: visit_id\nmeasures:\n  visits: {count: rows}\n";
    let metrics = "metrics:\n  visit_count: {measure: visit.visits}\n";
    let view = "view: visits\nmetrics: [visit_count]\ndimensions: [visit]\n";
    let files = [("entity.yaml", entity), ("metrics.yaml", metrics), ("view.yaml", view)];
    let (model, diagnostics) = load(SourceMap::new(files.map(|(path, text)| (path.to_owned(), text.to_owned()))));
    let model = model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted()));
    let wrong = Api::new(model, Settings::default()).expect_err("two root fields are one");
    let sorted = wrong.sorted();
    assert_eq!(sorted.len(), 1, "{sorted:#?}");
    assert_eq!((sorted[0].code, sorted[0].secondary.len()), ("G001", 1));
}
