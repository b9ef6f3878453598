//! Why a question on the command line could not be run, where definitions do not fit the warehouse.

use futures_util::FutureExt as _;
use holdfast_schema::diagnostic::{Diagnostics, render};

use super::{color, show};
use crate::{catalogue::fit, engine::Engine, generation::Generation};

/// When the warehouse did not understand a statement of an engine: shows what of the definitions it does not have, each with its place.
/// Tells whether there was anything to show.
pub(super) async fn tell(generation: &Generation, engine: &Engine) -> bool {
    if engine.doubts().notified().now_or_never().is_none() {
        return false;
    }
    // A warehouse that does not tell its tables either has said so in its own error.
    let Ok(columns) = engine.warehouse().columns().await else { return false };
    let mut misfits = Diagnostics::default();
    fit::check(&generation.model, &columns, &mut misfits);
    show(&render::human(&generation.sources, &misfits, color()));
    !misfits.is_empty()
}
