//! The options of `alarms`.

use std::str::FromStr;

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use pulsewing_core::alarm::{Kind, Level};

/// Options of `alarms`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Alarms {
    /// What to do instead of showing them
    #[command(subcommand)]
    pub action: Option<AlarmsAction>,
    /// Print them as JSON, with what happened in the last 90 days
    #[arg(long)]
    pub json: bool,
}

/// What to do about alarms.
#[derive(Debug, Subcommand)]
pub(crate) enum AlarmsAction {
    /// Stop the signals of one kind for a while
    Snooze {
        /// The kind: high, low, stale, battery, sync, sign-in or self; with -urgent, also while it is urgent
        #[arg(value_name = "KIND")]
        what: Target,
        /// How long, such as 30m or 2h; or `morning`, the end of the quiet hours
        #[arg(value_name = "HOW-LONG")]
        how_long: HowLong,
    },
    /// Say that an alarm is known: no more signals until it is over or gets worse
    Ack {
        /// The kind: high, low, stale, battery, sync, sign-in or self
        #[arg(value_name = "KIND")]
        what: Target,
    },
    /// Send a test message over a channel of the configuration, or over all of them
    Test {
        /// The channel's name
        #[arg(value_name = "CHANNEL")]
        channel: Option<String>,
    },
}

/// A kind of alarm, and the highest level that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The kind.
    pub kind: Kind,
    /// The level.
    pub up_to: Level,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let urgent = text
            .strip_suffix("-urgent")
            .or_else(|| text.strip_suffix("_urgent"));
        let kind: Kind = urgent
            .unwrap_or(text)
            .parse()
            .map_err(|error: pulsewing_core::alarm::UnknownKind| error.to_string())?;
        let levels = kind.levels();
        if urgent.is_some() && !levels.contains(&Level::Urgent) {
            return Err(format!("{kind} is never urgent"));
        }
        let lowest = levels.first().copied().unwrap_or(Level::Info);
        let up_to = urgent.map_or(lowest, |_| Level::Urgent);
        Ok(Self { kind, up_to })
    }
}

/// The length of a snooze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HowLong {
    /// This long.
    For(SignedDuration),
    /// Until the end of the quiet hours.
    Morning,
}

impl FromStr for HowLong {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "morning" {
            return Ok(Self::Morning);
        }
        let length = text.parse::<SignedDuration>().ok();
        length
            .filter(|length| length.is_positive())
            .map(Self::For)
            .ok_or_else(|| "write it like 30m or 2h, or morning".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_kind_and_perhaps_its_urgent_level() {
        let target = |text: &str| text.parse::<Target>();
        let up_to = Level::Warning;
        assert_eq!(
            target("high"),
            Ok(Target {
                kind: Kind::High,
                up_to
            })
        );
        assert_eq!(
            target("sign-in"),
            Ok(Target {
                kind: Kind::SignIn,
                up_to
            })
        );
        for text in ["low-urgent", "low_urgent"] {
            let up_to = Level::Urgent;
            assert_eq!(
                target(text),
                Ok(Target {
                    kind: Kind::Low,
                    up_to
                })
            );
        }
        assert!(target("sync-urgent").is_err());
        assert!(target("hihg").unwrap_err().contains("high, low, stale"));
    }

    #[test]
    fn a_length_is_positive() {
        assert_eq!(
            "90m".parse(),
            Ok(HowLong::For(SignedDuration::from_mins(90)))
        );
        assert_eq!("morning".parse(), Ok(HowLong::Morning));
        for text in ["0m", "-5m", "", "soon"] {
            assert!(text.parse::<HowLong>().is_err(), "{text}");
        }
    }
}
