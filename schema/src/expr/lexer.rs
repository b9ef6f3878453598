//! Text of an expression → tokens with byte ranges. Knows no grammar and no names.

use std::ops::Range;

/// One piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A word: a name, a keyword or a function.
    Word(&'a str),
    /// Digits with at most one point among them.
    Number(&'a str),
    /// What stands between single quotes, with `''` already turned into `'`.
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// After the last piece.
    End,
}

impl Token<'_> {
    /// How an error message names it.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Word(word) => format!("`{word}`"),
            Token::Number(number) => format!("`{number}`"),
            Token::Text(text) => format!("the text '{text}'"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end of the expression".to_owned(),
        }
    }
}

/// What a piece of text cannot be read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LexError {
    pub(super) code: &'static str,
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// A token and the bytes it was read from.
pub(super) type Placed<'a> = (Token<'a>, Range<usize>);

/// Longer spellings before their prefixes.
const SYMBOLS: [&str; 15] = ["!=", "<>", "<=", ">=", "(", ")", ",", ".", "+", "-", "*", "/", "=", "<", ">"];

/// Spellings of other languages and what to write instead.
const FOREIGN: [(&str, &str); 6] = [
    ("==", "equality is written `=`"),
    ("&&", "write `and`"),
    ("||", "write `or`; to put text together, add a column to the source"),
    ("\"", "text is written in single quotes: 'enterprise'"),
    ("!", "write `not`"),
    ("{", "there is no templating; write the name itself"),
];

/// Splits an expression; the last token is always [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, LexError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, length) = if first.is_ascii_alphabetic() || first == '_' {
            let length = word_length(rest);
            (Token::Word(&rest[..length]), length)
        } else if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            number(rest, at)?
        } else if first == '\'' {
            quoted(rest, at)?
        } else if let Some((_, help)) = FOREIGN.iter().find(|(spelling, _)| rest.starts_with(spelling) && !rest.starts_with("!=")) {
            return Err(unexpected(first, at, Some((*help).to_owned())));
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Token::Symbol(if symbol == "<>" { "!=" } else { symbol }), symbol.len())
        } else {
            return Err(unexpected(first, at, None));
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

fn unexpected(character: char, at: usize, help: Option<String>) -> LexError {
    LexError {
        code: "E001",
        range: at..at + character.len_utf8(),
        message: format!("unexpected character `{}` in an expression", character.escape_debug()),
        help,
    }
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

fn number(rest: &str, at: usize) -> Result<(Token<'_>, usize), LexError> {
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
    let text = &rest[..length];
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) && !fraction.is_empty() {
        return Ok((Token::Number(text), length));
    }
    Err(LexError {
        code: "E003",
        range: at..at + length,
        message: format!("`{text}` is not a number"),
        help: Some("a number is digits with at most one point between them: 10000 or 0.05".to_owned()),
    })
}

fn quoted(rest: &str, at: usize) -> Result<(Token<'_>, usize), LexError> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        match character {
            '\'' if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                text.push('\'');
                characters.next();
            }
            '\'' => return Ok((Token::Text(text), index + 1)),
            // A line break inside would mean different text depending on how YAML folds the lines.
            '\n' | '\r' => break,
            other => text.push(other),
        }
    }
    let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
    Err(LexError {
        code: "E002",
        range: at..at + line,
        message: "this text has no closing quote on its line".to_owned(),
        help: Some("text is written 'like this'; a quote inside it is doubled: 'O''Brien'".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_without_spaces() {
        let kinds: Vec<_> = tokens("a.b>=-1.50").expect("it is well formed").into_iter().map(|(token, _)| token).collect();
        assert_eq!(
            kinds,
            [
                Token::Word("a"),
                Token::Symbol("."),
                Token::Word("b"),
                Token::Symbol(">="),
                Token::Symbol("-"),
                Token::Number("1.50"),
                Token::End
            ]
        );
    }

    #[test]
    fn a_doubled_quote_is_one_quote() {
        let all = tokens("'O''Brien'").expect("it is well formed");
        assert_eq!(all[0], (Token::Text("O'Brien".to_owned()), 0..10));
    }

    #[test]
    fn other_languages_are_answered_with_ours() {
        for (text, code) in [
            ("a == b", "E001"),
            ("a && b", "E001"),
            ("\"x\"", "E001"),
            ("'x", "E002"),
            ("1e5", "E003"),
            ("1_000", "E003"),
            ("1.", "E003"),
        ] {
            let error = tokens(text).expect_err(text);
            assert_eq!(error.code, code, "{text}");
            assert!(error.help.is_some(), "{text}");
        }
    }
}
