//! The parts of a document, and their receiver.

use core::fmt;

use super::number::Number;

/// A part of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    /// `{`
    BeginObject,
    /// `}`
    EndObject,
    /// `[`
    BeginArray,
    /// `]`
    EndArray,
    /// A member's name; its value follows.
    Key(Text<'a>),
    /// A string.
    String(Text<'a>),
    /// A number.
    Number(Number<'a>),
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
}

/// A [`Handler`]'s choice of how to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Continue with the next event.
    Continue,
    /// Skip the current value: after [`Event::Key`], its whole value passes without an event; after
    /// [`Event::BeginObject`] or [`Event::BeginArray`], the rest of that container does, including its
    /// end. After any other event this is the same as [`Flow::Continue`].
    Skip,
}

/// Receives the events of a document.
///
/// Every closure with the right signature is a handler. The decoder's loop is compiled again for every
/// handler: `#[inline(always)]` on a short [`event`](Self::event) speeds up a large document; a long one
/// is better left out of line, because the loop calls it in several places.
///
/// To pick members by their path, count the open containers at the begin and end events, compare
/// the depth along with each key, and skip every key that is not on a wanted path.
pub trait Handler {
    /// Handles the next event, whose data is borrowed for this call only.
    fn event(&mut self, event: Event<'_>) -> Flow;

    /// Reads an object that is an element of an array from its bytes, instead of from its events, and
    /// returns the input after it; `None` to get its events. `input` begins with `{`.
    ///
    /// The object has to be well-formed: the decoder does not check it.
    #[inline]
    fn element<'c>(&mut self, input: &'c [u8]) -> Option<&'c [u8]> {
        let _ = input;
        None
    }
}

impl<F: FnMut(Event<'_>) -> Flow> Handler for F {
    #[inline]
    fn event(&mut self, event: Event<'_>) -> Flow {
        self(event)
    }
}

/// A decoded string: escapes resolved, well-formed UTF-8.
///
/// A string longer than the decoder's `TOKEN` bytes has lost its bytes: it is then
/// [too long](Self::is_too_long), equal to no `str`, and its contents are `None`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(Option<&'a [u8]>);

impl<'a> Text<'a> {
    /// A string whose bytes were not kept.
    pub(super) const TOO_LONG: Self = Self(None);

    /// Wraps bytes that are known to be UTF-8; too long if there are more than `limit`.
    #[inline]
    pub(crate) fn limited(bytes: &'a [u8], limit: usize) -> Self {
        Self((bytes.len() <= limit).then_some(bytes))
    }

    /// Returns the string's bytes, which are UTF-8; `None` if it was too long.
    ///
    /// Cheaper than [`as_str`](Self::as_str), and just as good for comparing:
    /// `match key.as_bytes() { Some(b"time") => .. }`.
    #[inline]
    #[must_use]
    pub const fn as_bytes(self) -> Option<&'a [u8]> {
        self.0
    }

    /// Returns the string; `None` if it was too long.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        // Cannot fail here. We check again because skipping the check takes unsafe code.
        self.0.and_then(|bytes| str::from_utf8(bytes).ok())
    }

    /// Returns whether the string was longer than the decoder's `TOKEN` bytes.
    #[inline]
    #[must_use]
    pub const fn is_too_long(self) -> bool {
        self.0.is_none()
    }
}

impl PartialEq<str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.0 == Some(other.as_bytes())
    }
}

impl PartialEq<&str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the contents: a reply's strings include tokens.
        match self.0 {
            Some(bytes) => write!(f, "Text({} bytes)", bytes.len()),
            None => f.write_str("Text(too long)"),
        }
    }
}
