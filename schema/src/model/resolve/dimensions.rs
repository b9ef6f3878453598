//! Dimensions and times of one entity in, dimensions over physical columns out: names of other dimensions are replaced by what
//! they stand for, types are told, bands become a `case`.

mod bands;

use std::collections::HashMap;

use super::{
    expressions::{mean, replace, typed},
    parameters::Parameters,
    words::{self, column, label, owned},
};
use crate::{
    definition::{Text, entity as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{
        Expr, Name,
        types::{Known, Meaning, described},
    },
    model::{
        Dimension, DimensionIndex,
        entity::{ColumnName, OverTime, ReadAt, RowValue, TimeDimension},
    },
    source::{Span, Spanned},
    time::Grain,
    value::ValueType,
};

/// The dimensions of one entity.
pub(super) struct Described {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) key: Vec<DimensionIndex>,
    pub(super) time: Option<DimensionIndex>,
    /// By dimension: its type, or `None` when its definition is wrong.
    pub(super) known: Vec<Known>,
    names: HashMap<String, usize>,
    columns: HashMap<String, Known>,
}

/// What a name means inside its own entity.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Own {
    Column(ColumnName),
    Dimension(usize),
}

/// What a name means in an expression of a measure.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    Own(Own),
    AsOf,
    Today,
}

/// The word for the day rows are seen from.
const AS_OF: &str = "as_of";
/// The word for the day that counts as today, in measures of rows that have a day of their own.
const TODAY: &str = "today";

/// An expression over columns as one over values of a row.
pub(super) fn of_row(expr: &Expr<ColumnName>) -> Expr<RowValue> {
    let mapped =
        expr.try_map(&mut |column: &ColumnName| Ok::<_, std::convert::Infallible>(Expr::Ref(RowValue::Column(column.clone()))));
    match mapped {
        Ok(expr) => expr,
        Err(never) => match never {},
    }
}

/// How a dimension is made.
enum Form<'a> {
    Column,
    Derived { text: &'a Text, expr: Expr<Name> },
    Bands { bands: &'a written::Bands, edges: Vec<bands::Edge>, expr: Expr<Name> },
    Wrong,
}

/// A dimension before its expression is known.
struct Sketch<'a> {
    dimension: Dimension,
    declared: Option<(ValueType, Span)>,
    form: Form<'a>,
}

/// Resolves keys, dimensions and times of one entity.
pub(super) fn resolve(definition: &written::Entity, parameters: &Parameters, out: &mut Diagnostics) -> Described {
    let mut sketches = Vec::new();
    for (name, dimension) in &definition.dimensions {
        sketches.push(sketch(name, dimension, parameters, out));
    }
    let first_time = sketches.len();
    for (name, time) in &definition.time {
        sketches.push(sketch_time(name, time, out));
    }
    let implicit: Vec<Sketch<'_>> = definition
        .key
        .iter()
        .filter(|key| !sketches.iter().any(|sketch| sketch.dimension.column().is_some_and(|column| column.0 == key.value)))
        .map(|key| implicit_key(key, out))
        .collect();
    let time = (!definition.time.is_empty()).then(|| DimensionIndex((implicit.len() + first_time) as u16));
    let sketches: Vec<_> = implicit.into_iter().chain(sketches).collect();

    let mut described = describe(sketches, out);
    described.time = time;
    described.key = key(definition, &described, out);
    described
}

fn key(definition: &written::Entity, described: &Described, out: &mut Diagnostics) -> Vec<DimensionIndex> {
    let mut key = Vec::with_capacity(definition.key.len());
    for text in &definition.key {
        let is_it = |dimension: &Dimension| dimension.column().is_some_and(|column| column.0 == text.value);
        let index = described.dimensions.iter().position(is_it).map(|index| DimensionIndex(index as u16));
        let Some(index) = index else { continue };
        if key.contains(&index) {
            out.push(Diagnostic::error("M020", text.span, format!("`{}` is in the key twice", text.value)));
        } else {
            key.push(index);
        }
    }
    key
}

fn implicit_key<'a>(key: &Text, out: &mut Diagnostics) -> Sketch<'a> {
    if !crate::model::rules::is_identifier(&key.value) {
        out.push(
            Diagnostic::error("M001", key.span, format!("the key column `{}` needs a dimension with a name of its own", key.value))
                .help(format!("add for example `key_id: {{type: string, column: {}}}` under `dimensions:`", key.value)),
        );
    }
    Sketch {
        dimension: plain_dimension(key, None, column(key, out)),
        declared: Some((ValueType::Text, key.span)),
        form: Form::Column,
    }
}

