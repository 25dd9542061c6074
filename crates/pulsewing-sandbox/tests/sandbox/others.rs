//! Requests of clients that do not only read heart rates.

use pulsewing_sandbox::{FITBIT_APP, GOOGLE_APP};
use serde_json::{Value, json};

use crate::harness::{HEART, REDIRECT, Running, VERIFIER, encoded};

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const NAME: &str = "https://www.googleapis.com/auth/userinfo.profile";
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";

fn scope(name: &str) -> String {
    format!("https://www.googleapis.com/auth/googlehealth.{name}.readonly")
}

/// Signs in with some scopes and returns the access token.
fn signed_in(sandbox: &Running, scopes: &[&str]) -> String {
    let code = sandbox.google_code(&scopes.join(" "), &[]);
    let response = sandbox.google_exchange(&code, VERIFIER);
    assert_eq!(response.status, 200, "{}", response.body);
    response.tokens().access
}

/// Every data type that a point has a member for in the discovery document, under the scope of its
/// kind, except for those that the sandbox has data for.
const LISTED: [(&str, &str); 10] = [
    (
        "activity_and_fitness",
        "active-energy-burned active-minutes active-zone-minutes activity-level altitude \
         basal-energy-burned daily-vo2-max distance exercise floors run-vo2-max sedentary-period steps \
         swim-lengths-data vo2-max",
    ),
    (
        "health_metrics_and_measurements",
        "blood-glucose body-fat core-body-temperature daily-heart-rate-variability \
         daily-oxygen-saturation daily-respiratory-rate daily-sleep-temperature-derivations \
         heart-rate-variability height oxygen-saturation respiratory-rate-sleep-summary weight",
    ),
    ("sleep", "sleep"),
    (
        "nutrition",
        "food food-measurement-unit hydration-log nutrition-log",
    ),
    ("ecg", "electrocardiogram"),
    ("irn", "irregular-rhythm-notification"),
    ("mindfulness", "moods"),
    ("logged_symptoms", "symptoms"),
    ("reproductive_health", "menstrual-period"),
    ("reproductive_health", "ovulation-test"),
];

#[test]
fn the_address_that_googles_client_files_name_signs_in() {
    let sandbox = Running::start();
    let params = encoded(&[
        ("client_id", GOOGLE_APP.client_id),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", HEART),
        ("access_type", "offline"),
        ("approval_prompt", "force"),
        ("auto", "1"),
    ]);
    for _ in 0..2 {
        let consent = sandbox.get(&format!("/o/oauth2/auth?{params}"));
        assert_eq!(consent.status, 302, "{}", consent.body);
        let code = consent.redirect_param("code").unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("client_id", GOOGLE_APP.client_id),
            ("client_secret", GOOGLE_APP.client_secret),
        ];
        let tokens = sandbox.post_form("/o/oauth2/token", &form);
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        assert!(tokens.json()["refresh_token"].is_string());
    }
}

#[test]
fn who_has_signed_in_is_told_as_far_as_the_scopes_go() {
    let sandbox = Running::start();
    let scopes = [HEART, "openid", EMAIL, NAME, CLOUD];
    let access = signed_in(&sandbox, &scopes);
    let told = sandbox.get_as(&access, "/oauth2/v3/userinfo").json();
    assert_eq!(
        told,
        json!({
            "sub": "108642097531864209753",
            "email": "sandy.box@example.com",
            "email_verified": true,
            "name": "Sandy Box",
            "given_name": "Sandy",
            "family_name": "Box",
        })
    );
    let older = sandbox.get_as(&access, "/oauth2/v2/userinfo").json();
    assert_eq!(
        (&older["id"], &older["verified_email"]),
        (&told["sub"], &json!(true))
    );
    let only_id = signed_in(&sandbox, &[HEART, "openid"]);
    let in_query = sandbox.get(&format!("/oauth2/v3/userinfo?access_token={only_id}"));
    assert_eq!(in_query.json(), json!({ "sub": "108642097531864209753" }));
    let heart = signed_in(&sandbox, &[HEART]);
    for refused in [
        sandbox.get("/oauth2/v3/userinfo"),
        sandbox.get_as(&heart, "/oauth2/v3/userinfo"),
    ] {
        refused.oauth_refuses(401, "invalid_request");
    }
}

