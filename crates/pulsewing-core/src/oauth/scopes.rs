//! The scopes that the wearer granted.

use crate::Provider;

/// The scopes that matter to Pulsewing, as a set. A provider's reply is read as a set too: its order
/// means nothing, and additional scopes do no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u32);

const HEART_RATE: u32 = 1;
const SETTINGS: u32 = 2;
const PROFILE: u32 = 4;

impl Scopes {
    /// No scope.
    pub(crate) const NONE: Self = Self(0);

    /// Every scope that we ask either provider for.
    pub const ALL: Self = Self(HEART_RATE | SETTINGS | PROFILE);

    /// Returns the `scope` parameter of a sign-in.
    ///
    /// Google: heart rate and resting heart rate; paired devices and settings (Google Health API,
    /// Scopes). Fitbit: heart rate; devices; the profile, for the time zone (Fitbit Web API, Scopes).
    #[must_use]
    pub const fn requested(provider: Provider) -> &'static str {
        match provider {
            Provider::Google => concat!(
                "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly",
                " https://www.googleapis.com/auth/googlehealth.settings.readonly"
            ),
            Provider::Fitbit => "heartrate settings profile",
        }
    }

    /// Returns the scopes that a sign-in asks for.
    #[must_use]
    pub fn all_requested(provider: Provider) -> Self {
        Self::parse(Self::requested(provider))
    }

    /// Reads the `scope` member of a token reply: names separated by spaces.
    #[must_use]
    pub fn parse(scope: &str) -> Self {
        Self(
            scope
                .split([' ', '+', ','])
                .map(bit)
                .fold(0, |set, bit| set | bit),
        )
    }

    /// Returns whether heart rate may be read. Without it there is nothing to show.
    #[must_use]
    pub const fn has_heart_rate(self) -> bool {
        self.0 & HEART_RATE != 0
    }

    /// Returns whether the tracker's battery and last sync may be read (and, from Google, the time
    /// zone).
    #[must_use]
    pub const fn has_settings(self) -> bool {
        self.0 & SETTINGS != 0
    }

    /// Returns whether the time zone may be read.
    #[must_use]
    pub const fn has_time_zone(self, provider: Provider) -> bool {
        match provider {
            Provider::Google => self.has_settings(),
            Provider::Fitbit => self.0 & PROFILE != 0,
        }
    }

    /// Returns the set as bits: 1 heart rate, 2 settings, 4 profile.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns the set with these bits; unknown ones are dropped.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }
}

fn bit(name: &str) -> u32 {
    match name {
        "heartrate"
        | "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly" => {
            HEART_RATE
        }
        "settings" | "https://www.googleapis.com/auth/googlehealth.settings.readonly" => SETTINGS,
        "profile" | "https://www.googleapis.com/auth/googlehealth.profile.readonly" => PROFILE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_compare_as_a_set() {
        let granted = Scopes::parse("profile sleep heartrate settings");
        assert_eq!(granted, Scopes::all_requested(Provider::Fitbit));
    }

    #[test]
    fn an_unticked_box_is_seen() {
        let granted =
            Scopes::parse("https://www.googleapis.com/auth/googlehealth.settings.readonly");
        assert!(!granted.has_heart_rate());
        assert!(granted.has_time_zone(Provider::Google));
        assert!(!granted.has_time_zone(Provider::Fitbit));
    }
}
