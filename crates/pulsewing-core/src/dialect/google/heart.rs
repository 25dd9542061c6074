//! Heart rate from Google: minute averages (`rollUp`) and single measurements (`list`, `reconcile`).

use jiff::Timestamp;

use super::{
    super::{
        DecodeError, PageToken,
        page_token::NextPage,
        scalar::{self, Second},
        usual::Usual,
        walk::{Kind, Place, Visitor, Walker},
    },
    source::{Part, Source},
};
use crate::{Bpm, day::Sample, instant::rfc3339, json::Event};

/// The longest string or number that matters, in bytes.
const TOKEN: usize = PageToken::MAX;

/// A point that a [`HeartDecoder`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartPoint {
    /// The average of a minute, from `rollUp`.
    Minute(Sample),
    /// One measurement, from `list` or `reconcile`; [`MinuteMeans`](super::MinuteMeans) averages.
    Raw {
        /// The time of the measurement.
        at: Timestamp,
        /// The measured rate.
        bpm: Bpm,
        /// Its source; only `list` reports it, and lists all sources side by side. Averaging over
        /// several would make up a rate that was never measured.
        source: Option<Source>,
    },
}

/// The end of a page of heart rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartPage {
    /// The number of points, not counting those without a heart rate.
    pub points: u32,
    /// The next page. Even an empty page can have one.
    pub next_page: Option<PageToken>,
}

/// Decodes one page of `dataPoints.rollUp`, `dataPoints.list` or `dataPoints.reconcile` for
/// `heart-rate` (Google Health API). Its points come in the order of the page: newest first, as far
/// as documented. Windows of more than a minute are not points, and are refused at the end.
pub struct HeartDecoder {
    walker: Walker<At, TOKEN>,
    page: Page,
}

#[derive(Default)]
struct Page {
    point: Point,
    points: u32,
    /// The number of points with a heart rate but no readable time.
    timeless: u32,
    /// Whether a window was longer than a minute.
    has_long: bool,
    next: NextPage,
    shape: Shape,
}

/// The shape of a page, by its members so far; a later one outweighs those before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// No member: an empty page.
    #[default]
    Empty,
    /// Only members that pages of heart rate do not have.
    Foreign,
    Page,
    /// The value of its points is not a list.
    Misshapen,
}

/// The point being read.
#[derive(Clone, Copy, Default)]
struct Point {
    /// The beginning and the end of its window.
    window: Second,
    window_end: Second,
    /// The time of the measurement.
    at: Option<Timestamp>,
    average: Option<Bpm>,
    bpm: Option<Bpm>,
    source: Option<Source>,
}

impl Default for HeartDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl HeartDecoder {
    /// Returns a decoder at the beginning of a page.
    #[must_use]
    pub fn new() -> Self {
        Self {
            walker: Walker::new(),
            page: Page::default(),
        }
    }

    /// Decodes the next bytes of the page; `sink` gets the points that they complete.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        sink: &mut impl FnMut(HeartPoint),
    ) -> Result<(), DecodeError> {
        let page = &mut self.page;
        self.walker.feed(chunk, &mut Reading { page, sink })
    }

    /// Ends the page.
    ///
    /// # Errors
    /// [`DecodeError`] if the page is incomplete, or was refused before; also if it has heart rates but
    /// not one with a time, or averages over more than a minute.
    pub fn finish(mut self) -> Result<HeartPage, DecodeError> {
        let page = &mut self.page;
        let sink = &mut |_| {};
        self.walker.finish(&mut Reading { page, sink })?;
        // Only `{}` is an empty page; a page of something else is not an empty page of heart rate.
        if matches!(self.page.shape, Shape::Foreign | Shape::Misshapen) {
            return Err(DecodeError::NotTheReply);
        }
        if self.page.has_long {
            return Err(DecodeError::NotMinutes);
        }
        if self.page.points == 0 && self.page.timeless > 0 {
            return Err(DecodeError::NotTheReply);
        }
        Ok(HeartPage {
            points: self.page.points,
            next_page: self.page.next.into_token(),
        })
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    Points,
    Point,
    StartTime,
    EndTime,
    DataSource,
    /// The device or the application.
    SourceMember,
    SourcePart(Part),
    HeartRate,
    Average,
    SampleTime,
    PhysicalTime,
    BeatsPerMinute,
    NextPageToken,
}

