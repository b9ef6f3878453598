//! Bugs that were survived: told to the log and counted, wherever they are caught.

use std::any::Any;

use tokio::task::JoinError;

/// Notes a panic; `what` is what it has ended.
pub(crate) fn note(panic: &(dyn Any + Send), what: &str) {
    tracing::error!(panic = text(panic), "{what} panicked");
    metrics::counter!("holdfast_panics_total").increment(1);
}

/// Notes the panic that has ended a task; one that was stopped has none.
pub(crate) fn note_task(error: JoinError, what: &str) {
    if let Ok(panic) = error.try_into_panic() {
        note(panic.as_ref(), what);
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}
