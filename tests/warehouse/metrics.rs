//! Every shipped metric over the demo portfolio: two independent engines agree on every row.

use std::time::{Duration, Instant};

use holdfast_schema::{
    compile,
    model::{EntityId, Model, ViewTarget},
    query::{Ages, Caller, GroupBy, GroupItem, MetricQuery, MetricSelection, Scope, TimeRange},
    sql::Statement,
    time::Grain,
};
use holdfast_server::{definitions::Origin, demo};
use holdfast_tests::postgres::Postgres;
use holdfast_warehouse::{
    Limits, Warehouse,
    embedded::Embedded,
    postgres::{
        self,
        load::{self, Existing},
    },
};
use jiff::civil::date;

use crate::shown;

/// Metrics of one question.
const TOGETHER: usize = 6;

fn question(view: &str, metrics: &[String], by: Vec<GroupItem>) -> MetricQuery {
    MetricQuery {
        by: by.into_iter().enumerate().map(|(index, item)| GroupBy { key: format!("k{index}"), item }).collect(),
        range: Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 7, 1)) }),
        order_by: vec![],
        totals: true,
        ..MetricQuery::new(
            Scope::View(view.to_owned()),
            metrics.iter().map(|name| MetricSelection { status: true, ..MetricSelection::of(name) }).collect(),
            date(2025, 12, 31),
        )
    }
}

/// Every view's metrics a few at a time: in turn by month, as one number, and by one of the dimensions.
pub(super) fn questions(model: &Model) -> Vec<MetricQuery> {
    let mut questions = Vec::new();
    for view in &model.views {
        let names: Vec<String> = view.metrics.iter().map(|id| model.metric(*id).name.clone()).collect();
        for some in names.chunks(TOGETHER) {
            let turn = questions.len();
            let by = match (turn % 3, view.dimensions.get(turn % view.dimensions.len().max(1))) {
                (0, _) => vec![GroupItem::Time { dimension: None, grain: Grain::Month }],
                (1, Some(dimension)) => vec![GroupItem::Dimension(dimension.name.clone())],
                _ => vec![],
            };
            let is_cohort = |name: &String| model.metric_named(name).is_some_and(|id| model.metric(id).is_cohort);
            if some.iter().any(is_cohort) {
                let mut by: Vec<GroupItem> = by.into_iter().filter(|item| matches!(item, GroupItem::Dimension(_))).collect();
                let ages = Ages::parse("6 months 0..24").expect("these are ages");
                by.splice(0..0, [GroupItem::Cohort { grain: Grain::Quarter }, GroupItem::Age(ages)]);
                // Over several ages there are no totals.
                questions.push(MetricQuery { range: None, totals: false, ..question(&view.name, some, by) });
                continue;
            }
            // What compares entities is asked by them.
            let compares = |entity: &EntityId| {
                let compared =
                    |name: &String| model.metric_named(name).is_some_and(|id| model.metric(id).compares.contains(entity));
                some.iter().any(compared)
            };
            let mut by = by;
            for dimension in &view.dimensions {
                let is_compared = matches!(dimension.target, ViewTarget::Entity(entity) if compares(&entity));
                let item = GroupItem::Dimension(dimension.name.clone());
                if is_compared && !by.contains(&item) {
                    by.push(item);
                }
            }
            questions.push(question(&view.name, some, by));
        }
    }
    questions
}

/// Rows and totals, or why there are none.
pub(super) async fn answers(warehouse: &dyn Warehouse, model: &Model, question: &MetricQuery) -> Result<Vec<Vec<String>>, String> {
    let plan = compile::metrics(model, question, &Caller::default(), warehouse.dialect()).map_err(|error| error.to_string())?;
    let mut answers = Vec::new();
    let statements: Vec<&Statement> = std::iter::once(&plan.rows).chain(&plan.totals).collect();
    for statement in statements {
        let rows = warehouse.run(statement).await.map_err(|error| format!("{error}\n{}", statement.sql.as_str()))?;
        answers.push(shown(&rows));
    }
    Ok(answers)
}

#[tokio::test]
async fn both_engines_agree_on_every_metric_of_the_demo() {
    let (model, diagnostics) = holdfast_schema::load(Origin::Shipped.read().expect("they are in the binary"));
    let model = model.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let tables = demo::portfolio();
    let database = Postgres::shared().database().await;
    load::load(&postgres::Settings::new(&database.url), &tables, Existing::Refuse).await.expect("it loads");
    let server = postgres::Postgres::new(&postgres::Settings::new(&database.url)).expect("the address is right");
    // What is compared are numbers, not times: an unoptimised build may take long for a series by month.
    let limits = Limits { timeout: Duration::from_secs(300), ..Limits::default() };
    let embedded = Embedded::new("demo", &tables, limits).expect("the tables fit");
    let mut wrong = Vec::new();
    let (mut asked, mut slowest) = (0, (0, String::new()));
    for question in questions(&model) {
        let label = format!(
            "{:?} {:?} by {:?}",
            question.scope,
            question.metrics.iter().map(|m| &m.metric).collect::<Vec<_>>(),
            question.by
        );
        let left = answers(&server, &model, &question).await;
        let started = Instant::now();
        let right = answers(&embedded, &model, &question).await;
        let took = started.elapsed().as_millis();
        if took > slowest.0 {
            slowest = (took, label.clone());
        }
        asked += 1;
        println!("{took} ms {label}");
        match (left, right) {
            (Ok(left), Ok(right)) if left == right => {}
            (Ok(left), Ok(right)) => {
                let difference = left.iter().flatten().zip(right.iter().flatten()).find(|(left, right)| left != right);
                wrong.push(format!("{label}\n  {difference:?} of {} and {} rows", left[0].len(), right[0].len()));
            }
            // A combination that cannot be asked.
            (Err(left), Err(right)) if left == right => println!("  {left}"),
            (left, right) => wrong.push(format!("{label}\n  postgres {:?}\n  embedded {:?}", left.err(), right.err())),
        }
    }
    println!("{asked} questions; slowest {slowest:?}");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}
