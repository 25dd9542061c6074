//! Reads one file of any form, and gathers its samples.

use std::io::Read;

use jiff::civil::Date;
use pulsewing_core::Bpm;

use super::{
    Failure, FileError, apple,
    columns::{Header, Line, rate},
    csv,
    doubts::{Doubts, Lookup},
    evidence::{Evidence, Shown},
    find::shown,
    form::Form,
    gather::Gather,
    import::{Settings, Summary},
    instant::{Written, american, iso, leading_date, of_two, offset_behind},
    json::{Element, ElementReader},
    list::{ByOther, Samples, decode, decode_lines},
    text::Text,
    zone::LocalClock,
};
use crate::Kind;

/// The maximum length of an unreadable time in a message, in characters.
const MAX_TIME: usize = 40;

/// The number of bytes of a JSON file to examine for its form.
const BEGINNING: usize = 512;

/// One file being read, with the knowledge from the other files.
pub(super) struct Reading<'a, 'h> {
    pub(super) gather: Gather<'h>,
    pub(super) settings: &'a Settings,
    pub(super) doubts: &'a mut Doubts,
    pub(super) evidence: &'a mut Evidence,
    /// Whether the history has JSON that was read by the other clock.
    pub(super) has_other_clock: bool,
    pub(super) buffer: &'a mut [u8],
}

impl Reading<'_, '_> {
    /// Reads a file, and returns the numbers of its values.
    pub(super) fn file(mut self, form: Form, content: &mut dyn Read) -> Result<Summary, Failure> {
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
            Some((b'{', rest)) if is_ours(rest) => self.list(None, true, content),
            Some((b'{', _)) => self.google_fit(content),
            _ => self.list(date, false, content),
        }
    }

    /// Reads a list of samples, or one sample per line.
    fn list(
        &mut self,
        date: Option<Date>,
        is_lines: bool,
        content: &mut dyn Read,
    ) -> Result<(), Failure> {
        let (read_by, zone) = (self.settings.json_times, &self.settings.zone);
        let mut samples = Samples {
            read_by,
            clock: LocalClock::new(zone.clone()),
            gather: &mut self.gather,
            doubts: self.doubts,
            shown: Shown::default(),
            by_other: self
                .has_other_clock
                .then(|| ByOther::new(LocalClock::new(zone.clone()))),
        };
        let each = |element: Element, zone: &str| samples.take(element, zone);
        if is_lines {
            let mut lines = ElementReader::of_lines(each);
            decode_lines(content, self.buffer, &mut lines)?;
            lines.finish()?;
        } else {
            let mut list = ElementReader::of_list(each);
            decode(content, self.buffer, &mut list)?;
            list.finish()?;
        }
        let (shown, by_other) = (samples.shown, samples.by_other);
        if let Some(date) = date {
            self.evidence.file(date, zone, &shown);
        }
        if let Some((from, until)) = by_other.and_then(|by_other| by_other.minutes()) {
            self.gather.forget(&read_by.other().source(), from, until)?;
        }
        Ok(())
    }

    fn resting_json(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let place = gather.place(Kind::ExportJson, b"")?;
        let each = |element: Element, _: &str| match element.date {
            // For a day without a resting rate the date is null.
            None if element.rate == Some(0) => Ok(()),
            date => gather.resting(place, date, element.rate.and_then(rounded)),
        };
        let mut list = ElementReader::of_list(each);
        decode(content, self.buffer, &mut list)?;
        list.finish()
    }

    fn google_fit(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let each = |point: Element, app: &str| {
            if point.time.is_none() || point.rate.is_none() {
                gather.refuse();
                return Ok(());
            }
            let place = gather.place(Kind::Recording, app.as_bytes())?;
            gather.sample(place, point.time, point.rate)
        };
        let mut points = ElementReader::of_google_fit(each);
        decode(content, self.buffer, &mut points)?;
        points.finish()
    }

    fn heart_csv(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        let evidence = &mut *self.evidence;
        let weighs_twins = evidence.is_open();
        let mut doubts = Lookup::new(self.doubts);
        let mut clock = LocalClock::new(self.settings.zone.clone());
        let mut person: Option<Vec<u8>> = None;
        let mut strange_time = None;
        csv::read(content, self.buffer, |header, line| {
            let kind = match header {
                Header::Export => Kind::ExportCsv,
                _ => Kind::Recording,
            };
            let mut place = gather.place(kind, line.device)?;
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
                _ if line.date.is_empty() => iso(line.time),
                _ => of_two(line.date, line.time),
            };
            let Some(mut written) = written else {
                gather.refuse();
                strange_time.get_or_insert_with(|| told(&line));
                return Ok(());
            };
            if header == Header::Own {
                written.offset = written
                    .offset
                    .or_else(|| offset_behind(line.offset).flatten());
                if let Some(at) = written.at() {
                    let name = str::from_utf8(line.zone).unwrap_or_default();
                    place.zone = gather.zone(name, at, written.offset);
                }
            }
            if !line.resting.is_empty() {
                gather.resting(
                    place,
                    leading_date(line.time),
                    rate(line.resting).and_then(rounded),
                )?;
            }
            if line.rate.is_empty() {
                return Ok(());
            }
            let (at, rate) = (instant(written, &mut clock), rate(line.rate));
            if header == Header::Export
                && let Some((at, rate)) = at.zip(rate)
            {
                if weighs_twins {
                    evidence.twin(at, rate);
                }
                if doubts.holds(at, rate) {
                    gather.twin();
                    return Ok(());
                }
            }
            gather.sample(place, at, rate)
        })?;
        match strange_time {
            Some(time) if gather.has_only_refused() => Err(FileError::Times(time).into()),
            _ => Ok(()),
        }
    }

    fn resting_csv(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        csv::read(content, self.buffer, |_, line| {
            let place = gather.place(Kind::ExportCsv, line.device)?;
            if line.rate.is_empty() {
                return Ok(());
            }
            // The time is midnight UTC, but it only names the day.
            gather.resting(
                place,
                leading_date(line.time),
                rate(line.rate).and_then(rounded),
            )
        })
    }

    fn apple_health(&mut self, content: &mut dyn Read) -> Result<(), Failure> {
        let gather = &mut self.gather;
        apple::read(content, self.buffer, |record| {
            let place = gather.place(Kind::Recording, record.device.as_bytes())?;
            let at = iso(record.time).and_then(Written::at);
            match record.kind {
                apple::Kind::Heart => gather.sample(place, at, rate(record.rate)),
                apple::Kind::Resting => {
                    let date = leading_date(record.time).filter(|_| at.is_some());
                    gather.resting(place, date, rate(record.rate).and_then(rounded))
                }
            }
        })
    }
}

/// Returns the instant of a time; without an offset it is on the wearer's clock.
#[inline]
pub(super) fn instant(written: Written, clock: &mut LocalClock) -> Option<i64> {
    written.at().or_else(|| clock.instant(written.shown))
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

/// Rounds thousandths of a beat per minute, half up.
pub(super) fn rounded(rate: u32) -> Option<Bpm> {
    Bpm::from_whole((i64::from(rate) + 500) / 1_000)
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
