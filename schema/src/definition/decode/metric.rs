//! Entries of a `metrics:` mapping.

use super::{Context, Map, test};
use crate::definition::{
    Text,
    metric::{Cohort, Cumulative, Metric, MetricKind, Movement, Offset, Peers, PerEntity, Score, ScoreInput, Series, Share},
    yaml::Node,
};
use crate::diagnostic::Diagnostic;

/// The keys that say how a metric is computed.
const KINDS: &[&str] =
    &["measure", "ratio", "expr", "cumulative", "offset", "movement", "per_entity", "share", "score", "series", "cohort", "peers"];

pub(super) fn metric(context: &Context<'_>, name: &Text, node: &Node) -> Option<Metric> {
    let map = Map::open(context, node, "metric", Some(name.span))?;
    let label = map.text("label");
    let description = map.text("description");
    let kind = map.exactly_one_of(KINDS, "how it is computed").and_then(|key| kind(&map, key));
    let filter = map.expression("where");
    // Here `null` is the word for what is shown, not the absence of one.
    let empty = map.node("empty").and_then(|(_, node)| if node.is_null() { context.written(node) } else { context.text(node) });
    let unit = map.text("unit");
    let format = map.text("format");
    let direction = map.text("direction");
    let owner = map.text("owner");
    let version = map.whole("version");
    let deprecated = map.text("deprecated");
    let tags = map.texts("tags");
    let source = map.text("source");
    let tests = map.list("tests", test::test);
    map.finish();
    Some(Metric {
        span: node.span,
        label,
        description,
        // What is wrong with it has been told; the rest is looked at all the same.
        kind: kind.unwrap_or(MetricKind::Unread),
        filter,
        empty,
        unit,
        format,
        direction,
        owner,
        version,
        deprecated,
        tags,
        source,
        tests,
    })
}

fn kind(map: &Map<'_>, key: &'static str) -> Option<MetricKind> {
    Some(match key {
        "measure" => MetricKind::Measure(map.text(key)?),
        "ratio" => MetricKind::Ratio(map.expression(key)?),
        "expr" => MetricKind::Expr(map.expression(key)?),
        "cumulative" => MetricKind::Cumulative(map.optional(key, cumulative)?),
        "offset" => MetricKind::Offset(map.optional(key, offset)?),
        "movement" => MetricKind::Movement(map.optional(key, movement)?),
        "per_entity" => MetricKind::PerEntity(map.optional(key, per_entity)?),
        "share" => MetricKind::Share(map.optional(key, share)?),
        "score" => MetricKind::Score(map.optional(key, score)?),
        "series" => MetricKind::Series(map.optional(key, series)?),
        "cohort" => MetricKind::Cohort(map.optional(key, cohort)?),
        "peers" => MetricKind::Peers(map.optional(key, peers)?),
        other => unreachable!("`{other}` is not among the kinds listed above"),
    })
}

fn cumulative(context: &Context<'_>, name: &Text, node: &Node) -> Option<Cumulative> {
    let map = Map::open(context, node, "cumulative metric", Some(name.span))?;
    let of = map.required_text("of");
    let extent = map.exactly_one_of(&["window", "to_date"], "how far back it adds up");
    let window = map.text("window").filter(|_| extent == Some("window"));
    let to_date = map.text("to_date").filter(|_| extent == Some("to_date"));
    map.finish();
    extent?;
    Some(Cumulative { of: of?, window, to_date })
}

fn offset(context: &Context<'_>, name: &Text, node: &Node) -> Option<Offset> {
    let map = Map::open(context, node, "metric with an offset", Some(name.span))?;
    let of = map.required_text("of");
    let by = map.required_text("by");
    map.finish();
    Some(Offset { of: of?, by: by? })
}

fn movement(context: &Context<'_>, name: &Text, node: &Node) -> Option<Movement> {
    let map = Map::open(context, node, "movement", Some(name.span))?;
    let of = map.required_text("of");
    let is = map.texts("is");
    let take = map.text("take");
    let with = map.named("with", |context, _, node| context.text(node));
    let grain = map.text("grain");
    let when = map.expression("when");
    map.finish();
    Some(Movement { of: of?, is, take, with, grain, when })
}

