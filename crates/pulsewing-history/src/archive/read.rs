//! Reads one file of any form, and gathers its samples.

use std::io::Read;

use jiff::{Timestamp, civil::Date};
use pulsewing_core::Bpm;

use super::{
    Failure, FileError, apple,
    columns::{Header, Line, rate},
    csv,
    doubts::{Doubts, Lookup},
    evidence::Evidence,
    find::shown,
    fit::{Point, PointReader},
    form::Form,
    gather::{Gather, Place, Tally},
    import::{JsonTimes, Settings},
    instant::{TimeReader, Written, american, iso_date, offset_behind},
    json::{Element, ListReader},
    list::{Samples, decode, decode_lines, decode_list},
    text::Text,
    zone::LocalClock,
};
use crate::{Kind, Source};

/// The maximum number of devices that a file may name.
pub(crate) const MAX_DEVICES: usize = 32;

/// The maximum length of an unreadable time in a message, in characters.
const MAX_TIME: usize = 40;

/// The number of bytes of a JSON file to examine for its form.
const BEGINNING: usize = 512;

/// The knowledge from the other files.
pub(super) struct Others<'a> {
    pub(super) doubts: &'a mut Doubts,
    pub(super) evidence: &'a mut Evidence,
    /// Whether the history has JSON that was read by the other clock.
    pub(super) has_other_clock: bool,
}

/// One file being read.
pub(super) struct Reading<'a, 'h> {
    pub(super) gather: Gather<'h>,
    pub(super) settings: &'a Settings,
    pub(super) others: Others<'a>,
    pub(super) buffer: &'a mut [u8],
}

impl JsonTimes {
    /// Returns the source of an export's JSON that is read by this clock.
    pub(super) fn source(self) -> Source {
        Source::with_device(Kind::ExportJson, self.device())
    }

    pub(super) const fn device(self) -> &'static str {
        match self {
            Self::Utc => "",
            Self::Local => "local times",
        }
    }

    /// Returns the other clock.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Utc => Self::Local,
            Self::Local => Self::Utc,
        }
    }
}

impl Reading<'_, '_> {
    pub(super) fn file(
        mut self,
        form: Form,
        content: &mut dyn Read,
    ) -> Result<(Tally, Vec<Date>), Failure> {
        let content = &mut Text::new(content)?;
        match form {
            Form::HeartJson { date } => self.json(Some(date), content)?,
            Form::Json => self.json(None, content)?,
            Form::RestingJson => self.resting_json(content)?,
            Form::HeartCsv | Form::Csv => self.heart_csv(content)?,
            Form::RestingCsv => self.resting_csv(content)?,
            Form::GoogleFit => self.google_fit(content)?,
            Form::AppleHealth => self.apple_health(content)?,
        }
        self.gather.finish()
    }

    /// Reads JSON, and detects its form from its beginning.
    fn json(&mut self, date: Option<Date>, content: &mut dyn Read) -> Result<(), Failure> {
        let mut beginning = Vec::new();
        (&mut *content)
            .take(BEGINNING as u64)
            .read_to_end(&mut beginning)?;
        let text = beginning.trim_ascii_start();
        let content = &mut beginning.as_slice().chain(content);
        match text.split_first() {
            Some((b'{', rest)) if is_ours(rest) => self.list(None, Some(b'\n'), content),
            Some((b'{', _)) => self.google_fit(content),
            _ => self.list(date, None, content),
        }
    }

    /// Reads a list of samples, or one sample per line.
    fn list(
        &mut self,
        date: Option<Date>,
        between: Option<u8>,
        content: &mut dyn Read,
    ) -> Result<(), Failure> {
        let (read_by, zone) = (self.settings.json_times, &self.settings.zone);
        let mut samples = Samples::new(
            read_by,
            zone,
            &mut self.gather,
            self.others.doubts,
            self.others.has_other_clock,
        );
        let mut failure = None;
        let each = |element: Element, zone: &str| {
            if failure.is_none() {
                failure = samples.take(element, zone).err();
            }
        };
        match between {
            None => decode_list(content, self.buffer, each)?,
            Some(between) => {
                let list = ListReader::of_elements(each);
                decode_lines(content, self.buffer, between, list)?;
            }
        }
        failure.map_or(Ok(()), Err)?;
        let (shown, other_extent) = samples.seen();
        if let Some(date) = date {
            self.others.evidence.file(date, zone, &shown);
        }
        let at = |seconds| Timestamp::from_second(seconds).ok();
        // The minute of the first sample began up to a minute before it.
        if let Some((first, last)) = other_extent
            && let Some((from, until)) = at(first - 59).zip(at(last + 1))
        {
            let source = read_by.other().source();
            self.gather.forget(&source, from, until)?;
        }
        Ok(())
    }

