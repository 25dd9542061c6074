//! Alarms: what somebody has to hear of, and when.
//!
//! A *condition* holds or not, such as a heart rate above a limit. An *alarm* is a condition that holds; a
//! *signal* is what people hear of it. [`Alarms`] is told the time, what updates brought, and how Pulsewing
//! itself is, and returns the signals; its driver shows, sends and sounds them. The daemon and the boards
//! drive the same one.
//!
//! ```text
//! minutes of an update ─▶ rate.rs ─┐ conditions                  ┌▶ signals: raised, repeated, cleared...
//! battery, sync, sign-in ──────────┼───────────▶ track.rs ───────┤
//! our clock ───────────────────────┘  one of each kind           └▶ changes, for a log
//! ```
//!
//! # Three clocks
//! - **High and low rates** are judged by the time of measurement, and only by minutes younger than
//!   [`Limits::fresh`]. They reach the alarms as [`News`], which only an update that has just fetched them
//!   and a live source can make: an import, a repair or a history cannot raise one.
//! - **Absence** (stale, battery, sync) is judged by our clock. It needs no network, no sign-in and no history.
//! - **Pulsewing's own troubles** are facts that the driver knows.
//!
//! # When people hear of it
//! Once when it begins or rises to a higher level, then after [`Limits::repeat`], twice as long, and so
//! on up to an hour; six times, then it is only shown. The same pace holds for an alarm that begins again within
//! an hour. When it is over they hear of that once. In the quiet hours only what is urgent is heard; the rest
//! follows at their end. A snooze or an acknowledgement is of one kind, and of levels up to the one that it
//! was said to.
//!
//! It is no medical device: its data are a quarter of an hour old and more.

mod judge;
mod kind;
mod limits;
mod machine;
mod melody;
mod news;
mod rate;
mod record;
mod signal;
mod track;
mod words;

use heapless::Vec;
use jiff::{Timestamp, civil::Time};

use crate::cycle::Now;

pub use kind::{Event, Kind, Level, UnknownKind, UnknownLevel};
pub use limits::{Limits, LimitsError};
pub use machine::Alarms;
pub use melody::{LONGEST_MELODY, Note};
pub use news::News;
pub use record::{MAX_RECORD, RecordError};
pub use signal::{Active, Cause, Change, Mute, Signal, Trouble, Unseen, What};

/// The number of kinds.
const KINDS: usize = Kind::ALL.len();

/// The time, and what is true of Pulsewing itself.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: Now,
    /// The time of day where the wearer is, for the quiet hours.
    pub time_of_day: Time,
    /// The sign-in.
    pub sign_in: SignIn,
    /// How updates go.
    pub updates: Updates,
    /// Another trouble that Pulsewing is in.
    pub trouble: Option<Trouble>,
}

/// What is known of the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Nothing yet: no update has ended since the start.
    Unknown,
    /// Nobody has signed in yet.
    New,
    /// It works.
    Works {
        /// When its refresh token ends, if it does.
        ends: Option<Timestamp>,
    },
    /// It has ended: somebody has to sign in again.
    Ended,
}

/// How updates go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updates {
    /// None has ended since the start.
    Unknown,
    /// The last one succeeded.
    Succeed,
    /// The last one failed.
    Fail {
        /// When the first of them failed that have failed since.
        since: Timestamp,
    },
}

/// What follows from a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What to tell people, what matters most first.
    pub signals: Vec<Signal, KINDS>,
    /// What has changed, told or not.
    pub changes: Vec<Change, KINDS>,
}
