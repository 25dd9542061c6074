//! Errors of the token endpoint that a retry cannot fix, or that are unknown.

use serde_json::{Value, json};

use crate::harness::{
    browser,
    signed_in::{FITBIT_LIFE, SignedIn},
};

/// Returns a signed-in home whose access token has to be renewed.
fn refused_with(provider: &str, reason: &str) -> SignedIn {
    let signed_in = SignedIn::either(provider);
    signed_in.sandbox.advance(FITBIT_LIFE);
    let route = signed_in.token_route();
    signed_in.fault(&route, 0, &json!({ "reason": reason }));
    signed_in
}

fn doctor(signed_in: &SignedIn) -> crate::harness::hermetic::Finished {
    signed_in
        .program(&["doctor", "--offline"])
        .printing_first()
        .run()
}

#[test]
fn an_error_that_never_passes_is_not_called_temporary_and_the_doctor_sees_it() {
    for (reason, exit, advice) in [
        ("deleted_client", 1, "the OAuth client was deleted"),
        ("disabled_client", 1, "the OAuth client was disabled"),
        ("policy_enforced", 3, "sign in with another account"),
        (
            "admin_policy_enforced",
            3,
            "the administrator of this account",
        ),
        ("org_internal", 3, "accounts of one organisation"),
        ("access_denied", 3, "test users"),
    ] {
        for provider in ["google", "fitbit"] {
            let signed_in = refused_with(provider, reason);
            let before = signed_in.token_requests();
            signed_in
                .once()
                .exits(exit)
                .says(&format!("({reason})"))
                .says(advice)
                .says(&format!("pulsewing login --provider {provider}"))
                .says("Pulsewing does not try again on its own");
            assert_eq!(signed_in.token_requests(), before + 1, "{reason}");
            let chain = signed_in.chain();
            assert_eq!(chain["standing"], "active", "{reason}");
            assert_eq!(chain["refresh_under_way_since"], Value::Null, "{reason}");
            doctor(&signed_in).exits(exit).prints(reason).prints(advice);
            signed_in.sandbox.faults(&json!([]));
            signed_in.once().exits(0);
            doctor(&signed_in).exits(0);
        }
    }
}

#[test]
fn an_error_that_nobody_knows_is_shown_with_its_name() {
    let signed_in = refused_with("google", "gone_fishing");
    signed_in
        .once()
        .exits(5)
        .says("the server answered \"gone_fishing\" (status 400)")
        .says("less and less often");
    // Text that does not look like a name may be anything, and is not shown.
    let signed_in = refused_with("google", "0123456789abcdef");
    signed_in
        .once()
        .exits(5)
        .says("the server answered with status 400")
        .says_nothing_of("0123456789abcdef");
}

#[test]
fn a_sign_in_that_meets_such_an_error_gives_the_same_advice() {
    for (reason, exit, advice) in [
        ("deleted_client", 1, "the OAuth client was deleted"),
        ("org_internal", 3, "accounts of one organisation"),
    ] {
        let signed_in = SignedIn::google();
        let mut login = signed_in.start_login(&[]);
        let back = browser::approve(&login.line());
        signed_in.fault("google.token", 0, &json!({ "reason": reason }));
        login.say(&back);
        login.finish().exits(exit).says(reason).says(advice);
        // The consent page may report it itself.
        let mut login = signed_in.start_login(&[]);
        let back = browser::deny(&login.line());
        login.say(&back.replace("access_denied", reason));
        login.finish().exits(3).says(reason).says(advice);
    }
}

#[test]
fn a_refresh_that_brings_no_refresh_token_says_so_while_the_same_one_is_sent_again() {
    let signed_in = SignedIn::fitbit();
    signed_in.fault("fitbit.token", 0, &json!({ "omit": "refresh_token" }));
    let once = signed_in.program(&["once"]).start();
    let mut line = String::new();
    while !line.contains("the answer contains no new refresh token") {
        line = once.error_line();
    }
    assert!(
        line.contains("sending the same refresh token again"),
        "{line}"
    );
    signed_in.sandbox.wait_for("fitbit.token", 3);
    once.kill();
    let sent = signed_in.sandbox.requests_of("fitbit.token");
    assert!(
        sent.iter()
            .all(|it| it["refresh_fp"] == sent[0]["refresh_fp"])
    );
    assert_ne!(signed_in.chain()["refresh_under_way_since"], Value::Null);
    signed_in.assert_chain_goes_on_without_faults();
}
