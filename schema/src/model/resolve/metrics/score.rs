//! Score entries in, scores with metrics by id and checked numbers out.

use super::{
    super::{
        Draft,
        words::{label, one_of},
    },
    shape::{Shape, find},
};
use crate::{
    definition::{Text, metric as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::types::described,
    model::{
        MetricId, MetricKind,
        score::{Scaling, Score, ScoreInput, ScoreTake},
    },
    source::Span,
    value::ValueType,
};

/// A score whose inputs have no types yet.
pub(super) struct Inputs {
    pub(super) inputs: Vec<Input>,
    min_coverage: String,
    scale: String,
}

/// One input.
pub(super) struct Input {
    name: String,
    pub(super) metric: MetricId,
    weight: String,
    from: Option<String>,
    to: Option<String>,
    span: Span,
}

/// Resolves names and numbers; `None` when something is wrong.
pub(super) fn shape(draft: &Draft<'_>, name: &Text, score: &written::Score, out: &mut Diagnostics) -> Option<Shape> {
    if let (Some(of), Some(take)) = (&score.of, &score.take) {
        let found = find(draft, of, out);
        let take = one_of("value of `take`", take, &ScoreTake::ALL.map(|one| (one.name(), one)), out);
        return Some(Shape::OfScore { of: found?, take: take?, span: of.span });
    }
    let number = |text: &Option<Text>, default: &str, out: &mut Diagnostics| match text {
        Some(text) => draft.parameters.number(text, out),
        None => Some(default.to_owned()),
    };
    let min_coverage = number(&score.min_coverage, "0.5", out);
    if let (Some(found), Some(text)) = (&min_coverage, &score.min_coverage) {
        needs(found == "0" || found == "1" || found.starts_with("0."), text, "a share from 0 to 1", out)?;
    }
    let scale = number(&score.scale, "100", out);
    if let (Some(found), Some(text)) = (&scale, &score.scale) {
        needs(is_positive(found), text, "a number above zero", out)?;
    }
    if score.inputs.is_empty() {
        out.push(Diagnostic::error("M062", name.span, "a score without inputs").help("add `inputs: {some_metric: {weight: 1}}`"));
        return None;
    }
    let inputs: Vec<_> = score.inputs.iter().map(|(name, input)| one_input(draft, name, input, out)).collect();
    let inputs = inputs.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Shape::Score(Inputs { inputs, min_coverage: min_coverage?, scale: scale? }))
}

fn one_input(draft: &Draft<'_>, name: &Text, input: &written::ScoreInput, out: &mut Diagnostics) -> Option<Input> {
    let metric = find(draft, input.of.as_ref().unwrap_or(name), out);
    let weight = match &input.weight {
        None => Some("1".to_owned()),
        Some(text) => {
            let found = draft.parameters.number(text, out)?;
            needs(is_positive(&found), text, "a number above zero", out)?;
            Some(found)
        }
    };
    let edge = |text: &Option<Text>, out: &mut Diagnostics| match text {
        None => Some(None),
        Some(text) => draft.parameters.number(text, out).map(Some),
    };
    let (from, to) = (edge(&input.from, out), edge(&input.to, out));
    Some(Input { name: name.value.clone(), metric: metric?, weight: weight?, from: from?, to: to?, span: name.span })
}

fn is_positive(canonical: &str) -> bool {
    canonical != "0" && !canonical.starts_with('-')
}

fn needs(fine: bool, text: &Text, expected: &str, out: &mut Diagnostics) -> Option<()> {
    if !fine {
        out.push(
            Diagnostic::error("M062", text.span, format!("`{}` cannot be used here", text.value))
                .label(format!("expected {expected}")),
        );
    }
    fine.then_some(())
}

/// The score, with each input scaled as its type asks for; `None` when an input is wrong.
pub(super) fn finished(draft: &Draft<'_>, inputs: &Inputs, out: &mut Diagnostics) -> Option<Score> {
    let found: Vec<_> = inputs.inputs.iter().map(|input| one_finished(draft, input, out)).collect();
    Some(Score {
        inputs: found.into_iter().collect::<Option<_>>()?,
        min_coverage: inputs.min_coverage.clone(),
        scale: inputs.scale.clone(),
    })
}

fn one_finished(draft: &Draft<'_>, input: &Input, out: &mut Diagnostics) -> Option<ScoreInput> {
    let metric = draft.metrics[input.metric.index()].as_ref()?;
    let wrong = |message: String| Diagnostic::error("M062", input.span, message).also(metric.span, "the metric");
    let (from, to) = (&input.from, &input.to);
    let scaling = match metric.value_type {
        ValueType::Bool if from.is_some() || to.is_some() => {
            out.push(
                wrong(format!("`{}` is true or false, so it has no `from` and `to`", metric.name))
                    .help("true counts 1 and false counts 0"),
            );
            return None;
        }
        ValueType::Bool => Scaling::Truth,
        ValueType::Int | ValueType::Decimal => {
            let or = |edge: &Option<String>, default: &str| edge.clone().unwrap_or_else(|| default.to_owned());
            let (from, to) = (or(from, "0"), or(to, "1"));
            if from == to {
                out.push(wrong(format!("`{}` begins and ends at {from}", label(None, &input.name))));
                return None;
            }
            Scaling::Linear { from, to }
        }
        found @ (ValueType::Text | ValueType::Date | ValueType::Timestamp) => {
            out.push(wrong(format!(
                "`{}` is {}; an input of a score is a number, or true or false",
                metric.name,
                described(found)
            )));
            return None;
        }
    };
    Some(ScoreInput { name: input.name.clone(), metric: input.metric, weight: input.weight.clone(), scaling })
}

/// Whether a metric is a score, of which something can be taken; reports when it is not.
pub(super) fn is_one(draft: &Draft<'_>, of: MetricId, span: Span, out: &mut Diagnostics) -> bool {
    let Some(metric) = &draft.metrics[of.index()] else { return false };
    let is_score = matches!(metric.kind, MetricKind::Score(_));
    if !is_score {
        out.push(
            Diagnostic::error("M062", span, format!("`{}` is not a score", metric.name))
                .also(metric.span, "defined here")
                .help("only of a metric with `score: {inputs: …}` can something be taken"),
        );
    }
    is_score
}
