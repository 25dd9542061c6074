//! Connections, and their limits.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::tell::problem::{Exit, Problem};

/// The most connections at a time: fifty viewers and their assets, several times over.
const CONNECTIONS: usize = 256;

/// How long a request's head may take, and how long a connection may idle before the next.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// A place to listen at.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens.
    ///
    /// # Errors
    /// A [`Problem`] when somebody else does, or the address is none of this machine's.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, Problem> {
        let listened = TcpListener::bind(address)
            .await
            .and_then(|socket| Ok((socket.local_addr()?, socket)));
        let (address, socket) = listened.map_err(|error| {
            Problem::new(
                Exit::Failed,
                format!("the page cannot listen at {address}"),
            )
            .caused_by(&error)
            .hint("name another address with --listen, such as --listen 127.0.0.1:7374, or do without the page: --no-web")
        })?;
        Ok(Self { socket, address })
    }

    /// Listens at an address, or at one of the nine ports after it, or at any free port.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub(crate) async fn bind_near(address: SocketAddr) -> Result<Self, Problem> {
        for next in 0..10 {
            let port = address.port().saturating_add(next);
            if let Ok(listener) = Self::bind(SocketAddr::new(address.ip(), port)).await {
                return Ok(listener);
            }
        }
        Self::bind(SocketAddr::new(address.ip(), 0)).await
    }

    /// Where it listens.
    #[must_use]
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Takes connections for ever. Those that are open end with the program's runtime.
pub(super) async fn run(listener: Listener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let service = TowerToHyperService::new(router);
    loop {
        // Whoever comes when the house is full waits at the door.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.socket.accept().await else {
            // Out of file descriptors, for example: that passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Small pieces, sent when they are there.
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .max_buf_size(16 * 1_024)
                .serve_connection(TokioIo::new(stream), service);
            // A connection that breaks is its peer's affair.
            let _ = connection.await;
            drop(place);
        });
    }
}
