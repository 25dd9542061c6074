//! The configuration file.
//!
//! TOML; every key is optional. Values are parsed once, here: the rest of the program gets a
//! provider, a theme or a duration, never a text that may be wrong. An unknown key is an error that
//! names the nearest known one, because a key that is silently ignored is a setting that silently
//! has no effect.

pub(crate) mod alarms;
pub(crate) mod client;
pub(crate) mod endpoints;
mod errors;
mod influx;
mod interval;
pub(crate) mod mqtt;
pub(crate) mod passphrase;
pub(crate) mod places;
mod public_url;
mod store;
pub(crate) mod wearer;
#[cfg(feature = "fleet")]
mod webhook;

use std::{
    fmt::Display,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use jiff::{Zoned, tz::TimeZone};
use pulsewing_core::{
    Bpm, Provider,
    alarm::{Limits, LimitsError},
    heart_zone::{BirthYear, HeartZones},
    look::{Backlight, Brightness, Night, NotANight},
};
use pulsewing_files::regular_file;
use pulsewing_history::Retention;
use pulsewing_screen::{Palette, Theme};
use serde::{Deserialize, Deserializer, de::Error as _};

use self::{
    alarms::AlarmsConfig,
    client::ClientConfig,
    mqtt::MqttConfig,
    passphrase::Passphrase,
    wearer::{WearerConfig, WearersConfig},
};
use crate::tell::problem::Problem;

pub(crate) use influx::{InfluxConfig, InfluxToken};
pub(crate) use interval::Interval;
pub(crate) use public_url::PublicUrl;
pub(crate) use store::StoreConfig;
#[cfg(feature = "fleet")]
pub(crate) use webhook::WebhookConfig;

/// The size limit for reading the file, in bytes.
const MAX_BYTES: u64 = 256 * 1_024;

/// The configuration as written in the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `google` (default) or `fitbit`.
    #[serde(deserialize_with = "by_name")]
    pub provider: Option<Provider>,
    /// Google's OAuth client.
    #[serde(deserialize_with = "client::google")]
    pub google: ClientConfig,
    /// Fitbit's OAuth client.
    pub fitbit: ClientConfig,
    /// Addresses to use instead of the providers' own.
    pub endpoints: EndpointsConfig,
    /// The poll interval and limits.
    pub poll: PollConfig,
    /// The people who wear the trackers.
    pub wearer: WearersConfig,
    /// The web page.
    pub web: WebConfig,
    /// The picture.
    pub screen: ScreenConfig,
    /// The history.
    pub history: HistoryConfig,
    /// Alarms.
    pub alarms: AlarmsConfig,
    /// Home Assistant, over MQTT.
    pub mqtt: MqttConfig,
    /// The database of many wearers.
    pub store: StoreConfig,
    /// The InfluxDB to which the minutes are copied.
    pub influx: InfluxConfig,
    /// Notifications of the Google Health API.
    #[cfg(feature = "fleet")]
    pub webhook: WebhookConfig,
    /// The directory of the file: paths in it are relative to that.
    #[serde(skip)]
    pub dir: PathBuf,
}

/// Addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EndpointsConfig {
    /// One origin for everything, such as that of the sandbox or a gateway.
    pub base_url: Option<String>,
    /// The consent page.
    pub auth_url: Option<String>,
    /// The token endpoint.
    pub token_url: Option<String>,
    /// The data service.
    pub api_url: Option<String>,
    /// A file of PEM certificates to trust in addition to the machine's.
    pub ca_file: Option<PathBuf>,
    /// Whether `http://` may be used beyond this machine.
    pub allow_http: bool,
}

/// Polling.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PollConfig {
    /// The interval: in seconds, or as text such as "15m".
    pub every: Option<Interval>,
    /// The limit on requests within an hour.
    pub hourly_cap: Option<u16>,
    /// The pause after a start for a board that does not remember its last request.
    pub hold_off: Option<Interval>,
}

/// The web page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebConfig {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// Names of this machine that the page answers to, in addition to its addresses.
    pub hosts: Vec<String>,
    /// The address under which others reach the page, such as through a proxy.
    pub public_url: Option<PublicUrl>,
    /// The passphrase for the page; required as soon as other machines can reach it.
    pub passphrase: Option<Passphrase>,
}

