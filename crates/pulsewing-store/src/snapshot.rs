//! The last picture, and the limits on requests. A board that lost power shows the last known
//! values with their date, and does not send requests more often than allowed.
//!
//! ```text
//! "PWSN", version (1 or 2), fields: tag (1), length (2, big-endian), value
//! ```
//!
//! | tag | field | value |
//! |---|---|---|
//! | 1 | next allowed | instant |
//! | 2 | last refresh because of a 401 | instant |
//! | 3 | newest span of counted requests | i64 |
//! | 4 | counted requests | per slot in use: slot (1), count (2) |
//! | 5 | failures in a row | u8 |
//! | 6 | the zone as reported by the provider | when; offset in seconds (i32), `i32::MIN` if none; name |
//! | 7 | resting heart rate | when; bpm (u16), 0 if none |
//! | 8 | provider of the reading | 1 Google, 2 Fitbit |
//! | 9 | fetched at | instant |
//! | 10 | time zone | source (1 cloud, 2 configured, 3 provisioned, 4 machine), name |
//! | 11 | its offsets | the first (i32, seconds), then per change: instant, offset |
//! | 12 | the day's date | year (i16), month (1), day (1) |
//! | 13 | its minutes | a byte each: 0 none, 1 to 254 bpm, 255 and another byte: 255 + that |
//! | 14 | window | per sample: instant, bpm (u16) |
//! | 15 | battery | percent (1) |
//! | 16 | last sync | instant |
//! | 17 | resting heart rate of the reading | u16 |
//! | 18 | heart zones | u16 each |
//! | 19 | heart-rate zones as reported by the provider (version 2) | when; u16 each, nothing if none |
//!
//! The version is the lowest that has all fields, so that an older program reads what it can.
//! Numbers are big-endian, instants milliseconds since 1970 (i64). Without tag 8 there is no
//! reading. The day ends with its last minute that has a value. Newer versions are handled as in
//! [`settings`](crate::settings).

use embedded_storage_async::nor_flash::NorFlash;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    civil::{MAX_CHANGES, Offsets},
    cycle::{Memory, Pacing},
    day::{Day, Sample, Window},
    dialect::ZoneFacts,
    heart_zone::{HeartZones, ProviderZones},
    instant::later,
    reading::{Reading, TimeZone, ZoneSource},
    tlv::{Fields, Writer},
};

use crate::{
    Store, StoreError, Subject,
    frame::{Entry, Kind},
    journal::Place,
    tlv::{self, FormatError},
};

/// The maximum length of an encoded snapshot, in bytes.
pub const MAX_SNAPSHOT: usize = 3_840;

const MAGIC: [u8; 4] = *b"PWSN";
const VERSION: u8 = 2;

/// The last known state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last reading, if there was one.
    pub reading: Option<Reading>,
    /// The limits on requests.
    pub pacing: Pacing,
    /// The values that are fetched less often than every cycle.
    pub memory: Memory,
}

/// Writes a snapshot to `buffer`, and returns its length; `None` if the buffer is too short.
#[must_use]
pub fn encode(
    reading: Option<&Reading>,
    pacing: &Pacing,
    memory: &Memory,
    buffer: &mut [u8],
) -> Option<usize> {
    let version = match memory.heart_zones {
        None => 1,
        Some(_) => VERSION,
    };
    let mut out = tlv::begin(buffer, MAGIC, version)?;
    for (tag, at) in [
        (1, pacing.next_allowed),
        (2, pacing.unauthorized_refresh_at),
    ] {
        if let Some(at) = at {
            out.field(tag, &[&instant(at)])?;
        }
    }
    out.field(3, &[&pacing.newest_span.to_be_bytes()])?;
    out.field_of(4, |out| {
        let mut used = (0_u8..).zip(pacing.recent).filter(|(_, count)| *count > 0);
        used.try_for_each(|(slot, count)| {
            out.push(&[slot])?;
            out.push(&count.to_be_bytes())
        })
    })?;
    out.field(5, &[&[pacing.failures]])?;
    if let Some((facts, at)) = &memory.zone {
        let offset = facts.offset.map_or(i32::MIN, Offset::seconds);
        let name = facts.name.as_deref().unwrap_or_default();
        out.field(6, &[&instant(*at), &offset.to_be_bytes(), name.as_bytes()])?;
    }
    if let Some((resting, at)) = memory.resting {
        let bpm = resting.map_or(0, Bpm::get);
        out.field(7, &[&instant(at), &bpm.to_be_bytes()])?;
    }
    if let Some((zones, at)) = memory.heart_zones {
        out.field_of(19, |out| {
            out.push(&instant(at))?;
            let limits = zones.map(ProviderZones::limits);
            let mut limits = limits.iter().flatten();
            limits.try_for_each(|limit| out.push(&limit.get().to_be_bytes()))
        })?;
    }
    if let Some(reading) = reading {
        encode_reading(reading, &mut out)?;
    }
    Some(out.written().len())
}

