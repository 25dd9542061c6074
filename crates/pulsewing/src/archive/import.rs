//! Reads exports into the history.

use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};
use pulsewing_core::{Bpm, json::Decoder};

use super::{
    Failure, FileError, csv,
    find::{self, Found, Visitor},
    form::Form,
    gather::{Gather, Tally},
    instant::{TimeReader, Written, iso_date},
    json::{Element, ListReader},
    zone::{LocalClock, day_of},
};
use crate::history::{History, HistoryError, Kind};

/// How much is read at once.
const CHUNK: usize = 64 * 1_024;

/// Which clock wrote the times of an export's JSON: they name no offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum JsonTimes {
    /// UTC's.
    #[default]
    Utc,
    /// The wearer's.
    Local,
}

/// How files are read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The wearer's zone, by which days are cut.
    pub zone: TimeZone,
    /// Which clock wrote the times of JSON.
    pub json_times: JsonTimes,
    /// Now: of two imports, the later one's minutes win, and of what is later than this nothing is believed.
    pub now: Timestamp,
}

/// Told how an import goes.
pub trait Watcher {
    /// A file was left out.
    fn left_out(&mut self, name: &str, error: &FileError);
    /// A file was read.
    fn read(&mut self, name: &str);
    /// So many of all bytes on disk have been dealt with.
    fn progress(&mut self, done: u64, total: u64);
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were read.
    pub files: u64,
    /// Files and directories that could not be.
    pub left_out: u64,
    /// Values that became part of a day.
    pub values: u64,
    /// Values that are no heart rate, or have no time.
    pub refused: u64,
    /// Values that the tracker itself did not trust.
    pub doubtful: u64,
    /// Values that are later than now.
    pub future: u64,
    /// The dates with samples.
    pub dates: BTreeSet<Date>,
    /// JSON files whose times fit the other clock than the one they were read by.
    pub other_clock: u64,
}

/// Reads everything that the paths hold.
///
/// # Errors
/// [`HistoryError`]. What was read before stays in the history, whole file by whole file.
pub fn import(
    history: &mut History,
    paths: &[PathBuf],
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Summary, HistoryError> {
    let mut import = Import {
        history,
        settings,
        watcher,
        summary: Summary::default(),
        buffer: vec![0; CHUNK],
        done: 0,
        total: find::weigh(paths),
    };
    for path in paths {
        find::visit(Path::new(path), &mut import)?;
    }
    Ok(import.summary)
}

struct Import<'a> {
    history: &'a mut History,
    settings: &'a Settings,
    watcher: &'a mut dyn Watcher,
    summary: Summary,
    buffer: Vec<u8>,
    done: u64,
    total: u64,
}

impl Visitor for Import<'_> {
    type Stop = HistoryError;

    fn found(&mut self, found: Found<'_>) -> Result<(), HistoryError> {
        let gather = Gather::new(self.history, &self.settings.zone, self.settings.now);
        let read = Reading {
            gather,
            settings: self.settings,
            buffer: &mut self.buffer,
        };
        match read.file(found.form, found.content) {
            Ok((tally, dates, is_other_clock)) => {
                let Tally {
                    taken,
                    refused,
                    doubtful,
                    future,
                } = tally;
                self.summary.files += 1;
                self.summary.values += taken;
                self.summary.refused += refused;
                self.summary.doubtful += doubtful;
                self.summary.future += future;
                self.summary.dates.extend(dates);
                self.summary.other_clock += u64::from(is_other_clock);
                self.watcher.read(&found.name);
                Ok(())
            }
            Err(Failure::File(error)) => {
                self.unreadable(&found.name, error);
                Ok(())
            }
            Err(Failure::History(error)) => Err(error),
        }
    }

    fn unreadable(&mut self, name: &str, error: FileError) {
        self.summary.left_out += 1;
        self.watcher.left_out(name, &error);
    }

    fn passed(&mut self, bytes: u64) {
        self.done = self.done.saturating_add(bytes);
        self.watcher.progress(self.done, self.total);
    }
}

/// One file being read.
struct Reading<'a, 'h> {
    gather: Gather<'h>,
    settings: &'a Settings,
    buffer: &'a mut [u8],
}

impl Reading<'_, '_> {
    fn file(
        mut self,
        form: Form,
        content: &mut dyn Read,
    ) -> Result<(Tally, Vec<Date>, bool), Failure> {
        let mut is_other_clock = false;
        match form {
            Form::HeartJson { date } => {
                let shown = self.heart_json(content)?;
                is_other_clock = date
                    .zip(shown)
                    .is_some_and(|(date, shown)| self.fits_other_clock(date, shown));
            }
            Form::RestingJson => self.resting_json(content)?,
            Form::HeartCsv => self.heart_csv(content)?,
            Form::RestingCsv => self.resting_csv(content)?,
        }
        let (tally, dates) = self.gather.finish()?;
        Ok((tally, dates, is_other_clock))
    }

