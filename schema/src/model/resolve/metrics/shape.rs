//! What a metric is made of, by id; types are not looked at yet.

use super::{
    super::{
        Draft,
        expressions::{mean, plain, typed},
        index::unknown,
        movements::split,
        words::{self, one_of},
    },
    beside, score,
};
use crate::{
    definition::{Text, metric as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{
        BinaryOp, Expr, Name,
        types::{Meaning, described},
    },
    model::{
        EntityId, GrainIndex, MeasureId, MetricId,
        entity::{Aggregate, Window},
        metric::{Class, MemberValue, Movement, ShareForm, Stretch, Take, Taken, Top},
        peers::Peers,
        score::ScoreTake,
        series::Series,
    },
    source::Span,
    time::{Grain, Step},
    value::ValueType,
};

/// An expression over metrics.
pub(super) type MetricExpr = Expr<Meaning<MetricId>>;

/// How a metric is computed, with names resolved.
pub(super) enum Shape {
    Simple(MeasureId),
    Ratio {
        numerator: MetricExpr,
        denominator: MetricExpr,
        span: Span,
    },
    Derived {
        expr: MetricExpr,
        span: Span,
    },
    Cumulative {
        of: MetricId,
        span: Span,
        window: Window,
    },
    Offset {
        of: MetricId,
        by: Step,
    },
    Movement {
        movement: Movement,
        span: Span,
    },
    Cohort {
        movement: Movement,
        stretch: Stretch,
        span: Span,
    },
    PerEntity {
        entity: EntityId,
        span: Span,
        each: Option<Grain>,
        of: Option<MetricExpr>,
        aggregate: Aggregate,
        condition: Option<MetricExpr>,
        top: Option<Top>,
    },
    Share {
        of: MetricId,
        form: ShareForm,
    },
    Score(score::Inputs),
    OfScore {
        of: MetricId,
        take: ScoreTake,
        span: Span,
    },
    Series {
        series: Series,
        span: Span,
    },
    Peers {
        peers: Peers,
        of: Span,
        entity: Span,
    },
}

impl Shape {
    /// Every metric it is made of, sorted, without repeats.
    pub(super) fn inputs(&self) -> Vec<MetricId> {
        let mut inputs = Vec::new();
        let mut add = |expr: &MetricExpr| expr.visit_refs(&mut |meaning| inputs.push(meaning.to));
        match self {
            Shape::Simple(_) | Shape::Movement { .. } | Shape::Cohort { .. } => {}
            Shape::Ratio { numerator, denominator, .. } => {
                add(numerator);
                add(denominator);
            }
            Shape::Derived { expr, .. } => add(expr),
            Shape::PerEntity { of, condition, .. } => of.iter().chain(condition).for_each(add),
            Shape::Score(score) => inputs.extend(score.inputs.iter().map(|input| input.metric)),
            Shape::Cumulative { of, .. } | Shape::Offset { of, .. } | Shape::Share { of, .. } | Shape::OfScore { of, .. } => {
                inputs.push(*of);
            }
            Shape::Series { series, .. } => inputs.push(series.of),
            Shape::Peers { peers, .. } => inputs.push(peers.of),
        }
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }
}

/// Resolves the names of one metric; `None` when something is wrong.
pub(super) fn of(draft: &Draft<'_>, name: &Text, metric: &written::Metric, out: &mut Diagnostics) -> Option<Shape> {
    match &metric.kind {
        written::MetricKind::Measure(text) => measure(draft, text, out).map(Shape::Simple),
        written::MetricKind::Ratio(text) => ratio(draft, text, out),
        written::MetricKind::Expr(text) => {
            let expr = over_metrics(draft, text, out)?;
            Some(Shape::Derived { expr, span: text.span })
        }
        written::MetricKind::Cumulative(cumulative) => {
            let of = find(draft, &cumulative.of, out);
            let window = window(cumulative, out);
            Some(Shape::Cumulative { of: of?, span: cumulative.of.span, window: window? })
        }
        written::MetricKind::Offset(offset) => {
            let of = find(draft, &offset.of, out);
            let by = words::step(&offset.by, out);
            Some(Shape::Offset { of: of?, by: by? })
        }
        written::MetricKind::Movement(movement) => {
            movement_of(draft, movement, out).map(|movement_of| Shape::Movement { movement: movement_of, span: movement.of.span })
        }
        written::MetricKind::Cohort(cohort) => cohort_of(draft, cohort, out),
        written::MetricKind::PerEntity(per_entity) => per_entity_of(draft, per_entity, out),
        written::MetricKind::Share(share) => {
            let of = find(draft, &share.of, out);
            let options = [("ratio", ShareForm::Ratio), ("difference", ShareForm::Difference)];
            let form = share.as_.as_ref().map_or(Some(ShareForm::Ratio), |form| one_of("form of a share", form, &options, out));
            Some(Shape::Share { of: of?, form: form? })
        }
        written::MetricKind::Score(written) => score::shape(draft, name, written, out),
        written::MetricKind::Series(written) => {
            let series = super::series::of(draft, written, out)?;
            Some(Shape::Series { series, span: written.of.span })
        }
        written::MetricKind::Peers(written) => {
            let peers = super::peers::of(draft, written, out)?;
            Some(Shape::Peers { peers, of: written.of.span, entity: written.entity.span })
        }
        written::MetricKind::Unread => None,
    }
}

/// The metric of a name inside an expression.
pub(in crate::model::resolve) fn metric_meaning(
    draft: &Draft<'_>,
    name: &Name,
    out: &mut Diagnostics,
) -> Option<Meaning<MetricId>> {
    let written = name.to_string();
    let measure_of = name.parts.first().filter(|_| name.parts.len() == 2).and_then(|part| draft.index.entities.get(&part.value));
    let Some(id) = draft.index.metrics.get(&written) else {
        let mut diagnostic = unknown("M013", "metric", &written, name.span, draft.index.metrics.names());
        if let Some(entity) = measure_of.filter(|entity| draft.entities[*entity].measure_named(&name.parts[1].value).is_some()) {
            let entity = &draft.entities[entity].name;
            diagnostic = diagnostic.help(format!(
                "`{written}` is a measure of `{entity}`; make it a metric first: `{0}: {{measure: {written}}}`",
                name.parts[1].value
            ));
        }
        out.push(diagnostic);
        return None;
    };
    Some(Meaning { to: MetricId(id as u16), value_type: None, span: name.span })
}

fn over_metrics(draft: &Draft<'_>, text: &Text, out: &mut Diagnostics) -> Option<MetricExpr> {
    let parsed = draft.parameters.parse(text, out)?;
    let meant = mean(&parsed, out, |name, out| metric_meaning(draft, name, out))?;
    let mut has_metric = false;
    meant.visit_refs(&mut |_| has_metric = true);
    if !has_metric {
        out.push(
            Diagnostic::error("M046", text.span, "there is no metric in this expression")
                .label("expected the name of at least one metric"),
        );
        return None;
    }
    Some(meant)
}

pub(super) fn find(draft: &Draft<'_>, text: &Text, out: &mut Diagnostics) -> Option<MetricId> {
    draft.index.metrics.find(&text.value, text.span, out).map(|id| MetricId(id as u16))
}

pub(super) fn measure(draft: &Draft<'_>, text: &Text, out: &mut Diagnostics) -> Option<MeasureId> {
    let parts = split(text);
    let [entity, measure] = parts.as_slice() else {
        out.push(
            Diagnostic::error("M014", text.span, format!("`{}` does not name a measure", text.value))
                .label("expected `entity.measure`"),
        );
        return None;
    };
    let id = draft.find_entity(&entity.value, entity.span, out)?;
    let found = draft.entity(id);
    if let Some(index) = found.measure_named(&measure.value) {
        return Some(MeasureId { entity: id, index });
    }
    let names = found.measures.iter().map(|measure| measure.name.as_str());
    let full: Vec<String> = names.clone().map(|name| format!("{}.{name}", found.name)).collect();
    let has: Vec<&str> = names.collect();
    let mut diagnostic = Diagnostic::error("M014", text.span, format!("unknown measure `{}`", text.value))
        .label(format!("no such measure on `{}`", found.name));
    if let Some(question) = super::super::index::did_you_mean(&text.value, full.iter().map(String::as_str)) {
        diagnostic = diagnostic.help(question);
    }
    diagnostic = diagnostic.help(match has.as_slice() {
        [] => format!("`{}` has no measures", found.name),
        has => format!("it has: {}", has.join(", ")),
    });
    out.push(diagnostic);
    None
}

fn ratio(draft: &Draft<'_>, text: &Text, out: &mut Diagnostics) -> Option<Shape> {
    match over_metrics(draft, text, out)? {
        Expr::Binary(BinaryOp::Divide, numerator, denominator) => {
            Some(Shape::Ratio { numerator: *numerator, denominator: *denominator, span: text.span })
        }
        _ => {
            out.push(
                Diagnostic::error("M043", text.span, "a ratio is one division")
                    .label("expected `numerator / denominator`")
                    .help("put parentheses around the parts, `(a + b) / c`, or use `expr:` for any other formula"),
            );
            None
        }
    }
}

/// One of the two; neither and both were reported when they were read.
fn window(cumulative: &written::Cumulative, out: &mut Diagnostics) -> Option<Window> {
    match (&cumulative.window, &cumulative.to_date) {
        (Some(window), _) if window.value == "all" => Some(Window::All),
        (Some(window), _) => words::step(window, out).map(Window::Trailing),
        (None, Some(grain)) => words::grain(grain, out).map(Window::ToDate),
        (None, None) => None,
    }
}

fn movement_of(draft: &Draft<'_>, movement: &written::Movement, out: &mut Diagnostics) -> Option<Movement> {
    let measure = measure(draft, &movement.of, out);
    let classes: Vec<_> =
        movement.is.iter().map(|class| one_of("class", class, &Class::ALL.map(|one| (one.name(), one)), out)).collect();
    let words = measure.and_then(|measure| beside::words(draft, measure, &movement.with, out));
    let (Some(measure), Some(words)) = (measure, words) else {
        if measure.is_none() {
            beside::nothing(draft, movement, out);
        }
        without_measure(draft, movement, out);
        return None;
    };
    let take = match &movement.take {
        None => Some(Taken::Named(Take::Amount)),
        Some(text) => taken(draft, text, &words, out),
    };
    let when = movement.when.as_ref().map(|when| member_condition(draft, when, &words, out));
    let entity = draft.entity(measure.entity);
    let Some(movements) = &entity.movements else {
        let (_, definition) = draft.index.entities.at(measure.entity.index());
        if definition.movements.is_none() {
            out.push(
                Diagnostic::error("M046", movement.of.span, format!("`{}` does not say how its members are compared", entity.name))
                    .also(entity.span, "the entity")
                    .help("add `movements: {owner: account, grains: {account: [account]}}` to the entity"),
            );
        }
        return None;
    };
    let grain = match &movement.grain {
        None => None,
        Some(text) => Some(grain_of(draft, measure.entity, text, out)?),
    };
    let classes: Vec<Class> = classes.into_iter().collect::<Option<_>>()?;
    let when = match when {
        None => None,
        Some(when) => Some(when?),
    };
    let take = take?;
    let declared = &entity.measures[measure.index.index()];
    let lack = match &take {
        Taken::Named(Take::TransferIn | Take::TransferOut) if movements.component.is_none() => {
            Some(("does not say what value moves with", "add `component:` to the `movements:` of the entity"))
        }
        Taken::Named(Take::Fx) if declared.currency.is_none() => {
            Some(("does not say what it was before conversion", "add `currency: {local: …, rate: …, code: …}` to the measure"))
        }
        Taken::Named(_) | Taken::Value(_) => None,
    };
    if let (Some((fault, help)), Some(text)) = (lack, &movement.take) {
        // A component that is wrong was reported where it stands.
        let (_, definition) = draft.index.entities.at(measure.entity.index());
        if definition.movements.as_ref().is_none_or(|written| written.component.is_none()) || !fault.contains("moves") {
            out.push(
                Diagnostic::error("M046", text.span, format!("`{}` {fault}", movement.of.value))
                    .also(declared.span, "the measure")
                    .help(help),
            );
        }
        return None;
    }
    Some(Movement { measure, classes, take, grain, when })
}

/// A movement grain of a fact by name; one whose members are wrong has been reported.
fn grain_of(draft: &Draft<'_>, fact: EntityId, text: &Text, out: &mut Diagnostics) -> Option<GrainIndex> {
    let entity = draft.entity(fact);
    let movements = entity.movements.as_ref()?;
    let found = movements.grain_named(&text.value);
    let (_, definition) = draft.index.entities.at(fact.index());
    let mut written = definition.movements.iter().flat_map(|movements| &movements.grains);
    if found.is_none() && !written.any(|(name, _)| name.value == text.value) {
        let names = movements.grains.iter().map(|grain| grain.name.as_str());
        out.push(unknown("M017", &format!("movement grain of `{}`", entity.name), &text.value, text.span, names));
    }
    found
}

/// What can be told of a movement when the measure that it is of, or one beside it, is not known.
fn without_measure(draft: &Draft<'_>, movement: &written::Movement, out: &mut Diagnostics) {
    let mut words: Vec<String> = ["opening", "closing", "owner_opening", "owner_closing"].map(str::to_owned).into();
    for (name, _) in &movement.with {
        words.extend([format!("opening_{}", name.value), format!("closing_{}", name.value)]);
    }
    let formula = movement.take.as_ref().filter(|take| !is_word(take));
    for text in movement.when.iter().chain(formula) {
        let Some(parsed) = draft.parameters.parse(text, out) else { continue };
        parsed.visit_refs(&mut |name| {
            let word = name.to_string();
            if !words.contains(&word) {
                out.push(unknown("M046", "value of a member", &word, name.span, words.iter().map(String::as_str)));
            }
        });
    }
    if let Some(take) = movement.take.as_ref().filter(|take| is_word(take)) {
        named_take(take, out);
    }
    let fact = split(&movement.of).first().and_then(|entity| draft.index.entities.get(&entity.value));
    if let (Some(fact), Some(grain)) = (fact, &movement.grain) {
        grain_of(draft, EntityId(fact as u16), grain, out);
    }
}

/// A movement of a balance whose owners have a beginning.
fn cohort_of(draft: &Draft<'_>, cohort: &written::Cohort, out: &mut Diagnostics) -> Option<Shape> {
    let stretch = cohort
        .over
        .as_ref()
        .map_or(Some(Stretch::Life), |over| one_of("stretch of a life", over, &Stretch::ALL.map(|one| (one.name(), one)), out));
    let movement = written::Movement {
        of: cohort.of.clone(),
        with: Vec::new(),
        is: cohort.is.clone(),
        take: cohort.take.clone(),
        grain: cohort.grain.clone(),
        when: cohort.when.clone(),
    };
    let movement = movement_of(draft, &movement, out)?;
    let entity = draft.entity(movement.measure.entity);
    if entity.movements.as_ref().is_some_and(|movements| movements.cohort.is_none()) {
        let (_, definition) = draft.index.entities.at(movement.measure.entity.index());
        // One that is written, but wrong, has been reported.
        if definition.movements.as_ref().is_some_and(|movements| movements.cohort.is_none()) {
            out.push(
                Diagnostic::error("M049", cohort.of.span, format!("`{}` does not say when its owners began", entity.name))
                    .also(entity.span, "the entity")
                    .help("add `cohort: first_active_date`, or another date of the owner, to its `movements:`"),
            );
        }
        return None;
    }
    Some(Shape::Cohort { movement, stretch: stretch?, span: cohort.of.span })
}

fn member_meaning(name: &Name, words: &[(String, MemberValue)], out: &mut Diagnostics) -> Option<Meaning<MemberValue>> {
    let word = name.to_string();
    let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| value.clone());
    if found.is_none() {
        out.push(unknown("M046", "value of a member", &word, name.span, words.iter().map(|(word, _)| word.as_str())));
    }
    Some(Meaning { to: found?, value_type: Some(ValueType::Decimal), span: name.span })
}

