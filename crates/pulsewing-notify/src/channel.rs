//! A channel: where alarms go, checked and with its secrets.

use std::{collections::BTreeSet, path::Path};

use pulsewing_core::alarm::Level;
use reqwest::Url;

use crate::{
    address::{self, AddressError, Shape, Written},
    secret::{Secret, SecretError},
    settings::{Detail, SendSettings, To},
};

/// Where alarms go: a checked table `[[alarms.send]]`, with its secrets.
#[derive(Clone, Debug)]
pub struct Channel {
    pub(crate) name: String,
    pub(crate) min_level: Level,
    pub(crate) detail: Detail,
    pub(crate) target: Target,
}

/// The service, with what it needs.
#[derive(Clone)]
pub(crate) enum Target {
    Ntfy {
        url: Url,
        topic: String,
        token: Option<Secret>,
        /// What a message's buttons may snooze with.
        snooze: Option<Secret>,
    },
    Gotify {
        url: Url,
        token: Secret,
    },
    Pushover {
        url: Url,
        token: Secret,
        user: Secret,
    },
    Webhook {
        url: Url,
        token: Option<Secret>,
        secret: Option<Secret>,
    },
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address of a webhook is a secret, and so is a topic.
        write!(f, "{} at {}", self.to().name(), address::origin(self.url()))
    }
}

impl Channel {
    /// Returns whether the buttons of its messages carry this token. It takes as long for a wrong one, however
    /// much of it is right.
    pub(crate) fn may_snooze(&self, given: &[u8]) -> bool {
        let Target::Ntfy {
            snooze: Some(token),
            ..
        } = &self.target
        else {
            return false;
        };
        // Whoever times a comparison of digests learns nothing about what they are of.
        let digest = |bytes: &[u8]| ring::digest::digest(&ring::digest::SHA256, bytes);
        digest(token.expose().as_bytes()).as_ref() == digest(given).as_ref()
    }
}

impl Target {
    pub(crate) const fn to(&self) -> To {
        match self {
            Self::Ntfy { .. } => To::Ntfy,
            Self::Gotify { .. } => To::Gotify,
            Self::Pushover { .. } => To::Pushover,
            Self::Webhook { .. } => To::Webhook,
        }
    }

    pub(crate) const fn url(&self) -> &Url {
        match self {
            Self::Ntfy { url, .. }
            | Self::Gotify { url, .. }
            | Self::Pushover { url, .. }
            | Self::Webhook { url, .. } => url,
        }
    }

    /// Returns whether a reply that quotes one of its secrets must not be shown.
    pub(crate) fn is_told_in(&self, text: &str) -> bool {
        let secrets = match self {
            Self::Ntfy { token, snooze, .. } => [token.as_ref(), snooze.as_ref()],
            Self::Gotify { token, .. } => [Some(token), None],
            Self::Pushover { token, user, .. } => [Some(token), Some(user)],
            Self::Webhook { token, secret, .. } => [token.as_ref(), secret.as_ref()],
        };
        let mut known = secrets.into_iter().flatten();
        known.any(|secret| text.contains(secret.expose()))
    }
}

/// What is wrong with a channel's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[[alarms.send]] \"{channel}\": {wrong}")]
pub struct SettingsError {
    /// The name of the channel.
    pub channel: String,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with a setting. The key is its name in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// The name cannot be that of a channel.
    #[error("a name has 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`")]
    Name,
    /// Another channel has the same name.
    #[error("there is another channel of that name; give one of them another `name`")]
    Twice,
    /// There are more channels than anybody needs.
    #[error("there are more than {MAX_CHANNELS} channels")]
    TooMany,
    /// A key is missing.
    #[error("`{key}` is missing; {} needs it", to.name())]
    Missing {
        /// The key.
        key: &'static str,
        /// The service that needs it.
        to: To,
    },
    /// A key means nothing to the service.
    #[error("`{key}` is not for {}", to.name())]
    NotFor {
        /// The key.
        key: &'static str,
        /// The service.
        to: To,
    },
    /// The address cannot be used.
    #[error("`url` {0}")]
    Url(AddressError),
    /// There can be no such topic.
    #[error("`topic` must have 1 to 64 letters, digits, `-` and `_`")]
    Topic,
    /// A secret cannot be used.
    #[error("`{key}` {why}")]
    File {
        /// The key that names the file.
        key: &'static str,
        /// What is wrong with it.
        why: SecretError,
    },
}