fn encode_reading(reading: &Reading, out: &mut Writer<'_>) -> Option<()> {
    let provider = match reading.provider {
        Provider::Google => 1,
        Provider::Fitbit => 2,
    };
    out.field(8, &[&[provider]])?;
    out.field(9, &[&instant(reading.fetched_at)])?;
    let zone = &reading.time_zone;
    let source = match zone.source {
        ZoneSource::Cloud => 1,
        ZoneSource::Configured => 2,
        ZoneSource::Provisioned => 3,
        ZoneSource::Machine => 4,
    };
    out.field(10, &[&[source], zone.name.as_bytes()])?;
    let date = reading.day.local().date();
    let begin = reading.day.local().start().min(reading.fetched_at);
    out.field_of(11, |out| encode_offsets(&zone.offsets, begin, out))?;
    let [month, day] = [date.month(), date.day()].map(i8::unsigned_abs);
    out.field(12, &[&date.year().to_be_bytes(), &[month, day]])?;
    out.field_of(13, |out| {
        let minutes = reading.day.latest().map_or(0, |(minute, _)| minute + 1);
        (0..minutes).try_for_each(|minute| match reading.day.get(minute).map_or(0, Bpm::get) {
            bpm @ ..=254 => out.push(&[u8::try_from(bpm).ok()?]),
            bpm => out.push(&[255, u8::try_from(bpm - 255).ok()?]),
        })
    })?;
    out.field_of(14, |out| {
        reading.window.samples().iter().try_for_each(|sample| {
            out.push(&instant(sample.at))?;
            out.push(&sample.bpm.get().to_be_bytes())
        })
    })?;
    if let Some(percent) = reading.battery_percent {
        out.field(15, &[&[percent]])?;
    }
    if let Some(at) = reading.last_sync {
        out.field(16, &[&instant(at)])?;
    }
    if let Some(bpm) = reading.resting {
        out.field(17, &[&bpm.get().to_be_bytes()])?;
    }
    let [light, moderate, vigorous, peak] = reading
        .heart_zones
        .limits()
        .map(|limit| limit.get().to_be_bytes());
    out.field(18, &[&light, &moderate, &vigorous, &peak])
}

/// The period before and after the day for which changes of offset are stored. The picture can be
/// dated without a network for that long.
const BEFORE: SignedDuration = SignedDuration::from_hours(3 * 24);
const AFTER: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The step of the search: no zone changes its offset twice within it.
const STEP: SignedDuration = SignedDuration::from_hours(12);

/// Writes the offsets around `begin`. `Offsets` does not list its changes, so we search for them.
fn encode_offsets(offsets: &Offsets, begin: Timestamp, out: &mut Writer<'_>) -> Option<()> {
    let mut from = later(begin, -BEFORE).unwrap_or(Timestamp::MIN);
    let end = later(begin, AFTER).unwrap_or(Timestamp::MAX);
    out.push(&offsets.at(from).seconds().to_be_bytes())?;
    let mut changes = 0;
    while from < end && changes < MAX_CHANGES {
        let next = later(from, STEP).unwrap_or(end).min(end);
        let offset = offsets.at(next);
        if offset != offsets.at(from) {
            changes += 1;
            out.push(&instant(change_between(offsets, from, next)))?;
            out.push(&offset.seconds().to_be_bytes())?;
        }
        from = next;
    }
    Some(())
}

/// Returns the second of the change of offset that lies after `from` and not after `to`.
fn change_between(offsets: &Offsets, from: Timestamp, to: Timestamp) -> Timestamp {
    let (mut before, mut after) = (from.as_second(), to.as_second());
    let offset = offsets.at(to);
    while before + 1 < after {
        let middle = before.midpoint(after);
        match Timestamp::from_second(middle) {
            Ok(at) if offsets.at(at) == offset => after = middle,
            _ => before = middle,
        }
    }
    Timestamp::from_second(after).unwrap_or(to)
}

fn instant(at: Timestamp) -> [u8; 8] {
    at.as_millisecond().to_be_bytes()
}