fn plain_dimension(name: &Text, label_text: Option<&Text>, column: ColumnName) -> Dimension {
    Dimension {
        name: name.value.clone(),
        label: label(label_text, &name.value),
        description: None,
        value_type: ValueType::Text,
        unit: None,
        values: Vec::new(),
        expr: Expr::Ref(column),
        time: None,
        read: ReadAt::Opening,
        hidden: false,
        span: name.span,
    }
}

fn sketch<'a>(name: &'a Text, definition: &'a written::Dimension, parameters: &Parameters, out: &mut Diagnostics) -> Sketch<'a> {
    let physical = definition.column.as_ref().unwrap_or(name);
    let mut dimension = plain_dimension(name, definition.label.as_ref(), ColumnName::new(&physical.value));
    dimension.description = owned(definition.description.as_ref());
    dimension.unit = owned(definition.unit.as_ref());
    dimension.values = definition.values.as_deref().map(words::all).unwrap_or_default();
    dimension.hidden = definition.hidden.as_ref().is_some_and(|hidden| hidden.value);
    if let Some(read) = &definition.read {
        let options = [("opening", ReadAt::Opening), ("closing", ReadAt::Closing)];
        dimension.read = words::one_of("value of `read`", read, &options, out).unwrap_or_default();
    }
    let declared = definition.value_type.as_ref().map(|text| (words::value_type(text, out), text.span));
    let form = form(definition, parameters, out);
    if matches!(form, Form::Column) {
        column(physical, out);
    }
    let declared = match declared {
        Some((value_type, span)) => value_type.map(|value_type| (value_type, span)),
        None if matches!(form, Form::Column) => Some((ValueType::Text, name.span)),
        None => None,
    };
    Sketch { dimension, declared, form }
}

fn form<'a>(definition: &'a written::Dimension, parameters: &Parameters, out: &mut Diagnostics) -> Form<'a> {
    if let Some(text) = &definition.expr {
        return parameters.parse(text, out).map_or(Form::Wrong, |expr| Form::Derived { text, expr });
    }
    match &definition.bands {
        Some(bands) => {
            let edges = bands::edges(bands, parameters, out);
            let parsed = parameters.parse(&bands.of, out);
            edges.zip(parsed).map_or(Form::Wrong, |(edges, expr)| Form::Bands { bands, edges, expr })
        }
        None => Form::Column,
    }
}

fn sketch_time<'a>(name: &'a Text, definition: &'a written::TimeDimension, out: &mut Diagnostics) -> Sketch<'a> {
    let physical = definition.column.as_ref().unwrap_or(name);
    let mut dimension = plain_dimension(name, definition.label.as_ref(), column(physical, out));
    dimension.description = owned(definition.description.as_ref());
    let grain = definition.grain.as_ref().and_then(|grain| words::grain(grain, out));
    let snapshot = definition
        .snapshot
        .as_ref()
        .is_some_and(|text| words::one_of("value of `snapshot`", text, &[("end_of_period", true)], out).unwrap_or(true));
    if let (true, None, Some(text)) = (snapshot, &definition.grain, &definition.snapshot) {
        out.push(
            Diagnostic::error("M028", text.span, format!("the snapshot `{}` does not say how often it is taken", name.value))
                .help("add `grain: month` (or another grain)"),
        );
    }
    dimension.time = Some(TimeDimension { grain: grain.unwrap_or(Grain::Day), snapshot });
    let value_type = match &definition.value_type {
        None => ValueType::Date,
        Some(text) => {
            let options = [("date", ValueType::Date), ("timestamp", ValueType::Timestamp)];
            words::one_of("type of a time", text, &options, out).unwrap_or(ValueType::Date)
        }
    };
    Sketch { dimension, declared: Some((value_type, name.span)), form: Form::Column }
}

/// Follows names through dimensions of the same entity.
struct Follow<'a, 'd> {
    sketches: &'d [Sketch<'a>],
    described: Described,
    done: Vec<bool>,
    trail: Vec<usize>,
}

fn describe(sketches: Vec<Sketch<'_>>, out: &mut Diagnostics) -> Described {
    let mut columns: HashMap<String, Known> = HashMap::new();
    let mut names = HashMap::new();
    for (index, sketch) in sketches.iter().enumerate() {
        names.entry(sketch.dimension.name.clone()).or_insert(index);
        if let (Form::Column, Some(column)) = (&sketch.form, sketch.dimension.column()) {
            let value_type = sketch.declared.map(|(value_type, _)| value_type);
            // Two dimensions that read one column as two types say nothing about the column.
            columns
                .entry(column.0.to_string())
                .and_modify(|known| *known = known.filter(|known| Some(*known) == value_type))
                .or_insert(value_type);
        }
    }
    let dimensions: Vec<Dimension> = sketches.iter().map(|sketch| sketch.dimension.clone()).collect();
    let known = vec![None; dimensions.len()];
    let mut follow = Follow {
        sketches: &sketches,
        done: vec![false; dimensions.len()],
        described: Described { dimensions, key: Vec::new(), time: None, known, names, columns },
        trail: Vec::new(),
    };
    for index in 0..sketches.len() {
        follow.settle(index, out);
    }
    follow.described
}