    fn resting_json(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let source = gather.source(Kind::ExportJson, "", 1)?;
        let place = Place { source, zone: 0 };
        let mut failure = None;
        let each = |element: Element, _: &str| {
            // For a day without a resting rate the date is null.
            match (element.date, element.rate.and_then(Bpm::new)) {
                (Some(date), Some(bpm)) if failure.is_none() => {
                    failure = gather.resting(place, date, bpm).err();
                }
                (None, None) if element.rate == Some(0) => {}
                _ => gather.tally().refused += 1,
            }
        };
        decode_list(content, self.buffer, each)?;
        failure.map_or(Ok(()), Err)
    }

    fn google_fit(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let mut devices = Devices::default();
        let mut failure = None;
        let each = |point: Point, app: &str| {
            let Some((at, rate)) = point.at.zip(point.rate) else {
                gather.tally().refused += 1;
                return;
            };
            if failure.is_none() {
                failure = devices
                    .place(gather, Kind::Recording, app.as_bytes())
                    .and_then(|place| gather.sample(place, at, rate))
                    .err();
            }
        };
        let mut points = PointReader::new(each);
        decode(content, self.buffer, &mut points)?;
        if !points.has_points {
            return Err(FileError::OtherJson.into());
        }
        failure.map_or(Ok(()), Err)
    }

    fn heart_csv(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let evidence = &mut *self.others.evidence;
        let weighs_twins = evidence.is_open();
        let mut doubts = Lookup::new(self.others.doubts);
        let mut times = TimeReader::default();
        let mut clock = LocalClock::new(self.settings.zone.clone());
        let mut devices = Devices::default();
        let mut person: Option<Vec<u8>> = None;
        let mut strange_time = None;
        csv::read(content, self.buffer, |header, line| {
            let kind = match header {
                Header::Export => Kind::ExportCsv,
                _ => Kind::Recording,
            };
            let mut place = devices.place(gather, kind, line.device)?;
            if header == Header::People
                && person.get_or_insert_with(|| line.person.to_vec()) != line.person
            {
                return Err(FileError::SeveralPeople.into());
            }
            // An empty cell means that there was no value at that time.
            if line.rate.is_empty() && line.resting.is_empty() {
                return Ok(());
            }
            let written = match header {
                Header::People => american(line.time),
                _ if line.date.is_empty() => times.iso(line.time),
                _ => times.of_two(line.date, line.time),
            };
            let Some(mut written) = written else {
                gather.tally().refused += 1;
                strange_time.get_or_insert_with(|| told(&line));
                return Ok(());
            };
            if header == Header::Own {
                written.offset = written.offset.or_else(|| offset(line.offset));
                if let Some(at) = written.at() {
                    let name = str::from_utf8(line.zone).unwrap_or_default();
                    place.zone = gather.zone(name, at, written.offset);
                }
            }
            if !line.resting.is_empty() {
                let date = line.time.get(..10).and_then(iso_date);
                match date.zip(whole(line.resting)) {
                    Some((date, bpm)) => gather.resting(place, date, bpm)?,
                    None => gather.tally().refused += 1,
                }
            }
            if line.rate.is_empty() {
                return Ok(());
            }
            match instant(written, &mut clock).zip(rate(line.rate)) {
                Some((at, rate)) => {
                    if header == Header::Export {
                        if weighs_twins {
                            evidence.twin(at, rate);
                        }
                        if doubts.holds(at, rate) {
                            gather.tally().doubtful_twins += 1;
                            return Ok(());
                        }
                    }
                    gather.sample(place, at, rate)
                }
                None => {
                    gather.tally().refused += 1;
                    Ok(())
                }
            }
        })?;
        let tally = *gather.tally();
        match strange_time {
            Some(time) if tally.refused == tally.values() => Err(FileError::Times(time).into()),
            _ => Ok(()),
        }
    }

