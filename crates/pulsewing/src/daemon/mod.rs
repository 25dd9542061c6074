//! What runs unattended: cycles for ever, and whoever wants to see what came of them.
//!
//! One task runs the cycles ([`Rounds`]), keeps what they yield and repairs what the history lacks.
//! It tells everybody else through the [`Hub`]: the pictures ([`Presenter`](crate::faces::presenter::Presenter)), the page
//! ([`web`](crate::faces::web)) and the terminal see the same [`Live`], and none of them can hold a cycle up.
//!
//! | module | what |
//! |---|---|
//! | `rounds.rs` | a cycle, its record, and the past days that are missing |
//! | `repair.rs` | which days those are |
//! | `live.rs` | what is known now, and what stands in the way |
//! | `hub.rs` | how everybody hears of it, and asks for an update |
//! | `remembered.rs` | the last reading, after a restart and after a long silence |
//! | `notice.rs` | what a picture says when something is wrong |
//! | `single.rs` | that there is one daemon |
//! | `supervision.rs` | what systemd hears |

mod hub;
mod live;
mod notice;
mod remembered;
mod repair;
mod rounds;
mod single;
mod supervision;

pub(crate) use hub::Hub;
pub(crate) use live::{Live, Look, Repair, Trouble};
pub(crate) use notice::Notice;
pub(crate) use remembered::{keep_last_known, last_reading, zone_of_minute};
pub(crate) use rounds::Rounds;
pub(crate) use single::Single;
pub(crate) use supervision::Supervision;
