//! Settings by name: what `set` and `show` on the console are made of.

use core::fmt;

use pulsewing_core::{Bpm, Provider, heart_zone::HeartZones};

use super::{
    HostName, MAX_NETWORKS, MAX_SNTP, Origin, PaletteChoice, Settings, Theme, WifiNetwork,
    WifiPassword, values::is_host_with_port,
};

/// A setting that can be set alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingName {
    /// A network's name; the index counts from 0.
    WifiSsid(usize),
    /// A network's password.
    WifiPassword(usize),
    /// The provider.
    Provider,
    /// Where the wearer signs in.
    AuthOrigin,
    /// Where tokens are refreshed.
    TokenOrigin,
    /// Where the data is.
    ApiOrigin,
    /// Whether plain HTTP is allowed.
    PlainHttp,
    /// Where to connect instead.
    Connect,
    /// The poll interval.
    PollEvery,
    /// Requests an hour.
    HourlyCap,
    /// The wait after a start.
    HoldOff,
    /// The theme.
    Theme,
    /// The palette.
    Palette,
    /// The night.
    Night,
    /// The panel's clock.
    SpiClock,
    /// The wearer's name.
    WearerName,
    /// The wearer's heart-rate zones.
    HeartZones,
    /// The time zone's name.
    TimeZone,
    /// The time zone's rule.
    ZoneRule,
    /// An SNTP server; the index counts from 0.
    Sntp(usize),
}

impl SettingName {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 28] = [
        Self::WifiSsid(0),
        Self::WifiPassword(0),
        Self::WifiSsid(1),
        Self::WifiPassword(1),
        Self::WifiSsid(2),
        Self::WifiPassword(2),
        Self::WifiSsid(3),
        Self::WifiPassword(3),
        Self::Provider,
        Self::AuthOrigin,
        Self::TokenOrigin,
        Self::ApiOrigin,
        Self::PlainHttp,
        Self::Connect,
        Self::PollEvery,
        Self::HourlyCap,
        Self::HoldOff,
        Self::Theme,
        Self::Palette,
        Self::Night,
        Self::SpiClock,
        Self::WearerName,
        Self::HeartZones,
        Self::TimeZone,
        Self::ZoneRule,
        Self::Sntp(0),
        Self::Sntp(1),
        Self::Sntp(2),
    ];

    /// The word that it is set by.
    #[must_use]
    pub fn name(self) -> &'static str {
        const SSIDS: [&str; MAX_NETWORKS] =
            ["wifi.1.ssid", "wifi.2.ssid", "wifi.3.ssid", "wifi.4.ssid"];
        const PASSWORDS: [&str; MAX_NETWORKS] = [
            "wifi.1.password",
            "wifi.2.password",
            "wifi.3.password",
            "wifi.4.password",
        ];
        const SNTP: [&str; MAX_SNTP] = ["sntp.1", "sntp.2", "sntp.3"];
        match self {
            Self::WifiSsid(index) => SSIDS.get(index).copied().unwrap_or_default(),
            Self::WifiPassword(index) => PASSWORDS.get(index).copied().unwrap_or_default(),
            Self::Provider => "provider",
            Self::AuthOrigin => "endpoint.auth",
            Self::TokenOrigin => "endpoint.token",
            Self::ApiOrigin => "endpoint.api",
            Self::PlainHttp => "endpoint.plain_http",
            Self::Connect => "endpoint.connect",
            Self::PollEvery => "poll.every",
            Self::HourlyCap => "poll.hourly_cap",
            Self::HoldOff => "poll.hold_off",
            Self::Theme => "screen.theme",
            Self::Palette => "screen.palette",
            Self::Night => "screen.night",
            Self::SpiClock => "screen.spi_clock",
            Self::WearerName => "wearer.name",
            Self::HeartZones => "wearer.zones",
            Self::TimeZone => "wearer.time_zone",
            Self::ZoneRule => "wearer.zone_rule",
            Self::Sntp(index) => SNTP.get(index).copied().unwrap_or_default(),
        }
    }

    /// The setting of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a setting could not be set. It was left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// There is no setting of that name.
    #[error("there is no such setting")]
    UnknownName,
    /// The value is too long.
    #[error("at most {0} bytes")]
    TooLong(usize),
    /// It is not a whole number within the range.
    #[error("a whole number from {0} to {1}")]
    Number(u32, u32),
    /// It is none of the words.
    #[error("one of: {0}")]
    Choice(&'static str),
    /// It holds a control character.
    #[error("no control characters")]
    Text,
    /// It is no Wi-Fi password.
    #[error("8 to 63 characters of ASCII")]
    Password,
    /// It is no origin.
    #[error("https://host or https://host:port, nothing after it")]
    Origin,
    /// It is plain HTTP, and that is not allowed.
    #[error("plain http is only for tests: set endpoint.plain_http yes first")]
    PlainHttp,
    /// Plain HTTP is in use.
    #[error("an endpoint uses plain http: change that one first")]
    PlainHttpInUse,
    /// It is no span of time.
    #[error("from and to, such as 22:00-06:30")]
    Night,
    /// They are no zones.
    #[error("four rising heart rates of 1 to 300 bpm, such as 90,110,135,160")]
    HeartZones,
    /// It is no zone's name.
    #[error("an IANA name such as Europe/Berlin")]
    TimeZone,
    /// It is no rule.
    #[error("a POSIX rule such as CET-1CEST,M3.5.0,M10.5.0/3")]
    ZoneRule,
    /// It is no host.
    #[error("a host name or an IP address, perhaps with a port")]
    Host,
}

