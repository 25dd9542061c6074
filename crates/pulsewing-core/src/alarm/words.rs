//! What people read of an alarm, the same on every face and in every message.

use core::fmt;

use jiff::Timestamp;

use super::{
    Active, Cause,
    Event::{Acknowledged, Cleared, Past, Raised, Repeated},
    Kind, Level, Signal, Trouble, Unseen,
};
use crate::civil::Offsets;

impl Signal {
    /// Returns what it is, in a few words without a number: `Heart rate high`.
    #[must_use]
    pub const fn heading(&self) -> &'static str {
        let is_urgent = matches!(self.level, Level::Urgent);
        match (self.kind, self.event) {
            (Kind::High, Raised) if is_urgent => "Heart rate very high",
            (Kind::High, Raised) => "Heart rate high",
            (Kind::High, Repeated) if is_urgent => "Heart rate still very high",
            (Kind::High, Repeated) => "Heart rate still high",
            (Kind::High, Past) => "Heart rate was high",
            (Kind::High, Acknowledged) => "Seen: heart rate high",
            (Kind::Low, Raised) if is_urgent => "Heart rate very low",
            (Kind::Low, Raised) => "Heart rate low",
            (Kind::Low, Repeated) if is_urgent => "Heart rate still very low",
            (Kind::Low, Repeated) => "Heart rate still low",
            (Kind::Low, Past) => "Heart rate was low",
            (Kind::Low, Acknowledged) => "Seen: heart rate low",
            (Kind::High | Kind::Low, Cleared) => "Heart rate within its limits again",
            (Kind::Stale, Raised) => "No new heart rate",
            (Kind::Stale, Repeated) => "Still no new heart rate",
            (Kind::Stale, Past) => "There was no new heart rate",
            (Kind::Stale, Cleared) => "Heart rates come again",
            (Kind::Stale, Acknowledged) => "Seen: no new heart rate",
            (Kind::Battery, Raised | Repeated) if is_urgent => "Battery almost empty",
            (Kind::Battery, Raised) => "Battery low",
            (Kind::Battery, Repeated) => "Battery still low",
            (Kind::Battery, Past) => "The battery was low",
            (Kind::Battery, Cleared) => "Battery charged again",
            (Kind::Battery, Acknowledged) => "Seen: battery low",
            (Kind::Sync, Raised) => "Not synced",
            (Kind::Sync, Repeated) => "Still not synced",
            (Kind::Sync, Past) => "There was no sync",
            (Kind::Sync, Cleared) => "Synced again",
            (Kind::Sync, Acknowledged) => "Seen: not synced",
            (Kind::SignIn, Raised) => match self.cause {
                Cause::SignInEnds { .. } => "Sign-in ends soon",
                _ => "Sign-in needed",
            },
            (Kind::SignIn, Repeated) => "Sign-in still needed",
            (Kind::SignIn, Past) => "A sign-in was needed",
            (Kind::SignIn, Cleared) => "Signed in again",
            (Kind::SignIn, Acknowledged) => "Seen: sign-in needed",
            (Kind::Own, Raised) => "Pulsewing is in trouble",
            (Kind::Own, Repeated) => "Pulsewing is still in trouble",
            (Kind::Own, Past) => "Pulsewing was in trouble",
            (Kind::Own, Cleared) => "Pulsewing is well again",
            (Kind::Own, Acknowledged) => "Seen: Pulsewing is in trouble",
        }
    }

    /// Returns what happened in one sentence, with times on the wearer's clock: `132 bpm at 14:05, above
    /// 120 since 13:50.` It has no age, because the reader's clock goes on.
    pub const fn sentence<'o>(
        &self,
        offsets: &'o Offsets,
        now: Timestamp,
    ) -> impl fmt::Display + use<'o> {
        Sentence {
            signal: *self,
            clock: Clock { offsets, now },
        }
    }

    /// Returns the heart rate that it is about, with its time of measurement and the limit.
    #[must_use]
    pub const fn rate(&self) -> Option<(crate::Bpm, Timestamp, crate::Bpm)> {
        match self.cause {
            Cause::Rate { bpm, at, limit } => Some((bpm, at, limit)),
            _ => None,
        }
    }
}

impl Active {
    /// Returns what would be told of it now.
    #[must_use]
    pub const fn as_signal(&self) -> Signal {
        Signal {
            kind: self.kind,
            level: self.level,
            event: Raised,
            cause: self.cause,
            since: self.since,
            until: None,
        }
    }
}

impl Unseen {
    /// Returns the signal that would tell of it.
    #[must_use]
    pub const fn as_signal(&self, kind: Kind) -> Signal {
        Signal {
            kind,
            level: self.level,
            event: Past,
            cause: Cause::Rate {
                bpm: self.extreme,
                at: self.until,
                limit: self.limit,
            },
            since: self.since,
            until: Some(self.until),
        }
    }
}

/// The wearer's clock.
#[derive(Clone, Copy)]
struct Clock<'o> {
    offsets: &'o Offsets,
    now: Timestamp,
}

impl<'o> Clock<'o> {
    fn at(self, at: Timestamp) -> ClockTime<'o> {
        ClockTime { clock: self, at }
    }
}

/// A time on it, to the minute, with the weekday or the date if it is not today's: `14:05`,
/// `Sun 14:05`, `2026-11-22 14:05`.
struct ClockTime<'o> {
    clock: Clock<'o>,
    at: Timestamp,
}

