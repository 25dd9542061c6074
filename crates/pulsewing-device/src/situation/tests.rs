//! Checks that the board's panel has room for every message.

use embedded_graphics::geometry::Size;
use pulsewing_core::oauth::ErrorName;

use super::*;

/// The boards' panel.
const PANEL: Size = Size::new(480, 320);

const CALL: CallName = CallName::Heart;

#[track_caller]
fn is_read_to_its_end(state: State<'_>) {
    assert!(state.fits_a_banner(PANEL), "{state:?}");
}

#[test]
fn every_failure_is_read_to_its_end() {
    use {NoAnswer as N, OAuthError as O};
    let causes = [
        N::Foreign(403),
        N::Foreign(200),
        N::Redirected(308),
        N::Redirected(302),
        N::Compressed,
        N::NoRefreshToken,
        N::UnfitToken,
        N::Named {
            status: 400,
            error: ErrorName::new("server_error").unwrap(),
        },
        N::TimedOut,
    ];
    let errors = [
        O::InvalidClient,
        O::DeletedClient,
        O::PolicyEnforced,
        O::InvalidRequest,
    ];
    let reasons = [
        Reason::ServiceDisabled,
        Reason::ProjectGone,
        Reason::IntradayNotAllowed,
        Reason::PermissionDenied,
        Reason::Other,
    ];
    let stores = [
        StoreTrouble::Damaged,
        StoreTrouble::Newer(9),
        StoreTrouble::Busy,
        StoreTrouble::Io,
    ];
    let rejected = |call, reason| Failure::Rejected {
        call,
        status: 403,
        reason,
    };
    let failures = causes
        .map(|cause| Failure::NoAnswer { call: CALL, cause })
        .into_iter()
        .chain(errors.map(Failure::OAuth))
        .chain(reasons.map(|reason| rejected(CALL, reason)))
        .chain(stores.map(Failure::Store))
        .chain([
            rejected(CallName::Token, Reason::Other),
            Failure::ConsentNeeded(Consent::AccountNotLinked),
            Failure::IntentNotStored,
            Failure::TokensNotStored,
            Failure::Unauthorized,
            Failure::NoChain,
            Failure::Gone,
            Failure::RateLimited {
                until: Timestamp::UNIX_EPOCH,
            },
            Failure::OutOfTime,
        ]);
    let when = When {
        up: Duration::ZERO,
        utc: Some(Timestamp::UNIX_EPOCH),
        offset_at: &|_| Offset::UTC,
        has_reading: true,
    };
    for failure in failures {
        let mut texts = Texts::default();
        is_read_to_its_end(of_failure(failure, &Facts::default(), &when, &mut texts));
    }
    let lost = Failure::NoAnswer {
        call: CALL,
        cause: NoAnswer::NeverLeft,
    };
    for connect_error in [
        ConnectError::Dns,
        ConnectError::WrongName,
        ConnectError::UnknownIssuer,
        ConnectError::Expired,
        ConnectError::NotYetValid,
        ConnectError::Tls(-0x7280),
    ] {
        let facts = Facts {
            connect_error: Some(connect_error),
            ..Facts::default()
        };
        let mut texts = Texts::default();
        is_read_to_its_end(of_failure(lost, &facts, &when, &mut texts));
    }
}

#[test]
fn what_is_wrong_with_a_network_is_read_to_its_end() {
    let ssid: crate::shared::Ssid = "A network with a name of 32 char".try_into().unwrap();
    for error in [
        None,
        Some(JoinError::NotFound),
        Some(JoinError::Refused),
        Some(JoinError::NoAddress),
        Some(JoinError::Radio),
    ] {
        let mut texts = Texts::default();
        let network = Network::Joining(ssid.clone(), error);
        is_read_to_its_end(of_network(&network, &mut texts));
    }
}
