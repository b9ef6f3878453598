//! M066: what is shown as money is measured in money. A question in another currency converts what has such a unit, and nothing else.

use super::Draft;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// What to do about it.
const ADVICE: &str = "write `unit: currency`, or `unit: currency/month` for an amount per month";

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let currency = draft.definitions.projects.first().and_then(|project| project.currency.as_ref()).map(|code| code.value.as_str());
    for (name, definition) in draft.index.metrics.iter() {
        let id = draft.index.metrics.get(&name.value);
        let Some(metric) = id.and_then(|id| draft.metrics[id].as_ref()).filter(|metric| !metric.is_money()) else { continue };
        let is_shown_as_money = definition.format.as_ref().filter(|format| format.value.starts_with("currency"));
        let is_code = |unit: &str| currency.is_some() && currency == unit.split('/').next();
        let diagnostic = match (is_shown_as_money, metric.unit.as_deref()) {
            (Some(format), None) => {
                let message = format!("`{}` is shown as money and has no unit, so no question converts it", name.value);
                Diagnostic::warning("M066", format.span, message).label("no unit follows from what it is made of")
            }
            (Some(format), Some(unit)) => {
                let message = format!("`{}` is shown as money and measured in `{unit}`, so no question converts it", name.value);
                Diagnostic::warning("M066", format.span, message)
            }
            (None, Some(unit)) if is_code(unit) => {
                let span = definition.unit.as_ref().map_or(name.span, |unit| unit.span);
                let message = format!("`{}` is measured in `{unit}`, so no question converts it", name.value);
                Diagnostic::warning("M066", span, message).label("the project's currency is the unit `currency`")
            }
            (None, _) => continue,
        };
        out.push(diagnostic.help(ADVICE));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SNAPSHOT, codes_of};

    #[test]
    fn what_is_shown_as_money_has_a_unit_of_money() {
        let model = |metrics: &str| {
            let snapshot = SNAPSHOT.replace("project: test\n", "project: test\ncurrency: USD\n");
            codes_of(&format!("{snapshot}---\nmetrics:\n{metrics}"))
        };
        assert_eq!(
            model("  m: {measure: component_value.mrr, format: currency(0)}\n"),
            ["M066: `m` is shown as money and has no unit, so no question converts it"]
        );
        assert_eq!(
            model("  m: {measure: component_value.mrr, unit: USD}\n"),
            ["M066: `m` is measured in `USD`, so no question converts it"]
        );
        assert_eq!(
            model("  m: {measure: component_value.mrr, unit: EUR, format: currency(0)}\n"),
            ["M066: `m` is shown as money and measured in `EUR`, so no question converts it"]
        );
        let per_row = "  m: {measure: component_value.mrr, unit: currency/month}\n  n: {measure: component_value.rows_seen, unit: count}\n  made: {ratio: m / n, format: currency(0)}\n";
        assert_eq!(model(per_row), Vec::<String>::new(), "money per row is money");
        let share = "  m: {measure: component_value.mrr, unit: currency/month}\n  made: {ratio: m / m, format: currency(0)}\n";
        assert_eq!(model(share), ["M066: `made` is shown as money and has no unit, so no question converts it"]);
    }
}
