//! Scores: known inputs scaled to 0…1, weighted, and averaged over the weights that are known.
//!
//! A score is an expression over its inputs. The same pieces give the share of the weights that is known, the name of the largest
//! contribution and each single contribution, so that none of them can disagree with the score.

use std::collections::BTreeSet;

use super::MetricId;
use crate::{
    expr::{BinaryOp, CaseArm, Expr, Function, UnaryOp},
    value::Value,
};

/// A weighted composite.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// At least one; names differ.
    pub inputs: Vec<ScoreInput>,
    /// Share of the weights that must be known, in canonical decimal text.
    pub min_coverage: String,
    /// What the score is when every input is at its most, in canonical decimal text.
    pub scale: String,
}

/// One input of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreInput {
    /// Its name within the score.
    pub name: String,
    /// What is read.
    pub metric: MetricId,
    /// Above zero, in canonical decimal text.
    pub weight: String,
    /// How it is scaled.
    pub scaling: Scaling,
}

/// How the value of an input becomes a number from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scaling {
    /// True is 1, false is 0.
    Truth,
    /// In a straight line, `from` is 0 and `to` is 1; what lies beyond counts like the end it is beyond.
    Linear {
        /// In canonical decimal text.
        from: String,
        /// In canonical decimal text; not the same as `from`, but possibly less.
        to: String,
    },
}

/// What is read of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScoreTake {
    /// Share of the weights whose inputs are known.
    Coverage,
    /// Name of the input that contributes most; null when none contributes.
    TopDriver,
}

impl ScoreTake {
    /// Every way to take.
    pub const ALL: [ScoreTake; 2] = [ScoreTake::Coverage, ScoreTake::TopDriver];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            ScoreTake::Coverage => "coverage",
            ScoreTake::TopDriver => "top_driver",
        }
    }
}

/// One input of a score, by position in [`Score::inputs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScorePart {
    /// Its value as it is; true is 1, false is 0.
    Value(usize),
    /// Its value from 0 to 1; null when it is not known.
    Scaled(usize),
    /// What it adds to the score; null when it or the score is not known.
    Contribution(usize),
}

impl Score {
    /// Whether one of these metrics is among its inputs: what single inputs add then tells of it.
    pub fn reads(&self, metrics: &BTreeSet<MetricId>) -> bool {
        self.inputs.iter().any(|input| metrics.contains(&input.metric))
    }

    /// The score; null below the minimum coverage.
    pub(crate) fn value(&self) -> Expr<MetricId> {
        let parts = self.inputs.iter().map(|input| multiply(number(&input.weight), or_zero(input.scaled())));
        self.when_covered(divide(multiply(number(&self.scale), sum(parts)), self.known_weight()))
    }

    /// What is taken of the score.
    pub(crate) fn take(&self, take: ScoreTake) -> Expr<MetricId> {
        match take {
            ScoreTake::Coverage => divide(self.known_weight(), self.weight()),
            ScoreTake::TopDriver => self.when_covered(self.top_driver()),
        }
    }

    /// One input's part.
    pub(crate) fn part(&self, part: ScorePart) -> Expr<MetricId> {
        match part {
            ScorePart::Value(position) => self.inputs[position].value(),
            ScorePart::Scaled(position) => self.inputs[position].scaled(),
            ScorePart::Contribution(position) => {
                let input = &self.inputs[position];
                let weighted = multiply(multiply(number(&self.scale), number(&input.weight)), input.scaled());
                self.when_covered(divide(weighted, self.known_weight()))
            }
        }
    }

    /// Inputs from the heaviest to the lightest, those of one weight by name: when the first that is not exceeded by any after it
    /// is taken, ties are decided by weight and then by name.
    fn top_driver(&self) -> Expr<MetricId> {
        let mut order: Vec<&ScoreInput> = self.inputs.iter().collect();
        order.sort_by(|one, other| by_size(&other.weight, &one.weight).then(one.name.cmp(&other.name)));
        let weighted = |input: &ScoreInput| multiply(number(&input.weight), or_zero(input.scaled()));
        let arms = order.iter().enumerate().map(|(position, input)| {
            let mut rest: Vec<_> = order[position + 1..].iter().map(|input| weighted(input)).collect();
            rest.push(number("0"));
            let name = Expr::Case {
                arms: vec![CaseArm {
                    when: Expr::binary(BinaryOp::Greater, weighted(input), number("0")),
                    then: Expr::Literal(Value::Text(input.name.clone())),
                }],
                otherwise: None,
            };
            let when = Expr::binary(BinaryOp::GreaterOrEqual, weighted(input), Expr::Call(Function::Greatest, rest));
            CaseArm { when, then: name }
        });
        Expr::Case { arms: arms.collect(), otherwise: None }
    }

