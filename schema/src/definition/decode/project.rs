//! The `project:` document.

use super::{Context, Map};
use crate::definition::{
    Text,
    project::{ExchangeRates, Project},
    yaml::Node,
};

pub(super) fn project(context: &Context<'_>, node: &Node) -> Option<Project> {
    let map = Map::open(context, node, "project", None)?;
    let project = map.required_text("project");
    let version = map.whole("version");
    let description = map.text("description");
    let time_zone = map.text("time_zone");
    let fiscal_year_start = map.text("fiscal_year_start");
    let week_start = map.text("week_start");
    let currency = map.text("currency");
    let exchange_rates = map.optional("exchange_rates", exchange_rates);
    map.finish();
    Some(Project { project: project?, version, description, time_zone, fiscal_year_start, week_start, currency, exchange_rates })
}

fn exchange_rates(context: &Context<'_>, name: &Text, node: &Node) -> Option<ExchangeRates> {
    let map = Map::open(context, node, "exchange rates", Some(name.span))?;
    let entity = map.required_text("entity");
    let from = map.required_text("from");
    let to = map.required_text("to");
    let rate = map.required_text("rate");
    let kind = map.text("kind");
    let default_kind = map.text("default_kind");
    map.finish();
    Some(ExchangeRates { entity: entity?, from: from?, to: to?, rate: rate?, kind, default_kind })
}
