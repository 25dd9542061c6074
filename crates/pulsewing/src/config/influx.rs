//! The InfluxDB to which the minutes are copied.

use std::{fmt, path::PathBuf};

use pulsewing_files::regular_file;
use reqwest::{Url, header::HeaderValue};
use serde::{Deserialize, Deserializer, de::Error as _};
use zeroize::Zeroizing;

use super::endpoints::is_loopback;
use crate::tell::problem::Problem;

/// The size limit for reading a token's file, in bytes.
const MAX_TOKEN: u64 = 4_096;

/// An InfluxDB. Without an address nothing is copied.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InfluxConfig {
    /// Its address, such as `http://127.0.0.1:8086`; a path may lead to it through a proxy.
    #[serde(deserialize_with = "address")]
    pub url: Option<Url>,
    /// The organisation, which InfluxDB 2 wants to know.
    pub org: Option<String>,
    /// The bucket; InfluxDB 3 calls it a database.
    pub bucket: Option<String>,
    /// The file with the token. The path is relative to the configuration file.
    pub token_file: Option<PathBuf>,
    /// Whether `http://` may be used beyond this machine.
    pub allow_http: bool,
}

/// A token of InfluxDB.
#[derive(Clone)]
pub(crate) struct InfluxToken(Zeroizing<String>);

impl InfluxToken {
    /// Returns the value of the header `Authorization`.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Token {}", self.0.as_str()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns whether it is in a text, which must not be shown then.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        text.contains(self.0.as_str())
    }
}

impl fmt::Debug for InfluxToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InfluxToken(..)")
    }
}

impl InfluxConfig {
    /// Checks that the settings belong together. `keeps` is whether a history is kept.
    ///
    /// # Errors
    /// A [`Problem`] that says what is missing.
    pub(super) fn check(&self, keeps: bool) -> Result<(), Problem> {
        let Some(url) = &self.url else {
            let has_any = self.bucket.is_some() || self.org.is_some() || self.token_file.is_some();
            return match has_any {
                true => Err(Problem::failed("[influx] has no url, so nothing is copied")
                    .hint("say where it is, such as with url = \"http://127.0.0.1:8086\"")),
                false => Ok(()),
            };
        };
        if self.bucket.as_ref().is_none_or(String::is_empty) {
            return Err(Problem::failed("[influx] has no bucket")
                .hint("say where the minutes go, such as with bucket = \"pulsewing\""));
        }
        if !keeps {
            return Err(Problem::failed(
                "[influx] copies the history, but [history] keep = \"none\" keeps none",
            )
            .hint("keep at least some days, such as with keep = \"60 days\""));
        }
        if url.scheme() == "http" && !self.allow_http && !is_loopback(url) {
            return Err(Problem::failed(
                "[influx] url uses http:// to another machine, so anybody on the way can read the token and the heart rate",
            )
            .hint("use https://, or set `allow_http = true` in [influx] if you are sure"));
        }
        Ok(())
    }

    /// Reads the token.
    ///
    /// # Errors
    /// A [`Problem`] with its file.
    pub(crate) fn token(&self) -> Result<Option<InfluxToken>, Problem> {
        let Some(path) = &self.token_file else {
            return Ok(None);
        };
        let refuse =
            |why: &str| Problem::failed(format!("[influx] token_file {} {why}", path.display()));
        let text = regular_file::read_text(path, MAX_TOKEN).map(Zeroizing::new);
        let text = text.map_err(|error| refuse("cannot be read").caused_by(&error))?;
        let token = InfluxToken(Zeroizing::new(text.trim().to_owned()));
        if token.0.is_empty() {
            return Err(refuse("is empty"));
        }
        if token.0.contains(char::is_whitespace) || token.header().is_none() {
            return Err(refuse("must hold one token and nothing else"));
        }
        Ok(Some(token))
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(from)?;
    // The error does not repeat the text, which may hold a password.
    let wrong = || D::Error::custom("url must be an address like http://127.0.0.1:8086");
    let url = Url::parse(&text).map_err(|_| wrong())?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if is_plain && url.has_host() => Ok(Some(url)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn message(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let ok = "[influx]\nurl = \"http://127.0.0.1:8086\"\nbucket = \"b\"\norg = \"o\"";
        Config::parse(ok).unwrap();
        assert!(message("[influx]\nbucket = \"b\"").contains("no url"));
        assert!(message("[influx]\nurl = \"http://127.0.0.1:8086\"").contains("no bucket"));
        let none = format!("{ok}\n[history]\nkeep = \"none\"");
        assert!(message(&none).contains("keeps none"));
        let far = ok.replace("127.0.0.1", "192.0.2.7");
        assert!(message(&far).contains("anybody on the way"));
        Config::parse(&format!("{far}\nallow_http = true")).unwrap();
        Config::parse(&far.replace("http:", "https:")).unwrap();
        let wrong = message("[influx]\nurl = \"http://me:hush@127.0.0.1\"\nbucket = \"b\"");
        assert!(
            wrong.contains("in line 2") && !wrong.contains("hush"),
            "{wrong}"
        );
    }

    #[test]
    fn a_token_is_one_word_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let config = InfluxConfig {
            token_file: Some(file.clone()),
            ..InfluxConfig::default()
        };
        let token = |text: &str| {
            std::fs::write(&file, text).unwrap();
            config.token()
        };
        let read = token("hush-hush==\n").unwrap().unwrap();
        assert_eq!(format!("{read:?}"), "InfluxToken(..)");
        assert_eq!(read.header().unwrap(), "Token hush-hush==");
        assert!(!format!("{:?}", read.header()).contains("hush"));
        assert!(token("\n").unwrap_err().to_string().contains("is empty"));
        let two = token("hush hush").unwrap_err().to_string();
        assert!(two.contains("one token") && !two.contains("hush"), "{two}");
    }
}
