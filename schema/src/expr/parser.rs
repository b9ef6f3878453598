//! Tokens → [`Expr`] over [`Name`]s, by precedence climbing. Knows the functions by name, and nothing of types or the model.
//!
//! From loose to tight: `or`, `and`, `not`, one comparison (`=`, `in`, `is null`, `between` …), `+ -`, `* /`, unary `-`.

use std::ops::Range;

use super::{
    BinaryOp, CaseArm, Expr, UnaryOp, functions,
    lexer::{self, Placed, Token},
    name::Name,
    precedence::{Strength, strength, tighter},
};
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    source::{Span, Spanned},
    value::{Value, canonical_decimal},
};

/// Parses an expression; reports what is wrong with it and returns `None` when it cannot be read.
pub fn parse(text: &Text, diagnostics: &mut Diagnostics) -> Option<Expr<Name>> {
    let place = Place::of(text);
    let parsed = lexer::tokens(&text.value).map_err(|error| {
        let diagnostic = Diagnostic::error(error.code, place.span(error.range), error.message);
        error.help.into_iter().fold(diagnostic, Diagnostic::help)
    });
    match parsed.map_err(Box::new).and_then(|tokens| Parser { tokens, next: 0, depth: 0, place }.whole()) {
        Ok(expr) => Some(expr),
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            None
        }
    }
}

/// How deep brackets, `case` and calls may be nested; a person cannot read more, and the stack must not run out.
const MAX_DEPTH: usize = 64;

/// How many tokens one expression may have; bounds the depth of long chains such as `a + b + c …`.
const MAX_TOKENS: usize = 2000;

/// Words that are not names.
const KEYWORDS: [&str; 14] =
    ["and", "or", "not", "in", "is", "null", "between", "case", "when", "then", "else", "end", "true", "false"];

/// Where the bytes of an expression stand in its file.
#[derive(Debug, Clone, Copy)]
struct Place {
    span: Span,
    exact: bool,
}

impl Place {
    /// The reader of definitions gives a scalar the span of its own characters. When escapes or folding make those differ from
    /// the value, the whole scalar is the best place there is.
    fn of(text: &Text) -> Self {
        Self { span: text.span, exact: (text.span.end - text.span.start) as usize == text.value.len() }
    }

    fn span(self, range: Range<usize>) -> Span {
        if !self.exact {
            return self.span;
        }
        Span { file: self.span.file, start: self.span.start + range.start as u32, end: self.span.start + range.end as u32 }
    }
}

/// Boxed because a diagnostic is much larger than the trees it travels beside.
type Parsed<T> = Result<T, Box<Diagnostic>>;

struct Parser<'a> {
    tokens: Vec<Placed<'a>>,
    next: usize,
    depth: usize,
    place: Place,
}

