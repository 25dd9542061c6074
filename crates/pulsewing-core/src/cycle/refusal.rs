//! The meaning of a reply that is not a success.

use jiff::Timestamp;

use super::failure::{CallName, Consent, Failure, Reason};
use crate::{
    Provider,
    dialect::{DecodeError, ErrorReason},
    oauth::NoAnswer,
};

/// The reason why a call did not get the content that it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setback {
    /// The access token is not accepted.
    Unauthorized,
    /// No answer: the same call may get one later.
    NoAnswer(NoAnswer),
    /// The provider refused the call.
    Refused(Failure),
    /// The provider refused the call because of a rate limit without an end.
    Limited(Failure),
}

/// Returns whether a reply reports a rate limit. Google's older APIs use a 403 for that.
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
) -> Setback {
    let rejected = |reason| Failure::Rejected {
        call,
        status,
        reason,
    };
    let consent = Failure::ConsentNeeded;
    Setback::Refused(match (status, reason) {
        (401, _) => return Setback::Unauthorized,
        // Only a network in between sends this (RFC 6585, section 6).
        (511, _) => return Setback::NoAnswer(NoAnswer::Foreign(status)),
        (408 | 425 | 500.., _) => {
            return Setback::NoAnswer(NoAnswer::Status(status));
        }
        (300..=399, _) => {
            let cause = NoAnswer::Redirected(status);
            if !cause.has_moved() {
                return Setback::NoAnswer(cause);
            }
            Failure::NoAnswer { call, cause }
        }
        // An answer of a proxy, a firewall or a network that wants a sign-in is not the provider's.
        (403 | 407 | 451, ErrorReason::Foreign) => {
            return Setback::NoAnswer(NoAnswer::Foreign(status));
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

/// Returns the meaning of a success whose content could not be read. If `is_markup` is set, the content
/// is a page for people, from something between us and the provider.
pub(super) const fn of_content(
    error: DecodeError,
    call: CallName,
    status: u16,
    is_markup: bool,
) -> Setback {
    match error {
        DecodeError::NoIntraday => Setback::Refused(Failure::Rejected {
            call,
            status,
            reason: Reason::IntradayNotAllowed,
        }),
        _ if is_markup => Setback::NoAnswer(NoAnswer::Foreign(status)),
        _ => Setback::NoAnswer(NoAnswer::Malformed),
    }
}
