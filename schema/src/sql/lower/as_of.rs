//! Rows seen from a day: every day meets all rows, each as it looks from there.

use super::{
    Lowerer,
    aggregate::{among, period_of, place_of},
    column,
    fan::Fans,
    from_cte, key_alias, numbered,
    scan::{At, Scan, columns_of, days_alias, first, root},
    time::{earlier, shift},
    value_alias,
};
use crate::{
    model::{
        EntityId,
        entity::{ColumnName, Latest, OverTime},
    },
    plan::{AsOfLeaf, Leaf, Plan},
    sql::ast::{Alias, Expr, From, OrderItem, Query, Relation},
    time::{Grain, Step},
    value::Value,
};

/// The days that rows are seen from.
enum Days {
    /// One.
    One(Expr),
    /// The last of each period; the subquery holds the first.
    Periods(Grain, Alias),
}

impl Days {
    /// The day in a scan, given where the first day of the period is there.
    fn day(&self, start: Expr) -> Expr {
        match self {
            Days::One(day) => day.clone(),
            Days::Periods(grain, _) => shift(shift(start, grain.step()), Step::days(-1)),
        }
    }
}

impl<'e> Lowerer<'e> {
    pub(super) fn as_of(&mut self, plan: &Plan, leaf: &Leaf, as_of: &AsOfLeaf) -> Alias {
        let env = self.env;
        let days = self.days(plan, leaf);
        let (mut scan, start) = self.rows_seen(as_of, &days);
        let fans = Fans::join(&mut scan, env, leaf.keys.iter().filter_map(place_of), &as_of.filter);
        let keys = self.keys(&mut scan, &fans, Some(&start), leaf);
        // The condition of the measures has chosen the rows already.
        let values: Vec<Expr> = as_of.columns.iter().map(|item| among(&mut scan, &fans, env, item, Vec::new())).collect();
        let count = keys.len();
        let items = [numbered(keys, key_alias), numbered(values, value_alias)].concat();
        self.scanned.extend(scan.scanned());
        let select = scan.select(items, Some(count));
        self.cte("seen", Query::select(select))
    }

    fn days(&mut self, plan: &Plan, leaf: &Leaf) -> Days {
        let range = earlier(self.leaf_range(plan, OverTime::AsOf), leaf.timing.shift);
        let to = range.to.expect("a range without an end ends with the day that counts as today");
        match period_of(&leaf.keys) {
            Some(grain) => {
                let from = range.from.expect("periods need the start of a range: refused when planning");
                Days::Periods(grain, self.closed_spine(grain, from, to))
            }
            None => Days::One(Expr::Value(Value::Date(Step::days(1).before(to)))),
        }
    }

    /// A scan of the rows that count, each as often as it is seen, and where it has the first day of the period.
    fn rows_seen(&self, as_of: &AsOfLeaf, days: &Days) -> (Scan<'e>, Expr) {
        let env = self.env;
        let (spine, start) = match days {
            Days::One(day) => (None, day.clone()),
            Days::Periods(_, name) => (Some(from_cte(name, &days_alias())), column(&days_alias(), &key_alias(0))),
        };
        let mut scan = Scan::seen_from(env, as_of.fact, spine, days.day(start.clone()));
        if let Some(rows) = &as_of.rows {
            let rows = scan.of_row(rows);
            scan.filter(rows);
        }
        match &as_of.latest {
            None => (scan, start),
            Some(latest) => self.newest(as_of.fact, latest, scan, start, days),
        }
    }

    /// A scan of the newest of the rows per key, which are numbered before anything is joined that could multiply them.
    fn newest(&self, fact: EntityId, latest: &Latest, rows: Scan<'e>, start: Expr, days: &Days) -> (Scan<'e>, Expr) {
        let env = self.env;
        let (period, rank) = (Alias::named("holdfast_period"), Alias::named("holdfast_rank"));
        let entity = env.model.entity(fact);
        let columns = columns_of(env.model, fact, entity);
        let mut items: Vec<_> = columns.iter().map(|name| rows.column(name).named(&Alias(name.0.clone()))).collect();
        let per_day = match days {
            Days::One(_) => None,
            Days::Periods(..) => Some(start.clone()),
        };
        items.extend(per_day.iter().map(|start| start.clone().named(&period)));
        let partition = per_day.into_iter().chain(latest.per.iter().map(|per| rows.own(per))).collect();
        let newest_first = |expr| OrderItem { expr, descending: true, nulls_first: false };
        let by_key = entity.key_columns().map(|key: &ColumnName| newest_first(rows.column(key)));
        let order = [newest_first(rows.own(&latest.by))].into_iter().chain(by_key).collect();
        items.push(Expr::RowNumber { partition, order }.named(&rank));
        let scanned = rows.scanned().clone();
        let numbered = Relation::Query(Box::new(Query::select(rows.select(items, None))));
        let start = match days {
            Days::One(day) => day.clone(),
            Days::Periods(..) => column(&root(), &period),
        };
        let mut scan = Scan::over(env, fact, From { relation: numbered, alias: root() }, At::Row(days.day(start.clone())));
        scan.note_scanned(&scanned);
        scan.filter(first(column(&root(), &rank)));
        (scan, start)
    }
}
