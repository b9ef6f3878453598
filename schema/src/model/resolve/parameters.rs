//! Numbers with names in, the same by name out, and expressions with the numbers filled in.
//!
//! A parameter is written as `parameters.name`, so that it never hides a column, a dimension or a metric of the same name.

use std::collections::HashMap;

use super::index::{twice_named, unknown};
use crate::{
    definition::{Named, Text, parameter::Parameter},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{self, Expr, Name},
    value::{Value, canonical_decimal},
};

/// The word before the dot.
const WORD: &str = "parameters";

/// Every parameter by name, in canonical decimal text.
#[derive(Debug, Default)]
pub(in crate::model) struct Parameters {
    values: HashMap<String, String>,
}

impl Parameters {
    /// One value per name: the one that overrides, else the one that was given.
    pub(super) fn new(written: &Named<Parameter>, out: &mut Diagnostics) -> Self {
        let (mut given, mut overriding): (HashMap<&str, &Text>, HashMap<&str, &Text>) = Default::default();
        let mut values = HashMap::new();
        for (name, parameter) in written {
            let overrides = parameter.overrides.as_ref().is_some_and(|overrides| overrides.value);
            let known = if overrides { &mut overriding } else { &mut given };
            if let Some(first) = known.insert(&name.value, name) {
                let what = if overrides { "the override of parameter" } else { "parameter" };
                out.push(twice_named(what, name, first.span).help("to replace its value, write `{value: …, overrides: true}`"));
                continue;
            }
            let value = canonical_decimal(&parameter.value.value).expect("the value was read as a number");
            if overrides || !overriding.contains_key(name.value.as_str()) {
                values.insert(name.value.clone(), value);
            }
        }
        for (name, place) in overriding.iter().filter(|(name, _)| !given.contains_key(*name)) {
            out.push(
                unknown("M019", "parameter", name, place.span, given.keys().copied())
                    .help("`overrides: true` replaces the value of a parameter that is given elsewhere"),
            );
        }
        Self { values }
    }

    /// Parses an expression; parameters in it become numbers. One that is not known is reported and stands for some number, so that
    /// the rest is looked at all the same: what has been reported makes no model.
    pub(in crate::model) fn parse(&self, text: &Text, out: &mut Diagnostics) -> Option<Expr<Name>> {
        let parsed = expr::parse(text, out)?;
        let filled = parsed.try_map(&mut |name: &Name| {
            Ok::<_, std::convert::Infallible>(match name.parts.as_slice() {
                [word, parameter] if word.value == WORD => Expr::Literal(number(self.value(parameter, out).unwrap_or("1"))),
                _ => Expr::Ref(name.clone()),
            })
        });
        match filled {
            Ok(filled) => Some(filled),
            Err(never) => match never {},
        }
    }

    /// The canonical text of a number, or of the parameter that stands for it.
    pub(super) fn number(&self, text: &Text, out: &mut Diagnostics) -> Option<String> {
        match text.value.split_once('.').filter(|(word, _)| *word == WORD) {
            Some((_, name)) => {
                let name = Text::new(name.to_owned(), text.span);
                self.value(&name, out).map(str::to_owned)
            }
            None => {
                let canonical = canonical_decimal(&text.value);
                if canonical.is_none() {
                    out.push(
                        Diagnostic::error("M063", text.span, format!("`{}` is not a number", text.value))
                            .help("write a number such as 0.25, or `parameters.` and the name of one"),
                    );
                }
                canonical
            }
        }
    }

    fn value(&self, name: &Text, out: &mut Diagnostics) -> Option<&str> {
        let found = self.values.get(&name.value);
        if found.is_none() {
            out.push(unknown("M019", "parameter", &name.value, name.span, self.values.keys().map(String::as_str)));
        }
        found.map(String::as_str)
    }
}

/// A number as the parser of expressions would have read it.
fn number(canonical: &str) -> Value {
    match canonical.parse() {
        Ok(whole) => Value::Int(whole),
        Err(_) => Value::Decimal(canonical.to_owned()),
    }
}
