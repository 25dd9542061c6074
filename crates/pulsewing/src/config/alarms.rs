//! The limits of alarms: `[alarms]` for all wearers, and `[wearer.alarms]` for one of them.

use std::{fmt, time::Duration};

use jiff::SignedDuration;
use pulsewing_core::{
    Bpm,
    alarm::{Limits, LimitsError},
    look::Night,
};
use pulsewing_notify::{PingUrl, SendSettings};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor, value::StrDeserializer},
};

use super::Interval;

/// A setting that is left out, switched off, or has a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Switch<T> {
    /// It is as it is for all wearers, or by default.
    #[default]
    Absent,
    /// It is switched off, whatever it is for all wearers.
    Off,
    /// It is this.
    On(T),
}

impl<T: Copy> Switch<T> {
    fn or(self, usual: Option<T>) -> Option<T> {
        match self {
            Self::Absent => usual,
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

/// Alarms as written in the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AlarmsConfig {
    /// Above this heart rate, in bpm: a warning.
    #[serde(deserialize_with = "rate")]
    pub high: Switch<Bpm>,
    /// Above this heart rate: urgent.
    #[serde(deserialize_with = "rate")]
    pub high_urgent: Switch<Bpm>,
    /// Below this heart rate: a warning.
    #[serde(deserialize_with = "rate")]
    pub low: Switch<Bpm>,
    /// Below this heart rate: urgent.
    #[serde(deserialize_with = "rate")]
    pub low_urgent: Switch<Bpm>,
    /// The time without a new minute; "2h" by default.
    #[serde(deserialize_with = "stale")]
    pub stale: Switch<SignedDuration>,
    /// The tracker's battery in percent; 20 by default.
    #[serde(deserialize_with = "battery")]
    pub battery: Switch<u8>,
    /// The hours in which only what is urgent is told.
    #[serde(deserialize_with = "quiet")]
    pub quiet: Switch<Night>,
    /// The time from the first signal to its repeat; "10m" by default.
    pub repeat: Option<Interval>,
    /// The age up to which a minute can cause an alarm; "60m" by default.
    pub fresh: Option<Interval>,
    /// The channels that messages go over. They are for all wearers.
    pub send: Vec<SendSettings>,
    /// The dead man's switch. It is for all wearers.
    pub ping: Option<PingUrl>,
}

impl AlarmsConfig {
    /// Returns the limits; those that are not set here are the `usual` ones.
    pub(crate) fn over(&self, usual: Limits) -> Limits {
        let length = |interval: Option<Interval>| {
            interval.map(|it| SignedDuration::try_from(it.0).unwrap_or(SignedDuration::MAX))
        };
        Limits {
            high: self.high.or(usual.high),
            high_urgent: self.high_urgent.or(usual.high_urgent),
            low: self.low.or(usual.low),
            low_urgent: self.low_urgent.or(usual.low_urgent),
            stale: self.stale.or(usual.stale),
            battery: self.battery.or(usual.battery),
            quiet: self.quiet.or(usual.quiet),
            repeat: length(self.repeat).unwrap_or(usual.repeat),
            fresh: length(self.fresh).unwrap_or(usual.fresh),
        }
    }

    /// Returns the key here that is not about one wearer, if there is one.
    pub(crate) const fn for_all(&self) -> Option<&'static str> {
        match self {
            Self { ping: Some(_), .. } => Some("ping"),
            _ if !self.send.is_empty() => Some("send"),
            _ => None,
        }
    }

    /// Returns the limits over the `usual` ones, if they make sense together.
    ///
    /// # Errors
    /// The first [`LimitsError`].
    pub(crate) fn checked(&self, usual: Limits) -> Result<Limits, LimitsError> {
        let limits = self.over(usual);
        limits.check().map(|()| limits)
    }
}

fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Switch<Bpm>, D::Error> {
    let number =
        |bpm: i64| Bpm::from_whole(bpm).ok_or_else(|| format!("{bpm} is not a heart rate"));
    from.deserialize_any(NumberOrOff {
        wanted: "a heart rate in bpm, such as 120, or \"off\"",
        number,
    })
}

fn battery<'de, D: Deserializer<'de>>(from: D) -> Result<Switch<u8>, D::Error> {
    let number = |percent: i64| {
        u8::try_from(percent).map_err(|_| format!("{percent} is not a charge in percent"))
    };
    from.deserialize_any(NumberOrOff {
        wanted: "a charge in percent, such as 20, or \"off\"",
        number,
    })
}

fn quiet<'de, D: Deserializer<'de>>(from: D) -> Result<Switch<Night>, D::Error> {
    let text = String::deserialize(from)?;
    match text.as_str() {
        "off" => Ok(Switch::Off),
        text => super::night(StrDeserializer::new(text))
            .map(|night| night.map_or(Switch::Off, Switch::On)),
    }
}

fn stale<'de, D: Deserializer<'de>>(from: D) -> Result<Switch<SignedDuration>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Length {
        Seconds(u32),
        Text(String),
    }
    let Interval(length) = match Length::deserialize(from)? {
        Length::Text(text) if text == "off" => return Ok(Switch::Off),
        Length::Seconds(seconds) => Interval(Duration::from_secs(seconds.into())),
        Length::Text(text) => Interval::deserialize(StrDeserializer::new(&text))?,
    };
    SignedDuration::try_from(length)
        .map(Switch::On)
        .map_err(|_| D::Error::custom("this is too long"))
}

