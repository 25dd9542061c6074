//! Several wearers in one sandbox: each has their own account, data, devices and quota.

use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use jiff::tz::TimeZone;
use pulsewing_sandbox::{FITBIT_APP, Fault, MOST_WEARERS, Recording, Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::{
    chosen_wearer::consent,
    harness::{HEART, Response, Running, Tokens, VERIFIER, block_on, encoded, fingerprint},
};

const TODAY: &str = "/1/user/-/activities/heart/date/today/1d/1min.json";
const FITBIT_IDS: [&str; 2] = ["PW7SB1", "PW7SB2"];
const GOOGLE_IDS: [&str; 2] = ["111122223333444455", "111122223333444456"];

/// Signs in the first two wearers with either cloud.
pub(crate) fn both(sandbox: &Running, login: impl Fn(&Running, &str) -> Tokens) -> [Tokens; 2] {
    ["1", "2"].map(|user| login(sandbox, user))
}

pub(crate) fn json_as(sandbox: &Running, access: &str, target: &str) -> Value {
    let response = sandbox.get_as(access, target);
    assert_eq!(response.status, 200, "{target}: {}", response.body);
    response.json()
}

fn last_hour(sandbox: &Running, access: &str) -> Response {
    let (start, end) = ("2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z");
    sandbox.roll_up(access, start, end, json!({}))
}

#[test]
fn with_fitbit_each_wearer_sees_only_their_own() {
    let sandbox = Running::with_wearers(2);
    let tokens = both(&sandbox, Running::fitbit_login_as);
    let mut seen: Vec<Vec<Value>> = Vec::new();
    for (tokens, id) in tokens.iter().zip(FITBIT_IDS) {
        let claims = tokens.access.split('.').nth(1).unwrap();
        let claims = Base64UrlUnpadded::decode_vec(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["sub"], id);
        assert_eq!(
            sandbox.fitbit_refresh(&tokens.refresh).json()["user_id"],
            id
        );
        let asked = json_as(&sandbox, &tokens.access, "/1/user/-/profile.json");
        assert_eq!(asked["user"]["encodedId"], id);
        let path = format!("/1/user/{id}/devices.json");
        let devices = json_as(&sandbox, &tokens.access, &path);
        seen.push(vec![
            devices[0]["id"].clone(),
            devices[0]["mac"].clone(),
            devices[0]["batteryLevel"].clone(),
            devices[1]["id"].clone(),
            asked["user"]["fullName"].clone(),
            json_as(&sandbox, &tokens.access, TODAY),
        ]);
    }
    for (first, second) in seen[0].iter().zip(&seen[1]) {
        assert!(!first.is_null() && first != second, "{first}");
    }
}

#[test]
fn with_google_each_wearer_sees_only_their_own() {
    let sandbox = Running::with_wearers(2);
    let tokens = both(&sandbox, Running::google_login_as);
    let mut seen: Vec<Vec<Value>> = Vec::new();
    for (index, tokens) in tokens.iter().enumerate() {
        let id = GOOGLE_IDS[index];
        let asked = |target: &str| json_as(&sandbox, &tokens.access, target);
        let identity = asked("/v4/users/me/identity");
        assert_eq!(identity["healthUserId"], id);
        assert_eq!(identity["legacyUserId"], FITBIT_IDS[index]);
        for resource in ["settings", "profile"] {
            let named = asked(&format!("/v4/users/{id}/{resource}"));
            assert_eq!(named["name"], format!("users/{id}/{resource}"));
        }
        let devices = asked("/v4/users/me/pairedDevices");
        let name = devices["pairedDevices"][0]["name"].as_str().unwrap();
        assert!(name.starts_with(&format!("users/{id}/")), "{name}");
        assert_eq!(asked(&format!("/v4/{name}"))["name"], name);
        let minutes = last_hour(&sandbox, &tokens.access).json();
        assert_eq!(minutes["rollupDataPoints"].as_array().unwrap().len(), 60);
        let info = asked("/oauth2/v3/userinfo");
        seen.push(vec![
            devices["pairedDevices"][0]["macAddress"].clone(),
            minutes,
            info["sub"].clone(),
            info["email"].clone(),
            info["name"].clone(),
        ]);
    }
    for (first, second) in seen[0].iter().zip(&seen[1]) {
        assert!(!first.is_null() && first != second, "{first}");
    }
}

#[test]
fn the_chains_of_two_wearers_do_not_touch_each_other() {
    let sandbox = Running::with_wearers(2);
    let [first, second] = both(&sandbox, Running::fitbit_login_as);
    let before = sandbox.control("tokens", &Value::Null)[1].clone();
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = sandbox.fitbit_refresh(&newest.refresh).tokens();
        assert_eq!(sandbox.get_as(&newest.access, TODAY).status, 200);
    }
    let grants = sandbox.control("tokens", &Value::Null);
    assert_eq!((&grants[0]["generation"], &grants[1]), (&json!(4), &before));
    // The end of one is not the end of the other.
    let form = [
        ("client_id", FITBIT_APP.client_id),
        ("token", &newest.access),
    ];
    assert_eq!(sandbox.post_form("/oauth2/revoke", &form).status, 200);
    sandbox
        .get_as(&newest.access, TODAY)
        .fitbit_refuses(401, "invalid_token");
    assert_eq!(sandbox.get_as(&second.access, TODAY).status, 200);
    assert_eq!(sandbox.fitbit_refresh(&second.refresh).status, 200);
    // Nor does a new consent of one end the refresh tokens of the other.
    let again = sandbox.fitbit_login_as("2");
    sandbox.fitbit_login_as("1");
    assert_eq!(sandbox.fitbit_refresh(&again.refresh).status, 200);
}

