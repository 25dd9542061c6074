//! Why a document was refused, and where.

use thiserror::Error;

/// A document was refused.
///
/// The decoder that returned it returns it again from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// What was wrong.
    pub kind: ErrorKind,
    /// The bytes of the document before the one that was refused; for
    /// [`ErrorKind::UnexpectedEnd`], the document's length.
    pub offset: u64,
}

/// What was wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A byte that cannot stand here.
    #[error("unexpected byte")]
    UnexpectedByte,
    /// The document ended before its value did, or holds none.
    #[error("unexpected end")]
    UnexpectedEnd,
    /// Something other than white space behind the document's value.
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
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) objects and arrays inside each other.
    #[error("nested too deep")]
    TooDeep,
}

/// A refused byte, as the first of the bytes that were left.
pub(super) struct Refused<'c>(pub(super) ErrorKind, pub(super) &'c [u8]);
