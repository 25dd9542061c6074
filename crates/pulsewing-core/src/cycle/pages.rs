//! A walk over the pages of a reply.

use crate::{dialect::PageToken, oauth::NoAnswer};

/// The maximum number of pages of one walk. A day of minutes is one page.
const MAX_PAGES: u8 = 8;

/// A walk over the pages of a reply.
#[derive(Debug)]
pub(super) struct Pages {
    /// The page to ask for; `None` for the first.
    token: Option<PageToken>,
    turned: u8,
}

impl Pages {
    /// Creates a walk that begins at the first page.
    pub(super) const fn new() -> Self {
        Self {
            token: None,
            turned: 0,
        }
    }

    pub(super) const fn token(&self) -> Option<&PageToken> {
        self.token.as_ref()
    }

    /// Turns to the next page. The error means that the walk leads nowhere: the data so far may be half
    /// of a day, and that would not be the truth.
    pub(super) fn turn(&mut self, next: PageToken) -> Result<(), NoAnswer> {
        self.turned = self.turned.saturating_add(1);
        if self.turned >= MAX_PAGES || self.token.as_ref() == Some(&next) {
            return Err(NoAnswer::Malformed);
        }
        self.token = Some(next);
        Ok(())
    }
}
