//! The looks that a picture can have.

use core::{fmt, str::FromStr};

/// A look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Theme {
    /// The original sketch's own picture: see [`classic`](crate::classic).
    Classic,
}

impl Theme {
    /// The word in configuration and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
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
        match name {
            "classic" => Ok(Self::Classic),
            _ => Err(UnknownTheme),
        }
    }
}

/// There is no theme of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTheme;

impl fmt::Display for UnknownTheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the theme is not classic")
    }
}

impl core::error::Error for UnknownTheme {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_themes_name_leads_back_to_it() {
        assert_eq!(Theme::Classic.name().parse(), Ok(Theme::Classic));
        assert_eq!("Classic".parse::<Theme>(), Err(UnknownTheme));
    }
}
