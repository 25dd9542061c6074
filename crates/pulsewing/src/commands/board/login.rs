//! `board login`: a sign-in on this machine whose tokens are stored only on the board.

use std::path::Path;

use pulsewing_core::{Provider, chain::Unstored, oauth::Grant};

use super::{super::login, open};
use crate::{
    app::App,
    board::{
        self, Command, Session, Status,
        handover::{self, held_by},
        status::Held,
    },
    cli::Login,
    sign_in::SignIn,
    tell::problem::Problem,
};

pub(super) async fn run(app: &App, port: Option<&Path>, options: &Login) -> Result<(), Problem> {
    // Before the user signs in, check that there is a board.
    let mut board = open(app, port).await?;
    if !board.is_settled {
        return Err(Problem::failed(
            "this machine's sign-in is being moved to a board, and it must first be clear which of them has it",
        ));
    }
    login::sign_in(app, options, async |sign_in, code| {
        let grant = sign_in.exchange(code).await?;
        hand_over(app, &mut board.session, sign_in, &grant)
    })
    .await
}

/// The number of times that the board may renew its own sign-in while it gets the new one.
const TRIES: u32 = 3;

/// Builds a chain from a sign-in's grant, and gives it to the board.
fn hand_over(
    app: &App,
    session: &mut Session,
    sign_in: &SignIn,
    grant: &Grant,
) -> Result<(), Problem> {
    // The board kept running during the sign-in; its present state counts.
    let status = board::explained(session.status(), session)
        .map_err(|problem| problem.hint("connect the board, then sign in again"))?;
    let mut chain = chain_of(sign_in, grant, held_by(&status)?)?;
    set_provider(app, session, sign_in.provider(), &status)?;
    let mut tries = TRIES;
    loop {
        let expected = held(&chain, sign_in.provider(), grant)?;
        let Err(problem) = handover::send_chain(session, &chain, &expected) else {
            tell(app, &chain, &expected);
            return Ok(());
        };
        tries -= 1;
        let status = session.status().ok();
        match status.and_then(|status| held_by(&status).ok()).flatten() {
            // It arrived, and only the answer was lost.
            Some(board) if board == expected => {
                tell(app, &chain, &expected);
                return Ok(());
            }
            // The board has renewed its own meanwhile, and takes only what is newer. A later generation
            // than this one could be ours, renewed: that must not be replaced by a token that is spent.
            Some(board) if board.generation == expected.generation && tries > 0 => {
                chain = chain_of(sign_in, grant, Some(board))?;
            }
            _ => {
                return Err(problem.hint("this sign-in is lost; fix the cause, then sign in again"));
            }
        }
    }
}

/// Sets the provider before the chain arrives, so that the board's first update asks the right one.
fn set_provider(
    app: &App,
    session: &mut Session,
    provider: Provider,
    status: &Status,
) -> Result<(), Problem> {
    if status.get("provider") != Some(provider.name()) {
        let command = Command::new("set provider").word(provider.name());
        board::explained(session.ask(&command), session)?;
        app.console.say(&format!("provider: {}", provider.name()));
    }
    Ok(())
}

/// Builds the chain that takes the place of the board's.
fn chain_of(sign_in: &SignIn, grant: &Grant, replaces: Option<Held>) -> Result<Unstored, Problem> {
    let replaces = replaces.map(|held| held.generation);
    sign_in
        .chain(grant.clone(), replaces)
        .ok_or_else(no_refresh_token)
}

/// Returns the report on the chain that we expect from the board.
fn held(chain: &Unstored, provider: Provider, grant: &Grant) -> Result<Held, Problem> {
    let token = grant.refresh.as_ref().ok_or_else(no_refresh_token)?;
    Ok(Held {
        provider,
        generation: chain.generation(),
        standing: "active".into(),
        fingerprint: token.fingerprint().to_string(),
    })
}

fn no_refresh_token() -> Problem {
    Problem::failed("the provider gave no refresh token")
        .hint("remove the app at https://myaccount.google.com/connections, then sign in again")
}

fn tell(app: &App, chain: &Unstored, stored: &Held) {
    app.console.say(&format!(
        "The board is signed in with {}: generation {}, fingerprint {}. No copy is kept on this machine.",
        stored.provider, stored.generation, stored.fingerprint
    ));
    if let Some(ends) = chain.refresh_expires_at() {
        app.console.warn(&format!(
            "this sign-in ends on {ends:.0}; docs/accounts.md says how to make it last"
        ));
    }
}
