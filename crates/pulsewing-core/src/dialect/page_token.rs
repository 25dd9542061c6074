//! The token for the next page of a reply.

use core::fmt;

use super::DecodeError;
use crate::json::Event;

/// The token for the next page of a reply (Google's `nextPageToken`). It is opaque; everything else
/// in the request has to stay the same.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(heapless::String<{ Self::MAX }>);

impl PageToken {
    /// The maximum length, in bytes.
    pub const MAX: usize = 384;

    /// Creates a token from a text; `None` if that is empty, or longer than [`MAX`](Self::MAX).
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        heapless::String::try_from(text).ok().map(Self)
    }

    /// Returns the text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the contents, which are opaque.
        write!(f, "PageToken({} bytes)", self.0.len())
    }
}

/// A page's information about the next one.
#[derive(Default)]
pub(super) struct NextPage {
    token: Option<PageToken>,
    /// There is a token, but it is too long to keep: this must not look like the last page.
    too_long: bool,
}

impl NextPage {
    /// Reads the value of `nextPageToken`; absent and empty are the same.
    pub(super) fn read(event: Event<'_>) -> Self {
        let Event::String(text) = event else {
            return Self::default();
        };
        let token = text.as_str().and_then(PageToken::new);
        Self {
            too_long: token.is_none() && text != "",
            token,
        }
    }

    pub(super) const fn verdict(&self) -> Result<(), DecodeError> {
        if self.too_long {
            return Err(DecodeError::PageTokenTooLong);
        }
        Ok(())
    }

    pub(super) fn into_token(self) -> Option<PageToken> {
        self.token
    }
}
