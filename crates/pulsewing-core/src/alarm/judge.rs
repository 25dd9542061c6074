//! Judges the conditions: each kind by its own clock.

use core::time::Duration;

use jiff::Timestamp;

use super::{
    Cause, Event, Kind, Level, Limits, Moment, SignIn, Trouble, Unseen, Updates,
    machine::Alarms,
    rate::{self, Episode},
    track::{End, Held, Verdict},
};
use crate::cycle::Now;

/// The time for which a clock that was set back is told of.
const SET_BACK_LASTS: Duration = Duration::from_secs(60 * 60);

/// The time after a jump for which absence is not judged, because an update is on its way.
const AFTER_JUMP: Duration = Duration::from_secs(15 * 60);

impl Alarms {
    /// Returns whether the settings switch a kind off.
    pub(super) const fn is_off(&self, kind: Kind) -> bool {
        let limits = &self.limits;
        match kind {
            Kind::High => limits.high.is_none() && limits.high_urgent.is_none(),
            Kind::Low => limits.low.is_none() && limits.low_urgent.is_none(),
            Kind::Stale => limits.stale.is_none(),
            Kind::Battery => limits.battery.is_none(),
            Kind::Sync | Kind::SignIn | Kind::Own => false,
        }
    }

    /// Ends an alarm of the heart rate that nothing new was measured for. Returns whether it did.
    pub(super) fn lapse(&mut self, kind: Kind, now: Timestamp) -> bool {
        let is_old = self
            .newest
            .is_none_or(|newest| now.duration_since(newest.at) >= Limits::TOO_OLD);
        if !kind.is_of_rate() || self.track(kind).level.is_none() || !is_old {
            return false;
        }
        if let (Some(newest), Some(extreme)) = (self.newest, self.side(kind).extreme) {
            let track = self.track(kind);
            let ended = Episode {
                level: track.worst,
                since: track.since,
                until: newest.at,
                extreme,
            };
            self.remember(kind, &ended);
        }
        match kind {
            Kind::Low => self.low.forget(),
            _ => self.high.forget(),
        }
        true
    }

    /// Keeps an episode for whoever looks next.
    fn remember(&mut self, kind: Kind, ended: &Episode) {
        let Some(limit) = self.side(kind).limit(ended.level, &self.limits) else {
            return;
        };
        let [high, low] = &mut self.unseen;
        let slot = match kind {
            Kind::Low => low,
            _ => high,
        };
        let new = Unseen {
            level: ended.level,
            extreme: ended.extreme,
            limit,
            since: ended.since,
            until: ended.until,
        };
        *slot = Some(match *slot {
            Some(old) => Unseen {
                level: old.level.max(new.level),
                extreme: match kind {
                    Kind::Low => old.extreme.min(new.extreme),
                    _ => old.extreme.max(new.extreme),
                },
                since: old.since.min(new.since),
                ..new
            },
            None => new,
        });
    }

    /// Judges the heart rate. `ended` is `None` if there is no new minute; else the episode that ended.
    pub(super) fn of_rate(
        &mut self,
        kind: Kind,
        ended: Option<Option<Episode>>,
        now: Timestamp,
    ) -> Verdict {
        let (Some(ended), Some(newest)) = (ended, self.latest.last().copied()) else {
            return Verdict::Unknown;
        };
        let (side, limits) = (*self.side(kind), self.limits);
        let cause = |level, bpm, at| {
            let limit = side.limit(level, &limits)?;
            Some(Cause::Rate { bpm, at, limit })
        };
        if let Some(level) = side.level() {
            return match cause(level, newest.bpm, newest.at) {
                Some(cause) => Verdict::Holds {
                    level,
                    cause,
                    since: side.since,
                },
                None => Verdict::Over(None),
            };
        }
        let Some(ended) = ended else {
            return Verdict::Over(None);
        };
        let (Some(back), Some(extreme)) = (
            cause(ended.level, newest.bpm, newest.at),
            cause(ended.level, ended.extreme, ended.until),
        ) else {
            return Verdict::Over(None);
        };
        self.remember(kind, &ended);
        let end = End {
            back,
            extreme,
            until: ended.until,
        };
        let track = self.track_mut(kind);
        if track.level.is_none() && track.mute.is_none() {
            // It began and ended before anybody could hear of it.
            track.hold(Held {
                event: Event::Past,
                level: Level::Info,
                cause: extreme,
                since: ended.since,
                until: ended.until,
            });
            track.over_at = Some(now);
        }
        Verdict::Over(Some(end))
    }