fn member_condition(
    draft: &Draft<'_>,
    text: &Text,
    words: &[(String, MemberValue)],
    out: &mut Diagnostics,
) -> Option<Expr<MemberValue>> {
    let parameters = &draft.parameters;
    let condition =
        super::super::expressions::parse_condition(parameters, text, out, |name, out| member_meaning(name, words, out))?;
    Some(plain(&condition))
}

/// One word names what is taken; anything longer is an expression.
fn taken(draft: &Draft<'_>, text: &Text, words: &[(String, MemberValue)], out: &mut Diagnostics) -> Option<Taken> {
    if is_word(text) {
        return named_take(text, out).map(Taken::Named);
    }
    let parsed = draft.parameters.parse(text, out)?;
    let meant = mean(&parsed, out, |name, out| member_meaning(name, words, out))?;
    let (checked, known) = typed(&meant, text.span, out)?;
    if let Some(found) = known.filter(|known| !known.is_numeric()) {
        out.push(Diagnostic::error("M026", text.span, format!("what is taken is a number, found {}", described(found))));
        return None;
    }
    Some(Taken::Value(plain(&checked)))
}

fn is_word(text: &Text) -> bool {
    text.value.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_')
}

fn named_take(text: &Text, out: &mut Diagnostics) -> Option<Take> {
    one_of("value of `take`", text, &Take::ALL.map(|one| (one.name(), one)), out)
}

