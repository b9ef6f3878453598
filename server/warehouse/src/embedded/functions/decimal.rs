//! Exact arithmetic on decimals: quotients, products and rounding as PostgreSQL's `numeric` would give them.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, Decimal128Array, Int64Array},
        datatypes::{DataType, Decimal128Type, Int64Type, i256},
    },
    error::{DataFusionError, Result},
    logical_expr::ScalarUDF,
};

use super::scalar::Scalar;

/// Places of a quotient.
const QUOTIENT_SCALE: i8 = 16;
/// Most places of a product: factors with many places would leave no room before the point.
const PRODUCT_SCALE: i8 = 20;
/// Digits the engine holds.
const PRECISION: u8 = 38;

/// `holdfast_divide`, `holdfast_multiply`, `holdfast_round`, `holdfast_floor`, `holdfast_sqrt`.
pub(super) fn functions() -> [ScalarUDF; 5] {
    [
        Scalar::make("holdfast_divide", two_decimals, |_| Ok(DataType::Decimal128(PRECISION, QUOTIENT_SCALE)), divide),
        Scalar::make("holdfast_multiply", two_decimals, product_type, multiply),
        Scalar::make("holdfast_round", decimal_and_digits, |types| Ok(types[0].clone()), round),
        Scalar::make("holdfast_floor", one_decimal, |_| Ok(DataType::Int64), floor),
        Scalar::make("holdfast_sqrt", one_decimal, |_| Ok(DataType::Decimal128(PRECISION, QUOTIENT_SCALE)), square_root),
    ]
}

fn two_decimals(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [left, right] => Ok(vec![as_decimal(left)?, as_decimal(right)?]),
        _ => Err(DataFusionError::Plan("two numbers expected".to_owned())),
    }
}

fn one_decimal(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [number] => Ok(vec![as_decimal(number)?]),
        _ => Err(DataFusionError::Plan("one number expected".to_owned())),
    }
}

fn decimal_and_digits(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [number, _] => Ok(vec![as_decimal(number)?, DataType::Int64]),
        _ => Err(DataFusionError::Plan("a number and its digits expected".to_owned())),
    }
}

fn as_decimal(found: &DataType) -> Result<DataType> {
    match found {
        DataType::Decimal128(..) => Ok(found.clone()),
        DataType::Decimal256(_, scale) => Ok(DataType::Decimal128(PRECISION, *scale)),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => Ok(DataType::Decimal128(PRECISION, *scale)),
        DataType::Null => Ok(DataType::Decimal128(PRECISION, 0)),
        found if found.is_integer() => Ok(DataType::Decimal128(PRECISION, 0)),
        found => Err(DataFusionError::Plan(format!("a decimal expected, not {found}"))),
    }
}

fn scale_of(array: &ArrayRef) -> i8 {
    match array.data_type() {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    }
}

fn product_type(types: &[DataType]) -> Result<DataType> {
    let scale = |found: &DataType| match found {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    };
    Ok(DataType::Decimal128(PRECISION, (scale(&types[0]) + scale(&types[1])).min(PRODUCT_SCALE)))
}

/// The quotient rounded half away from zero at 16 places; null for a zero divisor.
fn divide(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    // left·10^-l / (right·10^-r) = result·10^-16, so result = left·10^(16 + r - l) / right.
    let shift = i32::from(QUOTIENT_SCALE) + i32::from(scale_of(&arguments[1])) - i32::from(scale_of(&arguments[0]));
    combine(arguments, QUOTIENT_SCALE, |left, right| {
        if right == 0 {
            return Ok(None);
        }
        let (left, right) = (i256::from_i128(left), i256::from_i128(right));
        let (numerator, divisor) = if shift >= 0 {
            (left.checked_mul(power(shift)?).ok_or_else(overflow)?, right)
        } else {
            (left, right.checked_mul(power(-shift)?).ok_or_else(overflow)?)
        };
        divide_rounded(numerator, divisor).map(Some)
    })
}

/// The product, rounded half away from zero when it has more than 20 places.
fn multiply(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let exact = scale_of(&arguments[0]) + scale_of(&arguments[1]);
    let scale = exact.min(PRODUCT_SCALE);
    let divisor = power(i32::from(exact - scale))?;
    combine(arguments, scale, |left, right| {
        let product = i256::from_i128(left).checked_mul(i256::from_i128(right)).ok_or_else(overflow)?;
        divide_rounded(product, divisor).map(Some)
    })
}

