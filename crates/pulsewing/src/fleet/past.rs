//! The past days that a wearer's history lacks, fetched in the turn of a cycle that succeeded.
//!
//! They can wait: they use a tenth of the project's requests, and a few of them a turn. Once none is
//! missing, a wearer is not looked at again before the next day, because that reads a month of days.

use jiff::{Timestamp, civil::Date};
use pulsewing_fleet::{Error, Grant, Priority};
use pulsewing_history::{Arrival, Dates, MemoryHistory, Retention};

use super::Turn;
use crate::{
    daemon::{self, Knowledge},
    engine::{Engine, stop::Stop},
};

/// The number of past days to fetch in one turn.
const A_TURN: usize = 3;

/// The number of requests for a past day: its minutes, and its resting heart rate.
const A_DAY: u32 = 2;

impl Turn<'_> {
    /// Fetches a few of the past days that the history lacks.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn past_days(&self, engine: &mut Engine, stop: &Stop) -> Result<(), Error> {
        let keep = self.app.config.history.keep;
        let Some(reading) = engine.reading().filter(|_| engine.failure().is_none()) else {
            return Ok(());
        };
        let zone = daemon::zone_of(reading);
        let today = zone.to_datetime(self.app.now()).date();
        let synced_at = reading.last_sync.unwrap_or(reading.fetched_at);
        if keep == Retention::Nothing || engine.state().settled_on == Some(today) {
            return Ok(());
        }
        let missing = self.missing(today, &zone, synced_at).await?;
        let is_all = missing.len() <= A_TURN;
        let mut is_left = false;
        for date in missing.into_iter().take(A_TURN) {
            if self.ask(A_DAY, Priority::Backfill).await? != Grant::Granted {
                is_left = true;
                break;
            }
            match engine.past_day(date, stop).await {
                Ok(Some(day)) => {
                    let account = engine.account();
                    let arrival = Arrival::of_past_day(&day, synced_at, account.as_ref());
                    self.record(&arrival).await?;
                    tracing::info!(%date, minutes = day.day.logged_minutes(), "fetched a past day");
                }
                Ok(None) => {
                    is_left = true;
                    break;
                }
                Err(failure) => {
                    tracing::warn!(%date, "a past day could not be fetched: {failure}");
                    is_left = true;
                    break;
                }
            }
        }
        // Yesterday is complete only once the tracker has synced past its end.
        let has_synced_today = zone.to_datetime(synced_at).date() == today;
        if is_all && !is_left && has_synced_today {
            engine.settle(today);
        }
        Ok(())
    }

    /// Returns the past days that the history lacks, newest first.
    async fn missing(
        &self,
        today: Date,
        zone: &jiff::tz::TimeZone,
        synced_at: Timestamp,
    ) -> Result<Vec<Date>, Error> {
        let earliest = self.app.config.history.keep.earliest(today);
        let first = daemon::first_to_ask(today, earliest);
        let dates = Dates::since(first);
        let rows = {
            let lease = self.chain.lease().lock().await;
            self.fleet.database().load_history(&lease, dates).await?
        };
        let asked = MemoryHistory::new(dates, rows)
            .and_then(|history| history.history().asked_since(first));
        let asked = match asked {
            Ok(asked) => asked,
            // The rest of the turn does not depend on it.
            Err(error) => {
                let words = format!("the history could not be read: {error}");
                self.app.console.warn(&words);
                return Ok(Vec::new());
            }
        };
        Ok(daemon::days_to_ask(&Knowledge {
            today,
            zone,
            synced_at,
            earliest,
            asked: &asked,
        }))
    }
}
