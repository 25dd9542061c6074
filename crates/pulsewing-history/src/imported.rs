//! The special handling of days from files: a new import replaces an earlier one.

use jiff::Timestamp;
use pulsewing_core::{Bpm, day::Day};

use super::{
    Batch, Dates, History, Kind, Source, SourceDay,
    error::HistoryError,
    merge::{kept, rate_at},
    row::Row,
};

impl History {
    /// Returns whether anything came from a source, even if only minutes that it does not trust.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn has_source(&self, source: &Source) -> Result<bool, HistoryError> {
        self.loaded.must_have(Dates::ALL)?;
        let mut query = self.db.prepare(
            "SELECT 1 FROM day WHERE wearer = ?1 AND source = ?2
             UNION ALL SELECT 1 FROM doubted WHERE wearer = ?1 AND source = ?2 LIMIT 1",
        )?;
        Ok(query.exists((&self.wearer, source.to_string()))?)
    }
}

impl Batch<'_> {
    /// Merges a source's data of a day into the history, as [`record`](Self::record) does. If an
    /// earlier import put the same minutes into days of another zone, they move into this day: a
    /// minute belongs to one day only.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn record_recut(&self, known: &SourceDay) -> Result<(), HistoryError> {
        for mut other in self.overlapping(known)? {
            let before = other.known.clone();
            other.known.day = kept(&before.day, |at, _| rate_at(&known.day, at).is_none());
            if known.resting.is_some() && before.day.local().date() == known.day.local().date() {
                other.known.resting = None;
            }
            if other.known != before {
                other.changed_at = known.fetched_at;
                self.put_back(&other)?;
            }
        }
        self.write(&self.merged(known.clone().into())?)
    }

    /// Removes minutes that a kind of source has with exactly these rates, from any device, because
    /// they turned out not to be real.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn retract(&self, kind: Kind, doubted: &Day) -> Result<(), HistoryError> {
        let local = doubted.local();
        let mut rows = self.rows_between(local.start(), local.instant(local.minutes()))?;
        rows.retain(|row| row.known.source.kind() == kind);
        self.thin_out(rows, |at, bpm| rate_at(doubted, at) != Some(bpm))
    }

    /// Removes a source's data from one instant to another.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn forget(
        &self,
        source: &Source,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), HistoryError> {
        self.forget_doubts(source, from, until)?;
        let mut rows = self.rows_between(from, until)?;
        rows.retain(|row| row.known.source == *source);
        self.thin_out(rows, |at, _| !(from..until).contains(&at))
    }

    /// Leaves only the minutes of these rows that `keep` accepts.
    pub(super) fn thin_out(
        &self,
        rows: Vec<Row>,
        keep: impl Fn(Timestamp, Bpm) -> bool,
    ) -> Result<(), HistoryError> {
        for mut row in rows {
            let left = kept(&row.known.day, &keep);
            if left != row.known.day {
                row.changed_at = row.known.fetched_at;
                row.known.day = left;
                self.put_back(&row)?;
            }
        }
        Ok(())
    }

    /// Writes a row that has lost minutes; removes it if nothing is left.
    fn put_back(&self, row: &Row) -> Result<(), HistoryError> {
        match row.known.day.logged_minutes() == 0 && row.known.resting.is_none() {
            true => self.remove(row),
            false => self.write(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{SignedDuration, tz::TimeZone};
    use proptest::prelude::*;

    use super::*;
    use crate::{archive::zone::day_of, tests::opened};

    const START: i64 = 1_717_200_000;

    /// Builds the days of a zone with these minutes, counted from an instant on.
    fn days(zone: &str, minutes: &BTreeMap<i64, u16>, fetched_at: i64) -> Vec<SourceDay> {
        let zone = TimeZone::get(zone).unwrap();
        let mut days: Vec<SourceDay> = Vec::new();
        for (minute, bpm) in minutes {
            let at = Timestamp::from_second(START + minute * 60).unwrap();
            let local = day_of(&zone, at);
            if days.last().is_none_or(|known| *known.day.local() != local) {
                days.push(SourceDay {
                    source: Source::new(Kind::ExportCsv),
                    zone: zone.iana_name().unwrap().to_owned(),
                    day: Day::new(local),
                    resting: None,
                    fetched_at: Timestamp::from_second(fetched_at).unwrap(),
                });
            }
            let day = &mut days.last_mut().unwrap().day;
            day.record(local.minute_of(at).unwrap(), Bpm::new(*bpm).unwrap());
        }
        days
    }

    fn record(history: &mut History, days: &[SourceDay]) {
        let batch = history.batch().unwrap();
        for day in days {
            batch.record_recut(day).unwrap();
        }
        batch.commit().unwrap();
    }

    /// Returns the values of each minute in all rows.
    fn rows(history: &History) -> BTreeMap<i64, Vec<u16>> {
        let mut found: BTreeMap<i64, Vec<u16>> = BTreeMap::new();
        for day in 0..9 {
            let date = jiff::civil::date(2024, 5, 29) + SignedDuration::from_hours(24 * day);
            let sources = history.day(date).unwrap().map(|known| known.sources);
            for known in sources.unwrap_or_default() {
                for (minute, bpm) in known.day.iter() {
                    let at = known.day.local().instant(minute).as_second() - START;
                    found.entry(at / 60).or_default().push(bpm.get());
                }
            }
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_minute_stands_in_one_day_whatever_zones_it_was_imported_in(
            first in proptest::collection::btree_map(0_i64..5_000, 40_u16..200, 0..400),
            second in proptest::collection::btree_map(0_i64..5_000, 40_u16..200, 0..400),
            zone in prop_oneof![Just("America/Los_Angeles"), Just("Asia/Kathmandu"), Just("UTC")],
            is_later: bool,
        ) {
            let (_dir, mut history) = opened();
            record(&mut history, &days("UTC", &first, 100));
            record(&mut history, &days(zone, &second, if is_later { 200 } else { 100 }));
            let mut expected = first;
            expected.extend(second);
            let expected: BTreeMap<i64, Vec<u16>> =
                expected.into_iter().map(|(at, bpm)| (at, vec![bpm])).collect();
            prop_assert_eq!(rows(&history), expected);
        }

        #[test]
        fn only_what_was_doubted_is_retracted(
            known in proptest::collection::btree_map(0_i64..1_400, 60_u16..64, 0..300),
            doubted in proptest::collection::btree_map(0_i64..1_400, 60_u16..64, 1..300),
        ) {
            let (_dir, mut history) = opened();
            record(&mut history, &days("UTC", &known, 100));
            let batch = history.batch().unwrap();
            for day in days("Asia/Kathmandu", &doubted, 100) {
                batch.retract(Kind::ExportCsv, &day.day).unwrap();
                batch.retract(Kind::ExportJson, &day.day).unwrap();
            }
            batch.commit().unwrap();
            let expected: BTreeMap<i64, Vec<u16>> = known
                .into_iter()
                .filter(|(at, bpm)| doubted.get(at) != Some(bpm))
                .map(|(at, bpm)| (at, vec![bpm]))
                .collect();
            prop_assert_eq!(rows(&history), expected);
        }
    }
}
