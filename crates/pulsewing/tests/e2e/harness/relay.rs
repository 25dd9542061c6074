//! A relay between the program and a server: forwards requests and records their heads, or answers in
//! the server's place.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A relay; its thread ends with the test's process.
pub(crate) struct Relay {
    /// Its own address, `127.0.0.1:PORT`.
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

/// The heads of a request and of its reply, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: String,
    pub(crate) reply: String,
}

impl Relay {
    /// Forwards everything to this address; requests whose head `is_to_be_packed` ask for gzip there, no
    /// matter what the program asks for.
    pub(crate) fn to(url: &str, is_to_be_packed: fn(&str) -> bool) -> Self {
        let target = url.strip_prefix("http://").unwrap().to_owned();
        Self::start(move |head, body| {
            let mut lines: Vec<&str> = head.lines().collect();
            lines.retain(|line| {
                let name = line.split(':').next().unwrap().to_lowercase();
                !(name == "connection" || name == "accept-encoding" && is_to_be_packed(head))
            });
            lines.push("Connection: close");
            if is_to_be_packed(head) {
                lines.push("Accept-Encoding: gzip");
            }
            let mut server = TcpStream::connect(&target).unwrap();
            let text = lines.join("\r\n") + "\r\n\r\n";
            server.write_all(text.as_bytes()).unwrap();
            server.write_all(body).unwrap();
            let mut reply = Vec::new();
            server.read_to_end(&mut reply).unwrap();
            reply
        })
    }

    /// Answers every request with these bytes.
    pub(crate) fn answering(reply: &'static str) -> Self {
        Self::start(move |_, _| reply.as_bytes().to_vec())
    }

    fn start(answer: impl Fn(&str, &[u8]) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::<Mutex<Vec<Exchange>>>::default();
        let seen_by_thread = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut reader = BufReader::new(&stream);
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or(0) > 2 {}
                let head = head.trim_end().to_owned();
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    let is_length = name.eq_ignore_ascii_case("content-length");
                    is_length.then(|| value.trim().parse().unwrap())
                });
                let mut body = vec![0; length.unwrap_or(0)];
                // A connection that only tests the port sends nothing.
                if head.is_empty() || reader.read_exact(&mut body).is_err() {
                    continue;
                }
                let reply = answer(&head, &body);
                let end = reply.windows(4).position(|it| it == b"\r\n\r\n");
                let reply_head = String::from_utf8_lossy(&reply[..end.unwrap_or(reply.len())]);
                seen_by_thread.lock().unwrap().push(Exchange {
                    request: head.to_lowercase(),
                    reply: reply_head.to_lowercase(),
                });
                let _ = (&stream).write_all(&reply);
            }
        });
        Self { address, seen }
    }

    /// Returns what passed through, oldest first.
    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap().clone()
    }
}
