//! What is to be said about the definition files, for editors and dashboards.

use poem::Response;

use crate::app::App;

/// The newest diagnostics as JSON: of files that were refused what is wrong with them, of those that serve also what of them the
/// warehouse does not have.
pub(super) fn diagnostics(app: &App) -> Response {
    let state = app.definitions();
    let diagnostics = if state.is_current { app.generation().json() } else { state.diagnostics_json.to_string() };
    Response::builder().content_type("application/json; charset=utf-8").header("cache-control", "no-store").body(diagnostics)
}
