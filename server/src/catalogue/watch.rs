//! Compares the definitions that serve with the warehouse's tables, as soon as the warehouse answers and for each new generation.
//!
//! What does not fit is told and refuses nothing: other questions can still be answered, and tables may come later.

use std::{sync::Arc, time::Duration};

use holdfast_schema::diagnostic::{Diagnostics, render};

use super::fit;
use crate::app::App;

/// How long a warehouse that does not tell its tables is left alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Compares until the process ends.
pub async fn run(app: Arc<App>) {
    loop {
        let generation = app.generation();
        if generation.misfits().is_some() {
            app.replaced().await;
            continue;
        }
        match app.warehouse.columns().await {
            Ok(columns) => {
                let mut misfits = Diagnostics::default();
                fit::check(&generation.model, &columns, &mut misfits);
                if !misfits.is_empty() {
                    let text = render::human(&generation.sources, &misfits, false);
                    tracing::warn!("the definitions do not fit the warehouse; what needs these tables will fail\n{text}");
                }
                generation.compared(misfits);
            }
            Err(error) => {
                tracing::debug!(%error, "the warehouse does not tell its tables");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}
