//! Fitbit's rotating refresh tokens and Google's steady ones.

use std::io::Read;

use pulsewing_sandbox::FITBIT_APP;
use serde_json::json;

use crate::harness::{
    Response, Running, SEED, Tokens, VERIFIER, encoded, fingerprint, refresh_form,
};

const IDENTITY: &str = "/v4/users/me/identity";
const DEVICES: &str = "/1/user/-/devices.json";

fn refreshed(sandbox: &Running, refresh: &str) -> Tokens {
    let response = sandbox.fitbit_refresh(refresh);
    assert_eq!(response.status, 200, "{}", response.body);
    response.tokens()
}

#[test]
fn a_refresh_returns_a_new_pair_and_the_old_access_token_lives_on() {
    let (sandbox, first) = Running::with_fitbit();
    let body = sandbox.fitbit_refresh(&first.refresh).json();
    assert_eq!(body["expires_in"], 28_800);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["user_id"], "PW7SB1");
    assert_eq!(body["scope"], "heartrate settings profile");
    let refresh = body["refresh_token"].as_str().unwrap();
    assert!(refresh.len() == 64 && refresh != first.refresh);
    assert!(body["access_token"].as_str().unwrap().len() > 250);
    assert_eq!(sandbox.get_as(&first.access, DEVICES).status, 200);
    assert_eq!(sandbox.fitbit_chain(), ("replayable active".to_owned(), 2));
}

#[test]
fn a_replay_within_two_minutes_returns_the_same_pair() {
    let (sandbox, first) = Running::with_fitbit();
    let answer = sandbox.fitbit_refresh(&first.refresh).body;
    sandbox.advance(119);
    assert_eq!(sandbox.fitbit_refresh(&first.refresh).body, answer);
    sandbox.advance(2);
    let refused = sandbox.fitbit_refresh(&first.refresh);
    refused.fitbit_refuses(400, "invalid_grant");
    // The real service echoes the token, so clients must redact it.
    assert!(
        refused
            .body
            .contains(&format!("Refresh token invalid: {}", first.refresh))
    );
    assert_eq!(refused.json()["success"], false);
    assert_eq!(sandbox.fitbit_chain(), ("spent active".to_owned(), 2));
}

#[test]
fn using_the_new_access_token_ends_the_replay() {
    let (sandbox, first) = Running::with_fitbit();
    let second = refreshed(&sandbox, &first.refresh);
    sandbox.get_as(&first.access, DEVICES);
    assert_eq!(refreshed(&sandbox, &first.refresh), second);
    assert_eq!(sandbox.get_as(&second.access, DEVICES).status, 200);
    sandbox
        .fitbit_refresh(&first.refresh)
        .fitbit_refuses(400, "invalid_grant");
}

#[test]
fn using_the_new_refresh_token_ends_the_replay() {
    let (sandbox, first) = Running::with_fitbit();
    let second = refreshed(&sandbox, &first.refresh);
    let third = refreshed(&sandbox, &second.refresh);
    sandbox
        .fitbit_refresh(&first.refresh)
        .fitbit_refuses(400, "invalid_grant");
    assert_eq!(refreshed(&sandbox, &second.refresh), third);
    assert_eq!(sandbox.fitbit_chain().1, 3);
}

#[test]
fn until_used_knows_no_time_limit() {
    let sandbox = Running::start();
    sandbox.control("config", &json!({ "replay": "until-used" }));
    let first = sandbox.fitbit_login();
    let second = refreshed(&sandbox, &first.refresh);
    sandbox.advance(7 * 86_400);
    assert_eq!(refreshed(&sandbox, &first.refresh), second);
    refreshed(&sandbox, &second.refresh);
    sandbox
        .fitbit_refresh(&first.refresh)
        .fitbit_refuses(400, "invalid_grant");
}

#[test]
fn a_lost_reply_can_be_replayed() {
    let (sandbox, first) = Running::with_fitbit();
    sandbox.fault("fitbit.token", json!({ "drop": "after" }));
    let target = "/oauth2/token";
    let form = refresh_form(&first.refresh);
    assert!(sandbox.raw("POST", target, &[], &form).is_empty());
    assert_eq!(sandbox.fitbit_chain().1, 2);
    refreshed(&sandbox, &first.refresh);
    assert_eq!(sandbox.fitbit_chain().1, 2);
}

