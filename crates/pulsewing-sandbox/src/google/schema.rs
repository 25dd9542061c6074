//! The possible members of data-call replies, for the data types that exist here (Google Health
//! API, discovery document, `schemas`).

use super::data_type::DataType;

/// The members that a reply can have, whether or not they are present.
#[derive(Debug)]
pub(super) enum Schema {
    Members(Members),
    /// Those of a data point; it can also have one for every data type.
    Point(Members),
    /// Any members, for a data type without data in the sandbox.
    Anything,
}

type Members = &'static [(&'static str, &'static Schema)];

impl Schema {
    /// Finds a member.
    pub(super) fn member(&self, name: &str) -> Option<&'static Self> {
        let known = |members: Members| members.iter().find(|(known, _)| *known == name);
        match self {
            Self::Members(members) => known(members).map(|(_, below)| *below),
            Self::Point(members) => known(members)
                .map(|(_, below)| *below)
                .or_else(|| DataType::has_member(name).then_some(&Self::Anything)),
            Self::Anything => Some(&Self::Anything),
        }
    }

    /// Returns the members that are known in detail.
    pub(super) fn members(&self) -> Members {
        match self {
            Self::Members(members) | Self::Point(members) => members,
            Self::Anything => &[],
        }
    }
}

const LEAF: Schema = Schema::Members(&[]);
const DATE: Schema = Schema::Members(&[("year", &LEAF), ("month", &LEAF), ("day", &LEAF)]);
const TIME: Schema = Schema::Members(&[
    ("hours", &LEAF),
    ("minutes", &LEAF),
    ("seconds", &LEAF),
    ("nanos", &LEAF),
]);
const CIVIL: Schema = Schema::Members(&[("date", &DATE), ("time", &TIME)]);
const SAMPLE_TIME: Schema = Schema::Members(&[
    ("physicalTime", &LEAF),
    ("utcOffset", &LEAF),
    ("civilTime", &CIVIL),
]);
const INTERVAL: Schema = Schema::Members(&[
    ("startTime", &LEAF),
    ("startUtcOffset", &LEAF),
    ("endTime", &LEAF),
    ("endUtcOffset", &LEAF),
    ("civilStartTime", &CIVIL),
    ("civilEndTime", &CIVIL),
]);
const HEART_RATE: Schema = Schema::Members(&[
    ("sampleTime", &SAMPLE_TIME),
    ("beatsPerMinute", &LEAF),
    (
        "metadata",
        &Schema::Members(&[("motionContext", &LEAF), ("sensorLocation", &LEAF)]),
    ),
]);
const RESTING: Schema = Schema::Members(&[
    ("date", &DATE),
    ("beatsPerMinute", &LEAF),
    (
        "dailyRestingHeartRateMetadata",
        &Schema::Members(&[("calculationMethod", &LEAF)]),
    ),
]);
const ZONES: Schema = Schema::Members(&[
    ("date", &DATE),
    (
        "heartRateZones",
        &Schema::Members(&[
            ("heartRateZoneType", &LEAF),
            ("minBeatsPerMinute", &LEAF),
            ("maxBeatsPerMinute", &LEAF),
        ]),
    ),
]);
const TIME_IN_ZONE: Schema =
    Schema::Members(&[("interval", &INTERVAL), ("heartRateZoneType", &LEAF)]);
const SOURCE: Schema = Schema::Members(&[
    ("recordingMethod", &LEAF),
    (
        "device",
        &Schema::Members(&[
            ("displayName", &LEAF),
            ("formFactor", &LEAF),
            ("manufacturer", &LEAF),
        ]),
    ),
    (
        "application",
        &Schema::Members(&[
            ("packageName", &LEAF),
            ("webClientId", &LEAF),
            ("googleWebClientId", &LEAF),
        ]),
    ),
    ("platform", &LEAF),
]);
const ROLLED_HEART_RATE: Schema = Schema::Members(&[
    ("beatsPerMinuteAvg", &LEAF),
    ("beatsPerMinuteMax", &LEAF),
    ("beatsPerMinuteMin", &LEAF),
]);
const ROLLED_TIME_IN_ZONE: Schema = Schema::Members(&[(
    "timeInHeartRateZones",
    &Schema::Members(&[("heartRateZone", &LEAF), ("duration", &LEAF)]),
)]);
const DEVICE: Schema = Schema::Members(&[
    ("name", &LEAF),
    ("deviceType", &LEAF),
    ("deviceVersion", &LEAF),
    ("batteryStatus", &LEAF),
    ("batteryLevel", &LEAF),
    ("lastSyncTime", &LEAF),
    ("macAddress", &LEAF),
    ("features", &LEAF),
]);

