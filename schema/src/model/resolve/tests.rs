//! Whole definitions in, models or messages out.

use crate::{diagnostic::Diagnostics, model::Model, source::SourceMap};

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

#[test]
fn nothing_is_a_model_with_a_warning() {
    let (model, messages) = resolve("");
    assert!(model.is_some_and(|model| model.entities.is_empty() && model.project.time_zone == "UTC"));
    assert_eq!(messages, ["M005: there is no `project:` document; days begin in UTC, years in January, weeks on Monday"]);
}
