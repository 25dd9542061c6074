//! What runs unattended: cycles for ever, and whoever wants to see what came of them.
//!
//! One task runs the cycles ([`UpdateLoop`]), keeps what they yield and repairs what the history lacks.
//! It tells everybody else through the [`Broadcast`]: the pictures ([`Presenter`](crate::faces::presenter::Presenter)), the page
//! ([`web`](crate::faces::web)) and the terminal see the same [`Snapshot`], and none of them can hold a cycle up.
//!
//! | module | what |
//! |---|---|
//! | `update_loop.rs` | a cycle, its record, and the past days that are missing |
//! | `repair.rs` | which days those are |
//! | `snapshot.rs` | what is known now, and what stands in the way |
//! | `broadcast.rs` | how everybody hears of it, and asks for an update |
//! | `remembered.rs` | the last reading, after a restart and after a long silence |
//! | `notice.rs` | what a picture says when something is wrong |
//! | `single.rs` | that there is one daemon |
//! | `supervision.rs` | what systemd hears |

mod broadcast;
mod notice;
mod remembered;
mod repair;
mod single;
mod snapshot;
mod supervision;
mod update_loop;

pub(crate) use broadcast::Broadcast;
pub(crate) use notice::Notice;
pub(crate) use remembered::{keep_last_known, last_reading, zone_of_minute};
pub(crate) use single::Single;
pub(crate) use snapshot::{FailedUpdate, Look, Repair, Snapshot};
pub(crate) use supervision::Supervision;
pub(crate) use update_loop::UpdateLoop;
