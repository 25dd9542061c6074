//! The data types of the API: their names, the calls that they support, and their scopes (Google
//! Health API, Data types; discovery document, `DataPoint` and its siblings).
//!
//! Every type answers. The sandbox has data for four of them; for the others the reply is empty.

use std::sync::LazyLock;

use super::{error, fields::camel, route::Call};
use crate::message::Reply;

/// A data type of the API.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DataType {
    /// Its name in a path, such as `heart-rate`.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The scope that allows reading it.
    pub(super) scope: &'static str,
    calls: &'static [Call],
    /// The data that the sandbox has for it.
    pub(super) data: Option<Data>,
}

/// How the points of a data type relate to time, which also decides how they are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sample,
    Daily,
    Interval,
    Session,
    /// A session that counts for the day on which it ends.
    Sleep,
    Electrocardiogram,
    /// A thing rather than an event: it has no time.
    Food,
}

/// Data that the sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    HeartRate,
    DailyRestingHeartRate,
    DailyHeartRateZones,
    TimeInHeartRateZone,
}

impl DataType {
    /// Finds a type by its name in a path.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|known| known.name == name)
    }

    /// Finds a type by its name in a path.
    ///
    /// # Errors
    /// Returns the 400 reply if the API has no such type.
    pub(super) fn parse(name: &str) -> Result<&'static Self, Box<Reply>> {
        Self::find(name).ok_or_else(|| Box::new(error::unknown_data_type(name)))
    }

    /// Finds a type by its name in a filter, such as `heart_rate`.
    pub(super) fn in_filter(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|known| known.filter_name() == name)
    }

    /// Returns whether a point has a member for a type, such as `heartRate`.
    pub(super) fn has_member(name: &str) -> bool {
        ALL.iter().any(|known| known.member_name() == name)
    }

    /// Returns the type's name in a filter.
    pub(super) fn filter_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Returns the name of the type's member in a point.
    pub(super) fn member_name(&self) -> String {
        camel(&self.filter_name())
    }

    /// Checks that the type supports a call.
    ///
    /// # Errors
    /// Returns the 400 reply if it does not.
    pub(super) fn supports(&self, call: Call) -> Result<(), Box<Reply>> {
        if self.calls.contains(&call) {
            return Ok(());
        }
        error::refuse(
            "UNSUPPORTED_DATA_TYPE_ACTION",
            "The data type does not support this action.",
        )
    }

    /// Returns how many days a roll-up may span.
    pub(super) fn most_days(&self) -> i64 {
        let is_dense = matches!(
            self.name,
            "heart-rate" | "active-minutes" | "total-calories" | "calories-in-heart-rate-zone"
        );
        if is_dense { 14 } else { 90 }
    }

    /// Returns whether `list` can be limited to a family of sources.
    pub(super) fn lists_by_family(&self) -> bool {
        !matches!(self.kind, Kind::Sleep | Kind::Food)
    }

    /// Returns the default and the largest size of a page, if the type has its own.
    pub(super) fn page_sizes(&self) -> Option<(usize, usize)> {
        matches!(self.name, "exercise" | "sleep").then_some((25, 25))
    }
}

const HEALTH_METRICS: &str =
    "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly";
const ACTIVITY: &str = "https://www.googleapis.com/auth/googlehealth.activity_and_fitness.readonly";
const ECG: &str = "https://www.googleapis.com/auth/googlehealth.ecg.readonly";
const IRN: &str = "https://www.googleapis.com/auth/googlehealth.irn.readonly";
const MINDFULNESS: &str = "https://www.googleapis.com/auth/googlehealth.mindfulness.readonly";
const NUTRITION: &str = "https://www.googleapis.com/auth/googlehealth.nutrition.readonly";
const REPRODUCTIVE: &str =
    "https://www.googleapis.com/auth/googlehealth.reproductive_health.readonly";
const SLEEP: &str = "https://www.googleapis.com/auth/googlehealth.sleep.readonly";
const SYMPTOMS: &str = "https://www.googleapis.com/auth/googlehealth.logged_symptoms.readonly";

