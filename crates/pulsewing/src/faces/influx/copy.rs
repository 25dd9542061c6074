//! The copy of one wearer's history: which days the server lacks, and how far it got.

use std::{collections::BTreeMap, io};

use jiff::civil::Date;
use pulsewing_history::{DayVersion, HistoryError};

use super::{
    batch::{self, Batch, Minutes},
    cursor::Cursor,
    server::{Answer, Server, Trouble},
};
use crate::{config::places::Place, engine::clock::Clock};

/// The number of days whose minutes are remembered, so that an update sends only the new ones: today, and
/// yesterday after midnight.
const REMEMBERED: usize = 2;

/// The copy of one wearer's history.
#[derive(Debug)]
pub(super) struct Copy {
    place: Place,
    server: String,
    /// What earlier runs of the program sent, once it was read.
    cursor: Option<Cursor>,
    /// The digest of each day as it was sent.
    sent: BTreeMap<Date, u64>,
    /// The minutes of the latest days that were sent.
    minutes: BTreeMap<Date, Minutes>,
    /// The number of batches that were sent.
    batches: u64,
    /// The last complaint about the cursor's file.
    told: Option<String>,
}

impl Copy {
    /// Builds the copy of a wearer's history in the InfluxDB of this name.
    pub(super) const fn new(place: Place, server: String) -> Self {
        Self {
            place,
            server,
            cursor: None,
            sent: BTreeMap::new(),
            minutes: BTreeMap::new(),
            batches: 0,
            told: None,
        }
    }

    /// Returns how many batches were sent since the start.
    pub(super) const fn batches(&self) -> u64 {
        self.batches
    }

    /// Sends what the server lacks, until it lacks nothing.
    ///
    /// # Errors
    /// [`Trouble`] with the server or the history; what was sent until then is remembered.
    pub(super) async fn catch_up(&mut self, server: &Server, clock: &Clock) -> Result<(), Trouble> {
        let mut days = self.changed().await?;
        while !days.is_empty() {
            let (place, minutes) = (self.place.clone(), self.minutes.clone());
            let (batch, left) = apart(move || {
                let batch = batch::read(&place, &days, &minutes)?;
                days.drain(..batch.days.len().max(1).min(days.len()));
                Ok((batch, days))
            })
            .await?;
            days = left;
            self.send(server, &batch, clock).await?;
            self.remember(batch, clock).await;
        }
        Ok(())
    }

    /// Returns the versions that were not sent yet, in the order in which they changed.
    async fn changed(&mut self) -> Result<Vec<DayVersion>, Trouble> {
        let (place, server) = (self.place.clone(), self.server.clone());
        let is_first = self.cursor.is_none();
        let (versions, loaded) = apart(move || {
            let loaded = is_first.then(|| Cursor::load(&place.dir, &server));
            let versions = match place.history()? {
                Some(history) => history.versions()?,
                None => Vec::new(),
            };
            Ok((versions, loaded))
        })
        .await?;
        if let Some(cursor) = loaded {
            let behind = versions.iter().filter(|day| cursor.is_behind(day));
            self.sent = behind.map(|day| (day.date, day.digest)).collect();
            self.cursor = Some(cursor);
        }
        let mut changed = versions;
        changed.retain(|day| self.sent.get(&day.date) != Some(&day.digest));
        Ok(changed)
    }

    async fn send(&self, server: &Server, batch: &Batch, clock: &Clock) -> Result<(), Trouble> {
        if batch.points == 0 {
            return Ok(());
        }
        match server.write(&batch.lines, clock).await? {
            Answer::Written => {}
            Answer::Dropped(why) => {
                let (wearer, points) = (&self.place.wearer, batch.points);
                tracing::warn!(%wearer, points, "InfluxDB dropped some minutes: {why}");
            }
        }
        let (wearer, points, days) = (&self.place.wearer, batch.points, batch.days.len());
        tracing::debug!(%wearer, points, days, "sent minutes to InfluxDB");
        Ok(())
    }

    /// Remembers that these days were sent.
    async fn remember(&mut self, batch: Batch, clock: &Clock) {
        let now = clock.now().utc;
        self.batches += 1;
        for day in &batch.days {
            self.sent.insert(day.date, day.digest);
            if let Some(cursor) = &mut self.cursor {
                cursor.advance(day, now);
            }
        }
        self.minutes.extend(batch.last);
        while self.minutes.len() > REMEMBERED {
            self.minutes.pop_first();
        }
        let Some(cursor) = self.cursor.clone() else {
            return;
        };
        let dir = self.place.dir.clone();
        let saved = tokio::task::spawn_blocking(move || cursor.save(&dir)).await;
        let complaint = saved.unwrap_or_else(|error| Err(io::Error::other(error)));
        let complaint = complaint.err().map(|error| error.to_string());
        if complaint.is_some() && complaint != self.told {
            let why = complaint.as_deref().unwrap_or_default();
            tracing::warn!(
                "cannot remember what InfluxDB has: {why}; after a restart it is sent again"
            );
        }
        self.told = complaint;
    }
}

/// Reads a history on a separate thread.
async fn apart<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, HistoryError> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result.map_err(|error| Trouble::of_history(&error)),
        Err(error) => Err(Trouble::of_history(&io::Error::other(error).into())),
    }
}
