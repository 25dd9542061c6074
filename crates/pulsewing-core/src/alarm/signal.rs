//! What the alarms say: signals, changes, and what is active.

use jiff::{SignedDuration, Timestamp};

use super::{Event, Kind, Level};
use crate::Bpm;

/// The reason for an alarm, as it was last known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A heart rate beyond a limit.
    Rate {
        /// The newest minute's average.
        bpm: Bpm,
        /// The beginning of that minute: the time of measurement.
        at: Timestamp,
        /// The limit that was passed.
        limit: Bpm,
    },
    /// No new minute.
    Silence {
        /// The newest minute, if one was ever known.
        newest: Option<Timestamp>,
        /// The time that may pass without one.
        limit: SignedDuration,
    },
    /// A charge.
    Battery {
        /// The charge, 0 to 100 percent.
        percent: u8,
        /// The charge to warn of.
        limit: u8,
    },
    /// The tracker's last sync.
    Sync {
        /// When it was.
        at: Timestamp,
    },
    /// The sign-in has ended: somebody has to sign in again.
    SignInEnded,
    /// The sign-in ends.
    SignInEnds {
        /// When it ends.
        at: Timestamp,
    },
    /// Pulsewing itself is in trouble.
    Own(Trouble),
}

/// The trouble that Pulsewing itself is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Updates have failed for [longer than they may](super::Limits::FAILING).
    UpdatesFail {
        /// When the first of them failed.
        since: Timestamp,
    },
    /// New tokens could not be written: without them, the sign-in is lost when the power goes.
    TokensNotStored,
    /// Nothing can be written.
    NothingWritten,
    /// The machine's clock was set back.
    ClockSetBack,
}

/// Something to tell people now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// What it is about.
    pub kind: Kind,
    /// How much it matters: of an alarm that is over, at its worst.
    pub level: Level,
    /// What happened.
    pub event: Event,
    /// The reason. Of what is past, the rate is the most extreme one.
    pub cause: Cause,
    /// When it began: of a heart rate, the time of measurement.
    pub since: Timestamp,
    /// When it ended, by the same clock; `None` while it lasts.
    pub until: Option<Timestamp>,
}

/// A change of a condition, whether anybody is told or not: for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub kind: Kind,
    /// The level after the change; of one that is over, before it.
    pub level: Level,
    /// What changed.
    pub what: What,
    /// The reason.
    pub cause: Cause,
    /// When the condition began.
    pub since: Timestamp,
}

impl Change {
    /// Returns the signal that would tell of the condition.
    #[must_use]
    pub const fn as_signal(&self) -> Signal {
        Signal {
            kind: self.kind,
            level: self.level,
            event: Event::Raised,
            cause: self.cause,
            since: self.since,
            until: None,
        }
    }
}

/// What changed about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It began to hold.
    Began,
    /// It rose to a higher level.
    Rose,
    /// It fell to a lower level.
    Fell,
    /// It ceased to hold.
    Ended,
    /// Nothing was measured for so long that it says nothing any more.
    Lapsed,
}

impl What {
    /// Returns the name for a log: `began`, `rose`, `fell`, `ended` or `lapsed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Rose => "rose",
            Self::Fell => "fell",
            Self::Ended => "ended",
            Self::Lapsed => "lapsed",
        }
    }
}

/// An alarm whose condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// What it is about.
    pub kind: Kind,
    /// How much it matters now.
    pub level: Level,
    /// The reason, as last known.
    pub cause: Cause,
    /// When it began.
    pub since: Timestamp,
    /// When people were last told of it.
    pub told_at: Option<Timestamp>,
    /// What a person has said to it.
    pub mute: Option<Mute>,
}

/// What a person has said to an alarm. It covers levels up to the one that it was said to: a higher
/// one is heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mute {
    /// Seen; not heard of again until it is over.
    Acknowledged {
        /// The highest level that it covers.
        up_to: Level,
    },
    /// Not heard of until a time.
    Snoozed {
        /// The highest level that it covers.
        up_to: Level,
        /// When it ends.
        until: Timestamp,
    },
}

impl Mute {
    /// Returns the highest level that it covers.
    #[must_use]
    pub const fn up_to(self) -> Level {
        match self {
            Self::Acknowledged { up_to } | Self::Snoozed { up_to, .. } => up_to,
        }
    }
}

/// An alarm of the heart rate that is over, and that nobody has looked at since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The level at its worst.
    pub level: Level,
    /// The most extreme rate.
    pub extreme: Bpm,
    /// The limit that was passed.
    pub limit: Bpm,
    /// The first minute beyond the limit.
    pub since: Timestamp,
    /// The last one.
    pub until: Timestamp,
}
