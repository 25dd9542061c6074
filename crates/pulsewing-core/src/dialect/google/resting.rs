//! Resting heart rate from Google.

use jiff::civil::Date;

use super::{
    super::{
        DecodeError, PageToken,
        page_token::NextPage,
        scalar,
        walk::{Kind, Place, Reader, Visitor},
    },
    date_parts::DateParts,
};
use crate::{Bpm, json::Event};

/// The end of a page of resting heart rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestingPage {
    /// The newest day, not after the last possible one, that has a resting heart rate, and that rate.
    pub newest: Option<(Date, Bpm)>,
    /// The next page; with older days, as far as documented.
    pub next_page: Option<PageToken>,
}

/// Decodes one page of `dataPoints.list` for `daily-resting-heart-rate` (Google Health API).
pub struct RestingDecoder(Reader<Days, { PageToken::MAX }>);

struct Days {
    /// The last day that can have been measured.
    last: Date,
    date: DateParts,
    bpm: Option<Bpm>,
    newest: Option<(Date, Bpm)>,
    next: NextPage,
}

impl RestingDecoder {
    /// Returns a decoder at the beginning of a page. Days after `last` are always left out.
    #[must_use]
    pub fn new(last: Date) -> Self {
        Self(Reader::new(Days {
            last,
            date: DateParts::default(),
            bpm: None,
            newest: None,
            next: NextPage::default(),
        }))
    }

    /// Decodes the next bytes of the page.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.0.feed(chunk)
    }

    /// Ends the page.
    ///
    /// # Errors
    /// [`DecodeError`] if the page is incomplete, or was refused before.
    pub fn finish(self) -> Result<RestingPage, DecodeError> {
        let days = self.0.finish()?;
        Ok(RestingPage {
            newest: days.newest,
            next_page: days.next.into_token(),
        })
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    Points,
    Point,
    Resting,
    Date,
    Year,
    Month,
    Day,
    BeatsPerMinute,
    NextPageToken,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body | Self::Point | Self::Resting | Self::Date => Kind::Object,
            Self::Points => Kind::Array(Self::Point),
            Self::Year | Self::Month | Self::Day | Self::BeatsPerMinute | Self::NextPageToken => {
                Kind::Scalar
            }
        }
    }
}

impl Visitor for Days {
    type Place = At;

    fn member(&mut self, object: At, key: &[u8]) -> Option<At> {
        Some(match (object, key) {
            (At::Body, b"dataPoints") => At::Points,
            (At::Body, b"nextPageToken") => At::NextPageToken,
            (At::Point, b"dailyRestingHeartRate") => At::Resting,
            (At::Resting, b"date") => At::Date,
            (At::Resting, b"beatsPerMinute") => At::BeatsPerMinute,
            (At::Date, b"year") => At::Year,
            (At::Date, b"month") => At::Month,
            (At::Date, b"day") => At::Day,
            _ => return None,
        })
    }

    fn begin(&mut self, place: At) {
        if let At::Point = place {
            (self.date, self.bpm) = (DateParts::default(), None);
        }
    }

    fn end(&mut self, place: At) {
        if let At::Point = place
            && let Some(date) = self.date.date()
            && let Some(bpm) = self.bpm
            && date <= self.last
            && self.newest.is_none_or(|(newest, _)| date > newest)
        {
            self.newest = Some((date, bpm));
        }
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        match place {
            At::Year => self.date.take_year(event),
            At::Month => self.date.take_month(event),
            At::Day => self.date.take_day(event),
            At::BeatsPerMinute => self.bpm = scalar::bpm(event),
            At::NextPageToken => self.next = NextPage::read(event),
            _ => {}
        }
    }

    fn verdict(&self) -> Result<(), DecodeError> {
        self.next.verdict()
    }
}
