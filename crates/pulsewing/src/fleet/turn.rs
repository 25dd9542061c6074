//! One wearer's turn: a cycle under a lease, and what is written after it.
//!
//! | step | if it is cut there |
//! |---|---|
//! | ask the project's bucket | the wearer is due again when the lease ends |
//! | the cycle, with its writes of the chain | see `pulsewing_fleet::chain` |
//! | the history, and past days that it lacks | the reading is fetched again by the next turn |
//! | the state | the limits of this turn are forgotten; the project's bucket still counts them |
//! | give back the lease | as the first |

use std::time::Duration;

use jiff::Timestamp;
use pulsewing_core::{Provider, cycle::Failure};
use pulsewing_fleet::{Due, Error, Grant, Lease, Priority};
use pulsewing_history::{Arrival, Keeper, MemoryHistory};

use super::{Fleet, phase};
use crate::{
    app::App,
    custody::{ChainStore, leased_chain::LeasedChain, state_file::State},
    engine::{self, Engine, Patience, stop::Stop},
    tell::problem::Problem,
};

/// The number of requests of a usual cycle.
const A_CYCLE: u32 = 4;

/// The pause of a project after a 429 that names none.
const PAUSE: Duration = Duration::from_secs(60);

/// The pause after an error of the program or the configuration, which a person has to fix.
const AFTER_FAULT: Duration = Duration::from_secs(15 * 60);

/// A turn under a lease.
pub(crate) struct Turn<'f> {
    pub(super) fleet: &'f Fleet,
    pub(super) app: App,
    pub(super) chain: LeasedChain,
    provider: Provider,
}

/// The end of a turn.
#[derive(Debug)]
pub(crate) enum End {
    /// A cycle has ended; the error is the reason why it yielded no reading.
    Cycle(Result<(), Problem>),
    /// It was too early for one.
    TooEarly,
    /// There was a request to stop.
    Stopped,
    /// Another collector has taken over, or the wearer was removed.
    Lost,
}

impl<'f> Turn<'f> {
    /// Begins the turn of the wearer of this lease.
    pub(crate) fn new(fleet: &'f Fleet, lease: Lease) -> Self {
        let app = fleet.app(lease.wearer());
        let provider = app.wearer.provider.unwrap_or(Provider::Google);
        Self {
            fleet,
            app,
            chain: fleet.chain(lease),
            provider,
        }
    }

