//! A day of heart rate from Fitbit.

use jiff::civil::Date;

use super::{
    super::{
        DecodeError, scalar,
        usual::Usual,
        walk::{Kind, Place, Visitor, Walker},
    },
    clock_time::{ClockReader, clock_seconds},
};
use crate::{
    Bpm,
    civil::{LocalDay, Offsets},
    day::Day,
    heart_zone::ProviderZones,
    instant::date,
    json::Event,
};

/// The longest string or number that matters, in bytes.
const TOKEN: usize = 64;

/// The facts that a [`HeartDecoder`] finds in addition to the minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartFacts {
    /// The date that the reply is about. A reply for a part of the day may have "today" instead.
    pub date: Option<Date>,
    /// The resting heart rate, which Fitbit works out after a night's sleep.
    pub resting: Option<Bpm>,
    /// The wearer's heart-rate zones.
    pub zones: Option<ProviderZones>,
    /// The number of entries of the intraday data set that could be placed on the day.
    pub entries: u32,
}

/// Decodes a reply of Get Heart Rate Intraday by Date (Fitbit Web API) into a [`Day`]: a whole day
/// or a part of it, at any detail level. Values in the same minute are averaged, rounded half up.
///
/// Pass an empty day of the requested date. If the reply is about another date, a day of that date
/// replaces it.
pub struct HeartDecoder {
    walker: Walker<At, TOKEN>,
    offsets: Offsets,
    heart: Heart,
}

#[derive(Default)]
struct Heart {
    date: Option<Date>,
    /// The first error.
    refused: Option<DecodeError>,
    resting: Option<Bpm>,
    zone: Zone,
    /// The beginnings of "Fat Burn", "Cardio" and "Peak".
    limits: [Option<Bpm>; 3],
    intraday: bool,
    dataset: bool,
    /// The number of entries that could not be read.
    strange: u32,
    clock: Option<ClockReader>,
    entry: Entry,
    minute: Minute,
    entries: u32,
}

/// The entry of `heartRateZones` being read.
#[derive(Clone, Copy, Default)]
struct Zone {
    rank: Option<usize>,
    min: Option<Bpm>,
}

/// The entry of the data set being read.
#[derive(Clone, Copy, Default)]
struct Entry {
    clock: Option<i32>,
    bpm: Option<Bpm>,
}

/// The entries of the latest minute.
#[derive(Clone, Copy, Default)]
struct Minute {
    minute: u16,
    sum: u32,
    count: u32,
}

impl HeartDecoder {
    /// Returns a decoder at the beginning of a reply; `offsets` are the wearer's.
    #[must_use]
    pub fn new(offsets: &Offsets) -> Self {
        Self {
            walker: Walker::new(),
            offsets: offsets.clone(),
            heart: Heart::default(),
        }
    }

    /// Decodes the next bytes of the reply into `day`.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call.
    pub fn feed(&mut self, chunk: &[u8], day: &mut Day) -> Result<(), DecodeError> {
        let (heart, offsets) = (&mut self.heart, &self.offsets);
        self.walker.feed(
            chunk,
            &mut Reading {
                heart,
                offsets,
                day,
            },
        )
    }

    /// Ends the reply.
    ///
    /// # Errors
    /// [`DecodeError`] if the reply is incomplete, or was refused before; [`DecodeError::NoIntraday`] if
    /// it has no intraday part. An empty part is not an error. A part without a data set, or only with
    /// entries that cannot be read, is [`DecodeError::NotTheReply`]; one with another detail level than
    /// minutes or seconds is [`DecodeError::NotMinutes`].
    pub fn finish(mut self, day: &mut Day) -> Result<HeartFacts, DecodeError> {
        let (heart, offsets) = (&mut self.heart, &self.offsets);
        self.walker.finish(&mut Reading {
            heart,
            offsets,
            day,
        })?;
        if !self.heart.intraday {
            return Err(DecodeError::NoIntraday);
        }
        if !self.heart.dataset || (self.heart.entries == 0 && self.heart.strange > 0) {
            return Err(DecodeError::NotTheReply);
        }
        Ok(self.heart.facts())
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    Summaries,
    Summary,
    DateTime,
    /// An object in the reply for a whole day; an average in the reply for a part of it.
    Value,
    Zones,
    Zone,
    ZoneName,
    ZoneMin,
    Resting,
    Intraday,
    Interval,
    Dataset,
    Entry,
    EntryTime,
    EntryValue,
}

impl Place for At {
    const BODY: Self = Self::Body;

