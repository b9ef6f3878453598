//! GraphQL over WebSocket: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

mod connection;
mod message;

use std::sync::Arc;

use poem::{FromRequest as _, IntoResponse as _, Request, Response, web::websocket::WebSocket};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use self::connection::Client;
use super::{around::CorrelationId, caller::Proof, cors, graphql::wants_cost, negotiate::Format, problem::Problem};
use crate::app::App;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// Whether a request wants to become a socket.
pub(super) fn is_upgrade(request: &Request) -> bool {
    request.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// Turns a request into a socket.
pub(super) async fn open(app: Arc<App>, request: &Request, id: &CorrelationId) -> Response {
    let refuse = |problem: Problem| problem.response(Format::Json, &id.0);
    // Browsers let any page open a socket to any server, and say only here which page it is.
    if !is_same_site(request) && !cors::decide(&app.http.cors, request).is_allowed() {
        return refuse(Problem::CrossSite);
    }
    let proof = match Proof::of_headers(request.headers()) {
        Ok(proof) => proof,
        Err(problem) => return refuse(problem),
    };
    let Ok(permit) = Arc::clone(&app.stream_permits).try_acquire_owned() else {
        return refuse(Problem::TooManyStreams);
    };
    let speaks = request
        .header("sec-websocket-protocol")
        .is_some_and(|offered| offered.split(',').any(|protocol| protocol.trim() == PROTOCOL));
    let socket = match WebSocket::from_request_without_body(request).await {
        Ok(socket) => socket,
        Err(_) => return refuse(Problem::BadRequest("the handshake of the socket is not complete".into())),
    };
    let limit = app.http.body_limit;
    let config = WebSocketConfig::default().max_message_size(Some(limit)).max_frame_size(Some(limit));
    let client = Client { app, proof, shows_cost: wants_cost(request), id: id.clone() };
    socket
        .protocols([PROTOCOL])
        .config(config)
        .on_upgrade(move |stream| async move {
            connection::run(client, stream, speaks).await;
            drop(permit);
        })
        .into_response()
}

/// Whether the page that asks, when there is one, is of this server.
fn is_same_site(request: &Request) -> bool {
    let Some(origin) = request.header("origin") else { return true };
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    request.header("host").is_some_and(|own| own.eq_ignore_ascii_case(host))
}