impl Snapshot {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let fields = tlv::read::<20>(bytes, MAGIC, VERSION)?;
        let mut pacing = Pacing {
            next_allowed: fields.optional(1, read_instant)?,
            unauthorized_refresh_at: fields.optional(2, read_instant)?,
            newest_span: i64::from_be_bytes(fields.array(3)?),
            ..Pacing::default()
        };
        let (counts, []) = fields.require(4)?.as_chunks::<3>() else {
            return Err(FormatError::Damaged);
        };
        for [slot, hi, lo] in counts {
            *pacing
                .recent
                .get_mut(usize::from(*slot))
                .ok_or(FormatError::Damaged)? = u16::from_be_bytes([*hi, *lo]);
        }
        [pacing.failures] = fields.array(5)?;
        Ok(Self {
            pacing,
            memory: Memory {
                zone: fields.optional(6, read_zone)?,
                resting: fields.optional(7, |bytes| {
                    let (at, bpm) = bytes.split_first_chunk::<8>()?;
                    let bpm = u16::from_be_bytes(bpm.try_into().ok()?);
                    let resting = match bpm {
                        0 => None,
                        bpm => Some(Bpm::new(bpm)?),
                    };
                    Some((resting, read_instant(at)?))
                })?,
                heart_zones: fields.optional(19, read_provider_zones)?,
            },
            reading: match fields.get(8) {
                Some(_) => Some(decode_reading(&fields)?),
                None => None,
            },
        })
    }
}

fn decode_reading(fields: &Fields<'_, 20>) -> Result<Reading, FormatError> {
    let provider = match fields.array(8)? {
        [1] => Provider::Google,
        [2] => Provider::Fitbit,
        _ => return Err(FormatError::Damaged),
    };
    let fetched_at = required(fields, 9, read_instant)?;
    let time_zone = TimeZone {
        offsets: required(fields, 11, read_offsets)?,
        ..required(fields, 10, read_time_zone)?
    };
    let [y0, y1, month, day] = fields.array(12)?;
    let date = (|| {
        let year = i16::from_be_bytes([y0, y1]);
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    })();
    let mut day = Day::new(time_zone.offsets.day(date.ok_or(FormatError::Damaged)?));
    required(fields, 13, |bytes| read_minutes(bytes, &mut day))?;
    let (samples, []) = fields.require(14)?.as_chunks::<10>() else {
        return Err(FormatError::Damaged);
    };
    let samples = samples.iter().map(read_sample);
    let newest = samples.clone().flatten().map(|sample| sample.at).max();
    // The last known values are kept, however old they are.
    let mut window = Window::as_known(newest.unwrap_or(fetched_at), fetched_at);
    for sample in samples {
        window.insert(sample.ok_or(FormatError::Damaged)?);
    }
    Ok(Reading {
        provider,
        time_zone,
        day,
        window,
        battery_percent: fields.optional(15, |bytes| match bytes {
            [percent @ ..=100] => Some(*percent),
            _ => None,
        })?,
        last_sync: fields.optional(16, read_instant)?,
        resting: fields.optional(17, read_bpm)?,
        heart_zones: required(fields, 18, |bytes| {
            let (limits, []) = bytes.as_chunks::<2>() else {
                return None;
            };
            let limits: &[[u8; 2]; 4] = limits.try_into().ok()?;
            let [light, moderate, vigorous, peak] = limits.map(|limit| read_bpm(&limit));
            HeartZones::new([light?, moderate?, vigorous?, peak?])
        })?,
        fetched_at,
    })
}

fn required<'r, T>(
    fields: &Fields<'r, 20>,
    tag: u8,
    read: impl FnOnce(&'r [u8]) -> Option<T>,
) -> Result<T, FormatError> {
    fields.optional(tag, read)?.ok_or(FormatError::Damaged)
}

fn read_instant(bytes: &[u8]) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::from_be_bytes(bytes.try_into().ok()?)).ok()
}

