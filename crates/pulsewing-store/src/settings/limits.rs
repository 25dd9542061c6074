//! The fields of the limits of alarms: 29 to 32 the heart rates, 33 to 37 the rest.

use jiff::SignedDuration;
use pulsewing_core::{
    Bpm,
    alarm::Limits,
    look::Night,
    tlv::{Fields, Writer},
};

use super::FIELDS;
use crate::tlv::FormatError;

/// Writes the limits that are not the default ones.
pub(super) fn encode(limits: &Limits, out: &mut Writer<'_>) -> Option<()> {
    let usual = Limits::default();
    let rates = [
        limits.high,
        limits.high_urgent,
        limits.low,
        limits.low_urgent,
    ];
    for (tag, rate) in (29..).zip(rates) {
        if let Some(rate) = rate {
            out.field(tag, &[&rate.get().to_be_bytes()])?;
        }
    }
    let seconds = |length: SignedDuration| u32::try_from(length.as_secs()).ok();
    if limits.stale != usual.stale {
        let stale = limits.stale.map_or(Some(0), seconds)?;
        out.field(33, &[&stale.to_be_bytes()])?;
    }
    if limits.battery != usual.battery {
        out.field(34, &[&[limits.battery.unwrap_or(0)]])?;
    }
    if let Some(quiet) = limits.quiet {
        let [from, until] = [quiet.from(), quiet.until()].map(u16::to_be_bytes);
        out.field(35, &[&from, &until])?;
    }
    for (tag, length, usual) in [
        (36, limits.repeat, usual.repeat),
        (37, limits.fresh, usual.fresh),
    ] {
        if length != usual {
            out.field(tag, &[&seconds(length)?.to_be_bytes()])?;
        }
    }
    Some(())
}

/// Reads them. Fields that are missing have their default.
pub(super) fn decode(fields: &Fields<'_, FIELDS>) -> Result<Limits, FormatError> {
    let usual = Limits::default();
    let rate = |tag| {
        fields.optional(tag, |bytes| {
            Bpm::new(u16::from_be_bytes(bytes.try_into().ok()?))
        })
    };
    let seconds = |tag| {
        fields.optional(tag, |bytes| {
            let seconds = u32::from_be_bytes(bytes.try_into().ok()?);
            Some(SignedDuration::from_secs(seconds.into()))
        })
    };
    let limits = Limits {
        high: rate(29)?,
        high_urgent: rate(30)?,
        low: rate(31)?,
        low_urgent: rate(32)?,
        stale: match seconds(33)? {
            Some(SignedDuration::ZERO) => None,
            Some(stale) => Some(stale),
            None => usual.stale,
        },
        battery: match fields.optional(34, |bytes| match bytes {
            [percent] => Some(*percent),
            _ => None,
        })? {
            Some(0) => None,
            Some(percent) => Some(percent),
            None => usual.battery,
        },
        quiet: fields.optional(35, read_night)?,
        repeat: seconds(36)?.unwrap_or(usual.repeat),
        fresh: seconds(37)?.unwrap_or(usual.fresh),
    };
    limits
        .check()
        .map(|()| limits)
        .map_err(|_| FormatError::Damaged)
}

/// Reads a part of the day.
pub(super) fn read_night(bytes: &[u8]) -> Option<Night> {
    let (from, until) = bytes.split_first_chunk()?;
    Night::new(
        u16::from_be_bytes(*from),
        u16::from_be_bytes(until.try_into().ok()?),
    )
}
