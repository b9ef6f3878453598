//! M003: names that differ here must differ in the API too, where `a_1` and `a1` are both `a1`.

use std::collections::HashMap;

use super::{Draft, camel_case};
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
};

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let index = &draft.index;
    // Entities and views share the root of the API.
    let entities = index.entities.iter().map(|(name, _)| ("entity", name));
    distinct(entities.chain(index.views.iter().map(|(name, _)| ("view", name))), out);
    distinct(index.metrics.iter().map(|(name, _)| ("metric", name)), out);
    distinct(index.segments.iter().map(|(name, _)| ("segment", name)), out);
    distinct(index.saved_queries.iter().map(|(name, _)| ("saved query", name)), out);
    for (_, entity) in index.entities.iter() {
        let dimensions = entity.dimensions.iter().map(|(name, _)| ("dimension", name));
        let times = entity.time.iter().map(|(name, _)| ("time", name));
        distinct(dimensions.chain(times).chain(entity.relationships.iter().map(|(name, _)| ("relationship", name))), out);
    }
}

fn distinct<'a>(names: impl Iterator<Item = (&'static str, &'a Text)>, out: &mut Diagnostics) {
    let mut seen: HashMap<String, (&'static str, &Text)> = HashMap::new();
    for (what, name) in names {
        let camel = camel_case(&name.value);
        match seen.get(&camel) {
            // Two of one kind and name are reported where names are collected.
            Some((first_what, first)) if first.value != name.value || *first_what != what && is_root(what) => out.push(
                Diagnostic::error(
                    "M003",
                    name.span,
                    format!("{what} `{}` and {first_what} `{}` are both `{camel}` in the API", name.value, first.value),
                )
                .also(first.span, "the other one")
                .help("rename one of them"),
            ),
            Some(_) => {}
            None => {
                seen.insert(camel, (what, name));
            }
        }
    }
}

fn is_root(what: &str) -> bool {
    what == "view"
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes_of;

    #[test]
    fn names_that_meet_in_camel_case_are_refused() {
        let report = codes_of(
            "entity: account\nsource: account\nkey: account_id\ndimensions: {size_1: string, size1: string, size_2: string}\n",
        );
        assert_eq!(report, ["M003: dimension `size1` and dimension `size_1` are both `size1` in the API"]);
    }
}
