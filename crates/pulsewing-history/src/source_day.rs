//! A day as one source tells it.

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};

use crate::Source;

/// What one source knows of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDay {
    /// The source.
    pub source: Source,
    /// The zone's name; empty where only its offset is known.
    pub zone: String,
    /// The minutes, with the day's date, length and offsets.
    pub day: Day,
    /// The resting heart rate.
    pub resting: Option<Bpm>,
    /// The newest fetch that is in it.
    pub fetched_at: Timestamp,
}
