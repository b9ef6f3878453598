//! Series of several entities side by side: each standardised, then added up period by period.
//!
//! The mean correlation of every two needs no pairs: the squares of the sums hold every product of two twice.

use super::{
    Lowerer, column, from_cte, key_alias, numbered,
    series::{keys_of, x, y},
    value_alias,
};
use crate::{
    plan::SideBySideColumn,
    sql::ast::{AggregateFunction, Alias, Expr, Infix, Item, Query, Select},
    value::ValueType,
};

impl Lowerer<'_> {
    /// What is said of the points of each group, of which each entity has some; `keys` counts the group keys, and
    /// `parts` those of the entities after them.
    pub(super) fn correlation(
        &mut self,
        points: &Alias,
        [keys, parts]: [usize; 2],
        window: u32,
        columns: &[SideBySideColumn],
    ) -> Alias {
        let standardised = self.standardised(points, [keys, parts], window);
        let (table, sum, count) = (Alias::named("q"), Alias::named("z"), Alias::named("n"));
        let by_period = Select {
            items: [
                keys_of(&table, keys),
                vec![
                    column(&table, &x()).named(&key_alias(keys)),
                    Expr::aggregate(AggregateFunction::Sum, column(&table, &y())).named(&sum),
                    Expr::Aggregate(AggregateFunction::Count, None).named(&count),
                ],
            ]
            .concat(),
            from: Some(from_cte(&standardised, &table)),
            group_by: Some(keys + 1),
            ..Select::default()
        };
        let by_period = self.cte("periods", Query::select(by_period));
        let said = columns.iter().map(|item| match item {
            SideBySideColumn::Entities => Expr::aggregate(AggregateFunction::Max, column(&table, &count)),
            SideBySideColumn::Together => {
                let sum = Box::new(column(&table, &sum));
                Expr::aggregate(AggregateFunction::Sum, Expr::Product(sum.clone(), sum))
            }
        });
        let select = Select {
            items: [keys_of(&table, keys), numbered(said, value_alias)].concat(),
            from: Some(from_cte(&by_period, &table)),
            group_by: Some(keys),
            ..Select::default()
        };
        self.cte("series", Query::select(select))
    }

    /// The points of entities that have one in every period and do not stand still, as distances from their mean in standard
    /// deviations. Sum and deviation stand beside the points by a window over equal keys, which takes nulls as equal.
    fn standardised(&mut self, points: &Alias, [keys, parts]: [usize; 2], window: u32) -> Alias {
        let (table, sum, deviation, count) = (Alias::named("q"), Alias::named("s"), Alias::named("d"), Alias::named("n"));
        let all = keys + parts;
        let window = i64::from(window);
        let value = || column(&table, &y());
        let is_entity = (keys..all).map(|n| Expr::is_not_null(column(&table, &key_alias(n))));
        let moments = Select {
            items: [
                keys_of(&table, all),
                vec![
                    Expr::aggregate(AggregateFunction::Sum, value()).named(&sum),
                    Expr::Deviation { of: Box::new(value()), along: None }.named(&deviation),
                    Expr::Aggregate(AggregateFunction::Count, None).named(&count),
                ],
            ]
            .concat(),
            from: Some(from_cte(points, &table)),
            filters: is_entity.collect(),
            group_by: Some(all),
            ..Select::default()
        };
        let moments = self.cte("moments", Query::select(moments));
        let own: Vec<Item> = vec![
            column(&table, &x()).named(&x()),
            value().named(&y()),
            Expr::Null(ValueType::Decimal).named(&sum),
            Expr::Null(ValueType::Decimal).named(&deviation),
        ];
        let beside = vec![
            Expr::Null(ValueType::Int).named(&x()),
            Expr::Null(ValueType::Decimal).named(&y()),
            column(&table, &sum).named(&sum),
            column(&table, &deviation).named(&deviation),
        ];
        let is_whole = Expr::equal(column(&table, &count), Expr::Number(window));
        let moves = Expr::infix(Infix::Greater, column(&table, &deviation), Expr::Number(0));
        let part = |from: &Alias, items: Vec<Item>, filters: Vec<Expr>| Select {
            items: [keys_of(&table, all), items].concat(),
            from: Some(from_cte(from, &table)),
            filters,
            ..Select::default()
        };
        let both = Query::union_all(vec![part(points, own, Vec::new()), part(&moments, beside, vec![is_whole, moves])]);
        let both = self.cte("parts", both);
        let partition: Vec<Expr> = (0..all).map(|n| column(&table, &key_alias(n))).collect();
        let of_entity =
            |name: &Alias| Expr::Over(AggregateFunction::Max, Some(Box::new(column(&table, name))), partition.clone()).named(name);
        let items = vec![column(&table, &x()).named(&x()), value().named(&y()), of_entity(&sum), of_entity(&deviation)];
        let met = self.cte("met", Query::select(part(&both, items, Vec::new())));
        let times = |value: Expr| Expr::infix(Infix::Multiply, Expr::Number(window), value);
        let distance = Expr::infix(Infix::Subtract, times(value()), column(&table, &sum));
        let standardised = Expr::Divide(Box::new(distance), Box::new(times(column(&table, &deviation))));
        let select = Select {
            items: [keys_of(&table, keys), vec![column(&table, &x()).named(&x()), standardised.named(&y())]].concat(),
            from: Some(from_cte(&met, &table)),
            filters: vec![Expr::is_not_null(value()), Expr::is_not_null(column(&table, &deviation))],
            ..Select::default()
        };
        self.cte("standardised", Query::select(select))
    }
}
