//! The `view:` document.

use super::{Context, Map};
use crate::definition::{
    view::{View, ViewDimension},
    yaml::{Kind, Node},
};

pub(super) fn view(context: &Context<'_>, node: &Node) -> Option<View> {
    let map = Map::open(context, node, "view", None)?;
    let view = map.required_text("view");
    let label = map.text("label");
    let description = map.text("description");
    let metrics = map.required_texts("metrics");
    let dimensions = map.list("dimensions", dimension);
    map.finish();
    let view = view?;
    // Metrics that are missing have been told; the dimensions are looked at all the same.
    if metrics.is_none() {
        context.incomplete(&view);
    }
    Some(View { view, label, description, metrics: metrics.unwrap_or_default(), dimensions })
}

/// `account.segment`, or `{path: account.segment, name: size}`.
fn dimension(context: &Context<'_>, node: &Node) -> Option<ViewDimension> {
    if let Kind::Scalar { .. } = &node.kind {
        return Some(ViewDimension { path: context.text(node)?, name: None, overlapping: false });
    }
    let map = Map::open(context, node, "view dimension", None)?;
    let path = map.required_text("path");
    let name = map.text("name");
    let overlapping = map.flag("overlapping").is_some_and(|flag| flag.value);
    map.finish();
    Some(ViewDimension { path: path?, name, overlapping })
}
