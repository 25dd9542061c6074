//! Samples become minutes, and minutes days of the history.
//!
//! A minute's average is the mean of its samples, rounded half up. What is open is held in memory;
//! nothing is written before the file has ended, except where a file of many days runs on: then
//! the day that was opened first is written, inside the transaction that the file's end commits.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use pulsewing_core::{
    Bpm,
    civil::{LocalDay, MAX_DAY_MINUTES},
    day::Day,
    instant::latest_credible,
};

use super::{Failure, FileError, zone::day_of};
use crate::history::{Batch, History, Kind, Source, SourceDay};

/// How many days are open at once.
pub(crate) const OPEN_DAYS: usize = 64;

/// Gathers one file's samples.
pub(crate) struct Gather<'h> {
    zone: &'h TimeZone,
    fetched_at: Timestamp,
    /// The last second at which something can have been measured, since 1970.
    latest: i64,
    /// Taken by the batch, when the first day is written.
    history: Option<&'h mut History>,
    batch: Option<Batch<'h>>,
    sources: Vec<Source>,
    open: Vec<OpenDay>,
    /// The open day of the last sample.
    current: usize,
    closed: HashSet<(usize, i64)>,
    tally: Tally,
    dates: Vec<Date>,
}

/// How much a file held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Values that became part of a day.
    pub(crate) taken: u64,
    /// Values that are no heart rate, or have no time.
    pub(crate) refused: u64,
    /// Values that the tracker itself did not trust.
    pub(crate) doubtful: u64,
    /// Values that are later than now.
    pub(crate) future: u64,
}

struct OpenDay {
    source: usize,
    local: LocalDay,
    start: i64,
    /// The last sample: the same again is the same, not another.
    last: (i64, u32),
    minutes: Vec<Minute>,
}

/// The samples of a minute.
#[derive(Clone, Copy, Default)]
struct Minute {
    /// Thousandths of a beat per minute.
    sum: u64,
    count: u32,
}

impl Minute {
    fn mean(self) -> Option<Bpm> {
        let count = u64::from(self.count);
        let doubled = self.sum.saturating_mul(2).checked_add(1_000 * count)?;
        u16::try_from(doubled.checked_div(2_000 * count)?)
            .ok()
            .and_then(Bpm::new)
    }
}

impl<'h> Gather<'h> {
    pub(crate) fn new(history: &'h mut History, zone: &'h TimeZone, fetched_at: Timestamp) -> Self {
        Self {
            zone,
            fetched_at,
            latest: latest_credible(fetched_at).as_second(),
            history: Some(history),
            batch: None,
            sources: Vec::new(),
            open: Vec::new(),
            current: 0,
            closed: HashSet::new(),
            tally: Tally::default(),
            dates: Vec::new(),
        }
    }

    /// The number of a source among this file's, at most `limit` of them.
    pub(crate) fn source(
        &mut self,
        kind: Kind,
        device: &str,
        limit: usize,
    ) -> Result<usize, FileError> {
        let source = Source::with_device(kind, device);
        if let Some(known) = self.sources.iter().position(|known| *known == source) {
            return Ok(known);
        }
        if self.sources.len() >= limit {
            return Err(FileError::ManyDevices);
        }
        self.sources.push(source);
        Ok(self.sources.len() - 1)
    }

