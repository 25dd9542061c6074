//! The status that a board reports.

use std::time::Duration;

use pulsewing_core::Provider;

use crate::SessionError;

/// The reply to `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    rows: Vec<(String, String)>,
}

/// The status of a board's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardChain {
    /// The board has none.
    Missing,
    /// The board has this one.
    Held(Held),
    /// The board cannot tell; the text is its own.
    Unclear(String),
}

/// A chain that a board holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The provider that issued it.
    pub provider: Provider,
    /// How many sign-ins and rotations there have been.
    pub generation: u32,
    /// `active` or `refused`.
    pub standing: String,
    /// The fingerprint of the refresh token.
    pub fingerprint: String,
}

impl Status {
    /// Parses the lines of a reply.
    ///
    /// # Errors
    /// [`SessionError::Nonsense`] if the reply does not identify the board.
    pub fn parse(lines: &[String]) -> Result<Self, SessionError> {
        let status = Self {
            rows: lines
                .iter()
                .filter_map(|line| line.split_once(':'))
                .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        };
        if status.get("board").is_none() || status.serial().is_empty() {
            return Err(SessionError::Nonsense("it does not say which board it is"));
        }
        Ok(status)
    }

    /// Returns whether a line is the first of such a reply.
    #[must_use]
    pub fn begins_with(line: &str) -> bool {
        line.starts_with("board: ")
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.rows
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the board's kind.
    #[must_use]
    pub fn board(&self) -> &str {
        self.get("board").unwrap_or_default()
    }

    /// Returns the number that no other board has.
    #[must_use]
    pub fn serial(&self) -> &str {
        self.get("serial").unwrap_or_default()
    }

    /// Returns how long it has been running.
    #[must_use]
    pub fn uptime(&self) -> Option<Duration> {
        let seconds = self.get("uptime")?.strip_suffix(" s")?;
        seconds.parse().ok().map(Duration::from_secs)
    }

    /// Returns all keys and values, in the board's order.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns the status of its chain.
    #[must_use]
    pub fn chain(&self) -> BoardChain {
        match self.get("chain") {
            Some("none") => BoardChain::Missing,
            Some(text) => match Held::parse(text) {
                Some(held) => BoardChain::Held(held),
                None => BoardChain::Unclear(text.to_owned()),
            },
            None => BoardChain::Unclear("it does not report a chain".into()),
        }
    }
}

impl Held {
    /// Parses `fitbit generation 3 active fingerprint 0123456789ab`. A chain that was just stored
    /// is active, so `active` may be missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (provider, generation, standing, fingerprint) = match words.as_slice() {
            [p, "generation", g, "fingerprint", f] => (p, g, "active", f),
            [p, "generation", g, standing, "fingerprint", f] => (p, g, *standing, f),
            _ => return None,
        };
        let is_fingerprint =
            fingerprint.len() == 12 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_fingerprint.then_some(())?;
        Some(Self {
            provider: provider.parse().ok()?,
            generation: generation.parse().ok()?,
            standing: standing.to_owned(),
            fingerprint: fingerprint.to_ascii_lowercase(),
        })
    }

    /// Returns whether it may be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.standing == "active"
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} generation {} {} fingerprint {}",
            self.provider.name(),
            self.generation,
            self.standing,
            self.fingerprint
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(chain: &str) -> Status {
        let lines = [
            "board: virt",
            "serial: 00ff",
            "time: 2026-11-22T12:00:00Z",
            chain,
        ];
        Status::parse(&lines.map(str::to_owned)).unwrap()
    }

    #[test]
    fn keys_and_values_are_read_in_order() {
        let status = status("chain: none");
        assert_eq!((status.board(), status.serial()), ("virt", "00ff"));
        assert_eq!(status.get("time"), Some("2026-11-22T12:00:00Z"));
        assert_eq!(status.chain(), BoardChain::Missing);
        assert_eq!(status.rows().count(), 4);
        assert!(Status::parse(&["uptime: 3 s".to_owned()]).is_err());
    }

    #[test]
    fn a_chain_comes_back_as_it_is_written() {
        let text = "fitbit generation 3 active fingerprint 0123456789ab";
        match status(&format!("chain: {text}")).chain() {
            BoardChain::Held(held) => {
                assert!(held.is_active());
                assert_eq!(held.to_string(), text);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_none() {
        for text in [
            "",
            "chain: damaged",
            "chain: fitbit generation 3 active fingerprint 0123",
            "chain: fitbit generation x active fingerprint 0123456789ab",
        ] {
            assert!(
                matches!(status(text).chain(), BoardChain::Unclear(_)),
                "{text}"
            );
        }
    }
}
