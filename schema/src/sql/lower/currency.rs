//! Money in another currency: one rate for the whole answer.

use super::{Lowerer, column, from_cte, scan::At, scan::Scan, value_alias};
use crate::{
    model::{DimensionId, DimensionIndex},
    query::InCurrency,
    sql::ast::{AggregateFunction, Alias, Expr, Infix, OrderItem, Query, Select},
    value::Value,
};

impl Lowerer<'_> {
    /// The value of one unit of a currency in the project's, as one row: the newest rate that holds on the day that counts as today, and
    /// null when there is none.
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
        let table = Alias::named("x");
        let newest = Query {
            order_by: vec![OrderItem { expr: column(&table, &held), descending: true, nulls_first: false }],
            limit: Some(1),
            ..Query::select(Select {
                items: [value_alias(0), held.clone()].map(|name| column(&table, &name).named(&name)).to_vec(),
                from: Some(from_cte(&all, &table)),
                ..Select::default()
            })
        };
        let newest = self.cte("newest_rate", newest);
        let value = Expr::aggregate(AggregateFunction::Max, column(&table, &value_alias(0)));
        let one = Select { items: vec![value.named(&value_alias(0))], from: Some(from_cte(&newest, &table)), ..Select::default() };
        self.cte("rate", Query::select(one))
    }
}
