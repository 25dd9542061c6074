//! The data types of the API: their names, the calls that they support, and their scopes (Google
//! Health API, Data types; discovery document, `DataPoint` and its siblings).
//!
//! Every type answers. The sandbox has data for four of them; for the others the reply is empty.

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
    ///
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
    ///
    /// Returns the 400 reply if it does not.
    pub(super) fn supports(&self, call: Call) -> Result<(), Box<Reply>> {
        if self.calls.contains(&call) {
            return Ok(());
        }
        Err(Box::new(error::invalid(
            "UNSUPPORTED_DATA_TYPE_ACTION",
            "The data type does not support this action.",
        )))
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

const fn of(
    name: &'static str,
    kind: Kind,
    scope: &'static str,
    calls: &'static [Call],
) -> DataType {
    DataType {
        name,
        kind,
        scope,
        calls,
        data: None,
    }
}

const fn with(data: Data, data_type: DataType) -> DataType {
    DataType {
        data: Some(data),
        ..data_type
    }
}

const ALL: &[DataType] = &[
    of("active-energy-burned", Kind::Interval, ACTIVITY, EVERY),
    of("active-minutes", Kind::Interval, ACTIVITY, EVERY),
    of("active-zone-minutes", Kind::Interval, ACTIVITY, EVERY),
    of("activity-level", Kind::Interval, ACTIVITY, EVERY),
    of("altitude", Kind::Interval, ACTIVITY, EVERY),
    of("basal-energy-burned", Kind::Interval, ACTIVITY, POINTS),
    of("blood-glucose", Kind::Sample, HEALTH_METRICS, EVERY),
    of("body-fat", Kind::Sample, HEALTH_METRICS, EVERY),
    of(
        "calories-in-heart-rate-zone",
        Kind::Interval,
        ACTIVITY,
        ROLLED,
    ),
    of("core-body-temperature", Kind::Sample, HEALTH_METRICS, EVERY),
    of(
        "daily-heart-rate-variability",
        Kind::Daily,
        HEALTH_METRICS,
        POINTS,
    ),
    with(
        Data::DailyHeartRateZones,
        of(
            "daily-heart-rate-zones",
            Kind::Daily,
            HEALTH_METRICS,
            POINTS,
        ),
    ),
    of(
        "daily-oxygen-saturation",
        Kind::Daily,
        HEALTH_METRICS,
        POINTS,
    ),
    of(
        "daily-respiratory-rate",
        Kind::Daily,
        HEALTH_METRICS,
        POINTS,
    ),
    with(
        Data::DailyRestingHeartRate,
        of(
            "daily-resting-heart-rate",
            Kind::Daily,
            HEALTH_METRICS,
            POINTS,
        ),
    ),
    of(
        "daily-sleep-temperature-derivations",
        Kind::Daily,
        HEALTH_METRICS,
        POINTS,
    ),
    of("daily-vo2-max", Kind::Daily, ACTIVITY, POINTS),
    of("distance", Kind::Interval, ACTIVITY, EVERY),
    of("electrocardiogram", Kind::Electrocardiogram, ECG, LISTED),
    of("exercise", Kind::Session, ACTIVITY, POINTS),
    of("floors", Kind::Interval, ACTIVITY, EVERY),
    of("food", Kind::Food, NUTRITION, LISTED),
    of("food-measurement-unit", Kind::Food, NUTRITION, LISTED),
    with(
        Data::HeartRate,
        of("heart-rate", Kind::Sample, HEALTH_METRICS, EVERY),
    ),
    of(
        "heart-rate-variability",
        Kind::Sample,
        HEALTH_METRICS,
        POINTS,
    ),
    of(
        "heart-rate-variability-personal-range",
        Kind::Daily,
        HEALTH_METRICS,
        DAILY_ROLLED,
    ),
    of("height", Kind::Sample, HEALTH_METRICS, POINTS),
    of("hydration-log", Kind::Session, NUTRITION, EVERY),
    of("irregular-rhythm-notification", Kind::Session, IRN, LISTED),
    of("menstrual-period", Kind::Interval, REPRODUCTIVE, LISTED),
    of("moods", Kind::Sample, MINDFULNESS, LISTED),
    of("nutrition-log", Kind::Session, NUTRITION, EVERY),
    of("ovulation-test", Kind::Sample, REPRODUCTIVE, LISTED),
    of("oxygen-saturation", Kind::Sample, HEALTH_METRICS, POINTS),
    of(
        "respiratory-rate-sleep-summary",
        Kind::Sample,
        HEALTH_METRICS,
        POINTS,
    ),
    of(
        "resting-heart-rate-personal-range",
        Kind::Daily,
        HEALTH_METRICS,
        DAILY_ROLLED,
    ),
    of("run-vo2-max", Kind::Sample, ACTIVITY, EVERY),
    of("sedentary-period", Kind::Interval, ACTIVITY, EVERY),
    of("sleep", Kind::Sleep, SLEEP, POINTS),
    of("steps", Kind::Interval, ACTIVITY, EVERY),
    of("swim-lengths-data", Kind::Interval, ACTIVITY, EVERY),
    of("symptoms", Kind::Sample, SYMPTOMS, LISTED),
    with(
        Data::TimeInHeartRateZone,
        of("time-in-heart-rate-zone", Kind::Interval, ACTIVITY, EVERY),
    ),
    of("total-calories", Kind::Interval, ACTIVITY, ROLLED),
    of("vo2-max", Kind::Sample, ACTIVITY, POINTS),
    of("weight", Kind::Sample, HEALTH_METRICS, EVERY),
];

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
