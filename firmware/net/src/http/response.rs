//! Reading a reply as its bytes arrive.

use alloc::vec::Vec;

use httparse::{ParserConfig, Response, Status};
use pulsewing_core::{instant::http_date, oauth::NoAnswer, request::ReplyHead};
use pulsewing_device::ports::Reply;

/// The maximum size of a head, in bytes. Interim replies (1xx) have a limit of their own.
const MAX_HEAD: usize = 8 * 1_024;
/// The maximum number of headers.
const MAX_HEADERS: usize = 64;
/// The longest line with a chunk's size and extensions, in bytes.
const MAX_SIZE_LINE: usize = 256;
/// The maximum number of bytes in trailers after the last chunk.
const MAX_TRAILERS: usize = 4 * 1_024;

/// Assembles one reply from pieces of any size.
///
/// Bytes go in with [`take`](Self::take) until [`is_complete`](Self::is_complete), or until the
/// connection ends. Then call [`end`](Self::end): only it knows whether something is missing.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    /// This many bytes of the body are missing.
    Sized(u64),
    /// The beginning of a line with a chunk's size.
    ChunkSize(Vec<u8>),
    /// This many bytes of the chunk are missing.
    Chunk(u64),
    /// The line ending after a chunk; the flag is whether its carriage return was seen.
    ChunkEnd {
        had_return: bool,
    },
    /// The lines after the last chunk.
    Trailers {
        /// Their length so far, in bytes.
        taken: usize,
        /// Whether the current line has anything before its line ending.
        has_text: bool,
    },
    /// The body continues until the connection ends.
    UntilEnd,
    Complete,
}

impl State {
    const fn has_body(&self) -> bool {
        !matches!(self, Self::Complete)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Reader {
    /// Makes a reader for a reply that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the reply is complete. Bytes after it are ignored.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Takes some bytes and passes their contents to `reply`.
    ///
    /// # Errors
    /// [`NoAnswer::Malformed`] if they are not HTTP, [`NoAnswer::TooLong`] if a head is longer than 8 KiB,
    /// [`NoAnswer::Compressed`] after the head if the body is.
    pub fn take(&mut self, mut bytes: &[u8], reply: &mut impl Reply) -> Result<(), NoAnswer> {
        while !bytes.is_empty() && !self.is_complete() {
            bytes = self.step(bytes, reply)?;
        }
        Ok(())
    }

    /// Notes the proper end of the connection.
    ///
    /// # Errors
    /// [`NoAnswer::Disconnected`] if the reply is not complete.
    pub fn end(&self) -> Result<(), NoAnswer> {
        match self.state {
            State::Complete | State::UntilEnd => Ok(()),
            _ => Err(NoAnswer::Disconnected),
        }
    }

    /// Processes the beginning of the bytes; returns the rest.
    fn step<'a>(&mut self, bytes: &'a [u8], reply: &mut impl Reply) -> Result<&'a [u8], NoAnswer> {
        let (next, rest) = match &mut self.state {
            State::Head(head) => step_head(head, bytes, reply)?,
            State::Sized(missing) => {
                let rest = pass_on(bytes, missing, reply);
                ((*missing == 0).then_some(State::Complete), rest)
            }
            State::ChunkSize(line) => step_chunk_size(line, bytes)?,
            State::Chunk(missing) => {
                let rest = pass_on(bytes, missing, reply);
                let end = State::ChunkEnd { had_return: false };
                ((*missing == 0).then_some(end), rest)
            }
            State::ChunkEnd { had_return } => match (bytes.split_first(), *had_return) {
                (Some((b'\r', rest)), false) => (Some(State::ChunkEnd { had_return: true }), rest),
                (Some((b'\n', rest)), true) => (Some(State::ChunkSize(Vec::new())), rest),
                _ => return Err(NoAnswer::Malformed),
            },
            State::Trailers { taken, has_text } => step_trailers(taken, has_text, bytes)?,
            State::UntilEnd => {
                reply.body(bytes);
                (None, &[][..])
            }
            State::Complete => (None, &[][..]),
        };
        if let Some(next) = next {
            self.state = next;
        }
        Ok(rest)
    }
}

/// The next state, if it changes, and the bytes that are left for it.
type Step<'a> = (Option<State>, &'a [u8]);

/// Adds bytes to the beginning of a head.
fn step_head<'a>(
    head: &mut Vec<u8>,
    bytes: &'a [u8],
    reply: &mut impl Reply,
) -> Result<Step<'a>, NoAnswer> {
    let before = head.len();
    let room = MAX_HEAD - before.min(MAX_HEAD);
    head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    match read_head(head, reply)? {
        Some((length, next)) => {
            let rest = bytes.get(length.saturating_sub(before)..);
            Ok((Some(next), rest.unwrap_or(&[])))
        }
        None if head.len() >= MAX_HEAD => Err(NoAnswer::TooLong),
        None => Ok((None, &[])),
    }
}

