//! What the page sees of a fleet.

use futures_util::future::BoxFuture;
use pulsewing_fleet::{Database, Wearer};
use pulsewing_history::{Dates, MemoryHistory};

use super::Fleet;
use crate::{
    config::wearer::WearerConfig, daemon::Snapshot, faces::web::Backing, tell::problem::Problem,
};

impl Backing for Fleet {
    fn database(&self) -> &Database {
        &self.database
    }

    fn settings(&self, wearer: &Wearer) -> WearerConfig {
        self.app(wearer).wearer
    }

    fn snapshot<'a>(&'a self, wearer: &'a Wearer) -> BoxFuture<'a, Result<Snapshot, Problem>> {
        Box::pin(self.snapshot(wearer))
    }

    fn history<'a>(
        &'a self,
        wearer: &'a Wearer,
        dates: Dates,
    ) -> BoxFuture<'a, Result<MemoryHistory, Problem>> {
        Box::pin(self.history(wearer, dates))
    }

    fn turns(&self) -> Vec<(&'static str, u64)> {
        self.tally.counts()
    }
}
