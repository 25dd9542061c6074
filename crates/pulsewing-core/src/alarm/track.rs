//! What is known of one kind of alarm, and when it may speak.

use jiff::{SignedDuration, Timestamp};

use super::{Cause, Event, Kind, Level, Limits, Mute, Signal};
use crate::instant::later;

/// The number of repeats of an alarm that nobody reacts to. After these it is only shown.
const REPEATS: u8 = 6;

/// The longest time between signals of one kind, and the calm after which the next alarm counts as the
/// first one again.
const CALM: SignedDuration = SignedDuration::from_hours(1);

/// The longest snooze.
const SNOOZE: SignedDuration = SignedDuration::from_hours(12);

/// The longest snooze of [`Kind::Stale`]: silence is what hides everything else.
const SNOOZE_STALE: SignedDuration = SignedDuration::from_hours(2);

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does.
    Holds {
        level: Level,
        cause: Cause,
        since: Timestamp,
    },
    /// It does not.
    Over(Option<End>),
    /// Nothing is known: it stays as it is.
    Unknown,
}

/// How a condition of the heart rate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The rate that is inside the limit again.
    pub(super) back: Cause,
    /// The most extreme rate before.
    pub(super) extreme: Cause,
    /// The last minute beyond the limit.
    pub(super) until: Timestamp,
}

/// The signals so far: how soon the next may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// The last signal.
    pub(super) told_at: Option<Timestamp>,
    /// The number of signals since it was last calm.
    pub(super) count: u8,
}

impl Pace {
    const NEW: Self = Self {
        told_at: None,
        count: 0,
    };

    /// Returns whether the next signal may come: 10, 20, 40, 60, 60... minutes after the one before.
    fn allows(&self, limits: &Limits, now: Timestamp) -> bool {
        let Some(told_at) = self.told_at else {
            return true;
        };
        let doubled = u32::from(self.count.saturating_sub(1)).min(6);
        let wait = limits.repeat.saturating_mul(1 << doubled).min(CALM);
        now.duration_since(told_at) >= wait
    }

    const fn note(&mut self, now: Timestamp) {
        self.told_at = Some(now);
        self.count = self.count.saturating_add(1);
    }

    /// Begins anew if the last signal was long ago.
    fn calm_down(&mut self, now: Timestamp) {
        if self
            .told_at
            .is_some_and(|at| now.duration_since(at) >= CALM)
        {
            *self = Self::NEW;
        }
    }
}

/// What waits for the end of the quiet hours: an alarm that ended in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// [`Event::Cleared`] for people who were told of the alarm, else [`Event::Past`].
    pub(super) event: Event,
    pub(super) level: Level,
    pub(super) cause: Cause,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

/// What is known of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) kind: Kind,
    /// The level at which the condition holds.
    pub(super) level: Option<Level>,
    /// The highest level since it began to.
    pub(super) worst: Level,
    pub(super) cause: Cause,
    pub(super) since: Timestamp,
    /// The highest level that people were told of since then.
    pub(super) told: Option<Level>,
    /// The level that people believe it to have: what they were told, unless it has fallen since.
    pub(super) heard: Option<Level>,
    pub(super) repeats: u8,
    /// The pace of all signals, and that of the urgent ones, which nothing less holds back.
    pub(super) pace: Pace,
    pub(super) urgent_pace: Pace,
    pub(super) mute: Option<Mute>,
    /// Whether a snooze ended, so that a signal is due at once.
    pub(super) has_woken: bool,
    /// Whether the quiet hours hide it.
    pub(super) is_hidden: bool,
    pub(super) held: Option<Held>,
    /// When the condition ceased to hold.
    pub(super) over_at: Option<Timestamp>,
}