#[test]
fn a_second_refresh_while_the_first_is_being_answered_is_a_conflict() {
    let (sandbox, first) = Running::with_fitbit();
    sandbox.fault("fitbit.token", json!({ "stall_s": 1 }));
    let form = refresh_form(&first.refresh);
    let mut held = sandbox.send("POST", "/oauth2/token", &[], &form);
    while sandbox.fitbit_chain().1 == 1 {
        std::thread::yield_now();
    }
    assert_eq!(sandbox.fitbit_refresh(&first.refresh).status, 409);
    let mut bytes = Vec::new();
    held.read_to_end(&mut bytes).unwrap();
    let second = Response::parse(&bytes).unwrap().tokens();
    assert_eq!(refreshed(&sandbox, &first.refresh), second);
}

#[test]
fn a_client_that_gives_up_waiting_can_replay() {
    let (sandbox, first) = Running::with_fitbit();
    sandbox.fault("fitbit.token", json!({ "stall_s": 600 }));
    let form = refresh_form(&first.refresh);
    let waiting = sandbox.send("POST", "/oauth2/token", &[], &form);
    // The stall is meant for this request: the next one must not overtake it.
    while sandbox.fitbit_chain().1 < 2 {
        std::thread::yield_now();
    }
    drop(waiting);
    let answer = loop {
        let response = sandbox.fitbit_refresh(&first.refresh);
        if response.status != 409 {
            break response;
        }
    };
    assert_eq!(answer.status, 200);
    assert_eq!(sandbox.fitbit_chain().1, 2);
}

#[test]
fn token_parameters_are_taken_from_anywhere() {
    let (sandbox, first) = Running::with_fitbit();
    let json = [("Content-Type", "application/json")];
    let query = format!("/oauth2/token?{}", refresh_form(&first.refresh));
    let second = sandbox.request("POST", &query, &json, "").tokens();
    assert_eq!(second.refresh.len(), 64);
    let third = sandbox.request(
        "POST",
        "/oauth2/token",
        &[],
        &format!("&{}", refresh_form(&second.refresh)),
    );
    assert_eq!(third.tokens().refresh.len(), 64);
}

#[test]
fn what_is_missing_from_a_refresh_is_named() {
    let sandbox = Running::start();
    let client = ("client_id", FITBIT_APP.client_id);
    let no_grant = sandbox.post_form("/oauth2/token", &[client]);
    assert!(
        no_grant
            .body
            .contains("Missing 'grant_type' parameter value")
    );
    let no_token = sandbox.post_form("/oauth2/token", &[client, ("grant_type", "refresh_token")]);
    no_token.fitbit_refuses(400, "invalid_request");
    assert!(no_token.body.contains("Missing parameters: refresh_token"));
}

#[test]
fn an_expired_access_token_is_told_from_an_unknown_one() {
    let (sandbox, tokens) = Running::with_fitbit();
    sandbox.advance(28_799);
    assert_eq!(sandbox.get_as(&tokens.access, DEVICES).status, 200);
    sandbox.advance(1);
    let expired = sandbox.get_as(&tokens.access, DEVICES);
    expired.fitbit_refuses(401, "expired_token");
    let unknown = sandbox.get_as("nonsense", DEVICES);
    unknown.fitbit_refuses(401, "invalid_token");
}

#[test]
fn a_new_consent_starts_the_chain_anew() {
    let (sandbox, first) = Running::with_fitbit();
    let second = refreshed(&sandbox, &first.refresh);
    let third = sandbox.fitbit_login();
    sandbox
        .fitbit_refresh(&second.refresh)
        .fitbit_refuses(400, "invalid_grant");
    sandbox
        .fitbit_refresh(&first.refresh)
        .fitbit_refuses(400, "invalid_grant");
    assert_eq!(sandbox.get_as(&second.access, DEVICES).status, 200);
    let chain = ("revoked revoked active".to_owned(), 1);
    assert_eq!(sandbox.fitbit_chain(), chain);
    refreshed(&sandbox, &third.refresh);
}

