//! M035: a dimension that declares its values is compared with those only; anything else is a typing error that selects nothing.

use super::Draft;
use crate::{
    definition::Text,
    diagnostic::{Diagnostic, Diagnostics},
    expr::{BinaryOp, Expr, Name},
    model::{Dimension, EntityId},
    suggest,
    value::Value,
};

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    for (position, (_, entity)) in draft.index.entities.iter().enumerate() {
        let id = EntityId(position as u16);
        let exprs = entity.dimensions.iter().filter_map(|(_, dimension)| dimension.expr.as_ref());
        for text in exprs.chain(entity.measures.iter().filter_map(|(_, measure)| measure.filter.as_ref())) {
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
}

fn condition(draft: &Draft<'_>, from: EntityId, text: &Text, out: &mut Diagnostics) {
    // What does not parse or is not known has been reported.
    let Some(expr) = draft.parameters.parse(text, &mut Diagnostics::default()) else { return };
    walk(&expr, &mut |name, value| {
        let Some(dimension) = dimension(draft, from, name) else { return };
        let Value::Text(value) = value else { return };
        if dimension.values.is_empty() || dimension.values.contains(value) {
            return;
        }
        let mut diagnostic = Diagnostic::error("M035", name.span, format!("`{value}` is not a value of `{name}`"))
            .label(format!("it can be: {}", dimension.values.join(", ")))
            .also(dimension.span, "declared here");
        if let Some(best) = suggest::nearest(value, dimension.values.iter().map(String::as_str)).first() {
            diagnostic = diagnostic.help(format!("did you mean '{best}'?"));
        }
        out.push(diagnostic);
    });
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
}
