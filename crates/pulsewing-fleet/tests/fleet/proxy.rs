//! A proxy before the server's socket that cuts a connection, or holds a request back, where it is told.
//!
//! It knows of the protocol what it needs: a message is a letter, a length and its bytes, the first one has
//! no letter, a request ends with `S` (sync) or `Q` (a simple query), and its answer with `Z` (ready).

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream, unix::OwnedReadHalf},
    sync::Notify,
};

use crate::server::Server;

/// What happens at the request with the fault's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server never sees it.
    CutBefore,
    /// The server carries it out, and nobody hears of it.
    CutAfter,
    /// It arrives when [`Proxy::let_through`] is called, and nobody hears of it.
    Hold,
}

/// The proxy. It serves until the test's runtime ends.
pub(crate) struct Proxy {
    url: String,
    shared: Arc<Shared>,
    _dir: tempfile::TempDir,
}

struct Shared {
    server: std::path::PathBuf,
    seen: AtomicUsize,
    at: AtomicUsize,
    fault: std::sync::Mutex<Fault>,
    stays_dead: AtomicBool,
    held: Notify,
    went_through: Notify,
}

impl Proxy {
    /// Serves a database of this server.
    pub(crate) fn start(server: &Server, database: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("pulsewing-px-")
            .tempdir()
            .unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let shared = Arc::new(Shared {
            server: server.socket_dir().join(".s.PGSQL.5432"),
            seen: AtomicUsize::new(0),
            at: AtomicUsize::new(usize::MAX),
            fault: std::sync::Mutex::new(Fault::CutBefore),
            stays_dead: AtomicBool::new(false),
            held: Notify::new(),
            went_through: Notify::new(),
        });
        let path = |path: &Path| path.display().to_string();
        let url = format!(
            "postgres:///{database}?host={}&user=postgres&sslmode=disable",
            path(dir.path())
        );
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                let is_dead = shared.stays_dead.load(Ordering::SeqCst)
                    && shared.seen.load(Ordering::SeqCst) >= shared.at.load(Ordering::SeqCst);
                if !is_dead {
                    tokio::spawn(async move {
                        let _ = shared.serve(client).await;
                    });
                }
            }
        });
        Self {
            url,
            shared,
            _dir: dir,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Counts requests from 1 on, from now, and lets the fault happen at this one. `stays_dead` also
    /// refuses every connection after it.
    pub(crate) fn fault_at(&self, number: usize, fault: Fault, stays_dead: bool) {
        *self.shared.fault.lock().unwrap() = fault;
        self.shared.stays_dead.store(stays_dead, Ordering::SeqCst);
        self.shared.seen.store(0, Ordering::SeqCst);
        self.shared.at.store(number, Ordering::SeqCst);
    }

    /// Returns the number of requests since the fault was set.
    pub(crate) fn requests(&self) -> usize {
        self.shared.seen.load(Ordering::SeqCst)
    }

    /// Lets the held request arrive, and returns when the server has carried it out.
    pub(crate) async fn let_through(&self) {
        self.shared.held.notify_one();
        self.shared.went_through.notified().await;
    }
}

impl Shared {
    async fn serve(&self, client: UnixStream) -> std::io::Result<()> {
        let server = UnixStream::connect(&self.server).await?;
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let length = from_client.read_u32().await?;
        let mut first = vec![0; length as usize - 4];
        from_client.read_exact(&mut first).await?;
        to_server.write_u32(length).await?;
        to_server.write_all(&first).await?;
        // One request after the other: the program does not send the next one before it has the answer.
        loop {
            while relay(&mut from_server, Some(&mut to_client)).await? != b'Z' {}
            let mut request = Vec::new();
            loop {
                let (letter, message) = message(&mut from_client).await?;
                request.extend_from_slice(&message);
                match letter {
                    b'S' | b'Q' => break,
                    b'X' => return to_server.write_all(&message).await,
                    _ => {}
                }
            }
            let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
            let fault = *self.fault.lock().unwrap();
            if number != self.at.load(Ordering::SeqCst) {
                to_server.write_all(&request).await?;
                continue;
            }
            match fault {
                Fault::CutBefore => return Ok(()),
                Fault::CutAfter => {}
                Fault::Hold => {
                    // The connection to the client stays open: it finds out that nobody answers.
                    self.held.notified().await;
                }
            }
            to_server.write_all(&request).await?;
            while relay(&mut from_server, None).await? != b'Z' {}
            self.went_through.notify_one();
            return Ok(());
        }
    }
}

async fn message(from: &mut OwnedReadHalf) -> std::io::Result<(u8, Vec<u8>)> {
    let letter = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut bytes = vec![letter];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.resize(1 + length as usize, 0);
    from.read_exact(&mut bytes[5..]).await?;
    Ok((letter, bytes))
}

async fn relay(
    from: &mut OwnedReadHalf,
    to: Option<&mut tokio::net::unix::OwnedWriteHalf>,
) -> std::io::Result<u8> {
    let (letter, bytes) = message(from).await?;
    if let Some(to) = to {
        to.write_all(&bytes).await?;
    }
    Ok(letter)
}
