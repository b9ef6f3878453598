//! What the engines have no common word for: exact division and roots, calendars, the middle and the spread of values.

use super::Writer;
use crate::{
    sql::{
        ast::{Expr, Truncation},
        dialect::Dialect,
    },
    time::{Grain, Step},
};

impl Writer {
    /// `div` cuts after 18 decimals, and cutting keeps what rounding to 16 needs: the result is exact on any input. The
    /// embedded engine has the same operation as a function of ours.
    pub(super) fn divide(&mut self, left: &Expr, right: &Expr) {
        match self.dialect {
            Dialect::Postgres => {
                self.wrapped("round(div(cast(", left, " as numeric) * 1000000000000000000, nullif(");
                self.wrapped("cast(", right, " as numeric), 0)) * 0.000000000000000001, 16)");
            }
            Dialect::Embedded => self.call("holdfast_divide", &[left, right]),
        }
    }

    /// The months by which two dates differ, less one when that many after the first is past the second.
    pub(super) fn months_between(&mut self, from: &Expr, to: &Expr) {
        if self.dialect == Dialect::Embedded {
            return self.call("holdfast_months_between", &[from, to]);
        }
        self.push("(");
        self.calendar_months(from, to);
        self.wrapped(" - case when cast((", from, " + make_interval(months => ");
        self.calendar_months(from, to);
        self.wrapped(")) as date) > ", to, " then 1 else 0 end)");
    }

    /// PostgreSQL only: the months by which the months of two dates differ.
    fn calendar_months(&mut self, from: &Expr, to: &Expr) {
        self.wrapped("cast((extract(year from ", to, ") * 12 + extract(month from ");
        self.wrapped("", to, ")) - (extract(year from ");
        self.wrapped("", from, ") * 12 + extract(month from ");
        self.wrapped("", from, ")) as integer)");
    }

    /// PostgreSQL keeps as many decimals of a root as its operand has, so it is given many zeros: with 60 the root, cut to 16, is the one
    /// that rounding the true root gives, for every operand of up to 38 digits.
    pub(super) fn square_root(&mut self, value: &Expr) {
        match self.dialect {
            Dialect::Postgres => {
                self.wrapped("case when ", value, " >= 0 then round(sqrt(cast(");
                self.expr(value);
                self.push(" as numeric) + 0.");
                self.push(&"0".repeat(60));
                self.push("), 16) end");
            }
            Dialect::Embedded => self.call("holdfast_sqrt", &[value]),
        }
    }

    pub(super) fn truncate(&mut self, truncation: Truncation, value: &Expr) {
        let Truncation { grain, months, days } = truncation;
        let unit = match grain {
            Grain::Day => return self.expr(value),
            Grain::Week => "week",
            Grain::Month => "month",
            Grain::Quarter | Grain::FiscalQuarter => "quarter",
            Grain::Year | Grain::FiscalYear => "year",
        };
        let back = Step { months: -months, days: -days };
        let forth = Step { months, days };
        self.open_shift(forth);
        self.push(&match self.dialect {
            Dialect::Postgres => format!("cast(date_trunc('{unit}', "),
            Dialect::Embedded => format!("holdfast_date_trunc('{unit}', "),
        });
        self.open_shift(back);
        self.expr(value);
        self.close_shift(back);
        self.push(match self.dialect {
            Dialect::Postgres => ") as date)",
            Dialect::Embedded => ")",
        });
        self.close_shift(forth);
    }

    pub(super) fn shift(&mut self, value: &Expr, step: Step) {
        self.open_shift(step);
        self.expr(value);
        self.close_shift(step);
    }

    fn open_shift(&mut self, step: Step) {
        match self.dialect {
            Dialect::Postgres => {
                if step.days != 0 {
                    self.push("(");
                }
                if step.months != 0 {
                    self.push("cast((");
                }
            }
            Dialect::Embedded => {
                if step.days != 0 {
                    self.push("holdfast_add_days(");
                }
                if step.months != 0 {
                    self.push("holdfast_add_months(");
                }
            }
        }
    }

    fn close_shift(&mut self, step: Step) {
        match self.dialect {
            Dialect::Postgres => {
                if step.months != 0 {
                    self.push(&format!(" + interval '{} months') as date)", step.months));
                }
                if step.days != 0 {
                    self.push(&format!(" + {})", step.days));
                }
            }
            Dialect::Embedded => {
                if step.months != 0 {
                    self.push(&format!(", {})", step.months));
                }
                if step.days != 0 {
                    self.push(&format!(", {})", step.days));
                }
            }
        }
    }

    /// The mean of the two middle values, exactly: the lower middle of the ascending order and that of the descending one.
    pub(super) fn median(&mut self, value: Option<&Expr>) {
        let value = value.expect("a median is of a value");
        match self.dialect {
            Dialect::Postgres => {
                self.wrapped("round((percentile_disc(0.5) within group (order by cast(", value, " as numeric))");
                self.wrapped(" + percentile_disc(0.5) within group (order by cast(", value, " as numeric) desc)) * 0.5, 16)");
            }
            Dialect::Embedded => self.call("holdfast_median", &[value]),
        }
    }

    /// From sums, so that nothing is rounded before the root, which is taken to 40 decimals and then rounded to 16.
    pub(super) fn deviation(&mut self, of: &Expr, along: Option<&Expr>) {
        match (self.dialect, along) {
            (Dialect::Embedded, None) => self.call("holdfast_deviation", &[of]),
            (Dialect::Embedded, Some(along)) => self.call("holdfast_residual_deviation", &[of, along]),
            (Dialect::Postgres, along) => {
                let y = self.apart(|writer| writer.wrapped("cast(", of, " as numeric)"));
                let n = format!("count({y})");
                let squares = format!("({n} * sum({y} * {y}) - sum({y}) * sum({y}))");
                let (above, below) = match along {
                    None => (squares, format!("({n} * ({n} - 1))")),
                    Some(along) => {
                        let x = self.apart(|writer| writer.wrapped("cast(", along, " as numeric)"));
                        let spread = format!("({n} * sum({x} * {x}) - sum({x}) * sum({x}))");
                        let joint = format!("({n} * sum({x} * {y}) - sum({x}) * sum({y}))");
                        (format!("({squares} * {spread} - {joint} * {joint})"), format!("({spread} * {n} * ({n} - 1))"))
                    }
                };
                self.push(&format!("round(sqrt(div({above} * 1e40, nullif({below}, 0)) * 1e-40), 16)"));
            }
        }
    }

    /// The text that is written inside, which then stands wherever it is needed.
    fn apart(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let start = self.text.len();
        write(self);
        self.text.split_off(start)
    }
}
