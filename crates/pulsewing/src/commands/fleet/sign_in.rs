//! `pulsewing login`, `adopt` and `logout` on a database.

use std::time::Duration;

use pulsewing_core::{Provider, chain::Unstored, oauth::Grant};
use pulsewing_fleet::{Due, Lease, Wearer, WearerChange};

use super::wearers::WITHIN;
use crate::{
    cli::{Adopt, LoginHere},
    commands::{adopt, login, logout},
    custody::{Custody as _, leased_chain::LeasedChain, state_file::State},
    engine::http::Http,
    fleet::Fleet,
    sign_in::person::Person,
    tell::problem::{Exit, Problem},
};

pub(super) async fn login(fleet: &Fleet, options: &LoginHere) -> Result<(), Problem> {
    refuse_replacement(options.replace)?;
    let wearer = fleet.named().await?;
    let app = fleet.app(&wearer);
    let chain = login::sign_in(&app, &options.how, async |sign_in, code| {
        // Before anything is taken from anybody.
        let grant = sign_in.exchange(code).await?;
        let person = sign_in.person(&grant).await;
        keep(fleet, &wearer, &person, |replaced| {
            let user_id = person.user_id().and_then(|id| id.try_into().ok());
            sign_in.chain(Grant { user_id, ..grant }, replaced).ok_or_else(|| {
                Problem::new(Exit::Temporary, "the provider sent no refresh token").hint(
                    "remove the app at https://myaccount.google.com/connections, then sign in again; nothing was changed",
                )
            })
        })
        .await
    })
    .await?;
    login::explain(&app, chain.provider(), &chain);
    Ok(())
}

pub(super) async fn adopt(fleet: &Fleet, options: &Adopt) -> Result<(), Problem> {
    refuse_replacement(options.replace)?;
    let wearer = fleet.named().await?;
    let app = fleet.app(&wearer);
    let adopted = adopt::read(options)?;
    let http = app.http(Provider::Fitbit)?;
    let endpoints = http.endpoints();
    let has_wifi = adopted.has_wifi;
    let person = Person::named(Provider::Fitbit, adopted.user_id.as_deref());
    keep(fleet, &wearer, &person, |replaced| {
        adopted
            .chain(endpoints.issuer(), replaced, app.now())
            .ok_or_else(adopt::damaged)
    })
    .await?;
    adopt::explain(&app, options, has_wifi, endpoints.is_fitbit_itself());
    Ok(())
}

fn refuse_replacement(is_asked_for: bool) -> Result<(), Problem> {
    match is_asked_for {
        false => Ok(()),
        true => Err(Problem::new(
            Exit::Usage,
            "in a database a wearer is one person for ever, so --replace is not possible",
        )
        .hint("add another wearer for the other person with `pulsewing wearer add ID`")),
    }
}

/// Stores the chain of a sign-in under the wearer's lease. `build` gets the generation of the chain
/// that it replaces.
async fn keep(
    fleet: &Fleet,
    wearer: &Wearer,
    person: &Person,
    build: impl FnOnce(Option<u32>) -> Result<Unstored, Problem>,
) -> Result<Unstored, Problem> {
    let lease = fleet.take(wearer, WITHIN).await?;
    let mut chain = fleet.chain(lease);
    let mut working = chain.clone();
    let kept = tokio::select! {
        biased;
        kept = store(fleet, &mut working, person, build) => kept,
        () = chain.keep() => Err(lost()),
    };
    drop(working);
    if kept.is_ok() {
        // A collector takes the wearer at once.
        give_back(fleet, chain, Due::After(Duration::ZERO)).await?;
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
        let _ = give_back(fleet, chain, due).await;
    }
    kept
}

async fn store(
    fleet: &Fleet,
    chain: &mut LeasedChain,
    person: &Person,
    build: impl FnOnce(Option<u32>) -> Result<Unstored, Problem>,
) -> Result<Unstored, Problem> {
    // Even a chain that cannot be read has a generation, which the new one must follow.
    let _ = chain.load().await;
    let database = fleet.database();
    let lease = chain.lease().lock().await;
    let replaced = lease.generation();
    claim(fleet, &lease, person).await?;
    drop(lease);
    let new = build(replaced)?;
    chain.store_new(&new).await.map_err(|error| {
        Problem::failed("the sign-in could not be written")
            .caused_by_file(&error)
            .hint("sign in again once the database answers")
    })?;
    let mut lease = chain.lease().lock().await;
    let document = serde_json::to_string(&State::default()).unwrap_or_default();
    database
        .save_state(&mut lease, &document, "signed-in")
        .await?;
    let change = WearerChange {
        provider: Some(new.provider().name().to_owned()),
        ..WearerChange::default()
    };
    let id = lease.wearer().id.clone();
    drop(lease);
    database.change_wearer(&id, &change).await?;
    Ok(new)
}

/// Records who the wearer is.
///
/// # Errors
/// A [`Problem`] when they are another wearer, or the wearer is another person.
async fn claim(fleet: &Fleet, lease: &Lease, person: &Person) -> Result<(), Problem> {
    use pulsewing_fleet::Error;

    let database = fleet.database();
    let mut is_known = false;
    for account in person.accounts() {
        let (provider, user_id) = (account.provider.name(), account.user_id.as_str());
        match database.claim_person(lease, provider, user_id).await {
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

pub(super) async fn logout(fleet: &Fleet) -> Result<(), Problem> {
    let wearer = fleet.named().await?;
    let lease = fleet.take(&wearer, WITHIN).await?;
    let told = end(fleet, lease).await?;
    let console = fleet.household().console;
    match told {
        None => console.say("Nobody is signed in."),
        Some((provider, is_revoked)) => logout::tell(console, provider, is_revoked),
    }
    Ok(())
}

/// Revokes the grant of the wearer of this lease, erases the chain, and gives the lease back. Returns
/// the provider, and whether it accepted the revocation; `None` if nobody was signed in.
///
/// # Errors
/// A [`Problem`] when the provider could not be told: the chain is kept then.
pub(super) async fn end(fleet: &Fleet, lease: Lease) -> Result<Option<(Provider, bool)>, Problem> {
    let app = fleet.app(lease.wearer());
    let mut chain = fleet.chain(lease);
    let ended = async {
        let Some(record) = chain.load().await?.record else {
            return Ok(None);
        };
        let provider = record.chain.provider();
        let http = Http::new(provider, &app.config.endpoints)?;
        let is_revoked = logout::revoke(&record.chain, &http, app.now()).await?;
        chain.erase().await.map_err(|error| {
            Problem::failed("the sign-in could not be erased").caused_by_file(&error)
        })?;
        let mut lease = chain.lease().lock().await;
        let document = serde_json::to_string(&State::default()).unwrap_or_default();
        fleet
            .database()
            .save_state(&mut lease, &document, "new")
            .await?;
        Ok(Some((provider, is_revoked)))
    }
    .await;
    let due = match ended {
        Ok(_) => Due::WhenWoken,
        Err(_) => Due::After(Duration::ZERO),
    };
    // It ends by itself, too.
    let _ = give_back(fleet, chain, due).await;
    ended
}

async fn give_back(fleet: &Fleet, chain: LeasedChain, due: Due) -> Result<(), Problem> {
    match chain.give_back().await {
        Some(lease) => Ok(fleet.database().release(lease, due).await?),
        None => Ok(()),
    }
}

fn lost() -> Problem {
    Problem::new(
        Exit::Temporary,
        "another process has taken over this wearer, so the sign-in was not kept",
    )
    .hint("sign in again")
}
