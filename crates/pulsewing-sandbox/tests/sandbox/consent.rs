//! Consent, codes and PKCE at both providers.

use pulsewing_sandbox::{FITBIT_APP, GOOGLE_APP};

use crate::harness::{HEART, REDIRECT, Running, SETTINGS, VERIFIER, basic, challenge, encoded};

fn fitbit_page(sandbox: &Running, change: &[(&str, &str)]) -> crate::harness::Response {
    let mut params = vec![
        ("client_id", FITBIT_APP.client_id),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "heartrate settings"),
        ("state", "xyz"),
    ];
    for (name, value) in change {
        params.retain(|(known, _)| known != name);
        params.push((name, value));
    }
    sandbox.get(&format!("/oauth2/authorize?{}", encoded(&params)))
}

#[test]
fn auto_sends_the_browser_back_at_once_with_code_and_state() {
    let sandbox = Running::start();
    let response = fitbit_page(&sandbox, &[("auto", "1")]);
    assert_eq!(response.status, 302);
    let location = response.header("location").unwrap();
    assert!(
        location.starts_with(&format!("{REDIRECT}?")) && location.ends_with("#_=_"),
        "{location}"
    );
    assert_eq!(response.redirect_param("code").unwrap().len(), 40);
    assert_eq!(response.redirect_param("state").unwrap(), "xyz");
}

#[test]
fn a_redirect_that_has_a_query_keeps_it() {
    let sandbox = Running::start();
    let response = fitbit_page(
        &sandbox,
        &[("auto", "1"), ("redirect_uri", "http://localhost:5/a?b=c")],
    );
    assert!(
        response
            .header("location")
            .unwrap()
            .starts_with("http://localhost:5/a?b=c&code=")
    );
}

#[test]
fn the_consent_page_is_a_form_without_scripts() {
    let sandbox = Running::start();
    let response = fitbit_page(&sandbox, &[("state", "\"><script>")]);
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(response.body.contains("<form method=\"post\""));
    assert!(!response.body.contains("<script"));
    assert!(response.body.contains("value=\"heartrate\" checked"));
}

#[test]
fn the_wearer_can_untick_scopes_or_deny() {
    let sandbox = Running::start();
    let params = [
        ("client_id", FITBIT_APP.client_id),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "heartrate settings profile"),
        ("code_challenge", &challenge()),
        ("code_challenge_method", "S256"),
    ];
    let target = format!("/oauth2/authorize?{}", encoded(&params));
    let decided = sandbox.post_form(
        &target,
        &[
            ("scope", "heartrate"),
            ("scope", "weight"),
            ("decision", "allow"),
        ],
    );
    let code = decided.redirect_param("code").unwrap();
    let granted = sandbox.fitbit_exchange(&code, VERIFIER).json();
    assert_eq!(granted["scope"], "heartrate");
    for form in [
        vec![("decision", "deny"), ("scope", "heartrate")],
        vec![("decision", "allow")],
    ] {
        let denied = sandbox.post_form(&target, &form);
        assert_eq!(denied.redirect_param("error").unwrap(), "access_denied");
        assert_eq!(denied.redirect_param("code"), None);
    }
}

#[test]
fn a_request_that_is_not_in_order_gets_a_page_and_no_redirect() {
    let sandbox = Running::start();
    for (name, value, message) in [
        (
            "client_id",
            "",
            "invalid_request - Missing parameters: client_id",
        ),
        (
            "client_id",
            "OTHER",
            "unauthorized_client - Invalid client_id",
        ),
        (
            "redirect_uri",
            "",
            "invalid_request - Missing redirect_uri parameter value",
        ),
        (
            "redirect_uri",
            "https://example.com/",
            "invalid_request - Invalid redirect_uri parameter value",
        ),
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "", "Missing parameters: scope"),
        ("scope", "heartbeat", "invalid_scope"),
        (
            "code_challenge",
            "short",
            "length must be between 43 and 128",
        ),
    ] {
        let response = fitbit_page(&sandbox, &[("auto", "1"), (name, value)]);
        assert_eq!(response.status, 400, "{name}={value}");
        assert!(
            response.body.contains(message),
            "{name}={value}: {}",
            response.body
        );
        assert_eq!(response.header("location"), None);
    }
    let method = [
        ("code_challenge", challenge()),
        ("code_challenge_method", "S512".to_owned()),
    ];
    let method: Vec<(&str, &str)> = method
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert!(
        fitbit_page(&sandbox, &method)
            .body
            .contains("Unsupported code_challenge_method")
    );
    let google = sandbox.get(&format!(
        "/o/oauth2/v2/auth?{}",
        encoded(&[
            ("client_id", GOOGLE_APP.client_id),
            ("response_type", "code"),
            ("scope", HEART),
            ("redirect_uri", "http://192.168.1.5:80/")
        ])
    ));
    assert!(google.status == 400 && google.body.contains("redirect_uri_mismatch"));
}

