//! M051: dimensions and metrics of a view are fields of one row, so they share their names with each other and with the row's own.

use std::collections::HashMap;

use super::{Draft, camel_case, reserved_names::OF_ROWS};
use crate::diagnostic::{Diagnostic, Diagnostics};

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    for (view, (_, definition)) in draft.views.iter().zip(draft.index.views.iter()) {
        let metrics: HashMap<String, _> = view
            .metrics
            .iter()
            .map(|id| draft.index.metrics.at(id.index()).0)
            .map(|name| (camel_case(&name.value), name))
            .collect();
        let mut seen: HashMap<String, &str> = HashMap::new();
        for dimension in &view.dimensions {
            let camel = camel_case(&dimension.name);
            let entity = &draft.entities[dimension.target.entity().index()].name;
            let written = definition.dimensions.iter().find(|item| {
                item.name.as_ref().is_some_and(|name| name.value == dimension.name)
                    || item.path.value.ends_with(&format!(".{}", dimension.name))
            });
            let written =
                written.or_else(|| definition.dimensions.iter().find(|item| item.path.value.starts_with(entity.as_str())));
            let span = written.map_or(view.span, |item| item.path.span);
            let path = written.map(|item| item.path.value.as_str()).filter(|path| !path.ends_with('*'));
            let path = path.map_or_else(|| format!("{entity}.{}", dimension.name), str::to_owned);
            let rename = format!("rename it: `{{path: {path}, name: {}}}`", path.replace('.', "_"));
            if OF_ROWS.contains(&camel.as_str()) {
                out.push(
                    Diagnostic::error("M051", span, format!("rows of a view keep the name `{camel}` for themselves"))
                        .label(format!("`{}` of `{entity}` would be called so", dimension.name))
                        .help(rename),
                );
            } else if let Some(metric) = metrics.get(&camel) {
                out.push(
                    Diagnostic::error(
                        "M051",
                        span,
                        format!("a dimension and a metric of view `{}` are both called `{}`", view.name, dimension.name),
                    )
                    .also(metric.span, "the metric")
                    .help(rename),
                );
            } else if let Some(other) = seen.insert(camel.clone(), &dimension.name).filter(|other| *other != dimension.name) {
                out.push(
                    Diagnostic::error(
                        "M051",
                        span,
                        format!("dimensions `{other}` and `{}` are both `{camel}` in the API", dimension.name),
                    )
                    .help(rename),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SNAPSHOT, codes_of};

    #[test]
    fn a_dimension_may_not_take_the_name_of_a_metric_or_of_the_row() {
        let model = |dimensions: &str| {
            codes_of(&format!(
                "{SNAPSHOT}---\nmetrics:\n  mrr: {{measure: component_value.mrr}}\n---\nview: retention\nmetrics: [mrr]\ndimensions: [{dimensions}]\n"
            ))
        };
        assert_eq!(model("account.segment"), Vec::<String>::new());
        assert_eq!(
            model("{path: account.segment, name: mrr}"),
            ["M051: a dimension and a metric of view `retention` are both called `mrr`"]
        );
        assert_eq!(model("account.status"), ["M051: rows of a view keep the name `status` for themselves"]);
        assert_eq!(model("{path: account.status, name: account_status}"), Vec::<String>::new());
    }
}
