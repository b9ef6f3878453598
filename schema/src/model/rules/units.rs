//! M041: different units never add up.

use super::Draft;
use crate::{
    definition::metric::MetricKind as Written,
    diagnostic::{Diagnostic, Diagnostics},
    expr::{self, Expr, types::Meaning},
    model::{MetricId, resolve::units::unit_of},
};

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let unit = |id: MetricId| draft.metrics[id.index()].as_ref().and_then(|metric| metric.unit.as_deref());
    for (_, metric) in draft.index.metrics.iter() {
        let texts = match &metric.kind {
            Written::Ratio(text) | Written::Expr(text) => vec![text],
            Written::PerEntity(per_entity) => per_entity.of.iter().chain(&per_entity.condition).collect(),
            Written::Measure(_)
            | Written::Cumulative(_)
            | Written::Offset(_)
            | Written::Movement(_)
            | Written::Share(_)
            | Written::Cohort(_)
            | Written::Score(_)
            | Written::Series(_)
            | Written::Peers(_)
            | Written::Unread => continue,
        };
        for text in texts {
            // What does not parse or is not known has been reported.
            let Some(parsed) = draft.parameters.parse(text, &mut Diagnostics::default()) else { continue };
            let meant = parsed.try_map(&mut |name: &expr::Name| {
                let id = draft.index.metrics.get(&name.to_string()).ok_or(())?;
                Ok::<_, ()>(Expr::Ref(Meaning { to: MetricId(id as u16), value_type: None, span: name.span }))
            });
            let Some(clash) = meant.ok().and_then(|expr| unit_of(&expr, &unit).err()) else { continue };
            out.push(
                Diagnostic::error(
                    "M041",
                    clash.span.unwrap_or(text.span),
                    format!("`{}` and `{}` do not add up", clash.one, clash.other),
                )
                .label(format!("this is in `{}`", clash.other))
                .help("convert one of them in a metric of its own with its `unit:`, or divide instead"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SNAPSHOT, codes_of};

    #[test]
    fn money_and_counts_do_not_add_up() {
        let model = |expr: &str| {
            codes_of(&format!(
                "{SNAPSHOT}---\nmetrics:\n  mrr: {{measure: component_value.mrr, unit: currency}}\n  rows_seen: {{measure: component_value.rows_seen, unit: count}}\n  made: {{{expr}}}\n"
            ))
        };
        assert_eq!(model("expr: mrr + rows_seen"), ["M041: `currency` and `count` do not add up"]);
        assert_eq!(model("expr: mrr * 2 - mrr"), Vec::<String>::new());
        assert_eq!(model("ratio: mrr / rows_seen"), Vec::<String>::new());
        assert_eq!(model("expr: 'coalesce(mrr, 0) + 1'"), Vec::<String>::new());
    }
}
