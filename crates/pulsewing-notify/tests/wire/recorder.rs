//! A server that records every request, and answers as it is told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, mpsc},
    time::{self, Duration},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, spawn_blocking, yield_now},
    time::Instant,
};

/// What the recorder does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Answers with a status line, headers and a body.
    Answers(&'static str, &'static str),
    /// Answers nothing, and keeps the connection.
    Stalls,
    /// Sends bytes, and closes the connection.
    Breaks(&'static str),
}

/// What every service takes for a yes.
pub(crate) const TAKES: Fate =
    Fate::Answers("200 OK", "{\"id\":\"x\",\"status\":1,\"receipt\":\"r1\"}");

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) at: Instant,
    /// `POST / HTTP/1.1`.
    pub(crate) line: String,
    /// Sorted, with names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The headers that are not the same for all.
    pub(crate) fn own_headers(&self) -> Vec<String> {
        let of_all = ["accept", "content-length", "host", "user-agent"];
        let own = self.headers.iter();
        own.filter(|(name, _)| !of_all.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A server on loopback. See [the module](self).
pub(crate) struct Recorder {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    fates: VecDeque<Fate>,
    requests: Vec<Recorded>,
}

impl Recorder {
    /// Starts a server that meets its first requests with these fates, and takes all others.
    pub(crate) async fn start(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self::start_at(0, fates).await
    }

    pub(crate) async fn start_at(port: u16, fates: impl IntoIterator<Item = Fate>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            fates: fates.into_iter().collect(),
            requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.state.lock().unwrap().requests.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    while let Some(recorded) = receive(&mut stream).await {
        let fate = {
            let mut state = state.lock().unwrap();
            state.requests.push(recorded);
            state.fates.pop_front().unwrap_or(TAKES)
        };
        let sent = match fate {
            Fate::Answers(head, body) => {
                let length = body.len();
                let text = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(text.as_bytes()).await
            }
            Fate::Breaks(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Fate::Stalls => std::future::pending().await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads one request. `None` if the connection ends.
async fn receive(stream: &mut TcpStream) -> Option<Recorded> {
    let mut bytes = Vec::new();
    loop {
        if let Some((head, body)) = split(&bytes) {
            let mut lines = head.lines();
            let line = lines.next()?.to_owned();
            let mut headers: Vec<_> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            headers.sort();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length = length.map_or(0, |(_, value)| value.parse().unwrap());
            if body.len() >= length {
                return Some(Recorded {
                    at: Instant::now(),
                    line,
                    headers,
                    body: body.to_owned(),
                });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn split(bytes: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")
}

/// Keeps Tokio's clock still until it is dropped: with a thread at work it does not move by itself.
pub(crate) struct Stillness(
    #[expect(dead_code, reason = "dropping it ends the thread")] mpsc::Sender<()>,
);

pub(crate) fn still() -> Stillness {
    let (end, ended) = mpsc::channel();
    spawn_blocking(move || ended.recv());
    Stillness(end)
}

/// Lets everything run, without any time, until something is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let began = time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never is");
        yield_now().await;
    }
}

/// Lets time pass in small steps until something is so.
pub(crate) async fn pass_until(mut is_so: impl FnMut() -> bool) {
    let began = time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never is");
        tokio::time::advance(Duration::from_millis(50)).await;
        for _ in 0..20 {
            yield_now().await;
        }
    }
}
