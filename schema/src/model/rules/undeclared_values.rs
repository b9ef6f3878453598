//! M035: a dimension that declares its values is compared with those only; anything else is a typing error that selects nothing.

use super::Draft;
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    expr::{BinaryOp, Expr, Name},
    model::{Dimension, EntityId, View, view::ViewTarget},
    source::Span,
    suggest,
    value::Value,
};

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    for (position, (_, entity)) in draft.index.entities.iter().enumerate() {
        let id = EntityId(position as u16);
        let exprs = entity.dimensions.iter().filter_map(|(_, dimension)| dimension.expr.as_ref());
        let measures = entity.measures.iter().flat_map(|(_, measure)| measure.filter.iter().chain([&measure.expr]));
        for text in exprs.chain(measures) {
            condition(draft, id, text, out);
        }
    }
    for (position, (_, metric)) in draft.index.metrics.iter().enumerate() {
        let fact = draft.metrics[position].as_ref().and_then(|metric| metric.facts.first());
        if let (Some(filter), Some(fact)) = (&metric.filter, fact) {
            condition(draft, *fact, filter, out);
        }
    }
    for (_, segment) in draft.index.segments.iter() {
        if let Some(entity) = draft.index.entities.get(&segment.entity.value) {
            condition(draft, EntityId(entity as u16), &segment.filter, out);
        }
    }
    for (_, policy) in draft.index.policies.iter() {
        let entity = policy.applies_to.as_ref().and_then(|entity| draft.index.entities.get(&entity.value));
        if let (Some(entity), Some(rows)) = (entity, &policy.rows) {
            condition(draft, EntityId(entity as u16), rows, out);
        }
    }
    default_kind(draft, out);
}

/// A condition of a question, over the dimensions of a view.
pub(in crate::model) fn in_question(draft: &Draft<'_>, view: &View, filter: &Text, out: &mut Diagnostics) {
    compared(draft, filter, out, |name| {
        let written = name.to_string();
        match view.dimensions.iter().find(|dimension| dimension.name == written)?.target {
            ViewTarget::Dimension(id) => Some(&draft.entities[id.entity.index()].dimensions[id.index.index()]),
            ViewTarget::Entity(_) => None,
        }
    });
}

/// The kind of exchange rates that holds where a question names none.
fn default_kind(draft: &Draft<'_>, out: &mut Diagnostics) {
    let written = draft.definitions.projects.first().and_then(|project| project.exchange_rates.as_ref());
    let Some((entity, kind, default)) = written.and_then(|rates| {
        Some((draft.index.entities.get(&rates.entity.value)?, rates.kind.as_ref()?, rates.default_kind.as_ref()?))
    }) else {
        return;
    };
    let entity = &draft.entities[entity];
    if let Some(index) = entity.dimension_named(&kind.value) {
        value(&entity.dimensions[index.index()], &kind.value, &default.value, default.span, out);
    }
}

fn condition(draft: &Draft<'_>, from: EntityId, text: &Text, out: &mut Diagnostics) {
    compared(draft, text, out, |name| dimension(draft, from, name));
}

/// Looks at every constant that a condition compares with what `dimension` knows. What does not parse or is not known has been reported.
fn compared<'d>(draft: &'d Draft<'_>, text: &Text, out: &mut Diagnostics, dimension: impl Fn(&Name) -> Option<&'d Dimension>) {
    let Some(expr) = draft.parameters.parse(text, &mut Diagnostics::default()) else { return };
    walk(&expr, &mut |name, constant| {
        if let (Some(dimension), Value::Text(constant)) = (dimension(name), constant) {
            value(dimension, &name.to_string(), constant, name.span, out);
        }
    });
}

fn value(dimension: &Dimension, name: &str, value: &str, span: Span, out: &mut Diagnostics) {
    if dimension.values.is_empty() || dimension.values.iter().any(|known| known == value) {
        return;
    }
    let mut diagnostic = Diagnostic::error("M035", span, format!("`{value}` is not a value of `{name}`"))
        .label(format!("it can be: {}", dimension.values.join(", ")))
        .also(dimension.span, "declared here");
    if let Some(best) = suggest::nearest(value, dimension.values.iter().map(String::as_str)).first() {
        diagnostic = diagnostic.help(format!("did you mean '{best}'?"));
    }
    out.push(diagnostic);
}

fn dimension<'d>(draft: &'d Draft<'_>, from: EntityId, name: &Name) -> Option<&'d Dimension> {
    let found = draft.dimension(from, &name.parts, &mut Diagnostics::default())?.dimension;
    Some(&draft.entities[found.entity.index()].dimensions[found.index.index()])
}

