//! The configuration file.
//!
//! TOML; every key is optional. An unknown key is an error that names the nearest known one,
//! because a key that is silently passed over is a setting that silently does not hold.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use pulsewing_core::{Bpm, Provider, heart_zone::HeartZones};
use pulsewing_screen::{Palette, Theme};
use serde::Deserialize;

use crate::{history::Keep, night::Night, passphrase::Passphrase, problem::Problem, regular_file};

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1_024;

/// The configuration as the file has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `google` (default) or `fitbit`.
    pub provider: Option<String>,
    /// Google's OAuth client.
    pub google: ClientConfig,
    /// Fitbit's OAuth client.
    pub fitbit: ClientConfig,
    /// Other addresses than the providers' own.
    pub endpoints: EndpointsConfig,
    /// How often to poll.
    pub poll: PollConfig,
    /// Whose heart it is.
    pub wearer: WearerConfig,
    /// The web page.
    pub web: WebConfig,
    /// The picture.
    pub screen: ScreenConfig,
    /// The history.
    pub history: HistoryConfig,
}

/// An OAuth client.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct ClientConfig {
    /// Its id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// The wearer that is asked about (Fitbit); without one, whoever signed in.
    pub user_id: Option<String>,
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConfig")
            .field("client_id", &self.client_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// Addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EndpointsConfig {
    /// One origin for everything: the sandbox's or a gateway's.
    pub base_url: Option<String>,
    /// The consent page.
    pub auth_url: Option<String>,
    /// The token endpoint.
    pub token_url: Option<String>,
    /// Where data comes from.
    pub api_url: Option<String>,
    /// A file of PEM certificates that are trusted besides the machine's.
    pub ca_file: Option<PathBuf>,
    /// Whether `http://` may be used beyond this machine.
    pub allow_http: bool,
}

/// Polling.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PollConfig {
    /// The interval: seconds, or text such as "15m".
    pub every: Option<Interval>,
    /// The most requests within an hour.
    pub hourly_cap: Option<u16>,
    /// How long a board without a memory of its last request holds off after a start.
    pub hold_off: Option<Interval>,
}

/// The wearer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WearerConfig {
    /// The name that is shown.
    pub name: Option<String>,
    /// The IANA time zone, for when the provider does not say.
    pub time_zone: Option<String>,
    /// Where the zones light, moderate, vigorous and peak begin, in bpm.
    pub zones: Option<[u16; 4]>,
}

/// The web page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WebConfig {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// Names of this machine that the page answers to, besides its addresses.
    pub hosts: Vec<String>,
    /// What somebody has to know to see the page; needed as soon as other machines can.
    pub passphrase: Option<Passphrase>,
}

/// The picture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScreenConfig {
    /// The theme's name.
    pub theme: Option<String>,
    /// The palette's name.
    pub palette: Option<String>,
    /// When the night palette is used instead.
    pub night: Option<Night>,
    /// The user's picture for when there are no values yet, a PNG or BMP; relative to the file that
    /// names it.
    pub wallpaper: Option<PathBuf>,
}

/// The history.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HistoryConfig {
    /// How long days are kept: "forever" (default), "none", or such as "400 days".
    pub keep: Keep,
}

/// A length of time: whole seconds, or text such as "15m" or "1h 30m".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "IntervalText")]
pub struct Interval(pub Duration);

#[derive(Deserialize)]
#[serde(untagged)]
enum IntervalText {
    Seconds(u32),
    Text(String),
}

impl TryFrom<IntervalText> for Interval {
    type Error = String;

    fn try_from(text: IntervalText) -> Result<Self, Self::Error> {
        match text {
            IntervalText::Seconds(seconds) => Ok(Self(Duration::from_secs(seconds.into()))),
            IntervalText::Text(text) => text
                .parse::<jiff::SignedDuration>()
                .ok()
                .and_then(|duration| Duration::try_from(duration).ok())
                .map(Self)
                .ok_or_else(|| format!("\"{text}\" is no length of time such as \"15m\"")),
        }
    }
}

