//! The minutes of all wearers, copied to an InfluxDB: one point a minute, with the minute's own time.
//!
//! What is copied is the history, so that days that are fetched or imported later are copied as well, and an
//! InfluxDB that was away for a week lacks nothing afterwards. After each update the days that changed are
//! sent again ([`History::versions`](pulsewing_history::History::versions)). That is safe at any time: a
//! point with the same time replaces the one before.
//!
//! It is a task of its own, reads on a separate thread, and keeps at most one batch in memory: an InfluxDB
//! that is down or slow delays no cycle. The series has one tag, the wearer, because with any other one a
//! revised minute would be a second point.
//!
//! | file | contents |
//! |---|---|
//! | `copy.rs` | which days of a wearer are sent, and how far it got |
//! | `batch.rs` | the minutes of some days as lines |
//! | `cursor.rs` | the same after a restart |
//! | `server.rs` | a batch on its way, and what the answer means |

mod batch;
mod copy;
mod cursor;
mod server;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use self::{copy::Copy, server::Server};
use crate::{
    config::{Config, wearer::WearerId},
    daemon::{Members, Repair, Snapshot},
    engine::clock::Clock,
    tell::problem::Problem,
};

/// The wait after a failure; each one without a success in between doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait between two tries, unless the server asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Copies the minutes of all wearers.
pub(crate) struct Feed {
    server: Server,
    members: Members,
    clock: Clock,
    copies: BTreeMap<WearerId, (Seen, Copy)>,
}

/// What a wearer's history was last compared at. It changes when the history may have.
type Seen = Option<(Option<Timestamp>, Option<Timestamp>, Option<Repair>)>;

impl Feed {
    /// Prepares for the InfluxDB in the configuration; returns `None` if there is none.
    ///
    /// # Errors
    /// A [`Problem`] with its token or the certificates.
    pub(crate) fn new(
        config: &Config,
        members: Members,
        clock: Clock,
    ) -> Result<Option<Self>, Problem> {
        let server = Server::new(&config.influx, config.endpoints.ca_file.as_deref())?;
        Ok(server.map(|server| Self {
            server,
            members,
            clock,
            copies: BTreeMap::new(),
        }))
    }

    /// Copies after each update. Never returns.
    pub(crate) async fn run(mut self) {
        let mut changes = self.members.any_change().subscribe();
        let mut wait = FIRST_WAIT;
        let mut told: Option<String> = None;
        loop {
            changes.borrow_and_update();
            let before = self.batches();
            match self.copy_all().await {
                Ok(()) => {
                    if told.take().is_some() {
                        tracing::info!("the minutes are copied to InfluxDB again");
                    }
                    wait = FIRST_WAIT;
                    if changes.changed().await.is_err() {
                        return std::future::pending().await;
                    }
                }
                Err(trouble) => {
                    if told.as_ref() != Some(&trouble.why) {
                        tracing::warn!(
                            "the minutes cannot be copied to InfluxDB: {}; nothing is lost, they are sent later",
                            trouble.why
                        );
                        told = Some(trouble.why);
                    }
                    if self.batches() != before {
                        wait = FIRST_WAIT;
                    }
                    let pause = trouble.after.unwrap_or_default().max(wait);
                    let until = self.clock.now().up + pause;
                    self.clock.sleep_until(until).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Returns how many batches were sent.
    fn batches(&self) -> u64 {
        self.copies.values().map(|(_, copy)| copy.batches()).sum()
    }

    /// Copies what changed in the histories of all wearers.
    async fn copy_all(&mut self) -> Result<(), server::Trouble> {
        let members = self.members.all();
        let mut unreadable = None;
        self.copies
            .retain(|id, _| members.iter().any(|member| member.wearer.id == *id));
        for member in members.iter() {
            let id = &member.wearer.id;
            let (seen, copy) = self.copies.entry(id.clone()).or_insert_with(|| {
                let place = member.broadcast.place().clone();
                (None, Copy::new(place, self.server.name()))
            });
            let now = marks(&member.broadcast.snapshot());
            if *seen == now {
                continue;
            }
            match copy.catch_up(&self.server, &self.clock).await {
                Ok(()) => *seen = now,
                Err(trouble) if trouble.is_of_history => unreadable = Some(trouble),
                Err(trouble) => return Err(trouble),
            }
        }
        unreadable.map_or(Ok(()), Err)
    }
}

fn marks(snapshot: &Snapshot) -> Seen {
    let reading = snapshot.reading.as_ref();
    let newest = reading.and_then(|reading| reading.latest());
    Some((
        snapshot.last_success,
        newest.map(|newest| newest.at),
        snapshot.repair,
    ))
}
