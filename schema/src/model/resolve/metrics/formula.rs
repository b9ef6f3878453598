//! The formula that people read.

use super::super::Draft;
use crate::definition::{Text, metric as written};

/// The definition as one line, in the author's names.
pub(super) fn formula(draft: &Draft<'_>, definition: &written::Metric) -> String {
    let one_line = |text: &Text| text.value.split_whitespace().collect::<Vec<_>>().join(" ");
    let when = |text: Option<&Text>, word: &str| text.map(|text| format!(" {word} {}", one_line(text))).unwrap_or_default();
    let body = match &definition.kind {
        written::MetricKind::Measure(text) => measure_formula(draft, text),
        written::MetricKind::Ratio(text) | written::MetricKind::Expr(text) => one_line(text),
        written::MetricKind::Cumulative(cumulative) => match (&cumulative.window, &cumulative.to_date) {
            (Some(window), _) if window.value == "all" => format!("{} since the beginning", cumulative.of.value),
            (Some(window), _) => format!("{} over the last {}", cumulative.of.value, window.value),
            (None, Some(grain)) => format!("{} since the start of the {}", cumulative.of.value, grain.value.replace('_', " ")),
            (None, None) => cumulative.of.value.clone(),
        },
        written::MetricKind::Offset(offset) => format!("{}, {} earlier", offset.of.value, offset.by.value),
        written::MetricKind::Movement(movement) => {
            let classes: Vec<&str> = movement.is.iter().map(|class| class.value.as_str()).collect();
            let of = if classes.is_empty() { "all members".to_owned() } else { classes.join(" + ") };
            let take = movement.take.as_ref().map_or("amount", |take| take.value.as_str());
            let grain = movement.grain.as_ref().map(|grain| format!(" per {}", grain.value)).unwrap_or_default();
            format!("{take} of {of} in {}{grain}{}", movement.of.value, when(movement.when.as_ref(), "when"))
        }
        written::MetricKind::Cohort(cohort) => {
            let classes: Vec<&str> = cohort.is.iter().map(|class| class.value.as_str()).collect();
            let of = if classes.is_empty() { "all members".to_owned() } else { classes.join(" + ") };
            let take = cohort.take.as_ref().map_or("amount", |take| take.value.as_str());
            let grain = cohort.grain.as_ref().map(|grain| format!(" per {}", grain.value)).unwrap_or_default();
            let over = match cohort.over.as_ref().map(|over| over.value.as_str()) {
                Some("step") => "from the age before to the age",
                Some("steps") => "over every step from the beginning to the age",
                _ => "from the beginning to the age",
            };
            format!("{take} of {of} in {}{grain} {over}{}", cohort.of.value, when(cohort.when.as_ref(), "when"))
        }
        written::MetricKind::PerEntity(per_entity) => {
            let aggregate = per_entity.aggregate.as_ref().map(|word| word.value.as_str());
            let what = match &per_entity.of {
                Some(of) => {
                    let top = per_entity.top.as_ref().map(|top| format!(", top {}", top.value)).unwrap_or_default();
                    format!("{}({}{top})", aggregate.unwrap_or("avg"), one_line(of))
                }
                None => "count".to_owned(),
            };
            let each = per_entity.each.as_ref().map(|grain| format!(" and {}", grain.value.replace('_', " "))).unwrap_or_default();
            format!("{what} per {}{each}{}", per_entity.entity.value, when(per_entity.condition.as_ref(), "where"))
        }
        written::MetricKind::Share(share) => match share.as_.as_ref().map(|form| form.value.as_str()) {
            Some("difference") => format!("{0} - total {0}", share.of.value),
            _ => format!("{0} / total {0}", share.of.value),
        },
        written::MetricKind::Score(score) => score_formula(score),
        written::MetricKind::Series(series) => {
            let ahead = series.horizon.as_ref().map(|horizon| format!(" {} ahead", horizon.value)).unwrap_or_default();
            let (take, of, grain) = (&series.take.value, &series.of.value, &series.grain.value.replace('_', " "));
            let per = series.per.as_ref().map(|per| format!(" of every two {} rows", per.value)).unwrap_or_default();
            format!("{take}{per}{ahead} of {of} by {grain} over the last {}", series.window.value)
        }
        written::MetricKind::Peers(peers) => {
            let group: Vec<&str> = peers.group.iter().map(|text| text.value.as_str()).collect();
            let group = if group.is_empty() { String::new() } else { format!(" of the same {}", group.join(", ")) };
            let (take, of, entity) = (&peers.take.value, &peers.of.value, &peers.entity.value);
            let least = peers.at_least.as_ref().map_or("5", |text| text.value.as_str());
            format!("{take} of {of} among the other {entity} rows{group}; null below {least} of them")
        }
        // Has no meaning that could be told, and is none of the metrics that there are.
        written::MetricKind::Unread => String::new(),
    };
    format!("{body}{}", when(definition.filter.as_ref(), "where"))
}

fn measure_formula(draft: &Draft<'_>, text: &Text) -> String {
    let written = text.value.split_once('.').and_then(|(entity, name)| {
        let (_, definition) = draft.index.entities.at(draft.index.entities.get(entity)?);
        definition.measures.iter().find(|(measure, _)| measure.value == name).map(|(_, measure)| (entity, measure))
    });
    match written {
        None => text.value.clone(),
        Some((entity, measure)) => {
            let expr = measure.expr.value.split_whitespace().collect::<Vec<_>>().join(" ");
            let filter = measure.filter.as_ref().map(|filter| format!(" where {}", filter.value)).unwrap_or_default();
            let latest = measure.latest.as_ref().map(|latest| {
                let per: Vec<&str> = latest.per.iter().map(|text| text.value.as_str()).collect();
                format!(", latest per {} by {}", per.join(", "), latest.by.value)
            });
            format!("{}({expr}) of {entity}{filter}{}", measure.aggregate.value, latest.unwrap_or_default())
        }
    }
}

/// `100 * mean of low_seats (weight 2), depth (weight 1, from 0 to 100), over what is known, at least 0.5 of the weights`.
fn score_formula(score: &written::Score) -> String {
    if let (Some(of), Some(take)) = (&score.of, &score.take) {
        return format!("{} of {}", take.value.replace('_', " "), of.value);
    }
    let or = |text: &Option<Text>, default: &str| text.as_ref().map_or_else(|| default.to_owned(), |text| text.value.clone());
    let inputs = score.inputs.iter().map(|(name, input)| {
        let scale = match (&input.from, &input.to) {
            (None, None) => String::new(),
            (from, to) => format!(", from {} to {}", or(from, "0"), or(to, "1")),
        };
        let of = input.of.as_ref().filter(|of| of.value != name.value).map(|of| format!(" = {}", of.value)).unwrap_or_default();
        format!("{}{of} (weight {}{scale})", name.value, or(&input.weight, "1"))
    });
    format!(
        "{} * weighted mean of {}, over what is known; null below {} of the weights",
        or(&score.scale, "100"),
        inputs.collect::<Vec<_>>().join(", "),
        or(&score.min_coverage, "0.5"),
    )
}
