//! What changed in a history, found without reading its minutes: for programs that copy it elsewhere.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use jiff::{Timestamp, civil::Date};

use super::{History, error::HistoryError, read};

/// The columns that change whenever the data of a day does.
const COLUMNS: &str = "date, start, length, source, changed_at, logged, min, mean, max";

/// The state of a day's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayVersion {
    /// The civil date.
    pub date: Date,
    /// The time of the newest fetch or import that changed something, by the clock of then.
    pub changed_at: Timestamp,
    /// A number that is another one after almost any change. Compare it only with numbers that the same
    /// process got: another build may compute it in another way.
    pub digest: u64,
}

impl History {
    /// Returns the version of every day, in the order in which they changed. Takes about as long as
    /// [`overview`](Self::overview), which reads no minutes either. Leaves out a row that cannot be read.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn versions(&self) -> Result<Vec<DayVersion>, HistoryError> {
        self.loaded.must_have(super::Dates::ALL)?;
        let query = format!("SELECT {COLUMNS} FROM day NOT INDEXED WHERE wearer = ?1");
        let mut query = self.db.prepare(&query)?;
        let mut rows = query.query([&self.wearer])?;
        let mut days: BTreeMap<Date, DayVersion> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            if let Some(row) = version(row) {
                days.entry(row.date)
                    .and_modify(|day| {
                        day.changed_at = day.changed_at.max(row.changed_at);
                        // The order of the rows does not matter.
                        day.digest = day.digest.wrapping_add(row.digest);
                    })
                    .or_insert(row);
            }
        }
        let mut days: Vec<DayVersion> = days.into_values().collect();
        days.sort_by_key(|day| (day.changed_at, day.date));
        Ok(days)
    }
}

/// Reads the version of a row; `None` if it is not valid.
fn version(row: &rusqlite::Row<'_>) -> Option<DayVersion> {
    let changed_at: i64 = row.get("changed_at").ok()?;
    let mut hasher = DefaultHasher::new();
    changed_at.hash(&mut hasher);
    for column in ["start", "length", "logged", "min", "mean", "max"] {
        row.get::<_, Option<i64>>(column).ok()?.hash(&mut hasher);
    }
    row.get_ref("source").ok()?.as_str().ok()?.hash(&mut hasher);
    Some(DayVersion {
        date: read::date_of(row)?,
        changed_at: Timestamp::from_second(changed_at).ok()?,
        digest: hasher.finish(),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::{
        Kind,
        tests::{day, known, opened},
    };

    #[test]
    fn a_day_has_another_version_after_a_change_and_only_then() {
        let (_dir, mut history) = opened();
        let at = "2026-11-22T08:00:00Z";
        let mut record = |rates: &[u16], kind, fetched_at| {
            let known = known(kind, day("UTC", at, rates), fetched_at);
            history.record(&known).unwrap();
            let versions = history.versions().unwrap();
            assert_eq!(versions.len(), 1);
            versions[0]
        };
        let first = record(&[70, 71], Kind::Google, 100);
        assert_eq!(first.date, date(2026, 11, 22));
        assert_eq!(first.changed_at.as_second(), 100);
        assert_eq!(record(&[70, 71], Kind::Google, 200), first);
        let revised = record(&[71, 70], Kind::Google, 300);
        assert_ne!(revised.digest, first.digest);
        assert_eq!(revised.changed_at.as_second(), 300);
        let imported = record(&[60], Kind::ExportCsv, 250);
        assert_ne!(imported.digest, revised.digest);
        assert_eq!(imported.changed_at.as_second(), 300);
    }

    #[test]
    fn the_day_that_changed_last_comes_last() {
        let (_dir, mut history) = opened();
        for (at, fetched_at) in [
            ("2026-11-22T08:00:00Z", 100),
            ("2026-11-20T08:00:00Z", 300),
            ("2026-11-21T08:00:00Z", 100),
        ] {
            let known = known(Kind::Google, day("UTC", at, &[70]), fetched_at);
            history.record(&known).unwrap();
        }
        let dates: Vec<_> = history
            .versions()
            .unwrap()
            .iter()
            .map(|it| it.date.day())
            .collect();
        assert_eq!(dates, [21, 22, 20]);
    }
}
