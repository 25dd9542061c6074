//! The CircuitPython sketch that this project began with, replayed request by request as it sends
//! them and member by member as it reads them. It checks no status and cannot handle a missing
//! member.

use serde_json::{Value, json};

use crate::harness::{Running, SEED};

/// The state that it has from its settings and keeps between polls.
struct Sketch<'s> {
    sandbox: &'s Running,
    client_id: &'s str,
    user_id: &'s str,
    refresh_token: String,
}

/// The values that it shows after a poll.
#[derive(Debug, PartialEq)]
struct Shown {
    date: String,
    time: String,
    pulses: usize,
    latest: Vec<u64>,
    battery: u64,
}

impl Sketch<'_> {
    fn poll(&mut self) -> Shown {
        let body = format!(
            "&grant_type=refresh_token&client_id={}&refresh_token={}",
            self.client_id, self.refresh_token
        );
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let tokens = self
            .sandbox
            .request("POST", "/oauth2/token", &form, &body)
            .json();
        let access = tokens["access_token"].as_str().unwrap();
        for name in ["scope", "token_type", "user_id"] {
            assert!(tokens[name].is_string(), "{name}");
        }
        assert!(tokens["expires_in"].is_u64());
        tokens["refresh_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.refresh_token);
        // It stores it in exactly 64 bytes.
        assert_eq!(self.refresh_token.len(), 64);

        let heart = self.get(access, "activities/heart/date/today/1d/1min.json");
        let dataset = heart["activities-heart-intraday"]["dataset"]
            .as_array()
            .unwrap();
        let latest = &dataset[dataset.len() - 15..];
        let time = latest[14]["time"].as_str().unwrap();
        let devices = self.get(access, "devices.json");
        Shown {
            date: heart["activities-heart"][0]["dateTime"]
                .as_str()
                .unwrap()
                .to_owned(),
            time: time[..time.len() - 3].to_owned(),
            pulses: dataset.len(),
            latest: latest
                .iter()
                .map(|entry| entry["value"].as_u64().unwrap())
                .collect(),
            battery: devices[0]["batteryLevel"].as_u64().unwrap(),
        }
    }

    fn get(&self, access: &str, resource: &str) -> Value {
        let bearer = format!("Bearer {access}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Client-Id", self.client_id),
        ];
        let target = format!("/1/user/{}/{resource}", self.user_id);
        self.sandbox.request("GET", &target, &headers, "").json()
    }
}

#[test]
fn the_original_sketch_goes_round_and_round() {
    let sandbox = Running::start();
    sandbox.control("seed", &json!({ "fitbit_refresh_token": SEED }));
    let mut sketch = Sketch {
        sandbox: &sandbox,
        client_id: sandbox.ready["fitbit"]["client_id"].as_str().unwrap(),
        user_id: sandbox.ready["fitbit"]["user_id"].as_str().unwrap(),
        refresh_token: SEED.to_owned(),
    };
    let first = sketch.poll();
    assert_eq!(
        (first.date.as_str(), first.time.as_str()),
        ("2026-11-22", "14:59")
    );
    assert!((0..=100).contains(&first.battery));
    for _ in 0..4 {
        sandbox.advance(900);
        let shown = sketch.poll();
        assert_eq!(shown.latest.len(), 15);
        assert!(shown.pulses > first.pulses && shown.time > first.time);
    }
    // The device list that would crash it is available on request.
    sandbox.control("config", &json!({ "devices": "odd" }));
    let access = sandbox.fitbit_login().access;
    let devices = sketch.get(&access, "devices.json");
    assert_eq!(devices[0].get("batteryLevel"), None);
}
