//! The wearer's time zone, from the best available source.

use jiff::{SignedDuration, Timestamp, tz};
use pulsewing_core::{
    civil::Offsets,
    dialect::ZoneFacts,
    reading::{TimeZone, ZoneName, ZoneSource},
};

/// The range around an instant in which changes of offset are looked up.
const AROUND: SignedDuration = SignedDuration::from_hours(24 * 4);

/// The longest range into the past for old data: three years. Some zones have four changes a year,
/// and [`Offsets`] has room for sixteen.
const REACHES_BACK: SignedDuration = SignedDuration::from_hours(24 * 365 * 3);

/// Finds the zone around an instant: the cloud's, else the configured one, else the machine's. An
/// offset without a name is better than another zone.
pub(crate) fn resolve(facts: &ZoneFacts, configured: Option<&str>, at: Timestamp) -> TimeZone {
    let named = |name: &str| tz::TimeZone::get(name).ok();
    if let Some(name) = &facts.name
        && let Some(zone) = named(name)
    {
        return time_zone(name, ZoneSource::Cloud, &zone, at);
    }
    if let Some(offset) = facts.offset {
        return TimeZone {
            name: facts.name.clone().unwrap_or_default(),
            source: ZoneSource::Cloud,
            offsets: Offsets::fixed(offset),
        };
    }
    if let Some(name) = configured
        && let Some(zone) = named(name)
    {
        return time_zone(name, ZoneSource::Configured, &zone, at);
    }
    let machine = tz::TimeZone::system();
    time_zone(
        machine.iana_name().unwrap_or_default(),
        ZoneSource::Machine,
        &machine,
        at,
    )
}

/// Returns whether these facts name the machine's own zone. If minutes are stored with that zone,
/// their real one may have been unknown.
pub(crate) fn is_machines(facts: &ZoneFacts) -> bool {
    let machine = tz::TimeZone::system();
    facts.name.as_deref().unwrap_or_default() == machine.iana_name().unwrap_or_default()
}

/// Returns the same zone with its offsets between two instants; unchanged if only an offset is
/// known.
pub(crate) fn reaching(known: &TimeZone, from: Timestamp, until: Timestamp) -> TimeZone {
    // Before that, we use the first offset of these years.
    let earliest = until.checked_sub(REACHES_BACK).unwrap_or(Timestamp::MIN);
    match (known.source, tz::TimeZone::get(known.name.as_str())) {
        (_, Ok(zone)) => between(&known.name, known.source, &zone, from.max(earliest), until),
        (ZoneSource::Machine, Err(_)) => {
            let zone = tz::TimeZone::system();
            between("", known.source, &zone, from.max(earliest), until)
        }
        (_, Err(_)) => known.clone(),
    }
}

/// Returns the zone of a fixed offset, for an instant that was given with one.
pub(crate) fn fixed(offset: tz::Offset) -> TimeZone {
    TimeZone {
        name: ZoneName::new(),
        source: ZoneSource::Configured,
        offsets: Offsets::fixed(offset),
    }
}

fn time_zone(name: &str, source: ZoneSource, zone: &tz::TimeZone, at: Timestamp) -> TimeZone {
    between(name, source, zone, at, at)
}

fn between(
    name: &str,
    source: ZoneSource,
    zone: &tz::TimeZone,
    from: Timestamp,
    until: Timestamp,
) -> TimeZone {
    let from = from.checked_sub(AROUND).unwrap_or(Timestamp::MIN);
    let until = until.checked_add(AROUND).unwrap_or(Timestamp::MAX);
    let mut offsets = Offsets::fixed(zone.to_offset(from));
    for change in zone
        .following(from)
        .take_while(|change| change.timestamp() < until)
    {
        // No zone has more changes in this range than there is room for.
        if offsets
            .push_change(change.timestamp(), change.offset())
            .is_err()
        {
            break;
        }
    }
    TimeZone {
        name: ZoneName::try_from(name).unwrap_or_default(),
        source,
        offsets,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pulsewing_testkit::at;

    use super::*;

    fn facts(name: &str, hours: Option<i8>) -> ZoneFacts {
        ZoneFacts {
            name: name.try_into().ok(),
            offset: hours.map(tz::Offset::constant),
        }
    }

    #[test]
    fn the_clouds_zone_comes_with_its_change_of_clocks() {
        let zone = resolve(
            &facts("Europe/Berlin", Some(1)),
            None,
            at("2026-10-25T12:00:00Z"),
        );
        assert_eq!(zone.source, ZoneSource::Cloud);
        assert_eq!(zone.offsets.day(date(2026, 10, 25)).minutes(), 1_500);
        assert_eq!(zone.offsets.day(date(2026, 10, 24)).minutes(), 1_440);
    }

    #[test]
    fn a_zone_reaches_back_to_what_was_known_long_ago() {
        let now = at("2026-11-22T12:00:00Z");
        let summer = at("2026-07-01T12:00:00Z");
        let zone = resolve(&facts("Europe/Berlin", None), None, now);
        assert_eq!(zone.offsets.at(summer), tz::Offset::constant(1));
        let reaching = reaching(&zone, summer, now);
        assert_eq!(reaching.offsets.at(summer), tz::Offset::constant(2));
        assert_eq!(reaching.offsets.at(now), tz::Offset::constant(1));
        assert_eq!(reaching.name, zone.name);
    }

    #[test]
    fn what_is_unknown_falls_back_step_by_step() {
        let now = at("2026-11-22T12:00:00Z");
        let mars = resolve(&facts("Mars/Olympus", Some(3)), Some("Europe/Berlin"), now);
        assert_eq!(
            (mars.source, mars.offsets.at(now)),
            (ZoneSource::Cloud, tz::Offset::constant(3))
        );
        let configured = resolve(&ZoneFacts::default(), Some("Asia/Tokyo"), now);
        assert_eq!(
            (configured.source, configured.offsets.at(now)),
            (ZoneSource::Configured, tz::Offset::constant(9))
        );
        assert_eq!(
            resolve(&ZoneFacts::default(), Some("Nowhere"), now).source,
            ZoneSource::Machine
        );
    }
}