/// Adds a byte to the line with a chunk's size.
fn step_chunk_size<'a>(line: &mut Vec<u8>, bytes: &'a [u8]) -> Result<Step<'a>, NoAnswer> {
    let (byte, rest) = bytes.split_first().ok_or(NoAnswer::Malformed)?;
    // httparse accepts a line without digits as the size 0, which would end the body.
    if line.is_empty() && !byte.is_ascii_hexdigit() {
        return Err(NoAnswer::Malformed);
    }
    if line.len() == MAX_SIZE_LINE {
        return Err(NoAnswer::Malformed);
    }
    line.push(*byte);
    let next = match httparse::parse_chunk_size(line) {
        Ok(Status::Partial) => None,
        Ok(Status::Complete((_, 0))) => Some(State::Trailers {
            taken: 0,
            has_text: false,
        }),
        Ok(Status::Complete((_, size))) => Some(State::Chunk(size)),
        Err(_) => return Err(NoAnswer::Malformed),
    };
    Ok((next, rest))
}

/// Takes a byte of the lines after the last chunk.
fn step_trailers<'a>(
    taken: &mut usize,
    has_text: &mut bool,
    bytes: &'a [u8],
) -> Result<Step<'a>, NoAnswer> {
    let (byte, rest) = bytes.split_first().ok_or(NoAnswer::Malformed)?;
    *taken += 1;
    if *taken > MAX_TRAILERS {
        return Err(NoAnswer::Malformed);
    }
    match byte {
        b'\n' if !*has_text => return Ok((Some(State::Complete), rest)),
        b'\n' => *has_text = false,
        b'\r' => {}
        _ => *has_text = true,
    }
    Ok((None, rest))
}

/// Passes up to `missing` bytes to the reply; returns the rest.
fn pass_on<'a>(bytes: &'a [u8], missing: &mut u64, reply: &mut impl Reply) -> &'a [u8] {
    let length = usize::try_from(*missing)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let (body, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    if !body.is_empty() {
        reply.body(body);
    }
    *missing = missing.saturating_sub(u64::try_from(body.len()).unwrap_or(u64::MAX));
    rest
}

/// Parses a head, if it is complete; returns its length and the next state.
fn read_head(head: &[u8], reply: &mut impl Reply) -> Result<Option<(usize, State)>, NoAnswer> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = Response::new(&mut headers);
    let mut config = ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(false);
    let length = match config.parse_response(&mut response, head) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(NoAnswer::TooLong),
        Err(_) => return Err(NoAnswer::Malformed),
    };
    let status = response.code.ok_or(NoAnswer::Malformed)?;
    // Below 100 is no status, and we asked for no other protocol.
    if status < 100 || status == 101 {
        return Err(NoAnswer::Malformed);
    }
    if status < 200 {
        return Ok(Some((length, State::default())));
    }
    let now = reply.now();
    let mut known = ReplyHead::new(status);
    let mut framing = Framing::default();
    let mut date = None;
    let mut is_compressed = false;
    for header in response.headers.iter() {
        known.header(header.name, header.value, now);
        framing.header(header.name, header.value)?;
        if header.name.eq_ignore_ascii_case("content-encoding") {
            is_compressed |= !is_identity(header.value);
        }
        if header.name.eq_ignore_ascii_case("date") {
            let text = core::str::from_utf8(header.value).unwrap_or_default();
            date = http_date(text.trim());
        }
    }
    let next = framing.body(status);
    reply.head(known);
    if let Some(date) = date {
        reply.date(date);
    }
    // There is no memory for decompression; status and limits are reported all the same.
    if is_compressed && next.has_body() {
        return Err(NoAnswer::Compressed);
    }
    Ok(Some((length, next)))
}

/// Returns whether a list of codings (RFC 9110, section 8.4) leaves a body unchanged.
fn is_identity(codings: &[u8]) -> bool {
    codings
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
}

/// How the length of a body is determined (RFC 9112, section 6.3).
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    is_chunked: bool,
}

impl Framing {
    fn header(&mut self, name: &str, value: &[u8]) -> Result<(), NoAnswer> {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            if self.is_chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(NoAnswer::Malformed);
            }
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case("content-length") {
            let text = core::str::from_utf8(value.trim_ascii()).unwrap_or_default();
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let length = text.parse().ok().filter(|_| is_number);
            if length.is_none() || self.length.is_some_and(|other| Some(other) != length) {
                return Err(NoAnswer::Malformed);
            }
            self.length = length;
        }
        Ok(())
    }

    fn body(&self, status: u16) -> State {
        match self.length {
            _ if matches!(status, 204 | 304) => State::Complete,
            _ if self.is_chunked => State::ChunkSize(Vec::new()),
            Some(0) => State::Complete,
            Some(length) => State::Sized(length),
            None => State::UntilEnd,
        }
    }
}

#[cfg(test)]
mod tests;