#[test]
fn revoking_any_token_ends_them_all() {
    let (sandbox, first) = Running::with_fitbit();
    let second = refreshed(&sandbox, &first.refresh);
    let client = ("client_id", FITBIT_APP.client_id);
    let revoked = sandbox.post_form("/oauth2/revoke", &[client, ("token", &first.access)]);
    assert_eq!((revoked.status, revoked.body.as_str()), (200, ""));
    sandbox
        .get_as(&second.access, DEVICES)
        .fitbit_refuses(401, "invalid_token");
    sandbox
        .fitbit_refresh(&second.refresh)
        .fitbit_refuses(400, "invalid_grant");
    let google = sandbox.google_login();
    assert_eq!(
        sandbox
            .post_form("/revoke", &[("token", &google.refresh)])
            .status,
        200
    );
    assert_eq!(sandbox.get_as(&google.access, IDENTITY).status, 401);
    sandbox
        .google_refresh(&google.refresh)
        .oauth_refuses(400, "invalid_grant");
    let again = sandbox.post_form("/revoke", &[("token", &google.refresh)]);
    again.oauth_refuses(400, "invalid_token");
}

#[test]
fn introspection_tells_whether_a_token_is_active() {
    let (sandbox, tokens) = Running::with_fitbit();
    let ask = |bearer: &str, token: &str| {
        let authorization = format!("Bearer {bearer}");
        let headers = [("Authorization", authorization.as_str())];
        sandbox.request(
            "POST",
            "/1.1/oauth2/introspect",
            &headers,
            &encoded(&[("token", token)]),
        )
    };
    let active = ask(&tokens.access, &tokens.access).json();
    assert_eq!(
        (&active["active"], &active["user_id"]),
        (&json!(true), &json!("PW7SB1"))
    );
    assert_eq!(
        ask(&tokens.access, "other").json(),
        json!({ "active": false })
    );
    assert_eq!(ask("other", &tokens.access).status, 401);
}

#[test]
fn a_planted_chain_begins_with_its_refresh_token() {
    let sandbox = Running::start();
    sandbox.control("seed", &json!({ "fitbit_refresh_token": SEED }));
    assert_eq!(sandbox.fitbit_chain(), ("active".to_owned(), 1));
    let tokens = refreshed(&sandbox, SEED);
    assert_eq!(sandbox.get_as(&tokens.access, DEVICES).status, 200);
    assert_eq!(sandbox.fitbit_chain(), ("spent active".to_owned(), 2));
}

#[test]
fn googles_refresh_tokens_do_not_rotate() {
    let (sandbox, tokens) = Running::with_google();
    assert!(tokens.access.starts_with("ya29.") && tokens.refresh.starts_with("1//0"));
    for _ in 0..2 {
        let body = sandbox.google_refresh(&tokens.refresh).json();
        assert_eq!(body.get("refresh_token"), None);
        assert_eq!(body.get("refresh_token_expires_in"), None);
        assert_eq!(body["expires_in"], 3_599);
        let access = body["access_token"].as_str().unwrap();
        assert_eq!(sandbox.get_as(access, IDENTITY).status, 200);
    }
    assert_eq!(sandbox.get_as(&tokens.access, IDENTITY).status, 200);
    sandbox.advance(3_600);
    assert_eq!(sandbox.get_as(&tokens.access, IDENTITY).status, 401);
    sandbox
        .google_refresh("1//0unknown")
        .oauth_refuses(400, "invalid_grant");
}

