//! What is to be said about the definition files, for editors and dashboards.

use poem::Response;

use crate::app::App;

/// The newest diagnostics as JSON.
pub(super) fn diagnostics(app: &App) -> Response {
    let state = app.definitions();
    Response::builder()
        .content_type("application/json; charset=utf-8")
        .header("cache-control", "no-store")
        .body(state.diagnostics_json.to_string())
}