#[test]
fn a_rotation_with_google_does_not_touch_the_other_wearer() {
    let sandbox = Running::with_wearers(2);
    sandbox.control("config", &json!({ "google_rotates": true }));
    let [first, second] = both(&sandbox, Running::google_login_as);
    let next = sandbox.google_refresh(&first.refresh).tokens();
    sandbox
        .google_refresh(&first.refresh)
        .oauth_refuses(400, "invalid_grant");
    assert_eq!(
        sandbox
            .post_form("/revoke", &[("token", &next.refresh)])
            .status,
        200
    );
    assert_eq!(last_hour(&sandbox, &next.access).status, 401);
    assert_eq!(last_hour(&sandbox, &second.access).status, 200);
    assert_eq!(sandbox.google_refresh(&second.refresh).status, 200);
}

#[test]
fn the_consent_of_one_wearer_is_not_that_of_the_other() {
    let sandbox = Running::with_wearers(2);
    sandbox.google_login_as("1");
    // Google gives a refresh token without asking again only to an app that has none yet.
    for (user, has_refresh) in [("1", false), ("2", true), ("2", false)] {
        let more = [("access_type", "offline"), ("user", user)];
        let code = sandbox.google_code(HEART, &more);
        let granted = sandbox.google_exchange(&code, VERIFIER).json();
        assert_eq!(granted["refresh_token"].is_string(), has_refresh, "{user}");
    }
}

#[test]
fn nobody_gets_the_data_of_another_wearer() {
    let sandbox = Running::with_wearers(2);
    let tokens = both(&sandbox, Running::fitbit_login_as);
    for (tokens, other) in tokens.iter().zip(FITBIT_IDS.iter().rev()) {
        for resource in ["devices", "profile", "activities/heart/date/today/1d/1min"] {
            let target = format!("/1/user/{other}/{resource}.json");
            sandbox
                .get_as(&tokens.access, &target)
                .fitbit_refuses(403, "insufficient_permissions");
        }
    }
    let tokens = both(&sandbox, Running::google_login_as);
    for (tokens, other) in tokens.iter().zip(GOOGLE_IDS.iter().rev()) {
        for resource in [
            "pairedDevices",
            "settings",
            "dataTypes/heart-rate/dataPoints",
        ] {
            let target = format!("/v4/users/{other}/{resource}");
            sandbox
                .get_as(&tokens.access, &target)
                .google_refuses(403, "RESOURCE_PERMISSION_DENIED");
        }
        let family = format!("users/{other}/dataSourceFamilies/all-sources");
        let body = json!({ "dataSourceFamily": family });
        let refused = sandbox.roll_up(
            &tokens.access,
            "2026-11-22T13:00:00Z",
            "2026-11-22T14:00:00Z",
            body,
        );
        refused.google_refuses(400, "INVALID_DATA_POINT_DATA_SOURCE_FAMILY");
    }
    let sources = |of: &str| {
        let family = format!("users/{of}/dataSourceFamilies/all-sources");
        let call = "heart-rate/dataPoints:reconcile";
        sandbox.list(&tokens[1].access, call, &[("dataSourceFamily", &family)])
    };
    assert_eq!(sources(GOOGLE_IDS[1]).status, 200);
    sources(GOOGLE_IDS[0]).google_refuses(400, "INVALID_DATA_POINT_DATA_SOURCE_FAMILY");
    // A page is continued only by whoever began it.
    let page = [("pageSize", "2")];
    let mine = sandbox.list(&tokens[0].access, "heart-rate/dataPoints", &page);
    let token = mine.json()["nextPageToken"].as_str().unwrap().to_owned();
    let next = [("pageSize", "2"), ("pageToken", &token)];
    for (tokens, status) in tokens.iter().zip([200, 400]) {
        let page = sandbox.list(&tokens.access, "heart-rate/dataPoints", &next);
        assert_eq!(page.status, status, "{}", page.body);
    }
}

