//! YAML text → trees of nodes in which every key and value has its place. The only module that knows the YAML library.
//!
//! Scalars stay text: what is a number and what is a name is for the decoder to say. Aliases, anchors and tags are refused:
//! a definition is read where it is written.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::Text;
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    source::{FileId, Span, Spanned},
};

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// For a scalar the characters themselves, without quotes where that is exact.
    pub(super) span: Span,
}

/// The shapes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar { text: String, style: Style },
    Sequence(Vec<Node>),
    Mapping(Vec<(Text, Node)>),
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// In quotes: text, whatever it looks like.
    Quoted,
    /// After `|` or `>`.
    Block,
}

impl Node {
    /// Whether nothing was written, or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, style: Style::Plain } if matches!(text.as_str(), "" | "~" | "null"))
    }
}

/// The documents of a file.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Those that are YAML.
    pub(super) nodes: Vec<Node>,
    /// Every word of the others: any of them may be the name of something that they define.
    pub(super) unread: Vec<Text>,
}

/// Reads every document of a file. A document that is not YAML is reported once and left out; the others are still read.
pub(super) fn documents(file: FileId, source: &str, diagnostics: &mut Diagnostics) -> Documents {
    let mut reader = Reader { parser: Parser::new_from_str(source), file, source, diagnostics };
    let mut documents = Documents::default();
    loop {
        match reader.document() {
            Ok(Some(node)) if node.is_null() => {}
            Ok(Some(node)) => documents.nodes.push(node),
            Ok(None) => return documents,
            Err(error) => {
                let place = reader.syntax_error(&error);
                documents.unread.extend(words_around(place, source));
                if !matches!(reader.parser.proceed_next_document(), Ok(true)) {
                    return documents;
                }
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    file: FileId,
    source: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Option<Node>, ScanError> {
        while let Some(next) = self.parser.next_event() {
            let (event, span) = next?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(None),
                other => return self.node(other, span).map(Some),
            }
        }
        Ok(None)
    }

    fn next(&mut self) -> Result<(Event<'a>, granit_parser::Span), ScanError> {
        // Inside a document the stream cannot end without an error, so the substitute is only a safe answer.
        self.parser.next_event().unwrap_or(Ok((Event::StreamEnd, granit_parser::Span::default())))
    }

    fn node(&mut self, event: Event<'a>, at: granit_parser::Span) -> Result<Node, ScanError> {
        let span = self.span(&at);
        let (anchor, tag) = (event.anchor_id(), event.tag().is_some());
        if tag || anchor.is_some() || event.is_alias() {
            self.diagnostics.push(
                Diagnostic::error("S003", span, "anchors, aliases and tags are not part of the definition language")
                    .help("write the value out where it is used"),
            );
        }
        match event {
            Event::Scalar(text, style, ..) => Ok(self.scalar(text.into_owned(), style, span)),
            Event::SequenceStart(..) => self.sequence(span),
            Event::MappingStart(..) => self.mapping(span),
            // An alias has been reported; a null in its place is reported once more only if a value is required there.
            _ => Ok(Node { kind: Kind::Scalar { text: String::new(), style: Style::Plain }, span }),
        }
    }

    fn sequence(&mut self, start: Span) -> Result<Node, ScanError> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                let span = self.enclosing(start, &at, items.last());
                return Ok(Node { kind: Kind::Sequence(items), span });
            }
            items.push(self.node(event, at)?);
        }
    }

    fn mapping(&mut self, start: Span) -> Result<Node, ScanError> {
        let mut entries: Vec<(Text, Node)> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                let span = self.enclosing(start, &at, entries.last().map(|(_, value)| value));
                return Ok(Node { kind: Kind::Mapping(entries), span });
            }
            let key = self.node(event, at)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at)?;
            if let Some(key) = self.key(key)
                && self.is_new(&entries, &key)
            {
                entries.push((key, value));
            }
        }
    }

    fn key(&mut self, node: Node) -> Option<Text> {
        match node.kind {
            Kind::Scalar { text, style: Style::Plain | Style::Quoted } => Some(Spanned::new(text, node.span)),
            Kind::Scalar { style: Style::Block, .. } | Kind::Sequence(_) | Kind::Mapping(_) => {
                let error = Diagnostic::error("S004", node.span, "a key must be a single word");
                self.diagnostics.push(error.help("a value that begins with `{` or `[` and goes on after it must be quoted"));
                None
            }
        }
    }

    fn is_new(&mut self, entries: &[(Text, Node)], key: &Text) -> bool {
        let Some((first, _)) = entries.iter().find(|(known, _)| known.value == key.value) else { return true };
        let message = format!("`{}` is written twice in the same mapping", key.value);
        self.diagnostics
            .push(Diagnostic::error("S002", key.span, message).label("again here").also(first.span, "first written here"));
        false
    }

    fn scalar(&self, text: String, style: ScalarStyle, whole: Span) -> Node {
        let raw = &self.source[whole.start as usize..whole.end as usize];
        let (style, span) = match style {
            ScalarStyle::Plain => {
                // The library may count blanks before a comment or the next line as part of a plain scalar.
                let end = whole.start + raw.trim_end().len() as u32;
                (Style::Plain, Span { end, ..whole })
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let inside = Span { start: whole.start + 1, end: whole.end.saturating_sub(1).max(whole.start + 1), ..whole };
                // With escapes the characters differ from the value; then equal lengths would be an accident, so keep the quotes.
                let exact = self.source.get(inside.start as usize..inside.end as usize) == Some(text.as_str());
                let accident = inside.end - inside.start == text.len() as u32;
                (Style::Quoted, if exact || !accident { inside } else { whole })
            }
            ScalarStyle::Literal | ScalarStyle::Folded => (Style::Block, self.below_header(whole)),
        };
        Node { kind: Kind::Scalar { text, style }, span }
    }

    /// The lines of a block scalar without the line of its `|` or `>`.
    fn below_header(&self, whole: Span) -> Span {
        let raw = &self.source[whole.start as usize..whole.end as usize];
        let header = if raw.starts_with(['|', '>']) { raw.find('\n').map_or(0, |index| index + 1) } else { 0 };
        let body = &raw[header..];
        let start = whole.start as usize + header + (body.len() - body.trim_start().len());
        let end = whole.start as usize + header + body.trim_end().len();
        Span { start: start as u32, end: end.max(start) as u32, ..whole }
    }

    /// From the start of a collection to the end of its last item, or to its closing bracket.
    fn enclosing(&self, start: Span, end: &granit_parser::Span, last: Option<&Node>) -> Span {
        let end = self.span(end);
        let bracket = self.source[..end.end as usize].ends_with([']', '}']) && end.end > end.start;
        match last {
            Some(last) if !bracket => Span { end: last.span.end.max(start.start), ..start },
            Some(_) | None => Span { end: end.end.max(start.start), ..start },
        }
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let start = floor_boundary(self.source, range.start);
        let end = floor_boundary(self.source, range.end).max(start);
        Span { file: self.file, start: start as u32, end: end as u32 }
    }

    fn syntax_error(&mut self, error: &ScanError) -> Span {
        let start = floor_boundary(self.source, error.marker().byte_offset().unwrap_or(self.source.len()));
        let length = self.source[start..].chars().next().filter(|character| *character != '\n').map_or(0, char::len_utf8);
        let span = Span { file: self.file, start: start as u32, end: (start + length) as u32 };
        let diagnostic =
            Diagnostic::error("S001", span, format!("this is not YAML: {}", error.info())).label("the reader stopped here");
        self.diagnostics.push(if self.source[..start].rsplit('\n').next().is_some_and(|line| line.contains('\t')) {
            diagnostic.help("indent with spaces, not tabs")
        } else {
            diagnostic
                .help("look for a missing quote, bracket or indentation just before; text with `: ` or ` #` in it must be quoted")
        });
        span
    }
}

