//! The update loop. Each round runs a cycle, stores its reading, and fetches missing past days.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
#[cfg(feature = "sandbox")]
use pulsewing_core::day::Day;
use pulsewing_core::{chain::Stored, cycle::Failure, reading::Reading};
use pulsewing_history::{HistoryWriter, Retention};
use tokio::sync::watch;

use super::{
    Broadcast, Repair, Snapshot,
    remembered::{keep_last_known, last_reading},
    repair::{self, Knowledge},
    watch_alarms,
};
use crate::{
    alarms::Lookout,
    config::places::Place,
    engine::{Engine, stop::Stop},
    tell::problem::{Exit, Problem},
};

/// The pause between two past days: there is no hurry to catch up.
const BETWEEN_DAYS: Duration = Duration::from_secs(2);

/// The number of attempts for a past day that fails, until the next start.
const TRIES: u8 = 3;

/// The cycles, and the work after each of them.
#[derive(Debug)]
pub(crate) struct UpdateLoop {
    engine: Engine,
    history_writer: HistoryWriter,
    retention: Retention,
    broadcast: Broadcast,
    /// The number of failed fetches per day since the start.
    failed: BTreeMap<Date, u8>,
    /// The past days that were fetched since the start.
    fetched: BTreeSet<Date>,
}

impl UpdateLoop {
    /// Builds the loop around this engine. Publishes the remembered state at once; `any_change` is
    /// notified of changes.
    pub(crate) fn new(
        engine: Engine,
        place: Place,
        history_writer: HistoryWriter,
        retention: Retention,
        every: SignedDuration,
        any_change: watch::Sender<()>,
        lookout: Lookout,
    ) -> Self {
        let state = engine.state();
        let mut snapshot = Snapshot::new(engine.provider(), every);
        snapshot.alarms = lookout.shown().into();
        snapshot.is_from_memory = state.last_error.is_some();
        snapshot.last_update = state.last_update;
        snapshot.last_success = state.last_success;
        let last = last_reading(
            &place,
            state,
            engine.provider(),
            engine.configured_zone(),
            engine.clock().now().utc,
        );
        if let Some(last) = last {
            snapshot.show(last, place.history().ok().flatten().as_ref());
        }
        let broadcast = Broadcast::new(
            snapshot,
            engine.wake(),
            engine.clock().clone(),
            place,
            any_change,
            lookout,
        );
        Self {
            history_writer,
            retention,
            broadcast,
            engine,
            failed: BTreeMap::new(),
            fetched: BTreeSet::new(),
        }
    }

    /// Returns the broadcast of its state.
    pub(crate) const fn broadcast(&self) -> &Broadcast {
        &self.broadcast
    }

    /// Returns the engine.
    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Waits for the next cycle and runs it; stores its reading, and publishes the result.
    ///
    /// # Errors
    /// The reason why it failed, which is published as well; [`Exit::Interrupted`] when the program
    /// is to stop.
    pub(crate) async fn next(&mut self, stop: &Stop) -> Result<(), Problem> {
        let mut activity = self.engine.activity();
        let broadcast = self.broadcast.clone();
        let tell = async {
            while activity.changed().await.is_ok() {
                let activity = *activity.borrow_and_update();
                broadcast.change(|snapshot| snapshot.activity = activity);
            }
        };
        let result = tokio::select! {
            biased;
            result = self.engine.next_cycle(stop) => result,
            () = tell => return Err(Problem::failed("internal error: the update ended unexpectedly")),
        };
        if let Err(problem) = &result
            && problem.exit() == Exit::Interrupted
        {
            return result;
        }
        if let (Ok(()), Some(reading)) = (&result, self.engine.reading()) {
            self.history_writer
                .record(reading, self.engine.account().as_ref());
            self.log(reading);
        }
        self.tell(&result);
        watch_alarms::look(&self.broadcast, self.engine.cycle().news().as_ref());
        result
    }

    fn log(&self, reading: &Reading) {
        let now = self.engine.clock().now().utc;
        let bpm = reading.latest().map(|sample| sample.bpm.get());
        let age_min = reading.age(now).map(|age| age.as_mins());
        let next = self.engine.cycle().due();
        tracing::info!(bpm, age_min, next = %format_args!("{next:.0}"), "updated");
    }

    fn tell(&self, result: &Result<(), Problem>) {
        let engine = &self.engine;
        let state = engine.state();
        let shown = result.as_ref().ok().and_then(|()| self.shown());
        let history = self.broadcast.place().history().ok().flatten();
        self.broadcast.change(|snapshot| {
            snapshot.activity = engine.current_activity();
            snapshot.remember(state, engine.failure());
            let chain = engine.cycle().chain();
            snapshot.sign_in_ends = chain.and_then(Stored::refresh_expires_at);
            if let Some(shown) = shown {
                snapshot.show(shown, history.as_ref());
            }
        });
    }

