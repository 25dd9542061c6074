//! The mark that editors on Windows put before UTF-8 text.

/// The mark, as bytes.
pub(crate) const MARK: &[u8] = "\u{feff}".as_bytes();

/// Returns the bytes after the mark; all of them if there is none.
pub(crate) fn without(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// Returns the text after the mark; all of it if there is none.
pub(crate) fn without_in(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
