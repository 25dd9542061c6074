//! Alarms, from what they are told to what they say.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

mod absence;
mod bounds;
mod pace;
mod person;
mod rates;
mod records;
mod wearer;
mod year;