    #[inline]
    fn kind(self) -> Kind<Self> {
        match self {
            Self::Entry
            | Self::Body
            | Self::Summary
            | Self::Value
            | Self::Zone
            | Self::Intraday => Kind::Object,
            Self::Summaries => Kind::Array(Self::Summary),
            Self::Zones => Kind::Array(Self::Zone),
            Self::Dataset => Kind::Array(Self::Entry),
            Self::EntryTime
            | Self::EntryValue
            | Self::DateTime
            | Self::ZoneName
            | Self::ZoneMin
            | Self::Interval
            | Self::Resting => Kind::Scalar,
        }
    }
}

struct Reading<'r> {
    heart: &'r mut Heart,
    offsets: &'r Offsets,
    day: &'r mut Day,
}

impl Visitor for Reading<'_> {
    type Place = At;

    #[inline]
    fn member(&mut self, object: At, key: &[u8]) -> Option<At> {
        Some(match (object, key) {
            (At::Entry, b"time") => At::EntryTime,
            (At::Entry, b"value") => At::EntryValue,
            (At::Body, b"activities-heart") => At::Summaries,
            (At::Body, b"activities-heart-intraday") => At::Intraday,
            (At::Intraday, b"dataset") => At::Dataset,
            (At::Intraday, b"datasetInterval") => At::Interval,
            (At::Summary, b"dateTime") => At::DateTime,
            (At::Summary, b"value") => At::Value,
            (At::Summary | At::Value, b"heartRateZones") => At::Zones,
            (At::Summary | At::Value, b"restingHeartRate") => At::Resting,
            (At::Zone, b"name") => At::ZoneName,
            (At::Zone, b"min") => At::ZoneMin,
            _ => return None,
        })
    }

    #[inline]
    fn object<'c>(&mut self, place: At, input: &'c [u8]) -> Option<&'c [u8]> {
        let At::Entry = place else { return None };
        let mut usual = Usual::new(input);
        usual.literal(b"{\"time\":\"")?;
        let clock = clock_seconds(usual.text(TOKEN)?)?;
        usual.literal(b",\"value\":")?;
        let bpm = scalar::bpm(usual.number(TOKEN)?);
        usual.literal(b"}")?;
        let clock = Some(clock);
        self.heart.entry = Entry { clock, bpm };
        self.heart.place_entry(self.day);
        Some(usual.rest())
    }

    #[inline]
    fn begin(&mut self, place: At) {
        match place {
            At::Entry => self.heart.entry = Entry::default(),
            At::Zone => self.heart.zone = Zone::default(),
            At::Intraday => self.heart.intraday = true,
            At::Dataset => self.heart.dataset = true,
            _ => {}
        }
    }

    #[inline]
    fn end(&mut self, place: At) {
        match place {
            At::Entry => self.heart.place_entry(self.day),
            At::Zone => self.heart.keep_limit(),
            _ => {}
        }
    }

    #[inline]
    fn scalar(&mut self, place: At, event: Event<'_>) {
        match (place, event) {
            (At::EntryTime, Event::String(text)) => {
                self.heart.entry.clock = text.as_bytes().and_then(clock_seconds);
            }
            (At::EntryValue, _) => self.heart.entry.bpm = scalar::bpm(event),
            _ => self.summary(place, event),
        }
    }

    fn verdict(&self) -> Result<(), DecodeError> {
        self.heart.refused.map_or(Ok(()), Err)
    }
}