/// Rounds half away from zero; the number of places kept in the type stays.
fn round(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let scale = scale_of(&arguments[0]);
    let digits = arguments[1].as_primitive::<Int64Type>();
    let numbers = arguments[0].as_primitive::<Decimal128Type>();
    let rounded: Vec<Option<i128>> = numbers
        .iter()
        .zip(digits.iter())
        .map(|pair| match pair {
            (Some(number), Some(digits)) if digits < i64::from(scale) => {
                let unit = power((i64::from(scale) - digits).min(77) as i32)?;
                let units = i256::from_i128(divide_rounded(i256::from_i128(number), unit)?);
                units.checked_mul(unit).and_then(i256::to_i128).ok_or_else(overflow).map(Some)
            }
            (number, Some(_)) => Ok(number),
            (_, None) => Ok(None),
        })
        .collect::<Result<_>>()?;
    finish(rounded, scale)
}

/// The largest whole number that is not larger.
fn floor(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let unit = 10_i128.pow(u32::try_from(scale_of(&arguments[0])).map_err(|_| overflow())?);
    let numbers = arguments[0].as_primitive::<Decimal128Type>();
    let whole = |number: i128| i64::try_from(number.div_euclid(unit)).map_err(|_| overflow());
    let floors: Result<Int64Array> = numbers.iter().map(|number| number.map(whole).transpose()).collect();
    Ok(Arc::new(floors?))
}

/// The square root rounded half away from zero at 16 places; null of a negative number.
fn square_root(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let scale = i32::from(scale_of(&arguments[0]));
    // An even number of places, enough for the root to have one more than it keeps: what is cut off after that cannot change rounding.
    let places = if scale <= 34 { 34 } else { 38 };
    let factor = power(places - scale)?;
    let unit = power(places / 2 - i32::from(QUOTIENT_SCALE))?;
    let numbers = arguments[0].as_primitive::<Decimal128Type>();
    let roots: Vec<Option<i128>> = numbers
        .iter()
        .map(|number| match number {
            Some(number) if number >= 0 => {
                let square = i256::from_i128(number).checked_mul(factor).ok_or_else(overflow)?;
                divide_rounded(whole_root(square)?, unit).map(Some)
            }
            Some(_) | None => Ok(None),
        })
        .collect::<Result<_>>()?;
    finish(roots, QUOTIENT_SCALE)
}

/// The largest whole number whose square is not larger.
fn whole_root(square: i256) -> Result<i256> {
    let (low, high) = square.to_parts();
    if high == 0 {
        return Ok(i256::from_parts(low.isqrt(), 0));
    }
    // The root of the leading bits, rounded up, is above the root; from there Newton's steps only fall until they arrive.
    let spare = (128 - high.leading_zeros()).next_multiple_of(2) as u8;
    let (leading, _) = (square >> spare).to_parts();
    let mut root = i256::from_parts(leading.isqrt() + 1, 0) << (spare / 2);
    loop {
        let quotient = square.checked_div(root).ok_or_else(overflow)?;
        let next = root.checked_add(quotient).ok_or_else(overflow)? >> 1;
        if next >= root {
            return Ok(root);
        }
        root = next;
    }
}

fn combine(arguments: &[ArrayRef], scale: i8, f: impl Fn(i128, i128) -> Result<Option<i128>>) -> Result<ArrayRef> {
    let (left, right) = (arguments[0].as_primitive::<Decimal128Type>(), arguments[1].as_primitive::<Decimal128Type>());
    let values: Vec<Option<i128>> = left
        .iter()
        .zip(right.iter())
        .map(|pair| match pair {
            (Some(left), Some(right)) => f(left, right),
            _ => Ok(None),
        })
        .collect::<Result<_>>()?;
    finish(values, scale)
}

fn finish(values: Vec<Option<i128>>, scale: i8) -> Result<ArrayRef> {
    let limit = 10_i128.pow(u32::from(PRECISION));
    if values.iter().flatten().any(|value| value.unsigned_abs() >= limit.unsigned_abs()) {
        return Err(overflow());
    }
    Ok(Arc::new(Decimal128Array::from(values).with_precision_and_scale(PRECISION, scale)?))
}

/// The quotient of two whole numbers, rounded half away from zero.
pub(super) fn divide_rounded(numerator: i256, divisor: i256) -> Result<i128> {
    let quotient = numerator.checked_div(divisor).ok_or_else(overflow)?;
    let rest = numerator.checked_rem(divisor).ok_or_else(overflow)?;
    let rest = rest.checked_abs().ok_or_else(overflow)?;
    let divisor_size = divisor.checked_abs().ok_or_else(overflow)?;
    // rest·2 ≥ divisor, written so that it cannot overflow.
    let rounds_up = rest >= divisor_size - rest;
    let step = match (rounds_up, numerator.is_negative() == divisor.is_negative()) {
        (false, _) => i256::ZERO,
        (true, true) => i256::ONE,
        (true, false) => i256::MINUS_ONE,
    };
    quotient.checked_add(step).and_then(i256::to_i128).ok_or_else(overflow)
}

