//! The days that were fetched after their end.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::{Batch, History, error::HistoryError, read};

impl History {
    /// Returns the days from a date on that were fetched after their end, each with the tracker's
    /// last sync at that time.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn asked_since(&self, from: Date) -> Result<BTreeMap<Date, Timestamp>, HistoryError> {
        let mut query = self
            .db
            .prepare("SELECT date, synced_at FROM asked WHERE wearer = ?1 AND date >= ?2")?;
        let mut rows = query.query((&self.wearer, from.to_string()))?;
        let mut asked = BTreeMap::new();
        while let Some(row) = rows.next()? {
            // A row that cannot be read is left out, so that its day is fetched again.
            let date = read::date_of(row);
            let synced_at = row
                .get(1)
                .ok()
                .and_then(|at| Timestamp::from_second(at).ok());
            asked.extend(date.zip(synced_at));
        }
        Ok(asked)
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
