//! The settings that `POST /_sandbox/config` changes while the sandbox runs.

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{oauth::is_loopback, wearer::Wearer};

/// How long Fitbit answers a spent refresh token with the same pair again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Replay {
    /// For 120 seconds after its first use, and only until the new pair is used.
    #[default]
    #[serde(rename = "120s")]
    TwoMinutes,
    /// Until the new pair is used, however long that takes.
    #[serde(rename = "until-used")]
    UntilUsed,
}

/// Page sizes of Google's `list` and `reconcile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PageSizes {
    /// Default 1440, at most 10000.
    Documented,
    /// Default 50, at most 5000.
    #[default]
    Observed,
}

/// The spelling of reply header names. HTTP does not care; some clients do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeaderCase {
    /// `Fitbit-Rate-Limit-Reset`
    #[default]
    Title,
    /// `fitbit-rate-limit-reset`
    Lower,
}

/// Which devices the account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Devices {
    /// The worn tracker, first and complete, and a scale.
    #[default]
    Plain,
    /// The tracker comes after a scale and, with Fitbit, after its phone; there is also an old,
    /// unused one.
    Odd,
    /// Only the tracker, with just the members of an old one: no level, no address, no features.
    Bare,
    /// No devices.
    None,
}

/// The settings of a wearer and of the data that reaches the clouds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wearing {
    /// Some minutes of a sync arrive one sync later, and others have wrong values at first.
    pub(crate) late: bool,
    /// The data comes from a tracker; otherwise an app wrote all of it to Health Connect.
    pub(crate) wearable: bool,
    pub(crate) devices: Devices,
    /// The tracker's battery level; `None` lets it fall over time.
    pub(crate) battery: Option<u8>,
    /// The zone that the wearer has travelled to.
    pub(crate) time_zone: Option<ZoneName>,
    /// When the tracker synced last: its phone has been away since.
    pub(crate) last_sync: Option<Timestamp>,
}

impl Default for Wearing {
    fn default() -> Self {
        Self {
            late: false,
            wearable: true,
            devices: Devices::default(),
            battery: None,
            time_zone: None,
            last_sync: None,
        }
    }
}

impl Wearing {
    fn apply(&mut self, change: &Change) {
        set(&mut self.late, change.late);
        set(&mut self.wearable, change.wearable);
        set(&mut self.devices, change.devices);
        let battery = change.battery;
        set(
            &mut self.battery,
            battery.map(|it| it.map(|Percent(it)| it)),
        );
        set(&mut self.time_zone, change.time_zone.clone());
        set(&mut self.last_sync, change.last_sync);
    }
}

/// A zone of the time-zone database, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ZoneName {
    pub(crate) zone: TimeZone,
    name: String,
}

impl TryFrom<String> for ZoneName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match TimeZone::get(&name) {
            Ok(zone) => Ok(Self { zone, name }),
            Err(_) => Err(format!("there is no time zone `{name}`")),
        }
    }
}

impl From<ZoneName> for String {
    fn from(named: ZoneName) -> Self {
        named.name
    }
}

