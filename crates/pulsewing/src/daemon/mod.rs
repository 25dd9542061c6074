//! The daemon: runs cycles endlessly, and publishes their results to all views.
//!
//! One task for each wearer runs their cycles ([`UpdateLoop`]), stores the readings, and fetches the
//! days that the history lacks. It publishes its state through the [`Broadcast`]: the pictures
//! ([`Presenter`](crate::faces::presenter::Presenter)), the page ([`web`](crate::faces::web)) and
//! the terminal see the same [`Snapshot`], and none of them can delay a cycle.
//!
//! | module | contents |
//! |---|---|
//! | `update_loop.rs` | a cycle, the storage of its reading, and the missing past days |
//! | `repair.rs` | the choice of past days to fetch |
//! | `snapshot.rs` | the current state, and the error of the last update |
//! | `member.rs` | the wearers that are polled, each with a loop and a broadcast |
//! | `intake.rs` | the samples that programs push: averaged into minutes, stored, published |
//! | `pushed.rs` | what was pushed, over the cloud's reading |
//! | `broadcast.rs` | publishes the state, and accepts requests for an update |
//! | `remembered.rs` | the last reading, after a restart and after a long silence |
//! | `notice.rs` | the text on a picture when something is wrong |
//! | `open_files.rs` | the limit on open files |
//! | `single.rs` | the lock that allows only one daemon |
//! | `watch_alarms.rs` | has the alarms go on |
//! | `supervision.rs` | the messages to systemd |

mod broadcast;
pub(crate) mod intake;
mod member;
mod notice;
pub(crate) mod open_files;
mod pushed;
mod remembered;
mod repair;
mod single;
mod snapshot;
mod supervision;
mod update_loop;
mod watch_alarms;

pub(crate) use broadcast::Broadcast;
pub(crate) use intake::Intake;
pub(crate) use member::{Member, Members};
pub(crate) use notice::Notice;
pub(crate) use pushed::{LIVE_FILE, LIVE_FOR, live_elsewhere};
pub(crate) use remembered::{day_before, keep_last_known, last_reading, zone_of_minute};
pub(crate) use single::Single;
pub(crate) use snapshot::{FailedUpdate, Look, Repair, Snapshot};
pub(crate) use supervision::Supervision;
pub(crate) use update_loop::UpdateLoop;
pub(crate) use watch_alarms::watch_alarms;
#[cfg(feature = "fleet")]
pub(crate) use {
    remembered::reading_in,
    repair::{Knowledge, days_to_ask, first_to_ask},
    update_loop::zone_of,
};
