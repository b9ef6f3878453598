//! HTTP: the only code that knows poem. Requests in, responses out; what they mean is decided elsewhere.

mod router;

mod around;
mod body;
mod caller;
mod clients;
mod console;
mod cors;
mod definitions;
mod graphql;
mod health;
mod negotiate;
mod problem;

mod sse;
mod websocket;

mod server;

pub use negotiate::Statuses;
pub use router::Router;
pub use server::serve;
pub use sse::SharedStreams;
