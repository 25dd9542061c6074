//! The alarms: has the core's machine go on, and shows, sounds and keeps what follows.
//!
//! The rules are the core's, as on a host: see [`pulsewing_core::alarm`]. The app loop passes what each
//! cycle brought, finished or failed, and writes the record; [`run`] passes the minutes of the clock. As
//! long as the board does not know the time nothing has an age, so nothing is judged.

mod record;
mod shown;

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};

use embassy_futures::select::select;
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, signal::Signal as Wake};
use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    alarm::{Alarms, Kind, Level, Moment, Mute, News, Outcome, SignIn, Trouble, Updates},
    civil::Offsets,
    cycle::{Failure, FailureKind, Now},
    instant::later,
};

pub(crate) use self::{
    record::Record,
    shown::{Shown, Summary},
};
use crate::{
    configuration,
    ports::{Board, Clock},
    shared::{Facts, Shared},
};

/// How often the alarms look at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// After a start the first update is on its way for so long at most. Until it has ended, the clock
/// alone raises nothing: a board that was without power has nothing new, and that is no news.
const FIRST_UPDATE: Duration = Duration::from_secs(15 * 60);

/// How long a press of the button silences an alarm.
const SNOOZE: SignedDuration = SignedDuration::from_mins(30);

/// The alarms, as the parts of the device share them.
pub(crate) struct Watch {
    alarms: RefCell<Alarms>,
    /// Whether a restart has to know something that is not written yet.
    is_unwritten: Cell<bool>,
    /// Whether the last write failed.
    cannot_write: Cell<bool>,
    /// Wakes [`run`].
    wake: Wake<NoopRawMutex, ()>,
}

impl Watch {
    pub(crate) const fn new(alarms: Alarms) -> Self {
        Self {
            alarms: RefCell::new(alarms),
            is_unwritten: Cell::new(false),
            cannot_write: Cell::new(false),
            wake: Wake::new(),
        }
    }

    /// Has a look at the clock and the settings now.
    pub(crate) fn look_now(&self) {
        self.wake.signal(());
    }

    /// Returns the end of the snooze that ends first, if there is one.
    fn wakes_at(&self) -> Option<Timestamp> {
        let alarms = self.alarms.borrow();
        let ends = Kind::ALL.map(|kind| match alarms.mute(kind) {
            Some(Mute::Snoozed { until, .. }) => Some(until),
            Some(Mute::Acknowledged { .. }) | None => None,
        });
        ends.into_iter().flatten().min()
    }

    /// Returns the kind that a press of the button is about: the one on the picture, or else one that
    /// only sounds. What makes no sound needs no silence.
    fn loud(&self) -> Option<(Kind, Level)> {
        let alarms = self.alarms.borrow();
        let shown = shown::loudest(&alarms, true);
        let loud = shown.or_else(|| shown::loudest(&alarms, false));
        loud.filter(|alarm| alarm.level > Level::Info)
            .map(|alarm| (alarm.kind, alarm.level))
    }

    /// Returns whether a press of the button would silence something.
    pub(crate) fn is_loud(&self) -> bool {
        self.loud().is_some()
    }
}

/// Notes that something happened that outlives a restart, and shows it.
fn note_change<B: Board>(shared: &Shared<'_, B>) {
    shared.watch.is_unwritten.set(true);
    shared.watch.look_now();
    // The app loop writes it.
    shared.requests.any.signal(());
    shared.redraw.signal(());
}

/// What a press of the button says to the alarm that is loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Quiet for a while.
    Snooze,
    /// Seen: quiet until it is over.
    Acknowledge,
}

/// Says something to the alarm that is loud, if there is one.
pub(crate) fn say<B: Board>(shared: &Shared<'_, B>, word: Word) {
    let watch = &shared.watch;
    let (Some((kind, level)), Some(now)) = (watch.loud(), shared.clock.utc()) else {
        return;
    };
    match word {
        Word::Snooze => {
            let until = later(now, SNOOZE).unwrap_or(now);
            let until = watch
                .alarms
                .borrow_mut()
                .snooze(kind, Some(level), until, now);
            let clock = offsets(shared, now).local(until);
            shared.serial_queue.log(format_args!(
                "alarm: {kind} is quiet until {:02}:{:02}",
                clock.hour(),
                clock.minute()
            ));
        }
        Word::Acknowledge => {
            // Nobody else was told of it, so nobody else hears this.
            let _ = watch.alarms.borrow_mut().acknowledge(kind);
            shared
                .serial_queue
                .log(format_args!("alarm: {kind} is quiet until it is over"));
        }
    }
    note_change(shared);
}

/// Notes that somebody has looked at the picture: what is over and was shown has been seen.
pub(crate) fn looked<B: Board>(shared: &Shared<'_, B>) {
    let watch = &shared.watch;
    let has_unseen = {
        let alarms = watch.alarms.borrow();
        alarms.unseen(Kind::High).is_some() || alarms.unseen(Kind::Low).is_some()
    };
    if has_unseen {
        watch.alarms.borrow_mut().look();
        note_change(shared);
    }
}