impl Channel {
    /// Checks the settings of all channels, and reads their secrets. Paths are relative to `dir`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn all(settings: &[SendSettings], dir: &Path) -> Result<Vec<Self>, SettingsError> {
        let mut names = BTreeSet::new();
        let check = |settings: &SendSettings| {
            let name = settings.name();
            let checked = match names.insert(name.to_owned()) {
                _ if !is_name(name) => Err(Wrong::Name),
                false => Err(Wrong::Twice),
                true if names.len() > MAX_CHANNELS => Err(Wrong::TooMany),
                true => Self::new(settings, dir),
            };
            checked.map_err(|wrong| SettingsError {
                channel: name.to_owned(),
                wrong,
            })
        };
        settings.iter().map(check).collect()
    }

    /// Returns its name, which is unique.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn new(settings: &SendSettings, dir: &Path) -> Result<Self, Wrong> {
        let from = Table { settings, dir };
        from.refuse_others()?;
        let target = match settings.to {
            To::Ntfy => Target::Ntfy {
                url: from.url(Shape::Root)?,
                topic: from.topic()?,
                token: from.secret("token_file", 1)?,
                snooze: from.secret("snooze_token_file", 16)?,
            },
            To::Gotify => Target::Gotify {
                url: from.url(Shape::Directory)?,
                token: from.needed_secret("token_file")?,
            },
            To::Pushover => Target::Pushover {
                url: match settings.url {
                    Some(_) => from.url(Shape::Root)?,
                    None => address::parse(PUSHOVER, Shape::Root, false).map_err(Wrong::Url)?,
                },
                token: from.needed_secret("token_file")?,
                user: from.needed_secret("user_file")?,
            },
            To::Webhook => Target::Webhook {
                url: from.url(Shape::Any)?,
                token: from.secret("token_file", 1)?,
                secret: from.secret("secret_file", MIN_SIGNING)?,
            },
        };
        Ok(Self {
            name: settings.name().to_owned(),
            min_level: settings.min_level,
            detail: settings.detail,
            target,
        })
    }
}

/// A table, and the directory that its paths are relative to.
struct Table<'s> {
    settings: &'s SendSettings,
    dir: &'s Path,
}

impl Table<'_> {
    /// Refuses keys that would change nothing.
    fn refuse_others(&self) -> Result<(), Wrong> {
        let to = self.settings.to;
        let given = |key| match key {
            "topic" => self.settings.topic.is_some(),
            _ => self.path(key).is_some(),
        };
        let others: &[&str] = match to {
            To::Ntfy => &["user_file", "secret_file"],
            To::Gotify => &["topic", "user_file", "secret_file", "snooze_token_file"],
            To::Pushover => &["topic", "secret_file", "snooze_token_file"],
            To::Webhook => &["topic", "user_file", "snooze_token_file"],
        };
        match others.iter().find(|key| given(key)) {
            Some(key) => Err(Wrong::NotFor { key, to }),
            None => Ok(()),
        }
    }

    fn path(&self, key: &str) -> Option<&Path> {
        let settings = self.settings;
        let path = match key {
            "token_file" => &settings.token_file,
            "user_file" => &settings.user_file,
            "secret_file" => &settings.secret_file,
            "snooze_token_file" => &settings.snooze_token_file,
            _ => &None,
        };
        path.as_deref()
    }

    fn missing(&self, key: &'static str) -> Wrong {
        let to = self.settings.to;
        Wrong::Missing { key, to }
    }

    fn url(&self, shape: Shape) -> Result<Url, Wrong> {
        let Some(Written(text)) = &self.settings.url else {
            return Err(self.missing("url"));
        };
        address::parse(text, shape, self.settings.allow_http).map_err(Wrong::Url)
    }

    fn topic(&self) -> Result<String, Wrong> {
        let Some(Written(topic)) = &self.settings.topic else {
            return Err(self.missing("topic"));
        };
        let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match topic.len() {
            1..=64 if topic.bytes().all(is_right) => Ok(topic.clone()),
            _ => Err(Wrong::Topic),
        }
    }

    fn secret(&self, key: &'static str, least: usize) -> Result<Option<Secret>, Wrong> {
        let Some(path) = self.path(key) else {
            return Ok(None);
        };
        let read = Secret::read(&self.dir.join(path), least);
        read.map(Some).map_err(|why| Wrong::File { key, why })
    }

    fn needed_secret(&self, key: &'static str) -> Result<Secret, Wrong> {
        self.secret(key, 1)?.ok_or_else(|| self.missing(key))
    }
}

