//! The `entity:` document.

use super::{Context, Map};
use crate::{
    definition::{
        Text,
        entity::{
            BandEdge, Bands, Currency, Dimension, Entity, Freshness, Latest, Measure, Movements, Period, Relationship, Source,
            Through, TimeDimension, Validity,
        },
        yaml::{Kind, Node},
    },
    diagnostic::Diagnostic,
    source::Spanned,
};

pub(super) fn entity(context: &Context<'_>, node: &Node) -> Option<Entity> {
    let map = Map::open(context, node, "entity", None)?;
    let entity = map.required_text("entity");
    let label = map.text("label");
    let description = map.text("description");
    let owner = map.text("owner");
    let tags = map.texts("tags");
    let source = map.required("source", source);
    let key = map.required_texts("key");
    let valid = map.optional("valid", validity);
    let display = map.text("display");
    let freshness = map.optional("freshness", freshness);
    let dimensions = map.named("dimensions", dimension);
    let time = map.named("time", time_dimension);
    let relationships = map.named("relationships", relationship);
    let measures = map.named("measures", measure);
    let movements = map.optional("movements", movements);
    map.finish();
    let entity = entity?;
    // A source or a key that is missing has been told; the rest is looked at all the same.
    Some(Entity {
        label,
        description,
        owner,
        tags,
        source: source.unwrap_or_else(|| Source::Table(entity.clone())),
        key: key.unwrap_or_default(),
        entity,
        valid,
        display,
        freshness,
        dimensions,
        time,
        relationships,
        measures,
        movements,
    })
}

/// `warehouse.account`, or `{sql: select …}`.
fn source(context: &Context<'_>, name: &Text, node: &Node) -> Option<Source> {
    if let Kind::Scalar { .. } = &node.kind {
        return context.text(node).map(Source::Table);
    }
    let map = Map::open(context, node, "source", Some(name.span))?;
    let sql = map.required_text("sql");
    map.finish();
    sql.map(Source::Sql)
}

fn validity(context: &Context<'_>, name: &Text, node: &Node) -> Option<Validity> {
    let map = Map::open(context, node, "validity", Some(name.span))?;
    // Without a period, what is left to say is when a row became known.
    let has_period = map.has("from") || map.has("to") || !map.has("recorded");
    let period = if has_period { (map.required_text("from"), map.required_text("to")) } else { (map.text("from"), map.text("to")) };
    let recorded = if map.has("corrected") { map.required_text("recorded") } else { map.text("recorded") };
    let corrected = map.flag("corrected");
    map.finish();
    let period = match period {
        (Some(from), Some(to)) => Some(Period { from, to }),
        (None, None) if !has_period => None,
        _ => return None,
    };
    Some(Validity { period, recorded, corrected })
}

fn freshness(context: &Context<'_>, name: &Text, node: &Node) -> Option<Freshness> {
    let map = Map::open(context, node, "freshness", Some(name.span))?;
    let freshness = Freshness { ttl: map.text("ttl"), refresh: map.text("refresh") };
    map.finish();
    Some(freshness)
}

/// `name: string` says the type; a mapping says more.
fn dimension(context: &Context<'_>, name: &Text, node: &Node) -> Option<Dimension> {
    if let Kind::Scalar { .. } = &node.kind {
        return Some(Dimension { value_type: Some(context.text(node)?), ..Dimension::default() });
    }
    let map = Map::open(context, node, "dimension", Some(name.span))?;
    // Of two ways the first is kept, so that the second is reported only here.
    let way = map.one_of(&["column", "expr", "bands"], "where its values come from");
    let dimension = Dimension {
        value_type: map.text("type"),
        column: map.text("column").filter(|_| way == Some("column")),
        expr: map.expression("expr").filter(|_| way == Some("expr")),
        bands: map.optional("bands", bands).filter(|_| way == Some("bands")),
        label: map.text("label"),
        description: map.text("description"),
        unit: map.text("unit"),
        values: map.optional("values", |context, _, node| {
            Some(context.items(node).iter().filter_map(|item| context.text(item)).collect())
        }),
        read: map.text("read"),
        hidden: map.flag("hidden"),
    };
    map.finish();
    Some(dimension)
}

fn bands(context: &Context<'_>, name: &Text, node: &Node) -> Option<Bands> {
    let map = Map::open(context, node, "band list", Some(name.span))?;
    let of = map.required_expression("of");
    let edges = map.required("edges", |context, _, node| {
        let items = context.items(node);
        let edges: Option<Vec<_>> =
            items.iter().enumerate().map(|(index, item)| band_edge(context, item, index + 1 == items.len())).collect();
        edges
    });
    map.finish();
    Some(Bands { of: of?, edges: edges? })
}

