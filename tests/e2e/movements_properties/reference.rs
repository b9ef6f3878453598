//! The bridge computed by going through every member of every period, without SQL and without sparing anything.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_tests::answer::plain;

use super::{Balances, MONTHS, account, product};

/// What identifies a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    Account,
    Product,
    Component,
}

/// From coarse to fine.
pub(super) const GRAINS: [Grain; 3] = [Grain::Account, Grain::Product, Grain::Component];

/// Which periods are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Month,
    Quarter,
    Range,
}

/// The months of the range that is asked for, January to September 2025, as positions among the months with balances.
const FROM: usize = 2;
const TO: usize = 11;

/// Balances to go through.
pub(super) struct Bridge<'a> {
    pub(super) balances: &'a Balances,
}

#[derive(Default)]
struct Sums {
    opening: i64,
    new: i64,
    reactivation: i64,
    expansion: i64,
    contraction: i64,
    churn: i64,
    component_add: i64,
    component_loss: i64,
    credit: i64,
    closing: i64,
    retained: i64,
    base: i64,
    churned: BTreeSet<usize>,
}

impl Grain {
    pub(super) fn name(self) -> &'static str {
        match self {
            Grain::Account => "ACCOUNT",
            Grain::Product => "PRODUCT",
            Grain::Component => "COMPONENT",
        }
    }

    fn member(self, component: usize) -> (usize, usize) {
        match self {
            Grain::Account => (account(component), 0),
            Grain::Product => (account(component), product(component)),
            Grain::Component => (account(component), component),
        }
    }
}

impl Bridge<'_> {
    /// What is left of the opening of each span when it is seen month by month: of each member what it never fell below. By the
    /// first day of the span.
    pub(super) fn retained_by_flow(&self, period: Period, grain: Grain) -> BTreeMap<String, String> {
        let sum_of = |member: (usize, usize), month: usize| -> i64 {
            let parts = self.balances.iter().enumerate().filter(|(n, _)| grain.member(*n) == member);
            parts.map(|(_, months)| months.get(month).copied().flatten().unwrap_or(0)).sum::<i64>().max(0)
        };
        let members: BTreeSet<(usize, usize)> = (0..self.balances.len()).map(|n| grain.member(n)).collect();
        let retained = |start: usize, closing: usize| -> i64 {
            let lowest = |member: &(usize, usize)| (start - 1..=closing).map(|month| sum_of(*member, month)).min().unwrap_or(0);
            members.iter().map(lowest).sum()
        };
        let Some(last) = self.last_month() else { return BTreeMap::new() };
        let spans = Self::spans(period, last, true).into_iter();
        spans.map(|(start, closing)| (first_day(start), plain(&decimal(retained(start, closing))))).collect()
    }

    fn last_month(&self) -> Option<usize> {
        (0..MONTHS).rev().find(|month| self.balances.iter().any(|months| months[*month].is_some()))
    }

    /// First and closing month of each span. Month by month a quarter is there as far as it has come.
    fn spans(period: Period, last: usize, is_flow: bool) -> Vec<(usize, usize)> {
        match period {
            Period::Month => (FROM..TO).map(|month| (month, month)).filter(|(_, closing)| *closing <= last).collect(),
            Period::Quarter if is_flow => {
                (FROM..TO).step_by(3).filter(|start| *start <= last).map(|start| (start, last.min(start + 2))).collect()
            }
            Period::Quarter => {
                (FROM..TO).step_by(3).map(|start| (start, start + 2)).filter(|(_, closing)| *closing <= last).collect()
            }
            Period::Range if last >= FROM => vec![(FROM, last.min(TO - 1))],
            Period::Range => vec![],
        }
    }

    /// The rows of the API: the period's first day where periods are asked for, amounts, retention.
    pub(super) fn rows(&self, period: Period, grain: Grain) -> Vec<Vec<String>> {
        let Some(last) = self.last_month() else {
            return if period == Period::Range { vec![nothing()] } else { Vec::new() };
        };
        let spans = Self::spans(period, last, false);
        let mut rows = Vec::new();
        for (start, closing) in spans {
            let is_there = |month: usize| self.balances.iter().any(|months| months[month].is_some());
            if !is_there(start - 1) && !is_there(closing) {
                continue;
            }
            let mut row = if period == Period::Range { Vec::new() } else { vec![first_day(start)] };
            row.extend(self.sums(start, closing, grain).cells());
            rows.push(row);
        }
        if rows.is_empty() && period == Period::Range {
            return vec![nothing()];
        }
        rows
    }

    fn sums(&self, start: usize, closing: usize, grain: Grain) -> Sums {
        let at = |month: usize, belongs: &dyn Fn(usize) -> bool| -> i64 {
            self.balances.iter().enumerate().filter(|(n, _)| belongs(*n)).map(|(_, months)| months[month].unwrap_or(0)).sum()
        };
        let members: BTreeMap<(usize, usize), usize> = (0..self.balances.len()).map(|n| (grain.member(n), account(n))).collect();
        let mut sums = Sums::default();
        for (member, owner) in members {
            let is_member = |n: usize| grain.member(n) == member;
            let is_owner = |n: usize| account(n) == owner;
            let (o, c) = (at(start - 1, &is_member), at(closing, &is_member));
            let (owner_o, owner_c) = (at(start - 1, &is_owner), at(closing, &is_owner));
            let was_active = (0..start).any(|month| at(month, &is_owner) > 0);
            let (is_finer, amount) = (grain != Grain::Account, (c.max(0) - o.max(0)).abs());
            let class = match (o > 0, c > 0) {
                (false, false) => None,
                (false, true) if is_finer && owner_o > 0 => Some(&mut sums.component_add),
                (false, true) if was_active => Some(&mut sums.reactivation),
                (false, true) => Some(&mut sums.new),
                (true, false) if is_finer && owner_c > 0 => Some(&mut sums.component_loss),
                (true, false) => {
                    sums.churned.insert(owner);
                    Some(&mut sums.churn)
                }
                (true, true) if c > o => Some(&mut sums.expansion),
                (true, true) => Some(&mut sums.contraction),
            };
            if let Some(class) = class {
                *class += amount;
            }
            sums.opening += o;
            sums.closing += c;
            sums.credit += c.min(0) - o.min(0);
            sums.retained += o.max(0).min(c.max(0));
            sums.base += o.max(0);
        }
        sums
    }
}

