//! What the parser takes for granted: that commas are nothing, and that a name in parentheses or braces has a value.

use std::borrow::Cow;

use apollo_parser::{Lexer, Parser, SyntaxKind, TokenKind, cst::CstNode as _};

/// The text with a blank for every comma between tokens. To GraphQL both are the same; the parser stumbles over commas before some
/// tokens. Places stay what they are.
pub(super) fn without_commas(text: &str) -> Cow<'_, str> {
    if !text.contains(',') {
        return Cow::Borrowed(text);
    }
    let mut out = text.to_owned();
    for token in Lexer::new(text).flatten().filter(|token| token.kind() == TokenKind::Comma) {
        let at = token.index();
        if out.get(at..at + 1) == Some(",") {
            out.replace_range(at..=at, " ");
        }
    }
    Cow::Owned(out)
}

/// Where an argument, or a field of an input, has no value: the parser passes over it, and what was asked would be lost. The text
/// has been parsed within limits before.
pub(super) fn without_value(text: &str, tokens: usize, recursion: usize) -> Option<usize> {
    let tree = Parser::new(text).token_limit(tokens).recursion_limit(recursion).parse();
    let incomplete = tree.document().syntax().descendants().find(|node| {
        matches!(node.kind(), SyntaxKind::ARGUMENT | SyntaxKind::OBJECT_FIELD)
            && !node.children_with_tokens().any(|element| element.kind() == SyntaxKind::COLON)
    });
    incomplete.map(|node| usize::from(node.text_range().start()))
}

/// Line and column of an offset, from 1.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_go_where_they_mean_nothing() {
        for (text, expected) in [
            ("{ a(b: 1, c: \"x,y\") # one, two\n, }", "{ a(b: 1  c: \"x,y\") # one, two\n  }"),
            ("{ a(b: \"\"\"x, \"\"\"),, ... , on Q { c } }", "{ a(b: \"\"\"x, \"\"\")   ...   on Q { c } }"),
            ("{ä,b}", "{ä b}"),
        ] {
            assert_eq!(without_commas(text), expected, "{text}");
        }
    }

    #[test]
    fn names_without_values_are_found() {
        assert_eq!(without_value("{ a(b: 1, c: {d: [{e: 2}]}) @f(g: $h) }", 100, 20), None);
        for (text, at) in [("{ a(b) }", 4), ("{ a(b: {c}) }", 8), ("{ a(b: [{c: {d}}]) }", 13), ("{ a @b(c) }", 7)] {
            assert_eq!(without_value(text, 100, 20), Some(at), "{text}");
        }
    }

    #[test]
    fn places_count_letters() {
        assert_eq!(place("{\n ä(b) }", 5), (2, 3));
    }
}
