//! The name of a source.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The length limit of a name.
const LONGEST: usize = 32;

/// The name of a program or device that pushes samples: 1 to 32 lower-case letters, digits and hyphens. It
/// stands in the history beside its minutes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(String);

/// A text that is no name of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{}\" is not the name of a source: use 1 to {LONGEST} lower-case letters, digits and hyphens, such as \"strap\"",
    .0.chars().take(LONGEST + 1).flat_map(char::escape_debug).collect::<String>()
)]
pub struct BadSourceName(String);

impl SourceName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceName {
    type Error = BadSourceName;

    fn try_from(text: String) -> Result<Self, BadSourceName> {
        let is_valid = (1..=LONGEST).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        match is_valid {
            true => Ok(Self(text)),
            false => Err(BadSourceName(text)),
        }
    }
}

impl FromStr for SourceName {
    type Err = BadSourceName;

    fn from_str(text: &str) -> Result<Self, BadSourceName> {
        text.to_owned().try_into()
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        name.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["strap", "polar-h10", "7", &"x".repeat(LONGEST)] {
            assert_eq!(good.parse::<SourceName>().unwrap().as_str(), good);
        }
        for bad in ["", "Strap", "a b", "a/b", "ä", &"x".repeat(LONGEST + 1)] {
            let words = bad.parse::<SourceName>().unwrap_err().to_string();
            assert!(words.contains("is not the name"), "{words}");
        }
    }
}
