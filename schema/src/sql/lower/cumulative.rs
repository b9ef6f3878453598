//! Running totals: each period meets the rows of its window.

use super::{
    Lowerer,
    aggregate::{measured, period_of, place_of},
    column,
    fan::Fans,
    from_cte, key_alias, numbered,
    scan::{At, Scan, relation, root},
    time::{FactTime, earlier, shift, truncate},
    value_alias,
};
use crate::{
    model::entity::Window,
    plan::{CumulativeLeaf, Leaf, Plan},
    query::TimeRange,
    sql::ast::{Alias, Expr, From, Infix, Join, JoinKind, Query, Relation, Select},
    time::{Grain, Step},
    value::Value,
};

impl Lowerer<'_> {
    pub(super) fn cumulative(&mut self, plan: &Plan, leaf: &Leaf, cumulative: &CumulativeLeaf) -> Alias {
        let env = self.env;
        let mut scan = Scan::new(env, cumulative.fact, At::AsOf);
        let time = FactTime::of(env, &scan, cumulative.fact, cumulative.time);
        scan.read_at(time.read_at());
        let range = time.widened(earlier(plan.range, leaf.timing.shift));
        let (start, end) = match period_of(&leaf.keys) {
            Some(grain) => {
                let spine = self.spine(grain, range, cumulative, &time);
                let alias = scan.next_alias();
                let start = column(&alias, &key_alias(0));
                scan.join(Join { kind: JoinKind::Cross, from: from_cte(&spine, &alias), on: Vec::new() });
                (start.clone(), shift(start, grain.step()))
            }
            None => {
                let to = range.to.expect("a running total without periods needs the end of a range: refused when planning");
                let day = |date| Expr::Value(Value::Date(date));
                (range.from.map_or_else(|| day(Step::days(1).before(to)), day), day(to))
            }
        };
        let first = match cumulative.window {
            Window::Trailing(step) => Some(shift(end.clone(), step.times(-1))),
            Window::ToDate(grain) => Some(truncate(self.calendar(), grain, shift(end.clone(), Step::days(-1)))),
            Window::All => None,
        };
        if let Some(first) = first {
            scan.filter(Expr::infix(Infix::GreaterOrEqual, time.day(), first));
        }
        scan.filter(Expr::infix(Infix::Less, time.day(), end));
        let fans = Fans::join(&mut scan, env, leaf.keys.iter().filter_map(place_of), &cumulative.filter);
        let keys = self.keys(&mut scan, &fans, Some(&start), leaf);
        let values: Vec<Expr> = cumulative.columns.iter().map(|item| measured(&mut scan, &fans, env, item)).collect();
        let count = keys.len();
        let items = [numbered(keys, key_alias), numbered(values, value_alias)].concat();
        self.scanned.extend(scan.scanned());
        let select = scan.select(items, Some(count));
        self.cte("running", Query::select(select))
    }

    /// The periods of a closed range, or those in which the fact has rows.
    fn spine(&mut self, grain: Grain, range: TimeRange, cumulative: &CumulativeLeaf, time: &FactTime<'_>) -> Alias {
        if let (Some(from), Some(to)) = (range.from, range.to) {
            return self.closed_spine(grain, from, to);
        }
        let select = Select {
            distinct: true,
            items: vec![truncate(self.calendar(), grain, time.day()).named(&key_alias(0))],
            from: Some(relation(self.env, cumulative.fact, root())),
            filters: time.within(range),
            ..Select::default()
        };
        self.cte("spine", Query::select(select))
    }

    /// Every period of a closed range, one row each.
    pub(super) fn closed_spine(&mut self, grain: Grain, from: jiff::civil::Date, to: jiff::civil::Date) -> Alias {
        let table = Alias::named("d");
        let days = self.calendar().periods(grain, from, to).collect();
        let relation = Relation::Days { days, column: key_alias(0) };
        let select = Select {
            items: vec![column(&table, &key_alias(0)).named(&key_alias(0))],
            from: Some(From { relation, alias: table }),
            ..Select::default()
        };
        self.cte("spine", Query::select(select))
    }
}