impl Track {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            level: None,
            worst: Level::Info,
            cause: Cause::SignInEnded,
            since: Timestamp::UNIX_EPOCH,
            told: None,
            heard: None,
            repeats: 0,
            pace: Pace::NEW,
            urgent_pace: Pace::NEW,
            mute: None,
            has_woken: false,
            is_hidden: false,
            held: None,
            over_at: None,
        }
    }

    /// Takes a verdict. Returns the level before.
    pub(super) fn take(&mut self, verdict: Verdict, now: Timestamp) -> Option<Level> {
        let before = self.level;
        match verdict {
            Verdict::Unknown => {}
            Verdict::Holds {
                level,
                cause,
                since,
            } => {
                if before.is_none() {
                    self.begin(since);
                }
                self.level = Some(level);
                self.heard = self.heard.map(|heard| heard.min(level));
                self.worst = self.worst.max(level);
                self.cause = cause;
            }
            Verdict::Over(end) => {
                if before.is_some() {
                    self.end(end, now);
                }
            }
        }
        let is_calm = self.over_at.is_none_or(|at| now.duration_since(at) >= CALM);
        if self.level.is_none() && is_calm {
            self.pace.calm_down(now);
            self.urgent_pace.calm_down(now);
        }
        before
    }

    fn begin(&mut self, since: Timestamp) {
        self.since = since;
        self.worst = Level::Info;
        self.repeats = 0;
        self.told = None;
        self.heard = None;
        // An end that nobody has heard of is none: the alarm goes on.
        if let Some(held) = self.held.take_if(|held| held.event == Event::Cleared) {
            self.told = Some(held.level);
            self.heard = Some(held.level);
            self.since = held.since;
        }
    }

    fn end(&mut self, end: Option<End>, now: Timestamp) {
        let until = end.map_or(now, |end| end.until);
        let held = match self.told {
            Some(level) => Some(Held {
                event: Event::Cleared,
                level,
                cause: end.map_or(self.cause, |end| end.back),
                since: self.since,
                until,
            }),
            // Whoever has said that it is known need not hear of what they were not told.
            None if self.mute.is_some() => None,
            None => Some(Held {
                event: Event::Past,
                level: if self.is_hidden {
                    self.worst
                } else {
                    Level::Info
                },
                cause: end.map_or(self.cause, |end| end.extreme),
                since: self.since,
                until,
            }),
        };
        if let Some(held) = held {
            self.hold(held);
        }
        self.drop_alarm(now);
    }

    /// Ends an alarm without a word.
    pub(super) fn drop_alarm(&mut self, now: Timestamp) {
        self.level = None;
        self.told = None;
        self.heard = None;
        self.has_woken = false;
        self.is_hidden = false;
        self.over_at = Some(now);
        if let Some(Mute::Acknowledged { .. }) = self.mute {
            self.mute = None;
        }
    }

    /// Keeps what is over until it can be told. Of several, people hear once.
    pub(super) fn hold(&mut self, over: Held) {
        self.held = Some(match self.held {
            Some(held) if held.event == Event::Past => Held {
                since: held.since.min(over.since),
                level: held.level.max(over.level),
                ..over
            },
            _ => over,
        });
    }

    /// Returns the signal that is due, if any. `may_tell` is whether an alarm that holds can be spoken of:
    /// of a heart rate, while it is fresh.
    pub(super) fn speak(
        &mut self,
        limits: &Limits,
        is_quiet: bool,
        may_tell: bool,
        now: Timestamp,
    ) -> Option<Signal> {
        if let Some(Mute::Snoozed { until, .. }) = self.mute
            && until <= now
        {
            self.mute = None;
            self.has_woken = self.level.is_some();
        }
        let Some(level) = self.level else {
            return self.speak_of_past(limits, is_quiet, now);
        };
        if let Some(mute) = self.mute {
            if level <= mute.up_to() {
                return None;
            }
            self.mute = None;
        }
        if is_quiet && level < Level::Urgent {
            self.is_hidden = self.told.is_none();
            return None;
        }
        if !may_tell {
            return None;
        }
        let pace = match level {
            Level::Urgent => &self.urgent_pace,
            _ => &self.pace,
        };
        let allowed = self.has_woken || pace.allows(limits, now);
        let event = match self.heard {
            Some(heard) if heard >= level => Event::Repeated,
            _ => Event::Raised,
        };
        if event == Event::Repeated {
            if !self.has_woken && self.repeats >= REPEATS {
                return None;
            }
        } else {
            self.repeats = 0;
        }
        if !allowed {
            return None;
        }
        if event == Event::Repeated {
            self.repeats = match self.has_woken {
                true => 0,
                false => self.repeats.saturating_add(1),
            };
        }
        self.has_woken = false;
        self.is_hidden = false;
        self.held = None;
        self.told = self.told.max(Some(level));
        self.heard = Some(level);
        self.pace.note(now);
        if level == Level::Urgent {
            self.urgent_pace.note(now);
        }
        Some(Signal {
            kind: self.kind,
            level,
            event,
            cause: self.cause,
            since: self.since,
            until: None,
        })
    }

    fn speak_of_past(&mut self, limits: &Limits, is_quiet: bool, now: Timestamp) -> Option<Signal> {
        let held = self.held?;
        if is_quiet {
            return None;
        }
        // An end is told to whoever knows of the beginning; what is only past waits for its turn.
        if held.event == Event::Past {
            if !self.pace.allows(limits, now) {
                return None;
            }
            self.pace.note(now);
        }
        self.held = None;
        Some(Signal {
            kind: self.kind,
            level: held.level,
            event: held.event,
            cause: held.cause,
            since: held.since,
            until: Some(held.until),
        })
    }

    /// Stops signals until `until` at the latest, for the present level or the lowest. Returns when it
    /// ends.
    pub(super) fn snooze(&mut self, up_to: Level, until: Timestamp, now: Timestamp) -> Timestamp {
        let longest = match self.kind {
            Kind::Stale => SNOOZE_STALE,
            _ => SNOOZE,
        };
        let until = until.min(later(now, longest).unwrap_or(until)).max(now);
        self.mute = Some(Mute::Snoozed { up_to, until });
        self.has_woken = false;
        until
    }

    /// Moves what waits for a time, because the clock was set back by `by`, a negative duration.
    pub(super) fn shift(&mut self, by: SignedDuration) {
        let shift = |at: &mut Timestamp| *at = later(*at, by).unwrap_or(*at);
        let times = [
            &mut self.pace.told_at,
            &mut self.urgent_pace.told_at,
            &mut self.over_at,
        ];
        times.into_iter().flatten().for_each(shift);
        if let Some(Mute::Snoozed { until, .. }) = &mut self.mute {
            shift(until);
        }
    }
}
