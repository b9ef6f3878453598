//! Bands of a number in, a `case` that names them out.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::super::parameters::Parameters;
use crate::{
    definition::entity as written,
    diagnostic::{Diagnostic, Diagnostics},
    expr::{BinaryOp, CaseArm, Expr},
    model::entity::ColumnName,
    value::Value,
};

/// An upper edge in canonical text; `None` for the last band.
pub(super) type Edge = Option<(BinaryOp, String)>;

/// Edges from low to high. That each but the last has one, and only one, was checked when they were read.
pub(super) fn edges(bands: &written::Bands, parameters: &Parameters, out: &mut Diagnostics) -> Option<Vec<Edge>> {
    let mut edges = Vec::with_capacity(bands.edges.len());
    let mut highest: Option<(Decimal, bool)> = None;
    let mut sound = true;
    for edge in &bands.edges {
        let (text, inclusive) = match (&edge.below, &edge.up_to) {
            (Some(below), _) => (below, false),
            (None, Some(up_to)) => (up_to, true),
            (None, None) => {
                edges.push(None);
                continue;
            }
        };
        let canonical = parameters.number(text, out);
        let Some(canonical) = canonical else {
            sound = false;
            continue;
        };
        let mut fail = |message: String, help: &str| {
            out.push(Diagnostic::error("M024", text.span, message).help(help));
            sound = false;
        };
        let Ok(number) = Decimal::from_str(&canonical) else {
            fail(format!("`{}` is not a number of up to 28 digits", text.value), "write digits, such as 10000 or 0.7");
            continue;
        };
        if highest.is_some_and(|highest| highest >= (number, inclusive)) {
            fail(
                format!("band `{}` ends before it begins", edge.name.value),
                "write bands from low to high, each edge above the one before",
            );
        }
        highest = Some((number, inclusive));
        edges.push(Some((if inclusive { BinaryOp::LessOrEqual } else { BinaryOp::Less }, canonical)));
    }
    sound.then_some(edges)
}

/// Nothing is in no band: the last arm asks for a value instead of being an `else`.
pub(super) fn case(value: &Expr<ColumnName>, bands: &written::Bands, edges: &[Edge]) -> Expr<ColumnName> {
    let arms = bands.edges.iter().zip(edges).map(|(band, edge)| CaseArm {
        when: match edge {
            Some((op, text)) => Expr::binary(*op, value.clone(), Expr::Literal(Value::Decimal(text.clone()))),
            None => Expr::IsNull { value: Box::new(value.clone()), negated: true },
        },
        then: Expr::Literal(Value::Text(band.name.value.clone())),
    });
    Expr::Case { arms: arms.collect(), otherwise: None }
}
