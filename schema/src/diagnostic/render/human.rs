//! Diagnostics as people read them: the line, a caret under the place, and what to do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Label, Severity},
    source::{FileId, SourceMap, Span},
};

/// Draws every diagnostic in order of file and place, with an empty line after each; with colours when asked.
pub fn human(sources: &SourceMap, diagnostics: &Diagnostics, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        out.push_str(&renderer.render(&[group(sources, diagnostic)]));
        out.push_str("\n\n");
    }
    out
}

fn group<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // Messages quote what an author wrote, which may hold control characters.
    let title = level.primary_title(normalize_untrusted_str(&diagnostic.message)).id(diagnostic.code);
    let snippets = files(diagnostic).into_iter().map(|file| snippet(sources, diagnostic, file));
    let help = diagnostic.help.iter().map(|help| Level::HELP.message(normalize_untrusted_str(help)));
    title.elements(snippets).elements(help)
}

/// The files of all labels, that of the primary one first.
fn files(diagnostic: &Diagnostic) -> Vec<FileId> {
    let mut files: Vec<FileId> = Vec::new();
    for label in diagnostic.primary.iter().chain(&diagnostic.secondary) {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files
}

fn snippet<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic, file: FileId) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = sources.file(file);
    let annotation = |kind: AnnotationKind, label: &'a Label| {
        let annotation = kind.span(range(&source.text, label.span));
        if label.text.is_empty() { annotation } else { annotation.label(normalize_untrusted_str(&label.text)) }
    };
    let here = |label: &&Label| label.span.file == file;
    Snippet::source(&*source.text)
        .path(&*source.path)
        .annotations(diagnostic.primary.iter().filter(here).map(|label| annotation(AnnotationKind::Primary, label)))
        .annotations(diagnostic.secondary.iter().filter(here).map(|label| annotation(AnnotationKind::Context, label)))
}

/// A place over several lines is shown by its first: the frame around many lines hides more than it shows.
fn range(text: &str, span: Span) -> Range<usize> {
    let (start, end) = (span.start as usize, span.end as usize);
    let first_line = text[start..end].find('\n').map_or(end, |index| start + text[start..start + index].trim_end().len());
    start..first_line
}