fn band_edge(context: &Context<'_>, node: &Node, is_last: bool) -> Option<BandEdge> {
    let map = Map::open(context, node, "band", None)?;
    let name = map.required_text("name");
    let edge = if is_last { map.one_of(EDGES, "where the band ends") } else { map.exactly_one_of(EDGES, "where it ends") };
    if let (true, Some(key)) = (is_last, edge)
        && let Some((key, _)) = map.node(key)
    {
        let error = Diagnostic::error("D009", key.span, format!("the last band has no end, so it cannot have `{}`", key.value));
        context.push(error.help("add a band without `below` and `up_to` after it, for everything larger"));
    }
    let edge = edge.filter(|_| !is_last);
    let below = map.number("below").filter(|_| edge == Some("below"));
    let up_to = map.number("up_to").filter(|_| edge == Some("up_to"));
    map.finish();
    Some(BandEdge { name: name?, below, up_to })
}

/// The two ways to write the end of a band.
const EDGES: &[&str] = &["below", "up_to"];

fn time_dimension(context: &Context<'_>, name: &Text, node: &Node) -> Option<TimeDimension> {
    if let Kind::Scalar { .. } = &node.kind {
        return Some(TimeDimension { value_type: Some(context.text(node)?), ..TimeDimension::default() });
    }
    let map = Map::open(context, node, "time dimension", Some(name.span))?;
    let time = TimeDimension {
        value_type: map.text("type"),
        column: map.text("column"),
        grain: map.text("grain"),
        snapshot: map.text("snapshot"),
        label: map.text("label"),
        description: map.text("description"),
    };
    map.finish();
    Some(time)
}

fn relationship(context: &Context<'_>, name: &Text, node: &Node) -> Option<Relationship> {
    let map = Map::open(context, node, "relationship", Some(name.span))?;
    let is_top = map.has("top_of");
    let to = if is_top { Some(map.text("to")) } else { map.required_text("to").map(Some) };
    // Through a bridge the columns stand at the bridge, and those of a chain at the relationship that is followed.
    let key = if is_top || map.has("through") { Some(map.texts("key")) } else { map.required_texts("key") };
    let many = map.flag("many");
    let unique = map.flag("unique");
    let through = map.optional("through", through);
    let top_of = map.text("top_of");
    let levels = map.whole("levels");
    let description = map.text("description");
    map.finish();
    Some(Relationship { to: to?, key: key?, many, unique, through, top_of, levels, description })
}

fn through(context: &Context<'_>, name: &Text, node: &Node) -> Option<Through> {
    let map = Map::open(context, node, "bridge", Some(name.span))?;
    let entity = map.required_text("entity");
    let key = map.required_texts("key");
    let other_key = map.required_texts("other_key");
    let weight = map.text("weight");
    map.finish();
    Some(Through { entity: entity?, key: key?, other_key: other_key?, weight })
}

/// The keys that aggregate rows.
const AGGREGATES: &[&str] = &["sum", "avg", "min", "max", "count", "count_distinct"];

fn measure(context: &Context<'_>, name: &Text, node: &Node) -> Option<Measure> {
    let map = Map::open(context, node, "measure", Some(name.span))?;
    let aggregate = map.exactly_one_of(AGGREGATES, "how rows are aggregated").and_then(|key| {
        let (written, _) = map.node(key)?;
        Some((Spanned::new(key.to_owned(), written.span), map.expression(key)?))
    });
    let filter = map.expression("where");
    let latest = map.optional("latest", latest);
    let over_time = map.text("over_time");
    let time = map.text("time");
    let currency = map.optional("currency", currency);
    let label = map.text("label");
    let description = map.text("description");
    let unit = map.text("unit");
    map.finish();
    let (aggregate, expr) = aggregate?;
    Some(Measure { aggregate, expr, filter, latest, over_time, time, currency, label, description, unit })
}

fn latest(context: &Context<'_>, name: &Text, node: &Node) -> Option<Latest> {
    let map = Map::open(context, node, "choice of the latest rows", Some(name.span))?;
    let per = map.required_texts("per");
    let by = map.required_expression("by");
    map.finish();
    Some(Latest { per: per?, by: by? })
}

fn currency(context: &Context<'_>, name: &Text, node: &Node) -> Option<Currency> {
    let map = Map::open(context, node, "currency", Some(name.span))?;
    let local = map.required_expression("local");
    let rate = map.required_expression("rate");
    let code = map.required_expression("code");
    map.finish();
    Some(Currency { local: local?, rate: rate?, code: code? })
}

fn movements(context: &Context<'_>, name: &Text, node: &Node) -> Option<Movements> {
    let map = Map::open(context, node, "movement comparison", Some(name.span))?;
    let owner = map.required_text("owner");
    let grains = map.required("grains", |context, _, node| {
        context.named(node, |context, _, node| Some(context.items(node).iter().filter_map(|item| context.text(item)).collect()))
    });
    let cohort = map.text("cohort");
    let component = map.text("component");
    let replaces = map.text("replaces");
    map.finish();
    Some(Movements { owner: owner?, grains: grains?, cohort, component, replaces })
}
