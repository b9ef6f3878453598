//! The listening socket, its options, and an orderly end.

use std::{io, sync::Arc, time::Duration};

use poem::{
    Server,
    http::uri::Scheme,
    listener::{Acceptor, TcpAcceptor},
    web::{LocalAddr, RemoteAddr},
};
use tokio::net::{TcpListener, TcpStream};

use super::Router;
use crate::app::App;

/// Serves until `stop` resolves, then lets running requests finish for at most `grace`.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>, grace: Duration) -> io::Result<()> {
    let acceptor = NoDelay(TcpAcceptor::from_tokio(listener)?);
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(Router::new(app), stop, Some(grace)).await
}

/// Sends small answers at once instead of waiting for more to send.
struct NoDelay(TcpAcceptor);

impl Acceptor for NoDelay {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await?;
        accepted.0.set_nodelay(true)?;
        Ok(accepted)
    }
}
