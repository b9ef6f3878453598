//! The exact median of numbers: the middle value, or the mean of the two middle ones rounded at 16 places.

use datafusion::{
    arrow::{
        array::{Array as _, ArrayRef, AsArray as _},
        datatypes::{DataType, Decimal128Type, Field, FieldRef, i256},
    },
    common::{ScalarValue, utils::SingleRowListArrayBuilder},
    error::{DataFusionError, Result},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};

use super::decimal::{divide_rounded, overflow};

const SCALE: i8 = 16;

/// `holdfast_median`.
pub(super) fn function() -> AggregateUDF {
    AggregateUDF::new_from_impl(Median { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Median {
    signature: Signature,
}

impl AggregateUDFImpl for Median {
    fn name(&self) -> &str {
        "holdfast_median"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [DataType::Decimal128(..)] => Ok(types.to_vec()),
            [DataType::Null] => Ok(vec![DataType::Decimal128(38, 0)]),
            [found] if found.is_integer() => Ok(vec![DataType::Decimal128(38, 0)]),
            _ => Err(DataFusionError::Plan("holdfast_median takes a number".to_owned())),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(38, SCALE))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let item = Field::new_list_field(arguments.input_fields[0].data_type().clone(), true);
        Ok(vec![Field::new_list("values", item, true).into()])
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match arguments.expr_fields[0].data_type() {
            DataType::Decimal128(_, scale) => Ok(Box::new(Values { scale: *scale, values: Vec::new() })),
            found => Err(DataFusionError::Plan(format!("holdfast_median takes a number, not {found}"))),
        }
    }
}

#[derive(Debug)]
struct Values {
    scale: i8,
    values: Vec<i128>,
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.extend(values[0].as_primitive::<Decimal128Type>().iter().flatten());
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let numbers = self.values.iter().map(|value| ScalarValue::Decimal128(Some(*value), 38, self.scale));
        let array = if self.values.is_empty() {
            datafusion::arrow::array::new_empty_array(&DataType::Decimal128(38, self.scale))
        } else {
            ScalarValue::iter_to_array(numbers)?
        };
        Ok(vec![SingleRowListArrayBuilder::new(array).build_list_scalar()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        for row in 0..lists.len() {
            self.values.extend(lists.value(row).as_primitive::<Decimal128Type>().iter().flatten());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.values.is_empty() {
            return Ok(ScalarValue::Decimal128(None, 38, SCALE));
        }
        self.values.sort_unstable();
        let count = self.values.len();
        let (low, high) = (self.values[(count - 1) / 2], self.values[count / 2]);
        let sum = i256::from_i128(low).wrapping_add(i256::from_i128(high));
        let unit = |places: i8| i256::from_i128(10).checked_pow(u32::from(places.unsigned_abs())).ok_or_else(overflow);
        let numerator = sum.checked_mul(unit(SCALE)?).ok_or_else(overflow)?;
        let divisor = unit(self.scale)?.checked_mul(i256::from_i128(2)).ok_or_else(overflow)?;
        Ok(ScalarValue::Decimal128(Some(divide_rounded(numerator, divisor)?), 38, SCALE))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<i128>()
    }
}