fn cohort(context: &Context<'_>, name: &Text, node: &Node) -> Option<Cohort> {
    let map = Map::open(context, node, "cohort", Some(name.span))?;
    let of = map.required_text("of");
    let over = map.text("over");
    let is = map.texts("is");
    let take = map.text("take");
    let grain = map.text("grain");
    let when = map.expression("when");
    map.finish();
    Some(Cohort { of: of?, over, is, take, grain, when })
}

fn per_entity(context: &Context<'_>, name: &Text, node: &Node) -> Option<PerEntity> {
    let map = Map::open(context, node, "metric per entity", Some(name.span))?;
    let entity = map.required_text("entity");
    let each = map.text("each");
    let of = map.expression("of");
    let aggregate = map.text("aggregate");
    let top = map.number("top");
    let at_least = map.number("at_least");
    let condition = map.expression("where");
    // A size that cannot be read has been told; without one it would be told again.
    let is_unread = top.is_none() && map.node("top").is_some();
    map.finish();
    (!is_unread).then_some(())?;
    Some(PerEntity { entity: entity?, each, of, aggregate, top, at_least, condition })
}

fn share(context: &Context<'_>, name: &Text, node: &Node) -> Option<Share> {
    let map = Map::open(context, node, "share", Some(name.span))?;
    let of = map.required_text("of");
    let as_ = map.text("as");
    map.finish();
    Some(Share { of: of?, as_ })
}

fn score(context: &Context<'_>, name: &Text, node: &Node) -> Option<Score> {
    let map = Map::open(context, node, "score", Some(name.span))?;
    let form = map.exactly_one_of(&["inputs", "of"], "what it is made of");
    let inputs = map.named("inputs", score_input);
    let min_coverage = map.number("min_coverage");
    let scale = map.number("scale");
    let of = map.text("of").filter(|_| form == Some("of"));
    let take = map.text("take");
    let of_inputs = form == Some("inputs");
    let misplaced = if of_inputs { vec!["take"] } else { vec!["min_coverage", "scale"] };
    for key in misplaced {
        if let Some((key, _)) = map.node(key).filter(|_| form.is_some()) {
            let of = if of_inputs { "a score that has `inputs`" } else { "what is taken `of` a score" };
            context.push(Diagnostic::error("D006", key.span, format!("{of} has no `{}`", key.value)));
        }
    }
    if form == Some("of") && take.is_none() {
        let error = Diagnostic::error("D002", name.span, "this score does not say what it takes");
        context.push(error.help("add `take: coverage` or `take: top_driver`"));
        map.finish();
        return None;
    }
    map.finish();
    form?;
    Some(Score { inputs, min_coverage, scale, of, take })
}

fn score_input(context: &Context<'_>, name: &Text, node: &Node) -> Option<ScoreInput> {
    let map = Map::open(context, node, "score input", Some(name.span))?;
    let of = map.text("of");
    let weight = map.number("weight");
    let from = map.number("from");
    let to = map.number("to");
    map.finish();
    Some(ScoreInput { of, weight, from, to })
}

fn series(context: &Context<'_>, name: &Text, node: &Node) -> Option<Series> {
    let map = Map::open(context, node, "series", Some(name.span))?;
    let of = map.required_text("of");
    let grain = map.required_text("grain");
    let window = map.required_text("window");
    let take = map.required_text("take");
    let per = map.text("per");
    let at_least = map.whole("at_least");
    let horizon = map.text("horizon");
    map.finish();
    Some(Series { of: of?, grain: grain?, window: window?, take: take?, per, at_least, horizon })
}

fn peers(context: &Context<'_>, name: &Text, node: &Node) -> Option<Peers> {
    let map = Map::open(context, node, "metric of peers", Some(name.span))?;
    let of = map.required_text("of");
    let entity = map.required_text("entity");
    let group = map.texts("group");
    let take = map.required_text("take");
    let at_least = map.number("at_least");
    map.finish();
    Some(Peers { of: of?, entity: entity?, group, take: take?, at_least })
}