/// The picture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScreenConfig {
    /// The theme; desk by default.
    #[serde(deserialize_with = "by_name")]
    pub theme: Option<Theme>,
    /// The palette; day by default.
    #[serde(deserialize_with = "by_name")]
    pub palette: Option<Palette>,
    /// The part of the day in which the night palette is used instead.
    #[serde(deserialize_with = "night")]
    pub night: Option<Night>,
    /// The brightness of panels' backlights in percent; 100 by default.
    #[serde(deserialize_with = "brightness")]
    pub backlight: Option<Brightness>,
    /// Their brightness at night; that of the day by default.
    #[serde(deserialize_with = "brightness")]
    pub night_backlight: Option<Brightness>,
    /// The user's picture to show as long as there are no values, a PNG or BMP. The path is
    /// relative to the configuration file.
    pub wallpaper: Option<PathBuf>,
    /// Whether that picture is also the dark background of readings.
    pub background: bool,
}

/// The history.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HistoryConfig {
    /// The retention of days: "forever" (default), "none", or a duration such as "400 days".
    pub keep: Retention,
}

impl ScreenConfig {
    /// Returns what is wished of backlights.
    pub(crate) const fn backlight(&self) -> Backlight {
        Backlight {
            day: self.backlight,
            night: self.night_backlight,
        }
    }
}

impl WebConfig {
    /// Returns whether other machines can reach a page that listens on this address. Names and a public
    /// address are configured for them, such as behind a proxy on this machine.
    #[cfg(feature = "fleet")]
    pub(crate) fn is_reachable_at(&self, address: SocketAddr) -> bool {
        !address.ip().is_loopback() || !self.hosts.is_empty() || self.public_url.is_some()
    }
}

impl Config {
    /// Reads the file. A missing file counts as empty, unless the user named it.
    ///
    /// # Errors
    /// A [`Problem`] that says what is wrong in which line.
    pub(crate) fn load(path: &Path, was_named: bool) -> Result<Self, Problem> {
        match Self::read(path) {
            Ok(text) => {
                let mut config = Self::parse(&text).map_err(|problem| {
                    problem.hint(format!("the configuration is {}", path.display()))
                })?;
                let beside = path.parent().unwrap_or_else(|| Path::new(""));
                // `join` keeps an absolute path as it is.
                config.screen.wallpaper = config.screen.wallpaper.map(|file| beside.join(file));
                config.dir = beside.to_owned();
                config.store.key_file = config.store.key_file.map(|file| beside.join(file));
                let token_file = config.influx.token_file.take();
                config.influx.token_file = token_file.map(|file| beside.join(file));
                config.mqtt = config.mqtt.beside(beside);
                Ok(config)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !was_named => {
                Ok(Self::default())
            }
            Err(error) => Err(Problem::failed(format!(
                "the configuration {} could not be read",
                path.display()
            ))
            .caused_by(&error)),
        }
    }

    /// Reads the file's text.
    pub(crate) fn read(path: &Path) -> io::Result<String> {
        regular_file::read_text(path, MAX_BYTES)
    }

    /// Parses the text of a configuration.
    ///
    /// # Errors
    /// A [`Problem`] that says what is wrong in which line.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |error: toml::de::Error| errors::problem(text, &error);
        errors::check_tables(&text.parse().map_err(problem)?)?;
        let config: Self = toml::from_str(text).map_err(problem)?;
        let ScreenConfig {
            night,
            night_backlight,
            ..
        } = config.screen;
        if night_backlight.is_some() && night.is_none() {
            return Err(Problem::failed(
                "[screen] night_backlight has no effect, because there is no night",
            )
            .hint("say when it is night, such as with night = \"22:00-07:00\" under [screen]"));
        }
        config.check_alarms()?;
        config
            .influx
            .check(config.history.keep != Retention::Nothing)?;
        config.mqtt.check()?;
        Ok(config)
    }

    /// Checks the limits of all wearers' alarms.
    fn check_alarms(&self) -> Result<(), Problem> {
        let problem = |whose: &str, error: LimitsError| {
            Problem::failed(format!("in the configuration, {whose}: {error}"))
        };
        let usual = self.alarms.checked(Limits::default());
        let usual = usual.map_err(|error| problem("under [alarms]", error))?;
        for wearer in self.wearer.mentioned() {
            if let Some(key) = wearer.alarms.for_all() {
                return Err(Problem::failed(format!(
                    "the alarms of \"{}\" have {key}, but messages are for all wearers: write {key} under [alarms]",
                    wearer.id
                )));
            }
            let checked = wearer.alarms.checked(usual);
            checked.map_err(|error| problem(&format!("the alarms of \"{}\"", wearer.id), error))?;
        }
        Ok(())
    }

