//! `pulsewing logout`: revokes the grant and erases the tokens.

use std::time::Duration;

use jiff::Timestamp;
use pulsewing_core::{
    Provider,
    chain::{Standing, Stored},
    oauth::{Answer, NoAnswer, ReplyDecoder, token},
    request::REQUEST_BUFFER,
};
use zeroize::Zeroizing;

use crate::{
    app::App,
    custody::{Custody as _, state_file::State},
    engine::http::{Http, Part, Unanswered},
    tell::{
        console::Console,
        problem::{Exit, Problem},
    },
};

/// The time limit for the provider's answer.
const REVOKE_FOR: Duration = Duration::from_secs(15);

/// How a sign-out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignedOut {
    /// There was no sign-in.
    Nobody,
    /// The provider knows, and the sign-in was erased.
    Revoked,
    /// The sign-in was erased, but the provider does not know.
    Erased,
}

pub(super) async fn run(app: &App) -> Result<(), Problem> {
    if sign_out(app).await? == SignedOut::Nobody {
        app.console.say("Nobody is signed in.");
    }
    Ok(())
}

/// Revokes the grant, if there is one, and erases the tokens.
///
/// # Errors
/// A [`Problem`] when the sign-in was kept, or could not be erased.
pub(super) async fn sign_out(app: &App) -> Result<SignedOut, Problem> {
    let mut files = app.chain_file();
    let Some(record) = files.open().await? else {
        return Ok(SignedOut::Nobody);
    };
    let chain = record.chain;
    if chain.standing() == Standing::Moving {
        return Err(Problem::failed(
            "the sign-in is being moved to a board, so it was not erased here",
        )
        .hint("sign out on the board"));
    }
    let provider = chain.provider();
    let http = app.http(provider)?;
    let is_revoked = revoke(&chain, &http, app.now()).await?;
    files.erase().await.map_err(|error| {
        let what = match is_revoked {
            true => "you are signed out at the provider, but the sign-in's files on this machine could not be erased",
            false => "the sign-in's files on this machine could not be erased",
        };
        Problem::failed(what).caused_by(&error)
    })?;
    State::forget(&app.place, app.console);
    tell(app.console, provider, is_revoked);
    Ok(match is_revoked {
        true => SignedOut::Revoked,
        false => SignedOut::Erased,
    })
}

/// Tells a person that the sign-in has ended.
pub(super) fn tell(console: Console, provider: Provider, is_revoked: bool) {
    if is_revoked {
        console.say(
            "Signed out: Pulsewing can no longer read your data, and the sign-in was erased from this machine.",
        );
    } else {
        console.say("Signed out: the sign-in was erased from this machine.");
        console.warn(&format!(
            "{} does not accept this OAuth client, so it could not be told; remove the app at {} as well",
            provider.title(),
            apps_page(provider),
        ));
    }
}

/// Revokes the grant of a chain. Returns whether the provider accepted that; if not, it never will.
///
/// # Errors
/// A [`Problem`] when the provider could not be told: the sign-in should be kept then.
pub(super) async fn revoke(chain: &Stored, http: &Http, now: Timestamp) -> Result<bool, Problem> {
    let provider = chain.provider();
    if http.endpoints().issuer() != chain.issuer() {
        return Err(Problem::failed(format!(
            "the sign-in is from {}, but the configuration names another address",
            chain.issuer()
        ))
        .hint("tokens are only sent to the server that issued them: set [endpoints] back to what it was when you signed in"));
    }
    let mut buffer = Zeroizing::new([0; REQUEST_BUFFER]);
    let (client, token) = (chain.client(), chain.refresh_token());
    let request = token::revoke(provider, client, token, &mut buffer[..])
        .map_err(|error| Problem::failed("cannot start signing out").caused_by(&error))?;
    let outgoing = http.prepare(&request.view(&buffer[..]), REVOKE_FOR);
    let mut reply = ReplyDecoder::new();
    let sent = outgoing
        .send(now, |part| match part {
            Part::Head(_) => {}
            Part::Body(chunk) => reply.feed(chunk),
        })
        .await;
    let is_revoked = match sent {
        Ok(answered) if answered.status.is_success() => true,
        // There is nothing to revoke any more; a 410 means that the service is gone.
        Ok(answered) if matches!(answered.status.as_u16(), 400 | 404 | 410) => true,
        Ok(answered) if matches!(answered.status.as_u16(), 401 | 403 | 407 | 451) => {
            let status = answered.status.as_u16();
            match reply.finish(status, false) {
                // If a proxy blocked the request, the provider did not get it.
                Answer::Missing(cause @ NoAnswer::Foreign(_)) => return Err(kept(cause.into())),
                // The provider does not accept the client any more, and would not tomorrow either.
                _ => false,
            }
        }
        Ok(answered) => {
            let status = answered.status.as_u16();
            let cause = match answered.status.is_redirection() {
                true => NoAnswer::Redirected(status),
                false => NoAnswer::Status(status),
            };
            let detail = answered.leads_to();
            return Err(kept(Unanswered { cause, detail }));
        }
        Err(unanswered) => return Err(kept(unanswered)),
    };
    Ok(is_revoked)
}

/// Returns the page where a wearer sees the apps that may read their data.
const fn apps_page(provider: Provider) -> &'static str {
    match provider {
        Provider::Google => "https://myaccount.google.com/connections",
        Provider::Fitbit => "https://www.fitbit.com/settings/applications",
    }
}

fn kept(unanswered: Unanswered) -> Problem {
    let (exit, hint) = if unanswered.cause.has_moved() {
        let hint = "in [endpoints] of the configuration, use the address that it redirects to";
        (Exit::Failed, hint)
    } else {
        (Exit::Temporary, "try again later")
    };
    let problem = Problem::new(
        exit,
        "could not tell the provider that you are signing out, so the sign-in was kept",
    )
    .details(format!("revoking the grant: {unanswered}"));
    problem.hint(hint)
}
