//! Heart-rate zones from Google.

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
use crate::{Bpm, heart_zone::ProviderZones, json::Event};

/// The end of a page of heart-rate zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonesPage {
    /// The newest day, not after the last possible one, whose zones are complete and ascend, and these
    /// zones.
    pub newest: Option<(Date, ProviderZones)>,
    /// The next page; with older days, as far as documented.
    pub next_page: Option<PageToken>,
}

/// Decodes one page of `dataPoints.list` for `daily-heart-rate-zones` (Google Health API).
///
/// Of its four zones, only the beginnings of `MODERATE`, `VIGOROUS` and `PEAK` count: `LIGHT` begins at
/// 30 bpm, as Fitbit's "Out of Range" does.
pub struct ZonesDecoder(Reader<Days, { PageToken::MAX }>);

struct Days {
    /// The last day that can have zones.
    last: Date,
    date: DateParts,
    /// The beginnings of the day's moderate, vigorous and peak zones.
    limits: [Option<Bpm>; 3],
    zone: Zone,
    newest: Option<(Date, ProviderZones)>,
    next: NextPage,
}

/// The zone being read.
#[derive(Clone, Copy, Default)]
struct Zone {
    rank: Option<usize>,
    min: Option<Bpm>,
}

impl ZonesDecoder {
    /// Returns a decoder at the beginning of a page. Days after `last` are always left out.
    #[must_use]
    pub fn new(last: Date) -> Self {
        Self(Reader::new(Days {
            last,
            date: DateParts::default(),
            limits: [None; 3],
            zone: Zone::default(),
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
    pub fn finish(self) -> Result<ZonesPage, DecodeError> {
        let days = self.0.finish()?;
        Ok(ZonesPage {
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
    Daily,
    Date,
    Year,
    Month,
    Day,
    Zones,
    Zone,
    Type,
    Min,
    NextPageToken,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body | Self::Point | Self::Daily | Self::Date | Self::Zone => Kind::Object,
            Self::Points => Kind::Array(Self::Point),
            Self::Zones => Kind::Array(Self::Zone),
            Self::Year | Self::Month | Self::Day | Self::Type | Self::Min | Self::NextPageToken => {
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
            (At::Point, b"dailyHeartRateZones") => At::Daily,
            (At::Daily, b"date") => At::Date,
            (At::Daily, b"heartRateZones") => At::Zones,
            (At::Date, b"year") => At::Year,
            (At::Date, b"month") => At::Month,
            (At::Date, b"day") => At::Day,
            (At::Zone, b"heartRateZoneType") => At::Type,
            (At::Zone, b"minBeatsPerMinute") => At::Min,
            _ => return None,
        })
    }

    fn begin(&mut self, place: At) {
        match place {
            At::Point => (self.date, self.limits) = (DateParts::default(), [None; 3]),
            At::Zone => self.zone = Zone::default(),
            _ => {}
        }
    }

    fn end(&mut self, place: At) {
        match place {
            At::Zone => {
                let Zone { rank, min } = self.zone;
                if let Some(limit) = rank.and_then(|rank| self.limits.get_mut(rank)) {
                    *limit = min;
                }
            }
            At::Point => {
                if let Some(date) = self.date.date()
                    && let [Some(moderate), Some(vigorous), Some(peak)] = self.limits
                    && let Some(zones) = ProviderZones::new([moderate, vigorous, peak])
                    && date <= self.last
                    && self.newest.is_none_or(|(newest, _)| date > newest)
                {
                    self.newest = Some((date, zones));
                }
            }
            _ => {}
        }
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        match (place, event) {
            (At::Year, _) => self.date.take_year(event),
            (At::Month, _) => self.date.take_month(event),
            (At::Day, _) => self.date.take_day(event),
            (At::Type, Event::String(text)) => {
                self.zone.rank = match text.as_bytes() {
                    Some(b"MODERATE") => Some(0),
                    Some(b"VIGOROUS") => Some(1),
                    Some(b"PEAK") => Some(2),
                    _ => None,
                };
            }
            (At::Min, _) => self.zone.min = scalar::bpm(event),
            (At::NextPageToken, _) => self.next = NextPage::read(event),
            _ => {}
        }
    }

    fn verdict(&self) -> Result<(), DecodeError> {
        self.next.verdict()
    }
}
