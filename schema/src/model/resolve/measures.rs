//! Measures of one entity in, typed measures over physical columns out.

use super::{
    Draft,
    dimensions::Described,
    expressions::{condition, typed},
    index::unknown,
    parameters::Parameters,
    words::{self, label, owned},
};
use crate::{
    definition::{Text, entity as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{
        Expr,
        types::{self, Known},
    },
    model::{
        DimensionIndex, Measure, MeasureId,
        entity::{Aggregate, ColumnName, Latest, LocalAmount, OverTime, RowValue},
    },
    value::{Value, ValueType},
};

/// Resolves the measures of one entity. A measure that is wrong is kept with the best that is known of it.
pub(super) fn resolve(
    definition: &written::Entity,
    described: &Described,
    parameters: &Parameters,
    out: &mut Diagnostics,
) -> Vec<Measure> {
    let mut measures: Vec<Measure> = Vec::with_capacity(definition.measures.len());
    for (name, measure) in &definition.measures {
        if let Some(first) = measures.iter().find(|first| first.name == name.value) {
            out.push(super::index::twice_named("measure", name, first.span));
            continue;
        }
        measures.push(one(definition, (name, measure), described, parameters, out));
    }
    measures
}

fn one(
    entity: &written::Entity,
    (name, measure): (&Text, &written::Measure),
    described: &Described,
    parameters: &Parameters,
    out: &mut Diagnostics,
) -> Measure {
    let over_time = measure.over_time.as_ref().and_then(|text| over_time(text, out)).unwrap_or_default();
    let from_a_day = over_time == OverTime::AsOf;
    let (aggregate, expr, value_type) = aggregate(measure, over_time, described, parameters, out);
    let time = if from_a_day { without_time(name, measure, out) } else { time(measure, described, out) };
    let is_balance = matches!(over_time, OverTime::Last | OverTime::First | OverTime::Average);
    if let Some(text) = measure.over_time.as_ref().filter(|_| is_balance) {
        let is_snapshot = time.is_some_and(|time| described.dimensions[time.index()].time.is_some_and(|time| time.snapshot));
        if !is_snapshot {
            out.push(
                Diagnostic::error(
                    "M029",
                    text.span,
                    format!("`{}` is a balance, but `{}` has no snapshots", name.value, entity.entity.value),
                )
                .label("needs a time with `snapshot: end_of_period`")
                .help("add `time: {month: {type: date, grain: month, snapshot: end_of_period}}` to the entity"),
            );
        }
    }
    Measure {
        name: name.value.clone(),
        label: label(measure.label.as_ref(), &name.value),
        description: owned(measure.description.as_ref()),
        unit: owned(measure.unit.as_ref()),
        aggregate,
        expr,
        filter: measure.filter.as_ref().and_then(|filter| {
            let parsed = parameters.parse(filter, out)?;
            let meant = described.row_meaning(&parsed, over_time, out)?;
            Some(described.inline_row(&condition(&meant, filter.span, out)?))
        }),
        latest: measure.latest.as_ref().and_then(|latest| self::latest((name, latest), from_a_day, described, parameters, out)),
        over_time,
        time,
        currency: measure.currency.as_ref().and_then(|currency| local_amount(currency, described, parameters, out)),
        value_type: if over_time == OverTime::Average { ValueType::Decimal } else { value_type },
        span: name.span,
    }
}

/// An amount before conversion: two numbers and the currency they belong to.
fn local_amount(
    currency: &written::Currency,
    described: &Described,
    parameters: &Parameters,
    out: &mut Diagnostics,
) -> Option<LocalAmount> {
    let mut expression = |text: &Text| {
        let parsed = parameters.parse(text, out)?;
        described.own_expression(&parsed, text.span, out)
    };
    let [amount, rate] = [&currency.local, &currency.rate].map(|text| (text, expression(text)));
    let (code, _) = expression(&currency.code)?;
    let mut number = |(text, resolved): (&Text, Option<(Expr<ColumnName>, Known)>)| {
        let (expr, known) = resolved?;
        if let Some(found) = known.filter(|known| !known.is_numeric()) {
            let message = format!("an amount and a rate are numbers, found {}", types::described(found));
            out.push(Diagnostic::error("M026", text.span, message));
            return None;
        }
        Some(expr)
    };
    let (amount, rate) = (number(amount), number(rate));
    Some(LocalAmount { amount: amount?, rate: rate?, code })
}

fn over_time(text: &Text, out: &mut Diagnostics) -> Option<OverTime> {
    let options = [
        ("sum", OverTime::Sum),
        ("last", OverTime::Last),
        ("first", OverTime::First),
        ("average", OverTime::Average),
        ("as_of", OverTime::AsOf),
    ];
    words::one_of("value of `over_time`", text, &options, out)
}

impl Draft<'_> {
    /// Whether a measure says in a known word how it adds up over time; if not, that has been reported.
    pub(super) fn tells_when_it_counts(&self, id: MeasureId) -> bool {
        let name = &self.entity(id.entity).measures[id.index.index()].name;
        let (_, definition) = self.index.entities.at(id.entity.index());
        let mut written = definition.measures.iter().filter(|(written, _)| written.value == *name);
        let word = written.next().and_then(|(_, measure)| measure.over_time.as_ref());
        word.is_none_or(|word| over_time(word, &mut Diagnostics::default()).is_some())
    }
}