    fn when_covered(&self, value: Expr<MetricId>) -> Expr<MetricId> {
        let least = multiply(number(&self.min_coverage), self.weight());
        let when = Expr::binary(BinaryOp::GreaterOrEqual, self.known_weight(), least);
        Expr::Case { arms: vec![CaseArm { when, then: value }], otherwise: None }
    }

    fn weight(&self) -> Expr<MetricId> {
        sum(self.inputs.iter().map(|input| number(&input.weight)))
    }

    fn known_weight(&self) -> Expr<MetricId> {
        sum(self.inputs.iter().map(|input| Expr::Case {
            arms: vec![CaseArm {
                when: Expr::IsNull { value: Box::new(Expr::Ref(input.metric)), negated: true },
                then: number(&input.weight),
            }],
            otherwise: Some(Box::new(number("0"))),
        }))
    }
}

impl ScoreInput {
    /// As it is, as a number.
    fn value(&self) -> Expr<MetricId> {
        match self.scaling {
            Scaling::Truth => self.scaled(),
            Scaling::Linear { .. } => Expr::Ref(self.metric),
        }
    }

    /// From 0 to 1; null when the input is not known.
    fn scaled(&self) -> Expr<MetricId> {
        let value = || Expr::Ref(self.metric);
        match &self.scaling {
            Scaling::Truth => Expr::Case {
                arms: vec![
                    CaseArm { when: value(), then: number("1") },
                    CaseArm { when: Expr::Unary(UnaryOp::Not, Box::new(value())), then: number("0") },
                ],
                otherwise: None,
            },
            Scaling::Linear { from, to } => {
                let length = Expr::binary(BinaryOp::Subtract, number(to), number(from));
                let line = divide(Expr::binary(BinaryOp::Subtract, value(), number(from)), length);
                let bounded =
                    Expr::Call(Function::Least, vec![Expr::Call(Function::Greatest, vec![line, number("0")]), number("1")]);
                // Largest and smallest pass over nulls, which here would turn the unknown into the worst.
                let when = Expr::IsNull { value: Box::new(value()), negated: true };
                Expr::Case { arms: vec![CaseArm { when, then: bounded }], otherwise: None }
            }
        }
    }
}

/// Compares two sizes in canonical decimal text, neither below zero.
fn by_size(one: &str, other: &str) -> std::cmp::Ordering {
    let parts = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        (whole.len(), whole.to_owned(), fraction.to_owned())
    };
    parts(one).cmp(&parts(other))
}

fn number(canonical: &str) -> Expr<MetricId> {
    Expr::Literal(Value::Decimal(canonical.to_owned()))
}

fn or_zero(value: Expr<MetricId>) -> Expr<MetricId> {
    Expr::Call(Function::Coalesce, vec![value, number("0")])
}

fn multiply(one: Expr<MetricId>, other: Expr<MetricId>) -> Expr<MetricId> {
    Expr::binary(BinaryOp::Multiply, one, other)
}

fn divide(one: Expr<MetricId>, other: Expr<MetricId>) -> Expr<MetricId> {
    Expr::binary(BinaryOp::Divide, one, other)
}

fn sum(parts: impl Iterator<Item = Expr<MetricId>>) -> Expr<MetricId> {
    parts
        .reduce(|sum, part| Expr::binary(BinaryOp::Add, sum, part))
        .expect("a score has at least one input: checked when definitions are resolved")
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::by_size;

    #[test]
    fn weights_are_ordered_by_size_not_by_letters() {
        assert_eq!(by_size("10", "9"), Ordering::Greater);
        assert_eq!(by_size("0.25", "0.3"), Ordering::Less);
        assert_eq!(by_size("1", "1.05"), Ordering::Less);
        assert_eq!(by_size("2.5", "2.5"), Ordering::Equal);
    }
}
