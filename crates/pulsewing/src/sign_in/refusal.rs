//! Why a sign-in was not completed, and what to do: at the consent page, and at the token endpoint.

use pulsewing_core::{
    Provider,
    cycle::Failure,
    oauth::{NoAnswer, OAuthError, Refused},
};

use crate::{
    engine::http::Unanswered,
    tell::problem::{Exit, Problem, advice_on},
};

/// Builds the problem for the consent page's refusal.
pub(super) fn denied(error: Refused, provider: Provider) -> Problem {
    let problem =
        Problem::new(Exit::ConsentNeeded, "the sign-in was not completed").caused_by(&error);
    match error {
        Refused::Denied => problem.hint("sign in again and allow access to heart rate"),
        Refused::OAuth(error) => problem.hint(advice_on(error, provider)),
        Refused::Named(_) | Refused::Unnamed => problem.hint("sign in again"),
    }
}

/// Builds the problem for the token endpoint's refusal of the code.
pub(super) fn refused(error: OAuthError, provider: Provider) -> Problem {
    let exit = Problem::from_failure(Failure::OAuth(error), provider).exit();
    let problem = Problem::new(exit, "the provider did not complete the sign-in")
        .details(format!("the token endpoint answered {error}"));
    match error {
        OAuthError::InvalidGrant => Problem::new(Exit::ConsentNeeded, "this sign-in was already used, or took too long")
            .details("the code was refused (invalid_grant)")
            .hint("sign in again: the address or code from the browser works only once, within ten minutes"),
        OAuthError::InvalidClient | OAuthError::UnauthorizedClient => problem
            .hint("the client's id or secret is wrong: check the configuration, or download the client's JSON again"),
        OAuthError::InvalidRequest => problem.hint("Google requires the client secret for desktop apps as well: set client_secret, or use --client-json"),
        OAuthError::RedirectUriMismatch => problem
            .hint("use an OAuth client of type \"Desktop app\": it accepts any address of this machine"),
        OAuthError::UnsupportedGrantType | OAuthError::InvalidScope => problem,
        OAuthError::DeletedClient
        | OAuthError::DisabledClient
        | OAuthError::PolicyEnforced
        | OAuthError::AdminPolicyEnforced
        | OAuthError::OrgInternal
        | OAuthError::AccessDenied => problem.hint(advice_on(error, provider)),
    }
}

/// Builds the problem for a code that no usable answer came back for.
pub(super) fn no_answer(unanswered: Unanswered) -> Problem {
    let exit = if unanswered.cause.has_moved() {
        Exit::Failed
    } else {
        Exit::Temporary
    };
    let problem = Problem::new(exit, "the provider did not complete the sign-in").details(format!(
        "the code could not be exchanged for tokens: {unanswered}"
    ));
    problem.hint(match unanswered.cause {
        NoAnswer::NoRefreshToken => {
            "remove the app at https://myaccount.google.com/connections, then sign in again; nothing was changed"
        }
        cause if cause.is_login_page() => {
            "a network's login page seems to be answering instead of the provider: open any web page in a browser on this network, sign in there, then sign in here again; nothing was changed"
        }
        NoAnswer::Redirected(_) => {
            "if the address comes from [endpoints] in the configuration, use the one it redirects to; then sign in again"
        }
        _ => "sign in again; nothing was changed",
    })
}
