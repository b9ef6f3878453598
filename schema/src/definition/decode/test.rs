//! Entries of `fixtures:`, `tests:` and `saved_queries:`.

use super::{Context, Map};
use crate::definition::{
    Named, Text,
    test::{Ask, Fixture, FixtureRow, Literal, SavedQuery, SavedQuestion, Test},
    yaml::{Kind, Node, Style},
};

pub(super) fn fixture(context: &Context<'_>, name: &Text, node: &Node) -> Option<Fixture> {
    let map = Map::open(context, node, "fixture", Some(name.span))?;
    let description = map.text("description");
    let tables = map.required("tables", |context, _, node| context.named(node, rows));
    map.finish();
    Some(Fixture { description, tables: tables? })
}

/// The rows of one table; an empty table is `[]`.
fn rows(context: &Context<'_>, _: &Text, node: &Node) -> Option<Vec<FixtureRow>> {
    Some(context.items(node).iter().filter_map(|row| literals(context, row)).collect())
}

fn literals(context: &Context<'_>, node: &Node) -> Option<Named<Literal>> {
    context.named(node, |context, _, value| literal(context, value))
}

fn literal(context: &Context<'_>, node: &Node) -> Option<Literal> {
    match &node.kind {
        Kind::Scalar { .. } if node.is_null() => Some(Literal { text: None, quoted: false, span: node.span }),
        Kind::Scalar { text, style } => {
            let quoted = match style {
                Style::Plain => false,
                Style::Quoted | Style::Block => true,
            };
            Some(Literal { text: Some(text.clone()), quoted, span: node.span })
        }
        Kind::Sequence(_) | Kind::Mapping(_) => {
            context.wrong_kind(node, "a single value");
            None
        }
    }
}

pub(super) fn test(context: &Context<'_>, node: &Node) -> Option<Test> {
    let map = Map::open(context, node, "test", None)?;
    let name = map.text("name");
    let given = map.texts("given");
    let ask = map.required("ask", ask);
    let expect = map.list("expect", literals);
    let expect_totals = map.optional("expect_totals", |context, _, node| literals(context, node));
    let tolerance = map.decimal("tolerance");
    map.finish();
    Some(Test { span: node.span, name, given, ask: ask?, expect, expect_totals, tolerance })
}

pub(super) fn saved_query(context: &Context<'_>, name: &Text, node: &Node) -> Option<SavedQuery> {
    let map = Map::open(context, node, "saved query", Some(name.span))?;
    let label = map.text("label");
    let description = map.text("description");
    let question = map.exactly_one_of(&["ask", "document"], "what it asks").and_then(|key| match key {
        "ask" => map.optional("ask", ask).map(|ask| SavedQuestion::Ask(Box::new(ask))),
        _ => map.text("document").map(SavedQuestion::Document),
    });
    map.finish();
    Some(SavedQuery { label, description, question: question? })
}

fn ask(context: &Context<'_>, name: &Text, node: &Node) -> Option<Ask> {
    let map = Map::open(context, node, "question", Some(name.span))?;
    let ask = Ask {
        span: node.span,
        view: map.text("view"),
        metrics: map.texts("metrics"),
        by: map.texts("by"),
        range: map.text("range"),
        filter: map.expression("where"),
        having: map.expression("having"),
        order_by: map.texts("order_by"),
        limit: map.whole("limit"),
        movement_grain: map.text("movement_grain"),
        movement_basis: map.text("movement_basis"),
        dimension_basis: map.text("dimension_basis"),
        as_of: map.text("as_of"),
        fill: map.text("fill"),
        currency: map.text("currency"),
        exchange_rate: map.text("exchange_rate"),
    };
    map.finish();
    Some(ask)
}
