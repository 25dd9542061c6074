//! The two clouds.

/// The provider, and so the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// The Google Health API v4.
    Google,
    /// The Fitbit Web API, which Google switched off on 2 November 2026; gateways, archives and
    /// the sandbox still speak it.
    Fitbit,
}

impl Provider {
    /// Returns the word for configuration, commands and machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Fitbit => "fitbit",
        }
    }

    /// Returns the name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Google => "Google Health",
            Self::Fitbit => "Fitbit",
        }
    }

    /// Returns whether every refresh spends the refresh token and brings the next one
    /// (Fitbit Web API, Refresh Token). Google keeps the one it gave.
    #[must_use]
    pub const fn rotates(self) -> bool {
        matches!(self, Self::Fitbit)
    }
}

impl core::fmt::Display for Provider {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.title())
    }
}

impl core::str::FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "google" => Ok(Self::Google),
            "fitbit" => Ok(Self::Fitbit),
            _ => Err(UnknownProvider),
        }
    }
}

/// A text is neither `google` nor `fitbit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider must be google or fitbit")]
pub struct UnknownProvider;
