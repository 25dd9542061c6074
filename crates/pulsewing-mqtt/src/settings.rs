//! What the embedding program says of the broker and of itself.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{BrokerAddress, NodeId, Prefix};

/// The longest user name and password in bytes: MQTT writes their lengths in two bytes.
const LONGEST: usize = u16::MAX as usize;

/// The broker, and who we are there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the broker is.
    pub broker: BrokerAddress,
    /// Which certificates are trusted; unused unless the address begins with `mqtts://`.
    pub tls: Arc<rustls::ClientConfig>,
    /// Who we are, if the broker asks.
    pub login: Option<Login>,
    /// The id of this installation.
    pub node: NodeId,
    /// The prefix of discovery.
    pub prefix: Prefix,
    /// What Home Assistant shows of the program.
    pub product: Product,
}

/// What Home Assistant shows of the program.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its version.
    pub version: String,
    /// Where to read about it.
    pub url: String,
    /// The page with the wearers, if other machines can open it.
    pub page: Option<String>,
    /// The names of the heart-rate zones, lowest first.
    pub zones: Vec<String>,
}

/// A user name, and a password if there is one.
#[derive(Clone)]
pub struct Login {
    username: String,
    password: Zeroizing<String>,
}

/// A user name or a password is longer than MQTT can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user name and a password have at most {LONGEST} bytes")]
pub struct LoginError;

impl Login {
    /// Takes a user name and a password, which may be empty.
    ///
    /// # Errors
    /// [`LoginError`].
    pub fn new(username: String, password: Zeroizing<String>) -> Result<Self, LoginError> {
        match username.len() <= LONGEST && password.len() <= LONGEST {
            true => Ok(Self { username, password }),
            false => Err(LoginError),
        }
    }

    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let login = Login::new("pulse".to_owned(), "hushhush".to_owned().into()).unwrap();
        let shown = format!("{login:?}");
        assert!(
            shown.contains("pulse") && !shown.contains("hush"),
            "{shown}"
        );
        let long = "x".repeat(LONGEST + 1);
        assert!(Login::new(long.clone(), Zeroizing::default()).is_err());
        assert!(Login::new(String::new(), long.into()).is_err());
    }
}
