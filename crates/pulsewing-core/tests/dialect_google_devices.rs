//! Google's list of devices: the one on the wrist, and the facts about it.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use pulsewing_core::dialect::{
    DecodeError, DeviceFacts, PageToken, Trackers,
    google::{DevicesDecoder, DevicesPage},
};
use pulsewing_testkit::{at, chunks::fed};

fn devices_in(chunks: &[&[u8]]) -> Result<DevicesPage, DecodeError> {
    fed(DevicesDecoder::new(), chunks, |decoder, chunk| {
        decoder.feed(chunk)
    })
    .finish()
}

fn device(body: &str) -> DeviceFacts {
    worn(body, None)
}

/// Returns the worn device if there is heart rate until `newest`.
fn worn(body: &str, newest: Option<&str>) -> DeviceFacts {
    let trackers = devices_in(&[body.as_bytes()]).unwrap().trackers;
    trackers.worn(newest.map(at))
}

#[test]
fn what_the_worn_tracker_does_not_tell_is_not_told_by_one_in_a_drawer() {
    // The worn one has no sync time, but the old one does.
    let body = r#"{"pairedDevices":[
        {"deviceType":"TRACKER","deviceVersion":"Charge 6","batteryStatus":"High","batteryLevel":91},
        {"deviceType":"TRACKER","deviceVersion":"Charge 2","batteryLevel":42,"lastSyncTime":"2021-12-02T08:00:00Z"}]}"#;
    let facts = |battery_percent, sync: Option<&str>| DeviceFacts {
        battery_percent,
        last_sync: sync.map(at),
    };
    // The old one has not measured minutes after its last sync.
    assert_eq!(
        worn(body, Some("2026-11-22T13:58:00Z")),
        facts(Some(91), None)
    );
    // The list may be a little older than the heart rate.
    let old = facts(Some(42), Some("2021-12-02T08:00:00Z"));
    assert_eq!(worn(body, Some("2021-12-02T08:59:00Z")), old);
    assert_eq!(worn(body, None), old);
    // Of two without a sync time, the worn one is unknown.
    let two = body.replace("]}", r#",{"deviceType":"TRACKER","batteryLevel":17}]}"#);
    assert_eq!(worn(&two, Some("2026-11-22T13:58:00Z")), facts(None, None));
    // A single tracker counts as worn, whatever the source of the minutes: an app that writes to Health
    // Connect, for example.
    let alone = r#"{"pairedDevices":[{"deviceType":"TRACKER","batteryLevel":42,"lastSyncTime":"2021-12-02T08:00:00Z"}]}"#;
    assert_eq!(worn(alone, Some("2026-11-22T13:58:00Z")), old);
}

#[test]
fn the_pages_of_a_list_are_one_list() {
    let page = |devices: &str| {
        let body = format!(r#"{{"pairedDevices":[{devices}]}}"#);
        devices_in(&[body.as_bytes()]).unwrap().trackers
    };
    let pages = [
        r#"{"deviceType":"TRACKER","batteryLevel":42,"lastSyncTime":"2021-12-02T08:00:00Z"}"#,
        r#"{"deviceType":"TRACKER","batteryLevel":91}"#,
        r#"{"deviceType":"TRACKER","batteryLevel":7,"lastSyncTime":"2019-12-02T08:00:00Z"}"#,
    ];
    let whole = page(&pages.join(","));
    for turn in 0..pages.len() {
        let mut joined = Trackers::default();
        for place in 0..pages.len() {
            joined.merge(page(pages[(turn + place) % pages.len()]));
        }
        assert_eq!(joined, whole);
    }
    let newest = Some(at("2026-11-22T13:58:00Z"));
    assert_eq!(whole.worn(newest).battery_percent, Some(91));
}

#[test]
fn a_phone_is_no_tracker_and_an_unknown_type_beats_none() {
    let body = r#"{"pairedDevices":[
        {"deviceType":"TRACKER","deviceVersion":"MobileTrack","batteryLevel":7,"lastSyncTime":"2026-11-22T10:00:00Z"},
        {"deviceType":"PHONE","batteryLevel":8,"lastSyncTime":"2026-11-22T10:00:00Z"},
        {"deviceType":"SMARTWATCH","batteryLevel":55,"lastSyncTime":"2026-11-22T09:00:00Z"}]}"#;
    assert_eq!(device(body).battery_percent, Some(55));
    let with_tracker = body.replace("]}", r#",{"batteryLevel":"44","deviceType":"TRACKER"}]}"#);
    assert_eq!(
        device(&with_tracker),
        DeviceFacts {
            battery_percent: Some(44),
            last_sync: None
        }
    );
}

#[test]
fn a_battery_level_is_a_percentage_and_an_empty_battery_has_none_left() {
    for (members, expected) in [
        (r#""batteryLevel":0"#, Some(0)),
        (r#""batteryLevel":100"#, Some(100)),
        (r#""batteryLevel":101"#, None),
        (r#""batteryLevel":-1"#, None),
        (r#""batteryLevel":null"#, None),
        (r#""batteryStatus":"Empty""#, Some(0)),
        (r#""batteryStatus":"Empty","batteryLevel":3"#, Some(3)),
        (r#""batteryStatus":"High""#, None),
        (r#""features":[]"#, None),
    ] {
        let body = format!(r#"{{"pairedDevices":[{{"deviceType":"TRACKER",{members}}}]}}"#);
        assert_eq!(device(&body).battery_percent, expected, "{members}");
    }
}

#[test]
fn no_device_is_no_error_but_an_error_is() {
    assert_eq!(device("{}"), DeviceFacts::default());
    assert_eq!(
        device(r#"{"pairedDevices":[{},null,7]}"#),
        DeviceFacts::default()
    );
    let page = devices_in(&[br#"{"pairedDevices":[],"nextPageToken":"n"}"#]).unwrap();
    assert_eq!(page.next_page, PageToken::new("n"));
    assert_eq!(
        devices_in(&[br#"{"error":{"code":403}}"#]),
        Err(DecodeError::ErrorReport)
    );
    assert_eq!(devices_in(&[b"[]"]), Err(DecodeError::NotTheReply));
}
