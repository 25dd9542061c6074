//! `pulsewing run` as a systemd user service.
//!
//! | module | what |
//! |---|---|
//! | `unit.rs` | the unit's text |
//! | `quote.rs` | words in it as systemd reads them |
//! | `file.rs` | the unit's file |
//! | `systemctl.rs` | asking the user's systemd |
//!
//! What the service then tells systemd is the business of [`daemon`](crate::daemon).

mod file;
mod quote;
pub(crate) mod systemctl;
mod unit;

pub(crate) use file::{Existing, UnitFile, Written};
pub(crate) use unit::{MARK, Unit, program_of};

/// The unit's name.
pub(crate) const NAME: &str = "pulsewing.service";