/// The keys that there are, by table.
const KEYS: &[(&str, &[&str])] = &[
    ("google", &["client_id", "client_secret"]),
    ("fitbit", &["client_id", "client_secret", "user_id"]),
    (
        "endpoints",
        &[
            "base_url",
            "auth_url",
            "token_url",
            "api_url",
            "ca_file",
            "allow_http",
        ],
    ),
    ("poll", &["every", "hourly_cap", "hold_off"]),
    ("wearer", &["name", "time_zone", "zones"]),
    ("web", &["listen", "hosts", "passphrase"]),
    ("screen", &["theme", "palette", "night", "wallpaper"]),
    ("history", &["keep"]),
];

impl Config {
    /// Reads the file. One that does not exist is an empty one, unless the user named it.
    ///
    /// # Errors
    /// A [`Problem`] that says what is wrong in which line.
    pub fn load(path: &Path, was_named: bool) -> Result<Self, Problem> {
        match Self::read(path) {
            Ok(text) => {
                let mut config = Self::parse(&text).map_err(|problem| {
                    problem.hint(format!("the configuration is {}", path.display()))
                })?;
                let beside = path.parent().unwrap_or_else(|| Path::new(""));
                // A path with a root takes the place of what it is joined to.
                config.screen.wallpaper = config.screen.wallpaper.map(|file| beside.join(file));
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
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(path: &Path) -> io::Result<String> {
        regular_file::read_text(path, MAX_BYTES)
    }

    /// Reads the text of a configuration.
    ///
    /// # Errors
    /// A [`Problem`] that says what is wrong in which line.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            // The error's own text shows the offending line, which may hold a secret.
            let line = line_of(text, error.span());
            Problem::failed(format!(
                "the configuration is no TOML{line}: {}",
                error.message()
            ))
        })?;
        check_keys(&table)?;
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = line_of(text, error.span());
            Problem::failed(format!(
                "the configuration does not hold{line}: {}",
                error.message()
            ))
        })?;
        config.provider()?;
        config.heart_zones()?;
        config.check_time_zone()?;
        config.theme()?;
        config.palette()?;
        Ok(config)
    }

    /// The configured provider, if one is named.
    ///
    /// # Errors
    /// A [`Problem`] when it is none.
    pub fn provider(&self) -> Result<Option<Provider>, Problem> {
        self.provider
            .as_ref()
            .map(|name| {
                name.parse().map_err(|_| {
                    Problem::failed(format!("the configuration names the provider \"{name}\""))
                        .hint("a provider is \"google\" or \"fitbit\"")
                })
            })
            .transpose()
    }

    /// The wearer's own heart-rate zones.
    ///
    /// # Errors
    /// A [`Problem`] when they do not ascend, or are no heart rates.
    pub fn heart_zones(&self) -> Result<Option<HeartZones>, Problem> {
        let Some(limits) = self.wearer.zones else {
            return Ok(None);
        };
        let bpm = limits.map(Bpm::new);
        match bpm {
            [Some(light), Some(moderate), Some(vigorous), Some(peak)] => {
                HeartZones::new([light, moderate, vigorous, peak])
            }
            _ => None,
        }
        .map(Some)
        .ok_or_else(|| {
            Problem::failed("[wearer] zones has to be four ascending heart rates of 1 to 300 bpm")
                .hint("for example: zones = [90, 110, 135, 160], where light, moderate, vigorous and peak begin")
        })
    }

    /// The configured theme, else desk.
    ///
    /// # Errors
    /// A [`Problem`] when there is none of that name.
    pub fn theme(&self) -> Result<Theme, Problem> {
        self.screen.theme.as_ref().map_or_else(
            || Ok(Theme::default()),
            |name| {
                name.parse().map_err(|_| {
                    Problem::failed(format!("[screen] theme names the unknown theme \"{name}\""))
                        .hint("the themes are desk and classic")
                })
            },
        )
    }

    /// The configured palette, else day.
    ///
    /// # Errors
    /// A [`Problem`] when there is none of that name.
    pub fn palette(&self) -> Result<Palette, Problem> {
        self.screen.palette.as_ref().map_or_else(
            || Ok(Palette::default()),
            |name| {
                name.parse().map_err(|_| {
                    Problem::failed(format!(
                        "[screen] palette names the unknown palette \"{name}\""
                    ))
                    .hint("the palettes are day, dim and night")
                })
            },
        )
    }

    fn check_time_zone(&self) -> Result<(), Problem> {
        match &self.wearer.time_zone {
            Some(name) if jiff::tz::TimeZone::get(name).is_err() => Err(Problem::failed(format!(
                "[wearer] time_zone names the unknown zone \"{name}\""
            ))
            .hint("zones have names such as \"Europe/Berlin\"")),
            _ => Ok(()),
        }
    }

    /// The client of a provider.
    #[must_use]
    pub const fn client(&self, provider: Provider) -> &ClientConfig {
        match provider {
            Provider::Google => &self.google,
            Provider::Fitbit => &self.fitbit,
        }
    }
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    span.and_then(|span| text.get(..span.start))
        .map(|before| format!(" in line {}", before.matches('\n').count() + 1))
        .unwrap_or_default()
}

