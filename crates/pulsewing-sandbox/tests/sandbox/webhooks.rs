//! Subscribers, the service account and the published keys, as their documentation has them.

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::{Duration, Instant},
};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::harness::{Response, Running, SETTINGS, encoded};

const SUBSCRIBERS: &str = "/v4/projects/100200300400/subscribers";
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";
const KEYSET: &str = "/googlehealthapi/webhooks/webhooks_public_keyset.json";
const SECRET: &str = "Bearer 0123456789abcdef";

impl Running {
    fn service_account(&self) -> Value {
        self.control("service-account", &Value::Null)
    }

    /// Returns good claims at the sandbox's time.
    fn claims(&self) -> Value {
        let now = self.clock.now().as_second();
        let account = self.service_account();
        json!({
            "iss": account["client_email"],
            "scope": CLOUD,
            "aud": account["token_uri"],
            "iat": now,
            "exp": now + 3600,
        })
    }

    fn assertion(&self, header: &Value, claims: &Value) -> String {
        let account = self.service_account();
        let pem = account["private_key"].as_str().unwrap();
        let base64: String = pem.lines().filter(|line| !line.contains('-')).collect();
        let key = RsaKeyPair::from_pkcs8(&Base64::decode_vec(&base64).unwrap()).unwrap();
        let base64 = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let signed = format!(
            "{}.{}",
            base64(header.to_string().as_bytes()),
            base64(claims.to_string().as_bytes())
        );
        let mut signature = vec![0; key.public().modulus_len()];
        let random = SystemRandom::new();
        key.sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{signed}.{}", base64(&signature))
    }

    fn ask_for_token(&self, header: &Value, claims: &Value) -> Response {
        let assertion = self.assertion(header, claims);
        self.post_form(
            "/token",
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", &assertion),
            ],
        )
    }

    fn service_token(&self) -> String {
        let response = self.ask_for_token(&json!({ "alg": "RS256" }), &self.claims());
        assert_eq!(response.status, 200, "{}", response.body);
        response.tokens().access
    }

    fn manage(&self, access: &str, method: &str, target: &str, body: &Value) -> Response {
        let authorization = format!("Bearer {access}");
        let headers = [("Authorization", authorization.as_str())];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.request(method, target, &headers, &body)
    }

    fn create(&self, access: &str, id: &str, body: &Value) -> Response {
        let target = format!("{SUBSCRIBERS}?subscriberId={id}");
        self.manage(access, "POST", &target, body)
    }
}

/// An endpoint that answers verifications and notifications rightly, on a thread of its own.
fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/hook", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"}") && !request.ends_with(b"]") {
                let length = stream.read(&mut buffer).unwrap();
                assert!(length > 0);
                request.extend(&buffer[..length]);
            }
            let text = String::from_utf8_lossy(&request);
            let status = match (text.contains(SECRET), text.contains("verification")) {
                (true, true) => 201,
                (true, false) => 204,
                (false, _) => 401,
            };
            let answer = format!("HTTP/1.1 {status} It\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    uri
}

fn body(uri: &str) -> Value {
    json!({
        "endpointUri": uri,
        "endpointAuthorization": { "secret": SECRET },
        "subscriberConfigs": [
            { "dataTypes": ["heart-rate"], "subscriptionCreatePolicy": "AUTOMATIC" },
        ],
    })
}

#[test]
fn an_assertion_is_checked_to_the_last_claim() {
    let sandbox = Running::start();
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let good = sandbox.claims();
    let granted = sandbox.ask_for_token(&header, &good).json();
    assert_eq!(granted["expires_in"], 3599);
    assert_eq!(granted["token_type"], "Bearer");
    assert!(
        granted["access_token"]
            .as_str()
            .unwrap()
            .starts_with("ya29.")
    );
    // Google's own token endpoint is an audience, too: its place is what the sandbox takes.
    let mut googles = good.clone();
    googles["aud"] = json!("https://oauth2.googleapis.com/token");
    assert_eq!(sandbox.ask_for_token(&header, &googles).status, 200);
    let now = sandbox.clock.now().as_second();
    for (claim, value, error) in [
        ("iss", json!("x@y.iam.gserviceaccount.com"), "invalid_grant"),
        ("aud", json!("https://oauth.example/token"), "invalid_grant"),
        ("iat", json!(now + 301), "invalid_grant"),
        ("exp", json!(now + 3601), "invalid_grant"),
        ("exp", json!(now), "invalid_grant"),
        ("scope", json!(""), "invalid_scope"),
        ("scope", json!("heart"), "invalid_scope"),
        ("iat", json!("now"), "invalid_grant"),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        let refused = sandbox.ask_for_token(&header, &claims);
        refused.oauth_refuses(400, error);
    }
    for header in [
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256", "kid": "0" }),
    ] {
        let refused = sandbox.ask_for_token(&header, &good);
        refused.oauth_refuses(400, "invalid_grant");
    }
    for assertion in ["", "a.b", "a.b.c", "a.b.c.d"] {
        let refused = sandbox.post_form(
            "/token",
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", assertion),
            ],
        );
        assert_eq!(refused.status, 400, "{assertion}");
    }
}