    /// Returns the limits of a wearer's alarms.
    pub(crate) fn limits(&self, wearer: &WearerConfig) -> Limits {
        let usual = self.alarms.over(Limits::default());
        wearer.alarms.over(usual)
    }

    /// Returns the client of a provider.
    pub(crate) const fn client(&self, provider: Provider) -> &ClientConfig {
        match provider {
            Provider::Google => &self.google,
            Provider::Fitbit => &self.fitbit,
        }
    }
}

/// Reads a value that is written as a name.
fn by_name<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let name = String::deserialize(from)?;
    let value = name.parse();
    value
        .map(Some)
        .map_err(|error| D::Error::custom(format_args!("\"{name}\" is unknown: {error}")))
}

fn time_zone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(from)?;
    match TimeZone::get(&name) {
        Ok(_) => Ok(Some(name)),
        Err(_) => Err(D::Error::custom(format_args!(
            "\"{name}\" is not a time zone; use a name such as \"Europe/Berlin\""
        ))),
    }
}

fn night<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Night>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|NotANight| {
        D::Error::custom(format_args!(
            "\"{text}\" is not a part of the day; write it like \"22:00-07:00\""
        ))
    })
}

fn brightness<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Brightness>, D::Error> {
    let percent = i64::deserialize(from)?;
    let brightness = u8::try_from(percent).ok().and_then(Brightness::new);
    brightness.map(Some).ok_or_else(|| {
        D::Error::custom(format_args!(
            "{percent} is not a brightness; write a whole number of percent, from 0 (off) to 100"
        ))
    })
}

fn heart_zones<'de, D: Deserializer<'de>>(from: D) -> Result<Option<HeartZones>, D::Error> {
    let limits = Vec::<f64>::deserialize(from)?;
    let limits: Vec<Option<Bpm>> = limits
        .into_iter()
        .map(|limit| Bpm::from_whole(limit as i64).filter(|_| limit.fract() == 0.0))
        .collect();
    let zones = match *limits {
        [Some(light), Some(moderate), Some(vigorous), Some(peak)] => {
            HeartZones::new([light, moderate, vigorous, peak])
        }
        _ => None,
    };
    zones.map(Some).ok_or_else(|| {
        D::Error::custom(
            "zones must be four ascending heart rates from 1 to 300 bpm, such as [90, 110, 135, 160]: where light, moderate, vigorous and peak begin",
        )
    })
}

/// The year of the program. On a machine without a battery for its clock it may seem to be earlier.
const AT_LEAST: i16 = 2026;