/// Visits every comparison of a name with a constant.
fn walk(expr: &Expr<Name>, seen: &mut impl FnMut(&Name, &Value)) {
    match expr {
        Expr::Ref(_) | Expr::Literal(_) => {}
        Expr::Unary(_, value) | Expr::IsNull { value, .. } => walk(value, seen),
        Expr::Binary(op, left, right) => {
            match (op, left.as_ref(), right.as_ref()) {
                (BinaryOp::Equal | BinaryOp::NotEqual, Expr::Ref(name), Expr::Literal(value))
                | (BinaryOp::Equal | BinaryOp::NotEqual, Expr::Literal(value), Expr::Ref(name)) => seen(name, value),
                _ => {}
            }
            walk(left, seen);
            walk(right, seen);
        }
        Expr::In { value, list, .. } => {
            for item in list {
                if let (Expr::Ref(name), Expr::Literal(item)) = (value.as_ref(), item) {
                    seen(name, item);
                }
                walk(item, seen);
            }
            walk(value, seen);
        }
        Expr::Case { arms, otherwise } => {
            for arm in arms {
                walk(&arm.when, seen);
                walk(&arm.then, seen);
            }
            otherwise.iter().for_each(|otherwise| walk(otherwise, seen));
        }
        Expr::Call(_, arguments) => arguments.iter().for_each(|argument| walk(argument, seen)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SNAPSHOT, codes_of};

    #[test]
    fn a_mistyped_value_is_found_in_filters() {
        let model = |filter: &str| {
            codes_of(&format!("{SNAPSHOT}---\nmetrics:\n  mrr: {{measure: component_value.mrr, where: \"{filter}\"}}\n"))
        };
        assert_eq!(model("account.segment = 'smb'"), Vec::<String>::new());
        assert_eq!(model("account.segment in ('smb', 'entreprise')"), ["M035: `entreprise` is not a value of `account.segment`"]);
        assert_eq!(model("account.name = 'anything'"), Vec::<String>::new());
    }

    /// `segment != 'smbs'` would hide nothing.
    #[test]
    fn a_mistyped_value_is_found_in_policies() {
        let model = |rows: &str| codes_of(&format!("{SNAPSHOT}---\npolicies:\n  own: {{applies_to: account, rows: \"{rows}\"}}\n"));
        assert_eq!(model("segment != 'smb' or claims.segment = segment"), Vec::<String>::new());
        assert_eq!(model("segment != 'smbs'"), ["M035: `smbs` is not a value of `segment`"]);
        assert_eq!(model("segment in ('entt', claims.segment)"), ["M035: `entt` is not a value of `segment`"]);
    }

    #[test]
    fn a_mistyped_value_is_found_in_measures() {
        let model = |value: &str| {
            let measure =
                format!("  rows_seen: {{count: rows}}\n  large: {{sum: \"case when size = '{value}' then amount else 0 end\"}}\n");
            let snapshot = SNAPSHOT.replace("  rows_seen: {count: rows}\n", &measure);
            codes_of(&snapshot.replace("  amount: {", "  size: {values: [large, small]}\n  amount: {"))
        };
        assert_eq!(model("large"), Vec::<String>::new());
        assert_eq!(model("lagre"), ["M035: `lagre` is not a value of `size`"]);
    }

    #[test]
    fn a_mistyped_value_is_found_in_questions() {
        let model = |value: &str| {
            codes_of(&format!(
                "{SNAPSHOT}---\nmetrics:\n  mrr:\n    measure: component_value.mrr\n    tests: [{{ask: {{where: \"segment = '{value}'\"}}, expect: []}}]\n\
                 ---\nview: v\nmetrics: [mrr]\ndimensions: [account.segment]\n\
                 ---\nsaved_queries:\n  s: {{ask: {{metrics: mrr, where: \"segment not in ('smb', '{value}')\"}}}}\n"
            ))
        };
        assert_eq!(model("smb"), Vec::<String>::new());
        assert_eq!(model("smbs"), ["M035: `smbs` is not a value of `segment`"; 2]);
    }

    #[test]
    fn a_mistyped_default_kind_of_rates_is_found() {
        let model = |kind: &str| {
            let rates = format!(
                "project: test\ncurrency: USD\nexchange_rates: {{entity: rate, from: code, to: base, rate: value, kind: kind, default_kind: {kind}}}\n"
            );
            let entity = "---\nentity: rate\nsource: rate\nkey: [code, kind, since]\ntime: {since: {}}\n\
                          dimensions: {code: string, base: string, value: decimal, kind: {values: [month_end, budget]}}\n";
            codes_of(&format!("{}{entity}", SNAPSHOT.replace("project: test\n", &rates)))
        };
        assert_eq!(model("budget"), Vec::<String>::new());
        assert_eq!(model("month_ends"), ["M035: `month_ends` is not a value of `kind`"]);
    }
}
