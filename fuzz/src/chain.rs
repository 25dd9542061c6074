//! Token chains as a host hands them to a board.

use jiff::Timestamp;
use pulsewing_core::{
    Provider, RefreshToken,
    chain::{Client, Unstored, codec::MAX_RECORD},
    oauth::{Grant, Scopes},
};

/// Returns the refresh token of a generation.
pub(crate) fn token(generation: u32) -> String {
    format!("{generation:064x}")
}

/// Returns the record of a chain in this generation.
pub(crate) fn chain(generation: u32) -> Vec<u8> {
    let grant = Grant {
        refresh: Some(RefreshToken::new(token(generation)).expect("hex is a token")),
        ..Grant::default()
    };
    let client = Client {
        id: "23ABCD".try_into().expect("it is short"),
        secret: None,
    };
    let chain = Unstored::signed_in(
        Provider::Fitbit,
        "https://api.fitbit.com".try_into().expect("it is short"),
        client,
        grant,
        Scopes::ALL,
        generation.checked_sub(1),
        Timestamp::UNIX_EPOCH,
    );
    let mut buffer = [0; MAX_RECORD];
    let chain = chain.expect("it has a token");
    chain.encode(&mut buffer).expect("it fits").to_vec()
}
