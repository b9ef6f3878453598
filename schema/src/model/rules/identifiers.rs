//! M001: names are snake_case, because they become SQL aliases and, in camelCase, GraphQL names.

use super::Draft;
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
};

/// The most that PostgreSQL keeps of a column alias.
const LONGEST: usize = 63;

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let definitions = draft.definitions;
    for entity in &definitions.entities {
        one("entity", &entity.entity, out);
        entity.dimensions.iter().for_each(|(name, _)| one("dimension", name, out));
        entity.time.iter().for_each(|(name, _)| one("time", name, out));
        entity.relationships.iter().for_each(|(name, _)| one("relationship", name, out));
        entity.measures.iter().for_each(|(name, _)| one("measure", name, out));
        entity.movements.iter().flat_map(|movements| &movements.grains).for_each(|(name, _)| one("movement grain", name, out));
    }
    definitions.metrics.iter().for_each(|(name, _)| one("metric", name, out));
    definitions.parameters.iter().for_each(|(name, _)| one("parameter", name, out));
    for view in &definitions.views {
        one("view", &view.view, out);
        view.dimensions.iter().filter_map(|dimension| dimension.name.as_ref()).for_each(|name| one("dimension", name, out));
    }
    definitions.segments.iter().for_each(|(name, _)| one("segment", name, out));
    definitions.rules.iter().for_each(|(name, _)| one("rule", name, out));
    definitions.policies.iter().for_each(|(name, _)| one("policy", name, out));
    definitions.saved_queries.iter().for_each(|(name, _)| one("saved query", name, out));
    definitions.fixtures.iter().for_each(|(name, _)| one("fixture", name, out));
}

fn one(what: &str, name: &Text, out: &mut Diagnostics) {
    if is_identifier(&name.value) {
        return;
    }
    let mut diagnostic = Diagnostic::error("M004", name.span, format!("{what} name `{}` is not in snake_case", name.value))
        .label(format!("expected small letters, digits and single underscores, up to {LONGEST} in all"));
    let better = suggestion(&name.value);
    if is_identifier(&better) {
        diagnostic = diagnostic.help(format!("write `{better}`"));
    }
    out.push(diagnostic);
}

/// Small letters, digits and single underscores; begins with a letter, does not end with an underscore.
pub(in crate::model) fn is_identifier(name: &str) -> bool {
    let allowed = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    allowed && begins && !name.ends_with('_') && !name.contains("__") && name.len() <= LONGEST
}

fn suggestion(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_alphanumeric() {
            let new_word =
                letter.is_ascii_uppercase() && index > 0 && name[..index].ends_with(|before: char| before.is_ascii_lowercase());
            if new_word {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::testing::codes_of, *};

    #[test]
    fn names_that_would_not_survive_the_api_are_refused() {
        for (name, fine) in
            [("mrr", true), ("mrr_12m", true), ("Mrr", false), ("_x", false), ("a__b", false), ("a_", false), ("1a", false)]
        {
            assert_eq!(is_identifier(name), fine, "{name}");
        }
        assert_eq!(suggestion("OpeningMRR (net)"), "opening_mrr_net");
    }

    #[test]
    fn fails_with_a_better_name() {
        let report = codes_of("entity: Account\nsource: account\nkey: account_id\n");
        assert_eq!(report, ["M004: entity name `Account` is not in snake_case"]);
    }
}
