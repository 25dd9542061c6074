//! A request as a value: content and destination. Sending it is the caller's job.
//!
//! A [`Request`] borrows nothing. Its texts are in the buffer that it was written to; [`Request::view`]
//! finds them there.

use core::fmt;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{AccessToken, instant::http_date};

/// The size of the caller's buffer that is enough for any request, in bytes.
pub const REQUEST_BUFFER: usize = 6 * 1_024;

/// The characters to encode in a path, a query or a form (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads data.
    Get,
    /// Sends a body.
    Post,
}

impl Method {
    /// Returns the method's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The provider's endpoint that a request goes to. The caller knows the origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revoke,
    /// The data API.
    Api,
}

/// One HTTP request. Its texts are in the buffer that it was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The body's `Content-Type`, if there is a body.
    pub content_type: Option<&'static str>,
    target: Span,
    bearer: Span,
    body: Span,
}

/// The position of a text in a buffer; empty for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn of(self, buffer: &[u8]) -> &[u8] {
        buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn text(self, buffer: &[u8]) -> &str {
        // Only whole `str`s were written.
        core::str::from_utf8(self.of(buffer)).unwrap_or_default()
    }
}

impl Request {
    /// Finds the request's texts in the buffer that it was written to. With any other buffer, the view
    /// shows whatever is there.
    #[must_use]
    pub fn view<'b>(&self, buffer: &'b [u8]) -> RequestView<'b> {
        let bearer = self.bearer.text(buffer);
        RequestView {
            method: self.method,
            endpoint: self.endpoint,
            target: self.target.text(buffer),
            bearer: (!bearer.is_empty()).then_some(bearer),
            content_type: self.content_type,
            body: self.body.of(buffer),
        }
    }
}

/// A [`Request`] with its texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestView<'b> {
    /// The method.
    pub method: Method,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Path and query, beginning with a slash.
    pub target: &'b str,
    /// The access token, for the header `Authorization: Bearer`.
    pub bearer: Option<&'b str>,
    /// The body's `Content-Type`, if there is a body.
    pub content_type: Option<&'static str>,
    /// The body; empty for none.
    pub body: &'b [u8],
}

impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No query, body or bearer: all of them can carry tokens.
        f.debug_struct("RequestView")
            .field("method", &self.method)
            .field("endpoint", &self.endpoint)
            .field("path", &self.target.split('?').next())
            .finish_non_exhaustive()
    }
}

/// The head of a reply: its status and the few headers that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyHead {
    /// The HTTP status.
    pub status: u16,
    /// The pause that the server asks for, in seconds.
    pub retry_after_s: Option<u32>,
    /// The seconds until the rate limit resets, if it is used up.
    pub exhausted_for_s: Option<u32>,
    quota: Quota,
}

/// Fitbit's report of its hourly quota (Fitbit Web API, Application Design, Rate Limits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Quota {
    remaining: Option<u32>,
    reset_s: Option<u32>,
}

impl ReplyHead {
    /// Creates a head without headers.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            retry_after_s: None,
            exhausted_for_s: None,
            quota: Quota {
                remaining: None,
                reset_s: None,
            },
        }
    }

    /// Reads a header; its name may be in any case. Headers that do not matter, or cannot be read, are
    /// ignored. `now` is used to convert a `Retry-After` date into seconds.
    pub fn header(&mut self, name: &str, value: &[u8], now: Timestamp) {
        let Ok(value) = core::str::from_utf8(value).map(str::trim) else {
            return;
        };
        if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after_s = value.parse().ok().or_else(|| seconds_until(value, now));
        } else if name.eq_ignore_ascii_case("fitbit-rate-limit-reset") {
            self.quota.reset_s = value.parse().ok();
        } else if name.eq_ignore_ascii_case("fitbit-rate-limit-remaining") {
            self.quota.remaining = value.parse().ok();
        }
        // The counter is for the hour; its reset matters if it is exhausted, or after a refusal.
        if self.quota.remaining == Some(0) || self.status == 429 {
            self.exhausted_for_s = self.quota.reset_s;
        }
    }

    /// Returns whether the request succeeded.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..300)
    }

    /// Returns how many seconds to send nothing, if the reply says so. Fitbit's own header comes first:
    /// its `Retry-After` went missing in 2025.
    #[must_use]
    pub fn quiet_for_s(&self) -> Option<u32> {
        self.exhausted_for_s.or(self.retry_after_s)
    }
}

/// Reads a `Retry-After` that is a date (RFC 9110, section 10.2.3).
fn seconds_until(date: &str, now: Timestamp) -> Option<u32> {
    let at = http_date(date)?;
    u32::try_from(at.as_second().saturating_sub(now.as_second()).max(0)).ok()
}

/// The caller's buffer is too small for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the buffer is too small for the request")]
pub struct BufferFull;

