//! Alarms: what somebody has to hear of, and when.

mod kind;

pub use kind::{Event, Kind, Level, UnknownKind, UnknownLevel};
