//! What an alarm is about, how much it matters, and what happened to it.

use core::{fmt, str::FromStr};

/// What an alarm is about.
///
/// The names are those of settings, commands, messages and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The heart rate stays above a limit.
    High,
    /// The heart rate stays below a limit.
    Low,
    /// There is no new heart rate, for whatever reason.
    Stale,
    /// The tracker's battery runs out.
    Battery,
    /// The tracker has not synced; the phone is the usual cause.
    Sync,
    /// The sign-in has ended, or will soon.
    SignIn,
    /// Pulsewing itself is in trouble, such as with its disk.
    Own,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::High,
        Self::Low,
        Self::Stale,
        Self::Battery,
        Self::Sync,
        Self::SignIn,
        Self::Own,
    ];

    /// Returns the name: `high`, `low`, `stale`, `battery`, `sync`, `sign_in` or `self`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::Stale => "stale",
            Self::Battery => "battery",
            Self::Sync => "sync",
            Self::SignIn => "sign_in",
            Self::Own => "self",
        }
    }

    /// Returns the levels at which it can be active, lowest first.
    #[must_use]
    pub const fn levels(self) -> &'static [Level] {
        match self {
            Self::High | Self::Low | Self::Stale | Self::Battery => {
                &[Level::Warning, Level::Urgent]
            }
            Self::Sync => &[Level::Info],
            Self::SignIn | Self::Own => &[Level::Warning],
        }
    }

    /// Returns whether it is about the heart rate itself, so that it is judged by the time of
    /// measurement.
    #[must_use]
    pub const fn is_of_rate(self) -> bool {
        matches!(self, Self::High | Self::Low)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Takes a hyphen for an underscore.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let letters = || {
            name.bytes().map(|letter| match letter {
                b'-' => b'_',
                other => other,
            })
        };
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name().bytes().eq(letters()))
            .ok_or(UnknownKind)
    }
}

/// There is no kind of alarm of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kind of alarm must be high, low, stale, battery, sync, sign_in or self")]
pub struct UnknownKind;

/// How much an alarm matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; makes no sound.
    Info,
    /// Somebody should look; waits for the end of the quiet hours.
    Warning,
    /// Somebody should look now, at any time of day.
    Urgent,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Urgent];

    /// Returns the name: `info`, `warning` or `urgent`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Urgent => "urgent",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|level| level.name() == name).ok_or(UnknownLevel)
    }
}

/// There is no level of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the level must be info, warning or urgent")]
pub struct UnknownLevel;

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// It became active, or rose to a higher level.
    Raised,
    /// It is still active, and a repeat was due.
    Repeated,
    /// Somebody acknowledged it.
    Acknowledged,
    /// It is over.
    Cleared,
    /// It began and ended between two updates: this is news of the past, not an alarm.
    Past,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::Raised,
        Self::Repeated,
        Self::Acknowledged,
        Self::Cleared,
        Self::Past,
    ];

    /// Returns the name: `raised`, `repeated`, `acknowledged`, `cleared` or `past`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Repeated => "repeated",
            Self::Acknowledged => "acknowledged",
            Self::Cleared => "cleared",
            Self::Past => "past",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert!(!kind.levels().is_empty());
            assert!(kind.levels().is_sorted());
        }
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!(Level::ALL.is_sorted());
        assert_eq!("sign-in".parse(), Ok(Kind::SignIn));
        for wrong in ["", "High", "sign in", "highs", "self_"] {
            assert_eq!(wrong.parse::<Kind>(), Err(UnknownKind));
        }
        assert_eq!("".parse::<Level>(), Err(UnknownLevel));
    }
}