/// A writer of a request's texts, one after the other, into a caller's buffer.
pub(crate) struct Writer<'b> {
    buffer: &'b mut [u8],
    /// The beginning and the current end of the text that is being written.
    text: Span,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self {
            buffer,
            text: Span::default(),
        }
    }

    /// Appends text as it is.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), BufferFull> {
        self.push_bytes(text.as_bytes())
    }

    #[inline(never)]
    fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        let end = self.text.end.checked_add(bytes.len()).ok_or(BufferFull)?;
        self.buffer
            .get_mut(self.text.end..end)
            .ok_or(BufferFull)?
            .copy_from_slice(bytes);
        self.text.end = end;
        Ok(())
    }

    /// Appends text percent-encoded: all but RFC 3986's unreserved characters.
    // Not inlined: a board's flash is small.
    #[inline(never)]
    pub(crate) fn push_encoded(&mut self, text: &str) -> Result<(), BufferFull> {
        utf8_percent_encode(text, RESERVED).try_for_each(|part| self.push(part))
    }

    /// Appends one pair of a query or form.
    #[inline(never)]
    pub(crate) fn push_pair(&mut self, name: &str, value: &str) -> Result<(), BufferFull> {
        if !matches!(self.text.of(self.buffer).last(), None | Some(b'?' | b'&')) {
            self.push("&")?;
        }
        self.push(name)?;
        self.push("=")?;
        self.push_encoded(value)
    }

    /// Ends a text and returns its position; the next one begins after it.
    pub(crate) fn finish(&mut self) -> Span {
        let text = self.text;
        self.text.start = text.end;
        text
    }

    /// Ends, and returns the current text.
    pub(crate) fn into_text(self) -> &'b str {
        self.text.text(self.buffer)
    }

    /// Turns the written target into a request that reads data.
    #[inline(never)]
    pub(crate) fn into_get(mut self, access: &AccessToken) -> Result<Request, BufferFull> {
        let target = self.finish();
        self.push(access.expose())?;
        Ok(Request {
            method: Method::Get,
            endpoint: Endpoint::Api,
            content_type: None,
            target,
            bearer: self.finish(),
            body: Span::default(),
        })
    }

    /// Turns the written body into a request that asks for data with it.
    pub(crate) fn into_query(
        mut self,
        target: &str,
        access: &AccessToken,
    ) -> Result<Request, BufferFull> {
        let body = self.finish();
        self.push(target)?;
        let target = self.finish();
        self.push(access.expose())?;
        Ok(Request {
            method: Method::Post,
            endpoint: Endpoint::Api,
            content_type: Some("application/json"),
            target,
            bearer: self.finish(),
            body,
        })
    }

    /// Turns the written body into a form for a token or revocation endpoint.
    pub(crate) fn into_form(
        mut self,
        endpoint: Endpoint,
        target: &str,
    ) -> Result<Request, BufferFull> {
        let body = self.finish();
        self.push(target)?;
        Ok(Request {
            method: Method::Post,
            endpoint,
            content_type: Some("application/x-www-form-urlencoded"),
            target: self.finish(),
            bearer: Span::default(),
            body,
        })
    }
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text).map_err(|BufferFull| fmt::Error)
    }
}

impl From<fmt::Error> for BufferFull {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use super::*;

    #[test]
    fn a_request_does_not_print_what_it_carries() {
        let token = AccessToken::new("secret-access").unwrap();
        let mut buffer = [0; 128];
        let mut writer = Writer::new(&mut buffer);
        writer.push("refresh_token=secret-refresh").unwrap();
        let target = "/oauth2/token?refresh_token=secret-refresh";
        let request = writer.into_query(target, &token).unwrap();
        assert_eq!(request.view(&buffer).target, target);
        let printed = format!("{request:?} {:?}", request.view(&buffer));
        assert!(
            printed.contains("/oauth2/token") && !printed.contains("secret"),
            "{printed}"
        );
    }

    #[test]
    fn a_date_in_retry_after_is_counted_from_now() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut head = ReplyHead::new(429);
        head.header("Retry-After", b"Sun, 22 Nov 2026 12:01:30 GMT", now);
        assert_eq!(head.quiet_for_s(), Some(90));
        head.header("FITBIT-RATE-LIMIT-RESET", b" 1200 ", now);
        assert_eq!(head.quiet_for_s(), Some(1_200));
        head.header("retry-after", b"soon", now);
        assert_eq!(head.quiet_for_s(), Some(1_200));
    }

    #[test]
    fn a_quota_that_is_left_stops_nothing() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut head = ReplyHead::new(200);
        head.header("Fitbit-Rate-Limit-Remaining", b"7", now);
        head.header("Fitbit-Rate-Limit-Reset", b"1200", now);
        assert_eq!(head.quiet_for_s(), None);
        head.header("Fitbit-Rate-Limit-Remaining", b"0", now);
        assert_eq!(head.quiet_for_s(), Some(1_200));
    }

    #[test]
    fn texts_lie_one_behind_the_other_in_the_buffer() {
        let mut buffer = [0; 32];
        let mut writer = Writer::new(&mut buffer);
        writer.push("/a?").unwrap();
        writer.push_pair("q", "ä \"+").unwrap();
        let first = writer.finish();
        writer.push_pair("x", "1").unwrap();
        writer.push_pair("y", "2").unwrap();
        let second = writer.finish();
        assert_eq!(writer.push("123456"), Err(BufferFull));
        assert_eq!(
            (first.text(&buffer), second.text(&buffer)),
            ("/a?q=%C3%A4%20%22%2B", "x=1&y=2")
        );
    }
}
