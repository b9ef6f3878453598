//! Money in another currency: one rate for the whole answer.

use super::{Lowerer, column, from_cte, scan::At, scan::Scan, value_alias};
use crate::{
    model::{DimensionId, DimensionIndex},
    query::InCurrency,
    sql::ast::{AggregateFunction, Alias, Expr, Infix, Join, JoinKind, Query, Select},
    value::Value,
};

impl Lowerer<'_> {
    /// The value of one unit of a currency in the project's, as one row: the newest rate that holds on the day that counts as today, and
    /// null when there is none, or when there are several of one day: which of them is meant is not known.
    pub(super) fn exchange_rate(&mut self, into: &InCurrency) -> Alias {
        let model = self.env.model;
        let own = model.project.currency.clone();
        let rates = model.project.exchange_rates.as_ref().expect("a question in another currency was bound to rates");
        let mut scan = Scan::new(self.env, rates.entity, At::AsOf);
        let mut dimension = |index: DimensionIndex| scan.dimension(&[], DimensionId { entity: rates.entity, index });
        let [day, from, to, rate] = [rates.day, rates.from, rates.to, rates.rate].map(&mut dimension);
        let kind = rates.kind.as_ref().map(|(kind, _)| dimension(*kind));
        let text = |value: &str| Expr::Value(Value::Text(value.to_owned()));
        scan.filter(Expr::equal(from, text(&into.code)));
        scan.filter(Expr::equal(to, text(own.as_deref().unwrap_or_default())));
        if let (Some(kind), Some(name)) = (kind, &into.rate) {
            scan.filter(Expr::equal(kind, text(name)));
        }
        scan.filter(Expr::infix(Infix::LessOrEqual, day.clone(), Expr::Value(Value::Date(self.env.as_of))));
        self.scanned.extend(scan.scanned());
        let held = Alias::named("d");
        let select = scan.select(vec![rate.named(&value_alias(0)), day.named(&held)], None);
        let all = self.cte("rates", Query::select(select));
        let (table, newest) = (Alias::named("x"), Alias::named("y"));
        let last = Expr::aggregate(AggregateFunction::Max, column(&table, &held));
        let days =
            Select { items: vec![last.named(&held)], from: Some(from_cte(&all, &table)), group_by: Some(0), ..Select::default() };
        let days = self.cte("newest_day", Query::select(days));
        let is_newest = Expr::equal(column(&newest, &held), column(&table, &held));
        let of = |function| Expr::aggregate(function, column(&table, &value_alias(0)));
        let [least, greatest] = [AggregateFunction::Min, AggregateFunction::Max].map(of);
        let only = Expr::when(Expr::equal(least, greatest.clone()), greatest);
        let one = Select {
            items: vec![only.named(&value_alias(0))],
            from: Some(from_cte(&all, &table)),
            joins: vec![Join { kind: JoinKind::Inner, from: from_cte(&days, &newest), on: vec![is_newest] }],
            group_by: Some(0),
            ..Select::default()
        };
        self.cte("rate", Query::select(one))
    }
}