/// The switches, at their defaults until changed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    pub(crate) replay: Replay,
    /// The Fitbit Web API answers 410 everywhere.
    pub(crate) gone: bool,
    pub(crate) page_sizes: PageSizes,
    /// The Google app has the publishing status "Testing": grants end after seven days.
    pub(crate) testing_status: bool,
    /// Google answers a refresh with a new refresh token, and the old one ends.
    pub(crate) google_rotates: bool,
    /// The length of the refresh tokens that both clouds issue; `None` means the real lengths.
    pub(crate) refresh_token_length: Option<u16>,
    /// Fitbit counts requests by the hour, Google by the minute; otherwise neither counts.
    pub(crate) quotas: bool,
    pub(crate) header_case: HeaderCase,
    /// The redirect that is registered with the Fitbit app: the last one that a sign-in named.
    pub(crate) redirect_uri: Option<Redirect>,
    /// The scopes that the wearer grants to the apps; `None` means all that they ask for.
    scopes: Option<Vec<String>>,
    #[serde(flatten)]
    wearing: Wearing,
    /// The wearers for whom something was changed apart from the others.
    #[serde(skip)]
    apart: BTreeMap<Wearer, Wearing>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            replay: Replay::default(),
            gone: false,
            page_sizes: PageSizes::default(),
            testing_status: false,
            google_rotates: false,
            refresh_token_length: None,
            quotas: true,
            header_case: HeaderCase::default(),
            redirect_uri: None,
            scopes: None,
            wearing: Wearing::default(),
            apart: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Applies the settings that a change names and leaves the rest.
    ///
    /// # Errors
    /// Returns what is wrong with the change; then nothing has changed.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), String> {
        if let Some(user) = change.user {
            if change.is_for_all() {
                return Err(format!("with `user` only these can be changed: {WORN}"));
            }
            let apart = self.apart.entry(user);
            apart.or_insert_with(|| self.wearing.clone()).apply(&change);
            return Ok(());
        }
        self.wearing.apply(&change);
        self.apart
            .values_mut()
            .for_each(|apart| apart.apply(&change));
        let length = change.refresh_token_length;
        set(&mut self.replay, change.replay);
        set(&mut self.gone, change.gone);
        set(&mut self.page_sizes, change.page_sizes);
        set(&mut self.testing_status, change.testing_status);
        set(&mut self.google_rotates, change.google_rotates);
        set(
            &mut self.refresh_token_length,
            length.map(|it| it.map(|TokenLength(it)| it)),
        );
        set(&mut self.quotas, change.quotas);
        set(&mut self.header_case, change.header_case);
        set(&mut self.redirect_uri, change.redirect_uri);
        set(&mut self.scopes, change.scopes);
        Ok(())
    }

    /// Returns the settings of one wearer.
    pub(crate) fn wearing_of(&self, wearer: Wearer) -> &Wearing {
        self.apart.get(&wearer).unwrap_or(&self.wearing)
    }

    /// Returns all settings as they are for one wearer.
    pub(crate) fn of(&self, wearer: Wearer) -> Self {
        Self {
            wearing: self.wearing_of(wearer).clone(),
            ..self.clone()
        }
    }

    /// Returns whether the wearer grants `scope` to an app.
    ///
    /// The list may name the scopes of one provider only (Google's are URLs, Fitbit's are words);
    /// then those of the other are not restricted. An empty list restricts both.
    pub(crate) fn allows(&self, scope: &str) -> bool {
        let Some(allowed) = &self.scopes else {
            return true;
        };
        let is_google = |name: &str| name.contains('/') || name.contains("googlehealth");
        let same_provider: Vec<&String> = allowed
            .iter()
            .filter(|name| is_google(name) == is_google(scope))
            .collect();
        let unrestricted = same_provider.is_empty() && !allowed.is_empty();
        let short = scope.rsplit('/').next().unwrap_or(scope);
        unrestricted
            || same_provider
                .iter()
                .any(|name| *name == scope || *name == short)
    }
}

fn set<T>(setting: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *setting = value;
    }
}

/// A change of some settings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    replay: Option<Replay>,
    gone: Option<bool>,
    page_sizes: Option<PageSizes>,
    testing_status: Option<bool>,
    google_rotates: Option<bool>,
    /// As with `scopes`: null restores the real lengths.
    #[serde(default, deserialize_with = "named")]
    refresh_token_length: Option<Option<TokenLength>>,
    quotas: Option<bool>,
    header_case: Option<HeaderCase>,
    /// As with `scopes`: null clears it.
    #[serde(default, deserialize_with = "named")]
    redirect_uri: Option<Option<Redirect>>,
    late: Option<bool>,
    wearable: Option<bool>,
    devices: Option<Devices>,
    /// As with `scopes`: null lets the level fall over time again.
    #[serde(default, deserialize_with = "named")]
    battery: Option<Option<Percent>>,
    /// As with `scopes`: null brings the wearer home.
    #[serde(default, deserialize_with = "named")]
    time_zone: Option<Option<ZoneName>>,
    /// As with `scopes`: null lets the tracker sync every quarter of an hour again.
    #[serde(default, deserialize_with = "named")]
    last_sync: Option<Option<Timestamp>>,
    /// Outer: whether it is named at all. Inner: a list, or null for no restriction.
    #[serde(default, deserialize_with = "named")]
    scopes: Option<Option<Vec<String>>>,
    /// The only wearer for whom the switches of wearing change.
    pub(crate) user: Option<Wearer>,
}

impl Change {
    /// Returns whether it names a setting that all wearers share.
    fn is_for_all(&self) -> bool {
        self.replay.is_some()
            || self.gone.is_some()
            || self.page_sizes.is_some()
            || self.testing_status.is_some()
            || self.google_rotates.is_some()
            || self.refresh_token_length.is_some()
            || self.quotas.is_some()
            || self.header_case.is_some()
            || self.redirect_uri.is_some()
            || self.scopes.is_some()
    }
}

/// The settings that can differ between wearers.
const WORN: &str = "late wearable devices battery time_zone last_sync";

/// An address on this computer, to which a sign-in sends the browser back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub(crate) struct Redirect(pub(crate) String);

impl TryFrom<String> for Redirect {
    type Error = String;

    fn try_from(address: String) -> Result<Self, String> {
        if !is_loopback(&address) {
            return Err(format!(
                "a redirect must lead to this computer, unlike `{address}`"
            ));
        }
        Ok(Self(address))
    }
}

/// A battery level, 0 to 100.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u8")]
struct Percent(u8);

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(percent: u8) -> Result<Self, String> {
        if percent > 100 {
            return Err(format!("a battery level must be 0 to 100, not {percent}"));
        }
        Ok(Self(percent))
    }
}

