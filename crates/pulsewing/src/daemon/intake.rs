//! The intake: samples that programs push for a wearer, over HTTP or as messages.
//!
//! [`accept`] is the one way in. It decodes a body, keeps its samples by minutes, and publishes the newest
//! as live. A minute is written into the history when it is complete: of an earlier time at once, before
//! the answer; the present one ten seconds after its end, by [`Intake::run`]. What a stop finds
//! unfinished is in `live.json` until the next start.
//!
//! Views hear of a live sample at most once in [`SHOWN_EVERY`]: neither a panel nor a page has to draw
//! each heart beat.

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io,
    io::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pulsewing_core::{
    cycle::Now,
    day::{Day, Sample, Window},
    dialect::ZoneFacts,
    heart_zone::HeartZones,
    reading::Reading,
};
use pulsewing_files::{Replacement, private, regular_file};
use pulsewing_history::{HistoryError, HistoryWriter, Kind};
use pulsewing_intake::{
    Added, Averages, Format, LiveSample, Malformed, Reason, Refused, SourceName, decode,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::{Broadcast, Members, Snapshot, pushed::Live, update_loop::zone_of};
use crate::{
    config::wearer::{WearerConfig, WearerId},
    engine::zone,
};

/// The number of sources of a wearer since the start.
pub(crate) const MOST_SOURCES: usize = 16;

/// The number of calls of a source within a minute: one a second, and as many again for what was missed.
const CALLS_A_MINUTE: usize = 120;

/// The shortest time between two pictures of a live rate.
pub(crate) const SHOWN_EVERY: Duration = Duration::from_secs(3);

/// The time after which minutes that could not be written are tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The number of minutes that alarms hear of.
const TOLD_MINUTES: usize = 180;

/// The file with the samples of unfinished minutes, in the wearer's directory.
const KEPT: &str = "live.json";

/// The size limit for reading that file, in bytes.
const MAX_KEPT: u64 = 16 << 20;

/// What became of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The number of samples that are new, or correct an earlier one.
    pub new: usize,
    /// The number of samples that were known.
    pub known: usize,
    /// The samples that were refused, by reasons.
    pub refused: Refused,
}

/// Why a body was not accepted. Nothing of it counts, except where it says otherwise.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAccepted {
    /// Nobody polls a wearer with this id.
    #[error("there is no such wearer")]
    NoWearer,
    /// It cannot be decoded.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The source sends too often.
    #[error("more than {CALLS_A_MINUTE} calls within a minute; send several samples in one call")]
    TooOften {
        /// The time after which the next call is accepted.
        retry_after: Duration,
    },
    /// There are too many sources.
    #[error("there are samples of {MOST_SOURCES} other sources since the start")]
    TooManySources,
    /// Its minutes could not be written into the history. They are tried again, and to send them again does
    /// no harm.
    #[error("the minutes could not be stored yet; send them again later")]
    NotStored,
}

/// Takes a body of samples that a source pushed for a wearer. The caller has authenticated the source.
///
/// HTTP and MQTT both call this; there is no other way in. It works on a thread of its own and does not
/// wait for updates.
///
/// # Errors
/// [`NotAccepted`].
pub(crate) async fn accept(
    members: &Members,
    wearer: &WearerId,
    source: SourceName,
    body: Vec<u8>,
    format: Format,
) -> Result<Accepted, NotAccepted> {
    let all = members.all();
    let member = all.iter().find(|member| member.wearer.id == *wearer);
    let intake = member.ok_or(NotAccepted::NoWearer)?.intake.clone();
    let accepted = tokio::task::spawn_blocking(move || intake.accept(&source, &body, format)).await;
    accepted.unwrap_or(Err(NotAccepted::NotStored))
}

/// The intake of one wearer. Clones share one.
#[derive(Clone, Debug)]
pub(crate) struct Intake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broadcast: Broadcast,
    time_zone: Option<String>,
    heart_zones: Option<HeartZones>,
    /// Also taken for the time from finding what is to be written until that is noted.
    writer: Mutex<HistoryWriter>,
    sources: Mutex<Sources>,
    /// Wakes [`Intake::run`].
    arrived: Notify,
    minutes: watch::Sender<Arc<[Sample]>>,
}

#[derive(Debug, Default)]
struct Sources {
    by_name: BTreeMap<SourceName, Source>,
    newest: Option<Live>,
    /// When the views last heard of a sample.
    shown: Option<Duration>,
    /// Whether samples of before the start are still in their file.
    has_kept: bool,
}

