//! The listening socket, its options, and an orderly end.

use std::{io, sync::Arc, time::Duration};

use poem::{
    Server,
    http::uri::Scheme,
    listener::{Acceptor, TcpAcceptor},
    web::{LocalAddr, RemoteAddr},
};
use tokio::net::TcpListener;

use super::{
    Router,
    clients::{Clients, Connection, Patience, WhileConnected},
};
use crate::app::App;

/// Serves until `stop` resolves, then lets running requests finish for at most `grace`.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>, grace: Duration) -> io::Result<()> {
    let clients = Clients::new(Patience { idle: app.http.idle_timeout, head: app.http.header_timeout });
    let acceptor = Watching { acceptor: TcpAcceptor::from_tokio(listener)?, clients: clients.clone() };
    let endpoint = WhileConnected { endpoint: Router::new(app), clients };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(endpoint, stop, Some(grace)).await
}

/// Watches every connection, and sends small answers at once instead of waiting for more to send.
struct Watching {
    acceptor: TcpAcceptor,
    clients: Clients,
}

impl Acceptor for Watching {
    type Io = Connection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.acceptor.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (stream, local, remote, scheme) = self.acceptor.accept().await?;
        stream.set_nodelay(true)?;
        Ok((self.clients.watch(stream)?, local, remote, scheme))
    }
}
