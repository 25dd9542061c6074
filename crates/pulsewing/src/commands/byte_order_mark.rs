//! The mark that editors on Windows put before text in UTF-8.

/// The mark, as bytes.
pub(crate) const MARK: &[u8] = "\u{feff}".as_bytes();

/// Returns what follows the mark; without one, everything.
pub(crate) fn without(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// Returns what follows the mark of a text; without one, everything.
pub(crate) fn without_in(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
