//! Turns samples into minutes, and minutes into days of the history.
//!
//! A minute's average is the mean of its samples, rounded half up. Open days are in memory. Nothing
//! is written before the end of the file, except for a file with many days: when there are too many
//! open days, the one that was opened first is written, inside the transaction that is committed at
//! the end of the file.

use std::collections::HashSet;

use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};
use pulsewing_core::{
    Bpm,
    civil::{LocalDay, MAX_DAY_MINUTES},
    day::Day,
    instant::latest_credible,
};

use super::{Failure, FileError, zone::day_of};
use crate::{Batch, History, Kind, Source, SourceDay};

/// The maximum number of open days.
pub(crate) const OPEN_DAYS: usize = 64;

/// The maximum number of zones that a file may name.
const MAX_ZONES: usize = 256;

/// Gathers one file's samples.
pub(crate) struct Gather<'h> {
    /// The wearer's zone, followed by those that the file names.
    zones: Vec<(TimeZone, String)>,
    fetched_at: Timestamp,
    /// The last second that can have a measurement, in seconds since 1970.
    latest: i64,
    /// Moved into the batch when the first day is written.
    history: Option<&'h mut History>,
    batch: Option<Batch<'h>>,
    sources: Vec<Source>,
    open: Vec<OpenDay>,
    /// The index of the last sample's open day.
    current: usize,
    closed: HashSet<(Place, i64)>,
    tally: Tally,
    dates: Vec<Date>,
}

/// The source and the zone of a sample, by their numbers in this file. The default zone is the
/// wearer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) zone: usize,
}

/// The numbers of values in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Values that became part of a day.
    pub(crate) taken: u64,
    /// Values that are not heart rates, or have no time.
    pub(crate) refused: u64,
    /// Values that the tracker itself did not trust.
    pub(crate) doubtful: u64,
    /// The same values in a form without that mark.
    pub(crate) doubtful_twins: u64,
    /// Values that are later than now.
    pub(crate) future: u64,
}

impl Tally {
    /// Returns the number of all values, used or not.
    pub(crate) const fn values(&self) -> u64 {
        self.taken + self.refused + self.doubtful + self.doubtful_twins + self.future
    }
}

struct OpenDay {
    place: Place,
    local: LocalDay,
    start: i64,
    /// The last sample: a repetition is the same sample, not another one.
    last: (i64, u32),
    minutes: Vec<Minute>,
    /// The minutes of samples that the tracker did not trust; empty on most days.
    doubtful: Vec<Minute>,
}

/// The samples of a minute.
#[derive(Clone, Copy, Default)]
struct Minute {
    /// The sum, in thousandths of a beat per minute.
    sum: u64,
    count: u32,
}

impl Minute {
    fn add(&mut self, rate: u32) {
        self.sum = self.sum.saturating_add(rate.into());
        self.count = self.count.saturating_add(1);
    }

    fn mean(self) -> Option<Bpm> {
        let count = u64::from(self.count);
        let doubled = self.sum.saturating_mul(2).checked_add(1_000 * count)?;
        u16::try_from(doubled.checked_div(2_000 * count)?)
            .ok()
            .and_then(Bpm::new)
    }
}

