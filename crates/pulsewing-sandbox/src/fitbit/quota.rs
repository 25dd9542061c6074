//! The hourly quota of data calls (Fitbit Web API, Rate Limits).

use jiff::Timestamp;

use super::error;
use crate::message::Reply;

/// Counts data calls; the count starts anew at the top of the clock's hour.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    hour: i64,
    used: u32,
}

impl Quota {
    /// Counts a call.
    ///
    /// # Errors
    ///
    /// Returns the 429 reply when the hour's quota is used up.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), Box<Reply>> {
        let hour = now.as_second().div_euclid(3600);
        if hour != self.hour {
            *self = Self { hour, used: 0 };
        }
        if self.used >= LIMIT {
            return Err(Box::new(error::too_many_requests()));
        }
        self.used += 1;
        Ok(())
    }

    /// Adds the three headers that tell a client where it stands.
    pub(super) fn tell(&self, reply: Reply, now: Timestamp) -> Reply {
        let reset = 3600 - now.as_second().rem_euclid(3600);
        reply
            .with_header("Fitbit-Rate-Limit-Limit", LIMIT.to_string())
            .with_header(
                "Fitbit-Rate-Limit-Remaining",
                (LIMIT - self.used).to_string(),
            )
            .with_header("Fitbit-Rate-Limit-Reset", reset.to_string())
    }
}

/// Requests per hour, wearer and app.
const LIMIT: u32 = 150;
