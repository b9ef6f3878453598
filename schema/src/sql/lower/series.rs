//! A series: the rows of its inner plan meet the windows of the question's periods, and each window's values become one row.

use jiff::civil::Date;

use super::{Lowerer, column, from_cte, key_alias, numbered, value_alias};
use crate::{
    plan::{Leaf, LeafKey, SeriesColumn, SeriesLeaf, SeriesSaid},
    sql::ast::{AggregateFunction, Alias, Expr, From, Infix, Item, Join, JoinKind, Query, Relation, Select},
    value::{Value, ValueType},
};

/// Places of a standard deviation, as of a quotient.
const PLACES: i64 = 16;

impl Lowerer<'_> {
    pub(super) fn series(&mut self, leaf: &Leaf, series: &SeriesLeaf) -> Alias {
        let points = self.points(leaf, series);
        let keys = leaf.keys.len();
        let window = series.window;
        let columns = match &series.said {
            SeriesSaid::OfOne(columns) => columns,
            SeriesSaid::OfSeveral { parts, columns } => return self.correlation(&points, [keys, *parts], window, columns),
        };
        let plain = self.said(&points, keys, window, columns, |column| !is_of_distances(column));
        if !columns.iter().any(|column| is_of_distances(*column)) {
            return plain;
        }
        let distances = self.distances(&points, keys, window);
        let around = self.said(&distances, keys, window, columns, is_of_distances);
        self.side_by_side([&plain, &around], keys, columns.len())
    }

    /// One row per group, period of the question and period of its window that has a value: keys, the period's number `x`, value `y`.
    fn points(&mut self, leaf: &Leaf, series: &SeriesLeaf) -> Alias {
        let rows = self.rows(&series.inner);
        let (values, periods, ends) = (Alias::named("r"), Alias::named("p"), Alias::named("w"));
        let (day, number, last) = (Alias::named("d"), Alias::named("i"), Alias::named("l"));
        let entity_parts = series.said.entity_parts();
        let counts_days = series.said.counts_days();
        let (until, since) = (Alias::named("u"), Alias::named("s"));
        let listed = |(start, number): (&Date, i64)| {
            let mut row = vec![Expr::Value(Value::Date(*start)), Expr::Number(number)];
            row.extend(counts_days.then(|| ordinal(series.grain.step().after(*start))));
            row
        };
        let listed = series.periods.iter().zip(0..).map(listed).collect();
        let mut columns = vec![day.clone(), number.clone()];
        columns.extend(counts_days.then(|| until.clone()));
        let period_relation = Relation::Values { rows: listed, columns };
        let end_row = |end: &crate::plan::SeriesEnd| {
            let keys = end.keys.iter().map(|start| Expr::Value(Value::Date(*start)));
            let first = (end.last + 1).saturating_sub(series.window as usize);
            let since = counts_days.then(|| ordinal(series.periods[first]));
            keys.chain([Expr::Number(end.last as i64)]).chain(since).collect()
        };
        let period_keys = leaf.keys.iter().filter(|key| matches!(key, LeafKey::Period(_))).count();
        let end_columns = (0..period_keys).map(key_alias).chain([last.clone()]).chain(counts_days.then(|| since.clone())).collect();
        let end_relation = Relation::Values { rows: series.ends.iter().map(end_row).collect(), columns: end_columns };
        let (at, end) = (column(&periods, &number), column(&ends, &last));
        let window = i64::from(series.window);
        let first = Expr::infix(Infix::Subtract, end.clone(), Expr::Number(window));
        let own_period = key_alias(leaf.keys.len() - period_keys + entity_parts);
        let joins = vec![
            Join {
                kind: JoinKind::Inner,
                from: From { relation: period_relation, alias: periods.clone() },
                on: vec![Expr::equal(column(&periods, &day), column(&values, &own_period))],
            },
            Join {
                kind: JoinKind::Inner,
                from: From { relation: end_relation, alias: ends.clone() },
                on: vec![
                    Expr::infix(Infix::LessOrEqual, at.clone(), end.clone()),
                    Expr::infix(Infix::Greater, at.clone(), first.clone()),
                ],
            },
        ];
        let groups = leaf.keys.len() - period_keys;
        let (mut of_periods, mut of_groups) = (0..period_keys, 0..groups);
        let mut key = |key: &LeafKey| match key {
            LeafKey::Period(_) => column(&ends, &key_alias(of_periods.next().expect("one value per period key"))),
            LeafKey::Place(_) | LeafKey::PlacePeriod(..) | LeafKey::Cohort(_) | LeafKey::Age => {
                column(&values, &key_alias(of_groups.next().expect("the inner plan has every other key")))
            }
        };
        let mut items = numbered(leaf.keys.iter().map(&mut key).collect::<Vec<_>>(), key_alias);
        // The key of the entity comes after the group keys of the inner plan.
        let entity = (0..entity_parts).map(|n| column(&values, &key_alias(groups + n)).named(&key_alias(leaf.keys.len() + n)));
        items.extend(entity);
        let from_first = Expr::infix(Infix::Subtract, Expr::infix(Infix::Subtract, at, first), Expr::Number(1));
        items.push(from_first.named(&x()));
        let value = column(&values, &Alias::named("m0"));
        let exact = match series.inner.outputs[0].value_type {
            ValueType::Int => Expr::Exact(Box::new(value.clone())),
            _ => value.clone(),
        };
        items.push(exact.named(&y()));
        if counts_days {
            items.push(Expr::infix(Infix::Subtract, column(&periods, &until), column(&ends, &since)).named(&days()));
        }
        let select = Select {
            items,
            from: Some(from_cte(&rows, &values)),
            joins,
            filters: vec![Expr::is_not_null(value)],
            ..Select::default()
        };
        self.cte("points", Query::select(select))
    }

    /// What is said of the points of each group; columns that are not among these are null.
    fn said(
        &mut self,
        points: &Alias,
        keys: usize,
        window: u32,
        columns: &[SeriesColumn],
        is_here: impl Fn(SeriesColumn) -> bool,
    ) -> Alias {
        let table = Alias::named("q");
        let values =
            columns.iter().map(|item| if is_here(*item) { taken(*item, window, &table) } else { Expr::Null(item.value_type()) });
        let items = [keys_of(&table, keys), numbered(values, value_alias)].concat();
        let select = Select { items, from: Some(from_cte(points, &table)), group_by: Some(keys), ..Select::default() };
        self.cte("series", Query::select(select))
    }

    /// The points before each window's last period, as distances from their median. The median stands beside the points it is of by
    /// a window over equal keys, which takes nulls as equal.
    fn distances(&mut self, points: &Alias, keys: usize, window: u32) -> Alias {
        let (table, centre) = (Alias::named("q"), Alias::named("c"));
        let prior = Expr::infix(Infix::Less, column(&table, &x()), Expr::Number(i64::from(window) - 1));
        let median = Expr::aggregate(AggregateFunction::Median, column(&table, &y()));
        let medians = Select {
            items: [keys_of(&table, keys), vec![median.named(&centre)]].concat(),
            from: Some(from_cte(points, &table)),
            filters: vec![prior.clone()],
            group_by: Some(keys),
            ..Select::default()
        };
        let medians = self.cte("medians", Query::select(medians));
        let own =
            vec![column(&table, &x()).named(&x()), column(&table, &y()).named(&y()), Expr::Null(ValueType::Decimal).named(&centre)];
        let beside = vec![
            Expr::Null(ValueType::Int).named(&x()),
            Expr::Null(ValueType::Decimal).named(&y()),
            column(&table, &centre).named(&centre),
        ];
        let own = Select {
            items: [keys_of(&table, keys), own].concat(),
            from: Some(from_cte(points, &table)),
            filters: vec![prior],
            ..Select::default()
        };
        let beside =
            Select { items: [keys_of(&table, keys), beside].concat(), from: Some(from_cte(&medians, &table)), ..Select::default() };
        let both = self.cte("around", Query::union_all(vec![own, beside]));
        let partition = (0..keys).map(|n| column(&table, &key_alias(n))).collect();
        let of_group = Expr::Over(AggregateFunction::Max, Some(Box::new(column(&table, &centre))), partition);
        let centred = [
            keys_of(&table, keys),
            vec![column(&table, &x()).named(&x()), column(&table, &y()).named(&y()), of_group.named(&centre)],
        ]
        .concat();
        let centred = Select { items: centred, from: Some(from_cte(&both, &table)), ..Select::default() };
        let centred = self.cte("centred", Query::select(centred));
        let distance = Expr::infix(Infix::Subtract, column(&table, &y()), column(&table, &centre));
        let distance = Expr::Call("abs", vec![distance]);
        let select = Select {
            items: [keys_of(&table, keys), vec![column(&table, &x()).named(&x()), distance.named(&y())]].concat(),
            from: Some(from_cte(&centred, &table)),
            filters: vec![Expr::is_not_null(column(&table, &y()))],
            ..Select::default()
        };
        self.cte("distances", Query::select(select))
    }

    /// Two parts of the same groups as one: each column is null in all but one of them.
    fn side_by_side(&mut self, parts: [&Alias; 2], keys: usize, values: usize) -> Alias {
        let table = Alias::named("q");
        let select = |part: &Alias| {
            let items = numbered((0..values).map(|n| column(&table, &value_alias(n))), value_alias);
            Select { items: [keys_of(&table, keys), items].concat(), from: Some(from_cte(part, &table)), ..Select::default() }
        };
        let parts = self.cte("parts", Query::union_all(parts.map(select).to_vec()));
        let merged = (0..values).map(|n| Expr::aggregate(AggregateFunction::Max, column(&table, &value_alias(n))));
        let items = [keys_of(&table, keys), numbered(merged, value_alias)].concat();
        let select = Select { items, from: Some(from_cte(&parts, &table)), group_by: Some(keys), ..Select::default() };
        self.cte("series", Query::select(select))
    }
}

