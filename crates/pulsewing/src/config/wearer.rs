//! The wearers in the configuration: one as `[wearer]`, or any number as `[[wearer]]`.

use std::{borrow::Borrow, fmt, str::FromStr};

use pulsewing_core::{
    Provider,
    heart_zone::{BirthYear, HeartZones},
};
use pulsewing_screen::Theme;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{alarms::AlarmsConfig, born, by_name, heart_zones, time_zone};

/// The length limit of an id.
const LONGEST: usize = 32;

/// The length limit of a name, in characters.
const LONGEST_NAME: usize = 64;

/// The id of a wearer: 1 to 32 lower-case letters, digits and hyphens. It names the wearer's
/// directory, so it never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct WearerId(String);

impl Default for WearerId {
    /// Returns the id of the wearer whose configuration names none. The paths have always contained
    /// it.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl WearerId {
    /// Returns the id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for WearerId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WearerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WearerId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_valid = (1..=LONGEST).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !is_valid {
            return Err(format!(
                "\"{}\" is not a wearer's id: use 1 to {LONGEST} lower-case letters, digits and hyphens, such as \"anna\"",
                text.escape_debug()
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for WearerId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(|error: String| D::Error::custom(error))
    }
}

/// Checks a name that is shown: on pages and pictures, in terminals and in logs.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a name has at least one letter".to_owned());
    }
    let length = text.chars().count();
    if length > LONGEST_NAME {
        return Err(format!(
            "a name has at most {LONGEST_NAME} characters, but this one has {length}"
        ));
    }
    // These would move a terminal's cursor, or turn the text around that follows.
    let is_invisible = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if text.contains(is_invisible) {
        return Err(format!(
            "a name has no control characters, but \"{}\" does",
            text.escape_debug()
        ));
    }
    Ok(text.to_owned())
}

/// Reads a name. An empty one is none.
pub(crate) fn some_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(from)? {
        Some(text) if !text.trim().is_empty() => name(&text).map(Some).map_err(D::Error::custom),
        _ => Ok(None),
    }
}

/// A wearer.
#[derive(Clone, Debug, Default)]
pub(crate) struct WearerConfig {
    /// The id.
    pub id: WearerId,
    /// The name that is shown.
    pub name: Option<String>,
    /// The provider to ask about this wearer, if it differs from the one for all.
    pub provider: Option<Provider>,
    /// The IANA time zone, used if the provider does not report one.
    pub time_zone: Option<String>,
    /// The lower bounds of the light, moderate, vigorous and peak zones.
    pub zones: Option<HeartZones>,
    /// The year of birth.
    pub born: Option<BirthYear>,
    /// The theme of this wearer's picture, if it differs from the one for all.
    pub theme: Option<Theme>,
    /// The limits of this wearer's alarms, where they differ from those for all.
    pub alarms: AlarmsConfig,
}

impl WearerConfig {
    /// Returns the name to show: the wearer's own, else the id.
    pub(crate) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }
}

/// The wearers in the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) enum WearersConfig {
    /// None is mentioned.
    #[default]
    Absent,
    /// `[wearer]`: the wearer `default`.
    Only(Box<WearerConfig>),
    /// `[[wearer]]`, each with an id of its own.
    Listed(Vec<WearerConfig>),
}

impl WearersConfig {
    /// Returns the wearers that are mentioned.
    pub(crate) fn mentioned(&self) -> &[WearerConfig] {
        match self {
            Self::Absent => &[],
            Self::Only(wearer) => std::slice::from_ref(wearer),
            Self::Listed(wearers) => wearers,
        }
    }
}

impl<'de> Deserialize<'de> for WearersConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TableOrTables)
    }
}

/// Tells a table from a list of tables. An untagged enum would hide what is wrong in them.
struct TableOrTables;

impl<'de> Visitor<'de> for TableOrTables {
    type Value = WearersConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table: [wearer], or several [[wearer]]")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WearersConfig, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        if table.id.is_some() {
            return Err(A::Error::custom(
                "[wearer] is the only wearer and has no id; to give wearers ids, write each as [[wearer]], with double brackets",
            ));
        }
        Ok(WearersConfig::Only(Box::new(
            table.with_id(WearerId::default()),
        )))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tables: A) -> Result<WearersConfig, A::Error> {
        let mut wearers: Vec<WearerConfig> = Vec::new();
        while let Some(mut table) = tables.next_element::<Table>()? {
            let id = table.id.take().ok_or_else(|| {
                A::Error::custom("every [[wearer]] needs an id, such as id = \"anna\"")
            })?;
            if wearers.iter().any(|other| other.id == id) {
                return Err(A::Error::custom(format_args!(
                    "two wearers have the id \"{id}\"; give each its own"
                )));
            }
            wearers.push(table.with_id(id));
        }
        Ok(WearersConfig::Listed(wearers))
    }
}

