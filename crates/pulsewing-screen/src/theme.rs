//! The themes of a picture.

use core::{fmt, str::FromStr};

/// A theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Pulsewing's own picture: see [`desk`](crate::desk).
    #[default]
    Desk,
    /// The original sketch's own picture: see [`classic`](crate::classic).
    Classic,
}

impl Theme {
    /// All themes.
    pub const ALL: [Self; 2] = [Self::Desk, Self::Classic];

    /// Returns the name in the configuration and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Classic => "classic",
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|theme| theme.name() == name);
        known.ok_or(UnknownTheme)
    }
}

/// There is no theme of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTheme;

impl fmt::Display for UnknownTheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the theme must be desk or classic")
    }
}

impl core::error::Error for UnknownTheme {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_themes_name_leads_back_to_it() {
        for theme in Theme::ALL {
            assert_eq!(theme.name().parse(), Ok(theme));
        }
        assert_eq!("Classic".parse::<Theme>(), Err(UnknownTheme));
    }
}