impl Follow<'_, '_> {
    fn settle(&mut self, index: usize, out: &mut Diagnostics) {
        if self.done[index] {
            return;
        }
        if let Some(start) = self.trail.iter().position(|before| *before == index) {
            self.report_cycle(start, out);
            return;
        }
        self.trail.push(index);
        let sketch = &self.sketches[index];
        let made = match &sketch.form {
            Form::Column => sketch.declared.map(|(value_type, _)| (sketch.dimension.expr.clone(), Some(value_type))),
            Form::Wrong => None,
            Form::Derived { text, expr } => self.derived(expr, text.span, out),
            Form::Bands { bands, edges, expr } => self.banded(bands, edges, expr, out),
        };
        self.trail.pop();
        if self.done[index] {
            return; // Part of a cycle that was reported on the way.
        }
        self.done[index] = true;
        let Some((expr, found)) = made else { return };
        let value_type = self.settle_type(index, found, out);
        self.described.known[index] = value_type;
        self.described.dimensions[index].expr = expr;
        self.described.dimensions[index].value_type = value_type.unwrap_or(ValueType::Text);
        if let Form::Bands { bands, .. } = &self.sketches[index].form {
            self.described.dimensions[index].values = bands.edges.iter().map(|edge| edge.name.value.clone()).collect();
        }
    }

    fn settle_type(&self, index: usize, found: Known, out: &mut Diagnostics) -> Known {
        let sketch = &self.sketches[index];
        match (sketch.declared, found) {
            (None, None) => {
                out.push(
                    Diagnostic::error(
                        "M027",
                        sketch.dimension.span,
                        format!("the type of `{}` cannot be told", sketch.dimension.name),
                    )
                    .label("it is made of columns that no dimension describes")
                    .help("add `type:` with string, int, decimal, bool, date or timestamp"),
                );
                None
            }
            (None, found) => found,
            (Some((declared, _)), None) => Some(declared),
            (Some((declared, span)), Some(found)) => {
                // A number that is made of unknown columns may well be whole.
                let both_numbers = declared.is_numeric() && found.is_numeric();
                if declared != found && !both_numbers {
                    out.push(
                        Diagnostic::error(
                            "M027",
                            span,
                            format!("`{}` is declared to be {}", sketch.dimension.name, described(declared)),
                        )
                        .label(format!("but its expression is {}", described(found))),
                    );
                }
                Some(declared)
            }
        }
    }

    fn derived(&mut self, expr: &Expr<Name>, whole: Span, out: &mut Diagnostics) -> Option<(Expr<ColumnName>, Known)> {
        let mut wanted = Vec::new();
        expr.visit_refs(&mut |name| wanted.extend(name.single().and_then(|name| self.described.names.get(name).copied())));
        let mut sound = true;
        for index in wanted {
            self.settle(index, out);
            sound &= self.done[index];
        }
        if !sound {
            return None;
        }
        self.described.own_expression(expr, whole, out)
    }

    fn banded(
        &mut self,
        bands: &written::Bands,
        edges: &[bands::Edge],
        expr: &Expr<Name>,
        out: &mut Diagnostics,
    ) -> Option<(Expr<ColumnName>, Known)> {
        let (value, known) = self.derived(expr, bands.of.span, out)?;
        if let Some(found) = known.filter(|known| !known.is_numeric()) {
            out.push(Diagnostic::error("M024", bands.of.span, format!("bands need a number, this is {}", described(found))));
        }
        Some((bands::case(&value, bands, edges), Some(ValueType::Text)))
    }

    fn report_cycle(&mut self, start: usize, out: &mut Diagnostics) {
        let members: Vec<usize> = self.trail[start..].to_vec();
        let mut names: Vec<&str> = members.iter().map(|index| self.described.dimensions[*index].name.as_str()).collect();
        names.push(names[0]);
        let first = &self.described.dimensions[members[0]];
        let mut diagnostic =
            Diagnostic::error("M025", first.span, format!("`{}` is made of itself", first.name)).label(names.join(" → "));
        if members.len() == 1 {
            diagnostic = diagnostic.help(format!(
                "a name means the dimension of that name; to read the column, add a dimension for it: `{0}_raw: {{column: {0}, hidden: true}}`",
                first.name
            ));
        }
        out.push(diagnostic);
        for index in members {
            self.done[index] = true;
        }
    }
}

