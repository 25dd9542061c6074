//! The possible members of data-call replies, for the data types that exist here (Google Health
//! API, discovery document, `schemas`).

use super::data_type::DataType;

/// The members that a reply can have, whether or not they are present.
#[derive(Debug)]
pub(super) enum Schema {
    /// The names of those that have no members themselves, and those that have some.
    Members(&'static str, Members),
    /// Those of a data point; it can also have one for every data type.
    Point(&'static str, Members),
    /// Any members, for a data type without data in the sandbox.
    Anything,
}

type Members = &'static [(&'static str, &'static Schema)];

impl Schema {
    /// Finds a member.
    pub(super) fn member(&self, name: &str) -> Option<&'static Self> {
        let known = self.members().find(|(known, _)| *known == name);
        let has_any = match self {
            Self::Members(..) => false,
            Self::Point(..) => DataType::has_member(name),
            Self::Anything => true,
        };
        known
            .map(|(_, member)| member)
            .or_else(|| has_any.then_some(&Self::Anything))
    }

    /// Returns the members that are known in detail.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'static str, &'static Self)> {
        let (names, members): (&'static str, Members) = match self {
            Self::Members(names, members) | Self::Point(names, members) => (names, members),
            Self::Anything => ("", &[]),
        };
        let leaves = names.split_whitespace().map(|name| (name, &LEAF));
        leaves.chain(members.iter().copied())
    }
}

const LEAF: Schema = Schema::Members("", &[]);
const DATE: Schema = Schema::Members("year month day", &[]);
const TIME: Schema = Schema::Members("hours minutes seconds nanos", &[]);
const CIVIL: Schema = Schema::Members("", &[("date", &DATE), ("time", &TIME)]);
const SAMPLE_TIME: Schema = Schema::Members("physicalTime utcOffset", &[("civilTime", &CIVIL)]);
const INTERVAL: Schema = Schema::Members(
    "startTime startUtcOffset endTime endUtcOffset",
    &[("civilStartTime", &CIVIL), ("civilEndTime", &CIVIL)],
);
const SAMPLE_METADATA: Schema = Schema::Members("motionContext sensorLocation", &[]);
const HEART_RATE: Schema = Schema::Members(
    "beatsPerMinute",
    &[("sampleTime", &SAMPLE_TIME), ("metadata", &SAMPLE_METADATA)],
);
const RESTING_METADATA: Schema = Schema::Members("calculationMethod", &[]);
const RESTING: Schema = Schema::Members(
    "beatsPerMinute",
    &[
        ("date", &DATE),
        ("dailyRestingHeartRateMetadata", &RESTING_METADATA),
    ],
);
const ZONE: Schema = Schema::Members("heartRateZoneType minBeatsPerMinute maxBeatsPerMinute", &[]);
const ZONES: Schema = Schema::Members("", &[("date", &DATE), ("heartRateZones", &ZONE)]);
const TIME_IN_ZONE: Schema = Schema::Members("heartRateZoneType", &[("interval", &INTERVAL)]);
const SOURCE_DEVICE: Schema = Schema::Members("displayName formFactor manufacturer", &[]);
const APPLICATION: Schema = Schema::Members("packageName webClientId googleWebClientId", &[]);
const SOURCE: Schema = Schema::Members(
    "recordingMethod platform",
    &[("device", &SOURCE_DEVICE), ("application", &APPLICATION)],
);
const ROLLED_HEART_RATE: Schema =
    Schema::Members("beatsPerMinuteAvg beatsPerMinuteMax beatsPerMinuteMin", &[]);
const ROLLED_ZONE: Schema = Schema::Members("heartRateZone duration", &[]);
const ROLLED_TIME_IN_ZONE: Schema = Schema::Members("", &[("timeInHeartRateZones", &ROLLED_ZONE)]);
const DEVICE: Schema = Schema::Members(
    "name deviceType deviceVersion batteryStatus batteryLevel lastSyncTime macAddress features",
    &[],
);
const LISTED_POINT: Schema = Schema::Point(
    "name",
    &[
        ("dataSource", &SOURCE),
        ("heartRate", &HEART_RATE),
        ("dailyRestingHeartRate", &RESTING),
        ("dailyHeartRateZones", &ZONES),
        ("timeInHeartRateZone", &TIME_IN_ZONE),
    ],
);
const RECONCILED_POINT: Schema = Schema::Point(
    "dataPointName",
    &[
        ("heartRate", &HEART_RATE),
        ("dailyRestingHeartRate", &RESTING),
        ("dailyHeartRateZones", &ZONES),
        ("timeInHeartRateZone", &TIME_IN_ZONE),
    ],
);
const ROLLED_UP_POINT: Schema = Schema::Point(
    "startTime endTime",
    &[
        ("heartRate", &ROLLED_HEART_RATE),
        ("timeInHeartRateZone", &ROLLED_TIME_IN_ZONE),
    ],
);
const DAILY_ROLLED_UP_POINT: Schema = Schema::Point(
    "",
    &[
        ("civilStartTime", &CIVIL),
        ("civilEndTime", &CIVIL),
        ("heartRate", &ROLLED_HEART_RATE),
        ("timeInHeartRateZone", &ROLLED_TIME_IN_ZONE),
    ],
);

/// The reply of `list`.
pub(super) const LISTED: Schema =
    Schema::Members("nextPageToken", &[("dataPoints", &LISTED_POINT)]);

/// The reply of `reconcile`.
pub(super) const RECONCILED: Schema =
    Schema::Members("nextPageToken", &[("dataPoints", &RECONCILED_POINT)]);

/// The reply of `rollUp`.
pub(super) const ROLLED_UP: Schema =
    Schema::Members("nextPageToken", &[("rollupDataPoints", &ROLLED_UP_POINT)]);

/// The reply of `dailyRollUp`.
pub(super) const DAILY_ROLLED_UP: Schema = Schema::Members(
    "nextPageToken",
    &[("rollupDataPoints", &DAILY_ROLLED_UP_POINT)],
);

/// The reply of `pairedDevices`.
pub(super) const DEVICES: Schema = Schema::Members("nextPageToken", &[("pairedDevices", &DEVICE)]);

/// The reply of `pairedDevices/{id}`.
pub(super) const ONE_DEVICE: Schema = DEVICE;

/// The reply of `settings`.
pub(super) const SETTINGS: Schema = Schema::Members(
    "name autoStrideEnabled distanceUnit foodLanguageCode glucoseUnit heightUnit languageLocale \
     strideLengthRunningType strideLengthWalkingType swimUnit temperatureUnit timeZone utcOffset waterUnit \
     weightUnit",
    &[],
);

/// The reply of `identity`.
pub(super) const IDENTITY: Schema = Schema::Members("name healthUserId legacyUserId", &[]);

/// The reply of `profile`.
pub(super) const PROFILE: Schema = Schema::Members(
    "name age autoRunningStrideLengthMm autoWalkingStrideLengthMm userConfiguredRunningStrideLengthMm \
     userConfiguredWalkingStrideLengthMm",
    &[("membershipStartDate", &DATE)],
);