    /// Returns the first and the last time, as they stand in the file.
    fn heart_json(&mut self, content: &mut dyn Read) -> Result<Option<(i64, i64)>, Failure> {
        let mut clock = match self.settings.json_times {
            JsonTimes::Utc => None,
            JsonTimes::Local => Some(LocalClock::new(self.settings.zone.clone())),
        };
        let gather = &mut self.gather;
        let source = gather.source(Kind::ExportJson, "", 1)?;
        let mut extent: Option<(i64, i64)> = None;
        let mut failure = None;
        let each = |element: Element| {
            if element.confidence == Some(0) {
                gather.tally().doubtful += 1;
                return;
            }
            let instant = element.time.and_then(|shown| match &mut clock {
                None => Some(shown),
                Some(clock) => clock.instant(shown),
            });
            let (Some(shown), Some(at), Some(rate)) = (element.time, instant, element.rate) else {
                gather.tally().refused += 1;
                return;
            };
            let (first, last) = extent.get_or_insert((shown, shown));
            *first = shown.min(*first);
            *last = shown.max(*last);
            if failure.is_none() {
                failure = gather.sample(source, at, u32::from(rate) * 1_000).err();
            }
        };
        read_list(content, self.buffer, each)?;
        failure.map_or(Ok(extent), Err)
    }

    fn resting_json(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let source = gather.source(Kind::ExportJson, "", 1)?;
        let mut failure = None;
        let each = |element: Element| {
            // The date of a day without one is null.
            match (element.date, element.rate.and_then(Bpm::new)) {
                (Some(date), Some(bpm)) if failure.is_none() => {
                    failure = gather.resting(source, date, bpm).err();
                }
                (None, None) if element.rate == Some(0) => {}
                _ => gather.tally().refused += 1,
            }
        };
        read_list(content, self.buffer, each)?;
        failure.map_or(Ok(()), Err)
    }

    fn heart_csv(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let mut times = TimeReader::default();
        let mut clock = LocalClock::new(self.settings.zone.clone());
        let mut device = Vec::new();
        let mut source = None;
        csv::read(content, self.buffer, |header, line| {
            let number = match source {
                Some(number) if device == line.device => number,
                _ => {
                    let kind = match header {
                        csv::Header::Export => Kind::ExportCsv,
                        csv::Header::Recording => Kind::Recording,
                    };
                    device = line.device.to_vec();
                    let name = String::from_utf8_lossy(line.device);
                    *source.insert(gather.source(kind, &name, csv::MAX_DEVICES)?)
                }
            };
            // A cell without a value is a time at which there was none.
            if line.rate.is_empty() {
                return Ok(());
            }
            let at = match times.iso(line.time) {
                Some(Written::Instant(at)) => Some(at),
                Some(Written::Clock(shown)) => clock.instant(shown),
                None => None,
            };
            match at.zip(csv::rate(line.rate)) {
                Some((at, rate)) => gather.sample(number, at, rate),
                None => {
                    gather.tally().refused += 1;
                    Ok(())
                }
            }
        })
    }

    fn resting_csv(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        csv::read(content, self.buffer, |_, line| {
            let device = String::from_utf8_lossy(line.device);
            let source = gather.source(Kind::ExportCsv, &device, csv::MAX_DEVICES)?;
            if line.rate.is_empty() {
                return Ok(());
            }
            // The time is midnight UTC, but it only names the day.
            let date = line.time.get(..10).and_then(iso_date);
            let bpm = csv::rate(line.rate)
                .and_then(|rate| u16::try_from(rate.saturating_add(500) / 1_000).ok())
                .and_then(Bpm::new);
            match date.zip(bpm) {
                Some((date, bpm)) => gather.resting(source, date, bpm),
                None => {
                    gather.tally().refused += 1;
                    Ok(())
                }
            }
        })
    }

    /// Whether a file's times lie in the day of its name by the other clock, and not by the one
    /// that they were read by.
    fn fits_other_clock(&self, date: Date, (first, last): (i64, i64)) -> bool {
        let zone = &self.settings.zone;
        let Ok(noon) = zone
            .to_ambiguous_timestamp(date.at(12, 0, 0, 0))
            .compatible()
        else {
            return false;
        };
        let day = day_of(zone, noon);
        let start = day.start().as_second();
        let by_utc = start..start + i64::from(day.minutes()) * 60;
        let Ok(midnight) = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)) else {
            return false;
        };
        let midnight = midnight.as_second();
        let by_clock = midnight..midnight + 86_400;
        let (read, other) = match self.settings.json_times {
            JsonTimes::Utc => (by_utc, by_clock),
            JsonTimes::Local => (by_clock, by_utc),
        };
        let holds = |day: &std::ops::Range<i64>| day.contains(&first) && day.contains(&last);
        !holds(&read) && holds(&other)
    }
}

fn read_list(
    content: &mut dyn Read,
    buffer: &mut [u8],
    each: impl FnMut(Element),
) -> Result<(), Failure> {
    let mut list = ListReader::new(each);
    let mut decoder: Decoder<64> = Decoder::new();
    loop {
        match content.read(buffer) {
            Ok(0) => break,
            Ok(count) => decoder
                .feed(buffer.get(..count).unwrap_or_default(), &mut list)
                .map_err(FileError::Json)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    decoder.finish(&mut list).map_err(FileError::Json)?;
    if list.is_list {
        Ok(())
    } else {
        Err(FileError::NotHeartRate.into())
    }
}
