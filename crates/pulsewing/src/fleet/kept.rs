//! What is known of a wearer without asking the provider: the sign-in, the state and the history.

use jiff::civil::Date;
use pulsewing_core::{Provider, chain::Record};
use pulsewing_fleet::{Error, Wearer};
use pulsewing_history::{Dates, HistoryError, LastKnown, MemoryHistory, Span};

use super::Fleet;
use crate::{
    app::App,
    custody::state_file::State,
    daemon::{Snapshot, reading_in},
    tell::problem::Problem,
};

/// The number of dates that are loaded to find the last known minutes.
const NEWEST: u32 = 8;

/// What is known of a wearer.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The wearer's context.
    pub app: App,
    /// The sign-in, if there is one that can be read.
    pub record: Option<Record>,
    /// What was remembered after the last turn.
    pub state: State,
}

impl Fleet {
    /// Returns what is known of a wearer.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn kept(&self, wearer: &Wearer) -> Result<Kept, Error> {
        let state = self.state(wearer).await?;
        let chain = self.database.peek_chain(wearer, &self.keys).await;
        let record = match chain {
            Ok(chain) => chain.and_then(|chain| Record::decode(&chain.record).ok()),
            // Shown as an error of the turn that needs it.
            Err(Error::MissingKey { .. } | Error::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Kept {
            app: self.app(wearer),
            record,
            state,
        })
    }

    /// Returns what was remembered after the last turn.
    async fn state(&self, wearer: &Wearer) -> Result<State, Error> {
        let state = self.database.load_state(wearer).await?;
        let state: Option<State> = state.and_then(|text| serde_json::from_str(&text).ok());
        Ok(state.unwrap_or_default())
    }

    /// Loads the days of a wearer's history, to read them.
    ///
    /// # Errors
    /// A [`Problem`] with the database or the history.
    pub(crate) async fn history(
        &self,
        wearer: &Wearer,
        dates: Dates,
    ) -> Result<MemoryHistory, Problem> {
        let rows = self.database.peek_history(wearer, dates).await?;
        MemoryHistory::new(dates, rows).map_err(|error| history_problem(&error))
    }

    /// Returns the extent and the size of a wearer's history.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn extent(&self, wearer: &Wearer) -> Result<(Option<Span>, u64), Error> {
        let span = self.database.history_span(wearer).await?;
        Ok((span, self.database.history_bytes(wearer).await?))
    }

    /// Loads the days that a wearer's newest reading is made of.
    ///
    /// # Errors
    /// A [`Problem`] with the database or the history.
    pub(crate) async fn newest(
        &self,
        wearer: &Wearer,
        state: &State,
    ) -> Result<MemoryHistory, Problem> {
        let now = self.household.clock.now().utc;
        let latest = jiff::tz::Offset::UTC.to_datetime(now).date();
        let latest = latest.tomorrow().unwrap_or(latest);
        let newest = self.database.newest_dates(wearer, latest, NEWEST).await?;
        let mut dates = LastKnown::dates(now, newest);
        if let Some(facts) = &state.reading {
            dates = dates.with(Dates::around(date_of(facts.fetched_at)));
        }
        self.history(wearer, dates).await
    }

    /// Returns a wearer's current state, as the daemon of a household would show it. The sign-in is not
    /// looked at: no token comes near the page.
    ///
    /// # Errors
    /// A [`Problem`] with the database or the history.
    pub(crate) async fn snapshot(&self, wearer: &Wearer) -> Result<Snapshot, Problem> {
        let state = self.state(wearer).await?;
        let history = self.newest(wearer, &state).await?;
        let app = self.app(wearer);
        let provider = app.wearer.provider.unwrap_or(Provider::Google);
        let zone = app.wearer.time_zone.as_deref();
        let mut snapshot = Snapshot::new(provider, app.interval());
        let reading = reading_in(history.history(), &state, provider, zone, app.now());
        if let Some(reading) = reading {
            snapshot.show(reading, Some(history.history()));
        }
        snapshot.remember(&state, state.remembered_failure());
        Ok(snapshot)
    }
}

fn date_of(at: jiff::Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

fn history_problem(error: &HistoryError) -> Problem {
    Problem::failed("the history cannot be read").caused_by(error)
}