/// The document of a file that a place is in.
pub(crate) fn document_around(source: &str, at: usize) -> Range<usize> {
    let start = source[..at].rfind("\n---").map_or(0, |line| line + 1);
    let end = source[at..].find("\n---").map_or(source.len(), |line| at + line);
    start..end
}

/// The words of the document that a place is in.
fn words_around(place: Span, source: &str) -> Vec<Text> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = source[document_around(source, place.start as usize)]
        .split(|letter: char| !is_part(letter))
        .filter(|word| !word.is_empty());
    words.map(|word| Spanned::new(word.to_owned(), place)).collect()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> (Vec<Node>, Vec<&'static str>) {
        let mut diagnostics = Diagnostics::default();
        let documents = documents(FileId(0), source, &mut diagnostics).nodes;
        (documents, diagnostics.sorted().iter().map(|item| item.code).collect())
    }

    /// Every scalar as written, `key=value` for entries.
    fn slices(node: &Node, source: &str, out: &mut Vec<String>) {
        let slice = |span: Span| source[span.start as usize..span.end as usize].to_owned();
        match &node.kind {
            Kind::Scalar { .. } => out.push(slice(node.span)),
            Kind::Sequence(items) => items.iter().for_each(|item| slices(item, source, out)),
            Kind::Mapping(entries) => {
                for (key, value) in entries {
                    out.push(slice(key.span));
                    slices(value, source, out);
                }
            }
        }
    }

    #[test]
    fn spans_cover_the_characters_of_keys_and_values() {
        let source =
            "a: one two   # note\n\"b\": 'x y'\nc: [1, {d: \"e\"}]\nf:\n  g: |\n    line 1\n    line 2\nh: é\ni:\n  long\n  line\n";
        let (documents, codes) = read(source);
        assert!(codes.is_empty());
        let mut found = Vec::new();
        slices(&documents[0], source, &mut found);
        assert_eq!(
            found,
            ["a", "one two", "b", "x y", "c", "1", "d", "e", "f", "g", "line 1\n    line 2", "h", "é", "i", "long\n  line"]
        );
    }

    #[test]
    fn collections_end_with_their_last_item() {
        let source = "a:\n  b: 1\n  c: [2, 3]\n\n\n# far below\nd: {e: 4}\n";
        let (documents, _) = read(source);
        let Kind::Mapping(entries) = &documents[0].kind else { panic!("a mapping") };
        let slice = |span: Span| &source[span.start as usize..span.end as usize];
        assert_eq!(slice(entries[0].1.span), "b: 1\n  c: [2, 3]");
        assert_eq!(slice(entries[1].1.span), "{e: 4}");
    }

    #[test]
    fn a_key_written_twice_is_reported_at_the_second() {
        let (documents, codes) = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(codes, ["S002"]);
        let Kind::Mapping(entries) = &documents[0].kind else { panic!("a mapping") };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn a_broken_document_does_not_hide_the_others() {
        let (documents, codes) = read("a: 1\n---\nb: [1, 2\n---\nc: 3\n");
        assert_eq!((documents.len(), codes), (2, vec!["S001"]));
    }

    #[test]
    fn what_a_broken_document_may_define_is_known_by_its_words() {
        let mut diagnostics = Diagnostics::default();
        let unread = documents(FileId(0), "a: 1\n---\nview: b\nc: [1, two\n---\nd: 3\n", &mut diagnostics).unread;
        let words: Vec<&str> = unread.iter().map(|word| word.value.as_str()).collect();
        assert_eq!(words, ["view", "b", "c", "1", "two"]);
    }

    #[test]
    fn aliases_tags_and_odd_keys_are_refused() {
        assert_eq!(read("a: &x 1\nb: *x\n").1, ["S003", "S003"]);
        assert_eq!(read("a: !int 1\n").1, ["S003"]);
        assert_eq!(read("{a: 1}: 2\n").1, ["S004"]);
    }

    #[test]
    fn empty_files_and_documents_are_nothing() {
        for source in ["", "# only a comment\n", "---\n---\n", "\u{feff}"] {
            assert_eq!(read(source), (vec![], vec![]), "{source:?}");
        }
    }
}
