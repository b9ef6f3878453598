//! Questions that leave nothing out: arguments take turns, so that each is met by many metrics.

use super::surface::{Dimension, Entity, Surface, View};

/// Metrics of one question.
const TOGETHER: usize = 6;

const SIGNAL: &str =
    "id rule { name } entity { id } fired value severity plays since periods coverage evidence { metric known value }";

const MOMENTS: [&str; 4] = [
    r#"asOf: "2026-01-01""#,
    r#"asOf: "2024-06-30""#,
    r#"asKnownAt: "2025-06-01T00:00:00Z""#,
    r#"asOf: "2025-03-31", asKnownAt: "2025-03-31T00:00:00Z""#,
];

/// Everything that can be asked.
pub(super) fn all(surface: &Surface) -> Vec<String> {
    let mut all = Vec::new();
    for view in &surface.views {
        of_metrics(view, &mut all);
        of_dimensions(view, &mut all);
    }
    for (turn, entity) in surface.entities.iter().enumerate() {
        of_rows(entity, turn, &mut all);
        of_row_metrics(entity, &mut all);
        of_related_rows(entity, turn, &mut all);
    }
    for moment in MOMENTS {
        for condition in ["", "where: {fired: true},", "where: {unknown: true},"] {
            let order = "orderBy: [{rule: {dir: ASC}}, {entity: {dir: ASC}}]";
            all.push(format!("{{ signals({condition} {moment}, first: 200, {order}) {{ totalCount nodes {{ {SIGNAL} }} }} }}"));
        }
    }
    all
}

/// Every metric of a view: as one number, by a dimension, and by time.
fn of_metrics(view: &View, into: &mut Vec<String>) {
    for (turn, some) in view.metrics.chunks(TOGETHER).enumerate() {
        let dimension = &view.dimensions[turn % view.dimensions.len()];
        into.push(question(view, &[dimension], some, turn, Time::None));
        into.push(question(view, &[], some, turn, Time::None));
        into.push(question(view, &[], some, turn + 1, Time::Steps));
    }
}

/// Every dimension of a view, alone and beside another.
fn of_dimensions(view: &View, into: &mut Vec<String>) {
    let metrics: Vec<&[String]> = view.metrics.chunks(TOGETHER).collect();
    for (turn, dimension) in view.dimensions.iter().enumerate() {
        let some = metrics[turn % metrics.len()];
        into.push(question(view, &[dimension], some, turn, Time::None));
        let other = &view.dimensions[(turn + 7) % view.dimensions.len()];
        if turn % 4 == 0 && other != dimension {
            into.push(question(view, &[dimension, other], some, turn, Time::None));
        }
    }
}

/// Whether there is a row per step of time; of cohorts, per cohort and age.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    None,
    Steps,
}

