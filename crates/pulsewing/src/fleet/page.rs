//! What the page sees of a fleet.

use futures_util::future::BoxFuture;
use pulsewing_core::AuthorizationCode;
use pulsewing_fleet::{Database, Wearer};
use pulsewing_history::{Dates, MemoryHistory};

use super::Fleet;
use crate::{
    config::wearer::WearerConfig, daemon::Snapshot, faces::web::Backing, sign_in::SignIn,
    tell::problem::Problem,
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

    fn accept<'a>(
        &'a self,
        invitation: &'a str,
        wearer: &'a Wearer,
        sign_in: &'a SignIn,
        code: &'a AuthorizationCode,
    ) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let kept = self.sign_in(wearer, Some(invitation), sign_in, code).await;
            kept.map(drop)
        })
    }

    fn turns(&self) -> Vec<(&'static str, u64)> {
        self.tally.counts()
    }
}
