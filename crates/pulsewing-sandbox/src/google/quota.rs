//! The quota of requests a minute and user (Google Health API, Rate limits).

use jiff::Timestamp;

use super::error;
use crate::message::Reply;

/// Counts data calls; the count starts anew with each of the clock's minutes.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    minute: i64,
    used: u32,
}

impl Quota {
    /// Counts a call.
    ///
    /// # Errors
    ///
    /// Returns the 429 reply when the minute's quota is used up.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), Box<Reply>> {
        let minute = now.as_second().div_euclid(60);
        if minute != self.minute {
            *self = Self { minute, used: 0 };
        }
        if self.used >= LIMIT {
            return Err(Box::new(error::for_reason("RATE_LIMIT_EXCEEDED")));
        }
        self.used += 1;
        Ok(())
    }
}

/// Requests a minute and user.
pub(super) const LIMIT: u32 = 300;