#[derive(Debug)]
struct Source {
    averages: Averages,
    /// When its last calls were, at most [`CALLS_A_MINUTE`].
    calls: VecDeque<Duration>,
    /// When it last sent something new.
    sent: Timestamp,
}

impl Intake {
    /// Builds the intake of a wearer, with what was pushed before the start.
    pub(crate) fn new(broadcast: Broadcast, wearer: &WearerConfig, writer: HistoryWriter) -> Self {
        let intake = Self(Arc::new(Inner {
            time_zone: wearer.time_zone.clone(),
            heart_zones: wearer.zones,
            writer: Mutex::new(writer),
            sources: Mutex::default(),
            arrived: Notify::new(),
            minutes: watch::Sender::new(Arc::new([])),
            broadcast,
        }));
        let now = intake.0.broadcast.now().utc;
        let minutes = intake.minutes_before(now).unwrap_or_default();
        if !minutes.is_empty() {
            let broadcast = &intake.0.broadcast;
            broadcast.change(|snapshot| snapshot.pushed.add(&minutes, now));
        }
        intake.take_up(now);
        intake
    }

    /// Returns the minutes that were completed since the start, oldest first: those that alarms may judge.
    /// The newest source's rate, at most the newest three hours.
    pub(crate) fn minutes(&self) -> watch::Receiver<Arc<[Sample]>> {
        self.0.minutes.subscribe()
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        // Whatever panicked, the samples are as they were.
        self.0
            .sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a body. Blocks for some milliseconds, and for two seconds while another process writes.
    fn accept(
        &self,
        source: &SourceName,
        body: &[u8],
        format: Format,
    ) -> Result<Accepted, NotAccepted> {
        let now = self.0.broadcast.now();
        self.sources().admit(source, now)?;
        let decoded = decode(body, format, now.utc)?;
        let accepted = self.sources().add(source, decoded.samples, now.utc);
        let accepted = accepted.with(decoded.refused);
        if accepted.new > 0 {
            self.publish(self.0.broadcast.now());
            self.0.arrived.notify_one();
        }
        // Also what an earlier call could not store.
        match self.store(now.utc) {
            true => Ok(accepted),
            false => Err(NotAccepted::NotStored),
        }
    }

    /// Publishes live samples while there are any, and completes minutes. Never returns.
    pub(crate) async fn run(&self) {
        // After a failure, such as of a full disk, it is not tried again at once.
        let mut not_before = Duration::ZERO;
        loop {
            let now = self.0.broadcast.now();
            let again = self.publish(now);
            let due = self.next_close().map(|due| {
                let wait = due.duration_since(now.utc).max(SignedDuration::ZERO);
                let due = now.up.saturating_add(wait.unsigned_abs());
                due.max(not_before)
            });
            if due.is_some_and(|due| due <= now.up) {
                let intake = self.clone();
                let stored = tokio::task::spawn_blocking(move || intake.store(now.utc)).await;
                if !stored.unwrap_or(false) {
                    not_before = now.up + TRY_AGAIN_AFTER;
                }
                continue;
            }
            match due.into_iter().chain(again).min() {
                None => self.0.arrived.notified().await,
                Some(until) => tokio::select! {
                    () = self.0.arrived.notified() => {}
                    () = self.0.broadcast.clock().sleep_until(until) => {}
                },
            }
        }
    }

    /// Returns when the next minute closes that is not in the history.
    fn next_close(&self) -> Option<Timestamp> {
        let sources = self.sources();
        let closing = sources.by_name.values();
        closing.filter_map(|it| it.averages.next_close()).min()
    }

    /// Shows the newest sample, unless that was done a moment ago, and takes it away when it is not live
    /// any more. Returns when to do so again.
    fn publish(&self, now: Now) -> Option<Duration> {
        let live = {
            let mut sources = self.sources();
            let newest = sources.newest.clone().filter(|it| it.is_live(now.utc));
            let since = sources.shown.map(|shown| now.up.saturating_sub(shown));
            match (&newest, since) {
                (Some(_), Some(since)) if since < SHOWN_EVERY => {
                    return Some(now.up + (SHOWN_EVERY - since));
                }
                (Some(_), _) => sources.shown = Some(now.up),
                // It was taken away.
                (None, None) => return None,
                (None, Some(_)) => sources.shown = None,
            }
            newest
        };
        if let Some(live) = &live
            && let Err(error) = live.tell(self.0.broadcast.place())
        {
            // Only a terminal beside the daemon lacks it.
            tracing::debug!("the live heart rate could not be told to others: {error}");
        }
        let again = live.is_some().then_some(now.up + SHOWN_EVERY);
        self.0.broadcast.change(|snapshot| {
            if live.is_some() && snapshot.reading.is_none() {
                snapshot.show(self.blank(snapshot, now.utc), None);
            }
            snapshot.pushed.live = live;
        });
        again
    }

    /// Writes the complete minutes into the history, and shows them. Returns whether all are written.
    fn store(&self, now: Timestamp) -> bool {
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = self.sources().closed(now);
        if closed.is_empty() {
            return true;
        }
        let snapshot = self.0.broadcast.snapshot();
        let zone = match snapshot.reading.as_deref() {
            Some(reading) => zone_of(reading),
            None => self.configured_zone(),
        };
        let mut are_written = true;
        let mut written: Vec<Sample> = Vec::new();
        for (source, minutes) in closed {
            if !writer.record_pushed(source.as_str(), &minutes, &zone, now) {
                are_written = false;
                continue;
            }
            if let Some(source) = self.sources().by_name.get_mut(&source) {
                source.averages.taken(&minutes);
            }
            written.extend(minutes);
        }
        if are_written && std::mem::take(&mut self.sources().has_kept) {
            // If this fails, the same samples are taken up again, which changes nothing.
            let _ = fs::remove_file(self.kept_path());
        }
        drop(writer);
        self.show(&written, now);
        are_written
    }

    /// Shows minutes that are in the history now, and tells the alarms.
    fn show(&self, written: &[Sample], now: Timestamp) {
        if written.is_empty() {
            return;
        }
        self.0.broadcast.change(|snapshot| {
            snapshot.pushed.add(written, now);
            let reading = match &snapshot.reading {
                Some(reading) => (**reading).clone(),
                None => self.blank(snapshot, now),
            };
            snapshot.show_again(reading);
        });
        self.0.minutes.send_modify(|told| {
            let known = told.iter().chain(written).map(|it| (it.at, it.bpm));
            let known: BTreeMap<_, _> = known.collect();
            let newest = known.len().saturating_sub(TOLD_MINUTES);
            let newest = known.into_iter().skip(newest);
            *told = newest.map(|(at, bpm)| Sample { at, bpm }).collect();
        });
    }

    /// Returns a reading without a minute, for a wearer of whom no cloud knows anything yet.
    fn blank(&self, snapshot: &Snapshot, now: Timestamp) -> Reading {
        let time_zone = zone::resolve(&ZoneFacts::default(), self.0.time_zone.as_deref(), now);
        Reading {
            provider: snapshot.provider,
            day: Day::new(time_zone.offsets.day_of(now)),
            time_zone,
            window: Window::ending_at(now),
            battery_percent: None,
            last_sync: None,
            resting: None,
            heart_zones: self.0.heart_zones.unwrap_or(HeartZones::PLAIN),
            fetched_at: now,
        }
    }

    fn configured_zone(&self) -> TimeZone {
        let configured = self.0.time_zone.as_deref();
        configured
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(TimeZone::system)
    }

    /// Reads the minutes that were pushed in the last day.
    fn minutes_before(&self, now: Timestamp) -> Option<Vec<Sample>> {
        let history = self.0.broadcast.place().history().ok()??;
        let today = TimeZone::UTC.to_datetime(now).date();
        let days = [
            today.yesterday().ok()?.yesterday().ok()?,
            today.tomorrow().ok()?,
        ];
        let mut minutes = Vec::new();
        let [from, to] = days;
        let each = |minute: pulsewing_history::Minute| {
            if minute.source.kind() == Kind::Push && minute.at <= now {
                minutes.push(Sample {
                    at: minute.at,
                    bpm: minute.bpm,
                });
            }
            Ok::<_, HistoryError>(())
        };
        history.minutes(from, to, each).ok()?;
        Some(minutes)
    }

    fn kept_path(&self) -> PathBuf {
        self.0.broadcast.place().dir.join(KEPT)
    }

    /// Keeps the samples of unfinished minutes for the next start.
    pub(crate) fn keep(&self) {
        let kept: Vec<Kept> = {
            let sources = self.sources();
            let all = sources.by_name.iter();
            all.flat_map(|(source, known)| {
                known.averages.untaken().map(|sample| Kept {
                    source: source.clone(),
                    at: sample.at,
                    bpm: sample.bpm.get(),
                })
            })
            .collect()
        };
        if kept.is_empty() {
            return;
        }
        let write = || {
            let text = serde_json::to_vec(&kept)?;
            private::make_dir(&self.0.broadcast.place().dir)?;
            Replacement::new(&self.kept_path())
                .durable()
                .private()
                .write(|file| file.write_all(&text))
        };
        if let Err(error) = write() {
            let error: io::Error = error;
            tracing::warn!("samples of an unfinished minute could not be kept: {error}");
        }
    }

    /// Takes up the samples that were kept at the last stop. A file that cannot be read has at most a
    /// minute of them, and is left out.
    fn take_up(&self, now: Timestamp) {
        let Ok(text) = regular_file::read(&self.kept_path(), MAX_KEPT) else {
            return;
        };
        let kept: Vec<Kept> = serde_json::from_slice(&text).unwrap_or_default();
        let mut sources = self.sources();
        sources.has_kept = true;
        for kept in kept {
            let bpm = pulsewing_core::Bpm::new(kept.bpm);
            let Some(bpm) = bpm.filter(|_| kept.at <= now) else {
                continue;
            };
            if let Some(source) = sources.source(&kept.source, kept.at) {
                source.averages.add(LiveSample { at: kept.at, bpm });
            }
        }
    }
}

/// A sample in `live.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    source: SourceName,
    at: Timestamp,
    bpm: u16,
}

