//! A scalar function of ours as plain Rust functions: one for the types, one for the values.

use std::hash::{Hash, Hasher};

use datafusion::{
    arrow::{array::ArrayRef, datatypes::DataType},
    common::ScalarValue,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

/// A function over columns.
#[derive(Debug)]
pub(super) struct Scalar {
    /// Name in SQL.
    pub(super) name: &'static str,
    /// Types the arguments are cast to first, or a refusal.
    pub(super) arguments: fn(&[DataType]) -> Result<Vec<DataType>>,
    /// Type of the result, from the types of the cast arguments.
    pub(super) result: fn(&[DataType]) -> Result<DataType>,
    /// The values. Every argument has the same number of rows.
    pub(super) body: fn(&[ArrayRef]) -> Result<ArrayRef>,
    signature: Signature,
}

impl Scalar {
    pub(super) fn make(
        name: &'static str,
        arguments: fn(&[DataType]) -> Result<Vec<DataType>>,
        result: fn(&[DataType]) -> Result<DataType>,
        body: fn(&[ArrayRef]) -> Result<ArrayRef>,
    ) -> ScalarUDF {
        ScalarUDF::new_from_impl(Self { name, arguments, result, body, signature: Signature::user_defined(Volatility::Immutable) })
    }
}

/// Names are unique, so they decide.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        (self.arguments)(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        (self.result)(types)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let result = (self.body)(&arrays)?;
        Ok(if is_constant { ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?) } else { ColumnarValue::Array(result) })
    }
}