impl<'a> Parser<'a> {
    fn whole(mut self) -> Parsed<Expr<Name>> {
        if self.tokens.len() == 1 {
            return Err(Box::new(
                Diagnostic::error("E010", self.place.span, "the expression is empty").label("write a condition or a formula here"),
            ));
        }
        if self.tokens.len() > MAX_TOKENS {
            let message = format!("the expression is too long: more than {MAX_TOKENS} words and signs");
            return Err(Box::new(
                Diagnostic::error("E007", self.place.span, message).help("split it into dimensions or metrics with names"),
            ));
        }
        let expr = self.expression()?;
        match self.peek() {
            Token::End => Ok(expr),
            _ => Err(self.unexpected("an operator or the end of the expression")),
        }
    }

    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next].0
    }

    fn peek_after(&self) -> &Token<'a> {
        &self.tokens[(self.next + 1).min(self.tokens.len() - 1)].0
    }

    fn here(&self) -> Range<usize> {
        self.tokens[self.next].1.clone()
    }

    fn advance(&mut self) {
        // The end is never passed: it is the answer to every further peek.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn is_keyword(token: &Token<'_>, keyword: &str) -> bool {
        matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = Self::is_keyword(self.peek(), keyword);
        if found {
            self.advance();
        }
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect_keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.take_keyword(keyword) { Ok(()) } else { Err(self.unexpected(&format!("`{keyword}`"))) }
    }

    fn expect_symbol(&mut self, symbol: &str, expected: &str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &str) -> Box<Diagnostic> {
        let message = format!("expected {expected}, found {}", self.peek().describe());
        let diagnostic = Diagnostic::error("E004", self.place.span(self.here()), message).label(format!("expected {expected}"));
        Box::new(match self.peek() {
            Token::Word(word) if word.eq_ignore_ascii_case("like") => {
                diagnostic.help("there is no `like`; use `in (…)` or a dimension of the source")
            }
            Token::Word(word) if KEYWORDS.contains(&word.to_lowercase().as_str()) => {
                diagnostic.help(format!("`{word}` is a word of the expression language and cannot be a name"))
            }
            _ => diagnostic,
        })
    }

    fn error(&self, code: &'static str, range: Range<usize>, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, self.place.span(range), message))
    }

    fn expression(&mut self) -> Parsed<Expr<Name>> {
        self.at_least(Strength::Or)
    }

    /// An expression made of operators that bind at least so tightly.
    fn at_least(&mut self, weakest: Strength) -> Parsed<Expr<Name>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let error = self.error("E007", self.here(), format!("the expression is nested more than {MAX_DEPTH} levels deep"));
            return Err(Box::new(error.help("split it into dimensions or metrics with names")));
        }
        let mut left = self.prefix(weakest)?;
        let mut compared = false;
        while let Some(operator) = self.operator() {
            let strength = operator.strength();
            if strength < weakest {
                break;
            }
            if strength == Strength::Comparison {
                if compared {
                    let error = self.error("E008", self.here(), "comparisons cannot be chained");
                    return Err(Box::new(error.help("join two comparisons with `and`, or put one into brackets")));
                }
                compared = true;
            } else {
                compared = false;
            }
            left = self.infix(left, operator)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn prefix(&mut self, weakest: Strength) -> Parsed<Expr<Name>> {
        let start = self.here();
        if Self::is_keyword(self.peek(), "not") {
            if weakest > Strength::Not {
                let error = self.error("E004", start, "expected a value, found `not`");
                return Err(Box::new(error.help("put `not …` into brackets")));
            }
            self.advance();
            return Ok(Expr::Unary(UnaryOp::Not, Box::new(self.at_least(Strength::Not)?)));
        }
        if self.take_symbol("-") {
            if let Token::Number(number) = *self.peek() {
                let range = start.start..self.here().end;
                self.advance();
                return self.number(&format!("-{number}"), range);
            }
            return Ok(Expr::Unary(UnaryOp::Negate, Box::new(self.at_least(Strength::Sign)?)));
        }
        self.atom()
    }

    fn operator(&self) -> Option<Operator> {
        Some(match self.peek() {
            Token::Symbol(symbol) => Operator::Binary(match *symbol {
                "+" => BinaryOp::Add,
                "-" => BinaryOp::Subtract,
                "*" => BinaryOp::Multiply,
                "/" => BinaryOp::Divide,
                "=" => BinaryOp::Equal,
                "!=" => BinaryOp::NotEqual,
                "<" => BinaryOp::Less,
                "<=" => BinaryOp::LessOrEqual,
                ">" => BinaryOp::Greater,
                ">=" => BinaryOp::GreaterOrEqual,
                _ => return None,
            }),
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "and" => Operator::Binary(BinaryOp::And),
                "or" => Operator::Binary(BinaryOp::Or),
                "in" => Operator::In,
                "is" => Operator::Is,
                "between" => Operator::Between,
                "not" if Self::is_keyword(self.peek_after(), "in") => Operator::NotIn,
                "not" if Self::is_keyword(self.peek_after(), "between") => Operator::NotBetween,
                _ => return None,
            },
            Token::Number(_) | Token::Text(_) | Token::End => return None,
        })
    }

    fn infix(&mut self, left: Expr<Name>, operator: Operator) -> Parsed<Expr<Name>> {
        self.advance();
        match operator {
            Operator::Binary(op) => {
                let right = self.at_least(tighter(strength(op)))?;
                Ok(Expr::binary(op, left, right))
            }
            Operator::In => self.members(left, false),
            Operator::NotIn => {
                self.advance();
                self.members(left, true)
            }
            Operator::Is => {
                let negated = self.take_keyword("not");
                self.expect_keyword("null")?;
                Ok(Expr::IsNull { value: Box::new(left), negated })
            }
            Operator::Between => self.between(left),
            Operator::NotBetween => {
                self.advance();
                Ok(Expr::Unary(UnaryOp::Not, Box::new(self.between(left)?)))
            }
        }
    }

    fn between(&mut self, value: Expr<Name>) -> Parsed<Expr<Name>> {
        let low = self.at_least(Strength::Sum)?;
        self.expect_keyword("and")?;
        let high = self.at_least(Strength::Sum)?;
        Ok(Expr::binary(
            BinaryOp::And,
            Expr::binary(BinaryOp::GreaterOrEqual, value.clone(), low),
            Expr::binary(BinaryOp::LessOrEqual, value, high),
        ))
    }

    fn members(&mut self, value: Expr<Name>, negated: bool) -> Parsed<Expr<Name>> {
        let value = Box::new(value);
        if self.take_symbol("(") {
            return Ok(Expr::In { value, list: self.list("a value")?, negated });
        }
        match self.peek() {
            Token::Word(word) if !is_reserved(word) => Ok(Expr::In { value, list: vec![Expr::Ref(self.name()?)], negated }),
            _ => Err(self.unexpected("`(` and a list, or the name of a list")),
        }
    }

    /// One or more expressions with commas, up to the closing bracket.
    fn list(&mut self, expected: &str) -> Parsed<Vec<Expr<Name>>> {
        if matches!(self.peek(), Token::Symbol(")")) {
            return Err(self.unexpected(expected));
        }
        let mut items = vec![self.expression()?];
        while self.take_symbol(",") {
            items.push(self.expression()?);
        }
        self.expect_symbol(")", "`,` or `)`")?;
        Ok(items)
    }

    fn atom(&mut self) -> Parsed<Expr<Name>> {
        let range = self.here();
        match self.peek().clone() {
            Token::Number(number) => {
                self.advance();
                self.number(number, range)
            }
            Token::Text(text) => {
                self.advance();
                Ok(Expr::Literal(Value::Text(text)))
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.expression()?;
                self.expect_symbol(")", "`)`")?;
                Ok(inner)
            }
            Token::Word(word) => self.word(word),
            Token::Symbol(_) | Token::End => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str) -> Parsed<Expr<Name>> {
        match (word.to_ascii_lowercase().as_str(), self.peek_after()) {
            ("true", _) => self.literal(Value::Bool(true)),
            ("false", _) => self.literal(Value::Bool(false)),
            ("null", _) => self.literal(Value::Null),
            ("case", _) => self.case(),
            ("date", Token::Text(text)) => {
                let value = text.parse().map(Value::Date).map_err(|_| "2025-01-31");
                self.instant(value, "date")
            }
            ("timestamp", Token::Text(text)) => {
                let value = text.parse().map(Value::Timestamp).map_err(|_| "2025-01-31T12:00:00Z");
                self.instant(value, "timestamp")
            }
            (_, Token::Symbol("(")) if !is_reserved(word) => self.call(word),
            _ if is_reserved(word) => Err(self.unexpected("a value")),
            _ => self.name().map(Expr::Ref),
        }
    }

    fn literal(&mut self, value: Value) -> Parsed<Expr<Name>> {
        self.advance();
        Ok(Expr::Literal(value))
    }

    /// `date '…'` or `timestamp '…'`; the error is an example of what is expected.
    fn instant(&mut self, value: Result<Value, &str>, what: &str) -> Parsed<Expr<Name>> {
        self.advance();
        let range = self.here();
        self.advance();
        match value {
            Ok(value) => Ok(Expr::Literal(value)),
            Err(example) => {
                let error = self.error("E009", range, format!("this is not a {what}"));
                Err(Box::new(error.help(format!("write {what} '{example}'"))))
            }
        }
    }

    fn number(&self, text: &str, range: Range<usize>) -> Parsed<Expr<Name>> {
        if !text.contains('.')
            && let Ok(whole) = text.parse()
        {
            return Ok(Expr::Literal(Value::Int(whole)));
        }
        match canonical_decimal(text) {
            Some(decimal) => Ok(Expr::Literal(Value::Decimal(decimal))),
            None => Err(self.error("E003", range, format!("`{text}` is not a number"))),
        }
    }

    fn name(&mut self) -> Parsed<Name> {
        let mut parts = vec![self.name_part()?];
        while self.take_symbol(".") {
            parts.push(self.name_part()?);
        }
        let (first, last) = (parts[0].span, parts[parts.len() - 1].span);
        Ok(Name { parts, span: Span { end: last.end, ..first } })
    }

    /// After a dot every word is a name: there it cannot be mistaken for a keyword.
    fn name_part(&mut self) -> Parsed<Spanned<String>> {
        match *self.peek() {
            Token::Word(word) => {
                let span = self.place.span(self.here());
                self.advance();
                Ok(Spanned::new(word.to_owned(), span))
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    fn case(&mut self) -> Parsed<Expr<Name>> {
        self.advance();
        let mut arms = Vec::new();
        while self.take_keyword("when") {
            let when = self.expression()?;
            self.expect_keyword("then")?;
            let then = self.expression()?;
            arms.push(CaseArm { when, then });
        }
        if arms.is_empty() {
            return Err(self.unexpected("`when`"));
        }
        let otherwise = if self.take_keyword("else") { Some(Box::new(self.expression()?)) } else { None };
        if !self.take_keyword("end") {
            return Err(self.unexpected(if otherwise.is_some() { "`end`" } else { "`when`, `else` or `end`" }));
        }
        Ok(Expr::Case { arms, otherwise })
    }

    fn call(&mut self, word: &str) -> Parsed<Expr<Name>> {
        let start = self.here();
        let Some(function) = functions::named(word) else {
            let error = self.error("E005", start, format!("unknown function `{word}`"));
            return Err(Box::new(error.help(functions::instead_of(word))));
        };
        self.advance();
        self.advance();
        let arguments = if self.take_symbol(")") { Vec::new() } else { self.list("an argument")? };
        let (least, most, usage) = functions::arity(function);
        if arguments.len() < least || arguments.len() > most {
            let range = start.start..self.tokens[self.next - 1].1.end;
            let message = format!(
                "`{}` cannot take {} argument{}",
                function.name(),
                arguments.len(),
                if arguments.len() == 1 { "" } else { "s" }
            );
            return Err(Box::new(self.error("E006", range, message).help(format!("it is used as `{usage}`"))));
        }
        Ok(Expr::Call(function, arguments))
    }
}

fn is_reserved(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// What may follow a complete value.
#[derive(Debug, Clone, Copy)]
enum Operator {
    Binary(BinaryOp),
    In,
    NotIn,
    Is,
    Between,
    NotBetween,
}

impl Operator {
    fn strength(self) -> Strength {
        match self {
            Operator::Binary(op) => strength(op),
            Operator::In | Operator::NotIn | Operator::Is | Operator::Between | Operator::NotBetween => Strength::Comparison,
        }
    }
}

#[cfg(test)]
mod tests;
