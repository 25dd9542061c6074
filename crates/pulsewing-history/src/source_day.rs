//! A day from one source.

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};

use crate::Source;

/// The data of one source for a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDay {
    /// The source.
    pub source: Source,
    /// The zone's name; empty if only its offset is known.
    pub zone: String,
    /// The minutes, with the day's date, length and offsets.
    pub day: Day,
    /// The resting heart rate.
    pub resting: Option<Bpm>,
    /// The time of the newest fetch in it.
    pub fetched_at: Timestamp,
}
