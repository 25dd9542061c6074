//! The form of a file's contents, derived from its name.

use jiff::civil::Date;

use super::instant::leading_date;

/// The form of a file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Samples of a day, as in Fitbit's exports: JSON, with times without an offset.
    HeartJson {
        /// The wearer's day that the file is named after.
        date: Date,
    },
    /// Samples of a day as an export's CSV.
    HeartCsv,
    /// The resting heart rate of many days, as JSON.
    RestingJson,
    /// The resting heart rate of many days, as CSV.
    RestingCsv,
    /// Google Fit's samples of many years, as JSON.
    GoogleFit,
    /// All data of Apple Health, as XML.
    AppleHealth,
    /// A JSON file that the user named: one of the above, or from `pulsewing export --format json`.
    Json,
    /// A CSV file that the user named.
    Csv,
}

/// The pass in which a file is read. Samples that an export's JSON does not trust are left out of
/// its CSV, so all JSON comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The files with the tracker's confidence.
    Marked,
    /// All others.
    Others,
}

impl Pass {
    pub(crate) const ALL: [Self; 2] = [Self::Marked, Self::Others];
}

/// The size limit for reading a day's file, in bytes. A day's samples take up to 4 MiB.
const MAX_DAY: u64 = 256 << 20;

/// The size limit for reading a file of many years, in bytes.
const MAX_YEARS: u64 = 16 << 30;

impl Form {
    /// Returns the form of a file in an export; `None` if it has no heart rates. The directory does
    /// not matter, because its name has changed several times.
    #[must_use]
    pub fn from_export_path(path: &str) -> Option<Self> {
        let (directory, name) = path.rsplit_once(['/', '\\']).unwrap_or(("", path));
        let after = |start, end| name.strip_prefix(start)?.strip_suffix(end);
        // If an export was unpacked twice, a counter follows the date.
        let date = |rest: &str| leading_date(rest.as_bytes());
        if let Some(rest) = after("heart_rate-", ".json") {
            return date(rest).map(|date| Self::HeartJson { date });
        }
        if let Some(rest) = after("heart_rate_", ".csv") {
            return date(rest).map(|_| Self::HeartCsv);
        }
        if after("resting_heart_rate-", ".json").is_some() {
            return Some(Self::RestingJson);
        }
        if after("daily_resting_heart_rate", ".csv").is_some() {
            return Some(Self::RestingCsv);
        }
        if name.contains("com.google.heart_rate.bpm") && name.ends_with(".json") {
            return Some(Self::GoogleFit);
        }
        // Its name depends on the phone's language; the file beside it is for clinics.
        let is_apples = directory.ends_with("apple_health_export") || name == "export.xml";
        (is_apples && name.ends_with(".xml") && !name.ends_with("_cda.xml"))
            .then_some(Self::AppleHealth)
    }

    /// Returns the form of a file that the user named: that of an export, or any JSON, CSV or XML
    /// with samples.
    #[must_use]
    pub fn from_named_path(path: &str) -> Option<Self> {
        Self::from_export_path(path).or_else(|| match ending(path).as_str() {
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "xml" => Some(Self::AppleHealth),
            _ => None,
        })
    }

    /// Returns the pass in which it is read.
    pub(crate) const fn pass(self) -> Pass {
        match self {
            Self::HeartJson { .. } | Self::Json => Pass::Marked,
            _ => Pass::Others,
        }
    }

    /// Returns whether it holds all years: the user named it, or it is the only one of its kind.
    pub(crate) const fn is_of_years(self) -> bool {
        matches!(
            self,
            Self::GoogleFit | Self::AppleHealth | Self::Json | Self::Csv
        )
    }

    /// Returns the limit on the bytes to read from it.
    pub(crate) const fn max_bytes(self) -> u64 {
        match self.is_of_years() {
            true => MAX_YEARS,
            false => MAX_DAY,
        }
    }
}

/// Returns the extension of a file's name, in lower case.
pub(crate) fn ending(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn an_exports_files_are_known_by_their_names() {
        for (path, form) in [
            (
                "Takeout/Fitbit/Global Export Data/heart_rate-2023-01-26.json",
                Some(Form::HeartJson {
                    date: date(2023, 1, 26),
                }),
            ),
            (
                "MyFitbitData/Ada/Physical Activity/heart_rate-2023-01-26 (1).json",
                Some(Form::HeartJson {
                    date: date(2023, 1, 26),
                }),
            ),
            ("..\\..\\heart_rate_2024-10-27.csv", Some(Form::HeartCsv)),
            (
                "resting_heart_rate-2024-03-01.json",
                Some(Form::RestingJson),
            ),
            ("x/daily_resting_heart_rate.csv", Some(Form::RestingCsv)),
            (
                "Takeout/Fit/All Data/derived_com.google.heart_rate.bpm_com.google.an.json",
                Some(Form::GoogleFit),
            ),
            ("apple_health_export/export.xml", Some(Form::AppleHealth)),
            (
                "apple_health_export/Exportieren.xml",
                Some(Form::AppleHealth),
            ),
            ("apple_health_export/export_cda.xml", None),
            ("web.xml", None),
            ("heart_rate_variability_2024-10-27.csv", None),
            ("time_in_heart_rate_zones-2024-10-27.json", None),
            ("derived_com.google.heart_rate.summary_com.json", None),
            ("heart_rate-2024-13-27.json", None),
            ("steps-2024-10-27.json", None),
            ("", None),
        ] {
            assert_eq!(Form::from_export_path(path), form, "{path}");
        }
        assert_eq!(Form::from_named_path("my/day.CSV"), Some(Form::Csv));
        assert_eq!(Form::from_named_path("day.tsv"), Some(Form::Csv));
        assert_eq!(Form::from_named_path("day.json"), Some(Form::Json));
        assert_eq!(Form::from_named_path("my.dir/day"), None);
        assert_eq!(Form::from_named_path("day.fit"), None);
    }
}
