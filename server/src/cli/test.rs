//! `holdfast test`

use std::time::Instant;

use clap::Args;
use holdfast_schema::source::SourceMap;

use super::{
    Failure, Outcome, Settings, block_on, color, complain, count, say,
    settings::{self, Common, Global},
    show,
};
use crate::{
    generation::Load,
    testing::{self, Place, Suite},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Only tests whose name contains this.
    #[arg(value_name = "NAME", default_value = "")]
    name: String,
}

/// Runs the tests of the definitions: in the embedded engine, or with `--warehouse postgres://…` in a database made for the run.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let sources: SourceMap = settings::read(&settings.origin())?;
    let load = Load::run(sources, settings.config.limits, jiff::Timestamp::now());
    let Some(generation) = &load.generation else {
        show(&load.human(color()));
        complain(&format!("the definitions have {}; no test was run", count(load.counts().0, "error")));
        return Ok(Outcome::Wrong);
    };
    let url = settings.config.warehouse.url.as_ref();
    if url.is_some_and(|url| !url.expose().starts_with("postgres")) {
        return Err(Failure::usage("tests bring their own rows; give a `postgres://…` address, or none for the embedded engine"));
    }
    let started = Instant::now();
    let suite = Suite { model: &generation.model, sources: &load.sources };
    let outcomes = block_on(async {
        let place = match url {
            Some(url) => Place::postgres(settings.config.warehouse.postgres(url.expose())).await?,
            None => Place::Embedded,
        };
        let outcomes = suite.run(&place, &arguments.name).await;
        place.close().await.and(outcomes)
    })?;
    let outcomes = outcomes.map_err(Failure::outside)?;
    if outcomes.is_empty() {
        return Err(Failure::usage("no test has such a name"));
    }
    let mut out = String::new();
    for outcome in &outcomes {
        out.push_str(&line(outcome));
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.differences.is_empty()).count();
    let passed = outcomes.len() - failed;
    out.push_str(&format!("{passed} passed, {failed} failed in {:.1} s\n", started.elapsed().as_secs_f64()));
    say(&out)?;
    Ok(if failed == 0 { Outcome::Well } else { Outcome::Wrong })
}

fn line(outcome: &testing::Outcome) -> String {
    if outcome.differences.is_empty() {
        return format!("ok      {}\n", outcome.name);
    }
    let mut out = format!("FAILED  {}\n  at {}\n", outcome.name, outcome.at);
    for difference in &outcome.differences {
        out.push_str(&format!("  {}\n", difference.replace('\n', "\n  ")));
    }
    out
}
