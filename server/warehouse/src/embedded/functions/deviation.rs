//! Exact sample standard deviations: of values, and of their distances from the least-squares line along whole numbers. Everything
//! is computed from sums of whole numbers and divided once; only the root is rounded, half away from zero at 16 places.

use datafusion::{
    arrow::{
        array::{Array as _, ArrayRef, AsArray as _},
        datatypes::{DataType, Decimal128Type, Decimal256Type, Field, FieldRef, i256},
    },
    common::ScalarValue,
    error::{DataFusionError, Result},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};

use super::decimal::overflow;

const SCALE: i8 = 16;
/// Sums travel between parts of a computation as whole numbers.
const SUM: DataType = DataType::Decimal256(76, 0);
/// Names of the sums, for the engine's plans.
const SUMS: [&str; 6] = ["count", "x", "y", "xx", "xy", "yy"];

/// `holdfast_deviation(values)`, `holdfast_residual_deviation(values, numbers)`.
pub(super) fn functions() -> [AggregateUDF; 2] {
    [("holdfast_deviation", 1), ("holdfast_residual_deviation", 2)].map(|(name, arguments)| {
        AggregateUDF::new_from_impl(Deviation { name, arguments, signature: Signature::user_defined(Volatility::Immutable) })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Deviation {
    name: &'static str,
    arguments: usize,
    signature: Signature,
}

impl AggregateUDFImpl for Deviation {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let number = |found: &DataType| match found {
            DataType::Decimal128(..) => Ok(found.clone()),
            DataType::Null => Ok(DataType::Decimal128(38, 0)),
            found if found.is_integer() => Ok(DataType::Decimal128(38, 0)),
            _ => Err(DataFusionError::Plan(format!("{} takes numbers", self.name))),
        };
        match types {
            [of] if self.arguments == 1 => Ok(vec![number(of)?]),
            [of, along]
                if self.arguments == 2 && (along.is_integer() || matches!(along, DataType::Null | DataType::Decimal128(_, 0))) =>
            {
                Ok(vec![number(of)?, DataType::Decimal128(38, 0)])
            }
            _ => Err(DataFusionError::Plan(format!("{} takes values, and whole numbers beside them", self.name))),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(38, SCALE))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(SUMS.iter().map(|name| Field::new(*name, SUM, false).into()).collect())
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match arguments.expr_fields[0].data_type() {
            DataType::Decimal128(_, scale) => {
                Ok(Box::new(Sums { scale: *scale, along: self.arguments == 2, sums: [i256::ZERO; SUMS.len()] }))
            }
            found => Err(DataFusionError::Plan(format!("{} takes numbers, not {found}", self.name))),
        }
    }
}

#[derive(Debug)]
struct Sums {
    /// Places of the values, which are added up as whole numbers.
    scale: i8,
    along: bool,
    /// As `SUMS` names them.
    sums: [i256; SUMS.len()],
}

impl Sums {
    fn add(&mut self, parts: [i256; SUMS.len()]) -> Result<()> {
        for (sum, part) in self.sums.iter_mut().zip(parts) {
            *sum = plus(*sum, part)?;
        }
        Ok(())
    }
}

impl Accumulator for Sums {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let of = values[0].as_primitive::<Decimal128Type>();
        let along = self.along.then(|| values[1].as_primitive::<Decimal128Type>());
        for row in (0..of.len()).filter(|row| of.is_valid(*row)) {
            let x = match along {
                Some(numbers) if numbers.is_null(row) => continue,
                Some(numbers) => i256::from_i128(numbers.value(row)),
                None => i256::ZERO,
            };
            let y = i256::from_i128(of.value(row));
            self.add([i256::ONE, x, y, times(x, x)?, times(x, y)?, times(y, y)?])?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.sums.iter().map(|sum| ScalarValue::Decimal256(Some(*sum), 76, 0)).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states[0].len() {
            let mut parts = [i256::ZERO; SUMS.len()];
            for (part, state) in parts.iter_mut().zip(states) {
                *part = state.as_primitive::<Decimal256Type>().value(row);
            }
            self.add(parts)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let [n, x, y, xx, xy, yy] = self.sums;
        let one_less = minus(n, i256::ONE)?;
        // n·Σy² − (Σy)², and the same of x, and of both.
        let squares = minus(times(n, yy)?, times(y, y)?)?;
        let (above, below) = if self.along {
            let spread = minus(times(n, xx)?, times(x, x)?)?;
            let joint = minus(times(n, xy)?, times(x, y)?)?;
            (minus(times(squares, spread)?, times(joint, joint)?)?, times(spread, times(n, one_less)?)?)
        } else {
            (squares, times(n, one_less)?)
        };
        let root = if below <= i256::ZERO { None } else { Some(root_rounded(above, below, self.scale)?) };
        Ok(ScalarValue::Decimal128(root, 38, SCALE))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The root of a fraction whose values had so many places (the fraction has twice as many), at 16 places.
fn root_rounded(above: i256, below: i256, places: i8) -> Result<i128> {
    let shift = 2 * (i32::from(SCALE) - i32::from(places));
    let power = i256::from_i128(10).checked_pow(shift.unsigned_abs()).ok_or_else(overflow)?;
    let (above, below) = if shift >= 0 { (times(above, power)?, below) } else { (above, times(below, power)?) };
    // The root plus a half, cut off: half of (the root of four times the fraction, cut off, plus one), cut off.
    let four = times(above, i256::from_i128(4))?.checked_div(below).ok_or_else(overflow)?;
    let twice = plus(whole_root(four)?, i256::ONE)?;
    twice.checked_div(i256::from_i128(2)).and_then(i256::to_i128).ok_or_else(overflow)
}

/// The largest whole number whose square is not larger.
fn whole_root(number: i256) -> Result<i256> {
    if let Some(small) = number.to_i128() {
        return Ok(i256::from_i128(small.unsigned_abs().isqrt() as i128));
    }
    // Newton's steps come down from above every root there can be.
    let mut root = i256::from_i128(10_i128.pow(38)).checked_mul(i256::from_i128(10)).ok_or_else(overflow)?;
    loop {
        let quotient = number.checked_div(root).ok_or_else(overflow)?;
        let next = plus(root, quotient)?.checked_div(i256::from_i128(2)).ok_or_else(overflow)?;
        if next >= root {
            return Ok(root);
        }
        root = next;
    }
}

fn plus(left: i256, right: i256) -> Result<i256> {
    left.checked_add(right).ok_or_else(overflow)
}

fn minus(left: i256, right: i256) -> Result<i256> {
    left.checked_sub(right).ok_or_else(overflow)
}

fn times(left: i256, right: i256) -> Result<i256> {
    left.checked_mul(right).ok_or_else(overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> i256 {
        i256::from_string(text).expect("a number")
    }

    #[test]
    fn whole_roots_are_exact_on_both_sides_of_a_square() {
        for root in
            ["0", "1", "9", "13043817825332782212", "170141183460469231731687303715884105728", "7000000000000000000000000000000"]
        {
            let root = number(root);
            let square = times(root, root).expect("it fits");
            assert_eq!(whole_root(square).expect("it fits"), root);
            assert_eq!(whole_root(plus(square, root).expect("it fits")).expect("it fits"), root);
            if root > i256::ONE {
                assert_eq!(
                    whole_root(minus(square, i256::ONE).expect("it fits")).expect("it fits"),
                    minus(root, i256::ONE).expect("it fits")
                );
            }
        }
    }

    #[test]
    fn roots_are_rounded_half_away_from_zero() {
        // √2, √(1/3) and a root that ends in a five at the 17th place.
        for (above, below, places, expected) in [
            ("2", "1", 0, 14_142_135_623_730_950),
            ("1", "3", 0, 5_773_502_691_896_258),
            ("25", "1", 17, 1),
            ("24", "1", 17, 0),
            ("225", "100", 0, 15_000_000_000_000_000),
        ] {
            assert_eq!(root_rounded(number(above), number(below), places).expect("it fits"), expected, "√({above}/{below})");
        }
    }

    #[test]
    fn sums_come_together_in_any_parts() {
        let mut one = Sums { scale: 0, along: true, sums: [i256::ZERO; SUMS.len()] };
        let mut two = Sums { scale: 0, along: true, sums: [i256::ZERO; SUMS.len()] };
        // Along 0, 1, 2, 3 the values 1, 3, 2, 5 lie around 1.1 + 1.1·x: distances −0.1, 0.8, −1.3, 0.6.
        for (sums, points) in [(&mut one, [(0, 1), (1, 3)]), (&mut two, [(2, 2), (3, 5)])] {
            for (x, y) in points {
                sums.add([1, x, y, x * x, x * y, y * y].map(i256::from_i128)).expect("it fits");
            }
        }
        let state = two.state().expect("it has one");
        let arrays: Vec<ArrayRef> = state.iter().map(|value| value.to_array().expect("it fits")).collect();
        one.merge_batch(&arrays).expect("it fits");
        // √(2.7 / 3)
        assert_eq!(one.evaluate().expect("it fits"), ScalarValue::Decimal128(Some(9_486_832_980_505_138), 38, SCALE));
    }
}
