//! Compares the definitions that serve with the warehouse's tables: as soon as the warehouse answers, for each new generation, now and
//! then, and when the warehouse did not understand a statement.
//!
//! What does not fit is told and refuses nothing: other questions can still be answered, and tables may come later.

use std::{sync::Arc, time::Duration};

use holdfast_schema::diagnostic::{Diagnostics, render};
use tokio::sync::Notify;

use super::fit;
use crate::{app::App, generation::Generation};

/// How long a warehouse is left alone: one that does not tell its tables, and one that was just looked at.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a comparison holds when nothing raises a doubt.
const TRUST: Duration = Duration::from_secs(300);

/// Compares until the process ends; `doubts` tells that a statement was not understood.
pub async fn run(app: Arc<App>, doubts: Arc<Notify>) {
    loop {
        let generation = app.generation();
        match app.warehouse.columns().await {
            Ok(columns) => {
                let mut misfits = Diagnostics::default();
                fit::check(&generation.model, &columns, &mut misfits);
                note(&generation, misfits);
                tokio::select! {
                    () = app.replaced() => {}
                    () = doubt(&doubts) => {}
                    () = tokio::time::sleep(TRUST) => {}
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the warehouse does not tell its tables");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}

/// Waits for a doubt. Statements may fail as often as they are asked; the warehouse is not.
async fn doubt(doubts: &Notify) {
    tokio::time::sleep(PATIENCE).await;
    doubts.notified().await;
}

/// Keeps what does not fit, and tells it when it is not what was told before.
fn note(generation: &Generation, misfits: Diagnostics) {
    let text = render::human(&generation.sources, &misfits, false);
    let before = generation.misfits().map_or_else(String::new, |before| render::human(&generation.sources, &before, false));
    if text != before && !misfits.is_empty() {
        tracing::warn!("the definitions do not fit the warehouse; what needs these tables will fail\n{text}");
    }
    generation.compared(misfits);
}