#[test]
fn a_subscriber_is_created_listed_changed_and_deleted() {
    let sandbox = Running::start();
    let access = sandbox.service_token();
    let uri = endpoint();
    let created = sandbox.create(&access, "pulsewing", &body(&uri)).json();
    assert_eq!(created["done"], true);
    let name = "projects/100200300400/subscribers/pulsewing";
    let subscriber = json!({
        "name": name,
        "endpointUri": uri,
        "endpointAuthorization": { "secretSet": true },
        "subscriberConfigs": body(&uri)["subscriberConfigs"],
        "state": "ACTIVE",
        "createTime": "2026-11-22T14:07:00Z",
        "updateTime": "2026-11-22T14:07:00Z",
    });
    let list = sandbox.manage(&access, "GET", SUBSCRIBERS, &Value::Null);
    assert_eq!(list.json(), json!({ "subscribers": [subscriber] }));
    assert!(!list.body.contains("0123456789"));
    // As the text of the documentation spells it, with the whole subscriber sent back.
    sandbox.advance(60);
    let mut changed = subscriber.clone();
    changed["subscriberConfigs"][0]["dataTypes"] = json!(["sleep", "steps"]);
    let target = format!("/v4/{name}?updateMask=subscriber_configs");
    let patched = sandbox.manage(&access, "PATCH", &target, &changed).json();
    let response = &patched["response"];
    assert_eq!(response["subscriberConfigs"], changed["subscriberConfigs"]);
    assert_eq!(response["updateTime"], "2026-11-22T14:08:00Z");
    let target = format!("/v4/{name}?force=true");
    let deleted = sandbox.manage(&access, "DELETE", &target, &Value::Null);
    assert_eq!(deleted.json()["done"], true);
    let list = sandbox.manage(&access, "GET", SUBSCRIBERS, &Value::Null);
    assert_eq!(list.json(), json!({}));
}

#[test]
fn subscribers_are_listed_page_by_page() {
    let sandbox = Running::start();
    let access = sandbox.service_token();
    let body = body(&endpoint());
    for id in ["two1", "three"] {
        assert_eq!(sandbox.create(&access, id, &body).status, 200);
    }
    let made = sandbox.manage(&access, "POST", SUBSCRIBERS, &body);
    assert_eq!(made.status, 200, "{}", made.body);
    let mut names = Vec::new();
    let mut target = format!("{SUBSCRIBERS}?pageSize=2");
    loop {
        let page = sandbox.manage(&access, "GET", &target, &Value::Null).json();
        let subscribers = page["subscribers"].as_array().unwrap().iter();
        names.extend(subscribers.map(|it| it["name"].as_str().unwrap().to_owned()));
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        target = format!(
            "{SUBSCRIBERS}?{}",
            encoded(&[("pageSize", "2"), ("pageToken", token)])
        );
    }
    assert_eq!(names.len(), 3);
    assert!(names[0].ends_with("/two1"));
    // In the form of a UUID.
    assert!(names[2].len() == names[0].len() + 32, "{names:?}");
}