pub(super) fn x() -> Alias {
    Alias::named("x")
}

pub(super) fn y() -> Alias {
    Alias::named("y")
}

/// Days from the first day of the window to the end of the period.
fn days() -> Alias {
    Alias::named("z")
}

/// A day as a number, of which only differences count.
fn ordinal(day: Date) -> Expr {
    Expr::Number(i64::from((day - Date::ZERO).get_days()))
}

pub(super) fn keys_of(table: &Alias, keys: usize) -> Vec<Item> {
    numbered((0..keys).map(|n| column(table, &key_alias(n))), key_alias)
}

/// Whether a column is computed from distances and not from the values themselves.
fn is_of_distances(column: SeriesColumn) -> bool {
    match column {
        SeriesColumn::PriorMedianDistance | SeriesColumn::PriorDistance => true,
        SeriesColumn::Count
        | SeriesColumn::Sum
        | SeriesColumn::Min
        | SeriesColumn::Max
        | SeriesColumn::Median
        | SeriesColumn::At(_)
        | SeriesColumn::Positions
        | SeriesColumn::PositionSquares
        | SeriesColumn::PositionProducts
        | SeriesColumn::Stdev
        | SeriesColumn::ResidualStdev
        | SeriesColumn::Product
        | SeriesColumn::DaysToFirst
        | SeriesColumn::PriorCount
        | SeriesColumn::PriorMedian => false,
    }
}

