//! A proxy between the program and the sandbox that replaces words in the sandbox's replies.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// A middleman at an address of its own. It runs until the tests end.
pub(crate) struct Middleman {
    pub(crate) url: String,
}

impl Middleman {
    /// Starts one that replaces the first word of each pair by the second. Both have the same length, so
    /// that the length of a reply stays right.
    pub(crate) fn before(upstream: &str, changes: &[(&str, &str)]) -> Self {
        Self::after(0, upstream, changes)
    }

    /// Does the same, but lets the first `skipped` matching replies pass unchanged.
    pub(crate) fn after(skipped: usize, upstream: &str, changes: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.strip_prefix("http://").unwrap().to_owned();
        let changes: Arc<[(String, String)]> = changes
            .iter()
            .map(|(from, to)| {
                assert_eq!(from.len(), to.len(), "{from} {to}");
                ((*from).to_owned(), (*to).to_owned())
            })
            .collect();
        let skipped = Arc::new(AtomicUsize::new(skipped));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (upstream, changes) = (upstream.clone(), Arc::clone(&changes));
                let skipped = Arc::clone(&skipped);
                // A connection that breaks off is for the tested program to handle.
                thread::spawn(move || pass_on(stream, &upstream, &changes, &skipped).ok());
            }
        });
        Self { url }
    }
}

/// Forwards one request, and returns its reply.
fn pass_on(
    mut stream: TcpStream,
    upstream: &str,
    changes: &[(String, String)],
    skipped: &AtomicUsize,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 4_096];
    let (head, mut body) = loop {
        let length = stream.read(&mut chunk)?;
        if length == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            break (head.to_owned(), body.as_bytes().to_vec());
        }
    };
    let header = |line: &str, name: &str| {
        let (found, value) = line.split_once(':')?;
        let is_it = found.eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().to_owned())
    };
    let length = head.lines().find_map(|line| header(line, "content-length"));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        let more = stream.read(&mut chunk)?;
        body.extend_from_slice(&chunk[..more]);
    }
    // One request per connection, and an uncompressed reply.
    let kept: Vec<&str> = head
        .lines()
        .filter(|line| {
            ["connection", "accept-encoding"]
                .iter()
                .all(|name| header(line, name).is_none())
        })
        .collect();
    let mut server = TcpStream::connect(upstream)?;
    write!(server, "{}\r\nConnection: close\r\n\r\n", kept.join("\r\n"))?;
    server.write_all(&body)?;
    let mut reply = Vec::new();
    server.read_to_end(&mut reply)?;
    let mut changed = reply.clone();
    for (from, to) in changes {
        let (from, to) = (from.as_bytes(), to.as_bytes());
        for place in 0..reply.len().saturating_sub(from.len() - 1) {
            if reply[place..].starts_with(from) {
                changed[place..place + to.len()].copy_from_slice(to);
            }
        }
    }
    let left = |left: usize| left.checked_sub(1);
    let is_skipped = changed != reply && skipped.fetch_update(Relaxed, Relaxed, left).is_ok();
    stream.write_all(if is_skipped { &reply } else { &changed })
}
