//! Every failure of a cycle, for the tests of the words in which it is told.

use pulsewing_core::{
    cycle::{CallName, Consent, Failure, Reason, StoreTrouble},
    oauth::{ErrorName, NoAnswer, OAuthError},
};

use crate::at;

const CONSENTS: [Consent; 4] = [
    Consent::Refused,
    Consent::AccountNotLinked,
    Consent::ResourcePermissionDenied,
    Consent::HeartRateScopeMissing,
];

const NO_ANSWER: [NoAnswer; 14] = [
    NoAnswer::TimedOut,
    NoAnswer::Disconnected,
    NoAnswer::NeverLeft,
    NoAnswer::Status(503),
    NoAnswer::Status(404),
    NoAnswer::Foreign(403),
    NoAnswer::Foreign(200),
    NoAnswer::Redirected(308),
    NoAnswer::Redirected(302),
    NoAnswer::Compressed,
    NoAnswer::NoRefreshToken,
    NoAnswer::Malformed,
    NoAnswer::TooLong,
    NoAnswer::UnfitToken,
];

const REASONS: [Reason; 5] = [
    Reason::ServiceDisabled,
    Reason::IntradayNotAllowed,
    Reason::ProjectGone,
    Reason::PermissionDenied,
    Reason::Other,
];

const STORE: [StoreTrouble; 4] = [
    StoreTrouble::Busy,
    StoreTrouble::Newer(9),
    StoreTrouble::Damaged,
    StoreTrouble::Io,
];

/// Returns each failure that is told in words of its own. A call that failed is the one for the heart rate,
/// and the access token's where that makes a difference.
///
/// # Panics
///
/// Never.
#[must_use]
pub fn all() -> Vec<Failure> {
    let call = CallName::Heart;
    let no_answer = |cause| Failure::NoAnswer { call, cause };
    let rejected = |call, reason| Failure::Rejected {
        call,
        status: 403,
        reason,
    };
    let mut failures = vec![
        Failure::NoChain,
        Failure::ForeignChain,
        Failure::ChainMoved,
        Failure::IntentNotStored,
        Failure::TokensNotStored,
        Failure::Gone,
        Failure::Unauthorized,
        Failure::OutOfTime,
        Failure::RateLimited {
            until: at("2026-11-22T14:15:00Z"),
        },
        rejected(CallName::Token, Reason::Other),
        no_answer(NoAnswer::Named {
            status: 400,
            error: ErrorName::new("server_error").unwrap(),
        }),
    ];
    failures.extend(STORE.map(Failure::Store));
    failures.extend(CONSENTS.map(Failure::ConsentNeeded));
    // A refused grant is a refused consent.
    let oauth = OAuthError::ALL.into_iter();
    let oauth = oauth.filter(|error| *error != OAuthError::InvalidGrant);
    failures.extend(oauth.map(Failure::OAuth));
    failures.extend(NO_ANSWER.map(no_answer));
    failures.extend(REASONS.map(|reason| rejected(call, reason)));
    failures
}
