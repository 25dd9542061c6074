//! Samples that programs push for a wearer, such as those of a chest strap: decoded, checked, and averaged
//! into minutes.
//!
//! A body of at most [`MOST_BYTES`] bytes becomes at most [`MOST_SAMPLES`] samples ([`decode`]). It is JSON
//! or InfluxDB's line protocol ([`Format`]). A body that is neither is refused as a whole ([`Malformed`]);
//! in one that is, each sample is accepted or refused for itself ([`Reason`]).
//!
//! [`Averages`] collects the samples of one source ([`SourceName`]) by minutes. The minute is the mean of its
//! samples, rounded half up. A sample is known by its time: sent again it changes nothing, and a
//! different rate for the same time replaces the first.
//!
//! The crate opens no file or socket and reads no clock. Memory is bounded by the constants here. No
//! bytes make it panic.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod averages;
mod decode;
mod json;
mod line_protocol;
mod source_name;

pub use averages::{Added, Averages, CLOSES_AFTER, MOST_MINUTES, MOST_PER_MINUTE};
pub use decode::{
    AHEAD, Decoded, Format, LiveSample, MOST_BYTES, MOST_SAMPLES, Malformed, OLDEST, Precision,
    Reason, Refused, decode,
};
pub use source_name::{BadSourceName, SourceName};