    /// Judges the time without a new minute.
    pub(super) fn of_silence(&self, now: Now) -> Verdict {
        let (Some(limit), false) = (self.limits.stale, self.waits_for_news(now)) else {
            return Verdict::Unknown;
        };
        let newest = self.newest.map(|sample| sample.at);
        let since = newest.or(self.waiting_since).unwrap_or(now.utc);
        let age = now.utc.duration_since(since);
        let level = match age {
            age if age > limit.saturating_mul(Limits::STALE_URGENT) => Level::Urgent,
            age if age > limit => Level::Warning,
            _ => return Verdict::Over(None),
        };
        Verdict::Holds {
            level,
            cause: Cause::Silence { newest, limit },
            since,
        }
    }

    pub(super) fn of_battery(&self) -> Verdict {
        let (Some(limit), Some(percent)) = (self.limits.battery, self.battery_percent) else {
            return Verdict::Unknown;
        };
        let back = limit.saturating_add(Limits::BATTERY_BACK).min(100);
        let active = self.track(Kind::Battery);
        let level = match percent {
            percent if percent <= limit.min(Limits::BATTERY_URGENT) => Level::Urgent,
            percent if percent <= limit => Level::Warning,
            percent if percent >= back || active.level.is_none() => return Verdict::Over(None),
            _ => Level::Warning,
        };
        Verdict::Holds {
            level,
            cause: Cause::Battery { percent, limit },
            since: match active.level {
                Some(_) => active.since,
                None => self.before.map_or(Timestamp::UNIX_EPOCH, |now| now.utc),
            },
        }
    }

    pub(super) fn of_sync(&self, now: Now) -> Verdict {
        let (Some(at), false) = (self.last_sync, self.waits_for_news(now)) else {
            return Verdict::Unknown;
        };
        if now.utc.duration_since(at) <= Limits::SYNC {
            return Verdict::Over(None);
        }
        Verdict::Holds {
            level: Level::Info,
            cause: Cause::Sync { at },
            since: at,
        }
    }

    pub(super) fn of_own(&self, moment: &Moment) -> Verdict {
        let now = moment.now;
        let set_back = self
            .set_back_at
            .filter(|at| now.up.saturating_sub(*at) < SET_BACK_LASTS)
            .map(|_| Trouble::ClockSetBack);
        let failing = match moment.updates {
            // The sign-in has an alarm of its own.
            Updates::Fail { since } if moment.sign_in != SignIn::Ended => {
                (now.utc.duration_since(since) > Limits::FAILING)
                    .then_some(Trouble::UpdatesFail { since })
            }
            _ => None,
        };
        match moment.trouble.or(failing).or(set_back) {
            None if moment.updates == Updates::Unknown => Verdict::Unknown,
            Some(trouble) => Verdict::Holds {
                level: Level::Warning,
                cause: Cause::Own(trouble),
                since: match trouble {
                    Trouble::UpdatesFail { since } => since,
                    _ => now.utc,
                },
            },
            None => Verdict::Over(None),
        }
    }

    /// Returns whether a clock has jumped, and no update has come since.
    fn waits_for_news(&self, now: Now) -> bool {
        self.jumped_at
            .is_some_and(|at| now.up.saturating_sub(at) < AFTER_JUMP)
    }