#[test]
fn what_is_wrong_with_a_subscriber_is_said() {
    let sandbox = Running::start();
    let access = sandbox.service_token();
    let uri = endpoint();
    let good = body(&uri);
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let config = |types: Value, policy: &str| {
        let config = json!([{ "dataTypes": types, "subscriptionCreatePolicy": policy }]);
        with("subscriberConfigs", config)
    };
    for wrong in [
        with("endpointUri", json!("https://pulse.example/hook")),
        with("endpointUri", json!("http://pulse.example/hook")),
        with("endpointUri", Value::Null),
        with("endpointAuthorization", Value::Null),
        with(
            "endpointAuthorization",
            json!({ "secret": "without-a-scheme" }),
        ),
        with("endpointAuthorization", json!({ "secret": "Bearer " })),
        with("endpointauthorization", json!({})),
        with("state", json!("ACTIVE")),
        config(json!(["heartRate"]), "AUTOMATIC"),
        config(json!([]), "AUTOMATIC"),
        config(json!(["heart-rate"]), "SOMETIMES"),
        with("subscriberConfigs", json!({})),
        json!([]),
    ] {
        let refused = sandbox.create(&access, "pulsewing", &wrong);
        let error = &refused.json()["error"];
        assert_eq!(
            (refused.status, &error["status"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{wrong}"
        );
    }
    for id in [
        "abc",
        "Pulsewing",
        "1pulse",
        "pulse-",
        "pulse_wing",
        &"a".repeat(37),
    ] {
        assert_eq!(sandbox.create(&access, id, &good).status, 400, "{id}");
    }
    let status = |response: &Response| response.json()["error"]["status"].clone();
    // Nobody is there.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let failed = sandbox.create(&access, "pulsewing", &body(&format!("http://{gone}/")));
    assert_eq!(
        (failed.status, status(&failed)),
        (400, json!("FAILED_PRECONDITION"))
    );
    assert_eq!(sandbox.create(&access, "pulsewing", &good).status, 200);
    let twice = sandbox.create(&access, "pulsewing", &good);
    assert_eq!(
        (twice.status, status(&twice)),
        (409, json!("ALREADY_EXISTS"))
    );
    let target = format!("{SUBSCRIBERS}/pulsewing?updateMask=state");
    assert_eq!(sandbox.manage(&access, "PATCH", &target, &good).status, 400);
    let target = format!("{SUBSCRIBERS}/nobody");
    for method in ["PATCH", "DELETE"] {
        let missing = sandbox.manage(&access, method, &target, &json!({}));
        assert_eq!(
            (missing.status, status(&missing)),
            (404, json!("NOT_FOUND"))
        );
    }
    let unknown = format!("{SUBSCRIBERS}?page=2");
    assert_eq!(
        sandbox
            .manage(&access, "GET", &unknown, &Value::Null)
            .status,
        400
    );
}

#[test]
fn a_wearers_token_manages_nothing() {
    let (sandbox, access) = Running::with_google_access();
    let refused = sandbox.get_as(&access, SUBSCRIBERS);
    refused.google_refuses(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    sandbox
        .get(SUBSCRIBERS)
        .google_refuses(401, "CREDENTIALS_MISSING");
    assert_eq!(sandbox.get_as("ya29.unknown", SUBSCRIBERS).status, 401);
    let service = sandbox.service_token();
    let named = "/v4/projects/pulsewing-sandbox/subscribers";
    assert_eq!(sandbox.get_as(&service, named).status, 403);
    let mut claims = sandbox.claims();
    claims["scope"] = json!(SETTINGS);
    let narrow = sandbox.ask_for_token(&json!({ "alg": "RS256" }), &claims);
    let refused = sandbox.get_as(&narrow.tokens().access, SUBSCRIBERS);
    refused.google_refuses(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    // Nor does the service account read a wearer's data.
    assert_eq!(
        sandbox.get_as(&service, "/v4/users/me/settings").status,
        401
    );
}

#[test]
fn a_fault_before_the_effect_leaves_the_endpoint_alone() {
    let sandbox = Running::start();
    let access = sandbox.service_token();
    let body = body(&endpoint());
    sandbox.fault("google.subscribers", json!({ "status": 503 }));
    assert_eq!(sandbox.create(&access, "pulsewing", &body).status, 503);
    let list = sandbox.manage(&access, "GET", SUBSCRIBERS, &Value::Null);
    assert_eq!(list.json(), json!({}));
    sandbox.fault("google.subscribers", json!({ "drop": "after" }));
    let authorization = format!("Bearer {access}");
    let headers = [("Authorization", authorization.as_str())];
    let target = format!("{SUBSCRIBERS}?subscriberId=pulsewing");
    let lost = sandbox.raw("POST", &target, &headers, &body.to_string());
    assert_eq!(lost, b"");
    assert_eq!(sandbox.create(&access, "pulsewing", &body).status, 409);
}

#[test]
fn deliveries_are_listed_with_their_attempts() {
    let sandbox = Running::start();
    sandbox.google_login();
    let access = sandbox.service_token();
    assert_eq!(
        sandbox
            .create(&access, "pulsewing", &body(&endpoint()))
            .status,
        200
    );
    sandbox.fault("google.notify", json!({ "notify": "lost" }));
    assert_eq!(sandbox.control("notifications", &Value::Null), json!([]));
    sandbox.advance(9 * 60);
    let list = until(&sandbox, |list| {
        list[0]["state"] == "waiting" && list[0]["due"] != "2026-11-22T14:16:00Z"
    });
    let mut expected = json!([{
        "number": 1,
        "at": "2026-11-22T14:16:00Z",
        "subscriber": "pulsewing",
        "notifications": [{ "user_id": "111122223333444455", "data_type": "heart-rate" }],
        "state": "waiting",
        "due": "2026-11-22T14:16:10Z",
        "attempts": [{ "at": "2026-11-22T14:16:00Z", "status": null, "fault": "lost" }],
    }]);
    assert_eq!(list, expected);
    sandbox.advance(10);
    let list = until(&sandbox, |list| list[0]["state"] == "delivered");
    let delivery = &mut expected[0];
    delivery["state"] = json!("delivered");
    delivery.as_object_mut().unwrap().remove("due");
    let attempts = delivery["attempts"].as_array_mut().unwrap();
    attempts.push(json!({ "at": "2026-11-22T14:16:10Z", "status": 204 }));
    assert_eq!(list, expected);
}

/// Waits until the list of deliveries is as it should be.
fn until(sandbox: &Running, is_it: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let list = sandbox.control("notifications", &Value::Null);
        if is_it(&list) {
            return list;
        }
        assert!(Instant::now() < deadline, "{list}");
    }
}

#[test]
fn a_tracker_that_comes_back_into_reach_brings_what_it_kept() {
    let sandbox = Running::start();
    sandbox.google_login();
    let access = sandbox.service_token();
    assert_eq!(
        sandbox
            .create(&access, "pulsewing", &body(&endpoint()))
            .status,
        200
    );
    sandbox.control("config", &json!({ "last_sync": "2026-11-22T14:00:00Z" }));
    sandbox.advance(3600);
    sandbox.control("config", &json!({ "last_sync": null }));
    let list = until(&sandbox, |list| list[0]["state"] == "delivered");
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn a_clock_that_runs_notifies_by_itself() {
    let sandbox = Running::start();
    sandbox.google_login();
    let access = sandbox.service_token();
    assert_eq!(
        sandbox
            .create(&access, "pulsewing", &body(&endpoint()))
            .status,
        200
    );
    // Eight minutes are half a second.
    sandbox.clock.set_speed(960);
    until(&sandbox, |list| list[1]["state"] == "delivered");
}

#[test]
fn the_keyset_is_public_and_names_the_key_that_signs() {
    let sandbox = Running::start();
    let keyset = sandbox.get(KEYSET);
    assert_eq!(
        keyset.header("cache-control"),
        Some("public, max-age=86400")
    );
    let keyset = keyset.json();
    let id = keyset["primaryKeyId"].as_u64().unwrap();
    let [key] = keyset["key"].as_array().unwrap().as_slice() else {
        panic!("{keyset}");
    };
    assert_eq!(
        (
            key["keyId"].as_u64(),
            &key["status"],
            &key["outputPrefixType"]
        ),
        (Some(id), &json!("ENABLED"), &json!("TINK"))
    );
    let rotated = sandbox.control("rotate-key", &json!({ "old": "disabled" }));
    let keyset = sandbox.get(KEYSET).json();
    assert_eq!(keyset["primaryKeyId"], rotated["key_id"]);
    assert_eq!(keyset["key"][0]["status"], "DISABLED");
    let wrong = sandbox.request("POST", "/_sandbox/rotate-key", &[], "{\"old\":\"lost\"}");
    assert_eq!(wrong.status, 400);
}
