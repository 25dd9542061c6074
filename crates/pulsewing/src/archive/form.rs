//! What a file holds, told from its name.

use jiff::civil::Date;

use super::instant::iso_date;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Samples as Fitbit's exports have them: JSON, with times that name no offset.
    HeartJson {
        /// The wearer's day that the file is named after.
        date: Option<Date>,
    },
    /// Samples as CSV.
    HeartCsv,
    /// The resting heart rate of many days, as JSON.
    RestingJson,
    /// The resting heart rate of many days, as CSV.
    RestingCsv,
}

impl Form {
    /// What a file of an export holds; `None` when it is no heart rate. The directory does not
    /// matter: it has changed its name several times.
    #[must_use]
    pub fn of_export(path: &str) -> Option<Self> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let after = |start, end| name.strip_prefix(start)?.strip_suffix(end);
        // What follows the date is a counter, where an export was unpacked twice.
        let date = |rest: &str| iso_date(rest.as_bytes().get(..10)?);
        if let Some(rest) = after("heart_rate-", ".json") {
            return date(rest).map(|date| Self::HeartJson { date: Some(date) });
        }
        if let Some(rest) = after("heart_rate_", ".csv") {
            return date(rest).map(|_| Self::HeartCsv);
        }
        if after("resting_heart_rate-", ".json").is_some() {
            return Some(Self::RestingJson);
        }
        after("daily_resting_heart_rate", ".csv").map(|_| Self::RestingCsv)
    }

    /// What a file that the user named holds: an export's, or any JSON or CSV with samples.
    #[must_use]
    pub fn of_named(path: &str) -> Option<Self> {
        let lower = path.to_ascii_lowercase();
        Self::of_export(path).or_else(|| {
            if lower.ends_with(".json") {
                Some(Self::HeartJson { date: None })
            } else {
                lower.ends_with(".csv").then_some(Self::HeartCsv)
            }
        })
    }
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
                    date: Some(date(2023, 1, 26)),
                }),
            ),
            (
                "MyFitbitData/Ada/Physical Activity/heart_rate-2023-01-26 (1).json",
                Some(Form::HeartJson {
                    date: Some(date(2023, 1, 26)),
                }),
            ),
            ("..\\..\\heart_rate_2024-10-27.csv", Some(Form::HeartCsv)),
            (
                "resting_heart_rate-2024-03-01.json",
                Some(Form::RestingJson),
            ),
            ("x/daily_resting_heart_rate.csv", Some(Form::RestingCsv)),
            ("heart_rate_variability_2024-10-27.csv", None),
            ("time_in_heart_rate_zones-2024-10-27.json", None),
            ("heart_rate-2024-13-27.json", None),
            ("steps-2024-10-27.json", None),
            ("", None),
        ] {
            assert_eq!(Form::of_export(path), form, "{path}");
        }
        assert_eq!(Form::of_named("my/day.CSV"), Some(Form::HeartCsv));
        assert_eq!(
            Form::of_named("day.json"),
            Some(Form::HeartJson { date: None })
        );
        assert_eq!(Form::of_named("day.tgz"), None);
    }
}
