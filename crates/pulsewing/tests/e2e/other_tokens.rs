//! Unusual refresh tokens: of other lengths, and from Google, which may rotate its own.

use serde_json::json;

use crate::harness::signed_in::{FITBIT_LIFE, SignedIn};

#[test]
fn refresh_tokens_of_any_length_up_to_512_are_kept() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        for length in [16, 63, 65, 512] {
            signed_in
                .sandbox
                .configure(&json!({ "refresh_token_length": length, "google_rotates": true }));
            signed_in.sandbox.advance(FITBIT_LIFE);
            signed_in.once().exits(0);
            let record = signed_in.record();
            assert_eq!(
                record.chain.refresh_token().expose().len(),
                length,
                "{provider}"
            );
            signed_in.assert_chain_goes_on();
        }
    }
}

#[test]
fn a_refresh_token_that_google_replaces_is_stored_and_used_from_then_on() {
    let signed_in = SignedIn::google();
    signed_in
        .sandbox
        .configure(&json!({ "google_rotates": true }));
    for refreshed in 1..=3 {
        signed_in.sandbox.advance(3_600);
        signed_in.once().exits(0);
        // The request of the sign-in, and one more for each refresh.
        assert_eq!(signed_in.token_requests(), 1 + refreshed);
        signed_in.assert_chain_goes_on();
    }
}