#[test]
fn the_quota_of_one_wearer_leaves_the_others() {
    let sandbox = Running::with_wearers(2);
    let [first, second] = both(&sandbox, Running::fitbit_login_as);
    let devices = "/1/user/-/devices.json";
    for _ in 0..150 {
        assert_eq!(sandbox.get_as(&first.access, devices).status, 200);
    }
    assert_eq!(sandbox.get_as(&first.access, devices).status, 429);
    let other = sandbox.get_as(&second.access, devices);
    assert_eq!(other.status, 200);
    assert_eq!(other.header("fitbit-rate-limit-remaining"), Some("149"));
    let [first, second] = both(&sandbox, Running::google_login_as);
    let devices = "/v4/users/me/pairedDevices";
    for _ in 0..300 {
        assert_eq!(sandbox.get_as(&second.access, devices).status, 200);
    }
    assert_eq!(sandbox.get_as(&second.access, devices).status, 429);
    assert_eq!(sandbox.get_as(&first.access, devices).status, 200);
}

#[test]
fn requests_and_tokens_say_whose_they_are() {
    let sandbox = Running::with_wearers(2);
    let fitbit = sandbox.fitbit_login_as("2");
    let google = sandbox.google_login_as("2");
    sandbox.fitbit_login_as("1");
    sandbox.get(&consent(&[]));
    sandbox.get_as("unknown", TODAY);
    sandbox.get_as(&fitbit.access, TODAY);
    sandbox.fitbit_refresh(&fitbit.refresh);
    sandbox.google_refresh(&google.refresh);
    sandbox.get(&format!(
        "/oauth2/v3/userinfo?access_token={}",
        google.access
    ));
    sandbox.post_form("/revoke", &[("token", &google.access)]);
    // Revoked access tokens are forgotten, and with them whose they were.
    last_hour(&sandbox, &google.access);
    let log = sandbox.control("requests", &Value::Null);
    let whose: Vec<&Value> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["user_id"])
        .collect();
    let [fitbit_1, fitbit_2] = FITBIT_IDS.map(Value::from);
    let [_, google_2] = GOOGLE_IDS.map(Value::from);
    let nobody = Value::Null;
    assert_eq!(
        whose,
        [
            &fitbit_2, &fitbit_2, &google_2, &google_2, &fitbit_1, &fitbit_1, &nobody, &nobody,
            &fitbit_2, &fitbit_2, &google_2, &google_2, &google_2, &nobody
        ]
    );
    let grants = sandbox.control("tokens", &Value::Null);
    let listed = grants.as_array().unwrap().iter();
    let listed: Vec<(&Value, &Value)> =
        listed.map(|it| (&it["provider"], &it["user_id"])).collect();
    let (by_fitbit, by_google) = (json!("fitbit"), json!("google"));
    assert_eq!(
        listed,
        [
            (&by_fitbit, &fitbit_1),
            (&by_fitbit, &fitbit_2),
            (&by_google, &google_2)
        ]
    );
    assert_eq!(grants[1]["refresh"][0]["fp"], fingerprint(&fitbit.refresh));
}