/// A whole number, or the word that switches it off.
struct NumberOrOff<F> {
    wanted: &'static str,
    number: F,
}

impl<T, F: FnOnce(i64) -> Result<T, String>> Visitor<'_> for NumberOrOff<F> {
    type Value = Switch<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Switch<T>, E> {
        (self.number)(number)
            .map(Switch::On)
            .map_err(|words| E::custom(format_args!("{words}; write {}", self.wanted)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Switch<T>, E> {
        match text {
            "off" => Ok(Switch::Off),
            _ => Err(E::custom(format_args!(
                "\"{}\" is none; write {}",
                text.escape_debug(),
                self.wanted
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    fn message(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn limits_of_a_wearer_stand_over_those_of_all() {
        let config = Config::parse(
            r#"
            [alarms]
            high = 120
            low = 45
            stale = "90m"
            quiet = "22:00-07:00"
            repeat = "5m"
            [[wearer]]
            id = "anna"
            [wearer.alarms]
            high = 140
            low = "off"
            battery = "off"
            quiet = "off"
            [[wearer]]
            id = "ben"
            "#,
        )
        .unwrap();
        let of = |index: usize| config.limits(&config.wearer.mentioned()[index]);
        let (anna, ben) = (of(0), of(1));
        assert_eq!(anna.high, Bpm::new(140));
        assert_eq!((anna.low, anna.battery, anna.quiet), (None, None, None));
        assert_eq!(anna.stale, Some(SignedDuration::from_mins(90)));
        assert_eq!(ben.high, Bpm::new(120));
        assert_eq!((ben.low, ben.battery), (Bpm::new(45), Some(20)));
        assert_eq!(ben.repeat, SignedDuration::from_mins(5));
        assert!(ben.quiet.is_some());
        // Thresholds are off until somebody sets them, absence is not.
        let plain = Config::default().limits(&crate::config::wearer::WearerConfig::default());
        assert_eq!(plain, Limits::default());
    }

    #[test]
    fn limits_that_make_no_sense_are_told_in_words() {
        for (text, words) in [
            ("high = 100\nlow = 100", "low must be below high"),
            ("high = 100\nhigh_urgent = 90", "high_urgent must be above"),
            ("high = \"loud\"", "such as 120, or \"off\""),
            ("high = 0", "0 is not a heart rate"),
            ("high = 20", "from 25 to 250 bpm"),
            ("battery = 300", "such as 20, or \"off\""),
            ("stale = \"5m\"", "from 15 minutes to 7 days"),
            ("stale = \"long\"", "in line 2"),
            ("quiet = \"late\"", "22:00-07:00"),
            ("repeat = \"2h\"", "from 1 to 60 minutes"),
            ("hihg = 120", "\"alarms.high\""),
        ] {
            let message = message(&format!("[alarms]\n{text}"));
            assert!(message.contains(words), "{text}: {message}");
        }
        let of_anna =
            message("[alarms]\nhigh = 100\n[[wearer]]\nid = \"anna\"\n[wearer.alarms]\nlow = 110");
        let elsewhere = message("[wearer.alarms]\nping = \"https://hc-ping.com/x\"");
        assert!(elsewhere.contains("ping under [alarms]"), "{elsewhere}");
        let secret = message("[alarms]\nping = \"ftp://hush.example/x\"");
        assert!(!secret.contains("hush"), "{secret}");
        assert!(
            of_anna.contains("anna") && of_anna.contains("110 is not below 100"),
            "{of_anna}"
        );
    }
}