fn is_name(name: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_right)
}

/// Pushover's API.
const PUSHOVER: &str = "https://api.pushover.net";

/// A name is a label of metrics.
const MAX_NAME: usize = 32;

/// Each channel is a task with a queue.
const MAX_CHANNELS: usize = 32;

/// The shortest secret to sign with, in characters.
const MIN_SIGNING: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks tables against a directory with the files `token`, `user` and `signing`.
    fn check(text: &str) -> Result<Vec<Channel>, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, secret) in [
            ("token", "tk_hush"),
            ("user", "u_hush"),
            ("signing", "hush-0123456789abcdef"),
        ] {
            std::fs::write(dir.path().join(name), secret).unwrap();
        }
        #[derive(serde::Deserialize)]
        struct Tables {
            send: Vec<SendSettings>,
        }
        let tables: Tables = toml::from_str(text).unwrap();
        Channel::all(&tables.send, dir.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_service_gets_what_it_needs_and_shows_no_secret() {
        let channels = check(
            r#"
            [[send]]
            to = "ntfy"
            url = "https://ntfy.sh"
            topic = "hush-topic"
            token_file = "token"
            snooze_token_file = "signing"
            [[send]]
            to = "gotify"
            url = "http://gotify.lan/push/"
            allow_http = true
            token_file = "token"
            [[send]]
            to = "pushover"
            token_file = "token"
            user_file = "user"
            min_level = "urgent"
            [[send]]
            to = "webhook"
            name = "mine"
            url = "https://hooks.example/hush?key=hush"
            secret_file = "signing"
            detail = "value"
            "#,
        )
        .unwrap();
        let names: Vec<_> = channels.iter().map(Channel::name).collect();
        assert_eq!(names, ["ntfy", "gotify", "pushover", "mine"]);
        let shown = format!("{channels:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(
            shown.contains("pushover at https://api.pushover.net"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_wrong_is_a_sentence() {
        for (text, sentence) in [
            (
                "to = \"ntfy\"\nurl = \"https://ntfy.sh\"",
                "[[alarms.send]] \"ntfy\": `topic` is missing; ntfy needs it",
            ),
            (
                "to = \"ntfy\"\nurl = \"https://ntfy.sh\"\ntopic = \"my topic\"",
                "[[alarms.send]] \"ntfy\": `topic` must have 1 to 64 letters, digits, `-` and `_`",
            ),
            (
                "to = \"gotify\"\nurl = \"https://push.example\"",
                "[[alarms.send]] \"gotify\": `token_file` is missing; gotify needs it",
            ),
            (
                "to = \"pushover\"\nuser_file = \"user\"\ntoken_file = \"token\"\ntopic = \"x\"",
                "[[alarms.send]] \"pushover\": `topic` is not for pushover",
            ),
            (
                "to = \"webhook\"\nname = \"w\"\nurl = \"https://h.example\"\nsecret_file = \"user\"",
                "[[alarms.send]] \"w\": `secret_file` must hold at least 16 characters",
            ),
            (
                "to = \"webhook\"\nname = \"my hook\"\nurl = \"https://h.example\"",
                "[[alarms.send]] \"my hook\": a name has 1 to 32 letters, digits, `-`, `_` and `.`",
            ),
            (
                "to = \"ntfy\"\nurl = \"https://ntfy.sh/topic\"\ntopic = \"topic\"",
                "[[alarms.send]] \"ntfy\": `url` must be the address of the server alone, such as https://push.example",
            ),
        ] {
            let said = check(&format!("[[send]]\n{text}")).unwrap_err();
            assert_eq!(said, sentence);
        }
        let hook = "[[send]]\nto = \"webhook\"\nurl = \"https://h.example\"\n";
        let said = check(&hook.repeat(2)).unwrap_err();
        assert!(said.contains("another channel of that name"), "{said}");
    }
}
