//! Distinguishes a page from data by its beginning.

/// The byte order mark that some programs put before text.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// The first significant byte of a text that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beginning(Option<u8>);

impl Beginning {
    /// Creates the state before the first piece.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Processes the next piece.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        if self.0.is_none() {
            let says_nothing =
                |byte: &&u8| byte.is_ascii_whitespace() || BYTE_ORDER_MARK.contains(byte);
            self.0 = chunk.iter().find(|byte| !says_nothing(byte)).copied();
        }
    }

    /// Returns whether it begins like HTML and XML. None of the requested formats begins like that.
    pub(crate) const fn is_markup(self) -> bool {
        matches!(self.0, Some(b'<'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_with_a_tag_wherever_it_is_cut() {
        for (pieces, is_markup) in [
            (&["<html>"][..], true),
            (&["", "\r\n", " <", "!DOCTYPE"], true),
            (&["\u{feff}<p>"], true),
            (&["{\"a\":\"<\"}"], false),
            (&["busy <b>"], false),
            (&["", " "], false),
        ] {
            let mut beginning = Beginning::new();
            pieces.iter().for_each(|it| beginning.feed(it.as_bytes()));
            assert_eq!(beginning.is_markup(), is_markup, "{pieces:?}");
        }
    }
}
