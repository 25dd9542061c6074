//! The query parameters that every Google API has, and those that a call does not have.

use serde_json::{Value, json};

use crate::harness::{HEART, PROFILE, Running, SETTINGS, VERIFIER, encoded};

const LIST: &str = "/v4/users/me/dataTypes/heart-rate/dataPoints";

/// Starts a sandbox, and signs in with every scope that this file asks with.
fn started() -> (Running, String) {
    let sandbox = Running::start();
    let code = sandbox.google_code(&format!("{HEART} {SETTINGS} {PROFILE}"), &[]);
    let access = sandbox.google_exchange(&code, VERIFIER).tokens().access;
    (sandbox, access)
}

#[test]
fn fields_selects_members_of_a_reply() {
    let (sandbox, access) = started();
    let get = |target: &str, fields: &str| {
        let response = sandbox.get_as(
            &access,
            &format!("{target}?{}", encoded(&[("fields", fields)])),
        );
        assert_eq!(response.status, 200, "{fields}: {}", response.body);
        response.json()
    };
    let listed = get(
        LIST,
        "dataPoints(heartRate/beatsPerMinute,dataSource/platform),nextPageToken",
    );
    let members =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(members(&listed), ["dataPoints", "nextPageToken"]);
    let point = &listed["dataPoints"][0];
    assert_eq!(members(point), ["dataSource", "heartRate"]);
    assert_eq!(members(&point["heartRate"]), ["beatsPerMinute"]);
    assert_eq!(
        get("/v4/users/me/settings", "timeZone"),
        json!({ "timeZone": "Europe/Berlin" })
    );
    assert_eq!(
        get("/v4/users/me/identity", "legacyUserId"),
        json!({ "legacyUserId": "PW7SB1" })
    );
    assert_eq!(
        get("/v4/users/me/profile", "membershipStartDate.year"),
        json!({ "membershipStartDate": { "year": 2019 } })
    );
    let devices = get("/v4/users/me/pairedDevices", "pairedDevices(deviceType)");
    assert_eq!(
        devices["pairedDevices"][0],
        json!({ "deviceType": "TRACKER" })
    );
    let rolled = sandbox.post_json_as(
        &access,
        &format!("{LIST}:rollUp?fields=rollupDataPoints/heartRate/beatsPerMinuteMax"),
        &json!({
            "range": { "start_time": "2026-11-22T13:00:00Z", "end_time": "2026-11-22T13:02:00Z" },
            "window_size": "60s",
        }),
    );
    let window = &rolled.json()["rollupDataPoints"][0];
    assert_eq!(members(window), ["heartRate"]);
    assert_eq!(members(&window["heartRate"]), ["beatsPerMinuteMax"]);
}

#[test]
fn a_selection_that_cannot_be_made_is_refused_and_errors_stay_whole() {
    let (sandbox, access) = started();
    let refused = sandbox.get_as(&access, "/v4/users/me/settings?fields=zone");
    let error = &refused.json()["error"];
    assert_eq!(
        (refused.status, &error["status"]),
        (400, &json!("INVALID_ARGUMENT"))
    );
    assert_eq!(
        error["details"][0]["fieldViolations"][0],
        json!({
            "field": "zone",
            "description": "Error expanding 'fields' parameter. Cannot find matching fields for path 'zone'.",
        })
    );
    let unauthorized = sandbox.get_as("ya29.none", "/v4/users/me/settings?fields=timeZone");
    assert_eq!(unauthorized.status, 401);
    assert_eq!(unauthorized.json()["error"]["code"], 401);
    assert_eq!(
        sandbox
            .get_as(&access, "/v4/users/me/settings?fields=(")
            .status,
        400
    );
}

