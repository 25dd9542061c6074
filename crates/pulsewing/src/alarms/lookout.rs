//! The alarms of one wearer, shared by the update loop, the clock and the faces.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use pulsewing_core::{
    alarm::{Active, Alarms, Kind, Level, Limits, Moment, News, Outcome, Signal, Trouble, Unseen},
    civil::Offsets,
};

use super::{AlarmFile, AlarmLog, Entry, LeftRequest, Request, Told};
use crate::{config::places::Place, tell::console::Console};

/// What is shown of alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The alarms that are active, what matters most first.
    pub active: Vec<Active>,
    /// High and low rates that are over, and that nobody has looked at.
    pub unseen: Vec<(Kind, Unseen)>,
}

impl Shown {
    /// Returns what is to be shown of these alarms.
    pub(crate) fn of(alarms: &Alarms) -> Self {
        let rates = [Kind::High, Kind::Low].into_iter();
        let unseen = rates.filter_map(|kind| Some((kind, alarms.unseen(kind)?)));
        Self {
            active: alarms.active().collect(),
            unseen: unseen.collect(),
        }
    }
}

/// The alarms of one wearer whom this process polls. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Lookout {
    kept: Arc<Mutex<Kept>>,
    requests: LeftRequest,
}

#[derive(Debug)]
struct Kept {
    alarms: Alarms,
    file: AlarmFile,
    /// The bytes of the record that were last written.
    saved: Vec<u8>,
    log: AlarmLog,
    /// Whether the last write failed.
    cannot_write: bool,
    console: Console,
}

impl Lookout {
    /// Takes over the alarms of a wearer. A record that cannot be used is reported, and everything begins
    /// anew: what still holds is found and told again.
    pub(crate) fn open(place: &Place, limits: Limits, now: Timestamp, console: Console) -> Self {
        let file = AlarmFile::new(&place.dir);
        let alarms = file.load(limits).unwrap_or_else(|error| {
            console.warn(&format!(
                "{error} ({}); what still holds is told again",
                file.path().display()
            ));
            Alarms::new(limits)
        });
        let log = AlarmLog::new(&place.dir);
        if let Err(error) = log.tidy(now) {
            console.warn(&format!("the log of alarms could not be read: {error}"));
        }
        let kept = Kept {
            alarms,
            file,
            saved: Vec::new(),
            log,
            cannot_write: false,
            console,
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
            requests: LeftRequest::new(&place.dir),
        }
    }

    /// Goes on to a moment; `news` is what an update or a live source has just brought. Returns what to
    /// tell people. By then it is written down, so that a restart does not tell it again.
    pub(crate) fn advance(
        &self,
        moment: &Moment,
        news: Option<&News<'_>>,
        offsets: &Offsets,
    ) -> Vec<Told> {
        let mut kept = self.kept();
        let own = kept.cannot_write.then_some(Trouble::NothingWritten);
        let moment = Moment {
            trouble: moment.trouble.or(own),
            ..*moment
        };
        let now = moment.now.utc;
        let Outcome { signals, changes } = kept.alarms.advance(&moment, news);
        let changes = changes
            .iter()
            .map(|change| Entry::of_change(change, offsets, now));
        let entries = signals
            .iter()
            .map(|signal| Entry::of_signal(signal, offsets, now));
        let entries: Vec<Entry> = changes.chain(entries).collect();
        kept.write(&entries);
        let signals = signals.into_iter();
        signals
            .map(|signal| Told::new(signal, offsets, now))
            .collect()
    }

    /// Does what a person wants. Returns what to tell those who were told of an alarm before.
    pub(crate) fn obey(
        &self,
        request: &Request,
        offsets: &Offsets,
        now: Timestamp,
    ) -> Option<Told> {
        let mut kept = self.kept();
        let signal = match *request {
            Request::Snooze { kind, up_to, until } => {
                let until = kept.alarms.snooze(kind, Some(up_to), until, now);
                let level = kept.level(kind).unwrap_or(up_to);
                let clock = offsets.local(until);
                let entry = Entry {
                    at: now,
                    kind: kind.to_string(),
                    level: level.to_string(),
                    what: "snoozed".to_owned(),
                    sentence: format!(
                        "No signals until {:02}:{:02}.",
                        clock.hour(),
                        clock.minute()
                    ),
                    bpm: None,
                    limit: None,
                    measured_at: None,
                    since: now,
                };
                kept.write(&[entry]);
                None
            }
            Request::Acknowledge { kind } => {
                let signal = kept.alarms.acknowledge(kind);
                kept.write_signal(signal.as_ref(), offsets, now);
                signal
            }
            Request::Look => {
                kept.alarms.look();
                kept.write(&[]);
                None
            }
        };
        signal.map(|signal| Told::new(signal, offsets, now))
    }

    /// Does what another process has left to do, if anything.
    pub(crate) fn obey_left(&self, offsets: &Offsets, now: Timestamp) -> Option<Told> {
        if !self.requests.is_there() {
            return None;
        }
        let read = self.requests.read();
        let told = match read {
            Ok(request) => request.and_then(|request| self.obey(&request, offsets, now)),
            Err(error) => {
                let console = self.kept().console;
                console.warn(&format!(
                    "a request about alarms could not be read: {error}"
                ));
                None
            }
        };
        if let Err(error) = self.requests.clear() {
            let console = self.kept().console;
            console.warn(&format!(
                "a request about alarms could not be removed: {error}"
            ));
        }
        told
    }

    /// Returns what is to be shown.
    pub(crate) fn shown(&self) -> Shown {
        Shown::of(&self.kept().alarms)
    }

    /// Returns the limits.
    pub(crate) fn limits(&self) -> Limits {
        *self.kept().alarms.limits()
    }

    /// Returns the log.
    pub(crate) fn log(&self) -> AlarmLog {
        self.kept().log.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Whatever panicked did not leave half a change: each is one call of the core's.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn level(&self, kind: Kind) -> Option<Level> {
        let mut active = self.alarms.active();
        active.find(|alarm| alarm.kind == kind).map(|it| it.level)
    }

    fn write_signal(&mut self, signal: Option<&Signal>, offsets: &Offsets, now: Timestamp) {
        let entry = signal.map(|signal| Entry::of_signal(signal, offsets, now));
        self.write(entry.as_slice());
    }

    /// Writes the record and the log. An error is reported once, and is an alarm itself.
    fn write(&mut self, entries: &[Entry]) {
        let written = self
            .file
            .save(&self.alarms, &mut self.saved)
            .and_then(|()| self.log.add(entries));
        if let Err(error) = &written
            && !self.cannot_write
        {
            self.console.warn(&format!(
                "the alarms could not be written to {}: {error}",
                self.file.path().display()
            ));
        }
        self.cannot_write = written.is_err();
    }
}
