//! Notifications of the Google Health API.

use pulsewing_webhook::Secret;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Notifications. Without a secret none are accepted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookConfig {
    /// What Google repeats in the header `Authorization` of all that it sends: a scheme and a secret.
    #[serde(deserialize_with = "secret")]
    pub secret: Option<Secret>,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    let text = String::deserialize(from)?;
    // The error does not repeat the text.
    Secret::new(text).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let text = "[webhook]\nsecret = \"Bearer 0123456789abcdef0123456789abcdef\"";
        let config = Config::parse(text).unwrap();
        assert!(config.webhook.secret.is_some());
        assert!(!format!("{config:?}").contains("0123456789abcdef"));
        let message = Config::parse("[webhook]\nsecret = \"hushhush\"").unwrap_err();
        assert!(!message.to_string().contains("hush"), "{message}");
    }
}