#[test]
fn googles_refresh_tokens_can_be_made_to_rotate() {
    let sandbox = Running::start();
    sandbox.control(
        "config",
        &json!({ "google_rotates": true, "testing_status": true }),
    );
    let first = sandbox.google_login();
    sandbox.advance(1_000);
    let answer = sandbox.google_refresh(&first.refresh);
    let second = answer.tokens();
    assert!(second.refresh.starts_with("1//0") && second.refresh != first.refresh);
    // The grant keeps its age.
    assert_eq!(answer.json()["refresh_token_expires_in"], 603_799);
    sandbox
        .google_refresh(&first.refresh)
        .oauth_refuses(400, "invalid_grant");
    for access in [&first.access, &second.access] {
        assert_eq!(sandbox.get_as(access, IDENTITY).status, 200);
    }
    let grants = sandbox.control("tokens", &serde_json::Value::Null);
    let states: Vec<&serde_json::Value> = grants[0]["refresh"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| &token["state"])
        .collect();
    assert_eq!(
        (states, &grants[0]["generation"]),
        (vec![&json!("revoked"), &json!("active")], &json!(2))
    );
    assert_eq!(
        sandbox
            .post_form("/revoke", &[("token", &second.refresh)])
            .status,
        200
    );
    assert_eq!(sandbox.get_as(&first.access, IDENTITY).status, 401);
}

#[test]
fn refresh_tokens_can_have_other_lengths() {
    let (sandbox, usual) = Running::with_fitbit();
    assert_eq!(usual.refresh.len(), 64);
    let mut refresh = usual.refresh;
    for length in [16, 63, 65, 513, 4096] {
        sandbox.control("config", &json!({ "refresh_token_length": length }));
        refresh = sandbox.fitbit_refresh(&refresh).tokens().refresh;
        assert_eq!(refresh.len(), length);
        assert_eq!(sandbox.google_login().refresh.len(), length);
    }
    sandbox.control("config", &json!({ "refresh_token_length": null }));
    assert_eq!(sandbox.fitbit_refresh(&refresh).tokens().refresh.len(), 64);
    for wrong in [15, 4097, -1] {
        let change = json!({ "refresh_token_length": wrong }).to_string();
        let refused = sandbox.request("POST", "/_sandbox/config", &[], &change);
        assert_eq!(refused.status, 400, "{wrong}");
    }
}

#[test]
fn a_grant_of_an_app_in_testing_ends_after_seven_days() {
    let sandbox = Running::start();
    sandbox.control("config", &json!({ "testing_status": true }));
    let code = sandbox.google_code(crate::harness::HEART, &[]);
    let body = sandbox.google_exchange(&code, VERIFIER).json();
    assert_eq!(body["refresh_token_expires_in"], 604_799);
    let refresh = body["refresh_token"].as_str().unwrap();
    sandbox.advance(604_799);
    let response = sandbox.google_refresh(refresh);
    let access = response.tokens().access;
    assert_eq!(response.status, 200);
    // Publishing the app later does not extend an earlier grant.
    sandbox.control("config", &json!({ "testing_status": false }));
    sandbox.advance(1);
    let refused = sandbox.google_refresh(refresh);
    refused.oauth_refuses(400, "invalid_grant");
    assert_eq!(
        refused.json()["error_description"],
        "Token has been expired or revoked."
    );
    assert_eq!(sandbox.get_as(&access, IDENTITY).status, 401);
}

#[test]
fn the_oldest_of_more_than_a_hundred_google_grants_goes_unsaid() {
    let (sandbox, first) = Running::with_google();
    for _ in 0..99 {
        sandbox.google_login();
    }
    assert_eq!(sandbox.google_refresh(&first.refresh).status, 200);
    sandbox.google_login();
    sandbox
        .google_refresh(&first.refresh)
        .oauth_refuses(400, "invalid_grant");
}

#[test]
fn access_tokens_live_as_long_as_configured() {
    let sandbox = Running::with(pulsewing_sandbox::SandboxConfig {
        token_life: Some(60),
        speed: 0,
        ..pulsewing_sandbox::SandboxConfig::default()
    });
    let tokens = sandbox.fitbit_login();
    assert_eq!(
        sandbox.fitbit_refresh(&tokens.refresh).json()["expires_in"],
        60
    );
    sandbox.advance(60);
    sandbox
        .get_as(&tokens.access, DEVICES)
        .fitbit_refuses(401, "expired_token");
    let listed = sandbox.control("tokens", &serde_json::Value::Null);
    assert_eq!(listed[0]["access"][0]["fp"], fingerprint(&tokens.access));
}