impl Place for At {
    const BODY: Self = Self::Body;

    #[inline]
    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body
            | Self::Point
            | Self::HeartRate
            | Self::SampleTime
            | Self::DataSource
            | Self::SourceMember => Kind::Object,
            Self::Points => Kind::Array(Self::Point),
            Self::StartTime
            | Self::EndTime
            | Self::SourcePart(_)
            | Self::Average
            | Self::PhysicalTime
            | Self::BeatsPerMinute
            | Self::NextPageToken => Kind::Scalar,
        }
    }
}

struct Reading<'r, F> {
    page: &'r mut Page,
    sink: &'r mut F,
}

impl<F: FnMut(HeartPoint)> Visitor for Reading<'_, F> {
    type Place = At;

    #[inline]
    fn member(&mut self, object: At, key: &[u8]) -> Option<At> {
        Some(match (object, key) {
            (At::Point, b"startTime") => At::StartTime,
            (At::Point, b"endTime") => At::EndTime,
            (At::Point, b"dataSource") => At::DataSource,
            (At::DataSource, b"device" | b"application") => At::SourceMember,
            (At::DataSource | At::SourceMember, key) => At::SourcePart(Part::named(key)?),
            (At::Point, b"heartRate") => At::HeartRate,
            (At::HeartRate, b"beatsPerMinuteAvg") => At::Average,
            (At::HeartRate, b"beatsPerMinute") => At::BeatsPerMinute,
            (At::HeartRate, b"sampleTime") => At::SampleTime,
            (At::SampleTime, b"physicalTime") => At::PhysicalTime,
            (At::Body, b"rollupDataPoints" | b"dataPoints") => {
                // Until the list begins.
                self.page.shape = Shape::Misshapen;
                At::Points
            }
            (At::Body, b"nextPageToken") => {
                self.page.shape = self.page.shape.max(Shape::Page);
                At::NextPageToken
            }
            (At::Body, _) => {
                self.page.shape = self.page.shape.max(Shape::Foreign);
                return None;
            }
            _ => return None,
        })
    }

    #[inline]
    fn object<'c>(&mut self, place: At, input: &'c [u8]) -> Option<&'c [u8]> {
        let At::Point = place else { return None };
        let mut usual = Usual::new(input);
        let point = match usual.literal(b"{\"startTime\":\"") {
            Some(()) => Point::window(&mut usual),
            None => Point::measured(&mut usual),
        }?;
        self.page.point = point;
        self.end(At::Point);
        Some(usual.rest())
    }

    #[inline]
    fn begin(&mut self, place: At) {
        match place {
            At::Point => self.page.point = Point::default(),
            At::Points => self.page.shape = Shape::Page,
            _ => {}
        }
    }

    #[inline]
    fn end(&mut self, place: At) {
        if let At::Point = place {
            if self.page.point.is_long() {
                self.page.has_long = true;
                return;
            }
            match self.page.point.complete() {
                Some(point) => {
                    self.page.points = self.page.points.saturating_add(1);
                    (self.sink)(point);
                }
                None if self.page.point.has_rate() => {
                    self.page.timeless = self.page.timeless.saturating_add(1);
                }
                None => {}
            }
        }
    }

    #[inline]
    fn scalar(&mut self, place: At, event: Event<'_>) {
        let point = &mut self.page.point;
        match (place, event) {
            (At::StartTime, Event::String(text)) => {
                point.window = text.as_bytes().and_then(rfc3339).into();
            }
            (At::EndTime, Event::String(text)) => {
                point.window_end = text.as_bytes().and_then(rfc3339).into();
            }
            (At::SourcePart(part), Event::String(text)) => {
                let source = point.source.get_or_insert_default();
                source.take(part, text.as_bytes().unwrap_or_default());
            }
            (At::PhysicalTime, Event::String(text)) => {
                point.at = text.as_bytes().and_then(rfc3339);
            }
            (At::Average, _) => point.average = scalar::bpm(event),
            (At::BeatsPerMinute, _) => point.bpm = scalar::bpm(event),
            (At::NextPageToken, _) => self.page.next = NextPage::read(event),
            _ => {}
        }
    }

    fn verdict(&self) -> Result<(), DecodeError> {
        self.page.next.verdict()
    }
}