/// What is seen from a day belongs to no time of its own.
fn without_time(name: &Text, measure: &written::Measure, out: &mut Diagnostics) -> Option<DimensionIndex> {
    if let Some(text) = &measure.time {
        out.push(
            Diagnostic::error("M036", text.span, format!("`{}` is seen from a day, so it belongs to no time", name.value))
                .label("all rows are looked at")
                .help(format!("remove `time:`, and say in `where:` which rows count, for example `{} <= as_of`", text.value)),
        );
    }
    None
}

fn latest(
    (name, latest): (&Text, &written::Latest),
    from_a_day: bool,
    described: &Described,
    parameters: &Parameters,
    out: &mut Diagnostics,
) -> Option<Latest> {
    if !from_a_day {
        out.push(
            Diagnostic::error("M036", latest.by.span, format!("`{}` has no day from which the latest could be told", name.value))
                .help("add `over_time: as_of`"),
        );
        return None;
    }
    let mut own = |text: &Text| {
        let parsed = parameters.parse(text, out)?;
        described.own_expression(&parsed, text.span, out).map(|(expr, _)| expr)
    };
    let per: Vec<_> = latest.per.iter().map(&mut own).collect();
    let by = own(&latest.by);
    Some(Latest { per: per.into_iter().collect::<Option<_>>()?, by: by? })
}

fn time(measure: &written::Measure, described: &Described, out: &mut Diagnostics) -> Option<DimensionIndex> {
    let Some(text) = &measure.time else {
        return described.time;
    };
    let found = described.named(&text.value).filter(|index| described.dimensions[index.index()].time.is_some());
    if found.is_none() {
        let times = described.dimensions.iter().filter(|dimension| dimension.time.is_some());
        let names = times.map(|dimension| dimension.name.as_str());
        out.push(unknown("M011", "time dimension", &text.value, text.span, names));
    }
    found.or(described.time)
}

fn aggregate(
    measure: &written::Measure,
    over_time: OverTime,
    described: &Described,
    parameters: &Parameters,
    out: &mut Diagnostics,
) -> (Aggregate, Expr<RowValue>, ValueType) {
    let options = [
        ("sum", Aggregate::Sum),
        ("avg", Aggregate::Average),
        ("min", Aggregate::Min),
        ("max", Aggregate::Max),
        ("count", Aggregate::Count),
        ("count_distinct", Aggregate::CountDistinct),
    ];
    let aggregate = words::one_of("aggregate", &measure.aggregate, &options, out).unwrap_or(Aggregate::Sum);
    let nothing = Expr::Literal(Value::Int(1));
    if aggregate == Aggregate::Count && measure.expr.value.trim() == "rows" {
        return (Aggregate::CountRows, nothing, ValueType::Int);
    }
    let parsed = parameters.parse(&measure.expr, out);
    let meant = parsed.and_then(|expr| described.row_meaning(&expr, over_time, out));
    let resolved = meant.and_then(|expr| typed(&expr, measure.expr.span, out));
    let Some((expr, known)) = resolved.map(|(expr, known)| (described.inline_row(&expr), known)) else {
        return (aggregate, nothing, result_type(aggregate, None).unwrap_or(ValueType::Decimal));
    };
    if matches!(aggregate, Aggregate::Sum | Aggregate::Average)
        && let Some(found) = known.filter(|known| !known.is_numeric())
    {
        let word = &measure.aggregate.value;
        let mut diagnostic =
            Diagnostic::error("M026", measure.expr.span, format!("`{word}` needs a number, found {}", types::described(found)));
        if let Some(dimension) = described.named(&measure.expr.value).filter(|_| found == ValueType::Text) {
            let dimension = &described.dimensions[dimension.index()];
            diagnostic = diagnostic
                .also(dimension.span, "the dimension of that name")
                .help(format!("if it holds numbers, give the dimension a type: `{}: decimal`", dimension.name));
        }
        out.push(diagnostic);
    }
    let value_type = result_type(aggregate, known).unwrap_or_else(|| {
        if measure.unit.is_some() {
            return ValueType::Decimal; // What has a unit is a number.
        }
        out.push(
            Diagnostic::warning("M027", measure.expr.span, format!("`{}` is taken to be a number", measure.expr.value))
                .label("no dimension describes this column")
                .help("add a dimension for the column that says its type; `hidden: true` keeps it out of the API"),
        );
        ValueType::Decimal
    });
    (aggregate, expr, value_type)
}

/// The type of an aggregate; `None` when it depends on a type that is not known.
fn result_type(aggregate: Aggregate, of: Known) -> Option<ValueType> {
    match aggregate {
        Aggregate::Sum => Some(if of == Some(ValueType::Int) { ValueType::Int } else { ValueType::Decimal }),
        Aggregate::Average | Aggregate::Median => Some(ValueType::Decimal),
        Aggregate::Min | Aggregate::Max => of,
        Aggregate::Count | Aggregate::CountRows | Aggregate::CountDistinct => Some(ValueType::Int),
    }
}