#[test]
fn data_is_indented_unless_that_is_declined() {
    let (sandbox, access) = started();
    let body = |query: &str| {
        sandbox
            .get_as(&access, &format!("/v4/users/me/identity{query}"))
            .body
    };
    let indented = body("");
    assert!(indented.starts_with("{\n  \""), "{indented}");
    assert_eq!(body("?prettyPrint=true&alt=json&quotaUser=me"), indented);
    for plain in ["?prettyPrint=false", "?%24prettyPrint=0"] {
        assert_eq!(
            body(plain),
            serde_json::from_str::<Value>(&indented)
                .unwrap()
                .to_string()
        );
    }
    let refused = sandbox.get("/v4/users/me/identity");
    assert!(
        refused.body.starts_with("{\n  \"error\": {\n"),
        "{}",
        refused.body
    );
    // A truncated reply is cut after these parameters are applied.
    sandbox.fault("google.identity", json!({ "truncate": 4 }));
    assert_eq!(body(""), "{\n  ");
}

#[test]
fn a_parameter_that_the_call_does_not_have_is_refused() {
    let (sandbox, access) = started();
    for (target, name) in [
        (LIST.to_owned(), "startTime"),
        (format!("{LIST}:reconcile"), "page"),
        ("/v4/users/me/settings".to_owned(), "pageSize"),
        ("/v4/users/me/pairedDevices".to_owned(), "filter"),
    ] {
        let refused = sandbox.get_as(&access, &format!("{target}?{name}=1"));
        let message = refused.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(refused.status, 400, "{target}");
        assert!(
            message.contains(&format!(
                "Unknown name \"{name}\": Cannot bind query parameter."
            )),
            "{message}"
        );
        // Authentication comes before the check of the parameters.
        assert_eq!(sandbox.get(&format!("{target}?{name}=1")).status, 401);
    }
    let rolled = sandbox.roll_up(
        &access,
        "2026-11-22T13:00:00Z",
        "2026-11-22T14:00:00Z",
        json!({ "windowSizeSeconds": 60 }),
    );
    assert_eq!(
        rolled.json()["error"]["message"],
        "Invalid JSON payload received. Unknown name \"windowSizeSeconds\": Cannot find field."
    );
    // A parameter may be spelled as in the proto file.
    let listed = sandbox.list(&access, "heart-rate/dataPoints", &[("page_size", "2")]);
    assert_eq!(listed.json()["dataPoints"].as_array().unwrap().len(), 2);
}

#[test]
fn a_body_that_is_no_json_is_refused_in_googles_words() {
    let (sandbox, access) = started();
    let ask = |body: &str| {
        let headers = [("Authorization", format!("Bearer {access}"))];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        sandbox.request("POST", &format!("{LIST}:dailyRollUp"), &headers, body)
    };
    for (body, message) in [
        ("{", "Invalid JSON payload received."),
        ("[]", "Invalid JSON payload received."),
        (
            r#"{"range":{"start":{"date":{"year":2026,"month":01,"day":1}}}}"#,
            "Invalid JSON payload received. Octal/hex numbers are not valid JSON values.",
        ),
    ] {
        let refused = ask(body);
        assert_eq!(
            (refused.status, &refused.json()["error"]["message"]),
            (400, &json!(message))
        );
    }
}

#[test]
fn a_data_type_that_the_api_does_not_have_is_named() {
    let (sandbox, access) = started();
    for name in ["heart_rate", "step"] {
        let refused = sandbox.list(&access, &format!("{name}/dataPoints"), &[]);
        refused.google_refuses(400, "INVALID_PARENT_DATA_TYPE_COLLECTION");
        let violation = &refused.json()["error"]["details"][1]["fieldViolations"][0];
        assert_eq!(
            violation["description"],
            format!("The data type ID {name} is not supported.")
        );
    }
}

#[test]
fn an_api_key_is_no_credential() {
    let (sandbox, access) = started();
    let asked = [
        sandbox.get("/v4/users/me/identity?key=AIzaExample"),
        sandbox.request(
            "GET",
            "/v4/users/me/identity",
            &[("X-Goog-Api-Key", "AIzaExample")],
            "",
        ),
    ];
    for refused in asked {
        refused.google_refuses(401, "CREDENTIALS_MISSING");
        let message = refused.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            message.starts_with("API keys are not supported by this API."),
            "{message}"
        );
    }
    // Next to a token it names the project whose quota is used, and does no harm.
    assert_eq!(
        sandbox
            .get_as(&access, "/v4/users/me/identity?key=AIzaExample")
            .status,
        200
    );
}
