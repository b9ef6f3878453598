//! Entries of `segments:`, `rules:` and `policies:`.

use super::{Context, Map};
use crate::definition::{
    Text,
    access::{Policy, Rule, Segment},
    yaml::Node,
};

pub(super) fn segment(context: &Context<'_>, name: &Text, node: &Node) -> Option<Segment> {
    let map = Map::open(context, node, "segment", Some(name.span))?;
    let entity = map.required_text("entity");
    let filter = map.required_expression("where");
    let label = map.text("label");
    let description = map.text("description");
    map.finish();
    Some(Segment { entity: entity?, filter: filter?, label, description })
}

pub(super) fn rule(context: &Context<'_>, name: &Text, node: &Node) -> Option<Rule> {
    let map = Map::open(context, node, "rule", Some(name.span))?;
    let per = map.required_text("per");
    let when = map.required_expression("when");
    let at = map.text("at");
    let persistence = map.whole("for");
    let unknown = map.text("unknown");
    let severity = map.text("severity");
    let plays = map.texts("play");
    let label = map.text("label");
    let description = map.text("description");
    let source = map.text("source");
    map.finish();
    Some(Rule { span: node.span, per: per?, when: when?, at, persistence, unknown, severity, plays, label, description, source })
}

pub(super) fn policy(context: &Context<'_>, name: &Text, node: &Node) -> Option<Policy> {
    let map = Map::open(context, node, "policy", Some(name.span))?;
    let is_about_something = map.exactly_one_of(&["applies_to", "metrics"], "what it is about").is_some();
    let applies_to = map.text("applies_to");
    let (metrics, rules) = (map.texts("metrics"), map.texts("rules"));
    // A list of nothing says something else than none.
    let (has_metrics, has_rules) = (map.has("metrics"), map.has("rules"));
    let roles = map.texts("roles");
    let rows = map.expression("rows");
    let hide = map.texts("hide");
    let mask = map.texts("mask");
    let peers = map.text("peers");
    let description = map.text("description");
    map.finish();
    let (metrics, rules) = (has_metrics.then_some(metrics), has_rules.then_some(rules));
    is_about_something.then_some(Policy {
        span: node.span,
        applies_to,
        metrics,
        rules,
        roles,
        rows,
        hide,
        mask,
        peers,
        description,
    })
}
