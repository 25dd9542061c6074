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

use super::{
    Failure, FileError,
    import::Summary,
    zone::{day_of, day_on},
};
use crate::{
    Batch, History, HistoryError, Kind, Source, SourceDay,
    merge::{kept, rate_at},
};

/// The maximum number of open days.
pub(crate) const OPEN_DAYS: usize = 64;

/// The maximum number of devices that a file may name.
pub(crate) const MAX_DEVICES: usize = 32;

/// The maximum number of zones that a file may name.
const MAX_ZONES: usize = 256;

/// Gathers one file's samples.
pub(crate) struct Gather<'h> {
    /// The wearer's zone, followed by those that the file names.
    zones: Vec<(TimeZone, String)>,
    fetched_at: Timestamp,
    /// The last second that can have a measurement, in seconds since 1970.
    latest: i64,
    history: &'h History,
    /// Begun when the first day is written.
    batch: Option<Batch<'h>>,
    sources: Vec<Source>,
    devices: Vec<Device>,
    /// The index of the last sample's device.
    device: usize,
    open: Vec<OpenDay>,
    /// The index of the last sample's open day.
    current: usize,
    closed: HashSet<(Place, i64)>,
    summary: Summary,
}

/// The source and the zone of a sample, by their numbers in this file. The default zone is the
/// wearer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    source: usize,
    pub(crate) zone: usize,
}

/// A device as written in the file. Several names may be the same source.
struct Device {
    kind: Kind,
    name: Vec<u8>,
    source: usize,
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

impl OpenDay {
    /// Returns the minute with an instant, if it is in the day.
    #[inline]
    fn minute(&self, at: i64) -> Option<usize> {
        let minute = usize::try_from((at - self.start).div_euclid(60)).ok()?;
        (minute < usize::from(self.local.minutes())).then_some(minute)
    }

    /// Returns a day of the means of such samples.
    fn means(&self, samples: &[Minute]) -> Day {
        let mut day = Day::new(self.local);
        for (minute, samples) in (0..).zip(samples) {
            if let Some(bpm) = samples.mean() {
                day.record(minute, bpm);
            }
        }
        day
    }
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
    pub(crate) fn new(history: &'h History, zone: &TimeZone, fetched_at: Timestamp) -> Self {
        let name = zone.iana_name().unwrap_or_default().to_owned();
        Self {
            zones: vec![(zone.clone(), name)],
            fetched_at,
            latest: latest_credible(fetched_at).as_second(),
            history,
            batch: None,
            sources: Vec::new(),
            devices: Vec::new(),
            device: 0,
            open: Vec::new(),
            current: 0,
            closed: HashSet::new(),
            summary: Summary::default(),
        }
    }

    /// Returns the place of a device's samples, in the wearer's zone. The samples of several
    /// devices may alternate, line by line.
    #[inline]
    pub(crate) fn place(&mut self, kind: Kind, device: &[u8]) -> Result<Place, FileError> {
        // Most files name no device. Comparing two empty names took a quarter of an import's time.
        let is_it = |known: &Device| {
            let are_empty = known.name.is_empty() && device.is_empty();
            known.kind == kind && (are_empty || known.name == device)
        };
        if !self.devices.get(self.device).is_some_and(is_it) {
            self.device = match self.devices.iter().position(is_it) {
                Some(known) => known,
                None => self.add_device(kind, device)?,
            };
        }
        let source = self.devices.get(self.device).map_or(0, |it| it.source);
        Ok(Place { source, zone: 0 })
    }