    /// Runs the turn, and gives the lease back. `inspect` sees the engine after a cycle.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn run(
        self,
        stop: &Stop,
        inspect: impl FnOnce(&Engine),
    ) -> Result<End, Error> {
        let database = self.fleet.database();
        if let Grant::NotBefore(wait) = self.ask(A_CYCLE, Priority::Current).await? {
            let due = Due::After(wait + self.jitter());
            self.give_back(due).await?;
            return Ok(End::TooEarly);
        }
        let lease = self.chain.lease().lock().await;
        let state = database.load_state(lease.wearer()).await?;
        drop(lease);
        let state: Option<State> = state.and_then(|text| serde_json::from_str(&text).ok());
        let state = state.unwrap_or_default().by_our_clock(self.app.now());
        let chain = ChainStore::Leased(self.chain.clone());
        let engine = self.app.engine_with(self.provider, None, chain, state);
        let mut engine = match engine {
            Ok(engine) => engine.naming(self.app.wearer.id.clone()),
            Err(problem) => {
                self.give_back(Due::After(AFTER_FAULT)).await?;
                return Ok(End::Cycle(Err(problem)));
            }
        };
        let turn = tokio::select! {
            biased;
            turn = engine.turn(stop, Patience::StartsNow) => turn,
            () = self.chain.keep() => engine::Turn::Lost,
        };
        match turn {
            engine::Turn::Lost => Ok(End::Lost),
            engine::Turn::Stopped => {
                drop(engine);
                self.give_back(Due::After(Duration::ZERO)).await?;
                Ok(End::Stopped)
            }
            engine::Turn::NotBefore(at) => {
                let wait = at.duration_since(self.app.now());
                let wait = Duration::try_from(wait).unwrap_or_default();
                let due = Due::After(wait + self.jitter());
                drop(engine);
                self.give_back(due).await?;
                Ok(End::TooEarly)
            }
            engine::Turn::Ended(result) => {
                if engine.was_limited() {
                    self.slow(engine.failure()).await?;
                }
                let written = tokio::select! {
                    biased;
                    written = self.write(&mut engine, stop) => written,
                    () = self.chain.keep() => return Ok(End::Lost),
                };
                match written {
                    Err(Error::Fenced { .. }) => return Ok(End::Lost),
                    written => written?,
                }
                inspect(&engine);
                let due = self.due(&engine);
                // The chain's other handle.
                drop(engine);
                self.give_back(due).await?;
                Ok(End::Cycle(result))
            }
        }
    }

    pub(super) async fn ask(&self, count: u32, priority: Priority) -> Result<Grant, Error> {
        let project = self.fleet.project(self.provider);
        let database = self.fleet.database();
        database.ask_project(&project, count, priority).await
    }

    /// Has all collectors pause, because the provider has answered that the project asks too often.
    async fn slow(&self, failure: Option<Failure>) -> Result<(), Error> {
        let until = match failure {
            Some(Failure::RateLimited { until }) => until.duration_since(self.app.now()),
            _ => jiff::SignedDuration::ZERO,
        };
        let pause = Duration::try_from(until).unwrap_or_default();
        let pause = if pause.is_zero() { PAUSE } else { pause };
        let project = self.fleet.project(self.provider);
        self.fleet.database().slow_project(&project, pause).await
    }

    /// Writes the reading into the history, fetches past days that it lacks, and writes what is to be
    /// remembered.
    async fn write(&self, engine: &mut Engine, stop: &Stop) -> Result<(), Error> {
        let account = engine.account();
        let arrival = engine
            .reading()
            .filter(|_| engine.failure().is_none())
            .and_then(|reading| Arrival::of_reading(reading, account.as_ref()));
        if let Some(arrival) = arrival {
            self.record(&arrival).await?;
        }
        self.past_days(engine, stop).await?;
        let state = engine.state();
        let document = serde_json::to_string(state).unwrap_or_default();
        let standing = standing(state);
        let database = self.fleet.database();
        let mut lease = self.chain.lease().lock().await;
        database.save_state(&mut lease, &document, standing).await
    }

    /// Merges an arrival into the history.
    pub(super) async fn record(&self, arrival: &Arrival<'_>) -> Result<(), Error> {
        let database = self.fleet.database();
        let lease = self.chain.lease().lock().await;
        let dates = arrival.dates();
        let rows = database.load_history(&lease, dates).await?;
        let mut keeper = Keeper::new(self.app.config.history.keep, self.app.history_listener());
        match MemoryHistory::new(dates, rows) {
            Ok(mut history) => {
                let changes = keeper.keep(&mut history, arrival);
                database.store_history(&lease, &changes).await
            }
            Err(error) => {
                // The rest of the turn does not depend on it.
                let words = format!("the history could not be read: {error}");
                self.app.console.warn(&words);
                Ok(())
            }
        }
    }

    /// Returns when the wearer is due again.
    fn due(&self, engine: &Engine) -> Due {
        let now = self.app.now();
        let id = self.app.wearer.id.as_str();
        if engine.failure().is_none() {
            return Due::After(phase::until_next(id, now, self.app.every()));
        }
        match engine.state().next_update.filter(|at| *at < Timestamp::MAX) {
            // What could not be read may be readable with another key file: nobody is given up.
            None if matches!(engine.failure(), Some(Failure::Store(_))) => Due::After(AFTER_FAULT),
            None => Due::WhenWoken,
            Some(at) => {
                let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                Due::After(wait + self.jitter())
            }
        }
    }

    /// Returns a short random time, so that those who waited for the same thing do not all go on at once.
    fn jitter(&self) -> Duration {
        let most = self.app.every().as_millis() / 60;
        let random = u128::from(getrandom::u32().unwrap_or_default());
        let part = (most * random) >> 32;
        Duration::from_millis(u64::try_from(part).unwrap_or_default())
    }

    async fn give_back(self, due: Due) -> Result<(), Error> {
        let database = self.fleet.database().clone();
        match self.chain.give_back().await {
            Some(lease) => match database.release(lease, due).await {
                // There is nothing to give back any more.
                Err(Error::Fenced { .. }) => Ok(()),
                released => released,
            },
            None => Ok(()),
        }
    }
}

/// Returns the word for a wearer with this state in lists.
fn standing(state: &State) -> &'static str {
    use pulsewing_core::cycle::FailureKind;
    match state.last_trouble.as_deref().and_then(FailureKind::named) {
        Some(FailureKind::ConsentNeeded) => "sign-in-needed",
        Some(FailureKind::Gone) => "gone",
        _ => "signed-in",
    }
}
