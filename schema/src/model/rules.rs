//! What must be true of definitions beyond names that exist and types that fit. One rule per file; adding one touches the two lists
//! below and nothing else.

mod camel_case_collisions;
mod chains;
mod fixtures;
mod formats;
mod identifiers;
mod masks;
mod money;
mod reserved_names;
mod undeclared_values;
mod units;
mod view_names;

use super::resolve::Draft;
use crate::diagnostic::Diagnostics;

pub(super) use identifiers::is_identifier;
pub use reserved_names::{is_kept_from_entities, is_kept_from_fields};
pub(super) use undeclared_values::in_question;

type Rule = fn(&Draft<'_>, &mut Diagnostics);

const RULES: &[Rule] = &[
    identifiers::check,
    camel_case_collisions::check,
    reserved_names::check,
    view_names::check,
    undeclared_values::check,
    masks::check,
    units::check,
    chains::check,
    formats::check,
    money::check,
    fixtures::check,
];

/// Applies every rule.
pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    for rule in RULES {
        rule(draft, out);
    }
}

/// The name in the API: `contraction_mrr` is `contractionMrr`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        out.extend(letters);
    }
    out
}

#[cfg(test)]
mod testing;
