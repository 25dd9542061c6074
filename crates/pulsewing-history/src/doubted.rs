//! The minutes that a tracker itself did not trust, as marked in an export's JSON.
//!
//! The export's CSV has the same minutes without a mark, and may be imported years later. So the
//! marked minutes are stored, but separately from the days: they are never read as heart rates.

use std::iter;

use jiff::{Timestamp, tz::Offset};
use pulsewing_core::{
    civil::{LocalDay, Offsets},
    day::Day,
};
use rusqlite::{OptionalExtension, params};

use super::{
    Batch, Dates, Source,
    error::HistoryError,
    merge::{kept, rate_at, record_at, timed},
    minutes,
};

impl Batch<'_> {
    /// Stores the minutes of a day that a source marks as doubtful. The day's minutes without a
    /// mark are trusted from now on.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn doubt(&self, source: &Source, trusted: &Day, doubted: &Day) -> Result<(), HistoryError> {
        self.must_have_doubts(doubted.local())?;
        for day in days_of(doubted.local()) {
            let before = self.doubted_of(source, day)?;
            let mut after = Day::new(day);
            for (at, bpm) in timed(&before).chain(timed(doubted)) {
                if rate_at(trusted, at).is_none() {
                    record_at(&mut after, at, bpm);
                }
            }
            if after != before {
                self.write_doubted(source, &after)?;
            }
        }
        Ok(())
    }

    /// Returns the minutes of a day that any source marked as doubtful.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn doubted(&self, local: &LocalDay) -> Result<Day, HistoryError> {
        self.must_have_doubts(local)?;
        let mut doubted = Day::new(*local);
        let mut query = self
            .change
            .prepare("SELECT minutes FROM doubted WHERE wearer = ?1 AND start = ?2")?;
        for day in days_of(local) {
            let mut rows = query.query(params![self.wearer, day.start().as_second()])?;
            while let Some(row) = rows.next()? {
                let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
                // A row that cannot be read is ignored.
                let marked = minutes::decode(bytes, day);
                for (at, bpm) in marked.iter().flat_map(timed) {
                    record_at(&mut doubted, at, bpm);
                }
            }
        }
        Ok(doubted)
    }

    /// Forgets a source's marks from one instant to another.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub(super) fn forget_doubts(
        &self,
        source: &Source,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), HistoryError> {
        let (from_day, until_day) = (utc_day(from), utc_day(until));
        self.loaded.must_have(Dates {
            from: from_day.date(),
            to: until_day.date(),
        })?;
        let first = from_day.start().as_second();
        let starts: Vec<i64> = self
            .change
            .prepare("SELECT start FROM doubted WHERE wearer = ?1 AND source = ?2 AND start BETWEEN ?3 AND ?4")?
            .query_map(
                params![self.wearer, source.to_string(), first, until.as_second()],
                |row| row.get(0),
            )?
            .collect::<Result<_, _>>()?;
        for start in starts.into_iter().flat_map(Timestamp::from_second) {
            let before = self.doubted_of(source, utc_day(start))?;
            let after = kept(&before, |at, _| !(from..until).contains(&at));
            self.write_doubted(source, &after)?;
        }
        Ok(())
    }

    fn must_have_doubts(&self, local: &LocalDay) -> Result<(), HistoryError> {
        days_of(local).try_for_each(|day| self.loaded.must_have(day.date().into()))
    }

    fn doubted_of(&self, source: &Source, day: LocalDay) -> Result<Day, HistoryError> {
        let bytes: Option<Vec<u8>> = self
            .change
            .prepare(
                "SELECT minutes FROM doubted WHERE wearer = ?1 AND source = ?2 AND start = ?3",
            )?
            .query_row(
                params![self.wearer, source.to_string(), day.start().as_second()],
                |row| row.get(0),
            )
            .optional()?;
        let known = bytes.and_then(|bytes| minutes::decode(&bytes, day));
        Ok(known.unwrap_or_else(|| Day::new(day)))
    }

    fn write_doubted(&self, source: &Source, marked: &Day) -> Result<(), HistoryError> {
        let (source, start) = (source.to_string(), marked.local().start().as_second());
        if marked.logged_minutes() == 0 {
            self.change.execute(
                "DELETE FROM doubted WHERE wearer = ?1 AND source = ?2 AND start = ?3",
                params![self.wearer, source, start],
            )?;
        } else {
            self.change
                .prepare("INSERT OR REPLACE INTO doubted VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![self.wearer, source, start, minutes::encode(marked)])?;
        }
        Ok(())
    }
}

/// Returns the UTC days that overlap a day. Marks are stored per UTC day, because they have no
/// zone.
fn days_of(local: &LocalDay) -> impl Iterator<Item = LocalDay> + use<> {
    let last = local.minutes().saturating_sub(1);
    let [first, last] = [0, last].map(|minute| utc_day(local.instant(minute)));
    iter::once(first).chain((last != first).then_some(last))
}

fn utc_day(at: Timestamp) -> LocalDay {
    Offsets::fixed(Offset::UTC).day_of(at)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_core::Bpm;

    use super::*;
    use crate::{Kind, Source, tests::opened};

    fn day(offset: i8, minutes: &[(u16, u16)]) -> Day {
        let local = Offsets::fixed(Offset::constant(offset)).day(date(2024, 5, 29));
        let mut day = Day::new(local);
        for (minute, bpm) in minutes {
            day.record(*minute, Bpm::new(*bpm).unwrap());
        }
        day
    }

    fn minutes(day: &Day) -> Vec<(u16, u16)> {
        day.iter()
            .map(|(minute, bpm)| (minute, bpm.get()))
            .collect()
    }

    #[test]
    fn what_was_marked_is_known_in_every_zone_until_it_is_trusted_or_forgotten() {
        let (_dir, mut history) = opened();
        let source = Source::new(Kind::ExportJson);
        let other = Source::with_device(Kind::ExportJson, "local times");
        let batch = history.batch().unwrap();
        // From two hours before midnight UTC on.
        batch
            .doubt(
                &source,
                &day(2, &[]),
                &day(2, &[(0, 70), (119, 71), (120, 72)]),
            )
            .unwrap();
        batch
            .doubt(&other, &day(2, &[]), &day(2, &[(7, 75)]))
            .unwrap();
        batch.commit().unwrap();
        let batch = history.batch().unwrap();
        let known = |offset| minutes(&batch.doubted(day(offset, &[]).local()).unwrap());
        assert_eq!(known(2), [(0, 70), (7, 75), (119, 71), (120, 72)]);
        assert_eq!(known(0), [(0, 72)]);
        batch
            .doubt(&source, &day(2, &[(119, 80)]), &day(2, &[(1, 70)]))
            .unwrap();
        assert_eq!(known(2), [(0, 70), (1, 70), (7, 75), (120, 72)]);
        let from = day(2, &[]).local().instant(1);
        batch
            .forget_doubts(&source, from, day(2, &[]).local().instant(121))
            .unwrap();
        assert_eq!(known(2), [(0, 70), (7, 75)]);
    }
}
