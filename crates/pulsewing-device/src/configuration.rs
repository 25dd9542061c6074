//! Derives the configuration of the device's parts from the settings.

use core::time::Duration;

use jiff::{Timestamp, civil::Time, tz::Offset};
use pulsewing_core::{
    Provider,
    civil::Offsets,
    cycle,
    dialect::ZoneFacts,
    look::Brightness,
    reading::{TimeZone, ZoneName, ZoneSource},
    request::Endpoint,
};
use pulsewing_screen::Palette;
use pulsewing_store::{
    Settings,
    settings::{Origin, PaletteChoice},
};

use crate::{posix_tz::Rule, shared::Ssid};

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: heapless::String<64>,
    pub(crate) port: u16,
    pub(crate) is_tls: bool,
    /// Where to connect instead; empty to connect to `host`.
    pub(crate) connect: heapless::String<64>,
}

/// Returns the server of an endpoint: the configured one, or the provider's own.
pub(crate) fn server(settings: &Settings, endpoint: Endpoint) -> Server {
    let endpoints = &settings.endpoints;
    let (configured, own) = match (endpoint, settings.provider) {
        (Endpoint::Api, Provider::Google) => (&endpoints.api, "health.googleapis.com"),
        (Endpoint::Api, Provider::Fitbit) => (&endpoints.api, "api.fitbit.com"),
        (Endpoint::Token | Endpoint::Revoke, Provider::Google) => {
            (&endpoints.token, "oauth2.googleapis.com")
        }
        (Endpoint::Token | Endpoint::Revoke, Provider::Fitbit) => {
            (&endpoints.token, "api.fitbit.com")
        }
    };
    match configured {
        Some(origin) => Server {
            host: origin.host.clone(),
            port: origin.port,
            is_tls: origin.is_tls,
            connect: endpoints.connect.clone(),
        },
        None => Server {
            host: heapless::String::try_from(own).unwrap_or_default(),
            port: 443,
            is_tls: true,
            connect: endpoints.connect.clone(),
        },
    }
}

/// Returns the settings of the cycle.
pub(crate) fn cycle_settings(settings: &Settings) -> cycle::Settings {
    let token = server(settings, Endpoint::Token);
    let issuer = Origin {
        is_tls: token.is_tls,
        host: token.host,
        port: token.port,
    };
    cycle::Settings {
        provider: settings.provider,
        issuer: issuer.to_text(),
        // The chain brings its client.
        client_id: None,
        client_secret: None,
        user_id: None,
        every: every(settings),
        hourly_cap: settings.hourly_cap,
        heart_zones: settings.heart_zones,
        born: settings.born,
        // Google's access tokens are cheap to renew; an hourly write over years is not.
        cache_access: false,
        deadline: None,
    }
}

/// Returns whether a change between two settings needs a new cycle.
pub(crate) fn differ_for_the_cycle(one: &Settings, other: &Settings) -> bool {
    one.provider != other.provider
        || one.endpoints != other.endpoints
        || one.poll_every_s != other.poll_every_s
        || one.hourly_cap != other.hourly_cap
        || one.heart_zones != other.heart_zones
        || one.born != other.born
        || one.time_zone != other.time_zone
        || one.zone_rule != other.zone_rule
}

/// Returns whether a change between two settings takes effect only after a restart.
pub(crate) fn need_restart(one: &Settings, other: &Settings) -> bool {
    one.spi_hz != other.spi_hz
}

/// Returns the polling interval.
pub(crate) fn every(settings: &Settings) -> Duration {
    Duration::from_secs(settings.poll_every_s.into())
}

/// Returns how long to send nothing after a start.
pub(crate) fn hold_off(settings: &Settings) -> Duration {
    Duration::from_secs(settings.hold_off_s.into())
}

/// Returns the picture's colours at this time on the wearer's clock.
pub(crate) fn palette(settings: &Settings, now: Option<Time>) -> Palette {
    match settings.palette {
        PaletteChoice::Always(palette) => palette,
        PaletteChoice::Auto => match (settings.night, now) {
            (Some(night), Some(now)) if night.has(now) => Palette::Night,
            _ => Palette::Day,
        },
    }
}

/// Returns the backlight's brightness at this time on the wearer's clock.
pub(crate) fn brightness(settings: &Settings, now: Option<Time>, must_be_seen: bool) -> Brightness {
    settings.backlight.at(now, settings.night, must_be_seen)
}

/// Returns the names of the known networks, best first.
pub(crate) fn networks(settings: &Settings) -> impl Iterator<Item = &Ssid> {
    settings
        .wifi
        .iter()
        .map(|network| &network.ssid)
        .filter(|ssid| !ssid.is_empty())
}