impl Sums {
    fn cells(&self) -> Vec<String> {
        let amounts = [
            self.opening,
            self.new,
            self.reactivation,
            self.expansion,
            self.contraction,
            self.churn,
            self.component_add,
            self.component_loss,
            self.credit,
            self.closing,
            self.closing - self.opening,
            self.retained,
            self.base,
        ];
        let mut cells: Vec<String> = amounts.into_iter().map(|amount| plain(&decimal(amount))).collect();
        cells.push(self.churned.len().to_string());
        let kept = self.base + self.expansion + self.component_add - self.contraction - self.component_loss - self.churn;
        cells.extend([ratio(kept, self.base), ratio(self.retained, self.base)]);
        cells
    }
}

/// A question over everything has one row even when there is nothing.
fn nothing() -> Vec<String> {
    let mut cells = vec!["null".to_owned(); 16];
    cells[13] = "0".to_owned();
    cells
}

/// Hundredths as a decimal number.
pub(super) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}

/// To 16 places, half away from zero.
fn ratio(numerator: i64, denominator: i64) -> String {
    if denominator == 0 {
        return "null".to_owned();
    }
    const ONE: i128 = 10_000_000_000_000_000;
    let twice = i128::from(numerator.abs()) * 2 * ONE + i128::from(denominator);
    let rounded = twice / (2 * i128::from(denominator));
    let sign = if numerator < 0 { "-" } else { "" };
    plain(&format!("{sign}{}.{:016}", rounded / ONE, rounded % ONE))
}

fn year_and_month(month: usize) -> (usize, usize) {
    (2024 + (month + 10) / 12, (month + 10) % 12 + 1)
}

fn first_day(month: usize) -> String {
    let (year, month) = year_and_month(month);
    format!("{year}-{month:02}-01")
}

/// The day of a month's balances.
pub(super) fn last_day(month: usize) -> String {
    let (year, month) = year_and_month(month);
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
    format!("{year}-{month:02}-{days}")
}