/// A setting's value as people may see it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'s> {
    settings: &'s Settings,
    name: SettingName,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings;
        let origin = |f: &mut fmt::Formatter<'_>, origin: &Option<Origin>| match origin {
            Some(origin) => origin.fmt(f),
            None => Ok(()),
        };
        match self.name {
            SettingName::WifiSsid(index) => match settings.wifi.get(index) {
                Some(network) => f.write_str(&network.ssid),
                None => Ok(()),
            },
            SettingName::WifiPassword(index) => match settings.wifi.get(index) {
                Some(network) if network.password.is_some() => f.write_str("(set)"),
                _ => Ok(()),
            },
            SettingName::Provider => f.write_str(settings.provider.name()),
            SettingName::AuthOrigin => origin(f, &settings.endpoints.auth),
            SettingName::TokenOrigin => origin(f, &settings.endpoints.token),
            SettingName::ApiOrigin => origin(f, &settings.endpoints.api),
            SettingName::PlainHttp => f.write_str(if settings.endpoints.allows_plain_http {
                "yes"
            } else {
                "no"
            }),
            SettingName::Connect => f.write_str(&settings.endpoints.connect),
            SettingName::PollEvery => settings.poll_every_s.fmt(f),
            SettingName::HourlyCap => settings.hourly_cap.fmt(f),
            SettingName::HoldOff => settings.hold_off_s.fmt(f),
            SettingName::Theme => f.write_str(settings.theme.name()),
            SettingName::Palette => f.write_str(settings.palette.name()),
            SettingName::Night => settings.night.map_or(Ok(()), |night| night.fmt(f)),
            SettingName::SpiClock => settings.spi_hz.fmt(f),
            SettingName::WearerName => f.write_str(&settings.wearer_name),
            SettingName::HeartZones => match settings.heart_zones {
                Some(zones) => {
                    let [light, moderate, vigorous, peak] = zones.limits().map(Bpm::get);
                    write!(f, "{light},{moderate},{vigorous},{peak}")
                }
                None => Ok(()),
            },
            SettingName::TimeZone => f.write_str(&settings.time_zone),
            SettingName::ZoneRule => settings
                .zone_rule
                .as_ref()
                .map_or(Ok(()), |rule| f.write_str(rule.as_str())),
            SettingName::Sntp(index) => match settings.sntp.get(index) {
                Some(server) => f.write_str(server),
                None => Ok(()),
            },
        }
    }
}

