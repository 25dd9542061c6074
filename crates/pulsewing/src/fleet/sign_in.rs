//! A sign-in of a wearer in the database, wherever it began: the exchange and the storage of the chain,
//! under the wearer's lease.

use std::time::Duration;

use pulsewing_core::{AuthorizationCode, chain::Unstored, oauth::Grant};
use pulsewing_fleet::{Due, Error, Lease, Wearer, WearerChange};

use super::Fleet;
use crate::{
    custody::{Custody as _, leased_chain::LeasedChain, state_file::State},
    sign_in::{SignIn, person::Person},
    tell::problem::{Exit, Problem},
};

/// The longest wait for a collector that works for a wearer.
pub(crate) const WITHIN: Duration = Duration::from_secs(120);

impl Fleet {
    /// Exchanges the code and stores the chain, under the wearer's lease. An invitation is looked at once
    /// nobody else can sign the wearer in, and used up once the chain is stored: a sign-in that fails may
    /// be tried again.
    ///
    /// # Errors
    /// A [`Problem`] with the invitation, the provider, the person or the database. Nothing was changed
    /// then, unless the problem says so.
    pub(crate) async fn sign_in(
        &self,
        wearer: &Wearer,
        invitation: Option<&str>,
        sign_in: &SignIn,
        code: &AuthorizationCode,
    ) -> Result<Unstored, Problem> {
        self.under_lease(wearer, async |chain| {
            if let Some(digits) = invitation {
                self.check(digits, wearer).await?;
            }
            let grant = sign_in.exchange(code).await?;
            let person = sign_in.person(&grant).await;
            let kept = self
                .store(chain, &person, |replaced| {
                    let user_id = person.user_id().and_then(|id| id.try_into().ok());
                    let grant = Grant { user_id, ..grant };
                    sign_in.chain(grant, replaced).ok_or_else(no_refresh_token)
                })
                .await?;
            if let Some(digits) = invitation
                && let Err(error) = self.database.use_invitation(digits).await
            {
                // The sign-in is stored. Only the same person could use the link again.
                tracing::warn!(%error, "an invitation was used, but could not be used up");
            }
            Ok(kept)
        })
        .await
    }

    /// Stores a chain that somebody already has, under the wearer's lease. `build` gets the generation
    /// of the chain that it replaces.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in).
    pub(crate) async fn take_over(
        &self,
        wearer: &Wearer,
        person: &Person,
        build: impl FnOnce(Option<u32>) -> Result<Unstored, Problem>,
    ) -> Result<Unstored, Problem> {
        self.under_lease(wearer, async |chain| self.store(chain, person, build).await)
            .await
    }

    /// Works with a wearer's chain under their lease. A collector takes the wearer right afterwards.
    async fn under_lease(
        &self,
        wearer: &Wearer,
        work: impl AsyncFnOnce(&mut LeasedChain) -> Result<Unstored, Problem>,
    ) -> Result<Unstored, Problem> {
        let lease = self.take(wearer, WITHIN).await?;
        let mut chain = self.chain(lease);
        let mut working = chain.clone();
        let kept = tokio::select! {
            biased;
            kept = work(&mut working) => kept,
            () = chain.keep() => Err(lost()),
        };
        drop(working);
        if kept.is_ok() {
            self.give_back(chain, Due::After(Duration::ZERO)).await?;
        } else {
            let is_signed_in = chain
                .load()
                .await
                .is_ok_and(|loaded| loaded.record.is_some());
            let due = match is_signed_in {
                true => Due::After(Duration::ZERO),
                false => Due::WhenWoken,
            };
            // It ends by itself, too.
            let _ = self.give_back(chain, due).await;
        }
        kept
    }

    /// Checks that an invitation is still good, and is this wearer's.
    async fn check(&self, digits: &str, wearer: &Wearer) -> Result<(), Problem> {
        match self.database.check_invitation(digits).await? {
            Some(invited) if invited.id == wearer.id => Ok(()),
            _ => Err(
                Problem::failed("this invitation was used already, or is over")
                    .hint("ask for another one"),
            ),
        }
    }

    async fn store(
        &self,
        chain: &mut LeasedChain,
        person: &Person,
        build: impl FnOnce(Option<u32>) -> Result<Unstored, Problem>,
    ) -> Result<Unstored, Problem> {
        // Even a chain that cannot be read has a generation, which the new one must follow.
        let _ = chain.load().await;
        let lease = chain.lease().lock().await;
        let replaced = lease.generation();
        self.claim(&lease, person).await?;
        drop(lease);
        let new = build(replaced)?;
        chain.store_new(&new).await.map_err(|error| {
            Problem::failed("the sign-in could not be written")
                .caused_by_file(&error)
                .hint("sign in again once the database answers")
        })?;
        let mut lease = chain.lease().lock().await;
        let document = serde_json::to_string(&State::default()).unwrap_or_default();
        self.database
            .save_state(&mut lease, &document, "signed-in")
            .await?;
        let change = WearerChange {
            provider: Some(new.provider().name().to_owned()),
            ..WearerChange::default()
        };
        let id = lease.wearer().id.clone();
        drop(lease);
        self.database.change_wearer(&id, &change).await?;
        Ok(new)
    }

    /// Records who the wearer is.
    ///
    /// # Errors
    /// A [`Problem`] when they are another wearer, or the wearer is another person.
    async fn claim(&self, lease: &Lease, person: &Person) -> Result<(), Problem> {
        let mut is_known = false;
        for account in person.accounts() {
            let (provider, user_id) = (account.provider.name(), account.user_id.as_str());
            match self.database.claim_person(lease, provider, user_id).await {
                Ok(()) => is_known = true,
                // One account was enough to identify the person.
                Err(Error::AnotherPerson { .. }) if is_known => {}
                Err(error) => return Err(error.into()),
            }
        }
        match is_known {
            true => Ok(()),
            // Nobody could tell whose data this is.
            false => Err(Problem::new(
                Exit::Temporary,
                "the provider did not say who signed in, so the sign-in was not kept",
            )
            .hint("try signing in again a little later; nothing was changed")),
        }
    }

    /// Gives a lease back with its chain.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn give_back(&self, chain: LeasedChain, due: Due) -> Result<(), Problem> {
        match chain.give_back().await {
            Some(lease) => Ok(self.database.release(lease, due).await?),
            None => Ok(()),
        }
    }
}

fn no_refresh_token() -> Problem {
    Problem::new(Exit::Temporary, "the provider sent no refresh token").hint(
        "remove the app at https://myaccount.google.com/connections, then sign in again; nothing was changed",
    )
}

fn lost() -> Problem {
    Problem::new(
        Exit::Temporary,
        "another process has taken over this wearer, so the sign-in was not kept",
    )
    .hint("sign in again")
}
