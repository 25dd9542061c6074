//! Ranges of dates: which rows a reader or a merge needs.
//!
//! A row belongs to one date, but its hours may lie on other dates elsewhere on Earth. So a reader of a
//! date needs the rows of that date alone, and a merge also those of the dates around it.

use std::ops::RangeInclusive;

use jiff::{
    Timestamp,
    civil::{self, Date},
    tz::Offset,
};

use super::error::HistoryError;

const EPOCH: Date = civil::date(1970, 1, 1);

const SECONDS_OF_DAY: i64 = 86_400;

/// The dates from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// The first date.
    pub from: Date,
    /// The last date.
    pub to: Date,
}

impl Dates {
    /// All dates: a whole history.
    pub const ALL: Self = Self {
        from: Date::MIN,
        to: Date::MAX,
    };

    /// Returns the dates from one on, without an end.
    #[must_use]
    pub const fn since(from: Date) -> Self {
        Self {
            from,
            to: Date::MAX,
        }
    }

    /// Returns the dates that a merge of a day of this date needs, in whatever zone the day is: three
    /// before it, and three after it.
    ///
    /// A merge reads the rows that share hours with the day ([`of_hours`](Self::of_hours)). Offsets are
    /// less than 26 hours, so a day begins at most 26 hours before midnight UTC of its date, which
    /// is on the second date before it, and ends at most 26 hours after the next midnight. Where the
    /// day's start and length are known, `of_hours` gives fewer dates.
    #[must_use]
    pub fn around(date: Date) -> Self {
        let back = |date: Date| date.yesterday().unwrap_or(date);
        let on = |date: Date| date.tomorrow().unwrap_or(date);
        Self {
            from: back(back(back(date))),
            to: on(on(on(date))),
        }
    }

    /// Returns the dates of the rows that may have hours between two instants: those of UTC, one
    /// before them, and one after them, because a civil date differs by at most one from UTC's.
    ///
    /// These are the rows that a merge compares with a day that begins and ends at these instants:
    /// a wearer who travels has several views of the same hours.
    #[must_use]
    pub fn of_hours(from: Timestamp, until: Timestamp) -> Self {
        let date = |at: Timestamp| Offset::UTC.to_datetime(at).date();
        let (first, last) = (date(from), date(until));
        Self {
            from: first.yesterday().unwrap_or(first),
            to: last.tomorrow().unwrap_or(last),
        }
    }

    /// Returns the smallest range with all dates of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }

    /// Returns when the dates' days of UTC begin, in seconds since 1970: the range of
    /// [`StoredDoubts::start`](crate::StoredDoubts::start).
    #[must_use]
    pub fn utc_starts(self) -> RangeInclusive<i64> {
        let start = |date: Date| SECONDS_OF_DAY * i64::from((date - EPOCH).get_days());
        start(self.from)..=start(self.to)
    }

    /// Checks that all dates of a range are among these.
    pub(super) fn must_have(self, needed: Self) -> Result<(), HistoryError> {
        if needed.from < self.from {
            return Err(HistoryError::NotLoaded(needed.from));
        }
        if needed.to > self.to {
            return Err(HistoryError::NotLoaded(needed.to));
        }
        Ok(())
    }
}

impl From<Date> for Dates {
    /// One date.
    fn from(date: Date) -> Self {
        Self {
            from: date,
            to: date,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_core::civil::Offsets;

    use super::*;

    #[test]
    fn the_dates_around_a_date_suffice_for_its_day_in_every_zone_and_no_fewer_do() {
        let of_date = date(2026, 11, 22);
        let mut all = Dates::from(of_date);
        for offset in [Offset::MIN, Offset::UTC, Offset::MAX] {
            let local = Offsets::fixed(offset).day(of_date);
            all = all.with(Dates::of_hours(
                local.start(),
                local.instant(local.minutes()),
            ));
        }
        assert_eq!(all, Dates::around(of_date));
    }

    #[test]
    fn days_of_the_most_distant_inhabited_zones_find_each_other() {
        let day = |offset, of_date| Offsets::fixed(Offset::constant(offset)).day(of_date);
        let earlier = day(-11, date(2026, 11, 22));
        let later = day(14, date(2026, 11, 24));
        let end = |local: &pulsewing_core::civil::LocalDay| local.instant(local.minutes());
        assert!(later.start() < end(&earlier), "they share an hour");
        assert!(Dates::of_hours(earlier.start(), end(&earlier)).to >= later.date());
        assert!(Dates::of_hours(later.start(), end(&later)).from <= earlier.date());
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_obstacle() {
        assert_eq!(Dates::around(Date::MIN).from, Date::MIN);
        assert_eq!(Dates::around(Date::MAX).to, Date::MAX);
        assert_eq!(
            Dates::of_hours(Timestamp::MIN, Timestamp::MAX).to,
            Date::MAX
        );
        let (first, last) = Dates::ALL.utc_starts().into_inner();
        assert!(first < 0 && last > 0, "{first} {last}");
    }
}
