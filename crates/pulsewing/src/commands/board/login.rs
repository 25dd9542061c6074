//! `board login`: a sign-in on this machine whose tokens are stored on the board alone.

use std::path::Path;

use pulsewing_core::{
    chain::{Unstored, codec::MAX_RECORD},
    oauth::{Grant, Scopes},
};
use zeroize::Zeroizing;

use super::{super::login, open};
use crate::{
    app::App,
    board::{
        self, Command, Session, custody,
        status::{BoardChain, Held},
    },
    cli::Login,
    problem::Problem,
    sign_in::SignIn,
};

pub(super) async fn run(app: &App, port: Option<&Path>, options: &Login) -> Result<(), Problem> {
    // Before anybody signs in: is there a board to sign in for?
    let mut board = open(app, port).await?;
    if !board.is_settled {
        return Err(Problem::failed(
            "this machine's sign-in is on its way to a board, and who has it has to be known first",
        ));
    }
    login::sign_in(app, options, async |sign_in, code| {
        let grant = sign_in.exchange(code).await?;
        hand_over(app, &mut board.session, sign_in, grant)
    })
    .await
}

/// Makes a chain of what a sign-in brought, and gives it to the board.
fn hand_over(
    app: &App,
    session: &mut Session,
    sign_in: &SignIn,
    grant: Grant,
) -> Result<(), Problem> {
    let (provider, console) = (sign_in.provider(), app.console);
    // The board went on while somebody signed in; what it has now counts.
    let status = session.status().map_err(|trouble| {
        board::problem(trouble, session.path()).hint("connect the board, then sign in again")
    })?;
    let replaces = match status.chain() {
        BoardChain::Missing => None,
        BoardChain::Held(held) => Some(held.generation),
        BoardChain::Unclear(why) => {
            return Err(Problem::failed(format!(
                "the board cannot say which sign-in it has: {why}"
            ))
            .hint("`pulsewing board reset --factory` erases the board"));
        }
    };
    let fingerprint = grant
        .refresh
        .as_ref()
        .map(|token| token.fingerprint().to_string());
    let chain = Unstored::signed_in(
        provider,
        sign_in.issuer(),
        sign_in.client().clone(),
        grant,
        Scopes::all_requested(provider),
        replaces,
        app.now(),
    );
    let (Some(chain), Some(fingerprint)) = (chain, fingerprint) else {
        return Err(Problem::failed("the provider gave no refresh token").hint(
            "remove the app at https://myaccount.google.com/connections, then sign in again",
        ));
    };
    let mut buffer = Zeroizing::new([0; MAX_RECORD]);
    let bytes = chain
        .encode(&mut *buffer)
        .ok_or_else(|| Problem::failed("the sign-in cannot be written for the board"))?;
    let expected = Held {
        provider,
        generation: chain.generation(),
        standing: "active".into(),
        fingerprint,
    };
    if status.get("provider") != Some(provider.name()) {
        // First, so that the board's first update asks the right one.
        session
            .ask(&Command::new("set provider").word(provider.name()))
            .map_err(|trouble| board::problem(trouble, session.path()))?;
        console.say(&format!("provider: {}", provider.name()));
    }
    custody::send_chain(session, bytes, &expected).map_err(|problem| {
        problem.hint("the sign-in is lost; sign in again once the board takes it")
    })?;
    console.say(&format!(
        "The board is signed in with {provider}: generation {}, fingerprint {}. Nothing of it is kept on this machine.",
        expected.generation, expected.fingerprint
    ));
    if let Some(ends) = chain.refresh_expires_at() {
        console.warn(&format!(
            "this sign-in ends on {ends:.0}: see docs/accounts.md for how to make it last"
        ));
    }
    Ok(())
}
