//! The days that were fetched after their end.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::{Batch, Dates, History, error::HistoryError, read};

impl History {
    /// Returns the days from a date on that were fetched after their end, each with the tracker's
    /// last sync at that time.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn asked_since(&self, from: Date) -> Result<BTreeMap<Date, Timestamp>, HistoryError> {
        self.loaded.must_have(Dates::since(from))?;
        let mut query = self
            .db
            .prepare("SELECT date, synced_at FROM asked WHERE wearer = ?1 AND date >= ?2")?;
        let asked = query.query_map((&self.wearer, from.to_string()), |row| {
            let synced_at = row.get("synced_at").map(Timestamp::from_second);
            // A row that cannot be read is left out, so that its day is fetched again.
            Ok(read::date_of(row).zip(synced_at.ok().and_then(Result::ok)))
        })?;
        Ok(asked
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?)
    }
}

impl Batch<'_> {
    /// Records that a day was fetched, when the tracker had synced up to `synced_at`.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn note_asked(&self, date: Date, synced_at: Timestamp) -> Result<(), HistoryError> {
        self.change.execute(
            "INSERT OR REPLACE INTO asked (wearer, date, synced_at) VALUES (?1, ?2, ?3)",
            (self.wearer, date.to_string(), synced_at.as_second()),
        )?;
        Ok(())
    }
}