impl Point {
    /// Reads a window of `rollUp`, from after the opening quote of its start time.
    #[inline]
    fn window(usual: &mut Usual<'_>) -> Option<Self> {
        let mut point = Self {
            window: rfc3339(usual.text(TOKEN)?).into(),
            ..Self::default()
        };
        usual.literal(b",\"endTime\":\"")?;
        point.window_end = rfc3339(usual.text(TOKEN)?).into();
        usual.literal(b",\"heartRate\":{\"beatsPerMinuteAvg\":")?;
        point.average = scalar::bpm(usual.number(TOKEN)?);
        usual.literal(b",\"beatsPerMinuteMax\":")?;
        usual.number(TOKEN)?;
        usual.literal(b",\"beatsPerMinuteMin\":")?;
        usual.number(TOKEN)?;
        usual.literal(b"}}")?;
        Some(point)
    }

    /// Reads a measurement of `list`, from its beginning.
    #[inline]
    fn measured(usual: &mut Usual<'_>) -> Option<Self> {
        let mut source = Source::default();
        usual.literal(b"{\"dataSource\":{\"recordingMethod\":\"")?;
        usual.text(TOKEN)?;
        usual.literal(b",\"platform\":\"")?;
        source.take(Part::Platform, usual.text(TOKEN)?);
        usual.literal(b"},\"heartRate\":{\"sampleTime\":{\"physicalTime\":\"")?;
        let at = rfc3339(usual.text(TOKEN)?);
        usual.literal(b",\"utcOffset\":\"")?;
        usual.text(TOKEN)?;
        for member in [
            b",\"civilTime\":{\"date\":{\"year\":".as_slice(),
            b",\"month\":",
            b",\"day\":",
            b"},\"time\":{\"hours\":",
            b",\"minutes\":",
            b",\"seconds\":",
        ] {
            usual.literal(member)?;
            usual.number(TOKEN)?;
        }
        usual.literal(b"}}},\"beatsPerMinute\":\"")?;
        let bpm = scalar::bpm(usual.string(TOKEN)?);
        usual.literal(b",\"metadata\":{\"motionContext\":\"")?;
        usual.text(TOKEN)?;
        usual.literal(b"}}}")?;
        Some(Self {
            at,
            bpm,
            source: Some(source),
            ..Self::default()
        })
    }

    const fn has_rate(self) -> bool {
        self.average.is_some() || self.bpm.is_some()
    }

    /// Returns whether it averages over more than a minute. The last window of a range may be shorter.
    #[inline]
    fn is_long(self) -> bool {
        match (self.window.get(), self.window_end.get()) {
            (Some(start), Some(end)) => end.saturating_sub(start) > 60,
            _ => false,
        }
    }

    #[inline]
    fn complete(self) -> Option<HeartPoint> {
        if let (Some(second), Some(bpm)) = (self.window.get(), self.average) {
            let at = Timestamp::from_second(second - second.rem_euclid(60)).ok()?;
            return Some(HeartPoint::Minute(Sample { at, bpm }));
        }
        let (at, bpm) = (self.at?, self.bpm?);
        let source = self.source;
        Some(HeartPoint::Raw { at, bpm, source })
    }
}
