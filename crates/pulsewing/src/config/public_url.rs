//! The address under which others reach the page, such as through a proxy that speaks HTTPS.

use std::fmt;

use reqwest::Url;
use serde::Deserialize;

/// The public address: an origin without a slash at the end, such as `https://pulse.example`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PublicUrl {
    origin: String,
    host: String,
}

impl PublicUrl {
    /// Returns its name or address, without the port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether browsers reach it over HTTPS.
    #[cfg(feature = "fleet")]
    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            "public_url must be an address like https://pulse.example, without a path".to_owned()
        };
        let url = Url::parse(&text).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.to_owned();
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_plain {
            return Err(wrong());
        }
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        match (url.scheme(), is_here) {
            ("https", _) | ("http", true) => Ok(Self {
                origin: url.origin().ascii_serialization(),
                host,
            }),
            _ => Err(
                "public_url must begin with https://, because a sign-in passes there".to_owned(),
            ),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_origin_that_a_sign_in_may_pass() {
        let parsed = |text: &str| PublicUrl::try_from(text.to_owned());
        for (text, shown) in [
            ("https://pulse.example", "https://pulse.example"),
            ("https://Pulse.Example:8443/", "https://pulse.example:8443"),
            ("http://127.0.0.1:7373", "http://127.0.0.1:7373"),
        ] {
            assert_eq!(parsed(text).unwrap().to_string(), shown);
        }
        for text in [
            "pulse.example",
            "http://pulse.example",
            "https://pulse.example/page",
            "https://me@pulse.example",
            "https://pulse.example/?x",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