/// A wearer's table as written in the file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    id: Option<WearerId>,
    #[serde(deserialize_with = "some_name")]
    name: Option<String>,
    #[serde(deserialize_with = "by_name")]
    provider: Option<Provider>,
    #[serde(deserialize_with = "time_zone")]
    time_zone: Option<String>,
    #[serde(deserialize_with = "heart_zones")]
    zones: Option<HeartZones>,
    #[serde(deserialize_with = "born")]
    born: Option<BirthYear>,
    #[serde(deserialize_with = "by_name")]
    theme: Option<Theme>,
    alarms: AlarmsConfig,
}

impl Table {
    fn with_id(self, id: WearerId) -> WearerConfig {
        WearerConfig {
            id,
            name: self.name,
            provider: self.provider,
            time_zone: self.time_zone,
            zones: self.zones,
            born: self.born,
            theme: self.theme,
            alarms: self.alarms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn message(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn one_wearer_needs_no_id_and_several_have_one_each() {
        let only = Config::parse("[wearer]\nname = \"Anna\"").unwrap().wearer;
        assert!(
            matches!(&only, WearersConfig::Only(wearer) if wearer.id.as_str() == "default"),
            "{only:?}"
        );
        let text = "[[wearer]]\nid = \"anna\"\ntheme = \"classic\"\n[[wearer]]\nid = \"ben-2\"\nprovider = \"fitbit\"";
        let several = Config::parse(text).unwrap().wearer;
        let ids: Vec<&str> = several
            .mentioned()
            .iter()
            .map(|it| it.id.as_str())
            .collect();
        assert_eq!(ids, ["anna", "ben-2"]);
        assert_eq!(several.mentioned()[1].provider, Some(Provider::Fitbit));
        assert_eq!(several.mentioned()[0].theme, Some(Theme::Classic));
    }

    #[test]
    fn a_name_is_one_line_of_ordinary_length() {
        for (text, shown) in [
            ("Anna", "Anna"),
            (" J\u{f6}rg \u{1f493} ", "J\u{f6}rg \u{1f493}"),
            // A family, which is four characters with joiners between them.
            ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\u{200d}\u{1f469}"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(shown));
        }
        assert!(name(&"\u{f6}".repeat(LONGEST_NAME)).is_ok());
        let long = "x".repeat(LONGEST_NAME + 1);
        for text in ["", " ", "a\nb", "\u{1b}[31mred", "\u{202e}annA", &long] {
            assert!(name(text).is_err(), "{text:?}");
        }
        let unnamed = Config::parse("[wearer]\nname = \"\"").unwrap().wearer;
        assert_eq!(unnamed.mentioned()[0].name, None);
        assert!(message("[wearer]\nname = \"a\\nb\"").contains("in line 2"));
    }

    proptest::proptest! {
        #[test]
        fn an_id_is_a_file_name_and_a_part_of_a_path(text in ".{0,40}") {
            if let Ok(id) = text.parse::<WearerId>() {
                let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
                proptest::prop_assert!(id.as_str().chars().all(is_plain));
                proptest::prop_assert_eq!(id.as_str(), &text);
            }
        }

        #[test]
        fn every_id_of_the_right_letters_and_length_is_one(text in "[a-z0-9-]{1,32}") {
            proptest::prop_assert_eq!(text.parse::<WearerId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wearer_that_cannot_be_is_told_with_its_line() {
        for (text, words) in [
            ("[wearer]\nid = \"anna\"", "[[wearer]]"),
            ("[[wearer]]\nname = \"Anna\"", "needs an id"),
            (
                "[[wearer]]\nid = \"a\"\n[[wearer]]\nid = \"a\"",
                "two wearers have the id \"a\"",
            ),
            ("[[wearer]]\nid = \"Anna\"", "lower-case"),
            ("[[wearer]]\nid = \"../x\"", "lower-case"),
            ("[[wearer]]\nid = \"\"", "lower-case"),
            ("[[wearer]]\nid = \"a\"\nnmae = \"x\"", "wearer.name"),
            ("[wearer]\nnmae = \"x\"", "wearer.name"),
            ("wearer = 3", "[[wearer]]"),
        ] {
            let message = message(text);
            assert!(message.contains(words), "{text}: {message}");
        }
        let late = "[[wearer]]\nid = \"a\"\n[[wearer]]\nid = \"b\"\ntime_zone = \"Mars/Olympus\"";
        assert!(message(late).contains("in line 5"), "{}", message(late));
    }
}
