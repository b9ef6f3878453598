//! Runs the tests that stand in the definitions: rows in, question, expected answer.

pub mod ask;

mod compare;
mod condition;
mod fixture;
mod place;

use std::sync::Arc;

use holdfast_schema::{
    compile,
    definition::test::{Fixture, Test},
    diagnostic::Diagnostics,
    model::{MetricId, Model},
    query::Caller,
};
use holdfast_warehouse::{Error, Warehouse};

pub(crate) use self::compare::shown;
pub use self::place::Place;
use self::{
    ask::{Surroundings, question},
    compare::Expected,
};

/// The outcome of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it is called: the metric and the test's name or number.
    pub name: String,
    /// `path:line` of the test.
    pub at: String,
    /// What is different; empty when it passed.
    pub differences: Vec<String>,
}

/// Tests of a model: whose question is meant for `model`, with positions for people from `sources`.
pub struct Suite<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its files.
    pub sources: &'a holdfast_schema::source::SourceMap,
}

impl Suite<'_> {
    /// Runs every test whose name contains `wanted`. Fails only when the place itself does.
    pub async fn run(&self, place: &Place, wanted: &str) -> Result<Vec<Outcome>, Error> {
        let named =
            self.model.tests.iter().enumerate().map(|(index, (beside, test))| (self.name(index, *beside, test), *beside, test));
        let wanted: Vec<_> = named.filter(|(name, ..)| name.contains(wanted)).collect();
        // A place holds one set of fixtures at a time: tests with the same set run together.
        let mut sets: Vec<(Vec<&str>, Vec<usize>)> = Vec::new();
        for (index, (.., test)) in wanted.iter().enumerate() {
            let given: Vec<&str> = test.given.iter().map(|name| name.value.as_str()).collect();
            match sets.iter_mut().find(|(known, _)| *known == given) {
                Some((_, members)) => members.push(index),
                None => sets.push((given, vec![index])),
            }
        }
        let mut outcomes = Vec::new();
        for (given, members) in sets {
            let loaded = self.load(place, &given).await?;
            for index in members {
                let (name, beside, test) = &wanted[index];
                let differences = match &loaded {
                    Ok(warehouse) => self.run_one(warehouse.as_ref(), *beside, test).await,
                    Err(reasons) => reasons.clone(),
                };
                let (line, _) = self.sources.position(test.span);
                let at = format!("{}:{line}", self.sources.file(test.span.file).path);
                outcomes.push((index, Outcome { name: name.clone(), at, differences }));
            }
        }
        outcomes.sort_by_key(|(index, _)| *index);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// The metric, the test's own name or its number among those of the metric, and its fixtures.
    fn name(&self, index: usize, beside: Option<MetricId>, test: &Test) -> String {
        let metric = beside.map_or("tests", |id| self.model.metric(id).name.as_str());
        let number = self.model.tests[..=index].iter().filter(|(other, _)| *other == beside).count();
        let own = test.name.as_ref().map_or_else(|| number.to_string(), |name| name.value.clone());
        let given = test.given.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(", ");
        format!("{metric}: {own} [{given}]")
    }

    async fn load(&self, place: &Place, given: &[&str]) -> Result<Result<Arc<dyn Warehouse>, Vec<String>>, Error> {
        let mut fixtures: Vec<&Fixture> = Vec::new();
        for name in given {
            match self.model.fixtures.iter().find(|(known, _)| known == name) {
                Some((_, fixture)) => fixtures.push(fixture),
                None => return Ok(Err(vec![format!("there is no fixture `{name}`")])),
            }
        }
        let mut diagnostics = Diagnostics::default();
        match fixture::tables(self.model, &fixtures, &mut diagnostics) {
            Some(tables) => Ok(Ok(place.open(&given.join(", "), &tables).await?)),
            None => Ok(Err(self.words(&diagnostics))),
        }
    }

    async fn run_one(&self, warehouse: &dyn Warehouse, beside: Option<MetricId>, test: &Test) -> Vec<String> {
        let mut diagnostics = Diagnostics::default();
        let around = Surroundings { beside, today: None, totals: test.expect_totals.is_some() };
        let Some(query) = question(self.model, &test.ask, around, &mut diagnostics) else {
            return self.words(&diagnostics);
        };
        // A test knows no clock: the day it asks about is the day on which it asks.
        let caller = Caller { today: query.as_of, ..Caller::default() };
        let plan = match compile::metrics(self.model, &query, &caller, warehouse.dialect()) {
            Ok(plan) => plan,
            Err(error) => {
                let help = error.help.as_deref().map_or_else(String::new, |help| format!(" ({help})"));
                return vec![format!("{}: {}{help}", error.code.as_str(), error.message)];
            }
        };
        let rows = match warehouse.run(&plan.rows).await {
            Ok(rows) => rows,
            Err(error) => return vec![format!("{error}\n  {}", plan.rows.sql.as_str())],
        };
        let totals = match &plan.totals {
            Some(statement) => match warehouse.run(statement).await {
                Ok(totals) => Some(totals),
                Err(error) => return vec![format!("{error}\n  {}", statement.sql.as_str())],
            },
            None => None,
        };
        let calendar = self.model.project.calendar;
        Expected { test, query: &query, plan: &plan, calendar }.differences(&rows, totals.as_ref())
    }

    fn words(&self, diagnostics: &Diagnostics) -> Vec<String> {
        diagnostics
            .sorted()
            .into_iter()
            .map(|diagnostic| {
                let place = diagnostic.primary.as_ref().map_or_else(String::new, |label| {
                    let (line, column) = self.sources.position(label.span);
                    format!("{}:{line}:{column}: ", self.sources.file(label.span.file).path)
                });
                let help = diagnostic.help.first().map_or_else(String::new, |help| format!(" ({help})"));
                format!("{place}{}{help}", diagnostic.message)
            })
            .collect()
    }
}
