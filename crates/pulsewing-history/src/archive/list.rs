//! Passes the elements of JSON lists into the history.

use std::io::Read;

use jiff::tz::TimeZone;
use pulsewing_core::{
    Bpm,
    json::{Decoder, Handler},
};

use super::{
    Failure, FileError,
    doubts::Doubts,
    evidence::Shown,
    gather::{Gather, Place},
    import::JsonTimes,
    json::{Element, ListReader},
    read::instant,
    zone::LocalClock,
};
use crate::Kind;

/// Takes the elements of a list.
pub(super) struct Samples<'s, 'h> {
    read_by: JsonTimes,
    /// The wearer's clock, and another instance for the instants by the other clock.
    clock: LocalClock,
    other_clock: LocalClock,
    /// The numbers of the sources of an export's elements and of our own.
    export_source: Option<usize>,
    own_source: Option<usize>,
    gather: &'s mut Gather<'h>,
    doubts: &'s mut Doubts,
    shown: Shown,
    /// The first and last instant by the other clock, if needed.
    other_extent: Option<(i64, i64)>,
    wants_other: bool,
}

/// In seconds: no clock on Earth is further ahead of UTC.
const A_DAY: i64 = 86_400;

impl<'s, 'h> Samples<'s, 'h> {
    /// Builds the receiver. With `wants_other` it records the instants by the other clock.
    pub(super) fn new(
        read_by: JsonTimes,
        zone: &TimeZone,
        gather: &'s mut Gather<'h>,
        doubts: &'s mut Doubts,
        wants_other: bool,
    ) -> Self {
        Self {
            read_by,
            clock: LocalClock::new(zone.clone()),
            other_clock: LocalClock::new(zone.clone()),
            export_source: None,
            own_source: None,
            gather,
            doubts,
            shown: Shown::default(),
            other_extent: None,
            wants_other,
        }
    }

    /// Returns the times as written, and the first and last instant by the other clock.
    pub(super) fn seen(self) -> (Shown, Option<(i64, i64)>) {
        (self.shown, self.other_extent)
    }

    /// Takes an element, with the zone that it names.
    #[inline]
    pub(super) fn take(&mut self, element: Element, zone: &str) -> Result<(), Failure> {
        if element.is_own {
            return self.own(element, zone);
        }
        let (Some(shown), Some(rate)) = (element.time, element.rate) else {
            self.gather.tally().refused += 1;
            return Ok(());
        };
        let is_doubtful = element.confidence == Some(0);
        // A time that is in the future on any clock is no evidence for the other times.
        let is_credible = shown <= self.gather.latest() + A_DAY;
        if is_credible {
            self.shown.sample(shown, (!is_doubtful).then_some(rate));
        }
        let at = match self.read_by {
            JsonTimes::Utc => Some(shown),
            JsonTimes::Local => self.clock.instant(shown),
        };
        if self.wants_other && is_credible {
            self.note_other(shown);
        }
        let Some(at) = at else {
            self.gather.tally().refused += 1;
            return Ok(());
        };
        let source = match self.export_source {
            Some(known) => known,
            None => {
                let device = self.read_by.device();
                *self
                    .export_source
                    .insert(self.gather.source(Kind::ExportJson, device, 2)?)
            }
        };
        let place = Place { source, zone: 0 };
        let rate_exact = u32::from(rate) * 1_000;
        if is_doubtful {
            self.doubts.mark(at, rate);
            return self.gather.doubtful(place, at, rate_exact);
        }
        self.gather.sample(place, at, rate_exact)
    }

    fn note_other(&mut self, shown: i64) {
        let other = match self.read_by.other() {
            JsonTimes::Utc => Some(shown),
            JsonTimes::Local => self.other_clock.instant(shown),
        };
        if let Some(at) = other {
            let (first, last) = self.other_extent.get_or_insert((at, at));
            *first = at.min(*first);
            *last = at.max(*last);
        }
    }

    /// Takes an element of `pulsewing export --format json`.
    #[cold]
    fn own(&mut self, element: Element, zone: &str) -> Result<(), Failure> {
        let gather = &mut *self.gather;
        let at = element
            .written
            .and_then(|written| instant(written, &mut self.clock));
        let Some(at) = at else {
            gather.tally().refused += 1;
            return Ok(());
        };
        let source = match self.own_source {
            Some(known) => known,
            None => *self
                .own_source
                .insert(gather.source(Kind::Recording, "", 2)?),
        };
        let offset = element.written.and_then(|written| written.offset);
        let zone = match element.has_zone {
            true => gather.zone(zone, at, offset),
            false => 0,
        };
        let place = Place { source, zone };
        if let Some(resting) = element.resting {
            match element.date.zip(Bpm::new(resting)) {
                Some((date, bpm)) => gather.resting(place, date, bpm)?,
                None => gather.tally().refused += 1,
            }
        }
        match element.rate {
            Some(rate) => gather.sample(place, at, u32::from(rate) * 1_000),
            None if element.resting.is_some() => Ok(()),
            None => {
                gather.tally().refused += 1;
                Ok(())
            }
        }
    }
}

/// Decodes a document.
pub(super) fn decode(
    content: &mut dyn Read,
    buffer: &mut [u8],
    handler: &mut impl Handler,
) -> Result<(), Failure> {
    let mut decoder: Decoder = Decoder::new();
    each_chunk(content, buffer, |chunk| {
        Ok(decoder.feed(chunk, handler).map_err(FileError::Json)?)
    })?;
    Ok(decoder.finish(handler).map_err(FileError::Json)?)
}

/// Decodes a document that must be a list.
pub(super) fn decode_list(
    content: &mut dyn Read,
    buffer: &mut [u8],
    each: impl FnMut(Element, &str),
) -> Result<(), Failure> {
    let mut list = ListReader::new(each);
    decode(content, buffer, &mut list)?;
    if !list.is_list {
        return Err(FileError::OtherJson.into());
    }
    Ok(())
}

/// Decodes one document per line; skips empty lines.
pub(super) fn decode_lines(
    content: &mut dyn Read,
    buffer: &mut [u8],
    between: u8,
    mut handler: impl Handler,
) -> Result<(), Failure> {
    let mut decoder: Option<Decoder> = None;
    each_chunk(content, buffer, |chunk| {
        for part in chunk.split_inclusive(|byte| *byte == between) {
            let text = part.strip_suffix(&[between]).unwrap_or(part);
            if decoder.is_some() || !text.trim_ascii().is_empty() {
                let decoder = decoder.get_or_insert_default();
                decoder.feed(text, &mut handler).map_err(FileError::Json)?;
            }
            if text.len() < part.len()
                && let Some(mut decoder) = decoder.take()
            {
                decoder.finish(&mut handler).map_err(FileError::Json)?;
            }
        }
        Ok(())
    })?;
    match decoder {
        Some(mut decoder) => Ok(decoder.finish(&mut handler).map_err(FileError::Json)?),
        None => Ok(()),
    }
}

fn each_chunk(
    content: &mut dyn Read,
    buffer: &mut [u8],
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        match content.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => each(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