fn question(view: &View, by: &[&Dimension], metrics: &[String], turn: usize, time: Time) -> String {
    let mut keys: Vec<String> = by.iter().map(|dimension| format!("{{dimension: {}}}", dimension.key)).collect();
    let mut shown: Vec<&str> = by.iter().map(|dimension| dimension.selection.as_str()).collect();
    let (step, step_shown) = match (view.has_cohorts, time) {
        (false, Time::None) => ("", ""),
        (false, Time::Steps) => ("{time: {grain: MONTH}}", "period(grain: MONTH) { start }"),
        (true, Time::None) => ("{age: {grain: MONTH, step: 12, upTo: 12}}", "age"),
        (true, Time::Steps) => {
            ("{cohort: {grain: QUARTER}}, {age: {grain: MONTH, step: 6, upTo: 24}}", "cohort(grain: QUARTER) { start } age")
        }
    };
    keys.extend((!step.is_empty()).then(|| step.to_owned()));
    shown.push(step_shown);

    let mut arguments = vec![format!("by: [{}]", keys.join(", ")), MOMENTS[0].to_owned(), "limit: 400".to_owned()];
    if !view.has_cohorts {
        let days = [r#"from: "2025-10-01", to: "2026-01-01""#, r#"from: "2025-01-01", to: "2025-07-01""#][turn % 2];
        arguments.push(format!("range: {{between: {{{days}}}}}"));
    }
    if !view.grains.is_empty() {
        arguments.push(format!("movementGrain: {}", view.grains[turn % view.grains.len()]));
        arguments.extend((turn % 3 == 1 && !view.has_cohorts).then(|| "movementBasis: FLOW".to_owned()));
        arguments.push(format!("dimensionBasis: {}", ["OPENING", "OPENING", "CURRENT", "CLOSING"][turn % 4]));
    }
    let names = metrics.join(" ");
    let mut cells = format!("{names} status {{ {names} }}");
    if turn.is_multiple_of(3) && !view.has_cohorts {
        arguments.push("compare: {previousPeriods: 1}".to_owned());
        let compared: Vec<String> = metrics.iter().map(|metric| format!("{metric} {{ previous delta }}")).collect();
        cells += &format!(" compare {{ {} }}", compared.join(" "));
    }
    let scores = view.scores.iter().filter(|score| metrics.contains(score));
    let scores: Vec<String> = scores.map(|score| format!("{score} {{ input known weight value scaled contribution }}")).collect();
    if !scores.is_empty() {
        cells += &format!(" contributions {{ {} }}", scores.join(" "));
    }
    // Over several ages there are no totals.
    let totals = if view.has_cohorts && time == Time::Steps { String::new() } else { format!("totals {{ {cells} }}") };
    let (field, arguments, shown) = (&view.field, arguments.join(", "), shown.join(" "));
    format!("{{ {field}({arguments}) {{ rows {{ {shown} {cells} }} {totals} rowCount }} }}")
}

/// An entity's rows with what they lead to.
fn of_rows(entity: &Entity, turn: usize, into: &mut Vec<String>) {
    let Entity { list, values, ones, manies, .. } = entity;
    for moment in [MOMENTS[0], MOMENTS[1 + turn % 3]] {
        let order = values.last().map_or(String::new(), |last| format!(", orderBy: [{{{last}: {{dir: DESC}}}}]"));
        let shown = [values.join(" "), ones.join(" ")].join(" ");
        into.push(format!(
            "{{ {list}(first: 200, {moment}{order}) {{ totalCount pageInfo {{ hasNextPage }} nodes {{ id {shown} }} }} }}"
        ));
        for some in manies.chunks(4) {
            into.push(format!("{{ {list}(first: 60, {moment}) {{ totalCount nodes {{ id {} }} }} }}", some.join(" ")));
        }
    }
    if entity.has_signals {
        into.push(format!("{{ {list}(first: 50, {}) {{ nodes {{ id signals {{ {SIGNAL} }} }} }} }}", MOMENTS[0]));
    }
}

/// Which rows of an entity lead to others, and what these lead to.
fn of_related_rows(entity: &Entity, turn: usize, into: &mut Vec<String>) {
    let (list, moment) = (&entity.list, MOMENTS[turn % 4]);
    for some in entity.conditions.chunks(TOGETHER) {
        let lists = some.iter().enumerate().map(|(position, condition)| {
            format!("c{position}: {list}(first: 100, {moment}, where: {condition}) {{ totalCount nodes {{ id }} }}")
        });
        into.push(format!("{{ {} }}", lists.collect::<Vec<_>>().join(" ")));
    }
}

/// Every metric of an entity: shown, and rows ordered or chosen by one of them.
fn of_row_metrics(entity: &Entity, into: &mut Vec<String>) {
    let list = &entity.list;
    let range = r#"range: {between: {from: "2025-07-01", to: "2026-01-01"}}"#;
    for (turn, some) in entity.metrics.chunks(TOGETHER).enumerate() {
        let by = &some[turn % some.len()];
        let choice = match turn % 3 {
            0 => String::new(),
            1 => format!("metrics: {{{range}}}, orderBy: [{{metrics: {{{by}: {{dir: DESC}}}}}}],"),
            _ => format!("metrics: {{{range}}}, having: {{{by}: {{isNull: false}}}},"),
        };
        let (moment, names) = (MOMENTS[0], some.join(" "));
        into.push(format!(
            "{{ {list}({choice} first: 100, {moment}) {{ totalCount nodes {{ id metrics({range}) {{ {names} }} }} }} }}"
        ));
    }
}
