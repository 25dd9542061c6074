//! The page's forms. Each is translated into the equivalent control call.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use crate::{
    control,
    faults::{Fault, NOTIFY},
    message::Params,
    misread,
    settings::{Change, TOKEN_LENGTHS},
    state::Shared,
};

/// Executes a form.
///
/// # Errors
/// Returns what is wrong with the form; then nothing has changed.
pub(super) fn apply(form: &Params, shared: &Shared) -> Result<(), String> {
    let applied = change(form, shared);
    shared.webhooks_changed.notify_one();
    applied
}

fn change(form: &Params, shared: &Shared) -> Result<(), String> {
    match form.get("form") {
        Some("clock") => {
            let change = match (form.get("advance_s"), form.get("now")) {
                (Some(seconds), _) => {
                    let seconds: f64 = seconds
                        .parse()
                        .map_err(|_| "the clock advances by seconds".to_owned())?;
                    json!({ "advance_s": seconds })
                }
                (None, now) => json!({ "now": now.unwrap_or_default() }),
            };
            control::set_clock(read(change)?, shared).map(drop)
        }
        Some("switches") => {
            let change: Change = read(switches(form)?)?;
            shared.state().change(change)
        }
        Some("fault") => {
            let fault: Fault = read(fault(form)?)?;
            shared.state().faults.add(fault);
            Ok(())
        }
        Some("no-faults") => {
            shared.state().faults.replace(Vec::new());
            Ok(())
        }
        _ => Err("there is no such form".to_owned()),
    }
}

/// Returns the settings in the form: a box that is not ticked is not sent.
fn switches(form: &Params) -> Result<Value, String> {
    let mut change = Map::new();
    for (name, _) in TICKED {
        change.insert((*name).to_owned(), (form.get(name) == Some("on")).into());
    }
    for (name, _) in CHOSEN {
        if let Some(value) = form.get(name) {
            change.insert((*name).to_owned(), value.into());
        }
    }
    for number in NUMBERS {
        let value = match form.get(number.name) {
            Some(text) => whole(number.label, text)?.into(),
            None => Value::Null,
        };
        change.insert(number.name.to_owned(), value);
    }
    for (name, _, _) in TEXTS {
        let value = form.get(name).filter(|text| !text.is_empty());
        change.insert((*name).to_owned(), value.into());
    }
    Ok(change.into())
}

fn fault(form: &Params) -> Result<Value, String> {
    let preset = form.get("preset").unwrap_or_default();
    let (_, action) = PRESETS
        .iter()
        .find(|(name, _)| *name == preset)
        .ok_or_else(|| format!("there is no preset `{preset}`"))?;
    let action: Value = serde_json::from_str(action).map_err(|error| misread::in_words(&error))?;
    let number = |name, default| form.get(name).map_or(Ok(default), |text| whole(name, text));
    // Notifications have a route of their own, and faults of their own.
    let route = match action.get("notify") {
        Some(_) => NOTIFY,
        None => form.get("route").unwrap_or("*"),
    };
    Ok(json!({
        "route": route,
        "skip": number("skip", 0)?,
        "count": number("count", 1)?,
        "do": action,
    }))
}

fn whole(name: &str, text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("{name} must be a whole number, not `{text}`"))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| misread::in_words(&error))
}

/// The settings that are on or off.
pub(super) const TICKED: &[(&str, &str)] = &[
    ("gone", "Fitbit is gone (410 everywhere)"),
    (
        "testing_status",
        "Google app in testing (grants end after 7 days)",
    ),
    ("google_rotates", "Google rotates refresh tokens"),
    ("quotas", "Quotas are counted"),
    ("late", "Late and revised samples"),
    ("wearable", "Data comes from a tracker"),
];

/// The settings that are one of several words.
pub(super) const CHOSEN: &[(&str, &[&str])] = &[
    ("replay", &["120s", "until-used"]),
    ("page_sizes", &["observed", "documented"]),
    ("devices", &["plain", "odd", "bare", "none"]),
    ("header_case", &["title", "lower"]),
];

/// A setting that is a number, or unset.
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) range: RangeInclusive<u16>,
    /// The field's placeholder while there is no number in it.
    pub(super) otherwise: &'static str,
}

/// The settings that are numbers.
pub(super) const NUMBERS: &[Number] = &[
    Number {
        name: "battery",
        label: "battery %",
        range: 0..=100,
        otherwise: "falls",
    },
    Number {
        name: "refresh_token_length",
        label: "length of refresh tokens",
        range: TOKEN_LENGTHS,
        otherwise: "usual",
    },
];

/// The settings that are texts, or unset: name, label, and the field's placeholder while it is
/// empty.
pub(super) const TEXTS: &[(&str, &str, &str)] = &[
    ("time_zone", "travelled to the zone", "at home"),
    ("last_sync", "tracker last synced", "every 15 minutes"),
    (
        "redirect_uri",
        "Fitbit app's redirect",
        "the last one used in a sign-in",
    ),
];

