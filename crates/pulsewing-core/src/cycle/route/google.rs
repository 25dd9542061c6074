//! Google's route.
//!
//! ```text
//! Today (wearables) ─▶ Today (all sources) ─▶ Earlier ─────────────────▶ Devices ─▶ Resting ───────▶ HeartZones
//!                      if there is nothing    if the window is not full             every few hours  once a day
//! ```

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Known, day_before};
use crate::{
    AccessToken,
    cycle::{builder::ReadingBuilder, draft::Draft, fetch::is_recent},
    dialect::{
        PageToken,
        google::{self, RollUp, SourceFamily},
    },
    request::{BufferFull, Request},
};

/// The resting heart rate is asked for four times a day, and when a day begins.
const RESTING_LASTS: SignedDuration = SignedDuration::from_hours(6);

/// The heart-rate zones are asked for once a day, when it begins; no day is longer than this.
const HEART_ZONES_LAST: SignedDuration = SignedDuration::from_hours(25);

/// A data call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cycle) enum GoogleCall {
    /// The heart rate of today's range.
    Today(SourceFamily),
    /// The heart rate of the last 24 hours before that range.
    Earlier(SourceFamily),
    Devices,
    Resting,
    HeartZones,
}

impl GoogleCall {
    pub(super) fn next(self, known: &Known<'_>) -> Option<Self> {
        let draft = known.draft;
        match self {
            Self::Today(SourceFamily::Wearables) if draft.points == 0 => {
                Some(Self::Today(SourceFamily::All))
            }
            Self::Today(family) if lacks_earlier(&draft.reading) => Some(Self::Earlier(family)),
            Self::Today(_) | Self::Earlier(_) if known.scopes.has_settings() => Some(Self::Devices),
            Self::Today(_) | Self::Earlier(_) | Self::Devices if lacks_resting(known) => {
                Some(Self::Resting)
            }
            Self::Today(_) | Self::Earlier(_) | Self::Devices | Self::Resting
                if lacks_heart_zones(known) =>
            {
                Some(Self::HeartZones)
            }
            _ => None,
        }
    }

    pub(super) fn request(
        self,
        draft: &Draft,
        page: Option<&PageToken>,
        access: &AccessToken,
        buffer: &mut [u8],
    ) -> Result<Request, BufferFull> {
        let (family, (start, end)) = match self {
            Self::Today(family) => (family, today(&draft.reading)),
            Self::Earlier(family) => (family, earlier(&draft.reading)),
            Self::Devices => return google::paired_devices(buffer, access, page),
            // A day has one after its night's sleep. One older than yesterday's would be taken for it.
            Self::Resting => {
                let (from, until) = yesterday_and_today(&draft.reading);
                return google::resting(buffer, access, from, until, page);
            }
            // Until a day has zones, the day before's hold.
            Self::HeartZones => {
                let (from, until) = yesterday_and_today(&draft.reading);
                return google::zones(buffer, access, from, until, page);
            }
        };
        let query = RollUp {
            family,
            start,
            end,
            page,
        };
        google::roll_up(buffer, access, query)
    }
}

/// Returns the dates of yesterday and of tomorrow, which ends the range.
fn yesterday_and_today(reading: &ReadingBuilder) -> (Date, Date) {
    let today = reading.day.local().date();
    (day_before(today), today.tomorrow().unwrap_or(today))
}

/// Returns the range of today's heart rate: from local midnight, or an hour ago if that is earlier, to
/// the last full minute.
fn today(reading: &ReadingBuilder) -> (Timestamp, Timestamp) {
    let start = reading.day.local().start();
    (
        start.min(hours_before(reading, 1)),
        hours_before(reading, 0),
    )
}

/// Returns the rest of the last 24 hours before today's range.
fn earlier(reading: &ReadingBuilder) -> (Timestamp, Timestamp) {
    (hours_before(reading, 24), today(reading).0)
}

/// Returns the full minute this many hours before the reading.
fn hours_before(reading: &ReadingBuilder, hours: i64) -> Timestamp {
    let at = reading.now.as_second().saturating_sub(hours * 3_600);
    Timestamp::from_second(at.div_euclid(60) * 60).unwrap_or(Timestamp::MIN)
}

/// Returns whether minutes before today's range can complete the window. The last minutes of a day of
/// 25 hours leave nothing before it within 24 hours.
fn lacks_earlier(reading: &ReadingBuilder) -> bool {
    let (start, end) = earlier(reading);
    !reading.window.is_complete() && start < end
}

fn lacks_resting(known: &Known<'_>) -> bool {
    known.memory.resting.is_none_or(|(_, at)| {
        !known.draft.is_of_its_day(at) || !is_recent(at, known.now, RESTING_LASTS)
    })
}

fn lacks_heart_zones(known: &Known<'_>) -> bool {
    let asked = known.memory.heart_zones;
    !known.has_own_zones
        && asked.is_none_or(|(_, at)| {
            !known.draft.is_of_its_day(at) || !is_recent(at, known.now, HEART_ZONES_LAST)
        })
}
