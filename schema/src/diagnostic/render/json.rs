//! Diagnostics as editors read them: a JSON array, lines and columns from 1, columns in characters.

use serde::Serialize;

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Label, Severity},
    source::{SourceMap, Span},
};

/// Writes every diagnostic in order of file and place.
pub fn json(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    let items: Vec<_> = diagnostics.sorted().into_iter().map(|diagnostic| item(sources, diagnostic)).collect();
    serde_json::to_string_pretty(&items).expect("plain structs of text and numbers always serialize")
}

#[derive(Serialize)]
struct Item<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Place<'a>>,
    label: Option<&'a str>,
    help: &'a [String],
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    message: &'a str,
}

fn item<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Item<'a> {
    let label = |label: &'a Label| Some(label.text.as_str()).filter(|text| !text.is_empty());
    Item {
        code: diagnostic.code,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: &diagnostic.message,
        place: diagnostic.primary.as_ref().map(|label| place(sources, label.span)),
        label: diagnostic.primary.as_ref().and_then(label),
        help: &diagnostic.help,
        related: diagnostic
            .secondary
            .iter()
            .map(|label| Related { place: place(sources, label.span), message: &label.text })
            .collect(),
    }
}

fn place(sources: &SourceMap, span: Span) -> Place<'_> {
    let (line, column) = sources.position(span);
    let (end_line, end_column) = sources.position(Span { start: span.end, ..span });
    Place { file: &sources.file(span.file).path, line, column, end_line, end_column }
}