impl fmt::Display for ClockTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offsets = self.clock.offsets;
        let (then, today) = (offsets.local(self.at), offsets.local(self.clock.now).date());
        // Not by a subtraction, which can fail: the words for that would take 127 KB of a board's flash.
        let apart = today.duration_since(then.date());
        match (apart.as_hours() / 24).abs() {
            0 => {}
            1..=6 => write!(f, "{} ", weekday(then.date()))?,
            _ => write!(f, "{} ", then.date())?,
        }
        write!(f, "{:02}:{:02}", then.hour(), then.minute())
    }
}

fn weekday(date: jiff::civil::Date) -> &'static str {
    use jiff::civil::Weekday;
    match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

struct Sentence<'o> {
    signal: Signal,
    clock: Clock<'o>,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, clock } = self;
        let is_over = matches!(signal.event, Cleared | Past);
        match signal.cause {
            Cause::Rate { bpm, at, limit } => {
                let side = match signal.kind {
                    Kind::Low => "below",
                    _ => "above",
                };
                let (bpm, limit) = (bpm.get(), limit.get());
                let since = clock.at(signal.since);
                let until = clock.at(signal.until.unwrap_or(at));
                let at = clock.at(at);
                match signal.event {
                    Cleared => write!(
                        f,
                        "{bpm} bpm at {at}; it was {side} {limit} from {since} to {until}."
                    ),
                    Past => {
                        let reached = match signal.kind {
                            Kind::Low => "Down to",
                            _ => "Up to",
                        };
                        write!(f, "{reached} {bpm} bpm, limit {limit}, {since} to {until}.")
                    }
                    _ => write!(f, "{bpm} bpm at {at}, {side} {limit} since {since}."),
                }
            }
            Cause::Silence { .. } if is_over => {
                write!(f, "There was none since {}.", clock.at(signal.since))
            }
            Cause::Silence {
                newest: Some(at), ..
            } => write!(f, "The newest one is from {}.", clock.at(at)),
            Cause::Silence { newest: None, .. } => {
                write!(f, "None has come since {}.", clock.at(signal.since))
            }
            Cause::Battery { .. } if is_over => f.write_str("The tracker has been charged."),
            Cause::Battery { percent, .. } => write!(f, "The tracker's is at {percent} %."),
            Cause::Sync { at } if is_over => {
                write!(f, "The sync before was at {}.", clock.at(at))
            }
            Cause::Sync { at } => write!(
                f,
                "The tracker last synced at {}: open its app on the phone.",
                clock.at(at)
            ),
            Cause::SignInEnded | Cause::SignInEnds { .. } if is_over => {
                f.write_str("Nothing to do.")
            }
            Cause::SignInEnded => {
                f.write_str("Sign in again: until then no new heart rate can come.")
            }
            Cause::SignInEnds { at } => {
                write!(f, "It ends at {}: sign in again before.", clock.at(at))
            }
            Cause::Own(_) if is_over => f.write_str("Nothing to do."),
            Cause::Own(Trouble::UpdatesFail { since }) => {
                write!(f, "Updates have failed since {}.", clock.at(since))
            }
            Cause::Own(Trouble::TokensNotStored) => f.write_str(
                "The renewed sign-in could not be saved yet: without power it would be lost.",
            ),
            Cause::Own(Trouble::NothingWritten) => {
                f.write_str("Nothing can be written: the disk may be full.")
            }
            Cause::Own(Trouble::ClockSetBack) => {
                f.write_str("The machine's clock was set back; ages were wrong.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use jiff::{SignedDuration, tz::Offset};

    use super::*;
    use crate::{Bpm, alarm::Event};

    fn told(kind: Kind, event: Event, cause: Cause) -> std::string::String {
        let at: Timestamp = "2026-11-29T13:05:00Z".parse().unwrap();
        let signal = Signal {
            kind,
            level: Level::Warning,
            event,
            cause,
            since: at - SignedDuration::from_mins(15),
            until: matches!(event, Cleared | Past).then_some(at - SignedDuration::from_mins(5)),
        };
        let berlin = Offsets::fixed(Offset::constant(1));
        signal
            .sentence(&berlin, at + SignedDuration::from_mins(20))
            .to_string()
    }

    #[test]
    fn a_rate_is_told_with_its_limit_and_its_times() {
        let bpm = |bpm| Bpm::new(bpm).unwrap();
        let cause = Cause::Rate {
            bpm: bpm(132),
            at: "2026-11-29T13:05:00Z".parse().unwrap(),
            limit: bpm(120),
        };
        for (kind, event, words) in [
            (
                Kind::High,
                Raised,
                "132 bpm at 14:05, above 120 since 13:50.",
            ),
            (
                Kind::High,
                Past,
                "Up to 132 bpm, limit 120, 13:50 to 14:00.",
            ),
            (
                Kind::Low,
                Cleared,
                "132 bpm at 14:05; it was below 120 from 13:50 to 14:00.",
            ),
        ] {
            assert_eq!(told(kind, event, cause), words);
        }
    }

    #[test]
    fn a_time_of_another_day_has_its_day() {
        let sync = |at: &str| {
            let at = at.parse().unwrap();
            told(Kind::Sync, Raised, Cause::Sync { at })
        };
        let days = ["2026-11-28T20:20:00Z", "2026-11-20T20:20:00Z"].map(sync);
        assert!(days[0].contains("at Sat 21:20"), "{days:?}");
        assert!(days[1].contains("at 2026-11-20 21:20"), "{days:?}");
    }
}