    /// Returns whether an alarm that holds can be spoken of: one of the heart rate while its newest minute
    /// is fresh and beyond the limit.
    pub(super) fn may_tell(&self, kind: Kind, now: Timestamp) -> bool {
        let Cause::Rate { bpm, at, .. } = self.track(kind).cause else {
            return true;
        };
        let side = self.side(kind);
        side.level().is_some_and(|level| {
            rate::is_fresh(at, &self.limits, now) && side.is_beyond(bpm, level, &self.limits)
        })
    }
}

pub(super) fn of_sign_in(moment: &Moment) -> Verdict {
    let now = moment.now.utc;
    match moment.sign_in {
        SignIn::Ended => Verdict::Holds {
            level: Level::Warning,
            cause: Cause::SignInEnded,
            since: now,
        },
        SignIn::Works { ends: Some(at) } if at.duration_since(now) < Limits::SIGN_IN_ENDS => {
            Verdict::Holds {
                level: Level::Warning,
                cause: Cause::SignInEnds { at },
                since: now,
            }
        }
        SignIn::New | SignIn::Works { .. } => Verdict::Over(None),
        SignIn::Unknown => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::time::Duration;
    use std::vec::Vec;

    use jiff::{SignedDuration, civil};

    use super::*;
    use crate::alarm::News;

    /// Lets a minute pass in which an update brings a charge and a sync. Returns what is signalled.
    fn update(
        alarms: &mut Alarms,
        now: &mut Now,
        percent: Option<u8>,
        last_sync: Option<Timestamp>,
    ) -> Vec<(Kind, Level, Event)> {
        now.utc += SignedDuration::from_mins(1);
        now.up += Duration::from_secs(60);
        let moment = Moment {
            now: *now,
            time_of_day: civil::time(12, 0, 0, 0),
            sign_in: SignIn::Works { ends: None },
            updates: Updates::Succeed,
            trouble: None,
        };
        let mut news = News::live(&[]);
        news.battery_percent = percent;
        news.last_sync = last_sync;
        let outcome = alarms.advance(&moment, Some(&news));
        let signals = outcome.signals.iter();
        signals.map(|it| (it.kind, it.level, it.event)).collect()
    }

    fn start() -> (Alarms, Now) {
        let limits = Limits {
            stale: None,
            ..Limits::default()
        };
        let now = Now {
            utc: Timestamp::from_second(1_795_953_600).unwrap(),
            up: Duration::from_secs(100),
        };
        (Alarms::new(limits), now)
    }

    #[test]
    fn a_battery_is_told_at_its_limit_and_near_its_end_and_is_over_when_charged() {
        let (mut alarms, mut now) = start();
        let mut charge = |percent| update(&mut alarms, &mut now, percent, None);
        assert_eq!(charge(Some(21)), []);
        let warning = [(Kind::Battery, Level::Warning, Event::Raised)];
        assert_eq!(charge(Some(20)), warning);
        // A charge near the limit does not end it, and one that is not known says nothing.
        assert_eq!(charge(Some(29)), []);
        assert_eq!(charge(None), []);
        let urgent = [(Kind::Battery, Level::Urgent, Event::Raised)];
        assert_eq!(charge(Some(5)), urgent);
        let cleared = [(Kind::Battery, Level::Urgent, Event::Cleared)];
        assert_eq!(charge(Some(30)), cleared);
    }

    #[test]
    fn a_sync_is_told_after_twelve_hours_as_information() {
        let (mut alarms, mut now) = start();
        let synced = now.utc + SignedDuration::from_mins(1) - SignedDuration::from_hours(12);
        let mut sync = |at| update(&mut alarms, &mut now, None, Some(at));
        assert_eq!(sync(synced), []);
        let raised = [(Kind::Sync, Level::Info, Event::Raised)];
        assert_eq!(sync(synced), raised);
        let cleared = [(Kind::Sync, Level::Info, Event::Cleared)];
        assert_eq!(sync(synced + SignedDuration::from_hours(6)), cleared);
    }
}