fn power(exponent: i32) -> Result<i256> {
    i256::from_i128(10).checked_pow(exponent.unsigned_abs()).ok_or_else(overflow)
}

pub(super) fn overflow() -> DataFusionError {
    DataFusionError::Execution("a number has more digits than the embedded engine can hold".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimals(values: &[i128], scale: i8) -> ArrayRef {
        finish(values.iter().copied().map(Some).collect(), scale).expect("small numbers fit")
    }

    fn values(array: &ArrayRef) -> Vec<Option<i128>> {
        array.as_primitive::<Decimal128Type>().iter().collect()
    }

    #[test]
    fn quotients_round_half_away_from_zero_and_zero_divides_to_null() {
        let result = divide(&[decimals(&[1, -2, 1, 5], 0), decimals(&[3, 3, 0, -2], 0)]).expect("it fits");
        assert_eq!(
            values(&result),
            [Some(3_333_333_333_333_333), Some(-6_666_666_666_666_667), None, Some(-25_000_000_000_000_000)]
        );
        let half = divide(&[decimals(&[1, -1], 17), decimals(&[2, 2], 0)]).expect("it fits");
        assert_eq!(values(&half), [Some(0), Some(0)]);
        let half = divide(&[decimals(&[1, -1], 16), decimals(&[2, 2], 0)]).expect("it fits");
        assert_eq!(values(&half), [Some(1), Some(-1)]);
    }

    #[test]
    fn a_quotient_that_does_not_fit_is_an_error_and_not_a_wrong_number() {
        assert!(divide(&[decimals(&[10_i128.pow(30)], 0), decimals(&[1], 0)]).is_err());
    }

    #[test]
    fn products_keep_their_places_up_to_twenty() {
        let exact = multiply(&[decimals(&[150], 2), decimals(&[333_333], 6)]).expect("it fits");
        assert_eq!((scale_of(&exact), values(&exact)), (8, vec![Some(49_999_950)]));
        let rounded = multiply(&[decimals(&[-15], 16), decimals(&[10_i128.pow(15)], 16)]).expect("it fits");
        assert_eq!((scale_of(&rounded), values(&rounded)), (20, vec![Some(-15_000)]));
    }

    #[test]
    fn roots_round_half_away_from_zero_and_negative_numbers_have_none() {
        let root = |number: i128, scale| values(&square_root(&[decimals(&[number], scale)]).expect("it fits"))[0];
        assert_eq!(root(2, 0), Some(14_142_135_623_730_950)); // 1.4142135623730950 488…
        assert_eq!(root(3, 0), Some(17_320_508_075_688_773)); // 1.7320508075688772 935…
        assert_eq!(root(4_484_359_375, 7), Some(211_763_060_400_061_276)); // Of 448.4359375.
        assert_eq!((root(0, 5), root(144, 0), root(-1, 0)), (Some(0), Some(120_000_000_000_000_000), None));
        // The square of half of the last place.
        assert_eq!((root(25, 34), root(24, 34), root(225, 34)), (Some(1), Some(0), Some(2)));
        assert_eq!(root(10_i128.pow(38) - 1, 0), Some(10_i128.pow(35)));
        assert_eq!(root(10_i128.pow(38) - 1, 38), Some(10_000_000_000_000_000));
    }

    #[test]
    fn floors_go_down_also_below_zero() {
        let floors = floor(&[decimals(&[19_99, -1, -2_00, 0], 2)]).expect("it fits");
        assert_eq!(floors.as_primitive::<Int64Type>().values(), &[19, -1, -2, 0]);
        assert!(floor(&[decimals(&[10_i128.pow(30)], 0)]).is_err());
    }

    #[test]
    fn whole_roots_are_exact_beside_squares_of_any_size() {
        for digits in 1..38_u32 {
            for root in [10_i128.pow(digits) - 1, 10_i128.pow(digits), 10_i128.pow(digits) + 7] {
                let root = i256::from_i128(root);
                let square = root.checked_mul(root).expect("it fits");
                assert_eq!(whole_root(square).expect("it fits"), root);
                assert_eq!(whole_root(square - i256::ONE).expect("it fits"), root - i256::ONE);
            }
        }
    }

    #[test]
    fn rounding_to_tens_works() {
        let result =
            round(&[decimals(&[14_50, -15_00, 1_005], 2), Arc::new(datafusion::arrow::array::Int64Array::from(vec![-1, -1, 5]))]);
        assert_eq!(values(&result.expect("it fits")), [Some(10_00), Some(-20_00), Some(1_005)]);
    }
}
