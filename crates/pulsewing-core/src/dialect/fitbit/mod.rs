//! The Fitbit Web API.
//!
//! Google switched it off on 2 November 2026; gateways, saved bodies and the sandbox still use it. Its
//! times are clock times of the wearer's zone, without an offset.

mod clock_time;
mod devices;
mod heart;
mod profile;
mod request;

pub use devices::DevicesDecoder;
pub use heart::{HeartDecoder, HeartFacts};
pub use profile::ProfileDecoder;
pub use request::{HeartDay, devices, heart, profile};
