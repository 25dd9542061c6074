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

/// The maximum number of simultaneous connections: fifty viewers and their assets, several times
/// over.
const CONNECTIONS: usize = 256;

/// The time limit for a request's head, and for an idle connection before the next request.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// A bound socket and its address.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Starts to listen.
    ///
    /// # Errors
    /// A [`Problem`] when the address is in use, or does not belong to this machine.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, Problem> {
        let listened = TcpListener::bind(address)
            .await
            .and_then(|socket| Ok((socket.local_addr()?, socket)));
        let (address, socket) = listened.map_err(|error| {
            Problem::new(
                Exit::Failed,
                format!("the page cannot listen on {address}"),
            )
            .caused_by(&error)
            .hint("choose another address with --listen, such as --listen 127.0.0.1:7374, or turn off the page with --no-web")
        })?;
        Ok(Self { socket, address })
    }

    /// Listens on an address, or on one of the nine ports after it, or on any free port.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    #[cfg(feature = "sandbox")]
    pub(crate) async fn bind_near(address: SocketAddr) -> Result<Self, Problem> {
        for next in 0..10 {
            let port = address.port().saturating_add(next);
            if let Ok(listener) = Self::bind(SocketAddr::new(address.ip(), port)).await {
                return Ok(listener);
            }
        }
        Self::bind(SocketAddr::new(address.ip(), 0)).await
    }

    /// Returns the address.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Accepts connections forever. Open ones end with the program's runtime.
pub(super) async fn run(listener: Listener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let service = TowerToHyperService::new(router);
    loop {
        // At the limit, further connections wait in the backlog.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.socket.accept().await else {
            // For example, there may be no file descriptors left; that passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Send small pieces as soon as they are ready.
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .max_buf_size(16 * 1_024)
                .serve_connection(TokioIo::new(stream), service);
            // A broken connection is not our problem.
            let _ = connection.await;
            drop(place);
        });
    }
}
