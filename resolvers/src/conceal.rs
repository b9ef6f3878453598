//! Errors without names that their reader did not write: whoever guesses names is told only that the guess is wrong.
//!
//! Every part of this crate, of the compiler and of the validator may name what it found. Rather than trusting that each remembers
//! who reads it, whatever leaves goes through here: a name that is not in the request, nor a word of the API itself, becomes `…`.

use std::collections::HashSet;

use async_graphql::{Request, Variables};
use holdfast_schema::model::Model;

use crate::error::Problem;

/// Words of the API that are the same for all definitions, and words of examples.
const PLAIN: &[&str] = &[
    "after",
    "age",
    "asKnownAt",
    "asOf",
    "before",
    "between",
    "BigInt",
    "Boolean",
    "by",
    "Berlin",
    "cohort",
    "compare",
    "currency",
    "Currency",
    "Date",
    "DateTime",
    "Decimal",
    "dimension",
    "dir",
    "eq",
    "EUR",
    "Europe",
    "exchangeRate",
    "fill",
    "first",
    "Float",
    "from",
    "grain",
    "GraphQL",
    "having",
    "IANA",
    "id",
    "ID",
    "ids",
    "in",
    "Int",
    "ISO",
    "isNull",
    "JSON",
    "last",
    "limit",
    "movementGrain",
    "name",
    "nulls",
    "offset",
    "operationName",
    "orderBy",
    "period",
    "preset",
    "Query",
    "range",
    "rows",
    "rule",
    "SQL",
    "String",
    "T12",
    "time",
    "timeZone",
    "TimeZone",
    "to",
    "totals",
    "trailing",
    "upcoming",
    "upTo",
    "where",
    "Z",
    "00Z",
    "YAML",
    "__schema",
    "__type",
    "__typename",
];

/// What a client wrote itself.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    query: String,
    operation_name: Option<String>,
    variables: Variables,
}

impl Written {
    /// The words of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let Request { query, operation_name, variables, .. } = request;
        Self { query: query.clone(), operation_name: operation_name.clone(), variables: variables.clone() }
    }
}

/// Hides names of one model.
#[derive(Debug)]
pub(crate) struct Concealer {
    /// Names of the model, in plain form.
    names: HashSet<String>,
    /// [`PLAIN`], in plain form.
    plain: HashSet<String>,
}

impl Concealer {
    /// Knows the names of a model.
    pub(crate) fn new(model: &Model) -> Self {
        let mut names = HashSet::new();
        let mut add = |name: &str| {
            names.insert(folded(name));
        };
        for entity in &model.entities {
            add(&entity.name);
            for dimension in &entity.dimensions {
                add(&dimension.name);
                dimension.values.iter().for_each(|value| add(value));
            }
            entity.relationships.iter().for_each(|relationship| add(&relationship.name));
            entity.measures.iter().for_each(|measure| add(&measure.name));
            entity.movements.iter().flat_map(|movements| &movements.grains).for_each(|grain| add(&grain.name));
        }
        model.metrics.iter().for_each(|metric| add(&metric.name));
        model.views.iter().for_each(|view| add(&view.name));
        model.segments.iter().for_each(|segment| add(&segment.name));
        model.rules.iter().for_each(|rule| add(&rule.name));
        model.saved_queries.iter().for_each(|(name, _)| add(name));
        Self { names, plain: PLAIN.iter().map(|word| folded(word)).collect() }
    }

    /// Takes from errors what the request does not say itself.
    pub(crate) fn conceal(&self, problems: &mut [Problem], request: &Written) {
        if problems.is_empty() {
            return;
        }
        let variables = serde_json::to_string(&request.variables).unwrap_or_default();
        let texts = [request.query.as_str(), variables.as_str(), request.operation_name.as_deref().unwrap_or_default()];
        let written: HashSet<String> =
            texts.into_iter().flat_map(words).filter(|(_, is_word)| *is_word).map(|(word, _)| folded(word)).collect();
        for problem in problems {
            problem.message = self.text(&problem.message, &written).into();
            problem.suggestions = Box::default();
            // Advice is for those who know the names; without them it may be none.
            let is_safe =
                problem.help.as_deref().is_none_or(|help| self.text(help, &written) == help && !self.names_any(help, &written));
            if !is_safe {
                problem.help = None;
            }
        }
    }

    /// A text without names that were not written: all of them between backticks, elsewhere what looks like one.
    fn text(&self, text: &str, written: &HashSet<String>) -> String {
        let mut out = String::with_capacity(text.len());
        for (index, part) in text.split('`').enumerate() {
            if index > 0 {
                out.push('`');
            }
            let is_quoted = index % 2 == 1;
            for (word, is_word) in words(part) {
                let is_name = is_word && (is_quoted || self.looks_like_a_name(word));
                let is_known = !is_name || self.plain.contains(&folded(word)) || written.contains(&folded(word));
                out.push_str(if is_known { word } else { "…" });
            }
        }
        out
    }

    /// Outside of backticks sentences have plain words; names have capitals or underscores, and a capital in front alone begins a
    /// sentence, unless the model has the word.
    fn looks_like_a_name(&self, word: &str) -> bool {
        let is_marked = |letter: char| letter == '_' || letter.is_uppercase();
        let mut letters = word.chars();
        let begins = letters.next().is_some_and(is_marked);
        letters.any(is_marked) || begins && self.names.contains(&folded(word))
    }

    fn names_any(&self, text: &str, written: &HashSet<String>) -> bool {
        words(text).filter(|(_, is_word)| *is_word).any(|(word, _)| {
            let word = folded(word);
            self.names.contains(&word) && !self.plain.contains(&word) && !written.contains(&word)
        })
    }
}

/// Names of the model and of the API differ in capitals and underscores only.
fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a text and what is between them, in order, and which it is. Numbers are no words.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let is_word = is_part(rest.chars().next()?);
        let end = rest.find(|letter| is_part(letter) != is_word).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some((part, is_word && part.chars().any(|letter| !letter.is_ascii_digit())))
    })
}
