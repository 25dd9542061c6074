//! What a reply means that is no success.

use jiff::Timestamp;

use super::failure::{CallName, Consent, Failure, Reason};
use crate::{
    Provider,
    dialect::{DecodeError, ErrorReason},
    oauth::NoAnswer,
};

/// What a reply means that is no success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The access token is not accepted.
    Unauthorized,
    /// It is no answer: the same call may get one.
    NoAnswer(NoAnswer),
    /// The provider decided against the call.
    Decided(Failure),
}

/// Whether a reply says that too much was asked. Google's older APIs do so with a 403.
pub(super) fn is_limit(status: u16, reason: &ErrorReason) -> bool {
    status == 429 || (matches!(status, 400 | 403) && *reason == ErrorReason::RateLimited)
}

/// Reads the status and the error body of a reply to `call`. A limit holds until `limited_until`.
pub(super) fn of_reply(
    provider: Provider,
    call: CallName,
    status: u16,
    reason: &ErrorReason,
    limited_until: Timestamp,
) -> Refusal {
    let rejected = |reason| Failure::Rejected {
        call,
        status,
        reason,
    };
    let consent = Failure::ConsentNeeded;
    Refusal::Decided(match (status, reason) {
        (401, _) => return Refusal::Unauthorized,
        // Only a network in between says so (RFC 6585, section 6).
        (511, _) => return Refusal::NoAnswer(NoAnswer::Foreign(status)),
        (408 | 425 | 500.., _) => {
            return Refusal::NoAnswer(NoAnswer::Status(status));
        }
        (300..=399, _) => {
            let cause = NoAnswer::Redirected(status);
            if !cause.has_moved() {
                return Refusal::NoAnswer(cause);
            }
            Failure::NoAnswer { call, cause }
        }
        // What a proxy, a firewall or a network that wants a sign-in says is not the provider's word.
        (403 | 407 | 451, ErrorReason::Foreign) => {
            return Refusal::NoAnswer(NoAnswer::Foreign(status));
        }
        (410, _) if provider == Provider::Fitbit => Failure::Gone,
        _ if is_limit(status, reason) => Failure::RateLimited {
            until: limited_until,
        },
        (_, ErrorReason::AccountNotLinked) => consent(Consent::AccountNotLinked),
        (412, _) if provider == Provider::Google => consent(Consent::AccountNotLinked),
        (_, ErrorReason::ResourcePermissionDenied) => consent(Consent::ResourcePermissionDenied),
        (_, ErrorReason::ScopeInsufficient) => consent(Consent::HeartRateScopeMissing),
        (_, ErrorReason::ServiceDisabled) => rejected(Reason::ServiceDisabled),
        (_, ErrorReason::ProjectGone) => rejected(Reason::ProjectGone),
        (_, ErrorReason::IntradayNotAllowed) => rejected(Reason::IntradayNotAllowed),
        (403, _) if provider == Provider::Google => rejected(Reason::PermissionDenied),
        _ => rejected(Reason::Other),
    })
}

/// What a success means whose content could not be read: that it is no answer, or why there is none. What is
/// `markup` is a page for people, from somebody between here and the provider.
pub(super) const fn of_content(
    error: DecodeError,
    call: CallName,
    status: u16,
    is_markup: bool,
) -> Result<NoAnswer, Failure> {
    match error {
        DecodeError::NoIntraday => Err(Failure::Rejected {
            call,
            status,
            reason: Reason::IntradayNotAllowed,
        }),
        _ if is_markup => Ok(NoAnswer::Foreign(status)),
        _ => Ok(NoAnswer::Malformed),
    }
}
