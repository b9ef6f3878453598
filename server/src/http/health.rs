//! Whether the process lives, and whether it can answer.

use std::time::Duration;

use poem::{Response, http::StatusCode};
use serde_json::json;

use crate::app::App;

/// Longest wait for the warehouse's sign of life.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process lives; nothing else is looked at.
pub(super) fn live() -> Response {
    write(StatusCode::OK, &json!({ "status": "live" }))
}

/// The warehouse answers. Definitions that were refused are a warning: the earlier ones serve. So are definitions that do not fit
/// the warehouse: what does not need them is answered.
pub(super) async fn ready(app: &App) -> Response {
    let reachable = app.warehouse_is_reachable(PATIENCE).await;
    let warehouse = app.warehouse.status();
    let definitions = app.definitions();
    let generation = app.generation();
    let mut warnings = Vec::new();
    if !definitions.is_current {
        warnings.push(format!(
            "the definition files were refused (errors: {}); the definitions of {} serve; see /definitions/diagnostics",
            definitions.errors, generation.loaded_at
        ));
    }
    let misfits = generation.misfits().map(|misfits| misfits.sorted().len());
    if let Some(misfits @ 1..) = misfits {
        warnings.push(format!(
            "the definitions do not fit the warehouse's tables (errors: {misfits}); what needs them fails; see /definitions/diagnostics"
        ));
    }
    let body = json!({
        "status": if reachable { "ready" } else { "unavailable" },
        "warehouse": {
            "reachable": reachable,
            "dialect": app.warehouse.dialect().name(),
            "running": warehouse.running,
            "waiting": warehouse.waiting,
            "connections": warehouse.connections,
        },
        "definitions": {
            "state": if definitions.is_current { "current" } else { "refused" },
            "fingerprint": generation.model.fingerprint,
            "loadedAt": generation.loaded_at.to_string(),
            "readAt": definitions.read_at.to_string(),
            "errors": definitions.errors,
            "warnings": definitions.warnings,
            "misfits": misfits,
        },
        "warnings": warnings,
    });
    write(if reachable { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

fn write(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json; charset=utf-8")
        .header("cache-control", "no-store")
        .body(body.to_string())
}
