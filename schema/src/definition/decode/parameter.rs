//! Entries of a `parameters:` mapping.

use super::{Context, Map};
use crate::{
    definition::{
        Text,
        parameter::Parameter,
        yaml::{Kind, Node},
    },
    diagnostic::Diagnostic,
    value::canonical_decimal,
};

/// `name: 0.70` is the value alone; a mapping says more.
pub(super) fn parameter(context: &Context<'_>, name: &Text, node: &Node) -> Option<Parameter> {
    if let Kind::Scalar { .. } = &node.kind {
        let value = context.text(node)?;
        if canonical_decimal(&value.value).is_none() {
            let message = format!("a parameter is a number such as 60 or 0.70, not `{}`", value.value);
            context.push(Diagnostic::error("D005", value.span, message));
            return None;
        }
        return Some(Parameter { value, description: None, overrides: None });
    }
    let map = Map::open(context, node, "parameter", Some(name.span))?;
    // Known before it is asked for: its absence is another mistake than a value that is no number.
    let is_there = map.required_text("value").is_some();
    let value = map.decimal("value").filter(|_| is_there);
    let description = map.text("description");
    let overrides = map.flag("overrides");
    map.finish();
    Some(Parameter { value: value?, description, overrides })
}