fn taken(item: SeriesColumn, window: u32, table: &Alias) -> Expr {
    let (x, y) = (column(table, &x()), column(table, &y()));
    let sum = |value: Expr| Expr::aggregate(AggregateFunction::Sum, value);
    let product = |left: &Expr, right: &Expr| Expr::infix(Infix::Multiply, left.clone(), right.clone());
    let at = |number: u32| {
        let is_it = Expr::equal(x.clone(), Expr::Number(i64::from(number)));
        Expr::aggregate(AggregateFunction::Max, Expr::when(is_it, y.clone()))
    };
    let prior = || Expr::when(Expr::infix(Infix::Less, x.clone(), Expr::Number(i64::from(window) - 1)), y.clone());
    match item {
        SeriesColumn::Count => Expr::Aggregate(AggregateFunction::Count, None),
        SeriesColumn::Sum | SeriesColumn::PriorDistance => sum(y),
        SeriesColumn::Min => Expr::aggregate(AggregateFunction::Min, y),
        SeriesColumn::Max => Expr::aggregate(AggregateFunction::Max, y),
        SeriesColumn::Median | SeriesColumn::PriorMedianDistance => Expr::aggregate(AggregateFunction::Median, y),
        SeriesColumn::At(number) => at(number),
        SeriesColumn::Positions => sum(x),
        SeriesColumn::PositionSquares => sum(product(&x, &x)),
        SeriesColumn::PositionProducts => sum(product(&x, &y)),
        SeriesColumn::Stdev => Expr::Deviation { of: Box::new(y), along: None },
        SeriesColumn::ResidualStdev => Expr::Deviation { of: Box::new(y), along: Some(Box::new(x)) },
        SeriesColumn::Product => {
            let one = |value: Expr| Expr::Call("coalesce", vec![value, Expr::Number(1)]);
            let all = (1..window).fold(one(at(0)), |all, number| Expr::Product(Box::new(all), Box::new(one(at(number)))));
            Expr::Round(Box::new(all), PLACES)
        }
        SeriesColumn::DaysToFirst => {
            let is_above = Expr::infix(Infix::Greater, y, Expr::Number(0));
            Expr::aggregate(AggregateFunction::Min, Expr::when(is_above, column(table, &days())))
        }
        SeriesColumn::PriorCount => Expr::aggregate(AggregateFunction::Count, prior()),
        SeriesColumn::PriorMedian => Expr::aggregate(AggregateFunction::Median, prior()),
    }
}
