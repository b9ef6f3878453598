//! Saved documents as they are asked by pages: statements, time and size, with nothing kept and again with the answers kept.

use std::{sync::Arc, time::Instant};

use holdfast_resolvers::Runner;
use holdfast_schema::query::Caller;
use holdfast_warehouse::{Warehouse, counting::Counting};

use super::{
    super::{
        ask::{context, table},
        document, misfits, say,
    },
    Failure, Outcome,
};
use crate::{
    engine::{Engine, Settings},
    generation::Generation,
};

/// Asks each document twice, with an engine of its own.
pub(super) async fn run(
    generation: &Generation,
    warehouse: Arc<dyn Warehouse>,
    settings: Settings,
    names: &[String],
    variables: Option<&str>,
) -> Result<Outcome, Failure> {
    let heads = ["document", "statements", "ms", "statements again", "ms again", "bytes", "errors"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    let (mut had_errors, mut has_told) = (false, false);
    for name in names {
        let text = generation.api.saved_document(name);
        let text = text.ok_or_else(|| Failure::usage(format!("the definitions save no document `{name}`")))?;
        let counting = Arc::new(Counting::new(Arc::clone(&warehouse)));
        let engine = Arc::new(Engine::new(Arc::clone(&counting) as Arc<dyn Warehouse>, settings.clone()));
        let mut line = vec![name.clone()];
        let (mut bytes, mut errors) = (0, false);
        for _ in 0..2 {
            let request = document::request(text, variables)?;
            let started = Instant::now();
            let answer = generation
                .api
                .execute(Arc::clone(&engine) as Arc<dyn Runner>, context(generation, &Caller::default()), request)
                .await;
            line.extend([counting.take().to_string(), started.elapsed().as_millis().to_string()]);
            bytes = answer.body.len();
            errors |= answer.had_errors;
        }
        line.extend([bytes.to_string(), if errors { "yes" } else { "no" }.to_owned()]);
        had_errors |= errors;
        lines.push(line);
        has_told = has_told || misfits::tell(generation, &engine).await;
    }
    let asked = "Each document asked twice: with nothing kept, and again with the answers kept. Bytes are those of the answer.";
    say(&format!("{asked}\n\n{}", table(&lines)))?;
    Ok(if had_errors { Outcome::Wrong } else { Outcome::Well })
}