    pub(crate) const fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Takes a sample: at an instant, in seconds since 1970, a rate in thousandths of a beat per
    /// minute.
    #[inline]
    pub(crate) fn sample(&mut self, source: usize, at: i64, rate: u32) -> Result<(), Failure> {
        if !(500..u32::from(Bpm::MAX) * 1_000 + 500).contains(&rate) {
            self.tally.refused += 1;
            return Ok(());
        }
        if at > self.latest {
            self.tally.future += 1;
            return Ok(());
        }
        let fits = |open: &OpenDay| {
            open.source == source
                && usize::try_from((at - open.start).div_euclid(60))
                    .is_ok_and(|minute| minute < usize::from(open.local.minutes()))
        };
        if !self.open.get(self.current).is_some_and(fits) {
            self.current = match self.open.iter().position(fits) {
                Some(place) => place,
                None => self.open_day(source, at)?,
            };
        }
        let Some(day) = self.open.get_mut(self.current) else {
            return Ok(());
        };
        let minute = usize::try_from((at - day.start).div_euclid(60)).unwrap_or(usize::MAX);
        let Some(slot) = day.minutes.get_mut(minute) else {
            return Ok(());
        };
        self.tally.taken += 1;
        if day.last != (at, rate) {
            day.last = (at, rate);
            slot.sum = slot.sum.saturating_add(rate.into());
            slot.count = slot.count.saturating_add(1);
        }
        Ok(())
    }

    /// Takes a day's resting heart rate.
    pub(crate) fn resting(&mut self, source: usize, date: Date, bpm: Bpm) -> Result<(), Failure> {
        let noon = self.zone.to_ambiguous_timestamp(date.at(12, 0, 0, 0));
        let local = noon.compatible().ok().map(|noon| day_of(self.zone, noon));
        let Some(local) = local.filter(|local| local.date() == date) else {
            self.tally.refused += 1;
            return Ok(());
        };
        if local.start().as_second() > self.latest {
            self.tally.future += 1;
            return Ok(());
        }
        self.tally.taken += 1;
        self.write(source, Day::new(local), Some(bpm))
    }

    fn open_day(&mut self, source: usize, at: i64) -> Result<usize, Failure> {
        let at = Timestamp::from_second(at).map_err(|_| FileError::NotHeartRate)?;
        let local = day_of(self.zone, at);
        let start = local.start().as_second();
        if self.closed.contains(&(source, start)) {
            return Err(FileError::Disorder.into());
        }
        if self.open.len() >= OPEN_DAYS {
            let first = self.open.remove(0);
            self.closed.insert((first.source, first.start));
            self.close(&first)?;
        }
        self.open.push(OpenDay {
            source,
            local,
            start,
            last: (i64::MIN, 0),
            minutes: vec![Minute::default(); usize::from(MAX_DAY_MINUTES)],
        });
        Ok(self.open.len() - 1)
    }

    fn close(&mut self, open: &OpenDay) -> Result<(), Failure> {
        let mut day = Day::new(open.local);
        for (minute, samples) in (0..).zip(&open.minutes) {
            if let Some(bpm) = samples.mean() {
                day.record(minute, bpm);
            }
        }
        self.dates.push(open.local.date());
        self.write(open.source, day, None)
    }

    fn write(&mut self, source: usize, day: Day, resting: Option<Bpm>) -> Result<(), Failure> {
        if self.batch.is_none()
            && let Some(history) = self.history.take()
        {
            self.batch = Some(history.batch()?);
        }
        let Some((batch, source)) = self.batch.as_ref().zip(self.sources.get(source)) else {
            return Ok(());
        };
        batch.record(&SourceDay {
            source: source.clone(),
            zone: self.zone.iana_name().unwrap_or_default().to_owned(),
            day,
            resting,
            fetched_at: self.fetched_at,
        })?;
        Ok(())
    }

    /// The file has ended: writes everything, and returns how much it was and of which dates.
    pub(crate) fn finish(mut self) -> Result<(Tally, Vec<Date>), Failure> {
        let tally = self.tally;
        if tally.taken == 0 && tally.refused > 0 {
            return Err(FileError::NothingUsable(tally.refused).into());
        }
        if tally.taken == 0 && tally.future > 0 {
            return Err(FileError::Future(tally.future).into());
        }
        for open in std::mem::take(&mut self.open) {
            self.close(&open)?;
        }
        if let Some(batch) = self.batch.take() {
            batch.commit()?;
        }
        Ok((tally, self.dates))
    }
}
