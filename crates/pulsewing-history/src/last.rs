//! The last known data, however old.

use jiff::{Timestamp, civil::Date, tz::Offset};
use pulsewing_core::day::{Day, Window};

use super::{Dates, History, error::HistoryError, find::find, still::still};

/// The number of dates with minutes to consider: some may be in the future.
const DATES: usize = 8;

/// The newest known minutes, with their day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKnown {
    /// The newest day with a minute.
    pub day: Day,
    /// The fifteen newest minutes of the 24 hours up to the newest of all.
    pub window: Window,
    /// The time of that day's last fetch.
    pub fetched_at: Timestamp,
}

impl History {
    /// Returns the newest minutes that are not after `now`; `None` if there are none. Skips a day
    /// that cannot be read.
    ///
    /// # Errors
    /// [`HistoryError`] when the file as a whole cannot be read, or when too few dates are loaded.
    pub fn last_known(&self, now: Timestamp) -> Result<Option<LastKnown>, HistoryError> {
        let _still = still(&self.db)?;
        let latest = latest(now);
        self.loaded.must_have(latest.into())?;
        let mut last: Option<LastKnown> = None;
        let mut looked_at: usize = 0;
        for (date, numbers) in find(&self.db, &self.wearer, self.loaded.from, latest)?
            .iter()
            .rev()
        {
            let record = match self.day_of(*date, numbers) {
                Ok(Some(record)) if record.day.logged_minutes() > 0 => record,
                Ok(_) | Err(HistoryError::UnreadableDay(_)) => continue,
                Err(error) => return Err(error),
            };
            looked_at += 1;
            let mut day = record.day;
            day.truncate(now);
            let Some((newest, _)) = day.latest() else {
                continue;
            };
            match &mut last {
                None => {
                    let mut window = Window::ending_at(day.local().instant(newest));
                    window.insert_day(&day);
                    let fetches = record.sources.iter().map(|source| source.fetched_at);
                    last = Some(LastKnown {
                        fetched_at: fetches.max().unwrap_or(now),
                        window,
                        day,
                    });
                }
                Some(last) => last.window.insert_day(&day),
            }
            let is_complete = last.as_ref().is_some_and(|last| last.window.is_complete());
            if is_complete || looked_at == DATES {
                return Ok(last);
            }
        }
        // All rows were looked at.
        self.loaded.must_have(Date::MIN.into())?;
        Ok(last)
    }
}

impl LastKnown {
    /// Returns the dates that [`History::last_known`] needs in memory, from the newest dates with a
    /// minute ([`StoredDay::logged`](crate::StoredDay::logged) greater than 0) that are not later than
    /// the day after `now` in UTC, newest first. Eight are enough.
    ///
    /// Often one or two of them are, and a caller may try that first. On the other hand a day that
    /// cannot be read does not count, and if there is one, these dates may not be enough. In both cases
    /// the result is [`NotLoaded`](HistoryError::NotLoaded) rather than older or fewer minutes.
    #[must_use]
    pub fn dates(now: Timestamp, newest: impl IntoIterator<Item = Date>) -> Dates {
        let mut newest = newest.into_iter().take(DATES);
        Dates {
            // If there are fewer, there is nothing before them.
            from: newest.nth(DATES - 1).unwrap_or(Date::MIN),
            to: latest(now),
        }
    }
}

/// Returns the last date to look at: somewhere on Earth it may be tomorrow.
fn latest(now: Timestamp) -> Date {
    let today = Offset::UTC.to_datetime(now).date();
    today.tomorrow().unwrap_or(today)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, civil::date};
    use pulsewing_core::{Bpm, Provider, civil::Offsets};
    use pulsewing_testkit::at;

    use super::*;
    use crate::{Source, SourceDay};

    /// Builds a UTC day with these minutes.
    fn known(date: Date, minutes: impl IntoIterator<Item = u16>) -> SourceDay {
        let mut day = Day::new(Offsets::fixed(Offset::UTC).day(date));
        for minute in minutes {
            day.record(minute, Bpm::new(60 + minute % 40).unwrap());
        }
        let end = day.local().instant(day.local().minutes());
        SourceDay {
            source: Source::from(Provider::Google),
            zone: "UTC".to_owned(),
            day,
            resting: None,
            fetched_at: end,
        }
    }

    #[test]
    fn the_last_minutes_are_found_however_long_ago_they_were_and_across_midnight() {
        let dir = tempfile::tempdir().unwrap();
        let mut history = History::open(dir.path(), "default").unwrap();
        assert_eq!(
            history.last_known(at("2026-11-24T12:00:00Z")).unwrap(),
            None
        );
        history.record(&known(date(2026, 10, 1), 0..60)).unwrap();
        history
            .record(&known(date(2026, 11, 21), 1_430..1_440))
            .unwrap();
        history.record(&known(date(2026, 11, 22), 0..5)).unwrap();
        // Left behind by a wrong clock.
        history.record(&known(date(2033, 1, 1), 0..60)).unwrap();
        let last = history
            .last_known(at("2026-12-24T12:00:00Z"))
            .unwrap()
            .unwrap();
        assert_eq!(last.day.local().date(), date(2026, 11, 22));
        let samples = last.window.samples();
        assert_eq!(samples.len(), 15);
        assert_eq!(samples[0].at, at("2026-11-21T23:50:00Z"));
        assert_eq!(samples[14].at, at("2026-11-22T00:04:00Z"));
        assert_eq!(last.fetched_at, at("2026-11-23T00:00:00Z"));
        // At a time before the end there must be no later minute.
        let earlier = history
            .last_known(at("2026-11-22T00:02:30Z"))
            .unwrap()
            .unwrap();
        let newest = earlier.window.latest().unwrap().at;
        assert_eq!(newest, at("2026-11-22T00:02:00Z"));
        let long_before = at("2026-10-01T00:59:00Z") + SignedDuration::from_hours(24 * 40);
        let older = history.last_known(long_before).unwrap().unwrap();
        assert_eq!(older.day.local().date(), date(2026, 10, 1));
    }
}