    #[cold]
    fn add_device(&mut self, kind: Kind, device: &[u8]) -> Result<usize, FileError> {
        if self.devices.len() >= MAX_DEVICES {
            return Err(FileError::ManyDevices);
        }
        let source = Source::with_device(kind, &String::from_utf8_lossy(device));
        let known = self.sources.iter().position(|known| *known == source);
        self.devices.push(Device {
            kind,
            name: device.to_vec(),
            source: known.unwrap_or(self.sources.len()),
        });
        if known.is_none() {
            self.sources.push(source);
        }
        Ok(self.devices.len() - 1)
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

    /// Counts a value that is no heart rate, or has no time.
    pub(crate) const fn refuse(&mut self) {
        self.summary.refused += 1;
    }

    /// Counts a value that the tracker did not trust, in a form without that mark.
    pub(crate) const fn twin(&mut self) {
        self.summary.doubtful_twins += 1;
    }

    pub(crate) const fn has_only_refused(&self) -> bool {
        self.summary.refused == self.summary.all_values()
    }

    /// Takes a sample: at an instant, in seconds since 1970, a rate in thousandths of a beat per
    /// minute.
    #[inline]
    pub(crate) fn sample(
        &mut self,
        place: Place,
        at: Option<i64>,
        rate: Option<u32>,
    ) -> Result<(), Failure> {
        let (Some(at), Some(rate)) = (at, rate.filter(|rate| is_rate(*rate))) else {
            self.refuse();
            return Ok(());
        };
        if at > self.latest {
            self.summary.future += 1;
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
        self.summary.values += 1;
        Ok(())
    }

    /// Takes a sample that the tracker itself did not trust. It becomes part of no day. A minute
    /// without other samples is removed where it may have been imported without this mark.
    pub(crate) fn doubtful(&mut self, place: Place, at: i64, rate: u32) -> Result<(), Failure> {
        self.summary.doubtful += 1;
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
        let fits = |open: &OpenDay| open.place == place && open.minute(at).is_some();
        if !self.open.get(self.current).is_some_and(fits) {
            self.current = match self.open.iter().position(fits) {
                Some(known) => known,
                None => self.open_day(place, at)?,
            };
        }
        let day = self.open.get_mut(self.current);
        Ok(day.and_then(|day| day.minute(at).map(|minute| (day, minute))))
    }

    /// Takes a day's resting heart rate.
    pub(crate) fn resting(
        &mut self,
        place: Place,
        date: Option<Date>,
        bpm: Option<Bpm>,
    ) -> Result<(), Failure> {
        let zone = self.zones.get(place.zone).zip(date);
        let local = zone
            .and_then(|((zone, _), date)| day_on(zone, date))
            .filter(|local| Some(local.date()) == date);
        let Some((local, bpm)) = local.zip(bpm) else {
            self.refuse();
            return Ok(());
        };
        if local.start().as_second() > self.latest {
            self.summary.future += 1;
            return Ok(());
        }
        self.summary.values += 1;
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
        let mut day = open.means(&open.minutes);
        let doubted = open.means(&open.doubtful);
        let doubted = kept(&doubted, |at, _| rate_at(&day, at).is_none());
        self.weigh(open, &mut day, &doubted)?;
        if day.logged_minutes() > 0 {
            self.summary.dates.insert(open.local.date());
            self.write(open.place, day, None)?;
        }
        Ok(())
    }

    /// Matches the marks of an export's JSON with the minutes of its CSV, whichever came first.
    fn weigh(&mut self, open: &OpenDay, day: &mut Day, doubted: &Day) -> Result<(), Failure> {
        let Some(source) = self.sources.get(open.place.source).cloned() else {
            return Ok(());
        };
        let batch = self.batch()?;
        match source.kind() {
            Kind::ExportJson => {
                batch.doubt(&source, day, doubted)?;
                if doubted.logged_minutes() > 0 {
                    batch.retract(Kind::ExportCsv, doubted)?;
                }
            }
            Kind::ExportCsv => {
                let doubted = batch.doubted(&open.local)?;
                let copies: u64 = day
                    .iter()
                    .filter(|(minute, bpm)| doubted.get(*minute) == Some(*bpm))
                    .filter_map(|(minute, _)| open.minutes.get(usize::from(minute)))
                    .map(|samples| u64::from(samples.count))
                    .sum();
                *day = kept(day, |at, bpm| rate_at(&doubted, at) != Some(bpm));
                self.summary.values = self.summary.values.saturating_sub(copies);
                self.summary.doubtful_twins += copies;
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, place: Place, day: Day, resting: Option<Bpm>) -> Result<(), Failure> {
        let source = self.sources.get(place.source);
        let Some((source, (_, zone))) = source.zip(self.zones.get(place.zone)) else {
            return Ok(());
        };
        let known = SourceDay {
            source: source.clone(),
            zone: zone.clone(),
            day,
            resting,
            fetched_at: self.fetched_at,
        };
        // Days of the wearer's zone replace those that an import cut by another zone.
        match place.zone {
            0 => self.batch()?.record_recut(&known)?,
            _ => self.batch()?.record(&known)?,
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
        Ok(self.batch()?.forget(source, from, until)?)
    }

    fn batch(&mut self) -> Result<&Batch<'h>, HistoryError> {
        Ok(match &mut self.batch {
            Some(batch) => batch,
            none => none.insert(self.history.begin()?),
        })
    }

    /// Ends the file: writes everything, and returns the numbers of values and the dates.
    pub(crate) fn finish(mut self) -> Result<Summary, Failure> {
        let counts = &self.summary;
        if counts.values == 0 && counts.refused > 0 {
            return Err(FileError::NothingUsable(counts.refused).into());
        }
        if counts.values == 0 && counts.future > 0 {
            return Err(FileError::Future(counts.future).into());
        }
        for open in std::mem::take(&mut self.open) {
            self.close(&open)?;
        }
        if let Some(batch) = self.batch {
            batch.commit()?;
        }
        Ok(self.summary)
    }
}

/// Returns whether thousandths of a beat per minute round to a valid rate.
#[inline]
fn is_rate(rate: u32) -> bool {
    (500..u32::from(Bpm::MAX) * 1_000 + 500).contains(&rate)
}