fn born<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BirthYear>, D::Error> {
    let year = i64::deserialize(from)?;
    let this_year = Zoned::now().year().max(AT_LEAST);
    let born = i16::try_from(year).ok().and_then(BirthYear::new);
    let born = born.filter(|born| born.get() <= this_year);
    born.map(Some).ok_or_else(|| {
        D::Error::custom(format_args!(
            "born must be the year of the wearer's birth, from {} to {this_year}, such as 1988; {year} is not",
            BirthYear::FIRST
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_whole_configuration_is_read() {
        let config = Config::parse(
            r#"
            provider = "fitbit"
            [fitbit]
            client_id = "23ABCD"
            client_secret = "hush"
            user_id = "ABC123"
            [endpoints]
            base_url = "http://127.0.0.1:8080"
            ca_file = "ca.pem"
            [poll]
            every = "15m"
            hourly_cap = 100
            hold_off = 0
            [wearer]
            name = "Ada"
            time_zone = "Europe/Berlin"
            zones = [90, 110, 135, 160]
            born = 1988
            [web]
            listen = "127.0.0.1:7373"
            hosts = ["pi.example"]
            public_url = "https://pulse.example"
            passphrase = "correct horse"
            [screen]
            theme = "classic"
            palette = "dim"
            night = "22:00-07:00"
            backlight = 80
            night_backlight = 0
            wallpaper = "beach.png"
            [history]
            keep = "400 days"
            "#,
        )
        .unwrap();
        assert_eq!(config.provider, Some(Provider::Fitbit));
        assert_eq!(config.poll.every, Some(Interval(Duration::from_secs(900))));
        assert_eq!(config.poll.hold_off, Some(Interval(Duration::ZERO)));
        assert_eq!(config.history.keep, Retention::Days(400));
        let wish = config.screen.backlight();
        assert_eq!(wish.day, Brightness::new(80));
        assert_eq!(wish.night, Some(Brightness::OFF));
        assert!(Config::parse("[history]\nkeep = \"a while\"").is_err());
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("hush") && !shown.contains("horse"),
            "{shown}"
        );
    }

    #[test]
    fn a_year_of_birth_is_one_that_somebody_alive_may_have() {
        let born = |year: &str| {
            let config = Config::parse(&format!("[wearer]\nborn = {year}"))?;
            Ok::<_, Problem>(config.wearer.mentioned()[0].born.map(BirthYear::get))
        };
        let this_year = Zoned::now().year().max(AT_LEAST);
        for year in [1900, 1988, this_year] {
            assert_eq!(born(&year.to_string()).unwrap(), Some(year));
        }
        let next_year = (this_year + 1).to_string();
        for year in ["1899", "88", "-1988", "99999999999", &next_year] {
            let message = born(year).unwrap_err().to_string();
            let words = format!("from 1900 to {this_year}, such as 1988; {year} is not");
            assert!(message.contains(&words), "{message}");
            assert!(message.contains("in line 2"), "{message}");
        }
        assert!(born("\"1988\"").is_err());
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let message = |text| Config::parse(text).unwrap_err().to_string();
        assert!(message("[pol]\nevery = 1").contains("nearest key is \"poll\""));
        assert!(
            message("[google]\nclient_ID = \"x\"").contains("nearest key is \"google.client_id\"")
        );
        assert!(message("providr = \"google\"").contains("nearest key is \"provider\""));
        assert!(message("[google]\n\n[screen]\npallete = 1").contains("in line 4"));
        assert!(message("[google.oauth]\nx = 1").contains("\"google.oauth\""));
        assert!(message("google = { client_ID = \"x\" }").contains("\"google.client_id\""));
        assert!(message("[google]\nuser_id = \"x\"").contains("\"google.user_id\""));
        for text in ["poll = 3", "poll = [\"15m\"]", "[[poll]]\nevery = 1"] {
            assert!(
                message(text).contains("it must be a table: [poll]"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_look_is_told_with_the_known_ones() {
        let message = |text: &str| Config::parse(text).unwrap_err().to_string();
        let theme = message("[screen]\ntheme = \"plaid\"");
        assert!(
            theme.contains("plaid") && theme.contains("desk, classic or big"),
            "{theme}"
        );
        let palette = message("[screen]\npalette = \"dark\"");
        assert!(palette.contains("day, dim or night"), "{palette}");
        assert!(message("[screen]\nnight = \"late\"").contains("22:00-07:00"));
        for bad in ["101", "-1", "1000"] {
            let told = message(&format!("[screen]\nbacklight = {bad}"));
            assert!(
                told.contains(bad) && told.contains("from 0 (off) to 100"),
                "{told}"
            );
        }
        assert!(message("[screen]\nbacklight = \"80\"").contains("line 2"));
        let idle = message("[screen]\nnight_backlight = 5");
        assert!(
            idle.contains("no effect") && idle.contains("22:00-07:00"),
            "{idle}"
        );
        assert!(message("[screen]\nbackligt = 5").contains("screen.backlight"));
        assert!(message("[screen]\npallete = \"dim\"").contains("screen.palette"));
    }

    #[test]
    fn a_mistake_is_shown_by_its_line_and_without_its_secret() {
        let message = Config::parse("provider = \"google\"\n[google]\nclient_secret = hush")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("line 3") && !message.contains("hush"),
            "{message}"
        );
        for text in [
            "google = \"hushhush\"",
            "[web]\npassphrase = 12345678",
            "[google]\nclient_secret = 12345678",
            "[google]\nclient_secret = [\"hushhush\"]",
        ] {
            let message = Config::parse(text).unwrap_err().to_string();
            assert!(
                !message.contains("hush") && !message.contains("1234"),
                "{message}"
            );
        }
        assert!(Config::parse("provider = \"garmin\"").is_err());
        for zones in [
            "[90, 80, 135, 160]",
            "[90, 110, 135]",
            "[90, 110, 135, 160, 180]",
            "[90.5, 110, 135, 160]",
            "[90, 110, 135, 301]",
        ] {
            let refused = Config::parse(&format!("[wearer]\nzones = {zones}"));
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("four ascending"), "{zones}: {message}");
        }
        assert!(Config::parse("[wearer]\ntime_zone = \"Mars/Olympus\"").is_err());
    }
}
