//! A synthetic wearer: the same heart rates every time, for pictures, bus figures and benches.

use std::f64::consts::TAU;

use jiff::{SignedDuration, Timestamp, civil::Date};
use pulsewing_core::{
    Bpm,
    civil::Offsets,
    day::Sample,
    reading::{Reading, ZoneSource},
};

use crate::readings;

/// The delay of the cloud: the age of the newest minute that it has at the moment of a poll.
pub const LAG: SignedDuration = SignedDuration::from_mins(9);

/// Returns a pseudo-random number from 0 to 1.
fn noise(n: i64) -> f64 {
    let mut hash = n.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^= hash >> 32;
    f64::from((hash & 0xffff) as u32) / 65_535.0
}

/// Returns a smooth curve through noise, whose bumps are about `minutes` long.
fn waves(minute: i64, minutes: i64) -> f64 {
    let (part, rest) = (minute.div_euclid(minutes), minute.rem_euclid(minutes));
    let t = rest as f64 / minutes as f64;
    let t = t * t * (3.0 - 2.0 * t);
    noise(part * 31 + minutes) * (1.0 - t) + noise((part + 1) * 31 + minutes) * t
}

/// Returns the average of a minute counted from some midnight; `None` while the tracker is off the
/// wrist.
pub fn bpm(minute: i64) -> Option<Bpm> {
    let day = minute.div_euclid(1_440);
    let of_day = minute.rem_euclid(1_440);
    let hour = of_day as f64 / 60.0;
    // Off for a shower, and for single minutes occasionally.
    let shower = 425 + day % 20;
    if (shower..shower + 26).contains(&of_day) || noise(minute * 7 + 3) < 0.012 {
        return None;
    }
    let asleep = !(6.6..23.2).contains(&hour);
    let base = if asleep {
        54.0 + 5.0 * ((hour + 1.0) / 24.0 * TAU).cos()
    } else {
        74.0
    };
    let calm = 12.0 * (waves(minute, 45) - 0.5) + 9.0 * (waves(minute, 7) - 0.5);
    let steps = if asleep {
        0.0
    } else {
        34.0 * (waves(minute, 23) - 0.45).max(0.0) + 10.0 * (waves(minute, 3) - 0.5)
    };
    // A run in the evening, every other day.
    let into_run = of_day - 1_085;
    let run = if day % 2 == 0 && (0..48).contains(&into_run) {
        let ends = (into_run as f64 / 6.0)
            .min((48 - into_run) as f64 / 5.0)
            .min(1.0);
        ends * (62.0 + 22.0 * waves(minute, 5))
    } else {
        0.0
    };
    let rate = base + calm + steps + run + 2.0 * noise(minute);
    Bpm::from_whole(rate.round() as i64)
}

/// Returns the reading of a poll at `now`, for a wearer whose rates `bpm` gives for the minutes
/// from midnight of `first`, in whole minutes of UTC.
pub fn reading(
    offsets: &Offsets,
    now: Timestamp,
    first: Date,
    bpm: impl Fn(i64) -> Option<Bpm>,
) -> Reading {
    let known_until = now - LAG;
    let origin = offsets.day(first).start();
    let minute_of = |at: Timestamp| at.duration_since(origin).as_secs().div_euclid(60);
    let mut reading = readings::empty(offsets.clone(), now);
    let local = *reading.day.local();
    for minute in 0..local.minutes() {
        let at = local.instant(minute);
        if let Some(bpm) = bpm(minute_of(at)).filter(|_| at < known_until) {
            reading.day.record(minute, bpm);
        }
    }
    for back in 0..1_440 {
        let at = local.start()
            + SignedDuration::from_mins(minute_of(now) - minute_of(local.start()) - back);
        if let Some(bpm) = bpm(minute_of(at)).filter(|_| at < known_until) {
            reading.window.insert(Sample { at, bpm });
        }
        if reading.window.is_complete() {
            break;
        }
    }
    let charge = 97 - minute_of(now).rem_euclid(5 * 1_440) / 80;
    reading.time_zone.source = ZoneSource::Cloud;
    reading.battery_percent = u8::try_from(charge).ok();
    reading.last_sync = Some(known_until);
    reading.resting = Bpm::new(57);
    reading
}
