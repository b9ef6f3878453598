//! M003: names that the API keeps for itself.

use super::{Draft, camel_case};
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
};

/// Fields of every row of a view.
pub(super) const OF_ROWS: [&str; 5] = ["id", "period", "compare", "status", "contributions"];
/// Fields of every entity.
const OF_ENTITIES: [&str; 2] = ["id", "metrics"];
/// Types that exist without any definition, and fields of the root.
const OF_THE_ROOT: [&str; 31] = [
    "query",
    "mutation",
    "subscription",
    "string",
    "int",
    "float",
    "boolean",
    "decimal",
    "date",
    "date_time",
    "time_zone",
    "big_int",
    "id",
    "node",
    "nodes",
    "metric",
    "metrics",
    "dimension",
    "dimensions",
    "period",
    "provenance",
    "page_info",
    "grain",
    "comparison",
    "fill",
    "time_range",
    "catalogue",
    "parameters",
    "signal",
    "signals",
    "contribution",
];

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    for (name, entity) in draft.index.entities.iter() {
        one("entity", name, &OF_THE_ROOT, out);
        entity.dimensions.iter().for_each(|(name, _)| one("dimension", name, &OF_ENTITIES, out));
        entity.time.iter().for_each(|(name, _)| one("time", name, &OF_ENTITIES, out));
        entity.relationships.iter().for_each(|(name, _)| one("relationship", name, &OF_ENTITIES, out));
    }
    draft.index.views.iter().for_each(|(name, _)| one("view", name, &OF_THE_ROOT, out));
    draft.index.metrics.iter().for_each(|(name, _)| one("metric", name, &OF_ROWS, out));
}

/// Whether the API keeps a name for itself where an entity or a view would bear it.
pub fn is_kept_from_entities(name: &str) -> bool {
    is_among(&OF_THE_ROOT, name)
}

/// Whether the API keeps a name for itself where a dimension, a time or a relationship would bear it.
pub fn is_kept_from_fields(name: &str) -> bool {
    is_among(&OF_ENTITIES, name)
}

fn is_among(reserved: &[&str], name: &str) -> bool {
    let name = camel_case(name);
    reserved.iter().any(|word| camel_case(word) == name)
}

fn one(what: &str, name: &Text, reserved: &[&str], out: &mut Diagnostics) {
    if is_among(reserved, &name.value) {
        let mut diagnostic =
            Diagnostic::error("M003", name.span, format!("the API keeps the name `{}` for itself", camel_case(&name.value)))
                .label(format!("a {what} needs another name"));
        if what == "dimension" {
            diagnostic =
                diagnostic.help(format!("keep the column and rename the dimension: `own_{0}: {{column: {0}}}`", name.value));
        }
        out.push(diagnostic);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes_of;

    #[test]
    fn names_of_the_api_are_refused() {
        assert_eq!(
            codes_of("entity: account\nsource: account\nkey: account_id\ndimensions: {id: string, status: string}\n"),
            ["M003: the API keeps the name `id` for itself"]
        );
    }
}
