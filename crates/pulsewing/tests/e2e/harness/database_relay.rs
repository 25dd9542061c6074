//! A relay before the database's socket file, which cuts connections: all at once, or between two
//! statements.
//!
//! It knows of the protocol what it needs: a message is a letter, a length and its bytes, the first one has
//! no letter, a request ends with `S` (sync) or `Q` (a simple query), and its answer with `Z` (ready).

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use tempfile::TempDir;

use crate::harness::postgres::{Postgres, url_at};

/// The relay. Its threads end with their connections, and with the test's process.
pub(crate) struct DatabaseRelay {
    dir: TempDir,
    shared: Arc<Shared>,
}

struct Shared {
    server: PathBuf,
    is_down: AtomicBool,
    /// Every connection ends at one of so many requests; 0: none does.
    cut_one_in: AtomicU64,
    /// The requests so far, and the cuts.
    requests: AtomicU64,
    cuts: AtomicU64,
    open: Mutex<Vec<UnixStream>>,
}

impl DatabaseRelay {
    pub(crate) fn to(server: &Postgres) -> Self {
        let made = tempfile::Builder::new().prefix("pulsewing-px-").tempdir();
        let dir = made.unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let shared = Arc::new(Shared {
            server: server.socket(),
            is_down: AtomicBool::new(false),
            cut_one_in: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                let shared = Arc::clone(&serving);
                if !shared.is_down.load(Ordering::SeqCst) {
                    thread::spawn(move || shared.serve(client?));
                }
            }
        });
        Self { dir, shared }
    }

    /// Returns the URL of a database behind the relay.
    pub(crate) fn url(&self, database: &str) -> String {
        url_at(self.dir.path(), database)
    }

    /// Cuts all connections, and refuses others.
    pub(crate) fn go_down(&self) {
        self.shared.is_down.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub(crate) fn come_back(&self) {
        self.shared.is_down.store(false, Ordering::SeqCst);
    }

    /// Cuts a connection at one request in so many: by turns before the server sees it, and after it was
    /// carried out, before anybody hears of it. 0 ends that.
    pub(crate) fn cut_one_in(&self, requests: u64) {
        self.shared.cut_one_in.store(requests, Ordering::SeqCst);
    }

    /// Returns how many connections were cut at a request.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, mut client: UnixStream) -> io::Result<()> {
        let mut server = UnixStream::connect(&self.server)?;
        {
            let mut open = self.open.lock().unwrap();
            open.push(client.try_clone()?);
            open.push(server.try_clone()?);
        }
        // A connection that came in while everything was being cut.
        if self.is_down.load(Ordering::SeqCst) {
            let _ = client.shutdown(Shutdown::Both);
        }
        let served = self.relay(&mut client, &mut server);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        served
    }

    /// Relays one request after the other: the program does not send the next one before it has the answer.
    fn relay(&self, client: &mut UnixStream, server: &mut UnixStream) -> io::Result<()> {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        let mut first = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        client.read_exact(&mut first)?;
        server.write_all(&[&length[..], &first].concat())?;
        loop {
            answer(server, Some(&mut *client))?;
            let mut request = Vec::new();
            loop {
                let (letter, message) = message(client)?;
                request.extend_from_slice(&message);
                match letter {
                    b'S' | b'Q' => break,
                    b'X' => return server.write_all(&request),
                    _ => {}
                }
            }
            let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
            let one_in = self.cut_one_in.load(Ordering::SeqCst);
            if one_in > 0 && number.is_multiple_of(one_in) {
                let cut = self.cuts.fetch_add(1, Ordering::SeqCst);
                if cut.is_multiple_of(2) {
                    return Ok(());
                }
                server.write_all(&request)?;
                return answer(server, None);
            }
            server.write_all(&request)?;
        }
    }
}

/// Relays an answer up to its end, or lets it vanish.
fn answer(server: &mut UnixStream, mut client: Option<&mut UnixStream>) -> io::Result<()> {
    loop {
        let (letter, message) = message(server)?;
        if let Some(client) = &mut client {
            client.write_all(&message)?;
        }
        if letter == b'Z' {
            return Ok(());
        }
    }
}

/// Reads a message with its letter and its length.
fn message(stream: &mut UnixStream) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let [letter, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
    let mut message = head.to_vec();
    message.resize(length + 1, 0);
    stream.read_exact(&mut message[5..])?;
    Ok((letter, message))
}
