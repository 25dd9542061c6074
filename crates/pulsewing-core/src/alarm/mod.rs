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

mod kind;
mod limits;
mod news;
mod rate;
mod record;
mod signal;
mod track;

use core::time::Duration;

use heapless::Vec;
use jiff::{SignedDuration, Timestamp, civil::Time};

use self::{
    rate::{Episode, Side},
    track::{End, Held, Track, Verdict},
};
use crate::{cycle::Now, day::Sample, instant::later};

pub use kind::{Event, Kind, Level, UnknownKind, UnknownLevel};
pub use limits::{Limits, LimitsError};
pub use news::News;
pub use record::{MAX_RECORD, RecordError};
pub use signal::{Active, Cause, Change, Mute, Signal, Trouble, Unseen, What};

/// The number of kinds.
const KINDS: usize = Kind::ALL.len();

/// A clock that moves by more than this apart from the other one was set, or the machine slept.
const JUMP: SignedDuration = SignedDuration::from_mins(1);

/// A clock that was set back by this much is worth telling of.
const SET_BACK: SignedDuration = SignedDuration::from_mins(10);

/// The time for which a clock that was set back is told of.
const SET_BACK_LASTS: Duration = Duration::from_secs(60 * 60);

/// The time after a jump for which absence is not judged, because an update is on its way.
const AFTER_JUMP: Duration = Duration::from_secs(15 * 60);

/// The time, and what is true of Pulsewing itself.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: Now,
    /// The time of day where the wearer is, for the quiet hours.
    pub time_of_day: Time,
    /// The sign-in.
    pub sign_in: SignIn,
    /// When the first of the updates failed that have failed since.
    pub failing_since: Option<Timestamp>,
    /// Another trouble that Pulsewing is in.
    pub trouble: Option<Trouble>,
}

/// What is known of the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
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

/// What follows from a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What to tell people, what matters most first.
    pub signals: Vec<Signal, KINDS>,
    /// What has changed, told or not.
    pub changes: Vec<Change, KINDS>,
}

/// The alarms of one wearer. See [the module](self).
#[derive(Clone, Debug)]
pub struct Alarms {
    limits: Limits,
    tracks: [Track; KINDS],
    high: Side,
    low: Side,
    unseen: [Option<Unseen>; 2],
    /// The newest minute that was judged.
    judged_until: Option<Timestamp>,
    /// The newest minute that is known.
    newest: Option<Sample>,
    /// When waiting for the first minute began.
    waiting_since: Option<Timestamp>,
    battery_percent: Option<u8>,
    last_sync: Option<Timestamp>,
    latest: Vec<Sample, { rate::LATEST }>,
    /// The moment before.
    before: Option<Now>,
    /// When a clock jumped, until an update has come since.
    jumped_at: Option<Duration>,
    /// When the clock was set back.
    set_back_at: Option<Duration>,
}