#[test]
fn every_data_type_is_empty_under_its_own_scope_and_forbidden_under_another() {
    let sandbox = Running::start();
    sandbox.control("config", &json!({ "quotas": false }));
    for (name, types) in LISTED {
        let own = signed_in(&sandbox, &[&scope(name)]);
        let other = signed_in(&sandbox, &[&scope("settings")]);
        for data_type in types.split_whitespace() {
            let points = format!("{data_type}/dataPoints");
            let listed = sandbox.list(&own, &points, &[]);
            assert_eq!(
                (listed.status, listed.body.as_str()),
                (200, "{}"),
                "{data_type}"
            );
            let refused = sandbox.list(&other, &points, &[]);
            refused.google_refuses(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
        }
    }
}

#[test]
fn what_is_empty_is_still_asked_for_as_its_type_wants_it() {
    let sandbox = Running::start();
    let (activity, sleep) = (scope("activity_and_fitness"), scope("sleep"));
    let access = signed_in(&sandbox, &[&activity, &sleep]);
    let target = |data_type: &str, call: &str| {
        format!("/v4/users/me/dataTypes/{data_type}/dataPoints:{call}")
    };
    let physical = |days: u8| {
        json!({
            "range": { "startTime": "2026-09-01T00:00:00Z", "endTime": format!("2026-{days:02}-01T00:00:00Z") },
            "windowSize": "3600s",
            "pageSize": 300,
        })
    };
    let steps = sandbox.post_json_as(&access, &target("steps", "rollUp"), &physical(11));
    assert_eq!((steps.status, steps.body.as_str()), (200, "{}"));
    let calories =
        sandbox.post_json_as(&access, &target("total-calories", "rollUp"), &physical(11));
    assert_eq!(calories.reason(), "INVALID_ROLLUP_QUERY_DURATION");
    let listed = sandbox.list(&access, "total-calories/dataPoints", &[]);
    assert_eq!(listed.reason(), "UNSUPPORTED_DATA_TYPE_ACTION");
    let night = "sleep.interval.end_time >= \"2026-11-21T00:00:00Z\"";
    assert_eq!(
        sandbox
            .list(&access, "sleep/dataPoints", &[("filter", night)])
            .body,
        "{}"
    );
    let wrong = "exercise.interval.start_time >= \"2026-11-21T00:00:00Z\"";
    assert_eq!(
        sandbox
            .list(&access, "exercise/dataPoints", &[("filter", wrong)])
            .reason(),
        "INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER"
    );
    let family = "users/me/dataSourceFamilies/google-wearables";
    let by_family = |path: &str| sandbox.list(&access, path, &[("dataSourceFamily", family)]);
    assert_eq!(by_family("sleep/dataPoints").status, 400);
    assert_eq!(by_family("sleep/dataPoints:reconcile").body, "{}");
    // Members without data can be selected; a member that no point has cannot.
    let fields = |text: &str| sandbox.list(&access, "steps/dataPoints", &[("fields", text)]);
    assert_eq!(
        fields("dataPoints(steps(count,interval/startTime))").body,
        "{}"
    );
    assert_eq!(fields("dataPoints(stairs)").status, 400);
}

#[test]
fn a_daily_roll_up_can_end_with_the_last_second_of_a_day() {
    let sandbox = Running::recorded(
        "time,bpm\n2026-11-21T10:00:00,60\n2026-11-22T12:00:00,70\n2026-11-22T23:59:58,90\n\
         2026-11-22T23:59:59,200\n",
        "Europe/Berlin",
    );
    let access = sandbox.google_login().access;
    let end = json!({ "hours": 23, "minutes": 59, "seconds": 59 });
    let ask = |start: Value, end: Value| {
        let date = |day: u8| json!({ "year": 2026, "month": 11, "day": day });
        let body = json!({ "range": {
            "start": { "date": date(21), "time": start },
            "end": { "date": date(22), "time": end },
        } });
        let target = "/v4/users/me/dataTypes/heart-rate/dataPoints:dailyRollUp";
        sandbox.post_json_as(&access, target, &body)
    };
    let rolled = ask(json!({}), end.clone());
    assert_eq!(rolled.status, 200, "{}", rolled.body);
    let points = rolled.json()["rollupDataPoints"].clone();
    assert_eq!(points.as_array().unwrap().len(), 2);
    assert_eq!(points[0]["civilEndTime"]["time"], end);
    assert_eq!(
        points[0]["heartRate"],
        json!({ "beatsPerMinuteAvg": 80, "beatsPerMinuteMax": 90, "beatsPerMinuteMin": 70 })
    );
    assert_eq!(points[1]["heartRate"]["beatsPerMinuteAvg"], 60);
    // The start is aligned, and a time must be a valid time.
    assert_eq!(ask(json!({ "hours": 1 }), json!({})).status, 400);
    assert_eq!(ask(json!({}), json!({ "hours": 24 })).status, 400);
    assert_eq!(ask(json!({}), json!({ "clock": 24 })).status, 400);
}

/// Fitbit's reads of which the sandbox has no data: scope, path, and the member that is an empty list; where
/// none is named, the reply is that list itself.
const EMPTY_READS: &str = "\
sleep /1.2/user/-/sleep/date/2026-11-01/2026-11-22.json sleep
activity /1/user/-/activities/steps/date/today/30d.json activities-steps
activity /1/user/-/activities/active-zone-minutes/date/2026-11-22/1d.json activities-active-zone-minutes
activity /1/user/-/activities/recent.json
weight /1/user/-/body/log/weight/date/2026-11-22/30d.json weight
weight /1/user/-/body/fat/date/2026-11-01/2026-11-22.json body-fat
oxygen_saturation /1/user/-/spo2/date/2026-11-22/all.json
heartrate /1/user/PW7SB1/hrv/date/2026-11-22.json hrv
respiratory_rate /1/user/-/br/date/2026-11-22.json br
temperature /1/user/-/temp/skin/date/2026-11-22.json tempSkin
nutrition /1/user/-/foods/log/caloriesIn/date/2026-11-22/7d.json foods-log-caloriesIn";

#[test]
fn the_rest_of_fitbits_reads_is_empty_under_its_own_scope() {
    let sandbox = Running::start();
    sandbox.control("config", &json!({ "quotas": false }));
    for read in EMPTY_READS.lines() {
        let mut words = read.split(' ');
        let (scope, path) = (words.next().unwrap(), words.next().unwrap());
        let expected = match words.next() {
            Some(member) => json!({ member: [] }),
            None => json!([]),
        };
        let with = |scope: &str| {
            let code = sandbox.fitbit_code(scope);
            let access = sandbox.fitbit_exchange(&code, VERIFIER).tokens().access;
            sandbox.get_as(&access, path)
        };
        let read = with(scope);
        assert_eq!((read.status, read.json()), (200, expected), "{path}");
        let refused = with("settings");
        refused.fitbit_refuses(403, "insufficient_scope");
    }
    let code = sandbox.fitbit_code("sleep activity");
    let access = sandbox.fitbit_exchange(&code, VERIFIER).tokens().access;
    let get = |path: &str| sandbox.get_as(&access, path);
    let day = get("/1/user/-/activities/date/2026-11-22.json").json();
    assert_eq!(day["summary"]["steps"], 0);
    let wrong = get("/1.2/user/-/sleep/date/yesterday.json");
    wrong.fitbit_refuses(400, "validation");
    assert_eq!(get("/1/user/-/stairs/date/today.json").status, 404);
}

#[test]
fn a_fitbit_sign_in_may_leave_out_the_redirect_that_is_known() {
    let sandbox = Running::start();
    let consent = |redirect: Option<&str>| {
        let mut params = vec![
            ("client_id", FITBIT_APP.client_id),
            ("response_type", "code"),
            ("scope", "heartrate"),
            ("auto", "1"),
        ];
        params.extend(redirect.map(|address| ("redirect_uri", address)));
        sandbox.get(&format!("/oauth2/authorize?{}", encoded(&params)))
    };
    let exchange = |code: &str, redirect: Option<&str>| {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", FITBIT_APP.client_id),
            ("code", code),
        ];
        form.extend(redirect.map(|address| ("redirect_uri", address)));
        sandbox.post_form("/oauth2/token", &form).status
    };
    assert_eq!(consent(None).status, 400);
    let named = consent(Some(REDIRECT));
    let left_out = consent(None);
    let location = left_out.header("location").unwrap();
    assert!(location.starts_with(&format!("{REDIRECT}?")), "{location}");
    let code = |response: &crate::harness::Response| response.redirect_param("code").unwrap();
    assert_eq!(exchange(&code(&left_out), None), 200);
    assert_eq!(exchange(&code(&consent(None)), Some(REDIRECT)), 200);
    // A client that named the redirect must name it again.
    assert_eq!(exchange(&code(&named), None), 400);
    // The redirect can be registered beforehand, and cleared.
    sandbox.control(
        "config",
        &json!({ "redirect_uri": "http://localhost:5/done" }),
    );
    let registered = consent(None);
    assert!(
        registered
            .header("location")
            .unwrap()
            .starts_with("http://localhost:5/done?")
    );
    sandbox.control("config", &json!({ "redirect_uri": null }));
    assert_eq!(consent(None).status, 400);
}
