//! The `project:` document.

use schemars::JsonSchema;

use super::Text;
use crate::source::Spanned;

/// Settings that give every number its calendar and its currency.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Project {
    /// `project:` name of the project.
    pub project: Text,
    /// `version:` version of the definition language; `1`.
    pub version: Option<Spanned<i64>>,
    /// `description:` what the project covers.
    pub description: Option<Text>,
    /// `time_zone:` IANA name in which days begin; default `UTC`.
    pub time_zone: Option<Text>,
    /// `fiscal_year_start:` month name; default `january`.
    #[schemars(extend("enum" = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]))]
    pub fiscal_year_start: Option<Text>,
    /// `week_start:` day name; default `monday`.
    #[schemars(extend("enum" = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]))]
    pub week_start: Option<Text>,
    /// `currency:` ISO 4217 code that money is reported in.
    pub currency: Option<Text>,
    /// `exchange_rates:` where rates stand, for answers in another currency.
    pub exchange_rates: Option<ExchangeRates>,
}

/// What of an entity is what of a rate: the value of one unit of `from` in `to` from its day on.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExchangeRates {
    /// `entity:` one row per rate; its first time dimension says from when it holds.
    pub entity: Text,
    /// `from:` dimension with the code of the currency of which one unit is valued.
    pub from: Text,
    /// `to:` dimension with the code of the currency in which it is.
    pub to: Text,
    /// `rate:` dimension with the value.
    pub rate: Text,
    /// `kind:` dimension with the name of a rate, where there are several.
    pub kind: Option<Text>,
    /// `default_kind:` the one that is used when a question names none.
    pub default_kind: Option<Text>,
}
