//! Functions that the embedded dialect calls where the engine's own differ from PostgreSQL's.

pub(super) mod calendar;
mod decimal;
mod deviation;
mod median;
mod scalar;

use datafusion::execution::context::SessionContext;

/// Makes every function known.
pub(super) fn register(context: &SessionContext) {
    for function in decimal::functions().into_iter().chain(calendar::functions()) {
        context.register_udf(function);
    }
    for function in deviation::functions().into_iter().chain([median::function()]) {
        context.register_udaf(function);
    }
}
