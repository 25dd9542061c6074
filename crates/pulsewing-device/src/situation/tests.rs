//! Checks that the board's panel has room for every message.

use pulsewing_testkit::{failures, pictures::PANEL};

use super::*;

#[track_caller]
fn is_read_to_its_end(state: State<'_>) {
    assert!(state.fits_a_banner(PANEL), "{state:?}");
}

#[test]
fn every_failure_is_read_to_its_end() {
    let when = When {
        up: Duration::ZERO,
        utc: Some(Timestamp::UNIX_EPOCH),
        offset_at: &|_| Offset::UTC,
        has_reading: true,
    };
    let check = |failure, connect_error| {
        let facts = Facts {
            connect_error,
            ..Facts::default()
        };
        let mut texts = Texts::default();
        is_read_to_its_end(of_failure(failure, &facts, &when, &mut texts));
    };
    for failure in failures::all() {
        check(failure, None);
    }
    let lost = Failure::NoAnswer {
        call: CallName::Heart,
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
        check(lost, Some(connect_error));
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