/// The reply of `list`.
pub(super) const LISTED: Schema = Schema::Members(&[
    (
        "dataPoints",
        &Schema::Point(&[
            ("name", &LEAF),
            ("dataSource", &SOURCE),
            ("heartRate", &HEART_RATE),
            ("dailyRestingHeartRate", &RESTING),
            ("dailyHeartRateZones", &ZONES),
            ("timeInHeartRateZone", &TIME_IN_ZONE),
        ]),
    ),
    ("nextPageToken", &LEAF),
]);

/// The reply of `reconcile`.
pub(super) const RECONCILED: Schema = Schema::Members(&[
    (
        "dataPoints",
        &Schema::Point(&[
            ("dataPointName", &LEAF),
            ("heartRate", &HEART_RATE),
            ("dailyRestingHeartRate", &RESTING),
            ("dailyHeartRateZones", &ZONES),
            ("timeInHeartRateZone", &TIME_IN_ZONE),
        ]),
    ),
    ("nextPageToken", &LEAF),
]);

/// The reply of `rollUp`.
pub(super) const ROLLED_UP: Schema = Schema::Members(&[
    (
        "rollupDataPoints",
        &Schema::Point(&[
            ("startTime", &LEAF),
            ("endTime", &LEAF),
            ("heartRate", &ROLLED_HEART_RATE),
            ("timeInHeartRateZone", &ROLLED_TIME_IN_ZONE),
        ]),
    ),
    ("nextPageToken", &LEAF),
]);

/// The reply of `dailyRollUp`.
pub(super) const DAILY_ROLLED_UP: Schema = Schema::Members(&[
    (
        "rollupDataPoints",
        &Schema::Point(&[
            ("civilStartTime", &CIVIL),
            ("civilEndTime", &CIVIL),
            ("heartRate", &ROLLED_HEART_RATE),
            ("timeInHeartRateZone", &ROLLED_TIME_IN_ZONE),
        ]),
    ),
    ("nextPageToken", &LEAF),
]);

/// The reply of `pairedDevices`.
pub(super) const DEVICES: Schema =
    Schema::Members(&[("pairedDevices", &DEVICE), ("nextPageToken", &LEAF)]);

/// The reply of `pairedDevices/{id}`.
pub(super) const ONE_DEVICE: Schema = DEVICE;

/// The reply of `settings`.
pub(super) const SETTINGS: Schema = Schema::Members(&[
    ("name", &LEAF),
    ("autoStrideEnabled", &LEAF),
    ("distanceUnit", &LEAF),
    ("foodLanguageCode", &LEAF),
    ("glucoseUnit", &LEAF),
    ("heightUnit", &LEAF),
    ("languageLocale", &LEAF),
    ("strideLengthRunningType", &LEAF),
    ("strideLengthWalkingType", &LEAF),
    ("swimUnit", &LEAF),
    ("temperatureUnit", &LEAF),
    ("timeZone", &LEAF),
    ("utcOffset", &LEAF),
    ("waterUnit", &LEAF),
    ("weightUnit", &LEAF),
]);

/// The reply of `identity`.
pub(super) const IDENTITY: Schema = Schema::Members(&[
    ("name", &LEAF),
    ("healthUserId", &LEAF),
    ("legacyUserId", &LEAF),
]);

/// The reply of `profile`.
pub(super) const PROFILE: Schema = Schema::Members(&[
    ("name", &LEAF),
    ("age", &LEAF),
    ("membershipStartDate", &DATE),
    ("autoRunningStrideLengthMm", &LEAF),
    ("autoWalkingStrideLengthMm", &LEAF),
    ("userConfiguredRunningStrideLengthMm", &LEAF),
    ("userConfiguredWalkingStrideLengthMm", &LEAF),
]);
