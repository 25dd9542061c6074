//! Data calls as they are sent.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use jiff::civil::date;
use pulsewing_core::{
    AccessToken,
    dialect::{
        PageToken,
        fitbit::{self, HeartDay},
        google::{self, RollUp, SourceFamily},
    },
    request::{BufferFull, Endpoint, Method, REQUEST_BUFFER, Request, RequestView},
};
use pulsewing_testkit::at;

fn access() -> AccessToken {
    AccessToken::new("ya29.EXAMPLE").unwrap()
}

/// Returns a request as it is sent.
fn written(
    buffer: &mut [u8; REQUEST_BUFFER],
    write: impl FnOnce(&mut [u8]) -> Result<Request, BufferFull>,
) -> RequestView<'_> {
    write(buffer).unwrap().view(buffer)
}

fn body(request: &RequestView<'_>) -> serde_json::Value {
    serde_json::from_slice(request.body).unwrap()
}

/// Returns the target of a request that reads data and sends nothing but the access token.
fn target(write: impl FnOnce(&mut [u8], &AccessToken) -> Result<Request, BufferFull>) -> String {
    let (mut buffer, access) = ([0; REQUEST_BUFFER], access());
    let request = written(&mut buffer, |buffer| write(buffer, &access));
    assert_eq!(
        (request.method, request.endpoint),
        (Method::Get, Endpoint::Api)
    );
    assert_eq!(
        (request.bearer, request.content_type, request.body),
        (Some(access.expose()), None, &[][..])
    );
    request.target.to_owned()
}

fn morning(page: Option<&PageToken>) -> RollUp<'_> {
    RollUp {
        family: SourceFamily::Wearables,
        start: at("2026-11-21T23:00:30.75Z"),
        end: at("2026-11-22T09:30:00.999Z"),
        page,
    }
}

#[test]
fn a_roll_up_asks_for_whole_minutes() {
    let (mut buffer, access) = ([0; REQUEST_BUFFER], access());
    let request = written(&mut buffer, |buffer| {
        google::roll_up(buffer, &access, morning(None))
    });
    assert_eq!(
        (request.method, request.endpoint),
        (Method::Post, Endpoint::Api)
    );
    assert_eq!(
        request.target,
        "/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp"
    );
    assert_eq!(
        (request.bearer, request.content_type),
        (Some(access.expose()), Some("application/json"))
    );
    assert_eq!(
        body(&request),
        serde_json::json!({
            "range": {"startTime": "2026-11-21T23:00:00Z", "endTime": "2026-11-22T09:30:00Z"},
            "windowSize": "60s",
            "pageSize": 2000,
            "dataSourceFamily": "users/me/dataSourceFamilies/google-wearables",
        })
    );
}

#[test]
fn a_further_page_asks_the_same_with_its_token() {
    let (mut buffer, mut first, access) = ([0; REQUEST_BUFFER], [0; REQUEST_BUFFER], access());
    let token = "a\"b\\c\n\u{1}ä";
    let page = PageToken::new(token);
    let asked = RollUp {
        family: SourceFamily::All,
        ..morning(page.as_ref())
    };
    let request = written(&mut buffer, |buffer| {
        google::roll_up(buffer, &access, asked)
    });
    let without_page = RollUp {
        page: None,
        ..asked
    };
    let mut expected = body(&written(&mut first, |buffer| {
        google::roll_up(buffer, &access, without_page)
    }));
    expected["pageToken"] = token.into();
    assert_eq!(body(&request), expected);
    assert_eq!(
        expected["dataSourceFamily"],
        "users/me/dataSourceFamilies/all-sources"
    );
}

#[test]
fn the_longest_page_token_fits_the_buffer() {
    let mut buffer = [0; REQUEST_BUFFER];
    let access = AccessToken::new([b'a'; AccessToken::MAX]).unwrap();
    let page = PageToken::new(&"\u{1}".repeat(PageToken::MAX)).unwrap();
    assert!(google::roll_up(&mut buffer, &access, morning(Some(&page))).is_ok());
    assert!(google::paired_devices(&mut buffer, &access, Some(&page)).is_ok());
    let (from, until) = (date(2026, 11, 20), date(2026, 11, 23));
    assert!(google::resting(&mut buffer, &access, from, until, Some(&page)).is_ok());
    assert!(google::zones(&mut buffer, &access, from, until, Some(&page)).is_ok());
}

#[test]
fn googles_other_calls_are_read_only() {
    let page = PageToken::new("a+b/=").unwrap();
    let (from, until) = (date(2026, 11, 20), date(2026, 11, 23));
    assert_eq!(target(google::settings), "/v4/users/me/settings");
    assert_eq!(target(google::identity), "/v4/users/me/identity");
    assert_eq!(
        target(|buffer, access| google::paired_devices(buffer, access, None)),
        "/v4/users/me/pairedDevices?pageSize=100"
    );
    assert_eq!(
        target(|buffer, access| google::paired_devices(buffer, access, Some(&page))),
        "/v4/users/me/pairedDevices?pageSize=100&pageToken=a%2Bb%2F%3D"
    );
    let resting =
        target(|buffer, access| google::resting(buffer, access, from, until, Some(&page)));
    let zones = target(|buffer, access| google::zones(buffer, access, from, until, Some(&page)));
    for (target, path, filter) in [
        (
            resting,
            "/v4/users/me/dataTypes/daily-resting-heart-rate/dataPoints?pageSize=100&filter=",
            r#"daily_resting_heart_rate.date >= "2026-11-20" AND daily_resting_heart_rate.date < "2026-11-23""#,
        ),
        (
            zones,
            "/v4/users/me/dataTypes/daily-heart-rate-zones/dataPoints?pageSize=100&filter=",
            r#"daily_heart_rate_zones.date >= "2026-11-20" AND daily_heart_rate_zones.date < "2026-11-23""#,
        ),
    ] {
        let found = target
            .strip_prefix(path)
            .and_then(|rest| rest.strip_suffix("&pageToken=a%2Bb%2F%3D"))
            .unwrap();
        assert_eq!(
            found
                .replace("%20", " ")
                .replace("%3E", ">")
                .replace("%3C", "<")
                .replace("%3D", "=")
                .replace("%22", "\""),
            filter
        );
    }
}

#[test]
fn fitbits_calls_name_the_user_and_the_day() {
    assert_eq!(
        target(|buffer, access| fitbit::heart(buffer, access, "-", HeartDay::Today)),
        "/1/user/-/activities/heart/date/today/1d/1min.json"
    );
    let day = HeartDay::Date(date(2026, 11, 2));
    assert_eq!(
        target(|buffer, access| fitbit::heart(buffer, access, "ABC123", day)),
        "/1/user/ABC123/activities/heart/date/2026-11-02/1d/1min.json"
    );
    assert_eq!(
        target(|buffer, access| fitbit::devices(buffer, access, "-")),
        "/1/user/-/devices.json"
    );
    assert_eq!(
        target(|buffer, access| fitbit::profile(buffer, access, "../x")),
        "/1/user/..%2Fx/profile.json"
    );
}

#[test]
fn a_buffer_that_is_too_small_is_an_error() {
    let access = access();
    assert_eq!(
        google::roll_up(&mut [0; 100], &access, morning(None)),
        Err(BufferFull)
    );
    assert_eq!(
        google::paired_devices(&mut [], &access, None),
        Err(BufferFull)
    );
    assert_eq!(
        fitbit::heart(&mut [0; 20], &access, "-", HeartDay::Today),
        Err(BufferFull)
    );
}