fn per_entity_of(draft: &Draft<'_>, definition: &written::PerEntity, out: &mut Diagnostics) -> Option<Shape> {
    let entity = draft.find_entity(&definition.entity.value, definition.entity.span, out);
    let of = definition.of.as_ref().map(|text| over_metrics(draft, text, out));
    let condition = definition.condition.as_ref().map(|text| over_metrics(draft, text, out));
    let options = [
        ("count", (Aggregate::Count, false)),
        ("sum", (Aggregate::Sum, false)),
        ("avg", (Aggregate::Average, false)),
        ("min", (Aggregate::Min, false)),
        ("max", (Aggregate::Max, false)),
        ("median", (Aggregate::Median, false)),
        ("top_share", (Aggregate::Sum, true)),
    ];
    let default = if of.is_some() { Aggregate::Average } else { Aggregate::Count };
    let named = definition.aggregate.as_ref();
    let each = definition.each.as_ref().map_or(Some(None), |word| words::grain(word, out).map(Some));
    let (aggregate, is_top) = named.map_or(Some((default, false)), |word| one_of("aggregate", word, &options, out))?;
    let top = top_of(draft, definition, is_top, out)?;
    if of.is_none() && aggregate != Aggregate::Count {
        let place = definition.aggregate.as_ref().map_or(definition.entity.span, |word| word.span);
        out.push(
            Diagnostic::error("M047", place, "there is nothing to aggregate").help("add `of:` with an expression over metrics"),
        );
        return None;
    }
    if of.is_none() && condition.is_none() {
        out.push(
            Diagnostic::error("M047", definition.entity.span, "nothing is evaluated per entity")
                .help("add `of:` or `where:`; to count rows, use a measure `count: rows`"),
        );
        return None;
    }
    Some(Shape::PerEntity {
        entity: entity?,
        span: definition.entity.span,
        each: each?,
        of: of.map_or(Some(None), |of| of.map(Some))?,
        aggregate,
        condition: condition.map_or(Some(None), |condition| condition.map(Some))?,
        top,
    })
}