impl Sources {
    /// Returns a source; `None` if it would be one too many.
    fn source(&mut self, name: &SourceName, now: Timestamp) -> Option<&mut Source> {
        if self.by_name.len() >= MOST_SOURCES && !self.by_name.contains_key(name) {
            return None;
        }
        let source = self.by_name.entry(name.clone());
        Some(source.or_insert_with(|| Source {
            averages: Averages::default(),
            calls: VecDeque::new(),
            sent: now,
        }))
    }

    /// Counts a call.
    fn admit(&mut self, name: &SourceName, now: Now) -> Result<(), NotAccepted> {
        let source = self.source(name, now.utc);
        let calls = &mut source.ok_or(NotAccepted::TooManySources)?.calls;
        while let Some(first) = calls.front()
            && now.up.saturating_sub(*first) >= Duration::from_secs(60)
        {
            calls.pop_front();
        }
        match calls.front() {
            Some(first) if calls.len() >= CALLS_A_MINUTE => Err(NotAccepted::TooOften {
                retry_after: Duration::from_secs(60).saturating_sub(now.up.saturating_sub(*first)),
            }),
            _ => {
                calls.push_back(now.up);
                Ok(())
            }
        }
    }

    /// Adds the samples of a call.
    fn add(&mut self, name: &SourceName, samples: Vec<LiveSample>, now: Timestamp) -> Accepted {
        let mut accepted = Accepted::default();
        let newest = self.newest.as_ref().map(|newest| newest.at);
        let Some(source) = self.source(name, now) else {
            return accepted;
        };
        let mut live: Option<Live> = None;
        for (place, sample) in (1..).zip(samples) {
            match source.averages.add(sample) {
                Added::Crowded => accepted.refused.count(Reason::Crowded, place),
                Added::Known => accepted.known += 1,
                Added::New => {
                    accepted.new += 1;
                    source.sent = now;
                    let at = sample.at.min(now);
                    let before = live.as_ref().map(|live| live.at).max(newest);
                    if before.is_none_or(|before| at >= before) {
                        live = Some(Live {
                            at,
                            bpm: sample.bpm,
                            source: name.clone(),
                        });
                    }
                }
            }
        }
        self.newest = live.or_else(|| self.newest.take());
        accepted
    }

    /// Returns the complete minutes of each source, the one that sent last at the end: it wins a minute.
    fn closed(&self, now: Timestamp) -> Vec<(SourceName, Vec<Sample>)> {
        let mut sources: Vec<_> = self.by_name.iter().collect();
        sources.sort_by_key(|(_, source)| source.sent);
        let closed = sources
            .into_iter()
            .map(|(name, source)| (name.clone(), source.averages.closed(now)));
        closed.filter(|(_, minutes)| !minutes.is_empty()).collect()
    }
}

impl Accepted {
    fn with(mut self, refused: Refused) -> Self {
        let crowded = std::mem::replace(&mut self.refused, refused);
        for (reason, count, first) in crowded.reasons() {
            for _ in 0..count {
                self.refused.count(reason, first);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
