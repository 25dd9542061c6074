//! Where a reply that comes in pages goes on.

use core::fmt;

use super::DecodeError;
use crate::json::Event;

/// Asks for the next page of a reply (Google's `nextPageToken`). Only the server knows what it
/// says; everything else in the request has to stay as it was.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(heapless::String<{ Self::MAX }>);

impl PageToken {
    /// The longest that is kept, in bytes.
    pub const MAX: usize = 384;

    /// Takes it from a text; `None` when that is empty, or longer than [`MAX`](Self::MAX).
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        heapless::String::try_from(text).ok().map(Self)
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nobody knows what is in it.
        write!(f, "PageToken({} bytes)", self.0.len())
    }
}

/// What a page said of the one behind it.
#[derive(Default)]
pub(super) struct NextPage {
    token: Option<PageToken>,
    /// There is a token, but it cannot be kept: this must not look like the last page.
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
