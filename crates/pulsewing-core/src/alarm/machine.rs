//! The alarms of one wearer, driven from moment to moment.

use core::time::Duration;

use heapless::Vec;
use jiff::{SignedDuration, Timestamp};

use super::{
    Active, Change, Event, KINDS, Kind, Level, Limits, Moment, Mute, News, Outcome, Signal, Unseen,
    What,
    judge::of_sign_in,
    rate::{self, Episode, Side},
    track::Track,
};
use crate::{cycle::Now, day::Sample, instant::later};

/// The time for which what is over waits for somebody to look.
const UNSEEN: SignedDuration = SignedDuration::from_hours(24);

/// A clock that moves by more than this apart from the other one was set, or the machine slept.
const JUMP: SignedDuration = SignedDuration::from_mins(1);

/// A clock that was set back by this much is worth telling of.
const SET_BACK: SignedDuration = SignedDuration::from_mins(10);

/// The alarms of one wearer. See [the module](super).
#[derive(Clone, Debug)]
pub struct Alarms {
    pub(super) limits: Limits,
    pub(super) tracks: [Track; KINDS],
    pub(super) high: Side,
    pub(super) low: Side,
    pub(super) unseen: [Option<Unseen>; 2],
    /// The newest minute that was judged.
    pub(super) judged_until: Option<Timestamp>,
    /// The newest minute that is known.
    pub(super) newest: Option<Sample>,
    /// When waiting for the first minute began.
    pub(super) waiting_since: Option<Timestamp>,
    pub(super) battery_percent: Option<u8>,
    pub(super) last_sync: Option<Timestamp>,
    pub(super) latest: Vec<Sample, { rate::LATEST }>,
    /// The moment before.
    pub(super) before: Option<Now>,
    /// When a clock jumped, until an update has come since.
    pub(super) jumped_at: Option<Duration>,
    /// When the clock was set back.
    pub(super) set_back_at: Option<Duration>,
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
        for unseen in &mut self.unseen {
            unseen.take_if(|it| now.duration_since(it.until) >= UNSEEN);
        }
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
            let limits = self.limits;
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
            let may_tell = self.may_tell(kind, now);
            let track = self.track_mut(kind);
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

    pub(super) const fn side(&self, kind: Kind) -> &Side {
        match kind {
            Kind::Low => &self.low,
            _ => &self.high,
        }
    }

    pub(super) fn track_mut(&mut self, kind: Kind) -> &mut Track {
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

    pub(super) const fn track(&self, kind: Kind) -> &Track {
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
                    told_at: track.told.and(track.pace.told_at),
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

    /// Returns the high or low rates that are over since less than a day, and that nobody has looked at.
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