/// A length that a refresh token can have and still be unique.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
struct TokenLength(u16);

impl TryFrom<u16> for TokenLength {
    type Error = String;

    fn try_from(length: u16) -> Result<Self, String> {
        if !TOKEN_LENGTHS.contains(&length) {
            let (least, most) = (TOKEN_LENGTHS.start(), TOKEN_LENGTHS.end());
            return Err(format!(
                "a refresh token must have {least} to {most} characters, not {length}"
            ));
        }
        Ok(Self(length))
    }
}

/// The allowed lengths of refresh tokens.
pub(crate) const TOKEN_LENGTHS: RangeInclusive<u16> = 16..=4096;

fn named<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(settings: &mut Settings, change: &str) {
        let change = serde_json::from_str(change).unwrap();
        settings.apply(change).unwrap();
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let mut settings = Settings::default();
        changed(&mut settings, r#"{"replay":"until-used","gone":true}"#);
        changed(
            &mut settings,
            r#"{"page_sizes":"documented","testing_status":true}"#,
        );
        assert_eq!(settings.replay, Replay::UntilUsed);
        assert_eq!(settings.page_sizes, PageSizes::Documented);
        assert!(settings.gone && settings.testing_status);
        for wrong in [
            r#"{"gon":true}"#,
            r#"{"battery":101}"#,
            r#"{"time_zone":"Mars/Olympus"}"#,
            r#"{"last_sync":"noon"}"#,
            r#"{"redirect_uri":"https://example.com/"}"#,
            r#"{"refresh_token_length":15}"#,
            r#"{"refresh_token_length":4097}"#,
        ] {
            assert!(serde_json::from_str::<Change>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_told_can_be_sent_back() {
        let mut settings = Settings::default();
        changed(
            &mut settings,
            r#"{"late":true,"devices":"bare","battery":7,"quotas":false,"scopes":["profile"],
                "google_rotates":true,"refresh_token_length":99,
                "redirect_uri":"http://127.0.0.1:8080/",
                "time_zone":"Asia/Tokyo","last_sync":"2026-11-22T09:00:00Z"}"#,
        );
        let told = serde_json::to_string(&settings).unwrap();
        let mut other = Settings::default();
        changed(&mut other, &told);
        assert_eq!(serde_json::to_string(&other).unwrap(), told);
        changed(
            &mut other,
            r#"{"battery":null,"refresh_token_length":null,"time_zone":null,"last_sync":null}"#,
        );
        assert_eq!(
            (other.wearing.battery, other.refresh_token_length),
            (None, None)
        );
        assert_eq!(
            (other.wearing.time_zone, other.wearing.last_sync),
            (None, None)
        );
    }

    #[test]
    fn one_wearer_differs_from_the_others_in_wearing_only() {
        let fields = serde_json::to_value(Settings::default()).unwrap();
        for (name, value) in fields.as_object().unwrap() {
            let change = json!({ "user": 2, name: value }).to_string();
            let applied = Settings::default().apply(serde_json::from_str(&change).unwrap());
            let is_worn = WORN.split(' ').any(|worn| worn == name);
            assert_eq!(applied.is_ok(), is_worn, "{name}");
        }
        let mut settings = Settings::default();
        let second = Wearer::try_from(2).unwrap();
        changed(&mut settings, r#"{"user":2,"battery":7,"late":true}"#);
        assert_eq!(settings.wearing_of(Wearer::FIRST), &Wearing::default());
        assert_eq!(settings.wearing_of(second).battery, Some(7));
        changed(&mut settings, r#"{"battery":50}"#);
        assert_eq!(settings.wearing_of(second).battery, Some(50));
        assert!(settings.wearing_of(second).late && !settings.wearing_of(Wearer::FIRST).late);
    }

    #[test]
    fn scopes_restrict_the_provider_they_belong_to() {
        let heart =
            "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly";
        let device = "https://www.googleapis.com/auth/googlehealth.settings.readonly";
        let mut settings = Settings::default();
        assert!(settings.allows("heartrate") && settings.allows(heart));
        changed(&mut settings, r#"{"scopes":["settings"]}"#);
        assert!(
            !settings.allows("heartrate") && settings.allows("settings") && settings.allows(heart)
        );
        changed(
            &mut settings,
            r#"{"scopes":["googlehealth.settings.readonly"]}"#,
        );
        assert!(!settings.allows(heart) && settings.allows(device) && settings.allows("heartrate"));
        changed(&mut settings, r#"{"scopes":[]}"#);
        assert!(!settings.allows(heart) && !settings.allows("heartrate"));
        changed(&mut settings, r#"{"scopes":null}"#);
        assert!(settings.allows(heart) && settings.allows("heartrate"));
    }
}