#[test]
fn a_wrong_verifier_is_refused_by_both() {
    let sandbox = Running::start();
    let wrong = "a".repeat(43);
    let code = sandbox.fitbit_code("heartrate");
    let refused = sandbox.fitbit_exchange(&code, &wrong);
    refused.fitbit_refuses(400, "invalid_grant");
    sandbox
        .fitbit_exchange(&code, "")
        .fitbit_refuses(400, "invalid_request");
    assert_eq!(sandbox.fitbit_exchange(&code, VERIFIER).status, 200);
    let code = sandbox.google_code(HEART, &[]);
    for (verifier, description) in [
        (wrong.as_str(), "Invalid code verifier."),
        ("", "Missing code verifier."),
    ] {
        let refused = sandbox.google_exchange(&code, verifier);
        refused.oauth_refuses(400, "invalid_grant");
        assert_eq!(refused.json()["error_description"], description);
    }
}

#[test]
fn a_code_works_once_and_for_ten_minutes() {
    let sandbox = Running::start();
    let code = sandbox.fitbit_code("heartrate");
    assert_eq!(sandbox.fitbit_exchange(&code, VERIFIER).status, 200);
    sandbox
        .fitbit_exchange(&code, VERIFIER)
        .fitbit_refuses(400, "invalid_grant");
    let code = sandbox.fitbit_code("heartrate");
    sandbox.advance(601);
    sandbox
        .fitbit_exchange(&code, VERIFIER)
        .fitbit_refuses(400, "invalid_grant");
    let code = sandbox.google_code(HEART, &[]);
    sandbox.advance(599);
    assert_eq!(sandbox.google_exchange(&code, VERIFIER).status, 200);
    assert_eq!(
        sandbox.google_exchange(&code, VERIFIER).json()["error_description"],
        "Malformed auth code."
    );
}

#[test]
fn a_code_belongs_to_its_provider_and_its_redirect() {
    let sandbox = Running::start();
    let code = sandbox.google_code(HEART, &[]);
    sandbox
        .fitbit_exchange(&code, VERIFIER)
        .fitbit_refuses(400, "invalid_grant");
    let other = sandbox.google_token(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "http://127.0.0.1:1/"),
    ]);
    assert_eq!(other.json()["error"], "redirect_uri_mismatch");
}

#[test]
fn a_fitbit_app_of_type_personal_may_authenticate_or_not() {
    let sandbox = Running::start();
    let form = |code: &str| {
        encoded(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
        ])
    };
    let ask = |authorization: &str, code: &str| {
        sandbox.request(
            "POST",
            "/oauth2/token",
            &[("Authorization", authorization)],
            &form(code),
        )
    };
    let code = sandbox.fitbit_code("heartrate");
    let wrong = ask(&basic(FITBIT_APP.client_id, "wrong"), &code);
    wrong.fitbit_refuses(401, "invalid_client");
    assert_eq!(
        wrong.header("www-authenticate"),
        Some("Basic realm=\"api.fitbit.com\"")
    );
    assert_eq!(ask("Basic ???", &code).fitbit_error(), "invalid_client");
    assert_eq!(
        ask(
            &basic(FITBIT_APP.client_id, FITBIT_APP.client_secret),
            &code
        )
        .status,
        200
    );
    let nobody = sandbox.request("POST", "/oauth2/token", &[], &form(&code));
    nobody.fitbit_refuses(401, "invalid_client");
}

#[test]
fn google_wants_the_client_secret() {
    let (sandbox, tokens) = Running::with_google();
    let refresh = |more: &[(&str, &str)]| {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh.as_str()),
        ];
        form.extend(more);
        let response = sandbox.post_form("/token", &form);
        (
            response.status,
            response.json()["error"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let id = ("client_id", GOOGLE_APP.client_id);
    assert_eq!(refresh(&[id]), (400, "invalid_request".to_owned()));
    assert_eq!(
        refresh(&[id, ("client_secret", "wrong")]),
        (401, "invalid_client".to_owned())
    );
    assert_eq!(
        refresh(&[
            ("client_id", "other"),
            ("client_secret", GOOGLE_APP.client_secret)
        ]),
        (401, "invalid_client".to_owned())
    );
    assert_eq!(
        refresh(&[id, ("client_secret", GOOGLE_APP.client_secret)]).0,
        200
    );
}

#[test]
fn google_gives_a_refresh_token_for_offline_access_once_or_on_consent() {
    let sandbox = Running::start();
    let scope = format!("{HEART} {SETTINGS}");
    let refresh = |more: &[(&str, &str)]| {
        let code = sandbox.google_code(&scope, more);
        sandbox
            .google_exchange(&code, VERIFIER)
            .json()
            .get("refresh_token")
            .is_some()
    };
    assert!(!refresh(&[("access_type", "online")]));
    assert!(refresh(&[("access_type", "offline")]));
    assert!(!refresh(&[("access_type", "offline")]));
    assert!(refresh(&[
        ("access_type", "offline"),
        ("prompt", "select_account consent")
    ]));
}
