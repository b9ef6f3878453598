//! `holdfast survey`

use std::time::Instant;

use clap::Args;
use holdfast_resolvers::{MetricAnswer, Runner as _};
use holdfast_schema::{
    compile::ColumnRole,
    model::{Metric, Model, ViewTarget},
    query::{Ages, DimensionBasis, Fill, GroupBy, GroupItem, MetricQuery, MetricSelection, MovementBasis, Scope, TimeRange},
    time::{Grain, Step},
    value::CellRef,
};
use jiff::{Zoned, civil::Date};

use super::{
    Failure, Outcome, Settings,
    ask::{context, table, text},
    block_on, count,
    place::Place,
    say,
    settings::{Common, Global},
};
use crate::{boot, engine::Engine, generation::Generation};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only metrics whose name contains this.
    #[arg(value_name = "NAME", default_value = "")]
    name: String,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    place: Place,
    /// The day that counts as today: metrics are asked for the month before it [default: today].
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
}

/// Asks every metric once.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let (data, origin) = arguments.place.choose(&settings)?;
    let Some(generation) = settings.generation(&origin)? else {
        return Ok(Outcome::Wrong);
    };
    let as_of = arguments.as_of.unwrap_or_else(|| Zoned::now().date());
    block_on(async {
        let warehouse = boot::warehouse(&settings.config, &data).map_err(Failure::outside)?;
        let engine = Engine::new(warehouse, settings.config.engine());
        let mut lines = vec![["metric", "value", "rows", "ms", "note"].map(str::to_owned).to_vec()];
        let mut failed = 0;
        for metric in generation.model.metrics.iter().filter(|metric| metric.name.contains(&arguments.name)) {
            let answer = ask(&generation, &engine, metric, as_of).await;
            failed += usize::from(answer.is_failure);
            lines.push(vec![
                metric.name.clone(),
                answer.value,
                answer.rows.to_string(),
                answer.milliseconds.to_string(),
                answer.note,
            ]);
        }
        say(&format!("{}{}, {} failed\n", table(&lines), count(lines.len() - 1, "metric"), failed))?;
        Ok(if failed == 0 { Outcome::Well } else { Outcome::Wrong })
    })?
}

/// What became of one metric.
struct Answer {
    value: String,
    rows: usize,
    milliseconds: u128,
    note: String,
    is_failure: bool,
}

/// The metric over the last complete month before a day.
async fn ask(generation: &Generation, engine: &Engine, metric: &Metric, as_of: Date) -> Answer {
    let started = Instant::now();
    let nothing = |note: String, is_failure| Answer {
        value: String::new(),
        rows: 0,
        milliseconds: started.elapsed().as_millis(),
        note,
        is_failure,
    };
    let Some(query) = question(&generation.model, metric, as_of) else {
        return nothing("in no view: others are computed from it".to_owned(), false);
    };
    match engine.metrics(&context(generation), &query).await {
        Ok(answer) => Answer {
            value: cell(&answer, ColumnRole::Metric(0)).map(text).unwrap_or_default(),
            rows: answer.rows.row_count(),
            milliseconds: started.elapsed().as_millis(),
            note: match cell(&answer, ColumnRole::Status(0)) {
                Some(CellRef::Text(status)) => status.to_lowercase().replace('_', " "),
                _ => String::new(),
            },
            is_failure: false,
        },
        Err(error) => nothing(error.to_string(), true),
    }
}

fn cell(answer: &MetricAnswer, role: ColumnRole) -> Option<CellRef<'_>> {
    let column = answer.plan.columns.iter().position(|known| *known == role)?;
    (answer.rows.row_count() > 0).then(|| answer.rows.cell(0, column))
}

fn question(model: &Model, metric: &Metric, as_of: Date) -> Option<MetricQuery> {
    let id = model.metric_named(&metric.name)?;
    let view = model.views.iter().find(|view| view.metrics.contains(&id))?;
    let to = model.project.calendar.truncate(Grain::Month, as_of);
    // Cohorts are asked for at an age that all of a year's have reached.
    let age = metric.is_cohort.then(|| Ages::new(Grain::Year, 1, None, Some(1)).expect("one year is an age"));
    // What compares entities is asked by them.
    let compared = view.dimensions.iter().filter(|dimension| match dimension.target {
        ViewTarget::Entity(entity) => dimension.via.is_empty() && metric.compares.contains(&entity),
        ViewTarget::Dimension(_) => false,
    });
    let by_age = age.map(|ages| GroupBy { key: "age".to_owned(), item: GroupItem::Age(ages) });
    let by_compared =
        compared.map(|dimension| GroupBy { key: dimension.name.clone(), item: GroupItem::Dimension(dimension.name.clone()) });
    let (months, last) = if age.is_some() { (24, Step::months(12).before(to)) } else { (1, to) };
    Some(MetricQuery {
        scope: Scope::View(view.name.clone()),
        metrics: vec![MetricSelection { status: true, ..MetricSelection::of(&metric.name) }],
        by: by_age.into_iter().chain(by_compared).collect(),
        range: Some(TimeRange { from: Some(Step::months(months).before(to)), to: Some(last) }),
        filter: None,
        having: None,
        compare: None,
        order_by: Vec::new(),
        limit: None,
        offset: 0,
        row_count: false,
        fill: Fill::None,
        totals: false,
        movement_grain: None,
        movement_basis: MovementBasis::default(),
        dimension_basis: DimensionBasis::default(),
        as_of,
        as_known_at: None,
        time_zone: None,
        currency: None,
    })
}
