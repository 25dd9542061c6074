//! `pulsewing run` as a systemd user service.
//!
//! | module | what |
//! |---|---|
//! | `unit.rs` | the unit's text |
//! | `quote.rs` | words in it as systemd reads them |
//! | `passed.rs` | the options of `run`, as they were given, for a command line |
//! | `file.rs` | the unit's file |
//! | `systemctl.rs` | asking the user's systemd |
//!
//! What the service then tells systemd is the business of [`daemon`](crate::daemon).

mod file;
mod passed;
mod quote;
pub mod systemctl;
mod unit;

pub use file::{Existing, UnitFile, Written};
pub use passed::Passed;
pub use quote::Unfit;
pub use unit::{MARK, Unit, program_of};

/// The unit's name.
pub const NAME: &str = "pulsewing.service";
