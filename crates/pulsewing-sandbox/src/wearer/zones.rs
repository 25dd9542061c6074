//! The wearer's heart-rate zones, which both clouds report in their own words.
//!
//! They are those of a wearer aged 38 with a resting heart rate of 60, after Karvonen: moderate, vigorous
//! and peak begin 40, 60 and 85 percent of the way from there to the maximum heart rate of 181.4, which is
//! 208 - 0.7 x age.

/// The rate from which on the lowest zone counts.
pub(crate) const LOWEST: u64 = 30;
/// The lowest moderate rate.
pub(crate) const MODERATE: u64 = 109;
/// The lowest vigorous rate.
pub(crate) const VIGOROUS: u64 = 133;
/// The lowest peak rate.
pub(crate) const PEAK: u64 = 163;
/// The highest rate of the highest zone.
pub(crate) const HIGHEST: u64 = 220;
