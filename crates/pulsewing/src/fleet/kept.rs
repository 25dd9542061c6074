//! What is known of a wearer without asking the provider: the sign-in, the state and the history.

use std::sync::Arc;

use jiff::civil::Date;
use pulsewing_core::{
    chain::{Record, Standing as ChainStanding},
    cycle::FailureKind,
};
use pulsewing_fleet::{Error, Wearer};
use pulsewing_history::{Dates, History, HistoryError, LastKnown, MemoryHistory, Span};

use super::Fleet;
use crate::{
    app::App,
    custody::{standing::Standing, state_file::State},
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
    /// Whether the sign-in works, as far as is known.
    pub standing: Standing,
}

impl Fleet {
    /// Returns what is known of a wearer.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn kept(&self, wearer: &Wearer) -> Result<Kept, Error> {
        let state = self.database.load_state(wearer).await?;
        let state: Option<State> = state.and_then(|text| serde_json::from_str(&text).ok());
        let state = state.unwrap_or_default();
        let chain = self.database.peek_chain(wearer, &self.keys).await;
        let record = match chain {
            Ok(chain) => chain.and_then(|chain| Record::decode(&chain.record).ok()),
            // Shown as an error of the turn that needs it.
            Err(Error::MissingKey { .. } | Error::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        let trouble = state.last_trouble.as_deref().and_then(FailureKind::named);
        let standing = match &record {
            None => Standing::New,
            Some(record) => match (record.chain.standing(), trouble) {
                (ChainStanding::Moving, _) => Standing::Moved,
                (ChainStanding::Refused, _) | (_, Some(FailureKind::ConsentNeeded)) => {
                    Standing::SignInNeeded
                }
                (_, Some(FailureKind::Gone)) => Standing::Gone,
                (ChainStanding::Active, _) => Standing::SignedIn,
            },
        };
        Ok(Kept {
            app: self.app(wearer),
            record,
            state,
            standing,
        })
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

    /// Returns a wearer's current state, as the daemon of a household would show it.
    ///
    /// # Errors
    /// A [`Problem`] with the database or the history.
    pub(crate) async fn snapshot(&self, wearer: &Wearer) -> Result<(Kept, Snapshot), Problem> {
        let kept = self.kept(wearer).await?;
        let history = self.newest(wearer, &kept.state).await?;
        let snapshot = kept.snapshot(history.history());
        Ok((kept, snapshot))
    }
}

impl Kept {
    /// Returns the current state, with a reading from these days of the history.
    pub(crate) fn snapshot(&self, history: &History) -> Snapshot {
        let app = &self.app;
        let provider = app.wearer.provider;
        let provider = provider.unwrap_or(pulsewing_core::Provider::Google);
        let zone = app.wearer.time_zone.as_deref();
        let mut snapshot = Snapshot::new(provider, app.interval());
        snapshot.reading =
            reading_in(history, &self.state, provider, zone, app.now()).map(Arc::new);
        snapshot.remember(&self.state, self.state.remembered_failure());
        snapshot
    }
}

fn date_of(at: jiff::Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

fn history_problem(error: &HistoryError) -> Problem {
    Problem::failed("the history cannot be read").caused_by(error)
}
