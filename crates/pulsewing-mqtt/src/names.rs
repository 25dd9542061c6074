//! The parts of topics: names that are made of few characters, so that no name can change what a topic means.

use std::{fmt, str::FromStr};

/// The longest id of a node and of a wearer, in characters.
const LONGEST: usize = 64;

/// The longest prefix, in characters.
const LONGEST_PREFIX: usize = 128;

/// A name that cannot be part of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The id of a node.
    #[error("a node's id has 1 to {LONGEST} lower-case letters and digits")]
    Node,
    /// The id of a wearer.
    #[error("a wearer's id has 1 to {LONGEST} letters, digits, hyphens and underscores")]
    Wearer,
    /// The prefix of discovery.
    #[error(
        "a prefix has 1 to {LONGEST_PREFIX} letters, digits, hyphens, underscores and dots, and a slash between its levels"
    )]
    Prefix,
}

/// The id of an installation. It is in every topic and in every entity's id, so it never changes: not even
/// when the machine gets another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeId(String);

impl NodeId {
    /// Makes one of random bytes: eight hexadecimal digits.
    #[must_use]
    pub fn from_random(bytes: [u8; 4]) -> Self {
        Self(format!("{:08x}", u32::from_be_bytes(bytes)))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // No underscore: it separates the node from the wearer.
        let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        match (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_right) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError::Node),
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a wearer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WearerId(String);

impl WearerId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WearerId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_right) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError::Wearer),
        }
    }
}

impl fmt::Display for WearerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The prefix of discovery, as it is set in Home Assistant's MQTT integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Returns the prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    /// Returns `homeassistant`, which Home Assistant uses unless it is told otherwise.
    fn default() -> Self {
        Self("homeassistant".to_owned())
    }
}

impl FromStr for Prefix {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_right =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_level = |level: &str| !level.is_empty() && level.bytes().all(is_right);
        match text.len() <= LONGEST_PREFIX && text.split('/').all(is_level) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError::Prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_has_what_means_something_in_a_topic() {
        for wrong in ["", "a/b", "+", "#", "a b", "ü", "$SYS", &"a".repeat(65)] {
            assert_eq!(wrong.parse::<NodeId>(), Err(NameError::Node), "{wrong}");
            assert_eq!(wrong.parse::<WearerId>(), Err(NameError::Wearer), "{wrong}");
        }
        assert_eq!("a_b".parse::<NodeId>(), Err(NameError::Node));
        assert!("Anna_2-x".parse::<WearerId>().is_ok());
        for wrong in ["", "/", "a/", "/a", "a//b", "a/+", "#"] {
            assert_eq!(wrong.parse::<Prefix>(), Err(NameError::Prefix), "{wrong}");
        }
        assert!("home/ha-2".parse::<Prefix>().is_ok());
    }

    #[test]
    fn a_random_node_is_one_that_can_be_read_again() {
        let node = NodeId::from_random([0, 1, 0xab, 0xff]);
        assert_eq!(node.as_str(), "0001abff");
        assert_eq!(node.as_str().parse(), Ok(node));
    }
}
