//! The alarms of a wearer on a host: kept over restarts, changed by people, told, and logged.
//!
//! The core's [`Alarms`](pulsewing_core::alarm::Alarms) decide; this is what surrounds them. The
//! process that polls a wearer has the only [`Lookout`]; other processes leave it a [`Request`].
//!
//! | file | contents |
//! |---|---|
//! | `lookout.rs` | the alarms of one wearer, shared by the update loop, the clock and the faces |
//! | `file.rs` | their record in the wearer's directory |
//! | `request.rs` | a snooze or an acknowledgement from another process |
//! | `log.rs` | what happened in the last 90 days |
//! | `morning.rs` | the end of a snooze that lasts until morning |
//! | `told.rs` | a signal in words |

mod file;
mod log;
mod lookout;
mod morning;
mod request;
mod told;

pub(crate) use file::AlarmFile;
pub(crate) use log::{AlarmLog, Entry};
pub(crate) use lookout::{Lookout, Shown};
pub(crate) use morning::next_morning;
pub(crate) use request::{LeftRequest, Request};
pub(crate) use told::Told;