impl Settings {
    /// The value of a setting as people may see it: of a secret only that it is set. `None` if
    /// there is no such setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Shown<'_>> {
        let name = SettingName::find(name)?;
        Some(Shown {
            settings: self,
            name,
        })
    }

    /// Every setting as people may see it.
    pub fn entries(&self) -> impl Iterator<Item = (SettingName, Shown<'_>)> {
        SettingName::ALL.into_iter().map(|name| {
            let shown = Shown {
                settings: self,
                name,
            };
            (name, shown)
        })
    }

    /// Sets one setting from its text; an empty one brings its default back.
    ///
    /// | name | value |
    /// |---|---|
    /// | `wifi.1.ssid` to `wifi.4.ssid` | 1 to 32 bytes |
    /// | `wifi.1.password` to `wifi.4.password` | 8 to 63 characters of ASCII; none: an open network |
    /// | `provider` | `google`, `fitbit` |
    /// | `endpoint.auth`, `.token`, `.api` | an origin; none: the provider's own |
    /// | `endpoint.plain_http` | `yes`, `no` |
    /// | `endpoint.connect` | a host, perhaps with a port; none: the endpoints themselves |
    /// | `poll.every` | 5 to 86,400 seconds; providers want no less than 60 |
    /// | `poll.hourly_cap` | 4 to 10,000 requests; providers allow some 150 |
    /// | `poll.hold_off` | 0 to 3,600 seconds |
    /// | `screen.theme` | `desk`, `classic` |
    /// | `screen.palette` | `auto`, `day`, `dim`, `night` |
    /// | `screen.night` | such as `22:00-06:30` |
    /// | `screen.spi_clock` | 1,000,000 to 40,000,000 Hz |
    /// | `wearer.name` | up to 32 bytes |
    /// | `wearer.zones` | such as `90,110,135,160` bpm |
    /// | `wearer.time_zone` | an IANA name |
    /// | `wearer.zone_rule` | a POSIX rule |
    /// | `sntp.1` to `sntp.3` | a host, perhaps with a port |
    ///
    /// # Errors
    /// [`SettingError`]; it says what would have been right.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let name = SettingName::find(name).ok_or(SettingError::UnknownName)?;
        if value.chars().any(char::is_control) {
            return Err(SettingError::Text);
        }
        if value.is_empty() {
            return self.unset(name);
        }
        match name {
            SettingName::WifiSsid(index) => {
                let ssid = value.try_into().map_err(|_| SettingError::TooLong(32))?;
                if let Some(network) = self.wifi.get_mut(index) {
                    network.ssid = ssid;
                }
            }
            SettingName::WifiPassword(index) => {
                let password = WifiPassword::new(value)?;
                if let Some(network) = self.wifi.get_mut(index) {
                    network.password = Some(password);
                }
            }
            SettingName::Provider => {
                self.provider = choose([Provider::Google, Provider::Fitbit], value, |p| p.name())
                    .ok_or(SettingError::Choice("google, fitbit"))?;
            }
            SettingName::AuthOrigin => self.endpoints.auth = Some(self.origin(value)?),
            SettingName::TokenOrigin => self.endpoints.token = Some(self.origin(value)?),
            SettingName::ApiOrigin => self.endpoints.api = Some(self.origin(value)?),
            SettingName::PlainHttp => self.set_plain_http(match value {
                "yes" => true,
                "no" => false,
                _ => return Err(SettingError::Choice("yes, no")),
            })?,
            SettingName::Connect => self.endpoints.connect = host(value)?,
            SettingName::PollEvery => self.poll_every_s = number(value, 5, 86_400)?,
            SettingName::HourlyCap => self.hourly_cap = number(value, 4, 10_000)?,
            SettingName::HoldOff => self.hold_off_s = number(value, 0, 3_600)?,
            SettingName::Theme => {
                self.theme = choose([Theme::Desk, Theme::Classic], value, Theme::name)
                    .ok_or(SettingError::Choice("desk, classic"))?;
            }
            SettingName::Palette => {
                self.palette = choose(PaletteChoice::ALL, value, PaletteChoice::name)
                    .ok_or(SettingError::Choice("auto, day, dim, night"))?;
            }
            SettingName::Night => self.night = Some(value.parse()?),
            SettingName::SpiClock => self.spi_hz = number(value, 1_000_000, 40_000_000)?,
            SettingName::WearerName => {
                self.wearer_name = value.try_into().map_err(|_| SettingError::TooLong(32))?;
            }
            SettingName::HeartZones => self.heart_zones = Some(heart_zones(value)?),
            SettingName::TimeZone => {
                let is_name = value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
                if !is_name {
                    return Err(SettingError::TimeZone);
                }
                self.time_zone = value.try_into().map_err(|_| SettingError::TooLong(64))?;
            }
            SettingName::ZoneRule => self.zone_rule = Some(value.parse()?),
            SettingName::Sntp(index) => {
                let host = host(value)?;
                if let Some(server) = self.sntp.get_mut(index) {
                    *server = host;
                }
            }
        }
        Ok(())
    }

    fn unset(&mut self, name: SettingName) -> Result<(), SettingError> {
        let default = Self::default();
        match name {
            SettingName::WifiSsid(index) => {
                // Nobody wants the password of a network that is gone.
                if let Some(network) = self.wifi.get_mut(index) {
                    *network = WifiNetwork::default();
                }
            }
            SettingName::WifiPassword(index) => {
                if let Some(network) = self.wifi.get_mut(index) {
                    network.password = None;
                }
            }
            SettingName::Provider => self.provider = default.provider,
            SettingName::AuthOrigin => self.endpoints.auth = None,
            SettingName::TokenOrigin => self.endpoints.token = None,
            SettingName::ApiOrigin => self.endpoints.api = None,
            SettingName::PlainHttp => self.set_plain_http(false)?,
            SettingName::Connect => self.endpoints.connect.clear(),
            SettingName::PollEvery => self.poll_every_s = default.poll_every_s,
            SettingName::HourlyCap => self.hourly_cap = default.hourly_cap,
            SettingName::HoldOff => self.hold_off_s = default.hold_off_s,
            SettingName::Theme => self.theme = default.theme,
            SettingName::Palette => self.palette = default.palette,
            SettingName::Night => self.night = None,
            SettingName::SpiClock => self.spi_hz = default.spi_hz,
            SettingName::WearerName => self.wearer_name.clear(),
            SettingName::HeartZones => self.heart_zones = None,
            SettingName::TimeZone => self.time_zone.clear(),
            SettingName::ZoneRule => self.zone_rule = None,
            SettingName::Sntp(index) => {
                if let Some(server) = self.sntp.get_mut(index) {
                    server.clear();
                }
            }
        }
        Ok(())
    }

    fn origin(&self, value: &str) -> Result<Origin, SettingError> {
        let origin: Origin = value.parse()?;
        if origin.is_tls || origin.is_loopback() || self.endpoints.allows_plain_http {
            Ok(origin)
        } else {
            Err(SettingError::PlainHttp)
        }
    }

    fn set_plain_http(&mut self, is_allowed: bool) -> Result<(), SettingError> {
        let endpoints = &mut self.endpoints;
        let is_used = [&endpoints.auth, &endpoints.token, &endpoints.api]
            .into_iter()
            .flatten()
            .any(|origin| !origin.is_tls && !origin.is_loopback());
        if is_used && !is_allowed {
            return Err(SettingError::PlainHttpInUse);
        }
        endpoints.allows_plain_http = is_allowed;
        Ok(())
    }
}

fn choose<T: Copy, const N: usize>(
    all: [T; N],
    word: &str,
    name: impl Fn(T) -> &'static str,
) -> Option<T> {
    all.into_iter().find(|known| name(*known) == word)
}

fn host(text: &str) -> Result<HostName, SettingError> {
    if !is_host_with_port(text) {
        return Err(SettingError::Host);
    }
    text.try_into().map_err(|_| SettingError::TooLong(64))
}

/// A whole number in plain digits.
fn number<T: TryFrom<u32>>(text: &str, least: u32, most: u32) -> Result<T, SettingError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| {
        let range = least..=most;
        is_plain && range.contains(number)
    });
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or(SettingError::Number(least, most))
}

fn heart_zones(text: &str) -> Result<HeartZones, SettingError> {
    let mut limits = text
        .split(',')
        .map(|limit| limit.trim().parse().ok().and_then(Bpm::new));
    let zones = (|| {
        let zones = HeartZones::new([
            limits.next()??,
            limits.next()??,
            limits.next()??,
            limits.next()??,
        ]);
        zones.filter(|_| limits.next().is_none())
    })();
    zones.ok_or(SettingError::HeartZones)
}
