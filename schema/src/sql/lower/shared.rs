//! What columns of one select have in common, computed once.
//!
//! A metric that is made of metrics repeats each of them wherever it names it, and a score of scores grows with every step. What occurs
//! more than once becomes a column of a subquery in front, as an author of SQL would write it; the text stays as short as the
//! definitions, and engines plan it in a fraction of the time.

use std::collections::{BTreeSet, HashMap};

use smol_str::format_smolstr;

use super::column;
use crate::sql::ast::{Alias, Expr, Item};

/// Fewer repeated nodes than this are not worth a subquery.
const WORTH: usize = 64;

/// Fewer nodes than this are as short as the name of a column.
const SMALL: usize = 4;

/// Columns in steps: each reads the one before it, the first of them what the columns read themselves.
#[derive(Debug)]
pub(super) struct Steps {
    /// Columns of the subqueries in front.
    pub(super) before: Vec<Vec<Item>>,
    /// The columns asked for.
    pub(super) last: Vec<Item>,
}

/// Name under which a step reads the step before it.
pub(super) fn step_table() -> Alias {
    Alias::named("u")
}

/// Takes out what columns have in common. The columns must be values of single rows, without aggregates over them.
pub(super) fn steps(items: Vec<Item>) -> Steps {
    let shared = Shared::of(&items);
    if shared.depth == 0 {
        return Steps { before: Vec::new(), last: items };
    }
    let mut wanted = BTreeSet::new();
    let last = items
        .iter()
        .map(|item| Item { expr: shared.rewritten(&item.expr, shared.depth, &mut wanted), alias: item.alias.clone() })
        .collect();
    let mut before = Vec::new();
    for step in (0..shared.depth).rev() {
        let mut inputs = BTreeSet::new();
        let made = wanted.iter().map(|name| shared.made(*name, step, &mut inputs)).collect();
        before.push(made);
        wanted = inputs;
    }
    before.reverse();
    Steps { before, last }
}

/// What is known of an expression.
#[derive(Default)]
struct Node {
    /// Places where it occurs, those inside of another that occurs more than once counted once.
    uses: usize,
    /// Nodes of its text, where what becomes a column is one.
    size: usize,
    /// Whether it has a value for every row, so that computing it where nobody asks does no harm.
    is_total: bool,
    /// The step in which it can be computed.
    step: usize,
    /// Its number, where it becomes a column.
    name: Option<usize>,
}

struct Shared<'a> {
    nodes: HashMap<&'a Expr, Node>,
    /// Every expression once, what it is made of before it.
    order: Vec<&'a Expr>,
    /// How many steps come before the last.
    depth: usize,
}

impl<'a> Shared<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut shared = Self { nodes: HashMap::new(), order: Vec::new(), depth: 0 };
        for item in items {
            shared.count(&item.expr);
        }
        let mut saved = 0;
        let mut depth = 0;
        for (name, expr) in shared.order.iter().enumerate() {
            let (mut size, mut is_total, mut step) = (1, is_total(expr), 0);
            expr.children(&mut |child| {
                let child = &shared.nodes[child];
                size += if child.is_shared() { 1 } else { child.size };
                is_total &= child.is_total;
                step = step.max(child.step + usize::from(child.is_shared()));
            });
            let node = shared.nodes.get_mut(expr).expect("every expression is counted");
            *node = Node { uses: node.uses, size, is_total, step, name: None };
            let is_shared = node.is_shared();
            node.name = (is_shared || is_column(expr)).then_some(name);
            if is_shared {
                saved += (node.uses - 1) * size;
                depth = depth.max(step + 1);
            }
        }
        if saved >= WORTH {
            shared.depth = depth;
        }
        shared
    }

    /// Notes how often each expression occurs, and all of them in an order in which parts come first.
    fn count(&mut self, expr: &'a Expr) {
        let node = self.nodes.entry(expr).or_default();
        node.uses += 1;
        if node.uses == 1 {
            expr.children(&mut |child| self.count(child));
            self.order.push(expr);
        }
    }

    /// The expression as a step sees it; the columns of the step before that it takes go to `wanted`.
    fn rewritten(&self, expr: &Expr, step: usize, wanted: &mut BTreeSet<usize>) -> Expr {
        let node = &self.nodes[expr];
        match node.name {
            Some(name) if node.step < step => {
                wanted.insert(name);
                column(&step_table(), &step_alias(name))
            }
            _ => expr.rebuilt(&mut |child| self.rewritten(child, step, wanted)),
        }
    }

    /// A column of a step, computed there or taken from the step before.
    fn made(&self, name: usize, step: usize, inputs: &mut BTreeSet<usize>) -> Item {
        self.rewritten(self.order[name], step, inputs).named(&step_alias(name))
    }
}

impl Node {
    fn is_shared(&self) -> bool {
        self.uses > 1 && self.is_total && self.size >= SMALL
    }
}

fn step_alias(name: usize) -> Alias {
    Alias(format_smolstr!("u{name}"))
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Physical(..) | Expr::Column(..))
}

/// Whether the node itself has a value, or null, whatever it is given: a condition around one that has not may be there to keep it from
/// values for which an engine refuses to compute it, such as days beyond the calendar.
fn is_total(expr: &Expr) -> bool {
    match expr {
        Expr::Physical(..)
        | Expr::Column(..)
        | Expr::Value(_)
        | Expr::Null(_)
        | Expr::Number(_)
        | Expr::Word(_)
        | Expr::Not(_)
        | Expr::Negate(_)
        | Expr::Infix(..)
        | Expr::And(_)
        | Expr::Or(_)
        | Expr::IsNull { .. }
        | Expr::Same(..)
        | Expr::In { .. }
        | Expr::Like { .. }
        | Expr::Case { .. }
        | Expr::Divide(..)
        | Expr::SquareRoot(_)
        | Expr::Product(..)
        | Expr::Round(..)
        | Expr::Exact(_)
        | Expr::Call(..)
        | Expr::Truncate(..)
        | Expr::MonthsBetween(..)
        | Expr::DaysBetween(..)
        | Expr::LocalDate(..)
        | Expr::ToText(_) => true,
        Expr::Shift(..)
        | Expr::AddDays(..)
        | Expr::AddMonths(..)
        | Expr::Floor(_)
        | Expr::Deviation { .. }
        | Expr::Aggregate(..)
        | Expr::Over(..)
        | Expr::RowNumber { .. } => false,
    }
}

#[cfg(test)]
mod tests;