/// Goes on to the present moment. `news` is what a cycle has just brought.
// A function of its own: its locals are large, and not those of the futures that call it.
#[inline(never)]
pub(crate) fn go_on<B: Board>(shared: &Shared<'_, B>, news: Option<&News<'_>>) {
    let watch = &shared.watch;
    let Some(utc) = shared.clock.utc() else {
        return;
    };
    let offsets = offsets(shared, utc);
    let moment = {
        let facts = shared.facts.borrow();
        let own = watch.cannot_write.get().then_some(Trouble::NothingWritten);
        Moment {
            now: Now {
                utc,
                up: shared.clock.up(),
            },
            time_of_day: offsets.local(utc).time(),
            sign_in: sign_in(&facts),
            updates: updates(&facts),
            trouble: match facts.has_store_failed {
                true => Some(Trouble::TokensNotStored),
                false => own,
            },
        }
    };
    let (limits, has_piezo) = {
        let settings = shared.settings.borrow();
        (settings.limits, settings.has_piezo)
    };
    let Outcome { signals, changes } = {
        let mut alarms = watch.alarms.borrow_mut();
        alarms.set_limits(limits);
        alarms.advance(&moment, news)
    };
    if signals.is_empty() && changes.is_empty() {
        return;
    }
    // Written a moment later: the power may go in between, and then people hear of it twice.
    note_change(shared);
    for signal in &signals {
        let sentence = signal.sentence(&offsets, utc);
        shared
            .serial_queue
            .log(format_args!("alarm: {}: {sentence}", signal.heading()));
    }
    // What matters most is first. One melody is enough.
    let mut melodies = signals.iter().map(|signal| signal.melody());
    if has_piezo && let Some(melody) = melodies.find(|melody| !melody.is_empty()) {
        shared.sound.play(melody);
    }
}

/// Looks at the clock, forever. It waits for no port, so it cannot hang.
pub(crate) async fn run<B: Board>(shared: &Shared<'_, B>) -> ! {
    loop {
        let has_ended = shared.facts.borrow().ended.is_some();
        if has_ended || shared.clock.up() >= FIRST_UPDATE {
            go_on(shared, None);
        }
        let next = shared.after(until_next_look(shared));
        select(shared.watch.wake.wait(), shared.clock.sleep_until(next)).await;
    }
}

/// Returns how long until the next look: a minute, or until a snooze ends.
fn until_next_look<B: Board>(shared: &Shared<'_, B>) -> Duration {
    let ends_in = || {
        let (now, at) = (shared.clock.utc()?, shared.watch.wakes_at()?);
        // What ended without an alarm is forgotten when there is the next one.
        Duration::try_from(at.duration_since(now))
            .ok()
            .filter(|wait| !wait.is_zero())
    };
    ends_in().map_or(LOOK_EVERY, |wait| wait.min(LOOK_EVERY))
}

/// Returns the offsets of the wearer's clock around an instant.
pub(crate) fn offsets<B: Board>(shared: &Shared<'_, B>, at: Timestamp) -> Offsets {
    match &*shared.reading.borrow() {
        Some(reading) => reading.time_zone.offsets.clone(),
        None => configuration::zone(&shared.settings.borrow(), at).offsets,
    }
}

/// Returns what the last cycle found out about the sign-in.
fn sign_in(facts: &Facts) -> SignIn {
    match facts.ended {
        None => SignIn::Unknown,
        Some(Err(Failure::NoChain | Failure::ForeignChain | Failure::ChainMoved)) => SignIn::New,
        Some(Err(failure))
            if matches!(
                failure.kind(),
                FailureKind::ConsentNeeded | FailureKind::Gone
            ) =>
        {
            SignIn::Ended
        }
        Some(_) => SignIn::Works {
            ends: facts.chain.and_then(|chain| chain.ends),
        },
    }
}

/// Returns how the cycles since the start went.
fn updates(facts: &Facts) -> Updates {
    match (facts.ended, facts.failing_since) {
        (None, _) => Updates::Unknown,
        (Some(Err(_)), Some(since)) => Updates::Fail { since },
        (Some(_), _) => Updates::Succeed,
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::at;

    use super::*;

    fn facts(ended: Option<Result<(), Failure>>) -> Facts {
        Facts {
            ended,
            failing_since: Some(at("2026-11-22T12:00:00Z")),
            ..Facts::default()
        }
    }

    #[test]
    fn before_the_first_cycle_has_ended_nothing_is_known() {
        let facts = facts(None);
        assert_eq!(sign_in(&facts), SignIn::Unknown);
        assert_eq!(updates(&facts), Updates::Unknown);
    }

    #[test]
    fn a_board_that_nobody_signed_in_is_new_and_a_refusal_is_an_end() {
        let since = at("2026-11-22T12:00:00Z");
        for (failure, expected) in [
            (Failure::NoChain, SignIn::New),
            (Failure::ChainMoved, SignIn::New),
            (Failure::Gone, SignIn::Ended),
            (Failure::OutOfTime, SignIn::Works { ends: None }),
        ] {
            let facts = facts(Some(Err(failure)));
            assert_eq!(sign_in(&facts), expected, "{failure}");
            assert_eq!(updates(&facts), Updates::Fail { since });
        }
        let facts = facts(Some(Ok(())));
        assert_eq!(sign_in(&facts), SignIn::Works { ends: None });
        assert_eq!(updates(&facts), Updates::Succeed);
    }
}
