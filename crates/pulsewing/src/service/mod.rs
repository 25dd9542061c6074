//! `pulsewing run` as a systemd user service.
//!
//! | module | contents |
//! |---|---|
//! | `unit.rs` | the unit's text |
//! | `quote.rs` | the quoting of its words |
//! | `file.rs` | the unit's file |
//! | `systemctl.rs` | calls to the user's systemd |
//!
//! The messages of the running service to systemd are in [`daemon`](crate::daemon).

mod file;
mod quote;
pub(crate) mod systemctl;
mod unit;

pub(crate) use file::{Existing, UnitFile, Written};
pub(crate) use unit::{MARK, Unit, program_of};

/// The unit's name.
pub(crate) const NAME: &str = "pulsewing.service";