/// Every call.
const EVERY: &[Call] = &[Call::List, Call::Reconcile, Call::RollUp, Call::DailyRollUp];
/// Calls for single points.
const POINTS: &[Call] = &[Call::List, Call::Reconcile];
const LISTED: &[Call] = &[Call::List];
/// Calls for types that have sums but no points of their own.
const ROLLED: &[Call] = &[Call::RollUp, Call::DailyRollUp];
const DAILY_ROLLED: &[Call] = &[Call::DailyRollUp];

/// What a kind of data is, who may read it by which calls, and the types of that kind.
type Group = (Kind, &'static str, &'static [Call], &'static str);

const GROUPS: &[Group] = &[
    (
        Kind::Interval,
        ACTIVITY,
        EVERY,
        "active-energy-burned active-minutes active-zone-minutes activity-level altitude distance floors \
         sedentary-period steps swim-lengths-data time-in-heart-rate-zone",
    ),
    (Kind::Interval, ACTIVITY, POINTS, "basal-energy-burned"),
    (
        Kind::Interval,
        ACTIVITY,
        ROLLED,
        "calories-in-heart-rate-zone total-calories",
    ),
    (Kind::Interval, REPRODUCTIVE, LISTED, "menstrual-period"),
    (
        Kind::Sample,
        HEALTH_METRICS,
        EVERY,
        "blood-glucose body-fat core-body-temperature heart-rate weight",
    ),
    (
        Kind::Sample,
        HEALTH_METRICS,
        POINTS,
        "heart-rate-variability height oxygen-saturation respiratory-rate-sleep-summary",
    ),
    (Kind::Sample, ACTIVITY, EVERY, "run-vo2-max"),
    (Kind::Sample, ACTIVITY, POINTS, "vo2-max"),
    (Kind::Sample, MINDFULNESS, LISTED, "moods"),
    (Kind::Sample, REPRODUCTIVE, LISTED, "ovulation-test"),
    (Kind::Sample, SYMPTOMS, LISTED, "symptoms"),
    (
        Kind::Daily,
        HEALTH_METRICS,
        POINTS,
        "daily-heart-rate-variability daily-heart-rate-zones daily-oxygen-saturation daily-respiratory-rate \
         daily-resting-heart-rate daily-sleep-temperature-derivations",
    ),
    (
        Kind::Daily,
        HEALTH_METRICS,
        DAILY_ROLLED,
        "heart-rate-variability-personal-range resting-heart-rate-personal-range",
    ),
    (Kind::Daily, ACTIVITY, POINTS, "daily-vo2-max"),
    (Kind::Session, ACTIVITY, POINTS, "exercise"),
    (
        Kind::Session,
        NUTRITION,
        EVERY,
        "hydration-log nutrition-log",
    ),
    (Kind::Session, IRN, LISTED, "irregular-rhythm-notification"),
    (Kind::Sleep, SLEEP, POINTS, "sleep"),
    (Kind::Electrocardiogram, ECG, LISTED, "electrocardiogram"),
    (Kind::Food, NUTRITION, LISTED, "food food-measurement-unit"),
];

static ALL: LazyLock<Vec<DataType>> = LazyLock::new(|| {
    let types = |(kind, scope, calls, names): &Group| {
        let (kind, scope, calls) = (*kind, *scope, *calls);
        names.split(' ').map(move |name| DataType {
            name,
            kind,
            scope,
            calls,
            data: match name {
                "heart-rate" => Some(Data::HeartRate),
                "daily-resting-heart-rate" => Some(Data::DailyRestingHeartRate),
                "daily-heart-rate-zones" => Some(Data::DailyHeartRateZones),
                "time-in-heart-rate-zone" => Some(Data::TimeInHeartRateZone),
                _ => None,
            },
        })
    };
    GROUPS.iter().flat_map(types).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_three_spellings() {
        let found = DataType::find("daily-vo2-max").unwrap();
        assert_eq!(
            (found.filter_name(), found.member_name()),
            ("daily_vo2_max".to_owned(), "dailyVo2Max".to_owned())
        );
        assert_eq!(DataType::in_filter("daily_vo2_max"), Some(found));
        assert!(DataType::has_member("dailyVo2Max"));
        assert_eq!(DataType::find("daily_vo2_max"), None);
    }
}