impl Alarms {
    /// Creates the alarms of a wearer of whom nothing is known yet.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            tracks: [
                Track::new(Kind::High),
                Track::new(Kind::Low),
                Track::new(Kind::Stale),
                Track::new(Kind::Battery),
                Track::new(Kind::Sync),
                Track::new(Kind::SignIn),
                Track::new(Kind::Own),
            ],
            high: Side::new(Kind::High),
            low: Side::new(Kind::Low),
            unseen: [None; 2],
            judged_until: None,
            newest: None,
            waiting_since: None,
            battery_percent: None,
            last_sync: None,
            latest: Vec::new(),
            before: None,
            jumped_at: None,
            set_back_at: None,
        }
    }

    /// Returns the limits.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Changes the limits. An alarm whose limit is gone ends at the next moment, without a signal.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Goes on to a moment, at least every minute and with every update. `news` is what an update
    /// has just brought.
    pub fn advance(&mut self, moment: &Moment, news: Option<&News<'_>>) -> Outcome {
        let now = moment.now.utc;
        self.notice_jump(moment.now);
        let _ = self.waiting_since.get_or_insert(now);
        let mut outcome = Outcome::default();
        let ended = news.and_then(|news| self.hear(news, now));
        let is_quiet = self
            .limits
            .quiet
            .is_some_and(|quiet| quiet.has(moment.time_of_day));
        for kind in Kind::ALL {
            let has_lapsed = self.lapse(kind, now);
            let verdict = match kind {
                Kind::High => self.of_rate(kind, ended.as_ref().map(|it| it.0), now),
                Kind::Low => self.of_rate(kind, ended.as_ref().map(|it| it.1), now),
                Kind::Stale => self.of_silence(moment.now),
                Kind::Battery => self.of_battery(),
                Kind::Sync => self.of_sync(moment.now),
                Kind::SignIn => of_sign_in(moment),
                Kind::Own => self.of_own(moment),
            };
            let is_off = self.is_off(kind);
            let (limits, newest) = (self.limits, self.newest);
            let may_tell = self.may_tell(kind, newest, now);
            let track = self.track_mut(kind);
            let old = track.clone();
            if has_lapsed || (is_off && track.level.is_some()) {
                track.drop_alarm(now);
            } else if !is_off {
                track.take(verdict, now);
            }
            if let Some(change) = change(&old, track, has_lapsed) {
                // One of each kind has room.
                let _ = outcome.changes.push(change);
            }
            if let Some(signal) = track.speak(&limits, is_quiet, may_tell, now) {
                let _ = outcome.signals.push(signal);
            }
        }
        outcome
            .signals
            .sort_unstable_by_key(|signal| (core::cmp::Reverse(signal.level), signal.kind));
        outcome
    }

    /// Notices a clock that was set and a machine that slept.
    fn notice_jump(&mut self, now: Now) {
        let before = self.before.replace(now);
        let Some(before) = before else {
            return;
        };
        let up = now.up.saturating_sub(before.up);
        let up = SignedDuration::try_from(up).unwrap_or(SignedDuration::MAX);
        let drift = now.utc.duration_since(before.utc).saturating_sub(up);
        if drift.abs() <= JUMP {
            return;
        }
        self.jumped_at = Some(now.up);
        if drift.is_positive() {
            return;
        }
        if drift <= -SET_BACK {
            self.set_back_at = Some(now.up);
        }
        for track in &mut self.tracks {
            track.shift(drift);
        }
        // Minutes of before the jump may come again with the same times: they are not new.
        self.judged_until = self.judged_until.map(|at| at.min(now.utc));
        self.waiting_since = self.waiting_since.map(|at| at.min(now.utc));
        if let Some(newest) = &mut self.newest {
            newest.at = newest.at.min(now.utc);
        }
    }

    /// Takes what an update has brought. Returns the episodes of high and of low rates that ended, if it
    /// brought a new fresh minute.
    fn hear(
        &mut self,
        news: &News<'_>,
        now: Timestamp,
    ) -> Option<(Option<Episode>, Option<Episode>)> {
        self.jumped_at = None;
        self.battery_percent = news.battery_percent.or(self.battery_percent);
        self.last_sync = news.last_sync.or(self.last_sync);
        let soon = later(now, JUMP).unwrap_or(now);
        let newest = news.newest().filter(|newest| newest.at <= soon);
        if let Some(newest) = newest
            && self.newest.is_none_or(|known| newest.at >= known.at)
        {
            self.newest = Some(newest);
        }
        let sides = [&mut self.high, &mut self.low];
        let judged = rate::judge(sides, news, &self.limits, self.judged_until, now)?;
        self.judged_until = judged.latest.last().map(|sample| sample.at);
        self.latest = judged.latest;
        Some((judged.high, judged.low))
    }

    /// Returns the minutes that the last judgement of the heart rate rests on, oldest first.
    #[must_use]
    pub fn latest(&self) -> &[Sample] {
        &self.latest
    }

    const fn side(&self, kind: Kind) -> &Side {
        match kind {
            Kind::Low => &self.low,
            _ => &self.high,
        }
    }

    fn track_mut(&mut self, kind: Kind) -> &mut Track {
        let [high, low, stale, battery, sync, sign_in, own] = &mut self.tracks;
        match kind {
            Kind::High => high,
            Kind::Low => low,
            Kind::Stale => stale,
            Kind::Battery => battery,
            Kind::Sync => sync,
            Kind::SignIn => sign_in,
            Kind::Own => own,
        }
    }

    const fn track(&self, kind: Kind) -> &Track {
        let [high, low, stale, battery, sync, sign_in, own] = &self.tracks;
        match kind {
            Kind::High => high,
            Kind::Low => low,
            Kind::Stale => stale,
            Kind::Battery => battery,
            Kind::Sync => sync,
            Kind::SignIn => sign_in,
            Kind::Own => own,
        }
    }

    /// Returns whether the settings switch a kind off.
    const fn is_off(&self, kind: Kind) -> bool {
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
    fn lapse(&mut self, kind: Kind, now: Timestamp) -> bool {
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
    fn of_rate(&mut self, kind: Kind, ended: Option<Option<Episode>>, now: Timestamp) -> Verdict {
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
    fn of_silence(&self, now: Now) -> Verdict {
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

    fn of_battery(&self) -> Verdict {
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

    fn of_sync(&self, now: Now) -> Verdict {
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

    fn of_own(&self, moment: &Moment) -> Verdict {
        let now = moment.now;
        let set_back = self
            .set_back_at
            .filter(|at| now.up.saturating_sub(*at) < SET_BACK_LASTS)
            .map(|_| Trouble::ClockSetBack);
        let failing = moment
            .failing_since
            .filter(|since| now.utc.duration_since(*since) > Limits::FAILING)
            // The sign-in has an alarm of its own.
            .filter(|_| moment.sign_in != SignIn::Ended)
            .map(|since| Trouble::UpdatesFail { since });
        match moment.trouble.or(failing).or(set_back) {
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
    fn may_tell(&self, kind: Kind, newest: Option<Sample>, now: Timestamp) -> bool {
        if !kind.is_of_rate() {
            return true;
        }
        let side = self.side(kind);
        newest.zip(side.level()).is_some_and(|(newest, level)| {
            rate::is_fresh(newest.at, &self.limits, now)
                && side.is_beyond(newest.bpm, level, &self.limits)
        })
    }

    /// Returns the alarms, what matters most first.
    pub fn active(&self) -> impl Iterator<Item = Active> + '_ {
        let of = move |wanted: Level| {
            let tracks = self.tracks.iter();
            tracks.filter_map(move |track| {
                let level = track.level.filter(|level| *level == wanted)?;
                Some(Active {
                    kind: track.kind,
                    level,
                    cause: track.cause,
                    since: track.since,
                    mute: track.mute,
                })
            })
        };
        Level::ALL.into_iter().rev().flat_map(of)
    }

    /// Returns what a person has said to a kind, whether or not it is active.
    #[must_use]
    pub const fn mute(&self, kind: Kind) -> Option<Mute> {
        self.track(kind).mute
    }

    /// Returns the high or low rates that are over, and that nobody has looked at.
    #[must_use]
    pub const fn unseen(&self, kind: Kind) -> Option<Unseen> {
        let [high, low] = self.unseen;
        match kind {
            Kind::High => high,
            Kind::Low => low,
            _ => None,
        }
    }

    /// Somebody has looked: forgets what was [unseen](Self::unseen).
    pub const fn look(&mut self) {
        self.unseen = [None; 2];
    }

    /// Stops the signals of a kind until a time. It covers levels up to `up_to`, and at least the present
    /// one. Returns when it ends: after 12 hours at the latest, 2 for [`Kind::Stale`].
    pub fn snooze(
        &mut self,
        kind: Kind,
        up_to: Option<Level>,
        until: Timestamp,
        now: Timestamp,
    ) -> Timestamp {
        let track = self.track_mut(kind);
        let lowest = kind.levels().first().copied().unwrap_or(Level::Info);
        let up_to = up_to.unwrap_or(lowest).max(track.level.unwrap_or(lowest));
        track.snooze(up_to, until, now)
    }

    /// Somebody has seen an alarm: it is not signalled again until it is over, or rises to a higher level.
    /// Returns the signal for those who were told of it; `None` if there is no such alarm, or it was
    /// acknowledged before.
    pub fn acknowledge(&mut self, kind: Kind) -> Option<Signal> {
        let track = self.track_mut(kind);
        let level = track.level?;
        let mute = Mute::Acknowledged { up_to: level };
        if track.mute.replace(mute) == Some(mute) {
            return None;
        }
        track.has_woken = false;
        Some(Signal {
            kind,
            level,
            event: Event::Acknowledged,
            cause: track.cause,
            since: track.since,
            until: None,
        })
    }
}

fn of_sign_in(moment: &Moment) -> Verdict {
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
    }
}

/// Returns what a moment changed about an alarm.
fn change(old: &Track, new: &Track, has_lapsed: bool) -> Option<Change> {
    let (what, level) = match (old.level, new.level) {
        (None, Some(level)) => (What::Began, level),
        (Some(level), None) if has_lapsed => (What::Lapsed, level),
        (Some(level), None) => (What::Ended, level),
        (Some(before), Some(level)) if level > before => (What::Rose, level),
        (Some(before), Some(level)) if level < before => (What::Fell, level),
        _ => return None,
    };
    let is_over = new.level.is_none();
    let told_of = if is_over { old } else { new };
    Some(Change {
        kind: new.kind,
        level,
        what,
        cause: told_of.cause,
        since: told_of.since,
    })
}