impl Reading<'_> {
    /// Handles values that come only a few times in a reply; separate, to keep the path for minutes
    /// fast.
    #[cold]
    fn summary(&mut self, place: At, event: Event<'_>) {
        match (place, event) {
            (At::DateTime, Event::String(text)) => {
                if let Some(date) = text.as_bytes().and_then(date) {
                    self.date(date);
                }
            }
            (At::Resting, _) => self.heart.resting = scalar::bpm(event),
            (At::ZoneName, Event::String(text)) => {
                self.heart.zone.rank = match text.as_bytes() {
                    Some(b"Fat Burn") => Some(0),
                    Some(b"Cardio") => Some(1),
                    Some(b"Peak") => Some(2),
                    _ => None,
                };
            }
            (At::ZoneMin, _) => self.heart.zone.min = scalar::bpm(event),
            // In minutes or in seconds; for seconds, 1 is the only interval.
            (At::Interval, _) if scalar::whole(event).is_some_and(|interval| interval > 1) => {
                self.heart.refuse(DecodeError::NotMinutes);
            }
            _ => {}
        }
    }

    /// Handles the reply's date, which usually comes before the minutes.
    fn date(&mut self, date: Date) {
        if self.heart.date.is_some_and(|known| known != date) {
            self.heart.refuse(DecodeError::SeveralDays);
        }
        self.heart.date = Some(date);
        if self.day.local().date() != date {
            let local = self.offsets.day(date);
            *self.day = if self.heart.entries == 0 {
                Day::new(local)
            } else {
                redated(self.day, local)
            };
            self.heart.clock = None;
            self.heart.minute = Minute::default();
        }
    }
}

/// Returns the same clock times on a day of another date.
fn redated(day: &Day, local: LocalDay) -> Day {
    let mut moved = Day::new(local);
    let mut clock = ClockReader::new(moved.local());
    for (minute, bpm) in day.iter() {
        let time = day.local().clock(minute);
        if let Some(minute) = clock.minute_of(time) {
            moved.record(minute, bpm);
        }
    }
    moved
}

impl Heart {
    fn refuse(&mut self, why: DecodeError) {
        self.refused.get_or_insert(why);
    }

    #[inline]
    fn place_entry(&mut self, day: &mut Day) {
        let Entry {
            clock: Some(clock),
            bpm: Some(bpm),
        } = self.entry
        else {
            self.strange = self.strange.saturating_add(1);
            return;
        };
        let reader = self
            .clock
            .get_or_insert_with(|| ClockReader::new(day.local()));
        let Some(minute) = reader.minute(clock) else {
            return;
        };
        if self.minute.count == 0 || self.minute.minute != minute {
            self.minute = Minute {
                minute,
                sum: 0,
                count: 0,
            };
        }
        self.entries = self.entries.saturating_add(1);
        if let Some(mean) = self.minute.add(bpm) {
            day.record(minute, mean);
        }
    }

    fn keep_limit(&mut self) {
        if let Some(limit) = self.zone.rank.and_then(|rank| self.limits.get_mut(rank)) {
            *limit = self.zone.min;
        }
    }

    fn facts(&self) -> HeartFacts {
        let zones = match self.limits {
            [Some(moderate), Some(vigorous), Some(peak)] => {
                ProviderZones::new([moderate, vigorous, peak])
            }
            _ => None,
        };
        HeartFacts {
            date: self.date,
            resting: self.resting,
            zones,
            entries: self.entries,
        }
    }
}

impl Minute {
    /// Adds an entry and returns the mean so far, rounded half up.
    #[inline]
    fn add(&mut self, bpm: Bpm) -> Option<Bpm> {
        if self.count == 0 {
            (self.sum, self.count) = (u32::from(bpm.get()), 1);
            return Some(bpm);
        }
        // More entries than a minute can have are left out.
        if self.count < u32::from(u16::MAX) {
            self.count += 1;
            self.sum += u32::from(bpm.get());
        }
        Bpm::mean(self.sum, self.count)
    }
}
