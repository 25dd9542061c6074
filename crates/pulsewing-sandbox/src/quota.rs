//! The number of data calls that a provider answers in a period.
//!
//! Fitbit counts by the hour (Fitbit Web API, Rate Limits), Google by the minute (Google Health
//! API, Rate limits); both start over with each hour or minute of the clock.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::wearer::Wearer;

/// Requests per hour, wearer and app that Fitbit answers.
pub(crate) const FITBIT_AN_HOUR: u32 = 150;

/// Requests per minute and user that Google answers.
pub(crate) const GOOGLE_A_MINUTE: u32 = 300;

/// Counts data calls, for each wearer apart.
#[derive(Debug)]
pub(crate) struct Quota {
    limit: u32,
    span_s: i64,
    /// The current period: seconds since 1970 divided by its length.
    span: i64,
    /// The wearers' calls in the current period.
    used: HashMap<Wearer, u32>,
}

/// The error when the quota is used up.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Quota {
    /// Returns Fitbit's quota.
    pub(crate) fn fitbit() -> Self {
        Self::new(FITBIT_AN_HOUR, 3600)
    }

    /// Returns Google's quota.
    pub(crate) fn google() -> Self {
        Self::new(GOOGLE_A_MINUTE, 60)
    }

    fn new(limit: u32, span_s: i64) -> Self {
        Self {
            limit,
            span_s,
            span: 0,
            used: HashMap::new(),
        }
    }

    /// Counts a call for a wearer's data.
    ///
    /// # Errors
    /// [`Exhausted`] if none is left in this period.
    pub(crate) fn take(&mut self, wearer: Wearer, now: Timestamp) -> Result<(), Exhausted> {
        let span = now.as_second().div_euclid(self.span_s);
        if span != self.span {
            self.span = span;
            self.used.clear();
        }
        let used = self.used.entry(wearer).or_default();
        if *used >= self.limit {
            return Err(Exhausted);
        }
        *used += 1;
        Ok(())
    }

    /// Returns how many calls a wearer has left in the last counted period.
    pub(crate) fn left(&self, wearer: Wearer) -> u32 {
        self.limit - self.used.get(&wearer).unwrap_or(&0)
    }

    /// Returns in how many seconds the count starts over.
    pub(crate) fn reset_s(&self, now: Timestamp) -> i64 {
        self.span_s - now.as_second().rem_euclid(self.span_s)
    }
}
