//! Settings by name: what `set` and `show` on the console are made of.
//!
//! [`SETTINGS`] has a row for each: its name, how it is shown, how its text becomes a value, and how its
//! default comes back. A setting that is not in the table does not exist.

mod alarms;

use core::fmt;

use pulsewing_core::{
    Bpm, UnknownProvider,
    alarm::LimitsError,
    heart_zone::{BirthYear, HeartZones},
    look::{Brightness, NotABrightness, NotANight, UnknownTheme},
};

use super::{
    HostName, Origin, PaletteChoice, Settings, WifiNetwork, WifiPassword, ZoneRule,
    values::is_host_with_port,
};

/// Everything there is to know about one setting.
struct Setting {
    name: &'static str,
    show: fn(&Settings, &mut fmt::Formatter<'_>) -> fmt::Result,
    set: fn(&mut Settings, &str) -> Result<(), SettingError>,
    reset: Reset,
}

/// How a default comes back.
enum Reset {
    /// From settings that nobody has changed.
    From(fn(&mut Settings, Settings)),
    /// By setting this, because it may be refused.
    Set(&'static str),
}

/// All settings, in the order in which they are shown.
const SETTINGS: &[Setting] = &[
    wifi_ssid::<0>("wifi.1.ssid"),
    wifi_password::<0>("wifi.1.password"),
    wifi_ssid::<1>("wifi.2.ssid"),
    wifi_password::<1>("wifi.2.password"),
    wifi_ssid::<2>("wifi.3.ssid"),
    wifi_password::<2>("wifi.3.password"),
    wifi_ssid::<3>("wifi.4.ssid"),
    wifi_password::<3>("wifi.4.password"),
    Setting {
        name: "provider",
        show: |s, f| f.write_str(s.provider.name()),
        set: |s, value| {
            s.provider = value
                .parse()
                .map_err(|UnknownProvider| SettingError::Choice("google, fitbit"))?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.provider = default.provider),
    },
    Setting {
        name: "endpoint.auth",
        show: |s, f| optional(s.endpoints.auth.as_ref(), f),
        set: |s, value| {
            s.endpoints.auth = Some(s.origin(value)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.endpoints.auth = None),
    },
    Setting {
        name: "endpoint.token",
        show: |s, f| optional(s.endpoints.token.as_ref(), f),
        set: |s, value| {
            s.endpoints.token = Some(s.origin(value)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.endpoints.token = None),
    },
    Setting {
        name: "endpoint.api",
        show: |s, f| optional(s.endpoints.api.as_ref(), f),
        set: |s, value| {
            s.endpoints.api = Some(s.origin(value)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.endpoints.api = None),
    },
    Setting {
        name: "endpoint.plain_http",
        show: |s, f| yes_or_no(s.endpoints.allows_plain_http, f),
        set: |s, value| s.set_plain_http(is_yes(value)?),
        reset: Reset::Set("no"),
    },
    Setting {
        name: "endpoint.connect",
        show: |s, f| f.write_str(&s.endpoints.connect),
        set: |s, value| {
            s.endpoints.connect = host(value)?;
            Ok(())
        },
        reset: Reset::From(|s, _| s.endpoints.connect.clear()),
    },
    Setting {
        name: "poll.every",
        show: |s, f| write!(f, "{}", s.poll_every_s),
        set: |s, value| {
            s.poll_every_s = number(value, 5, 86_400)?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.poll_every_s = default.poll_every_s),
    },
    Setting {
        name: "poll.hourly_cap",
        show: |s, f| write!(f, "{}", s.hourly_cap),
        set: |s, value| {
            s.hourly_cap = number(value, 4, 10_000)?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.hourly_cap = default.hourly_cap),
    },
    Setting {
        name: "poll.hold_off",
        show: |s, f| write!(f, "{}", s.hold_off_s),
        set: |s, value| {
            s.hold_off_s = number(value, 0, 3_600)?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.hold_off_s = default.hold_off_s),
    },
    Setting {
        name: "screen.theme",
        show: |s, f| f.write_str(s.theme.name()),
        set: |s, value| {
            s.theme = value
                .parse()
                .map_err(|UnknownTheme| SettingError::Choice("desk, classic, big"))?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.theme = default.theme),
    },
    Setting {
        name: "screen.palette",
        show: |s, f| f.write_str(s.palette.name()),
        set: |s, value| {
            let mut all = PaletteChoice::ALL.into_iter();
            let known = all.find(|choice| choice.name() == value);
            s.palette = known.ok_or(SettingError::Choice("auto, day, dim, night"))?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.palette = default.palette),
    },
    Setting {
        name: "screen.night",
        show: |s, f| optional(s.night.as_ref(), f),
        set: |s, value| {
            s.night = Some(value.parse().map_err(|NotANight| SettingError::Night)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.night = None),
    },
    Setting {
        name: "screen.background",
        show: |s, f| yes_or_no(s.has_background, f),
        set: |s, value| {
            s.has_background = is_yes(value)?;
            Ok(())
        },
        reset: Reset::From(|s, _| s.has_background = false),
    },
    Setting {
        name: "screen.backlight",
        show: |s, f| optional(s.backlight.day, f),
        set: |s, value| {
            s.backlight.day = Some(brightness(value)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.backlight.day = None),
    },
    Setting {
        name: "screen.night_backlight",
        show: |s, f| optional(s.backlight.night, f),
        set: |s, value| {
            s.backlight.night = Some(brightness(value)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.backlight.night = None),
    },
    Setting {
        name: "screen.spi_clock",
        show: |s, f| write!(f, "{}", s.spi_hz),
        set: |s, value| {
            s.spi_hz = number(value, 1_000_000, 40_000_000)?;
            Ok(())
        },
        reset: Reset::From(|s, default| s.spi_hz = default.spi_hz),
    },
    Setting {
        name: "wearer.name",
        show: |s, f| f.write_str(&s.wearer_name),
        set: |s, value| {
            s.wearer_name = value.try_into().map_err(|_| SettingError::TooLong(32))?;
            Ok(())
        },
        reset: Reset::From(|s, _| s.wearer_name.clear()),
    },
    Setting {
        name: "wearer.zones",
        show: |s, f| match s.heart_zones {
            Some(zones) => {
                let [light, moderate, vigorous, peak] = zones.limits().map(Bpm::get);
                write!(f, "{light},{moderate},{vigorous},{peak}")
            }
            None => Ok(()),
        },
        set: |s, value| {
            s.heart_zones = Some(heart_zones(value)?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.heart_zones = None),
    },
    Setting {
        name: "wearer.born",
        show: |s, f| optional(s.born.map(BirthYear::get), f),
        set: |s, value| {
            let (first, last) = (
                BirthYear::FIRST.unsigned_abs(),
                BirthYear::LAST.unsigned_abs(),
            );
            let year = number(value, first.into(), last.into())?;
            s.born = BirthYear::new(year);
            Ok(())
        },
        reset: Reset::From(|s, _| s.born = None),
    },
    Setting {
        name: "wearer.time_zone",
        show: |s, f| f.write_str(&s.time_zone),
        set: |s, value| {
            let is_name = value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
            if !is_name {
                return Err(SettingError::TimeZone);
            }
            s.time_zone = value.try_into().map_err(|_| SettingError::TooLong(64))?;
            Ok(())
        },
        reset: Reset::From(|s, _| s.time_zone.clear()),
    },
    Setting {
        name: "wearer.zone_rule",
        show: |s, f| optional(s.zone_rule.as_ref().map(ZoneRule::as_str), f),
        set: |s, value| {
            s.zone_rule = Some(value.parse()?);
            Ok(())
        },
        reset: Reset::From(|s, _| s.zone_rule = None),
    },
    sntp::<0>("sntp.1"),
    sntp::<1>("sntp.2"),
    sntp::<2>("sntp.3"),
    alarms::HIGH,
    alarms::HIGH_URGENT,
    alarms::LOW,
    alarms::LOW_URGENT,
    alarms::STALE,
    alarms::BATTERY,
    alarms::QUIET,
    alarms::REPEAT,
    alarms::FRESH,
    alarms::PIEZO,
];

const fn wifi_ssid<const INDEX: usize>(name: &'static str) -> Setting {
    Setting {
        name,
        show: |s, f| optional(s.wifi.get(INDEX).map(|network| network.ssid.as_str()), f),
        set: |s, value| {
            let ssid = value.try_into().map_err(|_| SettingError::TooLong(32))?;
            if let Some(network) = s.wifi.get_mut(INDEX) {
                network.ssid = ssid;
            }
            Ok(())
        },
        // Nobody wants the password of a network that is gone.
        reset: Reset::From(|s, _| {
            if let Some(network) = s.wifi.get_mut(INDEX) {
                *network = WifiNetwork::default();
            }
        }),
    }
}

const fn wifi_password<const INDEX: usize>(name: &'static str) -> Setting {
    Setting {
        name,
        show: |s, f| match s.wifi.get(INDEX) {
            Some(network) if network.password.is_some() => f.write_str("(set)"),
            _ => Ok(()),
        },
        set: |s, value| {
            let password = WifiPassword::new(value)?;
            if let Some(network) = s.wifi.get_mut(INDEX) {
                network.password = Some(password);
            }
            Ok(())
        },
        reset: Reset::From(|s, _| {
            if let Some(network) = s.wifi.get_mut(INDEX) {
                network.password = None;
            }
        }),
    }
}

const fn sntp<const INDEX: usize>(name: &'static str) -> Setting {
    Setting {
        name,
        show: |s, f| optional(s.sntp.get(INDEX), f),
        set: |s, value| {
            let host = host(value)?;
            if let Some(server) = s.sntp.get_mut(INDEX) {
                *server = host;
            }
            Ok(())
        },
        reset: Reset::From(|s, _| {
            if let Some(server) = s.sntp.get_mut(INDEX) {
                server.clear();
            }
        }),
    }
}

fn optional(value: Option<impl fmt::Display>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    value.map_or(Ok(()), |value| value.fmt(f))
}

fn yes_or_no(is: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(if is { "yes" } else { "no" })
}

fn is_yes(value: &str) -> Result<bool, SettingError> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(SettingError::Choice("yes, no")),
    }
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Why a setting could not be set. It was left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// There is no setting of that name.
    #[error("there is no such setting")]
    UnknownName,
    /// The value is too long.
    #[error("must have at most {0} bytes")]
    TooLong(usize),
    /// Not a whole number within the range.
    #[error("must be a whole number from {0} to {1}")]
    Number(u32, u32),
    /// Not one of the words.
    #[error("must be one of: {0}")]
    Choice(&'static str),
    /// It holds a control character.
    #[error("must not contain control characters")]
    Text,
    /// Not a Wi-Fi password.
    #[error("must be 8 to 63 ASCII characters")]
    Password,
    /// Not an origin.
    #[error("must be https://host or https://host:port, with nothing after it")]
    Origin,
    /// It is plain HTTP, and that is not allowed.
    #[error("plain http is only for tests: set endpoint.plain_http yes first")]
    PlainHttp,
    /// Plain HTTP is in use.
    #[error("an endpoint uses plain http: change that one first")]
    PlainHttpInUse,
    /// Not a span of time.
    #[error("must be a start and an end, such as 22:00-06:30")]
    Night,
    /// Not zones.
    #[error("must be four rising heart rates from 1 to 300 bpm, such as 90,110,135,160")]
    HeartZones,
    /// Not the name of a zone.
    #[error("must be an IANA name such as Europe/Berlin")]
    TimeZone,
    /// Not a rule.
    #[error("must be a POSIX rule such as CET-1CEST,M3.5.0,M10.5.0/3")]
    ZoneRule,
    /// Not a host.
    #[error("must be a host name or an IP address, optionally with a port")]
    Host,
    /// A limit of the alarms that contradicts another one.
    #[error(transparent)]
    Limits(#[from] LimitsError),
}

/// A setting's value as people may see it.
#[derive(Clone, Copy)]
pub struct Shown<'s> {
    settings: &'s Settings,
    setting: &'static Setting,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.setting.show)(self.settings, f)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {self}", self.setting.name)
    }
}

impl Settings {
    /// Returns the value of a setting as people may see it: of a secret, only that it is set. `None` if
    /// there is no such setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Shown<'_>> {
        let setting = find(name)?;
        Some(Shown {
            settings: self,
            setting,
        })
    }

    /// Returns the name and the value of every setting, as people may see them.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Shown<'_>)> {
        SETTINGS.iter().map(|setting| {
            let shown = Shown {
                settings: self,
                setting,
            };
            (setting.name, shown)
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
    /// | `screen.theme` | `desk`, `classic`, `big` |
    /// | `screen.palette` | `auto`, `day`, `dim`, `night` |
    /// | `screen.night` | such as `22:00-06:30` |
    /// | `screen.background` | `yes` or `no`: whether the wallpaper is also behind readings |
    /// | `screen.backlight` | 0 (off) to 100 percent; none: 100 |
    /// | `screen.night_backlight` | the same within `screen.night`; none: as by day |
    /// | `screen.spi_clock` | 1,000,000 to 40,000,000 Hz |
    /// | `wearer.name` | up to 32 bytes |
    /// | `wearer.zones` | such as `90,110,135,160` bpm |
    /// | `wearer.born` | a year, 1900 to 2100; one in the future counts as none |
    /// | `wearer.time_zone` | an IANA name |
    /// | `wearer.zone_rule` | a POSIX rule |
    /// | `sntp.1` to `sntp.3` | a host, perhaps with a port |
    /// | `alarms.high`, `.high_urgent`, `.low`, `.low_urgent` | 25 to 250 bpm; none: no such alarm |
    /// | `alarms.stale` | 900 to 604,800 seconds, or `off` |
    /// | `alarms.battery` | 1 to 90 percent, or `off` |
    /// | `alarms.quiet` | such as `22:00-07:00` |
    /// | `alarms.repeat` | 60 to 3,600 seconds |
    /// | `alarms.fresh` | 900 to 10,800 seconds |
    /// | `alarms.piezo` | `yes` or `no`: whether one is wired |
    ///
    /// # Errors
    /// [`SettingError`]; it says what would have been right.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let setting = find(name).ok_or(SettingError::UnknownName)?;
        if value.chars().any(char::is_control) {
            return Err(SettingError::Text);
        }
        match (value, &setting.reset) {
            ("", Reset::From(reset)) => {
                reset(self, Self::default());
                Ok(())
            }
            ("", Reset::Set(default)) => (setting.set)(self, default),
            (value, _) => (setting.set)(self, value),
        }
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

fn brightness(text: &str) -> Result<Brightness, SettingError> {
    text.parse()
        .map_err(|NotABrightness| SettingError::Number(0, 100))
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
