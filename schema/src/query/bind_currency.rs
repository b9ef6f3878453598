//! Another currency in a question: whether there are rates for it.

use super::{
    InCurrency, MetricQuery,
    error::{QueryError, QueryErrorCode as Code},
};
use crate::model::{DimensionId, Model};

/// The currency to convert to; `None` where amounts are in it already.
///
/// # Errors
/// No rates, a code that is none, or the name of a rate where rates have no names.
pub(super) fn currency(model: &Model, query: &MetricQuery) -> Result<Option<InCurrency>, QueryError> {
    let Some(asked) = &query.currency else { return Ok(None) };
    if asked.code.len() != 3 || !asked.code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(QueryError::new(Code::InvalidArgument, format!("`{}` is not the code of a currency", asked.code))
            .help("use the three letters of ISO 4217, such as EUR"));
    }
    if model.project.currency.as_deref() == Some(asked.code.as_str()) {
        return Ok(None);
    }
    let Some(rates) = &model.project.exchange_rates else {
        let own = model.project.currency.as_deref().unwrap_or("the currency they are recorded in");
        return Err(QueryError::new(Code::InvalidArgument, format!("there are no exchange rates: amounts are in {own}"))
            .help("leave out `currency`, or declare `exchange_rates` in the project"));
    };
    let rate = match (&rates.kind, &asked.rate) {
        (None, Some(name)) => {
            return Err(QueryError::new(
                Code::InvalidArgument,
                format!("exchange rates have no names, so none is called `{name}`"),
            )
            .help("leave out the name of the rate"));
        }
        (Some((kind, _)), Some(name)) => {
            let values = &model.dimension(DimensionId { entity: rates.entity, index: *kind }).values;
            if !values.is_empty() && !values.contains(name) {
                return Err(QueryError::new(Code::InvalidArgument, format!("no exchange rate is called `{name}`"))
                    .help(format!("use one of {}", values.join(", "))));
            }
            Some(name.clone())
        }
        (Some((_, default)), None) => match default {
            Some(default) => Some(default.clone()),
            None => {
                return Err(QueryError::new(Code::InvalidArgument, "there are exchange rates of several names")
                    .help("say which: `exchangeRate`"));
            }
        },
        (None, None) => None,
    };
    Ok(Some(InCurrency { code: asked.code.clone(), rate }))
}
