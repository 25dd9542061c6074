//! Paired devices, settings, identity and profile (Google Health API, users.pairedDevices,
//! users.getSettings, users.getIdentity, users.getProfile), and the signed-in user (Google
//! Identity, OpenID Connect, userinfo endpoint).

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{error, page};
use crate::{
    cloud::Call,
    message::{Params, Reply, Request, with},
    oauth::{Access, Provider},
    settings::Devices,
    state::State,
    wearer::{Device, Synced, Wearer, battery_word},
};

/// Answers `pairedDevices`, one page at a time.
pub(super) fn devices(params: &Params, call: &Call<'_>) -> Result<Reply, Box<Reply>> {
    let size = page::size(page::parse_size(params.get("pageSize"))?, 5, 100)?;
    let tokens = page::Tokens::bound_to(call.wearer.who, &["pairedDevices", &size.to_string()]);
    let token = params.get("pageToken");
    tokens.page(token, size, "pairedDevices", call.empty_page, || {
        all_devices(call.wearer)
    })
}

/// Answers `pairedDevices/{id}`.
pub(super) fn device(id: &str, wearer: &Synced<'_>) -> Reply {
    let name = name(wearer.who, &format!("pairedDevices/{id}"));
    match all_devices(wearer)
        .into_iter()
        .find(|device| device["name"] == name)
    {
        Some(device) => Reply::ok(&device),
        None => error::reply(
            StatusCode::NOT_FOUND,
            None,
            "Requested entity was not found.",
            &json!({}),
        ),
    }
}

/// Answers `settings`.
pub(super) fn settings(wearer: &Synced<'_>, now: Timestamp) -> Reply {
    let zone = wearer.time_zone();
    let body = json!({
        "name": name(wearer.who, "settings"),
        "timeZone": zone.iana_name(),
        "utcOffset": format!("{}s", zone.to_offset(now).seconds()),
        "distanceUnit": "DISTANCE_UNIT_KILOMETERS",
        "languageLocale": "en_GB",
        "temperatureUnit": "TEMPERATURE_UNIT_CELSIUS",
    });
    Reply::ok(&body)
}

/// Answers `identity`.
pub(super) fn identity(wearer: Wearer) -> Reply {
    let body = json!({
        "name": "users/me/identity",
        "healthUserId": wearer.google_id(),
        "legacyUserId": wearer.fitbit_id(),
    });
    Reply::ok(&body)
}

/// Answers `profile`.
pub(super) fn profile(wearer: Wearer) -> Reply {
    let body = json!({
        "name": name(wearer, "profile"),
        "age": 38,
        "membershipStartDate": { "year": 2019, "month": 5, "day": 4 },
    });
    Reply::ok(&body)
}

/// Answers the userinfo endpoint: the claims that the granted scopes allow, under their OpenID
/// Connect names or the older ones.
pub(super) fn user_info(
    open_id: bool,
    request: &Request,
    state: &mut State,
    now: Timestamp,
) -> Reply {
    let params = request.query_params();
    let token = request.bearer().or_else(|| params.get("access_token"));
    let access = token.map(|token| {
        let settings = &state.settings;
        state
            .tokens
            .use_access(Provider::Google, token, settings, now)
    });
    let wearer = token.and_then(|token| state.tokens.owner(token));
    let (Some(Access::Valid(scopes)), Some(wearer)) = (access, wearer) else {
        return who_is_unknown();
    };
    let sees = |names: &[&str]| scopes.iter().any(|scope| names.contains(&scope.as_str()));
    let sees_email = sees(&["email", USERINFO_EMAIL]);
    let sees_name = sees(&["profile", USERINFO_PROFILE]);
    if !sees_email && !sees_name && !sees(&["openid"]) {
        return who_is_unknown();
    }
    let (id, verified) = if open_id {
        ("sub", "email_verified")
    } else {
        ("id", "verified_email")
    };
    let mut body = json!({ id: wearer.google_account_id() });
    if sees_email {
        body = with(body, "email", wearer.email());
        body = with(body, verified, true);
    }
    if sees_name {
        body = with(body, "name", wearer.own("Sandy Box"));
        body = with(body, "given_name", "Sandy");
        body = with(body, "family_name", wearer.own("Box"));
    }
    Reply::ok(&body)
}

fn who_is_unknown() -> Reply {
    error::oauth(
        StatusCode::UNAUTHORIZED,
        "invalid_request",
        "Invalid Credentials",
    )
}

const USERINFO_EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const USERINFO_PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

/// Returns the full name of one of a wearer's resources.
fn name(wearer: Wearer, resource: &str) -> String {
    format!("users/{}/{resource}", wearer.google_id())
}

fn all_devices(wearer: &Synced<'_>) -> Vec<Value> {
    let (who, synced) = (wearer.who, wearer.last_sync());
    let earlier = |hours| {
        let at = synced.checked_sub(SignedDuration::from_hours(hours));
        at.unwrap_or(synced).to_string()
    };
    let device = |device| name(who, &format!("pairedDevices/{}", who.device_id(device)));
    let percent = wearer.battery_percent();
    let bare = json!({
        "name": device(Device::Tracker),
        "deviceType": "TRACKER",
        "deviceVersion": "Charge 6",
        "batteryStatus": battery_word(percent),
        "lastSyncTime": synced.to_string(),
    });
    let mut tracker = with(
        bare.clone(),
        "macAddress",
        who.device_address(Device::Tracker),
    );
    tracker = with(tracker, "features", json!(["HEART_RATE", "STEPS"]));
    // Like every member that is zero, the level of an empty battery is left out.
    if percent > 0 {
        tracker = with(tracker, "batteryLevel", percent);
    }
    let scale = json!({
        "name": device(Device::Scale),
        "deviceType": "SCALE",
        "deviceVersion": "Aria Air",
        "batteryStatus": "Medium",
        "batteryLevel": 55,
        "lastSyncTime": earlier(31),
        "macAddress": who.device_address(Device::Scale),
    });
    let drawer = json!({
        "name": device(Device::Drawer),
        "deviceType": "TRACKER",
        "deviceVersion": "Flex 2",
        "batteryStatus": "Empty",
        "lastSyncTime": earlier(24 * 400),
    });
    match wearer.devices() {
        Devices::Plain => vec![tracker, scale],
        Devices::Odd => vec![scale, tracker, drawer],
        Devices::Bare => vec![bare],
        Devices::None => Vec::new(),
    }
}
