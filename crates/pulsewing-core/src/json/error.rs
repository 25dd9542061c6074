//! The reason why a document was refused, and the position.

use thiserror::Error;

/// The refusal of a document.
///
/// After a decoder has returned an error, it keeps returning the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// The problem.
    pub kind: ErrorKind,
    /// The offset of the refused byte; for [`ErrorKind::UnexpectedEnd`], the document's length.
    pub offset: u64,
}

/// A problem with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A byte that is not allowed here.
    #[error("unexpected byte")]
    UnexpectedByte,
    /// The document ended before its value did, or has no value.
    #[error("unexpected end")]
    UnexpectedEnd,
    /// Something other than white space after the document's value.
    #[error("trailing bytes")]
    TrailingBytes,
    /// A control character (U+0000 to U+001F) that was not escaped, in a string.
    #[error("unescaped control character")]
    ControlCharacter,
    /// An unknown escape, or half of a surrogate pair.
    #[error("invalid escape")]
    InvalidEscape,
    /// Bytes in a string that are not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// A number that stops short, such as `-`, `1.` or `1e`.
    #[error("invalid number")]
    InvalidNumber,
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) nested objects and arrays.
    #[error("nested too deep")]
    TooDeep,
}

/// A refusal, and the remaining input, which begins with the refused byte.
pub(super) struct Refused<'c>(pub(super) ErrorKind, pub(super) &'c [u8]);
