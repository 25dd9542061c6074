//! A collector: takes wearers who are due, and gives each a turn.

use std::time::Duration;

use pulsewing_fleet::{Error, Lease};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::{End, Fleet, Turn, tally::Outcome};
use crate::{engine::stop::Stop, tell::problem::Problem};

/// The pause before the next look when nobody is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The pause after an error of the database.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// Gives wearers their turns, many at once.
#[derive(Debug)]
pub(crate) struct Collector {
    fleet: Fleet,
    turns: JoinSet<()>,
    /// The last problem with the database.
    told: Option<String>,
}

impl Collector {
    /// Builds a collector of this fleet.
    pub(crate) fn new(fleet: Fleet) -> Self {
        Self {
            fleet,
            turns: JoinSet::new(),
            told: None,
        }
    }

    /// Gives turns until a request to stop, then waits for those that have begun.
    pub(crate) async fn run(mut self, stop: &Stop) {
        while !stop.is_requested() {
            while let Some(ended) = self.turns.try_join_next() {
                carry_on(ended);
            }
            let room = usize::from(self.fleet.at_once()).saturating_sub(self.turns.len());
            let pause = match self.take(room, stop).await {
                // There may be more.
                Ok(taken) if taken > 0 && taken == room => Duration::ZERO,
                Ok(_) => LOOK_EVERY,
                Err(error) => {
                    self.tell(error);
                    AFTER_ERROR
                }
            };
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(pause), if room > 0 => {}
                Some(ended) = self.turns.join_next(), if room == 0 => carry_on(ended),
            }
        }
        while let Some(ended) = self.turns.join_next().await {
            carry_on(ended);
        }
    }

    /// Takes at most `room` wearers, and begins their turns. Returns how many.
    async fn take(&mut self, room: usize, stop: &Stop) -> Result<usize, Error> {
        if room == 0 {
            return Ok(0);
        }
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let leases = self.fleet.database().take_due(limit).await?;
        if self.told.take().is_some() {
            tracing::info!("the database answers again");
        }
        let taken = leases.len();
        for lease in leases {
            let span = tracing::info_span!("wearer", wearer = %lease.wearer().id);
            let turn = turn(self.fleet.clone(), lease, stop.clone());
            self.turns.spawn(turn.instrument(span));
        }
        Ok(taken)
    }

    fn tell(&mut self, error: Error) {
        let problem = Problem::from(error);
        let words = problem.to_string();
        if self.told.as_ref() != Some(&words) {
            self.fleet.household().console.problem(&problem);
            self.told = Some(words);
        }
    }
}

async fn turn(fleet: Fleet, lease: Lease, stop: Stop) {
    let ended = Turn::new(&fleet, lease)
        .run(&stop, |engine| {
            if let Some(reading) = engine.reading().filter(|_| engine.failure().is_none()) {
                let now = engine.clock().now().utc;
                let bpm = reading.latest().map(|sample| sample.bpm.get());
                let age_min = reading.age(now).map(|age| age.as_mins());
                tracing::info!(bpm, age_min, "updated");
            }
        })
        .await;
    fleet.tally.count(match &ended {
        Ok(End::Cycle(Ok(()))) => Outcome::Updated,
        Ok(End::Cycle(Err(_))) => Outcome::Failed,
        Ok(End::TooEarly) => Outcome::TooEarly,
        Ok(End::Stopped) => Outcome::Stopped,
        Ok(End::Lost) => Outcome::Lost,
        Err(_) => Outcome::Database,
    });
    match ended {
        Ok(End::Cycle(Err(problem))) => fleet.household().console.problem(&problem),
        Ok(End::Lost) => tracing::info!("another collector has taken over"),
        Ok(End::Cycle(Ok(())) | End::TooEarly | End::Stopped) => {}
        Err(error) => fleet.household().console.problem(&error.into()),
    }
}

/// Passes a panic on: nothing is known about the program's state after one.
fn carry_on(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}
