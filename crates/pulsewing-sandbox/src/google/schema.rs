//! What the replies of data calls can hold, by the data types that exist here
//! (Google Health API, discovery document, `schemas`).

/// The members that a reply can have, whether or not it has them.
#[derive(Debug)]
pub(super) struct Schema(pub(super) &'static [(&'static str, &'static Self)]);

const LEAF: Schema = Schema(&[]);
const DATE: Schema = Schema(&[("year", &LEAF), ("month", &LEAF), ("day", &LEAF)]);
const TIME: Schema = Schema(&[
    ("hours", &LEAF),
    ("minutes", &LEAF),
    ("seconds", &LEAF),
    ("nanos", &LEAF),
]);
const CIVIL: Schema = Schema(&[("date", &DATE), ("time", &TIME)]);
const SAMPLE_TIME: Schema = Schema(&[
    ("physicalTime", &LEAF),
    ("utcOffset", &LEAF),
    ("civilTime", &CIVIL),
]);
const INTERVAL: Schema = Schema(&[
    ("startTime", &LEAF),
    ("startUtcOffset", &LEAF),
    ("endTime", &LEAF),
    ("endUtcOffset", &LEAF),
    ("civilStartTime", &CIVIL),
    ("civilEndTime", &CIVIL),
]);
const HEART_RATE: Schema = Schema(&[
    ("sampleTime", &SAMPLE_TIME),
    ("beatsPerMinute", &LEAF),
    (
        "metadata",
        &Schema(&[("motionContext", &LEAF), ("sensorLocation", &LEAF)]),
    ),
]);
const RESTING: Schema = Schema(&[
    ("date", &DATE),
    ("beatsPerMinute", &LEAF),
    (
        "dailyRestingHeartRateMetadata",
        &Schema(&[("calculationMethod", &LEAF)]),
    ),
]);
const ZONES: Schema = Schema(&[
    ("date", &DATE),
    (
        "heartRateZones",
        &Schema(&[
            ("heartRateZoneType", &LEAF),
            ("minBeatsPerMinute", &LEAF),
            ("maxBeatsPerMinute", &LEAF),
        ]),
    ),
]);
const TIME_IN_ZONE: Schema = Schema(&[("interval", &INTERVAL), ("heartRateZoneType", &LEAF)]);
const SOURCE: Schema = Schema(&[
    ("recordingMethod", &LEAF),
    (
        "device",
        &Schema(&[
            ("displayName", &LEAF),
            ("formFactor", &LEAF),
            ("manufacturer", &LEAF),
        ]),
    ),
    (
        "application",
        &Schema(&[
            ("packageName", &LEAF),
            ("webClientId", &LEAF),
            ("googleWebClientId", &LEAF),
        ]),
    ),
    ("platform", &LEAF),
]);
const ROLLED_HEART_RATE: Schema = Schema(&[
    ("beatsPerMinuteAvg", &LEAF),
    ("beatsPerMinuteMax", &LEAF),
    ("beatsPerMinuteMin", &LEAF),
]);
const ROLLED_TIME_IN_ZONE: Schema = Schema(&[(
    "timeInHeartRateZones",
    &Schema(&[("heartRateZone", &LEAF), ("duration", &LEAF)]),
)]);
const DEVICE: Schema = Schema(&[
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
pub(super) const LISTED: Schema = Schema(&[
    (
        "dataPoints",
        &Schema(&[
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
pub(super) const RECONCILED: Schema = Schema(&[
    (
        "dataPoints",
        &Schema(&[
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
pub(super) const ROLLED_UP: Schema = Schema(&[
    (
        "rollupDataPoints",
        &Schema(&[
            ("startTime", &LEAF),
            ("endTime", &LEAF),
            ("heartRate", &ROLLED_HEART_RATE),
            ("timeInHeartRateZone", &ROLLED_TIME_IN_ZONE),
        ]),
    ),
    ("nextPageToken", &LEAF),
]);

/// The reply of `dailyRollUp`.
pub(super) const DAILY_ROLLED_UP: Schema = Schema(&[
    (
        "rollupDataPoints",
        &Schema(&[
            ("civilStartTime", &CIVIL),
            ("civilEndTime", &CIVIL),
            ("heartRate", &ROLLED_HEART_RATE),
            ("timeInHeartRateZone", &ROLLED_TIME_IN_ZONE),
        ]),
    ),
    ("nextPageToken", &LEAF),
]);

/// The reply of `pairedDevices`.
pub(super) const DEVICES: Schema = Schema(&[("pairedDevices", &DEVICE), ("nextPageToken", &LEAF)]);

/// The reply of `pairedDevices/{id}`.
pub(super) const ONE_DEVICE: Schema = DEVICE;

/// The reply of `settings`.
pub(super) const SETTINGS: Schema = Schema(&[
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
pub(super) const IDENTITY: Schema = Schema(&[
    ("name", &LEAF),
    ("healthUserId", &LEAF),
    ("legacyUserId", &LEAF),
]);

/// The reply of `profile`.
pub(super) const PROFILE: Schema = Schema(&[
    ("name", &LEAF),
    ("age", &LEAF),
    ("membershipStartDate", &DATE),
    ("autoRunningStrideLengthMm", &LEAF),
    ("autoWalkingStrideLengthMm", &LEAF),
    ("userConfiguredRunningStrideLengthMm", &LEAF),
    ("userConfiguredWalkingStrideLengthMm", &LEAF),
]);