impl Described {
    /// Resolves an expression over columns and dimensions of the entity.
    pub(super) fn own_expression(
        &self,
        expr: &Expr<Name>,
        whole: Span,
        out: &mut Diagnostics,
    ) -> Option<(Expr<ColumnName>, Known)> {
        let meant = self.own_meaning(expr, out)?;
        let (checked, known) = typed(&meant, whole, out)?;
        Some((self.inline(&checked), known))
    }

    /// Gives the names of an expression their meaning inside the entity.
    pub(super) fn own_meaning(&self, expr: &Expr<Name>, out: &mut Diagnostics) -> Option<Expr<Meaning<Own>>> {
        mean(expr, out, |name, out| self.meaning(name, out))
    }

    /// Replaces dimensions by what they are made of.
    pub(super) fn inline(&self, expr: &Expr<Meaning<Own>>) -> Expr<ColumnName> {
        replace(expr, |own| match own {
            Own::Column(column) => Expr::Ref(column.clone()),
            Own::Dimension(index) => self.dimensions[*index].expr.clone(),
        })
    }

    /// The dimension of that name.
    pub(super) fn named(&self, name: &str) -> Option<DimensionIndex> {
        self.names.get(name).map(|index| DimensionIndex(*index as u16))
    }

    /// Gives the names of a measure's expression their meaning: `as_of` is the day from which rows are seen that are seen from one, and
    /// `today` the day that counts as today for those that are added up by a time of their own.
    pub(super) fn row_meaning(&self, expr: &Expr<Name>, over_time: OverTime, out: &mut Diagnostics) -> Option<Expr<Meaning<Seen>>> {
        mean(expr, out, |name, out| {
            let day = match (over_time, name.single()) {
                (OverTime::AsOf, Some(AS_OF)) => Some(Seen::AsOf),
                (OverTime::Sum, Some(TODAY)) => Some(Seen::Today),
                (OverTime::Sum | OverTime::Last | OverTime::First | OverTime::Average | OverTime::AsOf, _) => None,
            };
            if let Some(to) = day {
                return Some(Meaning { to, value_type: Some(ValueType::Date), span: name.span });
            }
            let own = self.meaning(name, out)?;
            Some(Meaning { to: Seen::Own(own.to), value_type: own.value_type, span: own.span })
        })
    }

    /// Replaces dimensions by what they are made of, in a measure's expression.
    pub(super) fn inline_row(&self, expr: &Expr<Meaning<Seen>>) -> Expr<RowValue> {
        replace(expr, |seen| match seen {
            Seen::AsOf => Expr::Ref(RowValue::AsOf),
            Seen::Today => Expr::Ref(RowValue::Today),
            Seen::Own(Own::Column(column)) => Expr::Ref(RowValue::Column(column.clone())),
            Seen::Own(Own::Dimension(index)) => of_row(&self.dimensions[*index].expr),
        })
    }

    fn meaning(&self, name: &Name, out: &mut Diagnostics) -> Option<Meaning<Own>> {
        if name.single() == Some(AS_OF) {
            out.push(
                Diagnostic::error("M036", name.span, "`as_of` has no meaning here")
                    .label("these rows are not seen from a day")
                    .help("`as_of` stands in `sum`, `where` and the like of a measure with `over_time: as_of`")
                    .help("a column of that name is read through a dimension of another name: `{column: as_of}`"),
            );
            return None;
        }
        if name.single() == Some(TODAY) {
            out.push(
                Diagnostic::error("M036", name.span, "`today` has no meaning here")
                    .label("these rows are the same whatever day it is")
                    .help("`today` stands in `sum`, `where` and the like of a measure without `over_time`; with `over_time: as_of` the day is `as_of`")
                    .help("a column of that name is read through a dimension of another name: `{column: today}`"),
            );
            return None;
        }
        let Some(word) = name.single() else {
            out.push(
                Diagnostic::error("M034", name.span, format!("`{name}` leads to another entity"))
                    .label("expected a column or dimension of this entity")
                    .help("filters of metrics, segments and views may follow relationships; an entity's own expressions may not"),
            );
            return None;
        };
        if let Some(index) = self.names.get(word) {
            return Some(Meaning { to: Own::Dimension(*index), value_type: self.known[*index], span: name.span });
        }
        let text = Spanned::new(word.to_owned(), name.span);
        let value_type = self.columns.get(word).copied().flatten();
        Some(Meaning { to: Own::Column(column(&text, out)), value_type, span: name.span })
    }
}
