//! M068: what a policy masks or hides is in no other dimension that its callers can ask for, and what it masks is in no measure. What is
//! hidden is not in the API and may be computed with, as a dimension that is `hidden` for everybody.

use std::collections::BTreeSet;

use super::Draft;
use crate::{
    definition::{Text, access::Policy},
    diagnostic::{Diagnostic, Diagnostics},
    model::{Dimension, DimensionIndex, Entity, entity::ColumnName},
};

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let policies: Vec<(&Entity, &Policy)> = draft
        .index
        .policies
        .iter()
        .filter_map(|(_, policy)| Some((&draft.entities[draft.index.entities.get(&policy.applies_to.as_ref()?.value)?], policy)))
        .collect();
    for (entity, policy) in &policies {
        // Whoever this policy restricts is restricted by those too.
        let besides = policies.iter().filter(|(other, beside)| other.name == entity.name && holds_for_all(beside, policy));
        let closed: BTreeSet<DimensionIndex> = besides
            .flat_map(|(_, beside)| members(entity, &beside.mask).chain(members(entity, &beside.hide)))
            .map(|(index, _)| index)
            .collect();
        for (index, text) in members(entity, &policy.mask) {
            dimensions(entity, index, text, &closed, out);
            measures(entity, index, text, out);
        }
        for (index, text) in members(entity, &policy.hide) {
            dimensions(entity, index, text, &closed, out);
        }
    }
}

/// Whether a policy restricts every caller that another restricts.
fn holds_for_all(policy: &Policy, other: &Policy) -> bool {
    let has = |role: &Text| policy.roles.iter().any(|known| known.value == role.value);
    policy.roles.is_empty() || (!other.roles.is_empty() && other.roles.iter().all(has))
}

/// The dimensions that a list takes away; a name that is none has been reported.
fn members<'d>(entity: &'d Entity, list: &'d [Text]) -> impl Iterator<Item = (DimensionIndex, &'d Text)> {
    list.iter().filter_map(|text| {
        let name = text.value.strip_prefix(&entity.name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&text.value);
        Some((entity.dimension_named(name)?, text))
    })
}

fn columns_of(dimension: &Dimension) -> BTreeSet<&ColumnName> {
    let mut columns = BTreeSet::new();
    dimension.expr.visit_refs(&mut |column| {
        columns.insert(column);
    });
    columns
}

fn dimensions(entity: &Entity, index: DimensionIndex, text: &Text, closed: &BTreeSet<DimensionIndex>, out: &mut Diagnostics) {
    let taken = &entity.dimensions[index.index()];
    let mut columns = columns_of(taken);
    // Ids tell the key anyway: what is taken away is what else the dimension is read from.
    let is_key = |column: &ColumnName| entity.key_columns().any(|key| key == column);
    if !columns.iter().all(|column| is_key(column)) {
        columns.retain(|column| !is_key(column));
    }
    for (position, dimension) in entity.dimensions.iter().enumerate() {
        let shares = !columns.is_disjoint(&columns_of(dimension));
        if shares && !dimension.hidden && !closed.contains(&DimensionIndex(position as u16)) {
            let message = format!("dimension `{}` is read from what is taken away with `{}`", dimension.name, taken.name);
            out.push(
                Diagnostic::warning("M068", text.span, message)
                    .also(dimension.span, "this one stays")
                    .help(format!("add `{}` to the same list, or make it `hidden: true`", dimension.name)),
            );
        }
    }
}

fn measures(entity: &Entity, index: DimensionIndex, text: &Text, out: &mut Diagnostics) {
    let taken = &entity.dimensions[index.index()];
    let columns = columns_of(taken);
    for measure in &entity.measures {
        let mut shares = false;
        measure.visit_columns(&mut |column| shares |= columns.contains(column));
        if shares {
            let message = format!("measure `{}` is computed from what is taken away with `{}`", measure.name, taken.name);
            out.push(
                Diagnostic::warning("M068", text.span, message)
                    .also(measure.span, "its values tell of it")
                    .help("let the measure read another column, or restrict `rows:` instead"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes_of;

    fn model(policies: &str) -> Vec<String> {
        codes_of(&format!(
            "project: test\n---\nentity: account\nsource: account\nkey: account_id\n\
             dimensions:\n  segment: string\n  shouted: {{expr: upper(segment)}}\n  again: {{type: string, column: segment}}\n  \
             quiet: {{expr: lower(segment), hidden: true}}\n  size: {{type: decimal}}\n\
             measures:\n  accounts: {{count: rows}}\n  total: {{sum: size}}\n\
             ---\npolicies:\n{policies}"
        ))
    }

    #[test]
    fn the_key_beside_what_else_a_dimension_is_read_from_is_told_anyway() {
        let of = |hidden: &str| {
            codes_of(&format!(
                "project: test\n---\nentity: account\nsource: account\nkey: account_id\n\
                 dimensions:\n  group: {{expr: \"coalesce(parent_id, account_id)\", type: string}}\n  parent_id: string\n\
                 ---\npolicies:\n  p: {{applies_to: account, roles: x, description: d, hide: {hidden}}}\n"
            ))
        };
        assert_eq!(of("[group, parent_id]"), [""; 0]);
        assert_eq!(of("group"), ["M068: dimension `parent_id` is read from what is taken away with `group`"]);
    }

    #[test]
    fn a_sibling_over_the_column_of_a_mask_escapes_it() {
        let dimension = |name: &str| format!("M068: dimension `{name}` is read from what is taken away with `segment`");
        for list in ["mask: [segment]", "hide: account.segment"] {
            assert_eq!(
                model(&format!("  p: {{applies_to: account, roles: csm, {list}}}\n")),
                [dimension("shouted"), dimension("again")],
                "{list}"
            );
        }
        assert_eq!(
            model("  p: {applies_to: account, roles: csm, mask: [segment, shouted], hide: again}\n"),
            Vec::<String>::new(),
            "all of them are closed"
        );
    }

    #[test]
    fn a_policy_for_others_closes_nothing() {
        let both = |roles: &str| {
            model(&format!(
                "  p: {{applies_to: account, roles: [csm, guest], mask: [segment, again]}}\n  q: {{applies_to: account, roles: {roles}, mask: shouted}}\n"
            ))
        };
        let of_q = "M068: dimension `segment` is read from what is taken away with `shouted`";
        let again = "M068: dimension `again` is read from what is taken away with `shouted`";
        assert_eq!(both("[guest, csm]"), Vec::<String>::new());
        let open = both("csm");
        assert!(open.iter().any(|message| message.contains("`shouted` is read")), "{open:?}");
        assert!(!open.contains(&of_q.to_owned()) && !open.contains(&again.to_owned()), "every csm has both policies: {open:?}");
    }

    #[test]
    fn a_measure_of_what_is_masked_is_told() {
        assert_eq!(
            model("  p: {applies_to: account, roles: csm, mask: size}\n"),
            ["M068: measure `total` is computed from what is taken away with `size`"]
        );
        assert_eq!(
            model("  p: {applies_to: account, roles: csm, hide: size}\n"),
            Vec::<String>::new(),
            "it is hidden, and may be computed with"
        );
    }
}