fn read_bpm(bytes: &[u8]) -> Option<Bpm> {
    Bpm::new(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn read_zone(bytes: &[u8]) -> Option<(ZoneFacts, Timestamp)> {
    let (at, rest) = bytes.split_first_chunk::<8>()?;
    let (offset, name) = rest.split_first_chunk::<4>()?;
    let facts = ZoneFacts {
        name: match name {
            [] => None,
            name => Some(core::str::from_utf8(name).ok()?.try_into().ok()?),
        },
        offset: match i32::from_be_bytes(*offset) {
            i32::MIN => None,
            seconds => Some(Offset::from_seconds(seconds).ok()?),
        },
    };
    Some((facts, read_instant(at)?))
}

fn read_provider_zones(bytes: &[u8]) -> Option<(Option<ProviderZones>, Timestamp)> {
    let (at, limits) = bytes.split_first_chunk::<8>()?;
    let zones = match limits {
        [] => None,
        limits => {
            let (limits, []) = limits.as_chunks::<2>() else {
                return None;
            };
            let limits: &[[u8; 2]; 3] = limits.try_into().ok()?;
            let [moderate, vigorous, peak] = limits.map(|limit| read_bpm(&limit));
            Some(ProviderZones::new([moderate?, vigorous?, peak?])?)
        }
    };
    Some((zones, read_instant(at)?))
}

/// Reads the zone's name and source; the offsets are read separately.
fn read_time_zone(bytes: &[u8]) -> Option<TimeZone> {
    let (source, name) = bytes.split_first()?;
    Some(TimeZone {
        name: core::str::from_utf8(name).ok()?.try_into().ok()?,
        source: match source {
            1 => ZoneSource::Cloud,
            2 => ZoneSource::Configured,
            3 => ZoneSource::Provisioned,
            4 => ZoneSource::Machine,
            _ => return None,
        },
        offsets: Offsets::fixed(Offset::UTC),
    })
}

fn read_offsets(bytes: &[u8]) -> Option<Offsets> {
    let offset = |bytes: &[u8; 4]| Offset::from_seconds(i32::from_be_bytes(*bytes)).ok();
    let (initial, changes) = bytes.split_first_chunk::<4>()?;
    let mut offsets = Offsets::fixed(offset(initial)?);
    let (changes, []) = changes.as_chunks::<12>() else {
        return None;
    };
    for change in changes {
        let (at, seconds) = change.split_first_chunk::<8>()?;
        let after = offset(seconds.try_into().ok()?)?;
        offsets.push_change(read_instant(at)?, after).ok()?;
    }
    Some(offsets)
}

fn read_minutes(bytes: &[u8], day: &mut Day) -> Option<()> {
    let mut bytes = bytes.iter().copied();
    let mut minute = 0_u16;
    while let Some(byte) = bytes.next() {
        let bpm = match byte {
            0 => None,
            255 => Some(Bpm::new(255 + u16::from(bytes.next()?))?),
            bpm => Some(Bpm::new(u16::from(bpm))?),
        };
        if minute >= day.local().minutes() {
            return None;
        }
        if let Some(bpm) = bpm {
            day.record(minute, bpm);
        }
        minute += 1;
    }
    Some(())
}

fn read_sample(bytes: &[u8; 10]) -> Option<Sample> {
    let (at, bpm) = bytes.split_first_chunk::<8>()?;
    Some(Sample {
        at: read_instant(at)?,
        bpm: read_bpm(bpm)?,
    })
}

impl<F: NorFlash> Store<F> {
    /// Reads the last picture; `None` if there is none. `buffer` has at least [`MAX_SNAPSHOT`]
    /// bytes.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Damaged`], [`StoreError::Unfit`] for a buffer that is
    /// too small, and whatever the flash reports. The board then continues without it.
    pub async fn load_snapshot(
        &mut self,
        buffer: &mut [u8],
    ) -> Result<Option<Snapshot>, StoreError<F::Error>> {
        let journal = self.journal(Subject::Snapshot);
        let payload = journal.read_current(&mut self.flash, buffer).await?;
        Ok(payload.map(Snapshot::decode).transpose()?)
    }

    /// Saves the last picture and the limits on requests: after every cycle, at most once every 15
    /// minutes (for the wear see `docs/flash-format.md`).
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the saved one must not be touched, [`StoreError::Unfit`] for a
    /// buffer that is too small, and whatever the flash reports.
    pub async fn save_snapshot(
        &mut self,
        reading: Option<&Reading>,
        pacing: &Pacing,
        memory: &Memory,
        buffer: &mut [u8],
    ) -> Result<(), StoreError<F::Error>> {
        let len = encode(reading, pacing, memory, buffer).ok_or(StoreError::Unfit)?;
        let payload = buffer.get(..len).unwrap_or_default();
        let journal = self.journal(Subject::Snapshot);
        let scan = journal
            .scan_replaceable(&mut self.flash, MAGIC, VERSION)
            .await?;
        let entry = Entry {
            kind: Kind::Step,
            stamp: 0,
            payload,
        };
        journal
            .append(&mut self.flash, &scan, entry, Place::Here)
            .await
            .map(|_| ())
    }
}
