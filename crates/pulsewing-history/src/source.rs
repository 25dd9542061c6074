//! The sources of minutes, and their ranking.

use std::fmt;

use pulsewing_core::Provider;

/// The maximum length of a stored device name, in characters.
const MAX_DEVICE: usize = 64;

/// The kind of a source, best first: if two kinds have the same minute, the earlier one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Samples that a program sent for a wearer, such as those of a chest strap. Its device is the name
    /// of the sender's token. They were measured by what the household chose to trust, so they come
    /// before a cloud's averages of the same minute.
    Push,
    /// The Google Health API.
    Google,
    /// The Fitbit Web API.
    Fitbit,
    /// The CSV files of an export: `heart_rate_YYYY-MM-DD.csv`.
    ExportCsv,
    /// The JSON files of an export: `heart_rate-YYYY-MM-DD.json`.
    ExportJson,
    /// Any other recording: CSV with the columns `time,bpm`.
    Recording,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Push,
        Self::Google,
        Self::Fitbit,
        Self::ExportCsv,
        Self::ExportJson,
        Self::Recording,
    ];

    /// Returns the name under which it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Google => "google",
            Self::Fitbit => "fitbit",
            Self::ExportCsv => "export-csv",
            Self::ExportJson => "export-json",
            Self::Recording => "recording",
        }
    }
}

/// The source of minutes: its kind, and its device or app, if it names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    kind: Kind,
    device: String,
}

impl Source {
    /// Builds a source without a device.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            device: String::new(),
        }
    }

    /// Builds a source with its device. Keeps at most 64 characters of the name, without control
    /// characters.
    #[must_use]
    pub fn with_device(kind: Kind, device: &str) -> Self {
        let device = device
            .trim()
            .chars()
            .filter(|character| !character.is_control())
            .take(MAX_DEVICE)
            .collect();
        Self { kind, device }
    }

    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the device or app; empty when the source names none.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, device) = text.split_once('/').unwrap_or((text, ""));
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
        Some(Self {
            kind,
            device: device.to_owned(),
        })
    }
}

impl From<Provider> for Source {
    fn from(provider: Provider) -> Self {
        Self::new(match provider {
            Provider::Google => Kind::Google,
            Provider::Fitbit => Kind::Fitbit,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.device.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_back_as_it_was_written() {
        for kind in Kind::ALL {
            for source in [
                Source::new(kind),
                Source::with_device(kind, " Charge 6 "),
                Source::with_device(kind, "a/b, \"c\""),
            ] {
                assert_eq!(Source::parse(&source.to_string()), Some(source));
            }
        }
        assert_eq!(Source::parse("garmin"), None);
        let long = Source::with_device(Kind::ExportCsv, &"\u{1b}[2Jx".repeat(100));
        assert_eq!(long.device().chars().count(), MAX_DEVICE);
        assert!(!long.device().contains('\u{1b}'));
    }
}
