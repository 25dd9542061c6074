//! The alarm on the picture, and the line of the status.

use core::fmt;

use jiff::Timestamp;
use pulsewing_core::{
    alarm::{Active, Alarms, Event, Kind, Level, Signal},
    civil::Offsets,
};
use pulsewing_screen::State;

use super::Watch;
use crate::serial_queue::text;

/// How to silence an alarm.
const SILENCE: &str = "Press the button: quiet for 30 min.";

/// How to say that what is over has been seen.
const SEE: &str = "Press the button: seen.";

/// The alarm to show.
#[derive(Debug)]
pub(crate) struct Shown {
    signal: Signal,
    sentence: heapless::String<192>,
}

impl Shown {
    /// Returns the state of the screen.
    pub(crate) fn state(&self) -> State<'_> {
        State::Alarm {
            kind: self.signal.kind,
            level: self.signal.level,
            heading: self.signal.heading(),
            sentence: &self.sentence,
            advice: match self.signal.event {
                Event::Past => SEE,
                _ => SILENCE,
            },
        }
    }

    /// Returns whether it comes before anything else that the picture may say.
    pub(crate) fn is_first(&self) -> bool {
        self.signal.kind.is_of_rate() && self.signal.event == Event::Raised
    }
}

impl Watch {
    /// Returns the alarm that matters most and that nobody has silenced; else what is over, and that
    /// nobody has seen.
    pub(crate) fn shown(&self, offsets: &Offsets, now: Timestamp) -> Option<Shown> {
        let alarms = self.alarms.borrow();
        let past = || {
            let mut rates = [Kind::High, Kind::Low].into_iter();
            rates.find_map(|kind| Some(alarms.unseen(kind)?.as_signal(kind)))
        };
        let signal = loudest(&alarms, true)
            .map(|alarm| alarm.as_signal())
            .or_else(past)?;
        Some(Shown {
            signal,
            sentence: text(format_args!("{}", signal.sentence(offsets, now))),
        })
    }

    /// Returns whether there is an alarm that has to be seen at any time of day.
    pub(crate) fn must_be_seen(&self) -> bool {
        let loudest = loudest(&self.alarms.borrow(), true);
        loudest.is_some_and(|alarm| alarm.kind.is_of_rate() && alarm.level == Level::Urgent)
    }
}

/// Returns the alarm that matters most and that nobody has silenced. What the picture says anyway, such
/// as that data are old, is left out if it is to be `on_picture`.
pub(super) fn loudest(alarms: &Alarms, on_picture: bool) -> Option<Active> {
    let mut active = alarms.active();
    active.find(|alarm| {
        let is_said = on_picture && matches!(alarm.kind, Kind::Stale | Kind::Sync);
        let is_silent = alarm.mute.is_some_and(|mute| mute.up_to() >= alarm.level);
        !is_said && !is_silent
    })
}

/// The alarms in one line: `high urgent, battery warning quiet`; `none` if there are none.
pub(crate) struct Summary<'w>(pub(crate) &'w Watch);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alarms = self.0.alarms.borrow();
        let mut separator = "";
        for alarm in alarms.active() {
            let is_silent = alarm.mute.is_some_and(|mute| mute.up_to() >= alarm.level);
            let quiet = if is_silent { " quiet" } else { "" };
            write!(f, "{separator}{} {}{quiet}", alarm.kind, alarm.level)?;
            separator = ", ";
        }
        match separator {
            "" => f.write_str("none"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, tz::Offset};
    use pulsewing_core::{
        Bpm,
        alarm::{Cause, Trouble},
    };
    use pulsewing_testkit::{at, pictures::PANEL};

    use super::*;

    #[test]
    fn every_alarm_is_read_to_its_end() {
        let now = at("2026-11-22T12:00:00Z");
        // The longest times are those of another week.
        let since = now - SignedDuration::from_hours(24 * 9);
        let bpm = |bpm| Bpm::new(bpm).unwrap();
        let rate = |limit| Cause::Rate {
            bpm: bpm(188),
            at: since,
            limit: bpm(limit),
        };
        for (kind, cause) in [
            (Kind::High, rate(150)),
            (Kind::Low, rate(140)),
            (
                Kind::Battery,
                Cause::Battery {
                    percent: 15,
                    limit: 20,
                },
            ),
            (Kind::SignIn, Cause::SignInEnded),
            (Kind::SignIn, Cause::SignInEnds { at: since }),
            (Kind::Own, Cause::Own(Trouble::UpdatesFail { since })),
            (Kind::Own, Cause::Own(Trouble::TokensNotStored)),
            (Kind::Own, Cause::Own(Trouble::NothingWritten)),
            (Kind::Own, Cause::Own(Trouble::ClockSetBack)),
        ] {
            for (level, event) in [
                (Level::Warning, Event::Raised),
                (Level::Urgent, Event::Raised),
                (Level::Urgent, Event::Past),
            ] {
                let signal = Signal {
                    kind,
                    level,
                    event,
                    cause,
                    since,
                    until: (event == Event::Past).then_some(since),
                };
                let offsets = Offsets::fixed(Offset::UTC);
                let shown = Shown {
                    signal,
                    sentence: text(format_args!("{}", signal.sentence(&offsets, now))),
                };
                assert!(shown.state().fits_a_banner(PANEL), "{shown:?}");
            }
        }
    }
}
