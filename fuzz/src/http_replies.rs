//! The board's reader of HTTP replies: however its bytes arrive, the outcome is the same, and it is that of a
//! simple reading of the whole.
//!
//! The first byte of the input seeds the splits; the rest is what the connection carries. Then the rest is a
//! body, which must come back out of its chunks.

use httparse::{EMPTY_HEADER, Header, Response, Status};
use jiff::Timestamp;
use pulsewing_core::{oauth::NoAnswer, request::ReplyHead};
use pulsewing_device::ports::Reply;
use pulsewing_net::http::Reader;

/// The longest head, in bytes.
const MAX_HEAD: usize = 8 * 1_024;
/// The most headers.
const MAX_HEADERS: usize = 64;
/// The longest line with a chunk's size, in bytes.
const MAX_SIZE_LINE: usize = 256;
/// The most bytes of trailers.
const MAX_TRAILERS: usize = 4 * 1_024;

/// Reads the connection, and the body wrapped in chunks.
pub fn run(input: &[u8]) {
    let Some((seed, rest)) = input.split_first() else {
        return;
    };
    let (told, end) = read_in_all_ways(rest, usize::from(*seed));
    let read = end.map(|()| (told.heads.first().map(|head| head.status), told.body));
    let whole = read_whole(rest).map(|(status, body)| (Some(status), body));
    assert_eq!(read.ok(), whole);

    let reply = in_chunks(rest, 1 + usize::from(seed >> 3));
    let (told, end) = read_in_all_ways(&reply, usize::from(*seed));
    assert_eq!((&told.body[..], end), (rest, Ok(())));
    let cut = usize::from(*seed) * reply.len() / 256;
    let (_, end) = read_in_all_ways(&reply[..cut], cut / 2);
    assert_eq!(end, Err(NoAnswer::Disconnected), "cut at {cut}");
}

/// What a reply was told.
#[derive(Debug, Default, PartialEq)]
struct Told {
    heads: Vec<ReplyHead>,
    body: Vec<u8>,
    date: Option<Timestamp>,
}

impl Reply for Told {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn head(&mut self, head: ReplyHead) {
        self.heads.push(head);
    }

    fn body(&mut self, chunk: &[u8]) {
        assert!(!chunk.is_empty() && self.heads.len() == 1);
        self.body.extend_from_slice(chunk);
    }

    fn date(&mut self, date: Timestamp) {
        self.date = Some(date);
    }
}

/// Reads a connection whole, byte by byte and in two pieces; returns the common outcome.
fn read_in_all_ways(bytes: &[u8], split: usize) -> (Told, Result<(), NoAnswer>) {
    let whole = read([bytes]);
    assert_eq!(whole, read(bytes.chunks(1)));
    let (head, tail) = bytes.split_at(split.min(bytes.len()));
    assert_eq!(whole, read([head, tail]));
    whole
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Told, Result<(), NoAnswer>) {
    let mut told = Told::default();
    let mut reader = Reader::new();
    let end = pieces
        .into_iter()
        .try_for_each(|piece| reader.take(piece, &mut told))
        .and_then(|()| reader.end());
    (told, end)
}

/// Returns the status and the body of a connection that carried a whole reply.
fn read_whole(mut bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    loop {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut headers);
        let head = &bytes[..bytes.len().min(MAX_HEAD)];
        let Ok(Status::Complete(length)) = response.parse(head) else {
            return None;
        };
        bytes = &bytes[length..];
        match response.code? {
            ..100 | 101 => return None,
            100..200 => {}
            status => return Some((status, body(status, response.headers, bytes)?)),
        }
    }
}

/// Returns the body behind a head (RFC 9112, section 6.3), if it is whole and can be read.
fn body(status: u16, headers: &[Header<'_>], rest: &[u8]) -> Option<Vec<u8>> {
    let values = |name: &str| -> Vec<String> {
        let named = headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name));
        named
            .map(|header| String::from_utf8_lossy(header.value.trim_ascii()).to_ascii_lowercase())
            .collect()
    };
    let lengths = values("content-length");
    if lengths
        .iter()
        .any(|text| !text.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let lengths: Vec<u64> = lengths
        .iter()
        .map(|text| text.parse().ok())
        .collect::<Option<_>>()?;
    if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
        return None;
    }
    let is_chunked = match &values("transfer-encoding")[..] {
        [] => false,
        [coding] if coding == "chunked" => true,
        _ => return None,
    };
    if matches!(status, 204 | 304) || (!is_chunked && lengths.first() == Some(&0)) {
        return Some(Vec::new());
    }
    let codings = values("content-encoding").join(",");
    let mut codings = codings.split(',').map(str::trim_ascii);
    if codings.any(|coding| !matches!(coding, "" | "identity")) {
        return None;
    }
    match lengths.first() {
        _ if is_chunked => unwrap_chunks(rest),
        Some(length) => Some(rest.get(..usize::try_from(*length).ok()?)?.to_vec()),
        None => Some(rest.to_vec()),
    }
}

fn unwrap_chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(Status::Complete((length, size))) = httparse::parse_chunk_size(rest) else {
            return None;
        };
        if length > MAX_SIZE_LINE || !rest[0].is_ascii_hexdigit() {
            return None;
        }
        rest = &rest[length..];
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok()?;
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
    let mut taken = 0;
    let ends_at_an_empty_line = rest.split_inclusive(|byte| *byte == b'\n').any(|line| {
        taken += line.len();
        line.ends_with(b"\n") && line.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
    });
    (ends_at_an_empty_line && taken <= MAX_TRAILERS).then_some(body)
}

fn in_chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(size) {
        reply.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        reply.extend_from_slice(chunk);
        reply.extend_from_slice(b"\r\n");
    }
    reply.extend_from_slice(b"0\r\n\r\n");
    reply
}
