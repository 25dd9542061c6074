//! The settings of a channel, as they are written: a table `[[alarms.send]]`.

use std::path::PathBuf;

use pulsewing_core::alarm::Level;
use serde::{Deserialize, Deserializer, de};

use crate::address::Written;

/// The settings of one channel: a table `[[alarms.send]]`. [`Channel::all`](crate::Channel::all) checks
/// them, and reads the files that they name.
///
/// | key | meaning | for |
/// |---|---|---|
/// | `to` | `ntfy`, `gotify`, `pushover` or `webhook` | |
/// | `name` | what it is called in commands, metrics and logs; that of `to`, if it is missing | |
/// | `url` | the server's address; of a webhook, where to post | all; Pushover has its own |
/// | `allow_http` | lets `url` be `http://` to another machine | all |
/// | `token_file` | a file with the token | Gotify and Pushover need it |
/// | `min_level` | `info`, `warning` (the default) or `urgent`: what is below is not sent | all |
/// | `detail` | `value`, `kind` (the default) or `none`: see [`Detail`] | all |
/// | `topic` | the topic to publish to | ntfy needs it |
/// | `user_file` | a file with the key of the user or the group | Pushover needs it |
/// | `secret_file` | a file with the secret to sign with, of 16 characters or more | webhook |
/// | `snooze_token_file` | a file with a token that the buttons of a message may snooze with | ntfy |
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendSettings {
    pub(crate) to: To,
    pub(crate) name: Option<String>,
    pub(crate) url: Option<Written>,
    #[serde(default)]
    pub(crate) allow_http: bool,
    pub(crate) token_file: Option<PathBuf>,
    #[serde(default = "warning", deserialize_with = "level")]
    pub(crate) min_level: Level,
    #[serde(default)]
    pub(crate) detail: Detail,
    /// Whoever knows an ntfy topic can read it, so it is not shown.
    pub(crate) topic: Option<Written>,
    pub(crate) user_file: Option<PathBuf>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) snooze_token_file: Option<PathBuf>,
}

impl SendSettings {
    /// Returns the name of the channel.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.to.name())
    }
}

/// The service that a channel sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// An ntfy server.
    Ntfy,
    /// A Gotify server.
    Gotify,
    /// Pushover.
    Pushover,
    /// A program of the user's own.
    Webhook,
}

impl To {
    /// Returns the name in the settings: `ntfy`, `gotify`, `pushover` or `webhook`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
            Self::Pushover => "pushover",
            Self::Webhook => "webhook",
        }
    }
}

/// How much of an alarm goes out. Servers on the way, and whoever holds the phone, can read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// Who and what, with the numbers.
    Value,
    /// Who and what, and how long ago, but no heart rate, limit or percentage. Numbers leave the house
    /// only if somebody has asked for that.
    #[default]
    Kind,
    /// That there is something to look at, and no more.
    None,
}

const fn warning() -> Level {
    Level::Warning
}

fn level<'de, D: Deserializer<'de>>(from: D) -> Result<Level, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SendSettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn little_is_needed_and_what_is_missing_is_private() {
        let settings = read("to = \"ntfy\"\nurl = \"https://ntfy.sh\"\ntopic = \"hush\"").unwrap();
        assert_eq!(settings.name(), "ntfy");
        assert_eq!(settings.min_level, Level::Warning);
        assert_eq!(settings.detail, Detail::Kind);
        let shown = format!("{settings:?}");
        assert!(
            !shown.contains("hush") && !shown.contains("ntfy.sh"),
            "{shown}"
        );
    }

    #[test]
    fn a_wrong_key_or_word_is_told() {
        for (text, words) in [
            (
                "to = \"sms\"",
                "expected one of `ntfy`, `gotify`, `pushover`, `webhook`",
            ),
            (
                "to = \"ntfy\"\ntoken = \"tk_hush\"",
                "unknown field `token`",
            ),
            (
                "to = \"ntfy\"\nmin_level = \"loud\"",
                "info, warning or urgent",
            ),
            ("to = \"ntfy\"\ndetail = \"all\"", "`value`, `kind`, `none`"),
            ("name = \"phone\"", "missing field `to`"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(words) && !said.contains("tk_hush"), "{said}");
        }
    }
}