/// Returns the zone that the settings name, around an instant: UTC if they name none.
pub(crate) fn zone(settings: &Settings, at: Timestamp) -> TimeZone {
    let rule = settings
        .zone_rule
        .as_ref()
        .and_then(|rule| Rule::parse(rule.as_str()));
    match rule {
        Some(rule) => TimeZone {
            name: settings.time_zone.clone(),
            source: if settings.time_zone.is_empty() {
                ZoneSource::Provisioned
            } else {
                ZoneSource::Configured
            },
            offsets: rule.offsets_around(at),
        },
        // There is no zone database here, so a name alone is not enough.
        None => TimeZone {
            name: ZoneName::new(),
            source: ZoneSource::Machine,
            offsets: Offsets::fixed(Offset::UTC),
        },
    }
}

/// Returns the wearer's zone: the cloud's, or else the one from the settings.
///
/// The board knows the rule of only one zone. If the cloud names that one, the rule also gives its
/// clock changes; if the cloud names another, its current offset has to do.
pub(crate) fn resolve_zone(settings: &Settings, facts: &ZoneFacts, at: Timestamp) -> TimeZone {
    let own = zone(settings, at);
    let is_own = facts.name.as_ref() == Some(&own.name);
    match (is_own, facts.offset) {
        (true, _) => TimeZone {
            source: ZoneSource::Cloud,
            ..own
        },
        (false, Some(offset)) => TimeZone {
            name: facts.name.clone().unwrap_or_default(),
            source: ZoneSource::Cloud,
            offsets: Offsets::fixed(offset),
        },
        (false, None) => own,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_testkit::at;

    use super::*;

    fn berlin() -> Settings {
        let mut settings = Settings::default();
        settings.set("wearer.time_zone", "Europe/Berlin").unwrap();
        let rule = "CET-1CEST,M3.5.0,M10.5.0/3";
        settings.set("wearer.zone_rule", rule).unwrap();
        settings
    }

    fn facts(name: &str, offset: Option<i8>) -> ZoneFacts {
        ZoneFacts {
            name: (!name.is_empty()).then(|| name.try_into().unwrap()),
            offset: offset.map(Offset::constant),
        }
    }

    #[test]
    fn the_clouds_zone_has_the_stored_rule_if_the_names_agree() {
        let now = at("2026-10-24T12:00:00Z");
        let zone = resolve_zone(&berlin(), &facts("Europe/Berlin", Some(2)), now);
        assert_eq!(zone.source, ZoneSource::Cloud);
        assert_eq!(zone.offsets.day(date(2026, 10, 25)).minutes(), 1_500);
        let zone = resolve_zone(&berlin(), &facts("Asia/Tokyo", Some(9)), now);
        assert_eq!(
            (zone.source, &*zone.name),
            (ZoneSource::Cloud, "Asia/Tokyo")
        );
        assert_eq!(zone.offsets.at(now), Offset::constant(9));
    }

    #[test]
    fn without_the_clouds_word_it_is_the_configured_one_then_the_rule_then_utc() {
        let now = at("2026-11-22T12:00:00Z");
        let silent = facts("", None);
        let zone = resolve_zone(&berlin(), &silent, now);
        assert_eq!(
            (zone.source, &*zone.name),
            (ZoneSource::Configured, "Europe/Berlin")
        );
        assert_eq!(zone.offsets.at(now), Offset::constant(1));
        let mut nameless = berlin();
        nameless.set("wearer.time_zone", "").unwrap();
        let zone = resolve_zone(&nameless, &facts("Asia/Tokyo", None), now);
        assert_eq!((zone.source, &*zone.name), (ZoneSource::Provisioned, ""));
        let zone = resolve_zone(&Settings::default(), &silent, now);
        assert_eq!(zone.source, ZoneSource::Machine);
        assert_eq!(zone.offsets.at(now), Offset::UTC);
    }

    #[test]
    fn the_palette_follows_the_night() {
        let mut settings = Settings::default();
        settings.set("screen.palette", "auto").unwrap();
        settings.set("screen.night", "22:00-07:00").unwrap();
        let at = |hour| palette(&settings, Some(jiff::civil::time(hour, 30, 0, 0)));
        assert_eq!(
            (at(23), at(6), at(7)),
            (Palette::Night, Palette::Night, Palette::Day)
        );
        assert_eq!(palette(&settings, None), Palette::Day);
    }

    #[test]
    fn the_issuer_is_the_origin_of_the_token_endpoint() {
        let mut settings = Settings::default();
        settings.set("provider", "fitbit").unwrap();
        assert_eq!(cycle_settings(&settings).issuer, "https://api.fitbit.com");
        settings
            .set("endpoint.token", "https://cloud.example:8443")
            .unwrap();
        assert_eq!(
            cycle_settings(&settings).issuer,
            "https://cloud.example:8443"
        );
        let api = server(&settings, Endpoint::Api);
        assert_eq!((&*api.host, api.port), ("api.fitbit.com", 443));
    }
}