    fn resting_csv(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let mut devices = Devices::default();
        csv::read(content, self.buffer, |_, line| {
            let place = devices.place(gather, Kind::ExportCsv, line.device)?;
            if line.rate.is_empty() {
                return Ok(());
            }
            // The time is midnight UTC, but it only names the day.
            let date = line.time.get(..10).and_then(iso_date);
            match date.zip(whole(line.rate)) {
                Some((date, bpm)) => gather.resting(place, date, bpm),
                None => {
                    gather.tally().refused += 1;
                    Ok(())
                }
            }
        })
    }

    fn apple_health(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let mut devices = Devices::default();
        let mut times = TimeReader::default();
        apple::read(content, self.buffer, |record| {
            let place = devices.place(gather, Kind::Recording, record.device.as_bytes())?;
            let written = times.iso(record.time);
            match (record.kind, written.and_then(Written::at)) {
                (apple::Kind::Heart, Some(at)) => {
                    if let Some(rate) = rate(record.rate) {
                        return gather.sample(place, at, rate);
                    }
                }
                (apple::Kind::Resting, Some(_)) => {
                    let date = record.time.get(..10).and_then(iso_date);
                    if let Some((date, bpm)) = date.zip(whole(record.rate)) {
                        return gather.resting(place, date, bpm);
                    }
                }
                (_, None) => {}
            }
            gather.tally().refused += 1;
            Ok(())
        })
    }
}

/// The devices of a file. Their samples may alternate, line by line.
#[derive(Default)]
struct Devices {
    known: Vec<(Vec<u8>, usize)>,
    latest: usize,
}

impl Devices {
    /// Returns the place of a device's samples, in the wearer's zone.
    #[inline]
    fn place(
        &mut self,
        gather: &mut Gather<'_>,
        kind: Kind,
        device: &[u8],
    ) -> Result<Place, Failure> {
        let is_it = |known: &(Vec<u8>, usize)| known.0 == device;
        if !self.known.get(self.latest).is_some_and(is_it) {
            self.latest = match self.known.iter().position(is_it) {
                Some(known) => known,
                None => self.add(gather, kind, device)?,
            };
        }
        let source = self.known.get(self.latest).map_or(0, |known| known.1);
        Ok(Place { source, zone: 0 })
    }

    #[cold]
    fn add(
        &mut self,
        gather: &mut Gather<'_>,
        kind: Kind,
        device: &[u8],
    ) -> Result<usize, Failure> {
        if self.known.len() >= MAX_DEVICES {
            return Err(FileError::ManyDevices.into());
        }
        let name = String::from_utf8_lossy(device);
        let source = gather.source(kind, &name, MAX_DEVICES)?;
        self.known.push((device.to_vec(), source));
        Ok(self.known.len() - 1)
    }
}

/// Returns the instant of a time; without an offset it is on the wearer's clock.
#[inline]
pub(super) fn instant(written: Written, clock: &mut LocalClock) -> Option<i64> {
    written.at().or_else(|| clock.instant(written.shown))
}

/// Reads an offset from a separate column.
fn offset(text: &[u8]) -> Option<i32> {
    offset_behind(text).flatten()
}

/// Returns a line's time for a message.
#[cold]
fn told(line: &Line<'_>) -> String {
    let parts = [line.date, line.time].map(String::from_utf8_lossy);
    shown(parts.join(" ").trim())
        .chars()
        .take(MAX_TIME)
        .collect()
}

/// Reads whole beats per minute.
fn whole(text: &[u8]) -> Option<Bpm> {
    let rounded = rate(text)?.saturating_add(500) / 1_000;
    u16::try_from(rounded).ok().and_then(Bpm::new)
}

/// Returns whether an object's first key, after its brace, is one of `pulsewing export`'s.
fn is_ours(object: &[u8]) -> bool {
    let object = object.trim_ascii_start();
    [
        &b"\"time\""[..],
        b"\"bpm\"",
        b"\"zone\"",
        b"\"resting_bpm\"",
    ]
    .iter()
    .any(|key| object.starts_with(key))
}