/// Faults that can be chosen by name, with their effects.
pub(super) const PRESETS: &[(&str, &str)] = &[
    ("reply is lost", r#"{"drop":"after"}"#),
    ("request is lost", r#"{"drop":"before"}"#),
    ("reply is cut after 20 bytes", r#"{"truncate":20}"#),
    (
        "reply stalls for 60 s after 20 bytes",
        r#"{"truncate":20,"stall_s":60}"#,
    ),
    ("reply comes 20 s late", r#"{"stall_s":20}"#),
    ("503 from the provider", r#"{"status":503}"#),
    ("502 from a proxy, HTML", r#"{"status":502,"body":"html"}"#),
    ("500 without a body", r#"{"status":500,"body":"empty"}"#),
    (
        "429 with Retry-After",
        r#"{"status":429,"headers":{"Retry-After":"30"}}"#,
    ),
    ("429 without Retry-After", r#"{"status":429}"#),
    ("401", r#"{"status":401}"#),
    ("409", r#"{"status":409}"#),
    ("empty page", r#"{"empty_page":true}"#),
    ("scope is missing", r#"{"omit":"scope"}"#),
    ("refresh_token is missing", r#"{"omit":"refresh_token"}"#),
    ("invalid_grant", r#"{"reason":"invalid_grant"}"#),
    (
        "Fitbit: insufficient_permissions",
        r#"{"reason":"insufficient_permissions"}"#,
    ),
    (
        "Fitbit: error in Google's form",
        r#"{"reason":"PERMISSION_DENIED"}"#,
    ),
    (
        "Google: ACCOUNT_NOT_LINKED",
        r#"{"reason":"ACCOUNT_NOT_LINKED"}"#,
    ),
    (
        "Google: SERVICE_DISABLED",
        r#"{"reason":"SERVICE_DISABLED"}"#,
    ),
    (
        "Google: RESOURCE_PERMISSION_DENIED",
        r#"{"reason":"RESOURCE_PERMISSION_DENIED"}"#,
    ),
    (
        "Google: legacy Fitbit account (UberMint)",
        r#"{"reason":"UBERMINT"}"#,
    ),
    (
        "Google: scope insufficient",
        r#"{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}"#,
    ),
    ("notification comes twice", r#"{"notify":"duplicate"}"#),
    ("notification is lost", r#"{"notify":"lost"}"#),
    (
        "notification has a wrong signature",
        r#"{"notify":"wrong-signature"}"#,
    ),
    (
        "notification is about nobody",
        r#"{"notify":"unknown-user"}"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::SandboxConfig;

    #[test]
    fn every_preset_is_a_fault() {
        let shared = Shared::new(SandboxConfig::default());
        for (preset, _) in PRESETS {
            let form = Params::parse(format!("form=fault&preset={preset}&count=0").as_bytes());
            assert_eq!(apply(&form, &shared), Ok(()), "{preset}");
        }
        let told = shared.state().faults.describe();
        assert_eq!(told.as_array().unwrap().len(), PRESETS.len());
    }

    #[test]
    fn every_choice_is_a_setting() {
        let shared = Shared::new(SandboxConfig::default());
        for (name, words) in CHOSEN {
            for word in *words {
                let form = Params::parse(format!("form=switches&{name}={word}").as_bytes());
                assert_eq!(apply(&form, &shared), Ok(()), "{name} {word}");
                assert_eq!(json!(shared.state().settings)[name], *word);
            }
        }
        for number in NUMBERS {
            let most = number.range.end();
            for (given, expected) in [
                (most.to_string(), json!(most)),
                (String::new(), Value::Null),
            ] {
                let form = format!("form=switches&{}={given}", number.name);
                assert_eq!(apply(&Params::parse(form.as_bytes()), &shared), Ok(()));
                assert_eq!(json!(shared.state().settings)[number.name], expected);
            }
        }
        for (name, _, _) in TEXTS {
            let text = match *name {
                "time_zone" => "Asia/Tokyo",
                "redirect_uri" => "http://127.0.0.1:8080/",
                _ => "2026-11-22T09:00:00Z",
            };
            for (given, expected) in [(text, json!(text)), ("", Value::Null)] {
                let form = format!("form=switches&{name}={given}");
                assert_eq!(apply(&Params::parse(form.as_bytes()), &shared), Ok(()));
                assert_eq!(json!(shared.state().settings)[name], expected);
            }
        }
        for (name, _) in TICKED {
            for (ticked, expected) in [(format!("&{name}=on"), true), (String::new(), false)] {
                let form = Params::parse(format!("form=switches{ticked}").as_bytes());
                assert_eq!(apply(&form, &shared), Ok(()));
                assert_eq!(json!(shared.state().settings)[name], expected, "{name}");
            }
        }
    }

    #[test]
    fn a_form_that_is_wrong_changes_nothing() {
        let shared = Shared::new(SandboxConfig::default());
        let before = json!(shared.state().settings);
        for form in [
            "",
            "form=clock",
            "form=clock&now=noon",
            "form=clock&advance_s=soon",
            "form=switches&gone=on&battery=101",
            "form=switches&gone=on&refresh_token_length=15",
            "form=switches&gone=on&replay=60s",
            "form=switches&gone=on&time_zone=Mars/Olympus",
            "form=switches&gone=on&last_sync=noon",
            "form=fault&preset=none",
            "form=fault&preset=401&route=nowhere",
            "form=fault&preset=401&skip=-1",
        ] {
            assert!(
                apply(&Params::parse(form.as_bytes()), &shared).is_err(),
                "{form}"
            );
        }
        assert_eq!(json!(shared.state().settings), before);
        assert_eq!(shared.state().faults.describe(), json!([]));
    }
}
