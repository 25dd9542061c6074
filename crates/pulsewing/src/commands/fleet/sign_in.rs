//! `pulsewing login`, `adopt` and `logout` on a database.

use std::time::Duration;

use pulsewing_core::Provider;
use pulsewing_fleet::{Due, Lease};

use crate::{
    cli::{Adopt, LoginHere},
    commands::{adopt, login, logout},
    custody::{Custody as _, state_file::State},
    engine::http::Http,
    fleet::{Fleet, WITHIN},
    sign_in::person::Person,
    tell::problem::{Exit, Problem},
};

pub(super) async fn login(fleet: &Fleet, options: &LoginHere) -> Result<(), Problem> {
    refuse_replacement(options.replace)?;
    let wearer = fleet.named().await?;
    let app = fleet.app(&wearer);
    let chain = login::sign_in(&app, &options.how, async |sign_in, code| {
        fleet.sign_in(&wearer, None, sign_in, code).await
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
    let build = |replaced| {
        adopted
            .chain(endpoints.issuer(), replaced, app.now())
            .ok_or_else(adopt::damaged)
    };
    fleet.take_over(&wearer, &person, build).await?;
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
    let _ = fleet.give_back(chain, due).await;
    ended
}