fn check_keys(table: &toml::Table) -> Result<(), Problem> {
    let top = KEYS.iter().map(|(name, _)| *name).chain(["provider"]);
    for (key, value) in table {
        let Some((_, known)) = KEYS.iter().find(|(name, _)| name == key) else {
            if key == "provider" {
                continue;
            }
            return Err(unknown(key, top));
        };
        let Some(inner) = value.as_table() else {
            return Err(Problem::failed(format!(
                "the configuration has {key} as a value, but it is a table: [{key}]"
            )));
        };
        for name in inner.keys() {
            if !known.contains(&name.as_str()) {
                return Err(unknown(
                    &format!("{key}.{name}"),
                    known.iter().map(|k| format!("{key}.{k}")),
                ));
            }
        }
    }
    Ok(())
}

fn unknown(key: &str, known: impl Iterator<Item = impl AsRef<str>>) -> Problem {
    let nearest = known
        .map(|name| {
            (
                strsim::damerau_levenshtein(key, name.as_ref()),
                name.as_ref().to_owned(),
            )
        })
        .min();
    let problem = Problem::failed(format!("the configuration has an unknown key \"{key}\""));
    match nearest {
        Some((_, name)) => problem.hint(format!("the nearest key is \"{name}\"")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
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
            [web]
            listen = "127.0.0.1:7373"
            hosts = ["pi.example"]
            passphrase = "correct horse"
            [screen]
            theme = "classic"
            palette = "dim"
            night = "22:00-07:00"
            wallpaper = "beach.png"
            [history]
            keep = "400 days"
            "#,
        )
        .unwrap();
        assert_eq!(config.provider().unwrap(), Some(Provider::Fitbit));
        assert_eq!(config.poll.every, Some(Interval(Duration::from_secs(900))));
        assert_eq!(config.poll.hold_off, Some(Interval(Duration::ZERO)));
        assert_eq!(config.history.keep, Keep::Days(400));
        assert!(Config::parse("[history]\nkeep = \"a while\"").is_err());
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("hush") && !shown.contains("horse"),
            "{shown}"
        );
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let message = |text| Config::parse(text).unwrap_err().to_string();
        assert!(message("[pol]\nevery = 1").contains("nearest key is \"poll\""));
        assert!(
            message("[google]\nclient_ID = \"x\"").contains("nearest key is \"google.client_id\"")
        );
        assert!(message("providr = \"google\"").contains("nearest key is \"provider\""));
        assert!(message("poll = 3").contains("[poll]"));
    }

    #[test]
    fn an_unknown_look_names_those_that_there_are() {
        let message = |text| Config::parse(text).unwrap_err().to_string();
        let theme = message("[screen]\ntheme = \"plaid\"");
        assert!(
            theme.contains("plaid") && theme.contains("desk and classic"),
            "{theme}"
        );
        let palette = message("[screen]\npalette = \"dark\"");
        assert!(palette.contains("day, dim and night"), "{palette}");
        assert!(message("[screen]\nnight = \"late\"").contains("22:00-07:00"));
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
        assert!(Config::parse("provider = \"garmin\"").is_err());
        assert!(Config::parse("[wearer]\nzones = [90, 80, 135, 160]").is_err());
        assert!(Config::parse("[wearer]\ntime_zone = \"Mars/Olympus\"").is_err());
    }
}
