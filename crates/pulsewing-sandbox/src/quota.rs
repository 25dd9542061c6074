//! The number of data calls that a provider answers in a period.
//!
//! Fitbit counts by the hour (Fitbit Web API, Rate Limits), Google by the minute (Google Health
//! API, Rate limits); both start over with each hour or minute of the clock.

use jiff::Timestamp;

/// Requests per hour, wearer and app that Fitbit answers.
pub(crate) const FITBIT_AN_HOUR: u32 = 150;

/// Requests per minute and user that Google answers.
pub(crate) const GOOGLE_A_MINUTE: u32 = 300;

/// Counts data calls.
#[derive(Debug)]
pub(crate) struct Quota {
    limit: u32,
    span_s: i64,
    /// The current period: seconds since 1970 divided by its length.
    span: i64,
    used: u32,
}

/// The error when the quota is used up.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Quota {
    /// Returns Fitbit's quota.
    pub(crate) const fn fitbit() -> Self {
        Self::new(FITBIT_AN_HOUR, 3600)
    }

    /// Returns Google's quota.
    pub(crate) const fn google() -> Self {
        Self::new(GOOGLE_A_MINUTE, 60)
    }

    const fn new(limit: u32, span_s: i64) -> Self {
        Self {
            limit,
            span_s,
            span: 0,
            used: 0,
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// [`Exhausted`] if none is left in this period.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Exhausted> {
        let span = now.as_second().div_euclid(self.span_s);
        if span != self.span {
            (self.span, self.used) = (span, 0);
        }
        if self.used >= self.limit {
            return Err(Exhausted);
        }
        self.used += 1;
        Ok(())
    }

    /// Returns how many calls are left in the last counted period.
    pub(crate) const fn left(&self) -> u32 {
        self.limit - self.used
    }

    /// Returns in how many seconds the count starts over.
    pub(crate) fn reset_s(&self, now: Timestamp) -> i64 {
        self.span_s - now.as_second().rem_euclid(self.span_s)
    }
}