#[test]
fn introspection_tells_whose_the_token_is() {
    let sandbox = Running::with_wearers(2);
    let [first, second] = both(&sandbox, Running::fitbit_login_as);
    let ask = |as_whom: &Tokens, about: &Tokens| {
        let headers = [
            ("Authorization", format!("Bearer {}", as_whom.access)),
            (
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let form = encoded(&[("token", &about.access)]);
        let answer = sandbox.request("POST", "/1.1/oauth2/introspect", &headers, &form);
        answer.json()["user_id"].clone()
    };
    assert_eq!(ask(&first, &first), FITBIT_IDS[0]);
    assert_eq!(ask(&first, &second), FITBIT_IDS[1]);
}

#[test]
fn a_sandbox_has_at_most_a_hundred_thousand_wearers() {
    let start = |wearers: u32, faults: &str| {
        let config = SandboxConfig {
            wearers: wearers.try_into().unwrap(),
            faults: Fault::parse_script(faults).unwrap(),
            ..SandboxConfig::default()
        };
        let started = block_on(Sandbox::start(config));
        started.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(start(MOST_WEARERS, ""), Ok(()));
    let refused = start(MOST_WEARERS + 1, "").unwrap_err();
    assert_eq!(refused, "100001 wearers are too many: at most 100000");
    let third = r#"{"route":"*","user":3,"do":{"drop":"after"}}"#;
    assert_eq!(start(3, third), Ok(()));
    let refused = start(2, third).unwrap_err();
    assert_eq!(refused, "a fault is of wearer 3, but there are only 2");
}

#[test]
fn the_ready_line_counts_wearers_if_there_are_several() {
    assert_eq!(Running::with_wearers(2).ready["wearers"], 2);
    assert!(Running::start().ready.get("wearers").is_none());
}

/// Asks for everything that a sandbox tells about its first wearer. Before each request, `meanwhile`
/// happens.
fn life_of_the_first(sandbox: &Running, meanwhile: impl Fn()) -> Vec<String> {
    let mut told = Vec::new();
    let ask = |access: &str, target: &str| {
        meanwhile();
        let response = sandbox.get_as(access, target);
        assert_eq!(response.status, 200, "{target}: {}", response.body);
        response.body
    };
    meanwhile();
    let mut fitbit = sandbox.fitbit_login();
    for _ in 0..2 {
        meanwhile();
        let refreshed = sandbox.fitbit_refresh(&fitbit.refresh);
        fitbit = refreshed.tokens();
        told.push(refreshed.body);
        for target in [
            TODAY,
            "/1/user/-/devices.json",
            "/1/user/PW7SB1/profile.json",
        ] {
            told.push(ask(&fitbit.access, target));
        }
    }
    meanwhile();
    let google = sandbox.google_login();
    told.push(sandbox.google_refresh(&google.refresh).body);
    for resource in [
        "pairedDevices",
        "settings",
        "identity",
        "dataTypes/heart-rate/dataPoints",
    ] {
        told.push(ask(&google.access, &format!("/v4/users/me/{resource}")));
    }
    told.push(last_hour(sandbox, &google.access).body);
    told
}

#[test]
fn the_first_wearer_is_the_one_of_a_sandbox_with_one() {
    let alone = Running::start();
    let among_others = Running::with_wearers(3);
    let expected = life_of_the_first(&alone, || ());
    let told = life_of_the_first(&among_others, || {
        let other = among_others.fitbit_login_as("2");
        among_others.fitbit_refresh(&other.refresh);
        among_others.google_login_as("3");
    });
    assert_eq!(told, expected);
}

#[test]
fn a_recording_is_the_first_wearers() {
    let csv = "time,bpm\n2026-11-22T13:59:00,201\n";
    let sandbox = Running::with(SandboxConfig {
        data: vec![Recording::from_csv(csv, &TimeZone::UTC).unwrap()],
        wearers: 2.try_into().unwrap(),
        speed: 0,
        ..SandboxConfig::default()
    });
    let [first, second] = both(&sandbox, Running::fitbit_login_as);
    let minutes = |tokens: &Tokens| {
        let day = json_as(&sandbox, &tokens.access, TODAY);
        let minutes = &day["activities-heart-intraday"]["dataset"];
        minutes.as_array().unwrap().clone()
    };
    assert_eq!(
        minutes(&first),
        [json!({ "time": "13:59:00", "value": 201 })]
    );
    assert!(minutes(&second).len() > 700);
}

#[test]
fn the_page_counts_wearers_and_says_whose_requests_they_are() {
    let sandbox = Running::with_wearers(30);
    for user in 1..=25 {
        sandbox.fitbit_login_as(&user.to_string());
    }
    let page = sandbox.get("/").body;
    for told in [
        "<h2>Wearer 1 of 30</h2>",
        "<dt>Signed in</dt><dd>25 of 30 wearers</dd>",
        "<td>fitbit</td><td>PW7SB20</td>",
        "Only the first 20 grants are shown.",
        "<td>fitbit.token</td><td>PW7SB25</td>",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("<td>fitbit</td><td>PW7SB21</td>"));
    let (alone, _) = Running::with_fitbit();
    let page = alone.get("/").body;
    assert!(page.contains("<h2>Wearer</h2>") && !page.contains("PW7SB1"));
}

#[test]
fn a_thousand_wearers_are_served_in_well_under_a_minute() {
    let sandbox = Running::with_wearers(1_000);
    let began = Instant::now();
    let window = "/1/user/-/activities/heart/date/today/1d/1min/time/13:00/14:00.json";
    let tokens: Vec<Tokens> = (1..=1_000)
        .map(|user| sandbox.fitbit_login_as(&user.to_string()))
        .collect();
    for tokens in &tokens {
        assert_eq!(sandbox.get_as(&tokens.access, window).status, 200);
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    let grants = sandbox.control("tokens", &Value::Null);
    assert_eq!(grants.as_array().unwrap().len(), 1_000);
    assert_eq!(grants[999]["user_id"], "PW7SB1000");
}
