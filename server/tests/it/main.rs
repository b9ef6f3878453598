//! The server from outside: HTTP over a fake runner, the command line through the built binary, reload through a real folder.

mod cli;
mod cors;
mod documents;
mod http;
mod identity;
mod limits;
mod reload;
mod streams;
mod support;
