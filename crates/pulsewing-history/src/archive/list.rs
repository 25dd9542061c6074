//! Passes the elements of JSON lists into the history.

use std::io::Read;

use jiff::Timestamp;
use pulsewing_core::json::{Decoder, Handler};

use super::{
    Failure, FileError,
    doubts::Doubts,
    evidence::Shown,
    gather::Gather,
    import::JsonTimes,
    json::Element,
    read::{instant, rounded},
    text::each_chunk,
    zone::LocalClock,
};
use crate::Kind;

/// In seconds: no clock on Earth is further ahead of UTC.
const A_DAY: i64 = 86_400;

/// Takes the elements of a list.
pub(super) struct Samples<'s, 'h> {
    pub(super) read_by: JsonTimes,
    /// The wearer's clock.
    pub(super) clock: LocalClock,
    pub(super) gather: &'s mut Gather<'h>,
    pub(super) doubts: &'s mut Doubts,
    /// The export's times as written.
    pub(super) shown: Shown,
    /// The same times by the other clock, if the history has JSON that was read by it.
    pub(super) by_other: Option<ByOther>,
}

/// The times of a list by the clock by which it is not read.
pub(super) struct ByOther {
    /// The wearer's clock.
    clock: LocalClock,
    /// The first and the last instant, in seconds since 1970.
    extent: Option<(i64, i64)>,
}

impl ByOther {
    pub(super) const fn new(clock: LocalClock) -> Self {
        Self {
            clock,
            extent: None,
        }
    }

    fn sample(&mut self, other: JsonTimes, shown: i64) {
        if let Some(at) = other.instant(shown, &mut self.clock) {
            let (first, last) = self.extent.get_or_insert((at, at));
            *first = at.min(*first);
            *last = at.max(*last);
        }
    }

    /// Returns from when until when, not included, the minutes of the samples last.
    pub(super) fn minutes(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.extent?;
        let at = |seconds| Timestamp::from_second(seconds).ok();
        // The minute of the first sample began up to a minute before it.
        at(first - 59).zip(at(last + 1))
    }
}

impl Samples<'_, '_> {
    /// Takes an element, with the zone that it names.
    #[inline]
    pub(super) fn take(&mut self, element: Element, zone: &str) -> Result<(), Failure> {
        if element.is_own {
            return self.own(element, zone);
        }
        let (Some(shown), Some(rate)) = (element.time, element.rate) else {
            self.gather.refuse();
            return Ok(());
        };
        let is_doubtful = element.confidence == Some(0);
        // A time that is in the future on any clock is no evidence for the other times.
        if shown <= self.gather.latest() + A_DAY {
            self.shown.sample(shown, (!is_doubtful).then_some(rate));
            if let Some(by_other) = &mut self.by_other {
                by_other.sample(self.read_by.other(), shown);
            }
        }
        let at = self.read_by.instant(shown, &mut self.clock);
        let device = self.read_by.device().as_bytes();
        let place = self.gather.place(Kind::ExportJson, device)?;
        match at {
            Some(at) if is_doubtful => {
                self.doubts.mark(at, rate);
                self.gather.doubtful(place, at, rate)
            }
            _ => self.gather.sample(place, at, Some(rate)),
        }
    }

    /// Takes an element of `pulsewing export --format json`.
    #[cold]
    fn own(&mut self, element: Element, zone: &str) -> Result<(), Failure> {
        let gather = &mut *self.gather;
        let written = element.written;
        let at = written.and_then(|written| instant(written, &mut self.clock));
        let Some(at) = at else {
            gather.refuse();
            return Ok(());
        };
        let mut place = gather.place(Kind::Recording, b"")?;
        if element.has_zone {
            let offset = written.and_then(|written| written.offset);
            place.zone = gather.zone(zone, at, offset);
        }
        if let Some(resting) = element.resting {
            gather.resting(place, element.date, rounded(resting))?;
        }
        match element.rate {
            None if element.resting.is_some() => Ok(()),
            rate => gather.sample(place, Some(at), rate),
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
        decoder.feed(chunk, handler).map_err(FileError::Json)
    })?;
    Ok(decoder.finish(handler).map_err(FileError::Json)?)
}

/// Decodes one document per line; skips empty lines.
pub(super) fn decode_lines(
    content: &mut dyn Read,
    buffer: &mut [u8],
    handler: &mut impl Handler,
) -> Result<(), Failure> {
    let mut decoder: Option<Decoder> = None;
    let mut take = |text: &[u8], is_over: bool| {
        if decoder.is_some() || !text.trim_ascii().is_empty() {
            decoder.get_or_insert_default().feed(text, handler)?;
        }
        match decoder.take_if(|_| is_over) {
            Some(mut decoder) => decoder.finish(handler),
            None => Ok(()),
        }
    };
    each_chunk(content, buffer, |chunk| {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            take(text, text.len() < part.len()).map_err(FileError::Json)?;
        }
        Ok::<_, Failure>(())
    })?;
    Ok(take(b"", true).map_err(FileError::Json)?)
}