impl<'h> Gather<'h> {
    pub(crate) fn new(history: &'h mut History, zone: &TimeZone, fetched_at: Timestamp) -> Self {
        let name = zone.iana_name().unwrap_or_default().to_owned();
        Self {
            zones: vec![(zone.clone(), name)],
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

    /// Returns the number of a source in this file, which may have at most `limit` of them.
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

    /// Returns the number of the zone of a time in a file: by its name, if a zone of that name has
    /// that offset from UTC then, else by the offset. Without an offset it is the wearer's.
    pub(crate) fn zone(&mut self, name: &str, at: i64, offset: Option<i32>) -> usize {
        let (Ok(at), Some(Ok(offset))) =
            (Timestamp::from_second(at), offset.map(Offset::from_seconds))
        else {
            return 0;
        };
        let fits =
            |(zone, known): &(TimeZone, String)| known == name && zone.to_offset(at) == offset;
        if let Some(known) = self.zones.iter().position(fits) {
            return known;
        }
        let named = TimeZone::get(name).ok();
        let zone = match named.filter(|zone| zone.to_offset(at) == offset) {
            Some(zone) => (zone, name.to_owned()),
            None => (TimeZone::fixed(offset), String::new()),
        };
        if let Some(known) = self.zones.iter().position(|known| *known == zone) {
            return known;
        }
        if self.zones.len() >= MAX_ZONES {
            return 0;
        }
        self.zones.push(zone);
        self.zones.len() - 1
    }

    pub(crate) const fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Takes a sample: at an instant, in seconds since 1970, a rate in thousandths of a beat per
    /// minute.
    #[inline]
    pub(crate) fn sample(&mut self, place: Place, at: i64, rate: u32) -> Result<(), Failure> {
        if !is_rate(rate) {
            self.tally.refused += 1;
            return Ok(());
        }
        if at > self.latest {
            self.tally.future += 1;
            return Ok(());
        }
        let Some((day, minute)) = self.day(place, at)? else {
            return Ok(());
        };
        if day.last != (at, rate)
            && let Some(slot) = day.minutes.get_mut(minute)
        {
            day.last = (at, rate);
            slot.add(rate);
        }
        self.tally.taken += 1;
        Ok(())
    }

    /// Takes a sample that the tracker itself did not trust. It becomes part of no day. A minute
    /// without other samples is removed where it may have been imported without this mark.
    pub(crate) fn doubtful(&mut self, place: Place, at: i64, rate: u32) -> Result<(), Failure> {
        self.tally.doubtful += 1;
        if is_rate(rate)
            && let Some((day, minute)) = self.day(place, at)?
        {
            if day.doubtful.is_empty() {
                day.doubtful = vec![Minute::default(); usize::from(MAX_DAY_MINUTES)];
            }
            if let Some(slot) = day.doubtful.get_mut(minute) {
                slot.add(rate);
            }
        }
        Ok(())
    }

    /// Returns the day of an instant, and its minute in that day.
    #[inline]
    fn day(&mut self, place: Place, at: i64) -> Result<Option<(&mut OpenDay, usize)>, Failure> {
        let fits = |open: &OpenDay| {
            open.place == place
                && usize::try_from((at - open.start).div_euclid(60))
                    .is_ok_and(|minute| minute < usize::from(open.local.minutes()))
        };
        if !self.open.get(self.current).is_some_and(fits) {
            self.current = match self.open.iter().position(fits) {
                Some(known) => known,
                None => self.open_day(place, at)?,
            };
        }
        let day = self.open.get_mut(self.current);
        Ok(day.and_then(|day| {
            let minute = usize::try_from((at - day.start).div_euclid(60)).ok()?;
            Some((day, minute))
        }))
    }

    /// Takes a day's resting heart rate.
    pub(crate) fn resting(&mut self, place: Place, date: Date, bpm: Bpm) -> Result<(), Failure> {
        let local = self.zones.get(place.zone).and_then(|(zone, _)| {
            let noon = zone.to_ambiguous_timestamp(date.at(12, 0, 0, 0));
            Some(day_of(zone, noon.compatible().ok()?))
        });
        let Some(local) = local.filter(|local| local.date() == date) else {
            self.tally.refused += 1;
            return Ok(());
        };
        if local.start().as_second() > self.latest {
            self.tally.future += 1;
            return Ok(());
        }
        self.tally.taken += 1;
        self.write(place, Day::new(local), Some(bpm))
    }

    fn open_day(&mut self, place: Place, at: i64) -> Result<usize, Failure> {
        let at = Timestamp::from_second(at).map_err(|_| FileError::NotHeartRate)?;
        let (zone, _) = self.zones.get(place.zone).ok_or(FileError::NotHeartRate)?;
        let local = day_of(zone, at);
        let start = local.start().as_second();
        if self.closed.contains(&(place, start)) {
            return Err(FileError::Disorder.into());
        }
        if self.open.len() >= OPEN_DAYS {
            let first = self.open.remove(0);
            self.closed.insert((first.place, first.start));
            self.close(&first)?;
        }
        self.open.push(OpenDay {
            place,
            local,
            start,
            last: (i64::MIN, 0),
            minutes: vec![Minute::default(); usize::from(MAX_DAY_MINUTES)],
            doubtful: Vec::new(),
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
        let mut doubted = Day::new(open.local);
        for (minute, samples) in (0..).zip(&open.doubtful) {
            if let (Some(bpm), None) = (samples.mean(), day.get(minute)) {
                doubted.record(minute, bpm);
            }
        }
        self.weigh(open, &mut day, &doubted)?;
        if day.logged_minutes() > 0 {
            self.dates.push(open.local.date());
            self.write(open.place, day, None)?;
        }
        Ok(())
    }

    /// Matches the marks of an export's JSON with the minutes of its CSV, whichever came first.
    fn weigh(&mut self, open: &OpenDay, day: &mut Day, doubted: &Day) -> Result<(), Failure> {
        let source = self.sources.get(open.place.source).cloned();
        let Some((source, batch)) = source.zip(self.batch()?) else {
            return Ok(());
        };
        match source.kind() {
            Kind::ExportJson => {
                batch.doubt(&source, day, doubted)?;
                if doubted.logged_minutes() > 0 {
                    batch.retract(Kind::ExportCsv, doubted)?;
                }
            }
            Kind::ExportCsv => {
                let doubted = batch.doubted(&open.local)?;
                let mut trusted = Day::new(open.local);
                let mut copies: u64 = 0;
                for (minute, bpm) in day.iter() {
                    if doubted.get(minute) == Some(bpm) {
                        let samples = open.minutes.get(usize::from(minute));
                        copies += samples.map_or(0, |samples| samples.count.into());
                    } else {
                        trusted.record(minute, bpm);
                    }
                }
                *day = trusted;
                self.tally.taken = self.tally.taken.saturating_sub(copies);
                self.tally.doubtful_twins += copies;
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, place: Place, day: Day, resting: Option<Bpm>) -> Result<(), Failure> {
        let fetched_at = self.fetched_at;
        let known = self
            .sources
            .get(place.source)
            .zip(self.zones.get(place.zone))
            .map(|(source, (_, zone))| SourceDay {
                source: source.clone(),
                zone: zone.clone(),
                day,
                resting,
                fetched_at,
            });
        if let Some(known) = known
            && let Some(batch) = self.batch()?
        {
            // Days of the wearer's zone replace those that an import cut by another zone.
            if place.zone == 0 {
                batch.record_recut(&known)?;
            } else {
                batch.record(&known)?;
            }
        }
        Ok(())
    }

    /// Returns the last second that can have a measurement, in seconds since 1970.
    pub(crate) const fn latest(&self) -> i64 {
        self.latest
    }

    /// Removes a source's data from one instant to another.
    pub(crate) fn forget(
        &mut self,
        source: &Source,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), Failure> {
        if let Some(batch) = self.batch()? {
            batch.forget(source, from, until)?;
        }
        Ok(())
    }

    fn batch(&mut self) -> Result<Option<&Batch<'h>>, Failure> {
        if let Some(history) = self.history.take() {
            self.batch = Some(history.batch()?);
        }
        Ok(self.batch.as_ref())
    }

    /// Ends the file: writes everything, and returns the numbers of values and the dates.
    pub(crate) fn finish(mut self) -> Result<(Tally, Vec<Date>), Failure> {
        let Tally {
            taken,
            refused,
            future,
            ..
        } = self.tally;
        if taken == 0 && refused > 0 {
            return Err(FileError::NothingUsable(refused).into());
        }
        if taken == 0 && future > 0 {
            return Err(FileError::Future(future).into());
        }
        for open in std::mem::take(&mut self.open) {
            self.close(&open)?;
        }
        if let Some(batch) = self.batch.take() {
            batch.commit()?;
        }
        Ok((self.tally, self.dates))
    }
}

/// Returns whether thousandths of a beat per minute round to a valid rate.
#[inline]
fn is_rate(rate: u32) -> bool {
    (500..u32::from(Bpm::MAX) * 1_000 + 500).contains(&rate)
}