    /// Returns the newest reading; after a day without data, with the last known values.
    fn shown(&self) -> Option<Reading> {
        let mut reading = self.engine.reading()?.clone();
        let before = self.broadcast.snapshot();
        let place = self.broadcast.place();
        keep_last_known(&mut reading, place, before.reading.as_deref());
        Some(reading)
    }

    /// Fetches the day before the reading's, without storing it: for a picture of the last 24 hours
    /// right after the first update. `None` if it cannot be fetched now.
    #[cfg(feature = "sandbox")]
    pub(crate) async fn day_before(&mut self, stop: &Stop) -> Option<Day> {
        let today = self.engine.reading()?.day.local().date();
        let fetched = self.engine.past_day(today.yesterday().ok()?, stop).await;
        Some(fetched.ok()??.day)
    }

    /// Fetches the past days that the history lacks, until none is left, a cycle is due, or an
    /// error occurs. The rest follows after the next cycle. Returns the number of days fetched.
    pub(crate) async fn repair(&mut self, stop: &Stop) -> usize {
        let days = self.missing_days();
        let total = days.len();
        let mut done = 0;
        let wake = self.engine.wake();
        for date in days {
            let progress = Some(Repair { done, total });
            self.broadcast.change(|snapshot| snapshot.repair = progress);
            let synced_at = self.synced_at();
            match self.engine.past_day(date, stop).await {
                Ok(None) => break,
                Ok(Some(day)) => {
                    if done == 0 && total > 1 {
                        tracing::info!(days = total, "fetching days missing from the history");
                    }
                    self.failed.remove(&date);
                    self.fetched.insert(date);
                    let account = self.engine.account();
                    self.history_writer
                        .record_past(&day, synced_at, account.as_ref());
                    done += 1;
                    if done == 1 {
                        // The newest comes first: the last 24 hours need it now.
                        self.show_again();
                    }
                    let minutes = day.day.logged_minutes();
                    tracing::info!(%date, minutes, done, total, "fetched a past day");
                }
                Err(failure) => {
                    tracing::warn!(%date, "a past day could not be fetched: {failure}");
                    *self.failed.entry(date).or_default() += 1;
                    if !matches!(failure, Failure::Rejected { .. }) {
                        break;
                    }
                }
            }
            let until = self.engine.clock().now().up + BETWEEN_DAYS;
            tokio::select! {
                () = stop.requested() => break,
                () = wake.notified() => {
                    // A user asked for an update: pass the wake-up on to the next cycle.
                    wake.notify_one();
                    break;
                }
                () = self.engine.clock().sleep_until(until) => {}
            }
        }
        self.broadcast.change(|snapshot| snapshot.repair = None);
        if done > 0 {
            // The last known minute may be on one of these days.
            self.show_again();
        }
        done
    }

    /// Shows the newest reading again, with what the history has learned.
    fn show_again(&self) {
        let Some(found) = self.shown() else {
            return;
        };
        let history = self.broadcast.place().history().ok().flatten();
        self.broadcast
            .change(|snapshot| snapshot.show(found, history.as_ref()));
    }

    fn missing_days(&self) -> Vec<Date> {
        let (Some(reading), Retention::Forever | Retention::Days(_)) =
            (self.engine.reading(), self.retention)
        else {
            return Vec::new();
        };
        let Some(history) = self.history_writer.history() else {
            return Vec::new();
        };
        let now = self.engine.clock().now().utc;
        let zone = zone_of(reading);
        let today = zone.to_datetime(now).date();
        let earliest = self.retention.earliest(today);
        let first = repair::first_to_ask(today, earliest);
        let Ok(mut asked) = history.asked_since(first) else {
            return Vec::new();
        };
        // Their stored data cannot be read: fetch them again, but only once.
        let unreadable = history.unreadable(first, today).unwrap_or_default();
        for date in unreadable {
            if !self.fetched.contains(&date) {
                asked.remove(&date);
            }
        }
        let mut days = repair::days_to_ask(&Knowledge {
            today,
            zone: &zone,
            synced_at: self.synced_at(),
            earliest,
            asked: &asked,
        });
        days.retain(|date| self.failed.get(date).is_none_or(|failed| *failed < TRIES));
        days
    }

    /// Returns the time of the tracker's last sync; the present if the cloud does not report it.
    fn synced_at(&self) -> Timestamp {
        let now = self.engine.clock().now().utc;
        let reading = self.engine.reading();
        reading.and_then(|reading| reading.last_sync).unwrap_or(now)
    }
}

/// Returns the zone of a reading with all its rules, or its offset if only that is known.
pub(crate) fn zone_of(reading: &Reading) -> TimeZone {
    let zone = &reading.time_zone;
    TimeZone::get(zone.name.as_str())
        .unwrap_or_else(|_| TimeZone::fixed(zone.offsets.at(reading.fetched_at)))
}
