//! Expression text in, typed expressions out: names get meanings, types are checked, mistakes get places.

use super::parameters::Parameters;
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    expr::{
        Expr, Name,
        types::{self, Checked, Meaning, Mismatch},
    },
    source::Span,
    value::{Value, ValueType},
};

/// Gives every name a meaning. Reports each that has none, not only the first.
pub(super) fn mean<R>(
    expr: &Expr<Name>,
    out: &mut Diagnostics,
    mut meaning: impl FnMut(&Name, &mut Diagnostics) -> Option<Meaning<R>>,
) -> Option<Expr<Meaning<R>>> {
    let mut complete = true;
    let meant = expr.try_map(&mut |name: &Name| {
        Ok::<_, std::convert::Infallible>(match meaning(name, out) {
            Some(meaning) => Expr::Ref(meaning),
            None => {
                complete = false;
                Expr::Literal(Value::Null)
            }
        })
    });
    match meant {
        Ok(meant) if complete => Some(meant),
        Ok(_) => None,
        Err(never) => match never {},
    }
}

/// Checks types; `whole` is the place of the expression.
pub(super) fn typed<R: Clone + PartialEq>(expr: &Expr<Meaning<R>>, whole: Span, out: &mut Diagnostics) -> Option<Checked<R>> {
    match types::check(expr) {
        Ok(checked) => Some(checked),
        Err(mismatch) => {
            out.push(mismatched(mismatch, whole));
            None
        }
    }
}

/// Checks that an expression is a condition.
pub(super) fn condition<R: Clone + PartialEq>(
    expr: &Expr<Meaning<R>>,
    whole: Span,
    out: &mut Diagnostics,
) -> Option<Expr<Meaning<R>>> {
    let (expr, known) = typed(expr, whole, out)?;
    match known {
        None | Some(ValueType::Bool) => Some(expr),
        Some(other) => {
            out.push(
                Diagnostic::error("M026", whole, format!("a condition is needed here, this is {}", types::described(other)))
                    .label("expected something that is true or false"),
            );
            None
        }
    }
}

/// Parses a text whose names all mean something of one kind, and checks that it is a condition.
pub(super) fn parse_condition<R: Clone + PartialEq>(
    parameters: &Parameters,
    text: &Text,
    out: &mut Diagnostics,
    meaning: impl FnMut(&Name, &mut Diagnostics) -> Option<Meaning<R>>,
) -> Option<Expr<Meaning<R>>> {
    let parsed = parameters.parse(text, out)?;
    let meant = mean(&parsed, out, meaning)?;
    condition(&meant, text.span, out)
}

/// Forgets types and places.
pub(super) fn plain<R: Clone>(expr: &Expr<Meaning<R>>) -> Expr<R> {
    replace(expr, |to| Expr::Ref(to.clone()))
}

/// Puts an expression in place of each reference.
pub(super) fn replace<R, S>(expr: &Expr<Meaning<R>>, mut f: impl FnMut(&R) -> Expr<S>) -> Expr<S> {
    match expr.try_map(&mut |meaning: &Meaning<R>| Ok::<_, std::convert::Infallible>(f(&meaning.to))) {
        Ok(expr) => expr,
        Err(never) => match never {},
    }
}

fn mismatched(mismatch: Mismatch, whole: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error("M026", mismatch.span.unwrap_or(whole), mismatch.message);
    match mismatch.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