/// The size of the top, which only a share of it has.
fn top_of(draft: &Draft<'_>, definition: &written::PerEntity, is_top: bool, out: &mut Diagnostics) -> Option<Option<Top>> {
    if !is_top {
        let misplaced = definition.top.as_ref().or(definition.at_least.as_ref());
        if let Some(text) = misplaced {
            out.push(
                Diagnostic::error("M047", text.span, "only a `top_share` has `top` and `at_least`")
                    .help("leave it out, or write `aggregate: top_share`"),
            );
        }
        return misplaced.is_none().then_some(None);
    }
    let Some(text) = &definition.top else {
        let place = definition.aggregate.as_ref().map_or(definition.entity.span, |word| word.span);
        out.push(
            Diagnostic::error("M047", place, "this does not say how many are the top")
                .help("add `top: 0.1` for the tenth of the entities with the largest values"),
        );
        return None;
    };
    let share = draft.parameters.number(text, out);
    if let Some(found) = &share
        && found != "1"
        && !found.starts_with("0.")
    {
        out.push(
            Diagnostic::error("M047", text.span, format!("the top cannot be {found} of all"))
                .label("expected a share above 0 and at most 1"),
        );
        return None;
    }
    let at_least = match &definition.at_least {
        None => Some(1),
        Some(text) => {
            let found = draft.parameters.number(text, out)?;
            let whole = found.parse().ok().filter(|number| *number >= 1);
            if whole.is_none() {
                out.push(
                    Diagnostic::error("M047", text.span, format!("there cannot be at least {found} entities"))
                        .label("expected a whole number, 1 or more"),
                );
            }
            whole
        }
    };
    Some(Some(Top { share: share?, at_least: at_least? }))
}
