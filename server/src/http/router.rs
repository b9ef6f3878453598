//! Method and path → handler. Every place of the server is in one list.

use std::sync::Arc;

use holdfast_schema::query::hidden_from;
use poem::{Endpoint, Request, Response, http::Method};

use super::{
    around::{CorrelationId, around},
    caller, console, cors, definitions, graphql, health,
    negotiate::{self, Format},
    problem::Problem,
    sse,
};
use crate::app::App;

/// The server's endpoint.
pub struct Router {
    app: Arc<App>,
}

impl Router {
    /// Routes requests to an app.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

impl Endpoint for Router {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let route = Route::of(request.uri().path());
        let app = Arc::clone(&self.app);
        let limit = app.http.request_timeout;
        if !matches!(route, Route::Graphql | Route::GraphqlStream) {
            return Ok(around(request, route.label(), limit, |request, id| dispatch(app, route, request, id)).await);
        }
        let told = cors::decide(&app.http.cors, &request);
        let preflight = cors::is_preflight(&request).then(|| told.clone());
        let mut response = around(request, route.label(), limit, |request, id| async move {
            match preflight {
                Some(told) => told.preflight(&id.0),
                None if route == Route::GraphqlStream => sse::handle(app, request, &id).await,
                None => graphql::handle(app, request, &id).await,
            }
        })
        .await;
        told.write(&mut response);
        Ok(response)
    }
}

/// Places of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Graphql,
    GraphqlStream,
    Root,
    ConsoleFile,
    Live,
    Ready,
    Metrics,
    DefinitionsDiagnostics,
    Unknown,
}

impl Route {
    fn of(path: &str) -> Self {
        match path {
            "/graphql" => Route::Graphql,
            "/graphql/stream" => Route::GraphqlStream,
            "/" => Route::Root,
            "/health/live" => Route::Live,
            "/health/ready" => Route::Ready,
            "/metrics" => Route::Metrics,
            "/definitions/diagnostics" => Route::DefinitionsDiagnostics,
            path if path.starts_with("/console/") => Route::ConsoleFile,
            _ => Route::Unknown,
        }
    }

    /// Whether somebody has to say who they are, although no rows are told: names, numbers and mistakes of the definitions, and how
    /// busy the service is, are of no concern to everybody.
    fn tells_about_the_inside(self) -> bool {
        match self {
            Route::Metrics | Route::DefinitionsDiagnostics => true,
            // GraphQL asks by itself, in the format of its answers.
            Route::Graphql
            | Route::GraphqlStream
            | Route::Root
            | Route::ConsoleFile
            | Route::Live
            | Route::Ready
            | Route::Unknown => false,
        }
    }

    /// The name in logs and metrics: never the client's own text.
    fn label(self) -> &'static str {
        match self {
            Route::Graphql => "/graphql",
            Route::GraphqlStream => "/graphql/stream",
            Route::Root => "/",
            Route::ConsoleFile => "/console/*",
            Route::Live => "/health/live",
            Route::Ready => "/health/ready",
            Route::Metrics => "/metrics",
            Route::DefinitionsDiagnostics => "/definitions/diagnostics",
            Route::Unknown => "unknown",
        }
    }
}

async fn dispatch(app: Arc<App>, route: Route, request: Request, id: CorrelationId) -> Response {
    let refuse = |problem: Problem| problem.response(Format::Json, &id.0);
    if route != Route::Unknown && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refuse(Problem::MethodNotAllowed("GET, HEAD"));
    }
    if route.tells_about_the_inside() {
        let names_members = route == Route::DefinitionsDiagnostics;
        match caller::of_headers(&app.identity, request.headers()).await {
            Err(problem) => return refuse(problem),
            Ok(caller) if names_members && !hidden_from(&app.generation().model, &caller).is_empty() => {
                return refuse(Problem::SpeaksOfHidden);
            }
            Ok(_) => {}
        }
    }
    match route {
        Route::Root if app.http.console && negotiate::wants_page(request.header("accept")) => console::page(),
        Route::ConsoleFile if app.http.console => console::file(request.uri().path()).unwrap_or_else(|| refuse(Problem::NotFound)),
        Route::Live => health::live(),
        Route::Ready => health::ready(&app).await,
        Route::Metrics => match &app.metrics {
            Some(handle) => Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(handle.render()),
            None => refuse(Problem::NotFound),
        },
        Route::DefinitionsDiagnostics => definitions::diagnostics(&app),
        Route::Graphql | Route::GraphqlStream | Route::Root | Route::ConsoleFile | Route::Unknown => refuse(Problem::NotFound),
    }
}
