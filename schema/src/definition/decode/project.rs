//! The `project:` document.

use super::{Context, Map};
use crate::definition::{project::Project, yaml::Node};

pub(super) fn project(context: &Context<'_>, node: &Node) -> Option<Project> {
    let map = Map::open(context, node, "project", None)?;
    let project = map.required_text("project");
    let version = map.whole("version");
    let description = map.text("description");
    let time_zone = map.text("time_zone");
    let fiscal_year_start = map.text("fiscal_year_start");
    let week_start = map.text("week_start");
    let currency = map.text("currency");
    map.finish();
    Some(Project { project: project?, version, description, time_zone, fiscal_year_start, week_start, currency })
}
