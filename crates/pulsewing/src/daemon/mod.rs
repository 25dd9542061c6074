//! What runs unattended: cycles for ever, and whoever wants to see what came of them.
//!
//! One task runs the cycles ([`Rounds`]), keeps what they yield and repairs what the history lacks.
//! It tells everybody else through the [`Hub`]: the pictures ([`Presenter`]), the page
//! ([`web`](crate::web)) and the terminal see the same [`Live`], and none of them can hold a cycle up.
//!
//! | module | what |
//! |---|---|
//! | `rounds.rs` | a cycle, its record, and the past days that are missing |
//! | `repair.rs` | which days those are |
//! | `live.rs` | what is known now, and what stands in the way |
//! | `hub.rs` | how everybody hears of it, and asks for an update |
//! | `remembered.rs` | the last reading, after a restart and after a long silence |
//! | `presenter.rs` | a PNG file and panels that keep up, also with the clock |
//! | `notice.rs` | what a picture says when something is wrong |
//! | `single.rs` | that there is one daemon |
//! | `supervision.rs` | what systemd hears |

mod hub;
mod live;
mod notice;
mod presenter;
mod remembered;
mod repair;
mod rounds;
mod single;
mod supervision;

pub use hub::Hub;
pub use live::{Live, Look, Repair, Trouble};
pub use notice::Notice;
pub use presenter::Presenter;
pub use remembered::{keep_last_known, last_reading, zone_of_minute};
pub use rounds::Rounds;
pub use single::Single;
pub use supervision::Supervision;
