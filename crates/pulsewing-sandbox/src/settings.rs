//! What `POST /_sandbox/config` changes while the sandbox runs.

use serde::{Deserialize, Deserializer};

/// How long Fitbit answers a spent refresh token with the same pair again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PageSizes {
    /// Default 1440, at most 10000.
    Documented,
    /// Default 50, at most 5000.
    #[default]
    Observed,
}

/// The switches, at their defaults until changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) replay: Replay,
    /// The Fitbit Web API answers 410 everywhere.
    pub(crate) gone: bool,
    pub(crate) page_sizes: PageSizes,
    /// The Google app has the publishing status "Testing": grants end after seven days.
    pub(crate) testing_status: bool,
    /// What the wearer lets the apps see; nothing set means everything they ask for.
    scopes: Option<Vec<String>>,
}

impl Settings {
    /// Takes over what a change names and leaves the rest.
    pub(crate) fn apply(&mut self, change: Change) {
        let Change {
            replay,
            gone,
            page_sizes,
            testing_status,
            scopes,
        } = change;
        self.replay = replay.unwrap_or(self.replay);
        self.gone = gone.unwrap_or(self.gone);
        self.page_sizes = page_sizes.unwrap_or(self.page_sizes);
        self.testing_status = testing_status.unwrap_or(self.testing_status);
        if let Some(scopes) = scopes {
            self.scopes = scopes;
        }
    }

    /// Returns whether the wearer lets an app have `scope`.
    ///
    /// The list may name the scopes of one provider only (Google's are URLs, Fitbit's are words);
    /// the other's are then not restricted. An empty list restricts both.
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

/// A change of some settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    replay: Option<Replay>,
    gone: Option<bool>,
    page_sizes: Option<PageSizes>,
    testing_status: Option<bool>,
    /// Outer: named at all. Inner: a list, or null for no restriction.
    #[serde(default, deserialize_with = "named")]
    scopes: Option<Option<Vec<String>>>,
}

fn named<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(settings: &mut Settings, change: &str) {
        settings.apply(serde_json::from_str(change).unwrap());
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
        assert!(serde_json::from_str::<Change>(r#"{"gon":true}"#).is_err());
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
