//! A server that takes every request and keeps it, as ntfy, a webhook or a dead man's switch would.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use crate::harness::patience::SOON;

/// A request that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Method and path.
    pub(crate) line: String,
    pub(crate) body: String,
}

impl Taken {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The server. It ends with the test.
pub(crate) struct Recorder {
    pub(crate) url: String,
    taken: Receiver<Taken>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (to, taken) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, to) = (stream.unwrap(), to.clone());
                thread::spawn(move || serve(stream, &to));
            }
        });
        Self { url, taken }
    }

    /// Waits for the next request.
    pub(crate) fn next(&self) -> Taken {
        self.taken.recv_timeout(SOON).expect("a request")
    }

    /// Returns a request that has come already, if there is one.
    pub(crate) fn already(&self) -> Option<Taken> {
        self.taken.recv_timeout(Duration::ZERO).ok()
    }
}

/// Takes requests from a connection until it ends.
fn serve(mut stream: TcpStream, to: &Sender<Taken>) -> Option<()> {
    let mut from = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let (line, _) = line.trim_end().rsplit_once(' ')?;
        let mut taken = Taken {
            line: line.to_owned(),
            body: String::new(),
        };
        let mut length = 0;
        loop {
            let mut field = String::new();
            from.read_line(&mut field).ok()?;
            let Some((name, value)) = field.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
        }
        from.by_ref()
            .take(length)
            .read_to_string(&mut taken.body)
            .ok()?;
        to.send(taken).ok()?;
        stream
            .write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
            )
            .ok()?;
    }
}
