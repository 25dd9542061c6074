//! Fitbit's devices and profile (Fitbit Web API, Get Devices and Get Profile).

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    message::{Reply, with},
    settings::Devices,
    wearer::{Device, Synced, battery_word},
};

/// Answers `devices.json`. The order is not guaranteed: the worn tracker may be the first or the
/// last one.
pub(super) fn devices(wearer: &Synced<'_>) -> Reply {
    let (who, synced) = (wearer.who, wearer.last_sync());
    let local = |at: Timestamp| {
        at.to_zoned(wearer.time_zone().clone())
            .datetime()
            .strftime("%Y-%m-%dT%H:%M:%S%.3f")
            .to_string()
    };
    let earlier = |hours| {
        synced
            .checked_sub(SignedDuration::from_hours(hours))
            .unwrap_or(synced)
    };
    let percent = wearer.battery_percent();
    let bare = json!({
        "battery": battery_word(percent),
        "deviceVersion": "Charge 6",
        "id": who.device_id(Device::Tracker),
        "lastSyncTime": local(synced),
        "type": "TRACKER",
    });
    let worn = with(bare.clone(), "batteryLevel", percent);
    let worn = with(worn, "features", json!([]));
    let worn = with(worn, "mac", who.device_address(Device::Tracker));
    let scale = json!({
        "battery": "Medium",
        "batteryLevel": 55,
        "deviceVersion": "Aria Air",
        "features": [],
        "id": who.device_id(Device::Scale),
        "lastSyncTime": local(earlier(31)),
        "mac": who.device_address(Device::Scale),
        "type": "SCALE",
    });
    let phone = json!({
        "battery": "Empty",
        "deviceVersion": "MobileTrack",
        "features": [],
        "id": who.device_id(Device::Phone),
        "lastSyncTime": local(earlier(24 * 40)),
        "type": "TRACKER",
    });
    let drawer = json!({
        "battery": "Empty",
        "deviceVersion": "Flex 2",
        "id": who.device_id(Device::Drawer),
        "lastSyncTime": local(earlier(24 * 400)),
        "type": "TRACKER",
    });
    let body = match wearer.devices() {
        Devices::Plain => json!([worn, scale]),
        Devices::Odd => json!([phone, scale, drawer, worn]),
        Devices::Bare => json!([bare]),
        Devices::None => json!([]),
    };
    Reply::ok(&body)
}

/// Answers `profile.json`.
pub(super) fn profile(wearer: &Synced<'_>, now: Timestamp) -> Reply {
    let zone = wearer.time_zone();
    let body = json!({
        "user": {
            "age": 38,
            "displayName": wearer.who.own("Sandy B."),
            "encodedId": wearer.who.fitbit_id(),
            "fullName": wearer.who.own("Sandy Box"),
            "gender": "NA",
            "locale": "en_GB",
            "memberSince": "2019-05-04",
            "offsetFromUTCMillis": i64::from(zone.to_offset(now).seconds()) * 1000,
            "timezone": zone.iana_name(),
        }
    });
    Reply::ok(&body)
}
